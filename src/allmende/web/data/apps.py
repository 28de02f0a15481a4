"""The app that migrates the measured world's tables."""

from django.apps import AppConfig


class DataConfig(AppConfig):
    """No models: the tables are storage's."""

    name = "allmende.web.data"
    label = "measured"

"""The overview as a Django app."""

from django.apps import AppConfig


class InstrumentsConfig(AppConfig):
    """All instruments on one page."""

    name = "allmende.web.instruments"
    label = "instruments"

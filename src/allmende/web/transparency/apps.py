"""Transparency as a Django app."""

from django.apps import AppConfig


class TransparencyConfig(AppConfig):
    """Which sensors stand where, what for, for how long, and who receives what is not open."""

    name = "allmende.web.transparency"
    label = "transparency"

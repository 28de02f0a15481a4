"""Harvesting as a Django app."""

from django.apps import AppConfig


class HarvestConfig(AppConfig):
    """Datasets of other catalogues."""

    name = "allmende.web.harvest"
    label = "harvest"

"""The catalogue as a Django app."""

from django.apps import AppConfig


class CatalogueConfig(AppConfig):
    """Datasets, described for people and for harvesters."""

    name = "allmende.web.catalogue"
    label = "catalogue"

"""The OGC APIs as a Django app: its pages and their texts."""

from django.apps import AppConfig


class OgcConfig(AppConfig):
    """Features and tiles."""

    name = "allmende.web.ogc"
    label = "ogc"

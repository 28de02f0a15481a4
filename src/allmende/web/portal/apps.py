"""The portal as a Django app."""

from django.apps import AppConfig


class PortalConfig(AppConfig):
    """Pages around the services."""

    name = "allmende.web.portal"
    label = "portal"

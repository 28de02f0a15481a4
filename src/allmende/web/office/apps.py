"""The back office as a Django app."""

from django.apps import AppConfig


class OfficeConfig(AppConfig):
    """Revisions of the profile, and the pages to make them."""

    name = "allmende.web.office"
    label = "office"

    def ready(self) -> None:
        """Say what is held of people."""
        from allmende.web.office.holdings import register_all

        register_all()

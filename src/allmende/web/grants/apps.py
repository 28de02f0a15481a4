"""Access to data that are not open as a Django app."""

from django.apps import AppConfig


class GrantsConfig(AppConfig):
    """Grants of access: made, withdrawn, ended by their date."""

    name = "allmende.web.grants"
    label = "grants"

    def ready(self) -> None:
        """Say what is held of people."""
        from allmende.web.grants.holdings import register_all

        register_all()

"""Downloads as a Django app."""

from django.apps import AppConfig


class DownloadsConfig(AppConfig):
    """Files that people order, and dumps."""

    name = "allmende.web.downloads"
    label = "downloads"

    def ready(self) -> None:
        """Say what is held of people."""
        from allmende.web.downloads.holdings import register_all

        register_all()

"""Notes of reads as a Django app."""

from django.apps import AppConfig


class ReadsConfig(AppConfig):
    """Notes of who read what is not open."""

    name = "allmende.web.reads"
    label = "reads"

    def ready(self) -> None:
        """Say what is held of people."""
        from allmende.web.reads.holdings import register_all

        register_all()

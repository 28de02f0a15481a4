"""Sources made in the browser as a Django app."""

from django.apps import AppConfig


class MakingConfig(AppConfig):
    """Drafts of sources, and the pages on which they come about."""

    name = "allmende.web.making"
    label = "making"

    def ready(self) -> None:
        """Say what is held of people."""
        from allmende.web.making.holdings import register_all

        register_all()

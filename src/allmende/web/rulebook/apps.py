"""The book of rules as a Django app."""

from django.apps import AppConfig


class RulebookConfig(AppConfig):
    """Pages about rules, and the runs over their past that are asked for there."""

    name = "allmende.web.rulebook"
    label = "rulebook"

    def ready(self) -> None:
        """Say what is held of people."""
        from allmende.web.rulebook.holdings import register_all

        register_all()

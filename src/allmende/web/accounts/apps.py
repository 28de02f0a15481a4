"""The app of the accounts."""

from importlib import import_module

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """People, what they may do, how they log in, and tokens."""

    name = "allmende.web.accounts"
    label = "accounts"

    def ready(self) -> None:
        """Connect what follows a log-in; say what is held of people."""
        import_module("allmende.web.accounts.sessions")
        import_module("allmende.web.accounts.holdings").register_all()

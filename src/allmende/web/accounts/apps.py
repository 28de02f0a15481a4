"""The app of the accounts."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """Users and tokens."""

    name = "allmende.web.accounts"
    label = "accounts"

"""Policies as a Django app."""

from django.apps import AppConfig


class PoliciesConfig(AppConfig):
    """Licences and grants in short."""

    name = "allmende.web.policies"
    label = "policies"

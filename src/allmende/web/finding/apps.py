"""The search of the portal as a Django app."""

from django.apps import AppConfig

from allmende.web.finding.kinds import KINDS


class FindingConfig(AppConfig):
    """One search over all."""

    name = "allmende.web.finding"
    label = "finding"
    finds = KINDS

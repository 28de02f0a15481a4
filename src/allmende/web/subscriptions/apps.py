"""Subscriptions as a Django app."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

from allmende.city.instruments import Instrument


class SubscriptionsConfig(AppConfig):
    """Mail, messages of the browser, feeds and calendars for whoever wants to be told."""

    name = "allmende.web.subscriptions"
    label = "subscriptions"
    instrument = Instrument(
        title=_("Subscriptions"),
        summary=_("Let yourself be told what happens in your street, at a gauge or in a dataset."),
        address="subscriptions:start",
        order=60,
    )

    def ready(self) -> None:
        """Say what is held of people."""
        from allmende.web.subscriptions.holdings import register_all

        register_all()

"""Forecasts as a Django app."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

from allmende.city.instruments import Instrument


class ForecastsConfig(AppConfig):
    """What comes next, with intervals, and how often it was right."""

    name = "allmende.web.forecasts"
    label = "forecasts"
    instrument = Instrument(
        title=_("Forecasts"),
        summary=_("What the next hours and days will bring, how sure that is, and how often it was right so far."),
        address="forecasts:start",
        order=40,
    )

    def ready(self) -> None:
        """Bring the tile of boards and stories."""
        from allmende.web.forecasts.tiles import register_all

        register_all()

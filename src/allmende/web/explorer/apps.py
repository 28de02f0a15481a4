"""The explorer as a Django app."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

from allmende.city.instruments import Instrument


class ExplorerConfig(AppConfig):
    """Charts of streams, for its own page and for all others."""

    name = "allmende.web.explorer"
    label = "explorer"
    instrument = Instrument(
        title=_("Explorer"),
        summary=_("Look at any measured values over any time, compare them, and take them with you."),
        address="explorer:start",
        order=20,
    )

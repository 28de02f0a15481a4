"""The map as a Django app."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

from allmende.city.instruments import Instrument


class MapsConfig(AppConfig):
    """The map, its list and its frame for other pages; the register of addresses."""

    name = "allmende.web.maps"
    label = "maps"
    instrument = Instrument(
        title=_("Map"),
        summary=_("See where things stand and what they measure, now and at any time before."),
        address="maps:map",
        order=10,
    )

"""The map as a Django app."""

from urllib.parse import urlencode

from django.apps import AppConfig
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from allmende.city.finding import Asked, Findable
from allmende.city.instruments import Instrument


def addresses(request: HttpRequest, text: str, most: int) -> list[Findable]:
    """Streets and houses of the imported register; each leads to the map around it."""
    from allmende.web.maps.register import find_addresses

    house = request.house  # type: ignore[attr-defined]  # set by HouseMiddleware
    found = []
    for hit in find_addresses(house, text, most):
        words = ", ".join(piece for piece in (hit.name, hit.detail) if piece)
        place = urlencode({"q": words, "near": f"{hit.lon:.6f},{hit.lat:.6f}"})
        near = gettext("nearest house in the register") if hit.near else gettext("What is around it, on the map")
        found.append(Findable(f"{hit.kind} {words}", words, f"{reverse('maps:map')}?{place}", near))
    return found


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

    answers = (Asked("addresses", _("Addresses"), addresses, order=32),)

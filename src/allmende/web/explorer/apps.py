"""The explorer as a Django app."""

from collections.abc import Iterator
from urllib.parse import urlencode

from django.apps import AppConfig
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from allmende.city.finding import Findable, Kind
from allmende.city.instruments import Instrument


def findable(request: HttpRequest) -> Iterator[Findable]:
    """The streams that the explorer offers whoever asks; also by what the city calls what they measure, in each of its
    languages."""
    from allmende.web.explorer.choosing import find_streams

    known = request.house.profile.properties  # type: ignore[attr-defined]  # set by HouseMiddleware
    for one in find_streams(request, "").choices:
        said = known.get(one.property_id)
        named = " ".join(said.name.values()) if said else ""
        address = f"{reverse('explorer:start')}?{urlencode({'stream': one.id})}"
        yield Findable(one.id, one.name, address, one.property, f"{named} {one.district} {one.id}")


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

    finds = (Kind("streams", _("Measured values"), findable, order=42, spoken=False),)

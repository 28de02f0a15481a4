"""What can be chosen beside what is shown: streams as a list, or the things that they are of as a list and on a map."""

from collections.abc import Sequence
from typing import Any, NamedTuple, TypeVar
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from allmende.web.explorer import asking, words
from allmende.web.explorer.choosing import Choice, Found, Place, by_place, find_streams
from allmende.web.explorer.page import Asked

SHOWN = 12
"""Streams or places on a page of what was found."""

T = TypeVar("T")


class Hit(NamedTuple):
    """A stream in the list."""

    name: str
    property: str
    dataset: str
    simulated: bool
    address: str
    chosen: bool


class Site(NamedTuple):
    """A thing in the list, and where its streams are to choose from."""

    name: str
    district: str
    properties: str
    number: int
    simulated: bool
    address: str


def offer(request: HttpRequest, asked: Asked) -> dict[str, Any]:
    """What ``explorer/_search.html`` shows."""
    profile = request.house.profile  # type: ignore[attr-defined]  # set by HouseMiddleware
    found = _find(request, asked)
    values: dict[str, Any] = {
        "total": len(found.choices),
        "datasets": [(each, words.title_of(profile, each), each == asked.dataset) for each in found.datasets],
        "properties": [
            (key, words.property_of(profile, key, name), key == asked.observed) for key, name in found.properties
        ],
        "instead": found.instead,
        "full": len(asked.ids) >= asking.STREAMS,
        "as_list": asked.address(choose="", thing=""),
        "as_map": asked.address(choose="map", thing=""),
    }
    if asked.mapped and not asked.thing:
        places = by_place(found.choices)
        shown, pages = _page(request, asked, places)
        return values | pages | {
            "sites": [_site(request, asked, place) for place in shown],
            "places": len(places),
            "drawn": _drawn(places),
            "found": f"{reverse('explorer:places')}?{urlencode(asked.pairs())}",
            "map_texts": texts_of_map(),
        }  # fmt: skip
    shown_, pages = _page(request, asked, found.choices)
    hits = [
        Hit(one.name, words.property_of(profile, one.property_id, one.property), words.title_of(profile, one.dataset),
            one.simulated, asked.address(stream=[*asked.ids, one.id]), one.id in asked.ids)
        for one in shown_
    ]  # fmt: skip
    return values | pages | {"hits": hits, **(_of_thing(asked, found) if asked.thing else {})}


def places_document(request: HttpRequest, asked: Asked) -> dict[str, Any]:
    """The things whose place is known as GeoJSON, each with the address where its streams are to choose from; no more
    than the map of the house shows."""
    features = [
        {
            "type": "Feature",
            "geometry": {"type": "Point", "coordinates": place.place},
            "properties": {
                "name": f"{place.name} ({len(place.streams)})",
                "url": f"{asked.address(thing=place.thing)}#choose",
            },
        }
        for place in by_place(_find(request, asked).choices)
        if place.place is not None
    ]
    return {"type": "FeatureCollection", "features": features[: settings.ALLMENDE.map_things]}


def texts_of_map() -> dict[str, str]:
    """What the script of the map says; ``%s`` stands for a value."""
    return {
        "failed": _("The map cannot be drawn here. The list has all places."),
        "map": _("Map of the places that have values"),
        "zoomIn": _("Zoom in"),
        "zoomOut": _("Zoom out"),
        "scrollZoom": _("Hold Ctrl and scroll to zoom the map"),
        "scrollZoomMac": _("Hold ⌘ and scroll to zoom the map"),
        "twoFingers": _("Move the map with two fingers"),
    }


def _find(request: HttpRequest, asked: Asked) -> Found:
    wanted = {"dataset": asked.dataset, "observed": asked.observed, "thing": asked.thing}
    return find_streams(request, asked.text, **wanted, simulated=asked.simulated)


def _page(request: HttpRequest, asked: Asked, rows: Sequence[T]) -> tuple[Sequence[T], dict[str, Any]]:
    """The rows of the page that ``page`` names, and the ways to the pages around it."""
    said = request.GET.get("page", "")
    pages = max(1, -(-len(rows) // SHOWN))
    number = min(max(1, int(said) if said.isascii() and said.isdigit() and len(said) < 6 else 1), pages)
    join = "&" if "?" in asked.address() else "?"
    return rows[(number - 1) * SHOWN : number * SHOWN], {
        "before": f"{asked.address()}{join}page={number - 1}" if number > 1 else "",
        "behind": f"{asked.address()}{join}page={number + 1}" if number < pages else "",
    }


def _drawn(places: Sequence[Place]) -> int:
    """How many of them the map shows."""
    return min(sum(place.place is not None for place in places), settings.ALLMENDE.map_things)


def _site(request: HttpRequest, asked: Asked, place: Place) -> Site:
    profile = request.house.profile  # type: ignore[attr-defined]
    measured = {words.property_of(profile, one.property_id, one.property): None for one in place.streams}
    return Site(
        name=place.name,
        district=place.district,
        properties=", ".join(measured),
        number=len(place.streams),
        simulated=any(one.simulated for one in place.streams),
        address=asked.address(thing=place.thing),
    )


def _of_thing(asked: Asked, found: Found) -> dict[str, Any]:
    """What is said where the streams of one thing alone are offered: the way back, and all of them at once."""
    rest: list[Choice] = [one for one in found.choices if one.id not in asked.ids]
    every = [*asked.ids, *(one.id for one in rest)]
    together = len(rest) > 1 and len(every) <= asking.STREAMS
    return {
        "of_thing": found.choices[0].thing_name if found.choices else "",
        "of_all": asked.address(thing=""),
        "together": asked.address(stream=every) if together else "",
        "rest": len(rest),
    }

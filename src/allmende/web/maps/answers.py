"""What the map's script asks for, as JSON: things with values, values of a time, suggestions."""

from collections.abc import Callable
from functools import wraps
from typing import Any

import msgspec
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_safe

from allmende.domain.errors import AllmendeError, InvalidInput, InvalidQuery, NotFound
from allmende.domain.times import format_instant
from allmende.web.maps.asked import Asked, read_asked
from allmende.web.maps.items import Item, Where, class_labels, read_items, scale_of
from allmende.web.maps.layers import MapLayer, Show, find_layer
from allmende.web.maps.register import areas_of, find_places

FRESH = 10
"""Seconds for which a browser may show again what it was told of now."""
_DIGITS = 6
View = Callable[[HttpRequest], HttpResponse]


def answering(view: View) -> View:
    """Say in JSON what is wrong with a question: 404 for a layer that is not there, 400 for an option."""

    @wraps(view)
    def answer(request: HttpRequest) -> HttpResponse:
        try:
            return view(request)
        except (NotFound, InvalidInput) as error:
            return _send(_fault(error), 404 if isinstance(error, NotFound) else 400)

    return answer


def _fault(error: AllmendeError) -> dict[str, str]:
    return {"error": str(error), "where": getattr(error, "where", "")}


def _send(value: Any, status: int = 200, seconds: int = 0) -> HttpResponse:
    response = HttpResponse(msgspec.json.encode(value), status=status, content_type="application/json")
    response["Cache-Control"] = f"private, max-age={seconds}" if seconds else "private, no-cache"
    response["Vary"] = "Accept-Encoding, Accept-Language, Authorization, Cookie"
    return response


def _one_layer(request: HttpRequest) -> tuple[Any, Asked, MapLayer, Show | None]:
    house = request.house  # type: ignore[attr-defined]  # set by HouseMiddleware
    asked = read_asked(request.GET, house.profile.time_zone)
    if len(asked.layers) != 1:
        raise InvalidQuery("one layer at a time", where="layer")
    layer = find_layer(house, asked.layers[0])
    if not layer.things:
        raise NotFound(f"the layer {layer.id!r} has no values")
    return house, asked, layer, layer.show(asked.shows.get(layer.id, ""))


def _where(asked: Asked) -> Where:
    area = areas_of().find(asked.district) if asked.district else None
    if asked.district and area is None:
        raise InvalidQuery("there is no such district", where="district")
    return Where(area=area, bbox=asked.bbox)


@require_safe
@gzip_page
@answering
def send_things(request: HttpRequest) -> HttpResponse:
    """The things of one layer as GeoJSON, with the value that is shown, and the classes of all values there are now.

    ``capped`` says that there are more: the script then asks for those in its view (``bbox``).
    """
    house, asked, layer, show = _one_layer(request)
    most, where = settings.ALLMENDE.map_things, _where(asked)
    now, capped = read_items(house, layer, show, where, most)
    then = now
    if asked.at is not None:
        then, capped = read_items(house, layer, show, where, most, asked.at)
    scale = scale_of(now)
    labels = class_labels(scale, show.unit if show else "")
    counts = [0] * len(labels)
    for item in then:
        place = scale.place(item.shown.value) if item.shown else None
        if place is not None:
            counts[place] += 1
    value = {
        "type": "FeatureCollection",
        "layer": layer.id,
        "at": None if asked.at is None else format_instant(asked.at),
        "capped": capped,
        "simulated": layer.simulated,
        "scale": {
            "numbers": scale.numbers,
            "breaks": scale.breaks,
            "names": scale.names,
            "labels": [*labels, _("no value")],
            "counts": [*counts, len(then) - sum(counts)],
            "title": show.title if show else "",
        },
        "features": [_feature(item) for item in then if item.geometry is not None],
        "without": sum(1 for item in then if item.geometry is None),
    }
    return _send(value, seconds=FRESH)


@require_safe
@gzip_page
@answering
def send_values(request: HttpRequest) -> HttpResponse:
    """The values of all things of a layer at one time, without what does not change with it: for the time slider.

    ``values``: for each thing [value, in words, time]; one that had none by then is absent.
    """
    house, asked, layer, show = _one_layer(request)
    found, capped = read_items(house, layer, show, _where(asked), settings.ALLMENDE.map_things, asked.at)
    value = {
        "layer": layer.id,
        "at": None if asked.at is None else format_instant(asked.at),
        "capped": capped,
        "values": {item.id: _value(item) for item in found if item.shown is not None},
    }
    return _send(value, seconds=FRESH)


def _value(item: Item) -> list[Any]:
    shown = item.shown
    assert shown is not None
    plain = shown.value if isinstance(shown.value, str | int | float | bool) else None
    return [plain, shown.text, None if shown.time is None else format_instant(shown.time)]


def _feature(item: Item) -> dict[str, Any]:
    said: dict[str, Any] = {"name": item.name}
    if item.shown is not None:
        said["value"], said["text"], said["time"] = _value(item)
        if item.shown.flag:
            said["flag"] = item.shown.flag
    geometry = msgspec.Raw((item.geometry or "null").encode())
    return {"type": "Feature", "id": item.id, "geometry": geometry, "properties": {"id": item.id, **said}}


@require_safe
@gzip_page
@answering
def send_suggestions(request: HttpRequest) -> HttpResponse:
    """What the text in ``q`` may mean, the likeliest first."""
    house = request.house  # type: ignore[attr-defined]  # set by HouseMiddleware
    text = request.GET.get("q", "")[:200]
    kinds = {"address": _("address"), "street": _("street"), "district": _("district"), "thing": _("place of a layer")}
    found = [
        {
            "kind": hit.kind,
            "words": kinds[hit.kind],
            "name": hit.name,
            "detail": hit.detail,
            "near": hit.near,
            "id": hit.id,
            "lon": round(hit.lon, _DIGITS),
            "lat": round(hit.lat, _DIGITS),
        }
        for hit in find_places(house, text)
    ]
    return _send({"q": text, "found": found}, seconds=60)

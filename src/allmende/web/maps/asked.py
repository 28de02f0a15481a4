"""What somebody wants to see, as the address says it: the same options for map, list, frame and answers to the script.

``layer`` (each once, the uppermost first), ``show:LAYER`` (which value), ``at`` (an instant, or a date with the time of
the city's clock), ``district``, ``near`` (``lon,lat``) with ``q`` (what was typed) and ``radius`` in metres, ``pos``
(``zoom/lat/lon``), ``selected`` (``LAYER|ID``).
"""

import re
from datetime import datetime
from zoneinfo import ZoneInfo

import msgspec
from django.http import QueryDict

from allmende.domain.errors import InvalidInput, InvalidQuery
from allmende.domain.times import from_datetime, parse_instant, to_datetime

RADII = (250, 500, 1000, 2000, 5000)
NEAR = 500
"""Metres where a place is named and no radius."""
MOST_LAYERS = 40
_LOCAL = re.compile(r"\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2})?)?\Z", re.ASCII)
_TEXT = 200
Place = tuple[float, float]


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """The options, read. Times in microseconds, places as lon, lat."""

    layers: tuple[str, ...] = ()
    shows: dict[str, str] = {}
    """Key of a value by layer."""
    at: int | None = None
    """None is now."""
    district: str = ""
    near: Place | None = None
    radius: int = NEAR
    text: str = ""
    position: tuple[float, float, float] | None = None
    """Zoom, lat, lon."""
    selected: tuple[str, str] | None = None
    """Layer and id."""
    bbox: tuple[float, float, float, float] | None = None
    chosen: bool = False
    """Whether the layers were chosen, and be it none."""


def read_asked(given: QueryDict, zone: str) -> Asked:
    """Raises InvalidQuery that names the option."""
    layers = tuple(dict.fromkeys(name[:_TEXT] for name in given.getlist("layer") if name))
    if len(layers) > MOST_LAYERS:
        raise InvalidQuery(f"no more than {MOST_LAYERS} layers", where="layer")
    shows = {name[5:]: value[:_TEXT] for name, value in given.items() if name.startswith("show:") and value}
    radius = given.get("radius") or str(NEAR)
    if not (radius.isascii() and radius.isdecimal()) or not 1 <= int(radius) <= RADII[-1]:
        raise InvalidQuery(f"a number of metres up to {RADII[-1]}", where="radius")
    layer, bar, thing = given.get("selected", "")[: 2 * _TEXT].partition("|")
    position = _numbers(given, "pos", 3, "/")
    near, box = _numbers(given, "near", 2), _numbers(given, "bbox", 4)
    return Asked(
        layers=layers,
        chosen="layer" in given,
        shows=shows,
        at=read_moment(given.get("at", ""), zone),
        district=given.get("district", "")[:_TEXT],
        near=_checked((near[0], near[1]), "near") if near else None,
        radius=int(radius),
        text=given.get("q", "").strip()[:_TEXT],
        position=(position[0], position[1], position[2]) if position else None,
        selected=(layer, thing) if bar and layer and thing else None,
        bbox=(*_checked((box[0], box[1]), "bbox"), *_checked((box[2], box[3]), "bbox")) if box else None,
    )


def read_moment(text: str, zone: str) -> int | None:
    """An instant, or a date and time of the city's clock (an hour that comes twice is its first); None for nothing.

    Raises InvalidQuery.
    """
    text = text.strip()
    if not text or text == "now":
        return None
    try:
        moment = from_datetime(_at(text, zone)) if _LOCAL.match(text) else parse_instant(text)
        to_datetime(moment).astimezone(ZoneInfo(zone))  # it is written by the city's clock, which has an end, too
        return moment
    except (ValueError, OverflowError, InvalidInput):
        raise InvalidQuery(f"{text[:40]!r} is no time: 2026-05-01T14:00, or 2026-05-01T12:00:00Z", where="at") from None


def _at(text: str, zone: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))


def _checked(place: Place, name: str) -> Place:
    if not (-180 <= place[0] <= 180 and -90 <= place[1] <= 90):
        raise InvalidQuery("lon and lat in degrees", where=name)
    return place


def _numbers(given: QueryDict, name: str, many: int, separator: str = ",") -> list[float] | None:
    text = given.get(name, "")
    if not text:
        return None
    try:
        found = [float(piece) for piece in text[:_TEXT].split(separator)]
    except ValueError:
        found = []
    if len(found) != many or not all(abs(number) < 1e6 for number in found):
        raise InvalidQuery(f"{many} numbers with {separator!r} between them", where=name)
    return found

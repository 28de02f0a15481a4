"""The things and objects of a layer as they are shown: with values in words, in a district, near a place, at a time."""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Any, NamedTuple

import msgspec
import shapely
from django.utils.formats import number_format
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from shapely.errors import ShapelyError

from allmende.domain.errors import NotFound
from allmende.domain.features import Box, FeatureQuery, KeptFeature
from allmende.domain.query import Call, Expression, Path, Value
from allmende.domain.sifting import GEOMETRY
from allmende.domain.times import parse_instant
from allmende.domain.units import show_unit
from allmende.knowledge.maps.areas import Area, box_around, metres
from allmende.knowledge.maps.scales import Scale, make_scale
from allmende.web.house import House
from allmende.web.maps.layers import MapLayer, Show

_NAMES = ("name", "Name", "NAME", "title", "titel", "bezeichnung", "Bezeichnung", "label")
_KINDS = ("species", "art", "kind", "type", "street", "strasse")
"""Properties that say what an object is, where it has no name; its id stands behind then."""
_ASIDE = ("time", "unit", "flags")
_LONG = 200
Place = tuple[float, float]


class Told(NamedTuple):
    """A value in words. ``time`` is microseconds, None where nobody knows it; ``flag`` says that it is implausible."""

    key: str
    title: str
    value: Any
    text: str
    unit: str
    time: int | None
    flag: str


class Item(NamedTuple):
    """A thing or object. ``geometry`` is GeoJSON as text; ``place`` a point of it; ``shown`` the value of the layer."""

    id: str
    name: str
    geometry: str | None
    place: Place | None
    properties: dict[str, Any]
    shown: Told | None


class Where(NamedTuple):
    """What of a layer is wanted; all of it where nothing is said."""

    area: Area | None = None
    near: Place | None = None
    radius: int = 0
    bbox: Box | None = None


def read_items(
    house: House, layer: MapLayer, show: Show | None, where: Where, most: int, at: int | None = None
) -> tuple[list[Item], bool]:
    """So many of a layer at most, in the order of their ids, and whether there are more. ``at`` is of things alone.

    Raises NotFound where the layer is gone meanwhile.
    """
    boxes = [where.area.bbox if where.area else None, where.bbox]
    boxes.append(box_around(where.near, where.radius) if where.near else None)
    box = _common([each for each in boxes if each is not None])
    if box == ():
        return [], False
    query = FeatureQuery(
        collection=layer.source, reader=house.reader, things=layer.things, simulated=True, bbox=box or None,
        filter=inside(where.area) if where.area else None, top=most, at=at if layer.things else None,
    )  # fmt: skip
    page = house.store.features(query)
    found = [as_item(row, layer, show) for row in page.items]
    if where.near is not None:
        places = [item.place for item in found if item.place is not None]
        far = dict(zip(places, metres(where.near, places), strict=True))
        found = [item for item in found if item.place is not None and far[item.place] <= where.radius]
    return found, page.next is not None


def inside(area: Area) -> Expression:
    """That something has a point in common with a district."""
    shape = Value(shapely.to_wkt(area.shape, rounding_precision=-1), "geometry")
    return Call("st_intersects", (Path((GEOMETRY,)), shape))


def read_item(house: House, layer: MapLayer, identifier: str, at: int | None) -> Item:
    """One of them; raises NotFound for what is not there, has gone, or may not be seen."""
    if layer.kind == "ground":
        raise NotFound("outlines have no things")
    if not layer.things:
        row = house.store.feature(house.reader, layer.source, identifier)
        if row.gone_at is not None:
            raise NotFound(f"there is no object {identifier[:80]!r}")
        return as_item(row, layer, None)
    query = FeatureQuery(
        collection=layer.source, reader=house.reader, things=True, simulated=True, only=identifier, at=at, top=1
    )
    for row in house.store.features(query).items:
        return as_item(row, layer, layer.show(""))
    raise NotFound(f"there is no thing {identifier[:80]!r}")


def as_item(row: KeptFeature, layer: MapLayer, show: Show | None) -> Item:
    """A row of the store in words."""
    said: dict[str, Any] = msgspec.json.decode(row.properties)
    name = _named(row.id, said)
    shown = told(said, show) if layer.things and show is not None else None
    return Item(row.id, name[:_LONG], row.geometry, _place(row), said, shown)


def _named(identifier: str, said: dict[str, Any]) -> str:
    """As the script names what it finds in tiles (``nameOf`` in canvas.ts)."""
    for key in _NAMES:
        if said.get(key):
            return str(said[key])
    kind = next((said[key] for key in _KINDS if said.get(key)), "")
    return f"{kind} ({identifier})" if kind else identifier


def told(said: dict[str, Any], show: Show) -> Told | None:
    """A value of a thing; None where it never had one."""
    time = said.get(f"{show.key}.time")
    if time is None:
        return None
    unit = said.get(f"{show.key}.unit", "")
    value = said.get(show.key)
    unit = unit if isinstance(unit, str) else ""
    text = with_unit(value, unit)
    return Told(
        show.key, show.title, value, text, unit, parse_instant(str(time)), str(said.get(f"{show.key}.flags", ""))
    )


def values_of(layer: MapLayer, item: Item) -> list[Told]:
    """All values of a thing."""
    return [value for show in layer.shows if (value := told(item.properties, show)) is not None]


def properties_of(layer: MapLayer, item: Item) -> Iterator[tuple[str, str]]:
    """What an object's source, or whoever described a thing, says of it: titles and texts. Values are not among it."""
    for key, value in item.properties.items():
        head, _dot, tail = key.rpartition(".")
        if layer.things and (f"{key}.time" in item.properties or (tail in _ASIDE and head) or key == "time"):
            continue
        if value in (None, "") or key in ("name", "description"):
            continue
        yield layer.titles.get(key, key), say(value)


def scale_of(items: Sequence[Item]) -> Scale:
    """The classes of a layer's values."""
    return make_scale(item.shown.value for item in items if item.shown is not None)


def say(value: Any) -> str:
    """A value in the active language: numbers with its separators, no more digits than anybody reads."""
    if value is None:
        return _("no value")
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, int | float):
        return _number(value, get_language() or "")
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return text if len(text) <= _LONG else f"{text[:_LONG]}…"


@lru_cache(maxsize=8192)  # a thousand things have the same few numbers, step after step
def _number(value: float, language: str) -> str:
    """``language`` is the active one: the same number is written differently in another."""
    if isinstance(value, int):
        return str(number_format(value, force_grouping=True))
    digits = 0 if abs(value) >= 1000 else 1 if abs(value) >= 100 else 2
    rounded = f"{value:.{digits}f}".rstrip("0").rstrip(".") if digits else f"{value:.0f}"
    return str(number_format(rounded, force_grouping=True))


def with_unit(value: Any, unit: str) -> str:
    """``12,5 °C``."""
    plain = show_unit(unit)
    return f"{say(value)} {plain}" if plain and value is not None else say(value)


def class_labels(scale: Scale, unit: str) -> list[str]:
    """Each class in words, the lowest first; of texts the last is all others."""
    if not scale.numbers:
        spoken = {"true": _("yes"), "false": _("no")}
        return [*(spoken.get(name, name) for name in scale.names), _("other")]
    if not scale.breaks:
        return [_("all values")]
    said = [with_unit(edge if edge % 1 else int(edge), unit) for edge in scale.breaks]
    between = [_("%(low)s to below %(high)s") % {"low": a, "high": b} for a, b in pairwise(said)]
    return [_("below %(high)s") % {"high": said[0]}, *between, _("%(low)s and more") % {"low": said[-1]}]


def _common(boxes: Sequence[Box]) -> Box | tuple[()] | None:
    """What boxes have in common; ``()`` for nothing, None where there are none."""
    if not boxes:
        return None
    west, south = max(box[0] for box in boxes), max(box[1] for box in boxes)
    east, north = min(box[2] for box in boxes), min(box[3] for box in boxes)
    return (west, south, east, north) if west <= east and south <= north else ()


def _place(row: KeptFeature) -> Place | None:
    if row.geometry is None or row.west is None or row.south is None:
        return None
    if (row.west, row.south) == (row.east, row.north):
        return row.west, row.south
    try:
        point = shapely.point_on_surface(shapely.from_geojson(row.geometry))
    except ShapelyError:
        return None
    return (float(point.x), float(point.y)) if not point.is_empty else None

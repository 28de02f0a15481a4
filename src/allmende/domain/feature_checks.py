"""The checks that let collections and their features in. Nothing is converted: what is not as it should be is told.

Texts and sizes are bounded by :class:`allmende.domain.bounds.Bounds`.
"""

import re
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import Any, NamedTuple

import msgspec
import shapely
from shapely.errors import ShapelyError

from allmende.domain import ids, times
from allmende.domain.bounds import Bounds
from allmende.domain.creation import MAX_DEPTH, encode, holds_nul, too_deep
from allmende.domain.errors import InvalidInput
from allmende.domain.features import FeatureRow, NewFeatures
from allmende.domain.records import Collection, Feature, Features

GEOMETRIES = (
    "Point", "MultiPoint", "LineString", "MultiLineString", "Polygon", "MultiPolygon", "GeometryCollection",
)  # fmt: skip
"""RFC 7946, 3.1."""
_COLLECTION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._~-]{0,99}\Z", re.ASCII)
_DEGREES = frozenset({"EPSG:4326", "urn:ogc:def:crs:EPSG::4326", "urn:ogc:def:crs:OGC:1.3:CRS84", "CRS84"})
_ENDLESS = re.compile(r"[0-9]{300}")
_sorted = msgspec.json.Encoder(order="sorted")


class Fault(NamedTuple):
    """What is wrong with a feature: its place in the list, a short word for counting, and a sentence."""

    place: int
    code: str
    reason: str


def check_collection(collection: Collection) -> str:
    """What is wrong with a collection's declaration, or "" if nothing is."""
    if not _COLLECTION.match(collection.id):
        return f"{collection.id[:120]!r} is no id of a collection: up to 100 letters, digits, -, _, . and ~"
    try:
        if not collection.title.strip():
            return "it has no title"
        if holds_nul(encode(collection)):
            return "it holds the character NUL"
    except (ValueError, TypeError, AttributeError, RecursionError, msgspec.MsgspecError) as error:
        return f"it cannot be written down: {error}"
    return ""


def check_features(features: Features, bounds: Bounds) -> tuple[NewFeatures, list[Fault]]:
    """Split features into those that are kept, in kept form, and what is wrong with the others.

    The same said twice is kept once; an id that two different features bear is taken from the first.
    """
    geometries = _check_geometries([item.geometry for item in features.items], bounds)
    rows: dict[str, FeatureRow] = {}
    faults: list[Fault] = []
    for place, (item, geometry) in enumerate(zip(features.items, geometries, strict=True)):
        if isinstance(geometry, Fault):
            faults.append(geometry._replace(place=place))
            continue
        row = _row(place, item, geometry, bounds)
        if isinstance(row, FeatureRow):
            known = rows.setdefault(row.id, row)
            if known.digest == row.digest:
                continue
            row = Fault(place, "duplicate-id", f"another feature of this delivery has the id {row.id!r} too")
        faults.append(row)
    rejected = (features.items[fault.place].id for fault in faults)
    unread = [name for name in (*features.unread, *rejected) if _is_id(name)]
    return NewFeatures(collection=features.collection, rows=list(rows.values()), unread=unread), faults


def _is_id(name: object) -> bool:
    """Whether a feature may be known by it; what has no id was never kept, and cannot be missed."""
    try:
        return ids.normalise(name) == name
    except InvalidInput:
        return False


class _Placed(NamedTuple):
    text: str | None
    box: tuple[float, float, float, float] | tuple[None, None, None, None]


_NOWHERE = _Placed(None, (None, None, None, None))


def _row(place: int, item: Feature, geometry: _Placed, bounds: Bounds) -> FeatureRow | Fault:
    try:
        identifier = ids.normalise(item.id)
    except InvalidInput as error:
        return Fault(place, "bad-id", str(error))
    west, south, east, north = geometry.box
    start, end = item.valid_from, item.valid_to
    for moment in (start, end):
        if moment is not None and not times.EARLIEST <= moment <= times.LATEST:
            return Fault(place, "bad-time", "its time lies outside of the years 0001 to 9999")
    if start is not None and end is not None and end < start:
        span = f"{times.format_instant(start)} to {times.format_instant(end)}"
        return Fault(place, "bad-time", f"it ends before it begins: {span}")
    if not isinstance(item.properties, dict):
        return Fault(place, "unreadable", "its properties are no JSON object")
    if any(isinstance(value, dict | list) for value in item.properties.values()) and too_deep(item.properties):
        return Fault(place, "too-deep", f"its properties have more than {MAX_DEPTH} levels")
    try:
        properties = encode(item.properties)
        digest = blake2b(_sorted.encode((geometry.text, item.properties, start, end)), digest_size=16).digest()
    except (ValueError, TypeError, OverflowError, RecursionError, msgspec.MsgspecError) as error:
        return Fault(place, "unreadable", f"its properties cannot be written as JSON: {error}")
    if holds_nul(properties):
        return Fault(place, "nul", "it holds the character NUL, which cannot be kept")
    if len(properties) > bounds.text:
        return Fault(
            place,
            "too-long",
            f"its properties have {len(properties)} characters, at most {bounds.text} are kept"
            " (limit: ALLMENDE_RESULT_BYTES)",
        )
    return FeatureRow(identifier, geometry.text, west, south, east, north, properties, start, end, digest)


def _check_geometries(geometries: Sequence[Mapping[str, Any] | None], bounds: Bounds) -> list[_Placed | Fault]:
    """Each in kept form with its box, or what is wrong with it. Looked at together: a call for each is dear."""
    texts: list[str | Fault | None] = [_written(geometry, bounds) for geometry in geometries]
    readable = [text if isinstance(text, str) else None for text in texts]
    shapes = shapely.from_geojson(readable, on_invalid="ignore")
    boxes = shapely.bounds(shapes).tolist() if readable else []
    found: list[_Placed | Fault] = []
    for text, shape, box in zip(texts, shapes, boxes, strict=True):
        if text is None:
            found.append(_NOWHERE)
        elif isinstance(text, Fault):
            found.append(text)
        elif shape is None:
            found.append(Fault(0, "bad-geometry", _why(text)))
        elif "[]" in text:
            found.append(Fault(0, "bad-geometry", "its geometry, or a part of it, is empty; what is not known is null"))
        elif not (-180 <= box[0] <= box[2] <= 180 and -90 <= box[1] <= box[3] <= 90):
            found.append(Fault(0, "bad-geometry", _where(box)))
        else:
            found.append(_Placed(text, tuple(box)))
    return found


def _written(geometry: Mapping[str, Any] | None, bounds: Bounds) -> str | Fault | None:
    if geometry is None:
        return None
    if not isinstance(geometry, dict) or geometry.get("type") not in GEOMETRIES:
        return Fault(0, "bad-geometry", "its geometry is no GeoJSON geometry")
    named = geometry.get("crs")
    if named is not None and _name_of(named) not in _DEGREES:
        return Fault(0, "bad-geometry", f"its geometry is in {_name_of(named)}, not in EPSG:4326")
    try:
        text = encode(_plain(geometry))
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError, msgspec.MsgspecError) as error:
        return Fault(0, "bad-geometry", f"its geometry cannot be written as JSON: {error}")
    if _ENDLESS.search(text):
        return Fault(0, "bad-geometry", "its geometry holds a number of hundreds of digits")
    if len(text) > bounds.geometry:
        return Fault(
            0,
            "too-long",
            f"its geometry has {len(text)} characters, at most {bounds.geometry} are kept"
            " (limit: ALLMENDE_GEOMETRY_BYTES)",
        )
    return text


def _plain(geometry: Mapping[str, Any]) -> dict[str, Any]:
    """Type and coordinates, in this order: what else stands there is not kept, and is no change."""
    if geometry["type"] != "GeometryCollection":
        return {"type": geometry["type"], "coordinates": geometry.get("coordinates")}
    inner = [_plain(part) if isinstance(part, dict) and "type" in part else part for part in geometry["geometries"]]
    return {"type": geometry["type"], "geometries": inner}


def _name_of(crs: Any) -> str:
    """The name in a ``crs`` of GeoJSON 2008, "" for none."""
    inner = crs.get("properties") if isinstance(crs, dict) else None
    name = inner.get("name") if isinstance(inner, dict) else None
    return name if isinstance(name, str) else repr(crs)[:80]


def _why(text: str) -> str:
    try:
        shapely.from_geojson(text)
    except ShapelyError as error:
        return f"its geometry is no GeoJSON geometry: {error}"
    return "its geometry is no GeoJSON geometry"


def _where(box: Sequence[float]) -> str:
    return f"its geometry lies at {box[0]:g}, {box[1]:g}, which is not longitude, latitude in degrees"

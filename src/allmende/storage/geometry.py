"""Geometries of filters: literals are checked before any row is read; SQLite's spatial functions are shapely's.

All of it is planar, in degrees, on both engines. Null, neither true nor false, is what can be said of a collection, of
a geometry that crosses itself, and of what is not GeoJSON.
"""

import math
from collections.abc import Callable, Mapping
from functools import lru_cache
from types import MappingProxyType

import msgspec
import shapely
from shapely.errors import ShapelyError
from shapely.geometry.base import BaseGeometry

from allmende.domain.errors import InvalidQuery

RELATIONS = ("equals", "disjoint", "touches", "within", "overlaps", "crosses", "intersects", "contains")


def check_wkt(text: str, where: str) -> str:
    """A literal as both engines read it; raises InvalidQuery that says what is wrong.

    OData writes the system before it, ``SRID=4326;POINT (…)``; there is one system here, and 0 says none.
    """
    system, semicolon, rest = text.partition(";")
    if semicolon:
        if system.strip().upper() not in ("SRID=4326", "SRID=0"):
            raise InvalidQuery("geometries are in EPSG:4326 here, SRID=4326", where=where)
        text = rest
    try:
        geometry = shapely.force_2d(shapely.from_wkt(text))
    except ShapelyError as error:
        raise InvalidQuery(f"no geometry in WKT, e.g. POINT (11.58 50.93): {error}", where=where) from None
    if geometry is None or geometry.is_empty or not all(map(math.isfinite, geometry.bounds)):
        raise InvalidQuery("this geometry is empty", where=where)
    if geometry.geom_type == "GeometryCollection":
        raise InvalidQuery("a collection of geometries is not compared", where=where)
    if not geometry.is_valid:
        raise InvalidQuery(f"no valid geometry: {shapely.is_valid_reason(geometry)}", where=where)
    return str(geometry.wkt)


def check_pattern(text: str, where: str) -> str:
    """A DE-9IM pattern; raises InvalidQuery."""
    if len(text) != 9 or not set(text) <= set("012TF*"):
        raise InvalidQuery("a pattern of st_relate has nine of 0, 1, 2, T, F and *", where=where)
    return text


@lru_cache(maxsize=1024)
def _read(text: str) -> BaseGeometry | None:
    """GeoJSON (a geometry or a Feature) or WKT; None for what is not compared."""
    if text.startswith("{"):
        kept = msgspec.json.decode(text)
        if kept.get("type") == "Feature":
            text = msgspec.json.encode(kept.get("geometry")).decode()
        geometry = shapely.from_geojson(text)
    else:
        geometry = shapely.from_wkt(text)
    if geometry is None or geometry.geom_type == "GeometryCollection" or not geometry.is_valid:
        return None
    return shapely.force_2d(geometry)


def _relation(name: str) -> Callable[[str, str], int | None]:
    ask: Callable[[BaseGeometry, BaseGeometry], bool] = getattr(shapely, name)

    def related(one: str, other: str) -> int | None:
        a, b = _read(one), _read(other)
        return None if a is None or b is None else int(ask(a, b))

    return related


def _relate(one: str, other: str, pattern: str) -> int | None:
    a, b = _read(one), _read(other)
    return None if a is None or b is None else int(shapely.relate_pattern(a, b, pattern))


def _distance(one: str, other: str) -> float | None:
    a, b = _read(one), _read(other)
    return None if a is None or b is None else float(shapely.distance(a, b))


def _length(text: str) -> float | None:
    """Of lines; all else has none."""
    geometry = _read(text)
    if geometry is None:
        return None
    return float(geometry.length) if geometry.geom_type in ("LineString", "MultiLineString") else 0.0


FUNCTIONS: Mapping[str, tuple[int, Callable[..., float | int | None]]] = MappingProxyType(
    {
        **{f"st_{name}": (2, _relation(name)) for name in RELATIONS},
        "st_relate": (3, _relate),
        "st_distance": (2, _distance),
        "st_length": (1, _length),
    }
)
"""For SQLite, over GeoJSON or WKT as text."""

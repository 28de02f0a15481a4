"""Where something of a person stands, told no finer than they choose.

The earth is cut into cells once and for all, and a place becomes the middle of its cell. There is no chance in it: the
same place gives the same cell each time, so that many answers of one sensor tell no more than a single one. Cells of
100 m lie within those of 1 km, so that what was told finely can be told more coarsely later without knowing more.

Rows are bands of latitude, 0.009° high (1,002 m). The cells of a row are as wide in metres at its middle, each row with
degrees of its own. All of it is counted in whole ten-millionths of a degree, so that no rounding moves a border.
"""

import math
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple, get_args

import msgspec
from shapely import Point
from shapely.geometry import shape

from allmende.domain.errors import InvalidInput
from allmende.domain.records import Position

Precision = Literal["exact", "100m", "1km", "district", "none"]
PRECISIONS: tuple[Precision, ...] = get_args(Precision)
"""From the finest to the coarsest."""
_UNIT = 10**7
_HEIGHT = 90_000
_PARTS = 10
"""Cells of 100 m in one of 1 km, along each side."""
_EXACT_DIGITS = 5
"""About a metre: nobody knows better where their sensor hangs."""
_LEAST_COSINE = 0.02
"""Near the poles cells get narrower instead of wider than the earth."""


class Cell(NamedTuple):
    """A piece of the earth, in degrees. The western and southern borders belong to it."""

    west: float
    south: float
    east: float
    north: float


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """What may be kept of a place. ``position`` is the middle of a cell or a point in a district, None for no place."""

    precision: Precision
    position: Position | None = None
    district: str = ""
    """The district's name where that is the place; else empty."""


def coarsen(position: Position, precision: Precision, districts: Mapping[str, Any]) -> Place:
    """What may be kept of ``position``; ``districts`` is the city's GeoJSON (features with a ``name``).

    Raises InvalidInput for what is no place on earth, and for a place in no district where the district is asked for.
    """
    _check(position)
    if precision == "none":
        return Place(precision="none")
    if precision == "district":
        return _in_district(position, districts)
    if precision == "exact":
        exact = Position(round(position.lon, _EXACT_DIGITS), round(position.lat, _EXACT_DIGITS))
        return Place(precision="exact", position=exact)
    west, south, east, north = _borders(position, precision)
    middle = Position((west + east) // 2 / _UNIT, (south + north) // 2 / _UNIT)
    return Place(precision=precision, position=middle)


def coarsen_further(place: Place, precision: Precision, districts: Mapping[str, Any]) -> Place:
    """The same place told more coarsely, from what is kept of it alone. Raises InvalidInput for a finer one."""
    if PRECISIONS.index(precision) < PRECISIONS.index(place.precision):
        raise InvalidInput("what was told coarsely cannot be told finer: nothing finer is kept")
    if precision == place.precision or place.position is None:
        return place
    return coarsen(place.position, precision, districts)


def cell_of(place: Place) -> Cell | None:
    """The cell that a place stands for; None where it is none (an exact place, a district, no place)."""
    if place.position is None or place.precision not in ("100m", "1km"):
        return None
    west, south, east, north = _borders(place.position, place.precision)
    return Cell(west / _UNIT, south / _UNIT, east / _UNIT, north / _UNIT)


def district_place(name: str, districts: Mapping[str, Any]) -> Place:
    """The place of a district by its name: a point within it. Raises InvalidInput for a name that there is not."""
    for feature in districts.get("features", ()):
        if feature["properties"].get("name") == name:
            point = shape(feature["geometry"]).representative_point()
            position = Position(round(point.x, _EXACT_DIGITS), round(point.y, _EXACT_DIGITS))
            return Place(precision="district", position=position, district=name)
    raise InvalidInput(f"the city has no district {name!r}")


def district_names(districts: Mapping[str, Any]) -> list[str]:
    """The names of the city's districts, in their order."""
    return [str(f["properties"]["name"]) for f in districts.get("features", ()) if f["properties"].get("name")]


def _in_district(position: Position, districts: Mapping[str, Any]) -> Place:
    point = Point(position.lon, position.lat)
    for feature in districts.get("features", ()):
        if feature["properties"].get("name") and shape(feature["geometry"]).covers(point):
            return district_place(str(feature["properties"]["name"]), districts)
    raise InvalidInput("the place lies in none of the city's districts")


def _check(position: Position) -> None:
    lon, lat = position.lon, position.lat
    if not (math.isfinite(lon) and math.isfinite(lat) and -180 <= lon <= 180 and -90 <= lat <= 90):
        raise InvalidInput(f"{lon}, {lat} is no place on earth: longitude -180 to 180, latitude -90 to 90")


def _borders(position: Position, precision: Precision) -> tuple[int, int, int, int]:
    """Of the cell that holds a position, in ten-millionths of a degree. East of the last column is its neighbour."""
    lon, lat = math.floor(position.lon * _UNIT + 0.5), math.floor(position.lat * _UNIT + 0.5)
    row = lat // _HEIGHT
    middle = (row * _HEIGHT + _HEIGHT / 2) / _UNIT
    cosine = max(math.cos(math.radians(middle)), _LEAST_COSINE)
    width = math.ceil(_HEIGHT / cosine / _PARTS) * _PARTS
    parts = _PARTS if precision == "100m" else 1
    high, wide = _HEIGHT // parts, width // parts
    south, west = lat // high * high, lon // wide * wide
    return west, south, west + wide, south + high

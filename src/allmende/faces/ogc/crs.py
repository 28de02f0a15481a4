"""Coordinate reference systems by reference (18-058r1): positions out of degrees and into them.

Inside all is longitude, latitude. The axes of a system are those of its register: EPSG:4326 is latitude, longitude.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from math import isfinite
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import shapely

from allmende.domain.errors import InvalidQuery
from allmende.domain.features import Box
from allmende.domain.query import Call, Expression, Path, Value
from allmende.domain.sifting import GEOMETRY


class Crs(NamedTuple):
    """A system: its address, its number at EPSG, and how it is written."""

    uri: str
    code: int
    swapped: bool
    """Whether its first axis goes north."""
    digits: int
    """Decimals that are given."""


_PIECES = 20
"""Into so many a straight side of another system is cut, so that it bends with the degrees."""
CRS84 = Crs("http://www.opengis.net/def/crs/OGC/1.3/CRS84", 4326, False, 8)
_EPSG = "http://www.opengis.net/def/crs/EPSG/0/"
SYSTEMS: Mapping[str, Crs] = MappingProxyType(
    {
        CRS84.uri: CRS84,
        **{
            f"{_EPSG}{code}": Crs(f"{_EPSG}{code}", code, swapped, digits)
            for code, swapped, digits in ((4326, True, 8), (25832, False, 3), (3857, False, 3))
        },
    }
)
"""By address; the first is what all is kept in."""


def read_crs(texts: Mapping[str, str], option: str) -> Crs:
    """The system that an option names; raises InvalidQuery for one that is not offered."""
    text = texts.get(option, CRS84.uri).strip()
    found = SYSTEMS.get(text.removeprefix("[").removesuffix("]"))
    if found is None:
        raise InvalidQuery(f"{text[:120]!r} is none of {', '.join(SYSTEMS)}", where=option)
    return found


def read_bbox(texts: Mapping[str, str], system: Crs) -> Box | None:
    """The box of an option as west, south, east, north in degrees; of another system's box the one around it (see
    :func:`box_area`)."""
    sides = _read_sides(texts, system)
    if sides is None or system.code == 4326:
        return sides
    west, south, east, north = _transformer(system.code, out=False).transform_bounds(*sides)
    if not all(map(isfinite, (west, south, east, north))):
        raise InvalidQuery("it lies outside of its coordinate reference system", where="bbox")
    return max(west, -180.0), max(south, -90.0), min(east, 180.0), min(north, 90.0)


def box_area(texts: Mapping[str, str], system: Crs) -> Expression | None:
    """What is true of the features that meet a box of another system, whose sides are curved in degrees."""
    sides = None if system.code == 4326 else _read_sides(texts, system)
    if sides is None:
        return None
    longest = max(sides[2] - sides[0], sides[3] - sides[1]) / _PIECES or 1.0
    area = shapely.transform(shapely.segmentize(shapely.box(*sides), longest), to_degrees(system))
    return Call("st_intersects", (Path((GEOMETRY,)), Value(area.wkt, "geometry")))


def _read_sides(texts: Mapping[str, str], system: Crs) -> Box | None:
    """Left, low, right, high in the system, easting first. Of six numbers the heights are looked over."""
    if "bbox" not in texts:
        return None
    try:
        sides = [float(part) for part in texts["bbox"].split(",")]
    except ValueError:
        sides = []
    if len(sides) not in (4, 6) or not all(map(isfinite, sides)):
        raise InvalidQuery("wanted are four numbers, or six with heights, separated by commas", where="bbox")
    left, low, right, high = (sides[0], sides[1], sides[2], sides[3]) if len(sides) == 4 else (*sides[:2], *sides[3:5])
    if system.swapped:
        left, low, right, high = low, left, high, right
    if high < low:
        raise InvalidQuery("its upper side lies below its lower one", where="bbox")
    if system.code == 4326:
        if not (-180 <= left <= 180 and -180 <= right <= 180 and low >= -90 and high <= 90):
            raise InvalidQuery("it does not lie on the earth; the axes are those of bbox-crs", where="bbox")
        return left, low, right, high
    if right < left:
        raise InvalidQuery("its right side lies left of its left one", where="bbox")
    return left, low, right, high


@lru_cache(maxsize=16)
def _transformer(code: int, *, out: bool) -> Any:
    # pyproj takes a tenth of a second to load, and most clients speak in degrees
    from pyproj import Transformer

    return Transformer.from_crs(4326, code, always_xy=True) if out else Transformer.from_crs(code, 4326, always_xy=True)


def from_degrees(system: Crs) -> Callable[[Any], Any]:
    """What turns an array of positions (two or three columns, longitude first) into the system's."""

    def convert(positions: Any) -> Any:
        x, y = positions[:, 0], positions[:, 1]
        if system.code != 4326:
            x, y = _transformer(system.code, out=True).transform(x, y)
        columns = [y, x] if system.swapped else [x, y]
        return np.column_stack([np.round(np.column_stack(columns), system.digits), positions[:, 2:]])

    return convert


def to_degrees(system: Crs) -> Callable[[Any], Any]:
    """The contrary."""

    def convert(positions: Any) -> Any:
        x, y = (positions[:, 1], positions[:, 0]) if system.swapped else (positions[:, 0], positions[:, 1])
        if system.code != 4326:
            x, y = _transformer(system.code, out=False).transform(x, y)
        return np.column_stack([x, y])

    return convert


def in_system(geometries: Sequence[str | None], system: Crs) -> list[str | None]:
    """GeoJSON of degrees as GeoJSON of a system, all at once; null where a position has no place in it."""
    if system == CRS84:
        return list(geometries)
    convert = from_degrees(system)
    shapes = shapely.from_geojson(list(geometries), on_invalid="ignore")
    flat, deep = ~shapely.has_z(shapes), shapely.has_z(shapes)
    made = np.empty(len(shapes), dtype=object)
    made[flat] = shapely.transform(shapes[flat], convert)
    made[deep] = shapely.transform(shapes[deep], convert, include_z=True)
    bounds = shapely.bounds(made)
    made[~np.isfinite(bounds).all(axis=1)] = None
    return [text if text is None else str(text) for text in shapely.to_geojson(made)]

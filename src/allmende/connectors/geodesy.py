"""Coordinates of other systems become longitude and latitude at the edge (pyproj), and nowhere else.

Axes are always easting, northing, or longitude, latitude: what a file holds, not what the register of systems says.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from math import isfinite
from typing import Any

from allmende.domain.errors import InvalidInput

DEGREES = frozenset({4326, 4258})
"""WGS 84 and ETRS89, which differ by less than a metre: both are taken as they are."""
_DIGITS = 8
"""Decimals kept of degrees that were calculated: about a millimetre."""
_CODE = re.compile(r"(?:EPSG[:/]{1,2}|urn:ogc:def:crs:EPSG:[\d.]*:|.*/EPSG/[\d.]+/)?(\d{4,6})\Z", re.IGNORECASE)
_CRS84 = re.compile(r"(?:urn:ogc:def:crs:OGC:(?:1\.3|2)?:|.*/OGC/1\.3/)?CRS84h?\Z", re.IGNORECASE)
Position = tuple[float, float]
ToDegrees = Callable[[Sequence[Position]], list[Position]]


def epsg(name: object) -> int:
    """The number of a system: 25832, ``EPSG:25832``, a URN or an address. Raises InvalidInput for what is none."""
    text = str(name).strip()
    if _CRS84.match(text):
        return 4326
    match = _CODE.match(text)
    if match is None or isinstance(name, bool):
        raise InvalidInput(f"{text[:80]!r} is no coordinate reference system, e.g. EPSG:25832")
    return int(match[1])


@lru_cache(maxsize=32)
def to_degrees(code: int) -> ToDegrees:
    """What turns positions of a system into longitude and latitude, best many at once. Raises InvalidInput for an
    unknown one.

    The outcome is not finite where the coordinates do not lie in the system's area.
    """
    if code in DEGREES:
        return list
    # pyproj takes a tenth of a second to load, and most sources speak in degrees
    from pyproj import Transformer
    from pyproj.exceptions import CRSError

    try:
        transformer = Transformer.from_crs(code, 4326, always_xy=True)
    except CRSError:
        raise InvalidInput(f"EPSG:{code} is no known coordinate reference system") from None

    def convert(positions: Sequence[Position]) -> list[Position]:
        xs, ys = transformer.transform([x for x, _ in positions], [y for _, y in positions])
        return [(round(lon, _DIGITS), round(lat, _DIGITS)) for lon, lat in zip(xs, ys, strict=True)]

    return convert


def in_degrees(geometry: Mapping[str, Any], code: int) -> dict[str, Any]:
    """A GeoJSON geometry of another system in degrees. Raises InvalidInput for coordinates that are none."""
    if code in DEGREES:
        return dict(geometry)
    convert = to_degrees(code)
    if geometry.get("type") == "GeometryCollection":
        return {"type": "GeometryCollection", "geometries": [in_degrees(g, code) for g in geometry["geometries"]]}
    return {"type": geometry.get("type"), "coordinates": _converted(geometry.get("coordinates"), convert, 0)}


def _converted(coordinates: Any, convert: ToDegrees, depth: int) -> list[Any]:
    if not isinstance(coordinates, Sequence) or isinstance(coordinates, str) or not coordinates or depth > 4:
        raise InvalidInput("its geometry has no coordinates")
    first = coordinates[0]
    if _is_number(first):
        position: list[Any] = _positions([coordinates], convert)[0]
        return position
    if isinstance(first, Sequence) and first and not isinstance(first[0], Sequence):
        return _positions(coordinates, convert)
    return [_converted(inner, convert, depth + 1) for inner in coordinates]


def _positions(coordinates: Sequence[Any], convert: ToDegrees) -> list[Any]:
    for position in coordinates:
        if not isinstance(position, Sequence) or len(position) < 2 or not all(map(_is_number, position)):
            raise InvalidInput("a position of its geometry is no pair of numbers")
    converted = convert([(position[0], position[1]) for position in coordinates])
    for (lon, lat), position in zip(converted, coordinates, strict=True):
        if not (isfinite(lon) and isfinite(lat)):
            raise InvalidInput(f"{position[0]:g}, {position[1]:g} lies outside of its coordinate reference system")
    heights = (position[2:3] for position in coordinates)
    return [[*place, *height] for place, height in zip(converted, heights, strict=True)]


def _is_number(value: Any) -> bool:
    # JSON may write whole numbers of hundreds of digits, which no decimal holds
    return isinstance(value, int | float) and not isinstance(value, bool) and -1e300 < value < 1e300

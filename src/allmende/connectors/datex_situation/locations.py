"""Where a situation is: GeoJSON from the location methods of DATEX II that hold coordinates.

The most exact that is there is taken: areas, lines, stretches from one point to another, points, and at last the place
where it is to be shown. Stretches are straight: how the road runs between their ends is not said. References into
tables (TMC, OpenLR) hold no coordinates and are left aside.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Any

from lxml import etree

from allmende.connectors.geodesy import DEGREES, epsg, to_degrees
from allmende.connectors.xml import each, name_of, text_of
from allmende.domain.errors import InvalidInput

_NUMBER = re.compile(r"[+-]?[0-9]{1,9}(?:\.[0-9]{1,30})?\Z", re.ASCII)
_NUMBERS = re.compile(rf"{_NUMBER.pattern[:-2]}(?: {_NUMBER.pattern[:-2]})*\Z", re.ASCII)
_RINGS = frozenset({"gmlLineString", "exterior", "interior", "gmlPolygon"})
_SINGLE = {"Polygon": "MultiPolygon", "LineString": "MultiLineString", "Point": "MultiPoint"}
_LATITUDE_FIRST = 4326
Position = tuple[float, float]


def geometry_of(locations: Sequence[etree._Element]) -> dict[str, Any] | None:
    """The geometry of all locations together, None where none has coordinates.

    Raises InvalidInput for coordinates that are none, or for half of a stretch.
    """
    areas: list[Any] = []
    lines: list[Any] = []
    points: list[Position] = []
    shown: list[Position] = []
    for location in locations:
        for found in each(location, "gmlPolygon", "posList", "pointCoordinates", "coordinatesForDisplay"):
            name, around = name_of(found), name_of(found.getparent())
            if name == "gmlPolygon":
                areas.append(_area(found))
            elif name == "posList" and around == "gmlLineString":
                lines.append(_pos_list(found))
            elif name == "coordinatesForDisplay":
                shown.append(_point(found))
            elif name == "pointCoordinates" and around == "to":
                lines += _stretch(found.getparent())
            elif name == "pointCoordinates" and around != "from":
                points.append(_point(found))
    for kind, parts in (("Polygon", areas), ("LineString", lines), ("Point", points or shown)):
        if parts:
            return _together(kind, parts)
    return None


def _together(kind: str, parts: Iterable[Any]) -> dict[str, Any]:
    """One geometry; the order in which a source happens to name its parts says nothing."""
    distinct = sorted({repr(part): part for part in parts}.items())
    if len(distinct) == 1:
        return {"type": kind, "coordinates": distinct[0][1]}
    return {"type": _SINGLE[kind], "coordinates": [part for _, part in distinct]}


def _point(found: etree._Element) -> Position:
    said = {name_of(child): text_of(child) for child in found}
    return _number(said.get("longitude", ""), "longitude"), _number(said.get("latitude", ""), "latitude")


def _stretch(end: etree._Element | None) -> list[list[Position]]:
    """The line from ``from`` to ``to``, whose element is given; none where its beginning has no coordinates."""
    around = None if end is None else end.getparent()
    begin = None if around is None else around.find("{*}from/{*}pointCoordinates")
    final = None if end is None else end.find("{*}pointCoordinates")
    if begin is None or final is None:
        return []
    line = [_point(begin), _point(final)]
    return [line] if line[0] != line[1] else []


def _area(polygon: etree._Element) -> list[list[Position]]:
    outer = [_pos_list(ring) for ring in polygon.iterfind(".//{*}exterior//{*}posList")]
    inner = [_pos_list(ring) for ring in polygon.iterfind(".//{*}interior//{*}posList")]
    if len(outer) != 1:
        raise InvalidInput(f"an area has one outer ring, this one {len(outer)}")
    return [*outer, *inner]


def _pos_list(found: etree._Element) -> list[Position]:
    """Positions: latitude first where the system is EPSG:4326, as it defines, and where none is named."""
    texts = text_of(found).split()
    if not _NUMBERS.match(" ".join(texts)):
        texts = [str(_number(text, "posList")) for text in texts]
    numbers = [*map(float, texts)]
    named, around = found.get("srsName"), found.getparent()
    while not named and around is not None and name_of(around) in _RINGS:
        named, around = around.get("srsName"), around.getparent()
    width = found.get("srsDimension") or "2"
    if width not in ("2", "3") or not numbers or len(numbers) % int(width):
        raise InvalidInput(f"its posList holds {len(numbers)} numbers, which are no positions")
    pairs = [(numbers[at], numbers[at + 1]) for at in range(0, len(numbers), int(width))]
    code = epsg(named) if named else _LATITUDE_FIRST
    if code in DEGREES:
        return pairs if "CRS84" in named.upper() else [(second, first) for first, second in pairs]
    return to_degrees(code)(pairs)


def _number(text: str, name: str) -> float:
    if not _NUMBER.match(text):
        raise InvalidInput(f"{name} is {text[:40]!r}, which is no number")
    return float(text)

"""A small map drawn by the server: the city's outlines, a dataset's extent and places. It needs no script, and the
page says in words what it shows."""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from math import cos, radians
from typing import Any, NamedTuple

import shapely
from shapely.geometry.base import BaseGeometry

from allmende.domain.features import Box
from allmende.domain.profile import Geography

WIDTH = 640
_MARGIN = 24
_HEIGHTS = (280, 560)


class Sketch(NamedTuple):
    """A drawing in units of its view box."""

    width: int
    height: int
    land: str
    lines: str
    waters: str
    extent: tuple[float, float, float, float] | None
    """x, y, width, height."""
    places: list[tuple[float, float]]


class _View(NamedTuple):
    """Degrees to units: plate carrée, true in the middle."""

    box: Box
    scale: float
    squeeze: float
    height: int

    def point(self, lon: float, lat: float) -> tuple[float, float]:
        x = _MARGIN + (lon - self.box[0]) * self.squeeze * self.scale
        return round(x, 1), round(_MARGIN + (self.box[3] - lat) * self.scale, 1)


def draw(geography: Geography, bbox: Box | None, places: Iterable[tuple[float, float]], *, most: int = 500) -> Sketch:
    """The city with what of a dataset lies there; what lies outside widens the view."""
    spots = list(places)[:most]
    ground = _ground_box(geography)
    boxes = [ground, *([bbox] if bbox else [])]
    view = _view((min(b[0] for b in boxes), min(b[1] for b in boxes), max(b[2] for b in boxes),
                  max(b[3] for b in boxes)))  # fmt: skip
    paths = _paths(_Ground(geography), view)
    extent = None
    if bbox is not None:
        (west, north), (east, south) = view.point(bbox[0], bbox[3]), view.point(bbox[2], bbox[1])
        extent = (west, north, max(east - west, 1.0), max(south - north, 1.0))
    return Sketch(WIDTH, view.height, *paths, extent, [view.point(lon, lat) for lon, lat in spots])


def _view(box: Box) -> _View:
    west, south, east, north = box
    squeeze = cos(radians((south + north) / 2))
    across, along = max((east - west) * squeeze, 1e-3), max(north - south, 1e-3)
    scale = min((WIDTH - 2 * _MARGIN) / across, (_HEIGHTS[1] - 2 * _MARGIN) / along)
    height = max(_HEIGHTS[0], round(along * scale + 2 * _MARGIN))
    # in the middle, where one side has room to spare
    spare_x, spare_y = (WIDTH - 2 * _MARGIN) / scale - across, (height - 2 * _MARGIN) / scale - along
    west, east = west - spare_x / squeeze / 2, east + spare_x / squeeze / 2
    return _View((west, south - spare_y / 2, east, north + spare_y / 2), scale, squeeze, height)


class _Ground:
    """A city's outlines as a key: a process has one city."""

    def __init__(self, geography: Geography) -> None:
        self.geography = geography

    def __hash__(self) -> int:
        return hash(id(self.geography))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Ground) and other.geography is self.geography


def _ground_box(geography: Geography) -> Box:
    shapes = _shapes(geography.boundary) or _shapes(geography.districts)
    if not shapes:
        lon, lat = geography.center
        return lon - 0.05, lat - 0.05, lon + 0.05, lat + 0.05
    west, south, east, north = shapely.total_bounds(shapes)
    return float(west), float(south), float(east), float(north)


@lru_cache(maxsize=64)
def _paths(ground: _Ground, view: _View) -> tuple[str, str, str]:
    geography = ground.geography
    return tuple(  # type: ignore[return-value]  # three of them
        _path(_shapes(outlines), view) for outlines in (geography.boundary, geography.districts, geography.waters)
    )


def _shapes(outlines: Mapping[str, Any]) -> list[BaseGeometry]:
    return [shapely.geometry.shape(feature["geometry"]) for feature in outlines["features"]]


def _path(shapes: Iterable[BaseGeometry], view: _View) -> str:
    """The lines of shapes as SVG, without what is smaller than a dot."""
    pieces = []
    for shape in shapes:
        for part in shapely.get_parts(shape.simplify(1.2 / view.scale)):
            rings = [part.exterior, *part.interiors] if part.geom_type == "Polygon" else [part]
            for ring in rings:
                if ring.geom_type not in ("LineString", "LinearRing"):
                    continue
                points = [view.point(x, y) for x, y in shapely.get_coordinates(ring)]
                end = "Z" if ring.geom_type == "LinearRing" else ""
                pieces.append("M" + "L".join(f"{x:g} {y:g}" for x, y in points) + end)
    return "".join(pieces)

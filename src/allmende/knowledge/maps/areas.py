"""The districts of a city: in which of them a place lies, and how large they are."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import shapely

from allmende.domain.features import Box


@cache
def _earth() -> Any:
    from pyproj import Geod  # here, since every process and every command would load it for nothing

    return Geod(ellps="WGS84")


class Area(NamedTuple):
    """A district. ``shape`` is a geometry in degrees."""

    id: str
    name: str
    shape: Any
    bbox: Box
    km2: float


class Areas:
    """All of them, from a GeoJSON FeatureCollection of areas with ``name``."""

    def __init__(self, outlines: Mapping[str, Any]) -> None:
        found = []
        for number, feature in enumerate(outlines["features"]):
            shape = shapely.geometry.shape(feature["geometry"])
            if shapely.get_dimensions(shape) != 2:
                continue
            said = feature.get("properties") or {}
            name = str(said.get("name") or feature.get("id") or number)
            west, south, east, north = map(float, shape.bounds)
            size = abs(_earth().geometry_area_perimeter(shape)[0]) / 1e6
            identifier = str(said.get("id") or feature.get("id") or name)
            found.append(Area(identifier, name, shape, (west, south, east, north), size))
        self.all = sorted(found, key=lambda area: area.name.casefold())
        self._tree = shapely.STRtree([area.shape for area in self.all])

    def find(self, identifier: str) -> Area | None:
        """The one with this id, or of this name."""
        return next((area for area in self.all if identifier in (area.id, area.name)), None)

    def of(self, places: Sequence[tuple[float, float] | None]) -> list[Area | None]:
        """The district of each place (lon, lat), None where it lies in none or is not known."""
        found: list[Area | None] = [None] * len(places)
        known = [number for number, place in enumerate(places) if place is not None]
        if not known or not self.all:
            return found
        points = shapely.points(np.array([places[number] for number in known], dtype=float))
        for number, area in zip(*self._tree.query(points, predicate="intersects"), strict=True):
            if found[known[number]] is None:  # a place on the line between two lies in the first
                found[known[number]] = self.all[area]
        return found


def metres(place: tuple[float, float], others: Sequence[tuple[float, float]]) -> list[float]:
    """How far each of the others is from a place, along the ground."""
    if not others:
        return []
    there = np.array(others, dtype=float)
    here = np.full((len(others), 2), place, dtype=float)
    _, _, apart = _earth().inv(here[:, 0], here[:, 1], there[:, 0], there[:, 1])
    return [float(one) for one in apart]


def box_around(place: tuple[float, float], radius: float) -> Box:
    """The box that holds all within so many metres of a place."""
    north = _earth().fwd(*place, 0, radius)[1]
    south = _earth().fwd(*place, 180, radius)[1]
    east = _earth().fwd(*place, 90, radius)[0]
    west = _earth().fwd(*place, 270, radius)[0]
    return float(west), float(south), float(east), float(north)

"""The areas in which free-floating vehicles are counted."""

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import msgspec
import shapely
from shapely.errors import ShapelyError
from shapely.geometry.base import BaseGeometry

from allmende.connectors.gathering import Refused, identity, listed, table, text
from allmende.domain.connector import Source
from allmende.domain.errors import ConfigurationError
from allmende.domain.records import Position


class Area(NamedTuple):
    """A named polygon; without one, everywhere."""

    id: str
    name: str
    shape: BaseGeometry | None

    def holds(self, place: Position) -> bool:
        """Whether a place lies in it."""
        return self.shape is None or bool(shapely.contains_xy(self.shape, place.lon, place.lat))

    @property
    def middle(self) -> Position | None:
        """A point within it."""
        if self.shape is None:
            return None
        point = self.shape.representative_point()
        return Position(round(point.x, 5), round(point.y, 5))


def areas_of(source: Source) -> Sequence[Area]:
    """Those of the table, or one of the whole system. Raises ConfigurationError where the table cannot be read."""
    name = source.settings.get("table")
    if not isinstance(name, str) or not name:
        return (Area("all", source.id, None),)
    return _read(source.tables.get(name, b""), name)


@lru_cache(maxsize=8)
def _read(body: bytes, where: str) -> Sequence[Area]:
    try:
        features = listed(table(msgspec.json.decode(body)).get("features"))
        found = [_area(table(feature)) for feature in features]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ShapelyError, Refused) as error:
        raise ConfigurationError(f"the areas cannot be read: {error}", where=where) from None
    if not found:
        raise ConfigurationError("the table holds no areas", where=where)
    return found


def _area(feature: object) -> Area:
    said = table(table(feature).get("properties"))
    id_ = identity(said.get("id", table(feature).get("id")), "the id of an area")
    shape = shapely.from_geojson(msgspec.json.encode(table(feature).get("geometry")))
    if shape.geom_type not in ("Polygon", "MultiPolygon"):
        raise Refused("bad-area", f"the area {id_} is no polygon")
    shapely.prepare(shape)
    return Area(id_, text(said.get("name")) or id_, shape)

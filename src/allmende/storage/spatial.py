"""Spatial conditions narrowed down by an index: what cannot fulfil them is never looked at.

A condition on a property and a literal (``st_within(location, geography'…')``, ``geo.distance(…) lt 1``) can only hold
where their boxes meet. That is said beside the condition, and only where it has to hold: under ``not`` the exact
condition stands alone, since null and false are two things there.
"""

import math

import shapely
from shapely.errors import ShapelyError

from allmende.domain.model import ENTITIES, Kind
from allmende.domain.query import Call, Compare, Expression, Path, Value
from allmende.storage.geometry import RELATIONS
from allmende.storage.schema_spatial import BOXES
from allmende.storage.sql import Sql
from allmende.storage.typed import Place

Box = tuple[float, float, float, float]
"""West, south, east, north, in degrees."""

_MEETING = {"geo.intersects", "st_relate", *(f"st_{name}" for name in RELATIONS if name != "disjoint")}


def narrowed(place: Place, node: Expression) -> Sql | None:
    """What is true wherever the condition is, and asks an index; None where there is no such thing."""
    if isinstance(node, Call) and node.name in _MEETING:
        if node.name == "st_relate" and not _has_to_meet(node):
            return None
        return _near(place, node, 0.0)
    if not isinstance(node, Compare):
        return None
    call, limit = node.left, node.right
    if node.op in ("gt", "ge"):
        call, limit = limit, call
    elif node.op not in ("lt", "le", "eq"):
        return None
    elif node.op == "eq" and isinstance(call, Value):
        call, limit = limit, call
    if not isinstance(call, Call) or call.name != "geo.distance":
        return None
    if not isinstance(limit, Value) or limit.kind != "number" or not math.isfinite(limit.value):
        return None
    return _near(place, call, max(0.0, float(limit.value)))


def _has_to_meet(node: Call) -> bool:
    """Whether a DE-9IM pattern holds only of geometries with a point in common: interiors and boundaries."""
    pattern = node.arguments[2] if len(node.arguments) == 3 else None
    if not isinstance(pattern, Value) or not isinstance(pattern.value, str) or len(pattern.value) != 9:
        return False
    return any(pattern.value[place] in "012T" for place in (0, 1, 3, 4))


def _near(place: Place, node: Call, distance: float) -> Sql | None:
    if len(node.arguments) < 2:
        return None
    path, literal = node.arguments[:2]
    if isinstance(path, Value):
        path, literal = literal, path
    if not isinstance(path, Path) or not isinstance(literal, Value) or literal.kind != "geometry":
        return None
    box = _box_of(str(literal.value))
    here, parts = place.walk(path)
    attribute = ENTITIES[here.entity].attribute(str(parts[0]))
    if box is None or attribute is None or attribute.kind is not Kind.GEOMETRY or len(parts) > 1:
        return None
    if (here.entity, attribute.name) not in BOXES:
        return None
    # The exact condition rounds; this one must not miss what it finds.
    reach = distance * (1 + 1e-9) + (1e-9 if distance else 0.0)
    west, south, east, north = box
    sides = (west - reach, south - reach, east + reach, north + reach)
    return Sql(*place.dialect.in_box(here.entity, attribute.name, here.alias, sides))


def _box_of(text: str) -> Box | None:
    """The literal's box; None for what is no geometry, which is told where it is compared."""
    try:
        bounds = shapely.from_wkt(text).bounds
    except (ShapelyError, AttributeError):
        return None
    west, south, east, north = (float(side) for side in bounds)
    return (west, south, east, north) if all(map(math.isfinite, bounds)) else None

"""What somebody wants to be told: conditions that all have to hold. The same in an address, a form and a table."""

import re
import unicodedata
from collections.abc import Mapping
from functools import lru_cache
from math import cos, isfinite, radians
from typing import Any
from urllib.parse import urlencode

import msgspec
import shapely
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _l
from shapely.errors import ShapelyError
from shapely.geometry.base import BaseGeometry

from allmende.domain.errors import InvalidQuery
from allmende.domain.profile import Geography
from allmende.web.subscriptions.happening import KINDS, SEVERITIES, Happening

NEAREST, FARTHEST = 50, 20_000
"""Metres of a radius."""
_DEGREE = 111_320.0
"""Metres of a degree of latitude."""
_TEXT = 200
_BETWEEN = re.compile(r"[\W_]+")
_STREET = re.compile(r"(stra(?:ss|ß)e|str)\b\.?")


class Selection(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Conditions. Those that are empty hold for everything."""

    kinds: tuple[str, ...] = ()
    alert: str = ""
    thing: str = ""
    stream: str = ""
    dataset: str = ""
    near: tuple[float, float, float] | None = None
    """Longitude, latitude, metres."""
    district: str = ""
    street: str = ""
    severity: str = ""
    """The least."""

    @property
    def placed(self) -> bool:
        """Whether it asks where."""
        return self.near is not None or bool(self.district or self.street)

    def query(self) -> str:
        """As it stands behind the question mark of an address, always in one order."""
        said: list[tuple[str, str]] = [("kind", kind) for kind in self.kinds]
        said += [(name, str(getattr(self, name))) for name in _NAMES if getattr(self, name)]
        if self.near is not None:
            said.append(("near", ",".join(f"{number:.6f}".rstrip("0").rstrip(".") for number in self.near)))
        return urlencode(said)


_NAMES = ("alert", "thing", "stream", "dataset", "district", "street", "severity")


def read_selection(asked: QueryDict) -> Selection:
    """From an address or a form; raises InvalidQuery that names the parameter."""
    kinds = tuple(kind for kind in KINDS if kind in asked.getlist("kind"))
    for kind in asked.getlist("kind"):
        if kind not in KINDS:
            raise InvalidQuery(str(_l("is one of: %s")) % ", ".join(KINDS), where="kind")
    said = {name: asked.get(name, "").strip() for name in _NAMES}
    for name, text in said.items():
        if len(text) > _TEXT or "\0" in text:
            raise InvalidQuery(str(_l("is longer than %s characters")) % _TEXT, where=name)
    if said["severity"] and said["severity"] not in SEVERITIES:
        raise InvalidQuery(str(_l("is one of: %s")) % ", ".join(SEVERITIES), where="severity")
    return Selection(kinds=() if len(kinds) == len(KINDS) else kinds, near=_read_near(asked), **said)


def _read_near(asked: QueryDict) -> tuple[float, float, float] | None:
    whole = asked.get("near", "").strip()
    parts = whole.split(",") if whole else [asked.get(name, "").strip() for name in ("lon", "lat", "radius")]
    if not any(parts[:2]):
        return None
    try:
        lon, lat, metres = (float(part.replace(",", ".") if not whole else part) for part in parts)
    except ValueError:
        raise InvalidQuery(str(_l("is longitude, latitude and metres, e.g. near=11.586,50.927,500")),
                           where="near") from None  # fmt: skip
    if not all(map(isfinite, (lon, lat, metres))) or abs(lon) > 180 or abs(lat) > 90:
        raise InvalidQuery(str(_l("is no place on the earth")), where="near")
    if not NEAREST <= metres <= FARTHEST:
        raise InvalidQuery(str(_l("takes %(low)s to %(high)s metres")) % {"low": NEAREST, "high": FARTHEST},
                           where="near")  # fmt: skip
    return round(lon, 6), round(lat, 6), round(metres)


def matches(selection: Selection, happening: Happening, geography: Geography) -> bool:
    """Whether it is told to who selected so."""
    if selection.kinds and happening.kind not in selection.kinds:
        return False
    for name in ("alert", "thing", "dataset"):
        wanted = getattr(selection, name)
        if wanted and wanted != getattr(happening, name):
            return False
    if selection.stream and selection.stream not in happening.streams:
        return False
    if selection.severity and not _as_severe(happening.severity, selection.severity):
        return False
    if selection.street and not _on_street(selection.street, happening):
        return False
    return _within(selection, happening, geography)


def _as_severe(severity: str, least: str) -> bool:
    return severity in SEVERITIES and SEVERITIES.index(severity) >= SEVERITIES.index(least)


def plainly(text: str) -> str:
    """Words of an address for comparing: one space, small letters, ``str.`` for every way to write it."""
    small = _STREET.sub("str", unicodedata.normalize("NFKC", text).casefold().replace("ß", "ss"))
    return f" {' '.join(_BETWEEN.split(small)).strip()} "


def _on_street(street: str, happening: Happening) -> bool:
    said = " ".join((happening.address, *happening.title.values(), *happening.text.values()))
    wanted = plainly(street)
    return bool(wanted.strip()) and wanted in plainly(said)


def _within(selection: Selection, happening: Happening, geography: Geography) -> bool:
    if selection.near is None and not selection.district:
        return True
    shape = shape_of(happening.place)
    if shape is None:
        return False
    if selection.near is not None and distance(shape, *selection.near[:2]) > selection.near[2]:
        return False
    if selection.district:
        area = area_of(geography, selection.district)
        return area is not None and bool(shapely.intersects(area, shape))
    return True


def shape_of(place: Mapping[str, Any] | None) -> BaseGeometry | None:
    """A GeoJSON geometry as a shape; None where there is none, or it cannot be read."""
    if place is None:
        return None
    try:
        shape: BaseGeometry = shapely.from_geojson(msgspec.json.encode(place).decode())
    except ShapelyError:
        return None
    return None if shape is None or shape.is_empty else shape


def distance(shape: BaseGeometry, lon: float, lat: float) -> float:
    """Metres to the nearest point of a shape, on a plane that touches the earth there: within some kilometres it is
    right to a few in a thousand."""
    squeeze = max(cos(radians(lat)), 1e-6)

    def flatten(points: Any) -> Any:
        points = points.copy()
        points[:, 0] = (points[:, 0] - lon) * _DEGREE * squeeze
        points[:, 1] = (points[:, 1] - lat) * _DEGREE
        return points

    return float(shapely.distance(shapely.transform(shape, flatten), shapely.Point(0, 0)))


class _Ground:
    """A city's outlines as a key: a process has one city."""

    def __init__(self, geography: Geography) -> None:
        self.geography = geography

    def __hash__(self) -> int:
        return hash(id(self.geography))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Ground) and other.geography is self.geography


def area_of(geography: Geography, district: str) -> BaseGeometry | None:
    """The outline of a district; None where there is none of that name."""
    return _areas(_Ground(geography)).get(district)


@lru_cache(maxsize=4)
def _areas(ground: _Ground) -> dict[str, BaseGeometry]:
    found: dict[str, list[BaseGeometry]] = {}
    for feature in ground.geography.districts.get("features", ()):
        name = str((feature.get("properties") or {}).get("name", ""))
        if name:
            found.setdefault(name, []).append(shapely.geometry.shape(feature["geometry"]))
    return {name: shapely.union_all(shapes) for name, shapes in found.items()}

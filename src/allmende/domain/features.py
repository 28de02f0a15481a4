"""Objects of the city: questions for them, and what is kept of them.

A feature is judged by what was delivered: ``first_seen`` and ``seen`` are the first and the last delivery that held it,
``since`` that from which on it is as it is now, ``gone_at`` the first complete delivery that held it no more. What the
source itself says of its time is ``valid_from`` and ``valid_to``. All in microseconds.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
import shapely
from shapely.errors import ShapelyError

from allmende.domain.policy import Reader
from allmende.domain.query import Expression

Box = tuple[float, float, float, float]
"""West, south, east, north in degrees. West of a question may lie east of east: it goes over the antimeridian."""


class FeatureRow(NamedTuple):
    """A feature in kept form. Equal digests mean that the source says the same of it, in whatever order."""

    id: str
    geometry: str | None
    """GeoJSON."""
    west: float | None
    south: float | None
    east: float | None
    north: float | None
    properties: str
    """A JSON object."""
    valid_from: int | None
    valid_to: int | None
    digest: bytes


class NewFeatures(msgspec.Struct, kw_only=True):
    """Features of one collection, checked and in kept form. No two rows have one id."""

    collection: str
    rows: list[FeatureRow]
    unread: Sequence[str] = ()
    """Ids of what is there, but could not be read now."""


class FeatureQuery(msgspec.Struct, frozen=True, kw_only=True):
    """A page of a collection, in the order of the ids."""

    collection: str
    reader: Reader
    things: bool = False
    """``collection`` is a dataset: asked for are its things, each with the newest values of its streams."""
    at: int | None = None
    """Of things: the values as they were at this time (microseconds), each stream's last reading at or before it, by
    what is known of it today. Where a thing stands is told as it is now."""
    bbox: Box | None = None
    """Only what has a point in common with it, edges included."""
    start: int | None = None
    end: int | None = None
    """Only what holds at some time of this closed span, in microseconds; None is open."""
    equals: Sequence[tuple[str, str]] = ()
    """Only those with these values of properties: a text, or how JSON writes a number or a boolean."""
    filter: Expression | None = None
    """Only those of which this is true (see :mod:`allmende.domain.sifting`)."""
    gone: bool = False
    """Also those that have gone."""
    simulated: bool = False
    only: str | None = None
    """Only the one with this id."""
    after: str | None = None
    """The id behind which the page begins."""
    top: int = 100


class KeptFeature(NamedTuple):
    """A feature as the house knows it; ``geometry`` and ``properties`` are JSON, ready to be sent."""

    id: str
    geometry: str | None
    west: float | None
    south: float | None
    east: float | None
    north: float | None
    properties: str
    valid_from: int | None
    valid_to: int | None
    first_seen: int
    since: int
    seen: int
    gone_at: int | None


class FeaturePage(NamedTuple):
    """Some features, and the id behind which the next page begins; None behind the last."""

    items: list[KeptFeature]
    next: str | None


class FeatureVersion(NamedTuple):
    """What was said of a feature from ``since`` on, in deliveries before ``until``; None: still."""

    since: int
    until: int | None
    geometry: str | None
    properties: str
    valid_from: int | None
    valid_to: int | None
    origin: str


class KeptCollection(msgspec.Struct, frozen=True, kw_only=True):
    """A collection with its figures, from one row. ``bbox`` and the span may be too large, never too small."""

    id: str
    dataset: str
    title: str
    description: str
    snapshot: bool
    fields: Mapping[str, Any]
    source: str
    count: int
    """Features that have not gone."""
    bbox: Box | None
    first: int | None
    last: int | None
    """Ends of the times that the features say, None where none does."""
    changed_at: int | None
    """When anything in it last came, changed or went. It grows with every such change, so that what was made of the
    collection when it was the same is still true."""


def meets(row: KeptFeature, bbox: Box) -> bool:
    """Whether a feature has a point in common with a box. What cannot be compared is judged by its box."""
    if row.west is None or row.south is None or row.east is None or row.north is None or row.geometry is None:
        return False
    return any(_meets(row, (row.west, row.south, row.east, row.north), part) for part in parts(bbox))


def _meets(row: KeptFeature, own: Box, asked: Box) -> bool:
    if own[0] > asked[2] or own[2] < asked[0] or own[1] > asked[3] or own[3] < asked[1]:
        return False
    # A side of its box that lies wholly inside is a side that it touches.
    across, along = asked[0] <= own[0] and own[2] <= asked[2], asked[1] <= own[1] and own[3] <= asked[3]
    if across and along:
        return True
    try:
        return bool(shapely.intersects(shapely.from_geojson(row.geometry), shapely.box(*asked)))
    except ShapelyError:
        return True


def parts(bbox: Box) -> Iterable[Box]:
    """The box, or its two parts on both sides of the antimeridian."""
    west, south, east, north = bbox
    return [bbox] if west <= east else [(west, south, 180.0, north), (-180.0, south, east, north)]

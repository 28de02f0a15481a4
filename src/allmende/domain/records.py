"""What a connector gives: records and rejections.

Of what is measured a record is either a Declaration (what a stream is) or a Series (readings of one stream). A Series
is columns, not an object per reading, so that a file of a hundred thousand rows and one uplink take the same way at the
same cost. Of what is an object (a tree, a stop, a closed road) it is a Collection or some Features of one.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, NamedTuple

import msgspec

Json = None | bool | int | float | str | list[Any] | dict[str, Any]
Result = Json
"""A reading's value; whole numbers and decimals are kept apart."""


class Unit(msgspec.Struct, frozen=True):
    """A unit of measurement; ``symbol`` is UCUM, ``definition`` its address. Unitless: ``Unit("1", "1")``."""

    name: str
    symbol: str
    definition: str = ""


class Property(msgspec.Struct, frozen=True, kw_only=True):
    """What is observed (ObservedProperty). Shared between streams by id."""

    id: str
    name: str
    definition: str
    description: str = ""


class Position(msgspec.Struct, frozen=True):
    """Degrees in EPSG:4326, longitude first."""

    lon: float
    lat: float


class ThingDeclaration(msgspec.Struct, frozen=True, kw_only=True):
    """A thing of the city. ``position`` None means: not known here; so does a ``name`` that is the id, which takes no
    name back that was told before."""

    id: str
    name: str
    description: str = ""
    properties: Mapping[str, Any] = {}
    position: Position | None = None
    kept: bool = False
    """It is there already, in whichever dataset, and stays as it is: the rest of this is not looked at."""


class SensorDeclaration(msgspec.Struct, frozen=True, kw_only=True):
    """How it is observed: a device, a model of device, or a method."""

    id: str
    name: str
    description: str = ""
    encoding_type: str = "text/plain"
    metadata: Json = ""
    properties: Mapping[str, Any] = {}


class Declaration(msgspec.Struct, frozen=True, kw_only=True):
    """A stream and everything it stands on. Declaring again what is known changes nothing.

    ``low`` and ``high`` bound plausible results; a result outside is kept and flagged. A declared stream has one
    value per time: the same again is no event, another value is a correction.
    """

    stream: str
    name: str
    thing: ThingDeclaration
    sensor: SensorDeclaration
    observed_property: Property
    unit: Unit
    observation_type: Literal["measurement", "count", "category", "truth", "complex", "any"] = "measurement"
    description: str = ""
    properties: Mapping[str, Any] = {}
    low: float | None = None
    high: float | None = None


class Series(msgspec.Struct, kw_only=True):
    """Readings of one stream, as columns of equal length.

    ``times`` are phenomenon times in microseconds (see :mod:`allmende.domain.times`). ``flags``, where given, says
    per reading why it is implausible ("" if it is not).

    ``run`` is for forecasts alone: the time at which all of these were computed, in microseconds after 1970. A stream
    of forecasts has one value per time and run, and no run takes anything away from another; it is the ``resultTime``.
    """

    stream: str
    times: list[int]
    results: list[Result]
    flags: list[str] | None = None
    run: int | None = None


class Collection(msgspec.Struct, frozen=True, kw_only=True):
    """What features belong to (OGC API - Features, 17-069r4, 7.13). Declaring again what is known changes nothing.

    It belongs to the dataset of its source, and to that source alone.
    """

    id: str
    """Letters, digits, ``-``, ``_``, ``.`` and ``~``: it is a part of addresses."""
    title: str
    description: str = ""
    snapshot: bool = False
    """Whether each delivery is complete, so that what is missing in one has gone. Else what is not named stays."""
    fields: Mapping[str, Mapping[str, Any]] = {}
    """What is known of the properties, by name, as JSON Schema: ``{"height": {"type": "number", "title": "…"}}``."""


class Feature(msgspec.Struct, frozen=True, kw_only=True):
    """An object of the city. ``geometry`` is GeoJSON of any type in EPSG:4326, None where it is not known.

    ``valid_from`` and ``valid_to`` say, in microseconds, when it holds by what its source says; None: not bounded.
    """

    id: str
    geometry: Mapping[str, Any] | None
    properties: Mapping[str, Any] = {}
    valid_from: int | None = None
    valid_to: int | None = None


class Features(msgspec.Struct, frozen=True, kw_only=True):
    """Features of one collection.

    A collection that is a snapshot is only taken for complete where each rejection stands for an id in ``unread``:
    else what could not be read would be taken for gone.
    """

    collection: str
    items: Sequence[Feature]
    unread: Sequence[str] = ()
    """Ids of those that are there and were rejected, once for each rejection."""
    body_of: Callable[[int], bytes] | None = None
    """Gives the bytes of an item by its place, parseable by themselves; without it a rejection of one holds the whole
    payload."""


Record = Declaration | Series | Collection | Features


class Rejection(msgspec.Struct, frozen=True, kw_only=True):
    """What could not be taken, with its bytes, so that it can be seen and replayed.

    ``body`` alone must be parseable again by the same connector: for a line of a CSV it holds the header too.
    """

    reason: str
    body: bytes
    where: str = ""
    """The place inside the payload, e.g. ``line 17``."""
    code: str = "unreadable"
    """A short word for counting, e.g. ``unknown-family``."""


class Parsed(NamedTuple):
    """What ``parse`` returns. The readings in the series, the features and the rejections sum to what was read."""

    records: Sequence[Record]
    rejections: Sequence[Rejection]

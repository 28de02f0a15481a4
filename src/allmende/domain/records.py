"""What a connector gives: records and rejections.

A record is either a Declaration (what a stream is) or a Series (readings of one stream). A Series is columns, not an
object per reading, so that a file of a hundred thousand rows and one uplink take the same way at the same cost.
"""

from collections.abc import Mapping, Sequence
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
    """A thing of the city. ``position`` None means: not known here."""

    id: str
    name: str
    description: str = ""
    properties: Mapping[str, Any] = {}
    position: Position | None = None


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


Record = Declaration | Series


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
    """What ``parse`` returns. The readings in the series and the rejections sum to what was read."""

    records: Sequence[Record]
    rejections: Sequence[Rejection]

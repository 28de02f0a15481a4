"""What is kept of datasets, as figures: how much, from when to when, where. Times in microseconds, boxes in degrees."""

from typing import Any

import msgspec

from allmende.domain.features import Box


class DatasetFigures(msgspec.Struct, frozen=True, kw_only=True):
    """Of one dataset. Zeros and None where nothing is kept yet."""

    streams: int = 0
    readings: int = 0
    first: int | None = None
    newest: int | None = None
    bbox: Box | None = None
    """Around all places that were observed, and the things of streams that observed none."""


class StreamSummary(msgspec.Struct, frozen=True, kw_only=True):
    """One stream with its newest reading; ``start`` is None where it has none."""

    id: str
    name: str
    thing: str
    """Name of its thing, "" where the reader may not see that."""
    thing_id: str
    property: str
    """Its name in words."""
    unit: str
    """The unit's symbol (UCUM)."""
    source: str
    property_id: str = ""
    count: int = 0
    first: int | None = None
    start: int | None = None
    result: Any = None
    flagged: bool = False
    lon: float | None = None
    """The middle of what it observed, else where its thing stands; None where nobody knows."""
    lat: float | None = None
    low: float | None = None
    """Below it no result is plausible, as its source declares; None: it does not say. ``high`` likewise."""
    high: float | None = None


class Tally(msgspec.Struct, frozen=True, kw_only=True):
    """What came of one stream in a span of time."""

    dataset: str
    stream: str
    source: str
    count: int
    flagged: int
    """Readings that say of themselves that they are implausible."""
    first: int
    """Phenomenon time of the stream's oldest reading, and of its newest; of all there is, not of the span."""
    newest: int
    delay: int | None
    """Between the newest reading's time and its receipt."""

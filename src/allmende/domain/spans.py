"""Sums of readings over spans of time, and what a stream says of itself: what charts are made of.

All times are microseconds, UTC.
"""

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

import msgspec

from allmende.domain.records import Json

Taken = Literal["number", "boolean"]
"""Which results are summed up: numbers, or truth values as 0 and 1. All others are counted alone."""


class Span(NamedTuple):
    """A stretch of time, cut into buckets of one ``width``: number n begins at ``first + n * width``."""

    start: int
    end: int
    """Readings with ``start <= time < end`` belong to it, and to no other."""
    first: int
    """Not after ``start``."""
    width: int


class Sum(NamedTuple):
    """The readings of one stream in one bucket; a bucket without any is absent."""

    start: int
    """Where the bucket begins."""
    rows: int
    values: int
    """Plausible values; a reading that stands for many (see :mod:`allmende.domain.thinning`) counts as many."""
    mean: float | None
    low: float | None
    high: float | None
    flagged: int
    """Readings that are implausible: in no mean, and neither lowest nor highest."""


class Word(NamedTuple):
    """How often a text (or a truth value, as ``true`` and ``false``) was the result in a bucket."""

    start: int
    text: str
    rows: int


class Held(NamedTuple):
    """What a stream of values that hold until the next one said at a moment."""

    stream: str
    start: int
    """Since when."""
    result: Json
    flag: str
    """Why it is implausible, "" if it is not."""


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """What a stream is."""

    id: str
    name: str
    thing: str
    """The thing's name, "" where the reader may not see it."""
    thing_id: str
    property: str
    property_id: str
    unit: str
    """Its symbol (UCUM); "" where there is none, also for a stream of several values."""
    unit_name: str
    observation_type: str
    dataset: str
    source: str
    simulated: bool
    properties: Mapping[str, Any]
    wide: bool
    """Whether each result is a list of values, one for each of several properties."""
    count: int
    first: int | None
    """Time of the oldest reading, and of the newest; None without any."""
    last: int | None
    forecast: bool
    """Whether it holds runs of a forecast."""
    merged: bool
    """Whether readings of it may have been merged by their age: then one may stand for many."""
    kind: int
    """Of its newest result: see :class:`allmende.domain.query.ResultKind`."""

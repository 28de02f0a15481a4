"""What somebody wants as a file: readings or objects of one dataset, by streams, things, area and time.

One dataset, since a file has one licence. Who may see it is no part of it: the one who asks is named beside it.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from allmende.domain.errors import InvalidInput
from allmende.domain.features import Box
from allmende.domain.figures import StreamSummary
from allmende.domain.times import format_instant, from_datetime, parse_instant
from allmende.domain.windows import Grid

MOST_NAMED = 1_000
"""Streams, properties or columns that one selection names."""
_LONGEST = 300
_DAY = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?\Z", re.ASCII)
_LISTS = ("streams", "properties", "columns")
NAMES = ("dataset", "collection", "start", "end", *_LISTS, "bbox", "bucket")
"""What a selection is said with."""


class Selection(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What goes into a file. Empty is all of it."""

    dataset: str
    collection: str = ""
    """Objects of this collection; without it, readings."""
    start: int | None = None
    end: int | None = None
    """``start <= time < end`` in microseconds: of readings when they begin; of objects when they held."""
    streams: tuple[str, ...] = ()
    """Ids of streams, in which ``*`` stands for anything."""
    properties: tuple[str, ...] = ()
    """Ids of observed properties."""
    bbox: Box | None = None
    """Of readings where their stream is; of objects what has a point in common with it."""
    columns: tuple[str, ...] = ()
    bucket: str = ""
    """Readings summed up over windows of this length (ISO 8601) by the city's clock."""

    def takes(self, stream: StreamSummary) -> bool:
        """Whether a stream of the dataset belongs to it."""
        if self.properties and stream.property_id not in self.properties:
            return False
        if self.streams and not any(matches(pattern, stream.id) for pattern in self.streams):
            return False
        if self.bbox is None:
            return True
        west, south, east, north = self.bbox
        if stream.lon is None or stream.lat is None:
            return False
        across = west <= stream.lon <= east if west <= east else stream.lon >= west or stream.lon <= east
        return across and south <= stream.lat <= north

    def told(self) -> dict[str, Any]:
        """As plain data in the words that it is read from, times as ISO 8601."""
        said: dict[str, Any] = msgspec.to_builtins(self)
        for name in ("start", "end"):
            if said.get(name) is not None:
                said[name] = format_instant(said[name])
        return said


def matches(pattern: str, text: str) -> bool:
    """Whether ``*`` of a pattern can be filled so that it is the text; in time linear in both."""
    first, *rest = pattern.split("*")
    if not rest:
        return pattern == text
    *middle, last = rest
    if not text.startswith(first) or len(text) < len(first) + len(last) or not text.endswith(last):
        return False
    place, end = len(first), len(text) - len(last)
    for piece in middle:
        found = text.find(piece, place, end)
        if found < 0:
            return False
        place = found + len(piece)
    return True


def read_selection(said: Mapping[str, Any], zone: str) -> Selection:
    """A selection of what a form, JSON or a command line says: texts, lists as texts with commas or as lists.

    Days, months and years are those of the zone, and the last one named belongs to it. Raises InvalidInput whose
    ``where`` is the name.
    """
    unknown = sorted(set(said) - set(NAMES))
    if unknown:
        raise InvalidInput(f"is no part of a selection; there are {', '.join(NAMES)}", where=unknown[0][:50])
    dataset = _text(said, "dataset")
    if not dataset:
        raise InvalidInput("is missing", where="dataset")
    lists = {name: _list(said, name) for name in _LISTS}
    start = _moment(said, "start", zone, after=False)
    end = _moment(said, "end", zone, after=True)
    if start is not None and end is not None and end <= start:
        raise InvalidInput("lies not behind the start", where="end")
    bucket, collection = _text(said, "bucket"), _text(said, "collection")
    if bucket:
        try:
            Grid(bucket, zone)
        except InvalidInput as error:
            raise InvalidInput(error.message, where="bucket") from None
    if collection and (bucket or lists["streams"] or lists["properties"]):
        raise InvalidInput("goes with readings, not with the objects of a collection", where="collection")
    return Selection(
        dataset=dataset, collection=collection, start=start, end=end, bbox=_box(said), bucket=bucket, **lists
    )


def restore(kept: Mapping[str, Any]) -> Selection:
    """A selection that was kept as plain data by :func:`msgspec.to_builtins`."""
    return msgspec.convert(kept, Selection)


def _text(said: Mapping[str, Any], name: str) -> str:
    value = said.get(name)
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > _LONGEST or "\x00" in value:
        raise InvalidInput(f"is a text of at most {_LONGEST} characters", where=name)
    return value.strip()


def _list(said: Mapping[str, Any], name: str) -> tuple[str, ...]:
    value = said.get(name) or ()
    if isinstance(value, str):
        value = re.split(r"[,\n]", value)
    if not isinstance(value, Iterable) or isinstance(value, Mapping) or not all(isinstance(v, str) for v in value):
        raise InvalidInput("is a list of texts", where=name)
    found = tuple(dict.fromkeys(v.strip() for v in value if v.strip()))
    if len(found) > MOST_NAMED or any(len(v) > _LONGEST or "\x00" in v for v in found):
        raise InvalidInput(f"has at most {MOST_NAMED} texts of at most {_LONGEST} characters", where=name)
    return found


def _moment(said: Mapping[str, Any], name: str, zone: str, *, after: bool) -> int | None:
    text = _text(said, name)
    if not text:
        return None
    day = _DAY.match(text)
    try:
        return parse_instant(text) if day is None else _edge(day, ZoneInfo(zone), after=after)
    except (InvalidInput, ValueError, OverflowError):
        raise InvalidInput(
            f"{text[:40]!r} is no day such as 2024-05-01, no month, no year, and no time such as 2024-05-01T12:00:00Z",
            where=name,
        ) from None


def _edge(day: re.Match[str], zone: ZoneInfo, *, after: bool) -> int:
    """When a day, month or year begins; or, ``after``, when it is over."""
    year, month, number = day.groups()
    first = date(int(year), int(month or 1), int(number or 1))
    if after:
        if number:
            first += timedelta(days=1)
        elif month:
            first = date(first.year + first.month // 12, first.month % 12 + 1, 1)
        else:
            first = date(first.year + 1, 1, 1)
    return from_datetime(datetime.combine(first, time(0), zone))


def _box(said: Mapping[str, Any]) -> Box | None:
    value = said.get("bbox") or ()
    parts = value.split(",") if isinstance(value, str) else value
    if not isinstance(parts, list | tuple):
        raise InvalidInput("is four numbers: west, south, east, north", where="bbox")
    if not parts:
        return None
    try:
        west, south, east, north = (float(part) for part in parts)
    except (TypeError, ValueError):
        raise InvalidInput("is four numbers: west, south, east, north", where="bbox") from None
    if not (-180 <= west <= 180 and -180 <= east <= 180 and -90 <= south <= north <= 90):
        raise InvalidInput("is west, south, east, north in degrees, and south lies below north", where="bbox")
    return west, south, east, north

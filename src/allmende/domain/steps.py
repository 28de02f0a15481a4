"""Change-only data, read as a step function: a value holds until the next one, but never through silence.

A feed that reports changes alone looks the same when nothing happens and when it is dead. Two limits tell them apart:
the whole feed may be silent for ``day`` of day-time or ``night`` altogether, and one stream for ``rewrite`` (plus
``slack``). Beyond them there is "no data", never the old value. All times are microseconds, UTC.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, time, timedelta
from itertools import pairwise
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import msgspec

from allmende.domain import times

NEVER = "never"
FEED_SILENT = "feed-silent"
SILENT = "silent"


class Silence(msgspec.Struct, frozen=True, kw_only=True):
    """When silence means that nothing is known. Durations in microseconds, hours of the day in the city's zone."""

    day: int = 45 * times.MINUTE
    night: int = 6 * times.HOUR
    day_from: time = time(6)
    day_to: time = time(21)
    rewrite: int = times.DAY
    slack: int = 5 * times.MINUTE
    """A rewrite that is due may come this much later: it is sampled, and has a way to go."""
    zone: str = "UTC"

    @classmethod
    def read(cls, settings: Mapping[str, Any], zone: str) -> "Silence":
        """From a source's settings, e.g. ``{day = "PT45M", night = "PT6H", day_from = "06:00", …}``."""
        given: dict[str, Any] = {"zone": zone}
        for key, value in settings.items():
            given[key] = time.fromisoformat(value) if key.startswith("day_") else times.parse_duration(value)
        return cls(**given)

    def silent_from(self, last: int, until: int) -> int | None:
        """When, after a report at ``last`` and with none before ``until``, the feed begins to count as silent."""
        limit = last + self.night
        day_left = self.day
        for start, end in self._day_times(last, min(until, limit)):
            if end - start >= day_left:
                limit = min(limit, start + day_left)
                break
            day_left -= end - start
        return limit if limit < until else None

    def _day_times(self, start: int, end: int) -> list[tuple[int, int]]:
        """The parts of a span that lie in day-time."""
        zone = ZoneInfo(self.zone)
        day = times.to_datetime(start).astimezone(zone).date()
        last = times.to_datetime(end).astimezone(zone).date()
        parts = []
        while day <= last:
            dawn = times.from_datetime(datetime.combine(day, self.day_from, zone))
            dusk = times.from_datetime(datetime.combine(day, self.day_to, zone))
            if max(dawn, start) < min(dusk, end):
                parts.append((max(dawn, start), min(dusk, end)))
            day += timedelta(days=1)
        return parts


class Segment(NamedTuple):
    """A span in which one value held; ``value`` None means no data, for the ``reason``. ``flag`` as in a Series."""

    start: int
    end: int
    value: float | None
    reason: str = ""
    flag: str = ""


class Bucket(NamedTuple):
    """A piece of a chart. ``mean`` is weighted with time; implausible values are left out of it and counted apart."""

    start: int
    mean: float | None
    low: float | None
    high: float | None
    covered: float
    """Share of the span with a plausible value, 0 to 1."""
    implausible: float
    """Share of the span with an implausible value, 0 to 1."""


def silences(reports: Sequence[int], silence: Silence, end: int) -> list[tuple[int, int]]:
    """The spans in which the feed counts as silent, given the times of its reports in order, up to ``end``."""
    return [(begin, following) for _, begin, following in _silences(reports, silence, end)]


def gaps(reports: Sequence[int], silence: Silence, end: int) -> list[tuple[int, int]]:
    """The spans between reports that are so long that the feed counts as silent in a part of them."""
    return [(last, following) for last, _, following in _silences(reports, silence, end)]


def _silences(reports: Sequence[int], silence: Silence, end: int) -> Iterator[tuple[int, int, int]]:
    """The last report, when silence begins behind it, and when it ends."""
    shortest = min(silence.day, silence.night)
    for last, following in zip(reports, [*reports[1:], end], strict=False):
        if following - last > shortest:
            begin = silence.silent_from(last, following)
            if begin is not None:
                yield last, begin, following


def read_steps(
    moments: Sequence[int],
    values: Sequence[float | None],
    flags: Sequence[str],
    *,
    reports: Sequence[int],
    silence: Silence,
    start: int,
    end: int,
) -> list[Segment]:
    """The step function over ``start`` to ``end`` as segments without gaps between them.

    ``moments`` are in order and should begin with the last reading before ``start``; ``reports`` likewise.
    """
    quiet = silences([r for r in reports if r < end], silence, end)
    if not reports:
        return [Segment(start, end, None, NEVER)] if start < end else []
    pieces: list[Segment] = []
    first = min(moments[0], end) if moments else end
    if first > start:
        pieces.append(Segment(start, first, None, NEVER))
    for place, moment in enumerate(moments):
        following = min(moments[place + 1] if place + 1 < len(moments) else end, end)
        begin = max(moment, start)
        if begin >= following:
            continue
        stale = moment + silence.rewrite + silence.slack
        held = min(following, stale)
        if begin < held:
            pieces.append(
                Segment(begin, held, values[place], "" if values[place] is not None else SILENT, flags[place])
            )
        if held < following:
            pieces.append(Segment(max(begin, held), following, None, SILENT))
    return _cut_out(pieces, quiet)


def _cut_out(pieces: list[Segment], quiet: Sequence[tuple[int, int]]) -> list[Segment]:
    """Replace what lies in a silent span by "no data"."""
    if not quiet:
        return pieces
    result: list[Segment] = []
    place = 0
    for piece in pieces:
        cursor = piece.start
        while place and quiet[place - 1][1] > piece.start:
            place -= 1
        while place < len(quiet) and quiet[place][1] <= cursor:
            place += 1
        look = place
        while look < len(quiet) and quiet[look][0] < piece.end:
            begin, stop = max(quiet[look][0], cursor), min(quiet[look][1], piece.end)
            if cursor < begin:
                result.append(piece._replace(start=cursor, end=begin))
            if begin < stop:
                result.append(Segment(begin, stop, None, FEED_SILENT))
            cursor = max(cursor, stop)
            look += 1
        if cursor < piece.end:
            result.append(piece._replace(start=cursor))
    return result


def buckets(segments: Sequence[Segment], *, start: int, end: int, width: int) -> list[Bucket]:
    """Time-weighted means over spans of ``width``; a span without a value has None, never an old one."""
    return between(segments, [*range(start, end, width), end]) if start < end else []


def between(segments: Sequence[Segment], edges: Sequence[int]) -> list[Bucket]:
    """The same over spans from each edge to the next."""
    result = []
    place = 0
    for begin, stop in pairwise(edges):
        while place < len(segments) and segments[place].end <= begin:
            place += 1
        total = weight = doubtful = 0.0
        seen: list[float] = []
        look = place
        while look < len(segments) and segments[look].start < stop:
            piece = segments[look]
            span = min(piece.end, stop) - max(piece.start, begin)
            if piece.value is not None and span > 0:
                if piece.flag:
                    doubtful += span
                else:
                    total += piece.value * span
                    weight += span
                    seen.append(piece.value)
            look += 1
        whole = stop - begin
        result.append(
            Bucket(
                begin,
                total / weight if weight else None,
                min(seen, default=None),
                max(seen, default=None),
                weight / whole,
                doubtful / whole,
            )
        )
    return result

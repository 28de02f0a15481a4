"""What all analyses begin with: the values of a stream in buckets of one width, and what they rest on.

Sums are made by the store, one row a bucket. A change-only stream (its properties say when silence means "no data") is
read as the step function that it is, each value weighted with the time that it held: a mean over its readings would
count the busy hours many times. Readings that are flagged as implausible are left out and counted.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from itertools import compress
from statistics import mode
from typing import Any, Literal, NamedTuple

import msgspec

from allmende.domain import spans, steps, times
from allmende.domain.errors import InvalidInput, LimitExceeded, NotFound
from allmende.domain.policy import Reader
from allmende.domain.query import ResultKind
from allmende.domain.spans import Head
from allmende.domain.store import Store
from allmende.knowledge.analyses.calendar import midnight, starts_between

Take = Literal["mean", "sum"]
WIDTHS = (15 * times.MINUTE, 30 * times.MINUTE, times.HOUR, times.DAY)
_LEAST_COVERED = 0.5
"""The share of a bucket in which a change-only stream has to have held a value."""
_TOLD_GAPS = 5


Steps = Callable[[Head, int, int], Sequence[steps.Segment]]
"""A stream from start to end as a step function, by somebody who knows more of it than its readings say: what was
closed, or not to be believed. A value that is flagged, and a segment without one, take part in nothing."""


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """How much one analysis may read."""

    buckets: int = 100_000
    """Of one stream; more than eleven years of hours."""
    readings: int = 500_000
    """Of one change-only stream, whose readings are walked one by one."""


USUAL = Limits()
"""Where nobody says otherwise."""


class Span(NamedTuple):
    """Days on the wall, both included."""

    first: date
    last: date

    @property
    def days(self) -> int:
        """How many."""
        return (self.last - self.first).days + 1

    def moved(self, days: int) -> "Span":
        """So many days later."""
        return Span(self.first + timedelta(days=days), self.last + timedelta(days=days))


class Gap(NamedTuple):
    """A part of a span without a value, in microseconds."""

    start: int
    end: int


class Basis(msgspec.Struct, frozen=True, kw_only=True):
    """What an answer rests on."""

    span: Span
    width: int
    values: int = 0
    """Readings that took part."""
    flagged: int = 0
    """Readings that were left out since they are flagged as implausible."""
    buckets: int = 0
    """Buckets of the span; those that were left out on purpose (holidays, other hours) are none of them."""
    filled: int = 0
    """Those with a value."""
    first: int | None = None
    """Where the first bucket with a value begins."""
    last: int | None = None
    gaps: tuple[Gap, ...] = ()
    """The longest parts without a value, at most five, the longest first."""

    @property
    def missing(self) -> int:
        """Buckets without a value."""
        return self.buckets - self.filled

    @property
    def share(self) -> float:
        """Of the buckets with a value, 0 to 1."""
        return self.filled / self.buckets if self.buckets else 0.0


class Values(msgspec.Struct, frozen=True, kw_only=True):
    """A stream over a span: one value for each bucket, None where there is none."""

    stream: Head
    zone: str
    starts: Sequence[int]
    values: Sequence[float | None]
    readings: Sequence[int]
    """How many took part in each bucket."""
    basis: Basis

    def kept(self, keeps: Sequence[bool]) -> "Values":
        """Those buckets alone; what was left out on purpose is no gap."""
        picked = list(compress(zip(self.starts, self.values, self.readings, strict=True), keeps))
        starts, values = [each[0] for each in picked], [each[1] for each in picked]
        readings = [each[2] for each in picked]
        ends = dict(zip(self.starts, [*self.starts[1:], self.end], strict=True))
        basis = basis_of(self.basis, starts, values, [ends[at] for at in starts], read=sum(readings))
        return msgspec.structs.replace(self, starts=starts, values=values, readings=readings, basis=basis)

    @property
    def end(self) -> int:
        """Where the span ends."""
        return midnight(self.basis.span.last + timedelta(days=1), self.zone)


def find_stream(store: Store, reader: Reader, identifier: str, *, simulated: bool = False) -> Head:
    """The stream of that id; raises NotFound for one that is not there, that the reader may not see, or that is
    simulated where that was not asked for."""
    found = next(iter(store.heads(reader, [identifier])), None)
    if found is None or (found.simulated and not simulated):
        raise NotFound("there is no stream %(id)s", where="stream", id=repr(identifier))
    return found


def read_values(
    store: Store,
    reader: Reader,
    stream: Head,
    span: Span,
    width: int,
    zone: str,
    *,
    take: Take = "mean",
    limits: Limits = USUAL,
    by: Steps | None = None,
) -> Values:
    """The stream in buckets of ``width`` (one of WIDTHS) on the clock of a zone; of truth values the share of true.

    A ``sum`` is given for buckets alone that have as many readings as most have: what an outage cut short is a gap. Of
    a change-only stream, whose readings are no amounts, there is none. With ``by`` it is read by that, as one of
    changes alone. Raises InvalidInput and LimitExceeded.
    """
    held = by is not None or is_held(stream)
    _check(stream, span, width, take, limits, held)
    starts = starts_between(span.first, span.last, width, zone)
    end = midnight(span.last + timedelta(days=1), zone)
    grain = _grain(starts, width, zone)
    if by is not None:
        _refuse_many(store, reader, stream, (starts[0], end, grain), limits)
        pieces, flagged = _pieces(by(stream, starts[0], end), (starts[0], end, grain))
    elif held:
        pieces, flagged = _walked(store, reader, stream, (starts[0], end, grain), zone, limits)
    else:
        pieces, flagged = _summed(store, reader, stream, (starts[0], end, grain))
    whole = _gathered(starts, end, pieces)
    if held:
        least = width * _LEAST_COVERED
        values = [each.total / each.weight if each.weight >= least else None for each in whole]
    elif take == "sum":
        usual = mode(each.readings for each in whole if each.readings) if pieces else 0
        values = [each.total if each.readings and each.readings >= usual else None for each in whole]
    else:
        values = [each.total / each.weight if each.weight else None for each in whole]
    readings = [each.readings for each in whole]
    empty = Basis(span=span, width=width, flagged=flagged)
    basis = basis_of(empty, starts, values, [*starts[1:], end], read=sum(readings))
    return Values(stream=stream, zone=zone, starts=starts, values=values, readings=readings, basis=basis)


def basis_of(
    basis: Basis, starts: Sequence[int], values: Sequence[float | None], ends: Sequence[int], *, read: int
) -> Basis:
    """What these buckets rest on; span, width and what was flagged stay."""
    filled = [at for at, value in zip(starts, values, strict=True) if value is not None]
    gaps: list[Gap] = []
    for at, end, value in zip(starts, ends, values, strict=True):
        if value is None:
            if gaps and gaps[-1].end == at:
                gaps[-1] = Gap(gaps[-1].start, end)
            else:
                gaps.append(Gap(at, end))
    return msgspec.structs.replace(
        basis,
        values=read,
        buckets=len(starts),
        filled=len(filled),
        first=filled[0] if filled else None,
        last=filled[-1] if filled else None,
        gaps=tuple(sorted(gaps, key=lambda gap: gap.start - gap.end)[:_TOLD_GAPS]),
    )


def is_held(stream: Head) -> bool:
    """Whether it tells of changes alone, so that a value holds until the next one."""
    return isinstance(stream.properties.get("silence"), dict)


def _check(stream: Head, span: Span, width: int, take: Take, limits: Limits, held: bool) -> None:
    if width not in WIDTHS:
        raise InvalidInput("a bucket is of 15, 30 or 60 minutes or of a day", where="width")
    if span.last < span.first:
        raise InvalidInput("the span ends before it begins", where="to")
    if span.days * (times.DAY // width) > limits.buckets:
        raise LimitExceeded("this span has too many buckets of this width", setting="ALLMENDE_ANALYSIS_BUCKETS")
    if held and take == "sum":
        raise InvalidInput("a stream that tells of changes alone has means, and no sums", where="take")


class _Piece(NamedTuple):
    """Part of a bucket. ``weight`` is the number of readings, or the microseconds that values held."""

    total: float = 0.0
    weight: float = 0.0
    readings: int = 0


_Cut = tuple[int, int, int]
"""Start, end and width of what is read, in microseconds."""


def _grain(starts: Sequence[int], width: int, zone: str) -> int:
    """Buckets of UTC that those of the zone are made of: the store counts them in whole numbers."""
    grain = min(width, times.HOUR)
    # a few zones are a quarter of an hour off
    return grain if all(at % grain == 0 for at in starts) else min(grain, 15 * times.MINUTE)


def _gathered(starts: Sequence[int], end: int, pieces: Mapping[int, _Piece]) -> list[_Piece]:
    whole = [_Piece()] * len(starts)
    for at, piece in pieces.items():
        place = bisect_right(starts, at) - 1
        if place >= 0 and at < end:
            held = whole[place]
            whole[place] = _Piece(held.total + piece.total, held.weight + piece.weight, held.readings + piece.readings)
    return whole


def _summed(store: Store, reader: Reader, stream: Head, cut: _Cut) -> tuple[dict[int, _Piece], int]:
    start, end, width = cut
    over = spans.Span(start=start, end=end, first=start, width=width)
    taken: spans.Taken = "boolean" if stream.kind == ResultKind.BOOLEAN else "number"
    sums = store.sums(reader, stream.id, [over], taken=taken, newest_run=stream.forecast)
    found = {
        each.start: _Piece(each.mean * each.values, each.values, each.values) for each in sums if each.mean is not None
    }
    return found, sum(each.flagged for each in sums)


def _walked(
    store: Store, reader: Reader, stream: Head, cut: _Cut, zone: str, limits: Limits
) -> tuple[dict[int, _Piece], int]:
    start, end, width = cut
    silence = steps.Silence.read(stream.properties["silence"], zone)
    _refuse_many(store, reader, stream, cut, limits)
    points = store.points(reader, stream.id, start, end, before=True)
    reach = silence.rewrite + silence.night + silence.slack
    reports = store.reports(reader, stream.source, start - reach, end + silence.night)
    # Behind the newest report nobody knows yet whether the value holds.
    known = min(end, reports[-1]) if reports else end
    segments = steps.read_steps(
        points.times,
        [_number(result) for result in points.results],
        points.flags,
        reports=reports,
        silence=silence,
        start=start,
        end=max(known, start),
    )
    counts = Counter(at // width * width for at in points.times if at >= start)
    found = _held_in(segments, cut, counts)
    return found, sum(1 for at, flag in zip(points.times, points.flags, strict=True) if flag and at >= start)


def _pieces(segments: Sequence[steps.Segment], cut: _Cut) -> tuple[dict[int, _Piece], int]:
    """Of a step function; each change of its value counts as a reading."""
    known = [each for each in segments if each.value is not None]
    counts = Counter(each.start // cut[2] * cut[2] for each in known if not each.flag)
    return _held_in(segments, cut, counts), sum(1 for each in known if each.flag)


def _held_in(segments: Sequence[steps.Segment], cut: _Cut, counts: Mapping[int, int]) -> dict[int, _Piece]:
    start, end, width = cut
    found = {}
    for piece in steps.buckets(segments, start=start, end=end, width=width):
        weight = piece.covered * width
        if piece.mean is not None:
            found[piece.start] = _Piece(piece.mean * weight, weight, counts.get(piece.start, 0))
    return found


def _refuse_many(store: Store, reader: Reader, stream: Head, cut: _Cut, limits: Limits) -> None:
    over = spans.Span(start=cut[0], end=cut[1], first=cut[0], width=cut[1] - cut[0])
    if sum(each.rows for each in store.sums(reader, stream.id, [over])) > limits.readings:
        raise LimitExceeded("this span has too many readings", setting="ALLMENDE_ANALYSIS_READINGS")


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None

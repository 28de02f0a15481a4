"""What a car park's counting says of a span: occupancy, hours full, gaps, doubts, and a lower bound of arrivals.

The counting is a step function (:mod:`allmende.domain.steps`): means are weighted with the time that a value held, and
where it is not known there is no value. Plain Python; times are microseconds, UTC.
"""

from collections.abc import Sequence
from itertools import pairwise

import msgspec

from allmende.domain.steps import Segment


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """The figures of one span. Durations in microseconds; a part of the span that is still to come is none of it."""

    start: int
    end: int
    known: int
    """How long a plausible value was known."""
    implausible: int
    """How long the value was flagged as implausible: it takes part in nothing else."""
    mean: float | None
    """Free spaces, weighted with time; None where none was known."""
    lowest: float | None
    lowest_at: int | None
    """When the lowest value was reached first."""
    full: int
    """How long no space was free."""
    shut: int = 0
    """How long none was since a jump to nothing, as car parks report that close: it takes part in nothing else."""
    arrivals: int
    """Sum of all drops of the free spaces: each is at least so many arrivals. Who comes while another leaves is not in
    it, nor what happened between two reports, in gaps or by jumps: a lower bound."""
    capacity: int | None = None

    @property
    def length(self) -> int:
        """The whole span."""
        return self.end - self.start

    @property
    def missing(self) -> int:
        """How long nothing was known."""
        return self.length - self.known - self.implausible - self.shut

    @property
    def occupancy(self) -> float | None:
        """Mean share of the spaces that were taken, 0 to 1; None without a capacity."""
        return self._share(self.mean)

    @property
    def peak(self) -> float | None:
        """The highest share that was taken."""
        return self._share(self.lowest)

    @property
    def turnover(self) -> float | None:
        """Arrivals for each space and day of known time, at least."""
        days = self.known / 86_400_000_000
        return self.arrivals / self.capacity / days if self.capacity and days else None

    def _share(self, free: float | None) -> float | None:
        if free is None or not self.capacity:
            return None
        return min(max(1 - free / self.capacity, 0.0), 1.0)


JUMP = 0.1
"""The share of the spaces, ten of them at least, that no traffic takes between two reports: what changes by more is a
counter that was set anew, or a car park that closes."""
_LEAST_JUMP = 10


def figures_of(segments: Sequence[Segment], start: int, end: int, capacity: int | None) -> Figures:
    """The figures of ``start`` to ``end`` by segments next to each other and in order. They may begin earlier, so that
    it is known how a car park came to be at nothing at the start."""
    most = max(_LEAST_JUMP, JUMP * (capacity or 0))
    known, closed = _apart(segments, most)
    known, closed, segments = (_cut(each, start) for each in (known, closed, segments))
    time = sum(piece.end - piece.start for piece in known)
    lowest = min(known, key=lambda piece: (piece.value, piece.start), default=None)
    drops = (_drop(one, following) for one, following in pairwise(known))
    total = sum((piece.value or 0) * (piece.end - piece.start) for piece in known)
    return Figures(
        start=start,
        end=end,
        known=time,
        implausible=sum(piece.end - piece.start for piece in segments if piece.value is not None and piece.flag),
        mean=total / time if time else None,
        lowest=lowest.value if lowest else None,
        lowest_at=lowest.start if lowest else None,
        full=sum(piece.end - piece.start for piece in known if piece.value is not None and piece.value <= 0),
        shut=sum(piece.end - piece.start for piece in closed),
        arrivals=sum(drop for drop in drops if drop <= most),
        capacity=capacity,
    )


def _cut(segments: Sequence[Segment], start: int) -> list[Segment]:
    return [piece._replace(start=max(piece.start, start)) for piece in segments if piece.end > start]


def _apart(segments: Sequence[Segment], most: float) -> tuple[list[Segment], list[Segment]]:
    """What is plausible, and where there was nothing since a jump to nothing."""
    known: list[Segment] = []
    shut: list[Segment] = []
    closed = False
    for piece in segments:
        if piece.value is None or piece.flag:
            continue
        if piece.value > 0:
            closed = False
        elif known and known[-1].end == piece.start and _drop(known[-1], piece) > most:
            closed = True
        (shut if closed else known).append(piece)
    return known, shut


def _drop(one: Segment, following: Segment) -> int:
    """By how much it fell between neighbours, 0 where there is something between them."""
    if one.end != following.start or one.value is None or following.value is None:
        return 0
    return max(int(one.value - following.value), 0)

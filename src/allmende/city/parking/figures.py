"""What a car park's counting says of a span: occupancy, hours full, gaps, doubts, and a lower bound of arrivals.

The counting is a step function (:mod:`allmende.domain.steps`): means are weighted with the time that a value held, and
where it is not known there is no value. Plain Python; times are microseconds, UTC.
"""

from collections.abc import Sequence
from itertools import pairwise

import msgspec

from allmende.city.parking.past import SHUT, Room, close_jumps, drop, jump_of
from allmende.domain.steps import Segment


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """The figures of one span. Durations in microseconds; a part of the span that is still to come is none of it."""

    start: int
    end: int
    known: int
    """How long a plausible value was known."""
    implausible: int
    """How long the value was not to be believed, or an operator had set it by hand: it takes part in nothing else."""
    mean: float | None
    """Free spaces, weighted with time; None where none was known."""
    lowest: float | None
    lowest_at: int | None
    """When the lowest value was reached first."""
    full: int
    """How long no space was free."""
    shut: int = 0
    """How long nobody could park: by a closure, at zero outside of its hours, at zero since a jump to nothing, as car
    parks report that close. It takes part in nothing else."""
    arrivals: int
    """Sum of all drops of the free spaces: each is at least so many arrivals. Who comes while another leaves is not in
    it, nor what happened between two reports, in gaps or by jumps: a lower bound."""
    capacity: int | None = None
    """Spaces at the end of the span."""
    spaces: float | None = None
    """Spaces, weighted with time."""
    occupancy: float | None = None
    """Mean share of the spaces that were taken, of those that there were at each time, 0 to 1; None where that is not
    known."""
    peak: float | None = None
    """The highest share that was taken."""

    @property
    def length(self) -> int:
        """The whole span."""
        return self.end - self.start

    @property
    def missing(self) -> int:
        """How long nothing was known."""
        return self.length - self.known - self.implausible - self.shut

    @property
    def turnover(self) -> float | None:
        """Arrivals for each space and day of known time, at least."""
        days = self.known / 86_400_000_000
        return self.arrivals / self.spaces / days if self.spaces and days else None


def figures_of(segments: Sequence[Segment], start: int, end: int, capacity: int | Sequence[Room] | None) -> Figures:
    """The figures of ``start`` to ``end`` by segments next to each other and in order. They may begin earlier, so that
    it is known how a car park came to be at nothing at the start. ``capacity`` may be another from time to time."""
    first = min(segments[0].start if segments else start, start)
    spaces = [Room(first, end, capacity)] if capacity is None or isinstance(capacity, int) else capacity
    segments = _cut(close_jumps(segments, spaces), start)
    known = [piece for piece in segments if piece.value is not None and not piece.flag]
    time = sum(piece.end - piece.start for piece in known)
    lowest = min(known, key=lambda piece: (piece.value, piece.start), default=None)
    drops = ((int(_drop(one, following)), one.end) for one, following in pairwise(known))
    total = sum((piece.value or 0) * (piece.end - piece.start) for piece in known)
    shares = _Shares(known, [room for room in spaces if room.end > start])
    return Figures(
        start=start,
        end=end,
        known=time,
        implausible=sum(piece.end - piece.start for piece in segments if piece.value is not None and piece.flag),
        mean=total / time if time else None,
        lowest=lowest.value if lowest else None,
        lowest_at=lowest.start if lowest else None,
        full=sum(piece.end - piece.start for piece in known if piece.value is not None and piece.value <= 0),
        shut=sum(piece.end - piece.start for piece in segments if piece.reason in SHUT),
        arrivals=sum(each for each, at in drops if each <= jump_of(spaces, at)),
        capacity=spaces[-1].spaces if spaces else None,
        spaces=shares.spaces,
        occupancy=shares.mean,
        peak=shares.peak,
    )


class _Shares:
    """Shares that were taken, of the spaces that there were at that time."""

    def __init__(self, known: Sequence[Segment], spaces: Sequence[Room]) -> None:
        taken = time = room_time = 0.0
        peak: float | None = None
        place = 0
        for piece in known:
            while place < len(spaces) and spaces[place].end <= piece.start:
                place += 1
            look = place
            while look < len(spaces) and spaces[look].start < piece.end:
                room = spaces[look].spaces
                span = min(piece.end, spaces[look].end) - max(piece.start, spaces[look].start)
                look += 1
                if not room or span <= 0:
                    continue
                share = 1 - (piece.value or 0) / room
                taken, time, room_time = taken + share * span, time + span, room_time + room * span
                peak = share if peak is None else max(peak, share)
        self.mean = _share(taken / time) if time else None
        self.peak = None if peak is None else _share(peak)
        self.spaces = room_time / time if time else None


def _share(value: float) -> float:
    return min(max(value, 0.0), 1.0)


def _cut(segments: Sequence[Segment], start: int) -> list[Segment]:
    return [piece._replace(start=max(piece.start, start)) for piece in segments if piece.end > start]


def _drop(one: Segment, following: Segment) -> float:
    """By how much it fell between neighbours, 0 where there is something between them."""
    return drop(one, following) if one.end == following.start else 0

"""What held for a site over a span of the past, and its counting put right by that.

The same rules as for the present (:mod:`allmende.city.parking.correcting`), moment by moment: a report of March takes
the capacity that counted in March, and what was closed then is neither full nor empty. Plain Python; times are
microseconds, UTC.
"""

from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

import msgspec

from allmende.domain.steps import Segment

SHUT = ("closure", "hours", "jump")
"""Why nobody could park, as the reason of a segment without a value."""
JUMP = 0.1
"""The share of the spaces, ten of them at least, that no traffic takes between two reports: what changes by more is a
counter that was set anew, or a car park that closes."""
_LEAST_JUMP = 10
Cuts = Callable[[int, int], Sequence[tuple[int, int]]]
"""Of a span the parts in which opening hours let nobody in."""


class Spell(NamedTuple):
    """From ``start`` until ``end`` (None: still) something held."""

    start: int
    end: int | None
    value: int = 0

    def at(self, moment: int) -> bool:
        """Whether it held at a moment."""
        return self.start <= moment and (self.end is None or moment < self.end)


class Doubted(NamedTuple):
    """A span of which the count was not to be believed, and why."""

    start: int
    end: int | None
    flag: str


class Room(NamedTuple):
    """A span with one number of spaces that were public and open; None where nobody knows it."""

    start: int
    end: int
    spaces: int | None


class Past(msgspec.Struct, frozen=True, kw_only=True):
    """What operators decided on a site, and what was found doubtful, with its times. Of several that hold at once the
    last one of a list counts, but leased spaces are added up."""

    capacities: tuple[Spell, ...] = ()
    """What was chosen among several statements on the capacity."""
    leases: tuple[Spell, ...] = ()
    parts: tuple[Spell, ...] = ()
    """Spaces of it that were closed."""
    offsets: tuple[Spell, ...] = ()
    """What its counter was off by, and was put right by."""
    closures: tuple[Spell, ...] = ()
    doubts: tuple[Doubted, ...] = ()

    def room(self, stated: int | None, moment: int) -> int | None:
        """Spaces at a moment, where ``stated`` is what sources said then."""
        chosen = _last(self.capacities, moment)
        whole = stated if chosen is None else chosen.value
        if whole is None:
            return None
        return max(self.public(whole, moment) - (part.value if (part := _last(self.parts, moment)) else 0), 0)

    def public(self, whole: int, moment: int) -> int:
        """Without those that were leased."""
        return max(whole - sum(each.value for each in self.leases if each.at(moment)), 0)


NOTHING = Past()


def _last(spells: Sequence[Spell], moment: int) -> Spell | None:
    return next((each for each in reversed(spells) if each.at(moment)), None)


def rooms(past: Past, stated: Sequence[tuple[int, int | None]], start: int, end: int) -> list[Room]:
    """How many spaces there were. ``stated`` is what sources said of the capacity, each from its moment on; the first
    counts also for what was before it."""
    edges = _edges((past.capacities, past.leases, past.parts), start, end)
    edges = sorted({*edges, *(moment for moment, _ in stated if start < moment < end)})
    found: list[Room] = []
    for begin, stop in pairwise(edges):
        known = [value for moment, value in stated if moment <= begin] or [value for _, value in stated[:1]]
        spaces = past.room(known[-1] if known else None, begin)
        if found and found[-1].spaces == spaces:
            found[-1] = found[-1]._replace(end=stop)
        else:
            found.append(Room(begin, stop, spaces))
    return found


def put_right(
    segments: Sequence[Segment], past: Past, spaces: Sequence[Room], shut_at: Cuts = lambda start, end: ()
) -> list[Segment]:
    """The step function with what operators knew: the offset of its counter, doubts as flags, and no value where nobody
    could park (SHUT). A garage that closes reports no free space: by its hours, or since a jump to nothing.

    Where the count itself was put right a microsecond is left out, so that this step is nobody's arrival.
    """
    if not segments:
        return []
    start, end = segments[0].start, segments[-1].end
    moved = set(_edges((past.offsets, past.parts), start, end)) - {start}
    edges = sorted({*moved, *_edges((past.closures, past.doubts), start, end), *(room.start for room in spaces)})
    rules = [_Rule.at(past, spaces, edge) for edge in edges]
    found, place = [], 0
    for piece in _cut(segments, edges):
        while place + 1 < len(edges) and edges[place + 1] <= piece.start:
            place += 1
        if piece.start in moved:
            piece = piece._replace(start=piece.start + 1)
        found.append(rules[place].righted(piece))
    closed = [span for span in shut_at(start, end) if span[0] < span[1]]
    return _close_hours(close_jumps(found, spaces), closed)


class _Rule(NamedTuple):
    """What holds from one edge to the next."""

    closed: bool
    flag: str
    offset: int
    part: bool
    top: int | None

    @classmethod
    def at(cls, past: Past, spaces: Sequence[Room], moment: int) -> "_Rule":
        doubt = next((each.flag for each in past.doubts if Spell(each.start, each.end).at(moment)), "")
        offset = _last(past.offsets, moment)
        return cls(
            closed=_last(past.closures, moment) is not None,
            flag=doubt,
            offset=offset.value if offset else 0,
            part=_last(past.parts, moment) is not None,
            top=room_at(spaces, moment),
        )

    def righted(self, piece: Segment) -> Segment:
        if self.closed:
            return Segment(piece.start, piece.end, None, "closure")
        if piece.value is None or piece.flag or self.flag:
            return piece if piece.value is None else piece._replace(flag=piece.flag or self.flag)
        free = piece.value
        if self.offset:
            free = max(free + self.offset, 0)
            free = free if self.top is None else min(free, max(self.top, piece.value))
        free = min(free, self.top) if self.part and self.top is not None else free
        return piece if free == piece.value else piece._replace(value=free)


def _close_hours(segments: Iterable[Segment], closed: Sequence[tuple[int, int]]) -> list[Segment]:
    """Nothing free while it is shut is no full car park; vehicles that stand in it overnight do take their spaces."""
    edges = [edge for span in closed for edge in span]
    found, place = [], 0
    for piece in _cut(list(segments), edges):
        while place < len(closed) and closed[place][1] <= piece.start:
            place += 1
        inside = place < len(closed) and closed[place][0] <= piece.start
        shut = inside and piece.value is not None and piece.value <= 0 and not piece.flag
        found.append(Segment(piece.start, piece.end, None, "hours") if shut else piece)
    return found


def close_jumps(segments: Sequence[Segment], spaces: Sequence[Room]) -> list[Segment]:
    """Where there was nothing since a jump to nothing it was closed."""
    found: list[Segment] = []
    last: Segment | None = None
    closed = False
    for piece in segments:
        if piece.value is None or piece.flag:
            found.append(piece)
            continue
        if piece.value > 0:
            closed = False
        elif last is not None and 0 <= piece.start - last.end <= 1 and drop(last, piece) > jump_of(spaces, piece.start):
            closed = True
        if closed:
            found.append(Segment(piece.start, piece.end, None, "jump"))
        else:
            found.append(piece)
            last = piece
    return found


def drop(one: Segment, following: Segment) -> float:
    """By how much it fell."""
    return max((one.value or 0) - (following.value or 0), 0)


def jump_of(spaces: Sequence[Room], moment: int) -> float:
    """What changes by more at one stroke is no traffic."""
    return max(_LEAST_JUMP, JUMP * (room_at(spaces, moment) or 0))


def room_at(spaces: Sequence[Room], moment: int) -> int | None:
    """How many spaces there were at a moment."""
    return next((each.spaces for each in spaces if each.start <= moment < each.end), None)


def _edges(lists: Iterable[Sequence[Spell] | Sequence[Doubted]], start: int, end: int) -> list[int]:
    found = {start, end}
    for spells in lists:
        for each in spells:
            found.update(edge for edge in (each.start, each.end) if edge is not None and start < edge < end)
    return sorted(found)


def _cut(segments: Sequence[Segment], edges: Sequence[int]) -> Iterable[Segment]:
    """The same segments, each in pieces that no edge lies in."""
    place = 0
    for piece in segments:
        while place < len(edges) and edges[place] <= piece.start:
            place += 1
        look, begin = place, piece.start
        while look < len(edges) and edges[look] < piece.end:
            yield piece._replace(start=begin, end=edges[look])
            begin = edges[look]
            look += 1
        yield piece if begin == piece.start else piece._replace(start=begin)

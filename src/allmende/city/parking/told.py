"""The counting of a site over a span as it is told afterwards: what was read, put right by what held then.

The one way to a past for histories, reports and planners' questions; the present has
:func:`allmende.city.parking.now.states_at`. Hours of opening are those of today.
"""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import msgspec

from allmende.city.parking.opening import Calendar, calendar_of, closed_spans
from allmende.city.parking.past import NOTHING, Cuts, Past, Room, put_right, rooms
from allmende.city.parking.sites import Site, SiteStream
from allmende.domain import steps, times
from allmende.domain.policy import Reader
from allmende.domain.profile import Profile
from allmende.domain.records import Json
from allmende.domain.store import Store

Pasts = Callable[[Site, str], Past]
"""What was decided on a site and the stream of its count."""
_LONGEST = timedelta(days=800)
"""Of a span over which hours are asked for, day by day."""


def nothing_decided(_site: Site, _stream: str) -> Past:
    """Where what was read is all that counts."""
    return NOTHING


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """A count of free spaces, and what is known beside it."""

    site: Site
    stream: SiteStream
    past: Past
    calendar: Calendar

    def read(self, store: Store, reader: Reader, start: int, end: int) -> tuple[list[steps.Segment], list[Room]]:
        """Free spaces as a step function over the span, and how many spaces there were."""
        segments = read_segments(store, reader, self.stream, start, end)
        spaces = rooms(self.past, self._stated(store, reader, start, end), start, end)
        return put_right(segments, self.past, spaces, self._shut()), spaces

    def _stated(self, store: Store, reader: Reader, start: int, end: int) -> Sequence[tuple[int, int | None]]:
        """What sources said of the capacity, as :class:`allmende.city.parking.counting.Counting` orders them."""
        own = next((s for s in self.site.streams if (s.quantity, s.spaces_for) == ("capacity", "")), None)
        if own is not None:
            points = store.points(reader, own.id, start, end, before=True)
            read = [(at, _number(value)) for at, value in zip(points.times, points.results, strict=True)]
            if known := [(at, value) for at, value in read if value]:
                return known
        said = next((s.value for s in self.site.said("capacity") if s.by != "operator" and s.value is not None), None)
        return [(start, self.stream.capacity or said)]

    def _shut(self) -> Cuts:
        hours = self.site.fact("opening_hours")
        if not hours:
            return lambda start, end: ()

        def cuts(start: int, end: int) -> list[tuple[int, int]]:
            begin, stop = times.to_datetime(start), times.to_datetime(end)
            if stop - begin > _LONGEST:
                return []
            return [
                (times.from_datetime(one), times.from_datetime(other))
                for one, other in closed_spans(hours, begin, stop, self.calendar)
            ]

        return cuts


def told_of(profile: Profile, site: Site, stream: SiteStream, pasts: Pasts = nothing_decided) -> Told:
    """How a count is told."""
    return Told(site=site, stream=stream, past=pasts(site, stream.id), calendar=calendar_of(profile))


def read_segments(store: Store, reader: Reader, stream: SiteStream, start: int, end: int) -> list[steps.Segment]:
    """What was read as a step function, with enough of what was before to know what held at the start.

    When the feed was alive is asked of it as far as it matters: what a feed of hundreds of streams reported is only
    read where the stream's own reports would leave it silent. What no source feeds reports by itself alone.
    """
    begin = start - stream.silence.rewrite - stream.silence.night - stream.silence.slack
    points = store.points(reader, stream.id, begin, end, before=True)
    reports = [at for at in points.times if at >= begin]
    if stream.source:
        quiet = steps.gaps([begin, *reports], stream.silence, end)
        others = [at for first, last in quiet for at in store.reports(reader, stream.source, first, last)]
        reports = sorted({*reports, *others})
    return steps.read_steps(
        points.times,
        [_number(result) for result in points.results],
        points.flags,
        reports=reports,
        silence=stream.silence,
        start=start,
        end=end,
    )


def _number(value: Json) -> Any:
    return int(value) if isinstance(value, int | float) else None

"""The monthly report: each car park's figures, beside those of the month before and of the same month a year before."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

import msgspec

from allmende.city.parking.counted import Counted
from allmende.city.parking.figures import Figures, figures_of
from allmende.city.parking.sites import Site
from allmende.city.parking.told import Told
from allmende.domain import times
from allmende.domain.errors import InvalidInput
from allmende.domain.policy import Reader
from allmende.domain.store import Store

SITES = 100
"""Car parks of one report, where the city does not say otherwise (``report_sites``)."""


class Month(NamedTuple):
    """A month of the calendar."""

    year: int
    month: int

    @classmethod
    def read(cls, text: str) -> "Month":
        """Of ``2026-11``. Raises InvalidInput."""
        try:
            found = datetime.strptime(text, "%Y-%m")  # noqa: DTZ007  a month has no zone
            if len(text) != 7 or not 1990 <= found.year <= 2200:
                raise ValueError
        except ValueError:
            raise InvalidInput("this is no month, e.g. 2026-11", where="month") from None
        return cls(found.year, found.month)

    def __str__(self) -> str:
        return f"{self.year}-{self.month:02}"

    @property
    def first(self) -> date:
        """Its first day."""
        return date(self.year, self.month, 1)

    def moved(self, months: int) -> "Month":
        """So many months later."""
        number = self.year * 12 + self.month - 1 + months
        return Month(number // 12, number % 12 + 1)

    def span(self, zone: str) -> tuple[int, int]:
        """Its beginning and its end on the clock of a zone, in microseconds."""
        begin, end = (
            datetime.combine(each.first, datetime.min.time(), ZoneInfo(zone)) for each in (self, self.moved(1))
        )
        return times.from_datetime(begin), times.from_datetime(end)


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One car park. A span without any reading of it is None."""

    site: Site
    simulated: bool
    estimated: bool
    begun: int | None = None
    """When it counted first, where that was within the month; in microseconds."""
    now: Figures | None
    before: Figures | None
    year_ago: Figures | None


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """A month. What is simulated stands behind what is measured; nothing is summed up over both."""

    month: Month
    lines: tuple[Line, ...]
    running: bool
    """Whether the month is not over yet."""
    left_out: int
    """Car parks beyond the limit."""
    made: datetime
    edition: int = 0
    """Of a month that was closed; 0: it is made as things are now."""
    hidden: int = 0
    """Car parks of a closed report that the reader does not see, or that are gone."""


def read_report(
    store: Store,
    reader: Reader,
    counted: Sequence[Counted],
    month: Month,
    now: datetime,
    *,
    zone: str,
    most: int = SITES,
) -> Report:
    """The report of a month for those car parks that have reported in it."""
    moment = times.from_datetime(now)
    begin, end = month.span(zone)
    wanted = [
        each
        for each in counted
        if each.head.first is not None and each.head.last is not None
        if each.head.first < end and each.head.last >= begin
    ]
    return Report(
        month=month,
        lines=tuple(_line(store, reader, each, month, zone, moment) for each in wanted[:most]),
        running=moment < end,
        left_out=max(len(wanted) - most, 0),
        made=now,
    )


def months_with_readings(counted: Sequence[Counted], zone: str, now: datetime) -> list[Month]:
    """The months of which there can be a report, the newest first."""
    heads = [each.head for each in counted]
    first = min((head.first for head in heads if head.first is not None), default=None)
    last = max((head.last for head in heads if head.last is not None), default=None)
    if first is None or last is None:
        return []
    local = ZoneInfo(zone)
    begin, end = (times.to_datetime(each).astimezone(local) for each in (first, min(last, times.from_datetime(now))))
    count = (end.year - begin.year) * 12 + end.month - begin.month
    newest = Month(end.year, end.month)
    return [newest.moved(-n) for n in range(count + 1)]


def _line(store: Store, reader: Reader, counted: Counted, month: Month, zone: str, moment: int) -> Line:
    def of(each: Month) -> Figures | None:
        begin, end = each.span(zone)
        return read_figures(store, reader, counted.told, begin, min(end, moment))

    first, (begin, _) = counted.head.first, month.span(zone)
    return Line(
        site=counted.site,
        simulated=counted.state.simulated,
        estimated=counted.stream.estimated,
        begun=first if first is not None and first >= begin + times.DAY else None,
        now=of(month),
        before=of(month.moved(-1)),
        year_ago=of(month.moved(-12)),
    )


def read_figures(store: Store, reader: Reader, told: Told, begin: int, end: int) -> Figures | None:
    """The figures of a count of free spaces over a span; None where nothing at all is known of it."""
    if begin >= end:
        return None
    segments, spaces = told.read(store, reader, begin - times.DAY, end)
    found = figures_of(segments, begin, end, spaces)
    return found if found.known or found.implausible or found.shut else None

"""What is usual at this hour of the week: the readings of the same hour of the city's time, some weeks back.

The median, and 1.4826 times the median distance from it, which of a normal distribution is its standard deviation:
neither is moved by a few weeks that were unusual themselves (Rousseeuw and Croux, 1993).
"""

from datetime import timedelta
from statistics import median
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from allmende.domain.policy import Reader
from allmende.domain.store import Store
from allmende.domain.times import HOUR, from_datetime, to_datetime
from allmende.knowledge.groups import Member

_TO_DEVIATION = 1.4826
_MOST_KEPT = 10_000


class Usual(NamedTuple):
    """Median and robust spread of an hour of the week."""

    median: float
    spread: float


class Habits:
    """Looks it up, each hour of each stream once."""

    def __init__(self, store: Store, reader: Reader, zone: str) -> None:
        self._store = store
        self._reader = reader
        self._zone = ZoneInfo(zone)
        self._known: dict[tuple[str, int, int, int], Usual | None] = {}

    def at(self, member: Member, time: int, weeks: int, least: int) -> Usual | None:
        """What is usual at a time; None where fewer than ``least`` of the weeks before have readings of that hour."""
        local = to_datetime(time).astimezone(self._zone).replace(minute=0, second=0, microsecond=0, fold=0)
        key = (member.stream, from_datetime(local), weeks, least)
        if key not in self._known:
            if len(self._known) >= _MOST_KEPT:
                self._known.clear()
            starts = [from_datetime(local - timedelta(weeks=back)) for back in range(1, weeks + 1)]
            self._known[key] = usual_of([self._numbers(member, start) for start in starts], least)
        return self._known[key]

    def _numbers(self, member: Member, start: int) -> list[float]:
        points = self._store.points(self._reader, member.stream, start, start + HOUR, newest_run=True)
        found: list[Any] = [value for value, flag in zip(points.results, points.flags, strict=True) if not flag]
        numbers = [value for value in found if isinstance(value, int | float) and not isinstance(value, bool)]
        return [member.convert(value) for value in numbers] if member.convert else numbers


def usual_of(weeks: list[list[float]], least: int) -> Usual | None:
    """Of the readings of each week; None where fewer than ``least`` of them have any."""
    if sum(1 for week in weeks if week) < least:
        return None
    values = [value for week in weeks for value in week]
    middle = median(values)
    return Usual(middle, _TO_DEVIATION * median(abs(value - middle) for value in values))


def deviation(value: float | None, usual: Usual | None) -> float | None:
    """How many spreads a value lies off; None where that cannot be said: all were the same, so that any other value
    would be infinitely unusual."""
    if value is None or usual is None:
        return None
    if usual.spread == 0:
        return 0.0 if value == usual.median else None
    return (value - usual.median) / usual.spread

"""Windows in the city's time: where they begin and end, also on the two days a year with 23 or 25 hours.

Windows of up to an hour follow each other by the clock that never jumps; longer ones begin at their hour of the city's
clock; those of days at midnight, of weeks on Monday, of months on the first. All times are microseconds, UTC.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from allmende.domain.errors import InvalidInput
from allmende.domain.times import DAY, HOUR, SECOND, from_datetime, parse_duration, parse_months, to_datetime

_FARTHEST = 400
"""Days between two starts of windows at most: a year, and some."""


class Grid:
    """The starts of windows."""

    def __init__(self, every: str, zone: str) -> None:
        """``every`` is a duration that divides a day (or an hour), a number of days, or of months that divides a year.

        Raises InvalidInput for another one.
        """
        self._months = parse_months(every)
        self._length = 0 if self._months else parse_duration(every)
        self._zone = ZoneInfo(zone)
        if self._months is not None:
            fits = 12 % self._months == 0
        elif self._length % DAY == 0:
            fits = 0 < self._length <= 366 * DAY
        else:
            fits = self._length >= SECOND and DAY % self._length == 0
            fits = fits and (HOUR % self._length == 0 or self._length % HOUR == 0)
        if not fits:
            raise InvalidInput(f"{every} is no length of windows: PT10M, PT1H, PT6H, P1D, P7D, P1M, P1Y are some")
        self._of_day = lru_cache(maxsize=32)(self._starts)
        self._is_start = lru_cache(maxsize=1024)(self._begins)

    def floor(self, moment: int) -> int:
        """The last start at or before a moment."""
        day = self._day(moment)
        for _ in range(_FARTHEST):
            if self._is_start(day):
                starts = self._of_day(day)
                place = bisect_right(starts, moment)
                if place:
                    return starts[place - 1]
            day -= timedelta(days=1)
        raise InvalidInput(f"no window begins before {moment}")

    def after(self, moment: int) -> int:
        """The first start after a moment."""
        return next(self.between(moment, 2**63))

    def between(self, low: int, high: int) -> Iterator[int]:
        """The starts after ``low`` and up to ``high``, in order."""
        day = self._day(low)
        # A window may begin at the end of one local day and its next at the beginning of another.
        while True:
            if self._is_start(day):
                for start in self._of_day(day):
                    if start > high:
                        return
                    if start > low:
                        yield start
            elif self._midnight(day) > high:
                return
            day += timedelta(days=1)

    def _day(self, moment: int) -> date:
        return to_datetime(moment).astimezone(self._zone).date()

    def _midnight(self, day: date) -> int:
        return from_datetime(datetime.combine(day, time(0), self._zone))

    def _begins(self, day: date) -> bool:
        if self._months is not None:
            return day.day == 1 and (day.month - 1) % self._months == 0
        # The first of January of the year 1 was a Monday.
        return self._length < DAY or (day.toordinal() - 1) % (self._length // DAY) == 0

    def _starts(self, day: date) -> list[int]:
        midnight = self._midnight(day)
        if self._months is not None or self._length >= DAY:
            return [midnight]
        following = self._midnight(day + timedelta(days=1))
        if self._length <= HOUR:
            return list(range(midnight, following, self._length))
        step = self._length // HOUR
        starts = {from_datetime(datetime.combine(day, time(hour), self._zone)) for hour in range(0, 24, step)}
        return sorted(start for start in starts if midnight <= start < following)


def span_of(times: list[int], low: int, high: int, *, closed: bool) -> tuple[int, int]:
    """The places of times in a span: ``(low, high]`` where ``closed``, else ``[low, high)``."""
    if closed:
        return bisect_right(times, low), bisect_right(times, high)
    return bisect_left(times, low), bisect_left(times, high)

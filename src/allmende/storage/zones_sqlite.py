"""Buckets of a zone's clock and percentiles for SQLite. They mean what ``zones_postgres.py`` means."""

from array import array
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from allmende.domain import times
from allmende.storage.buckets import FIRST, LAST

_NAIVE = times.to_datetime(0).replace(tzinfo=None)  # a clock on the wall
_MICROSECOND = timedelta(microseconds=1)


@lru_cache(maxsize=64)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def _shown(moment: int, name: str) -> int:
    """What a zone's clock shows, as microseconds."""
    if not FIRST <= moment <= LAST:
        return moment
    ahead = times.to_datetime(moment).astimezone(_zone(name)).utcoffset()
    return moment if ahead is None else moment + ahead // _MICROSECOND


@lru_cache(maxsize=8192)
def _begun(clock: int, name: str) -> int:
    """When a zone's clock shows this: for the first time, or where it is skipped, as far behind the gap."""
    if clock < times.EARLIEST:
        return times.EARLIEST
    ahead = (_NAIVE + timedelta(microseconds=clock)).replace(tzinfo=_zone(name)).utcoffset()
    return max(clock - (ahead // _MICROSECOND if ahead is not None else 0), times.EARLIEST)


def bucket(name: str, width: int, first: int, moment: int) -> int:
    """The start of the fixed bucket that a moment lies in, counted from ``first``."""
    ahead = _shown(moment, name) - moment
    clock = (moment + ahead - first) // width * width + first
    if not FIRST <= moment <= LAST:
        return max(clock, times.EARLIEST)
    straight = clock - ahead
    if width <= times.HOUR and _shown(straight, name) == clock:
        return max(straight, times.EARLIEST)
    return _begun(clock, name)


def months(name: str, number: int, moment: int) -> int:
    """The start of the bucket of so many months."""
    shown = times.to_datetime(_shown(moment, name))
    index = (shown.year * 12 + shown.month - 1) // number * number
    if index < 12:
        return times.EARLIEST
    clock = times.from_datetime(datetime(index // 12, index % 12 + 1, 1, tzinfo=UTC))
    return _begun(clock, name) if FIRST <= moment <= LAST else clock


class Percentile:
    """The value below which a fraction of the numbers lies, between two of them in proportion; null of none."""

    def __init__(self) -> None:
        self._values = array("d")
        self._fraction = 0.0

    def step(self, fraction: float, value: float | None, /) -> None:
        """Take a number in."""
        if value is not None:
            self._fraction = fraction
            self._values.append(value)

    def finalize(self) -> float | None:
        """The percentile of what was taken in."""
        if not self._values:
            return None
        ranked = sorted(self._values)
        place = self._fraction * (len(ranked) - 1)
        below = int(place)
        low = ranked[below]
        high = ranked[min(below + 1, len(ranked) - 1)]
        return low + (high - low) * (place - below)

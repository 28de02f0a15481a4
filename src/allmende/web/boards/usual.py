"""The last day of a stream, and what is usual at this time of the week: few narrow reads, no model."""

from datetime import datetime, timedelta
from statistics import fmean
from typing import Any, NamedTuple

from allmende.domain.policy import Reader
from allmende.domain.store import Points, Store
from allmende.domain.times import from_datetime, to_datetime
from allmende.web.boards.streams import Stream, as_shown
from allmende.web.citizens.chart import HEIGHT, WIDTH, Chart, draw

WEEKS = 4
"""Weeks back that are looked at for what is usual."""
_LEAST = 2
_AROUND = timedelta(minutes=45)
_DAY = timedelta(days=1)
_HOURS = 24
_STRAY = 1.0
"""Spreads of what was at this time; what lies within is as usual."""


class Course(NamedTuple):
    """The last day, and this moment among others like it."""

    chart: Chart | None
    rows: tuple[tuple[datetime, float], ...]
    """Means of its hours that have values, the newest first."""
    now: tuple[datetime, Any] | None
    """The reading nearest before this moment."""
    usual: float | None
    than: str
    """``higher``, ``lower``, ``same``; "" where nothing can be said."""
    width: int = WIDTH
    height: int = HEIGHT


def course_of(store: Store, reader: Reader, stream: Stream, now: datetime, *, usual: bool) -> Course:
    """Of one stream of numbers, in the unit that is shown; of forecasts by the newest run."""

    def points(start: datetime, end: datetime) -> Points:
        found = store.points(reader, stream.id, from_datetime(start), from_datetime(end), newest_run=True)
        found.results = [as_shown(result, stream.symbol) for result in found.results]
        return found

    day = points(now - _DAY, now + timedelta(seconds=1))
    pairs = _numbers(day)
    newest = (to_datetime(pairs[-1][0]), pairs[-1][1]) if pairs else None
    expected, than = None, ""
    if usual and newest is not None:
        weeks = (newest[0] - timedelta(weeks=week) for week in range(1, WEEKS + 1))
        means = [fmean(v for _, v in found) for at in weeks if (found := _numbers(points(at - _AROUND, at + _AROUND)))]
        if len(means) >= _LEAST:
            expected = fmean(means)
            spread = max(max(means) - min(means), abs(expected) * 0.05) * _STRAY / 2
            than = "same" if abs(newest[1] - expected) <= spread else "higher" if newest[1] > expected else "lower"
    return Course(draw(day), _hours(pairs), newest, expected, than)


def _numbers(points: Points) -> list[tuple[int, float]]:
    """Plausible numbers alone."""
    return [
        (at, float(value))
        for at, value, flag in zip(points.times, points.results, points.flags, strict=True)
        if not flag and isinstance(value, int | float) and not isinstance(value, bool)
    ]


def _hours(pairs: list[tuple[int, float]]) -> tuple[tuple[datetime, float], ...]:
    by_hour: dict[datetime, list[float]] = {}
    for at, value in pairs:
        by_hour.setdefault(to_datetime(at).replace(minute=0, second=0, microsecond=0), []).append(value)
    return tuple((hour, fmean(values)) for hour, values in sorted(by_hour.items(), reverse=True))[:_HOURS]

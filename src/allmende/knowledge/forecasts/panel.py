"""What is forecast and what it is forecast from, as arrays over one regular grid of time.

A column of :class:`Panel` is one step of time, a row one stream; NaN is "not known". All that a forecast with origin
``k`` may look at are columns up to ``k``, the calendar, and what others had forecast by then. Columns are labelled with
the start of their span (a stream that reports changes: with the instant), in microseconds.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec
import numpy as np
import numpy.typing as npt

from allmende.domain.times import DAY, MINUTE, to_datetime

Array = npt.NDArray[np.float64]
Places = npt.NDArray[np.int64]
"""Numbers of columns."""


class Foretold(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody else forecast of one quantity, as rows in the order of valid time and run."""

    start: int
    step: int
    """Of the grid, as in the panel."""
    spacing: int
    """Between two times that are forecast: a value holds so long. ``valid`` counts these since 1970."""
    valid: Places
    run: Places
    """The first column that begins when the run is there: origins before it do not know of it."""
    value: Array

    def at(self, origins: Places, targets: Places) -> Array:
        """For each pair of columns the value of the newest run that the origin knows, NaN where there is none."""
        if not len(self.valid):
            return np.full(len(targets), np.nan)
        wanted = (self.start + targets * self.step) // self.spacing
        base = int(self.valid[0])
        width = max(int(self.run.max()), int(origins.max(initial=0))) + 2
        keys = (self.valid - base) * width + self.run
        place = np.searchsorted(keys, (wanted - base) * width + np.maximum(origins, 0), side="right") - 1
        found = (place >= 0) & (self.valid[place] == wanted)
        return np.where(found, self.value[place], np.nan)


class Calendar(msgspec.Struct, frozen=True, kw_only=True):
    """The days of a grid as people live them, by column; longer than the panel by its furthest horizon."""

    shift: Places
    """By how many columns local time is ahead of UTC."""
    slot: Places
    """Number of the step in its local day."""
    weekday: Places
    """Monday is 0."""
    holiday: Array
    """1 on public holidays, else 0; ``eve`` and ``after`` the same of the days around."""
    eve: Array
    after: Array
    school: Array
    """1 in school holidays."""
    year: Array
    """Share of the year that is over, 0 to 1."""


class Panel(msgspec.Struct, frozen=True, kw_only=True):
    """Streams that are forecast together."""

    streams: list[str]
    start: int
    step: int
    values: Array
    low: Array
    """Below it no value can be, -inf where nothing is said. The same of ``high``."""
    high: Array
    whole: npt.NDArray[np.bool_]
    """Whether a stream counts, so that its values are whole numbers."""
    calendar: Calendar
    facts: Array
    """What is known of each stream for all time, a row each: position, capacity and the like, NaN where not."""
    seen: Mapping[str, Array] = {}
    """Other streams that may explain these, measured, by name."""
    foretold: Mapping[str, Foretold] = {}
    """And forecast by others."""

    @property
    def columns(self) -> int:
        """How many steps of time."""
        return int(self.values.shape[1])

    @property
    def day(self) -> int:
        """Columns of a day of 24 hours."""
        return DAY // self.step

    def time(self, column: int) -> int:
        """The label of a column."""
        return self.start + column * self.step

    def until(self, column: int) -> "Panel":
        """The same as if nothing behind a column had happened yet."""
        values = self.values.copy()
        values[:, column + 1 :] = np.nan
        seen = {name: np.where(np.arange(self.columns) <= column, row, np.nan) for name, row in self.seen.items()}
        return msgspec.structs.replace(self, values=values, seen=seen)


def same_time(calendar: Calendar, targets: Places, days: int, day: int) -> Places:
    """The columns of the same local time some days before, also where a clock was changed between; may be negative."""
    plain = targets - days * day
    inside = np.maximum(plain, 0)
    return plain + calendar.shift[targets] - calendar.shift[inside]


def make_calendar(
    start: int, step: int, columns: int, zone: str, public: frozenset[date], school: frozenset[date]
) -> Calendar:
    """The calendar of a grid. Days are those of the zone."""
    place = ZoneInfo(zone)
    moments = start + np.arange(columns, dtype=np.int64) * step
    offsets = _offsets(start, step, columns, place)
    local = moments + offsets
    days = local // DAY
    first, last = int(days.min()), int(days.max())
    listed = [date(1970, 1, 1) + timedelta(days=day) for day in range(first - 1, last + 2)]
    is_public = np.array([float(day in public) for day in listed])
    is_school = np.array([float(day in school) for day in listed])
    share = np.array([(day.timetuple().tm_yday - 1) / 366 for day in listed])
    here = days - first + 1
    return Calendar(
        shift=offsets // step,
        slot=(local % DAY) // step,
        weekday=(days + 3) % 7,
        holiday=is_public[here],
        eve=is_public[here + 1],
        after=is_public[here - 1],
        school=is_school[here],
        year=share[here],
    )


def _offsets(start: int, step: int, columns: int, zone: ZoneInfo) -> Places:
    """By how much local time is ahead of UTC at each column. It changes at quarters of an hour of UTC at most, so that
    only those are asked for."""
    quarter = max(step, 15 * MINUTE)
    numbers = (start + np.arange(columns, dtype=np.int64) * step) // quarter
    known, inverse = np.unique(numbers, return_inverse=True)
    asked = [_offset(to_datetime(int(number) * quarter), zone) for number in known]
    return np.array(asked, dtype=np.int64)[inverse]


def _offset(moment: datetime, zone: ZoneInfo) -> int:
    local = moment.astimezone(zone).replace(tzinfo=UTC)
    return (local - moment) // timedelta(microseconds=1)

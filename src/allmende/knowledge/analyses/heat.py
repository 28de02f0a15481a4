"""Heat maps of the calendar: hours of days, and days of months."""

from collections.abc import Iterable, Sequence

import msgspec
import numpy as np

from allmende.domain import times
from allmende.knowledge.analyses.calendar import days_between, missing_clocks, slots
from allmende.knowledge.analyses.values import Basis, Values

SHADES = 9


class Cell(msgspec.Struct, frozen=True):
    """``values`` is empty where nothing is known, and has two for the hour that comes twice when the clock is put back.

    A cell that does not ``exist`` (the hour that the clock skips, 30 February, a day outside of the span) is no gap.
    """

    values: tuple[float, ...] = ()
    exists: bool = True

    @property
    def mean(self) -> float | None:
        """Of its values."""
        return sum(self.values) / len(self.values) if self.values else None


class Heat(msgspec.Struct, frozen=True, kw_only=True):
    """``rows[r][c]``: hours 0 to 23 by the days of ``columns``, or the months of ``labels`` by the days 1 to 31."""

    labels: tuple[str, ...]
    """Of the rows: ``00`` to ``23``, or ``2024-02``."""
    columns: tuple[str, ...]
    """ISO days, or ``1`` to ``31``."""
    rows: tuple[tuple[Cell, ...], ...]
    low: float | None
    """Where the palest shade ends: two of a hundred values lie below."""
    high: float | None
    """Where the deepest shade begins."""
    basis: Basis

    def shade(self, value: float) -> int:
        """0 (palest) to SHADES - 1."""
        if self.low is None or self.high is None or self.high <= self.low:
            return SHADES // 2
        return min(max(int((value - self.low) / (self.high - self.low) * SHADES), 0), SHADES - 1)


def hours_by_day(values: Values) -> Heat:
    """Of a stream in hours: a column for each day, a row for each hour on the wall."""
    found: dict[tuple[str, int], list[float]] = {}
    for slot, value in zip(slots(values.starts, values.zone), values.values, strict=True):
        if value is not None:
            found.setdefault((slot.day.isoformat(), slot.hour), []).append(value)
    days = days_between(*values.basis.span)
    skipped = {
        (day.isoformat(), clock // times.HOUR) for day in days for clock in missing_clocks(day, values.zone, times.HOUR)
    }
    columns = tuple(day.isoformat() for day in days)
    rows = tuple(
        tuple(Cell(tuple(found.get((day, hour), ())), (day, hour) not in skipped) for day in columns)
        for hour in range(24)
    )
    labels = tuple(f"{hour:02}" for hour in range(24))
    return _heat(labels, columns, rows, values)


def days_by_month(values: Values) -> Heat:
    """Of a stream in days: a row for each month, a column for each day of it."""
    known = {
        slot.day: value
        for slot, value in zip(slots(values.starts, values.zone), values.values, strict=True)
        if value is not None
    }
    months: dict[tuple[int, int], dict[int, float | None]] = {}
    for day in days_between(*values.basis.span):
        months.setdefault((day.year, day.month), {})[day.day] = known.get(day)
    rows = [tuple(Cell(_one(held.get(day)), day in held) for day in range(1, 32)) for held in months.values()]
    labels = tuple(f"{year:04}-{month:02}" for year, month in months)
    return _heat(labels, tuple(str(day) for day in range(1, 32)), tuple(rows), values)


def _one(value: float | None) -> tuple[float, ...]:
    return () if value is None else (value,)


def _heat(
    labels: tuple[str, ...], columns: tuple[str, ...], rows: tuple[tuple[Cell, ...], ...], values: Values
) -> Heat:
    low, high = _ends(value for row in rows for cell in row for value in cell.values)
    return Heat(labels=labels, columns=columns, rows=rows, low=low, high=high, basis=values.basis)


def _ends(values: Iterable[float]) -> tuple[float | None, float | None]:
    numbers: Sequence[float] = list(values)
    if not numbers:
        return None, None
    low, high = np.quantile(numbers, (0.02, 0.98))  # one spike does not make all else pale
    return float(low), float(high)

"""The typical week: what is usual at each hour of the week, and how far it varies from week to week."""

from collections.abc import Collection, Sequence
from datetime import date

import msgspec
import numpy as np

from allmende.domain import times
from allmende.knowledge.analyses.calendar import slots
from allmende.knowledge.analyses.values import Basis, Values

LEAST_WEEKS = 4
"""With fewer, a tenth and nine tenths say nothing."""


class WeekSlot(msgspec.Struct, frozen=True, kw_only=True):
    """An hour (or quarter) of the week. Without values all figures are None."""

    weekday: int
    """0 is Monday."""
    clock: int
    """Microseconds since midnight, on the wall."""
    mean: float | None
    median: float | None
    low: float | None
    """A tenth of the values lies below."""
    high: float | None
    """A tenth of the values lies above."""
    weeks: int
    """Days that it rests on."""


class Week(msgspec.Struct, frozen=True, kw_only=True):
    """A whole week in the order of time, from Monday, 0:00."""

    slots: tuple[WeekSlot, ...]
    basis: Basis
    left_out: tuple[date, ...]
    """Days of the span that were left out."""

    @property
    def thin(self) -> int:
        """How many slots rest on fewer than LEAST_WEEKS weeks."""
        return sum(1 for slot in self.slots if slot.weeks < LEAST_WEEKS)


def typical_week(values: Values, leave_out: Collection[date] = ()) -> Week:
    """The usual week of a stream in buckets of an hour or less, without the days that are left out.

    The hour that comes twice when the clock is put back counts twice in its slot; the one that is skipped not at all.
    """
    width = values.basis.width
    found = slots(values.starts, values.zone)
    out = sorted({slot.day for slot in found if slot.day in leave_out})
    kept = values.kept([slot.day not in leave_out for slot in found])
    gathered: dict[tuple[int, int], list[tuple[date, float]]] = {}
    for slot, value in zip((slot for slot in found if slot.day not in leave_out), kept.values, strict=True):
        if value is not None:
            gathered.setdefault((slot.day.weekday(), slot.clock), []).append((slot.day, value))
    listed = (
        _slot(weekday, clock, gathered.get((weekday, clock), ()))
        for weekday in range(7)
        for clock in range(0, times.DAY, width)
    )
    return Week(slots=tuple(listed), basis=kept.basis, left_out=tuple(out))


def _slot(weekday: int, clock: int, found: Sequence[tuple[date, float]]) -> WeekSlot:
    if not found:
        return WeekSlot(weekday=weekday, clock=clock, mean=None, median=None, low=None, high=None, weeks=0)
    numbers = np.array([value for _, value in found])
    low, median, high = (float(each) for each in np.quantile(numbers, (0.1, 0.5, 0.9)))
    weeks = len({day for day, _ in found})
    mean = float(numbers.mean())
    return WeekSlot(weekday=weekday, clock=clock, mean=mean, median=median, low=low, high=high, weeks=weeks)

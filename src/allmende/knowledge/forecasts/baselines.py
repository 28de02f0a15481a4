"""Simple forecasts: always among the candidates, and what a model has to beat.

Each takes origins (columns of what is newest) and how many steps lie ahead, and gives an array of streams by origins by
steps ahead. None looks behind its origin: whatever it reads of a target's past lies a whole day or week before it.
"""

import warnings
from collections.abc import Sequence

import msgspec
import numpy as np
import numpy.typing as npt

from allmende.domain.times import HOUR
from allmende.knowledge.forecasts.panel import Array, Calendar, Panel, Places, same_time

LAST, DAY, WEEK, TYPICAL, CLIMATE = "last", "day", "week", "typical", "climate"
NAIVE = (LAST, DAY, WEEK)
"""Whoever says no more than one of these says nothing."""
SIMPLE = (*NAIVE, TYPICAL, CLIMATE)
WEEKS = (7, 14, 21)
_SLOTS = 48
_LATELY = 2 * HOUR


class Climate(msgspec.Struct, frozen=True, kw_only=True):
    """The mean of each stream by weekday (a public holiday is a Sunday) and half hour of the local day."""

    means: Array
    """Streams by 7 by 48."""

    def at(self, calendar: Calendar, columns: Places, day: int) -> Array:
        """Streams by columns."""
        weekday, slot = _kind_of_day(calendar, columns), calendar.slot[columns] * _SLOTS // day
        found: Array = self.means[:, weekday, np.minimum(slot, _SLOTS - 1)]
        return found


def learn_climate(panel: Panel, until: int) -> Climate:
    """From the columns up to one of them. What was never seen is filled from the mean of the half hour on all days."""
    columns = np.arange(until + 1)
    weekday = _kind_of_day(panel.calendar, columns)
    slot = np.minimum(panel.calendar.slot[columns] * _SLOTS // panel.day, _SLOTS - 1)
    means = np.full((len(panel.streams), 7, _SLOTS), np.nan)
    for number, row in enumerate(panel.values[:, : until + 1]):
        known = ~np.isnan(row)
        cell = weekday[known] * _SLOTS + slot[known]
        count = np.bincount(cell, minlength=7 * _SLOTS)
        total = np.bincount(cell, weights=row[known], minlength=7 * _SLOTS)
        with np.errstate(invalid="ignore"):
            means[number] = (total / np.where(count, count, np.nan)).reshape(7, _SLOTS)
    filled = np.where(np.isnan(means), mean_of(means, axis=1)[:, None, :], means)
    return Climate(means=filled)


def typical(panel: Panel, columns: Places) -> Array:
    """The mean of the same local time in the three weeks before, streams by columns."""
    pasts = [taken(panel.values, same_time(panel.calendar, columns, days, panel.day)) for days in WEEKS]
    return mean_of(np.stack(pasts), axis=0)


def deviation(panel: Panel, usual: Array, origins: Places) -> Array:
    """By how much the last two hours lay above the usual, streams by origins; ``usual`` is that of every column."""
    length = max(1, _LATELY // panel.step)
    off = panel.values - usual[:, : panel.columns]
    return mean_of(np.stack([taken(off, origins - back) for back in range(length)]), axis=0)


def simple(panel: Panel, origins: Places, ahead: Sequence[int], climate: Climate, usual: Array) -> dict[str, Array]:
    """Every simple forecast by its name. ``usual``: :func:`typical` of every column of the calendar."""
    targets = origins[:, None] + np.asarray(ahead)[None, :]
    flat = targets.ravel()
    shape = (len(panel.streams), *targets.shape)

    def before(days: int) -> Array:
        # A target may lie more than a day ahead: then the day before it is not over yet.
        enough = days * np.maximum(1, -(-np.asarray(ahead) // (days * panel.day)))
        found = np.empty(shape)
        for place, back in enumerate(enough):
            columns = same_time(panel.calendar, targets[:, place], int(back), panel.day)
            late = columns > origins  # the clock was changed between
            columns = np.where(late, columns - days * panel.day, columns)
            found[:, :, place] = taken(panel.values, columns)
        return found

    newest = taken(panel.values, origins)
    off = deviation(panel, usual, origins)
    return {
        LAST: np.broadcast_to(newest[:, :, None], shape).copy(),
        DAY: before(1),
        WEEK: before(7),
        TYPICAL: usual[:, flat].reshape(shape) + off[:, :, None],
        CLIMATE: climate.at(panel.calendar, flat, panel.day).reshape(shape),
    }


def bounded(panel: Panel, guesses: Array) -> Array:
    """Never below or above what a stream can be; streams first."""
    wide = (slice(None), *([None] * (guesses.ndim - 1)))
    clipped: Array = np.clip(guesses, panel.low[wide], panel.high[wide])
    return clipped


def taken(values: Array, columns: Places) -> Array:
    """Columns of an array, NaN for those that lie before or behind it."""
    inside = (columns >= 0) & (columns < values.shape[1])
    found: Array = values[:, np.where(inside, columns, 0)]
    return np.where(inside, found, np.nan)


def mean_of(values: Array, axis: int) -> Array:
    """The mean of what is known; NaN, without a warning, where nothing is."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        found: Array = np.nanmean(values, axis=axis)
    return found


def _kind_of_day(calendar: Calendar, columns: Places) -> npt.NDArray[np.int64]:
    return np.where(calendar.holiday[columns] > 0, 6, calendar.weekday[columns])

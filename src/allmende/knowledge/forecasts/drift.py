"""Whether a forecast errs more than it used to: the sign that something has changed that it does not know of.

What it missed by on each day is compared with what it missed by on the days of its back-test, in units of how much
that differs from day to day, and what is more than usual is summed up (CUSUM, Page 1954). One bad day is no change; a
week of days that are a little worse is, and so are two or three that are much worse. When the errors are as they were,
the sum falls back and the warning ends.
"""

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

import numpy as np

from allmende.knowledge.forecasts.panel import Array, Places

SLACK = 0.75
"""By how many spreads a day may be worse for nothing to be summed up."""
ALARM = 6.0
WORST = 4.0
"""No day counts for more: one day that went wrong is not a change."""
_LEAST_DAYS = 7
_FLOOR = 0.15


class Usual(NamedTuple):
    """What a day's mean absolute error is in the back-test, and by how much it differs from day to day."""

    mean: float
    spread: float


class Change(NamedTuple):
    """Since when it errs more than usual, and how many times as much."""

    since: date
    times: float


def usual_days(off: Array, days: Places) -> Usual | None:
    """From errors (origins by steps ahead, NaN where not known) and the day of each origin."""
    means = [
        float(np.nanmean(np.abs(off[days == day])))
        for day in np.unique(days)
        if np.isfinite(off[days == day]).sum() >= off.shape[1]
    ]
    if len(means) < _LEAST_DAYS:
        return None
    middle = float(np.mean(means))
    # No counter is so even that a tenth more would be news.
    return Usual(middle, max(float(np.std(means)), _FLOOR * middle, 1e-9))


def find_change(usual: Usual, errors: Sequence[tuple[date, float]]) -> Change | None:
    """The change that stands on the last of some days, given the mean absolute error of each, in order."""
    total, since = 0.0, None
    alarmed = False
    for day, error in errors:
        excess = min((error - usual.mean) / usual.spread - SLACK, WORST)
        total = min(max(0.0, total + excess), 2 * ALARM)
        if total == 0.0:
            since, alarmed = None, False
        elif since is None:
            since = day
        alarmed = alarmed or total >= ALARM
    if not alarmed or since is None:
        return None
    later = [error for day, error in errors if day >= since]
    return Change(since, float(np.mean(later)) / usual.mean if usual.mean > 0 else float("inf"))

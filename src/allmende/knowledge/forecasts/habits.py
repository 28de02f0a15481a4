"""What days like this one were like: features that last when a level does not.

A counter that drifts, a car park that lost a deck: what was said of levels is wrong then, and what was said of
*changes* between two times of the day is still right. So these tell by how much a stream changed from the time of the
origin to that of the target on earlier days, how much is missing to the most that it had lately, and how lively it is.
Whatever they look at lies at or before the origin.
"""

import warnings
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from allmende.domain.times import DAY, HOUR, MINUTE
from allmende.knowledge.forecasts.baselines import mean_of, taken
from allmende.knowledge.forecasts.panel import Array, Calendar, Panel, Places, same_time

REACH = 28
"""Days before the origin that are looked at."""
_KIN = 5
_WEEKS = (7, 14, 21, 28)
Named = Iterator[tuple[str, Array]]


def kind_of_day(calendar: Calendar, columns: Places) -> Places:
    """0 on workdays, 1 on Saturdays, 2 on Sundays and public holidays."""
    columns = np.clip(columns, 0, len(calendar.slot) - 1)
    weekday = calendar.weekday[columns]
    found: Places = np.where((calendar.holiday[columns] > 0) | (weekday == 6), 2, np.where(weekday == 5, 1, 0))
    return found


def courses(panel: Panel, origins: Places, targets: Places, newest: Array) -> Named:
    """By how much streams changed over the same span of earlier days, and where they stood then; in their own units,
    streams by origins by targets. ``targets`` is origins by steps ahead."""
    weeks = [_span(panel, origins, targets, days) for days in _WEEKS]
    for days, (change, level) in zip(_WEEKS, weeks, strict=True):
        yield f"week-change-{days}", change
        yield f"week-level-{days}", level - newest[:, :, None]
    changes = np.stack([change for change, _ in weeks])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of what nothing is known stays unknown
        yield "weeks-median", np.nanmedian(changes, axis=0)
        yield "weeks-least", np.nanmin(changes, axis=0)
        yield "weeks-most", np.nanmax(changes, axis=0)
    yield from _kin(panel, origins, targets, newest)


def _span(panel: Panel, origins: Places, targets: Places, days: int) -> tuple[Array, Array]:
    """Change and level some days before; NaN where that is not over at the origin."""
    flat = targets.ravel()
    columns = same_time(panel.calendar, flat, days, panel.day)
    columns = np.where(columns <= np.repeat(origins, targets.shape[1]), columns, -1)
    level = taken(panel.values, columns).reshape(len(panel.streams), *targets.shape)
    before = taken(panel.values, same_time(panel.calendar, origins, days, panel.day))
    return level - before[:, :, None], level


def _kin(panel: Panel, origins: Places, targets: Places, newest: Array) -> Named:
    """The mean of the last days of the same kind."""
    shape = (len(panel.streams), *targets.shape)
    change, level, count = np.zeros(shape), np.zeros(shape), np.zeros(shape)
    seen = np.zeros(targets.shape, dtype=np.int64)
    kind = kind_of_day(panel.calendar, targets)
    for days in range(1, REACH + 1):
        columns = same_time(panel.calendar, targets.ravel(), days, panel.day).reshape(targets.shape)
        alike = (columns >= 0) & (columns <= origins[:, None]) & (seen < _KIN)
        alike &= kind_of_day(panel.calendar, columns) == kind
        if not alike.any():
            continue
        one, at = _span(panel, origins, targets, days)
        used = alike[None] & ~np.isnan(one)
        change += np.where(used, one, 0)
        level += np.where(used, at, 0)
        count += used
        seen += alike
    with np.errstate(invalid="ignore"):
        known = np.where(count > 0, count, np.nan)
        yield "kin-change", change / known
        yield "kin-level", level / known - newest[:, :, None]


def states(panel: Panel, origins: Places, newest: Array, usual: Array) -> Named:
    """How it stands with each stream, streams by origins: in its own units."""
    step = panel.step
    for span in (30 * MINUTE, HOUR, 2 * HOUR):
        length = max(2, span // step + 1)
        past = np.stack([taken(panel.values, origins - back) for back in range(length)])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            yield f"spread-{span // MINUTE}", np.nanstd(past, axis=0)
    for span in (15 * MINUTE, HOUR):
        length = max(2, span // step + 1)
        past = np.stack([taken(panel.values, origins - back) for back in range(length)])
        yield f"off-mean-{span // MINUTE}", newest - mean_of(past, axis=0)
    off = panel.values - usual[:, : panel.columns]
    for span in (15 * MINUTE, 30 * MINUTE, HOUR, 6 * HOUR):
        length = max(1, span // step)
        yield f"off-{span // MINUTE}", mean_of(np.stack([taken(off, origins - back) for back in range(length)]), 0)
    moved = np.concatenate(
        [np.zeros((len(panel.streams), 1)), np.abs(np.nan_to_num(np.diff(panel.values, axis=1)))], axis=1
    ).cumsum(axis=1)
    for days in (1, 3, 7):
        width = days * panel.day
        yield f"room-{days}", highest(panel.values, width)[:, origins] - newest
        yield f"lively-{days}", (moved[:, origins] - moved[:, np.maximum(origins - width, 0)]) / days


def marks(panel: Panel, origins: Places, targets: Places, newest: Array) -> Named:
    """What has no unit, streams by origins by targets or what is broadcast to it."""
    calendar, step = panel.calendar, panel.step
    yield "origin-time", (calendar.slot[origins] * step / HOUR)[None, :, None]
    for name, days in (("kind", 0), ("kind-next", 1), ("kind-before", -1)):
        yield name, kind_of_day(calendar, targets + days * panel.day)[None].astype(float)
    floor = np.where(np.isfinite(panel.low), panel.low, np.nan)[:, None]
    yield "at-floor", np.where(np.isnan(newest), np.nan, newest <= floor)[:, :, None]
    pasts = [_span(panel, origins, targets, days)[1] for days in _WEEKS[:3]]
    yield (
        "floor-then",
        mean_of(np.stack([np.where(np.isnan(past), np.nan, past <= floor[:, :, None]) for past in pasts]), axis=0),
    )
    yield "quiet", np.minimum(unchanged(panel, origins) * step, DAY)[:, :, None] / HOUR


def unchanged(panel: Panel, origins: Places) -> Places:
    """For how many columns each stream has stood still, streams by origins."""
    changed = np.zeros(panel.values.shape, dtype=np.int64)
    changed[:, 1:] = np.where(np.diff(panel.values, axis=1) != 0, np.arange(1, panel.columns), 0)
    since: Places = origins[None, :] - np.maximum.accumulate(changed, axis=1)[:, origins]
    return since


def highest(values: Array, width: int) -> Array:
    """The most of the last ``width`` columns of each column, this one among them; -inf where nothing is known."""
    streams, columns = values.shape
    whole = -(-columns // width) * width
    padded = np.full((streams, whole), -np.inf)
    padded[:, :columns] = np.where(np.isnan(values), -np.inf, values)
    blocks = padded.reshape(streams, -1, width)
    ahead = np.maximum.accumulate(blocks, axis=2).reshape(streams, whole)
    back = np.maximum.accumulate(blocks[:, :, ::-1], axis=2)[:, :, ::-1].reshape(streams, whole)
    first = np.arange(columns) - width + 1
    before: npt.NDArray[np.float64] = np.where(first >= 0, back[:, np.maximum(first, 0)], -np.inf)
    found: Array = np.maximum(ahead[:, :columns], before)
    return found

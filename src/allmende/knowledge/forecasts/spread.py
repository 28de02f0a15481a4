"""How far a forecast may be off: intervals and probabilities from what it missed by on days that it had not seen.

Split conformal prediction: errors of the back-test, divided by how far off one would have expected it to be there, are
kept as quantiles. What comes out holds its share of the outcomes whatever the errors look like, as long as the coming
days are like those of the back-test; the live hit rate tells whether they are.
"""

import math
from collections.abc import Sequence

import msgspec
import numpy as np

from allmende.knowledge.forecasts.baselines import mean_of
from allmende.knowledge.forecasts.panel import Array, Places

LEVELS = (0.01, 0.025, 0.05, 0.075, 0.1, 0.125, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5,
          0.6, 0.7, 0.75, 0.8, 0.85, 0.875, 0.9, 0.925, 0.95, 0.975, 0.99)  # fmt: skip
_PARTS = 3
"""Of the steps ahead: near, middle, far."""
_HOURS = 8
"""Parts of the day in which a simple forecast is off by different amounts."""
_FEW = 150
_NARROWEST = 1e-6


class Spread(msgspec.Struct, frozen=True, kw_only=True):
    """Of one candidate."""

    widths: list[list[list[float]]] = []
    """How far off it is on average: streams by parts of the steps ahead by parts of the day; none where a model says
    it for each row."""
    quantiles: list[list[list[float]]] = []
    """Streams by parts of the steps ahead: errors in widths at :data:`LEVELS`."""

    def width(self, ahead: Places, steps: int, slot: Places, day: int) -> Array:
        """Streams by origins by steps ahead; ``slot`` is of the targets, origins by steps ahead."""
        table = np.array(self.widths)
        found: Array = table[:, part_of(ahead, steps)[None, :], slot * _HOURS // day]
        return found

    def ends(self, middle: Array, width: Array, ahead: Places, steps: int, share: float | Array) -> tuple[Array, Array]:
        """Lower and upper end of the interval that is to hold a share of the outcomes, of all streams or of each."""
        shares = np.broadcast_to(np.asarray(share, dtype=float), (len(self.quantiles),))
        parts = part_of(ahead, steps)
        lower = _between(self.quantiles, (1 - shares) / 2)[:, None, parts] * width + middle
        upper = _between(self.quantiles, (1 + shares) / 2)[:, None, parts] * width + middle
        return lower, upper

    def chance(self, middle: Array, width: Array, ahead: Places, steps: int, least: float) -> Array:
        """The probability that the outcome is at least so much, by stream, origin and step ahead."""
        table = np.array(self.quantiles)
        parts = part_of(ahead, steps)
        found = np.empty(middle.shape)
        levels = np.concatenate([[0.0], LEVELS, [1.0]])
        for stream in range(middle.shape[0]):
            for place, part in enumerate(parts):
                known = table[stream, part]
                # Beyond what was seen the tails go on by as much as lies between the last two levels.
                ends = [2 * known[0] - known[1] - _NARROWEST, *known, 2 * known[-1] - known[-2] + _NARROWEST]
                off = (least - middle[stream, :, place]) / width[stream, :, place]
                below = np.interp(off, ends, levels)
                found[stream, :, place] = np.where(np.isnan(off), math.nan, 1 - below)
        return found


def part_of(ahead: Places | Sequence[int], steps: int) -> Places:
    """Near, middle or far: 0, 1 or 2."""
    parts: Places = np.minimum((np.asarray(ahead) - 1) * _PARTS // steps, _PARTS - 1)
    return parts


def learn_widths(off: Array, ahead: Places, steps: int, slot: Places, day: int) -> list[list[list[float]]]:
    """Mean absolute errors; ``off`` is streams by origins by steps ahead. Where few are known, of the whole day."""
    parts, hours = part_of(ahead, steps), slot * _HOURS // day
    table = np.full((off.shape[0], _PARTS, _HOURS), np.nan)
    size = np.abs(off)
    for part in range(_PARTS):
        here = size[:, :, parts == part]
        for hour in range(_HOURS):
            mask = hours[:, parts == part] == hour
            if mask.sum() >= _FEW // 5:
                table[:, part, hour] = mean_of(here[:, mask], axis=1)
        whole = mean_of(here.reshape(off.shape[0], -1), axis=1) if here.size else np.full(off.shape[0], np.nan)
        table[:, part] = np.where(np.isnan(table[:, part]), whole[:, None], table[:, part])
    table = np.where(np.isnan(table), mean_of(table, axis=1)[:, None, :], table)
    return np.maximum(np.nan_to_num(table), _NARROWEST).tolist()  # type: ignore[no-any-return]  # numpy's is Any


def learn_quantiles(off: Array, width: Array, ahead: Places, steps: int) -> list[list[list[float]]]:
    """Errors in widths at all levels; of a stream with few of them those of all streams. Corrected for their number as
    conformal prediction asks for: the ends are taken a little further out."""
    scaled, parts = off / width, part_of(ahead, steps)
    table = []
    for stream in range(off.shape[0]):
        rows = []
        for part in range(_PARTS):
            some = scaled[stream][:, parts == part]
            known = some[~np.isnan(some)]
            if len(known) < _FEW:
                pooled = scaled[:, :, parts == part] if (parts == part).any() else scaled
                known = pooled[~np.isnan(pooled)]
            rows.append(_quantiles(known))
        table.append(rows)
    return table


def _quantiles(known: Array) -> list[float]:
    if not len(known):
        return [0.0] * len(LEVELS)
    count = len(known)
    further = [min(1.0, max(0.0, 0.5 + (level - 0.5) * (count + 1) / count)) for level in LEVELS]
    return [float(value) for value in np.quantile(known, further)]


def _between(quantiles: list[list[list[float]]], levels: Array) -> Array:
    """Streams by parts: the quantile at each stream's level, also between two that are kept."""
    return np.array(
        [[np.interp(level, LEVELS, part) for part in stream] for stream, level in zip(quantiles, levels, strict=True)]
    )

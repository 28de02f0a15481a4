"""How sure a difference of two means is when neighbours in time are alike: the moving-block bootstrap (Künsch 1989).

Blocks of consecutive days are drawn instead of days, so that what lasts for some days lasts in what is drawn, too.
"""

from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

LEAST_USUAL = 14
"""Days of comparison below which nothing is said of how sure a difference is."""
_LEAST_OWN = 7
"""Days from which a window tells of its own variation."""
Numbers = NDArray[np.float64]


class Estimate(msgspec.Struct, frozen=True):
    """A difference, and where it lies with 95 %; ``low`` and ``high`` are None where too few days are there."""

    value: float
    low: float | None = None
    high: float | None = None

    @property
    def clear(self) -> bool:
        """Whether no difference at all is ruled out."""
        return self.low is not None and self.high is not None and (self.low > 0 or self.high < 0)


def difference(usual: Sequence[float], then: Sequence[float], *, draws: int, seed: int) -> Estimate:
    """The mean of ``then``, and where it lies as far as these days vary: one number a day in the order of time, each
    above what is usual. ``usual`` are the same of the days that tell what is usual: of them counts how they vary.

    A window of fewer than a week does not tell how much it varies itself: it is held to vary as usual days do.
    """
    a, b = np.array(usual, dtype=np.float64), np.array(then, dtype=np.float64)
    value = float(b.mean())
    if len(a) < LEAST_USUAL:
        return Estimate(value)
    chance = np.random.default_rng(seed)
    noise = a - a.mean()
    own = b - b.mean() if len(b) >= _LEAST_OWN else noise
    spread = _means(own, len(b), draws, chance) - _means(noise, len(a), draws, chance)
    low, high = (float(each) for each in np.quantile(spread, (0.025, 0.975)))
    return Estimate(value, value - high, value - low)


def _means(noise: Numbers, days: int, draws: int, chance: np.random.Generator) -> Numbers:
    """Means of so many days, drawn in blocks of neighbours."""
    size = len(noise)
    block = min(max(round(2 * size ** (1 / 3)), 2), size)
    blocks = -(-days // block)
    begins = chance.integers(0, size - block + 1, (draws, blocks))
    picked = (begins[:, :, None] + np.arange(block)).reshape(draws, -1)[:, :days]
    # A mean is known of the same days that it is taken from: they vary less around it than around the true one.
    return np.asarray(noise[picked].mean(axis=1) * np.sqrt(size / max(size - block, 1)), dtype=np.float64)

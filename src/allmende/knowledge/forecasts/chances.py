"""Probabilities that hold: of what was told with 70 percent, seven of ten shall come.

What a distribution of errors says of "at least one is free" is right at its ends and too sure of itself between them,
since near zero errors are not what they are elsewhere. So what was told in the back-test is compared with what came,
and put right by the closest curve that never falls (isotonic regression by pooling adjacent violators).
"""

import msgspec
import numpy as np

from allmende.knowledge.forecasts.panel import Array

_BINS = 60
_FEW = 200
_SUREST = 0.998


class Curve(msgspec.Struct, frozen=True, kw_only=True):
    """From what is told to what comes, as knots; straight between them."""

    least: float
    told: list[float]
    came: list[float]

    def right(self, chance: Array) -> Array:
        """Put right; what is not known stays so."""
        found: Array = np.where(np.isnan(chance), np.nan, np.interp(chance, self.told, self.came))
        return found


def learn_curve(least: float, chance: Array, came: Array) -> Curve | None:
    """From probabilities and outcomes (1, 0, NaN where nobody knows); None where there is too little to learn from."""
    known = ~np.isnan(chance) & ~np.isnan(came)
    if known.sum() < _FEW:
        return None
    order = np.argsort(chance[known], kind="stable")
    told, truth = chance[known][order], came[known][order]
    # Most are told with next to certainty: pieces of equal width, so that those between are not lost among them.
    piece = np.minimum((told * _BINS).astype(np.int64), _BINS - 1)
    count = np.bincount(piece, minlength=_BINS).astype(float)
    used = count > 0
    centre = np.bincount(piece, weights=told, minlength=_BINS)[used] / count[used]
    share = np.bincount(piece, weights=truth, minlength=_BINS)[used] / count[used]
    rising = _rising(share, count[used])
    return Curve(
        least=least,
        told=[round(float(value), 5) for value in centre],
        came=[round(float(value), 5) for value in np.clip(rising, 1 - _SUREST, _SUREST)],
    )


def _rising(values: Array, weights: Array) -> Array:
    """The closest values that never fall."""
    blocks: list[list[float]] = []
    for value, weight in zip(values, weights, strict=True):
        blocks.append([float(value), float(weight), 1])
        while len(blocks) > 1 and blocks[-2][0] > blocks[-1][0]:
            last = blocks.pop()
            total = blocks[-1][1] + last[1]
            blocks[-1] = [(blocks[-1][0] * blocks[-1][1] + last[0] * last[1]) / total, total, blocks[-1][2] + last[2]]
    return np.concatenate([np.full(int(size), value) for value, _, size in blocks])

"""Whether two streams go together: correlation with an interval, the shift that fits best, and the pairs themselves.

The interval is Fisher's, with the number of pairs that are worth an independent one in place of the number of pairs:
neighbours in time are alike, and a thousand hours are no thousand observations (Bartlett 1935; Bretherton et al. 1999,
https://doi.org/10.1175/1520-0442(1999)012<1990:TENOSD>2.0.CO;2). For ranks its variance is 1.06 / (n - 3) (Fieller,
Hartley and Pearson 1957).
"""

import math
from collections.abc import Sequence
from statistics import NormalDist
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from allmende.domain.errors import InvalidInput
from allmende.knowledge.analyses.values import Values

LEAST_PAIRS = 10
_BINS = 40
_RANKS = 1.06
Numbers = NDArray[np.float64]


class Coefficient(msgspec.Struct, frozen=True):
    """``value`` from -1 to 1, and where it lies with 95 %: None where too few pairs are independent."""

    value: float
    low: float | None
    high: float | None
    effective: float
    """How many independent pairs these are worth."""


class Lag(msgspec.Struct, frozen=True):
    """Pearson's coefficient where the second stream is read ``shift`` buckets later than the first."""

    shift: int
    value: float
    pairs: int


class Bin(msgspec.Struct, frozen=True):
    """How many pairs lie in a rectangle of the plane."""

    x: float
    y: float
    wide: float
    high: float
    pairs: int


class Pairing(msgspec.Struct, frozen=True, kw_only=True):
    """Two streams over common buckets. Coefficients are None for too few pairs, or where one stream never changes."""

    pairs: int
    pearson: Coefficient | None
    spearman: Coefficient | None
    lags: tuple[Lag, ...]
    best: Lag | None
    """Where the coefficient is farthest from 0; None where no shift was asked for."""
    points: tuple[tuple[float, float], ...]
    """All pairs where they are few enough to be drawn, else empty."""
    bins: tuple[Bin, ...]
    """Else how many lie where."""

    @property
    def few(self) -> bool:
        """Whether there are too few pairs to say anything."""
        return self.pairs < LEAST_PAIRS


def correlate(first: Values, second: Values, *, shifts: int = 0, most_points: int = 2_000) -> Pairing:
    """Two streams in the same buckets, shifted against each other by up to ``shifts`` buckets either way.

    Raises InvalidInput where their buckets are not the same.
    """
    if list(first.starts) != list(second.starts):
        raise InvalidInput("both streams are read over the same span in buckets of one width")
    x, y = _numbers(first.values), _numbers(second.values)
    both = ~(np.isnan(x) | np.isnan(y))
    pairs = int(both.sum())
    varies = pairs >= LEAST_PAIRS and _varies(x[both]) and _varies(y[both])
    lags = tuple(_scan(x, y, shifts, pairs)) if varies and shifts else ()
    few = pairs <= most_points
    return Pairing(
        pairs=pairs,
        pearson=_coefficient(x, y, both, 1.0) if varies else None,
        spearman=_coefficient(_ranked(x, both), _ranked(y, both), both, _RANKS) if varies else None,
        lags=lags,
        best=max(lags, key=lambda lag: (abs(lag.value), -abs(lag.shift)), default=None),
        points=tuple(zip(x[both].tolist(), y[both].tolist(), strict=True)) if few else (),
        bins=() if few else tuple(_binned(x[both], y[both])),
    )


def _numbers(values: Sequence[float | None]) -> Numbers:
    return np.array([math.nan if value is None else value for value in values], dtype=np.float64)


def _varies(numbers: Numbers) -> bool:
    return bool(numbers.max() > numbers.min())


def _pearson(x: Numbers, y: Numbers) -> float:
    dx, dy = x - x.mean(), y - y.mean()
    scale = math.sqrt(float(dx @ dx)) * math.sqrt(float(dy @ dy))
    return max(-1.0, min(1.0, float(dx @ dy) / scale)) if scale else math.nan


def _ranked(numbers: Numbers, both: NDArray[np.bool_]) -> Numbers:
    """Ranks of what takes part, equal values sharing theirs."""
    _, place, counts = np.unique(numbers[both], return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    ranks = np.full(len(numbers), math.nan)
    ranks[both] = ((2 * ends - counts + 1) / 2)[place]
    return ranks


def _coefficient(x: Numbers, y: Numbers, both: NDArray[np.bool_], variance: float) -> Coefficient:
    value = _pearson(x[both], y[both])
    effective = _effective(x, y, both)
    if effective <= 4 or abs(value) >= 1:
        return Coefficient(value, None, None, effective)
    reach = NormalDist().inv_cdf(0.975) * math.sqrt(variance / (effective - 3))
    middle = math.atanh(value)
    return Coefficient(value, math.tanh(middle - reach), math.tanh(middle + reach), effective)


def _effective(x: Numbers, y: Numbers, both: NDArray[np.bool_]) -> float:
    """The number of independent pairs that these are worth: n / (1 + 2 Σ (1 - k/n) ρx(k) ρy(k))."""
    pairs = int(both.sum())
    most = pairs // 4
    products = _autocorrelation(x, both, most) * _autocorrelation(y, both, most)
    weights = 1 - np.arange(1, most + 1) / pairs
    inflation = 1 + 2 * float(weights @ products)
    return min(float(pairs), pairs / inflation) if inflation > 0 else float(pairs)


def _autocorrelation(numbers: Numbers, both: NDArray[np.bool_], most: int) -> Numbers:
    """Of 1 to ``most`` buckets, over gaps: each of those neighbours that are both there."""
    centred = np.where(both, numbers - numbers[both].mean(), 0.0)
    size = 1 << (2 * len(numbers) - 1).bit_length()

    def against_itself(series: Any) -> Numbers:
        turned = np.fft.rfft(series, size)
        return np.asarray(np.fft.irfft(turned * np.conj(turned), size)[: most + 1], dtype=np.float64)

    sums, counts = against_itself(centred), against_itself(both.astype(np.float64))
    covariance = np.where(counts > 0.5, sums / np.maximum(counts, 1.0), 0.0)
    return np.clip(covariance[1:] / covariance[0], -1.0, 1.0) if covariance[0] > 0 else np.zeros(most)


def _scan(x: Numbers, y: Numbers, most: int, pairs: int) -> list[Lag]:
    """Shifts with at least half of the pairs that there are without one."""
    found = []
    size = len(x)
    for shift in range(-most, most + 1):
        if abs(shift) >= size:
            continue
        left, right = x[max(0, -shift) : size - max(0, shift)], y[max(0, shift) : size + min(0, shift)]
        both = ~(np.isnan(left) | np.isnan(right))
        count = int(both.sum())
        if count < max(LEAST_PAIRS, pairs / 2):
            continue
        value = _pearson(left[both], right[both])
        if not math.isnan(value):
            found.append(Lag(shift, value, count))
    return found


def _binned(x: Numbers, y: Numbers) -> list[Bin]:
    counts, x_edges, y_edges = np.histogram2d(x, y, bins=_BINS)
    wide, high = float(x_edges[1] - x_edges[0]), float(y_edges[1] - y_edges[0])
    return [
        Bin(float(x_edges[i]), float(y_edges[j]), wide, high, int(counts[i, j])) for i, j in np.argwhere(counts > 0)
    ]

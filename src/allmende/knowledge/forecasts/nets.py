"""A second learned voice beside the trees: a small neural network, in numpy alone.

Trees cut what they see into pieces, a network runs smoothly through it; they err at different places, and what both
say together is better than either. It learns the median (absolute errors, rounded off near zero), each stream and step
ahead in units of what a simple guess is off by there. It is kept as JSON of plain numbers: nothing in it is run.
"""

import warnings
from collections.abc import Sequence
from itertools import pairwise

import msgspec
import numpy as np
import numpy.typing as npt

from allmende.domain.errors import InvalidInput
from allmende.knowledge.forecasts.features import Rows
from allmende.knowledge.forecasts.panel import Array

Small = npt.NDArray[np.float32]
_HIDDEN = (96, 48)
_BATCH, _PACE, _RISE = 512, 2e-3, 200
_STEADY, _STEADIER = 0.9, 0.99
"""Of Adam (Kingma and Ba 2015): how slowly the mean of slopes and of their squares follow."""
_MOST_TIMES = 12
_DROPPED = 0.1
"""Share of the features that each example goes without, so that none is relied on alone."""
_ROUND = 0.1
"""Below so much of a simple guess's error an error counts by its square."""
_LEAK = 0.05
_FARTHEST = 5.0
"""Standard deviations; what lies further out is no more than unusual."""
_CYCLES = (1, 2, 3, 4, 6)
_ROUND_THE_CLOCK = ("time", "origin-time")
_KINDS = {"weekday": 7, "kind": 3, "kind-next": 3, "kind-before": 3}


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """What is written."""

    names: list[str]
    """Of the features, in their order."""
    streams: int
    ahead: list[float]
    """Hours."""
    scales: list[list[float]]
    """Streams by ``ahead``: what a simple guess is off by, in units of the stream; 0: nothing was learned."""
    low: list[float]
    high: list[float]
    mean: list[float]
    spread: list[float]
    """Of the continuous features, in their order among the others."""
    weights: list[list[list[float]]]
    shifts: list[list[float]]
    """By layer."""


class Net:
    """One that has learned."""

    def __init__(self, text: str) -> None:
        """Raises InvalidInput where the text is none."""
        try:
            self._kept = kept = msgspec.json.decode(text, type=Kept)
            self._layers = [
                (np.array(weight, dtype=np.float32), np.array(shift, dtype=np.float32))
                for weight, shift in zip(kept.weights, kept.shifts, strict=True)
            ]
        except (msgspec.MsgspecError, ValueError) as error:
            raise InvalidInput("the model cannot be read: %(error)s", error=error) from None

    @property
    def names(self) -> list[str]:
        """The features that it wants, in their order."""
        return self._kept.names

    def predict(self, rows: Rows) -> Array:
        """By how much each differs from the newest value, in units of its stream; NaN of a stream that it does not
        know."""
        kept = self._kept
        told = _through(self._layers, _shown(rows, kept))[-1][:, 0].astype(float)
        return told * _scale_of(rows, kept)


def learn_net(
    names: Sequence[str],
    rows: Rows,
    wanted: Array,
    weights: Array,
    scales: Array,
    ahead: Sequence[float],
    looks: int,
    seed: int,
) -> str:
    """From rows of features and what is wanted of each (in units of its stream; those without are left out);
    ``weights``: what each counts beside what its scale makes of it.

    ``scales``: streams by ``ahead`` (hours), what a simple guess is off by in these units; NaN where that is not known.
    ``looks``: how many examples are looked at in all: each several times, no more than twelve, or some never.
    """
    chance = np.random.default_rng(seed)
    chosen = np.flatnonzero(np.isfinite(wanted))
    kept = _measured(names, rows, scales, ahead)
    scale = _scale_of(rows, kept)
    chosen = chosen[scale[chosen] > 0]
    counts = weights[chosen] / weights[chosen].mean()
    shown, goal = _shown(rows[chosen], kept), (wanted[chosen] / scale[chosen]).astype(np.float32)
    sizes = [shown.shape[1], *_HIDDEN, 1]
    layers = [
        (
            (chance.standard_normal((wide, narrow)) * np.sqrt(2 / wide)).astype(np.float32),
            np.zeros(narrow, dtype=np.float32),
        )
        for wide, narrow in pairwise(sizes)
    ]
    layers[-1][0][:] *= 0.1
    _train(layers, shown, goal, counts.astype(np.float32), min(looks, _MOST_TIMES * len(shown)), chance)
    done = msgspec.structs.replace(
        kept,
        weights=[_rounded(weight).tolist() for weight, _ in layers],
        shifts=[_rounded(shift).tolist() for _, shift in layers],
    )
    return msgspec.json.encode(done).decode()


def _rounded(values: Small) -> Array:
    """Five figures: what is read again is what was written."""
    found: Array = np.array([float(f"{value:.5g}") for value in values.ravel()]).reshape(values.shape)
    return found


def _measured(names: Sequence[str], rows: Rows, scales: Array, ahead: Sequence[float]) -> Kept:
    """Without what is learned."""
    some = rows[:: max(1, len(rows) // 40_000)][:, _plain(names)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of a feature that is never known nothing is known
        low, high = np.nan_to_num(np.nanquantile(some, [0.001, 0.999], axis=0))
        clipped = np.clip(some, low, high)
        mean, spread = np.nan_to_num(np.nanmean(clipped, axis=0)), np.nan_to_num(np.nanstd(clipped, axis=0))
    return Kept(
        names=list(names),
        streams=scales.shape[0],
        ahead=[float(hours) for hours in ahead],
        scales=np.nan_to_num(scales).tolist(),
        low=low.tolist(),
        high=high.tolist(),
        mean=mean.tolist(),
        spread=spread.tolist(),
        weights=[],
        shifts=[],
    )


def _plain(names: Sequence[str]) -> list[int]:
    """Places of the features that are numbers, and no kinds or times of the day."""
    others = {*_ROUND_THE_CLOCK, *_KINDS, "stream", "ahead"}
    return [place for place, name in enumerate(names) if name not in others]


def _scale_of(rows: Rows, kept: Kept) -> Array:
    """By row; between two steps ahead that were learned straight."""
    stream, hours = rows[:, kept.names.index("stream")].astype(np.int64), rows[:, kept.names.index("ahead")]
    found = np.full(len(rows), np.nan)
    for number, scales in enumerate(kept.scales):
        here = stream == number
        if any(scales):
            found[here] = np.interp(hours[here], kept.ahead, scales)
    return found


def _shown(rows: Rows, kept: Kept) -> Small:
    """What the network sees of rows: numbers in standard deviations, 0 where nothing is known; times of the day as
    points of circles; kinds each as a feature of its own."""
    spread = np.array(kept.spread, dtype=np.float32)
    steady = spread > 1e-6
    low, high, mean = (np.array(each, dtype=np.float32) for each in (kept.low, kept.high, kept.mean))
    numbers = (np.clip(rows[:, _plain(kept.names)], low, high) - mean) / np.where(steady, spread, 1)
    numbers = np.clip(np.nan_to_num(numbers[:, steady]), -_FARTHEST, _FARTHEST)
    more: list[npt.NDArray[np.floating]] = []
    for name in _ROUND_THE_CLOCK:
        if name in kept.names:
            turn = rows[:, kept.names.index(name)] * np.float32(2 * np.pi / 24)
            more += [part(cycle * turn) for cycle in _CYCLES for part in (np.sin, np.cos)]
    for name, count in {**_KINDS, "stream": kept.streams}.items():
        if name in kept.names:
            column = rows[:, kept.names.index(name)]
            more += [(column == kind).astype(np.float32) for kind in range(count)]
    hours = rows[:, kept.names.index("ahead")]
    far = np.float32(kept.ahead[-1])
    more += [hours / far, np.sqrt(hours / far)]
    more += [np.maximum(0, 1 - np.abs(hours - at) / (0.3 * far)) for at in kept.ahead]
    found: Small = np.concatenate([numbers, np.stack(more, axis=1)], axis=1).astype(np.float32, copy=False)
    return found


def _through(layers: Sequence[tuple[Small, Small]], shown: Small) -> list[Small]:
    """What each layer gives, the input first."""
    given = [shown]
    for place, (weight, shift) in enumerate(layers):
        shown = shown @ weight + shift
        if place < len(layers) - 1:
            shown = np.maximum(shown, np.float32(_LEAK) * shown)
        given.append(shown)
    return given


def _train(
    layers: list[tuple[Small, Small]],
    shown: Small,
    goal: Small,
    weights: Small,
    looks: int,
    chance: np.random.Generator,
) -> None:
    """Adam, with a pace that rises for a moment and falls to nothing."""
    count, rounds = len(shown), max(1, looks // _BATCH)
    slopes = [[(np.zeros_like(part), np.zeros_like(part)) for part in layer] for layer in layers]
    keep = np.float32(1 / (1 - _DROPPED))
    order, place = chance.permutation(count), 0
    for number in range(1, rounds + 1):
        if place + _BATCH > count and place:
            order, place = chance.permutation(count), 0
        some = order[place : place + _BATCH]
        place += _BATCH
        kept = (chance.random((len(some), shown.shape[1]), dtype=np.float32) > _DROPPED).astype(np.float32)
        given = _through(layers, shown[some] * kept * keep)
        push = np.clip((given[-1][:, 0] - goal[some]) / _ROUND, -1, 1) * weights[some] / np.float32(len(some))
        push = push[:, None]
        pace = _PACE * min(1.0, number / _RISE) * (0.5 + 0.5 * np.cos(np.pi * number / rounds))
        for layer in reversed(range(len(layers))):
            slope = (given[layer].T @ push, push.sum(axis=0))
            if layer:
                push = (push @ layers[layer][0].T) * np.where(given[layer] > 0, 1, _LEAK).astype(np.float32)
            for part, slant, (mean, square) in zip(layers[layer], slope, slopes[layer], strict=True):
                mean *= _STEADY
                mean += (1 - _STEADY) * slant
                square *= _STEADIER
                square += (1 - _STEADIER) * slant * slant
                step = pace / (1 - _STEADY**number)
                part -= (step * mean / (np.sqrt(square / (1 - _STEADIER**number)) + 1e-8)).astype(np.float32)

"""The learned candidate: one gradient-boosted model (LightGBM) for all streams of a forecast and all steps ahead.

It tells by how much a value will differ from the newest one, in units of the stream. LightGBM is an optional package
(``pip install allmende[forecasts]``): where it is missing the simple candidates forecast alone. A model is kept as
LightGBM's own text, which is read without running anything.
"""

from collections.abc import Callable
from importlib.util import find_spec
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from allmende.knowledge.forecasts.features import Rows
from allmende.knowledge.forecasts.panel import Array

_MIDDLE = {
    "objective": "l1",
    "learning_rate": 0.08,
    "num_leaves": 63,
    "min_data_in_leaf": 60,
    "feature_fraction": 0.6,
    "bagging_fraction": 0.7,
    "bagging_freq": 1,
    "cat_smooth": 50,
}
_WIDTH = {
    "objective": "l2",
    "learning_rate": 0.08,
    "num_leaves": 31,
    "min_data_in_leaf": 200,
    "feature_fraction": 0.6,
    "bagging_fraction": 0.7,
    "bagging_freq": 1,
    "cat_smooth": 50,
}
_NARROWEST = 1e-3


class Effort(NamedTuple):
    """How much may go into one model."""

    rounds: int
    rows: int
    threads: int
    nets: int = 0
    """How many networks speak beside the trees, each begun elsewhere."""
    looks: int = 0
    """How many examples each of them looks at."""


def is_there() -> bool:
    """Whether LightGBM is installed."""
    return find_spec("lightgbm") is not None


def learn_middle(names: list[str], rows: Rows, wanted: Array, effort: Effort, weights: Array | None = None) -> str:
    """A model of the median, as text. ``wanted`` is in units of the stream; rows without one are left out."""
    return _learn(_MIDDLE, names, rows, wanted, effort, effort.rounds, weights)


def learn_width(names: list[str], rows: Rows, off: Array, effort: Effort) -> str:
    """A model of how far off a forecast is, from how far off it was on days that it had not learned from."""
    return _learn(_WIDTH, names, rows, np.abs(off), effort, max(20, effort.rounds // 4))


def _learn(
    kind: dict[str, Any],
    names: list[str],
    rows: Rows,
    wanted: Array,
    effort: Effort,
    rounds: int,
    weights: Array | None = None,
) -> str:
    import lightgbm

    chosen = np.flatnonzero(np.isfinite(wanted))
    if len(chosen) > effort.rows:
        chosen = np.sort(np.random.default_rng(1).choice(chosen, effort.rows, replace=False))
    smallest = max(1, min(kind["min_data_in_leaf"], len(chosen) // 20))
    parameters = {
        **kind,
        "min_data_in_leaf": smallest,
        "num_threads": effort.threads,
        "seed": 1,
        "deterministic": True,
        "force_row_wise": True,
        "verbose": -1,
    }
    data = lightgbm.Dataset(
        rows[chosen],
        wanted[chosen],
        weight=None if weights is None else weights[chosen] / weights[chosen].mean(),
        feature_name=names,
        categorical_feature=["stream"],
        params={"verbose": -1, "max_bin": kind.get("max_bin", 255)},
    )
    return str(lightgbm.train(parameters, data, rounds).model_to_string())


class Booster:
    """A kept model."""

    def __init__(self, text: str, threads: int = 1) -> None:
        import lightgbm

        self._booster = lightgbm.Booster(model_str=text)
        self._threads = threads

    @property
    def names(self) -> list[str]:
        """The features that it wants, in their order."""
        return list(self._booster.feature_name())

    def predict(self, rows: Rows) -> Array:
        """One number for each row."""
        found: npt.NDArray[np.float64] = np.asarray(self._booster.predict(rows, num_threads=self._threads))
        return found

    def width(self, rows: Rows) -> Array:
        """The same of a model of how far off; never 0."""
        return np.maximum(self.predict(rows), _NARROWEST)


Learn = Callable[[list[str], Rows, Array, Effort], str]

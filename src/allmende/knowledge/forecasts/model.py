"""What was learned: which candidate forecasts which stream, how well it did in the back-test, and how far it is off.

A model is a folder of plain text: ``model.json``, and what LightGBM learned as LightGBM writes it. Nothing in it is run
when it is read.
"""

import re
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path

import msgspec
import numpy as np

from allmende.domain.errors import InvalidInput
from allmende.knowledge.forecasts.baselines import Climate, bounded, simple, typical
from allmende.knowledge.forecasts.boosting import is_there
from allmende.knowledge.forecasts.chances import Curve
from allmende.knowledge.forecasts.features import make_frame
from allmende.knowledge.forecasts.lessons import Voices
from allmende.knowledge.forecasts.panel import Array, Panel, Places
from allmende.knowledge.forecasts.spread import Spread

BOOSTED = "boosted"
FORM = 3
"""Of what is kept; a model of another form is not read."""
_LEAST_SHARE, _MOST_SHARE = 0.2, 0.98
_NAME = re.compile(r"width|middle|net-[0-9]{1,2}", re.ASCII)
"""What a learned text may be called: it is the name of a file."""


class Score(msgspec.Struct, frozen=True, kw_only=True):
    """How a candidate did in the back-test, over all origins and steps ahead."""

    error: float
    """Mean absolute, in the unit of the stream."""
    held: float = 0.0
    """Share of the outcomes in its interval, measured on days that the interval was not made from."""


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """Of one stream."""

    chosen: str
    """The candidate with the smallest error."""
    fallback: str
    """The best simple one: what forecasts when the model is too old."""
    reference: str
    """The best of those that say nothing: the last value, the day before, the week before."""
    scores: Mapping[str, Score]
    judged: int
    """How many values the scores are of."""
    day: list[float] = []
    """Of the chosen one, a day's mean absolute error and by how much it differs from day to day; empty: too few."""

    def skill(self, candidate: str) -> float:
        """By which share its error is smaller than the reference's; 0 or less: it says nothing."""
        floor = self.scores[self.reference].error
        return 1 - self.scores[candidate].error / floor if floor > 0 else 0.0


class Learned(msgspec.Struct, frozen=True, kw_only=True):
    """What ``model.json`` says."""

    form: int
    forecast: str
    digest: str
    """Of the definition that it was learned for."""
    version: str
    trained: int
    """When, from readings between ``since`` and ``until``; microseconds."""
    since: int
    until: int
    step: int
    steps: int
    interval: float
    streams: list[str]
    """Those that something could be learned of."""
    units: list[float]
    climate: list[list[list[float | None]]]
    seasonal: bool
    drifts: bool = False
    texts: list[str] = []
    """Names of what LightGBM learned."""
    curves: list[Curve] = []
    """How the learned candidate's probabilities are put right, by what is asked for."""
    aims: list[float] = []
    """By stream the share that the learned candidate's ends are made for, so that they hold ``interval`` as they are
    told; empty: just that."""
    choices: Mapping[str, Choice]
    spreads: Mapping[str, Spread]
    features: list[str] = []
    note: str = ""
    """Why nothing was learned with LightGBM, where that is so: ``no-library``, ``short``, ``limits``."""
    seconds: float = 0.0


class Guess(msgspec.Struct, frozen=True, kw_only=True):
    """Forecasts of one candidate: streams by origins by steps ahead."""

    middle: Array
    lower: Array
    upper: Array
    width: Array
    centre: Array
    """What ``middle`` was before it was kept within the bounds of its stream; probabilities are about it."""


class Model:
    """A model that can forecast."""

    def __init__(self, said: Learned, texts: Mapping[str, str], threads: int = 1) -> None:
        """Raises InvalidInput where the parts do not go together."""
        self.said = said
        self.texts = dict(texts)
        self._threads = threads

    @cached_property
    def _voices(self) -> Voices:
        made = Voices(self.texts, self._threads)
        if any(names != self.said.features for names in made.names):
            raise InvalidInput("the model's features are not those that it was learned from")
        return made

    @property
    def can_boost(self) -> bool:
        """Whether the learned candidate can speak here: it was learned, and LightGBM is installed."""
        return bool(self.texts) and is_there()

    @property
    def climate(self) -> Climate:
        """The means by weekday and half hour."""
        return Climate(means=np.array(self.said.climate, dtype=float))

    def guess(
        self, panel: Panel, origins: Places, ahead: Sequence[int], names: set[str], share: Array | None = None
    ) -> dict[str, Guess]:
        """What candidates say. The panel holds the model's streams in their order; ``share`` is what the interval of
        each is to hold, where that is another one than was asked for."""
        if panel.streams != self.said.streams:
            raise InvalidInput("the streams are not those that the model was learned from")
        usual = typical(panel, np.arange(len(panel.calendar.slot)))
        steps, wanted = np.asarray(ahead), names - {BOOSTED}
        targets = origins[:, None] + steps[None, :]
        slot = panel.calendar.slot[targets]
        share = np.full(len(panel.streams), self.said.interval) if share is None else share
        found = {}
        middles = simple(panel, origins, ahead, self.climate, usual) if wanted else {}
        for name in sorted(wanted):
            spread = self.said.spreads[name]
            width = spread.width(steps, self.said.steps, slot, panel.day)
            found[name] = self._with_ends(panel, middles[name], width, spread, steps, share)
        if BOOSTED in names and self.can_boost:
            units = np.array(self.said.units)
            frame = make_frame(
                panel,
                origins,
                ahead,
                self.climate,
                usual,
                units,
                seasonal=self.said.seasonal,
                drifts=self.said.drifts,
            )
            shape = (len(panel.streams), *targets.shape)
            middle = self._voices.middle(frame).reshape(shape)
            middle = np.where(np.isnan(frame.anchor.reshape(shape)), np.nan, middle)
            width = self._voices.width(frame).reshape(shape)
            aims = np.array(self.said.aims or [self.said.interval] * len(panel.streams))
            share = np.clip(aims + share - self.said.interval, _LEAST_SHARE, _MOST_SHARE)
            found[BOOSTED] = self._with_ends(panel, middle, width, self.said.spreads[BOOSTED], steps, share)
        return found

    def _with_ends(
        self, panel: Panel, middle: Array, width: Array, spread: Spread, ahead: Places, share: Array
    ) -> Guess:
        lower, upper = spread.ends(middle, width, ahead, self.said.steps, share)
        centre, middle = middle, bounded(panel, middle)
        lower, upper = np.minimum(bounded(panel, lower), middle), np.maximum(bounded(panel, upper), middle)
        return Guess(middle=middle, lower=lower, upper=upper, width=width, centre=centre)

    def chance(self, name: str, guess: Guess, ahead: Sequence[int], least: float, whole: bool = True) -> Array:
        """The probability that the outcome is at least so much. Of whole numbers half a unit is given: 0.6 is 1."""
        spread = self.said.spreads[name]
        limit = least - 0.5 if whole else least
        found = spread.chance(guess.centre, guess.width, np.asarray(ahead), self.said.steps, limit)
        curve = next((each for each in self.said.curves if each.least == least), None)
        return curve.right(found) if curve is not None and name == BOOSTED else found

    def save(self, folder: Path) -> None:
        """Write it to a folder that is there."""
        (folder / "model.json").write_bytes(msgspec.json.encode(self.said))
        for name, text in self.texts.items():
            (folder / f"{name}.txt").write_text(text, "utf-8")


def load_model(folder: Path, threads: int = 1) -> Model:
    """What was saved. Raises InvalidInput where it cannot be read."""
    try:
        said = msgspec.json.decode((folder / "model.json").read_bytes(), type=Learned)
        texts = {name: (folder / f"{name}.txt").read_text("utf-8") for name in said.texts if _NAME.fullmatch(name)}
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise InvalidInput("the model cannot be read: %(error)s", error=error, where=str(folder)) from None
    if said.form != FORM:
        raise InvalidInput("the model is of another version of this software", where=str(folder))
    return Model(said, texts, threads)

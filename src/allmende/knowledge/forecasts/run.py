"""One run: what is said at one moment of the next steps of each stream, by which candidate, and why by that one."""

from collections.abc import Mapping, Sequence

import msgspec
import numpy as np

from allmende.domain.errors import InvalidInput
from allmende.domain.times import DAY, HOUR
from allmende.knowledge.forecasts.baselines import NAIVE
from allmende.knowledge.forecasts.model import BOOSTED, Guess, Model
from allmende.knowledge.forecasts.panel import Array, Panel

LOOKBACK = 29 * DAY + 6 * HOUR
"""What a run has to read: the same time in the four weeks before, and what is around it."""
_LATE = 6
"""Steps that the newest value may be old; what nobody has heard of for longer is not forecast."""


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """What is said of one stream. Columns of equal length; times in microseconds."""

    stream: str
    candidate: str
    reference: str
    reason: str = ""
    """Why it is not the candidate that was chosen: ``stale`` (the model is too old), ``library`` (LightGBM is not
    there), ``unknown`` (too little is known now for it)."""
    times: list[int]
    middle: list[float]
    lower: list[float]
    upper: list[float]
    naive: list[float | None]
    """What the reference says: whoever judges compares with it."""
    tails: list[list[float]] = []
    """By step the probability that the outcome is at least so much, for each of the least values that were asked."""


def issue(
    model: Model,
    panel: Panel,
    now: int,
    *,
    stale: bool = False,
    least: Sequence[float] = (),
    shares: Mapping[str, float] | None = None,
) -> list[Line]:
    """The run of ``now``, of every stream whose newest value is known and recent. No time before ``now`` is told of.

    ``panel`` holds what is known at ``now``, of whatever streams; ``least`` asks for probabilities. Where the model is
    ``stale`` the simple candidates speak. ``shares`` is what the interval of a stream is made to hold, so that it holds
    what was asked for (see :func:`.hits.followed`).
    """
    panel = _in_order(panel, model)
    steps, columns = model.said.steps, panel.columns
    recent = ~np.isnan(panel.values[:, max(0, columns - _LATE) :])
    if not recent.any():
        return []
    wanted = {choice.reference for choice in model.said.choices.values()}
    wanted |= {choice.fallback for choice in model.said.choices.values()}
    reasons, learned = "", any(choice.chosen == BOOSTED for choice in model.said.choices.values())
    if learned:
        reasons = "stale" if stale else "" if model.can_boost else "library"
        wanted |= set() if reasons else {BOOSTED}
    lines = []
    newest = [_newest(row) for row in panel.values]
    share = np.array([(shares or {}).get(stream, model.said.interval) for stream in panel.streams])
    for origin in sorted({place for place in newest if place >= max(0, columns - _LATE)}):
        # Streams of one source come together, as a rule: then this is done once.
        rows = [number for number, place in enumerate(newest) if place == origin]
        known = panel.until(origin)
        ahead = np.arange(1, steps + 1)
        guesses = model.guess(known, np.array([origin]), ahead.tolist(), wanted, share)
        for number in rows:
            line = _line(model, panel, number, origin, guesses, reasons, now, least)
            if line is not None:
                lines.append(line)
    return sorted(lines, key=lambda line: line.stream)


def _in_order(panel: Panel, model: Model) -> Panel:
    """The streams of the model, in its order; those that are gone are unknown."""
    places = {stream: number for number, stream in enumerate(panel.streams)}
    rows = [places.get(stream, -1) for stream in model.said.streams]
    if panel.step != model.said.step:
        raise InvalidInput("the model was learned for another step")

    def picked(array: Array, missing: float) -> Array:
        made = np.full((len(rows), *array.shape[1:]), missing)
        for number, row in enumerate(rows):
            if row >= 0:
                made[number] = array[row]
        return made

    return msgspec.structs.replace(
        panel,
        streams=list(model.said.streams),
        values=picked(panel.values, np.nan),
        low=picked(panel.low, -np.inf),
        high=picked(panel.high, np.inf),
        whole=np.array([bool(panel.whole[row]) if row >= 0 else False for row in rows]),
        facts=picked(panel.facts, np.nan),
    )


def _newest(row: Array) -> int:
    known = np.flatnonzero(~np.isnan(row))
    return int(known[-1]) if len(known) else -1


def _line(
    model: Model,
    panel: Panel,
    number: int,
    origin: int,
    guesses: dict[str, Guess],
    reason: str,
    now: int,
    least: Sequence[float],
) -> Line | None:
    stream = panel.streams[number]
    choice = model.said.choices.get(stream)
    if choice is None:
        return None
    moments = [panel.time(origin + ahead) for ahead in range(1, model.said.steps + 1)]
    candidates = [choice.chosen, choice.fallback, *NAIVE] if not reason else [choice.fallback, *NAIVE]
    name = next((each for each in candidates if each in guesses and _whole(guesses[each], number)), None)
    if name is None:
        return None
    guess = guesses[name]
    told = [place for place, moment in enumerate(moments) if moment > now]
    if not told:
        return None
    naive = guesses[choice.reference].middle[number, 0]
    tails: list[list[float]] = []
    if least:
        steps = list(range(1, model.said.steps + 1))
        chances = [model.chance(name, guess, steps, each, bool(panel.whole[number]))[number, 0] for each in least]
        tails = [[round(float(chance[place]), 4) for chance in chances] for place in told]
    changed = name != choice.chosen
    return Line(
        stream=stream,
        candidate=name,
        reference=choice.reference,
        reason=(reason or "unknown") if changed else "",
        times=[moments[place] for place in told],
        middle=_rounded(np.round(guess.middle[number, 0]) if panel.whole[number] else guess.middle[number, 0], told),
        lower=_rounded(np.floor(guess.lower[number, 0]) if panel.whole[number] else guess.lower[number, 0], told),
        upper=_rounded(np.ceil(guess.upper[number, 0]) if panel.whole[number] else guess.upper[number, 0], told),
        naive=[None if np.isnan(naive[place]) else float(naive[place]) for place in told],
        tails=tails,
    )


def _whole(guess: Guess, number: int) -> bool:
    return not np.isnan(guess.middle[number]).any() and not np.isnan(guess.lower[number]).any()


def _rounded(values: Array, places: list[int]) -> list[float]:
    """Six figures are more than any forecast bears."""
    return [float(f"{values[place]:.6g}") for place in places]

"""The judgement that issue 7 asks for: what was said of targets between 6 and 21 o'clock, 30, 60 and 120 minutes ahead,
beside the last value and the mean of the same time in the three weeks before, corrected by the last two hours.

Nothing that is judged was learned from: a model knows what lay before its moment of learning alone, and a forecast what
lay before its origin. ``relearn`` says after how long it learns anew, as the running house does; 0: never.
"""

import time
from collections.abc import Iterator

import msgspec
import numpy as np

from allmende.city.parking.arrival.recording import City
from allmende.domain.errors import InvalidInput
from allmende.domain.times import MINUTE
from allmende.knowledge.forecasts.baselines import LAST, TYPICAL, learn_climate, simple, typical
from allmende.knowledge.forecasts.hits import Tally, followed
from allmende.knowledge.forecasts.learning import Task, learn
from allmende.knowledge.forecasts.lessons import in_hours, outcomes
from allmende.knowledge.forecasts.model import Model
from allmende.knowledge.forecasts.panel import Array, Panel, Places

AHEAD = (30, 60, 120)
HOURS = (6.0, 21.0)
EVERY = 15 * MINUTE
LEAST = (1, 5)
_BINS = 10
_FEW = 50


class Bin(msgspec.Struct, frozen=True, kw_only=True):
    """Of one piece of a reliability diagram: what was told on average, what share came, how many cases."""

    told: float
    came: float
    cases: int


class Full(msgspec.Struct, frozen=True, kw_only=True):
    """How often a car park was full, an hour ahead: told when less than half the chance of a space was left."""

    judged: int
    full: int
    missed: int
    wrong: int


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Of one car park; lists by how far ahead."""

    name: str
    last: list[float]
    typical: list[float]
    error: list[float]
    below: list[float | None]
    """By which share the error is smaller than the better of the two; None where that is 0."""
    held: list[float]
    full: Full


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it."""

    learned_from: int
    split: int
    until: int
    relearn: int
    lessons: int
    seconds: float
    """Processor time of one lesson, the longest."""
    ahead: list[int]
    """Minutes."""
    places: list[Place]
    below: list[float]
    """Mean of the places' ``below``, by how far ahead."""
    together: list[float]
    """By which share the mean of all errors is smaller than the better mean of the two."""
    held: list[float]
    reliability: dict[str, list[Bin]]
    """By how many at least."""
    unjudged: list[str] = []
    """Places of which nothing is known behind the split, or too little before it to compare with."""


class _Told(msgspec.Struct):
    """Arrays of places by origins by how far ahead; chances by how many at least."""

    middle: Array
    lower: Array
    upper: Array
    chances: dict[int, Array]


def judge(
    panel: Panel, city: City, split: int, *, until: int | None = None, relearn: int = 0, threads: int = 1, rows: int = 0
) -> Report:
    """Learn from what lies before ``split`` and judge what lies behind it. Times in microseconds. Raises InvalidInput
    where either is too little."""
    forecast = city.forecast
    ahead = np.array([minutes * MINUTE // panel.step for minutes in AHEAD], dtype=np.int64)
    first = -(-(split - panel.start) // panel.step)
    end = min(panel.columns, panel.columns if until is None else (until - panel.start) // panel.step)
    origins = np.arange(first, end - int(ahead[-1]), max(1, EVERY // panel.step))
    if first <= 0 or not len(origins):
        raise InvalidInput("the split leaves nothing to learn from, or nothing to judge")
    counts = in_hours(panel, origins[:, None] + ahead[None, :], HOURS)
    told, seconds, lessons = None, 0.0, 0
    share = np.full(len(panel.streams), forecast.interval)
    for begin, some in _stretches(origins, first, relearn // panel.step):
        began = time.process_time()
        # What comes later is not hidden but gone: the last column that is left is the one before the moment.
        known = msgspec.structs.replace(panel, values=panel.values[:, :begin])
        model = learn(known, _task(city, panel.time(begin), threads, rows))
        seconds, lessons = max(seconds, time.process_time() - began), lessons + 1
        for day in _days(origins, some, panel.day):
            told = _put(told, _say(model, panel, origins[day], ahead, share), len(origins), day)
            share = _followed(panel, forecast.interval, share, told, origins, day, ahead)
    if told is None:
        raise InvalidInput("the split leaves nothing to judge")
    return _report(panel, city, told, origins, ahead, counts, _Run(split, panel.time(end), relearn, lessons, seconds))


class _Run(msgspec.Struct):
    split: int
    until: int
    relearn: int
    lessons: int
    seconds: float


def _task(city: City, now: int, threads: int, rows: int) -> Task:
    forecast = city.forecast
    task = Task(
        forecast=forecast.id,
        digest="",
        steps=forecast.steps,
        interval=forecast.interval,
        now=now,
        threads=threads,
        apart=forecast.apart,
        drifts=forecast.drifts,
        hours=forecast.counting_hours,
        least=tuple(forecast.least) or LEAST,
    )
    return msgspec.structs.replace(task, rows=rows) if rows else task


def _stretches(origins: Places, first: int, length: int) -> Iterator[tuple[int, slice]]:
    """From which column on no more is learned, and which origins are forecast by that."""
    if not length:
        yield first, slice(0, len(origins))
        return
    begin = first
    while begin <= origins[-1]:
        places = np.flatnonzero((origins >= begin) & (origins < begin + length))
        if len(places):
            yield begin, slice(int(places[0]), int(places[-1]) + 1)
        begin += length


def _days(origins: Places, some: slice, day: int) -> Iterator[slice]:
    """Pieces of a day, after each of which the intervals follow what those before held, as in the running house."""
    begin = some.start
    while begin < some.stop:
        end = int(np.searchsorted(origins[: some.stop], origins[begin] + day))
        yield slice(begin, end)
        begin = end


def _say(model: Model, panel: Panel, origins: Places, ahead: Places, share: Array) -> _Told:
    """What the house would show of every place: the chosen candidate; of a place that nothing was learned of, the last
    value."""
    steps = ahead.tolist()
    rows = [panel.streams.index(stream) for stream in model.said.streams]
    mine = msgspec.structs.replace(
        panel,
        streams=model.said.streams,
        values=panel.values[rows],
        low=panel.low[rows],
        high=panel.high[rows],
        whole=panel.whole[rows],
        facts=panel.facts[rows],
    )
    names = {choice.chosen for choice in model.said.choices.values()} | {LAST}
    guesses = model.guess(mine, origins, steps, names, share[rows])
    chances = {
        name: {least: model.chance(name, guess, steps, least) for least in LEAST} for name, guess in guesses.items()
    }
    shape = (len(panel.streams), len(origins), len(steps))
    newest = np.repeat(panel.values[:, origins][:, :, None], len(steps), axis=2)
    told = _Told(newest.copy(), newest.copy(), newest.copy(), {least: np.full(shape, np.nan) for least in LEAST})
    for number, (stream, row) in enumerate(zip(model.said.streams, rows, strict=True)):
        choice = model.said.choices.get(stream)
        if choice is None:
            continue
        guess = guesses[choice.chosen]
        known = ~np.isnan(guess.middle[number])
        for kept, said in (
            (told.middle, np.round(guess.middle)),
            (told.lower, np.floor(guess.lower)),
            (told.upper, np.ceil(guess.upper)),
        ):
            kept[row] = np.where(known, said[number], kept[row])
        for least in LEAST:
            told.chances[least][row] = chances[choice.chosen][least][number]
    return told


def _put(told: _Told | None, some: _Told, length: int, where: slice) -> _Told:
    if told is None:
        shape = (some.middle.shape[0], length, some.middle.shape[2])
        told = _Told(*(np.full(shape, np.nan) for _ in range(3)), {least: np.full(shape, np.nan) for least in LEAST})
    for name in ("middle", "lower", "upper"):
        getattr(told, name)[:, where] = getattr(some, name)
    for least in LEAST:
        told.chances[least][:, where] = some.chances[least]
    return told


def _followed(
    panel: Panel, wanted: float, share: Array, told: _Told, origins: Places, some: slice, ahead: Places
) -> Array:
    """What the intervals are made to hold in the next stretch, after what those of this one held."""
    came = outcomes(panel, origins[some], ahead)
    inside = (came >= told.lower[:, some]) & (came <= told.upper[:, some])
    found = share.copy()
    for row in range(len(found)):
        apart = int(origins[1] - origins[0]) if len(origins) > 1 else 1
        waiting = int(ahead[-1]) // apart + 1  # have not come when the next day begins
        for place in range(max(0, inside.shape[1] - waiting)):
            known = ~np.isnan(came[row, place])
            tally = Tally(count=int(known.sum()), held=int(inside[row, place][known].sum()))
            found[row] = followed(float(found[row]), wanted, [tally])
    return found


def _report(panel: Panel, city: City, told: _Told, origins: Places, ahead: Places, counts: Array, run: _Run) -> Report:
    usual = typical(panel, np.arange(len(panel.calendar.slot)))
    plain = simple(panel, origins, ahead.tolist(), learn_climate(panel, int(origins[0])), usual)
    came = outcomes(panel, origins, ahead)
    # All are judged by the same values: those that each of them has something to say of.
    known = counts[None] & ~np.isnan(came) & ~np.isnan(told.middle)
    for name in (LAST, TYPICAL):
        known &= ~np.isnan(plain[name])
    came = np.where(known, came, np.nan)
    errors = {name: _mean(np.abs(plain[name] - came), 1) for name in (LAST, TYPICAL)}
    mine = _mean(np.abs(told.middle - came), 1)
    better = np.minimum(errors[LAST], errors[TYPICAL])
    with np.errstate(invalid="ignore", divide="ignore"):
        below = np.where(better > 0, 1 - mine / better, np.nan)
    held = np.where(known, (came >= told.lower) & (came <= told.upper), np.nan)
    places = [
        Place(
            name=name,
            last=_short(errors[LAST][row]),
            typical=_short(errors[TYPICAL][row]),
            error=_short(mine[row]),
            below=[None if np.isnan(one) else round(float(one), 4) for one in below[row]],
            held=_short(_mean(held[row], 0)),
            full=_full(told.chances[1][row, :, 1], came[row, :, 1]),
        )
        for row, name in enumerate(panel.streams)
        if known[row].any(axis=0).all()
    ]
    if not places:
        raise InvalidInput("nothing is known of any place behind the split: there is nothing to judge")
    floor = np.minimum(_mean(errors[LAST], 0), _mean(errors[TYPICAL], 0))
    return Report(
        learned_from=panel.start,
        split=run.split,
        until=run.until,
        relearn=run.relearn,
        lessons=run.lessons,
        seconds=round(run.seconds, 1),
        ahead=list(AHEAD),
        places=places,
        unjudged=[name for name in panel.streams if name not in {place.name for place in places}],
        below=_short(_mean(below, 0)),
        together=_short(1 - _mean(mine, 0) / floor),
        held=_short(_mean(held.reshape(-1, held.shape[2]), 0)),
        reliability={str(least): _bins(told.chances[least], came, least) for least in LEAST},
    )


def _mean(values: Array, axis: int) -> Array:
    known = ~np.isnan(values)
    total = np.where(known, values, 0).sum(axis=axis)
    count = known.sum(axis=axis)
    found: Array = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    return found


def _short(values: Array) -> list[float]:
    return [round(float(value), 4) for value in values]


def _full(chance: Array, came: Array) -> Full:
    known = ~np.isnan(came) & ~np.isnan(chance)
    full, said = came[known] < 1, chance[known] < 0.5
    return Full(
        judged=int(known.sum()),
        full=int(full.sum()),
        missed=int((full & ~said).sum()),
        wrong=int((~full & said).sum()),
    )


def _bins(chance: Array, came: Array, least: int) -> list[Bin]:
    known = ~np.isnan(came) & ~np.isnan(chance)
    told, truth = chance[known], came[known] >= least
    piece = np.minimum((told * _BINS).astype(int), _BINS - 1)
    return [
        Bin(
            told=round(float(told[piece == each].mean()), 4),
            came=round(float(truth[piece == each].mean()), 4),
            cases=int((piece == each).sum()),
        )
        for each in range(_BINS)
        if (piece == each).sum() >= _FEW
    ]

"""Learning and back-test: from a panel to a model.

The last part of the panel is cut in folds. For each a candidate learns from what lay before it alone and forecasts from
origins in it; by these errors the candidate of each stream is chosen and the intervals are made. What is kept learns
once more from everything. So no score is of days that the candidate had learned from, and none of a future it knew.
"""

import math
import time
from collections.abc import Mapping
from typing import NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from allmende.domain.errors import InvalidInput
from allmende.domain.times import DAY, format_instant
from allmende.knowledge.forecasts import boosting
from allmende.knowledge.forecasts.baselines import NAIVE, SIMPLE, bounded, learn_climate, mean_of, simple, typical
from allmende.knowledge.forecasts.boosting import Booster, Effort
from allmende.knowledge.forecasts.chances import Curve, learn_curve
from allmende.knowledge.forecasts.drift import usual_days
from allmende.knowledge.forecasts.features import Frame, sizes
from allmende.knowledge.forecasts.habits import unchanged
from allmende.knowledge.forecasts.lessons import WIDTH, Manner, School, Voices, in_hours, outcomes, spaced
from allmende.knowledge.forecasts.model import BOOSTED, FORM, Choice, Learned, Model, Score
from allmende.knowledge.forecasts.panel import Array, Panel, Places
from allmende.knowledge.forecasts.spread import Spread, learn_quantiles, learn_widths

_FOLDS = 3
_MOST_AHEAD = 12
"""Steps ahead that are learned and judged; the others lie between them."""
_SHARES = (0.125, 0.25, 0.5, 0.75, 1)
_AIMS = (0.4, 0.5, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95)
_APART = 0.15
_LEAST_DAYS = 14
"""Of history, without which nothing is learned: a week before the origin and one to judge."""
_BOOSTED_DAYS = 28
_SEASONAL_DAYS = 550
"""From when on the time of the year may explain something: with less, each season was seen once at most."""
_MARGIN = 0.99
"""A learned model has to be better than a simple one by this: it costs more, and is less plain."""


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be learned."""

    forecast: str
    digest: str
    steps: int
    interval: float
    now: int
    without: str = ""
    """Why LightGBM is not to be used, e.g. ``limits``; "" where it is."""
    rounds: int = 240
    rows: int = 600_000
    threads: int = 2
    nets: int = 3
    """How many networks speak beside the trees where streams are learned ``apart``."""
    looks: int = 2_000_000
    """How many examples each network looks at."""
    apart: bool = False
    drifts: bool = False
    hours: tuple[float, float] | None = None
    """See :class:`~allmende.domain.forecasts.ForecastProfile`."""
    least: tuple[float, ...] = ()
    """Of how many at least the probability is wanted."""


class _Fold(NamedTuple):
    learned: int
    """The last column that may be learned from."""
    origins: Places


class _Judged(NamedTuple):
    """The errors of one candidate in all folds: streams by origins by steps ahead."""

    off: Array
    """Of its forecast within the bounds."""
    raw: Array
    """Of its forecast as it came, which intervals are made of."""

    def counted(self, counts: npt.NDArray[np.bool_]) -> "_Judged":
        """Those alone of targets that count."""
        return _Judged(np.where(counts, self.off, np.nan), np.where(counts, self.raw, np.nan))


def learn(panel: Panel, task: Task) -> Model:
    """Raises InvalidInput where there is too little to learn from."""
    began = time.monotonic()
    panel, last = _useful(panel)
    day, days = panel.day, (last + 1) // panel.day
    ahead = _few_ahead(task.steps) if task.apart else _some_ahead(task.steps)
    folds = _folds(panel, last, ahead, task)
    note = ""
    if task.without:
        note = task.without
    elif not boosting.is_there():
        note = "no-library"
    elif days < _BOOSTED_DAYS:
        note = "short"
    seasonal = days >= _SEASONAL_DAYS
    usual = typical(panel, np.arange(len(panel.calendar.slot)))
    origins = np.concatenate([fold.origins for fold in folds])
    wanted = outcomes(panel, origins, ahead)
    judged = _judge_simple(panel, folds, ahead, usual, wanted)
    targets = origins[:, None] + ahead[None, :]
    counts = in_hours(panel, targets, task.hours) if task.hours else np.ones(targets.shape, dtype=bool)
    slot, spreads, held = panel.calendar.slot[targets], {}, {}
    marks = np.concatenate([np.full(len(fold.origins), number) for number, fold in enumerate(folds)])
    for name, errors in judged.items():
        widths = learn_widths(errors.raw, ahead, task.steps, slot, day)
        plain = Spread(widths=widths)
        width = plain.width(ahead, task.steps, slot, day)
        counted = errors.counted(counts)
        spreads[name] = Spread(widths=widths, quantiles=learn_quantiles(counted.raw, width, ahead, task.steps))
        held[name] = _held(counted.raw, width, marks, ahead, task)
    texts: dict[str, str] = {}
    features: list[str] = []
    curves: list[Curve] = []
    aims: list[float] = []
    units = sizes(panel, last)
    if not note:
        school = School(panel, ahead, usual, Manner(task.apart, task.drifts, seasonal, task.hours))
        texts, features, errors, spreads[BOOSTED], held[BOOSTED], curves, aims = _boost(
            school, folds, marks, wanted, counts, task, last
        )
        judged[BOOSTED] = errors
    choices = _choose(panel, {name: errors.counted(counts) for name, errors in judged.items()}, held)
    choices = _with_days(panel, choices, judged, origins)
    kept = [number for number, stream in enumerate(panel.streams) if stream in choices]
    if not kept:
        raise InvalidInput("too little is known of every stream: nothing could be judged")
    if len(kept) < len(panel.streams) and not texts:
        panel, units = _only(panel, kept), units[kept]
        spreads = {name: _spread_of(spread, kept) for name, spread in spreads.items()}
    said = Learned(
        form=FORM,
        forecast=task.forecast,
        digest=task.digest,
        version=format_instant(task.now),
        trained=task.now,
        since=panel.start,
        until=panel.time(last),
        step=panel.step,
        steps=task.steps,
        interval=task.interval,
        streams=panel.streams,
        units=units.tolist(),
        climate=_listed(learn_climate(panel, last).means),
        seasonal=seasonal,
        drifts=task.drifts,
        texts=sorted(texts),
        curves=curves,
        aims=aims,
        choices=choices,
        spreads=spreads,
        features=features,
        note=note,
        seconds=round(time.monotonic() - began, 1),
    )
    return Model(said, texts)


def _useful(panel: Panel) -> tuple[Panel, int]:
    """The panel without streams of which hardly anything is known, and its last known column."""
    known = ~np.isnan(panel.values)
    ends = [np.flatnonzero(row)[[0, -1]] if row.any() else np.zeros(2, dtype=np.int64) for row in known]
    enough = [
        number
        for number, (first, end) in enumerate(ends)
        if known[number].sum() >= 7 * panel.day // 2 and end - first >= _LEAST_DAYS * panel.day
    ]
    if not enough:
        raise InvalidInput(
            "no stream has been known for %(days)s days or more: there is too little to learn from", days=_LEAST_DAYS
        )
    last = int(max(np.flatnonzero(known[number])[-1] for number in enough))
    return _only(panel, enough), last


def _only(panel: Panel, rows: list[int]) -> Panel:
    return msgspec.structs.replace(
        panel,
        streams=[panel.streams[row] for row in rows],
        values=panel.values[rows],
        low=panel.low[rows],
        high=panel.high[rows],
        whole=panel.whole[rows],
        facts=panel.facts[rows],
    )


def _spread_of(spread: Spread, rows: list[int]) -> Spread:
    return Spread(widths=[spread.widths[row] for row in rows], quantiles=[spread.quantiles[row] for row in rows])


def _some_ahead(steps: int) -> Places:
    """Some of the steps ahead, the first and the last among them."""
    return np.unique(np.linspace(1, steps, min(steps, _MOST_AHEAD)).round().astype(np.int64))


def _few_ahead(steps: int) -> Places:
    """Fewer where each stream has a model of its own, and so fewer examples: what is near differs more."""
    return np.unique([max(1, round(share * steps)) for share in _SHARES])


def _folds(panel: Panel, last: int, ahead: Places, task: Task) -> list[_Fold]:
    """Folds at the end, together a third of the panel and no more than six weeks."""
    first = next(iter(np.flatnonzero(~np.isnan(panel.values).all(axis=0))), 0)
    length = int(min((last - first) // (3 * _FOLDS), 14 * panel.day))
    furthest = int(ahead[-1])
    most = max(20, task.rows // (2 * _FOLDS * len(panel.streams) * len(ahead)))
    folds = []
    for number in range(_FOLDS):
        begin = last - (_FOLDS - number) * length
        # What is learned from ends where its targets do not reach into the fold.
        origins = spaced(begin, min(begin + length, last - furthest), most)
        folds.append(_Fold(begin - 1, origins))
    return [fold for fold in folds if len(fold.origins)]


def _judge_simple(panel: Panel, folds: list[_Fold], ahead: Places, usual: Array, wanted: Array) -> dict[str, _Judged]:
    parts: dict[str, list[Array]] = {name: [] for name in SIMPLE}
    for fold in folds:
        climate = learn_climate(panel, fold.learned)
        for name, guesses in simple(panel, fold.origins, ahead.tolist(), climate, usual).items():
            parts[name].append(guesses)
    found = {}
    for name, pieces in parts.items():
        raw = np.concatenate(pieces, axis=1)
        found[name] = _Judged(wanted - bounded(panel, raw), wanted - raw)
    return found


def _boost(
    school: School,
    folds: list[_Fold],
    marks: Places,
    wanted: Array,
    counts: npt.NDArray[np.bool_],
    task: Task,
    last: int,
) -> tuple[dict[str, str], list[str], _Judged, Spread, Array, list[Curve], list[float]]:
    """Learn and judge the boosted candidate: its texts and features, its errors, its spread, what its interval held,
    how its probabilities are put right, and what its ends are made for."""
    panel, ahead = school.panel, school.ahead
    nets = task.nets if school.manner.apart else 0
    quick = Effort(max(20, task.rounds // 2), task.rows // 2, task.threads, min(nets, 1), task.looks // 2)
    raws, frames = [], []
    for fold in folds:
        texts, _ = school.learn(fold.learned, quick)
        frame = school.frame(fold.origins, fold.learned)
        shape = (len(panel.streams), len(fold.origins), len(ahead))
        raws.append(Voices(texts, task.threads).middle(frame).reshape(shape))
        frames.append(frame)
    raw = np.concatenate(raws, axis=1)
    errors = _Judged(wanted - bounded(panel, raw), wanted - raw)
    widths = _cross_widths(frames, errors.raw, marks, quick)
    counted = errors.counted(counts).raw
    held = _held(counted, widths, marks, ahead, task)
    # A counter that stands still tells nothing of how far off one is when it counts again: others tell that.
    origins = np.concatenate([fold.origins for fold in folds])
    counted = np.where(unchanged(panel, origins)[:, :, None] >= panel.day, np.nan, counted)
    spread = Spread(quantiles=learn_quantiles(counted, widths, ahead, task.steps))
    texts, names = school.learn(last, Effort(task.rounds, task.rows, task.threads, nets, task.looks))
    texts[WIDTH] = _learn_width(frames, errors.raw, marks, set(range(len(folds))), quick)
    aims = _aims(panel, raw, wanted - errors.off, counted, widths, marks, ahead, task)
    curves = []
    for least in task.least:
        limit = np.where(panel.whole, least - 0.5, least)[:, None, None]
        chance = spread.chance(raw - limit, widths, ahead, task.steps, 0.0)
        came = np.where(np.isnan(wanted) | ~counts, np.nan, wanted >= least)
        curves.append(learn_curve(least, chance, came))
    return texts, names, errors, spread, held, [curve for curve in curves if curve is not None], aims


def _aims(
    panel: Panel, raw: Array, middle: Array, off: Array, width: Array, marks: Places, ahead: Places, task: Task
) -> list[float]:
    """By stream the share that its ends are made for so that they hold what was asked for when they are whole numbers
    within the bounds: of small counts, whole ends hold more than others. Measured on days that they were not made of.
    """
    held = np.full((len(_AIMS), len(panel.streams)), np.nan)
    whole = panel.whole[:, None, None]
    for place, aim in enumerate(_AIMS):
        inside = np.full(raw.shape, np.nan)
        for number in np.unique(marks):
            here = marks == number
            others = ~here if (~here).any() else here
            spread = Spread(quantiles=learn_quantiles(off[:, others], width[:, others], ahead, task.steps))
            lower, upper = spread.ends(raw[:, here], width[:, here], ahead, task.steps, aim)
            lower = np.minimum(bounded(panel, np.where(whole, np.floor(lower), lower)), middle[:, here])
            upper = np.maximum(bounded(panel, np.where(whole, np.ceil(upper), upper)), middle[:, here])
            came = raw[:, here] + off[:, here]
            inside[:, here] = np.where(np.isnan(came), np.nan, (came >= lower) & (came <= upper))
        held[place] = mean_of(inside.reshape(len(panel.streams), -1), axis=1)
    together = float(np.interp(task.interval, mean_of(held, axis=1), _AIMS))
    aims = [float(np.interp(task.interval, row, _AIMS)) if np.isfinite(row).all() else together for row in held.T]
    # What stood still in the back-test would be held by anything: nobody strays far from the others.
    return [round(min(max(aim, together - _APART), together + _APART), 4) for aim in aims]


def _cross_widths(frames: list[Frame], raw: Array, marks: Places, effort: Effort) -> Array:
    """How far off one would have expected each forecast to be, by what the other folds tell."""
    found = np.empty_like(raw)
    everything = set(range(len(frames)))
    for number, frame in enumerate(frames):
        others = everything - {number} or everything
        model = Booster(_learn_width(frames, raw, marks, others, effort), effort.threads)
        shape = (raw.shape[0], int((marks == number).sum()), raw.shape[2])
        found[:, marks == number] = (model.width(frame.rows) * frame.unit).reshape(shape)
    return found


def _learn_width(frames: list[Frame], raw: Array, marks: Places, folds: set[int], effort: Effort) -> str:
    rows = np.concatenate([frames[number].rows for number in sorted(folds)])
    off = np.concatenate([(raw[:, marks == number].ravel() / frames[number].unit) for number in sorted(folds)])
    return boosting.learn_width(frames[0].names, rows, off, effort)


def _held(raw: Array, width: Array, marks: Places, ahead: Places, task: Task) -> Array:
    """By stream the share of outcomes in an interval that was made of the other folds."""
    inside = np.full(raw.shape, np.nan)
    for number in np.unique(marks):
        others = marks != number if (marks != number).any() else marks == number
        here = marks == number
        spread = Spread(quantiles=learn_quantiles(raw[:, others], width[:, others], ahead, task.steps))
        nothing = np.zeros_like(raw[:, here])
        lower, upper = spread.ends(nothing, width[:, here], ahead, task.steps, task.interval)
        known = ~np.isnan(raw[:, here])
        inside[:, here] = np.where(known, (raw[:, here] >= lower) & (raw[:, here] <= upper), np.nan)
    with np.errstate(invalid="ignore"):
        known = (~np.isnan(inside)).sum(axis=(1, 2))
        share: Array = np.nansum(inside, axis=(1, 2)) / np.where(known, known, np.nan)
    return share


def _choose(panel: Panel, judged: Mapping[str, _Judged], held: Mapping[str, Array]) -> dict[str, Choice]:
    """By stream; none for one of which nothing could be judged. All candidates are judged by the same values: those
    that each of them has a forecast for, but for what hardly ever has one."""
    choices = {}
    for number, stream in enumerate(panel.streams):
        known = {name: ~np.isnan(errors.off[number]) for name, errors in judged.items()}
        most = max(int(mask.sum()) for mask in known.values())
        usable = [name for name, mask in known.items() if mask.sum() >= most * 0.8]
        if most == 0 or not any(name in NAIVE for name in usable):
            continue
        common = np.logical_and.reduce([known[name] for name in usable])
        if common.sum() < 20:
            continue
        scores = {
            name: Score(
                error=float(np.abs(judged[name].off[number][common]).mean()),
                held=_finite(held[name][number]),
            )
            for name in usable
        }
        simple_ones = [name for name in usable if name != BOOSTED]
        fallback = min(simple_ones, key=lambda name: scores[name].error)
        chosen = fallback
        if BOOSTED in scores and scores[BOOSTED].error < scores[fallback].error * _MARGIN:
            chosen = BOOSTED
        reference = min((name for name in usable if name in NAIVE), key=lambda name: scores[name].error)
        choices[stream] = Choice(
            chosen=chosen, fallback=fallback, reference=reference, scores=scores, judged=int(common.sum())
        )
    return choices


def _with_days(
    panel: Panel, choices: Mapping[str, Choice], judged: Mapping[str, _Judged], origins: Places
) -> dict[str, Choice]:
    """With what a day's error usually is, of all hours: whoever watches a forecast compares with that."""
    days = (panel.start + (origins + panel.calendar.shift[origins]) * panel.step) // DAY
    found = {}
    for number, stream in enumerate(panel.streams):
        if stream in choices:
            choice = choices[stream]
            usual = usual_days(judged[choice.chosen].off[number], days)
            found[stream] = msgspec.structs.replace(choice, day=list(usual) if usual else [])
    return found


def _finite(value: float) -> float:
    return float(value) if math.isfinite(value) else 0.0


def _listed(means: Array) -> list[list[list[float | None]]]:
    """JSON knows no NaN."""
    return [
        [[None if math.isnan(value) else round(value, 6) for value in day] for day in stream]
        for stream in means.tolist()
    ]


def history_start(now: int, history: int) -> int:
    """From when on is read what is learned from: three weeks more, which lie before its first origin."""
    return now - history - 22 * DAY

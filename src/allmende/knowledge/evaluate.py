"""Evaluating a rule for one group over a span: a pure function of its readings.

A rule without windows gives a value at each time of a reading that triggers it; a rule with windows one for each of
them. What it gives at a time depends on nothing but the readings that are kept.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from allmende.domain.errors import LimitExceeded
from allmende.domain.policy import Reader
from allmende.domain.rules import InputProfile, micros
from allmende.domain.store import Store
from allmende.domain.times import MINUTE
from allmende.domain.windows import span_of
from allmende.knowledge.actions import Wish
from allmende.knowledge.functions import Sample
from allmende.knowledge.groups import Group, Member
from allmende.knowledge.language import Scalar
from allmende.knowledge.prepare import Rule
from allmende.knowledge.program import Scope, Value

SETTING_READINGS = "ALLMENDE_RULE_READINGS"
SETTING_STEPS = "ALLMENDE_RULE_STEPS"
ROWS = 1_000
Span = tuple[int, int]
_SHORTEST = MINUTE
"""A span that is not divided any more."""


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Bounds of one evaluation."""

    readings: int = 500_000
    """Readings that one evaluation of a group may take in."""
    steps: int = 20_000_000
    """Parts of expressions times readings that one value may cost."""


class Tick(NamedTuple):
    """When a value is given: ``stamp`` is its time; its window ends at ``end`` (with it, where there is no grid)."""

    stamp: int
    start: int
    end: int


class Column(NamedTuple):
    """The readings of one stream in the order of time; what is no value of the input's type is left out."""

    times: list[int]
    values: list[Any]


class Outcome(NamedTuple):
    """What a rule gives for a group over a span: per output the times and the values, None for what is missing.

    ``low`` to ``high`` bound the times at which it could have given anything.
    """

    low: int
    high: int
    times: list[int]
    values: dict[str, list[Scalar]]
    wishes: dict[str, list[Wish]]
    """By action: what it would have at each of the times."""

    @property
    def size(self) -> int:
        """How many values it has."""
        return len(self.times) * len(self.values)


def evaluate(store: Store, reader: Reader, rule: Rule, group: Group, low: int, high: int, limits: Limits) -> Outcome:
    """Evaluate for all times from ``low`` to ``high``: of readings, or of the ends of windows (see :func:`ticks`)."""
    back = max(rule.reach, 0)
    first = low
    if rule.grid is not None:
        first = rule.grid.floor(low - 1)
    columns = load(store, reader, rule, group, first - back - 1, high + 1, limits)
    moments = list(ticks(rule, columns, low, high))
    values: dict[str, list[Scalar]] = {name: [] for name in rule.outputs}
    wishes: dict[str, list[Wish]] = {name: [] for name in rule.actions}
    view = View(rule, group, columns, limits)
    for tick in moments:
        scope = view.scope(tick)
        given = {name: program.run(scope) for name, program in rule.outputs.items()}
        for name, value in given.items():
            values[name].append(value)
        if wishes:
            scope = scope._replace(values={**scope.values, **given})
            for name, action in rule.actions.items():
                wishes[name].append(action.ask(tick.end, scope))
    stamps = [tick.stamp for tick in moments]
    if rule.grid is None:
        return Outcome(low, high, stamps, values, wishes)
    return Outcome(*_covered(rule, moments), stamps, values, wishes)


def _covered(rule: Rule, moments: Sequence[Tick]) -> Span:
    """The times that windows without gaps speak for: whole ones, whatever windows the rule had once."""
    if not moments:
        return 1, 0
    first, last = moments[0].start, moments[-1].end
    return (first, last - 1) if rule.profile.window.stamp == "start" else (first + 1, last)


def evaluate_all(
    store: Store, reader: Reader, rule: Rule, group: Group, low: int, high: int, limits: Limits
) -> list[Outcome]:
    """The same in as many pieces as the limit of readings asks for, e.g. after a month without a worker."""
    try:
        return [evaluate(store, reader, rule, group, low, high, limits)]
    except LimitExceeded as error:
        if error.setting != SETTING_READINGS or high - low < _SHORTEST:
            raise
    middle = (low + high) // 2
    return [
        *evaluate_all(store, reader, rule, group, low, middle, limits),
        *evaluate_all(store, reader, rule, group, middle + 1, high, limits),
    ]


def divided(outcome: Outcome) -> list[Outcome]:
    """An outcome in pieces of at most a thousand times; together they cover the same span."""
    if len(outcome.times) <= ROWS:
        return [outcome]
    parts: list[Outcome] = []
    low = outcome.low
    for place in range(0, len(outcome.times), ROWS):
        last = place + ROWS >= len(outcome.times)
        times = outcome.times[place : place + ROWS]
        values = {name: column[place : place + ROWS] for name, column in outcome.values.items()}
        wishes = {name: column[place : place + ROWS] for name, column in outcome.wishes.items()}
        parts.append(Outcome(low, outcome.high if last else times[-1], times, values, wishes))
        low = times[-1] + 1
    return parts


def load(
    store: Store, reader: Reader, rule: Rule, group: Group, start: int, end: int, limits: Limits
) -> dict[str, list[Column]]:
    """The readings of a group's streams with ``start <= time < end``, by input. Raises LimitExceeded."""
    total = 0
    loaded: dict[str, list[Column]] = {}
    for name, members in group.inputs.items():
        put = rule.profile.inputs[name]
        loaded[name] = []
        for member in members:
            points = store.points(reader, member.stream, start, end, newest_run=True)
            total += len(points.times)
            if total > limits.readings:
                raise LimitExceeded(
                    f"{rule.id}: more than {limits.readings} readings for {group.key}", setting=SETTING_READINGS
                )
            loaded[name].append(column_of(points.times, points.results, points.flags, put, member))
    return loaded


def column_of(
    times: Sequence[int], results: Sequence[Any], flags: Sequence[str], put: InputProfile, member: Member
) -> Column:
    """What an input sees of readings: those of its type, plausible unless it says otherwise, in its unit."""
    fits = _FITS[put.type]
    kept = [
        (time, value)
        for time, value, flag in zip(times, results, flags, strict=True)
        if fits(value) and (put.implausible or not flag)
    ]
    convert = member.convert
    return Column([t for t, _ in kept], [v if convert is None else convert(v) for _, v in kept])


_FITS: Mapping[str, Callable[[Any], bool]] = {
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "text": lambda value: isinstance(value, str),
    "truth": lambda value: isinstance(value, bool),
}


def ticks(rule: Rule, columns: Mapping[str, list[Column]], low: int, high: int) -> Iterator[Tick]:
    """When values are given, in order: with readings from ``low`` to ``high``, or for windows that end so."""
    if rule.grid is not None:
        start = rule.grid.floor(low - 1)
        at_start = rule.profile.window.stamp == "start"
        for end in rule.grid.between(low - 1, high):
            yield Tick(start if at_start else end, start, end)
            start = end
        return
    moments: set[int] = set()
    for name, listed in columns.items():
        if rule.profile.inputs[name].trigger:
            for column in listed:
                first, last = span_of(column.times, low, high + 1, closed=False)
                moments.update(column.times[first:last])
    for moment in sorted(moments):
        yield Tick(moment, moment, moment)


class View:
    """The readings of a group as the programs see them at one time after the other."""

    def __init__(self, rule: Rule, group: Group, columns: Mapping[str, list[Column]], limits: Limits) -> None:
        self._rule = rule
        self._limits = limits
        self._columns = columns
        self._fixed: dict[str, Value] = {**group.facts, **rule.profile.parameters}
        self._members = {name: len(listed) for name, listed in columns.items()}
        self._held = {
            name: _holder(columns[name], micros(put.hold))
            for name, put in rule.profile.inputs.items()
            if name in columns
        }
        self._single = {
            name
            for name, put in rule.profile.inputs.items()
            if put.take == "latest" and (rule.profile.by == "stream" or put.single or len(put.streams) == 1)
        }

    def scope(self, tick: Tick) -> Scope:
        """What is seen at a tick, with the steps worked out."""
        values = dict(self._fixed)
        seen = 0
        for name, put in self._rule.profile.inputs.items():
            sample = self._sample(name, put, tick)
            seen += len(sample.values)
            if name in self._single:
                newest = max(range(len(sample.times)), key=sample.times.__getitem__, default=None)
                values[name] = None if newest is None else sample.values[newest]
            else:
                values[name] = sample
        if seen * self._rule.size > self._limits.steps:
            raise LimitExceeded(f"{self._rule.id}: a value takes too many steps", setting=SETTING_STEPS)
        scope = Scope(values, self._held, self._members)
        for name, program in self._rule.steps:
            values[name] = program.run(scope)
        return scope

    def picked(self, name: str, put: InputProfile, tick: Tick) -> Iterator[tuple[int, int, int]]:
        """Which readings of an input are seen at a tick: of which of its streams, from where to before where."""
        window = self._rule.profile.window
        closed = self._rule.grid is None
        back = micros(window.length if put.take == "readings" else put.age)
        low = tick.end - back if back else tick.start if not closed else tick.end - 1
        for place, column in enumerate(self._columns.get(name, [])):
            first, last = span_of(column.times, low, tick.end, closed=closed)
            if first == last:
                continue
            if put.take == "latest":
                first = last - 1
            elif window.count:
                first = max(first, last - window.count)
            yield place, first, last

    def _sample(self, name: str, put: InputProfile, tick: Tick) -> Sample:
        columns = self._columns.get(name, [])
        found: list[tuple[int, Any]] = []
        for place, first, last in self.picked(name, put, tick):
            column = columns[place]
            found.extend(zip(column.times[first:last], column.values[first:last], strict=True))
        if put.take == "readings" and len(columns) > 1:
            found.sort(key=_time)  # stable: at one time in the order of the streams
        return Sample([time for time, _ in found], [value for _, value in found])


def _time(pair: tuple[int, Any]) -> int:
    return pair[0]


def _holder(columns: Sequence[Column], hold: int) -> Callable[[int], Scalar]:
    """What held at a time: the newest reading up to it that is not older than ``hold``."""

    def held(moment: int) -> Scalar:
        newest: tuple[int, Any] | None = None
        for column in columns:
            place = bisect_right(column.times, moment) - 1
            if place >= 0 and column.times[place] >= moment - hold:
                time = column.times[place]
                if newest is None or time > newest[0]:
                    newest = time, column.values[place]
        return None if newest is None else newest[1]

    return held

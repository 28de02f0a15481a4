"""How one value was made: the readings that it was made of, and what the steps gave."""

from collections.abc import Iterator
from typing import NamedTuple

from allmende.domain.policy import Reader
from allmende.domain.rules import InputProfile, micros
from allmende.domain.store import Store
from allmende.knowledge.evaluate import Column, Limits, Tick, View, load, ticks
from allmende.knowledge.functions import Sample
from allmende.knowledge.groups import Group
from allmende.knowledge.language import Scalar
from allmende.knowledge.prepare import Rule
from allmende.knowledge.write import suppressed


class Used(NamedTuple):
    """A reading as the rule sees it: in the input's unit."""

    stream: str
    time: int
    value: Scalar


class Explanation(NamedTuple):
    """What a rule makes of what is kept now, for one group at one time."""

    start: int
    """Of the window; without windows the time itself."""
    end: int
    inputs: dict[str, list[Used]]
    """By input, in the order of time; what held before the window is among them."""
    steps: dict[str, Scalar | list[Scalar]]
    outputs: dict[str, Scalar]


def explain(store: Store, reader: Reader, rule: Rule, group: Group, stamp: int, limits: Limits) -> Explanation | None:
    """None where the rule gives nothing at that time."""
    moment = stamp
    if rule.grid is not None and rule.profile.window.stamp == "start":
        moment = rule.grid.after(stamp)
    first = moment if rule.grid is None else rule.grid.floor(moment - 1)
    columns = load(store, reader, rule, group, first - rule.reach - 1, moment + 1, limits)
    tick = next((tick for tick in ticks(rule, columns, moment, moment) if tick.stamp == stamp), None)
    if tick is None:
        return None
    view = View(rule, group, columns, limits)
    scope = view.scope(tick)
    used = {
        name: sorted(_used(view, rule, group, columns[name], name, put, tick), key=lambda one: one.time)
        for name, put in rule.profile.inputs.items()
        if name in columns
    }
    given = {name: program.run(scope) for name, program in rule.outputs.items()}
    steps = {name: _plain(scope.values.get(name)) for name in rule.profile.steps}
    if rule.profile.suppress is not None:
        # The steps would tell what is not told.
        steps, said = {}, rule.profile.suppress
        given = {name: suppressed(value, said) for name, value in given.items()}
    return Explanation(tick.start, tick.end, used, steps, given)


def _used(
    view: View, rule: Rule, group: Group, columns: list[Column], name: str, put: InputProfile, tick: Tick
) -> Iterator[Used]:
    hold = micros(put.hold)
    seen = {place: (first, last) for place, first, last in view.picked(name, put, tick)}
    for place, (member, column) in enumerate(zip(group.inputs[name], columns, strict=True)):
        first, last = seen.get(place, (0, 0))
        if hold:
            before = [at for at, time in enumerate(column.times) if tick.start - hold <= time < tick.start]
            if before:
                yield Used(member.stream, column.times[before[-1]], column.values[before[-1]])
        for at in range(first, last):
            yield Used(member.stream, column.times[at], column.values[at])


def _plain(value: Scalar | Sample) -> Scalar | list[Scalar]:
    return list(value.values) if isinstance(value, Sample) else value

"""What an alert's conditions say of a group at moments: from the readings that are kept by now, and from the clock."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from allmende.domain.errors import LimitExceeded
from allmende.domain.policy import Reader
from allmende.domain.rules import InputProfile, micros
from allmende.domain.store import Store
from allmende.domain.times import HOUR, MINUTE
from allmende.knowledge.alerts.prepare import DEVIATION, HIGHEST, LOWEST, PER_HOUR, SINCE, USUAL, Alert, name_of
from allmende.knowledge.alerts.state import Sight, Truth
from allmende.knowledge.alerts.usual import Habits, deviation
from allmende.knowledge.evaluate import SETTING_READINGS, Column, Limits, Tick, View, column_of
from allmende.knowledge.functions import Sample, finite
from allmende.knowledge.groups import Group, Member

FORECAST = "~forecast"
"""Behind a stream's id: the stream of its forecasts (decision 26)."""


class Seen(NamedTuple):
    """What was seen at a time, for the reasons of what came of it."""

    sight: Sight
    values: dict[str, Any]
    """By input the value (of several their newest), by function what it gave; None is missing."""
    streams: dict[str, tuple[str, int]]
    """By input the stream whose reading is the newest, and its time."""


class Looker:
    """Looks at alerts' groups. Used by one thread."""

    def __init__(self, store: Store, reader: Reader, limits: Limits, zone: str) -> None:
        self._store = store
        self._reader = reader
        self._limits = limits
        self._habits = Habits(store, reader, zone)

    def look(
        self,
        alert: Alert,
        group: Group,
        low: int,
        now: int,
        newest: Mapping[str, int],
        awake: int,
        *,
        beside: Iterable[int] = (),
    ) -> list[Seen]:
        """At each time of a reading from ``low`` to ``now``, at those ``beside`` them, and at ``now``, in order.

        ``newest`` says by stream when it last spoke. Nobody listened before ``awake``: what was not heard by then may
        have been said. Raises LimitExceeded.
        """
        rule = alert.rule
        columns = self._load(alert, group, low, now)
        read = set(_times(columns, rule.profile.inputs, low, now))
        # what came together has to have held between its readings, too
        ripe = {time + length for time in read for length in alert.terms[:2] if length and time + length < now}
        moments = sorted({*read, *ripe, *beside, now})
        ahead = self._ahead(alert, group, low, now)
        seen = []
        for moment in moments:
            asked = {
                # beyond all numbers it is missing: the reason why it was raised is kept as JSON, which knows no other
                name_of((function, name)): finite(
                    self._ask(
                        alert, function, group.inputs.get(name, ()), columns.get(name, []), moment, newest, awake, ahead
                    )
                )
                for function, name in alert.asks
            }
            one = _see(alert, group, columns, moment, asked, self._limits)
            seen.append(one._replace(sight=one.sight._replace(clock=moment not in read)))
        return seen

    def _load(self, alert: Alert, group: Group, low: int, now: int) -> dict[str, list[Column]]:
        """The readings that looks from ``low`` to ``now`` see, by input. Raises LimitExceeded.

        Of an input whose latest is asked for it is the one before ``low``, too, and no more: a stream that speaks each
        second would have thousands within its age.
        """
        spans = {name for function, name in alert.asks if function == PER_HOUR}
        loaded: dict[str, list[Column]] = {}
        total = 0
        for name, members in group.inputs.items():
            put = alert.rule.profile.inputs[name]
            latest = put.take == "latest"
            back = micros(alert.profile.window) if not latest or name in spans else 0
            start = low - max(back, micros(put.hold)) - 1
            loaded[name] = []
            for member in members:
                column, seen, lost = self._column(put, member, start, now, before=latest)
                if lost:  # the one before is none that counts: there may be another one within its age
                    column, more, _ = self._column(put, member, low - micros(put.age) - 1, now, before=False)
                    seen += more
                total += seen
                if total > self._limits.readings:
                    raise LimitExceeded(
                        f"{alert.id}: more than {self._limits.readings} readings for {group.key}",
                        setting=SETTING_READINGS,
                    )
                loaded[name].append(column)
        return loaded

    def _column(
        self, put: InputProfile, member: Member, start: int, now: int, *, before: bool
    ) -> tuple[Column, int, bool]:
        """A stream's readings, how many were read, and whether the one before ``start`` is none that counts."""
        points = self._store.points(self._reader, member.stream, start, now + 1, before=before, newest_run=True)
        column = column_of(points.times, points.results, points.flags, put, member)
        had = before and bool(points.times) and points.times[0] < start
        return column, len(points.times), had and not (column.times and column.times[0] < start)

    def _ask(
        self,
        alert: Alert,
        function: str,
        members: Sequence[Member],
        columns: Sequence[Column],
        moment: int,
        newest: Mapping[str, int],
        awake: int,
        ahead: Mapping[str, Column],
    ) -> float | None:
        if function == SINCE:
            return _minutes(members, columns, moment, newest, awake)
        if len(members) != 1:
            return None
        (member,), (column,) = members, columns
        if function in (HIGHEST, LOWEST):
            return _furthest(function, ahead.get(member.stream), moment, micros(alert.profile.horizon))
        if function == PER_HOUR:
            return _rate(column, moment, micros(alert.profile.window))
        usual = self._habits.at(member, moment, alert.profile.weeks, alert.profile.least_weeks)
        if function == USUAL:
            return usual.median if usual else None
        assert function == DEVIATION
        place = bisect_right(column.times, moment) - 1
        return deviation(column.values[place], usual) if place >= 0 else None

    def _ahead(self, alert: Alert, group: Group, low: int, now: int) -> dict[str, Column]:
        """By stream what is forecast of it: in its stream of forecasts, or, where it is one itself, in it."""
        found: dict[str, Column] = {}
        asked = {name for function, name in alert.asks if function in (HIGHEST, LOWEST)}
        span = (low, now + micros(alert.profile.horizon) + 1)
        # a forecast may be of a dataset that is less open than what it is a forecast of
        sees = self._reader
        reader = Reader(name=sees.name, datasets=alert.rule.sees) if sees.sees_all else sees
        for name in asked:
            for member in group.inputs.get(name, ()):
                points = self._store.points(reader, member.stream + FORECAST, *span, newest_run=True)
                if not points.times:
                    points = self._store.points(reader, member.stream, *span, newest_run=True)
                convert = member.convert or _same
                pairs = [
                    (time, convert(value))
                    for time, value, flag in zip(points.times, points.results, points.flags, strict=True)
                    if not flag and isinstance(value, int | float) and not isinstance(value, bool)
                ]
                found[member.stream] = Column([time for time, _ in pairs], [value for _, value in pairs])
        return found


def _same(value: float) -> float:
    return value


def _times(columns: Mapping[str, list[Column]], inputs: Mapping[str, Any], low: int, high: int) -> Iterable[int]:
    for name, listed in columns.items():
        if inputs[name].trigger:
            for column in listed:
                yield from column.times[bisect_left(column.times, low) : bisect_right(column.times, high)]


def _see(
    alert: Alert, group: Group, columns: dict[str, list[Column]], moment: int, asked: dict[str, Any], limits: Limits
) -> Seen:
    given = msgspec.structs.replace(group, facts={**group.facts, **asked})
    scope = View(alert.rule, given, columns, limits).scope(Tick(moment, moment, moment))
    raises, clears = _truth(alert.raises.run(scope)), _truth(alert.clears.run(scope))
    values: dict[str, Any] = {}
    streams: dict[str, tuple[str, int]] = {}
    for name in alert.profile.inputs:
        value = scope.values.get(name)
        values[name] = (value.values[-1] if value.values else None) if isinstance(value, Sample) else value
        spoken = [
            (column.times[place - 1], member.stream, column.values[place - 1])
            for member, column in zip(group.inputs.get(name, ()), columns.get(name, []), strict=True)
            if (place := bisect_right(column.times, moment))
        ]
        if spoken:
            time, stream, newest = max(spoken, key=_first)
            streams[name] = (stream, time)
            values[name] = newest if values[name] is None else values[name]
    return Seen(Sight(moment, raises, clears), values | asked, streams)


def _first(row: tuple[int, str, Any]) -> int:
    return row[0]


def _truth(value: Any) -> Truth:
    return value if isinstance(value, bool) else None


def _minutes(
    members: Sequence[Member], columns: Sequence[Column], moment: int, newest: Mapping[str, int], awake: int
) -> float | None:
    """Minutes since any of the streams spoke, as far as somebody listened; None where none ever did."""
    spoken = [column.times[place - 1] for column in columns if (place := bisect_right(column.times, moment))]
    spoken += [newest[member.stream] for member in members if newest.get(member.stream, moment + 1) <= moment]
    if not spoken:
        return None
    return max(0, moment - max(*spoken, min(awake, moment))) / MINUTE


def _rate(column: Column, moment: int, window: int) -> float | None:
    """Change in an hour, from the first to the last reading of the window; None where they span less than half of
    it, and of less than two."""
    first = bisect_right(column.times, moment - window)
    last = bisect_right(column.times, moment) - 1
    if last <= first or (column.times[last] - column.times[first]) * 2 < window:
        return None
    change: float = column.values[last] - column.values[first]
    return change * HOUR / (column.times[last] - column.times[first])


def _furthest(function: str, column: Column | None, moment: int, horizon: int) -> float | None:
    """The highest or lowest value that is forecast from now on, up to the horizon."""
    if column is None:
        return None
    first, last = bisect_right(column.times, moment), bisect_right(column.times, moment + horizon)
    choose: Callable[[list[float]], float] = max if function == HIGHEST else min
    return choose(column.values[first:last]) if last > first else None

"""Whether what a car park counts can be right: rules over its readings, its capacity and its own habits.

    habit = learn(trace, now, zone)
    doubts = judge(Situation(now=now, zone=zone, trace=trace, capacity=250, status="live"), habit)
    doubts[0].flag, doubts[0].since, doubts[0].figures, RULES[doubts[0].flag].effect

Pure: the time is an argument, nothing is read. Times are microseconds, UTC. A trace is change-only: a value holds
until the next one, and the same value written again (a daily rewrite) is no change. What a rule has no history for it
does not judge: a car park is never doubted for being new.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from datetime import time as clock
from itertools import pairwise
from statistics import median
from typing import Literal
from zoneinfo import ZoneInfo

import msgspec

from allmende.domain import times

Severity = Literal["notice", "warning", "severe"]
Effect = Literal["quiet", "remark", "hidden"]
"""What follows: operators alone see it; the number is shown with a remark (a sign shows none); no number is shown."""
WEEK = 7 * times.DAY
_NIGHT_HOURS = (3, 2, 4, 1, 5)


class Rule(msgspec.Struct, frozen=True):
    """How much a flag weighs. ``learn``: whether forecasts may learn from what has it."""

    severity: Severity
    effect: Effect
    learn: bool


RULES: Mapping[str, Rule] = {
    "negative": Rule("severe", "hidden", False),
    "frozen": Rule("severe", "hidden", False),
    "full-but-empty": Rule("severe", "hidden", False),
    "above-capacity": Rule("warning", "remark", False),
    "full-with-free": Rule("warning", "remark", False),
    "jump": Rule("warning", "remark", False),
    "drift": Rule("notice", "quiet", True),
    "closed-with-change": Rule("notice", "quiet", True),
}


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """``[services.parking.plausibility]`` of a city; what holds for one site stands under its id in ``sites``."""

    recalibrate: Literal["propose", "apply"] = "propose"
    """Whether a counter that the nights say is off is put right at once, or waits for an operator."""
    recalibrate_limit: int = 20
    """More spaces than this are never put right without an operator."""

    jump: float = 0
    """Vehicles a minute that the entrances can take at most; 0: learnt from each car park's own history."""
    jump_least: float = 5
    """However calm the history: less than this is no jump."""
    jump_minutes: int = 30
    """For how long a value is doubted after a jump."""
    frozen_minutes: int = 120
    """Less than this is never frozen."""
    frozen_changes: int = 20
    """So often it usually changes in the same span of the same weekday, at least."""
    full_minutes: int = 120
    night_share: float = 0.3
    """Share of its greatest count that is usually free by night, for "full" by night to be odd."""
    drift_least: int = 5
    drift_share: float = 0.05
    """Of the capacity: less is no drift."""
    closed_changes: int = 5


class Trace(msgspec.Struct, frozen=True):
    """What was counted as free, in the order of time; a value None is none."""

    times: Sequence[int]
    values: Sequence[int | None]

    def at(self, moment: int, age: int = times.DAY + times.HOUR) -> int | None:
        """The value that held at a moment, unless it was older than ``age`` then."""
        place = bisect_right(self.times, moment) - 1
        return self.values[place] if place >= 0 and moment - self.times[place] <= age else None

    def until(self, moment: int) -> "Trace":
        """What was before a moment."""
        end = bisect_left(self.times, moment)
        return Trace(self.times[:end], self.values[:end])


class Habit(msgspec.Struct, frozen=True, kw_only=True):
    """What a car park usually does, learnt from its own readings."""

    start: int
    """Since when it is known."""
    rate: float = 0
    """Vehicles a minute that are exceeded in one of a thousand changes."""
    top: int = 0
    """The greatest count."""
    changes: Sequence[int] = ()
    """When its value became another."""
    still: int = 0
    """The longest span without a change, e.g. over a Sunday on which it is shut."""
    hour: int = 3
    """Of the night, local: when most is free."""
    nights: Sequence[tuple[int, int]] = ()
    """The moments of that hour, and what was free."""


class Situation(msgspec.Struct, frozen=True, kw_only=True):
    """A car park at a moment. The trace reaches back two days at least, or to the last change."""

    now: int
    zone: str
    trace: Trace
    capacity: int | None = None
    status: str = "live"
    flags: Sequence[str] = ()
    """Of the reading itself, as its connector found."""
    neighbours: Sequence[float] = ()
    """What is free at others now, as a share of what is usually free there at this time."""
    holiday: Callable[[date], bool] = lambda day: False


class Doubt(msgspec.Struct, frozen=True, kw_only=True):
    """That a count cannot be right, or may not be."""

    flag: str
    since: int
    figures: Mapping[str, float | int] = {}
    """What it was judged by."""


class Drift(msgspec.Struct, frozen=True, kw_only=True):
    """That the level of the nights has moved. ``offset`` is what would have to be added to the count of free spaces."""

    since: int
    usual: float
    lately: float
    nights: int
    offset: int


def learn(trace: Trace, now: int, zone: str) -> Habit:
    """The habits of a car park, from what was counted before ``now``."""
    known = [(at, value) for at, value in zip(trace.times, trace.values, strict=True) if value is not None and at < now]
    if not known:
        return Habit(start=now)
    changes, rates = [], []
    for (before, old), (at, new) in pairwise(known):
        if new != old:
            changes.append(at)
            rates.append(_rate(before, old, at, new))
    still = max((after - before for before, after in pairwise(changes)), default=0)
    nights = {hour: _nights(trace, known[0][0], now, zone, hour) for hour in _NIGHT_HOURS}
    hour = max(_NIGHT_HOURS, key=lambda each: median(value for _, value in nights[each]) if nights[each] else -1)
    rates.sort()
    return Habit(
        start=known[0][0],
        rate=rates[int(0.999 * (len(rates) - 1))] if len(rates) >= 200 else 0,
        top=max(value for _, value in known),
        changes=changes,
        still=still,
        hour=hour,
        nights=nights[hour],
    )


def judge(situation: Situation, habit: Habit, limits: Limits | None = None) -> tuple[Doubt, ...]:
    """What is doubtful about a car park now."""
    limits = limits or Limits()
    value = situation.trace.at(situation.now)
    if value is None or situation.status == "no-data":
        return ()
    if situation.status == "closed":
        return tuple(_closed_with_change(situation, limits))
    found: list[Doubt | None] = [
        _run(situation, "negative", lambda each: each < 0, free=value),
        _above_capacity(situation, value),
        _run(situation, "full-with-free", lambda each: each == value, free=value)
        if "full-with-free" in situation.flags
        else None,
        _jump(situation, habit, limits),
        _frozen(situation, habit, value, limits),
        _full_but_empty(situation, habit, value, limits),
    ]
    moved = drift(situation, habit, limits)
    if moved is not None:
        figures = {"usual": moved.usual, "lately": moved.lately, "offset": moved.offset, "nights": moved.nights}
        found.append(Doubt(flag="drift", since=moved.since, figures=figures))
    return tuple(doubt for doubt in found if doubt is not None)


def drift(situation: Situation, habit: Habit, limits: Limits | None = None) -> Drift | None:
    """Whether the last seven nights lie apart from the four weeks before them: more than those spread, and nearly all
    of them on the same side. A car park that is shut, or full, in many of its nights has no such level."""
    limits = limits or Limits()
    lately = list(habit.nights[-7:])
    before = [value for _, value in habit.nights[-35:-7]]
    if len(lately) < 5 or len(before) < 14 or sum(value <= 0 for value in before) > len(before) // 4:
        return None
    usual, level = median(before), median(value for _, value in lately)
    spread = 1.4826 * median(abs(value - usual) for value in before)
    least = max(limits.drift_least, limits.drift_share * (situation.capacity or habit.top), 3 * spread)
    moved = level - usual
    agree = sum((value - usual) * moved > 0 and abs(value - usual) > abs(moved) / 2 for _, value in lately)
    if abs(moved) <= least or agree < len(lately) - 1 or level <= 0:
        return None
    return Drift(since=lately[0][0], usual=usual, lately=level, nights=len(lately), offset=round(usual - level))


def _rate(before: int, old: int, at: int, new: int) -> float:
    """Vehicles a minute. A change-only feed held the old value until the sample before: between five minutes, as it is
    sampled by day, and thirty, after a still time."""
    minutes = (at - before) / times.MINUTE
    return abs(new - old) / min(max(minutes, 5), 30)


def _nights(trace: Trace, start: int, now: int, zone: str, hour: int) -> list[tuple[int, int]]:
    day = times.to_datetime(start).astimezone(ZoneInfo(zone)).date()
    found = []
    while (at := _local(day, hour, zone)) < now:
        held = trace.at(at)
        if held is not None and at >= start:
            found.append((at, held))
        day += timedelta(days=1)
    return found


def _local(day: date, hour: int, zone: str) -> int:
    return times.from_datetime(datetime.combine(day, clock(hour), ZoneInfo(zone)))


def _run_start(situation: Situation, holds: Callable[[int], bool]) -> int:
    """Since when, without a break until now, a condition has held."""
    place = bisect_right(situation.trace.times, situation.now) - 1
    while place > 0 and (before := situation.trace.values[place - 1]) is not None and holds(before):
        place -= 1
    return situation.trace.times[place]


def _run(situation: Situation, flag: str, holds: Callable[[int], bool], **figures: float) -> Doubt | None:
    value = situation.trace.at(situation.now)
    if value is None or not holds(value):
        return None
    return Doubt(flag=flag, since=_run_start(situation, holds), figures=figures)


def _above_capacity(situation: Situation, value: int) -> Doubt | None:
    capacity = situation.capacity
    if capacity is None or value <= capacity:
        return None
    return _run(situation, "above-capacity", lambda each: each > capacity, free=value, capacity=capacity)


def _jump(situation: Situation, habit: Habit, limits: Limits) -> Doubt | None:
    limit = limits.jump or (max(1.5 * habit.rate, limits.jump_least) if habit.rate else 0)
    if not limit:
        return None
    trace, end = situation.trace, bisect_right(situation.trace.times, situation.now)
    place = end - 1
    while place > 0 and trace.times[place] > situation.now - limits.jump_minutes * times.MINUTE:
        old, new = trace.values[place - 1], trace.values[place]
        if old is not None and new is not None:
            rate = _rate(trace.times[place - 1], old, trace.times[place], new)
            if rate > limit:
                figures = {"change": new - old, "rate": round(rate, 1), "limit": round(limit, 1)}
                return Doubt(flag="jump", since=trace.times[place], figures=figures)
        place -= 1
    return None


def _frozen(situation: Situation, habit: Habit, value: int, limits: Limits) -> Doubt | None:
    """No change for a span in which it usually changes often. Full and empty may last, as over holidays, but not half
    as long again as they ever did."""
    since = _run_start(situation, lambda each: each == value)
    span = situation.now - since
    least = limits.frozen_minutes * times.MINUTE
    if value <= 0 or value >= 0.98 * habit.top:
        least = max(least, times.DAY, 3 * habit.still // 2)
    if span < least:
        return None
    counts = sorted(_usual_changes(situation, habit, since, min(span, WEEK)))
    if len(counts) < 3:
        return None
    usual = counts[1] if len(counts) > 3 else counts[0]  # one week may have been out of the ordinary
    if usual < limits.frozen_changes:
        return None
    return Doubt(
        flag="frozen", since=since, figures={"free": value, "hours": round(span / times.HOUR, 1), "usual": usual}
    )


def _usual_changes(situation: Situation, habit: Habit, since: int, span: int) -> Iterable[int]:
    """How often it changed in the same span of the weeks before, as far as they are known, eight at most. Each day
    stands for its weekday, and a public holiday for a Sunday."""
    parts = list(_days(situation, situation.now - span))
    first = 1 + (situation.now - since - 1) // WEEK  # the weeks in which it had not come to rest yet
    for week in range(first, first + 8):
        count = 0
        for day, begin, end in parts:
            like = day - timedelta(days=7 * week + ((day.weekday() + 1) % 7 if situation.holiday(day) else 0))
            midnight = _local(like, 0, situation.zone)
            if midnight + begin < habit.start:
                return
            count += bisect_left(habit.changes, midnight + end) - bisect_left(habit.changes, midnight + begin)
        yield count


def _days(situation: Situation, start: int) -> Iterable[tuple[date, int, int]]:
    """The local days from ``start`` to now, with where they begin and end after their midnight."""
    day = times.to_datetime(start).astimezone(ZoneInfo(situation.zone)).date()
    while (midnight := _local(day, 0, situation.zone)) < situation.now:
        following = _local(day + timedelta(days=1), 0, situation.zone)
        yield day, max(start - midnight, 0), min(situation.now, following) - midnight
        day += timedelta(days=1)


def _full_but_empty(situation: Situation, habit: Habit, value: int, limits: Limits) -> Doubt | None:
    """Full through a night in which there is room as a rule, or at a time when there is room as a rule and all others
    have theirs. Where leased spaces are counted as taken for good, that is seen here too."""
    if value > 0:
        return None
    since = _run_start(situation, lambda each: each <= 0)
    if situation.now - since < limits.full_minutes * times.MINUTE or habit.top <= 0:
        return None
    room = max(10, limits.night_share * habit.top)
    nights = [free for at, free in habit.nights if at < since][-56:]
    usual = sorted(nights)[int(0.25 * len(nights))] if len(nights) >= 7 else 0
    passed = _night_within(since, situation.now, situation.zone, habit.hour)
    figures = {"hours": round((situation.now - since) / times.HOUR, 1), "usual": usual, "nights": len(nights)}
    if passed and usual >= room:
        return Doubt(flag="full-but-empty", since=since, figures=figures)
    others = situation.neighbours
    if len(others) >= 3 and min(others) >= 0.8 and usual >= room:
        return Doubt(flag="full-but-empty", since=since, figures={**figures, "others": len(others)})
    return None


def _night_within(start: int, end: int, zone: str, hour: int) -> bool:
    day = times.to_datetime(start).astimezone(ZoneInfo(zone)).date()
    return any(start < _local(day + timedelta(days=more), hour, zone) <= end for more in (0, 1))


def _closed_with_change(situation: Situation, limits: Limits) -> Iterable[Doubt]:
    trace = situation.trace
    begin, end = (bisect_right(trace.times, at) for at in (situation.now - times.HOUR, situation.now))
    moved = [
        trace.times[place]
        for place in range(max(begin, 1), end)
        if trace.values[place] != trace.values[place - 1] and trace.values[place] is not None
    ]
    if len(moved) >= limits.closed_changes:
        yield Doubt(flag="closed-with-change", since=moved[0], figures={"changes": len(moved)})

"""Before and after: what a stream does after an event (a tariff, a closure, a feast) that it did not do before.

Compared are the same hours of the same weekdays: for each hour of the week the mean of the weeks before is what was to
be expected, and a day's deviation is the mean of what its hours are above it. How sure the difference of the windows'
means is says a moving-block bootstrap of the days (:mod:`allmende.knowledge.analyses.resampling`).

Where the event did not reach other streams, or was not in other years, their deviations of the same days are taken off
before (difference in differences): what changed there as well was not the event.

    effect = before_and_after(store, reader, stream, Event(first=date(2024, 3, 4)), zone="Europe/Berlin")
    effect.changes[-1].difference   # Estimate(value=-12.4, low=-18.1, high=-6.9)
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, timedelta
from itertools import compress
from typing import Literal

import msgspec
import numpy as np

from allmende.domain import times
from allmende.domain.errors import InvalidInput
from allmende.domain.policy import Reader
from allmende.domain.spans import Head
from allmende.domain.store import Store
from allmende.knowledge.analyses.calendar import slots
from allmende.knowledge.analyses.resampling import Estimate, difference
from allmende.knowledge.analyses.values import USUAL, Basis, Limits, Span, Steps, Take, Values, read_values

Part = Literal["before", "during", "after"]
_LEAST_HOURS = 0.5
"""The share of a day's hours that have to have a value."""
_YEAR = 365.2425


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked for. Windows are whole weeks before and behind the event."""

    first: date
    last: date | None = None
    """The last day of an event that ends; None for a change that stays, such as a tariff."""
    weeks: int = 4
    weekdays: frozenset[int] = frozenset(range(7))
    """0 is Monday."""
    hours: tuple[int, int] = (0, 24)
    """From the one to before the other, on the wall."""
    percent: bool = False
    """Compare in percent of what is usual before, so that streams of different size can be held side by side."""
    seed: int = 1
    draws: int = 2_000

    def windows(self) -> dict[Part, Span]:
        """The days of each window, in the order of time."""
        length = timedelta(weeks=self.weeks)
        found: dict[Part, Span] = {"before": Span(self.first - length, self.first - timedelta(days=1))}
        begin = self.first
        if self.last is not None:
            found["during"] = Span(self.first, self.last)
            begin = self.last + timedelta(days=1)
        return found | {"after": Span(begin, begin + length - timedelta(days=1))}

    def span(self) -> Span:
        """All windows."""
        windows = list(self.windows().values())
        return Span(windows[0].first, windows[-1].last)

    def year_ago(self, years: int) -> int:
        """How many days before, so that weekdays are the same."""
        return -round(years * _YEAR / 7) * 7


class Control(msgspec.Struct, frozen=True):
    """What the event is thought not to have reached: another stream, or the same one in another year.

    ``shift`` is the number of days between its days and those of the event, a multiple of 7.
    """

    stream: Head
    shift: int = 0


class Day(msgspec.Struct, frozen=True):
    """A day of a window: its mean, and what was to be expected of the same hours."""

    day: date
    part: Part
    mean: float
    expected: float


class Compared(msgspec.Struct, frozen=True, kw_only=True):
    """A control, and how it changed itself; None where it has too few values."""

    control: Control
    difference: Estimate | None
    basis: Basis


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One window against the weeks before. Without days in common the figures are None."""

    part: Part
    days: int
    expected: float | None
    mean: float | None
    difference: Estimate | None
    """In the stream's unit, or in percent, as it was asked."""
    compared: tuple[Compared, ...]
    net: Estimate | None
    """The difference without what the controls changed as well; None where there are none, or no days in common."""
    net_days: int


class Effect(msgspec.Struct, frozen=True, kw_only=True):
    """The answer."""

    event: Event
    stream: Head
    usual_days: int
    """Days before with values."""
    changes: tuple[Change, ...]
    days: tuple[Day, ...]
    profile: Mapping[Part, tuple[float | None, ...]]
    """Means by the hour on the wall, 0 to 23."""
    basis: Basis
    left_out: tuple[date, ...]


def before_and_after(
    store: Store,
    reader: Reader,
    stream: Head,
    event: Event,
    *,
    zone: str,
    controls: Sequence[Control] = (),
    leave_out: Collection[date] = (),
    take: Take = "mean",
    limits: Limits = USUAL,
    by: Steps | None = None,
) -> Effect:
    """What the event changed in a stream. Days of ``leave_out`` (public holidays) take no part, whosever they are;
    ``by`` as :func:`read_values` takes them.

    Raises InvalidInput for an event that makes no sense, and where streams cannot be compared.
    """
    check(event)
    _check_units(stream, event, controls)
    span = event.span()

    def read(control: Control) -> Values:
        moved = span.moved(control.shift)
        return read_values(store, reader, control.stream, moved, times.HOUR, zone, take=take, limits=limits, by=by)

    own = _Track(read(Control(stream)), event, 0, leave_out)
    others = [(each, _Track(read(each), event, each.shift, leave_out)) for each in controls]
    if event.percent:
        for each in (own, *(track for _, track in others)):
            each.as_percent()
    parts = [part for part in event.windows() if part != "before"]
    return Effect(
        event=event,
        stream=stream,
        usual_days=len(own.days["before"]),
        changes=tuple(_change(part, event, own, others) for part in parts),
        days=tuple(day for each in own.days.values() for day in each.values()),
        profile=own.profile,
        basis=own.basis,
        left_out=own.left_out,
    )


def check(event: Event) -> None:
    """Raises InvalidInput that says what of it makes no sense."""
    begin, end = event.hours
    if not 0 <= begin < end <= 24:
        raise InvalidInput("the hours go from an earlier to a later one, from 0 to 24", where="hours")
    if not event.weekdays or not event.weekdays <= set(range(7)):
        raise InvalidInput("at least one day of the week is needed, from 0 for Monday to 6", where="weekdays")
    if event.weeks < 2:
        raise InvalidInput("two weeks before and after are the least", where="weeks")
    if event.last is not None and event.last < event.first:
        raise InvalidInput("the event ends before it begins", where="last")


def _check_units(stream: Head, event: Event, controls: Sequence[Control]) -> None:
    for each in controls:
        if each.shift % 7:
            raise InvalidInput("a control is moved by whole weeks", where="controls")
        if not event.percent and each.stream.unit != stream.unit:
            raise InvalidInput("streams of different units are compared in percent", where="percent")


class _Track:
    """One stream, its days in the event's time: what happened on them, and what was to be expected."""

    def __init__(self, values: Values, event: Event, shift: int, leave_out: Collection[date]) -> None:
        found = slots(values.starts, values.zone)
        begin, end = event.hours
        moved = timedelta(days=shift)
        windows = event.windows()

        def part_of(day: date) -> Part:
            return next(part for part, span in windows.items() if span.first <= day - moved <= span.last)

        parts = {day: part_of(day) for day in {slot.day for slot in found}}
        picked = [slot.day.weekday() in event.weekdays and begin <= slot.hour < end for slot in found]
        out = {slot.day for slot, pick in zip(found, picked, strict=True) if pick and slot.day in leave_out}
        keeps = [pick and slot.day not in out for slot, pick in zip(found, picked, strict=True)]
        kept = values.kept(keeps)
        self.basis = kept.basis
        self.left_out = tuple(sorted(out))
        by_day: dict[date, list[tuple[int, float]]] = {}
        by_slot: dict[int, list[float]] = {}
        by_hour: dict[tuple[Part, int], list[float]] = {}
        for slot, value in zip(compress(found, keeps), kept.values, strict=True):
            if value is None:
                continue
            of_week = slot.day.weekday() * 24 + slot.hour
            by_day.setdefault(slot.day, []).append((of_week, value))
            by_hour.setdefault((parts[slot.day], slot.hour), []).append(value)
            if parts[slot.day] == "before":
                by_slot.setdefault(of_week, []).append(value)
        usual = {slot: float(np.mean(each)) for slot, each in by_slot.items()}
        self.days: dict[Part, dict[date, Day]] = {part: {} for part in windows}
        for day, held in sorted(by_day.items()):
            known = [(value, usual[slot]) for slot, value in held if slot in usual]
            if len(known) >= (end - begin) * _LEAST_HOURS:
                mean, expected = (float(np.mean(each)) for each in zip(*known, strict=True))
                self.days[parts[day]][day - moved] = Day(day, parts[day], mean, expected)
        self.profile = {part: tuple(_mean(by_hour.get((part, hour), ())) for hour in range(24)) for part in windows}
        weeks = len(kept.values) and np.mean([len(each) for each in by_slot.values()] or [0])
        # Means of few weeks lie near their own values: without this the days before would seem to vary less.
        self._widened = float(np.sqrt(weeks / (weeks - 1))) if weeks > 1 else 1.0
        self._scale = 1.0

    def as_percent(self) -> None:
        """Give deviations in percent of the mean before."""
        before = self.days["before"].values()
        mean = float(np.mean([day.mean for day in before])) if before else 0.0
        if before and mean <= 0:
            raise InvalidInput("there are percent of a mean above zero alone", where="percent")
        self._scale = 100 / mean if mean else 1.0

    def deviations(self, part: Part) -> dict[date, float]:
        """How far above the expected, by the days of the event's own time."""
        widened = self._widened if part == "before" else 1.0
        return {
            day: (each.mean - each.expected) * self._scale * widened for day, each in sorted(self.days[part].items())
        }


def _mean(values: Sequence[float]) -> float | None:
    return float(np.mean(values)) if values else None


def _change(part: Part, event: Event, own: _Track, others: Sequence[tuple[Control, _Track]]) -> Change:
    days = list(own.days[part].values())
    net_before = _net(own, [track for _, track in others], "before")
    net_then = _net(own, [track for _, track in others], part)
    compared = (
        Compared(
            control=control,
            difference=_estimate(track.deviations("before"), track.deviations(part), event),
            basis=track.basis,
        )
        for control, track in others
    )
    return Change(
        part=part,
        days=len(days),
        expected=_mean([day.expected for day in days]),
        mean=_mean([day.mean for day in days]),
        difference=_estimate(own.deviations("before"), own.deviations(part), event),
        compared=tuple(compared),
        net=_estimate(net_before, net_then, event) if others else None,
        net_days=len(net_then) if others else 0,
    )


def _net(own: _Track, others: Sequence[_Track], part: Part) -> dict[date, float]:
    """Deviations without the mean of the controls', of the days that all of them have."""
    mine, theirs = own.deviations(part), [track.deviations(part) for track in others]
    return {
        day: value - float(np.mean([each[day] for each in theirs]))
        for day, value in mine.items()
        if theirs and all(day in each for each in theirs)
    }


def _estimate(before: Mapping[date, float], then: Mapping[date, float], event: Event) -> Estimate | None:
    if not before or not then:
        return None
    return difference(list(before.values()), list(then.values()), draws=event.draws, seed=event.seed)

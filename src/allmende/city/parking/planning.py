"""What planners ask: what a tariff, an event, a closure or a new garage changed here and at the car parks around, how
often a space was taken anew, and the usual week. All statistics are those of the house's analyses."""

import math
from collections.abc import Collection, Sequence
from datetime import date, datetime, timedelta

import msgspec

from allmende.city.parking.counted import Counted
from allmende.city.parking.figures import Figures
from allmende.city.parking.report import read_figures
from allmende.city.parking.sites import Site
from allmende.domain import times
from allmende.domain.errors import NotFound
from allmende.domain.policy import Reader
from allmende.domain.profile import Profile
from allmende.domain.spans import Head
from allmende.domain.steps import Segment
from allmende.domain.store import Store
from allmende.knowledge.analyses.calendar import days_between, midnight, public_holidays
from allmende.knowledge.analyses.effect import Control, Effect, Event, Part, before_and_after
from allmende.knowledge.analyses.values import USUAL, Limits, Span, Steps, read_values
from allmende.knowledge.analyses.week import Week, typical_week

AROUND = 800
"""Metres within which a car park is a neighbour, about ten minutes on foot."""
NEIGHBOURS = 5
MOST_AROUND = 12
"""Others among which a planner chooses."""
_EARTH = 6_371_000


class Neighbour(msgspec.Struct, frozen=True, kw_only=True):
    """Another car park, and how far it is as the crow flies, in metres."""

    counted: Counted
    metres: float


class Turnover(msgspec.Struct, frozen=True, kw_only=True):
    """Arrivals of a window, at least."""

    part: Part
    days: int
    figures: Figures | None


class Daily(msgspec.Struct, frozen=True, kw_only=True):
    """The figures of one day; None where nothing was known."""

    day: date
    figures: Figures | None


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What changed at one car park. ``metres`` None: the one that was asked for."""

    counted: Counted
    metres: float | None
    effect: Effect
    turnover: tuple[Turnover, ...]


def find(counted: Sequence[Counted], site: str) -> Counted:
    """The one of that id; raises NotFound."""
    found = next((each for each in counted if each.site.id == site), None)
    if found is None:
        raise NotFound("there is no car park %(id)s with counts", where="site", id=repr(site))
    return found


def neighbours(
    of: Counted, counted: Sequence[Counted], metres: float = AROUND, *, most: int = NEIGHBOURS
) -> list[Neighbour]:
    """The nearest others within so many metres, no more than ``most``. What is simulated has no measured ones."""
    found = [
        Neighbour(counted=each, metres=far)
        for each in counted
        if each.site.id != of.site.id and each.state.simulated == of.state.simulated
        if (far := _metres(of.site, each.site)) is not None and far <= metres
    ]
    return sorted(found, key=lambda each: each.metres)[:most]


def _metres(one: Site, other: Site) -> float | None:
    if one.lon is None or one.lat is None or other.lon is None or other.lat is None:
        return None
    up = math.radians(other.lat - one.lat)
    along = math.radians(other.lon - one.lon) * math.cos(math.radians((one.lat + other.lat) / 2))
    return math.hypot(up, along) * _EARTH


def read_effects(
    store: Store,
    reader: Reader,
    profile: Profile,
    of: Counted,
    around: Sequence[Neighbour],
    event: Event,
    *,
    controls: Sequence[Counted] = (),
    leave_out: Collection[date] = (),
    limits: Limits = USUAL,
    now: datetime,
) -> list[Answer]:
    """What the event changed at a car park, then at its neighbours.

    ``controls`` are car parks that it is thought not to have reached: what changed there as well is taken off. Raises
    InvalidInput.
    """

    told = _steps_of(store, reader, [of, *(each.counted for each in around), *controls])

    def answer(counted: Counted, metres: float | None) -> Answer:
        effect = before_and_after(
            store,
            reader,
            counted.head,
            event,
            zone=profile.time_zone,
            controls=[Control(each.head) for each in controls if each.head.id != counted.head.id],
            leave_out=leave_out,
            limits=limits,
            by=told,
        )
        turnover = tuple(
            _turnover(store, reader, counted, part, span, profile.time_zone, now)
            for part, span in event.windows().items()
        )
        return Answer(counted=counted, metres=metres, effect=effect, turnover=turnover)

    return [answer(of, None), *(answer(each.counted, each.metres) for each in around)]


def _turnover(
    store: Store, reader: Reader, counted: Counted, part: Part, span: Span, zone: str, now: datetime
) -> Turnover:
    begin, end = midnight(span.first, zone), midnight(span.moved(1).last, zone)
    end = min(end, times.from_datetime(now))
    figures = read_figures(store, reader, counted.told, begin, end)
    return Turnover(part=part, days=span.days, figures=figures)


def read_turnover(
    store: Store, reader: Reader, profile: Profile, of: Counted, span: Span, now: datetime
) -> list[Daily]:
    """The figures of each day of a span; of the running one until now."""
    moment = times.from_datetime(now)

    def figures(day: date) -> Figures | None:
        begin, end = (midnight(each, profile.time_zone) for each in (day, day + timedelta(days=1)))
        return read_figures(store, reader, of.told, begin, min(end, moment))

    return [Daily(day=day, figures=figures(day)) for day in days_between(span.first, span.last)]


def _steps_of(store: Store, reader: Reader, counted: Sequence[Counted]) -> Steps:
    """What analyses read of these: the counts as they are told, with what was decided and doubted at that time."""
    known = {each.head.id: each for each in counted}

    def steps(stream: Head, start: int, end: int) -> Sequence[Segment]:
        each = known[stream.id]
        end = min(end, times.from_datetime(each.state.now))
        return each.told.read(store, reader, start, end)[0] if start < end else []

    return steps


def read_week(
    store: Store,
    reader: Reader,
    profile: Profile,
    of: Counted,
    span: Span,
    *,
    leave_out: Collection[date] = (),
    limits: Limits = USUAL,
) -> Week:
    """The usual week of a span, by the hour. Raises InvalidInput."""
    steps = _steps_of(store, reader, [of])
    values = read_values(store, reader, of.head, span, times.HOUR, profile.time_zone, limits=limits, by=steps)
    return typical_week(values, leave_out)


def holidays_of(profile: Profile, span: Span) -> frozenset[date]:
    """The city's public holidays of a span."""
    return frozenset(public_holidays(profile.country, profile.calendar.state, span.first, span.last))

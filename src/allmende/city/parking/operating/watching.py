"""The jobs of plausibility: each minute whether what is counted can be right, each morning whether a counter is off.

What was found is kept as :class:`Doubt`, so that "since" survives a restart; who reads states gets it by
:func:`allmende.city.parking.operating.paperwork.current`.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

import msgspec
from django.db import transaction

from allmende.city.house import House
from allmende.city.parking import plausibility
from allmende.city.parking.opening import calendar_of
from allmende.city.parking.operating import doubting, paperwork
from allmende.city.parking.operating.models import Calibration, Doubt
from allmende.city.parking.plausibility import RULES, Habit, Limits, Situation, Trace, judge, learn
from allmende.city.parking.sites import read_sites
from allmende.city.parking.state import SiteState, read_states
from allmende.domain import times
from allmende.domain.errors import ConfigurationError
from allmende.domain.policy import ANONYMOUS

_LOOK_BACK = 8 * times.DAY
_LEARN = 70 * times.DAY
_LEARN_AT_ONCE = 25
"""Sites whose habits are learnt in one run: a city's first run must not last for minutes."""
_ALL = 1_000_000
_AGAIN = times.DAY
_ANCHORS = ("frozen", "full-but-empty")
"""What goes on for long must not become the habit that it is judged by."""
_PATIENCE = timedelta(days=7)
"""For so long the same calibration is not proposed again."""

_habits: dict[str, tuple[int, int, Habit]] = {}
"""By stream: when it was learnt, from what was before, and what. Of this process, and learnt anew after a restart."""


def limits_of(settings: Mapping[str, Any], site: str) -> Limits:
    """What a city says of a site. Raises ConfigurationError."""
    said = dict(settings.get("plausibility") or {})
    own = (said.pop("sites", None) or {}).get(site) or {}
    known = {**said, **own}
    unknown = sorted(set(known) - set(Limits.__struct_fields__))
    if unknown:
        right = ", ".join(Limits.__struct_fields__)
        raise ConfigurationError(f"[services.parking.plausibility]: {unknown[0]} is unknown; there are {right}")
    try:
        return msgspec.convert(known, Limits)
    except msgspec.ValidationError as error:
        raise ConfigurationError(f"[services.parking.plausibility]: {error}") from error


def watch(house: House) -> None:
    """Judge every measured site now, and keep what is doubtful."""
    now = house.now()
    open_doubts = {(each.site, each.flag): each for each in Doubt.objects.filter(until__isnull=True)}
    found: dict[tuple[str, str], plausibility.Doubt] = {}
    names: dict[str, str] = {}
    seen_by_all = _open_streams(house)
    for state, situation, habit, limits in situations(house, now, open_doubts.values()):
        if state.stream in seen_by_all:
            names[state.site.id] = state.site.name
        for doubt in judge(situation, habit, limits):
            found[state.site.id, doubt.flag] = doubt
    keep(house, open_doubts, found, names, now)


def _open_streams(house: House) -> set[str]:
    """Counts that everybody may see: of others the commons are told nothing, since what the service gives is open."""
    sites = read_sites(house.store, house.profile, ANONYMOUS)
    return {stream.id for site in sites for stream in site.streams}


def keep(
    house: House,
    known: Mapping[tuple[str, str], Doubt],
    found: Mapping[tuple[str, str], plausibility.Doubt],
    names: Mapping[str, str],
    now: datetime,
) -> None:
    """Write down what is new and what is over, and tell the commons of sites with ``names``; nothing is written where
    all is as it was. Of a site that is gone its doubts end, and there is nothing left that could tell of it."""
    fresh = [key for key in found if key not in known]
    over = [known[key].pk for key in known if key not in found]
    if not fresh and not over:
        return
    with transaction.atomic():
        Doubt.objects.filter(pk__in=over, until__isnull=True).update(until=now)
        for site, flag in fresh:
            doubt, rule = found[site, flag], RULES[flag]
            said = {"severity": rule.severity, "effect": rule.effect, "since": times.to_datetime(doubt.since)}
            Doubt.objects.get_or_create(
                site=site, flag=flag, until__isnull=True, defaults={**said, "figures": dict(doubt.figures)}
            )
        paperwork.touch()
        changed = [*((key, True) for key in fresh), *((key, False) for key in known if key not in found)]
        told = [
            doubting.Told(site, names[site], flag, lasts) for (site, flag), lasts in changed if site in names
        ]  # fmt: skip
        doubting.give(house, told, now)


def situations(
    house: House, now: datetime, doubts: Iterable[Doubt], *, at_once: int = _LEARN_AT_ONCE
) -> Iterable[tuple[SiteState, Situation, Habit, Limits]]:
    """Every measured site that has a count of free spaces, with all that it is judged by; the habits of ``at_once`` of
    them are learnt anew at most."""
    settings = house.settings("parking")
    decisions = paperwork.current(now, house.profile)
    # what is counted is judged, whatever people show instead, and without what was found before
    plain = msgspec.structs.replace(decisions, overrides=(), doubts={}, hidden={}, offsets={})
    states = read_states(house.store, house.profile, house.reader, now, decisions=plain, trends=False)
    own = [state for state in states if not state.simulated and not state.summed and state.stream]
    moment, zone = times.from_datetime(now), house.profile.time_zone
    anchors: dict[str, int] = {}
    for doubt in doubts:
        if doubt.flag in _ANCHORS:
            since = times.from_datetime(doubt.since)
            anchors[doubt.site] = min(anchors.get(doubt.site, since), since)
    budget = [at_once]
    traces, habits = {}, {}
    for state in own:
        anchor = anchors.get(state.site.id, moment)
        points = house.store.points(
            house.reader, state.stream, min(moment - _LOOK_BACK, anchor), moment + 1, before=True
        )
        traces[state.site.id] = Trace(points.times, [_whole(each) for each in points.results])
        habits[state.site.id] = _corrected(state, _habit(house, state, anchor, moment, budget), now)
    shares = {state.site.id: _share(traces[state.site.id], habits[state.site.id], moment, zone) for state in own}
    calendar = calendar_of(house.profile)
    for state in own:
        others = tuple(share for site, share in shares.items() if site != state.site.id and share is not None)
        situation = Situation(
            now=moment,
            zone=zone,
            trace=traces[state.site.id],
            capacity=state.capacity,
            status="live" if state.reason == "implausible" else state.status,  # it is what is to be judged
            flags=state.flags,
            neighbours=others,
            holiday=calendar.holidays,
        )
        yield state, situation, habits[state.site.id], limits_of(settings, state.site.id)


def _habit(house: House, state: SiteState, anchor: int, moment: int, budget: list[int]) -> Habit:
    """What it usually does, from the ten weeks before ``anchor``; learnt once a day."""
    kept = _habits.get(state.stream)
    stale = kept is None or moment - kept[0] > _AGAIN or moment < kept[0] or (anchor < moment and kept[1] > anchor)
    if stale and budget[0] > 0:
        budget[0] -= 1
        points = house.store.points(house.reader, state.stream, anchor - _LEARN, anchor)
        trace = Trace(points.times, [None if flag else _whole(each) for each, flag in _flagged(points)])
        kept = _habits[state.stream] = (moment, anchor, learn(trace, anchor, house.profile.time_zone))
    return kept[2] if kept is not None else Habit(start=moment)


def _flagged(points: Any) -> Iterable[tuple[Any, str]]:
    return zip(points.results, points.flags, strict=True)


def _whole(value: Any) -> int | None:
    return int(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _share(trace: Trace, habit: Habit, moment: int, zone: str) -> float | None:
    """What is free now as a share of what is by night as a rule; None where there is no rule."""
    value = trace.at(moment)
    usual = sorted(free for _, free in habit.nights)[len(habit.nights) // 2] if len(habit.nights) >= 7 else 0
    return value / usual if value is not None and usual > 0 else None


def _corrected(state: SiteState, habit: Habit, now: datetime) -> Habit:
    """The nights with the calibration that holds: what has been put right is no drift any more."""
    holding = next((c for c in paperwork.papers(now).calibrations if c.stream == state.stream), None)
    if holding is None or not holding.offset:
        return habit
    begun = times.from_datetime(holding.start) - 7 * times.DAY
    nights = [(at, free + holding.offset if at >= begun else free) for at, free in habit.nights]
    return msgspec.structs.replace(habit, nights=nights)


def calibrate(house: House) -> None:
    """Propose by how much each counter is off, as its nights say; apply it where the city wants that."""
    now = house.now()
    paperwork.forget_names(now)
    _habits.clear()  # with the night that has just passed
    doubts = list(Doubt.objects.filter(until__isnull=True))
    for state, situation, habit, limits in situations(house, now, doubts, at_once=_ALL):
        moved = plausibility.drift(situation, habit, limits)
        if moved is not None:
            _propose(house, state, moved, limits, now)


def _propose(house: House, state: SiteState, moved: plausibility.Drift, limits: Limits, now: datetime) -> None:
    holding = Calibration.holding(now).filter(stream=state.stream, state=Calibration.APPLIED).first()
    offset = moved.offset + (holding.offset if holding else 0)
    lately = Calibration.objects.filter(stream=state.stream, made__gt=now - _PATIENCE)
    if any(abs(each.offset - offset) <= limits.drift_least for each in lately):
        return
    with transaction.atomic():
        Calibration.objects.filter(stream=state.stream, state=Calibration.PROPOSED, ended__isnull=True).update(
            ended=now
        )
        made = Calibration.objects.create(
            site=state.site.id, stream=state.stream, offset=offset, usual=moved.usual, lately=moved.lately,
            nights=moved.nights, start=now, made=now, reason="nights",
        )  # fmt: skip
        paperwork.touch()
        apply = limits.recalibrate == "apply" and abs(offset) <= limits.recalibrate_limit
        if apply:
            paperwork.put_calibration(made, now, apply=True, by=None)
        said = {"number": made.pk, "stream": state.stream, "offset": offset}
        action = "parking.calibrate" if apply else "parking.propose-calibration"
        house.note(action, f"parking:{state.site.id}", **said)

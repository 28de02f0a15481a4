"""What operators have decided, for all who ask how a site stands: ``read_states(…, decisions=current(now, profile))``.

Writes go through :func:`change`: one transaction, one line in the audit log, and of two operators the second is told
that the first has been there. What is asked for again and again is read once until something of it is another.
"""

import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

import msgspec
from django.db import IntegrityError, transaction
from django.db.models import Q

from allmende.city.house import House
from allmende.city.parking import standing
from allmende.city.parking.opening import Calendar, calendar_of, is_open
from allmende.city.parking.operating.models import (
    Calibration,
    ChosenFact,
    Closure,
    Decided,
    Desk,
    Doubt,
    Event,
    Lease,
    Override,
)
from allmende.city.parking.sites import Site
from allmende.city.parking.statements import Statement
from allmende.domain.errors import Conflict, NotFound
from allmende.domain.profile import Profile

NAMED = timedelta(days=365)
"""For so long after its end a decision keeps the names of those who made and ended it."""
ALL = "*"
"""The desk that every change passes."""
KINDS: Mapping[str, type[Decided]] = {
    "override": Override,
    "closure": Closure,
    "event": Event,
    "choice": ChosenFact,
    "lease": Lease,
    "calibration": Calibration,
}


class Papers(msgspec.Struct, frozen=True, kw_only=True):
    """All that has not ended, as it was read; whether it holds is a question of the moment."""

    stamp: str
    overrides: tuple[Override, ...] = ()
    closures: tuple[Closure, ...] = ()
    events: tuple[Event, ...] = ()
    choices: tuple[ChosenFact, ...] = ()
    leases: tuple[Lease, ...] = ()
    calibrations: tuple[Calibration, ...] = ()
    doubts: tuple[Doubt, ...] = ()


_kept = Papers(stamp="")
_calendars: dict[int, tuple[Profile, Calendar]] = {}


def papers(now: datetime) -> Papers:
    """What holds at ``now`` or will; one statement where nothing has changed since it was read last."""
    global _kept
    stamp = stamp_of_papers()
    if stamp != _kept.stamp:
        _kept = _read(stamp, now) if stamp else Papers(stamp="")
    return _kept


def stamp_of_papers() -> str:
    """Another word after each change of any paper. One statement."""
    return Desk.objects.filter(pk=ALL).values_list("stamp", flat=True).first() or ""


def _read(stamp: str, now: datetime) -> Papers:
    applied = Calibration.holding(now).filter(state=Calibration.APPLIED)
    return Papers(
        stamp=stamp,
        overrides=tuple(Override.holding(now)),
        closures=tuple(Closure.holding(now)),
        events=tuple(Event.holding(now)),
        choices=tuple(ChosenFact.holding(now)),
        leases=tuple(Lease.holding(now)),
        calibrations=tuple(applied),
        doubts=tuple(Doubt.objects.filter(until__isnull=True)),
    )


def holds(each: Decided, now: datetime) -> bool:
    """Whether a decision holds at ``now``."""
    return each.start <= now and not each.over(now)


def current(now: datetime, profile: Profile | None = None) -> standing.Decisions:
    """What people have decided and what was found doubtful, as it holds at ``now`` (aware). With the profile the
    opening hours of each site count too."""
    known = papers(now)
    choices: dict[str, dict[str, Statement]] = {}
    for choice in reversed(known.choices):  # the newest counts
        if holds(choice, now):
            choices.setdefault(choice.site, {})[choice.fact] = Statement(
                value=choice.value, source=choice.source, date=choice.date, by="operator"
            )
    leases: dict[str, int] = {}
    for lease in known.leases:
        if holds(lease, now):
            leases[lease.site] = leases.get(lease.site, 0) + lease.spaces
    told = [doubt for doubt in known.doubts if doubt.effect != "quiet"]
    calendar = _calendar(profile) if profile is not None else None
    return standing.Decisions(
        choices=choices,
        overrides=[_override(each) for each in known.overrides if holds(each, now)],
        closures=[
            standing.Closure(site=each.site, start=each.start, until=each.until, reason=each.text, spaces=each.spaces)
            for each in known.closures
            if holds(each, now)
        ],
        doubts=_by_site(told),
        hidden=_by_site([doubt for doubt in told if doubt.effect == "hidden"]),
        leases=leases,
        drifts={each.site: round(each.figures.get("offset") or 0) for each in known.doubts if each.flag == "drift"},
        offsets={each.stream: each.offset for each in known.calibrations if holds(each, now)},
        is_open=_opening(calendar, now) if calendar is not None else None,
    )


def events_at(now: datetime) -> tuple[Event, ...]:
    """The events that go on now."""
    return tuple(each for each in papers(now).events if holds(each, now))


def _override(each: Override) -> standing.Override:
    assert each.until is not None  # a constraint of the table
    status: Any = each.status
    return standing.Override(
        site=each.site, start=each.start, until=each.until, reason=each.reason, free=each.free, status=status
    )


def _by_site(doubts: list[Doubt]) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for doubt in doubts:
        found[doubt.site] = (*found.get(doubt.site, ()), doubt.flag)
    return found


def _calendar(profile: Profile) -> Calendar:
    kept = _calendars.get(0)
    if kept is None or kept[0] is not profile:
        kept = _calendars[0] = (profile, calendar_of(profile))
    return kept[1]


def _opening(calendar: Calendar, now: datetime) -> Any:
    minute = now.replace(second=0, microsecond=0)  # hours know no seconds

    def opened(site: Site) -> bool | None:
        hours = site.fact("opening_hours")
        return _is_open(hours, minute, calendar) if hours else None

    return opened


@lru_cache(maxsize=1024)
def _is_open(hours: str, minute: datetime, calendar: Calendar) -> bool | None:
    return is_open(hours, minute, calendar)


def version_of(site: str) -> int:
    """The version of a site's paperwork, for the form that may change it."""
    return Desk.objects.filter(pk=site).values_list("version", flat=True).first() or 0


@contextmanager
def change(site: str, seen: int | None) -> Iterator[None]:
    """One change of a site's paperwork, in a transaction. Raises Conflict where it is not as it was ``seen``."""
    with transaction.atomic():
        if seen is not None:
            _step(site, seen)
        touch()
        yield


def _step(site: str, seen: int) -> None:
    if seen == 0 and not Desk.objects.filter(pk=site).exists():
        try:
            with transaction.atomic():
                Desk.objects.create(pk=site, version=1)
            return
        except IntegrityError:  # somebody else was first: the version says so below
            pass
    if not Desk.objects.filter(pk=site, version=seen).update(version=seen + 1):
        raise Conflict("somebody else has changed this in the meantime; look at it as it is now")


def touch() -> None:
    """Something is another: whoever has read it reads it again."""
    Desk.objects.update_or_create(pk=ALL, defaults={"stamp": secrets.token_hex(16)})


def decide(house: House, kind: str, site: str, seen: int, now: datetime, /, **said: Any) -> Decided:
    """Write down a decision. An override takes the place of the one before, a choice that of the one on the same fact.

    Raises Conflict.
    """
    model = KINDS[kind]
    by = house.person.id if house.person else None
    about = {} if model is Event else {"site": site}
    with change(site, seen):
        replaced = model._default_manager.none()
        if model is Override:
            replaced = Override.holding(now).filter(site=site)
        elif model is ChosenFact:
            replaced = ChosenFact.holding(now).filter(site=site, fact=said["fact"])
        replaced.update(ended=now, ended_by=by)
        made = model._default_manager.create(made=now, made_by_id=by, **about, **said)
        plain = {name: value for name, value in said.items() if name not in ("note",)}
        house.note(f"parking.{kind}", f"parking:{site}", number=made.pk, **plain_values(plain))
    return made


def end(house: House, kind: str, site: str, pk: int, seen: int, now: datetime) -> None:
    """End a decision before its time. Raises NotFound, and Conflict also where it has ended already."""
    with change(site, seen):
        model = KINDS[kind]
        about = {} if model is Event else {"site": site}
        found = model._default_manager.filter(pk=pk, **about).first()
        if found is None:
            raise NotFound("there is no such decision")
        if found.over(now):
            raise Conflict("this has ended already")
        found.ended, found.ended_by_id = now, house.person.id if house.person else None
        found.save(update_fields=["ended", "ended_by"])
        house.note(f"parking.end-{kind}", f"parking:{site}", number=pk)


def settle(house: House, site: str, pk: int, seen: int, now: datetime, *, apply: bool) -> None:
    """Apply a proposed calibration, in place of the one before, or decline it. Raises NotFound, Conflict."""
    with change(site, seen):
        found = Calibration.objects.filter(pk=pk, site=site, state=Calibration.PROPOSED).first()
        if found is None:
            raise NotFound("there is no such proposal")
        put_calibration(found, now, apply=apply, by=house.person.id if house.person else None)
        house.note(
            "parking.calibrate" if apply else "parking.decline-calibration",
            f"parking:{site}",
            number=pk,
            stream=found.stream,
            offset=found.offset,
        )


def put_calibration(found: Calibration, now: datetime, *, apply: bool, by: int | None) -> None:
    """The same where it has been decided already who may."""
    if apply:
        before = Calibration.holding(now).filter(stream=found.stream, state=Calibration.APPLIED)
        before.update(ended=now, ended_by=by)
    found.state = Calibration.APPLIED if apply else Calibration.DECLINED
    found.start, found.made_by_id = now, by
    found.save(update_fields=["state", "start", "made_by"])


def forget_names(now: datetime) -> None:
    """Take the names off what ended so long ago that nobody asks back any more."""
    long_ago = now - NAMED
    for model in KINDS.values():
        over = model._default_manager.filter(Q(ended__lt=long_ago) | Q(until__lt=long_ago))
        over.filter(Q(made_by__isnull=False) | Q(ended_by__isnull=False)).update(made_by=None, ended_by=None)


def plain_values(said: Mapping[str, Any]) -> dict[str, Any]:
    """For the audit log: times in ISO 8601."""
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in said.items()}

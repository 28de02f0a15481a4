"""Reads ``tariffs.toml`` of a city's profile. What is wrong is told with its place, and nothing is read of such a file.

Prices are texts, ``"1.50"``, so that no cent is lost on the way; lengths are ISO 8601 durations of whole minutes.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any, Literal

import msgspec

from allmende.city.parking.opening import public_holiday_of
from allmende.city.parking.tariffs_model import (
    DAY,
    HOLIDAY,
    WEEKDAYS,
    FreeDays,
    NotSaid,
    Permit,
    Plan,
    Rate,
    Site,
    Tariffs,
    Version,
)
from allmende.domain import times
from allmende.domain.errors import InvalidInput
from allmende.domain.profile import Profile, ThingProfile, as_list
from allmende.domain.profile_checks import ProfileError, check_id, check_origin
from allmende.domain.tables import convert, mapping, tables

TABLE = "tariffs"
"""Its name among the tables of ``[services.parking]``."""
_MONEY = re.compile(r"([0-9]{1,6})(?:\.([0-9]{2}))?\Z", re.ASCII)
_CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)\Z|24:00\Z", re.ASCII)
_STEPS_LIMIT = DAY


class _Raw(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The keys of the file."""

    currency: str = "EUR"
    most_days: int = 100
    plans: dict[str, Any] = {}
    sites: dict[str, Any] = {}
    permits: dict[str, Any] = {}


class _RawPlan(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: dict[str, str]
    permit: bool = False
    versions: list[Any] = []
    free_days: list[Any] = []


class _RawVersion(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    source: str
    date: str
    rates: list[Any]
    note: str = ""
    valid_from: date | None = None
    valid_until: date | None = None
    free: str = ""
    free_short: bool = False
    minimum: str = ""
    maximum: str = ""
    maximum_per: Literal["day", "24h"] = "day"
    longest: str = ""
    longest_counts: Literal["all", "charged"] = "all"
    holidays: Literal["weekday", "sunday", "free", "own"] = "weekday"
    not_said: tuple[NotSaid, ...] = ()


class _RawRate(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    price: str | None = None
    flat: str | None = None
    days: list[str] | None = None
    begin: str = "00:00"
    end: str = "24:00"
    step: str = ""
    after: str = ""


class _RawFreeDays(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    first: date
    last: date
    name: dict[str, str]
    source: str
    date: str


class _RawSite(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    source: str
    date: str
    plan: str = ""
    possible: list[str] = []
    longest: str = ""
    name: dict[str, str] = {}
    note: str = ""


class _RawPermit(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: dict[str, str]
    versions: list[Any]


class _RawPermitVersion(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    price: str
    source: str
    date: str
    per: Literal["year", "month"] = "year"
    valid_from: date | None = None
    valid_until: date | None = None
    note: str = ""


def tariffs_of(profile: Profile) -> Tariffs:
    """The tariffs of a city: its table, and what its things' facts say (``tariff_zone``, ``longest_stay``). Without a
    table there are none. Raises ProfileError."""
    said = profile.services.get("parking", {}).get("tables", {})
    body = said.get(TABLE, {}) if isinstance(said, Mapping) else {}
    return read_tariffs(body, profile, place=f"services.parking.tables.{TABLE}")


def read_tariffs(body: Mapping[str, Any], profile: Profile, *, place: str) -> Tariffs:
    """Tariffs of plain data; ``place`` stands before the keys that errors name."""
    raw = convert(dict(body), _Raw, place)
    if not re.fullmatch(r"[A-Z]{3}", raw.currency):
        raise ProfileError(f"{place}.currency", '"%(value)s" is no currency, e.g. EUR', value=raw.currency)
    if not 1 <= raw.most_days <= 1000:
        raise ProfileError(f"{place}.most_days", "is a number of days from 1 to 1000")
    plans = {key: _plan(key, each, f"{place}.plans.{key}") for key, each in tables(raw.plans, f"{place}.plans").items()}
    sites = {
        key: _site(key, each, plans, f"{place}.sites.{key}")
        for key, each in tables(raw.sites, f"{place}.sites").items()
    }
    for thing in profile.things:
        if (found := _from_facts(thing, sites.get(thing.id), plans)) is not None:
            sites[thing.id] = found
    permits = [
        permit
        for key, each in tables(raw.permits, f"{place}.permits").items()
        for permit in _permits(key, each, f"{place}.permits.{key}")
    ]

    return Tariffs(
        zone=profile.time_zone,
        currency=raw.currency,
        plans=plans,
        sites=sites,
        permits=tuple(permits),
        holidays=public_holiday_of(profile),
        most_days=raw.most_days,
    )


# --- plans ---


def _plan(key: str, body: dict[str, Any], place: str) -> Plan:
    raw = convert(body, _RawPlan, place)
    _named(raw.name, f"{place}.name")
    if not raw.versions and not raw.permit:
        raise ProfileError(f"{place}.versions", "is missing; a plan has one version at least")
    versions = [read_version(each, f"{place}.versions[{index}]") for index, each in enumerate(raw.versions)]
    free = [_free_days(each, f"{place}.free_days[{index}]") for index, each in enumerate(raw.free_days)]
    return Plan(id=key, name=raw.name, versions=_in_order(versions, place), free_days=tuple(free), permit=raw.permit)


def _in_order(versions: Sequence[Version], place: str) -> tuple[Version, ...]:
    """By time, each until the day before the next one; raises where two hold on one day."""
    ordered = sorted(versions, key=lambda each: each.valid_from or date.min)
    found = list(ordered)
    for index, (one, following) in enumerate(pairwise(ordered)):
        if following.valid_from is None:
            raise ProfileError(f"{place}.versions", "has two versions without valid_from")
        if one.valid_until is None:
            found[index] = msgspec.structs.replace(one, valid_until=following.valid_from - timedelta(days=1))
        elif one.valid_until >= following.valid_from:
            raise ProfileError(
                f"{place}.versions", "has two versions that hold on %(day)s", day=following.valid_from.isoformat()
            )
    return tuple(found)


def read_version(value: object, place: str, *, entered: datetime | None = None) -> Version:
    """One version of a plan; ``entered`` is when it was released in the browser. Raises ProfileError."""
    raw = convert(mapping(value, place), _RawVersion, place)
    check_origin(raw.source, raw.date, place)
    _ordered(raw.valid_from, raw.valid_until, place)
    rates = tuple(_rate(each, f"{place}.rates[{index}]") for index, each in enumerate(raw.rates))
    if raw.holidays == "own" and not any(HOLIDAY in rate.days for rate in rates):
        raise ProfileError(f"{place}.holidays", 'is "own", and no rate has the day "ph"')
    if raw.free_short and not raw.free:
        raise ProfileError(f"{place}.free_short", "tells what free minutes are for; there are none")
    return Version(
        rates=rates,
        valid_from=raw.valid_from,
        valid_until=raw.valid_until,
        source=raw.source,
        date=raw.date,
        note=raw.note,
        free=_minutes(raw.free, f"{place}.free") if raw.free else 0,
        free_short=raw.free_short,
        minimum=_cents(raw.minimum, f"{place}.minimum") if raw.minimum else 0,
        maximum=_cents(raw.maximum, f"{place}.maximum") if raw.maximum else None,
        maximum_per=raw.maximum_per,
        longest=_minutes(raw.longest, f"{place}.longest") if raw.longest else None,
        longest_counts=raw.longest_counts,
        holidays=raw.holidays,
        not_said=raw.not_said,
        entered=entered,
    )


def _rate(value: object, place: str) -> Rate:
    raw = convert(mapping(value, place), _RawRate, place)
    if (raw.price is None) == (raw.flat is None):
        raise ProfileError(place, "has a price (an hour) or a flat one, and not both")
    if raw.flat is not None and raw.step:
        raise ProfileError(f"{place}.step", "is for prices an hour; a flat one has none")
    step = _minutes(raw.step, f"{place}.step") if raw.step else 0
    if step > _STEPS_LIMIT:
        raise ProfileError(f"{place}.step", "is a day at most")
    return Rate(
        price=None if raw.price is None else _cents(raw.price, f"{place}.price"),
        flat=None if raw.flat is None else _cents(raw.flat, f"{place}.flat"),
        days=frozenset({*WEEKDAYS, HOLIDAY}) if raw.days is None else _days(raw.days, f"{place}.days"),
        begin=_clock(raw.begin, f"{place}.begin") % DAY,
        end=_end(raw, place),
        step=step,
        after=_minutes(raw.after, f"{place}.after") if raw.after else 0,
    )


def _end(raw: _RawRate, place: str) -> int:
    begin, end = _clock(raw.begin, f"{place}.begin"), _clock(raw.end, f"{place}.end")
    return 0 if end == DAY and begin == 0 else end


def _days(said: Sequence[str], place: str) -> frozenset[str]:
    found: set[str] = set()
    for each in said:
        first, dash, last = each.partition("-")
        known = [*WEEKDAYS, HOLIDAY]
        if first not in known or (dash and (last not in WEEKDAYS or first == HOLIDAY)):
            raise ProfileError(place, '"%(value)s" is no day: mo, tu, we, th, fr, sa, su, ph, or mo-fr', value=each)
        if dash:
            begin, end = WEEKDAYS.index(first), WEEKDAYS.index(last)
            found.update(WEEKDAYS[(begin + n) % 7] for n in range((end - begin) % 7 + 1))
        else:
            found.add(first)
    if not found:
        raise ProfileError(place, "names no day; leave it out where it is every day")
    return frozenset(found)


def _free_days(value: object, place: str) -> FreeDays:
    raw = convert(mapping(value, place), _RawFreeDays, place)
    check_origin(raw.source, raw.date, place)
    _ordered(raw.first, raw.last, place)
    _named(raw.name, f"{place}.name")
    return FreeDays(first=raw.first, last=raw.last, name=raw.name, source=raw.source, date=raw.date)


# --- sites and permits ---


def _site(key: str, body: dict[str, Any], plans: Mapping[str, Plan], place: str) -> Site:
    raw = convert(body, _RawSite, place)
    check_origin(raw.source, raw.date, place)
    if raw.plan and raw.possible:
        raise ProfileError(place, "has a plan or possible ones, and not both")
    for name, given in (("plan", [raw.plan] if raw.plan else []), ("possible", raw.possible)):
        for each in given:
            if each not in plans:
                raise ProfileError(f"{place}.{name}", 'there is no plan "%(plan)s"', plan=each)
    return Site(
        id=key,
        plan=raw.plan,
        possible=tuple(raw.possible),
        longest=_minutes(raw.longest, f"{place}.longest") if raw.longest else None,
        name=raw.name,
        source=raw.source,
        date=raw.date,
        note=raw.note,
    )


def _from_facts(thing: ThingProfile, known: Site | None, plans: Mapping[str, Plan]) -> Site | None:
    """What a thing's facts add to what the table says of it; the table goes before."""
    zone = next(iter(as_list(thing.facts.get("tariff_zone"))), None)
    stay = next(iter(as_list(thing.facts.get("longest_stay"))), None)
    if zone is None and stay is None:
        return None
    place = f"things.{thing.id}.facts"
    if zone is not None and zone.value not in plans:
        raise ProfileError(f"{place}.tariff_zone", 'there is no plan "%(plan)s"', plan=zone.value)
    first = zone or stay
    found = known or Site(id=thing.id, source=first.source if first else "", date=first.date if first else "")
    if zone is not None and not found.plan and not found.possible:
        found = msgspec.structs.replace(found, plan=str(zone.value))
    if stay is not None and found.longest is None:
        found = msgspec.structs.replace(found, longest=_minutes(str(stay.value), f"{place}.longest_stay"))
    return found


def _permits(key: str, body: dict[str, Any], place: str) -> list[Permit]:
    check_id(key, place)
    raw = convert(body, _RawPermit, place)
    _named(raw.name, f"{place}.name")
    found = []
    for index, value in enumerate(raw.versions):
        where = f"{place}.versions[{index}]"
        each = convert(mapping(value, where), _RawPermitVersion, where)
        check_origin(each.source, each.date, where)
        _ordered(each.valid_from, each.valid_until, where)
        said = {name: getattr(each, name) for name in ("per", "valid_from", "valid_until", "source", "date", "note")}
        found.append(Permit(id=key, name=raw.name, cents=_cents(each.price, f"{where}.price"), **said))
    return sorted(found, key=lambda permit: permit.valid_from or date.min)


# --- single values ---


def _cents(value: str, place: str) -> int:
    match = _MONEY.match(value)
    if match is None:
        raise ProfileError(place, '"%(value)s" is no amount of money, e.g. "1.50"', value=value)
    return int(match[1]) * 100 + int(match[2] or 0)


def _minutes(value: str, place: str) -> int:
    try:
        length = times.parse_duration(value)
    except InvalidInput:
        length = 0
    if length <= 0 or length % times.MINUTE:
        raise ProfileError(place, '"%(value)s" is no duration of whole minutes, e.g. PT30M', value=value)
    return length // times.MINUTE


def _clock(value: str, place: str) -> int:
    match = _CLOCK.match(value)
    if match is None:
        raise ProfileError(place, '"%(value)s" is no time of day, e.g. 08:00', value=value)
    return DAY if match[1] is None else int(match[1]) * 60 + int(match[2])


def _ordered(first: date | None, last: date | None, place: str) -> None:
    if first is not None and last is not None and last < first:
        raise ProfileError(place, "ends before it begins")


def _named(name: Mapping[str, str], place: str) -> None:
    if not name.get("de") or not name.get("en"):
        raise ProfileError(place, "is there in German (de) and English (en)")

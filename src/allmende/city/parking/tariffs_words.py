"""Tariffs and costs in words of the active language, and as JSON. Nothing is computed here."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.formats import date_format, number_format
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from allmende.city.parking.facts import Statement, state
from allmende.city.parking.tariffs_model import (
    DAY,
    HOLIDAY,
    WEEKDAYS,
    Cost,
    Line,
    NotSaid,
    Permit,
    Plan,
    Rate,
    Tariffs,
    Version,
)

_SIGNS = {"EUR": "€", "CHF": "CHF", "GBP": "£"}


@dataclass(frozen=True)
class Row:
    """One version of a plan as a line of a table."""

    plan: str
    when: str
    rates: tuple[str, ...]
    more: tuple[str, ...]
    source: Statement


@dataclass(frozen=True)
class Told:
    """A cost as a page tells it."""

    headline: str
    words: str
    lines: tuple[tuple[str, str, str], ...]
    """From when to when, what is charged, how much."""
    open: tuple[str, ...]
    """What no source says."""
    possible: tuple[tuple[str, str], ...]


def name_of(names: Mapping[str, str]) -> str:
    """In the active language, else German."""
    language = (get_language() or "de").split("-")[0]
    return names.get(language) or names.get("de") or next(iter(names.values()), "")


def money(cents: int, currency: str) -> str:
    """With the language's marks: ``3,50 €``."""
    amount = number_format(Decimal(abs(cents)) / 100, decimal_pos=2, force_grouping=True)
    return f"{'−' if cents < 0 else ''}{amount}\u202f{_SIGNS.get(currency, currency)}"


def length(minutes: int) -> str:
    """Hours where they are whole, else minutes."""
    if minutes % 60 == 0:
        return ngettext("%(n)d hour", "%(n)d hours", minutes // 60) % {"n": minutes // 60}
    return ngettext("%(n)d minute", "%(n)d minutes", minutes) % {"n": minutes}


def rows_of(tariffs: Tariffs, today: date) -> dict[str, list[Row]]:
    """All versions: those that hold today (``now``), those to come (``next``) and those that are over (``before``)."""
    found: dict[str, list[Row]] = {"now": [], "next": [], "before": []}
    for plan in tariffs.plans.values():
        for version in plan.versions:
            if version.covers(today):
                key = "now"
            else:
                key = "next" if version.valid_from is not None and version.valid_from > today else "before"
            found[key].append(row_of(plan, version, tariffs.currency))
        if plan.permit and not plan.versions:
            empty = Statement(words="", source="", link="", date="")
            words = (_("Only for people with a permit."),)
            found["now"].append(Row(plan=name_of(plan.name), when="", rates=words, more=(), source=empty))
    return found


def row_of(plan: Plan, version: Version, currency: str) -> Row:
    """A version of a plan."""
    more = [_("Only for people with a permit.")] if plan.permit else []
    return Row(
        plan=name_of(plan.name),
        when=say_when(version.valid_from, version.valid_until),
        rates=tuple(say_rate(rate, currency) for rate in version.rates) or (_("free of charge"),),
        more=(*more, *_conditions(version, currency)),
        source=state("", version.source, version.date),
    )


def permits_of(tariffs: Tariffs, today: date) -> list[tuple[str, str, str, Statement]]:
    """Name, price, when, source; what is over comes last."""

    def over(permit: Permit) -> bool:
        return permit.valid_until is not None and permit.valid_until < today

    found = []
    for permit in sorted(tariffs.permits, key=over):
        price = money(permit.cents, tariffs.currency)
        words = _("%(price)s a year") if permit.per == "year" else _("%(price)s a month")
        when = say_when(permit.valid_from, permit.valid_until)
        found.append((name_of(permit.name), words % {"price": price}, when, state("", permit.source, permit.date)))
    return found


def say_when(first: date | None, last: date | None) -> str:
    """From which day to which."""
    said = {
        "first": date_format(first, "SHORT_DATE_FORMAT") if first else "",
        "last": date_format(last, "SHORT_DATE_FORMAT") if last else "",
    }
    if first and last:
        return _("from %(first)s to %(last)s") % said
    if first:
        return _("from %(first)s on") % said
    return _("until %(last)s") % said if last else _("as far as known, always")


def say_rate(rate: Rate, currency: str) -> str:
    """A rate in one line."""
    if rate.price is not None:
        parts = [_("%(price)s an hour") % {"price": money(rate.price, currency)}]
    else:
        parts = [_("%(price)s in all") % {"price": money(rate.flat or 0, currency)}]
    if rate.days != frozenset({*WEEKDAYS, HOLIDAY}):
        parts.append(say_days(rate.days))
    if rate.begin != rate.end:
        parts.append(_("%(begin)s to %(end)s") % {"begin": _clock(rate.begin), "end": _clock(rate.end)})
    if rate.step:
        parts.append(_("for each %(step)s begun") % {"step": length(rate.step)})
    if rate.after:
        parts.append(_("after %(length)s") % {"length": length(rate.after)})
    return ", ".join(parts)


def say_days(days: frozenset[str]) -> str:
    """Days of the week, neighbours as a span, then public holidays."""
    picked = [n for n, day in enumerate(WEEKDAYS) if day in days]
    groups: list[list[int]] = []
    for number in picked:
        if groups and groups[-1][-1] == number - 1:
            groups[-1].append(number)
        else:
            groups.append([number])
    words = [
        _weekday(group[0]) if len(group) == 1 else f"{_weekday(group[0])}–{_weekday(group[-1])}" for group in groups
    ]
    return ", ".join([*words, *([_("public holidays")] if HOLIDAY in days and len(picked) < 7 else [])])


def _weekday(number: int) -> str:
    return date_format(date(2024, 1, 1 + number), "D")


def _clock(minutes: int) -> str:
    return f"{minutes // 60}:{minutes % 60:02}"


def _conditions(version: Version, currency: str) -> list[str]:
    found = []
    if version.free:
        words = _("Stays of up to %(length)s are free.") if version.free_short else _("The first %(length)s are free.")
        found.append(words % {"length": length(version.free)})
    if version.minimum:
        found.append(_("At least %(price)s.") % {"price": money(version.minimum, currency)})
    if version.maximum is not None:
        words = _("At most %(price)s a day.") if version.maximum_per == "day" else _("At most %(price)s in 24 hours.")
        found.append(words % {"price": money(version.maximum, currency)})
    if version.longest is not None:
        words = _("No longer than %(length)s.")
        if version.longest_counts == "charged":
            words = _("No longer than %(length)s at hours at which parking is charged.")
        found.append(words % {"length": length(version.longest)})
    if version.holidays == "free":
        found.append(_("Free on public holidays."))
    if version.entered is not None:
        day = date_format(version.entered, "SHORT_DATE_FORMAT")
        found.append(_("Entered here, released on %(day)s.") % {"day": day})
    return found


def say_open(codes: tuple[NotSaid, ...]) -> tuple[str, ...]:
    """What no source says, each as a sentence that tells what is assumed."""
    known = {
        "hours": _("No source says at which hours and on which days parking is charged. Counted as if it always were."),
        "step": _("No source says in which steps is charged. Counted to the minute."),
        "holidays": _("No source says what holds on public holidays. Counted as on other days."),
        "free": _("No source says whether the first minutes are free. Counted as if they were not."),
        "minimum": _("No source says whether there is a least amount. Counted without one."),
        "maximum": _("No source says whether there is a highest amount for a day. Counted without one."),
    }
    return tuple(known[code] for code in codes)


def tell(cost: Cost, tariffs: Tariffs) -> Told:
    """A cost in words, with what explains it."""
    zone = ZoneInfo(tariffs.zone)
    possible = tuple((name_of(tariffs.plans[each.plan].name), headline(each)) for each in cost.possible if each.plan)
    return Told(
        headline=headline(cost),
        words=_reason(cost, zone),
        lines=tuple(
            (_span(line.start, line.end, zone), say_line(line, cost.currency), money(line.cents, cost.currency))
            for line in cost.lines
        ),
        open=say_open(cost.not_said),
        possible=possible,
    )


def headline(cost: Cost) -> str:
    """The cost alone."""
    if cost.status == "known" and cost.cents is not None:
        return money(cost.cents, cost.currency)
    if cost.status == "range" and cost.low is not None and cost.high is not None:
        return _("%(low)s to %(high)s") % {
            "low": money(cost.low, cost.currency),
            "high": money(cost.high, cost.currency),
        }
    return _("not allowed") if cost.status == "not-allowed" else _("not known")


def _reason(cost: Cost, zone: ZoneInfo) -> str:
    if cost.reason == "longest" and cost.until is not None:
        return _("You may not park there that long. You have to leave by %(time)s.") % {
            "time": _moment(cost.until, zone)
        }
    if cost.status == "range":
        return _("No source says which tariff holds here. It is one of these, so that the cost lies between them.")
    return {
        "no-source": _("No source says which tariff holds here."),
        "no-version": _("No source says what parking cost at that time."),
        "permit": _("Only people with a permit may park there."),
    }.get(cost.reason, "")


def say_line(line: Line, currency: str) -> str:
    """What a line is for."""
    if line.kind in ("time", "flat") and line.rate is not None:
        if line.kind == "flat" or not line.rate.step:
            return say_rate(line.rate, currency)
        steps = ngettext("%(n)d step begun", "%(n)d steps begun", line.units) % {"n": line.units}
        return f"{say_rate(line.rate, currency)} ({steps})"
    if line.kind == "free-days":
        return _("free: %(name)s") % {"name": name_of(line.name)}
    return {
        "no-charge": _("nothing is charged"),
        "free-minutes": _("free at the beginning"),
        "free-short": _("a short stay is free"),
        "minimum": _("up to the least amount"),
        "maximum": _("down to the highest amount"),
    }[line.kind]


def _span(start: datetime, end: datetime, zone: ZoneInfo) -> str:
    first, last = start.astimezone(zone), end.astimezone(zone)
    if start == end:
        return ""
    if first.date() == last.date():
        return f"{date_format(first, 'SHORT_DATE_FORMAT')}, {first:%H:%M}–{last:%H:%M}"
    return f"{_moment(start, zone)} – {_moment(end, zone)}"


def _moment(at: datetime, zone: ZoneInfo) -> str:
    shown = at.astimezone(zone)
    return f"{date_format(shown, 'SHORT_DATE_FORMAT')}, {shown:%H:%M}"


# --- JSON ---


def cost_as_json(cost: Cost) -> dict[str, Any]:
    """For programs: cents, ISO 8601 in UTC, and the codes of :mod:`tariffs_model` instead of words."""
    return {
        "status": cost.status,
        "reason": cost.reason,
        "cents": cost.cents,
        "low": cost.low,
        "high": cost.high,
        "currency": cost.currency,
        "plan": cost.plan,
        "until": cost.until.isoformat() if cost.until else None,
        "notSaid": list(cost.not_said),
        "lines": [
            {
                "kind": line.kind,
                "start": line.start.isoformat(),
                "end": line.end.isoformat(),
                "cents": line.cents,
                "units": line.units,
                "rate": _rate_as_json(line.rate) if line.rate else None,
                "source": line.version.source,
                "date": line.version.date,
            }
            for line in cost.lines
        ],
        "possible": [cost_as_json(each) for each in cost.possible],
    }


def tariffs_as_json(tariffs: Tariffs) -> dict[str, Any]:
    """All tariffs for programs: cents an hour, minutes, days as in the file."""
    return {
        "currency": tariffs.currency,
        "timeZone": tariffs.zone,
        "plans": [
            {
                "id": plan.id,
                "name": dict(plan.name),
                "permit": plan.permit,
                "versions": [_version_as_json(version) for version in plan.versions],
                "freeDays": [
                    {"first": each.first.isoformat(), "last": each.last.isoformat(), "name": dict(each.name)}
                    for each in plan.free_days
                ],
            }
            for plan in tariffs.plans.values()
        ],
        "sites": [
            {
                "id": site.id,
                "plan": site.plan or None,
                "possible": list(site.possible),
                "longest": site.longest,
                "source": site.source,
                "date": site.date,
            }
            for site in tariffs.sites.values()
        ],
        "permits": [
            {
                "id": permit.id,
                "name": dict(permit.name),
                "cents": permit.cents,
                "per": permit.per,
                "validFrom": _day(permit.valid_from),
                "validUntil": _day(permit.valid_until),
                "source": permit.source,
                "date": permit.date,
            }
            for permit in tariffs.permits
        ],
    }


def _version_as_json(version: Version) -> dict[str, Any]:
    return {
        "validFrom": _day(version.valid_from),
        "validUntil": _day(version.valid_until),
        "rates": [_rate_as_json(rate) for rate in version.rates],
        "free": version.free,
        "freeForShortStaysAlone": version.free_short,
        "minimum": version.minimum,
        "maximum": version.maximum,
        "maximumPer": version.maximum_per,
        "longest": version.longest,
        "longestCounts": version.longest_counts,
        "holidays": version.holidays,
        "notSaid": list(version.not_said),
        "source": version.source,
        "date": version.date,
    }


def _rate_as_json(rate: Rate) -> dict[str, Any]:
    days = [day for day in (*WEEKDAYS, HOLIDAY) if day in rate.days]
    return {
        "price": rate.price,
        "flat": rate.flat,
        "days": days,
        "begin": _clock(rate.begin),
        "end": _clock(rate.end or DAY),
        "step": rate.step,
        "after": rate.after,
    }


def _day(day: date | None) -> str | None:
    return day.isoformat() if day else None

"""What the house knows of that may have changed something: tariffs, operators' closures and events, and car parks that
began to count later than others. Planners choose from it, and are told what else fell into the same weeks."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

import msgspec
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from allmende.city.parking.counted import Counted
from allmende.city.parking.operating.models import Closure, Decided, Event
from allmende.city.parking.tariffs_model import Plan, Tariffs
from allmende.city.parking.tariffs_words import name_of
from allmende.domain.profile import Profile
from allmende.knowledge.analyses.calendar import local_day
from allmende.knowledge.analyses.effect import Part
from allmende.knowledge.analyses.values import Span

What = Literal["tariff", "event", "closure", "garage"]
MOST = 100
"""Closures, and events, the newest ones."""
_LATER = timedelta(weeks=4)
"""By how much a car park has to begin to count after the first one, so that it may be a new one."""


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happened, as it fills the form. ``sites`` are ids of counted car parks that it was about, empty
    where it was about none of them; ``hours`` where it began and ended within one day."""

    key: str
    what: What
    words: str
    sites: tuple[str, ...]
    first: date
    last: date | None = None
    hours: tuple[int, int] | None = None

    def touches(self, span: Span) -> bool:
        """Whether it began, went on or ended in that span; a change that stays does so on its first day."""
        return self.first <= span.last and (self.last or self.first) >= span.first


def known_changes(profile: Profile, tariffs: Tariffs, counted: Sequence[Counted], now: datetime) -> list[Known]:
    """All that has begun, the newest first."""
    zone = ZoneInfo(profile.time_zone)
    today = now.astimezone(zone).date()
    found = [
        *_of_tariffs(tariffs, counted, today),
        *_of_papers(Closure.objects.filter(start__lte=now)[:MOST], counted, zone),
        *_of_papers(Event.objects.filter(start__lte=now)[:MOST], counted, zone),
        *_of_counting(counted, profile.time_zone),
    ]
    return sorted(found, key=lambda each: (each.first, each.key), reverse=True)


def _of_tariffs(tariffs: Tariffs, counted: Sequence[Counted], today: date) -> Iterable[Known]:
    """By the day: tariffs that change together are one change."""
    days: dict[date, list[Plan]] = {}
    for plan in tariffs.plans.values():
        for version in plan.versions[1:]:  # the first version is no change: nobody says what held before it
            if version.valid_from is not None and version.valid_from <= today:
                days.setdefault(version.valid_from, []).append(plan)
    for day, plans in days.items():
        ids = {plan.id for plan in plans}
        about = {site.id for site in tariffs.sites.values() if ids & {site.plan, *site.possible}}
        words = ", ".join(name_of(plan.name) for plan in plans)
        yield Known(key=f"tariff:{day}", what="tariff", words=words, sites=_ids(counted, about), first=day)


def _of_papers(rows: Iterable[Decided], counted: Sequence[Counted], zone: ZoneInfo) -> Iterable[Known]:
    for each in rows:
        end = min((at for at in (each.until, each.ended) if at is not None), default=None)
        if end is not None and end <= each.start:
            continue  # called off before it began
        if isinstance(each, Event):
            about, what, words = set(each.sites), "event", each.name
        elif isinstance(each, Closure):
            about, what, words = {each.site}, "closure", _closure_words(each)
        else:
            continue
        sites = _ids(counted, about)
        if not sites:
            continue  # of what the reader may not see, or where nothing is counted
        start = each.start.astimezone(zone)
        # what ends at midnight ended on the day before
        last = None if end is None else (end.astimezone(zone) - timedelta(microseconds=1))
        hours = None
        if last is not None and last.date() == start.date():
            hours = (start.hour, last.hour + 1)
        yield Known(
            key=f"{what}:{each.pk}",
            what="event" if what == "event" else "closure",
            words=words,
            sites=sites,
            first=start.date(),
            last=None if last is None else last.date(),
            hours=hours if what == "event" else None,
        )


def _closure_words(each: Closure) -> str:
    if each.spaces is None:
        return each.text
    part = ngettext("%(n)d space closed", "%(n)d spaces closed", each.spaces) % {"n": each.spaces}
    return f"{part}: {each.text}" if each.text else part


def _of_counting(counted: Sequence[Counted], zone: str) -> Iterable[Known]:
    begins = {each.site.id: local_day(each.head.first, zone) for each in counted if each.head.first is not None}
    for simulated in (False, True):
        mine = [each for each in counted if each.state.simulated == simulated and each.site.id in begins]
        earliest = min((begins[each.site.id] for each in mine), default=None)
        for each in mine:
            if earliest is not None and begins[each.site.id] >= earliest + _LATER:
                yield Known(
                    key=f"garage:{each.site.id}",
                    what="garage",
                    words=_("counts since then; whether it opened then nobody has said"),
                    sites=(each.site.id,),
                    first=begins[each.site.id],
                )


def _ids(counted: Sequence[Counted], real: Iterable[str]) -> tuple[str, ...]:
    """Of the counted car parks that stand for these, measured ones first."""
    wanted = set(real)
    return tuple(each.site.id for each in counted if each.site.stands_for in wanted)


# --- what else was there ---


def fitting(known: Iterable[Known], what: str, site: str, first: date, last: date | None) -> Known | None:
    """The one that is asked about, where it is one of these."""
    for each in known:
        if (each.what, each.first, each.last) == (what, first, last) and (not each.sites or site in each.sites):
            return each
    return None


def also_then(asked: Known | None, span: Span, sites: set[str], known: Iterable[Known]) -> list[Known]:
    """What else touched these weeks at these car parks, or at none in particular; not what is asked about itself."""
    return [
        each
        for each in known
        if each.touches(span)
        and (not each.sites or sites & set(each.sites))
        and (asked is None or each.key != asked.key)
    ]


def school_holidays(profile: Profile, windows: Mapping[Part, Span]) -> list[tuple[Part, str, date, date]]:
    """Window, name and days of each school holiday that takes a part of it."""
    return [
        (part, each.name, max(each.first, span.first), min(each.last, span.last))
        for part, span in windows.items()
        for each in profile.calendar.school
        if each.first <= span.last and each.last >= span.first
    ]

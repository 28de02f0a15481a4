"""Opening hours in OpenStreetMap's syntax: whether a place is open, until when, and its week.

    calendar = calendar_of(profile)
    is_open("Mo-Sa 06:00-22:00; PH off", moment, calendar)   # False on a public holiday of the city's state
    state_at("Mo-Fr 8-", moment, calendar).open              # None: unknown, and `fault` says why

The grammar is the library's (opening-hours-py). It knows holidays of whole countries alone, so that ``PH`` and ``SH``
are put in here day by day: on a day that is one they stand for its weekday, on others for no day.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Literal
from zoneinfo import ZoneInfo

import msgspec
from opening_hours import OpeningHours, State

from allmende.domain.profile import Profile
from allmende.knowledge.analyses.calendar import public_holidays

DAYS = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")
_LONGEST = 1_000
"""Characters; the wiki's longest real values have a few hundred (OpenStreetMap's own limit is 255)."""
_AHEAD = 400
"""Days that are looked through for the next change."""
_HOLIDAY = re.compile(r"\b(PH|SH)\b(?:\s*([+-]\d{1,2})\s*days?\b)?(\s+(?=(?:Mo|Tu|We|Th|Fr|Sa|Su)\b))?")
_QUOTED = re.compile(r'("[^"]*")')


class Calendar(msgspec.Struct, frozen=True, kw_only=True):
    """Where a place lies in time: its zone, and the days on which it lives otherwise."""

    zone: str
    holidays: Callable[[date], bool]
    school_holidays: Callable[[date], bool]


class Opened(msgspec.Struct, frozen=True, kw_only=True):
    """How things stand at a moment. ``open`` None: unknown."""

    open: bool | None
    until: datetime | None = None
    """When that changes (aware, UTC); None where it does not within a year, or is unknown."""
    comment: str = ""
    """What the hours say beside, e.g. "by appointment"."""
    fault: str = ""
    """Why they cannot be read: what the library says, in English."""


class Hours(msgspec.Struct, frozen=True):
    """A part of a day in which it is open, in minutes since its midnight; ``end`` may lie behind the next one."""

    begin: int
    end: int


class WeekDay(msgspec.Struct, frozen=True, kw_only=True):
    """The hours of a day. ``hours`` None: unknown."""

    day: Literal[0, 1, 2, 3, 4, 5, 6, 7]
    """0 is Monday, 7 a public holiday."""
    hours: tuple[Hours, ...] | None


def public_holiday_of(profile: Profile) -> Callable[[date], bool]:
    """Whether a day is a public holiday of a city's state."""
    country, state = profile.country, profile.calendar.state
    return lambda day: day in _holidays(country, state, day.year)


@lru_cache(maxsize=64)
def _holidays(country: str, state: str, year: int) -> frozenset[date]:
    return frozenset(public_holidays(country, state, date(year, 1, 1), date(year, 12, 31)))


def calendar_of(profile: Profile) -> Calendar:
    """The calendar of a city: public holidays of its state, and its school holidays."""

    school = profile.calendar.school_days()
    return Calendar(zone=profile.time_zone, holidays=public_holiday_of(profile), school_holidays=school.__contains__)


def fault_of(osm: str) -> str:
    """Why hours cannot be read; empty where they can."""
    if len(osm) > _LONGEST:
        return f"is longer than {_LONGEST} characters"
    try:
        _compiled(osm, "UTC")
    except Exception as error:  # the library exports no class of its errors
        return str(error).strip().rsplit("= ", 1)[-1]
    return ""


def is_open(osm: str, at: datetime, calendar: Calendar) -> bool | None:
    """Whether it is open at a moment (aware); None where that is not known."""
    return state_at(osm, at, calendar, ahead=0).open


def state_at(osm: str, at: datetime, calendar: Calendar, *, ahead: int = _AHEAD) -> Opened:
    """How things stand at a moment (aware), and when that changes within so many days."""
    if not osm.strip():
        return Opened(open=None)
    if fault := fault_of(osm):
        return Opened(open=None, fault=fault)
    known: Opened | None = None
    for begin, _end, opened, comment in _segments(osm, at, at + timedelta(days=ahead, minutes=1), calendar):
        if known is None:
            known = Opened(open=opened, comment=comment)
        elif opened != known.open:
            return msgspec.structs.replace(known, until=begin)
    return known or Opened(open=None)


def closed_spans(osm: str, start: datetime, end: datetime, calendar: Calendar) -> list[tuple[datetime, datetime]]:
    """The parts of a span (aware) in which nobody is let in; none where the hours cannot be read."""
    if not osm.strip() or fault_of(osm):
        return []
    return [(begin, stop) for begin, stop, opened, _comment in _segments(osm, start, end, calendar) if opened is False]


def week(osm: str, monday: date, calendar: Calendar) -> tuple[WeekDay, ...]:
    """The seven days from ``monday``, each as if it were no holiday, and an eighth for public holidays where the hours
    tell of them. Nothing of hours that cannot be read."""
    if not osm.strip() or fault_of(osm):
        return ()
    plain = Calendar(zone="UTC", holidays=_never, school_holidays=_never)
    found = [_week_day(osm, n, monday + timedelta(days=n), plain) for n in range(7)]
    if _mentions(osm, "PH"):
        midweek = monday + timedelta(days=2)
        feast = Calendar(zone="UTC", holidays=lambda day: day == midweek, school_holidays=_never)
        found.append(_week_day(osm, 7, midweek, feast))
    return tuple(found)


# --- what stands behind ---


def _never(_day: date) -> bool:
    return False


@lru_cache(maxsize=1024)
def _compiled(osm: str, zone: str) -> OpeningHours:
    return OpeningHours(osm, timezone=ZoneInfo(zone), auto_country=False, auto_timezone=False)


_Segment = tuple[datetime, datetime, bool | None, str]


def _segments(osm: str, start: datetime, end: datetime, calendar: Calendar) -> Iterator[_Segment]:
    """Neighbouring spans with whether it is open, and what is said beside."""
    zone = ZoneInfo(calendar.zone)
    if not (_mentions(osm, "PH") or _mentions(osm, "SH")):
        yield from _spans(osm, start.astimezone(zone), end.astimezone(zone), calendar.zone)
        return
    day = start.astimezone(zone).date()
    while (midnight := datetime.combine(day, time(), zone)) < end:
        following = datetime.combine(day + timedelta(days=1), time(), zone)
        text = _for_day(osm, day, calendar)
        if fault_of(text):
            yield max(midnight, start), min(following, end), None, ""
        else:
            yield from _spans(
                text, max(midnight, start.astimezone(zone)), min(following, end.astimezone(zone)), calendar.zone
            )
        day += timedelta(days=1)


def _spans(osm: str, start: datetime, end: datetime, zone: str) -> Iterator[_Segment]:
    states = {State.OPEN: True, State.CLOSED: False}
    for begin, stop, state, comment in _compiled(osm, zone).intervals(start, end):
        yield begin.astimezone(UTC), stop.astimezone(UTC), states.get(state), comment


def _mentions(osm: str, word: str) -> bool:
    return any(re.search(rf"\b{word}\b", part) for part in _unquoted(osm))


def _unquoted(osm: str) -> Sequence[str]:
    return _QUOTED.split(osm)[::2]


def _for_day(osm: str, day: date, calendar: Calendar) -> str:
    """The hours as they are on one day, with what is left of the night before."""
    kinds = {"PH": calendar.holidays, "SH": calendar.school_holidays}

    def put(match: re.Match[str]) -> str:
        moved = timedelta(days=int(match[2] or 0))
        hits = [each for each in (day - timedelta(days=1), day) if kinds[match[1]](each - moved)]
        if match[3]:  # "SH Mo-Fr": both have to hold
            return "" if day in hits else "1900 "
        return ",".join(DAYS[each.weekday()] for each in hits) or match[1]

    parts = _QUOTED.split(osm)
    parts[::2] = [_HOLIDAY.sub(put, part) for part in parts[::2]]
    return "".join(parts)


def _week_day(osm: str, number: int, day: date, calendar: Calendar) -> WeekDay:
    midnight = datetime.combine(day, time(), UTC)
    found: list[Hours] = []
    before = next(iter(_segments(osm, midnight - timedelta(minutes=1), midnight, calendar)), None)
    for begin, stop, opened, _comment in _segments(osm, midnight, midnight + timedelta(days=1), calendar):
        if opened is None:
            return WeekDay(day=number, hours=None)  # type: ignore[arg-type]  # 0 to 7
        if opened:
            found.append(Hours((begin - midnight) // timedelta(minutes=1), (stop - midnight) // timedelta(minutes=1)))
    # What began the evening before belongs to that day, and what ends in the morning after to this one.
    if found and found[0].begin == 0 and found[0].end < 1440 and before is not None and before[2]:
        found = found[1:]
    if found and found[-1].end == 1440 and found[-1].begin > 0:
        behind = next(iter(_segments(osm, midnight + timedelta(days=1), midnight + timedelta(days=2), calendar)), None)
        if behind is not None and behind[2]:
            rest = (behind[1] - midnight) // timedelta(minutes=1)
            if rest < 2 * 1440:
                found[-1] = Hours(found[-1].begin, rest)
    return WeekDay(day=number, hours=tuple(found))  # type: ignore[arg-type]  # 0 to 7

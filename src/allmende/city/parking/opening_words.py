"""Opening hours in words of the active language."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from allmende.city.parking.opening import Calendar, Hours, Opened, WeekDay, state_at, week

_DAY = 24 * 60


class Told(NamedTuple):
    """What a page says of opening hours."""

    now: str
    """"Open until 22:00", "" where that is not known."""
    week: list[tuple[str, str]]
    """Days and their hours, alike neighbours together."""
    raw: str
    """As they were given."""
    fault: str
    """Why they cannot be read, "" where they can."""


def tell(osm: str, at: datetime, calendar: Calendar) -> Told:
    """Opening hours at a moment (aware) and in the week that it lies in."""
    shown = at.astimezone(ZoneInfo(calendar.zone))
    monday = shown.date() - timedelta(days=shown.weekday())
    opened = state_at(osm, at, calendar)
    return Told(
        now=say_now(opened, at, calendar), week=say_week(week(osm, monday, calendar)), raw=osm, fault=opened.fault
    )


def say_now(opened: Opened, at: datetime, calendar: Calendar) -> str:
    """How things stand, and until when; "" where that is not known."""
    if opened.open is None:
        return ""
    if opened.until is None:
        return _("Always open") if opened.open else _("Closed")
    zone = ZoneInfo(calendar.zone)
    words = _("Open until %(time)s") if opened.open else _("Closed until %(time)s")
    told = words % {"time": _moment(opened.until.astimezone(zone), at.astimezone(zone))}
    return f"{told} ({opened.comment})" if opened.comment else told


def _moment(then: datetime, now: datetime) -> str:
    clock = f"{then:%H:%M}"
    if then.date() == now.date():
        return clock
    if then.date() - now.date() < timedelta(days=7):
        return f"{date_format(then, 'l')}, {clock}"
    return f"{date_format(then, 'SHORT_DATE_FORMAT')}, {clock}"


def say_week(days: Sequence[WeekDay]) -> list[tuple[str, str]]:
    """Neighbours with the same hours together: "Monday to Friday", "6:00 to 22:00". Holidays stand last."""
    usual = [each for each in days if each.day < 7]
    groups: list[list[WeekDay]] = []
    for each in usual:
        if groups and groups[-1][0].hours == each.hours:
            groups[-1].append(each)
        else:
            groups.append([each])
    found = [(_days(group), say_hours(group[0].hours)) for group in groups]
    return [*found, *((_("Public holidays"), say_hours(each.hours)) for each in days if each.day == 7)]


def _days(group: Sequence[WeekDay]) -> str:
    if len(group) == 7:
        return _("Every day")
    first, last = (date_format(date(2024, 1, 1) + timedelta(days=each.day), "l") for each in (group[0], group[-1]))
    return first if len(group) == 1 else _("%(first)s to %(last)s") % {"first": first, "last": last}


def say_hours(hours: Sequence[Hours] | None) -> str:
    """The hours of a day."""
    if hours is None:
        return _("not known")
    if not hours:
        return _("closed")
    if hours[0] == Hours(0, _DAY):
        return _("around the clock")
    return ", ".join(
        _("%(begin)s to %(end)s o’clock") % {"begin": _clock(each.begin), "end": _clock(each.end)} for each in hours
    )


def _clock(minutes: int) -> str:
    shown = minutes if minutes == _DAY else minutes % _DAY
    return f"{shown // 60}:{shown % 60:02}"

"""Opening hours of OpenStreetMap's syntax as DATEX II writes them, as far as it can: days of the week and times of day.

``24/7`` and rules like ``Mo-Fr 07:00-19:00; Sa 08:00-14:00,16:00-18:00`` are written. Anything else (holidays, months,
sunrise, ``off``) would say something wrong if a part of it was left out, so then the whole is.
"""

import re
from typing import NamedTuple, Protocol

from lxml import etree

COM = "http://datex2.eu/schema/3/common"
PAR = "http://datex2.eu/schema/3/parking"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
_DAYS = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")
_NAMES = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_RULE = re.compile(r"(?:((?:Mo|Tu|We|Th|Fr|Sa|Su|[-,])+) )?((?:\d\d:\d\d-\d\d:\d\d,?)+)\Z", re.ASCII)
_TIMES = re.compile(r"([01]\d|2[0-4]):([0-5]\d)-([01]\d|2[0-4]):([0-5]\d)\Z", re.ASCII)


class Rule(NamedTuple):
    """Days of the week (0 is Monday) and the times from and to, ``HH:MM``."""

    days: tuple[int, ...]
    times: tuple[tuple[str, str], ...]


class Add(Protocol):
    """Appends an element with a value."""

    def __call__(self, parent: etree._Element, space: str, name: str, value: object = None) -> etree._Element:
        """The element."""


def read(said: str) -> list[Rule] | None:
    """The rules; None where there is anything that they cannot say. A later rule for a day replaces an earlier one."""
    rules: list[Rule] = []
    for part in (piece.strip() for piece in said.split(";")):
        match = _RULE.match(part)
        days = _days(match[1]) if match else None
        if match is None or days is None:
            return None
        times = []
        for span in match[2].strip(",").split(","):
            found = _TIMES.match(span)
            if found is None:
                return None
            times.append((f"{found[1]}:{found[2]}", f"{found[3]}:{found[4]}"))
        rules = [Rule(tuple(day for day in rule.days if day not in days), rule.times) for rule in rules]
        rules = [*(rule for rule in rules if rule.days), Rule(days, tuple(times))]
    return rules


def _days(said: str | None) -> tuple[int, ...] | None:
    if not said:
        return tuple(range(7))
    found: list[int] = []
    for part in said.split(","):
        first, dash, last = part.partition("-")
        if first not in _DAYS or (dash and last not in _DAYS):
            return None
        begin, end = _DAYS.index(first), _DAYS.index(last if dash else first)
        found += [day % 7 for day in range(begin, end + 1 + (7 if end < begin else 0))]
    return tuple(sorted(set(found)))


def write(element: etree._Element, said: str | None, add: Add) -> None:
    """``par:openingTimes``, where DATEX II can say all of it."""
    if not said:
        return
    if said.strip() == "24/7":
        times = add(element, PAR, "openingTimes")
        add(times, PAR, "available24hours", True)
        return
    rules = read(said)
    if rules is None:
        return
    validity = add(add(element, PAR, "openingTimes"), PAR, "validity")
    add(validity, COM, "validityStatus", "definedByValidityTimeSpec")
    overall = add(validity, COM, "validityTimeSpecification")
    # since when is not known, and the schema wants it said
    add(overall, COM, "overallStartTime", "2000-01-01T00:00:00Z")
    for rule in rules:
        period = add(overall, COM, "validPeriod")
        for begin, end in rule.times:
            of_day = add(period, COM, "recurringTimePeriodOfDay")
            add(of_day, COM, "startTimeOfPeriod", f"{begin}:00")
            add(of_day, COM, "endTimeOfPeriod", f"{'00:00' if end == '24:00' else end}:00")
        if len(rule.days) < 7:
            of_week = add(period, COM, "recurringDayWeekMonthPeriod")
            for day in rule.days:
                add(of_week, COM, "applicableDay", _NAMES[day])

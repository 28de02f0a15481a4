"""What tariffs say, and what a stay costs by them, as values. All money is whole cents, all lengths are minutes."""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Literal

import msgspec

DAY = 24 * 60
"""Minutes."""
WEEKDAYS = ("mo", "tu", "we", "th", "fr", "sa", "su")
HOLIDAY = "ph"
Holidays = Callable[[date], bool]
"""Whether a day is a public holiday of the city."""
NotSaid = Literal["hours", "step", "holidays", "free", "minimum", "maximum"]
"""What a source leaves open: costs are told all the same, computed as if there were none of it, and say so."""


class Rate(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked at some hours. Exactly one of ``price`` and ``flat`` is given."""

    price: int | None = None
    """Cents an hour."""
    flat: int | None = None
    """Cents for each time that its hours are begun, e.g. for a night, however long one stays."""
    days: frozenset[str] = frozenset({*WEEKDAYS, HOLIDAY})
    """On which days its hours begin: WEEKDAYS and HOLIDAY."""
    begin: int = 0
    """Minutes since midnight, on the clock."""
    end: int = 0
    """The same. Not behind ``begin``: its hours end on the next day; equal: they are the whole day."""
    step: int = 0
    """Each started step of so many minutes is charged whole; 0: to the minute."""
    after: int = 0
    """It holds from this minute of the stay on."""


class Version(msgspec.Struct, frozen=True, kw_only=True):
    """A plan as it holds on some days, and who says so. At each minute the first rate that fits counts; where none
    fits nothing is charged."""

    rates: tuple[Rate, ...]
    valid_from: date | None = None
    valid_until: date | None = None
    """The last day. None: until the next version begins."""
    source: str
    date: str
    note: str = ""
    free: int = 0
    """Minutes at the beginning that are not charged."""
    free_short: bool = False
    """The free minutes are for stays alone that are no longer: who stays longer pays from the beginning."""
    minimum: int = 0
    """Cents that are the least, where anything is charged at all."""
    maximum: int | None = None
    """Cents that are the most for a day of the calendar, or for each 24 hours of the stay."""
    maximum_per: Literal["day", "24h"] = "day"
    longest: int | None = None
    """Minutes that one may stay."""
    longest_counts: Literal["all", "charged"] = "all"
    """Which minutes count for it: all, or those that something is asked for."""
    holidays: Literal["weekday", "sunday", "free", "own"] = "weekday"
    """A public holiday is the weekday that it is, a Sunday, free, or has rates of its own (``ph``)."""
    not_said: tuple[NotSaid, ...] = ()
    entered: datetime | None = None
    """When it was released in the browser; None: it stands in the profile's file."""

    def covers(self, day: date) -> bool:
        """Whether it holds on that day."""
        return (self.valid_from is None or self.valid_from <= day) and (
            self.valid_until is None or day <= self.valid_until
        )


class FreeDays(msgspec.Struct, frozen=True, kw_only=True):
    """Days on which nothing is charged, both included."""

    first: date
    last: date
    name: Mapping[str, str]
    source: str
    date: str


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """A tariff through the years: a zone of the city's, or a car park's own."""

    id: str
    name: Mapping[str, str]
    versions: tuple[Version, ...]
    """In the order of time; no two hold on one day."""
    free_days: tuple[FreeDays, ...] = ()
    permit: bool = False
    """Only who has a permit may park there."""

    def on(self, day: date) -> Version | None:
        """The version that holds on that day."""
        return next((version for version in self.versions if version.covers(day)), None)

    def free_on(self, day: date) -> FreeDays | None:
        """Why nothing is charged on that day."""
        return next((each for each in self.free_days if each.first <= day <= each.last), None)


class Site(msgspec.Struct, frozen=True, kw_only=True):
    """Which tariff holds at a site, as far as somebody says it."""

    id: str
    plan: str = ""
    """Empty where no source says it."""
    possible: tuple[str, ...] = ()
    """Plans of which one holds, where it is not known which."""
    longest: int | None = None
    """Minutes that one may stay, whatever the plan says."""
    name: Mapping[str, str] = {}
    """Of a site that is told of here alone."""
    source: str
    date: str
    note: str = ""


class Permit(msgspec.Struct, frozen=True, kw_only=True):
    """What residents and others pay who need no ticket: told of, and never part of a stay's cost."""

    id: str
    name: Mapping[str, str]
    cents: int
    per: Literal["year", "month"] = "year"
    valid_from: date | None = None
    valid_until: date | None = None
    source: str
    date: str
    note: str = ""


class Tariffs(msgspec.Struct, frozen=True, kw_only=True):
    """All that is known of a city's tariffs. ``zone`` is the name of its time zone."""

    zone: str
    currency: str = "EUR"
    plans: Mapping[str, Plan] = {}
    sites: Mapping[str, Site] = {}
    permits: tuple[Permit, ...] = ()
    holidays: Holidays
    most_days: int = 100
    """The longest stay that is counted."""


LineKind = Literal["time", "flat", "no-charge", "free-days", "free-minutes", "free-short", "minimum", "maximum"]


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """A part of the cost. The cents of all lines are those of the cost; one that takes away is below zero."""

    kind: LineKind
    start: datetime
    """Aware, UTC."""
    end: datetime
    cents: int
    version: Version
    rate: Rate | None = None
    units: int = 0
    """Minutes that were charged, or steps where the rate has them."""
    name: Mapping[str, str] = {}
    """Why days are free."""


Reason = Literal["", "no-source", "no-version", "longest", "permit"]


class Cost(msgspec.Struct, frozen=True, kw_only=True):
    """What a stay costs. ``cents`` is known exactly when ``status`` is "known"; ``low`` and ``high`` also for a
    "range"."""

    status: Literal["known", "range", "unknown", "not-allowed"]
    reason: Reason = ""
    """Why it is not known or not allowed; of a range why it is one."""
    cents: int | None = None
    low: int | None = None
    high: int | None = None
    currency: str = "EUR"
    plan: str = ""
    lines: tuple[Line, ...] = ()
    not_said: tuple[NotSaid, ...] = ()
    """What the source of the tariff leaves open."""
    until: datetime | None = None
    """How long one may stay at most, where that is why it is not allowed."""
    possible: tuple["Cost", ...] = ()
    """The costs that a range is made of, one for each plan."""

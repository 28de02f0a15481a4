"""What a tariff that was entered would change: the cost of some stays with and without it, from its first day on."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from allmende.city.parking.pricing.overlay import Entered, laid_over
from allmende.city.parking.tariffs import cost_of
from allmende.city.parking.tariffs_model import Cost, Plan, Tariffs
from allmende.city.parking.tariffs_words import headline, money

_HOURS = (0.5, 1.0, 2.0, 4.0)


@dataclass(frozen=True)
class Compared:
    """One stay: what it costs without the new tariff and with it."""

    stay: str
    without: str
    with_it: str
    change: str


def compare(before: Tariffs, entered: Entered) -> list[Compared]:
    """The same stays by both. ``before`` are all tariffs without the new one."""
    after = laid_over(before, [entered])
    zone = ZoneInfo(before.zone)
    old, new = before.plans.get(entered.plan), after.plans[entered.plan]
    first = entered.version.valid_from or date.min
    return [_compared(before, old, new, start, end) for start, end in _stays(first, after, zone)]


def _stays(first: date, tariffs: Tariffs, zone: ZoneInfo) -> Iterator[tuple[datetime, datetime]]:
    """On a working day from the first day on: short and long, an evening, a night, a day; a Sunday; and the night in
    which the tariff begins."""
    working = next(
        day for day in (first + timedelta(days=n) for n in range(30)) if day.weekday() < 5 and not tariffs.holidays(day)
    )
    sunday = first + timedelta(days=6 - first.weekday())

    def at(day: date, clock: int) -> datetime:
        return datetime(day.year, day.month, day.day, clock, tzinfo=zone)

    for hours in _HOURS:
        yield at(working, 10), at(working, 10) + timedelta(hours=hours)
    next_day = working + timedelta(days=1)
    yield at(working, 18), at(working, 22)
    yield at(working, 20), at(next_day, 8)
    yield at(working, 10), at(next_day, 10)
    yield at(sunday, 10), at(sunday, 12)
    yield at(first - timedelta(days=1), 22), at(first, 2)


def _compared(tariffs: Tariffs, old: Plan | None, new: Plan, start: datetime, end: datetime) -> Compared:
    without = cost_of(tariffs, old, start, end) if old is not None else Cost(status="unknown", reason="no-source")
    then = cost_of(tariffs, new, start, end)
    change = ""
    if without.cents is not None and then.cents is not None:
        difference = then.cents - without.cents
        change = ("+" if difference > 0 else "") + money(difference, tariffs.currency) if difference else _("none")
    return Compared(
        stay=_words(start, end),
        without=headline(without),
        with_it=headline(then),
        change=change,
    )


def _words(start: datetime, end: datetime) -> str:
    told = {"day": date_format(start, "D j.n.Y"), "begin": f"{start:%H:%M}", "end": f"{end:%H:%M}"}
    if end.date() == start.date():
        return _("%(day)s, %(begin)s to %(end)s") % told
    return _("%(day)s, %(begin)s to %(end)s on the next day") % told

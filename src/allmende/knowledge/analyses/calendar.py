"""The calendar on the wall: days, hours of the week and public holidays of a zone, right when the clock is changed."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from allmende.domain import times


class Slot(NamedTuple):
    """Where a moment lies on the wall: its day, and the microseconds that the clock shows since midnight.

    On the day when the clock is put back two moments have the same slot.
    """

    day: date
    clock: int

    @property
    def hour(self) -> int:
        """0 to 23."""
        return self.clock // times.HOUR


def midnight(day: date, zone: str) -> int:
    """When a day begins, in microseconds; where the clock skips midnight, as far behind the gap."""
    return times.from_datetime(datetime.combine(day, time(), ZoneInfo(zone)))


def days_between(first: date, last: date) -> list[date]:
    """Both included; empty where the last is before the first."""
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def starts_between(first: date, last: date, width: int, zone: str) -> list[int]:
    """When the buckets of ``width`` (at most a day, a part of an hour or whole hours) begin in these days.

    Buckets of an hour or less are told apart by real time: a day has 23, 24 or 25 hours of them.
    """
    found: list[int] = []
    for day in days_between(first, last):
        begin, end = midnight(day, zone), midnight(day + timedelta(days=1), zone)
        found += range(begin, end, width) if width < times.DAY else [begin]
    return found


def slots(moments: Iterable[int], zone: str) -> list[Slot]:
    """Where each moment lies."""
    known = ZoneInfo(zone)
    shown = (times.to_datetime(moment).astimezone(known) for moment in moments)
    return [Slot(at.date(), (at.hour * 3600 + at.minute * 60 + at.second) * times.SECOND) for at in shown]


def local_day(moment: int, zone: str) -> date:
    """The day on which a moment lies."""
    return times.to_datetime(moment).astimezone(ZoneInfo(zone)).date()


def missing_clocks(day: date, zone: str, width: int = times.HOUR) -> frozenset[int]:
    """What the clock never shows on this day, as microseconds since midnight in steps of ``width``."""
    shown = {slot.clock for slot in slots(starts_between(day, day, width, zone), zone)}
    return frozenset(clock for clock in range(0, times.DAY, width) if clock not in shown)


def knows_holidays(country: str) -> bool:
    """Whether the public holidays of a country (ISO 3166-1, two letters) are known."""
    return country in _states()


def knows_state(country: str, state: str) -> bool:
    """Whether a state of a country (ISO 3166-2, without the country) is known to have holidays of its own."""
    return state in _states().get(country, ())


def public_holidays(country: str, state: str, first: date, last: date, language: str = "") -> dict[date, str]:
    """The public holidays of a span and their names; of a state that is not known, those of the whole country.

    The names are in ``language`` where the calendar has it, else in the country's own.
    """
    if not knows_holidays(country):
        return {}
    import holidays  # where it is asked: it takes longer to load than most of ours together

    years = range(first.year, last.year + 1)
    calendar = holidays.country_holidays(
        country, subdiv=state if knows_state(country, state) else None, years=years, language=_spoken(country, language)
    )
    return {day: name for day, name in sorted(calendar.items()) if first <= day <= last}


@lru_cache(maxsize=1)
def _states() -> Mapping[str, list[str]]:
    import holidays

    return holidays.list_supported_countries()


@lru_cache(maxsize=64)
def _spoken(country: str, language: str) -> str | None:
    import holidays

    known = holidays.list_localized_countries().get(country, [])
    return next((each for each in known if each == language or each.startswith(f"{language}_")), None)

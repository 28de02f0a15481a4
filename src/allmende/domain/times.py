"""Time as the house keeps it: whole microseconds since 1970-01-01T00:00:00Z, as one integer.

An integer is compared, stored and shipped without a thought for zones; it is turned into text at the edge alone.
The range is the one of ISO 8601's four-digit years (0001 to 9999). Finer digits than microseconds are cut, not
rounded, so that a reading never moves into the future. A leap second is refused, not shifted.
"""

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

from allmende.domain.errors import InvalidInput

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NAIVE_EPOCH = _EPOCH.replace(tzinfo=None)  # naive on purpose: the fast path of formatting
_TWO_DIGITS = tuple(f"{number:02}" for number in range(60))
_MICROSECOND = timedelta(microseconds=1)
EARLIEST = (datetime(1, 1, 1, tzinfo=UTC) - _EPOCH) // _MICROSECOND
LATEST = (datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC) - _EPOCH) // _MICROSECOND

_SHAPE = re.compile(
    r"(\d{4}-\d{2}-\d{2})[Tt ](\d{2}:\d{2}(?::(\d{2}))?)(?:[.,](\d{1,12}))?(Z|z|[+-]\d{2}(?::?\d{2})?)?\Z", re.ASCII
)
_DURATION = re.compile(
    r"(-)?P(?:(\d{1,9})W)?(?:(\d{1,9})D)?(?:T(?:(\d{1,9})H)?(?:(\d{1,9})M)?(?:(\d{1,9})(?:\.(\d{1,6}))?S)?)?\Z",
    re.ASCII,
)
_MONTHS = re.compile(r"P(?:(\d{1,6})Y)?(?:(\d{1,6})M)?\Z", re.ASCII)


class Interval(NamedTuple):
    """A span of time; ``end`` is None for an instant. Both in microseconds."""

    start: int
    end: int | None = None


def parse_instant(text: str) -> int:
    """Microseconds of an ISO 8601 instant with an offset; raises InvalidInput that says what is wrong.

    A time without an offset is refused: to guess a zone would shift readings silently.
    """
    match = _SHAPE.match(text)
    if match is None:
        raise InvalidInput("%(text)s is no ISO 8601 time, e.g. 2024-04-30T23:45:02Z", text=repr(text))
    date, clock, seconds, fraction, offset = match.groups()
    if offset is None:
        raise InvalidInput("%(text)s has no offset; write Z for UTC or e.g. +02:00", text=repr(text))
    if seconds == "60":
        raise InvalidInput(
            "%(text)s is a leap second, which is not taken; send the second before or after", text=repr(text)
        )
    try:
        moment = datetime.fromisoformat(f"{date}T{clock}{'+00:00' if offset in 'Zz' else offset}")
        micros = (moment - _EPOCH) // _MICROSECOND
    except (ValueError, OverflowError) as error:
        raise InvalidInput("%(text)s is no time of the calendar: %(error)s", text=repr(text), error=error) from None
    if fraction:
        micros += int(fraction[:6].ljust(6, "0"))
    if not EARLIEST <= micros <= LATEST:
        raise InvalidInput("%(text)s lies outside of the years 0001 to 9999", text=repr(text))
    return micros


def parse_interval(text: str) -> Interval:
    """An instant, or ``start/end`` (end not before start), of which a duration may stand for one: ``start/PT1H``."""
    first, slash, second = text.partition("/")
    if not slash:
        return Interval(parse_instant(first))
    if first.startswith("P"):
        end = parse_instant(second)
        start = end - parse_duration(first)
    else:
        start = parse_instant(first)
        end = start + parse_duration(second) if second.startswith("P") else parse_instant(second)
    if not (EARLIEST <= start <= LATEST and EARLIEST <= end <= LATEST):
        raise InvalidInput("%(text)s lies outside of the years 0001 to 9999", text=repr(text))
    if end < start:
        raise InvalidInput("%(text)s ends before it starts", text=repr(text))
    return Interval(start, end)


def format_instant(micros: int) -> str:
    """ISO 8601 in UTC: milliseconds as three digits, finer ones as six, e.g. ``2024-04-30T23:45:02.000Z``."""
    hour, rest = divmod(micros, HOUR)
    try:
        head = _format_hour(hour)
    except OverflowError:
        raise InvalidInput("%(micros)s µs lies outside of the years 0001 to 9999", micros=micros) from None
    seconds, fraction = divmod(rest, SECOND)
    clock = f"{head}{_TWO_DIGITS[seconds // 60]}:{_TWO_DIGITS[seconds % 60]}"
    if not fraction:
        return f"{clock}.000Z"
    return f"{clock}.{fraction:06}Z" if fraction % 1000 else f"{clock}.{fraction // 1000:03}Z"


@lru_cache(maxsize=4096)
def _format_hour(hour: int) -> str:
    """``2024-04-30T23:``. The calendar is the dear part of formatting, and readings come in runs."""
    return (_NAIVE_EPOCH + timedelta(hours=hour)).isoformat(timespec="hours") + ":"


def format_interval(start: int, end: int | None) -> str:
    """An instant where ``end`` is None, else ``start/end``."""
    return format_instant(start) if end is None else f"{format_instant(start)}/{format_instant(end)}"


def from_datetime(moment: datetime) -> int:
    """Microseconds of an aware datetime."""
    if moment.tzinfo is None:
        raise InvalidInput("%(moment)s has no time zone", moment=repr(moment))
    return (moment - _EPOCH) // _MICROSECOND


def to_datetime(micros: int) -> datetime:
    """The aware datetime, in UTC."""
    return _EPOCH + timedelta(microseconds=micros)


def parse_duration(text: str) -> int:
    """Microseconds of an ISO 8601 duration of weeks, days, hours, minutes and seconds, e.g. ``PT5M``.

    Years and months are refused: they have no fixed length.
    """
    match = _DURATION.match(text)
    if match is None or text.rstrip("T") in ("P", "-P") or text.endswith("T"):
        raise InvalidInput("%(text)s is no ISO 8601 duration, e.g. PT5M or P1D", text=repr(text))
    sign, weeks, days, hours, minutes, seconds, fraction = match.groups()
    whole = (int(weeks or 0) * 7 + int(days or 0)) * DAY + int(hours or 0) * HOUR + int(minutes or 0) * MINUTE
    whole += int(seconds or 0) * SECOND + int((fraction or "0").ljust(6, "0"))
    return -whole if sign else whole


def parse_months(text: str) -> int | None:
    """The number of months of a duration of years and months alone, e.g. ``P1M`` or ``P1Y``; None for another one."""
    match = _MONTHS.match(text)
    if match is None or text == "P":
        return None
    return int(match[1] or 0) * 12 + int(match[2] or 0)

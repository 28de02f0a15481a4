"""What is asked for in an address: streams, a span of time, how many points. Each mistake is said with its place."""

import re
from calendar import monthrange
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from django.http import QueryDict

from allmende.domain import times
from allmende.domain.errors import InvalidInput
from allmende.knowledge.series import POINTS, STREAMS
from allmende.web.house import House

NOW = "now"
ALL = "all"
USUAL = "-P7D"
_LONGEST = 300
"""Characters of an id that are looked at."""
_WRONG = "%(text)s is no time; write e.g. 2026-11-01T12:00, -P7D, or now"
_PLAIN = re.compile(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d)?)?\Z", re.ASCII)
"""A day, or what the clock of the city shows, as forms send it."""


class Span(NamedTuple):
    """A span of time in microseconds, UTC, and the words that say it."""

    start: int
    end: int
    start_words: str
    end_words: str

    @property
    def moving(self) -> bool:
        """Whether it ends now, whenever that is."""
        return self.end_words == NOW


def read_streams(asked: QueryDict) -> list[str]:
    """The ids of the streams, each once. Raises InvalidInput."""
    found = list(dict.fromkeys(each.strip() for each in asked.getlist("stream") if each.strip()))
    if len(found) > STREAMS:
        raise InvalidInput("no more than %(most)s streams at once", where="stream", most=STREAMS)
    if any(len(each) > _LONGEST for each in found):
        raise InvalidInput("a stream's id is shorter", where="stream")
    return found


def read_points(asked: Mapping[str, str]) -> int:
    """How many points a line may have. Raises InvalidInput."""
    text = asked.get("points", "") or "500"
    if not re.fullmatch(r"[0-9]{1,6}", text, re.ASCII) or int(text) < 2:
        raise InvalidInput("points is a number from 2 to %(most)s", where="points", most=POINTS)
    return min(int(text), POINTS)


def read_span(asked: Mapping[str, str], now: int, zone: str, *, first: int | None = None) -> Span:
    """``from`` and ``to``: an instant (``2026-11-01T12:00:00Z``), a time by the city's clock (``2026-11-01``,
    ``2026-11-01T12:00``), a duration before ``to`` or from now on (``-P7D``, ``PT6H``), ``now``; ``all`` begins with
    ``first``, the oldest reading of all. Raises InvalidInput."""
    said_end = asked.get("to", "").strip() or NOW
    said_start = asked.get("from", "").strip() or USUAL
    end = now if said_end == NOW else _moment(said_end, now, zone, "to")
    if said_start == ALL:
        start = min(end - times.HOUR, first if first is not None else end - 7 * times.DAY)
    else:
        start = _moment(said_start, end, zone, "from")
    if not start < end:
        raise InvalidInput("the span ends before it begins", where="from")
    return Span(start, end, said_start, said_end)


def _moment(text: str, base: int, zone: str, where: str) -> int:
    try:
        if text.lstrip("+-").startswith("P"):
            return shift(base, text.removeprefix("+"), zone)
    except (InvalidInput, ValueError, OverflowError):
        raise InvalidInput(_WRONG, where=where, text=repr(text[:60])) from None
    return read_moment(text, zone, where)


def read_moment(text: str, zone: str, where: str = "time") -> int:
    """An instant, or a time by the city's clock. Raises InvalidInput."""
    try:
        if _PLAIN.match(text):
            local = datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))
            return _within(times.from_datetime(local))
        # a plus that was not escaped in an address is a blank
        return _within(times.parse_instant(text.replace(" ", "+")))
    except (InvalidInput, ValueError, OverflowError):
        raise InvalidInput(_WRONG, where=where, text=repr(text[:60])) from None


def first_of(house: House, ids: Sequence[str]) -> int | None:
    """The time of the oldest reading of some streams, as far as they may be seen."""
    known = [head.first for head in house.store.heads(house.reader, ids) if head.first is not None]
    return min(known, default=None)


def shift(base: int, duration: str, zone: str) -> int:
    """A moment so much later, or with a minus so much earlier. Months and years are the calendar's, and days the
    clock's: a week before Monday, 8:00, is Monday, 8:00. Raises InvalidInput."""
    sign = -1 if duration.startswith("-") else 1
    length = duration.removeprefix("-")
    months = times.parse_months(length)
    clock = ZoneInfo(zone)
    local = times.to_datetime(base).astimezone(clock)
    if months is not None:
        index = local.year * 12 + local.month - 1 + sign * months
        year, month = divmod(index, 12)
        if not 1 <= year <= 9999:
            raise InvalidInput("the calendar ends there")
        moved = local.replace(year=year, month=month + 1, day=min(local.day, monthrange(year, month + 1)[1]))
        return _within(times.from_datetime(moved))
    micros = sign * times.parse_duration(length)
    if micros % times.DAY:
        return _within(base + micros)
    try:
        moved = (local.replace(tzinfo=None) + timedelta(days=micros // times.DAY)).replace(tzinfo=clock)
    except OverflowError:
        raise InvalidInput("the calendar ends there") from None
    return _within(times.from_datetime(moved))


def _within(moment: int) -> int:
    """Refuses what no clock of any zone shows: it is written in the city's."""
    if not times.EARLIEST + times.DAY <= moment <= times.LATEST - times.DAY:
        raise InvalidInput("the calendar ends there")
    return moment

"""Times that devices write in their own zone: ``2026-01-06T14:48:15.288ZCET`` and times without any zone.

Beside :mod:`allmende.connectors.localtime`, for messages that come as they are made: where a local time is there twice,
the moment of the receipt tells which one it is. The ``Z`` in front of a zone's name is a literal of the device's
format, not UTC: it is local time in that zone.
What becomes of the hour that is there twice is decision 25.
"""

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from allmende.connectors.gathering import Refused, shown
from allmende.connectors.localtime import DOUBLE_HOUR
from allmende.domain.errors import InvalidInput
from allmende.domain.times import MINUTE, SECOND, parse_instant

NEAR = 15 * MINUTE
"""A message that came so soon after one of the two hours is of that one."""

_TIME = re.compile(
    r"(\d{4}-\d{2}-\d{2}T\d{2}):(\d{2}):(\d{2})(?:[.,](\d{1,9}))?"
    r"(?:Z? ?([A-Za-z]{2,5}|[A-Za-z]+/[A-Za-z_/]+))?\Z",
    re.ASCII,
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
# Java writes the season's name; tzdata's zone CET is the same clock.
_SEASONS = {"CET": 3600, "MEZ": 3600, "CEST": 7200, "MESZ": 7200}
_ZONES = dict.fromkeys(_SEASONS, "Europe/Berlin")


class _Hour(NamedTuple):
    """The starts of an hour of the wall clock: one, two in autumn, none in spring."""

    starts: tuple[int, ...]
    offsets: tuple[int, ...]
    """Seconds ahead of UTC."""


def read_time(text: object, zone: str, received_at: int) -> tuple[int, str]:
    """Microseconds of a time and a flag or "". ``zone`` is that of times that name none.

    In the double hour the name of the season decides (``CEST`` is the first, ``CET`` the second). Without one it is the
    hour that the message was received in; where it came later than that, the second, flagged. Raises Refused.
    """
    if not isinstance(text, str):
        raise Refused("no-time", f"there is no time, but {shown(text)}")
    match = _TIME.match(text)
    if match is None:
        return _instant(text), ""
    head, minutes, seconds, fraction, name = match.groups()
    hour = _hour(head, _ZONES.get((name or zone).upper(), name or zone))
    if hour is None or int(minutes) > 59 or int(seconds) > 59:
        raise Refused("bad-time", f"{shown(text)} is no time of the calendar, or its zone is not known")
    if not hour.starts:
        raise Refused("bad-time", f"{shown(text)}: this hour is left out when summer time begins")
    within = int(minutes) * MINUTE + int(seconds) * SECOND + int((fraction or "0")[:6].ljust(6, "0"))
    if len(hour.starts) == 1:
        return hour.starts[0] + within, ""
    wanted = _SEASONS.get((name or "").upper())
    for start, offset in zip(hour.starts, hour.offsets, strict=True):
        if offset == wanted or (wanted is None and 0 <= received_at - start - within + MINUTE <= NEAR):
            return start + within, ""
    return hour.starts[-1] + within, DOUBLE_HOUR


def _instant(text: str) -> int:
    try:
        return parse_instant(text)
    except InvalidInput as error:
        raise Refused("bad-time", str(error)) from None


@lru_cache(maxsize=512)
def _hour(head: str, zone: str) -> _Hour | None:
    """``2026-01-06T14`` in a zone; None for no hour of the calendar or an unknown zone."""
    try:
        wall, place = datetime.fromisoformat(f"{head}:00:00"), ZoneInfo(zone)
    except (ValueError, KeyError, OSError):  # no date; unknown; the name of a folder of the database
        return None
    starts: dict[int, int] = {}
    for fold in (0, 1):
        moment = wall.replace(tzinfo=place, fold=fold)
        try:
            back = moment.astimezone(UTC).astimezone(place)
        except OverflowError:
            return None
        if back.replace(tzinfo=None) == wall:
            offset = moment.utcoffset() or timedelta()
            starts[(moment - _EPOCH) // _MICROSECOND] = int(offset.total_seconds())
    return _Hour(tuple(starts), tuple(starts.values()))

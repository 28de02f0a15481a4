"""Times that a source writes without an offset, in a zone that its documentation names.

A local time means one moment on all but two days a year. When the clocks go back an hour comes twice, and a source
that writes local times does not say which of the two it means; when they go forward an hour is missing, and who names a
time in it has a wrong clock or a wrong zone.
"""

from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from allmende.connectors.gathering import Refused, shown
from allmende.domain.errors import ConfigurationError
from allmende.domain.times import from_datetime

DOUBLE_HOUR = "double-hour"
"""The flag of a reading whose local time came twice; it is taken as the second one, in standard time."""


def zone_of(name: str) -> ZoneInfo:
    """A zone of the IANA database; raises ConfigurationError for a name that it has not."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ConfigurationError(f"{name!r} is no time zone, e.g. Europe/Berlin", where="time_zone") from None


def read_local(text: str, shape: str, zone: ZoneInfo) -> tuple[int, str]:
    """Microseconds, and :data:`DOUBLE_HOUR` where the time came twice. ``shape`` is ``strptime``'s, without an offset.

    Raises Refused for what is no such time, and for one that the clocks left out.
    """
    try:
        naive = datetime.strptime(text, shape)  # noqa: DTZ007  the zone follows in the next line
    except ValueError:
        raise Refused("bad-time", f"{shown(text)} is no time of the form {shape}") from None
    return place_local(naive, zone)


def place_local(naive: datetime, zone: ZoneInfo) -> tuple[int, str]:
    """The same for a time that was read already."""
    early, late = naive.replace(tzinfo=zone, fold=0), naive.replace(tzinfo=zone, fold=1)
    try:
        if early.utcoffset() == late.utcoffset():
            return from_datetime(early), ""
        if late.utcoffset() > early.utcoffset():  # type: ignore[operator]  # a zone has an offset at any time
            raise Refused("bad-time", f"{naive} does not exist in {zone.key}: the clocks left it out")
        return from_datetime(late), DOUBLE_HOUR
    except OverflowError:
        raise Refused("bad-time", f"{naive} lies outside of the calendar") from None

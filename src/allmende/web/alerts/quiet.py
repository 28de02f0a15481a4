"""Quiet hours of a channel, in the city's time."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from allmende.domain.alerts import SEVERITIES, QuietProfile, Severity
from allmende.domain.times import from_datetime, to_datetime


def waits_until(quiet: QuietProfile, severity: str, now: int, zone: ZoneInfo) -> int | None:
    """When something of this severity may be told at the earliest; None: at once. Microseconds, UTC."""
    if breaks_through(quiet.unless, severity):
        return None
    local = to_datetime(now).astimezone(zone)
    start, end = time.fromisoformat(quiet.start), time.fromisoformat(quiet.end)
    here = local.time().replace(tzinfo=None)
    within = start <= here < end if start < end else here >= start or here < end
    if not within:
        return None
    day = local.date() + timedelta(days=1) if start > end and here >= start else local.date()
    # an hour that the clocks leave out in spring is read as the one after it
    return from_datetime(datetime.combine(day, end, zone))


def breaks_through(unless: Severity, severity: str) -> bool:
    """Whether one is at least as severe as the other."""
    return severity in SEVERITIES and SEVERITIES.index(severity) >= SEVERITIES.index(unless)

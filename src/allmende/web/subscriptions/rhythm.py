"""When somebody is told: at once or once a day, and not in their quiet hours."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from allmende.web.subscriptions.models import DAILY, Subscriber

MORNING = time(7)
"""When the mail of the day goes, on the city's clock."""


def due_at(subscriber: Subscriber, now: datetime, zone: str, *, urgent: bool = False) -> datetime:
    """The earliest moment, aware. What is urgent waits for nothing, where the subscriber wants that."""
    if urgent and subscriber.urgent:
        return now
    local = now.astimezone(ZoneInfo(zone))
    if subscriber.rhythm == DAILY:
        local = _next(local, MORNING)
    start, end = subscriber.quiet_from, subscriber.quiet_to
    if start is not None and end is not None and start != end and _within(local.time(), start, end):
        local = _next(local, end)
    return max(local.astimezone(now.tzinfo), now)


def _within(here: time, start: time, end: time) -> bool:
    return start <= here < end if start < end else here >= start or here < end


def _next(local: datetime, clock: time) -> datetime:
    """The next time that the clock shows it; an hour that it leaves out in spring is the one after it."""
    day = local.date() if local.time() < clock else local.date() + timedelta(days=1)
    return datetime.combine(day, clock, local.tzinfo)

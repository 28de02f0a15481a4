"""What a service does again and again without being asked: its AppConfig says ``jobs = (Job(…), …)``, the worker runs
them, and when each ran last stands in ``allmende service list``."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from allmende.city.house import House

_LEAST = timedelta(seconds=1)


@dataclass(frozen=True)
class Job:
    """One work. ``run`` gets the house as it is then; what it raises is logged and counted, and tried again soon.

    Raises ValueError for a rhythm that is none.
    """

    name: str
    """Unique in its service."""
    every: timedelta | time
    """The time between two beginnings, or the time of day in the city's zone."""
    run: Callable[[House], None]

    def __post_init__(self) -> None:
        if isinstance(self.every, timedelta) and self.every < _LEAST:
            raise ValueError(f"job {self.name}: every {self.every} is too often; a second is the least")

    def due(self, last: datetime | None, now: datetime, zone: str) -> datetime:
        """When it is to begin, having begun ``last``: at once where that was missed, and before its first time (a job
        of a time of day waits for it)."""
        if isinstance(self.every, timedelta):
            return now if last is None else last + self.every
        known = now if last is None else last
        day = known.astimezone(ZoneInfo(zone)).date()
        while True:  # two steps at most: today's time has passed, or tomorrow's is ahead
            at = datetime.combine(day, self.every, ZoneInfo(zone)).astimezone(UTC)
            if at > known:
                return at
            day += timedelta(days=1)

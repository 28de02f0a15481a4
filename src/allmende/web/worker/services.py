"""What services do again and again: each job in a thread of its own, so that none waits for another, or fails with it.

What a job raises is logged, counted and told to the operator; it is tried again after a pause that grows with each
failure, and at its next time at the latest.
"""

import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.utils import timezone

from allmende.city.jobs import Job
from allmende.domain.service import Service
from allmende.web.house import House, house_for_job
from allmende.web.observability.metrics import SERVICE_RUNS, SERVICE_SECONDS
from allmende.web.portal.context import app_of
from allmende.web.worker.models import ServiceRun
from allmende.web.worker.pauses import pause_after
from allmende.web.worker.rounds import Rounds

_DAY = 86_400.0
_LOOK_SECONDS = 60.0
"""The longest sleep: clocks are set, and a city's zone may change."""
_WORDS = 2_000
"""Characters kept of an error."""

log = structlog.get_logger("allmende.services")


def service_jobs() -> Iterator[tuple[Service, Job]]:
    """The jobs of all services that are switched on. Raises ValueError where two of a service have one name."""
    for service in settings.SERVICES:
        seen: set[str] = set()
        for job in getattr(app_of(service), "jobs", ()):
            if job.name in seen:
                raise ValueError(f"service {service.name} has two jobs {job.name!r}")
            seen.add(job.name)
            yield service, job


def key_of(service: Service, job: Job) -> str:
    """How a job is called in the log, in the audit log and in ``allmende service list``."""
    return f"{service.name}/{job.name}"


class ServiceThread(Rounds):
    """One job of one service."""

    def __init__(
        self,
        service: Service,
        job: Job,
        stop: threading.Event,
        *,
        house: Callable[[str], House] = house_for_job,
        clock: Callable[[], datetime] = timezone.now,
    ) -> None:
        super().__init__(f"service-{service.name}-{job.name}", stop)
        self.service, self.job, self.key = service, job, key_of(service, job)
        self._house, self._clock = house, clock
        self._last: datetime | None = None
        self._known = False
        self._failures = 0
        self._again: datetime | None = None

    def turn(self) -> float:
        """Run it where it is due."""
        if not self._known:
            kept = ServiceRun.objects.filter(pk=self.key).first()
            self._last, self._failures = (kept.began, kept.failures) if kept else (self._last, 0)
            # before its first time a job of a time of day waits for that time, counted from now
            self._last = self._last or (None if isinstance(self.job.every, timedelta) else self._clock())
            self._known = True
        house = self._house(self.key)
        now = self._clock()
        due = self.job.due(self._last, now, house.profile.time_zone)
        due = min(due, self._again) if self._again is not None else due
        if due <= now:
            self._run(house, now)
            due = self.job.due(self._last, self._clock(), house.profile.time_zone)
            due = min(due, self._again) if self._again is not None else due
        return min(max(0.05, (due - self._clock()).total_seconds()), _LOOK_SECONDS)

    def _run(self, house: House, now: datetime) -> None:
        self._last, self._again = now, None
        began, error = time.monotonic(), ""
        try:
            self.job.run(house)
        except Exception as trouble:  # a service's code, whatever it is: the others go on, and it is tried again
            log.exception("a job of a service failed", job=self.key)
            error = f"{type(trouble).__name__}: {trouble}"[:_WORDS]
        seconds = time.monotonic() - began
        self._failures = self._failures + 1 if error else 0
        if error:
            every = self.job.every
            length = every.total_seconds() if isinstance(every, timedelta) else _DAY
            self._again = now + timedelta(seconds=pause_after(self._failures, length))
        SERVICE_RUNS.labels(self.service.name, self.job.name, "failed" if error else "done").inc()
        SERVICE_SECONDS.labels(self.service.name, self.job.name).inc(seconds)
        said = {"began": now, "seconds": seconds, "failures": self._failures, "error": error}
        ServiceRun.objects.update_or_create(job=self.key, defaults=said)

"""Looks at a payload of each source now and then, for the names that it holds."""

import threading
import time
from typing import Any

import structlog

from allmende.domain.columns import MOST_NAMES, names_in
from allmende.domain.connector import Payload

SECONDS = 60.0
"""Between two looks at one source, in each process."""

log = structlog.get_logger("allmende.intake")


class Looks:
    """Safe to use from several threads; costs a look at the clock where none is due."""

    def __init__(self, seconds: float = SECONDS) -> None:
        self._seconds = seconds
        self._due: dict[str, float] = {}
        self._lock = threading.Lock()

    def take(self, source: str, payload: Payload) -> None:
        """Look, and remember. What goes wrong here takes nothing from the readings."""
        now = time.monotonic()
        if self._due.get(source, 0.0) > now:
            return
        with self._lock:
            if self._due.get(source, 0.0) > now:
                return
            self._due[source] = now + self._seconds
        try:
            remember(source, names_in(payload.body), payload.received_at)
        except Exception as error:  # a convenience must not stand in the way of data, whatever is wrong with it
            log.warning("the names of a payload could not be noted", source=source, error=str(error))


def remember(source: str, names: frozenset[str], at: int) -> None:
    """Add names seen at a time."""
    from django.db import transaction

    from allmende.web.worker.models import Look

    if not names:
        return
    with transaction.atomic():
        look = Look.objects.select_for_update().filter(source=source).first()
        known: dict[str, Any] = look.names if look else {}
        for name in sorted(names):
            if name in known:
                known[name] = [known[name][0], max(at, known[name][1])]
            elif len(known) < 4 * MOST_NAMES:
                known[name] = [at, at]
        first, last = (min(look.first, at), max(look.last, at)) if look else (at, at)
        Look.objects.update_or_create(source=source, defaults={"names": known, "first": first, "last": last})

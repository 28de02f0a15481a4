"""The worker's thread that puts together what people asked for."""

import threading
from collections.abc import Callable

import structlog
from django.db import close_old_connections

from allmende.domain.profile import Profile
from allmende.web.persons.asking import put_together
from allmende.web.persons.models import ACCESS, WAITING, PersonRequest

_PAUSE = 3.0

log = structlog.get_logger("allmende.persons")


class PersonsThread(threading.Thread):
    """Works until ``stop`` is set; nothing that goes wrong ends it."""

    def __init__(self, profile: Callable[[], Profile], stop: threading.Event) -> None:
        super().__init__(name="persons", daemon=True)
        self._profile, self._stop_event = profile, stop

    def run(self) -> None:
        """One request after the other."""
        while not self._stop_event.is_set():
            close_old_connections()
            done = self.step()
            close_old_connections()
            self._stop_event.wait(0.0 if done else _PAUSE)

    def step(self) -> bool:
        """Answer the next request; whether there was one."""
        try:
            found = PersonRequest.objects.filter(kind=ACCESS, state=WAITING).order_by("received", "pk").first()
            if found is None:
                return False
            profile = self._profile()
            put_together(found, profile.languages[0], profile.name)
        except Exception:
            # It is in the log and at the request, which waits for nobody any more.
            log.exception("a request of a person could not be answered")
        return True

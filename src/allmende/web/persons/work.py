"""The worker's thread that puts together what people asked for."""

import threading
from collections.abc import Callable

import structlog

from allmende.domain.profile import Profile
from allmende.web.persons.asking import put_together
from allmende.web.persons.models import ACCESS, WAITING, PersonRequest
from allmende.web.worker.rounds import Rounds

_PAUSE = 3.0

log = structlog.get_logger("allmende.persons")


class PersonsThread(Rounds):
    """One request after the other."""

    def __init__(self, profile: Callable[[], Profile], stop: threading.Event) -> None:
        super().__init__("persons", stop)
        self._profile = profile

    def turn(self) -> float:
        """The next one."""
        return 0.0 if self.step() else _PAUSE

    def step(self) -> bool:
        """Answer the next request; whether there was one."""
        found = PersonRequest.objects.filter(kind=ACCESS, state=WAITING).order_by("received", "pk").first()
        if found is None:
            return False
        profile = self._profile()
        try:
            put_together(found, profile.languages[0], profile.name)
        except Exception:
            # It is in the log and at the request, which waits for nobody any more.
            log.exception("a request of a person could not be answered")
        return True

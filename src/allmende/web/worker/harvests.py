"""One thread for each catalogue that is taken over, so that a slow one does not hold up another."""

import threading
from collections.abc import Callable

import structlog
from django.db import close_old_connections

from allmende.domain.harvest import HarvestProfile
from allmende.domain.profile import Profile
from allmende.domain.times import SECOND, parse_duration
from allmende.web.config import Config
from allmende.web.harvest.models import State
from allmende.web.harvest.passing import pass_over
from allmende.web.harvest.run import Stopped
from allmende.web.intake import now_micros
from allmende.web.worker.pauses import pause_after

log = structlog.get_logger("allmende.harvest")


class HarvestThread(threading.Thread):
    """Asks one catalogue until ``stop`` is set; nothing that goes wrong ends it."""

    def __init__(
        self,
        harvest: HarvestProfile,
        profile: Callable[[], Profile],
        config: Config,
        stop: threading.Event,
        *,
        clock: Callable[[], int] = now_micros,
    ) -> None:
        super().__init__(name=f"harvest-{harvest.id}", daemon=True)
        self._harvest, self._profile, self._config, self._stop_event = harvest, profile, config, stop
        self._clock = clock
        self._failures = 0

    def run(self) -> None:
        """Wait until it is due, ask, wait again."""
        wait = self._first_wait()
        close_old_connections()
        while not self._stop_event.wait(wait):
            close_old_connections()
            wait = self.round()
            close_old_connections()

    def round(self) -> float:
        """Ask once; gives the seconds until the next time."""
        seconds = parse_duration(self._harvest.interval) / SECOND
        try:
            _, error = pass_over(self._harvest, self._profile(), self._config, self._clock(), stop=self._stop_event)
            # what is held waits for somebody, not for us
            self._failures = self._failures + 1 if error and "--accept" not in error else 0
        except Stopped:
            return 0.0
        except Exception:  # the database may be away, too; the thread is needed when it is back
            log.exception("a catalogue could not be harvested", harvest=self._harvest.id)
            self._failures += 1
        return pause_after(self._failures, seconds)

    def _first_wait(self) -> float:
        """A restart asks nobody before it is due."""
        try:
            state = State.objects.filter(harvest=self._harvest.id).first()
        except Exception as error:  # see round
            log.warning("the state of a harvest could not be read", harvest=self._harvest.id, error=str(error))
            return 60.0
        if state is None or state.tried is None:
            return 0.0
        since = (self._clock() - state.tried) / SECOND
        return max(0.0, pause_after(state.failures, parse_duration(self._harvest.interval) / SECOND) - since)

"""The worker's life: wait for the lease, work, renew it, and end quickly when asked to."""

import contextlib
import signal
import threading
import time
from collections.abc import Callable

import structlog
from django.db import close_old_connections, connection

from allmende.domain.profile import Profile
from allmende.domain.store import Store
from allmende.web.config import Config
from allmende.web.following import adopt_logs
from allmende.web.house import open_profile, open_sources, open_store
from allmende.web.live import LOOK_SECONDS
from allmende.web.sources import PreparedSource
from allmende.web.worker.crew import Crew
from allmende.web.worker.lease import Holder
from allmende.web.worker.upkeep import SECONDS as UPKEEP_SECONDS
from allmende.web.worker.upkeep import tidy_up

LEASE = "worker"
_WAIT_SECONDS = 2.0
_RENEWALS = 3
"""How often a lease is renewed within its time."""
_STOP_SECONDS = 1.0

log = structlog.get_logger("allmende.worker")


def run_worker(config: Config) -> None:
    """Work until SIGINT or SIGTERM. What is being committed then is committed or taken back whole."""
    stop = threading.Event()
    with contextlib.suppress(ValueError):  # not in the main thread: a test
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stop.set())
    Worker(open_store(), config, stop).run()


class Worker:
    """One process's claim to be the worker, and its threads."""

    def __init__(
        self,
        store: Store,
        config: Config,
        stop: threading.Event,
        holder: Holder | None = None,
        *,
        profile: Callable[[], Profile] = open_profile,
        sources: Callable[[], dict[str, PreparedSource]] = open_sources,
    ) -> None:
        """``profile`` and ``sources`` give what is in force now."""
        self._store = store
        self._profile = profile
        self._sources = sources
        self._config = config
        self._stop = stop
        self._holder = holder or Holder(LEASE)
        self._tidied = float("-inf")

    def run(self) -> None:
        """Until ``stop`` is set."""
        told = False
        try:
            while not self._stop.is_set():
                if self._renew():
                    told = False
                    self._work()
                else:
                    if not told:
                        log.info("another worker is at work; waiting")
                    told = True
                    self._stop.wait(_WAIT_SECONDS)
        finally:
            with contextlib.suppress(Exception):  # the lease runs out by itself
                self._holder.give_back()
            connection.close()

    def _work(self) -> None:
        """Until ``stop`` is set, or the lease is lost."""
        adopt_logs(self._store)
        crew = Crew(self._store, self._config, self._profile, self._sources)
        pause = self._holder.seconds / _RENEWALS
        held_until = time.monotonic() + self._holder.seconds
        renew_at = time.monotonic() + pause
        try:
            crew.settle()
            log.info("working", threads=crew.names)
            while not self._stop.wait(min(pause, LOOK_SECONDS)):
                close_old_connections()
                if time.monotonic() >= renew_at:
                    renew_at = time.monotonic() + pause
                    if self._renew():
                        held_until = time.monotonic() + self._holder.seconds
                    elif time.monotonic() > held_until - pause:
                        log.warning("the lease is lost; another worker goes on")
                        return
                    self._tidy_up()
                self._settle(crew)
        finally:
            crew.stop(_STOP_SECONDS)

    def _settle(self, crew: Crew) -> None:
        try:
            if crew.settle():
                log.info("working by the profile as it is now", threads=crew.names)
        except Exception:  # whatever it is: what is at work goes on, and it is tried again
            log.exception("the profile's changes could not be taken over")

    def _renew(self) -> bool:
        try:
            return self._holder.take()
        except Exception as error:  # the database may be busy; the lease is longer than that
            log.warning("the lease could not be renewed", error=str(error))
            return False

    def _tidy_up(self) -> None:
        if time.monotonic() - self._tidied < UPKEEP_SECONDS:
            return
        self._tidied = time.monotonic()
        tidy_up(self._store, self._config, time.time_ns() // 1000)

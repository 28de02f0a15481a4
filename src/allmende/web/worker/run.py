"""The worker's life: wait for the lease, work, renew it, and end quickly when asked to."""

import contextlib
import signal
import threading
import time
from functools import partial

import structlog
from django.db import close_old_connections, connection

from allmende.domain.errors import AllmendeError
from allmende.domain.profile import Profile
from allmende.domain.store import Store
from allmende.web.config import Config
from allmende.web.following import adopt_logs
from allmende.web.house import open_profile, open_store
from allmende.web.intake import Intake
from allmende.web.messages import create_from_broker
from allmende.web.publisher import Publisher
from allmende.web.worker.brokers import door
from allmende.web.worker.jobs import Job, tasks
from allmende.web.worker.lease import Holder
from allmende.web.worker.listener import Listener
from allmende.web.worker.looks import Looks
from allmende.web.worker.notices import Notices
from allmende.web.worker.retention import RetentionThread
from allmende.web.worker.rules import RulesThread
from allmende.web.worker.subscriber import Subscriber
from allmende.web.worker.taken import Taken
from allmende.web.worker.upkeep import SECONDS as UPKEEP_SECONDS
from allmende.web.worker.upkeep import tidy_up
from allmende.web.worker.watch import Watch

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
    Worker(open_store(), open_profile(), config, stop).run()


class Worker:
    """One process's claim to be the worker, and its threads."""

    def __init__(
        self, store: Store, profile: Profile, config: Config, stop: threading.Event, holder: Holder | None = None
    ) -> None:
        self._store = store
        self._profile = profile
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
        over = threading.Event()
        threads = self._start(over)
        log.info("working", threads=[thread.name for thread in threads])
        pause = self._holder.seconds / _RENEWALS
        held_until = time.monotonic() + self._holder.seconds
        try:
            while not self._stop.wait(pause):
                close_old_connections()
                if self._renew():
                    held_until = time.monotonic() + self._holder.seconds
                elif time.monotonic() > held_until - pause:
                    log.warning("the lease is lost; another worker goes on")
                    return
                self._tidy_up()
        finally:
            over.set()
            until = time.monotonic() + _STOP_SECONDS
            for thread in threads:
                thread.join(max(0.0, until - time.monotonic()))

    def _start(self, over: threading.Event) -> list[threading.Thread]:
        adopt_logs(self._store)
        intake = Intake(self._store, self._profile, self._config, look=Looks().take)
        for prepared in intake.sources.values():
            # A source that is switched off may wait for what it lacks; `check` says what that is.
            for problem in prepared.problems if prepared.profile.enabled else ():
                log.warning("a source is not in order", source=prepared.source.id, problem=problem)
        threads: list[threading.Thread] = [Job(task, intake, over) for task in tasks(intake)]
        threads += [Listener(source, intake, over) for source in intake.sources.values() if source.listening]
        threads.append(Watch(intake, over, Notices(self._profile, self._config)))
        threads.append(RetentionThread(self._profile, self._config, over))
        rules = RulesThread(self._store, self._profile, self._config, over)
        if rules.rules:
            threads.append(rules)
        broker = door(self._config)
        if broker is not None:
            threads.append(Publisher(self._store, self._config, broker, over))
            creating = partial(create_from_broker, store=self._store, root=self._config.api_root)
            single = dict.fromkeys(self._config.mqtt_create_topics, creating)
            topics = intake.topics()
            if topics or single:
                readings = (topics, intake.take_messages)
                name = f"allmende-{self._profile.id}-worker"
                taken = Taken(self._store, name)
                threads.append(Subscriber(broker, taken, over, readings=readings, single=single))
        for thread in threads:
            thread.start()
        return threads

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
        try:
            tidy_up(self._store, self._config, time.time_ns() // 1000)
        except AllmendeError as error:
            log.warning("could not tidy up", error=str(error))

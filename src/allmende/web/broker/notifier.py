"""Tells the embedded broker's clients what was committed: follows the logs, asks the store what a topic asks for.

Work is done for topics alone that somebody listens to, once for all who have the same rights. A topic is asked with
its subscriber's rights, each time; who has lost them hears no more.
"""

import asyncio
import threading
import time
from collections.abc import Iterator
from itertools import islice

import msgspec
import structlog
from django.db import close_old_connections

from allmende.domain.disclosure import looks_elsewhere
from allmende.domain.errors import AllmendeError, InvalidInput, NotFound, NotSupported
from allmende.domain.face import FaceLimits
from allmende.domain.logs import Change, EntityChange
from allmende.domain.model import ENTITIES
from allmende.domain.policy import ANONYMOUS, Reader
from allmende.domain.query import Page, Query
from allmende.domain.store import Store
from allmende.faces.sensorthings.render import observation_json
from allmende.faces.sensorthings.topics import PREFIX, entity_topic, observations_topic, parse_subscription
from allmende.web.broker.broker import Broker, Told
from allmende.web.broker.watches import ReaderOf, Watch, Watches
from allmende.web.following import OPEN_READINGS, POLL_SECONDS, Logs, Step, worth_telling
from allmende.web.reads.noting import is_noted, note

_RIGHTS_SECONDS = 5.0
"""How long it is remembered what a client may read (at most twice as long), and that a topic took too long."""
_SLOW_SECONDS, _SLOW_SHARE = 2.0, 10
"""A question that takes longer than so many seconds gets a tenth of the time: the rest is the others'."""
_KEEP_SECONDS = 1.0
_PART = 200
"""Messages made ahead of their delivery."""
_COME_BACK_SECONDS = 3.0
"""After a start, for those who listened before: what was committed meanwhile waits so long for them."""

log = structlog.get_logger("allmende.broker")


class Notifier(threading.Thread):
    """Tells until ``stop`` is set."""

    def __init__(
        self,
        broker: Broker,
        loop: asyncio.AbstractEventLoop,
        store: Store,
        reader_of: ReaderOf,
        limits: FaceLimits,
        stop: threading.Event,
    ) -> None:
        super().__init__(name="notifier", daemon=True)
        self._broker, self._loop, self._store = broker, loop, store
        self._config = broker.config
        self._root = broker.config.api_root
        self._reader_of, self._limits = reader_of, limits
        self._stop_event = stop
        self._logs = Logs(store)
        self._readers: dict[str, tuple[float, Reader | None]] = {}
        self._watches = Watches({}, reader_of, limits)
        self._wild = False
        self.version = -1
        """Of the subscriptions that are looked after."""
        self._looked = self._kept = float("-inf")
        self._said: dict[tuple[str, frozenset[str]], bytes | None] = {}
        """What was last said of properties that follow from observations."""
        self._tired: dict[tuple[str, frozenset[str]], float] = {}
        """Watches that took too long, and until when they are left alone."""

    def run(self) -> None:
        """Follow the logs; nothing that goes wrong ends it."""
        behind = False
        begun = False
        while not self._stop_event.is_set():
            close_old_connections()
            try:
                if not begun:
                    self._logs.begin()
                    begun, behind = True, bool(self._logs.read())
                    if behind:
                        self._stop_event.wait(_COME_BACK_SECONDS)
                moved = self._step()
            except AllmendeError as error:
                log.warning("the logs could not be read", error=str(error))
                self._stop_event.wait(5)
                continue
            except Exception:  # a fault of ours in one message must not end the telling of all others
                log.exception("a step of the notifier failed")
                self._stop_event.wait(5)
                continue
            if not moved:
                self._stop_event.wait(POLL_SECONDS)
        if begun:
            self._logs.keep()

    def _step(self) -> bool:
        """Tell what came after the cursors; False where there was nothing."""
        self._look()
        step = self._logs.read()
        told = self._told(step)
        while part := list(islice(told, _PART)):
            if not self._deliver(part):
                return False
        now = time.monotonic()
        # Whoever listens is gone with this process, so that a second that is told again after a crash costs nothing.
        keep = now - self._kept > _KEEP_SECONDS
        self._logs.move(step, keep=keep)
        if keep:
            self._kept = now
        return bool(step)

    def _look(self) -> None:
        """Who listens to what, where that or their rights may have changed."""
        now = time.monotonic()
        if self._broker.subscribers.version == self.version and now - self._looked < _RIGHTS_SECONDS:
            return
        listening = self._broker.listening()
        self.version, listeners, self._wild = asyncio.run_coroutine_threadsafe(listening, self._loop).result(30)
        self._looked = now
        self._readers = {name: known for name, known in self._readers.items() if known[0] > now}
        self._tired = {key: until for key, until in self._tired.items() if until > now}
        self._watches = Watches(listeners, self._reader, self._limits)
        computed = [watch for watches in self._watches.computed.values() for watch in watches]
        known = self._said
        self._said = {
            watch.key: known[watch.key] if watch.key in known else self._computed(watch) for watch in computed
        }

    def _reader(self, name: str) -> Reader | None:
        known = self._readers.get(name)
        if known is None:
            known = self._readers[name] = (time.monotonic() + _RIGHTS_SECONDS, self._reader_of(name))
        return known[1]

    def _deliver(self, told: list[Told]) -> bool:
        """Hand over to the broker; False where we have to stop before it is done."""
        future = asyncio.run_coroutine_threadsafe(self._broker.deliver(told), self._loop)
        while not self._stop_event.is_set():
            try:
                future.result(0.5)
                return True
            except TimeoutError:
                continue
        return False

    def _told(self, step: Step) -> Iterator[Told]:
        for entity in step.entities:
            yield from self._entity(entity)
        for line in step.changes:
            change = worth_telling(line, self._config)
            if change is not None:
                yield from self._readings(change)
                yield from self._questions(change)
        computed = self._watches.computed
        for entity, stream in dict.fromkeys((line.entity, line.stream) for line in step.changes):
            for watch in (*computed.get((entity, stream), ()), *computed.get((entity, None), ())):
                yield from self._follow(watch)

    def _entity(self, change: EntityChange) -> Iterator[Told]:
        for watch in self._watches.entities.get(change.entity, ()):
            asked = watch.subscription
            if asked.wants(change):
                for body in self._ask(watch, asked.question(change.id)):
                    yield Told(body, watch.topics)
                    if asked.computed:
                        self._said[watch.key] = body
        if self._wild and change.entity in ENTITIES:
            name = ENTITIES[change.entity].set_name
            everybody = parse_subscription(f"{PREFIX}{name}", reader=ANONYMOUS, limits=self._limits)
            for body in everybody.messages(self._store.find(everybody.question(change.id)), self._root):
                yield Told(body, {}, entity_topic(change.entity, change.id))

    def _readings(self, change: Change) -> Iterator[Told]:
        """A stream's readings on its own topic: to everybody, or to those who may read it."""
        watches = self._watches.streams.get((change.entity, change.stream), [])
        if not watches and not self._wild:
            return
        rows = self._store.change_page(change, OPEN_READINGS).rows
        if rows:
            topics = {}
            for watch in watches:
                topic = watch.subscription.topic
                topics[topic] = topics.get(topic, frozenset()) | watch.clients
            everybody = observations_topic(change.stream, change.entity)
            for row in rows:
                yield Told(observation_json(row, self._root), topics, everybody)
            return
        for watch in watches:
            if watch.subscription.asked.query.reader.datasets:
                for body in self._ask(watch, watch.subscription.asked.query, change):
                    yield Told(body, watch.topics)

    def _questions(self, change: Change) -> Iterator[Told]:
        for watch in self._watches.readings:
            if watch.subscription.stream in (None, (change.entity, change.stream)):
                for body in self._ask(watch, watch.subscription.asked.query, change):
                    yield Told(body, watch.topics)

    def _follow(self, watch: Watch) -> Iterator[Told]:
        """A property that follows from observations, where it is another one now."""
        body = self._computed(watch)
        if body is not None and body != self._said.get(watch.key):
            self._said[watch.key] = body
            yield Told(body, watch.topics)

    def _note(self, watch: Watch, page: Page) -> None:
        """All who listen are told, not only the one with whose rights it was asked."""
        closed, elsewhere = self._store.disclosed_in(page), looks_elsewhere(page.query)
        for name in sorted(watch.clients):
            note(msgspec.structs.replace(page.query.reader, name=name), closed, elsewhere=elsewhere)

    def _computed(self, watch: Watch) -> bytes | None:
        found = self._ask(watch, watch.subscription.asked.query)
        return found[0] if found else None

    def _ask(self, watch: Watch, query: Query, change: Change | None = None) -> list[bytes]:
        """The messages that answer a watch. A question that fails for what it asks, or that is so slow that all others
        wait for it, is left alone for a while."""
        begun = time.monotonic()
        if self._tired.get(watch.key, 0.0) > begun:
            return []
        try:
            page: Page = self._store.find(query) if change is None else self._store.change_page(change, query)
            if is_noted(query.reader):
                self._note(watch, page)
            return watch.subscription.messages(page, self._root)
        except (InvalidInput, NotFound, NotSupported) as error:
            self._tired[watch.key] = time.monotonic() + _RIGHTS_SECONDS
            log.warning("a topic could not be asked", topic=watch.subscription.topic, error=str(error))
            return []
        finally:
            took = time.monotonic() - begun
            if took > _SLOW_SECONDS:
                self._tired[watch.key] = begun + took * _SLOW_SHARE
                log.warning("a topic is slow to ask", topic=watch.subscription.topic, seconds=round(took, 1))

"""Publishes what was committed to the operator's broker: open data on its canonical topics, as SensorThings.

Follows the logs from durable cursors, which move on when the broker has acknowledged. So every reading is published at
least once, in order, whatever happens to the broker or to us. The embedded broker needs no publisher: it follows the
logs itself (see ``broker/notifier.py``).
"""

import secrets
import threading
import time
from collections.abc import Iterator

import structlog
from django.db import close_old_connections
from paho.mqtt import client as mqtt

from allmende.domain.errors import AllmendeError
from allmende.domain.face import FaceLimits
from allmende.domain.logs import Change, EntityChange
from allmende.domain.model import ENTITIES
from allmende.domain.policy import ANONYMOUS
from allmende.domain.query import Page
from allmende.domain.store import Store
from allmende.faces.sensorthings.render import observation_json
from allmende.faces.sensorthings.topics import PREFIX, entity_topic, observations_topic, parse_subscription
from allmende.web.config import Config
from allmende.web.following import OPEN_READINGS, POLL_SECONDS, Logs, Step, worth_telling
from allmende.web.latest import latest_reading
from allmende.web.worker.brokers import KEEPALIVE_SECONDS, Door, make_client

_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 8.0
_CONNECT_SECONDS = 10.0
_UNANSWERED = 200
"""Messages on their way at most before the broker has to have acknowledged them."""

log = structlog.get_logger("allmende.publisher")


class Publisher(threading.Thread):
    """Publishes until ``stop`` is set."""

    def __init__(self, store: Store, config: Config, door: Door, stop: threading.Event) -> None:
        super().__init__(name="publisher", daemon=True)
        self._store = store
        self._config = config
        self._door = door
        self._stop_event = stop
        self._logs = Logs(store)
        self._sets = {
            name: parse_subscription(f"{PREFIX}{entity.set_name}", reader=ANONYMOUS, limits=FaceLimits())
            for name, entity in ENTITIES.items()
        }
        self._told = ""
        self._up = False
        self._answered: set[int] = set()
        """Message ids that the broker has acknowledged and that nobody has looked at yet."""
        self._answer = threading.Event()

    def run(self) -> None:
        """Follow the logs; nothing that goes wrong ends it."""
        # Taken before anybody is connected: what is committed from now on is published.
        self._begin()
        pause = _FIRST_PAUSE
        while not self._stop_event.is_set():
            client = self._connect()
            if client is None:
                self._stop_event.wait(pause)
                pause = min(pause * 2, _LONGEST_PAUSE)
                continue
            pause = _FIRST_PAUSE
            try:
                self._follow(client)
            finally:
                client.disconnect()
                client.loop_stop()

    def _connect(self) -> mqtt.Client | None:
        """A client that has never published.

        One that connects by itself again would send what it has not sent yet beside what is published meanwhile, out
        of order; we begin again behind the cursor instead.
        """
        name = f"allmende-publisher-{secrets.token_hex(4)}"
        client = make_client(self._door, name, clean_session=True, once=True)
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_publish = self._on_publish
        client.max_inflight_messages_set(_UNANSWERED)
        self._up = False
        self._answered.clear()
        self._answer.clear()
        try:
            client.connect(self._door.host, self._door.port, KEEPALIVE_SECONDS)
        except (OSError, ValueError) as error:
            self._tell(f"the broker cannot be reached: {error}")
            return None
        client.loop_start()
        until = time.monotonic() + _CONNECT_SECONDS
        while not self._up and not self._stop_event.is_set() and time.monotonic() < until:
            self._answer.wait(0.1)
        if self._up:
            return client
        client.loop_stop()
        return None

    def _follow(self, client: mqtt.Client) -> None:
        """Until the connection ends, or we do."""
        while self._up and not self._stop_event.is_set():
            close_old_connections()
            moved = False
            try:
                moved = self._publish(client)
            except AllmendeError as error:
                self._tell(f"the logs could not be read: {error}")
                self._stop_event.wait(5)
            if not moved:
                self._stop_event.wait(POLL_SECONDS)

    def _begin(self) -> None:
        while not self._stop_event.is_set():
            try:
                self._logs.begin()
                return
            except AllmendeError as error:
                self._tell(f"the cursors could not be read: {error}")
                self._stop_event.wait(5)

    def _publish(self, client: mqtt.Client) -> bool:
        """Publish what came after the cursors; False where there was nothing, or not all of it was taken."""
        step = self._logs.read()
        waiting: list[int] = []
        for topic, body, retain in self._messages(step):
            if len(waiting) >= _UNANSWERED and not self._settle(waiting):
                return False
            waiting.append(client.publish(topic, body, qos=1, retain=retain).mid)
            if not self._up or self._stop_event.is_set():
                return False
        if not step or not self._settle(waiting):
            return False
        self._logs.move(step)
        return True

    def _messages(self, step: Step) -> Iterator[tuple[str, bytes, bool]]:
        for entity in step.entities:
            yield from self._entity(entity)
        told = [worth_telling(line, self._config) for line in step.changes]
        changes = [change for change in told if change is not None]
        pages = self._store.change_pages(changes, OPEN_READINGS) if changes else []
        for change, page in zip(changes, pages, strict=True):
            yield from self._readings(change, page)

    def _entity(self, change: EntityChange) -> Iterator[tuple[str, bytes, bool]]:
        """An entity as it is now, in its set and at its own topic; nothing where not everybody may read it."""
        sets = self._sets.get(change.entity)
        if sets is None:  # SensorThings knows no collections
            return
        for body in sets.messages(self._store.find(sets.question(change.id)), self._config.api_root):
            for topic in (sets.topic, entity_topic(change.entity, change.id)):
                yield topic, body, False

    def _readings(self, change: Change, page: Page) -> Iterator[tuple[str, bytes, bool]]:
        rows = page.rows
        newest = None
        if rows and self._config.mqtt_retain:
            found = latest_reading(self._store, ANONYMOUS, (change.entity, change.stream))
            newest = found[0] if found else None
        topic = observations_topic(change.stream, change.entity)
        for row in rows:
            yield topic, observation_json(row, self._config.api_root), row[:3] == (newest or ())[:3]

    def _settle(self, waiting: list[int]) -> bool:
        """Wait until the broker has acknowledged all; False where we have to stop, or the broker went, before."""
        while not self._answered.issuperset(waiting):
            if not self._up or self._stop_event.is_set():
                return False
            self._answer.wait(0.5)
            self._answer.clear()
        self._answered.difference_update(waiting)
        waiting.clear()
        return True

    def _on_publish(self, _client: object, _data: object, mid: int, _reason: object, _properties: object) -> None:
        # Called with the client's own lock held: nothing here may wait.
        self._answered.add(mid)
        self._answer.set()

    def _on_connect(self, _client: object, _data: object, _flags: object, reason: object, _properties: object) -> None:
        if getattr(reason, "is_failure", False):
            self._tell(f"the broker refuses us: {reason}")
        else:
            log.info("publishing", host=self._door.host, port=self._door.port)
            self._told = ""
            self._up = True
        self._answer.set()

    def _on_disconnect(
        self, _client: object, _data: object, _flags: object, reason: object, _properties: object
    ) -> None:
        self._up = False
        self._answer.set()
        if not self._stop_event.is_set():
            self._tell(f"the broker is away: {reason}")

    def _tell(self, trouble: str) -> None:
        """Log a trouble once, not each time."""
        if trouble != self._told:
            log.warning("not publishing", error=trouble)
            self._told = trouble

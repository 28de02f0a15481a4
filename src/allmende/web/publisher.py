"""Publishes what was committed to the operator's broker: open data on its canonical topics, as SensorThings.

Follows the logs from durable cursors, which move on when the broker has acknowledged. So every reading is published at
least once, in order, whatever happens to the broker or to us. The embedded broker needs no publisher: it follows the
logs itself (see ``broker/notifier.py``).
"""

import secrets
import threading
from collections.abc import Iterator

import structlog
from django.db import close_old_connections

from allmende.domain.errors import AllmendeError
from allmende.domain.face import FaceLimits
from allmende.domain.model import ENTITIES
from allmende.domain.policy import ANONYMOUS
from allmende.domain.store import Change, EntityChange, Store
from allmende.faces.sensorthings.render import observation_json
from allmende.faces.sensorthings.topics import PREFIX, entity_topic, observations_topic, parse_subscription
from allmende.web.config import Config
from allmende.web.following import OPEN_READINGS, POLL_SECONDS, Logs, Step, worth_telling
from allmende.web.latest import latest_reading
from allmende.web.worker.brokers import KEEPALIVE_SECONDS, Door, make_client

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
        self._client = make_client(door, f"allmende-publisher-{secrets.token_hex(4)}", clean_session=True)
        self._client.on_connect = self._on_connect
        self._client.on_disconnect = self._on_disconnect
        self._client.on_publish = self._on_publish
        self._client.reconnect_delay_set(1, 8)
        self._client.max_inflight_messages_set(_UNANSWERED)
        self._told = ""
        self._answered: set[int] = set()
        """Message ids that the broker has acknowledged and that nobody has looked at yet."""
        self._answer = threading.Event()

    def run(self) -> None:
        """Follow the logs; nothing that goes wrong ends it."""
        # Taken before the client is connected: what is committed from now on is published.
        self._begin()
        self._client.connect_async(self._door.host, self._door.port, KEEPALIVE_SECONDS)
        self._client.loop_start()
        try:
            while not self._stop_event.is_set():
                close_old_connections()
                moved = False
                try:
                    moved = self._publish()
                except AllmendeError as error:
                    self._tell(f"the logs could not be read: {error}")
                    self._stop_event.wait(5)
                if not moved:
                    self._stop_event.wait(POLL_SECONDS)
        finally:
            self._client.disconnect()
            self._client.loop_stop()

    def _begin(self) -> None:
        while not self._stop_event.is_set():
            try:
                self._logs.begin()
                return
            except AllmendeError as error:
                self._tell(f"the cursors could not be read: {error}")
                self._stop_event.wait(5)

    def _publish(self) -> bool:
        """Publish what came after the cursors; False where there was nothing, or not all of it was taken."""
        step = self._logs.read()
        waiting: list[int] = []
        for topic, body, retain in self._messages(step):
            if len(waiting) >= _UNANSWERED and not self._settle(waiting):
                return False
            waiting.append(self._client.publish(topic, body, qos=1, retain=retain).mid)
            if self._stop_event.is_set():
                return False
        if not step or not self._settle(waiting):
            return False
        self._logs.move(step)
        return True

    def _messages(self, step: Step) -> Iterator[tuple[str, bytes, bool]]:
        for entity in step.entities:
            yield from self._entity(entity)
        for line in step.changes:
            change = worth_telling(line, self._config)
            if change is not None:
                yield from self._readings(change)

    def _entity(self, change: EntityChange) -> Iterator[tuple[str, bytes, bool]]:
        """An entity as it is now, in its set and at its own topic; nothing where not everybody may read it."""
        sets = self._sets[change.entity]
        for body in sets.messages(self._store.find(sets.question(change.id)), self._config.api_root):
            for topic in (sets.topic, entity_topic(change.entity, change.id)):
                yield topic, body, False

    def _readings(self, change: Change) -> Iterator[tuple[str, bytes, bool]]:
        rows = self._store.change_page(change, OPEN_READINGS).rows
        newest = None
        if rows and self._config.mqtt_retain:
            found = latest_reading(self._store, ANONYMOUS, change.stream)
            newest = found[0] if found else None
        topic = observations_topic(change.stream)
        for row in rows:
            yield topic, observation_json(row, self._config.api_root), row[:3] == (newest or ())[:3]

    def _settle(self, waiting: list[int]) -> bool:
        """Wait until the broker has acknowledged all; False where we have to stop before.

        The client keeps what was not acknowledged, and sends it again, in order, when it comes back.
        """
        while not self._answered.issuperset(waiting):
            if self._stop_event.is_set():
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

    def _on_disconnect(
        self, _client: object, _data: object, _flags: object, reason: object, _properties: object
    ) -> None:
        if not self._stop_event.is_set():
            self._tell(f"the broker is away: {reason}")

    def _tell(self, trouble: str) -> None:
        """Log a trouble once, not each time."""
        if trouble != self._told:
            log.warning("not publishing", error=trouble)
            self._told = trouble

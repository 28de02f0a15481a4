"""Publishes what was committed: each new or corrected reading of the open data, as SensorThings, by MQTT.

Follows the change log from a durable cursor, which moves on when the broker has acknowledged. So every reading is
published at least once, in order, whatever happens to the broker or to us; a change log that is empty costs one look
at its end every quarter of a second.
"""

import secrets
import threading

import structlog
from django.db import close_old_connections

from allmende.domain.errors import AllmendeError
from allmende.domain.ids import is_number
from allmende.domain.model import ENTITIES
from allmende.domain.policy import ANONYMOUS
from allmende.domain.query import Query
from allmende.domain.store import Change, Store
from allmende.domain.times import SECOND
from allmende.faces.sensorthings.render import observation_json
from allmende.web.broker.topics import is_topic
from allmende.web.config import Config
from allmende.web.worker.brokers import KEEPALIVE_SECONDS, Door, make_client

FOLLOWER = "mqtt"
POLL_SECONDS = 0.25
_ROOT = "/sta/v1.1"
"""Links in messages are relative to the host, since nobody knows here by which name the reader calls it."""
_CHANGES = 500
_UNANSWERED = 200
"""Messages on their way at most before the broker has to have acknowledged them."""
_OPEN_READINGS = Query(entity="Observation", reader=ANONYMOUS)

log = structlog.get_logger("allmende.publisher")


def observations_topic(stream: str, entity: str = "Datastream") -> str:
    """The topic of a stream's readings, as 18-088 writes addresses; "" for an id that no topic can hold."""
    shown = stream if is_number(stream) else "'" + stream.replace("'", "''") + "'"
    topic = f"v1.1/{ENTITIES[entity].set_name}({shown})/Observations"
    return topic if is_topic(topic) else ""


class Publisher(threading.Thread):
    """Publishes until ``stop`` is set."""

    def __init__(self, store: Store, config: Config, door: Door, stop: threading.Event) -> None:
        super().__init__(name="publisher", daemon=True)
        self._store = store
        self._door = door
        self._stop_event = stop
        self._max_age = round(config.publish_max_age * SECOND)
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
        """Follow the change log; nothing that goes wrong ends it."""
        # Taken before the client is connected: what is committed from now on is published.
        cursor = self._begin()
        self._client.connect_async(self._door.host, self._door.port, KEEPALIVE_SECONDS)
        self._client.loop_start()
        try:
            while not self._stop_event.is_set():
                close_old_connections()
                try:
                    moved = self._step(cursor)
                except AllmendeError as error:
                    self._tell(f"the change log could not be read: {error}")
                    moved = cursor
                    self._stop_event.wait(5)
                if moved == cursor:
                    self._stop_event.wait(POLL_SECONDS)
                cursor = moved
        finally:
            self._client.disconnect()
            self._client.loop_stop()

    def _begin(self) -> int:
        while not self._stop_event.is_set():
            try:
                known = self._store.cursor(FOLLOWER)
                if known is None:
                    known = self._store.newest_change()
                    self._store.set_cursor(FOLLOWER, known)
                return known
            except AllmendeError as error:
                self._tell(f"the cursor could not be read: {error}")
                self._stop_event.wait(5)
        return 0

    def _step(self, cursor: int) -> int:
        """Publish what came after the cursor; gives the new one, which is kept."""
        changes = self._store.changes(cursor, _CHANGES)
        waiting: list[int] = []
        for change in changes:
            for topic, body in self._messages(change):
                if len(waiting) >= _UNANSWERED and not self._settle(waiting):
                    return cursor
                waiting.append(self._client.publish(topic, body, qos=1).mid)
            if self._stop_event.is_set():
                return cursor
        if not changes or not self._settle(waiting):
            return cursor
        self._store.set_cursor(FOLLOWER, changes[-1].number)
        return changes[-1].number

    def _messages(self, change: Change) -> list[tuple[str, bytes]]:
        oldest = change.received_at - self._max_age
        topic = observations_topic(change.stream, change.entity)
        if change.kind == "deletion" or change.end < oldest or not topic:
            return []
        # A row begins with pk, id and the start of its phenomenon time.
        rows = self._store.change_page(change, _OPEN_READINGS).rows
        return [(topic, observation_json(row, _ROOT)) for row in rows if row[2] >= oldest]

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

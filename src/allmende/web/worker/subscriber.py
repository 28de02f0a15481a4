"""Takes messages from the operator's broker: acknowledged when they are committed, and not before.

The session is persistent under a fixed client id, so that the broker keeps what comes while the worker is away.
"""

import random
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import structlog
from django.db import close_old_connections
from paho.mqtt import client as mqtt

from allmende.domain.errors import AllmendeError
from allmende.domain.marks import Mark
from allmende.web.broker.topics import matches
from allmende.web.intake import GROUP, Message, now_micros
from allmende.web.worker.brokers import KEEPALIVE_SECONDS, Door, ReadAhead, make_client
from allmende.web.worker.taken import Taken

_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 60.0
_MOST_BYTES = 8 * 2**20
"""Of a group."""
_GATHERING, _LULL = 0.02, 0.002
"""Seconds for which messages that go on coming are gathered, and for which none has to come."""
TakeSingle = Callable[[str, bytes, Mark], object]
"""The same for one, of topic and body."""
TakeMessages = Callable[[Sequence[Message], Mark | None], object]
"""Commits all of them and the mark, or none and raises."""

log = structlog.get_logger("allmende.subscriber")


class _Arrived(NamedTuple):
    """A message, when it came (microseconds), and whether it was taken before."""

    message: mqtt.MQTTMessage
    at: int
    known: bool


class Subscriber(threading.Thread):
    """Listens until ``stop`` is set. A group of messages that cannot be committed closes the connection: the broker,
    not having been answered, sends it again. What comes again though it was committed is known, and answered."""

    def __init__(
        self,
        door: Door,
        taken: Taken,
        stop: threading.Event,
        *,
        readings: tuple[Callable[[], tuple[str, ...]], TakeMessages] = (lambda: (), lambda *_: None),
        single: Mapping[str, TakeSingle] | None = None,
    ) -> None:
        """``readings``: what gives the topic filters, which may change, and what takes the messages of all of them.
        What is there already is taken together: a broker sends no more before some were acknowledged, so that each by
        itself would wait for a commit.

        ``single``: what takes the messages of a filter one by one.
        """
        super().__init__(name="subscriber", daemon=True)
        self._door = door
        self._known = taken
        self._filters, self._take = readings
        self._single = dict(single or {})
        self._stop_event = stop
        self._failed = ""
        self._pause = _FIRST_PAUSE
        self._told = ""
        self._waiting: list[_Arrived] = []
        self._size = 0
        self._asked: tuple[str, ...] = ()
        """What we want the session at the broker to be subscribed to, as it was told."""
        self._granted: set[str] = set()
        self._pending: dict[int, list[str]] = {}
        """By packet identifier, topics that the broker has not granted yet."""

    def run(self) -> None:
        """Connect, listen, connect again."""
        client = make_client(self._door, self._known.client_id, clean_session=False, manual_ack=True)
        client.on_connect = self._on_connect
        client.on_subscribe = self._on_subscribe
        client.on_message = self._on_message
        while not self._stop_event.is_set():
            self._failed = ""
            try:
                client.connect(self._door.host, self._door.port, KEEPALIVE_SECONDS)
                self._listen(client)
            except (OSError, ValueError) as error:
                self._failed = f"{self._door.host}:{self._door.port} cannot be reached: {error}"
            if self._failed and self._failed != self._told:
                log.warning("the broker's messages are not taken", error=self._failed)
                self._told = self._failed
            # not all at once, when a broker comes back
            self._stop_event.wait(self._pause * random.uniform(0.8, 1.2))  # noqa: S311  no secret
            self._pause = min(self._pause * 2, _LONGEST_PAUSE)

    def _listen(self, client: ReadAhead) -> None:
        self._clear()
        while not self._failed and client.loop(timeout=0.5) == mqtt.MQTT_ERR_SUCCESS:
            self._gather(client)
            self._commit(client)
            self._follow(client)
            if self._stop_event.is_set():
                client.disconnect()
                return
        if self._failed:
            # No goodbye: an unanswered message stays with the broker either way, and must not be answered by accident.
            client._sock_close()
        else:
            self._failed = "the connection to the broker broke off"

    def _gather(self, client: ReadAhead) -> None:
        """Read what else came, and what comes at once: each commit has its price, whatever is in it."""
        until = 0.0
        while not self._failed and len(self._waiting) < GROUP and self._size < _MOST_BYTES:
            if self._waiting and not until:
                until = time.monotonic() + _GATHERING
            patience = min(_LULL, until - time.monotonic()) if self._waiting else 0.0
            if not client.has_more(patience) or client.loop_read() != mqtt.MQTT_ERR_SUCCESS:
                return

    def _on_connect(self, client: mqtt.Client, _data: Any, flags: mqtt.ConnectFlags, reason: Any, _more: Any) -> None:
        if reason.is_failure:
            self._failed = f"the broker refuses us: {reason}"
            return
        close_old_connections()
        try:
            self._known.begin(resumed=flags.session_present)
            self._granted = self._known.topics() if flags.session_present else set()
        except AllmendeError as error:
            self._failed = f"what was taken before could not be read: {error}"
            return
        self._pending.clear()
        self._subscribe(client, self._topics())
        self._pause, self._told = _FIRST_PAUSE, ""

    def _topics(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys((*self._filters(), *self._single)))

    def _subscribe(self, client: mqtt.Client, topics: tuple[str, ...]) -> None:
        """Ask for topics, and for none else any more. What of the others is on its way still is acknowledged.

        What the session has is not asked for again: the broker would send once more what it retains.
        """
        fresh = [topic for topic in topics if topic not in self._granted]
        gone = [topic for topic in self._granted if topic not in topics]
        if fresh:
            _, mid = client.subscribe([(topic, 1) for topic in fresh])
            self._pending[mid or 0] = fresh
        if gone:
            client.unsubscribe(gone)
            self._note(self._granted.difference(gone))
        self._asked = topics
        log.info("listening to the broker", topics=topics)

    def _follow(self, client: mqtt.Client) -> None:
        """Ask for other topics where the city's sources are others. (Before the broker has let us in, that comes by
        itself.)"""
        if self._pending:
            return  # what is being granted would be forgotten, and never be given up
        topics = self._topics()
        if topics != self._asked and client.is_connected():
            self._subscribe(client, topics)

    def _on_subscribe(self, _client: mqtt.Client, _data: Any, mid: int, reasons: Any, _more: Any) -> None:
        asked = self._pending.pop(mid, [])
        refused = [topic for topic, reason in zip(asked, reasons, strict=False) if reason.is_failure]
        if refused:
            log.warning("the broker does not let us listen", topics=refused)
        self._note(self._granted.union(asked).difference(refused))

    def _note(self, granted: set[str]) -> None:
        self._granted = granted
        try:
            self._known.note_topics(granted)
        except AllmendeError as error:  # then we ask again at the next start
            log.warning("what the broker granted could not be noted", error=str(error))

    def _on_message(self, client: mqtt.Client, _data: Any, message: mqtt.MQTTMessage) -> None:
        if self._failed:
            return
        arrived = _Arrived(message, now_micros(), self._known.knows(message))
        if any(matches(filter_, message.topic) for filter_ in self._single):
            self._commit(client)  # what came before it
            if not self._failed:
                self._take_single(client, arrived)
            return
        self._waiting.append(arrived)
        self._size += len(message.payload)

    def _take_single(self, client: mqtt.Client, arrived: _Arrived) -> None:
        close_old_connections()
        message = arrived.message
        topic, body = message.topic, bytes(message.payload)
        mark = self._known.mark([message])
        takers = dict.fromkeys(take for filter_, take in self._single.items() if matches(filter_, topic))
        try:
            if not arrived.known:
                if any(matches(filter_, topic) for filter_ in self._filters()):
                    self._take([Message(topic, body, arrived.at)], None)  # it is not taken yet by those
                for take in takers:
                    take(topic, body, mark)
                self._known.keep(mark)
        except Exception as error:  # whatever it is: not kept is not acknowledged, and comes again
            self._failed = f"a message could not be kept: {error}"
            return
        self._acknowledge(client, [message])

    def _commit(self, client: mqtt.Client) -> None:
        """Take what waits, then acknowledge it."""
        if self._failed or not self._waiting:
            return
        close_old_connections()
        fresh = [arrived for arrived in self._waiting if not arrived.known]
        try:
            if fresh:
                mark = self._known.mark([arrived.message for arrived in fresh])
                self._take([Message(m.topic, bytes(m.payload), at) for m, at, _ in fresh], mark)
                self._known.keep(mark)
        except Exception as error:  # whatever it is, the messages are not kept and must come again
            self._failed = f"{len(self._waiting)} messages could not be kept: {error}"
            return
        self._acknowledge(client, [arrived.message for arrived in self._waiting])
        self._clear()

    def _clear(self) -> None:
        self._waiting, self._size = [], 0

    def _acknowledge(self, client: mqtt.Client, messages: Sequence[mqtt.MQTTMessage]) -> None:
        for message in messages:
            client.ack(message.mid, message.qos)
        # At once, not with the rest of what lies in the socket: if we are killed, so much would come again.
        client.loop_write()

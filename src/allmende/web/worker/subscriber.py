"""Takes messages from the operator's broker: acknowledged when they are committed, and not before.

The session is persistent under a fixed client id, so that the broker keeps what comes while the worker is away.
"""

import random
import select
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import structlog
from django.db import close_old_connections
from paho.mqtt import client as mqtt

from allmende.web.broker.topics import matches
from allmende.web.intake import GROUP, Message, TakeMessage
from allmende.web.worker.brokers import KEEPALIVE_SECONDS, Door, make_client

_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 60.0
TakeMessages = Callable[[Sequence[Message]], object]
"""Commits all of them, or none and raises."""

log = structlog.get_logger("allmende.subscriber")


class Subscriber(threading.Thread):
    """Listens until ``stop`` is set. A group of messages that cannot be committed closes the connection: the broker,
    not having been answered, sends it again."""

    def __init__(
        self,
        door: Door,
        client_id: str,
        stop: threading.Event,
        *,
        readings: tuple[Callable[[], tuple[str, ...]], TakeMessages] = (lambda: (), lambda _: None),
        single: Mapping[str, TakeMessage] | None = None,
    ) -> None:
        """``readings``: what gives the topic filters, which may change, and what takes the messages of all of them.
        What is there already is taken together: a broker sends no more before some were acknowledged, so that each by
        itself would wait for a commit.

        ``single``: what takes the messages of a filter one by one, since they must not come twice.
        """
        super().__init__(name="subscriber", daemon=True)
        self._door = door
        self._client_id = client_id
        self._filters, self._take = readings
        self._single = dict(single or {})
        self._stop_event = stop
        self._failed = ""
        self._pause = _FIRST_PAUSE
        self._told = ""
        self._waiting: list[mqtt.MQTTMessage] = []
        self._asked: tuple[str, ...] = ()
        """What the session at the broker is subscribed to, as far as we know."""

    def run(self) -> None:
        """Connect, listen, connect again."""
        client = make_client(self._door, self._client_id, clean_session=False, manual_ack=True)
        client.on_connect = self._on_connect
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

    def _listen(self, client: mqtt.Client) -> None:
        self._waiting.clear()
        while not self._failed and client.loop(timeout=0.0 if self._waiting else 0.5) == mqtt.MQTT_ERR_SUCCESS:
            if self._waiting and (len(self._waiting) >= GROUP or not _has_more(client)):
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

    def _on_connect(self, client: mqtt.Client, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        if reason.is_failure:
            self._failed = f"the broker refuses us: {reason}"
            return
        self._subscribe(client, self._topics())
        self._pause, self._told = _FIRST_PAUSE, ""

    def _topics(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys((*self._filters(), *self._single)))

    def _subscribe(self, client: mqtt.Client, topics: tuple[str, ...]) -> None:
        """Ask for topics, and for none else any more. What of the others is on its way still is acknowledged."""
        gone = [topic for topic in self._asked if topic not in topics]
        if topics:
            client.subscribe([(topic, 1) for topic in topics])
        if gone:
            client.unsubscribe(gone)
        self._asked = topics
        log.info("listening to the broker", topics=topics)

    def _follow(self, client: mqtt.Client) -> None:
        """Ask for other topics where the city's sources are others. (Before the broker has let us in, that comes by
        itself.)"""
        topics = self._topics()
        if topics != self._asked and client.is_connected():
            self._subscribe(client, topics)

    def _on_message(self, client: mqtt.Client, _data: Any, message: mqtt.MQTTMessage) -> None:
        if self._failed:
            return
        takers = [take for filter_, take in self._single.items() if matches(filter_, message.topic)]
        if not takers:
            self._waiting.append(message)
            return
        self._commit(client)  # what came before it
        close_old_connections()
        try:
            if any(matches(filter_, message.topic) for filter_ in self._filters()):
                self._take([(message.topic, bytes(message.payload))])
            for take in dict.fromkeys(takers):
                take(message.topic, bytes(message.payload))
        except Exception as error:  # whatever it is: not kept is not acknowledged, and comes again
            self._failed = f"a message could not be kept: {error}"
            return
        self._acknowledge(client, [message])

    def _commit(self, client: mqtt.Client) -> None:
        """Take what waits, then acknowledge it."""
        if self._failed or not self._waiting:
            return
        close_old_connections()
        try:
            self._take([(message.topic, bytes(message.payload)) for message in self._waiting])
        except Exception as error:  # whatever it is, the messages are not kept and must come again
            self._failed = f"{len(self._waiting)} messages could not be kept: {error}"
            return
        self._acknowledge(client, self._waiting)
        self._waiting.clear()

    def _acknowledge(self, client: mqtt.Client, messages: Sequence[mqtt.MQTTMessage]) -> None:
        for message in messages:
            client.ack(message.mid, message.qos)
        # At once, not with the rest of what lies in the socket: if we are killed, so much would come again.
        client.loop_write()


def _has_more(client: mqtt.Client) -> bool:
    """Whether more lies in the socket already (or, with TLS, in what was decrypted of it)."""
    connection = client.socket()
    if connection is None:
        return False
    pending = getattr(connection, "pending", None)
    return bool(pending and pending()) or bool(select.select([connection], [], [], 0)[0])

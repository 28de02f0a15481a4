"""Takes messages from the operator's broker: acknowledged when they are committed, and not before.

The session is persistent under a fixed client id, so that the broker keeps what comes while the worker is away.
"""

import threading
from collections.abc import Mapping
from typing import Any

import structlog
from django.db import close_old_connections
from paho.mqtt import client as mqtt

from allmende.web.broker.topics import matches
from allmende.web.intake import TakeMessage
from allmende.web.worker.brokers import KEEPALIVE_SECONDS, Door, make_client

_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 60.0

log = structlog.get_logger("allmende.subscriber")


class Subscriber(threading.Thread):
    """Listens until ``stop`` is set. A message that cannot be committed closes the connection: the broker, not having
    been answered, sends it again."""

    def __init__(self, door: Door, taken: Mapping[str, TakeMessage], client_id: str, stop: threading.Event) -> None:
        """``taken``: what takes the messages of a topic filter. One of several filters goes once to each taker."""
        super().__init__(name="subscriber", daemon=True)
        self._door = door
        self._client_id = client_id
        self._taken = taken
        self._stop_event = stop
        self._failed = ""
        self._pause = _FIRST_PAUSE
        self._told = ""

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
            self._stop_event.wait(self._pause)
            self._pause = min(self._pause * 2, _LONGEST_PAUSE)

    def _listen(self, client: mqtt.Client) -> None:
        while not self._failed and client.loop(timeout=0.5) == mqtt.MQTT_ERR_SUCCESS:
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
        client.subscribe([(topic, 1) for topic in self._taken])
        log.info("listening to the broker", topics=tuple(self._taken))
        self._pause, self._told = _FIRST_PAUSE, ""

    def _on_message(self, client: mqtt.Client, _data: Any, message: mqtt.MQTTMessage) -> None:
        if self._failed:
            return
        close_old_connections()
        try:
            takers = (take for filter_, take in self._taken.items() if matches(filter_, message.topic))
            for take in dict.fromkeys(takers):
                take(message.topic, bytes(message.payload))
        except Exception as error:  # whatever it is: not kept is not acknowledged, and comes again
            self._failed = f"a message could not be kept: {error}"
            return
        client.ack(message.mid, message.qos)
        # At once, not with the rest of what lies in the socket: if we are killed, so much would come again.
        client.loop_write()

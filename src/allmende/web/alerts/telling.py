"""Publishes public alerts by MQTT: at the embedded broker in its process, at the operator's from the worker."""

import asyncio
import secrets
import threading
from typing import TYPE_CHECKING

import structlog
from paho.mqtt import client as mqtt

from allmende.web.alerts.models import Message
from allmende.web.alerts.mqtt import waiting
from allmende.web.broker.broker import Broker, Told
from allmende.web.config import Config
from allmende.web.house import open_profile
from allmende.web.intake import now_micros
from allmende.web.observability.metrics import ALERT_MESSAGES
from allmende.web.worker.brokers import KEEPALIVE_SECONDS, Door, make_client
from allmende.web.worker.rounds import Rounds

if TYPE_CHECKING:
    from allmende.web.worker.brokers import ReadAhead

POLL_SECONDS = 0.4
_SECONDS = 10.0

log = structlog.get_logger("allmende.alerts")


def _settle(message: Message) -> None:
    Message.objects.filter(pk=message.pk).update(sent=now_micros(), error="")
    ALERT_MESSAGES.labels(message.channel, "sent").inc()


class EmbeddedTeller(Rounds):
    """In the broker's process. Who does not listen has the page and the feeds."""

    def __init__(self, broker: Broker, loop: asyncio.AbstractEventLoop, stop: threading.Event) -> None:
        super().__init__("alerts-mqtt", stop)
        self._broker, self._loop = broker, loop

    def turn(self) -> float:
        """Deliver what waits."""
        for message, topic, payload in waiting(open_profile(), self._broker.config, now_micros()):
            told = self._broker.deliver([Told(payload, {}, topic, all=True)])
            asyncio.run_coroutine_threadsafe(told, self._loop).result(_SECONDS)
            _settle(message)
        return POLL_SECONDS


class BrokerTeller(Rounds):
    """To the operator's broker, retained, so that whoever begins to listen hears how it stands; a message is sent when
    the broker has acknowledged it."""

    def __init__(self, config: Config, door: Door, stop: threading.Event) -> None:
        super().__init__("alerts-mqtt", stop)
        self._config, self._door = config, door
        self._client: ReadAhead | None = None

    def turn(self) -> float:
        """Publish what waits. Raises OSError where the broker is away; then it is tried again."""
        try:
            for message, topic, payload in waiting(open_profile(), self._config, now_micros()):
                self._publish(topic, payload)
                _settle(message)
        except OSError:
            self.end()
            raise
        return POLL_SECONDS

    def end(self) -> None:
        """Leave the broker."""
        if self._client is not None:
            self._client.disconnect()
            self._client.loop_stop()
            self._client = None

    def _publish(self, topic: str, payload: bytes) -> None:
        if self._client is None:
            client = make_client(self._door, f"allmende-alerts-{secrets.token_hex(4)}", clean_session=True, once=True)
            client.connect(self._door.host, self._door.port, KEEPALIVE_SECONDS)
            client.loop_start()
            self._client = client
        told = self._client.publish(topic, payload, qos=1, retain=True)
        try:
            told.wait_for_publish(_SECONDS)
        except (ValueError, RuntimeError) as error:
            raise OSError(f"the broker did not take it: {error}") from None
        if told.rc != mqtt.MQTT_ERR_SUCCESS or not told.is_published():
            raise OSError("the broker did not acknowledge it in time")

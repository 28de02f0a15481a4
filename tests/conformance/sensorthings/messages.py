"""A house that is spoken to by MQTT: its embedded broker with what follows the logs, and real clients."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from allmende.domain.policy import ANONYMOUS, Reader
from allmende.faces.sensorthings.face import answer
from allmende.web.broker.broker import Rules
from allmende.web.broker.notifier import Notifier
from allmende.web.broker.rules import retained, weigh
from allmende.web.broker.session import Client
from allmende.web.following import ENTITIES, FOLLOWER
from allmende.web.messages import create_from_message
from tests.conformance.sensorthings.house import ROOT, House
from tests.web.test_broker import Device, make_config, running

READERS = {
    "anonymous": ANONYMOUS,
    "token:writer": Reader(name="token:writer", may_write=True),
    "token:insider": Reader(name="token:insider", datasets=frozenset({"hidden"})),
}
"""Who may come in, and with which rights; the name is the password, too."""


class Spoken:
    """A house with a broker, its clients, and what they may read."""

    def __init__(self, house: House, config: Any) -> None:
        self.house = house
        self.config = config
        self.readers = dict(READERS)
        self.devices: list[Listener] = []
        self.broker: Any = None
        self.notifier: Any = None

    def rules(self) -> Rules:
        store = self.house.store

        return Rules(
            ingest=lambda *_: None,
            ingest_filters=lambda: (),
            authenticate=lambda name, _: Client(name=f"token:{name}") if f"token:{name}" in self.readers else None,
            may_publish=lambda *_: False,
            may_subscribe=lambda *_: False,
            create=lambda topic, body, client: create_from_message(topic, body, self.readers[client.name], store, ROOT),
            weigh=lambda topic, client: weigh(store, topic, self.readers.get(client.name)),
            retained=lambda filter_, client: retained(store, self.config, filter_, client),
        )

    def client(self, name: str = "", **options: Any) -> "Listener":
        """A client that is connected."""
        device = Listener(self.config, name, "x", **options)
        device.house = self
        self.devices.append(device)
        assert device.connected.wait(20)
        return device

    def listen(self, *topics: str, name: str = "", qos: int = 1) -> "Listener":
        """A client that has subscribed; the notifier knows of it."""
        device = self.client(name)
        for topic in topics:
            assert device.subscribe(topic, qos) == [qos], topic
        self.catch_up()
        device.received.clear()
        return device

    def catch_up(self) -> None:
        """Wait until the notifier knows who listens, and what was committed is on its way to them: a cursor is kept
        behind what was handed over."""
        store, until = self.house.store, time.monotonic() + 30
        version = self.broker.subscribers.version
        newest = {ENTITIES: store.newest_entity_change(), FOLLOWER: store.newest_change()}
        while self.notifier.version < version or any((store.cursor(name) or 0) < at for name, at in newest.items()):
            assert time.monotonic() < until, "the notifier does not come to its end"
            time.sleep(0.01)
        time.sleep(0.1)  # the way from there to the client

    def publish(self, topic: str, body: Any, *, name: str = "writer", qos: int = 1) -> None:
        """Publish as somebody, and wait until it is acknowledged."""
        client = self.client(name)
        client.client.publish(topic, body if isinstance(body, bytes) else json.dumps(body), qos).wait_for_publish(20)
        if qos == 0:
            time.sleep(0.5)


class Listener(Device):
    """A client of a house."""

    house: Spoken


def told(device: Listener, count: int) -> list[tuple[str, Any]]:
    """(topic, JSON) of so many messages; none comes after them."""
    device.wait_for(count, 20)
    device.house.catch_up()
    assert len(device.received) == count, [(m.topic, m.payload) for m in device.received]
    return [(message.topic, json.loads(message.payload)) for message in device.received]


@contextmanager
def spoken_to(house: House, folder: Path, monkeypatch: pytest.MonkeyPatch, **settings: str) -> Iterator[Spoken]:
    """The house with a running broker."""
    config = make_config(folder, ALLMENDE_PUBLIC_URL=ROOT.removesuffix("/sta/v1.1"), **settings)
    # The tests' stores are none of Django's, nor is there a log to write to.
    monkeypatch.setattr("allmende.web.broker.notifier.close_old_connections", lambda: None)
    monkeypatch.setattr("allmende.web.broker.rules.close_old_connections", lambda: None)
    monkeypatch.setattr("allmende.web.broker.rules.reader_of_mqtt", READERS.get)
    monkeypatch.setattr("allmende.web.messages.respond", lambda request, store: answer(request, store, house.limits))
    # Looked for often, so that nobody waits for long, and kept at once, so that one sees how far it has come.
    monkeypatch.setattr("allmende.web.broker.notifier.POLL_SECONDS", 0.02)
    monkeypatch.setattr("allmende.web.broker.notifier._KEEP_SECONDS", 0.0)
    made = Spoken(house, config)
    stop = threading.Event()
    with running(config, made.rules()) as broker:
        notifier = Notifier(broker, broker.loop, house.store, lambda name: made.readers.get(name), house.limits, stop)
        made.broker, made.notifier = broker, notifier
        notifier.start()
        try:
            yield made
        finally:
            for device in made.devices:
                device.stop()
            stop.set()
            notifier.join(10)
            assert not notifier.is_alive()

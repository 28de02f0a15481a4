"""Messages out and in, through a real broker: in order, after the commit, and none lost while it is away."""

import json
import threading
import time
from contextlib import contextmanager

import pytest
from tests.support import HOUSE
from tests.web.simple import EPOCH, city, lines, make_intake, payload
from tests.web.test_broker import Device, free_port, running

from allmende.domain.errors import StorageFull
from allmende.domain.times import SECOND
from allmende.web.broker.broker import Rules
from allmende.web.broker.session import Client
from allmende.web.config import load_config
from allmende.web.intake import now_micros
from allmende.web.publisher import FOLLOWER, Publisher, observations_topic
from allmende.web.secrets import kept_secret
from allmende.web.worker.brokers import door
from allmende.web.worker.subscriber import Subscriber


@pytest.fixture(autouse=True)
def _no_django_connection(monkeypatch):
    for name in ("publisher", "worker.subscriber"):
        monkeypatch.setattr(f"allmende.web.{name}.close_old_connections", lambda: None)


@pytest.fixture
def config(tmp_path):
    return load_config(
        {
            "ALLMENDE_HOME": str(tmp_path),
            "ALLMENDE_MQTT_PORT": str(free_port()),
            "ALLMENDE_MQTT_WEBSOCKET_PORT": str(free_port()),
            "ALLMENDE_DISK_FLOOR": "0",
        }
    )


@pytest.fixture
def intake(tmp_path):
    return make_intake(tmp_path, profile=city(feed={}, closed={"dataset": "closed"}))


def rules(config) -> Rules:
    return Rules(
        ingest=lambda *_: None,
        ingest_filters=[],
        authenticate=lambda name, password: Client(name=f"user:{name}") if password == "right" else None,
        may_publish=lambda *_: True,
        may_subscribe=lambda *_: True,
        internal_token=kept_secret(config.home, "internal_token"),
    )


@contextmanager
def started(thread_of, *arguments):
    stop = threading.Event()
    thread = thread_of(*arguments, stop)
    thread.start()
    try:
        yield thread
    finally:
        stop.set()
        thread.join(5)
        assert not thread.is_alive()


def wait_until(condition, seconds=40.0):
    until = time.monotonic() + seconds
    while not condition() and time.monotonic() < until:
        time.sleep(0.02)
    assert condition()


def now_rows(*values: str, stream: str = "a") -> bytes:
    """Rows of this minute: ``values`` are ``seconds ago:value``."""
    second = now_micros() // SECOND - EPOCH
    return lines(*(f"{stream},{second - int(v.split(':')[0])},{v.split(':')[1]}" for v in values))


def take(intake, body, source="feed"):
    from allmende.domain.connector import Payload

    return intake.take(source, Payload(body=body, name="test", received_at=now_micros()))


def test_topics_are_those_of_the_standard():
    assert observations_topic("parking-holzmarkt~free") == "v1.1/Datastreams('parking-holzmarkt~free')/Observations"
    assert observations_topic("7") == "v1.1/Datastreams(7)/Observations"
    assert observations_topic("it's") == "v1.1/Datastreams('it''s')/Observations"
    assert observations_topic("a#b") == ""


def test_what_is_committed_is_published(config, intake):
    take(intake, now_rows("50:1"))
    with reading(config) as reader, started(Publisher, intake.store, config, door(config)):
        wait_until(lambda: intake.store.cursor(FOLLOWER) is not None)
        take(intake, now_rows("30:2", "20:3", "5000:9"))
        reader.wait_for(2)
        take(intake, now_rows("20:4"))
        reader.wait_for(3)
        take(intake, now_rows("20:5", stream="b"), source="closed")
        take(intake, now_rows("10:6"))
        reader.wait_for(4)
        wait_until(lambda: intake.store.cursor(FOLLOWER) == intake.store.newest_change())
        time.sleep(0.2)
        # Neither what was there before, nor what was old on arrival, nor what is not open to all.
        assert {message.topic for message in reader.received} == {"v1.1/Datastreams('a')/Observations"}
        assert results(reader) == [2, 3, 4, 6]


def test_while_the_broker_is_away_nothing_is_lost(config, intake):
    with started(Publisher, intake.store, config, door(config)):
        wait_until(lambda: intake.store.cursor(FOLLOWER) is not None)
        take(intake, now_rows("30:1"))
        time.sleep(0.5)
        assert intake.store.cursor(FOLLOWER) == 0
        with reading(config) as reader:
            reader.wait_for(1, 15)
            assert results(reader) == [1]
        take(intake, now_rows("20:2"))
        take(intake, now_rows("10:3"))
        time.sleep(0.5)
        with reading(config) as reader:
            reader.wait_for(2, 15)
            assert results(reader) == [2, 3]
            wait_until(lambda: intake.store.cursor(FOLLOWER) == intake.store.newest_change())


@contextmanager
def reading(config):
    """A broker with somebody who reads what is open to all."""
    with running(config, rules(config)):
        reader = Device(config, name="")
        assert reader.connected.wait(20)
        reader.subscribe("v1.1/#")
        try:
            yield reader
        finally:
            reader.stop()


def results(reader) -> list[int]:
    return [json.loads(message.payload)["result"] for message in reader.received]


def test_a_publisher_goes_on_where_the_last_one_stopped(config, intake):
    with reading(config) as reader:
        with started(Publisher, intake.store, config, door(config)):
            wait_until(lambda: intake.store.cursor(FOLLOWER) is not None)
        take(intake, now_rows("30:1", "20:2"))
        with started(Publisher, intake.store, config, door(config)):
            reader.wait_for(2)
        assert results(reader) == [1, 2]


def test_an_import_of_history_is_passed_over_quickly(config, intake):
    with reading(config) as reader, started(Publisher, intake.store, config, door(config)):
        wait_until(lambda: intake.store.cursor(FOLLOWER) is not None)
        intake.take("feed", payload(lines(*(f"s{n % 50},{n},1" for n in range(20_000)))))
        wait_until(lambda: intake.store.cursor(FOLLOWER) == intake.store.newest_change(), 5)
        assert reader.received == []


# --- the operator's broker


def test_messages_of_the_operator_s_broker_are_taken(config, tmp_path):
    intake = make_intake(tmp_path / "in", profile=city(feed={"topic": "devices/+/up"}))
    with running(config, rules(config)):
        device = Device(config)
        with started(Subscriber, door(config), intake, "allmende-test"):
            publish_until_taken(device, intake)
        # The session waits in the broker while the worker is away.
        device.client.publish("devices/7/up", lines("a,2,5"), 1).wait_for_publish(5)
        with started(Subscriber, door(config), intake, "allmende-test"):
            wait_until(lambda: count(intake) == 2)
        device.stop()


def test_a_message_that_could_not_be_kept_comes_again(config, tmp_path, monkeypatch):
    intake = make_intake(tmp_path / "in", profile=city(feed={"topic": "devices/+/up"}))
    troubles = []
    real = type(intake).take

    def full(self, *arguments):
        if troubles:
            raise troubles.pop()
        return real(self, *arguments)

    monkeypatch.setattr(type(intake), "take", full)
    with running(config, rules(config)), started(Subscriber, door(config), intake, "allmende-test"):
        device = Device(config)
        publish_until_taken(device, intake)
        troubles.extend([StorageFull("the disk is full")] * 2)
        device.client.publish("devices/7/up", lines("a,2,5"), 1).wait_for_publish(5)
        wait_until(lambda: count(intake) == 2)
        assert troubles == []
        device.stop()


def publish_until_taken(device, intake) -> None:
    """The same reading again and again: before the subscription stands, the broker has nobody to keep it for."""
    until = time.monotonic() + 40
    while count(intake) == 0 and time.monotonic() < until:
        device.client.publish("devices/7/up", lines("a,1,5"), 1)
        time.sleep(0.1)
    assert count(intake) == 1


def count(intake) -> int:
    return sum(latest.count for latest in intake.store.latest(HOUSE))

"""Messages out and in, through a real Mosquitto: in order, after the commit, and none lost while it is away."""

import json
import threading
import time
from contextlib import contextmanager
from functools import partial
from types import SimpleNamespace

import msgspec
import pytest
from tests.mosquitto import Mosquitto
from tests.support import HOUSE
from tests.web.simple import EPOCH, city, lines, make_intake, payload
from tests.web.test_broker import Device

from allmende.domain.errors import StorageFull
from allmende.domain.face import FaceLimits
from allmende.domain.query import Query
from allmende.domain.times import SECOND
from allmende.faces.sensorthings.face import answer
from allmende.faces.sensorthings.topics import entity_topic, observations_topic
from allmende.web.config import load_config
from allmende.web.following import ENTITIES, FOLLOWER
from allmende.web.intake import now_micros
from allmende.web.messages import create_from_broker
from allmende.web.publisher import Publisher
from allmende.web.worker.brokers import door
from allmende.web.worker.subscriber import Subscriber
from allmende.web.worker.taken import Taken


@pytest.fixture(autouse=True)
def _no_django_connection(monkeypatch):
    for name in ("publisher", "worker.subscriber"):
        monkeypatch.setattr(f"allmende.web.{name}.close_old_connections", lambda: None)


@pytest.fixture
def broker(tmp_path):
    started = Mosquitto(tmp_path / "mosquitto").start()
    yield started
    started.stop()


@pytest.fixture
def config(tmp_path, broker):
    return load_config(
        {
            "ALLMENDE_HOME": str(tmp_path),
            "ALLMENDE_BROKER_URL": broker.url,
            "ALLMENDE_PUBLIC_URL": "https://city.example/",
            "ALLMENDE_DISK_FLOOR": "0",
        }
    )


@pytest.fixture
def intake(tmp_path):
    return make_intake(tmp_path, profile=city(feed={}, closed={"dataset": "closed"}))


@contextmanager
def started(thread_of, *arguments, **options):
    stop = threading.Event()
    thread = thread_of(*arguments, stop, **options)
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
    assert observations_topic("a#b/+?") == "v1.1/Datastreams('a%23b%2F%2B%3F')/Observations"
    assert entity_topic("Thing", "100%") == "v1.1/Things('100%25')"


def test_what_is_committed_is_published(config, broker, intake):
    take(intake, now_rows("50:1"))
    with reading(broker) as reader, started(Publisher, intake.store, config, door(config)):
        wait_until(lambda: intake.store.cursor(FOLLOWER) is not None)
        take(intake, now_rows("30:2", "20:3", "5000:9"))
        reader.wait_for(2)
        take(intake, now_rows("20:4"))
        reader.wait_for(3)
        take(intake, now_rows("20:5", stream="b"), source="closed")
        take(intake, now_rows("10:6"))
        reader.wait_for(4)
        wait_until(lambda: told_all(intake))
        time.sleep(0.2)
        # Neither what was there before, nor what was old on arrival, nor what is not open to all.
        assert topics(reader) == {"v1.1/Datastreams('a')/Observations"}
        assert results(reader) == [2, 3, 4, 6]
        first = json.loads(reader.received[0].payload)
        assert first["@iot.selfLink"].startswith("https://city.example/sta/v1.1/Observations(")


def test_entities_are_published_in_their_set_and_at_their_own_topic(config, broker, intake):
    with reading(broker) as reader, started(Publisher, intake.store, config, door(config)):
        wait_until(lambda: intake.store.cursor(FOLLOWER) is not None)  # the last one that is set
        take(intake, now_rows("30:2"))
        take(intake, now_rows("30:2", stream="b"), source="closed")
        wait_until(lambda: told_all(intake))
        reader.wait_for(9)
        time.sleep(0.2)
        own = {"v1.1/Things('thing-a')", "v1.1/Sensors('simple')", "v1.1/ObservedProperties('count')"}
        sets = {"v1.1/Things", "v1.1/Sensors", "v1.1/ObservedProperties", "v1.1/Datastreams"}
        readings = {"v1.1/Datastreams('a')/Observations"}
        assert topics(reader) == own | sets | readings | {"v1.1/Datastreams('a')"}
        things = [json.loads(m.payload)["@iot.id"] for m in reader.received if "Thing" in m.topic]
        assert things == ["thing-a", "thing-a"]


def test_while_the_broker_is_away_nothing_is_lost(config, broker, intake):
    """A listener with a session that the broker keeps hears of all in order, whatever the broker goes through."""
    keeper = listen(broker, client_id="keeper", clean=False)
    with started(Publisher, intake.store, config, door(config)):
        wait_until(lambda: intake.store.cursor(FOLLOWER) is not None)
        for life in range(3):
            take(intake, now_rows(f"{90 - 10 * life}:{10 * life}"))
            keeper.wait_for(1)
            broker.stop()
            for number in range(1, 5):
                take(intake, now_rows(f"{90 - 10 * life - number}:{10 * life + number}"))
            time.sleep(0.3)
            kept = intake.store.cursor(FOLLOWER)
            assert kept < intake.store.newest_change()
            broker.start()
            wait_until(lambda: told_all(intake))
            wait_until(lambda last=10 * life + 4: last in results(keeper))
    # At least once: what was on its way when the broker went may come twice.
    assert list(dict.fromkeys(results(keeper))) == [10 * life + number for life in range(3) for number in range(5)]
    keeper.stop()


def test_the_latest_reading_is_retained_where_the_setting_says_so(config, broker, intake):
    config = msgspec.structs.replace(config, mqtt_retain=True)
    with started(Publisher, intake.store, config, door(config)):
        wait_until(lambda: intake.store.cursor(FOLLOWER) is not None)
        take(intake, now_rows("30:1", "20:2"))
        wait_until(lambda: told_all(intake))
        take(intake, now_rows("40:3"))
        wait_until(lambda: told_all(intake))
    with reading(broker) as late:
        late.wait_for(1)
        time.sleep(0.2)
        assert results(late) == [2]
        assert late.received[0].retain


def test_a_publisher_goes_on_where_the_last_one_stopped(config, broker, intake):
    with reading(broker) as reader:
        with started(Publisher, intake.store, config, door(config)):
            wait_until(lambda: intake.store.cursor(FOLLOWER) is not None)
        take(intake, now_rows("30:1", "20:2"))
        with started(Publisher, intake.store, config, door(config)):
            wait_until(lambda: len(results(reader)) == 2)
        assert results(reader) == [1, 2]


def test_an_import_of_history_is_passed_over_quickly(config, broker, intake):
    with reading(broker) as reader, started(Publisher, intake.store, config, door(config)):
        wait_until(lambda: intake.store.cursor(FOLLOWER) is not None)
        intake.take("feed", payload(lines(*(f"s{n % 50},{n},1" for n in range(20_000)))))
        wait_until(lambda: told_all(intake))
        assert results(reader) == []


@contextmanager
def reading(broker):
    """Somebody who reads what is open to all."""
    reader = listen(broker)
    try:
        yield reader
    finally:
        reader.stop()


def listen(broker, **options):
    reader = Device(SimpleNamespace(mqtt_port=broker.port), name="", **options)
    assert reader.connected.wait(20)
    reader.subscribe("v1.1/#")
    return reader


def results(reader) -> list[int]:
    return [json.loads(m.payload)["result"] for m in reader.received if m.topic.endswith("/Observations")]


def topics(reader) -> set[str]:
    entities = ("Things", "Sensors", "ObservedProperties", "Datastreams")
    return {m.topic for m in reader.received if m.topic.startswith(tuple(f"v1.1/{name}" for name in entities))}


def told_all(intake) -> bool:
    store = intake.store
    entities = store.cursor(ENTITIES) == store.newest_entity_change()
    return entities and store.cursor(FOLLOWER) == store.newest_change()


# --- the operator's broker


def test_messages_of_the_operator_s_broker_are_taken(config, broker, tmp_path):
    intake = make_intake(tmp_path / "in", profile=city(feed={"topic": "devices/+/up"}))
    device = listen(broker)
    readings = (intake.topics, intake.take_messages)
    with started(Subscriber, door(config), Taken(intake.store, "allmende-test"), readings=readings):
        publish_until_taken(device, intake)
    # The session waits in the broker while the worker is away.
    device.client.publish("devices/7/up", lines("a,2,5"), 1).wait_for_publish(20)
    with started(Subscriber, door(config), Taken(intake.store, "allmende-test"), readings=readings):
        wait_until(lambda: count(intake) == 2)
    device.stop()


def test_a_source_s_new_topic_is_listened_to_on_the_same_connection(config, broker, tmp_path):
    """What the broker kept meanwhile stays; what nobody asks for any more comes no more."""
    from allmende.web.sources import prepare_sources

    intake = make_intake(tmp_path / "in", profile=city(feed={"topic": "old/+/up"}))
    device = listen(broker)

    def send(topic: str, line: str) -> None:
        device.client.publish(topic, lines(line), 1).wait_for_publish(20)

    readings = (intake.topics, intake.take_messages)
    with started(Subscriber, door(config), Taken(intake.store, "allmende-test"), readings=readings) as thread:
        wait_until(lambda: thread._asked == ("old/+/up",))
        connector = {"simple": next(iter(intake.sources.values())).connector}
        intake.sources = prepare_sources(city(feed={"topic": "devices/+/up"}), connector)
        publish_until_taken(device, intake)
        assert thread._asked == ("devices/+/up",)
        send("old/7/up", "a,2,5")
        send("devices/7/up", "a,3,5")
        wait_until(lambda: count(intake) == 2)
    device.stop()


def test_a_message_that_could_not_be_kept_comes_again(config, broker, tmp_path, monkeypatch):
    intake = make_intake(tmp_path / "in", profile=city(feed={"topic": "devices/+/up"}))
    troubles = []
    real = type(intake).take_group

    def full(self, *arguments):
        if troubles:
            raise troubles.pop()
        return real(self, *arguments)

    monkeypatch.setattr(type(intake), "take_group", full)
    readings = (intake.topics, intake.take_messages)
    with started(Subscriber, door(config), Taken(intake.store, "allmende-test"), readings=readings):
        device = listen(broker)
        publish_until_taken(device, intake)
        troubles.extend([StorageFull("the disk is full")] * 2)
        device.client.publish("devices/7/up", lines("a,2,5"), 1).wait_for_publish(20)
        wait_until(lambda: count(intake) == 2)
        assert troubles == []
        device.stop()


def test_what_clients_publish_to_the_operator_s_broker_is_created(config, broker, intake, monkeypatch):
    monkeypatch.setattr("allmende.web.messages.respond", lambda request, store: answer(request, store, FaceLimits()))
    take(intake, now_rows("30:1"))
    commons = {"name": "Garden", "description": "A garden"}
    creating = partial(create_from_broker, store=intake.store, root=config.api_root)
    single = {"create/v1.1/#": creating, "v1.1/Observations": creating}
    device = listen(broker)
    with started(Subscriber, door(config), Taken(intake.store, "allmende-test"), single=single):
        wait_until(lambda: published(device, "create/v1.1/Things", commons) and things(intake))
        published(device, "create/v1.1/Things", {"nonsense": 1})
        # A source's stream takes nothing from others.
        published(device, "v1.1/Observations", {"result": 1, "Datastream": {"@iot.id": "a"}})
        wait_until(lambda: len(intake.store.rejections()) == 2)
        assert {r.name for r in intake.store.rejections()} == {"create/v1.1/Things", "v1.1/Observations"}
    device.stop()


def published(device, topic, body) -> bool:
    device.client.publish(topic, json.dumps(body), 1).wait_for_publish(20)
    time.sleep(0.2)
    return True


def things(intake) -> list[str]:
    found = intake.store.find(Query(entity="Thing", reader=HOUSE)).rows
    return [row[1] for row in found if row[1] != "thing-a"]


def publish_until_taken(device, intake) -> None:
    """The same reading again and again: before the subscription stands, the broker has nobody to keep it for."""
    until = time.monotonic() + 40
    while count(intake) == 0 and time.monotonic() < until:
        device.client.publish("devices/7/up", lines("a,1,5"), 1)
        time.sleep(0.1)
    assert count(intake) == 1


def count(intake) -> int:
    return sum(latest.count for latest in intake.store.latest(HOUSE))

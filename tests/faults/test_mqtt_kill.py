"""Nothing that was acknowledged or committed is lost between the house and a broker, whatever is killed."""

import json
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from tests.faults.houses import House
from tests.faults.test_broker_kill import reached
from tests.homes import BOTH, migrated_database
from tests.mosquitto import Mosquitto

pytestmark = [pytest.mark.faults, pytest.mark.xdist_group("serve")]

DATASTREAM = {
    "@iot.id": 1,
    "name": "Free spaces",
    "description": "free spaces of the garage",
    "observationType": "http://www.opengis.net/def/observationType/OGC-OM/2.0/OM_Measurement",
    "unitOfMeasurement": {"name": "spaces", "symbol": "{space}", "definition": "https://example.org/unit"},
    "Thing": {"name": "Garage", "description": "A garage"},
    "Sensor": {"name": "Loop", "description": "in the ground", "encodingType": "text/plain", "metadata": "none"},
    "ObservedProperty": {"name": "Free", "description": "free spaces", "definition": "https://example.org/free"},
}


class Client:
    """A client that subscribes again whenever it is connected, and notes what it heard and what was acknowledged."""

    def __init__(self, port: int, client_id: str, *topics: str) -> None:
        self.heard: list[tuple[str, Any]] = []
        self.acknowledged: set[int] = set()
        self.lives = 0
        self.client = paho.Client(CallbackAPIVersion.VERSION2, client_id=client_id, clean_session=False)
        self.client.reconnect_delay_set(1, 1)
        self.client.on_connect = lambda *_: self._on_connect(topics)
        self.client.on_message = lambda _c, _u, m: self.heard.append((m.topic, json.loads(m.payload)))
        self.client.on_publish = lambda _c, _u, mid, *_: self.acknowledged.add(mid)
        # The house is ready when the web is; its broker may need a moment more.
        self.client.connect_async("127.0.0.1", port)
        self.client.loop_start()
        assert reached(lambda: self.lives == 1)
        time.sleep(0.5)

    def _on_connect(self, topics: tuple[str, ...]) -> None:
        if topics:
            self.client.subscribe([(topic, 1) for topic in topics])
        self.lives += 1

    def results(self) -> list[Any]:
        """Results in the order in which they were heard first."""
        return list(dict.fromkeys(body["result"] for _, body in self.heard if "result" in body))

    def stop(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


@pytest.fixture(params=BOTH)
def database(request: pytest.FixtureRequest) -> dict[str, str]:
    """Settings of a house on each engine."""
    return {} if request.param == "sqlite" else {"ALLMENDE_DATABASE_URL": migrated_database()}


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[Mosquitto]:
    started = Mosquitto(tmp_path / "mosquitto").start()
    yield started
    started.stop()


def post(house: House, path: str, body: Any) -> None:
    request = urllib.request.Request(
        f"{house.url}/sta/v1.1/{path}", json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=20) as answer:
        assert answer.status == 201


def get(house: House, path: str) -> Any:
    with urllib.request.urlopen(f"{house.url}/sta/v1.1/{path}", timeout=20) as answer:
        return json.load(answer)


def kept(house: House) -> list[int]:
    return [reading["result"] for reading in get(house, "Datastreams(1)/Observations?$top=1000")["value"]]


def test_the_embedded_broker_goes_on_where_it_was_killed(make: Any, database: dict[str, str]) -> None:
    house = make(ALLMENDE_ANONYMOUS_WRITES="1", **database).start()
    house.wait_for("Allmende is ready")
    port = int(house.environ["ALLMENDE_MQTT_PORT"])
    settings = get(house, "")["serverSettings"]
    reading = "http://www.opengis.net/spec/iot_sensing/1.1/req/receive-updates-via-mqtt/receive-updates"
    assert f"mqtt://127.0.0.1:{port}" in settings[reading]["endpoints"]
    assert reading in settings["conformance"]
    topic = "v1.1/Datastreams(1)/Observations"
    listener = Client(port, "listener", topic, "v1.1/Things", "v1.1/errors")
    sender = Client(port, "sender", "v1.1/errors")
    sender.client.publish("v1.1/Datastreams", json.dumps(DATASTREAM), 1).wait_for_publish(20)
    assert reached(lambda: ("v1.1/Things", "Garage") in [(t, b.get("name")) for t, b in listener.heard])
    for number in range(5):
        sender.client.publish(topic, json.dumps({"result": number}), 2).wait_for_publish(20)
    assert reached(lambda: listener.results() == [0, 1, 2, 3, 4])
    house.processes()["broker"].kill()
    for number in range(5, 10):
        post(house, "Datastreams(1)/Observations", {"result": number})
    assert reached(lambda: listener.lives == 2)
    assert reached(lambda: listener.results() == list(range(10)))
    assert sorted(kept(house)) == list(range(10))
    sender.client.publish(topic, b"[]", 1).wait_for_publish(20)
    assert reached(lambda: [body["code"] for _, body in sender.heard] == [400])
    assert not any(t == "v1.1/errors" for t, _ in listener.heard)
    listener.stop()
    sender.stop()


def test_what_the_operator_s_broker_took_is_created_though_the_worker_is_killed(
    make: Any, database: dict[str, str], mosquitto: Mosquitto
) -> None:
    topics = "v1.1/Observations,create/v1.1/#"
    house = make(ALLMENDE_BROKER_URL=mosquitto.url, ALLMENDE_MQTT_CREATE_TOPICS=topics, **database).start()
    house.wait_for("Allmende is ready")
    sender = Client(mosquitto.port, "sender")
    listener = Client(mosquitto.port, "listener", "v1.1/Datastreams(1)/Observations")
    # Until the worker has subscribed for the first time, the broker has nobody to keep a message for.
    until = time.monotonic() + 60
    while not get(house, "Datastreams?$filter=name%20eq%20'Free%20spaces'")["value"] and time.monotonic() < until:
        sender.client.publish("create/v1.1/Datastreams", json.dumps(DATASTREAM), 1)
        time.sleep(0.5)
    for number in range(300):
        body = {"result": number, "Datastream": {"@iot.id": 1}}
        sender.client.publish("v1.1/Observations", json.dumps(body), 1)
        if number in (100, 200):
            assert reached(lambda enough=number - 60: len(kept(house)) > enough)
            house.processes()["worker"].kill()
    assert reached(lambda: set(kept(house)) == set(range(300)), 60)
    assert reached(lambda: len(listener.results()) == 300, 60)
    # What was committed and not acknowledged yet when the worker died comes again: at least once, and in order.
    address = "Datastreams(1)/Observations?$orderby=phenomenonTime&$top=1000"
    told = [reading["result"] for reading in get(house, address)["value"]]
    assert listener.results() == list(dict.fromkeys(told)) == list(range(300))
    sender.stop()
    listener.stop()

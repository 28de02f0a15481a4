"""req/create-observations-via-mqtt/observations-creation: what is published to a set's topic is created."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.conformance.sensorthings.house import House, datastream, feature, location, observation, thing
from tests.conformance.sensorthings.messages import Spoken, spoken_to, told


@pytest.fixture
def spoken(house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Spoken]:
    house.post("Things", thing(**{"@iot.id": "t", "Datastreams": [datastream(**{"@iot.id": 1})]}))
    with spoken_to(house, tmp_path, monkeypatch) as made:
        yield made


@pytest.mark.parametrize("qos", [0, 1, 2])
def test_observations_are_created(spoken: Spoken, qos: int) -> None:
    spoken.publish("v1.1/Observations", observation(1, Datastream={"@iot.id": 1}), qos=qos)
    spoken.publish("v1.1/Datastreams(1)/Observations", observation(2, 1), qos=qos)
    spoken.house.post("FeaturesOfInterest", feature(**{"@iot.id": "f/1"}))
    path = "v1.1/FeaturesOfInterest('f%2F1')/Observations"
    spoken.publish(path, observation(3, 2, Datastream={"@iot.id": 1}), qos=qos)
    found = spoken.house.get("Datastreams(1)/Observations", orderby="phenomenonTime", expand="FeatureOfInterest")
    assert [reading["result"] for reading in found["value"]] == [1, 2, 3]
    assert found["value"][2]["FeatureOfInterest"]["@iot.id"] == "f/1"


def test_the_time_is_filled_in(spoken: Spoken) -> None:
    spoken.publish("v1.1/Datastreams(1)/Observations", {"result": 1})
    assert spoken.house.get("Observations")["value"][0]["phenomenonTime"] > "2026"


def test_any_set_takes_entities_of_any_depth(spoken: Spoken) -> None:
    deep = thing(name="deep", Locations=[location()], Datastreams=[datastream(Observations=[observation(7)])])
    spoken.publish("v1.1/Things", deep)
    spoken.publish("v1.1/Things('t')/Locations", location(12))
    spoken.publish("v1.1/Things('t')/Datastreams", datastream(name="second"))
    shown = spoken.house.get("Things", filter="name eq 'deep'", expand="Datastreams($expand=Observations),Locations")
    assert shown["value"][0]["Datastreams"][0]["Observations"][0]["result"] == 7
    assert len(shown["value"][0]["Locations"]) == 1
    assert len(spoken.house.get("Things('t')/Locations")["value"]) == 1
    assert len(spoken.house.get("Things('t')/Datastreams")["value"]) == 2


@pytest.mark.parametrize(
    ("topic", "body", "code", "words"),
    [
        ("v1.1/Observations", b"{", 400, "no JSON"),
        ("v1.1/Observations", {"result": 1}, 400, "Datastream is missing"),
        ("v1.1/Datastreams(9)/Observations", {"result": 1}, 400, "no Datastream"),
        ("v1.1/Datastreams(1)/Observations", {"result": 1, "phenomenonTime": "now"}, 400, "phenomenonTime"),
        ("v1.1/Thinks", {}, 404, "Thinks"),
        ("v1.1/Things('t')", {}, 405, "set"),
        ("v1.1/errors", {}, 404, "errors"),
    ],
)
def test_what_is_wrong_is_acknowledged_told_and_kept(
    spoken: Spoken, topic: str, body: Any, code: int, words: str
) -> None:
    before = spoken.house.census()
    sender = spoken.listen("v1.1/errors", name="writer")
    raw = body if isinstance(body, bytes) else msgspec.json.encode(body)
    sender.client.publish(topic, raw, 1).wait_for_publish(20)
    ((_, wrong),) = told(sender, 1)
    assert (wrong["topic"], wrong["code"]) == (topic, code)
    assert words in wrong["message"]
    (kept,) = spoken.house.store.rejections()
    assert (kept.source, kept.name, kept.code) == ("token:writer", topic, f"sensorthings-{code}")
    assert spoken.house.store.rejection(kept.number).body == raw
    assert spoken.house.census() == before


def test_who_may_not_write_is_told_so_and_leaves_nothing(spoken: Spoken) -> None:
    for name in ("", "insider"):
        sender = spoken.listen("v1.1/errors", name=name)
        sender.client.publish("v1.1/Datastreams(1)/Observations", b'{"result": 1}', 1).wait_for_publish(20)
        ((_, wrong),) = told(sender, 1)
        assert wrong["code"] == 403
    assert spoken.house.get("Observations")["value"] == []
    assert spoken.house.store.rejections() == []


def test_what_was_published_comes_back_as_it_was_committed(spoken: Spoken) -> None:
    listener = spoken.listen("v1.1/Datastreams(1)/Observations")
    spoken.publish("v1.1/Datastreams(1)/Observations", observation(5))
    ((topic, shown),) = told(listener, 1)
    assert topic == "v1.1/Datastreams(1)/Observations"
    assert shown == spoken.house.get(f"Observations({shown['@iot.id']})")

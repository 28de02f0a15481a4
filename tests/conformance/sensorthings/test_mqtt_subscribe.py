"""req/receive-updates-via-mqtt/receive-updates: who subscribes hears of what was created and changed."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from allmende.domain.batch import Removal
from allmende.domain.query import Query
from allmende.domain.records import Series
from tests.conformance.sensorthings.house import House, datastream, location, observation, observed_property, thing
from tests.conformance.sensorthings.messages import Spoken, spoken_to, told
from tests.support import HOUSE, batch

STREAM = "Datastreams(1)"


@pytest.fixture
def spoken(house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Spoken]:
    """A thing 1 with the streams 1 and 2."""
    streams = [datastream(**{"@iot.id": number}) for number in (1, 2)]
    house.post("Things", thing(**{"@iot.id": 1, "Locations": [location()], "Datastreams": streams}))
    with spoken_to(house, tmp_path, monkeypatch) as made:
        yield made


def test_a_set(spoken: Spoken) -> None:
    everything, things = spoken.listen("v1.1/Observations"), spoken.listen("v1.1/Things")
    spoken.house.post(f"{STREAM}/Observations", observation(1))
    spoken.house.post("Datastreams(2)/Observations", observation(2, 1))
    spoken.house.post("Things", thing(name="other"))
    assert [shown for _, shown in told(everything, 2)] == spoken.house.get("Observations", orderby="id")["value"]
    ((topic, shown),) = told(things, 1)
    assert (topic, shown) == ("v1.1/Things", spoken.house.get(f"Things({shown['@iot.id']})"))


def test_a_nested_set(spoken: Spoken) -> None:
    readings = spoken.listen("v1.1/Things(1)/Datastreams(2)/Observations")
    places = spoken.listen("v1.1/Things(1)/Locations")
    for number in (1, 2):
        spoken.house.post(f"Datastreams({number})/Observations", observation(number))
    spoken.house.post("Locations", location(13))
    spoken.house.post("Things(1)/Locations", location(14))
    assert [shown["result"] for _, shown in told(readings, 1)] == [2]
    assert told(places, 1)[0][1]["location"]["coordinates"][0] == 14


def test_an_entity(spoken: Spoken) -> None:
    listener = spoken.listen(f"v1.1/{STREAM}", "v1.1/Things(1)")
    spoken.house.change(STREAM, {"name": "new"})
    spoken.house.change("Datastreams(2)", {"name": "other"})
    whole = {**spoken.house.get(STREAM), "description": "put"}
    spoken.house.change(STREAM, whole, "PUT")
    spoken.house.patch("Things(1)", {"op": "replace", "path": "/name", "value": "patched"})
    messages = told(listener, 3)
    assert [shown.get("description") for topic, shown in messages if "Data" in topic][-1] == "put"
    assert messages[-1][0] == f"v1.1/{STREAM}" or messages[-1][1] == spoken.house.get("Things(1)")
    assert {topic for topic, _ in messages} == {f"v1.1/{STREAM}", "v1.1/Things(1)"}


def test_an_entity_behind_another(spoken: Spoken) -> None:
    listener = spoken.listen("v1.1/Datastreams(2)/Thing")
    spoken.house.post("Things", thing(name="stranger"))
    spoken.house.change("Things(1)", {"name": "new"})
    assert [shown["name"] for _, shown in told(listener, 1)] == ["new"]


def test_a_property(spoken: Spoken) -> None:
    listener = spoken.listen(f"v1.1/{STREAM}/name", f"v1.1/{STREAM}/properties")
    spoken.house.change(STREAM, {"description": "none of this"})
    spoken.house.change(STREAM, {"name": "new"})
    assert told(listener, 1) == [(f"v1.1/{STREAM}/name", {"name": "new"})]
    spoken.house.change(STREAM, {"properties": {"a": 1}})
    spoken.house.change(STREAM, {"properties": None})
    assert told(listener, 3)[-1] == (f"v1.1/{STREAM}/properties", {"properties": None})


def test_a_property_that_follows_from_observations(spoken: Spoken) -> None:
    listener = spoken.listen(f"v1.1/{STREAM}/observedArea", f"v1.1/{STREAM}/phenomenonTime")
    spoken.house.post(f"{STREAM}/Observations", observation(1, 5))
    messages = dict(told(listener, 2))
    assert messages[f"v1.1/{STREAM}/observedArea"] == spoken.house.get(f"{STREAM}/observedArea")
    listener.received.clear()
    spoken.house.post(f"{STREAM}/Observations", observation(1, 5))
    spoken.house.post("Datastreams(2)/Observations", observation(1, 9))
    assert told(listener, 0) == []
    spoken.house.post(f"{STREAM}/Observations", observation(1, 6))
    (changed,) = told(listener, 1)
    assert changed == (f"v1.1/{STREAM}/phenomenonTime", spoken.house.get(f"{STREAM}/phenomenonTime"))


def test_options_are_part_of_the_topic(spoken: Spoken) -> None:
    expanding = (
        "$filter=Datastream/Thing/name eq 'Garage' and result lt 5"
        "&$expand=Datastream($select=id;$expand=Thing($select=name))&$select=result"
    )
    topics = (
        "v1.1/Observations?$select=result",
        f"v1.1/{STREAM}/Observations?$filter=result gt 5&$select=result,phenomenonTime",
        f"v1.1/Observations?{expanding}",
        "v1.1/Things(1)?$select=name",
        "v1.1/Things?%24filter=name%20eq%20%27new%27&$select=name",
    )
    listener = spoken.listen(*topics)
    spoken.house.post(f"{STREAM}/Observations", observation(9))
    spoken.house.post(f"{STREAM}/Observations", observation(3, 1))
    told(listener, 2 + 1 + 1)
    spoken.house.change("Things(1)", {"description": "other"})
    told(listener, 2 + 1 + 1 + 1)
    spoken.house.change("Things(1)", {"name": "new"})
    found: dict[str, list[Any]] = {topic: [] for topic in topics}
    for topic, shown in told(listener, 2 + 1 + 1 + 2 + 1):
        found[topic].append(shown)
    assert found[topics[0]] == [{"result": 9}, {"result": 3}]
    assert found[topics[1]] == [{"phenomenonTime": "2024-04-30T10:00:00.000Z", "result": 9}]
    (expanded,) = found[topics[2]]
    assert (expanded["result"], expanded["Datastream"]["Thing"]) == (3, {"name": "Garage"})
    assert found[topics[3]][-1] == {"name": "new"}
    assert found[topics[4]] == [{"name": "new"}]


@pytest.mark.parametrize(
    "topic",
    [
        "v1.1/Thinks", "v1.1/Things?$top=1", "v1.1/Things?$filter=nonsense eq 1", "v1.1/Things?$filter=name eq",
        "v1.1/Things(1)/$ref", "v1.1/Things(1)/name/$value", "v1.1/Things(1)?$filter=name eq 'a'",
    ],
)  # fmt: skip
def test_what_cannot_be_asked_is_refused(spoken: Spoken, topic: str) -> None:
    assert spoken.client().subscribe(topic) == [128]


def test_changes_of_observations(spoken: Spoken) -> None:
    link = spoken.house.post(f"{STREAM}/Observations", observation(1))
    address = link.rsplit("/", 1)[1]
    listener = spoken.listen(f"v1.1/{STREAM}/Observations", f"v1.1/{address}", f"v1.1/{address}/result")
    moved = spoken.listen("v1.1/Datastreams(2)/Observations")
    changed = spoken.house.change(address, {"result": 2})
    messages = dict(told(listener, 3))
    assert messages[f"v1.1/{STREAM}/Observations"] == messages[f"v1.1/{address}"] == changed
    assert messages[f"v1.1/{address}/result"] == {"result": 2}
    spoken.house.change(address, {"Datastream": {"@iot.id": 2}})
    assert told(moved, 1)[0][1]["result"] == 2
    spoken.house.delete(address)
    assert len(told(moved, 1)) == 1


def test_moved_relations_and_deep_inserts(spoken: Spoken) -> None:
    spoken.house.post("Things", thing(**{"@iot.id": 2}))
    there, streams = spoken.listen("v1.1/Things(2)"), spoken.listen("v1.1/Things(2)/Datastreams")
    spoken.house.change("Datastreams(2)", {"Thing": {"@iot.id": 2}})
    assert [shown["@iot.id"] for _, shown in told(streams, 1)] == [2]
    inner = datastream(name="inner", Observations=[observation(4)])
    spoken.house.post("Things(2)/Datastreams", inner)
    assert told(streams, 2)[1][1]["name"] == "inner"
    spoken.house.post("Things(2)/Locations", location(15))
    assert [shown["@iot.id"] for _, shown in told(there, 1)] == [2]


def test_what_a_source_declares(spoken: Spoken) -> None:
    listener = spoken.listen("v1.1/Datastreams", "v1.1/Observations")
    spoken.house.store.append(batch(Series(stream="garage~free", times=[1_700_000_000_000_000], results=[5])))
    assert sorted(topic for topic, _ in told(listener, 2)) == ["v1.1/Datastreams", "v1.1/Observations"]


def test_old_readings_of_a_source_are_not_told(spoken: Spoken) -> None:
    listener = spoken.listen("v1.1/Observations", "v1.1/#")
    at = 1_700_000_000_000_000
    spoken.house.store.append(batch(Series(stream="g~free", times=[at - 2 * 3_600_000_000, at], results=[1, 2]), at=at))
    spoken.house.store.append(batch(Series(stream="g~free", times=[at - 3 * 3_600_000_000], results=[3]), at=at))
    spoken.catch_up()
    readings = [m for m in listener.received if b'"result"' in m.payload]
    assert sorted(m.topic for m in readings) == ["v1.1/Datastreams('g~free')/Observations", "v1.1/Observations"]


def test_wildcards_take_open_data_on_canonical_topics(spoken: Spoken) -> None:
    listener = spoken.listen("v1.1/+/Observations")
    both = spoken.listen("v1.1/#", f"v1.1/{STREAM}/Observations")
    spoken.house.post("Datastreams", datastream(**{"@iot.id": "it's/2", "Thing": {"@iot.id": 1}}))
    spoken.house.post(f"{STREAM}/Observations", observation(1))
    spoken.house.post("Datastreams('it''s%2F2')/Observations", observation(2))
    topics = [f"v1.1/{STREAM}/Observations", "v1.1/Datastreams('it''s%2F2')/Observations"]
    assert [topic for topic, _ in told(listener, 2)] == topics
    seen = [message.topic for message in both.wait_for(5)]
    assert [topic for topic in seen if "Observations" in topic] == topics
    assert "v1.1/Datastreams('it''s%2F2')" in seen


@pytest.mark.django_db(transaction=True)  # what is told of what is not open is noted first
def test_who_may_not_read_hears_nothing(spoken: Spoken) -> None:
    at = 1_700_000_000_000_000
    hidden = "garage~free"
    spoken.house.store.append(batch(Series(stream=hidden, times=[at], results=[1]), dataset="hidden", at=at))
    topics = (
        f"v1.1/Datastreams('{hidden}')/Observations", "v1.1/Observations", f"v1.1/Datastreams('{hidden}')",
        f"v1.1/Datastreams('{hidden}')/phenomenonTime", "v1.1/Things?$expand=Datastreams", "v1.1/Locations",
    )  # fmt: skip
    public = spoken.listen(*topics, "v1.1/#", "v1.1/+/Observations")
    insider = spoken.listen(*topics, name="insider")
    spoken.house.store.append(batch(Series(stream=hidden, times=[at + 1], results=[2]), dataset="hidden", at=at))
    spoken.house.store.append(batch(Series(stream="new~free", times=[at], results=[2]), dataset="hidden", at=at))
    heard = {message.topic for message in insider.wait_for(6)}
    assert heard == {*topics} - {topics[2]}
    # Open is what both share with everybody: the property that is observed.
    assert told(public, 0) == []


@pytest.mark.django_db(transaction=True)  # what is told of what is not open is noted first
def test_rights_that_are_withdrawn_end_it(spoken: Spoken, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("allmende.web.broker.notifier._RIGHTS_SECONDS", 0.1)
    at = 1_700_000_000_000_000
    listener = spoken.listen("v1.1/Datastreams('a~free')/Observations", "v1.1/Observations", name="insider")
    spoken.house.store.append(batch(Series(stream="a~free", times=[at], results=[1]), dataset="hidden", at=at))
    told(listener, 2)
    del spoken.readers["token:insider"]
    told(listener, 2)
    time.sleep(1)  # rights are asked for again after the span above
    spoken.house.store.append(batch(Series(stream="a~free", times=[at + 1], results=[1]), dataset="hidden", at=at))
    told(listener, 2)


@pytest.mark.parametrize("qos", [0, 1, 2])
def test_the_quality_of_service_is_the_subscriber_s(spoken: Spoken, qos: int) -> None:
    listener = spoken.listen(f"v1.1/{STREAM}/Observations", qos=qos)
    spoken.house.post(f"{STREAM}/Observations", observation(1))
    told(listener, 1)
    assert [message.qos for message in listener.received] == [qos]


def test_what_is_gone_meanwhile_is_not_told(spoken: Spoken) -> None:
    listener = spoken.listen("v1.1/Things")
    spoken.house.post("Things", thing(**{"@iot.id": "short"}))
    target = Query(entity="Thing", reader=HOUSE, id="short", top=1)
    spoken.house.store.remove(Removal(target=target, origin="user:eve", received_at=1))
    spoken.house.post("Things", thing(**{"@iot.id": "long"}))
    until = time.monotonic() + 20
    while (heard := [json.loads(m.payload)["@iot.id"] for m in listener.received])[-1:] != ["long"]:
        assert time.monotonic() < until
        time.sleep(0.05)
    # It is told if somebody looked before it went, and stops nobody if not.
    assert heard in (["long"], ["short", "long"])


def test_the_latest_reading_is_retained_where_the_setting_says_so(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.post("Things", thing(**{"@iot.id": 1, "Datastreams": [datastream(**{"@iot.id": 1})]}))
    for minute in (1, 3, 2):
        house.post(f"{STREAM}/Observations", observation(minute, minute))
    at = 1_700_000_000_000_000
    house.store.append(batch(Series(stream="g~free", times=[at], results=[1]), dataset="hidden", at=at))
    with spoken_to(house, tmp_path, monkeypatch, ALLMENDE_MQTT_RETAIN="yes") as made:
        for topic in (f"v1.1/{STREAM}/Observations", "v1.1/#", "v1.1/+/Observations"):
            client = made.client()
            client.subscribe(topic)
            assert [shown["result"] for _, shown in told(client, 1)] == [3]
            assert client.received[0].retain
        client = made.client()
        client.subscribe("v1.1/Datastreams('g~free')/Observations")
        assert told(client, 0) == []
        insider = made.client("insider")
        insider.subscribe("v1.1/Datastreams('g~free')/Observations")
        assert told(insider, 1)[0][1]["result"] == 1


def test_streams_of_several_properties(spoken: Spoken) -> None:
    measurement = "http://www.opengis.net/def/observationType/OGC-OM/2.0/OM_Measurement"
    several = datastream(**{"@iot.id": "m", "Thing": {"@iot.id": 1}})
    unit = several.pop("unitOfMeasurement")
    properties = [several.pop("ObservedProperty"), observed_property(name="Taken")]
    several |= {
        "observationType": "http://www.opengis.net/def/observationType/OGC-OM/2.0/OM_ComplexObservation",
        "multiObservationDataTypes": [measurement, measurement],
        "unitOfMeasurements": [unit, unit],
        "ObservedProperties": properties,
    }
    spoken.house.post("MultiDatastreams", several)
    topics = [
        "v1.1/MultiDatastreams('m')/Observations",
        "v1.1/Observations?$select=result",
        "v1.1/MultiDatastreams('m')/phenomenonTime",
    ]
    listener, everybody = (
        spoken.listen(*topics),
        spoken.listen("v1.1/+/Observations", "v1.1/Datastreams('m')/Observations"),
    )
    spoken.publish("v1.1/MultiDatastreams('m')/Observations", observation([1, 2]))
    assert sorted(topic for topic, _ in told(listener, 3)) == sorted(topics)
    ((topic, shown),) = told(everybody, 1)
    assert (topic, shown["result"]) == (topics[0], [1, 2])


def test_a_slow_topic_is_left_alone_and_no_other_waits_for_it(spoken: Spoken, monkeypatch: pytest.MonkeyPatch) -> None:
    slow, other = spoken.listen("v1.1/Observations"), spoken.listen(f"v1.1/{STREAM}/Observations")
    monkeypatch.setattr("allmende.web.broker.notifier._SLOW_SECONDS", 0.0)
    monkeypatch.setattr("allmende.web.broker.notifier._SLOW_SHARE", 1e9)
    for number in (1, 2, 3):
        spoken.house.post(f"{STREAM}/Observations", observation(number, number))
    assert [shown["result"] for _, shown in told(other, 3)] == [1, 2, 3]
    assert [shown["result"] for _, shown in told(slow, 1)] == [1]


def test_a_name_without_quotes_is_told_as_it_was_written(spoken: Spoken) -> None:
    """Masterportal asks so for all ids: ``Datastreams(name)/Observations``."""
    name = "garage-1~free"
    spoken.house.post("Datastreams", datastream(**{"@iot.id": name, "Thing": {"@iot.id": 1}}))
    topics = (f"v1.1/Datastreams({name})/Observations", f"v1.1/Datastreams('{name}')/Observations")
    bare, quoted, both = spoken.listen(topics[0]), spoken.listen(topics[1]), spoken.listen(*topics)
    spoken.house.post(f"Datastreams('{name}')/Observations", observation(3))
    for listener, heard in ((bare, topics[:1]), (quoted, topics[1:]), (both, topics)):
        assert sorted((topic, shown["result"]) for topic, shown in told(listener, len(heard))) == [
            (topic, 3) for topic in sorted(heard)
        ]
    with_options = spoken.listen(f"v1.1/Datastreams({name})/Observations?$select=result")
    spoken.house.post(f"Datastreams('{name}')/Observations", observation(4, 1))
    assert [shown for _, shown in told(with_options, 1)] == [{"result": 4}]

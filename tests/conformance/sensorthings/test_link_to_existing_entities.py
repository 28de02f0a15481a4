"""req/create-update-delete/link-to-existing-entities."""

from typing import Any

import pytest

from allmende.domain.policy import Reader
from allmende.domain.records import Series
from tests.conformance.sensorthings.house import (
    SETS,
    House,
    datastream,
    feature,
    location,
    observation,
    observed_property,
    sensor,
    thing,
)
from tests.support import batch


@pytest.fixture
def parts(house: House) -> House:
    house.post("Things", thing(**{"@iot.id": "t"}))
    house.post("Locations", location(**{"@iot.id": 7}))
    house.post("Sensors", sensor(**{"@iot.id": "s"}))
    house.post("ObservedProperties", observed_property(**{"@iot.id": "p"}))
    return house


LINKS = {"Thing": {"@iot.id": "t"}, "Sensor": {"@iot.id": "s"}, "ObservedProperty": {"@iot.id": "p"}}


def test_a_stream_of_existing_parts(parts: House) -> None:
    before = parts.census()
    link = parts.post("Datastreams", datastream(**LINKS))
    shown = parts.follow(f"{link}?$expand=Thing,Sensor,ObservedProperty")
    assert [shown[name]["@iot.id"] for name in LINKS] == ["t", "s", "p"]
    assert {n for n, many in parts.census().items() if many != before[n]} == {"Datastreams"}


def test_by_the_address(parts: House) -> None:
    body = {k: v for k, v in datastream(**LINKS).items() if k != "Thing"}
    link = parts.post("Things('t')/Datastreams", body)
    assert parts.follow(f"{link}/Thing")["@iot.id"] == "t"
    parts.post("Sensors('s')/Datastreams", {k: v for k, v in datastream(**LINKS).items() if k != "Sensor"})
    assert len(parts.get("Things('t')/Datastreams")["value"]) == 2
    parts.post("Things('t')/HistoricalLocations", {"time": "2024-01-01T00:00:00Z", "Locations": [{"@iot.id": 7}]})
    assert parts.get("Things('t')/Locations")["value"][0]["@iot.id"] == 7


@pytest.mark.parametrize("identifier", [7, "7"])
def test_seven_either_way(parts: House, identifier: object) -> None:
    link = parts.post("Things", thing(Locations=[{"@iot.id": identifier}]))
    assert parts.follow(f"{link}/Locations")["value"][0]["@iot.id"] == 7


def test_a_location_names_things_that_exist(parts: House) -> None:
    link = parts.post("Locations", location(12, Things=[{"@iot.id": "t"}]))
    assert parts.follow(f"{link}/Things")["value"][0]["@iot.id"] == "t"
    assert parts.follow(f"{link}/HistoricalLocations")["value"]


def test_a_stream_moves_to_a_new_thing(parts: House) -> None:
    parts.post("Locations", location(9, **{"@iot.id": "there"}))
    parts.post("Datastreams", datastream(**LINKS, **{"@iot.id": "d", "Observations": [observation(1)]}))
    inside = datastream(**{"@iot.id": "own"})
    link = parts.post("Things", thing(Locations=[{"@iot.id": "there"}], Datastreams=[{"@iot.id": "d"}, inside]))
    assert {d["@iot.id"] for d in parts.follow(f"{link}/Datastreams")["value"]} == {"d", "own"}
    assert parts.get("Things('t')/Datastreams")["value"] == []
    parts.post("Datastreams('d')/Observations", observation(2, 1))
    places = [
        o["FeatureOfInterest"] for o in parts.get("Datastreams('d')/Observations", expand="FeatureOfInterest")["value"]
    ]
    assert places[-1]["feature"] == location(9)["location"]


@pytest.mark.parametrize("name", ["Sensor", "ObservedProperty", "FeatureOfInterest", "Datastream"])
def test_what_else_hangs_on_something_new(parts: House, name: str) -> None:
    parts.post(
        "Datastreams", datastream(**LINKS, **{"@iot.id": "d", "Observations": [observation(1, **{"@iot.id": 5})]})
    )
    body: dict[str, Any] = {"Sensor": sensor, "ObservedProperty": observed_property, "FeatureOfInterest": feature}.get(
        name, lambda: datastream(**LINKS, Observations=[observation(7, 2)])
    )()
    many, inverse = ("Observations", name) if name in ("FeatureOfInterest", "Datastream") else ("Datastreams", name)
    known = {"@iot.id": 5 if many == "Observations" else "d"}
    body[many] = [*body.get(many, ()), known]
    link = parts.post(f"{SETS[name]}", body)
    child = parts.get("Observations(5)" if many == "Observations" else "Datastreams('d')", expand=inverse)
    assert link.endswith(f"({child[inverse]['@iot.id']})")
    if name == "Datastream":
        shown = parts.follow(link)
        assert shown["phenomenonTime"] == "2024-04-30T10:00:00.000Z/2024-04-30T10:02:00.000Z"
        assert (
            "phenomenonTime" not in parts.get("Datastreams('d')") or not parts.get("Datastreams('d')")["phenomenonTime"]
        )


def test_what_may_not_be_moved_keeps_the_new_one_out(parts: House) -> None:
    parts.store.append(batch(Series(stream="garage~free", times=[1], results=[1])))
    parts.post("Datastreams", datastream(**LINKS, **{"@iot.id": "d"}))
    for known, status in (("nobody", 400), ("garage~free", 403)):
        message = parts.refuse("Things", thing(Datastreams=[{"@iot.id": "d"}, {"@iot.id": known}]), status)
        assert known in message or "parking" in message
    assert parts.get("Datastreams('d')/Thing")["@iot.id"] == "t"


def test_a_stream_stays_in_its_dataset(parts: House) -> None:
    parts.store.append(batch(Series(stream="garage~free", times=[1], results=[1])))
    writer = Reader(name="token:both", may_write=True, writes=frozenset({"commons", "parking"}))
    parts.post("Datastreams", datastream(**LINKS, **{"@iot.id": "d"}))
    link = parts.post("Things", thing(Datastreams=[{"@iot.id": "garage~free"}]), reader=writer)
    assert parts.follow(f"{link}/Datastreams")["value"][0]["@iot.id"] == "garage~free"
    both = [{"@iot.id": "garage~free"}, {"@iot.id": "d"}]
    assert "dataset" in parts.refuse("Things", thing(Datastreams=both), 409, reader=writer)


@pytest.mark.parametrize("name", sorted(LINKS))
@pytest.mark.parametrize("identifier", ["nobody", "T", 8, "", None, [], 1.5])
def test_links_to_what_is_not_there(parts: House, name: str, identifier: object) -> None:
    assert name in parts.refuse("Datastreams", datastream(**{**LINKS, name: {"@iot.id": identifier}}))


def test_the_address_must_lead_to_what_exists(parts: House) -> None:
    assert "Datastream" in parts.refuse("Datastreams('nobody')/Observations", observation(1))
    assert "Thing" in parts.refuse("Things('nobody')/Datastreams", datastream(Sensor={"@iot.id": "s"}))


def test_an_entity_sent_back_whole_is_the_one_that_is_there(house: House) -> None:
    """As clients do that keep entities as objects; FROST-Server takes it so."""
    house.post("Things", thing(**{"@iot.id": "bench"}))
    house.post("Sensors", sensor(**{"@iot.id": 7}))
    known = thing(**{"@iot.id": "bench", "name": "as I remember it", "Locations@iot.navigationLink": "x"})
    mine = datastream(**{"@iot.id": "d", "Thing": known, "Sensor": sensor(**{"@iot.id": "7"})})
    house.post("Datastreams", mine)
    assert house.get("Datastreams('d')/Thing")["name"] == "Garage"
    assert house.census()["Things"] == house.census()["Sensors"] == 1
    # Also where it is told of incompletely, and to any depth.
    house.post("Observations", {"result": 1, "Datastream": {"@iot.id": "d", "name": "some"}})
    inner = {name: value for name, value in mine.items() if name != "Thing"} | {"@iot.id": "d2"}
    place = location(Things=[thing(**{"@iot.id": "chair", "Datastreams": [inner]})])
    house.post("Locations", place)
    assert house.get("Datastreams('d2')/Thing")["@iot.id"] == "chair"
    assert house.census()["Sensors"] == 1
    # One that is not there is made, under its id.
    house.post("Observations", {"result": 1, "Datastream": datastream(**{"@iot.id": "d3", "Thing": thing()})})
    assert house.get("Datastreams('d3')/Observations")["value"][0]["result"] == 1


def test_a_change_takes_a_whole_entity_for_its_id(house: House) -> None:
    house.post("Datastreams", datastream(**{"@iot.id": "d", "Thing": thing()}))
    house.post("Things", thing(**{"@iot.id": "bench"}))
    house.change("Datastreams('d')", {"Thing": thing(**{"@iot.id": "bench", "name": "other"})})
    assert house.get("Datastreams('d')/Thing")["name"] == "Garage"
    unknown = {"Thing": thing(**{"@iot.id": "nowhere"})}
    assert "Thing" in house.unchanged("PATCH", "Datastreams('d')", unknown)

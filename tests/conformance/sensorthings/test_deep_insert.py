"""req/create-update-delete/deep-insert and deep-insert-status-code: to any depth, all or nothing."""

from pathlib import Path

from allmende.domain.face import FaceLimits
from tests.conformance.sensorthings.house import (
    EMPTY,
    House,
    datastream,
    feature,
    location,
    observation,
    open_house,
    thing,
)


def test_a_thing_with_all_it_has(house: House) -> None:
    readings = [observation(1), observation(2, 1, FeatureOfInterest=feature(12))]
    link = house.post(
        "Things", thing(Locations=[location()], Datastreams=[datastream(Observations=readings), datastream()])
    )
    assert house.census() == dict.fromkeys(EMPTY, 0) | {
        "Things": 1, "Locations": 1, "HistoricalLocations": 1, "Datastreams": 2, "Sensors": 2,
        "ObservedProperties": 2, "Observations": 2, "FeaturesOfInterest": 2,
    }  # fmt: skip
    shown = house.follow(f"{link}?$expand=Datastreams($expand=Observations($expand=FeatureOfInterest))")
    places = [o["FeatureOfInterest"]["name"] for o in shown["Datastreams"][0]["Observations"]]
    assert places == ["Here", "Yard"]


def test_upwards(house: House) -> None:
    whole = datastream(Thing=thing(Locations=[location()]))
    link = house.post("Observations", observation(1, Datastream=whole))
    assert "/Observations(" in link
    assert house.follow(f"{link}/Datastream/Thing/Locations")["value"][0]["name"] == "Here"
    link = house.post("Locations", location(12, Things=[thing(Datastreams=[datastream()])]))
    assert "/Locations(" in link
    assert house.follow(f"{link}/Things")["value"][0]["name"] == "Garage"
    moment = {"time": "2024-01-01T00:00:00Z", "Thing": thing(), "Locations": [location(13)]}
    link = house.post("HistoricalLocations", moment)
    assert house.follow(f"{link}/Thing/Locations")["value"][0]["location"] == location(13)["location"]


def test_through_a_path(house: House) -> None:
    house.post("Things", thing(**{"@iot.id": "t"}))
    house.post("Things('t')/Datastreams", datastream(Observations=[observation(1), observation(2)]))
    assert len(house.get("Things('t')/Datastreams", expand="Observations")["value"][0]["Observations"]) == 2


def test_one_mistake_far_below_creates_nothing(house: House) -> None:
    bad = observation(1, FeatureOfInterest=feature(500))
    streams = [datastream(), datastream(Observations=[observation(1), bad])]
    message = house.refuse("Things", thing(Locations=[location()], Datastreams=streams))
    assert message.startswith("Datastreams[1].Observations[1].FeatureOfInterest.feature: ")
    known = datastream(Observations=[observation(1, **{"@iot.id": 5}), observation(1, **{"@iot.id": 5})])
    assert "Datastreams[0].Observations[1]" in house.refuse("Things", thing(Datastreams=[known]), 409)
    missing = datastream(Sensor={"@iot.id": "nobody"})
    assert "Datastreams[0].Sensor" in house.refuse("Things", thing(Locations=[location()], Datastreams=[missing]))


def test_the_operators_bound(tmp_path: Path) -> None:
    house = open_house(tmp_path, FaceLimits(entities=4))
    assert "ALLMENDE_DEEP_INSERT_MAX" in house.refuse("Things", thing(Datastreams=[datastream(), datastream()]))
    house.post("Things", thing(Datastreams=[datastream()]))

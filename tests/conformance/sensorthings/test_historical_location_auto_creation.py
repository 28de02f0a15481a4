"""req/create-update-delete/historical-location-auto-creation (and -manual-creation)."""

import pytest

from allmende.domain import times
from tests.conformance.sensorthings.house import House, location, thing


def history(house: House) -> list[tuple[str, list[str]]]:
    page = house.get("Things('t')/HistoricalLocations", expand="Locations", orderby="time")
    return [(h["time"], [p["@iot.id"] for p in h["Locations"]]) for h in page["value"]]


def standing(house: House) -> list[str]:
    return [p["@iot.id"] for p in house.get("Things('t')/Locations")["value"]]


@pytest.fixture
def moved(house: House) -> House:
    house.post("Things", thing(**{"@iot.id": "t", "Locations": [location(11, **{"@iot.id": "a"})]}))
    house.now += times.HOUR
    house.post("Things('t')/Locations", location(12, **{"@iot.id": "b"}))
    return house


def test_each_new_place_is_written_down(moved: House) -> None:
    assert history(moved) == [("2024-04-30T12:00:00.000Z", ["a"]), ("2024-04-30T13:00:00.000Z", ["b"])]
    assert standing(moved) == ["b"]


def test_without_a_place_there_is_no_history(house: House) -> None:
    house.post("Things", thing(**{"@iot.id": "t"}))
    assert history(house) == []


def test_two_encodings_of_one_place(house: House) -> None:
    places = [
        location(11, **{"@iot.id": "a"}),
        location(**{"@iot.id": "b", "encodingType": "text/plain", "location": "x"}),
    ]
    house.post("Things", thing(**{"@iot.id": "t", "Locations": places}))
    assert history(house) == [("2024-04-30T12:00:00.000Z", ["a", "b"])]
    assert standing(house) == ["a", "b"]


def test_a_later_one_by_hand_moves_the_thing(moved: House) -> None:
    moved.post(
        "HistoricalLocations",
        {"time": "2024-05-01T00:00:00Z", "Thing": {"@iot.id": "t"}, "Locations": [{"@iot.id": "a"}]},
    )
    assert standing(moved) == ["a"]
    assert [places for _, places in history(moved)] == [["a"], ["b"], ["a"]]


def test_an_earlier_one_by_hand_does_not(moved: House) -> None:
    moved.post(
        "HistoricalLocations",
        {"time": "2020-01-01T00:00:00Z", "Thing": {"@iot.id": "t"}, "Locations": [{"@iot.id": "a"}]},
    )
    assert standing(moved) == ["b"]
    assert [places for _, places in history(moved)] == [["a"], ["a"], ["b"]]

"""req/create-update-delete/delete-entity: an entity goes with what hangs on it (18-088, table 8.3.1)."""

import pytest

from allmende.domain.face import FaceLimits
from tests.conformance.sensorthings.house import SETS, House, location, observation, thing
from tests.conformance.sensorthings.test_update_entity import furnish


@pytest.mark.parametrize(
    ("entity", "also"),
    [
        ("Thing", {"Datastreams", "HistoricalLocations", "Observations"}),
        ("Location", {"HistoricalLocations"}),
        ("HistoricalLocation", set()),
        ("Datastream", {"Observations"}),
        ("Sensor", set()),
        ("ObservedProperty", set()),
        ("Observation", set()),
        ("FeatureOfInterest", {"Observations"}),
    ],
)
def test_what_goes_with_it(house: House, entity: str, also: set[str]) -> None:
    paths = furnish(house)
    before = house.census()
    assert house.delete(paths[entity]) is None
    after = house.census()
    assert {name for name in before if before[name] != after[name]} == {SETS[entity], *also}
    house.get(paths[entity], 404)
    house.unchanged("DELETE", paths[entity], status=404)


@pytest.mark.parametrize("relation", ["Sensor", "ObservedProperty"])
def test_what_a_stream_stands_on(house: House, relation: str) -> None:
    paths = furnish(house)
    key = house.get(f"{paths['Datastream']}/{relation}")["@iot.id"]
    house.delete(f"{SETS[relation]}({key})")
    house.get(paths["Datastream"], 404)
    house.get(paths["Observation"], 404)
    house.get(paths["Thing"])


def test_along_a_path(house: House) -> None:
    paths = furnish(house)
    house.unchanged("DELETE", "Things('t')/Datastreams('nobody')", status=404)
    house.post("Things", thing(**{"@iot.id": "other"}))
    house.unchanged("DELETE", "Things('other')/Datastreams('d')", status=404)
    house.delete("Things('t')/Datastreams('d')")
    house.get(paths["Observation"], 404)


def test_a_filter_says_which_of_a_set(house: House) -> None:
    furnish(house)
    for minute in range(1, 10):
        house.post("Datastreams('d')/Observations", observation(minute, minute))
    assert house.delete("Datastreams('d')/Observations", "$filter=result%20gt%205") == {"@iot.count": 4}
    assert house.delete("Observations", "$filter=result%20eq%20100") == {"@iot.count": 0}
    assert house.get("Datastreams('d')")["phenomenonTime"] == "2024-04-30T10:00:00.000Z/2024-04-30T10:05:00.000Z"
    assert house.delete("Things", "$filter=name%20eq%20'Garage'") == {"@iot.count": 1}
    assert house.census()["Observations"] == 0


def test_a_set_goes_by_a_filter_alone(house: House) -> None:
    furnish(house)
    for query in ("", "$top=1", "$filter=name%20eq%20'x'&$top=1", "$orderby=name"):
        assert "$filter" in house.unchanged("DELETE", "Things", query=query)
    house.unchanged("DELETE", "Things", query="$filter=nothing%20eq%201")
    house.unchanged("DELETE", "Things('t')", query="$filter=name%20eq%20'x'")
    for part in ("name", "$ref"):
        house.unchanged("DELETE", f"Things('t')/{part}", status=405)


def test_the_feature_of_interest_is_made_again(house: House) -> None:
    furnish(house)
    place = location(3)
    house.post("Things", thing(**{"@iot.id": "new", "Locations": [place]}))
    house.change("Datastreams('d')", {"Thing": {"@iot.id": "new"}})
    first = house.post("Datastreams('d')/Observations", observation(1, 1)).split("/v1.1/")[1]
    made = house.get(f"{first}/FeatureOfInterest")
    house.delete(f"FeaturesOfInterest({made['@iot.id']})")
    house.get(first, 404)
    second = house.post("Datastreams('d')/Observations", observation(1, 1)).split("/v1.1/")[1]
    again = house.get(f"{second}/FeatureOfInterest")
    assert (again["feature"], again["@iot.id"] != made["@iot.id"]) == (place["location"], True)


def test_numbers_are_not_given_again(house: House) -> None:
    furnish(house)
    first = house.post("Datastreams('d')/Observations", observation(1, 1))
    house.delete(first.split("/v1.1/")[1])
    assert house.post("Datastreams('d')/Observations", observation(1, 1)) != first


def test_a_set_goes_up_to_the_operators_bound(house: House) -> None:
    furnish(house)
    house.limits = FaceLimits(delete_max=2)
    for minute in range(1, 4):
        house.post("Datastreams('d')/Observations", observation(50 + minute, minute))
        house.post("Things", thing(name=f"x{minute}"))
    for path, query in (("Observations", "result%20gt%2050"), ("Things", "startswith(name,'x')")):
        assert "ALLMENDE_DELETE_MAX" in house.unchanged("DELETE", path, query=f"$filter={query}")
    assert house.delete("Observations", "$filter=result%20gt%2051") == {"@iot.count": 2}
    assert house.delete("Things", "$filter=name%20in%20('x1','x2')") == {"@iot.count": 2}

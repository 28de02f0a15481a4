"""req/request-data/select."""

import pytest

from tests.conformance.sensorthings.house import House, datastream, observation, thing


def test_only_what_is_asked_for_is_shown(town: House) -> None:
    assert town.get("Things", select="name", top="1")["value"] == [{"name": "Garage 0"}]
    assert set(town.get("Things('garage0')", select="id,name")) == {"@iot.id", "@iot.selfLink", "name"}
    assert set(town.get("Things('garage0')", select="@iot.id , properties")) == {
        "@iot.id",
        "@iot.selfLink",
        "properties",
    }
    assert set(town.get("Datastreams('garage0~free')", select="Thing")) == {"Thing@iot.navigationLink"}


def test_inside_of_an_expansion(town: House) -> None:
    page = town.get("Things", expand="Datastreams($select=name;$top=1)", select="name", top="1")
    (shown,) = page["value"]
    assert shown["Datastreams"] == [{"name": "free of 0"}]
    assert set(shown) == {"name", "Datastreams", "Datastreams@iot.nextLink"}
    assert town.follow(shown["Datastreams@iot.nextLink"]) == {"value": [{"name": "state of 0"}]}


def test_unknown_names_are_told(town: House) -> None:
    assert "'colour'" in town.error("Things", select="name,colour")
    assert "Datastreams" in town.error("Things", select="")


def test_parts_of_properties_keep_their_place(town: House) -> None:
    page = town.get("Things", select="name,properties/zone", top="2")["value"]
    assert page == [{"name": "Garage 0", "properties": {"zone": 0}}, {"name": "Garage 1", "properties": {"zone": 1}}]
    picked = town.get("Things('garage0')", select="properties/open,properties/zone,properties/none")
    assert picked == {"properties": {"open": True, "zone": 0}}
    assert town.get("Things('garage0')", select="properties/zone,properties")["properties"]["levels"]
    assert town.get("Datastreams('garage0~free')", select="unitOfMeasurement/symbol") == {
        "unitOfMeasurement": {"symbol": "{space}"}
    }
    assert town.get("Locations('place0')", select="location/type") == {"location": {"type": "Point"}}


def test_what_has_no_such_part_is_left_out(town: House) -> None:
    assert town.get("Things('garage0')", select="properties/none,name") == {"name": "Garage 0"}
    assert town.get("Things('garage0')", select="properties/levels/name") == {}
    assert town.get("Observations", select="result/a", top="1")["value"] == [{}]
    assert town.get("Observations", select="parameters/a", top="1")["value"] == [{}]


def test_parts_of_deep_values_and_of_results(house: House) -> None:
    address = {"city": "Jena", "street": {"name": "Markt", "number": 1}}
    reading = observation({"mean": 1.5, "max": 2}, parameters={"run": {"id": 7}, "x": None})
    house.post(
        "Things", thing(properties={"address": address, "a": 1}, Datastreams=[datastream(Observations=[reading])])
    )
    asked = "properties/address/street/name,properties/address/city"
    assert house.get("Things", select=asked)["value"] == [
        {"properties": {"address": {"city": "Jena", "street": {"name": "Markt"}}}}
    ]
    whole = house.get("Things", select="properties/address/city,properties/address")["value"]
    assert whole == [{"properties": {"address": address}}]
    asked = "result/mean,parameters/run/id,parameters/x"
    expected = {"result": {"mean": 1.5}, "parameters": {"run": {"id": 7}, "x": None}}
    assert house.get("Observations", select=asked)["value"] == [expected]
    inside = house.get("Things", select="id", expand=f"Datastreams($select=name;$expand=Observations($select={asked}))")
    assert inside["value"][0]["Datastreams"][0]["Observations"] == [expected]


@pytest.mark.parametrize(
    "name", ["name/x", "properties/", "properties//a", "phenomenonTime/start", "colour/a", "Thing/id"]
)
def test_paths_that_lead_nowhere_are_told(town: House, name: str) -> None:
    assert "$select" in town.error("Datastreams", select=name)


@pytest.mark.parametrize("name", ["phenomenonTime", "resultTime", "result", "resultQuality", "validTime", "parameters"])
def test_each_property_of_an_observation(town: House, name: str) -> None:
    whole = town.get("Observations", top="1000")["value"]
    picked = town.get("Observations", top="1000", select=name)["value"]
    assert picked == [{name: o[name]} if name in o else {} for o in whole]

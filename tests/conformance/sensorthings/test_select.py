"""req/request-data/select."""

import pytest

from tests.conformance.sensorthings.house import House


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


def test_parts_of_properties_are_not_built_yet(town: House) -> None:
    assert "properties/zone" in town.error("Things", 501, select="properties/zone")


@pytest.mark.parametrize("name", ["phenomenonTime", "resultTime", "result", "resultQuality", "validTime", "parameters"])
def test_each_property_of_an_observation(town: House, name: str) -> None:
    whole = town.get("Observations", top="1000")["value"]
    picked = town.get("Observations", top="1000", select=name)["value"]
    assert picked == [{name: o[name]} if name in o else {} for o in whole]

"""req/create-update-delete/update-entity-jsonpatch: RFC 6902 on the attributes of an entity."""

from typing import Any

import pytest

from tests.conformance.sensorthings.house import House, thing
from tests.conformance.sensorthings.test_update_entity import furnish

JSON_PATCH = "application/json-patch+json"
FACTS = {"a": 1, "list": [1, 2, 3], "deep": {"x": "y"}, "sla/sh": 1}


def op(name: str, path: str, **more: Any) -> dict[str, Any]:
    return {"op": name, "path": path, **more}


@pytest.mark.parametrize(
    ("operations", "facts"),
    [
        ([op("add", "/properties/b", value=2)], {**FACTS, "b": 2}),
        ([op("add", "/properties/list/1", value=9)], {**FACTS, "list": [1, 9, 2, 3]}),
        ([op("add", "/properties/list/-", value=9)], {**FACTS, "list": [1, 2, 3, 9]}),
        ([op("replace", "/properties/a", value=None)], {**FACTS, "a": None}),
        ([op("replace", "/properties/a", value=True)], {**FACTS, "a": True}),
        ([op("replace", "/properties/sla~1sh", value=2)], {**FACTS, "sla/sh": 2}),
        ([op("remove", "/properties/deep")], {k: v for k, v in FACTS.items() if k != "deep"}),
        ([op("copy", "/properties/b", **{"from": "/properties/deep"})], {**FACTS, "b": {"x": "y"}}),
        ([op("move", "/properties/b", **{"from": "/properties/a"}), op("remove", "/properties/b")],
         {k: v for k, v in FACTS.items() if k != "a"}),
        ([op("test", "/properties/a", value=1), op("replace", "/properties", value={"new": 1})], {"new": 1}),
        ([op("copy", "/properties/b", **{"from": "/properties/deep"}), op("replace", "/properties/b/x", value="z")],
         {**FACTS, "b": {"x": "z"}}),
    ],
)  # fmt: skip
def test_operations(house: House, operations: list[Any], facts: dict[str, Any]) -> None:
    house.post("Things", thing(**{"@iot.id": "a", "properties": FACTS}))
    assert house.patch("Things('a')", *operations)["properties"] == facts


def test_what_is_copied_is_bounded(house: House) -> None:
    """Copied into itself, an entity doubles each time."""
    house.post("Things", thing(**{"@iot.id": "a", "properties": {"l": [1]}}))
    bomb = [op("copy", "/properties/l/-", **{"from": "/properties/l"})] * 60
    refused = house.unchanged("PATCH", "Things('a')", bomb, content_type=JSON_PATCH)
    assert "copies" in refused
    assert "ALLMENDE_PATCH_BYTES" in refused
    few = [op("copy", "/properties/l/-", **{"from": "/properties/l/0"})] * 150
    assert house.patch("Things('a')", *few)["properties"]["l"] == [1] * 151


def test_attributes_and_links(house: House) -> None:
    furnish(house)
    house.post("Things", thing(**{"@iot.id": "other"}))
    stream = house.patch(
        "Datastreams('d')",
        op("replace", "/name", value="new"),
        op("remove", "/properties"),
        op("add", "/Thing", value={"@iot.id": "other"}),
    )
    assert (stream["name"], "properties" in stream) == ("new", False)
    assert house.get("Datastreams('d')/Thing")["@iot.id"] == "other"
    observation = furnish_observation(house)
    assert house.patch(observation, op("replace", "/result", value=1.0), op("add", "/resultQuality", value=[1]))[
        "resultQuality"
    ] == [1]


def furnish_observation(house: House) -> str:
    return house.post("Datastreams('d')/Observations", {"result": 5}).split("/v1.1/")[1]


@pytest.mark.parametrize(
    ("patch", "status"),
    [
        ([op("test", "/name", value="other"), op("replace", "/name", value="x")], 409),
        ([op("replace", "/name", value="x"), op("remove", "/nothing")], 400),
        ([op("remove", "/name")], 400),
        ([op("replace", "/name", value=5)], 400),
        ([op("add", "/colour", value="red")], 400),
        ([op("replace", "", value=[1])], 400),
        ([op("remove", "")], 400),
        ([op("shout", "/name")], 400),
        ([op("add", "name", value="x")], 400),
        ([op("add", "/properties/a~2", value="x")], 400),
        ([op("add", "/properties/list/7", value=1)], 400),
        ([op("add", "/properties/list/x", value=1)], 400),
        ([op("copy", "/name")], 400),
        ([op("add", "/Datastreams", value=[{}])], 400),
        ([{"op": 5, "path": 5}], 400),
        ([{}], 400),
        ([5], 400),
        ({"op": "remove", "path": "/properties"}, 400),
        ("remove", 400),
        ([op("test", "/name", value="Garage")] * 1000, 400),
        ([op("copy", "/properties/list/-", **{"from": "/properties"})] * 60, 400),
    ],
)
def test_all_of_it_or_nothing(house: House, patch: Any, status: int) -> None:
    house.post("Things", thing(**{"@iot.id": "a", "properties": FACTS}))
    house.unchanged("PATCH", "Things('a')", patch, status, content_type=JSON_PATCH)

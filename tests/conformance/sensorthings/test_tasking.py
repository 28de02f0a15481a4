"""Tasking (17-079r1): capabilities of things, actuators, and tasks that keep to what a capability takes."""

from typing import Any

import pytest

from tests.conformance.sensorthings.house import WRITER, House, thing

COLOUR = {
    "name": "colour",
    "type": "Text",
    "constraint": {"type": "AllowedTokens", "pattern": "^#[0-9a-f]{6}$"},
    "optional": True,
}
FIELDS: list[dict[str, Any]] = [
    {
        "name": "status",
        "label": "On or off",
        "type": "Category",
        "constraint": {"type": "AllowedTokens", "value": ["on", "off"]},
    },
    COLOUR,
    {"name": "times", "type": "Count", "constraint": {"interval": [[1, 5], [10, 10]]}, "optional": True},
    {"name": "level", "type": "Quantity", "uom": {"code": "%"}, "constraint": {"interval": [0, 100]}, "optional": True},
    {"name": "slow", "type": "Boolean", "optional": True},
    {
        "name": "until",
        "type": "Time",
        "constraint": {"type": "AllowedTimes", "interval": ["2024-01-01T00:00:00Z", "INF"]},
        "optional": True,
    },
    {"name": "between", "type": "QuantityRange", "constraint": {"value": [], "interval": [[-5, 5]]}, "optional": True},
    {"name": "where", "type": "DataRecord", "optional": True, "field": [{"name": "floor", "type": "Count"}]},
]


def actuator(**more: Any) -> dict[str, Any]:
    return {"name": "Lamp", "description": "a lamp", "encodingType": "text/plain", "metadata": "40 W", **more}


def capability(*fields: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Without its Thing."""
    record = {"type": "DataRecord", "field": list(fields or FIELDS)}
    return {"name": "Light", "description": "sheds light", "taskingParameters": record, "Actuator": actuator(), **more}


def lit(house: House, **more: Any) -> str:
    """A lamp post that can be tasked; gives its capability's address."""
    house.post("Things", thing(**{"@iot.id": "post"}, TaskingCapabilities=[capability(**{"@iot.id": "light", **more})]))
    return "TaskingCapabilities('light')"


def test_properties_and_relations(house: House) -> None:
    light = lit(house, properties={"a": 1})
    shown = house.get(light)
    assert set(shown) == {
        *("@iot.id", "@iot.selfLink", "name", "description", "properties", "taskingParameters"),
        *(f"{name}@iot.navigationLink" for name in ("Thing", "Actuator", "Tasks")),
    }
    assert shown["taskingParameters"] == {"type": "DataRecord", "field": FIELDS}
    assert house.follow(shown["Thing@iot.navigationLink"])["@iot.id"] == "post"
    lamp = house.follow(shown["Actuator@iot.navigationLink"])
    assert {k: lamp[k] for k in actuator()} == actuator()
    assert house.follow(lamp["TaskingCapabilities@iot.navigationLink"])["value"] == [shown]
    alone = house.get("Things('post')", select="TaskingCapabilities")
    assert house.follow(alone["TaskingCapabilities@iot.navigationLink"])["value"] == [shown]
    expanded = house.get("Actuators", expand="TaskingCapabilities($expand=Thing)")["value"]
    assert expanded[0]["TaskingCapabilities"][0]["Thing"]["@iot.id"] == "post"
    assert house.get("Things", filter="TaskingCapabilities/Actuator/name eq 'Lamp'")["value"]
    assert house.get("TaskingCapabilities", filter="taskingParameters/field[0]/name eq 'status'")["value"] == [shown]


def test_a_task_is_stamped_and_kept(house: House) -> None:
    light = lit(house)
    said = {"taskingParameters": {"status": "on", "level": 50}, "creationTime": "1999-01-01T00:00:00Z"}
    link = house.post(f"{light}/Tasks", said)
    shown = house.follow(link)
    assert shown["taskingParameters"] == said["taskingParameters"]
    assert shown["creationTime"] == "2024-04-30T12:00:00.000Z"
    assert house.follow(shown["TaskingCapability@iot.navigationLink"])["@iot.id"] == "light"
    assert house.get(f"{light}/Tasks")["value"] == [shown]
    house.post("Tasks", {"taskingParameters": {"status": "off"}, "TaskingCapability": {"@iot.id": "light"}})
    assert house.get("Tasks", filter="taskingParameters/status eq 'off'", count="true")["@iot.count"] == 1
    assert house.get("Tasks", filter="creationTime ge 2024-04-30T12:00:00Z", count="true")["@iot.count"] == 2
    assert "TaskingCapability is missing" in house.refuse("Tasks", {"taskingParameters": {"status": "off"}})


def test_a_capability_comes_with_its_tasks(house: House) -> None:
    lit(house, Tasks=[{"taskingParameters": {"status": "on"}}])
    assert len(house.get("Tasks")["value"]) == 1
    house.now += 1_000_000
    whole = capability(Thing=thing(), Tasks=[{"taskingParameters": {"status": "dim"}}])
    assert "Tasks[0].taskingParameters.status: 'dim' is not allowed" in house.refuse("TaskingCapabilities", whole)


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({}, "taskingParameters.status: this field is missing"),
        ({"status": "dim"}, "taskingParameters.status: 'dim' is not allowed: one of on, off"),
        ({"status": 1}, "taskingParameters.status: a text"),
        ({"status": None}, "taskingParameters.status: a text"),
        ({"status": "on", "size": 1}, "taskingParameters.size: there is no such field"),
        ({"status": "on", "colour": "red"}, "taskingParameters.colour: 'red' is not allowed"),
        ({"status": "on", "colour": "#ff0000 "}, "taskingParameters.colour: "),
        ({"status": "on", "times": 1.5}, "taskingParameters.times: a whole number"),
        ({"status": "on", "times": True}, "taskingParameters.times: a whole number"),
        ({"status": "on", "times": 7}, "taskingParameters.times: 7 is not allowed: between 1 and 5 or "),
        ({"status": "on", "level": 101}, "taskingParameters.level: 101 is not allowed"),
        ({"status": "on", "level": "50"}, "taskingParameters.level: a number"),
        ({"status": "on", "slow": 1}, "taskingParameters.slow: true or false"),
        ({"status": "on", "until": "tomorrow"}, "taskingParameters.until: a time"),
        ({"status": "on", "until": "2023-12-31T23:59:59Z"}, "taskingParameters.until: "),
        ({"status": "on", "between": [0, 6]}, "taskingParameters.between: 6 is not allowed"),
        ({"status": "on", "between": 0}, "taskingParameters.between: a list of two"),
        ({"status": "on", "where": {}}, "taskingParameters.where.floor: this field is missing"),
        ({"status": "on", "where": 3}, "taskingParameters.where: an object"),
        ([], "taskingParameters: a JSON object"),
    ],
)
def test_what_a_capability_does_not_take(house: House, parameters: Any, said: str) -> None:
    light = lit(house)
    assert said in house.refuse(f"{light}/Tasks", {"taskingParameters": parameters})
    house.post(f"{light}/Tasks", {"taskingParameters": {"status": "on"}})
    assert said in house.unchanged("PATCH", "Tasks(1)", {"taskingParameters": parameters})


@pytest.mark.parametrize(
    "more",
    [
        {"colour": "#ff0000"},
        {"times": 10},
        {"level": 0.5},
        {"slow": False},
        {"until": "2030-01-01T00:00:00+02:00"},
        {"between": [-5, 5]},
        {"where": {"floor": -1}},
    ],
)
def test_what_a_capability_takes(house: House, more: dict[str, Any]) -> None:
    house.post(f"{lit(house)}/Tasks", {"taskingParameters": {"status": "on", **more}})


@pytest.mark.parametrize(
    ("record", "said"),
    [
        ({"type": "DataArray"}, "taskingParameters: a DataRecord"),
        ({"type": "DataRecord"}, "taskingParameters.field: a list"),
        ({"type": "DataRecord", "fields": [5]}, "taskingParameters.fields[0]: a field has a name"),
        ({"type": "DataRecord", "field": [COLOUR, COLOUR]}, "taskingParameters.field[1]: there are two"),
        ({"type": "DataRecord", "field": [{"name": "x", "type": "Colour"}]}, "field[0].type: type is one of Count"),
        (
            {"type": "DataRecord", "field": [{"name": "x", "type": "Boolean", "constraint": {"value": [True]}}]},
            "field[0].constraint: a Boolean takes no constraint",
        ),
        (
            {"type": "DataRecord", "field": [{"name": "x", "type": "Count", "constraint": {"value": ["a"]}}]},
            "field[0].constraint: value lists",
        ),
        (
            {"type": "DataRecord", "field": [{"name": "x", "type": "Text", "constraint": {"pattern": "(["}}]},
            "field[0].constraint.pattern: no pattern",
        ),
    ],
)
def test_a_description_that_is_none(house: House, record: Any, said: str) -> None:
    assert said in house.refuse("TaskingCapabilities", capability(Thing=thing(), taskingParameters=record))
    light = lit(house)
    assert said in house.unchanged("PATCH", light, {"taskingParameters": record})


def test_a_pattern_is_no_bomb(house: House) -> None:
    bomb = {"name": "x", "type": "Text", "constraint": {"pattern": "(a+)+$"}}
    house.post("TaskingCapabilities", {**capability(bomb, Thing=thing()), "@iot.id": "bomb"})
    house.refuse("TaskingCapabilities('bomb')/Tasks", {"taskingParameters": {"x": "a" * 5000 + "b"}})


@pytest.mark.parametrize("path", ["Things('post')", "Actuators(1)", "TaskingCapabilities('light')"])
def test_what_goes_with_it(house: House, path: str) -> None:
    house.post(f"{lit(house)}/Tasks", {"taskingParameters": {"status": "on"}})
    house.delete(path)
    assert house.get("TaskingCapabilities")["value"] == house.get("Tasks")["value"] == []
    assert bool(house.get("Things")["value"]) == (not path.startswith("Things"))
    assert bool(house.get("Actuators")["value"]) == (not path.startswith("Actuators"))


def test_changing_and_deleting(house: House) -> None:
    light = lit(house)
    house.post(f"{light}/Tasks", {"taskingParameters": {"status": "on"}})
    assert house.change(light, {"name": "Lamplight"})["name"] == "Lamplight"
    assert house.patch("Tasks(1)", {"op": "add", "path": "/taskingParameters/level", "value": 5})[
        "taskingParameters"
    ] == {"status": "on", "level": 5}
    changed = house.change("Tasks(1)", {"taskingParameters": {"status": "off"}}, method="PUT")
    assert changed["creationTime"] == "2024-04-30T12:00:00.000Z"
    assert house.change("Actuators(1)", {"metadata": {"watt": 40}})["metadata"] == {"watt": 40}
    house.delete("Tasks(1)")
    house.get("Tasks(1)", 404)


def test_of_traffic_signals_the_house_only_reads(house: House) -> None:
    signals = thing(properties={"kind": "traffic-signals"})
    house.refuse("Things", {**signals, "TaskingCapabilities": [capability()]}, 403)
    house.post("Things", {**signals, "@iot.id": "K440"})
    house.refuse("Things('K440')/TaskingCapabilities", capability(), 403)
    house.refuse("TaskingCapabilities", {**capability(), "Thing": {"@iot.id": "K440"}}, 403)

    light = lit(house)
    moved = house.request("PATCH", light, body={"Thing": {"@iot.id": "K440"}}, reader=WRITER)
    assert moved.status == 403
    house.post(f"{light}/Tasks", {"taskingParameters": {"status": "on"}})
    # What becomes a traffic signal behind its capability's back takes no tasks from then on.
    house.change("Things('post')", {"properties": {"kind": "traffic-signals"}})
    house.refuse(f"{light}/Tasks", {"taskingParameters": {"status": "off"}}, 403)
    assert len(house.get(f"{light}/Tasks")["value"]) == 1

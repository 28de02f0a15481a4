"""req/create-update-delete/update-entity and update-entity-put: PATCH merges, PUT resets what is left out."""

from typing import Any

import pytest

from allmende.domain.policy import ANONYMOUS
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

BODIES: dict[str, dict[str, Any]] = {
    "Thing": thing(properties={"old": 1}),
    "Location": location(properties={"old": 1}),
    "Sensor": sensor(properties={"old": 1}),
    "ObservedProperty": observed_property(properties={"old": 1}),
    "FeatureOfInterest": feature(properties={"old": 1}),
    "Datastream": datastream(properties={"old": 1}),
    "HistoricalLocation": {"time": "2024-01-01T00:00:00.000Z"},
    "Observation": observation(1, parameters={"old": 1}, resultTime="2024-04-30T10:00:00Z"),
}
CHANGES: dict[str, dict[str, Any]] = {
    "Thing": {"name": "New", "properties": {"new": {"deep": [1, None]}}},
    "Location": {"location": {"type": "Point", "coordinates": [1.5, 2.5]}},
    "Sensor": {"metadata": {"any": 1}, "encodingType": "application/json"},
    "ObservedProperty": {"definition": "https://example.org/new"},
    "FeatureOfInterest": {"feature": {"type": "Point", "coordinates": [1.5, 2.5]}, "name": "New"},
    "Datastream": {"unitOfMeasurement": {"name": "n", "symbol": "s", "definition": "d"}, "description": "new"},
    "HistoricalLocation": {"time": "2025-01-01T00:00:00.000Z"},
    "Observation": {
        "result": {"a": 1},
        "resultQuality": "good",
        "parameters": None,
    },
}


def furnish(house: House) -> dict[str, str]:
    """One of each; their addresses by type."""
    more = {
        "Thing": {"@iot.id": "t"},
        "Location": {"@iot.id": "l"},
        "Datastream": {"Thing": {"@iot.id": "t"}, "@iot.id": "d"},
        "HistoricalLocation": {"Thing": {"@iot.id": "t"}, "Locations": [{"@iot.id": "l"}]},
        "Observation": {"Datastream": {"@iot.id": "d"}},
    }
    made = {}
    for entity, body in BODIES.items():
        if entity == "Observation":
            body = {**body, "FeatureOfInterest": {"@iot.id": int(made["FeatureOfInterest"].split("(")[1][:-1])}}
        made[entity] = house.post(SETS[entity], {**body, **more.get(entity, {})}).split("/v1.1/")[1]
    return made


def attributes(entity: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in entity.items() if "@iot." not in k}


@pytest.mark.parametrize("entity", list(CHANGES))
def test_patch_merges(house: House, entity: str) -> None:
    path = furnish(house)[entity]
    before = attributes(house.get(path))
    after = {k: v for k, v in (before | CHANGES[entity]).items() if v is not None}
    assert attributes(house.change(path, CHANGES[entity])) == after


@pytest.mark.parametrize("entity", list(CHANGES))
def test_put_resets_what_is_left_out(house: House, entity: str) -> None:
    path = furnish(house)[entity]
    whole = {k: v for k, v in BODIES[entity].items() if k not in ("properties", "Sensor", "ObservedProperty")}
    if entity == "Observation":
        whole = {"result": 5}
    after = attributes(house.change(path, whole, "PUT"))
    kept = {"phenomenonTime", "observedArea", "resultTime"} if entity == "Datastream" else set()
    left = {k: v for k, v in after.items() if k not in kept}
    if entity == "Observation":
        assert left == {"result": 5, "phenomenonTime": "2024-04-30T12:00:00.000Z", "resultTime": None}
        return
    assert left == whole
    for name in whole:
        assert name in house.unchanged("PUT", path, {k: v for k, v in whole.items() if k != name})


@pytest.mark.parametrize("entity", list(CHANGES))
def test_what_is_not_there(house: House, entity: str) -> None:
    furnish(house)
    for method in ("PATCH", "PUT"):
        house.unchanged(method, f"{SETS[entity]}('nobody')", CHANGES[entity], 404)
        house.unchanged(method, SETS[entity], CHANGES[entity], 405)


def test_null_takes_away(house: House) -> None:
    path = furnish(house)["Thing"]
    assert "properties" not in house.change(path, {"properties": None})
    assert "name" in house.unchanged("PATCH", path, {"name": None})


def test_links_by_id(house: House) -> None:
    path = furnish(house)["Datastream"]
    house.post("Things", thing(**{"@iot.id": "other"}))
    house.post("Sensors", sensor(**{"@iot.id": "s2"}))
    house.post("ObservedProperties", observed_property(**{"@iot.id": "p2"}))
    links = {"Thing": "other", "Sensor": "s2", "ObservedProperty": "p2"}
    house.change(path, {name: {"@iot.id": key} for name, key in links.items()})
    for name, key in links.items():
        assert house.get(f"{path}/{name}")["@iot.id"] == key
    assert house.get("Things('other')/Datastreams")["value"][0]["@iot.id"] == "d"
    assert house.get("Things('t')/Datastreams")["value"] == []


@pytest.mark.parametrize("method", ["PATCH", "PUT"])
def test_what_hangs_on_it_by_id(house: House, method: str) -> None:
    path = furnish(house)["Datastream"]
    house.post("Things", thing(**{"@iot.id": "other"}))
    read = house.request("GET", "Things('other')").headers["ETag"]
    body = {**thing(), "name": "new", "Datastreams": [{"@iot.id": "d"}]}
    house.unchanged(method, "Things('other')", body, 412, if_match='"x"')
    assert house.change("Things('other')", body, method, if_match=read)["name"] == "new"
    assert house.get(f"{path}/Thing")["@iot.id"] == "other"
    assert house.get("Things('t')/Datastreams")["value"] == []
    house.unchanged(method, "Things('other')", body, 412, if_match=read)
    # Clients that keep entities as objects send what they know of it, too.
    house.change("Things('t')", {**thing(), "Datastreams": [datastream(**{"@iot.id": "d"})]}, method)
    assert house.get(f"{path}/Thing")["@iot.id"] == "t"


def test_what_hangs_on_it_by_a_json_patch(house: House) -> None:
    path = furnish(house)["Datastream"]
    house.post("Things", thing(**{"@iot.id": "other"}))
    house.patch("Things('other')", {"op": "add", "path": "/Datastreams", "value": [{"@iot.id": "d"}]})
    assert house.get(f"{path}/Thing")["@iot.id"] == "other"


def test_moved_observations_change_what_is_known_of_both_streams(house: House) -> None:
    path = furnish(house)["Datastream"]
    own = {key: value for key, value in datastream(**{"@iot.id": "e"}).items() if key != "Observations"}
    house.post("Datastreams", {**own, "Thing": {"@iot.id": "t"}})
    (moved,) = house.get(f"{path}/Observations")["value"]
    tags = [house.request("GET", name).headers["ETag"] for name in (path, "Datastreams('e')")]
    assert "phenomenonTime" in house.change("Datastreams('e')", {"Observations": [{"@iot.id": moved["@iot.id"]}]})
    assert [house.request("GET", name).headers["ETag"] for name in (path, "Datastreams('e')")] != tags
    assert house.get("Datastreams('e')/Observations")["value"] == [moved]
    assert "phenomenonTime" not in house.get(path)


def test_no_entities_inside(house: House) -> None:
    paths = furnish(house)
    for entity, body in (
        ("Datastream", {"Thing": thing()}),
        ("Datastream", {"Sensor": sensor()}),
        ("Datastream", {"Observations": [observation(1)]}),
        ("Datastream", {"Thing": None}),
        ("Datastream", {"Thing": {"@iot.id": "nobody"}}),
        ("Thing", {"Locations": [location()]}),
        ("Thing", {"Datastreams": [datastream()]}),
        ("Thing", {"Datastreams": [{"@iot.id": "d"}, {"@iot.id": "nobody"}]}),
        ("Location", {"Things": [{"@iot.id": "t"}]}),
        ("Observation", {"FeatureOfInterest": feature()}),
        ("HistoricalLocation", {"Locations": []}),
    ):
        (name,) = body
        assert name in house.unchanged("PATCH", paths[entity], body)


def test_computed_ones_are_the_houses(house: House) -> None:
    path = furnish(house)["Datastream"]
    before = house.get(path)
    assert before["observedArea"]["coordinates"] == [11.58, 50.92]
    body = {"phenomenonTime": "1999-01-01T00:00:00Z", "observedArea": None, "resultTime": None}
    assert house.change(path, body) == before


def test_the_id_stays(house: House) -> None:
    path = furnish(house)["Thing"]
    assert "@iot.id" in house.unchanged("PATCH", path, {"@iot.id": "new"})
    whole = house.get(path)
    assert house.change(path, {**whole, "name": "echoed"}, "PUT")["@iot.id"] == whole["@iot.id"]


@pytest.mark.parametrize(
    ("entity", "body", "name"),
    [
        ("Thing", {"colour": "red"}, "colour"),
        ("Thing", {"name": 5}, "name"),
        ("Thing", {"properties": [1]}, "properties"),
        ("Location", {"location": {"type": "Point", "coordinates": [500, 0]}}, "location"),
        ("Observation", {"phenomenonTime": "yesterday"}, "phenomenonTime"),
        ("Observation", {"result": 2**70}, "result"),
        ("HistoricalLocation", {"time": None}, "time"),
        ("Datastream", {"unitOfMeasurement": "m"}, "unitOfMeasurement"),
    ],
)
def test_mistakes_are_named_and_change_nothing(house: House, entity: str, body: Any, name: str) -> None:
    assert name in house.unchanged("PATCH", furnish(house)[entity], body)


def test_another_encoding_must_fit_what_is_kept(house: House) -> None:
    furnish(house)
    odd = {"name": "L", "description": "l", "encodingType": "text/plain", "location": "behind the house"}
    path = house.post("Locations", odd).split("/v1.1/")[1]
    assert "location" in house.unchanged("PATCH", path, {"encodingType": "application/geo+json"})
    assert "location" in house.unchanged("PATCH", path, {**odd, "encodingType": "application/geo+json"})


def test_bodies_and_types_that_are_none(house: House) -> None:
    path = furnish(house)["Thing"]
    for body in (b"", b"{", b"[]", b"null", b"5", b"[" * 50_000):
        house.unchanged("PATCH", path, body)
        house.unchanged("PUT", path, body)
    house.unchanged("PATCH", path, {}, 415, content_type="text/plain")
    house.unchanged("PUT", path, [], 415, content_type="application/json-patch+json")
    house.unchanged("PATCH", path, {}, query="$select=name")
    for part in ("name", "$ref", "name/$value"):
        house.unchanged("PATCH", f"{path}/{part}", {}, 405)


def test_to_change_takes_a_right(house: House) -> None:
    for path in furnish(house).values():
        for method in ("PATCH", "PUT", "DELETE"):
            house.unchanged(method, path, {}, 403, reader=ANONYMOUS)


def test_a_tag_says_what_was_seen(house: House) -> None:
    path = furnish(house)["Thing"]
    read = house.request("GET", path)
    tag = read.headers["ETag"]
    for header in (tag, f"W/{tag}", f'"x", {tag}', "*"):
        again = house.request("GET", path, if_none_match=header)
        assert (again.status, again.body, again.headers["ETag"]) == (304, b"", tag)
    assert house.request("GET", path, if_none_match='"x"').status == 200
    for method in ("PATCH", "PUT", "DELETE"):
        house.unchanged(method, path, thing(), 412, if_match='"x"')
    response = house.request("GET", path)
    house.change(path, {"name": "mine"}, if_match=response.headers["ETag"])
    house.unchanged("PATCH", path, {"name": "yours"}, 412, if_match=response.headers["ETag"])
    house.change(path, {"name": "any"}, if_match="*")
    assert house.request("GET", path, if_none_match=tag).status == 200

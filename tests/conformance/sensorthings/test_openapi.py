"""The OpenAPI document: valid, complete by the tables, and true of what the house answers and takes."""

from typing import Any

import jsonschema_rs
import msgspec
import pytest
import schemathesis

from allmende.domain.face import FaceLimits
from allmende.domain.model import ENTITIES, SETS, EntityType
from allmende.faces.sensorthings.applying import LATEST_OPTIONS
from allmende.faces.sensorthings.openapi import MEDIA_TYPE, PATH
from allmende.faces.sensorthings.options import KNOWN
from allmende.faces.sensorthings.schemas import example
from tests.conformance.sensorthings.house import ROOT, WRITER, House, open_house
from tests.conformance.sensorthings.house import SETS as CORE


@pytest.fixture(scope="module")
def described(town: House) -> dict[str, Any]:
    answered = town.request("GET", PATH)
    assert (answered.status, answered.content_type) == (200, MEDIA_TYPE)
    found: dict[str, Any] = msgspec.json.decode(answered.body)
    return found


def checker(described: dict[str, Any], name: str) -> Any:
    """Says whether JSON is what the schema of that name promises."""
    whole = {"$ref": f"#/components/schemas/{name}", "components": described["components"]}
    return jsonschema_rs.validator_for({"$schema": "https://json-schema.org/draft/2020-12/schema", **whole})


def test_it_is_valid_and_says_where_it_is(town: House, described: dict[str, Any]) -> None:
    schemathesis.openapi.from_dict(described).validate()
    assert described["openapi"].startswith("3.1")
    assert described["servers"] == [{"url": ROOT}]
    assert f'<{ROOT}/{PATH}>; rel="service-desc"' in town.request("GET", "").headers["Link"]
    broken = {**described, "paths": {"Things": {"fetch": 1}}}
    with pytest.raises(Exception, match=r"Things|fetch"):
        schemathesis.openapi.from_dict(broken).validate()


def test_all_that_the_tables_have_is_in_it(described: dict[str, Any]) -> None:
    paths = described["paths"]
    for entity in SETS.values():
        one = f"/{entity.set_name}({{id}})"
        assert set(paths[f"/{entity.set_name}"]) == {"get", "post", "delete"}
        assert {"get", "patch", "put", "delete"} <= set(paths[one])
        for name in [*(a.name for a in entity.attributes), *(r.name for r in entity.relations)]:
            assert "get" in paths[f"{one}/{name}"]
        listed = {p["$ref"].rpartition("/")[2] for p in paths[f"/{entity.set_name}"]["get"]["parameters"]}
        assert listed == {option.lstrip("$") for option in (*KNOWN, "$apply")} | {"If-None-Match"}
    for name in ("Datastreams", "MultiDatastreams"):
        listed = {p["$ref"].rpartition("/")[2] for p in paths[f"/{name}/latest"]["get"]["parameters"]}
        assert listed == {option.lstrip("$") for option in LATEST_OPTIONS} | {"If-None-Match"}
    for option in KNOWN:
        assert described["components"]["parameters"][option.lstrip("$")]["name"] == option
    identities = [o["operationId"] for p in paths.values() for m, o in p.items() if m != "parameters"]
    assert len(identities) == len(set(identities))


def test_limits_stand_in_it_with_their_settings(town: House) -> None:
    house = House(town.store, FaceLimits(skip_max=77, filter_length=99))
    described = house.get(PATH)
    assert described["components"]["parameters"]["skip"]["schema"]["maximum"] == 77
    assert described["components"]["parameters"]["filter"]["schema"]["maxLength"] == 99
    assert "| `ALLMENDE_SKIP_MAX` | 77 |" in described["info"]["description"]


@pytest.mark.parametrize("entity", ENTITIES.values(), ids=list(ENTITIES))
def test_answers_are_as_promised(town: House, described: dict[str, Any], entity: EntityType) -> None:
    expand = ",".join(r.name for r in entity.relations)
    for options in ({}, {"expand": expand}, {"select": "id"}, {"count": "true", "top": "1"}):
        checker(described, entity.set_name).validate(town.get(entity.set_name, **options))
    checker(described, "Error").validate(town.get(entity.set_name, 400, top="x"))
    checker(described, "References").validate(town.get(f"{entity.set_name}/$ref"))
    for listed in town.get(entity.set_name, top="3")["value"]:
        checker(described, entity.name).validate(town.follow(listed["@iot.selfLink"]))


def test_the_latest_are_as_promised(town: House, described: dict[str, Any]) -> None:
    assert checker(described, "Latest").is_valid(town.get("Datastreams/latest"))
    assert not checker(described, "Latest").is_valid({"value": [{}]})


def test_examples_are_taken(described: dict[str, Any], tmp_path: Any) -> None:
    house = open_house(tmp_path)
    left = [ENTITIES[name] for name in CORE]
    while left:
        before = len(left)
        for entity in list(left):
            if entity.name == "Observation" and ENTITIES["Datastream"] in left:
                continue  # what is refused may use up a number, and the examples name the first
            body = example(entity)
            checker(described, f"New{entity.name}").validate(body)
            if house.request("POST", entity.set_name, reader=WRITER, body=body).status == 201:
                left.remove(entity)
        assert len(left) < before, [entity.name for entity in left]
    for entity in map(ENTITIES.__getitem__, CORE):
        change = described["components"]["schemas"][f"{entity.name}Change"]["examples"][0]
        first = house.get(entity.set_name, top="1")["value"][0]
        house.change(first["@iot.selfLink"].removeprefix(f"{ROOT}/"), change)

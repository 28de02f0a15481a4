"""req/resource-path/resource-path-to-entities: sets, entities, properties, values, relations, references."""

import pytest

from tests.conformance.sensorthings.house import EMPTY, ROOT, SETS, House, datastream, location, observation, thing


@pytest.mark.parametrize("name", sorted({*SETS.values()} - {*EMPTY}))
def test_sets(town: House, name: str) -> None:
    assert town.get(name)["value"]
    assert town.get(f"{name}/") == town.get(name)


@pytest.mark.parametrize(
    "path", ["Things('garage0')", "Things(garage0)", "Things(%27garage0%27)", "Things('garage%30')"]
)
def test_ids_quoted_bare_and_encoded(town: House, path: str) -> None:
    assert town.get(path)["@iot.id"] == "garage0"


def test_numbers_quoted_and_bare(town: House) -> None:
    number = town.get("Observations", top="1")["value"][0]["@iot.id"]
    assert town.get(f"Observations({number})") == town.get(f"Observations('{number}')")


def test_properties_and_their_values(town: House) -> None:
    assert town.get("Things('garage0')/name") == {"name": "Garage 0"}
    assert town.get("Things('garage0')/properties")["properties"]["levels"] == [1, {"name": "roof"}]
    value = town.request("GET", "Things('garage0')/name/$value")
    assert (value.body, value.content_type) == (b"Garage 0", "text/plain; charset=utf-8")
    assert town.request("GET", "Things('garage0')/properties/$value").body.startswith(b'{"zone":0')
    assert town.get("Datastreams('garage0~free')/phenomenonTime")["phenomenonTime"].startswith(
        "2024-04-30T10:00:00.000Z/"
    )
    assert town.request("GET", "Datastreams('garage0~free')/Thing/name/$value").body == b"Garage 0"


@pytest.mark.parametrize("path", ["Locations('place0')/properties", "Sensors('loop')/properties/$value"])
def test_a_property_that_is_null_has_no_content(town: House, path: str) -> None:
    response = town.request("GET", path)
    assert (response.status, response.body) == (204, b"")


def test_a_null_result_has_no_content(house: House) -> None:
    house.post("Things", thing(Datastreams=[datastream(Observations=[observation(None)])]))
    assert house.request("GET", "Observations(1)/result").status == 204
    assert house.request("GET", "Observations(1)/result/$value").status == 204
    assert house.request("GET", "Observations(1)/resultTime").status == 204


def test_relations_both_ways_and_to_any_depth(town: House) -> None:
    assert town.get("Datastreams('garage0~free')/Thing")["@iot.id"] == "garage0"
    assert [s["@iot.id"] for s in town.get("Things('garage0')/Datastreams")["value"]] == [
        "garage0~free",
        "garage0~state",
    ]
    deep = "Datastreams('garage0~free')/Thing/Datastreams('garage0~state')/Observations"
    number = town.get(deep)["value"][0]["@iot.id"]
    assert town.get(f"{deep}({number})/Datastream/Thing/Locations('place0')/Things")["value"][0]["@iot.id"] == "garage0"
    assert town.get(f"{deep}({number})/FeatureOfInterest")["name"] == "Here"


@pytest.mark.parametrize(
    "path",
    [
        "Things('nobody')",
        "Things('nobody')/name",
        "Things('nobody')/Datastreams",
        "Things('nobody')/Datastreams/$ref",
        "Things('garage0')/Datastreams('garage1~free')",
        "Things('garage0')/Datastreams('garage1~free')/name",
        "Things('garage0')/Datastreams('garage1~free')/Observations",
        "Things('garage1')/Locations('place0')",
        "Things('garage0')/colour",
        "Things('garage0')/Datastreams('garage0~free')/Sensors",
        "Things('garage0')/name/name",
        "Things('garage0')/$value",
        "Things/name",
        "Things/Datastreams",
        "Things('garage0')/Datastreams/Observations",
        "Datastreams('garage0~free')/Thing('garage0')",
        "Cars",
        "things",
        "Things('garage0",
        "Things(garage0",
        "Things()",
        "Things('')",
        "Things('a%00b')",
        "Things('a%0Ab')",
        "Observations(99999999999999999999)",
        "Observations('nobody')",
        "Observations('nobody')/Datastream",
        "Things('garage0')Datastreams",
        "$batch",
        "Things/$count",
        "Things('garage0')//name",
        "😀",
    ],
)
def test_what_leads_nowhere_is_not_found(town: House, path: str) -> None:
    town.error(path, 404)


def test_an_empty_set_of_what_exists_is_empty(house: House) -> None:
    house.post("Things", thing(**{"@iot.id": "a"}))
    assert house.get("Things('a')/Datastreams") == {"value": []}
    assert house.get("Things('a')/Datastreams/$ref") == {"value": []}


def test_references(town: House) -> None:
    assert town.get("Things/$ref") == {"value": [{"@iot.selfLink": f"{ROOT}/Things('garage{n}')"} for n in range(3)]}
    assert town.get("Datastreams('garage0~free')/Thing/$ref") == {"@iot.selfLink": f"{ROOT}/Things('garage0')"}
    first = town.get("Observations/$ref", top="10", count="true")
    assert first["@iot.count"] == 40
    links = [r["@iot.selfLink"] for r in town.pages(first)]
    assert len(links) == len(set(links)) == 40
    assert town.follow(links[0])["@iot.selfLink"] == links[0]


def test_other_methods_say_which_are_taken(town: House) -> None:
    for method in ("TRACE", "PROPFIND"):
        response = town.request(method, "Things('garage0')")
        assert (response.status, response.headers["Allow"]) == (405, "GET, HEAD, POST, PATCH, PUT, DELETE")


def test_a_long_path_is_answered_at_once(town: House) -> None:
    for path in ("Things(" + "/" * 5000, "Things('" + "''" * 5000, "Things(" + "(" * 5000, "Cars/" * 30):
        town.error(path, 404)
    assert "at most 32 steps" in town.error("Things(a)/" * 2000)


def test_thirty_steps_there_and_back(town: House) -> None:
    loop = "/Datastreams('garage0~free')/Thing"
    assert town.get("Things('garage0')" + loop * 15)["@iot.id"] == "garage0"


def test_a_bare_id_may_hold_slashes(house: House) -> None:
    house.post("Locations", location(**{"@iot.id": "a/b(c)"}))
    assert house.get("Locations(a/b(c))")["@iot.id"] == "a/b(c)"

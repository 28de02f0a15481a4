"""req/request-data: top, skip, count, pagination."""

from pathlib import Path

import pytest

from allmende.domain.face import FaceLimits
from allmende.faces.sensorthings.options import make_token
from tests.conformance.sensorthings.house import House, open_house, thing


@pytest.mark.parametrize("size", [1, 7, 40, 1000])
@pytest.mark.parametrize("order", [None, "result", "resultTime desc,result", "Datastream/name,phenomenonTime desc"])
def test_following_links_visits_each_once(town: House, size: int, order: str | None) -> None:
    options = {"top": str(size)} | ({"orderby": order} if order else {})
    numbers = [o["@iot.id"] for o in town.pages(town.get("Observations", **options))]
    whole = town.get("Observations", **{**options, "top": "1000"})
    assert numbers == [o["@iot.id"] for o in whole["value"]]
    assert len(set(numbers)) == 40


def test_links_keep_the_question(town: House) -> None:
    page = town.get(
        "Observations", top="2", skip="1", count="true", filter="result ge 100 and result ne 120", orderby="result desc"
    )
    assert page["@iot.count"] == 14
    found = [o["result"] for o in town.pages(page)]
    assert found == [r for r in range(230, 90, -10) if r != 120]
    assert town.follow(page["@iot.nextLink"])["@iot.count"] == 14


def test_top_zero_and_the_bounds(town: House) -> None:
    assert town.get("Observations", top="0") == {"value": []}
    assert town.get("Observations", top="0", count="true") == {"@iot.count": 40, "value": []}
    assert len(town.get("Observations", top="999999")["value"]) == 40
    assert "@iot.nextLink" not in town.get("Observations", top="40")
    assert len(town.get("Observations", skip="39")["value"]) == 1
    assert town.get("Observations", skip="40") == {"value": []}


def test_the_operators_bounds(tmp_path: Path) -> None:
    house = open_house(tmp_path, FaceLimits(page_size=2, page_size_max=3, skip_max=4))
    for _ in range(5):
        house.post("Things", thing())
    assert len(house.get("Things")["value"]) == 2
    page = house.get("Things", top="1000")
    assert len(page["value"]) == 3
    assert len(house.pages(page)) == 5
    assert "ALLMENDE_SKIP_MAX" in house.error("Things", skip="5")


def test_what_is_added_meanwhile_does_not_double_anything(house: House) -> None:
    for number in range(4):
        house.post("Things", thing(name=f"{number}"))
    page = house.get("Things", top="2", orderby="name")
    house.post("Things", thing(name="0a"))
    assert [t["name"] for t in house.pages(page)] == ["0", "1", "2", "3"]


@pytest.mark.parametrize(
    ("option", "text"),
    [
        ("top", "-1"), ("top", "x"), ("top", ""), ("top", "1.5"), ("top", "٣"), ("top", "9" * 30), ("skip", "-1"),
        ("skip", "x"), ("count", "yes"), ("count", "True"), ("count", ""), ("skiptoken", ""), ("skiptoken", "!"),
        ("skiptoken", "zwEC"), ("skiptoken", "kc__________8"), ("skiptoken", "ü"), ("skiptoken", "A" * 4000),
    ],
)  # fmt: skip
def test_mistakes_name_the_option(town: House, option: str, text: str) -> None:
    assert f"${option}" in town.error("Observations", **{option: text})


def test_a_token_of_another_question(town: House) -> None:
    token = town.get("Observations", top="1", orderby="result")["@iot.nextLink"].rpartition("skiptoken=")[2]
    assert "another question" in town.error("Observations", skiptoken=token, orderby="result,resultTime")


def test_a_forged_token_finds_no_more_than_the_question(town: House) -> None:
    token = town.get("Observations", top="1")["@iot.nextLink"].rpartition("skiptoken=")[2]
    assert len(town.get("Things", skiptoken=token)["value"]) <= 3


@pytest.mark.parametrize(
    ("path", "order", "values"),
    [
        ("Things", "", [None]), ("Things", "", ["x"]), ("Things", "name", [5, 1]), ("Things", "name", ["a", "b"]),
        ("Things", "name", ["a\0", 1]), ("Things", "properties/zone", ["x", None, 1]),
        ("Things", "properties/zone", [None, 1, 1]), ("Things", "id", [1, 1]), ("Observations", "", ["1"]),
        ("Observations", "id", ["1", 1]), ("Observations", "Datastream/id", [1, 1]),
        ("Observations", "year(resultTime)", ["x", 1]), ("Observations", "concat(Datastream/name,'')", [1, 1]),
        ("Datastreams('garage0~free')/Observations", "", ["x", 1]), ("Datastreams/latest", "", ["x"]),
        ("Datastreams/latest", "name", [1, 1]), ("Datastreams", "phenomenonTime", ["x", 1]),
    ],
)  # fmt: skip
def test_values_that_no_row_can_have(town: House, path: str, order: str, values: list[object]) -> None:
    """Refused before the engine is asked, so that what an engine refuses is a fault of ours."""
    options = {"skiptoken": make_token(tuple(values))} | ({"orderby": order} if order else {})
    assert "another question" in town.error(path, **options)


@pytest.mark.parametrize("values", [["x"], [None, "b"], [1, 2, 3]])
def test_values_that_no_group_can_have(town: House, values: list[object]) -> None:
    options = {"apply": "groupby((Datastream/id,phenomenonTime))", "skiptoken": make_token(tuple(values))}
    assert "another question" in town.error("Observations", **options)


@pytest.mark.parametrize("order", ["properties/size", "properties/size desc"])
def test_numbers_inside_of_json_go_on_exactly(house: House, order: str) -> None:
    sizes = [0.1, -3, 2**53 + 1, 1e-9, 2**53, 1e300, "text"]
    for size in sizes:
        house.post("Things", thing(properties={"size": size}))
    found = [t["properties"]["size"] for t in house.pages(house.get("Things", top="1", orderby=order))]
    numbers = sorted((s for s in sizes if s != "text"), reverse=order.endswith("desc"))
    assert found == [*numbers, "text"]


def test_nothing_lies_behind_the_group_without_any_value(town: House) -> None:
    """Nulls come last."""
    options = {"apply": "groupby((resultTime))", "skiptoken": make_token((None,))}
    assert town.get("Observations", **options) == {"value": []}

"""req/request-data/orderby."""

import pytest

from tests.conformance.sensorthings.house import House


def results(page: object) -> list[int]:
    return [o["result"] for o in page["value"]]  # type: ignore[index]


def test_both_directions(town: House) -> None:
    path = "Datastreams('garage0~free')/Observations"
    up = list(range(0, 250, 10))
    assert results(town.get(path, orderby="result")) == up
    assert results(town.get(path, orderby="result asc")) == up
    assert results(town.get(path, orderby="phenomenonTime desc")) == up[::-1]
    assert results(town.get(path)) == up


def test_several_keys_and_paths(town: House) -> None:
    page = town.get("Datastreams", orderby="properties/kind desc,Thing/name desc,id")
    assert [s["@iot.id"] for s in page["value"]] == [
        "garage2~state", "garage1~state", "garage0~state", "garage2~free", "garage1~free", "garage0~free",
    ]  # fmt: skip
    page = town.get("Things", orderby="properties/zone desc,@iot.id desc", select="id")
    assert [t["@iot.id"] for t in page["value"]] == ["garage1", "garage2", "garage0"]


@pytest.mark.parametrize(
    "order",
    [
        "",
        "name up",
        "name desc desc",
        ",",
        "name,",
        "colour",
        "Datastreams/name",
        "5",
        "name eq 1",
        "'x'",
        "Locations",
        "(name)(",
    ],
)
def test_mistakes_say_where(town: House, order: str) -> None:
    assert town.error("Things", orderby=order).startswith("$orderby")


def test_too_many_keys(town: House) -> None:
    assert "$orderby" in town.error("Things", orderby=",".join(["name"] * 400))
    assert "ALLMENDE_FILTER_LENGTH" in town.error("Things", orderby="n" * 5000)


def test_what_is_calculated(town: House) -> None:
    path = "Datastreams('garage0~free')/Observations"
    assert results(town.get(path, orderby="result mod 30 desc,result", top="3")) == [20, 50, 80]
    assert results(town.get(path, orderby="-result", top="2")) == [240, 230]
    page = town.get("Datastreams", orderby="length(name) desc,substring(name,9),indexof(Thing/name,'1') desc", top="4")
    found = [s["@iot.id"] for s in town.pages(page)]
    assert found[:3] == ["garage0~state", "garage1~state", "garage2~state"]
    assert sorted(found) == sorted(set(found))
    assert len(found) == 6

"""req/data-array/data-array, reading (18-088, 12.1)."""

from typing import Any

import pytest

from tests.conformance.sensorthings.house import ROOT, House, datastream, observation, thing

ALL = ["id", "phenomenonTime", "resultTime", "result", "resultQuality", "validTime", "parameters"]


def as_objects(page: dict[str, Any]) -> list[dict[str, Any]]:
    """Observations as the plain format shows them, without links; null is left out but for resultTime."""
    found = []
    for group in page["value"]:
        assert len(group["dataArray"]) == group["dataArray@iot.count"]
        for row in group["dataArray"]:
            shown = dict(zip(group["components"], row, strict=True))
            found.append({k: v for k, v in shown.items() if v is not None or k in ("resultTime", "result")})
    return found


def plain(page: dict[str, Any]) -> list[dict[str, Any]]:
    return [{k.removeprefix("@iot."): v for k, v in o.items() if "Link" not in k} for o in page["value"]]


def test_one_object_for_each_stream(town: House) -> None:
    page = town.get("Observations", resultFormat="dataArray", top="1000")
    links = [group["Datastream@iot.navigationLink"] for group in page["value"]]
    streams = town.get("Datastreams", select="id")["value"]
    assert sorted(links) == sorted(stream["@iot.selfLink"] for stream in streams)
    assert {tuple(group["components"]) for group in page["value"]} == {tuple(ALL)}
    for group in page["value"]:
        assert set(group) == {"Datastream@iot.navigationLink", "components", "dataArray@iot.count", "dataArray"}
        there = town.follow(group["Datastream@iot.navigationLink"] + "/Observations?$top=1000")
        assert as_objects({"value": [group]}) == plain(there)


def test_every_kind_of_value(house: House) -> None:
    more = {
        "resultTime": "2024-04-30T11:00:00Z",
        "validTime": "2024-04-30T10:00:00Z/2024-04-30T11:00:00Z",
        "resultQuality": {"a": [1]},
        "parameters": {"b": "x"},
    }
    results = [1, 2.5, 'text "quoted"\n', True, False, {"a": 1}, [1, None], None]
    readings = [observation(r, i, **(more if i % 2 else {})) for i, r in enumerate(results)]
    named = observation(9, 30, **{"@iot.id": "it's/one"})
    house.post("Things", thing(Datastreams=[datastream(Observations=[*readings, named])]))
    arrays, whole = house.get("Observations", resultFormat="dataArray"), house.get("Observations")
    assert as_objects(arrays) == plain(whole)
    order = {"orderby": "phenomenonTime desc"}
    assert as_objects(house.get("Observations", resultFormat="dataArray", **order)) == plain(
        house.get("Observations", **order)
    )


@pytest.mark.parametrize("path", ["Observations", "Datastreams('garage0~free')/Observations"])
def test_page_by_page(town: House, path: str) -> None:
    asked = {"orderby": "result desc,phenomenonTime", "filter": "result ge 20", "count": "true"}
    whole = town.get(path, **asked)
    page = town.get(path, **asked, resultFormat="dataArray", top="4")
    found = as_objects(page)
    assert page["@iot.count"] == whole["@iot.count"] > 4
    while "@iot.nextLink" in page:
        page = town.follow(page["@iot.nextLink"])
        found += as_objects(page)
    assert sorted(found, key=str) == sorted(plain(whole), key=str)
    assert [o["result"] for o in found] == [o["result"] for o in whole["value"]]


def test_select_says_the_components(town: House) -> None:
    page = town.get("Observations", resultFormat="dataarray", select="result,phenomenonTime", top="1")
    (group,) = page["value"]
    assert group["components"] == ["phenomenonTime", "result"]
    assert group["dataArray"] == [["2024-04-30T10:00:00.000Z", 0]]
    page = town.get("Observations", resultFormat="DATAARRAY", select="id,Datastream,resultTime", top="1")
    assert page["value"][0]["components"] == ["id", "resultTime"]


def test_paths_that_do_not_name_the_stream(town: House) -> None:
    ways = ("Things('garage0')/Datastreams('garage0~free')", "Observations(1)/Datastream")
    for way in ways:
        (group,) = town.get(f"{way}/Observations", resultFormat="dataArray")["value"]
        assert group["Datastream@iot.navigationLink"] == f"{ROOT}/Datastreams('garage0~free')"
        assert group["dataArray@iot.count"] == 25
    assert town.get("Observations", resultFormat="dataArray", filter="result gt 1000000") == {"value": []}
    assert town.get("Datastreams('none')/Observations", 404, resultFormat="dataArray")


def test_only_sets_of_observations(town: House) -> None:
    for path in ("Things", "Observations(1)", "Datastreams", "Datastreams('garage0~free')"):
        assert "Observations alone" in town.error(path, resultFormat="dataArray")
    assert "$expand" in town.error("Observations", resultFormat="dataArray", expand="Datastream")
    assert "$resultFormat" in town.error("Datastreams", expand="Observations($resultFormat=dataArray)")
    assert "$resultFormat" in town.error("Observations/$ref", resultFormat="dataArray")
    assert "$resultFormat" in town.error("Observations(1)/result", resultFormat="dataArray")

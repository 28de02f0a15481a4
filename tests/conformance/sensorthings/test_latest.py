"""The newest reading of every stream in one request: ours (``Datastreams/latest``) and the standard's ($expand)."""

import pytest

from allmende.domain.policy import Reader
from tests.conformance.sensorthings.house import (
    WRITER,
    House,
    datastream,
    multi_datastream,
    observation,
    thing,
)
from tests.support import create

QUALITY = {"q": 1}
NEWEST = "$orderby=phenomenonTime desc;$top=1"


def test_all_streams(town: House) -> None:
    page = town.get("Datastreams/latest")
    assert len(page["value"]) == 6
    assert page["value"][0] == {
        "Datastream": {"id": "garage0~free"},
        "Thing": {"id": "garage0"},
        "phenomenonTime": "2024-04-30T10:24:00.000Z",
        "result": 240,
        "resultQuality": None,
    }


def test_options_speak_of_the_streams(town: House) -> None:
    page = town.get(
        "Datastreams/latest", filter="properties/kind eq 'state'", orderby="name desc", top="2", count="true"
    )
    assert page["@iot.count"] == 3
    assert [row["Datastream"]["id"] for row in town.pages(page)] == ["garage2~state", "garage1~state", "garage0~state"]
    below = town.get("Things('garage1')/Datastreams/latest")["value"]
    assert [row["Datastream"]["id"] for row in below] == ["garage1~free", "garage1~state"]
    assert "$expand" in town.error("Datastreams/latest", expand="Thing")
    assert town.error("Datastreams/latest", filter="colour eq 1").startswith("$filter, character 1")
    town.error("Things('nobody')/Datastreams/latest", 404)
    town.error("Things/Datastreams/latest", 404)
    town.error("Datastreams('garage0~free')/latest", 404)


@pytest.mark.parametrize("result", [1.5, 2**53 + 1, "high", True, None, {"a": [1, "x" * 3000]}, [1]])
def test_results_of_all_kinds(house: House, result: object) -> None:
    made = datastream(**{"@iot.id": "s"}, Observations=[observation(0), observation(result, 5, resultQuality=QUALITY)])
    house.post("Things", thing(Datastreams=[made, datastream(**{"@iot.id": "empty"})]))
    (row,) = house.get("Datastreams/latest")["value"]
    assert (row["result"], type(row["result"])) == (result, type(result))
    assert row["resultQuality"] == QUALITY


def test_several_properties_at_once(house: House) -> None:
    """Streams of both kinds have a latest reading, each kind in its own list."""
    made = multi_datastream(
        **{"@iot.id": "wind"}, Observations=[observation([1, 2, True]), observation([3, 4, False], 5)]
    )
    house.post("Things", thing(**{"@iot.id": "mast"}, MultiDatastreams=[made]))
    (row,) = house.get("MultiDatastreams/latest", filter="Thing/id eq 'mast'", orderby="name")["value"]
    assert (row["MultiDatastream"], row["Thing"], row["result"]) == ({"id": "wind"}, {"id": "mast"}, [3, 4, False])
    assert house.get("Things('mast')/MultiDatastreams/latest")["value"] == [row]
    assert house.get("Datastreams/latest")["value"] == []


def test_hidden_streams_are_absent(house: House) -> None:
    create(house.store, "Thing", thing(name="secret", **{"@iot.id": "secret"}), dataset="hidden")
    made = datastream(**{"@iot.id": "hidden"}, Thing={"@iot.id": "secret"}, Observations=[observation(7)])
    create(house.store, "Datastream", made, dataset="hidden")
    assert house.get("Datastreams/latest", count="true") == {"@iot.count": 0, "value": []}
    seer = Reader(name="user:eve", datasets=frozenset({"hidden"}))
    assert b'"result":7' in house.request("GET", "Datastreams/latest", reader=seer).body


@pytest.mark.parametrize("select", ["", ";$select=result,phenomenonTime", ";$select=result"])
def test_the_standards_way(town: House, select: str) -> None:
    """By the key of each stream's newest reading; the same page as any other expansion, with its next link."""
    page = town.get("Datastreams", expand=f"Observations({NEWEST}{select})")
    plain = town.get("Datastreams", expand=f"Observations({NEWEST};$filter=true{select})")
    assert [s["Observations"] for s in page["value"]] == [s["Observations"] for s in plain["value"]]
    assert [s["Observations"][0]["result"] for s in page["value"]] == [240, 20, 20, 20, 20, 20]
    assert town.follow(page["value"][0]["Observations@iot.nextLink"])["value"][0]["result"] == 230


def test_below_things_and_without_readings(house: House) -> None:
    one = datastream(**{"@iot.id": "one"}, Observations=[observation(5)])
    house.post("Things", thing(Datastreams=[one, datastream(**{"@iot.id": "none"})]))
    page = house.get("Things", expand=f"Datastreams($expand=Observations({NEWEST};$count=true))")
    streams = page["value"][0]["Datastreams"]
    assert [(s["@iot.id"], s["Observations@iot.count"], len(s["Observations"])) for s in streams] == [
        ("one", 1, 1), ("none", 0, 0),
    ]  # fmt: skip
    assert not [name for s in streams for name in s if name == "Observations@iot.nextLink"]


def test_a_quality_however_it_was_sent(house: House) -> None:
    one = {"Observations": [observation(1, resultQuality={"sigma": 2})]}
    link = house.post("Things", thing(Datastreams=[datastream(**one)]))
    assert house.get("Datastreams/latest")["value"][0]["resultQuality"] == {"sigma": 2}
    identifier = house.follow(f"{link}/Datastreams")["value"][0]["@iot.id"]
    row = ["2024-04-30T11:59:00Z", 2, {"sigma": 3}]
    names = ["phenomenonTime", "result", "resultQuality"]
    body = [{"Datastream": {"@iot.id": identifier}, "components": names, "dataArray": [row]}]
    assert house.request("POST", "CreateObservations", reader=WRITER, body=body).status == 201
    newest = house.get("Datastreams/latest")["value"][0]
    assert (newest["result"], newest["resultQuality"]) == (2, {"sigma": 3})

"""req/request-data/expand."""

from allmende.domain.face import FaceLimits
from tests.conformance.sensorthings.house import House


def test_one_and_several(town: House) -> None:
    (shown,) = town.get("Things", expand="Datastreams,MultiDatastreams,Locations,HistoricalLocations", top="1")["value"]
    assert [s["@iot.id"] for s in shown["Datastreams"]] == ["garage0~free", "garage0~state"]
    assert [p["@iot.id"] for p in shown["Locations"]] == ["place0"]
    assert len(shown["HistoricalLocations"]) == 1
    assert shown["MultiDatastreams"] == []
    assert not [k for k in shown if k.endswith("navigationLink")]
    assert shown["Locations"] == town.get("Things('garage0')/Locations")["value"]


def test_levels_by_slash_and_by_options(town: House) -> None:
    by_slash = town.get("Observations", expand="Datastream/Thing,Datastream/Sensor", top="2")
    by_options = town.get("Observations", expand="Datastream($expand=Thing,Sensor)", top="2")
    assert by_slash["value"] == by_options["value"]
    assert by_slash["value"][0]["Datastream"]["Thing"]["@iot.id"] == "garage0"


def test_nested_options_are_those_of_the_path(town: House) -> None:
    options = "$filter=result ge 20;$orderby=result desc;$top=2;$count=true;$select=result"
    (shown,) = town.get("Datastreams", expand=f"Observations({options})", filter="id eq 'garage0~free'")["value"]
    assert shown["Observations@iot.count"] == 23
    assert shown["Observations"] == [{"result": 240}, {"result": 230}]
    rest = town.pages(town.follow(shown["Observations@iot.nextLink"]))
    assert [r["result"] for r in rest] == list(range(220, 10, -10))


def test_nested_links_visit_each_once(town: House) -> None:
    page = town.get("Things", expand="Datastreams($top=1;$expand=Observations($top=2))")
    seen = []
    for garage in page["value"]:
        streams = garage["Datastreams"] + town.pages(town.follow(garage["Datastreams@iot.nextLink"]))
        for stream in streams:
            seen += stream["Observations"]
            if "Observations@iot.nextLink" in stream:
                seen += town.pages(town.follow(stream["Observations@iot.nextLink"]))
    numbers = [o["@iot.id"] for o in seen]
    assert len(numbers) == len(set(numbers)) == 40


def test_from_one_entity_along_to_one(town: House) -> None:
    shown = town.get("Datastreams('garage1~free')", expand="Thing,Observations($top=0)")
    assert shown["Thing"]["name"] == "Garage 1"
    assert shown["Observations"] == []
    assert town.get("Datastreams('garage1~free')/Thing", expand="Locations")["Locations"][0]["@iot.id"] == "place1"


def test_texts_inside_of_options_may_hold_their_signs(town: House) -> None:
    (shown,) = town.get("Things", expand="Datastreams($filter=name eq 'a;b,c)('';')", top="1")["value"]
    assert shown["Datastreams"] == []


def test_mistakes(town: House) -> None:
    assert "'Cars'" in town.error("Things", expand="Cars")
    assert "$expand" in town.error("Things", expand="Datastreams($top=1")
    assert "$top" in town.error("Things", expand="Datastreams($top=x)")
    assert "twice" in town.error("Things", expand="Datastreams($top=1;$top=2)")
    assert "$colour" in town.error("Things", expand="Datastreams($colour=1)")
    assert "ALLMENDE_EXPAND_DEPTH" in town.error("Things", expand="Datastreams/Observations/Datastream/Thing")
    assert "$skiptoken" in town.error("Things", expand="Datastreams($skiptoken=x)")
    town.error("Things", expand="")
    town.error("Things", expand="(" * 2000 + ")" * 2000)


def test_inner_pages_are_cut_where_the_answer_would_be_too_large(town: House) -> None:
    """Six streams share twelve rows: two each, and a link to the rest. Nobody stays without any."""
    house = House(town.store, FaceLimits(expand_rows=12))
    page = house.get("Datastreams", expand="Observations($select=result)")
    assert [len(s["Observations"]) for s in page["value"]] == [2] * 6
    rest = house.follow(page["value"][0]["Observations@iot.nextLink"])
    assert [o["result"] for o in rest["value"]] == [10 * n for n in range(2, 25)]
    nested = House(town.store, FaceLimits(expand_rows=3)).get("Things", expand="Datastreams($expand=Observations)")
    streams = [s for t in nested["value"] for s in t["Datastreams"]]
    assert [len(s["Observations"]) for s in streams] == [1] * 3
    assert all("Datastreams@iot.nextLink" in t for t in nested["value"])
    assert house.get("Datastreams", expand="Observations($top=0)")["value"][0]["Observations"] == []
    # Relations of one level share what it may bring.
    both = house.get("Sensors", expand="Datastreams($expand=Observations,Thing)")["value"][0]["Datastreams"]
    assert [(len(s["Observations"]), s["Thing"]["name"][:6]) for s in both] == [(1, "Garage")] * 6

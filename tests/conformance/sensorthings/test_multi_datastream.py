"""req/multi-datastream: streams whose observations have a value for each of several properties."""

from typing import Any

import pytest

from tests.conformance.sensorthings.house import (
    House,
    datastream,
    feature,
    location,
    multi_datastream,
    observation,
    observed_property,
    thing,
)

NAMES = ["direction", "speed", "blows"]


def mast(house: House, *readings: Any, **more: Any) -> str:
    """A mast with its wind, and a plain stream beside it; gives the wind's address."""
    listed = [observation(reading, minute) for minute, reading in enumerate(readings)]
    wind = multi_datastream(Observations=listed, **{"@iot.id": "wind", **more})
    body = thing(MultiDatastreams=[wind], Datastreams=[datastream(**{"@iot.id": "plain"})], Locations=[location()])
    house.post("Things", {"@iot.id": "mast", **body})
    return "MultiDatastreams('wind')"


def names(page: Any) -> list[str]:
    return [shown["name"] for shown in page["value"]]


def test_properties_and_relations(house: House) -> None:
    wind = mast(house, [180, 4.5, True])
    shown = house.get(wind)
    relations = {"Thing", "Sensor", "ObservedProperties", "Observations"}
    extents = {"observedArea", "phenomenonTime", "resultTime"}
    body = multi_datastream()
    said = {k: v for k, v in body.items() if k not in ("Sensor", "ObservedProperties")}
    links = {f"{name}@iot.navigationLink" for name in relations}
    assert set(shown) == {*said, *links, *extents, "@iot.id", "@iot.selfLink"}
    assert {k: shown[k] for k in said} == said
    for link in links:
        house.follow(shown[link])
    assert house.get("Things('mast')/MultiDatastreams")["value"] == [shown]
    assert house.get("Sensors(1)/MultiDatastreams")["value"] + house.get("Sensors(2)/MultiDatastreams")["value"] == [
        shown
    ]
    for number in (1, 2, 3, 4):
        found = house.get(f"ObservedProperties({number})/MultiDatastreams")["value"]
        assert found == ([shown] if house.get(f"ObservedProperties({number})/name")["name"] in NAMES else [])


def test_the_newest_of_each_is_expanded_like_any_other_page(house: House) -> None:
    """The quick way, and the long one that a second key asks for; a correction and a late reading included."""
    mast(house, [180, 4.5, True], [190, 5.5, True], [170, 3.5, False])
    house.post("MultiDatastreams('wind')/Observations", observation([1, 2, True], 1))
    house.post("MultiDatastreams", multi_datastream(**{"@iot.id": "still", "Thing": {"@iot.id": "mast"}}))
    for path in ("MultiDatastreams", "Things('mast')/MultiDatastreams"):
        pages = [
            house.get(
                path,
                orderby="id",
                select="id",
                expand=f"Observations($select=result;$count=true;$orderby={keys};$top=1)",
            )
            for keys in ("phenomenonTime desc", "phenomenonTime desc,id desc")
        ]
        for page in pages:
            still, wind = page["value"]
            assert (still["Observations"], still["Observations@iot.count"]) == ([], 0)
            assert (wind["Observations"], wind["Observations@iot.count"]) == ([{"result": [170, 3.5, False]}], 4)
            following = house.follow(wind["Observations@iot.nextLink"])["value"]
            assert [shown["result"] for shown in following] in ([[190, 5.5, True]], [[1, 2, True]])


def test_an_observation_belongs_to_one_kind_of_stream(house: House) -> None:
    wind = mast(house, [180, 4.5, True])
    house.post("Datastreams('plain')/Observations", observation([1, 2, 3], 5))
    several, single = house.get("Observations", orderby="phenomenonTime")["value"]
    assert several == house.get(f"{wind}/Observations(1)") == house.get("Observations(1)")
    assert house.follow(several["MultiDatastream@iot.navigationLink"])["@iot.id"] == "wind"
    assert house.follow(single["Datastream@iot.navigationLink"])["@iot.id"] == "plain"
    assert ("Datastream@iot.navigationLink" in several, "MultiDatastream@iot.navigationLink" in single) == (False,) * 2
    house.get("Observations(1)/Datastream", 404)
    house.get("Observations(2)/MultiDatastream", 404)
    expanded = house.get("Observations", expand="Datastream,MultiDatastream", orderby="phenomenonTime")["value"]
    assert [(o["Datastream"] or {}).get("@iot.id") for o in expanded] == [None, "plain"]
    assert [(o["MultiDatastream"] or {}).get("@iot.id") for o in expanded] == ["wind", None]
    assert len(house.get("Observations", filter="MultiDatastream/name eq 'Wind'")["value"]) == 1
    assert len(house.get("Observations", filter="Datastream/id eq 'wind'")["value"]) == 0
    assert [o["result"] for o in house.get("Observations", filter="result[1] gt 4")["value"]] == [[180, 4.5, True]]


def test_the_two_sets_share_no_id(house: House) -> None:
    mast(house)
    assert [s["@iot.id"] for s in house.get("Datastreams")["value"]] == ["plain"]
    assert [s["@iot.id"] for s in house.get("MultiDatastreams")["value"]] == ["wind"]
    house.get("Datastreams('wind')", 404)
    house.get("MultiDatastreams('plain')", 404)
    house.get("Datastreams('wind')/Observations", 404)
    for path in ("Things('mast')/Datastreams('wind')", "Datastreams('wind')"):
        house.unchanged("PATCH", path, {"name": "x"}, 404)
        house.unchanged("DELETE", path, None, 404)
    assert "no Datastream 'wind'" in house.refuse("Observations", observation(1, Datastream={"@iot.id": "wind"}))
    house.refuse("Datastreams", datastream(Thing={"@iot.id": "mast"}, **{"@iot.id": "wind"}), 409)
    made = house.post("MultiDatastreams", multi_datastream(Thing={"@iot.id": "mast"}))
    assert made.endswith("MultiDatastreams(1)")


def test_the_order_of_the_properties_is_kept(house: House) -> None:
    for number, name in enumerate(reversed(NAMES)):
        house.post("ObservedProperties", observed_property(name=name, **{"@iot.id": f"p{number}"}))
    wind = mast(house, ObservedProperties=[{"@iot.id": "p2"}, {"@iot.id": "p0"}, {"@iot.id": "p1"}])
    asked = ["direction", "blows", "speed"]
    assert names(house.get(f"{wind}/ObservedProperties")) == asked
    assert names({"value": house.pages(house.get(f"{wind}/ObservedProperties", top="1"))}) == asked
    assert [p["name"] for p in house.get(wind, expand="ObservedProperties")["ObservedProperties"]] == asked
    assert names(house.get(f"{wind}/ObservedProperties", orderby="name")) == sorted(asked)
    (shown,) = house.get("Things('mast')/MultiDatastreams", expand="ObservedProperties($top=2)")["value"]
    assert [p["name"] for p in shown["ObservedProperties"]] == asked[:2]
    assert names(house.follow(shown["ObservedProperties@iot.nextLink"])) == asked[2:]
    turned = {"ObservedProperties": [{"@iot.id": f"p{number}"} for number in (1, 2, 0)]}
    house.change(wind, turned)
    assert names(house.get(f"{wind}/ObservedProperties")) == ["speed", "direction", "blows"]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"unitOfMeasurements": []}, "MultiDatastreams[0].unitOfMeasurements: unitOfMeasurements are 0"),
        ({"unitOfMeasurements": {}}, "MultiDatastreams[0].unitOfMeasurements: a list"),
        ({"unitOfMeasurements": ["m", "m", "m"]}, "MultiDatastreams[0].unitOfMeasurements: "),
        ({"multiObservationDataTypes": ["x"]}, "MultiDatastreams[0].multiObservationDataTypes: "),
        ({"multiObservationDataTypes": [1, 2, 3]}, "MultiDatastreams[0].multiObservationDataTypes: "),
        ({"ObservedProperties": []}, "MultiDatastreams[0]: ObservedProperties is missing"),
        ({"ObservedProperties": [observed_property()]}, "ObservedProperties 1"),
        ({"observationType": "x"}, "MultiDatastreams[0].observationType: observationType is http"),
        (
            {"Observations": [observation([1, 2])]},
            "MultiDatastreams[0].Observations[0].result: a Multi",
        ),
        ({"Observations": [observation(1)]}, "MultiDatastreams[0].Observations[0].result: a Multi"),
        ({"unitOfMeasurement": {}}, "no property 'unitOfMeasurement'"),
    ],
)
def test_all_lists_have_one_length(house: House, more: dict[str, Any], said: str) -> None:
    assert said in house.refuse("Things", thing(MultiDatastreams=[multi_datastream(**more)]))


def test_a_property_stands_there_once(house: House) -> None:
    house.post("ObservedProperties", observed_property(**{"@iot.id": "p"}))
    twice = multi_datastream(ObservedProperties=[{"@iot.id": "p"}] * 3)
    assert "once" in house.refuse("Things", thing(MultiDatastreams=[twice]))


@pytest.mark.parametrize("result", [[1, 2], [1, 2, 3, 4], [], 5, None, "abc", {"a": 1}])
def test_a_result_has_a_value_for_each(house: House, result: Any) -> None:
    wind = mast(house, [180, 4.5, True])
    assert "result: a MultiDatastream takes a list of 3" in house.refuse(f"{wind}/Observations", observation(result, 7))
    linked = observation(result, 7, MultiDatastream={"@iot.id": "wind"})
    assert "result: a MultiDatastream takes a list of 3" in house.refuse("Observations", linked)
    assert "result: " in house.unchanged("PATCH", "Observations(1)", {"result": result})


def test_exactly_one_stream(house: House) -> None:
    mast(house)
    both = {"Datastream": {"@iot.id": "plain"}, "MultiDatastream": {"@iot.id": "wind"}}
    assert "Datastream and MultiDatastream" in house.refuse("Observations", observation([1, 2, 3], **both))
    assert "Datastream or MultiDatastream is missing" in house.refuse("Observations", observation(1))
    house.post("Observations", observation(1, Datastream=both["Datastream"]))
    assert "one of them" in house.unchanged("PATCH", "Observations(1)", both)


def test_an_observation_may_change_its_stream(house: House) -> None:
    wind = mast(house, [180, 4.5, True])
    house.post("Datastreams('plain')/Observations", observation(5, 9))
    assert "result" in house.unchanged("PATCH", "Observations(2)", {"MultiDatastream": {"@iot.id": "wind"}})
    moved = house.change("Observations(2)", {"MultiDatastream": {"@iot.id": "wind"}, "result": [1, 2, False]})
    assert house.follow(moved["MultiDatastream@iot.navigationLink"])["@iot.id"] == "wind"
    assert house.get("Datastreams('plain')/Observations")["value"] == []
    assert house.get(wind)["phenomenonTime"] == "2024-04-30T10:00:00.000Z/2024-04-30T10:09:00.000Z"
    back = house.change("Observations(1)", {"Datastream": {"@iot.id": "plain"}})
    assert house.follow(back["Datastream@iot.navigationLink"])["@iot.id"] == "plain"
    assert back["result"] == [180, 4.5, True]
    assert house.change("Observations(2)", {"result": [None, None, None]})["result"] == [None] * 3


def test_extents_are_kept_true(house: House) -> None:
    wind = mast(house, [1, 2, True], [2, 3, False])
    at = {"FeatureOfInterest": feature(12), "resultTime": "2024-04-30T11:00:00Z"}
    house.post(f"{wind}/Observations", observation([3, 4, True], 30, **at))
    shown = house.get(wind)
    assert shown["phenomenonTime"] == "2024-04-30T10:00:00.000Z/2024-04-30T10:30:00.000Z"
    assert shown["resultTime"].startswith("2024-04-30T11:00:00.000Z")
    assert shown["observedArea"]["type"] == "Polygon"
    house.delete(f"{wind}/Observations", "$filter=result[0] eq 3")
    shown = house.get(wind)
    assert shown["phenomenonTime"] == "2024-04-30T10:00:00.000Z/2024-04-30T10:01:00.000Z"
    assert (shown["observedArea"]["type"], shown["resultTime"]) == ("Point", None)


def test_changing(house: House) -> None:
    wind = mast(house, [180, 4.5, True])
    assert house.change(wind, {"name": "Breeze", "properties": {"height": 10}})["name"] == "Breeze"
    assert house.patch(wind, {"op": "replace", "path": "/unitOfMeasurements/2", "value": {"name": "none"}})[
        "unitOfMeasurements"
    ][2] == {"name": "none"}
    assert "unitOfMeasurements are 2" in house.unchanged(
        "PATCH", wind, {"unitOfMeasurements": house.get(wind)["unitOfMeasurements"][:2]}
    )
    two = {
        "ObservedProperties": [{"@iot.id": p["@iot.id"]} for p in house.get(f"{wind}/ObservedProperties")["value"][:2]],
        **{k: house.get(wind)[k][:2] for k in ("unitOfMeasurements", "multiObservationDataTypes")},
    }
    assert "observations" in house.unchanged("PATCH", wind, two, 409)
    house.delete("Observations(1)")
    house.change(wind, two)
    assert names(house.get(f"{wind}/ObservedProperties")) == NAMES[:2]
    house.post(f"{wind}/Observations", observation([1, 2]))
    house.post("Things", {"@iot.id": "other", **thing()})
    house.change(wind, {"Thing": {"@iot.id": "other"}})
    assert [s["@iot.id"] for s in house.get("Things('other')/MultiDatastreams")["value"]] == ["wind"]
    whole = {k: v for k, v in house.get(wind).items() if "@" not in k and k != "properties"}
    assert "properties" not in house.change(wind, whole, method="PUT")


@pytest.mark.parametrize(
    "path", ["Things('mast')", "MultiDatastreams('wind')", "Sensors({s})", "ObservedProperties({p})"]
)
def test_what_goes_with_it(house: House, path: str) -> None:
    wind = mast(house, [180, 4.5, True])
    known = {
        "s": house.get(f"{wind}/Sensor")["@iot.id"],
        "p": house.get(f"{wind}/ObservedProperties")["value"][2]["@iot.id"],
    }
    house.delete(path.format(**known))
    assert house.get("MultiDatastreams")["value"] == house.get("Observations")["value"] == []
    assert [s["@iot.id"] for s in house.get("Datastreams")["value"]] == ([] if "Things" in path else ["plain"])


def test_made_from_the_other_side(house: House) -> None:
    house.post("Things", {"@iot.id": "mast", **thing()})
    streams = [multi_datastream(Thing={"@iot.id": "mast"}, ObservedProperties=[observed_property(name="b")])]
    for key in ("unitOfMeasurements", "multiObservationDataTypes"):
        streams[0][key] = streams[0][key][:2]
    house.post("ObservedProperties", observed_property(name="a", MultiDatastreams=streams))
    assert names(house.get("MultiDatastreams(1)/ObservedProperties")) == ["a", "b"]
    known = {"MultiDatastreams": [{"@iot.id": 1}]}
    house.refuse("ObservedProperties", observed_property(**known), 501)
    house.unchanged("PATCH", "ObservedProperties(1)", known)

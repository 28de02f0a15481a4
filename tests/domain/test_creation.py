"""From a body to entities: order, links, and mistakes that name their place."""

from typing import Any

import pytest

from allmende.domain import times
from allmende.domain.batch import NewEntity, Ref
from allmende.domain.creation import check_geojson, plan_creation
from allmende.domain.errors import InvalidInput, LimitExceeded
from allmende.domain.query import ResultKind

NOW = times.parse_instant("2024-04-30T12:00:00Z")
DAY, NEXT_DAY = "2024-01-01T00:00:00Z", "2024-01-02T00:00:00Z"
SPAN, REVERSED = f"{DAY}/{NEXT_DAY}", f"{NEXT_DAY}/{DAY}"
LINKED = {"Datastream": {"@iot.id": 1}}
SWAPPED = {"type": "Point", "coordinates": [50.92, 111.58]}
POINT = {"type": "Point", "coordinates": [11.58, 50.92]}


def thing(**more: Any) -> dict[str, Any]:
    return {"name": "Garage", "description": "A garage", **more}


def place(**more: Any) -> dict[str, Any]:
    return {"name": "Here", "description": "here", "encodingType": "application/geo+json", "location": POINT, **more}


def stream(**more: Any) -> dict[str, Any]:
    return {
        "name": "Free",
        "description": "Free spaces",
        "observationType": "http://www.opengis.net/def/observationType/OGC-OM/2.0/OM_Measurement",
        "unitOfMeasurement": {"name": "spaces", "symbol": "{space}", "definition": ""},
        "Sensor": {"name": "S", "description": "s", "encodingType": "text/plain", "metadata": "none"},
        "ObservedProperty": {"name": "P", "description": "p", "definition": "https://example.org/p"},
        **more,
    }


def plan(entity: str, body: Any, **more: Any) -> list[NewEntity]:
    return plan_creation(entity, body, now=NOW, **more)


def error(entity: str, body: Any, **more: Any) -> InvalidInput:
    with pytest.raises(InvalidInput) as caught:
        plan(entity, body, **more)
    return caught.value


def test_each_entity_comes_after_those_it_refers_to() -> None:
    body = thing(
        Locations=[place()],
        Datastreams=[
            stream(Observations=[{"result": 1}, {"result": 2, "FeatureOfInterest": {"@iot.id": "f"}}]),
            stream(Sensor={"@iot.id": 5}),
        ],
    )
    made = plan("Thing", body)
    assert [e.entity for e in made] == [
        "Location", "Thing", "Sensor", "ObservedProperty", "Datastream", "Observation", "Observation",
        "ObservedProperty", "Datastream",
    ]  # fmt: skip
    for at, entity in enumerate(made):
        for refs in entity.links.values():
            assert all(ref.place is None or ref.place < at for ref in refs)
    assert [e.where for e in made if e.entity == "Observation"] == [
        "Datastreams[0].Observations[0]",
        "Datastreams[0].Observations[1]",
    ]
    assert made[-1].links["Sensor"] == (Ref(id="5"),)
    assert made[6].links["FeatureOfInterest"] == (Ref(id="f"),)
    assert [e.where for e in made].count("") == 1


def test_a_location_can_bring_its_things_or_name_those_that_exist() -> None:
    made = plan("Location", place(Things=[{"@iot.id": "old"}, thing()]))
    assert [e.entity for e in made] == ["Location", "Thing"]
    assert made[0].links["Things"] == (Ref(id="old"),)
    assert made[1].links["Locations"] == (Ref(place=0),)


def test_deep_ones_may_have_ids_of_their_own() -> None:
    made = plan("Thing", thing(**{"@iot.id": "t", "Datastreams": [stream(**{"@iot.id": 7})]}))
    assert {e.entity: e.id for e in made if e.id} == {"Thing": "t", "Datastream": "7"}


def test_existing_ones_in_a_deep_insert_are_named_where_they_hang_from_now_on() -> None:
    planned = plan("Thing", thing(Datastreams=[{"@iot.id": "d"}, {"@iot.id": 7}]))
    assert [(e.entity, e.links["Datastreams"]) for e in planned] == [("Thing", (Ref(id="d"), Ref(id="7")))]


def test_links_come_from_the_address() -> None:
    made = plan("Observation", {"result": 1}, links={"Datastream": Ref(id="a")})
    assert made[0].links == {"Datastream": (Ref(id="a"),)}
    made = plan("Observation", {"result": 1, "Datastream": {"@iot.id": "a"}}, links={"Datastream": Ref(id="a")})
    assert made[0].links == {"Datastream": (Ref(id="a"),)}


def test_a_body_cannot_contradict_its_address_or_its_parent() -> None:
    body = {"result": 1, "Datastream": {"@iot.id": "b"}}
    assert error("Observation", body, links={"Datastream": Ref(id="a")}).where == "Datastream"
    assert error("Thing", thing(Datastreams=[stream(Thing={"@iot.id": "z"})])).where == "Datastreams[0].Thing"


def test_an_observation_without_a_time_is_of_now() -> None:
    for body in ({"result": 1}, {"result": 1, "phenomenonTime": None}):
        made = plan("Observation", body, links={"Datastream": Ref(id="a")})
        assert made[0].values["phenomenonTime"] == times.Interval(NOW)


@pytest.mark.parametrize(
    ("result", "kept"),
    [
        (5, (ResultKind.INTEGER, 5)),
        (5.0, (ResultKind.DECIMAL, 5.0)),
        (True, (ResultKind.BOOLEAN, 1)),
        ("a", (ResultKind.STRING, "a")),
        (None, (ResultKind.NULL, None)),
        ([1, 2.0], (ResultKind.JSON, "[1,2.0]")),
        ({"a": "ü"}, (ResultKind.JSON, '{"a":"ü"}')),
    ],
)
def test_results_keep_their_type(result: Any, kept: tuple[int, Any]) -> None:
    made = plan("Observation", {"result": result}, links={"Datastream": Ref(id="a")})
    assert made[0].values["result"] == kept
    assert type(made[0].values["result"][1]) is type(kept[1])


def deep(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = {"a": value}
    return value


@pytest.mark.parametrize(
    ("entity", "body", "where"),
    [
        ("Thing", 5, ""),
        ("Thing", [], ""),
        ("Thing", {"name": "x"}, "Thing"),
        ("Thing", thing(name=5), "name"),
        ("Thing", thing(name=None), "name"),
        ("Thing", thing(colour="red"), "colour"),
        ("Thing", thing(properties=[]), "properties"),
        ("Thing", thing(properties=deep(100)), "properties"),
        ("Thing", thing(**{"@iot.id": ""}), "@iot.id"),
        ("Thing", thing(**{"@iot.id": 1.5}), "@iot.id"),
        ("Thing", thing(**{"@iot.id": True}), "@iot.id"),
        ("Thing", thing(Locations={}), "Locations"),
        ("Thing", thing(Locations=["x"]), "Locations"),
        ("Thing", thing(Locations=[place(), place(location=None)]), "Locations[1].location"),
        ("Thing", thing(Locations=[place(location=SWAPPED)]), "Locations[0].location"),
        ("Thing", thing(Datastreams=[stream(unitOfMeasurement="°C")]), "Datastreams[0].unitOfMeasurement"),
        ("Thing", thing(Datastreams=[stream(Observations=[{}])]), "Datastreams[0].Observations[0]"),
        ("Datastream", stream(), "Datastream"),
        ("Datastream", stream(Thing=None), "Thing"),
        ("Observation", {"result": 1}, "Observation"),
        ("Observation", {"result": 2**63, **LINKED}, "result"),
        ("Observation", {"result": 1, "phenomenonTime": "yesterday", **LINKED}, "phenomenonTime"),
        ("Observation", {"result": 1, "phenomenonTime": 5, **LINKED}, "phenomenonTime"),
        ("Observation", {"result": 1, "resultTime": SPAN, **LINKED}, "resultTime"),
        ("Observation", {"result": 1, "validTime": REVERSED, **LINKED}, "validTime"),
        ("Observation", {"result": 1, "parameters": 5, **LINKED}, "parameters"),
        ("HistoricalLocation", {"time": DAY, "Thing": {"@iot.id": 1}, "Locations": []}, "HistoricalLocation"),
    ],
)  # fmt: skip
def test_mistakes_name_their_place(entity: str, body: Any, where: str) -> None:
    assert error(entity, body).where == where


def test_computed_attributes_and_echoed_links_are_not_taken() -> None:
    body = stream(
        Thing={"@iot.id": 1},
        observedArea={"type": "nonsense"},
        phenomenonTime="never",
        **{"@iot.selfLink": "x", "Observations@iot.navigationLink": "y"},
    )
    assert not {"observedArea", "phenomenonTime"} & set(plan("Datastream", body)[-1].values)


def test_too_many_and_too_deep_are_refused() -> None:
    with pytest.raises(LimitExceeded, match="ALLMENDE_DEEP_INSERT_MAX"):
        plan("Thing", thing(Locations=[place()] * 5), max_entities=5)
    body: dict[str, Any] = {"result": 1}
    for _ in range(300):
        body = {"result": 1, "Datastream": stream(Thing=thing(), Observations=[body])}
    with pytest.raises(InvalidInput):
        plan("Observation", body, max_entities=10_000)


@pytest.mark.parametrize(
    "geometry",
    [
        POINT,
        {"type": "Point", "coordinates": [11.58, 50.92, 155.0]},
        {"type": "LineString", "coordinates": [[11, 50], [12, 51]]},
        {"type": "Polygon", "coordinates": [[[11, 50], [12, 50], [12, 51], [11, 50]]]},
        {"type": "GeometryCollection", "geometries": [POINT]},
        {"type": "Feature", "geometry": POINT, "properties": {}},
        {"type": "Point", "coordinates": [180, -90]},
    ],
)
def test_geojson_that_is_taken(geometry: Any) -> None:
    check_geojson(geometry, "location")


@pytest.mark.parametrize(
    "geometry",
    [
        None,
        5,
        "POINT (11 50)",
        {},
        {"type": "Point"},
        {"type": "point", "coordinates": [11, 50]},
        {"type": "Point", "coordinates": []},
        {"type": "Point", "coordinates": [11]},
        {"type": "Point", "coordinates": ["11", "50"]},
        {"type": "Point", "coordinates": [[11, 50]]},
        {"type": "Point", "coordinates": [50.92, 111.58]},
        {"type": "Point", "coordinates": [1e400, 50]},
        {"type": "Polygon", "coordinates": [[[11, 50], [12, 50], [12, 51]]]},
        {"type": "Feature", "geometry": None, "properties": {}},
        {"type": "FeatureCollection", "features": []},
        {"type": 5},
    ],
)
def test_geojson_that_is_refused_with_its_place(geometry: Any) -> None:
    with pytest.raises(InvalidInput) as caught:
        check_geojson(geometry, "location")
    assert caught.value.where == "location"


def test_another_encoding_is_not_looked_into() -> None:
    made = plan("Location", place(encodingType="application/vnd.example", location="Löbdergraben 9"))
    assert made[0].values["location"] == '"Löbdergraben 9"'

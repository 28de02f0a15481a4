"""req/create-update-delete/create-entity: all eight entities, with their automatic parts."""

from typing import Any

import pytest

from allmende.domain import times
from allmende.domain.face import Request
from allmende.faces.sensorthings.face import answer
from tests.conformance.sensorthings.house import (
    GEOJSON,
    NOW,
    ROOT,
    WRITER,
    House,
    datastream,
    feature,
    location,
    observation,
    observed_property,
    sensor,
    thing,
)


@pytest.fixture
def furnished(house: House) -> House:
    """A thing 't' at a place with a stream 'd'."""
    stream = datastream(**{"@iot.id": "d"})
    house.post(
        "Things", thing(**{"@iot.id": "t", "Locations": [location(11, **{"@iot.id": "l"})], "Datastreams": [stream]})
    )
    return house


BODIES = {
    "Things": thing(properties={"a": 1}),
    "Locations": location(properties={"a": 1}),
    "HistoricalLocations": {"time": "2020-01-01T00:00:00Z", "Thing": {"@iot.id": "t"}, "Locations": [{"@iot.id": "l"}]},
    "Datastreams": datastream(Thing={"@iot.id": "t"}),
    "Sensors": sensor(metadata={"any": ["json"]}),
    "ObservedProperties": observed_property(),
    "Observations": observation(5, Datastream={"@iot.id": "d"}, parameters={"a": 1}, resultQuality=["good"]),
    "FeaturesOfInterest": feature(),
}


@pytest.mark.parametrize("name", sorted(BODIES))
@pytest.mark.parametrize("own", [None, "named", 77])
def test_what_is_created_is_where_location_says(furnished: House, name: str, own: Any) -> None:
    before = furnished.census()
    body = BODIES[name] if own is None else {**BODIES[name], "@iot.id": own}
    link = furnished.post(name, body)
    shown = furnished.follow(link)
    for key, value in BODIES[name].items():
        if key[0].islower():
            assert shown[key] == value or times.parse_interval(shown[key]) == times.parse_interval(value)
    assert isinstance(shown["@iot.id"], int) if own is None else shown["@iot.id"] == own
    assert shown["@iot.selfLink"] == link
    after = furnished.census()
    inner = {"Sensors", "ObservedProperties"} if name == "Datastreams" else set()
    inner |= {"FeaturesOfInterest"} if name == "Observations" else set()
    assert {n for n in after if after[n] != before[n]} == {name} | inner
    if own is not None:
        assert "already" in furnished.refuse(name, body, 409)


@pytest.mark.parametrize("name", sorted(BODIES))
def test_each_required_property_is_asked_for(furnished: House, name: str) -> None:
    optional = {"properties", "parameters", "resultQuality", "phenomenonTime"}
    for key in BODIES[name]:
        if key not in optional:
            body = {k: v for k, v in BODIES[name].items() if k != key}
            assert key in furnished.refuse(name, body)
    assert "colour" in furnished.refuse(name, {**BODIES[name], "colour": "red"})


def test_an_observation_without_a_time_is_of_now(furnished: House) -> None:
    furnished.post("Datastreams('d')/Observations", {"result": 1})
    (shown,) = furnished.get("Observations")["value"]
    assert shown["phenomenonTime"] == times.format_instant(NOW)
    assert shown["resultTime"] is None


def test_the_feature_of_interest_is_the_things_place(furnished: House) -> None:
    furnished.post("Datastreams('d')/Observations", observation(1))
    furnished.post("Datastreams('d')/Observations", observation(2, 1))
    (shown,) = furnished.get("FeaturesOfInterest")["value"]
    assert shown["feature"] == location(11)["location"]
    assert len(furnished.get(f"FeaturesOfInterest({shown['@iot.id']})/Observations")["value"]) == 2
    furnished.post("Things('t')/Locations", location(12))
    furnished.post("Datastreams('d')/Observations", observation(3, 2))
    assert (
        furnished.get("Observations", filter="result eq 3", expand="FeatureOfInterest")["value"][0][
            "FeatureOfInterest"
        ]["feature"]
        == location(12)["location"]
    )


def test_without_a_place_there_is_no_feature(house: House) -> None:
    house.post("Things", thing(Datastreams=[datastream(Observations=[observation(1)])]))
    number = house.get("Observations")["value"][0]["@iot.id"]
    house.error(f"Observations({number})/FeatureOfInterest", 404)
    assert house.get(f"Observations({number})", expand="FeatureOfInterest")["FeatureOfInterest"] is None


def test_a_stream_knows_its_extent(furnished: House) -> None:
    assert not {"observedArea", "phenomenonTime", "resultTime"} & set(furnished.get("Datastreams('d')")) - {
        "resultTime"
    }
    path = "Datastreams('d')/Observations"
    furnished.post(path, observation(1, 10, resultTime="2024-04-30T12:00:00Z"))
    assert furnished.get("Datastreams('d')")["observedArea"] == {"type": "Point", "coordinates": [11.0, 50.92]}
    span = "2024-04-30T09:00:00Z/2024-04-30T10:30:00Z"
    furnished.post(path, {"result": 2, "phenomenonTime": span, "FeatureOfInterest": feature(13)})
    shown = furnished.get("Datastreams('d')")
    assert shown["phenomenonTime"] == "2024-04-30T09:00:00.000Z/2024-04-30T10:30:00.000Z"
    assert shown["resultTime"].startswith("2024-04-30T12:00:00.000Z")
    assert shown["observedArea"]["type"] == "Polygon"
    assert [11.0, 50.92] in shown["observedArea"]["coordinates"][0]
    assert [13.0, 50.92] in shown["observedArea"]["coordinates"][0]


@pytest.mark.parametrize(
    ("body", "place"),
    [
        (observation(2**63), "result"),
        (observation(1, parameters=[]), "parameters"),
        (observation(1, resultTime="2016-12-31T23:59:60Z"), "leap second"),
        (observation(1, validTime="2024-01-02T00:00:00Z/2024-01-01T00:00:00Z"), "validTime"),
        ({"result": 1, "phenomenonTime": "2024-01-01T00:00:00"}, "phenomenonTime"),
        (observation(1, FeatureOfInterest={"@iot.id": "nobody"}), "FeatureOfInterest"),
        (observation(1, FeatureOfInterest=feature(200)), "FeatureOfInterest.feature"),
        (observation(1, Datastream={"@iot.id": "other"}), "Datastream"),
        (observation(1, **{"@iot.id": []}), "@iot.id"),
    ],
)
def test_mistakes_name_the_field_and_create_nothing(furnished: House, body: Any, place: str) -> None:
    assert place in furnished.refuse("Datastreams('d')/Observations", body)


def test_other_media_types_are_refused(house: House) -> None:

    for kind, status in (
        ("text/xml", 415),
        ("application/json; charset=utf-8", 201),
        ("", 201),
        ("Application/JSON", 201),
    ):
        request = Request(
            method="POST", path="Things", root=ROOT, reader=WRITER, now=NOW, content_type=kind,
            body=b'{"name":"a","description":"b"}',
        )  # fmt: skip
        assert answer(request, house.store, house.limits).status == status


@pytest.mark.parametrize("first", ["text/plain", GEOJSON])
def test_a_feature_of_interest_from_places_of_mixed_encodings(house: House, first: str) -> None:
    places = [location(encodingType="text/plain", location="at the bridge"), location(7)]
    streams = [datastream(**{"@iot.id": "d"})]
    house.post("Things", thing(Locations=places if first == "text/plain" else places[::-1], Datastreams=streams))
    link = house.post("Datastreams('d')/Observations", observation(1))
    made = house.follow(f"{link}/FeatureOfInterest")
    assert (made["encodingType"], made["feature"]) == (GEOJSON, location(7)["location"])
    assert house.get("Datastreams('d')")["observedArea"] == location(7)["location"]
    house.post("Datastreams('d')/Observations", observation(1, 1))
    assert house.census()["FeaturesOfInterest"] == 1


def test_a_feature_of_interest_from_another_encoding_alone(house: House) -> None:
    place = location(encodingType="text/plain", location="at the bridge")
    house.post("Things", thing(Locations=[place], Datastreams=[datastream(**{"@iot.id": "d"})]))
    link = house.post("Datastreams('d')/Observations", observation(1))
    assert house.follow(f"{link}/FeatureOfInterest")["feature"] == "at the bridge"


@pytest.mark.parametrize(
    ("observation_type", "result"),
    [
        ("OM_Measurement", "12"),
        ("OM_Measurement", True),
        ("OM_Measurement", [1]),
        ("OM_CountObservation", 1.5),
        ("OM_CountObservation", "1"),
        ("OM_TruthObservation", "true"),
        ("OM_TruthObservation", 2),
        ("OM_CategoryObservation", {"a": 1}),
    ],
)
def test_a_result_is_what_its_stream_says(house: House, observation_type: str, result: object) -> None:
    kind = f"http://www.opengis.net/def/observationType/OGC-OM/2.0/{observation_type}"
    reading = observation(result)
    message = house.refuse("Things", thing(Datastreams=[datastream(observationType=kind, Observations=[reading])]))
    assert message.startswith("Datastreams[0].Observations[0].result: ")
    assert observation_type in message
    null = observation(None, **{"@iot.id": 5})
    house.post("Things", thing(Datastreams=[datastream(observationType=kind, Observations=[null])]))
    assert observation_type in house.unchanged("PATCH", "Observations(5)", {"result": result})


@pytest.mark.parametrize("name", ["phenomenonTime", "resultTime"])
@pytest.mark.parametrize("moment", ["1799-12-31T23:59:59Z", "2024-05-01T12:00:01Z"])
def test_times_out_of_bounds(house: House, name: str, moment: str) -> None:
    house.post("Things", thing(Datastreams=[datastream(**{"@iot.id": "d", "Observations": [observation(1)]})]))
    assert name in house.refuse("Datastreams('d')/Observations", {"result": 1, name: moment})
    assert name in house.unchanged("PATCH", "Observations(1)", {name: moment})
    if name == "phenomenonTime":
        body = {
            "result": 1,
            name: f"2024-04-30T10:00:00Z/{moment}" if moment > "2" else f"{moment}/2024-04-30T10:00:00Z",
        }
        assert name in house.refuse("Datastreams('d')/Observations", body)
    house.post("Datastreams('d')/Observations", {"result": 1, "validTime": moment})

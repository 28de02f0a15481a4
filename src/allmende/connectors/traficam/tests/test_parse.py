"""What a camera sees becomes counts; people, ids and places are left behind."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from allmende.connectors.testing import (
    assert_sound,
    assert_withstands,
    captured,
    manifest_settings,
    payload,
    sample,
    values,
)
from allmende.connectors.traficam.parse import parse
from allmende.domain.connector import Source
from allmende.domain.records import Declaration, Parsed, Series
from allmende.domain.times import parse_instant

HERE = "allmende.connectors.traficam"
TOPIC = "5g/traficam/Felsenkeller"
SOUTH = {"camera": "Felsenkeller", "classes": [1], "heading": [90, 230], "faster": 7}


def source(**settings: Any) -> Source:
    known = {**manifest_settings(HERE), "watches": {"southbound-bicycles": SOUTH}, **settings}
    return Source(id="traficam", connector="traficam", dataset="traffic", settings=known)


SOURCE = source()
MESSAGES = msgspec.json.decode(sample(HERE, "messages-constructed.json"))
VIEW = MESSAGES[1]


def read(body: bytes, topic: str = TOPIC, given: Source = SOURCE) -> Parsed:
    return assert_sound(parse, payload(body, topic), given)


def view(given: Source = SOURCE, **changes: Any) -> Parsed:
    return read(msgspec.json.encode({**VIEW, **changes}), given=given)


def codes(parsed: Parsed) -> list[str]:
    return [rejection.code for rejection in parsed.rejections]


def test_captured_events_and_tracks() -> None:
    body = captured("payloads/traficam_events.json")
    parsed = read(body)
    assert values(parsed) == {
        "Felsenkeller~zone_1~occupied": [False, True, False, True],
        "Felsenkeller~7~passed": [1],
    }
    assert not parsed.rejections
    whole = repr(parsed)
    for word in ("103820", "50.92", "11.58", "7299", "heading", "worldX"):
        assert word in body.decode() or word == "worldX"
        assert word not in whole


def test_a_captured_view_in_the_first_instant_of_a_window_is_counted() -> None:
    messages = msgspec.json.decode(captured("payloads/traficam_events.json"))
    moved = {**messages[4], "time": "2023-09-04T11:56:24.029+02:00"}
    found = values(read(msgspec.json.encode(moved)))
    assert (found["Felsenkeller~7~count"], found["Felsenkeller~7~speed"]) == ([1], [55.58])
    assert found["Felsenkeller~5~count"] == [0]


def test_a_captured_set_of_a_window() -> None:
    parsed = read(captured("payloads/traffic_objects_karl.geojson"), "5g/traficam/Karl")
    found = values(parsed)
    assert (found["Karl~5~count"], found["Karl~5~speed"], found["Karl~0~count"]) == ([6], [10.21], [0])
    assert "31996" not in repr(parsed)
    assert "11.58" not in repr(parsed)


def test_a_view_is_counted_by_class_and_by_what_the_city_asks() -> None:
    parsed = view()
    found = values(parsed)
    assert found["Felsenkeller~1~count"] == [2]
    assert found["Felsenkeller~1~speed"] == [9.5]
    assert found["Felsenkeller~southbound-bicycles~count"] == [1]  # the other one is slower than 7 km/h
    times = {time for record in parsed.records if isinstance(record, Series) for time in record.times}
    assert times == {parse_instant("2023-09-04T09:56:24Z")}
    assert all(r.properties["retention"] == "volatile" for r in parsed.records if isinstance(r, Declaration))


def test_a_watch_is_of_its_camera_and_looks_across_north() -> None:
    assert "Other~southbound-bicycles~count" not in values(read(msgspec.json.encode(VIEW), "5g/traficam/Other"))
    north = {"classes": [5], "heading": [300, 60]}
    assert values(view(source(watches={"north": north})))["Felsenkeller~north~count"] == [1]


def test_later_messages_of_a_window_say_nothing_new() -> None:
    assert view(time="2023-09-04T11:56:24.150+02:00") == ([], [])
    assert values(view(time="2023-09-04T11:56:26.000+02:00"))


def test_nothing_in_view_is_zero() -> None:
    message = {key: value for key, value in VIEW.items() if key != "object"}
    found = values(read(msgspec.json.encode(message)))
    assert found["Felsenkeller~5~count"] == [0]
    assert "Felsenkeller~5~speed" not in found


def test_a_set_without_classes_is_of_the_topics_class() -> None:
    points = {"type": "GeometryCollection", "geometries": [{"type": "Point", "coordinates": [11.5, 50.9]}] * 2}
    found = values(read(msgspec.json.encode(points), "5g/traficam/Cam/0"))
    assert found == {"Cam~0~count": [2]}
    empty = {"type": "GeometryCollection", "geometries": []}
    assert values(read(msgspec.json.encode(empty), "5g/traficam/Cam/0")) == {"Cam~0~count": [0]}


def test_a_feature_without_properties_is_no_object() -> None:
    body = {"type": "FeatureCollection", "features": [{"properties": {"id": 1, "classId": 5}}, {"id": 2, "a": 1}]}
    assert codes(read(msgspec.json.encode(body))) == ["no-identity"]


def test_what_is_refused_is_kept_without_ids_and_places() -> None:
    bad = [{**VIEW["object"][0], "classId": "x"}, VIEW["object"][1]]
    [rejection] = view(object=bad).rejections
    for word in (b"900001", b"900002", b"50.92", b"11.58", b"80.3", b"lifeTime"):
        assert word not in rejection.body
    [unreadable] = read(msgspec.json.encode(VIEW)[:-30]).rejections
    assert unreadable.body == b""


def test_a_count_that_leaves_one_out_is_none() -> None:
    nameless = {key: value for key, value in VIEW["object"][0].items() if key != "id"}
    assert codes(view(object=[nameless, VIEW["object"][1]])) == ["no-identity"]
    assert values(view(object=[VIEW["object"][0]] * 2))["Felsenkeller~1~count"] == [1]
    silent = {key: value for key, value in VIEW["object"][0].items() if key != "gpsCoordinates"}
    found = values(view(object=[silent]))
    assert found["Felsenkeller~1~count"] == [1]
    assert "Felsenkeller~southbound-bicycles~count" not in found


def test_a_websocket_is_one_cameras() -> None:
    given = source(camera="Paradies")
    assert "Paradies~5~count" in values(read(msgspec.json.encode(VIEW), "wss://camera", given))
    assert codes(read(msgspec.json.encode(VIEW), "wss://camera")) == ["no-identity"]


@pytest.mark.parametrize("settings", [{"window": "soon"}, {"watches": {"x": {"clases": [1]}}}])
def test_settings_that_cannot_be_used_are_told(settings: dict[str, Any]) -> None:
    assert codes(view(source(**settings))) == ["bad-settings"]


def test_damaged_messages_end_in_rejections_or_in_the_same_values() -> None:
    body = sample(HERE, "messages-constructed.json")
    # 4.5 is a speed and a heading; a message without objects says that there are none
    unless = (": 4.5", "object left out")
    assert assert_withstands(parse, body, SOURCE, framing="json", name=TOPIC, unless=unless) > 100


def test_damaged_sets_end_in_rejections_or_in_the_same_values() -> None:
    body = sample(HERE, "window-constructed.json")
    # an empty set says that there are none; another id is another object; 4.5 is a speed
    unless = ("features: []", "properties/id:", ": 4.5")
    assert assert_withstands(parse, body, SOURCE, framing="json", name=TOPIC, unless=unless) > 100


@given(st.binary(max_size=60))
def test_any_bytes_end_in_a_rejection(body: bytes) -> None:
    read(body)


_values = st.none() | st.integers(-1, 9) | st.text("1x", max_size=2)


@given(st.lists(st.dictionaries(st.sampled_from(["id", "classId", "speed"]), _values), max_size=3))
def test_any_objects_are_counted_or_refused(objects: list[dict[str, object]]) -> None:
    view(object=objects)

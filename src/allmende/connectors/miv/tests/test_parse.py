"""Vehicles become counts, and nothing of them is left."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from allmende.connectors.miv.parse import parse
from allmende.connectors.testing import (
    RECEIVED_AT,
    assert_sound,
    assert_withstands,
    manifest_settings,
    payload,
    sample,
    values,
)
from allmende.domain.connector import Source
from allmende.domain.records import Declaration, Parsed, Series

HERE = "allmende.connectors.miv"
EFD = "5g/miv/efd"
SOURCE = Source(id="miv", connector="miv", dataset="traffic", settings=manifest_settings(HERE))
VEHICLES = msgspec.json.decode(sample(HERE, "efd-constructed.json"))
OF_SOMEBODY = ("4711", "4712", "4713", "50.921", "11.581", "4.2", "11.0")


def read(body: bytes, topic: str = EFD) -> Parsed:
    return assert_sound(parse, payload(body, topic), SOURCE)


def codes(parsed: Parsed) -> list[str]:
    return [rejection.code for rejection in parsed.rejections]


def test_a_second_of_vehicles() -> None:
    parsed = read(sample(HERE, "efd-constructed.json"))
    found = values(parsed)
    assert found["miv~vehicles~count"] == [3]
    assert found["miv~vehicles~speed"] == [31.33]
    assert found["miv~car~count"] == [2]
    assert found["miv~bus~count"] == [0]
    assert found["miv~vehicles~by-turn"] == [{"car": [1, 0, 1], "lorry": [1, 0, 0]}]
    assert {time for r in parsed.records if isinstance(r, Series) for time in r.times} == {RECEIVED_AT}
    assert all(r.properties["retention"] == "volatile" for r in parsed.records if isinstance(r, Declaration))


def test_nothing_of_a_vehicle_is_kept_taken_or_refused() -> None:
    kept = repr(read(sample(HERE, "efd-constructed.json")))
    refused = repr(read(msgspec.json.encode([*VEHICLES, {**VEHICLES[0], "id": 4714, "class": 99}])))
    unreadable = repr(read(sample(HERE, "efd-constructed.json")[:-20]))
    for word in OF_SOMEBODY:
        assert word not in kept
        assert word not in refused
        assert word not in unreadable
    assert "bad-vehicle" in refused


def test_an_empty_second_is_zero_vehicles_and_no_speed() -> None:
    found = values(read(b"[]"))
    assert found["miv~vehicles~count"] == [0]
    assert "miv~vehicles~speed" not in found


@pytest.mark.parametrize(
    "change", [{"class": 9}, {"class": 0}, {"turn": 3}, {"speed": -1}, {"speed": "fast"}, {"turn": None}]
)
def test_a_vehicle_that_cannot_be_read_refuses_its_second(change: dict[str, object]) -> None:
    parsed = read(msgspec.json.encode([VEHICLES[1], {**VEHICLES[0], **change}]))
    assert not parsed.records
    assert codes(parsed) in (["bad-vehicle"], ["bad-value"])


def test_a_vehicle_that_is_there_twice_counts_once() -> None:
    assert values(read(msgspec.json.encode([*VEHICLES, *VEHICLES])))["miv~vehicles~count"] == [3]
    assert codes(read(msgspec.json.encode([*VEHICLES, {"class": 2, "turn": 0, "speed": 3}]))) == ["no-identity"]


@pytest.mark.parametrize(
    ("topic", "body", "expected"),
    [
        ("los", b"3", {"miv-12~los": [3]}),
        ("los", b"0", {}),  # not known is no reading
        ("speed", b"31.5", {"miv-12~speed": [31.5]}),
        ("ltj", b"40", {"miv-12~ltj": [40.0]}),
        ("volume", b'"620"', {"miv-12~volume": [620.0]}),
    ],
)
def test_areas(topic: str, body: bytes, expected: dict[str, list[object]]) -> None:
    parsed = read(body, f"5g/miv/vb/12/{topic}")
    assert values(parsed) == expected
    assert not parsed.rejections
    assert len([record for record in parsed.records if isinstance(record, Declaration)]) == 1


@pytest.mark.parametrize(
    ("topic", "body"), [("vb/12/los", b"7"), ("vb/12/los", b"2.5"), ("vb/12/speed", b"x"), ("vb/12/new", b"1")]
)
def test_what_is_not_taken(topic: str, body: bytes) -> None:
    assert len(read(body, f"5g/miv/{topic}").rejections) == 1


def test_damaged_seconds_end_in_rejections_or_in_the_same_values() -> None:
    # an empty list says that there is no vehicle
    body = sample(HERE, "efd-constructed.json")
    assert assert_withstands(parse, body, SOURCE, name=EFD, unless=("nothing but []",)) > 100


def test_damaged_levels() -> None:
    assert assert_withstands(parse, sample(HERE, "los-constructed.json"), SOURCE, name="5g/miv/vb/12/los") > 10


@given(st.binary(max_size=60))
def test_any_bytes_end_in_a_rejection(body: bytes) -> None:
    read(body)


_values = st.none() | st.integers(0, 9) | st.text("1x", max_size=2)
_keys = st.sampled_from(["id", "class", "turn", "speed", "pos"])


@given(st.lists(st.dictionaries(_keys, _values), max_size=4))
def test_any_vehicles_are_counted_or_refused(vehicles: list[dict[str, object]]) -> None:
    read(msgspec.json.encode(vehicles))

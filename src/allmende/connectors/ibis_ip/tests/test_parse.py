"""Vehicles of public transport: what passengers want to know, and nothing of who drives."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from allmende.connectors.ibis_ip.parse import parse
from allmende.connectors.testing import (
    assert_sound,
    assert_withstands,
    captured,
    manifest_settings,
    payload,
    sample,
    values,
)
from allmende.domain.connector import Source
from allmende.domain.records import Declaration, Parsed, Series
from allmende.domain.times import parse_instant

HERE = "allmende.connectors.ibis_ip"
TOPIC = "5g/ibis/bus/bus359/CustomerInformationService"
SOURCE = Source(
    id="ibis", connector="ibis_ip", dataset="transit", time_zone="Europe/Berlin", settings=manifest_settings(HERE)
)
LATER = parse_instant("2026-01-07T10:08:00Z")
SAMPLES = ("stop-constructed.json", "position-constructed.json", "trip-constructed.xml")


def read(body: bytes, topic: str = TOPIC) -> Parsed:
    return assert_sound(parse, payload(body, topic), SOURCE)


def codes(parsed: Parsed) -> list[str]:
    return [rejection.code for rejection in parsed.rejections]


def times(parsed: Parsed) -> set[int]:
    return {time for record in parsed.records if isinstance(record, Series) for time in record.times}


def test_the_captured_vehicle() -> None:
    body = captured("payloads/ibis_ip_customer_information.xml")
    parsed = read(body, "file.xml")
    assert values(parsed) == {
        "vehicle-15202~trip~line": ["15"],
        "vehicle-15202~trip~destination": ["Rautal"],
        "vehicle-15202~stop~ref": ["1018"],
        "vehicle-15202~stop~name": ["Stadtzentrum"],
        "vehicle-15202~vehicle~doors": ["AllDoorsClosed"],
        "vehicle-15202~vehicle~route": ["onroute"],
        "vehicle-15202~trip~location-state": ["BetweenStop"],
        "vehicle-15202~trip~delay": [3],
        "vehicle-15202~vehicle~stop-requested": [False],
    }
    assert times(parsed) == {parse_instant("2023-03-14T12:16:10+01:00")}
    for word in ("15300", "70546"):  # run and trip
        assert word in body.decode()
        assert word not in repr(parsed)


def test_a_stop_as_json_with_a_literal_zone() -> None:
    parsed = read(sample(HERE, "stop-constructed.json"))
    assert values(parsed) == {
        "bus359~trip~line": ["N11"],
        "bus359~trip~destination": ["Stadtzentrum"],
        "bus359~stop~ref": ["de:16053:4003"],
        "bus359~stop~name": ["Westbahnhofstraße"],
        "bus359~trip~delay": [90],  # expected against planned
    }
    assert times(parsed) == {parse_instant("2026-01-07T10:07:08+01:00")}


def test_a_position_without_speed_and_heading() -> None:
    parsed = read(sample(HERE, "position-constructed.json"))
    assert values(parsed) == {
        "bus359~admin~location": [{"type": "Point", "coordinates": [11.5812, 50.92712]}],
    }
    assert times(parsed) == {parse_instant("2026-01-07T10:07:08Z")}
    [declared] = [record for record in parsed.records if isinstance(record, Declaration)]
    assert declared.properties["retention"] == "volatile"
    assert "41.5" not in repr(parsed)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"Latitude": {"Degree": 0}, "Longitude": {"Degree": 0}}, "no-value"),
        ({"Latitude": {"Degree": 91}}, "bad-position"),
        ({"Latitude": {"Degree": 50, "Direction": "up"}}, "bad-position"),
        ({"Time": None}, "no-time"),
    ],
)
def test_a_position_that_is_none(change: dict[str, object], code: str) -> None:
    whole = msgspec.json.decode(sample(HERE, "position-constructed.json"))
    assert codes(read(msgspec.json.encode({**whole, **change}))) == [code]


def test_what_is_refused_says_nothing_of_the_driver() -> None:
    body = sample(HERE, "trip-constructed.xml").replace(b"<Value>-20</Value>", b"<Value>late</Value>")
    [rejection] = read(body).rejections
    assert rejection.code == "bad-value"
    for word in (b"15300", b"70546", b"InPanic"):
        assert word in body
        assert word not in rejection.body
    assert read(sample(HERE, "trip-constructed.xml")[:-40]).rejections[0].body == b""


def test_a_value_that_cannot_be_read_takes_no_other_along() -> None:
    body = sample(HERE, "trip-constructed.xml")
    whole = values(read(body))
    damaged = body.replace(b"<Value>-20</Value>", b"<Value>late</Value>")
    damaged = damaged.replace(b"Requested><Value>true<", b"Requested><Value>perhaps<")
    parsed = read(damaged)
    assert [rejection.where for rejection in parsed.rejections] == ["trip~delay", "vehicle~stop-requested"]
    kept = {name: found for name, found in whole.items() if "delay" not in name and "requested" not in name}
    assert values(parsed) == kept
    assert len(kept) > 3


def test_a_stop_that_is_none_of_the_trip_takes_no_other_along() -> None:
    body = captured("payloads/ibis_ip_customer_information.xml")
    parsed = read(body.replace(b"<CurrentStopIndex><Value>3<", b"<CurrentStopIndex><Value>99<"), "file.xml")
    assert [(rejection.code, rejection.where) for rejection in parsed.rejections] == [("bad-value", "stop")]
    assert values(parsed)["vehicle-15202~trip~delay"] == [3]
    assert "vehicle-15202~stop~ref" not in values(parsed)


@pytest.mark.parametrize("kind", ["TicketValidationService#//RazziaData", "x#//CurrentAnnouncementResponse"])
def test_what_is_not_taken_gives_neither_reading_nor_rejection(kind: str) -> None:
    body = {"eClass": kind, "Data": {"TimeStamp": {"Value": "2026-01-07T10:07:08Z"}, "RazziaState": "razzia"}}
    assert read(msgspec.json.encode(body)) == ((), ())


def test_no_ref_is_none() -> None:
    body = sample(HERE, "stop-constructed.json").replace(b"de:16053:4003", b"noRef")
    assert "bus359~stop~ref" not in values(read(body))


@pytest.mark.parametrize("name", SAMPLES)
def test_damaged_messages_end_in_rejections_or_in_the_same_values(name: str) -> None:
    assert assert_withstands(parse, sample(HERE, name), SOURCE, name=TOPIC, received_at=LATER) > 100


def test_a_document_with_a_dtd_is_refused() -> None:
    assert codes(read(b'<!DOCTYPE a [<!ENTITY b "c">]><a><TimeStamp>&b;</TimeStamp></a>')) == ["unreadable"]


@given(st.binary(max_size=60))
def test_any_bytes_end_in_a_rejection(body: bytes) -> None:
    read(body)


@given(st.sampled_from(SAMPLES), st.integers(0, 3000), st.integers(0, 30), st.binary(max_size=6))
def test_damaged_samples_are_never_an_error(name: str, at: int, length: int, put: bytes) -> None:
    body = sample(HERE, name)
    at %= len(body)
    read(body[:at] + put + body[at + length :])

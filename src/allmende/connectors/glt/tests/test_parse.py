"""Points of a site."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from allmende.connectors.glt.parse import parse
from allmende.connectors.testing import assert_sound, assert_withstands, manifest_settings, payload, sample, values
from allmende.domain.connector import Source
from allmende.domain.records import Declaration, Parsed, Position
from allmende.domain.times import parse_instant

HERE = "allmende.connectors.glt"
RECEIVED_AT = parse_instant("2026-01-07T09:10:00Z")
SITE = sample(HERE, "site-constructed.json")


def source(**settings: Any) -> Source:
    return Source(id="glt", connector="glt", dataset="buildings", settings={**manifest_settings(HERE), **settings})


SOURCE = source()


def read(body: bytes, given: Source = SOURCE) -> Parsed:
    return assert_sound(parse, payload(body), given)


def site(log: dict[str, Any]) -> Parsed:
    whole = msgspec.json.decode(SITE)
    whole["datalogs"][0] |= log
    return read(msgspec.json.encode(whole))


def codes(parsed: Parsed) -> list[str]:
    return [rejection.code for rejection in parsed.rejections]


def declared(parsed: Parsed) -> dict[str, Declaration]:
    return {record.stream: record for record in parsed.records if isinstance(record, Declaration)}


def test_a_site_with_its_points() -> None:
    parsed = read(SITE)
    assert values(parsed) == {"065~17170438~value": [8.82, 8.91], "065~17170439~value": [1.0]}
    found = declared(parsed)["065~17170438~value"]
    assert (found.name, found.unit.name) == ("Mustergebäude: Außentemperatur", "not stated")
    assert found.thing.position == Position(11.5834, 50.9287)
    assert found.properties["pointNumber"] == 6


def test_the_city_says_what_a_point_is() -> None:
    given = source(points={"065/17170438": {"property": "air-temperature", "unit": "Cel"}})
    found = declared(read(SITE, given))["065~17170438~value"]
    assert (found.observed_property.id, found.unit.symbol, found.high) == ("air-temperature", "Cel", 60)


@pytest.mark.parametrize("log", [{"isError": True}, {"isUnknown": True}])
def test_values_that_the_host_does_not_stand_by_are_none(log: dict[str, Any]) -> None:
    parsed = site(log)
    assert codes(parsed) == ["device-says-invalid"]
    assert list(values(parsed)) == ["065~17170439~value"]


@pytest.mark.parametrize(
    ("log", "kept", "code"),
    [
        ({"entriesV": [8.82, None]}, [8.82], []),
        ({"entriesV": [8.82, "warm"]}, [8.82], ["bad-value"]),
        ({"entriesT": ["2026-01-07T09:50:00", "2026-01-07T10:00:00.000+01:00"]}, [8.91], ["bad-time"]),
        ({"entriesV": [8.82]}, None, ["bad-entries"]),
        ({"id": "x"}, None, ["bad-value"]),
    ],
)
def test_one_takes_nothing_from_the_others(log: dict[str, Any], kept: list[float] | None, code: list[str]) -> None:
    parsed = site(log)
    assert values(parsed).get("065~17170438~value") == kept
    assert values(parsed)["065~17170439~value"] == [1.0]
    assert codes(parsed) == code


def test_comments_of_people_are_kept_nowhere() -> None:
    assert "Muster, Erika" not in repr(site({"comments": [{"author": "Muster, Erika"}], "entriesV": [1, "x"]}))


def test_a_site_without_a_place_has_none() -> None:
    whole = msgspec.json.decode(SITE)
    del whole["site"]["lon"]
    parsed = read(msgspec.json.encode(whole))
    assert all(found.thing.position is None for found in declared(parsed).values())


def test_damaged_answers_end_in_rejections_or_in_the_same_values() -> None:
    assert assert_withstands(parse, SITE, SOURCE, received_at=RECEIVED_AT) > 100


@given(st.binary(max_size=60))
def test_any_bytes_end_in_a_rejection(body: bytes) -> None:
    read(body)

"""Reports of an area: what is somebody's stays away, what is damp is flagged."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from allmende.connectors.sensor_community.parse import parse
from allmende.connectors.testing import assert_sound, assert_withstands, manifest_settings, payload, sample, values
from allmende.domain.connector import Source
from allmende.domain.records import Declaration, Position, Series
from allmende.domain.times import parse_instant

HERE = "allmende.connectors.sensor_community"
AREA = sample(HERE, "area-constructed.json")
SOURCE = Source(id="sc", connector="sensor_community", dataset="air", settings=manifest_settings(HERE))


def flags(parsed: object) -> dict[str, list[str] | None]:
    return {record.stream: record.flags for record in parsed.records if isinstance(record, Series)}  # type: ignore[attr-defined]


def test_values_come_by_sensor_and_rooms_stay_out() -> None:
    parsed = assert_sound(parse, payload(AREA), SOURCE)
    found = values(parsed)
    assert found["sc-9001~particulate-matter-10"] == [14.3]
    assert found["sc-9003~air-pressure"] == [99810.25]
    assert not any(stream.startswith("sc-9005") for stream in found)
    assert not parsed.rejections
    series = next(record for record in parsed.records if isinstance(record, Series))
    assert series.times == [parse_instant("2024-11-20T05:02:11Z")]


def test_dust_in_damp_air_and_a_stuck_sensor_are_flagged() -> None:
    found = flags(parse(payload(AREA), SOURCE))
    assert found["sc-9001~particulate-matter-10"] == ["humid-air"]
    assert found["sc-9002~air-humidity"] == ["saturated"]
    assert found["sc-9004~particulate-matter-10"] is None


def test_an_exact_place_becomes_coarse_and_no_rejection_keeps_it() -> None:
    body = AREA.replace(b'"14.30"', b'"much"')
    parsed = assert_sound(parse, payload(body), SOURCE)
    places = {r.thing.position for r in parsed.records if isinstance(r, Declaration) and r.thing.id == "sc-9001"}
    assert places == {Position(11.589, 50.928)}
    [rejection] = parsed.rejections
    assert b"50.92837" not in rejection.body
    assert (rejection.code, rejection.where) == ("bad-number", "[0], 'P1'")


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        (b'"2024-11-20 05:02:11"', b'"yesterday"', "bad-time"),
        (b'"value_type": "P1"', b'"value_type": "P9"', "unknown-quantity"),
        (b'"id": 9001, ', b"", "bad-number"),
    ],
)
def test_what_cannot_be_read_is_told(old: bytes, new: bytes, code: str) -> None:
    parsed = assert_sound(parse, payload(AREA.replace(old, new, 1)), SOURCE)
    assert [rejection.code for rejection in parsed.rejections] == [code]


def test_what_stands_twice_is_one_reading_for_the_store() -> None:
    reports = msgspec.json.decode(AREA)
    parsed = parse(payload(msgspec.json.encode([*reports, *reports])), SOURCE)
    [series] = [r for r in parsed.records if isinstance(r, Series) and r.stream == "sc-9003~air-pressure"]
    assert len(set(zip(series.times, series.results, strict=True))) == 1  # type: ignore[arg-type]


def test_it_withstands_what_damages_a_document() -> None:
    # the service writes numbers as text, and some as numbers: 4.5 may be a value
    assert assert_withstands(parse, AREA, SOURCE, unless=["/value: 4.5"]) > 100


@given(st.binary(max_size=200))
def test_any_bytes_end_in_a_rejection_or_nothing(body: bytes) -> None:
    assert_sound(parse, payload(body), SOURCE)

"""Frames of air boxes: what they call invalid is no value."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from allmende.connectors.icesensor.parse import parse
from allmende.connectors.testing import (
    assert_sound,
    assert_withstands,
    captured,
    manifest_settings,
    payload,
    readings,
    sample,
    values,
)
from allmende.domain.connector import Source
from allmende.domain.records import Declaration, Parsed, Position, Series

HERE = "allmende.connectors.icesensor"
SOURCE = Source(id="icesensor", connector="icesensor", dataset="air", settings=manifest_settings(HERE))
FRAME = sample(HERE, "frame-constructed.json")
BOX = "ICE-CONSTRUCTED-1"


def read(body: bytes) -> Parsed:
    return assert_sound(parse, payload(body), SOURCE)


def box(**data: Any) -> Parsed:
    [whole] = msgspec.json.decode(FRAME)
    quantities = {key: {**whole["data"]["no2-ugm3"], **entry} for key, entry in data.items()}
    return read(msgspec.json.encode({**whole, "data": quantities}))


def codes(parsed: Parsed) -> list[str]:
    return [rejection.code for rejection in parsed.rejections]


def test_the_captured_frame() -> None:
    parsed = read(captured("payloads/icesensor_air_quality.json"))
    found = values(parsed)
    assert found["ICE-025-049-000-001~no2ugm3~avg"] == [87.9]
    assert found["ICE-025-049-000-002~_2_5p~avg"] == [16.9]
    assert found["ICE-025-049-000-004~aqi_criteria~avg"] == ["PM₂.₅ - 24h average"]
    # four boxes, twelve quantities of three values and a text; two of them call ozone invalid
    assert readings(parsed) == 4 * (12 * 3 + 1) - 2 * 3
    assert [(r.code, r.where) for r in parsed.rejections] == [
        ("device-says-invalid", "ICE-025-049-000-003, o3-ugm3"),
        ("device-says-invalid", "ICE-025-049-000-004, o3-ugm3"),
    ]
    assert "ICE-025-049-000-003~o3ugm3~avg" not in found
    declared = {record.stream: record for record in parsed.records if isinstance(record, Declaration)}
    pressure = declared["ICE-025-049-000-001~pressure~avg"]
    assert (pressure.unit.symbol, pressure.observed_property.id) == ("hPa", "air-pressure")
    assert pressure.thing.position == Position(11.60392726, 50.93115286)
    times = {time for r in parsed.records if isinstance(r, Series) and "001~" in r.stream for time in r.times}
    assert times == {1661504808000000}


@pytest.mark.parametrize(
    ("entry", "code"),
    [
        ({"validity": 4}, "device-says-invalid"),
        ({"validity": None}, "bad-value"),
        ({"avg": None}, "no-value"),
        ({"avg": "n/a"}, "bad-value"),
        ({"created_at": 1661504808000}, "bad-time"),
    ],
)
def test_a_value_that_is_none_takes_nothing_from_the_others(entry: dict[str, object], code: str) -> None:
    parsed = box(**{"o3-ugm3": entry, "humidity": {"avg": 40.0, "min": None, "max": None}})
    assert values(parsed) == {f"{BOX}~humidity~avg": [40.0]}
    assert codes(parsed) == [code]


def test_an_unknown_quantity_is_told() -> None:
    assert codes(box(radon={})) == ["unknown-quantity"]


@pytest.mark.parametrize("coords", [None, {}, {"latitude": 0, "longitude": 0}, {"latitude": 91, "longitude": 3}])
def test_a_box_without_a_place_has_none(coords: object) -> None:
    [whole] = msgspec.json.decode(FRAME)
    parsed = read(msgspec.json.encode({**whole, "coords": coords}))
    assert all(r.thing.position is None for r in parsed.records if isinstance(r, Declaration))


def test_damaged_frames_end_in_rejections_or_in_the_same_values() -> None:
    # the signs of the text are other ones then, and nothing tells
    assert assert_withstands(parse, FRAME, SOURCE, unless=("Latin-1",)) > 100


@given(st.binary(max_size=60))
def test_any_bytes_end_in_a_rejection(body: bytes) -> None:
    read(body)

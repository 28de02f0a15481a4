"""Uplinks of The Things Network, raw bytes among them."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from allmende.connectors.testing import assert_sound, assert_withstands, manifest_settings, payload, sample, values
from allmende.connectors.ttn.parse import parse
from allmende.domain.connector import Source
from allmende.domain.records import Declaration, Parsed, Position, Series

HERE = "allmende.connectors.ttn"
TOPIC = "v3/constructed@ttn/devices/x/up"
LINES = sample(HERE, "uplinks-constructed.ndjson").splitlines()
PROBE = {
    "names": ["acme probe-1"],
    "quantities": {"bat": "battery-voltage", "temp": "air-temperature"},
    "decoder": [
        {"key": "bat", "at": 0, "type": "u16", "scale": 0.001},
        {"key": "temp", "at": 2, "type": "i16", "scale": 0.01, "absent": 32767},
    ],
}


def source(**settings: Any) -> Source:
    known = {"families": {"Probe": PROBE}, **manifest_settings(HERE), **settings}
    return Source(id="ttn", connector="ttn", dataset="lorawan", settings=known)


SOURCE = source()


def uplink(place: int = 0, **more: Any) -> bytes:
    message = msgspec.json.decode(LINES[place])
    message["uplink_message"] |= more
    return msgspec.json.encode(message)


def read(body: bytes, given: Source = SOURCE, topic: str = TOPIC) -> Parsed:
    return assert_sound(parse, payload(body, topic), given)


def codes(parsed: Parsed) -> list[str]:
    return [rejection.code for rejection in parsed.rejections]


def test_every_family_of_the_city_is_read() -> None:
    found: dict[str, list[object]] = {}
    for line in LINES:
        parsed = read(line)
        assert not parsed.rejections
        found |= values(parsed)
    assert found == {
        "00000000000000b1~noise-level": [54.0],
        "00000000000000b1~battery-level": [86.0],
        "00000000000000b1~device-temperature": [31.0],
        "00000000000000b2~battery-voltage": [3.41],
        "00000000000000b2~soil-temperature": [18.2],
        "00000000000000b2~soil-moisture": [22.1],
        "00000000000000b2~soil-conductivity": [120.0],
        "00000000000000b3~battery-voltage": [3.3],
        "00000000000000b3~ph": [6.51],
        "00000000000000b3~soil-temperature": [13.2],
        "00000000000000b6~air-temperature": [21.5],
        "00000000000000b6~air-humidity": [40.0],
        "00000000000000b4~distance": [812.0],
        "00000000000000b4~battery-level": [97.0],
        "00000000000000b4~device-position": ["normal"],
        "00000000000000b5~battery-voltage": [3.377],
        "00000000000000b5~air-temperature": [17.99],
    }


@pytest.mark.parametrize("place", range(len(LINES)))
def test_damaged_uplinks_end_in_rejections_or_in_the_same_values(place: int) -> None:
    # 4.5 is a number as good as "18.20"
    assert assert_withstands(parse, LINES[place], SOURCE, framing="json", name=TOPIC, unless=(": 4.5",)) > 100


def test_neither_gateway_nor_radio_is_kept() -> None:
    parsed = read(LINES[0])
    declared = [record for record in parsed.records if isinstance(record, Declaration)]
    assert all(found.thing.position is None for found in declared)
    assert "gateway" not in repr(parsed).lower()
    assert "11.5" not in repr(parsed.records)


@pytest.mark.parametrize("name", ["00000000000000b1", "noise-01"])
def test_the_register_knows_a_device_by_eui_or_id(name: str) -> None:
    parsed = read(LINES[0], source(positions={name: {"lon": 11.6, "lat": 50.9, "source": "a register"}}))
    found = next(record for record in parsed.records if isinstance(record, Declaration)).thing
    assert (found.position, found.properties["position"]) == (Position(11.6, 50.9), {"source": "a register"})


def test_a_table_beside_the_profile_may_use_device_ids() -> None:
    given = msgspec.structs.replace(
        source(positions_table="r.csv"), tables={"r.csv": b"device_id,lon,lat\nnoise-01,11.6,50.9\n"}
    )
    found = next(record for record in read(LINES[0], given).records if isinstance(record, Declaration))
    assert found.thing.position == Position(11.6, 50.9)


def test_a_city_may_name_things_as_its_console_does_and_give_a_device_its_family() -> None:
    given = source(identity="device-id", devices={"noise-01": "TTN thermometer"})
    parsed = read(uplink(decoded_payload={"temperature": 4, "decibel": 50}), given)
    assert values(parsed) == {"noise-01~air-temperature": [4.0]}
    assert codes(parsed) == ["unknown-quantity"]


@pytest.mark.parametrize(
    ("data", "code"),
    [("", None), (None, None), ("DTE=", "short-data"), ("?", "bad-data"), (5, "bad-data"), ("DTF//w==", None)],
)
def test_raw_bytes_that_do_not_fit(data: object, code: str | None) -> None:
    parsed = read(uplink(5, frm_payload=data))
    assert codes(parsed) == ([code] if code else [])


def test_a_value_that_stands_for_none_is_none() -> None:
    assert values(read(uplink(5, frm_payload="DTF//w=="))) == {"00000000000000b5~battery-voltage": [3.377]}


@pytest.mark.parametrize(
    ("field", "hexadecimal", "expected"),
    [
        ({"type": "u16", "mask": 0x3FFF}, "cd31", 0x0D31),
        ({"type": "u8", "mask": 0xF0, "shift": 4}, "5a", 5),
        ({"type": "i8"}, "ff", -1),
        ({"type": "u16le"}, "310d", 0x0D31),
        ({"type": "i24"}, "fffffe", -2),
        ({"type": "u24le"}, "010000", 1),
        ({"type": "i32", "scale": 0.1}, "ffffff9c", -10.0),
        ({"type": "f32"}, "41480000", 12.5),
        ({"type": "u8", "at": -1}, "0a0b0c", 12),
        ({"type": "u8", "scale": 2, "add": -40}, "30", 56),
    ],
)
def test_the_decoder_reads_every_type(field: dict[str, Any], hexadecimal: str, expected: float) -> None:
    family = {"names": ["acme probe-1"], "quantities": {"v": "distance"}, "decoder": [{"key": "v", "at": 0, **field}]}
    data = msgspec.json.decode(msgspec.json.encode(bytes.fromhex(hexadecimal)))
    parsed = read(uplink(5, frm_payload=data), source(families={"Probe": family}))
    assert values(parsed) == {"00000000000000b5~distance": [expected]}


@pytest.mark.parametrize(
    "decoder",
    [[{"key": "v", "at": 0, "type": "u17"}], [{"key": "v"}], "x", [{"key": "v", "at": 0, "type": "u8", "x": 1}]],
)
def test_a_decoder_that_cannot_be_used_is_told(decoder: object) -> None:
    family = {"names": ["acme probe-1"], "quantities": {"v": "distance"}, "decoder": decoder}
    assert codes(read(LINES[5], source(families={"Probe": family}))) == ["bad-family"]


def test_an_unknown_device_is_kept_and_replayed_once_it_is_configured() -> None:
    parsed = read(uplink(decoded_payload={"odd": 7}))
    assert codes(parsed) == ["unknown-family"]
    known = source(families={"Odd": {"keys": ["odd"], "quantities": {"odd": "distance"}}})
    assert values(read(parsed.rejections[0].body, known)) == {"00000000000000b1~distance": [7.0]}


def test_what_a_console_made_up_is_no_measurement() -> None:
    assert codes(read(msgspec.json.encode({**msgspec.json.decode(LINES[0]), "simulated": True}))) == ["simulated"]


@pytest.mark.parametrize("event", ["join", "down/queued", "down/ack", "location/solved", "service/data"])
def test_other_events_are_no_readings_and_no_rejections(event: str) -> None:
    assert read(LINES[0], topic=f"v3/a@ttn/devices/x/{event}") == ((), ())


@pytest.mark.parametrize("key", ["join_accept", "downlink_queued", "location_solved"])
def test_other_events_are_known_in_a_file_too(key: str) -> None:
    ids = msgspec.json.decode(LINES[0])["end_device_ids"]
    assert read(msgspec.json.encode({"end_device_ids": ids, key: {}}), topic="events.ndjson") == ((), ())


def test_times_are_the_networks() -> None:
    times = {time for record in read(LINES[0]).records if isinstance(record, Series) for time in record.times}
    assert times == {1752497569129123}


@given(st.binary(max_size=100))
def test_any_bytes_end_in_a_rejection(body: bytes) -> None:
    read(body)


_values = st.none() | st.booleans() | st.floats() | st.text("1.eN ", max_size=4)


@given(st.dictionaries(st.sampled_from(["decibel", "battery", "x"]), _values))
def test_any_values_are_readings_or_rejections(decoded: dict[str, Any]) -> None:
    read(uplink(decoded_payload={**decoded, "status": 0}))

"""Uplinks by configuration: captured, constructed, damaged."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from allmende.connectors.chirpstack.parse import parse
from allmende.connectors.lorawan.families import bundled
from allmende.connectors.properties import catalogue
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
from allmende.domain.connector import Source, ThingFacts
from allmende.domain.records import Declaration, Parsed, Position, Series
from allmende.domain.times import parse_instant

HERE = "allmende.connectors.chirpstack"
TOPIC = "application/x/device/0/event/up"
EUI = "00000000000000a1"


def source(**settings: Any) -> Source:
    return Source(
        id="chirpstack", connector="chirpstack", dataset="lorawan", settings={**manifest_settings(HERE), **settings}
    )


SOURCE = source()
UPLINKS = [msgspec.json.decode(line) for line in sample(HERE, "uplinks-constructed.ndjson").splitlines()]


def uplink(decoded: Any, profile: str = "SN50v3-LB/LS", **more: Any) -> bytes:
    info = {**UPLINKS[0]["deviceInfo"], "deviceProfileName": profile}
    return msgspec.json.encode({**UPLINKS[0], "deviceInfo": info, "object": decoded, **more})


def read(body: bytes, given: Source = SOURCE) -> Parsed:
    return assert_sound(parse, payload(body, TOPIC), given)


def codes(parsed: Parsed) -> list[str]:
    return [rejection.code for rejection in parsed.rejections]


def declared(parsed: Parsed) -> dict[str, Declaration]:
    return {record.stream: record for record in parsed.records if isinstance(record, Declaration)}


def flags(parsed: Parsed) -> list[list[str] | None]:
    return [record.flags for record in parsed.records if isinstance(record, Series)]


CAPTURED = {
    "example": {
        "a8404187d187106e~battery-voltage": (3.301, "V"),
        "a8404187d187106e~soil-temperature": (13.25, "Cel"),
        "a8404187d187106e~soil-moisture": (13.74, "%"),
        "a8404187d187106e~soil-conductivity": (35.0, "uS/cm"),
    },
    "example2": {
        "2cf7f1c0443002c8~air-temperature": (24.4, "Cel"),
        "2cf7f1c0443002c8~air-humidity": (36.0, "%"),
        "2cf7f1c0443002c8~illuminance": (83405.0, "lx"),
        "2cf7f1c0443002c8~uv-index": (5.3, "1"),
        "2cf7f1c0443002c8~wind-speed": (4.1, "m/s"),
        "2cf7f1c0443002c8~wind-direction": (354.0, "deg"),
        "2cf7f1c0443002c8~rain-rate": (0.0, "mm/h"),
        "2cf7f1c0443002c8~air-pressure": (100540.0, "Pa"),
        "2cf7f1c0443002c8~wind-gust": (7.7, "m/s"),
        "2cf7f1c0443002c8~rain-accumulation": (278.638, "mm"),
    },
    "example3": {
        "24e124713c401925~distance": (594.0, "mm"),
        "24e124713c401925~battery-level": (69.0, "%"),
        "24e124713c401925~device-position": ("normal", "1"),
    },
    "example4": {
        "647fda00000142e6~soil-water-tension-1": (63.0048, "kPa"),
        "647fda00000142e6~soil-water-tension-2": (104.69359999999999, "kPa"),
        "647fda00000142e6~illuminance": (0.0, "lx"),
    },
    "example5": {
        "2cf7f1c051100027~probe-temperature": (15.17, "Cel"),
        "2cf7f1c051100027~ph": (10.059, "[pH]"),
    },
}


@pytest.mark.parametrize("name", CAPTURED)
def test_captured_messages_give_typed_observations_with_units(name: str) -> None:
    parsed = read(captured(f"payloads/chirpstack/{name}.json"))
    units = {stream: found.unit.symbol for stream, found in declared(parsed).items()}
    assert {stream: (found[0], units[stream]) for stream, found in values(parsed).items()} == CAPTURED[name]
    assert not parsed.rejections
    assert set(map(str, flags(parsed))) == {"None"}
    assert all(found.thing.position is None for found in declared(parsed).values())
    assert "location" not in repr(parsed.records)
    assert "gateway" not in repr(parsed.records).lower()


def test_a_captured_message_says_whose_device_it_is() -> None:
    parsed = read(captured("payloads/chirpstack/example4.json"))
    thing = next(iter(declared(parsed).values())).thing
    assert (thing.id, thing.name) == ("647fda00000142e6", "2001064843")
    assert thing.properties["tenant"] == "Jena"
    assert thing.properties["application"] == "KSJ_Stadtbaumpflege"
    times = {time for record in parsed.records if isinstance(record, Series) for time in record.times}
    assert times == {parse_instant("2025-07-08T15:42:59.764929Z")}  # nanoseconds are cut


def test_every_constructed_uplink_is_read_whole() -> None:
    found: dict[str, object] = {}
    for line in sample(HERE, "uplinks-constructed.ndjson").splitlines():
        parsed = read(line)
        assert not parsed.rejections
        found |= {stream: results[0] for stream, results in values(parsed).items()}
    assert found["00000000000000a2~soil-water-potential-1"] == -875.9
    assert found["00000000000000a3~battery-voltage"] == 3.3  # "3.3 V"
    assert found["00000000000000a4~wind-direction"] == 270.0
    assert found["00000000000000a4~air-temperature"] == 9.5
    assert found["00000000000000a5~battery-level"] == 100.0
    assert found["00000000000000a6~vehicle-count-ltr"] == 7
    assert f"{EUI}~probe-temperature-1" not in found  # "NULL" is no value, and no zero


def test_every_bundled_family_can_be_used() -> None:
    for name, family in bundled().items():
        keys = list(family.get("quantities", {}))
        parsed = read(uplink(dict.fromkeys(keys, "x"), profile=name))
        assert "bad-family" not in codes(parsed), (name, parsed.rejections)
        for quantity in family.get("quantities", {}).values():
            assert (quantity if isinstance(quantity, str) else quantity["property"]) in catalogue()


@pytest.mark.parametrize("place", range(len(UPLINKS)))
def test_damaged_uplinks_end_in_rejections_or_in_the_same_values(place: int) -> None:
    line = sample(HERE, "uplinks-constructed.ndjson").splitlines()[place]
    assert assert_withstands(parse, line, SOURCE, framing="json", name=TOPIC) > 100


def test_an_unknown_family_is_kept_whole_and_replayed_once_it_is_configured() -> None:
    parsed = read(uplink({"t": "4.5", "rest": 1}, profile="New Device 3000"))
    assert codes(parsed) == ["unknown-family"]
    family = {"quantities": {"t": {"property": "air-temperature"}}, "ignore": ["rest"]}
    configured = source(families={"New Device 3000": family})
    again = read(parsed.rejections[0].body, configured)
    assert values(again) == {f"{EUI}~air-temperature": [4.5]}
    assert not again.rejections


def test_a_citys_family_stands_beside_the_bundled_ones_and_can_mend_them() -> None:
    own = {
        "quantities": {"ADC1_V": {"property": "soil-moisture", "unit": "%"}},
        "like": "SN50v3-LB/LS",
        "ignore": ["ADC2"],
    }
    parsed = read(uplink({"ADC1_V": 3, "ADC2": 1, "BatV": 3.3}), source(families={"SN50v3-LB/LS": own}))
    assert values(parsed) == {f"{EUI}~soil-moisture": [3.0], f"{EUI}~battery-voltage": [3.3]}
    assert values(read(uplink({"distance": 5}, "em310 UDL"), source(families={"Other": own}))) == {
        f"{EUI}~distance": [5.0]
    }


def test_a_family_is_found_by_the_profiles_id() -> None:
    family = {"like": "EM310-UDL", "profile_ids": ["an-id"]}
    info = {**UPLINKS[0]["deviceInfo"], "deviceProfileName": "Bin", "deviceProfileId": "an-id"}
    assert readings(read(uplink({"distance": 5}, deviceInfo=info), source(families={"Bins": family}))) == 1


@pytest.mark.parametrize(
    "family",
    [
        {"quantities": {"a": {}}},
        {"quantities": {"a": {"property": "p", "type": "colour"}}},
        {"quantities": []},
        {"like": "nobody"},
        {"like": "F"},
        "text",
    ],
)
def test_a_family_that_cannot_be_used_says_so_and_keeps_the_uplink(family: object) -> None:
    assert codes(read(uplink({"a": 1}, "F"), source(families={"F": family}))) == ["bad-family"]


def test_an_unknown_key_takes_nothing_from_the_others() -> None:
    parsed = read(uplink({"BatV": 3.3, "new": {"inner": [7]}}))
    assert values(parsed) == {f"{EUI}~battery-voltage": [3.3]}
    assert codes(parsed) == ["unknown-quantity"]
    family = {"like": "SN50v3-LB/LS", "quantities": {"new/inner/0": "distance"}}
    again = read(parsed.rejections[0].body, source(families={"SN50v3-LB/LS": family}))
    assert values(again) == {f"{EUI}~distance": [7.0]}


@pytest.mark.parametrize("value", [True, "", "n/a", "1,5", "nan", "inf", "٣", [], {}, "0x1"])
def test_what_is_no_number_does_not_become_one(value: object) -> None:
    parsed = read(uplink({"BatV": value, "ADC2": 1}))
    assert values(parsed) == {f"{EUI}~voltage-2": [1.0]}
    assert codes(parsed) in (["bad-value"], ["unknown-quantity"], [])  # an empty list or table has no value in it


def test_two_values_of_one_stream() -> None:
    entries = [{"measurementId": id_, "measurementValue": value} for id_, value in ((4097, 1.5), ("4097", 1.5))]
    parsed = read(uplink({"messages": [entries]}, "SenseCAP S2120"))
    assert (readings(parsed), codes(parsed)) == (1, [])
    entries[1]["measurementValue"] = 2.5
    parsed = read(uplink({"messages": [entries]}, "SenseCAP S2120"))
    assert (readings(parsed), codes(parsed)) == (1, ["second-value"])


def test_a_sensors_fault_is_no_value() -> None:
    fault = {"measurementId": "4101", "type": "sensor_error_event", "errCode": "01", "descZh": "CCL_SENSOR_NOT_FOUND"}
    parsed = read(uplink({"messages": [[fault]]}, "SenseCAP S2120"))
    assert codes(parsed) == ["no-value"]
    assert "CCL_SENSOR_NOT_FOUND" in parsed.rejections[0].reason


def test_what_the_device_itself_doubts_is_flagged() -> None:
    parsed = read(uplink({"BatV": 3.3, "water_SOIL": "0.00", "s_flag": 0}, "Dragino_LSE01"))
    assert readings(parsed) == 2
    assert flags(parsed) == [["device-says-invalid"]] * 2


def test_a_gateways_clock_is_flagged_and_no_time_is_none() -> None:
    heard = [{"gatewayId": "g"}, {"time": "2025-07-14T12:00:00Z"}]
    parsed = read(uplink({"BatV": 3.3}, time=None, rxInfo=heard))
    assert flags(parsed) == [["gateway-time"]]
    assert codes(read(uplink({"BatV": 3.3}, time=None))) == ["no-time"]
    assert codes(read(uplink({"BatV": 3.3}, time="yesterday"))) == ["bad-time"]
    unknown = read(uplink({"new": 3.3}, time=None, rxInfo=heard))
    assert "12:00:00" in unknown.rejections[0].body.decode()


@pytest.mark.parametrize(
    "settings",
    [
        {"positions": {EUI: [11.5, 50.9]}},
        {"positions": {EUI.upper(): {"lon": 11.5, "lat": 50.9, "source": "a register", "date": "2025"}}},
        {"positions_table": "register.csv"},
        {"positions_table": "register.geojson"},
    ],
)
def test_only_the_register_says_where_a_device_is(settings: dict[str, Any]) -> None:
    feature = {
        "type": "Feature",
        "properties": {"EUI": EUI.upper()},
        "geometry": {"type": "Point", "coordinates": [11.5, 50.9]},
    }
    tables = {
        "register.csv": f"\ufeffname,eui,lon,lat\nx,{EUI},11.5,50.9\ny,,1,2\n".encode(),
        "register.geojson": msgspec.json.encode({"features": [feature]}),
    }
    given = msgspec.structs.replace(source(**settings), tables=tables)
    heard = [{"location": {"latitude": 1.0, "longitude": 2.0}}]
    [found] = declared(read(uplink({"BatV": 3.3}, rxInfo=heard), given)).values()
    assert found.thing.position == Position(11.5, 50.9)


def test_a_thing_of_the_profile_gives_its_name_and_place() -> None:
    thing = ThingFacts(id=EUI, name="Wiesenstraße 30 cm", kind="soil", lon=11.6, lat=50.9, facts={"depth": "30 cm"})
    given = msgspec.structs.replace(SOURCE, things={EUI: thing})
    [found] = declared(read(uplink({"BatV": 3.3}), given)).values()
    assert found.thing.name == "Wiesenstraße 30 cm"
    assert found.thing.properties["depth"] == "30 cm"
    assert found.name == "Wiesenstraße 30 cm: Batteriespannung"


@pytest.mark.parametrize("event", ["join", "status", "ack", "txack", "log", "location"])
def test_other_events_are_no_readings_and_no_rejections(event: str) -> None:
    body = uplink(None)
    assert parse(payload(body, f"application/x/device/0/event/{event}"), SOURCE) == ((), ())


def test_other_events_are_known_in_a_file_too() -> None:
    info = UPLINKS[0]["deviceInfo"]
    for event in (
        {"deviceInfo": info, "margin": 10, "batteryLevel": 90.0},
        {"deviceInfo": info, "queueItemId": "q", "acknowledged": True},
        {"deviceInfo": info, "devAddr": "01acdec6"},
        {"deviceInfo": info, "time": "2025-07-14T12:00:00Z", "fPort": 0},
    ):
        assert parse(payload(msgspec.json.encode(event), "uplinks.ndjson"), SOURCE) == ((), ())


def test_a_network_without_a_codec() -> None:
    assert codes(read(uplink(None))) == ["no-object"]


@pytest.mark.parametrize("eui", ["", "zz", None, 5, "a8404187d187106e~x"])
def test_a_device_without_an_id_is_nobody(eui: object) -> None:
    body = uplink({"BatV": 1}, deviceInfo={**UPLINKS[0]["deviceInfo"], "devEui": eui})
    assert codes(read(body)) == ["no-identity"]


@given(st.binary(max_size=100))
def test_any_bytes_end_in_a_rejection(body: bytes) -> None:
    assert_sound(parse, payload(body), SOURCE)


@given(st.sampled_from(UPLINKS), st.integers(0, 500), st.integers(0, 20), st.binary(max_size=6))
def test_damaged_uplinks_are_never_an_error(whole: dict[str, Any], at: int, length: int, put: bytes) -> None:
    body = msgspec.json.encode(whole)
    at %= len(body)
    assert_sound(parse, payload(body[:at] + put + body[at + length :]), SOURCE)


_json = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text("1.eNUL ", max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["measurementId", "measurementValue", "messages", "BatV", "a"]), inner, max_size=3
        )
    ),
    max_leaves=10,
)


@given(
    st.dictionaries(st.sampled_from(["BatV", "messages", "ADC2", "x"]), _json), st.sampled_from(["SN50v3", "SenseCAP"])
)
def test_any_object_is_readings_or_rejections(decoded: dict[str, Any], profile: str) -> None:
    read(uplink(decoded, profile))


@given(_json, st.sampled_from(["deviceInfo", "time", "rxInfo", "data", "fPort"]))
def test_any_value_anywhere(value: object, key: str) -> None:
    read(uplink({"BatV": 3.3}, **{key: value}))

"""Signals: a captured set-up, states, the two days a year."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from allmende.connectors.ilsa.parse import parse
from allmende.connectors.ilsa.setup import SWAPPED
from allmende.connectors.testing import (
    RECEIVED_AT,
    assert_sound,
    assert_withstands,
    captured,
    manifest_settings,
    payload,
    sample,
    values,
)
from allmende.domain.connector import Payload, Source
from allmende.domain.records import Declaration, Parsed, Position, Series
from allmende.domain.times import HOUR, MINUTE, parse_instant

HERE = "allmende.connectors.ilsa"
LATER = parse_instant("2026-01-06T14:00:00Z")
SETUP = "5g/ilsa/K440/config/retained"
SIGNAL = "5g/ilsa/K413/tk1/K3/1"
THERMAL = "5g/ilsa/K413/thermal"


def source(**settings: Any) -> Source:
    known = {**manifest_settings(HERE), **settings}
    return Source(id="ilsa", connector="ilsa", dataset="signals", time_zone="Europe/Berlin", settings=known)


SOURCE = source()
STATE = msgspec.json.decode(sample(HERE, "signal-constructed.json"))


def read(body: bytes, topic: str, given: Source = SOURCE, received_at: int = RECEIVED_AT) -> Parsed:
    return assert_sound(parse, Payload(body=body, name=topic, received_at=received_at), given)


def state(given: Source = SOURCE, received_at: int = RECEIVED_AT, **changes: Any) -> Parsed:
    return read(msgspec.json.encode({**STATE, **changes}), SIGNAL, given, received_at)


def codes(parsed: Parsed) -> list[str]:
    return [rejection.code for rejection in parsed.rejections]


def series(parsed: Parsed) -> list[Series]:
    return [record for record in parsed.records if isinstance(record, Series)]


def test_the_captured_set_up_is_declared_and_its_coordinates_are_put_right() -> None:
    parsed = read(captured("payloads/tls_K440_felsenkeller_config.json"), SETUP)
    declared = {record.stream: record for record in parsed.records if isinstance(record, Declaration)}
    assert len(declared) == 61  # thirty signals, lamps and word, and the temperature
    assert "K440~K1_1~color" in declared
    thing = declared["K440~K1_1~color"].thing
    assert (thing.id, thing.properties["intersection_name"]) == ("K440", "Felsenkeller")
    assert thing.properties["notes"] == [SWAPPED]
    assert thing.position == Position(11.5810833, 50.9210437)
    signal = thing.properties["signals"]["K1_1"]
    assert signal["position"] == [11.581255, 50.920902]
    assert (signal["id"], signal["type"], signal["group"]) == ("K1/1", "RED_AMBER_GREEN", "K1")
    assert not series(parsed)


def test_ids_with_a_slash_as_older_clients_have_them() -> None:
    parsed = read(captured("payloads/tls_K440_felsenkeller_config.json"), SETUP, source(slash="/"))
    assert "K440~BLN1/1~color" in {record.stream for record in parsed.records}


def test_a_position_that_is_right_is_left_alone_and_one_that_is_nowhere_is_told() -> None:
    setup = msgspec.json.decode(sample(HERE, "setup-constructed.json"))
    where = setup["modules"][0]["signals"][1]["location"][0]
    thing = read(msgspec.json.encode(setup), "5g/ilsa/K999/config/retained").records[0].thing  # type: ignore[union-attr]
    assert thing.properties["signals"]["F1_1"]["position"] == [where["longitude"], where["latitude"]]
    where["latitude"] = 0
    parsed = read(msgspec.json.encode(setup), "5g/ilsa/K999/config/retained")
    assert codes(parsed) == ["bad-position"]
    assert set(parsed.records[0].thing.properties["signals"]) == {"K1_1"}  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("lamps", "aspect"),
    [
        ("⚪⚪🔴", "red"),
        ("🟢⚪⚪", "green"),
        ("⚪🟡⚪", "amber"),
        ("⚪🟡🔴", "red-amber"),
        ("⚪⚪⚪", "dark"),
        ("🟢", "green"),
    ],
)
def test_a_state_is_lamps_and_a_word(lamps: str, aspect: str) -> None:
    parsed = state(state=lamps, values=[lamp != "⚪" for lamp in lamps])
    assert values(parsed) == {"K413~K3_1~color": [lamps], "K413~K3_1~aspect": [aspect]}
    assert all(found.flags is None for found in series(parsed))
    assert all(r.properties["retention"] == "volatile" for r in parsed.records if isinstance(r, Declaration))


def test_a_state_that_contradicts_itself_is_flagged() -> None:
    assert [found.flags for found in series(state(values=[True, False, False]))] == [["lamps-disagree"]] * 2
    parsed = state(state="🟢⚪🔴", values=[True, False, True])
    assert values(parsed)["K413~K3_1~aspect"] == ["red+green"]
    assert [found.flags for found in series(parsed)] == [None, ["unknown-category"]]


def test_a_city_may_want_one_of_the_two_alone() -> None:
    assert list(values(state(source(give=["aspect"])))) == ["K413~K3_1~aspect"]


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-01-06T14:48:15.288ZCET", "2026-01-06T13:48:15.288Z"),  # the Z is no UTC
        ("2026-07-06T14:48:15.288ZCEST", "2026-07-06T12:48:15.288Z"),
        ("2026-07-06T14:48:15.288ZCET", "2026-07-06T12:48:15.288Z"),  # the local clock, whichever name it writes
        ("2026-01-06T14:48:15.288ZEurope/Berlin", "2026-01-06T13:48:15.288Z"),
        ("2026-01-06T14:48:15ZUTC", "2026-01-06T14:48:15Z"),
        ("2026-01-06T14:48:15.288Z", "2026-01-06T14:48:15.288Z"),
        ("2026-01-06T14:48:15+02:00", "2026-01-06T12:48:15Z"),
        ("2026-01-06T14:48:15", "2026-01-06T13:48:15Z"),
        ("2026-10-25T02:30:00.000ZCEST", "2026-10-25T00:30:00Z"),  # the hour that is there twice
        ("2026-10-25T02:30:00.000ZCET", "2026-10-25T01:30:00Z"),
    ],
)
def test_local_times(text: str, moment: str) -> None:
    [color, _] = series(state(timestamp=text))
    assert (color.times, color.flags) == ([parse_instant(moment)], None)


def test_the_double_hour_without_a_season_goes_by_the_receipt() -> None:
    first = parse_instant("2026-10-25T00:30:00Z")
    for received, moment, flag in (
        (first + MINUTE, first, None),
        (first + HOUR + MINUTE, first + HOUR, None),
        (first + 9 * HOUR, first + HOUR, ["double-hour"]),
    ):
        [color, _] = series(state(timestamp="2026-10-25T02:30:00", received_at=received))
        assert (color.times, color.flags) == ([moment], flag)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("2026-03-29T02:30:00.000ZCET", "bad-time"),  # the hour that is left out
        ("2026-02-30T14:48:15ZCET", "bad-time"),
        ("2026-01-06T14:48:75ZCET", "bad-time"),
        ("2026-01-06T14:48:15ZXYZ", "bad-time"),
        ("yesterday", "bad-time"),
        (None, "no-time"),
        (1760000000, "no-time"),
    ],
)
def test_what_is_no_time(text: object, code: str) -> None:
    assert codes(state(timestamp=text)) == [code]


def test_an_outline_that_cannot_be_drawn_is_none() -> None:
    setup = msgspec.json.decode(sample(HERE, "setup-constructed.json"))
    for outline in ([[[10**400, 1], [2, 2], [3, 1], [10**400, 1]]], [[[1, 2]]], "x", [[["a", "b"]]]):
        setup["geoJson"]["features"][0]["geometry"]["coordinates"] = outline
        thing = read(json.dumps(setup).encode(), "5g/ilsa/K999/config/retained").records[0].thing  # type: ignore[union-attr]
        assert "area" not in thing.properties
        assert thing.position == Position(11.58115, 50.92085)  # the middle of the signals


def test_bounds_that_cannot_be_used_are_told() -> None:
    setup = sample(HERE, "setup-constructed.json")
    for bounds in ("here", [1, 2], ["a", "b", "c", "d"]):
        parsed = read(setup, "5g/ilsa/K999/config/retained", source(bounds=bounds))
        assert set(codes(parsed)) == {"bad-settings"}


def test_the_temperature_has_the_time_of_its_receipt() -> None:
    parsed = read(sample(HERE, "thermal-constructed.txt"), THERMAL)
    assert values(parsed) == {"K413~thermal~temperature": [25.6]}
    assert series(parsed)[0].times == [RECEIVED_AT]


def test_a_file_says_itself_whose_signal_it_is() -> None:
    body = msgspec.json.encode({**STATE, "intersection": "K413"})
    assert "K413~K3_1~color" in values(read(body, "states.ndjson"))
    assert codes(read(msgspec.json.encode(STATE), "states.ndjson")) == ["no-identity"]


@pytest.mark.parametrize(
    ("name", "topic"), [("setup-constructed.json", "5g/ilsa/K999/config/retained"), ("signal-constructed.json", SIGNAL)]
)
def test_damaged_messages_end_in_rejections_or_in_the_same_values(name: str, topic: str) -> None:
    assert assert_withstands(parse, sample(HERE, name), SOURCE, framing="json", name=topic, received_at=LATER) > 100


def test_damaged_temperatures() -> None:
    assert assert_withstands(parse, sample(HERE, "thermal-constructed.txt"), SOURCE, framing="json", name=THERMAL) > 10


@given(st.binary(max_size=60), st.sampled_from([SETUP, SIGNAL, THERMAL, "x"]))
def test_any_bytes_end_in_a_rejection(body: bytes, topic: str) -> None:
    assert_sound(parse, payload(body, topic), SOURCE)


_json = st.recursive(
    st.none() | st.integers() | st.floats(allow_nan=False) | st.text("1~x", max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["id", "a"]), inner, max_size=2),
    max_leaves=6,
)


@given(_json, st.sampled_from(["coordinates", "location", "id", "signalGroup", "observedArea", "modules", "geoJson"]))
def test_any_value_anywhere_in_a_set_up(value: object, key: str) -> None:
    setup = msgspec.json.decode(sample(HERE, "setup-constructed.json"))
    signal = setup["modules"][0]["signals"][0]
    if key == "coordinates":
        setup["geoJson"]["features"][0]["geometry"]["coordinates"] = value
    else:
        (setup if key in setup else signal)[key] = value
    read(msgspec.json.encode(setup), "5g/ilsa/K999/config/retained")

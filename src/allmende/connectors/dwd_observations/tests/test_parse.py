"""Tables of the Climate Data Center, zipped or not, and a CSV of the same station."""

import io
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allmende.connectors.dwd_observations.parse import parse
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
from allmende.domain.records import Declaration, Position, Series
from allmende.domain.times import parse_instant

HERE = "allmende.connectors.dwd_observations"
TABLE = sample(HERE, "ten-minutes-constructed.txt")


def source(**settings: object) -> Source:
    known = {"02444": {"name": "Jena (Sternwarte)", "lon": 11.58, "lat": 50.93}}
    given = manifest_settings(HERE) | {"stations": known} | settings
    return Source(id="dwd", connector="dwd_observations", dataset="w", settings=given)


SOURCE = source()


def zipped(body: bytes, name: str = "produkt_zehn_now_tu_20241120_20241120_02444.txt") -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("Metadaten_Geographie_02444.txt", "Stations_id;Stationshoehe\n2444;155\n")
        archive.writestr(name, body)
    return out.getvalue()


def times(parsed: object) -> dict[str, list[int]]:
    return {record.stream: record.times for record in parsed.records if isinstance(record, Series)}  # type: ignore[attr-defined]


def test_a_zip_gives_a_stream_for_each_quantity_and_nothing_for_999() -> None:
    parsed = assert_sound(parse, payload(zipped(TABLE)), SOURCE)
    assert values(parsed)["dwd-02444~air-temperature"] == [3.4, 3.5, 3.5, 3.6]
    assert values(parsed)["dwd-02444~air-pressure"] == [998.1, 998.0, 997.9]
    assert times(parsed)["dwd-02444~air-temperature"][0] == parse_instant("2024-11-20T04:00:00Z")
    assert not parsed.rejections
    declared = next(record for record in parsed.records if isinstance(record, Declaration))
    assert (declared.thing.name, declared.thing.position) == ("Jena (Sternwarte)", Position(11.58, 50.93))
    assert values(parse(payload(TABLE), SOURCE)) == values(parsed)


def test_hours_stand_beside_ten_minutes() -> None:
    table = b"STATIONS_ID;MESS_DATUM;QN_9;TT_TU;RF_TU;eor\n2444;2024112004;3;3.4;91;eor\n"
    parsed = assert_sound(parse, payload(table), SOURCE)
    assert values(parsed) == {"dwd-02444~air-temperature-hourly": [3.4], "dwd-02444~air-humidity-hourly": [91.0]}


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        (b"202411200410", b"202413200410", "bad-time"),
        (b"202411200410", b"199911200410", "old-time"),
        (b"202411200410", b"2024-11-20T04:10:00+01:00", "bad-time"),
        (b"   3.4;", b"   3,4;", "bad-number"),
        (b" 998.1;", b" 998.1;;", "wrong-columns"),
        (b"MESS_DATUM", b"DATUM", "bad-header"),
        (b"TM5_10", b"TT_10", "bad-header"),
    ],
)
def test_what_cannot_be_read_is_told(old: bytes, new: bytes, code: str) -> None:
    parsed = assert_sound(parse, payload(TABLE.replace(old, new, 1)), SOURCE)
    assert [rejection.code for rejection in parsed.rejections] == [code]


def test_a_zip_that_holds_too_much_is_refused() -> None:
    parsed = assert_sound(parse, payload(zipped(b"x" * 2_000_000)), source(max_unpacked=1_000_000))
    assert [rejection.code for rejection in parsed.rejections] == ["too-large"]


@given(st.integers(0, 2000), st.integers(1, 40), st.binary(max_size=8))
def test_a_damaged_zip_is_never_an_error(at: int, length: int, put: bytes) -> None:
    body = zipped(TABLE)
    assert_sound(parse, payload(body[: at % len(body)] + put + body[at % len(body) + length :]), SOURCE)


def test_eighteen_months_of_the_jena_station_are_accounted_for() -> None:
    body = captured("weather/jena_sternwarte_hourly_2022-10_2024-04.csv")
    parsed = parse(payload(body), SOURCE)
    found = values(parsed)
    assert set(found) == {f"dwd-jena~{name}-hourly" for name in ("air-temperature", "air-humidity", "precipitation")}
    assert readings(parsed) == 3 * (body.count(b"\n") - 1) - body.count(b",,") - body.count(b",\n")
    assert not parsed.rejections


def test_local_times_of_others_need_their_zone() -> None:
    rows = b"Weather_station,Date_time,Temperature\nJena,2023-10-29 02:00:00,9.1\nJena,2023-03-26 02:30:00,9.1\n"
    parsed = assert_sound(parse, payload(rows), source(time_zone="Europe/Berlin"))
    [series] = [record for record in parsed.records if isinstance(record, Series)]
    assert (series.times, series.flags) == ([parse_instant("2023-10-29T01:00:00Z")], ["double-hour"])
    assert [rejection.code for rejection in parsed.rejections] == ["bad-time"]


def test_it_withstands_what_damages_a_table() -> None:
    assert assert_withstands(parse, TABLE, SOURCE) > 100

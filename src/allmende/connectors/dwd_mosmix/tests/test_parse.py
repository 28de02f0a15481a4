"""Runs of MOSMIX: each by itself, in the service's units."""

import io
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allmende.connectors.dwd_mosmix.parse import parse
from allmende.connectors.testing import (
    assert_sound,
    assert_withstands,
    manifest_settings,
    payload,
    readings,
    sample,
    values,
)
from allmende.domain.connector import Source
from allmende.domain.records import Declaration, Position, Series
from allmende.domain.times import parse_instant

HERE = "allmende.connectors.dwd_mosmix"
KML = sample(HERE, "run-constructed.kml")


def source(**settings: object) -> Source:
    return Source(id="mosmix", connector="dwd_mosmix", dataset="w", settings=manifest_settings(HERE) | settings)


SOURCE = source(stations=["10567"])


def kmz(body: bytes, name: str = "MOSMIX_L.kml") -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, body)
    return out.getvalue()


def test_a_run_gives_a_series_for_each_quantity_with_the_run() -> None:
    parsed = assert_sound(parse, payload(KML), SOURCE)
    found = values(parsed)
    assert found["mosmix-10567~air-temperature"][:2] == [279.15, 279.05]
    assert len(found["mosmix-10567~wind-direction"]) == 3  # one hour has none
    assert "mosmix-10567~air-temperature-maximum" not in found
    assert not parsed.rejections
    series = [record for record in parsed.records if isinstance(record, Series)]
    assert {record.run for record in series} == {parse_instant("2024-11-20T03:00:00Z")}
    assert series[0].times[0] == parse_instant("2024-11-20T04:00:00Z")
    [declared] = [r for r in parsed.records if isinstance(r, Declaration) and r.stream.endswith("~air-temperature")]
    assert (declared.unit.symbol, declared.thing.name) == ("K", "GERA-LEUMNITZ")
    assert declared.thing.position == Position(12.13, 50.88)


def test_a_kmz_is_the_same_and_all_stations_are_taken_where_none_is_named() -> None:
    assert values(assert_sound(parse, payload(kmz(KML)), SOURCE)) == values(parse(payload(KML), SOURCE))
    assert "mosmix-10554~air-temperature" in values(parse(payload(kmz(KML)), source()))


def test_the_horizon_ends_what_is_taken() -> None:
    parsed = assert_sound(parse, payload(KML), source(stations=["10567"], horizon="PT3H"))
    assert len(values(parsed)["mosmix-10567~air-temperature"]) == 3


@pytest.mark.parametrize(
    ("old", "new", "code", "lost"),
    [
        (b"279.15", b"  hot ", "bad-number", 1),
        (b"282.35</dwd:value>", b"</dwd:value>", "uneven", 4),
        (b"2024-11-20T03:00:00.000Z</dwd:IssueTime>", b"today</dwd:IssueTime>", "bad-run", 10),
        (b"<dwd:TimeStep>2024-11-20T05:00:00.000Z", b"<dwd:TimeStep>2024-11-20T05:00:00", "bad-time", 3),
        (b"<dwd:TimeStep>2024-11-20T05", b"<dwd:TimeStep>2024-11-20T09", "unordered", 10),
        (b"<kml:name>10567</kml:name>", b"", "no-identity", 10),
        (b'dwd:elementName="TTT"', b"", "no-identity", 4),
    ],
)
def test_what_cannot_be_read_is_told_and_takes_nothing_else_along(old: bytes, new: bytes, code: str, lost: int) -> None:
    whole = readings(parse(payload(KML), SOURCE))
    parsed = assert_sound(parse, payload(KML.replace(old, new, 1)), SOURCE)
    assert [rejection.code for rejection in parsed.rejections] == [code]
    assert readings(parsed) == whole - lost


def test_a_bomb_and_a_dtd_are_refused() -> None:
    parsed = assert_sound(parse, payload(kmz(b"<kml>" + b" " * 4_000_000)), source(max_unpacked=1_000_000))
    assert [rejection.code for rejection in parsed.rejections] == ["too-large"]
    for body in (b'<!DOCTYPE kml [<!ENTITY x SYSTEM "file:///etc/hostname">]><kml>&x;</kml>', kmz(b"x", "a.txt")):
        assert [r.code for r in assert_sound(parse, payload(body), SOURCE).rejections] in (["doctype"], ["unreadable"])


@given(st.integers(0, 1200), st.integers(1, 40), st.binary(max_size=8))
def test_a_damaged_kmz_is_never_an_error(at: int, length: int, put: bytes) -> None:
    body = kmz(KML)
    assert_sound(parse, payload(body[: at % len(body)] + put + body[at % len(body) + length :]), SOURCE)


def test_it_withstands_what_damages_a_document() -> None:
    assert assert_withstands(parse, KML, SOURCE) > 100

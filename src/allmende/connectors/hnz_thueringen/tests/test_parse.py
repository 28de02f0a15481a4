"""The table of the flood information centre, and the CSV that stands in for an interface."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allmende.connectors.hnz_thueringen.parse import parse
from allmende.connectors.testing import assert_sound, assert_withstands, manifest_settings, payload, sample, values
from allmende.domain.connector import Source
from allmende.domain.records import Declaration, Position, Series
from allmende.domain.times import parse_instant

HERE = "allmende.connectors.hnz_thueringen"
PAGE, TABLE = sample(HERE, "table-constructed.html"), sample(HERE, "gauges-constructed.csv")


def source(**settings: object) -> Source:
    given_ = manifest_settings(HERE) | settings
    return Source(id="hnz", connector="hnz_thueringen", dataset="water", settings=given_)


SOURCE = source()
WANTED = {
    "hnz-574210~water-level": [142.0],
    "hnz-574210~water-discharge": [12.3],
    "hnz-574220~water-level": [168.0],
    "hnz-574220~water-discharge": [31.8],
}


@pytest.mark.parametrize("body", [PAGE, TABLE])
def test_the_page_and_the_csv_say_the_same(body: bytes) -> None:
    parsed = assert_sound(parse, payload(body), SOURCE)
    assert values(parsed) == WANTED
    assert not parsed.rejections
    series = next(record for record in parsed.records if isinstance(record, Series))
    assert series.times == [parse_instant("2024-11-20T04:15:00Z")]


def test_columns_that_moved_are_found_by_what_stands_in_them() -> None:
    moved = PAGE.replace(b"<td>Hochwassermeldepegel</td>", b"<td>Hochwassermeldepegel</td><td>0</td>")
    assert values(assert_sound(parse, payload(moved), SOURCE)) == WANTED


def test_gauges_that_are_wanted_and_their_places() -> None:
    chosen = source(gauges=["574220"], positions={"574220": {"lon": 11.7, "lat": 51.05}})
    parsed = assert_sound(parse, payload(PAGE), chosen)
    assert set(values(parsed)) == {"hnz-574220~water-level", "hnz-574220~water-discharge"}
    declared = next(record for record in parsed.records if isinstance(record, Declaration))
    assert (declared.thing.position, declared.thing.name) == (Position(11.7, 51.05), "Camburg-Stöben (Saale)")


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        (b"<td>20.11.2024 05:15</td>", b"<td>gestern</td>", "bad-time"),
        (b"<td>20.11.2024 05:15</td>", b"<td>31.11.2024 05:15</td>", "bad-time"),
        (b"<td>20.11.2024 05:15</td>", b"<td>31.03.2024 02:15</td>", "bad-time"),
        (b"<td>142</td>", b"<td>viel</td>", "bad-number"),
        (b"<td>574210</td>", b"<td></td>", "no-identity"),
        (b"</html>", b"", "cut-off"),
        (b"pegelTabelle", b"pegel", "no-table"),
    ],
)
def test_what_cannot_be_read_is_told(old: bytes, new: bytes, code: str) -> None:
    parsed = assert_sound(parse, payload(PAGE.replace(old, new, 1)), SOURCE)
    assert [rejection.code for rejection in parsed.rejections] == [code]


def test_the_double_hour_is_flagged() -> None:
    parsed = parse(payload(TABLE.replace(b"20.11.2024 05:15", b"27.10.2024 02:15")), SOURCE)
    series = next(record for record in parsed.records if isinstance(record, Series))
    assert (series.times, series.flags) == ([parse_instant("2024-10-27T01:15:00Z")], ["double-hour"])


@pytest.mark.parametrize("body", [PAGE, TABLE])
def test_it_withstands_what_damages_a_table(body: bytes) -> None:
    assert assert_withstands(parse, body, SOURCE) > 50


@given(st.binary(max_size=200))
def test_any_bytes_end_in_a_rejection_or_nothing(body: bytes) -> None:
    assert_sound(parse, payload(body), SOURCE)
    assert_sound(parse, payload(b'<html><table id="pegelTabelle">' + body + b"</table></html>"), SOURCE)

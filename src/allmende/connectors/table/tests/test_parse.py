"""Tables: long and wide, as CSV, XLSX and Parquet."""

import io
from datetime import datetime

import pyarrow as arrow
import pytest
from openpyxl import Workbook
from pyarrow import parquet

from allmende.connectors.table import parse as module
from allmende.connectors.table.parse import parse
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
from allmende.domain.framing import frames
from allmende.domain.records import Declaration, Series
from allmende.domain.times import format_instant, parse_instant

HERE = "allmende.connectors.table"
WIDE_BODY = sample(HERE, "wide-constructed.csv")
LEVELS_BODY = sample(HERE, "levels-constructed.csv")
COUNT = {"name": "Vehicles", "unit": "{vehicle}", "low": 0}


def source(**settings: object) -> Source:
    own = manifest_settings(HERE) | settings
    return Source(id="t", connector="table", dataset="d", time_zone="Europe/Berlin", settings=own)


def wide(**settings: object) -> Source:
    own = {"time": "Zeit", "time_forms": ["%d.%m.%Y %H:%M"], "decimal": ",", "missing": ["-"], "wide": "traffic-count"}
    return source(**{**own, "properties": {"traffic-count": COUNT}, **settings})


LEVELS = source(
    thing_column="station",
    thing_form="[a-z]{1,40}",
    name_column="name",
    x="x",
    y="y",
    crs="EPSG:25832",
    values={"level": "water-level", "temp": "water-temperature"},
    properties={"water-level": {"unit": "cm", "high": 600}, "water-temperature": {"unit": "Cel"}},
)


def times(parsed, stream: str) -> list[str]:
    (found,) = [r for r in parsed.records if isinstance(r, Series) and r.stream == stream]
    return [format_instant(at) for at in found.times]


def test_a_column_for_each_property():
    parsed = assert_sound(parse, payload(LEVELS_BODY), LEVELS)
    assert not parsed.rejections
    assert values(parsed) == {
        "t-burgau~water-level": [121.5, 122.0],
        "t-burgau~water-temperature": [4.25, 4.5],
        "t-zwaetzen~water-level": [98.25],
    }
    declared = {r.stream: r for r in parsed.records if isinstance(r, Declaration)}
    level = declared["t-zwaetzen~water-level"]
    assert (level.thing.name, level.unit.symbol, level.high) == ("Zwätzen", "cm", 600)
    assert level.thing.position is not None
    assert level.thing.position.lat == pytest.approx(50.954, abs=0.01)


def test_a_column_for_each_site():
    parsed = assert_sound(parse, payload(WIDE_BODY), wide())
    assert not parsed.rejections
    assert values(parsed) == {
        "t-Westbahnhof~traffic-count": [12.0, 9.0, 14.0],
        "t-Holzmarkt~traffic-count": [7.5, 0.0, 8.0, 9.25],
        "t-Paradies~traffic-count": [3.0, 4.0, 5.0],
    }
    assert times(parsed, "t-Paradies~traffic-count")[0] == "2026-02-28T23:15:00.000Z"
    counted = wide(properties={"traffic-count": {**COUNT, "type": "count"}}, columns=["Westbahnhof"])
    whole = values(parse(payload(WIDE_BODY), counted))
    assert whole == {"t-Westbahnhof~traffic-count": [12, 9, 14]}
    assert {type(value) for value in whole["t-Westbahnhof~traffic-count"]} == {int}


def test_both_ways_of_a_wide_table_say_the_same(monkeypatch):
    quick = parse(payload(WIDE_BODY), wide())
    monkeypatch.setattr(module, "read_quickly", lambda *_: None)
    slow = parse(payload(WIDE_BODY), wide())
    assert values(quick) == values(slow)
    assert {repr(r) for r in quick.records} == {repr(r) for r in slow.records}


def test_one_bad_cell_takes_no_other_along():
    bad = WIDE_BODY.replace(b"7,5", b"7.5").replace(b";9,25;", b";viel;") + b"gestern;1;2;3\n"
    parsed = assert_sound(parse, payload(bad), wide())
    assert [(r.code, r.where) for r in parsed.rejections] == [
        ("bad-number", "line 2"),
        ("bad-number", "line 5"),
        ("bad-row", "line 6"),
    ]
    assert values(parsed)["t-Holzmarkt~traffic-count"] == [0.0, 8.0]
    assert values(parsed)["t-Paradies~traffic-count"] == [3.0, 4.0, 5.0]


def test_the_two_odd_days_of_the_year():
    clocks = ("01:30", "02:00", "02:30", "02:00", "02:30", "03:00")
    autumn = b"Zeit;A\n" + b"".join(f"25.10.2026 {clock};{n}\n".encode() for n, clock in enumerate(clocks))
    for way in (autumn, autumn.replace(b";0\n", b";x\n")):
        found = times(parse(payload(way), wide()), "t-A~traffic-count")[-5:]
        assert [text[11:16] for text in found] == ["00:00", "00:30", "01:00", "01:30", "02:00"]
    spring = parse(payload(b"Zeit;A\n29.03.2026 02:30;1\n29.03.2026 03:00;2\n"), wide())
    assert [(r.code, r.where) for r in spring.rejections] == [("bad-row", "line 2")]
    assert values(spring) == {"t-A~traffic-count": [2.0]}


def sheet(rows: list[list[object]]) -> bytes:
    book = Workbook()
    for row in rows:
        book.active.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def test_a_spreadsheet_is_read_as_its_table():
    first, second = datetime(2026, 7, 1, 12, 15), datetime(2026, 7, 1, 12, 30)  # noqa: DTZ001  sheets have no zones
    body = sheet([["Zeit", "A", "B"], [first, 3, 4.5], [second, None, 5]])
    (given,) = frames(io.BytesIO(body), framing="lines", name="t.xlsx", received_at=1)
    parsed = assert_sound(parse, payload(given.body), wide())
    assert values(parsed) == {"t-A~traffic-count": [3.0], "t-B~traffic-count": [4.5, 5.0]}
    assert times(parsed, "t-B~traffic-count") == ["2026-07-01T10:15:00.000Z", "2026-07-01T10:30:00.000Z"]
    for broken in (body[:500], body[:-50], b"PK\x03\x04" + bytes(50)):
        assert [r.code for r in parse(payload(broken), wide()).rejections] == ["bad-header"]


def test_parquet_is_read_as_its_table():
    moments = arrow.array([parse_instant("2026-07-01T10:15:00Z")], arrow.timestamp("us", "UTC"))
    out = io.BytesIO()
    parquet.write_table(arrow.table({"Zeit": moments, "A": [3], "B": [4.5]}), out)
    (given,) = frames(io.BytesIO(out.getvalue()), framing="lines", name="t.parquet", received_at=1)
    parsed = assert_sound(parse, payload(given.body), wide())
    assert values(parsed) == {"t-A~traffic-count": [3.0], "t-B~traffic-count": [4.5]}
    assert times(parsed, "t-A~traffic-count") == ["2026-07-01T10:15:00.000Z"]
    assert [r.code for r in parse(payload(given.body[:-20]), wide()).rejections] == ["bad-header"]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({}, "settings.values names"),
        ({"wide": "x"}, "does not say what 'x' is"),
        ({"values": {"level": "a"}, "properties": {"a": {}}}, "settings.thing"),
        ({"values": {"level": "a"}, "properties": {"a": {"type": "vector"}}}, "measurement, count or category"),
        ({"values": {"no": "a"}, "properties": {"a": {}}, "thing": "x"}, "no column no"),
    ],
)
def test_settings_that_do_not_fit_are_told(settings, words):
    (rejection,) = parse(payload(LEVELS_BODY), source(**settings)).rejections
    assert words in rejection.reason


def test_a_wide_table_of_many_columns_is_read_in_blocks():
    head = "Zeit;" + ";".join(f"s{n}" for n in range(500)) + "\n"
    lines = [f"01.03.2026 {n // 60:02}:{n % 60:02};" + ";".join(["1,5"] * 500) + "\n" for n in range(300)]
    body = (head + "".join(lines)).encode()
    blocks = list(frames(io.BytesIO(body), framing="lines", name="t", received_at=1, lines_per_block=100))
    assert sum(readings(parse(block, wide())) for block in blocks) == 150_000


def test_damaged_tables():
    # A site's column by another name is another site.
    named = ("renamed", "new column")
    assert assert_withstands(parse, WIDE_BODY, wide(), framing="lines", unless=named) > 100
    assert assert_withstands(parse, LEVELS_BODY, LEVELS, framing="lines") > 200

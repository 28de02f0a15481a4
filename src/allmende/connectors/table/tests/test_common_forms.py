"""What tables of offices are like: words above the header, or none; thousands, UTF-16, JSON, rows that are objects."""

import gzip
import io
import json

import pytest

from allmende.connectors.table.parse import parse
from allmende.connectors.testing import (
    assert_sound,
    assert_withstands,
    captured,
    features,
    manifest_settings,
    payload,
    values,
)
from allmende.domain.connector import Source
from allmende.domain.framing import frames, framing_of
from allmende.domain.records import Declaration, Series
from allmende.domain.times import parse_instant

HERE = "allmende.connectors.table"
TEMPERATURE = {"air-temperature": {"unit": "Cel"}}


def source(**settings: object) -> Source:
    own = manifest_settings(HERE) | settings
    return Source(id="t", connector="table", dataset="d", time_zone="Europe/Berlin", settings=own)


def read(body: bytes, given: Source, **more: int) -> list:
    """All that a file gives, cut as the house cuts it."""
    framing = framing_of("lines", given.settings)
    cut = frames(io.BytesIO(body), framing=framing, name="f", received_at=1, **more)
    return [assert_sound(parse, each, given) for each in cut]


PREAMBLE = b"""Stadt Jena;;
Stand: 1.3.2026;;

Zeit;Ort;Wert
01.03.2026 10:00;Nord;1.234,5
01.03.2026 11:00;Nord;12.34,5
01.03.2026 12:00;Nord;-7
"""
LONG = source(
    head=4,
    time="Zeit",
    time_forms=["%d.%m.%Y %H:%M"],
    thing_column="Ort",
    decimal=",",
    thousands=".",
    values={"Wert": "v"},
    properties={"v": {"unit": "1"}},
)


def test_words_above_the_header_go_with_every_block():
    parsed = read(PREAMBLE, LONG, lines_per_block=1)
    assert [values(each) for each in parsed] == [{"t-Nord~v": [1234.5]}, {}, {"t-Nord~v": [-7.0]}]
    (rejection,) = parsed[1].rejections
    assert (rejection.where, rejection.code) == ("line 6", "bad-number")


def test_damaged_tables_with_words_above():
    # the decimal sign is the only one that tells thousands from decimals, and a file with another one is another's
    assert_withstands(parse, PREAMBLE, LONG, framing="lines:4")


def test_a_table_without_a_header():
    given = source(head=0, time="column-1", thing="x", values={"column-2": "air-temperature"}, properties=TEMPERATURE)
    body = b"2026-03-01T10:00Z,1.5\n2026-03-01T11:00Z,2.5\n2026-03-01T12:00Z,x\n"
    parsed = read(body, given, lines_per_block=2)
    assert [values(each) for each in parsed] == [{"t-x~air-temperature": [1.5, 2.5]}, {}]
    assert parsed[1].rejections[0].where == "line 3"
    assert parsed[1].rejections[0].body == b"2026-03-01T12:00Z,x\n"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be"])
def test_utf_16_with_its_mark(encoding):
    text = "time;Grün\n2026-03-01T10:00Z;1\n" + "2026-03-01T10:00Z;2\n" * 3
    body = text.encode(encoding) if encoding == "utf-16" else b"\xfe\xff" + text.encode(encoding)
    given = source(thing="x", values={"Grün": "air-temperature"}, properties=TEMPERATURE)
    assert [value for each in read(body, given) for value in values(each)["t-x~air-temperature"]] == [1, 2, 2, 2]


def test_gzip_comes_unpacked():
    body = gzip.compress(b"time;a\n2026-03-01T10:00Z;1\n")
    given = source(thing="x", values={"a": "air-temperature"}, properties=TEMPERATURE)
    assert values(read(body, given)[0]) == {"t-x~air-temperature": [1.0]}


def test_seconds_and_milliseconds_since_1970():
    for form, number in (("epoch", "1772359200"), ("epoch-ms", "1772359200000")):
        given = source(time_forms=[form], thing="x", values={"a": "air-temperature"}, properties=TEMPERATURE)
        (series,) = [r for r in read(f"time,a\n{number},1\n".encode(), given)[0].records if isinstance(r, Series)]
        assert series.times == [parse_instant("2026-03-01T10:00:00Z")]
        (rejected,) = read(b"time,a\n9999999999999999,1\n", given)[0].rejections
        assert "9999999999999999" in rejected.reason


def test_words_as_readings():
    given = source(thing="x", values={"a": "state"}, properties={"state": {"type": "category"}})
    parsed = read(b"time,a\n2026-03-01T10:00Z,offen\n2026-03-01T11:00Z,\n", given)[0]
    assert values(parsed) == {"t-x~state": ["offen"]}
    assert [r.observation_type for r in parsed.records if isinstance(r, Declaration)] == ["category"]


def test_a_list_of_objects():
    body = json.dumps(
        {
            "data": {
                "stations": [{"id": "n", "at": {"time": "2026-03-01T10:00Z"}, "t": 1.5, "more": [1]}, 5, {"id": "s"}]
            }
        }
    ).encode()
    given = source(
        records="data.stations",
        time="at.time",
        thing_column="id",
        values={"t": "air-temperature"},
        properties=TEMPERATURE,
    )
    parsed = assert_sound(parse, payload(body), given)
    assert values(parsed) == {"t-n~air-temperature": [1.5]}
    (rejection,) = parse(
        payload(body), source(records="data", thing="x", values={"t": "a"}, properties={"a": {}})
    ).rejections
    assert "no list of objects at 'data'" in rejection.reason


@pytest.mark.parametrize(
    ("settings", "words"),
    [({"head": "two"}, "settings.head"), ({"head": -1}, "settings.head"), ({"thousands": "."}, "settings.thousands")],
)
def test_settings_of_form_that_do_not_fit_are_told(settings, words):
    given = source(thing="x", values={"a": "air-temperature"}, properties=TEMPERATURE, **settings)
    (rejection,) = parse(payload(b"time,a\n"), given).rejections
    assert words in rejection.reason
    (rejection,) = parse(payload(b"time,a\n"), source(id="a", **settings)).rejections
    assert words in rejection.reason


TREES = b"nr;art;x;y\n7;Linde;681700;5641000\n8;;;\n;Ahorn;681700;5641000\n9;Eiche;681700;\n10;Ulme;0,1;0,1\n"


def test_rows_that_are_objects():
    given = source(id="nr", x="x", y="y", crs="EPSG:25832", attributes={"art": "species"})
    parsed = assert_sound(parse, payload(TREES), given)
    found = features(parsed)
    assert set(found) == {"7", "8"}
    assert found["7"].properties == {"species": "Linde"}
    assert found["7"].geometry["coordinates"] == pytest.approx([11.5845, 50.8922], abs=0.01)
    assert found["8"].geometry is None
    assert [rejection.where for rejection in parsed.rejections] == ["line 4", "line 5", "line 6"]


def test_damaged_tables_of_objects():
    body = b"nr;art;x;y\n7;Linde;11.5;50.9\n9;Eiche;11.6;50.8\n"
    given = source(id="nr", id_form="[0-9]{1,3}", x="x", y="y", attributes={"art": "species"})
    # a text that has become another text is another text; a number that was cut off is another number
    assert_withstands(parse, body, given, framing="lines", unless=("cut", "encod", "type", "huge"))


def test_shapes_as_well_known_text():
    given = source(id="gid", wkt="WKT", attributes={"bez": "name"})
    body = captured("parking/feeds/bielefeld.csv")
    parsed = parse(payload(body), given)
    assert len(features(parsed)) > 400
    assert features(parsed)["620-1"].geometry == {
        "type": "Point", "coordinates": [pytest.approx(8.537437), pytest.approx(52.034152)],
    }  # fmt: skip
    (rejection,) = parse(payload(b"gid,WKT\n1,POINT (x y)\n"), source(id="gid", wkt="WKT")).rejections
    assert "no well-known text" in rejection.reason

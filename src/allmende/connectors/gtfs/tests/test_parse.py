"""GTFS: the stub of Weimar (captured), and a small feed with everything."""

import io
import zipfile

from allmende.connectors.gtfs.parse import parse
from allmende.connectors.testing import (
    assert_sound,
    assert_withstands,
    captured,
    features,
    kept_features,
    manifest_settings,
    payload,
    sample,
)
from allmende.domain.connector import Source
from allmende.domain.records import Collection

HERE = "allmende.connectors.gtfs"
BODY = sample(HERE, "feed-constructed.zip")
SOURCE = Source(id="transit", connector="gtfs", dataset="d", settings=manifest_settings(HERE))


def packed(**tables: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in tables.items():
            archive.writestr(f"feed/{name}.txt", body)
    return out.getvalue()


def unpacked(body: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        return {name.removesuffix(".txt"): archive.read(name) for name in archive.namelist()}


def test_stops_and_routes():
    parsed = assert_sound(parse, payload(BODY), SOURCE)
    assert not parsed.rejections
    assert [r.id for r in parsed.records if isinstance(r, Collection)] == ["transit-stops", "transit-routes"]
    found = features(parsed)
    stop = found["de:1:4003::1"]
    assert stop.geometry == {"type": "Point", "coordinates": [11.57725, 50.92445]}
    assert stop.properties == {
        "name": "Westbahnhofstraße, stadteinwärts",
        "station": "de:1:4003",
        "platform": "1",
        "kind": "stop",
        "wheelchair": False,
        "routes": ["1"],
    }
    assert found["de:1:4010"].properties["routes"] == ["1", "15"]
    assert "wheelchair" not in found["de:1:4010"].properties, "0 says that nobody knows"
    line = found["J-1"]
    assert line.geometry == {
        "type": "MultiLineString",
        "coordinates": [[[11.5772, 50.9244], [11.5861, 50.9265]], [[11.5861, 50.9265], [11.59, 50.93]]],
    }
    assert line.properties["headsigns"] == ["Lobeda", "Zwätzen"]
    assert line.properties["agency"] == "Constructed Transit"
    assert found["J-15"].geometry is None


def test_the_stub_of_weimar():
    names = ("stops", "routes", "trips", "stop_times", "calendar")
    body = packed(**{name: captured(f"mobility/delfi_gtfs_weimar/{name}.txt") for name in names})
    parsed = assert_sound(parse, payload(body), SOURCE)
    assert not parsed.rejections
    found = kept_features(parsed)
    assert set(found) == {"de:16053:153135::15313500", "7202_3", "7201_3", "5547_3", "5546_3"}
    assert found["de:16053:153135::15313500"].west == 11.599214
    assert features(parsed)["de:16053:153135::15313500"].properties["routes"] == ["252"]


def test_a_bad_row_takes_no_other_along():
    tables = unpacked(BODY)
    tables["stops"] = tables["stops"].replace(b"50.9265", b"north") + b"too,few\n"
    parsed = assert_sound(parse, payload(packed(**tables)), SOURCE)
    assert list(features(parsed)) == ["de:1:4003", "de:1:4003::1", "J-1", "J-15"]
    assert [(r.code, r.where) for r in parsed.rejections] == [
        ("bad-row", "stops.txt, line 4"),
        ("bad-row", "stops.txt, line 5"),
    ]
    assert parsed.records[1].unread == ["de:1:4010"]


def test_what_is_no_feed():
    for body in (packed(shapes=b"x"), b"a,b\n1,2\n", BODY[:200], BODY[:-30], BODY.replace(b"stops", b"stopx")):
        parsed = parse(payload(body), SOURCE)
        assert parsed.rejections or "de:1:4003" not in features(parsed)


def test_a_table_that_unfolds_is_left_alone(monkeypatch):
    monkeypatch.setattr("allmende.connectors.gtfs.tables.UNPACKED_BYTES", 100)
    parsed = parse(payload(BODY), SOURCE)
    assert not features(parsed)
    assert {r.where for r in parsed.rejections} == {"stops.txt", "routes.txt"}


def test_damaged_tables():
    # Its names and those of its ids are texts: another text is another name.
    assert assert_withstands(parse, sample(HERE, "stops-constructed.txt"), SOURCE) > 100


def test_damaged_feeds():
    assert assert_withstands(parse, BODY, SOURCE) >= 10


def test_a_zip_whose_list_leads_nowhere():
    # the entries lie before the beginning of the file: zipfile raises a ValueError, and only when one is read
    parsed = parse(payload(BODY[:200] + BODY[600:]), SOURCE)
    assert not features(parsed)
    assert {rejection.code for rejection in parsed.rejections} == {"unreadable"}


def test_a_zip_of_endless_rows_is_bounded(monkeypatch):
    monkeypatch.setattr("allmende.connectors.gtfs.tables.ROWS", {"stops": 3})
    parsed = parse(payload(BODY), SOURCE)
    assert [(rejection.code, rejection.where) for rejection in parsed.rejections] == [("unreadable", "stops.txt")]
    assert "more than 3 rows" in parsed.rejections[0].reason

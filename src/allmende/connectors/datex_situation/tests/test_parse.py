"""Situations of DATEX II: of Luxembourg (version 2, captured), and of version 3 as its schema has them."""

import io

from allmende.connectors.datex_situation.parse import parse
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
from allmende.domain.framing import frames
from allmende.domain.records import Collection
from allmende.domain.times import parse_instant

HERE = "allmende.connectors.datex_situation"
FRAMING = "xml:situation"


def source(**settings: object) -> Source:
    return Source(id="roadworks", connector="datex_situation", dataset="d", settings=manifest_settings(HERE) | settings)


SOURCE = source()
VERSION_3 = sample(HERE, "situations-v3-constructed.xml")


def test_luxembourg_version_2():
    parsed = assert_sound(parse, payload(captured("roadworks/luxembourg_chantiers.xml")), SOURCE)
    assert not parsed.rejections
    found = features(parsed)
    assert set(found) == {"34246-39941", "65473-90781", "65473-90934", "55751-75914"}
    closed = found["34246-39941"]
    assert closed.valid_from == parse_instant("2020-05-29T00:00:00+02:00")
    assert closed.valid_to == parse_instant("2029-05-29T18:00:00+02:00")
    assert closed.geometry == {
        "type": "LineString",
        "coordinates": [(6.291867835775066, 49.69184807503533), (6.304287120879002, 49.714263979573154)],
    }
    said = closed.properties
    assert said["type"] == "MaintenanceWorks"
    assert said["roads"] == ["CR129"]
    assert said["comment"] == "Titre:Nouvelle tape\nC,2. Except bus scolaire."
    assert (said["numberOfOperationalLanes"], said["urgentRoadworks"]) == (0, False)


def test_version_3():
    parsed = assert_sound(parse, payload(VERSION_3), SOURCE)
    assert isinstance(parsed.records[0], Collection)
    assert parsed.records[0].snapshot
    found = kept_features(parsed)
    assert list(found) == ["J-2026-0017-1", "J-2026-0017-2", "J-2026-0018-1"], "not for everybody: 0019"
    works = features(parsed)["J-2026-0017-1"]
    assert works.geometry == {
        "type": "LineString",
        "coordinates": [(11.5853, 50.9113), (11.5866, 50.9101), (11.5871, 50.9088)],
    }
    assert works.properties["comment"] == "Kanalbau, einspurig mit Ampel"
    assert works.properties["source"] == "Kommunalservice"
    assert works.properties["severity"] == "high"
    assert works.properties["roads"] == ["B88", "Kahlaische Straße"]
    assert works.properties["residualRoadWidth"] == 3.25
    assert "01234" not in repr(parsed.records)
    lane = features(parsed)["J-2026-0017-2"]
    assert (lane.geometry, lane.valid_to) == ({"type": "Point", "coordinates": (11.5860, 50.9107)}, None)
    # the corner of an area in EPSG:25832
    area = found["J-2026-0018-1"]
    assert abs(area.west - 11.58562) < 1e-4
    assert abs(area.south - 50.92797) < 1e-4


def test_settings_choose():
    only = parse(
        payload(VERSION_3), source(types=["PublicEvent"], collection="events", title={"de": "Feste"}, snapshot=False)
    )
    collection = only.records[0]
    assert isinstance(collection, Collection)
    assert (collection.id, collection.title, collection.snapshot) == ("events", "Feste", False)
    assert list(features(only)) == ["J-2026-0018-1"]
    assert "J-2026-0019-1" in features(parse(payload(VERSION_3), source(confidential=True)))


def test_one_bad_record_takes_no_other_along():
    bad = VERSION_3.replace(b"<loc:latitude>50.9107", b"<loc:latitude>north", 1)
    parsed = assert_sound(parse, payload(bad), SOURCE)
    assert [(r.code, r.reason) for r in parsed.rejections] == [
        ("bad-record", "latitude is 'north', which is no number")
    ]
    assert list(features(parsed)) == ["J-2026-0017-1", "J-2026-0018-1"]
    assert list(parsed.records[1].unread) == ["J-2026-0017-2"]


def test_a_publication_may_be_empty():
    begin, end = VERSION_3.index(b"  <sit:situation "), VERSION_3.index(b"</d2:payload>")
    parsed = parse(payload(VERSION_3[:begin] + VERSION_3[end:]), SOURCE)
    assert not parsed.rejections
    assert len(parsed.records) == 2
    other = parse(payload(b"<html><body>Wartung</body></html>"), SOURCE)
    assert [r.code for r in other.rejections] == ["no-situations"]


def test_a_large_file_is_read_in_blocks():
    begin, end = VERSION_3.index(b"  <sit:situation "), VERSION_3.index(b"</d2:payload>")
    many = b"".join(VERSION_3[begin:end].replace(b"J-2026", b"J%d" % n) for n in range(200))
    body = VERSION_3[:begin] + many + VERSION_3[end:]
    blocks = list(frames(io.BytesIO(body), framing=FRAMING, name="t", received_at=1))
    assert len(blocks) > 3
    found = [name for block in blocks for name in features(parse(block, SOURCE))]
    assert len(found) == len(set(found)) == 600
    assert [block.line for block in blocks] == sorted({block.line for block in blocks})
    cut = [parse(block, SOURCE) for block in frames(io.BytesIO(body[:-300]), framing=FRAMING, name="t", received_at=1)]
    assert [len(parsed.rejections) for parsed in cut] == [0] * (len(cut) - 1) + [1]


def test_damaged_documents():
    # The year 9999 is how some say "for ever", and 0001 "since ever".
    forever = ("the year 9999", "the year 0001")
    # Where it does not say that it is not for everybody, it is.
    public = ("<headerInformation>", "<confidentiality>")
    assert assert_withstands(parse, VERSION_3, SOURCE, framing=FRAMING, unless=(*forever, *public)) > 300


def test_damaged_captured_documents():
    body = captured("roadworks/luxembourg_chantiers.xml")
    assert assert_withstands(parse, body, SOURCE, framing=FRAMING, unless=("the year 9999", "the year 0001")) > 300

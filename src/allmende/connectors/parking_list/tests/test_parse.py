"""Lists in every form give the same sites; what is damaged is told."""

import msgspec
import pytest

from allmende.connectors.parking_list import hours
from allmende.connectors.parking_list.parse import parse
from allmende.connectors.testing import assert_sound, assert_withstands, manifest_settings, payload, sample, values
from allmende.domain.connector import Source, ThingFacts
from allmende.domain.records import Declaration, Parsed, Position, ThingDeclaration

HERE = "allmende.connectors.parking_list"
LIST = sample(HERE, "list-constructed.csv")


def source(**settings: object) -> Source:
    known = {"city-markt": ThingFacts(id="city-markt", name="Markt", kind="car-park")}
    given = manifest_settings(HERE) | settings
    return Source(id="pl", connector="parking_list", dataset="parking", settings=given, things=known)


def things(parsed: Parsed) -> dict[str, ThingDeclaration]:
    return {record.thing.id: record.thing for record in parsed.records if isinstance(record, Declaration)}


def test_a_list_gives_facts_and_counts() -> None:
    parsed = assert_sound(parse, payload(LIST), source())
    assert values(parsed) == {"pl-1~free": [47], "pl-2~free": [80]}
    assert not parsed.rejections
    found = things(parsed)
    assert found["pl-1"].position == Position(11.586, 50.927)
    assert found["pl-1"].properties["described"] == {
        "capacity": "120", "capacity_disabled": "3", "type": "garage", "max_height": "2,10 m", "has_fee": "ja",
        "address": "Markt 1", "purpose": "CAR", "opening_hours": "Mo-Fr 06:00-22:00; Sa,Su 08:00-20:00",
    }  # fmt: skip
    assert found["pl-2"].properties["described"]["opening_hours"] == "24/7"
    assert found["pl-3"].properties["described"]["capacity"] == "viele"
    flags = [record.flags for record in parsed.records if not isinstance(record, Declaration)]
    assert flags == [None, ["closed"]]


def test_geojson_of_another_system_keeps_its_outline() -> None:
    ring = [[[522499.3, 5398863.3], [522509.2, 5398863.3], [522509.2, 5398865.3], [522499.3, 5398863.3]]]
    document = {
        "type": "FeatureCollection",
        "crs": {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::25832"}},
        "features": [
            {"type": "Feature", "properties": {"n": 1}, "geometry": {"type": "Polygon", "coordinates": ring}},
            {"type": "Feature", "properties": {"n": 2}, "geometry": {"type": "Polygon", "coordinates": [[]]}},
            {"type": "Feature", "properties": {}, "geometry": None},
        ],
    }
    settings = {"id": ["properties.n"], "kind": "parking-area", "facts": {}, "hours": {}, "time": "", "free": ""}
    parsed = assert_sound(parse, payload(msgspec.json.encode(document)), source(**settings))
    found = things(parsed)["pl-1"]
    assert found.position is not None
    assert (round(found.position.lon, 3), round(found.position.lat, 3)) == (9.306, 48.742)
    assert found.properties["outline"]["type"] == "Polygon"
    assert [rejection.code for rejection in parsed.rejections] == ["bad-place", "no-identity"]


def test_bays_are_taken_or_not_and_hang_on_what_is_above() -> None:
    body = msgspec.json.encode([{"a": {"v": "B1"}, "s": "besetzt", "of": "7"}, {"a": {"v": "B2"}, "s": "?", "of": "7"}])
    settings = {
        "id": ["a.v"], "kind": "parking-bay", "taken": "s", "parent": "of", "time": "", "free": "", "facts": {},
        "hours": {}, "words": {"taken": {"besetzt": "1", "frei": "0"}},
    }  # fmt: skip
    parsed = assert_sound(parse, payload(body), source(**settings))
    assert values(parsed) == {"pl-B1~occupied": [1]}
    assert things(parsed)["pl-B1"].properties["parent"] == "pl-7"
    assert [rejection.code for rejection in parsed.rejections] == ["bad-number"]


def test_a_site_that_the_city_knows_keeps_its_id() -> None:
    parsed = parse(payload(LIST), source(places={"1": "city-markt"}, only={"kind": ["garage"]}))
    assert list(things(parsed)) == ["city-markt"]
    assert values(parsed) == {"city-markt~free": [47]}


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        (b";47;", b";47,5;", "bad-number"),
        (b"2026-03-12T11:58:00Z", b"gestern", "bad-time"),
        (b"\n1;", b"\n;", "no-identity"),
        (b"1;Am Markt;", b"1;", "bad-row"),
    ],
)
def test_what_cannot_be_read_is_told(old: bytes, new: bytes, code: str) -> None:
    parsed = assert_sound(parse, payload(LIST.replace(old, new, 1)), source())
    assert [rejection.code for rejection in parsed.rejections] == [code]


@pytest.mark.parametrize("body", [b"", b"{", b"[1]", b"\xff\xfe", b'{"features": 1}', b"PK\x03\x04 no sheet"])
def test_what_is_no_list_is_refused_or_empty(body: bytes) -> None:
    parsed = parse(payload(body), source())
    assert not [record for record in parsed.records if not isinstance(record, Declaration)]
    assert len(parsed.rejections) <= 1


def test_it_withstands_what_damages_a_list() -> None:
    assert assert_withstands(parse, LIST, source()) > 50


@pytest.mark.parametrize(
    ("said", "hours_"),
    [
        ("Mo-Fr:  07:00  -  01:30  Uhr\nSa:  07:00  -  01:30  Uhr", "Mo-Fr 07:00-01:30; Sa 07:00-01:30"),
        ("Mo-Fr: 06:00 - 23:00 Uhr\nSo: geschlossen", "Mo-Fr 06:00-23:00"),
        ("ganztägig", "24/7"),
        ("nach Vereinbarung", ""),
        ("", ""),
    ],
)
def test_hours_are_read_whole_or_not_at_all(said: str, hours_: str) -> None:
    assert hours.of_text(said) == hours_


def test_a_column_says_the_kind_and_brackets_the_number() -> None:
    body = b'[{"id": 1, "art": "Rolli", "name": "Markt (4)"}, {"id": 2, "art": "P", "name": "Tor (alt)"}, {"id": 3}]'
    given = source(
        kind_from="art",
        words={"kind": {"Rolli": "parking-area"}, "restrictions": {"Rolli": [{"type": "DISABLED"}], "*": ""}},
        bracketed={"capacity": "name"}, facts={"restrictions": "art"}, all={}, hours={}, without={"id": ["3"]},
    )  # fmt: skip
    found = things(parse(payload(body), given))
    assert {key: (each.name, each.properties["kind"]) for key, each in found.items()} == {
        "pl-1": ("Markt", "parking-area"), "pl-2": ("Tor (alt)", "car-park"),
    }  # fmt: skip
    assert found["pl-1"].properties["described"] == {"restrictions": [{"type": "DISABLED"}], "capacity": 4}
    assert "described" not in found["pl-2"].properties

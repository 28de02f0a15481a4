"""Stations and areas of shared vehicles; no vehicle can be told from another."""

import json

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from allmende.connectors.fetching import FetchError
from allmende.connectors.gbfs import fetch as fetching
from allmende.connectors.gbfs.parse import parse
from allmende.connectors.testing import assert_sound, assert_withstands, manifest_settings, payload, sample, values
from allmende.domain.connector import Source
from allmende.domain.records import Declaration, Position, Series
from allmende.domain.times import parse_instant

HERE = "allmende.connectors.gbfs"
V2, V3 = sample(HERE, "v2-constructed.json"), sample(HERE, "v3-constructed.json")


def square(id_: str, west: float, south: float) -> dict[str, object]:
    corners = [[west, south], [west + 0.02, south], [west + 0.02, south + 0.02], [west, south + 0.02], [west, south]]
    geometry = {"type": "Polygon", "coordinates": [corners]}
    return {"type": "Feature", "properties": {"id": id_, "name": id_.title()}, "geometry": geometry}


AREAS = json.dumps(
    {"type": "FeatureCollection", "features": [square("mitte", 11.58, 50.92), square("lobeda", 11.6, 50.88)]}
)


def source(tables: dict[str, bytes] | None = None, **settings: object) -> Source:
    return Source(
        id="rad",
        connector="gbfs",
        dataset="sharing",
        settings=manifest_settings(HERE) | settings,
        tables=tables or {},
        address="https://gbfs.example/gbfs.json",
    )


SOURCE = source()


def test_version_2_by_station_and_as_a_whole() -> None:
    parsed = assert_sound(parse, payload(V2), SOURCE)
    assert values(parsed) == {
        "rad-station-s1~available-vehicles": [5],
        "rad-station-s1~free-docks": [7],
        "rad-station-s2~available-vehicles": [3],
        "rad-area-all~parked-vehicles": [3],
    }
    series = {record.stream: record for record in parsed.records if isinstance(record, Series)}
    assert series["rad-station-s2~available-vehicles"].flags == ["not-renting"]
    assert series["rad-station-s1~free-docks"].times == [parse_instant("2024-05-02T07:59:50Z")]
    things = {record.thing.id: record.thing for record in parsed.records if isinstance(record, Declaration)}
    assert (things["rad-station-s1"].name, things["rad-station-s1"].position) == (
        "Holzmarkt",
        Position(11.5855, 50.9265),
    )


def test_version_3_says_the_same_in_other_words() -> None:
    parsed = assert_sound(parse, payload(V3), SOURCE)
    assert values(parsed) == {
        "rad-station-s1~available-vehicles": [5],
        "rad-station-s1~free-docks": [7],
        "rad-area-all~parked-vehicles": [1],
    }
    series = {record.stream: record.times for record in parsed.records if isinstance(record, Series)}
    assert series["rad-station-s1~free-docks"] == [parse_instant("2024-05-02T07:59:50Z")]
    names = {record.thing.name for record in parsed.records if isinstance(record, Declaration)}
    assert "Holzmarkt" in names


def test_vehicles_are_counted_by_area_and_forgotten() -> None:
    chosen = source({"areas.geojson": AREAS.encode()}, table="areas.geojson")
    parsed = assert_sound(parse, payload(V2), chosen)
    assert values(parsed)["rad-area-mitte~parked-vehicles"] == [2]
    assert values(parsed)["rad-area-lobeda~parked-vehicles"] == [0]
    assert "secret" not in repr(parsed)
    assert "50.92712" not in repr(parsed)


def test_one_vehicle_that_cannot_be_read_stops_the_count_and_stays_nameless() -> None:
    body = V2.replace(b'"is_reserved": true', b'"is_reserved": "maybe"')
    parsed = assert_sound(parse, payload(body), SOURCE)
    assert "rad-area-all~parked-vehicles" not in values(parsed)
    [rejection] = parsed.rejections
    assert rejection.code == "bad-state"
    assert b"secret" not in rejection.body
    assert b"50.92812" not in rejection.body


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [(b'"last_updated": 1714636800', b'"last_updated": "now"', "bad-time"), (b'"bikes"', b'"rides"', "no-vehicles")],
)
def test_a_file_of_vehicles_that_cannot_be_read_is_not_kept(old: bytes, new: bytes, code: str) -> None:
    head, tail = V2.rsplit(b'"vehicles"', 1)
    parsed = assert_sound(parse, payload(head + b'"vehicles"' + tail.replace(old, new)), SOURCE)
    [rejection] = parsed.rejections
    assert (rejection.code, b"secret" in rejection.body) == (code, False)
    assert values(parsed)["rad-station-s1~free-docks"] == [7]


def test_areas_that_cannot_be_read_are_the_operators_fault() -> None:
    for table in (b"{", b'{"features": []}', b'{"features": [{"properties": {"id": 1}, "geometry": null}]}'):
        parsed = assert_sound(parse, payload(V2), source({"areas.geojson": table}, table="areas.geojson"))
        assert [rejection.code for rejection in parsed.rejections] == ["bad-configuration"]


def test_a_file_by_itself() -> None:
    status = json.dumps(json.loads(V2)["status"]).encode()
    assert values(assert_sound(parse, payload(status), SOURCE))["rad-station-s1~available-vehicles"] == [5]
    vehicles = json.dumps(json.loads(V3)["vehicles"]).encode()
    assert values(assert_sound(parse, payload(vehicles), SOURCE)) == {"rad-area-all~parked-vehicles": [1]}


@pytest.mark.parametrize(("body", "listing"), [(V2, {"de": {}}), (V3, {})])
def test_fetch_puts_the_files_together(
    monkeypatch: pytest.MonkeyPatch, body: bytes, listing: dict[str, object]
) -> None:
    whole = json.loads(body)
    free = "vehicle_status" if not listing else "free_bike_status"
    files = {"station_information": "information", "station_status": "status", free: "vehicles"}
    feeds = {"feeds": [{"name": name, "url": f"/{name}.json"} for name in (*files, "system_alerts")]}
    answers = {f"/{name}.json": whole[part] for name, part in files.items()}
    answers["/gbfs.json"] = {"data": dict.fromkeys(listing, feeds) or feeds}
    transport = httpx.MockTransport(lambda request: httpx.Response(200, json=answers[request.url.path]))
    monkeypatch.setattr(fetching, "open_client", lambda source: httpx.Client(transport=transport))
    [told] = fetching.fetch(SOURCE, now=0, since=None)
    assert values(assert_sound(parse, told, SOURCE)) == values(parse(payload(body), SOURCE))
    feeds["feeds"][0]["url"] = "https://elsewhere.example/x.json"
    with pytest.raises(FetchError, match="another host"):
        list(fetching.fetch(SOURCE, now=0, since=None))
    answers["/gbfs.json"] = {"data": {}}
    with pytest.raises(FetchError, match="none of the files"):
        list(fetching.fetch(SOURCE, now=0, since=None))


@pytest.mark.parametrize("body", [V2, V3])
def test_it_withstands_what_damages_a_document(body: bytes) -> None:
    # no vehicles at all is a state, too
    unless = ["data/bikes: []", "data/vehicles: []"]
    assert assert_withstands(parse, body, SOURCE, unless=unless) > 100


@given(st.binary(max_size=200))
def test_any_bytes_end_in_a_rejection_or_nothing(body: bytes) -> None:
    assert_sound(parse, payload(body), SOURCE)

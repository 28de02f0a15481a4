"""Captured feeds of other cities are imported, and given out again as ParkAPI and DATEX II without loss."""

import os
import tomllib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec
import pytest
from lxml import etree

from allmende.city.parking.feeds import datex, hours, parkapi
from allmende.city.parking.feeds.versions import number_of
from allmende.city.parking.standing import Spaces
from allmende.city.parking.state import SiteState, read_states
from allmende.connectors.datex_parking.parse import parse as parse_datex
from allmende.connectors.parkapi.parse import parse as parse_parkapi
from allmende.connectors.parking_list.parse import parse as parse_list
from allmende.connectors.testing import manifest_settings
from allmende.domain.batch import Batch
from allmende.domain.connector import Payload, Source
from allmende.domain.policy import ANONYMOUS
from allmende.domain.records import Declaration, Series
from allmende.domain.times import SECOND, from_datetime, parse_instant, to_datetime
from allmende.storage.sqlite import SqliteStore
from tests.city.parking.test_feeds import CITY, made, read_again
from tests.city.parking.test_feeds import FACTS as OTHER_FACTS
from tests.city.parking.test_state import TOWN
from tests.support import DATASETS, HOUSE, PlainConnections, captured

SETTINGS = tomllib.loads(Path(__file__).with_name("captured.toml").read_text(encoding="utf-8"))
SHARED = (
    "type", "purpose", "max_height", "max_width", "max_stay", "has_fee", "fee_description", "operator_name", "address",
    "public_url", "photo_url", "description", "capacity_disabled", "capacity_woman", "capacity_family",
    "capacity_charging", "capacity_bus", "capacity_truck", "supervision_type", "has_lighting", "is_covered",
    "orientation", "park_and_ride_type", "restrictions", "opening_hours",
)  # fmt: skip
"""Facts that both formats have a word for; beside them name, place, outline, capacity, counts and their time."""
FEEDS = {
    # sites, with a capacity, with free spaces, rejections; a moment at which its counts hold
    "aachen": (parse_datex, 17, 16, 13, 0, ""),
    "bielefeld": (parse_list, 853, 466, 20, 0, "2026-02-06T07:36:00Z"),
    "esslingen": (parse_list, 250, 250, 0, 0, ""),
    "freiburg": (parse_list, 312, 312, 0, 0, ""),
    "freiburg-sensors": (parse_list, 20, 20, 20, 0, "2026-01-01T12:00:00Z"),
    "goldbeck": (parse_list, 11, 11, 0, 0, ""),
    "heidelberg": (parse_list, 25, 24, 22, 1, "2024-06-08T13:26:00Z"),
    "konstanz": (parse_list, 11, 11, 11, 0, "2024-08-17T06:31:00Z"),
    "reutlingen": (parse_list, 114, 12, 0, 0, ""),
}
FACTS = {
    # how many of the shared facts go in; how many of them DATEX II can say. ParkAPI says all.
    "aachen": (39, 39), "bielefeld": (3805, 2952), "esslingen": (805, 561), "freiburg": (1126, 814),
    "freiburg-sensors": (31, 31), "goldbeck": (103, 87), "heidelberg": (228, 206), "konstanz": (143, 132),
    "reutlingen": (228, 114),
}  # fmt: skip
FILES = {
    "bielefeld": "bielefeld.csv", "esslingen": "esslingen.geojson", "freiburg": "freiburg_disabled_static.geojson",
    "freiburg-sensors": "freiburg_disabled_sensors.geojson", "goldbeck": "goldbeck.xlsx",
    "heidelberg": "heidelberg.json", "konstanz": "konstanz.json", "reutlingen": "reutlingen.csv",
}  # fmt: skip


def body_of(city: str) -> bytes:
    if city != "aachen":
        return captured("parking", "feeds", FILES[city]).read_bytes()
    both = [captured("parking", "feeds", f"aachen-{kind}.xml").read_bytes() for kind in ("static", "realtime")]
    return b"<messages>" + b"".join(both) + b"</messages>"


def imported(city: str, folder: Path) -> tuple[list[SiteState], int]:
    """The states of a feed's sites just after it was read, and how many rejections there were."""
    parse: Callable[..., Any] = FEEDS[city][0]
    moment = FEEDS[city][5] or "2025-02-07T19:12:00Z"
    settings = manifest_settings("allmende.connectors.parking_list") if parse is parse_list else {}
    source = Source(
        id="feed", connector="x", dataset="parking", settings={**settings, **SETTINGS.get(city, {})},
        time_zone="Europe/Berlin",
    )  # fmt: skip
    at = parse_instant(moment)
    records, rejections = parse(Payload(body=body_of(city), name=city, received_at=at), source)
    store = SqliteStore(PlainConnections(folder / "town.sqlite3"))
    store.put_datasets(DATASETS)
    store.append(
        Batch(
            origin="feed", dataset="parking", reader=HOUSE, received_at=at,
            declarations=[record for record in records if isinstance(record, Declaration)],
            series=[record for record in records if isinstance(record, Series)],
        )
    )  # fmt: skip
    town = msgspec.structs.replace(TOWN, things=())
    states = read_states(store, town, ANONYMOUS, to_datetime(at) + timedelta(minutes=1))
    return list(states), len(rejections)


@pytest.mark.parametrize("city", FEEDS)
def test_a_captured_feed_goes_in_and_out_without_loss(city: str, tmp_path: Path) -> None:
    states, rejected = imported(city, tmp_path)
    sized = sum(state.capacity is not None for state in states)
    counted = sum(state.free is not None for state in states)
    assert (len(states), sized, counted, rejected) == FEEDS[city][1:5]
    assert sum(state.site.lon is None for state in states) == {"esslingen": 6, "heidelberg": 3}.get(city, 0)
    bays = states[0].site.kind == "parking-bay"
    make = parkapi.as_spot if bays else parkapi.as_site
    sites = [make(state) for state in parkapi.listed(states, bays=bays)]
    if bays:
        assert [spot["realtime_status"] for spot in sites].count("TAKEN") == 2
    back = read_again(parse_parkapi, msgspec.json.encode({"items": sites}))
    table, status = (datex.written(make(states, CITY)).split(b"?>", 1)[1] for make in (datex.table, datex.status))
    other = read_again(parse_datex, b"<messages>" + table + status + b"</messages>")
    told = [0, 0]
    for state in parkapi.listed(states, bays=bays):
        site = state.site
        in_parkapi, in_datex = back[f"x-{number_of(site.id)}"], other[f"x-{site.id}"]
        known = {name: site.fact(name) for name in SHARED if site.fact(name) is not None}
        sayable = said_in_datex(state, known)
        told = [told[0] + len(known), told[1] + len(sayable)]
        for found, expected in ((in_parkapi, known), (in_datex, sayable)):
            assert (found["name"], found["place"]) == (site.name, (site.lon, site.lat))
            assert {name: fact_of(found["described"], name) for name in expected} == {
                name: hours.read(value) or value if name == "opening_hours" else value
                for name, value in expected.items()
            }
            if bays and found is in_parkapi:
                assert found["occupied"][:2] == (whole_second(state), state.occupied)
            elif state.status == "live" and not state.flags:
                assert found["free"][:2] == (whole_second(state), state.free)
            else:
                assert not found.get("free", (0, 0))[1]
        if not bays:
            assert in_parkapi["outline"] == site.geometry
        if (site.geometry or {}).get("type") in ("Polygon", "MultiPolygon"):
            assert in_datex["outline"] == msgspec.json.decode(msgspec.json.encode(site.geometry))
        if state.capacity is not None:
            assert in_datex["described"]["capacity"] == state.capacity
            stated = state.capacity if site.fact("capacity") is None else site.fact("capacity")
            assert in_parkapi["described"].get("capacity", 1 if bays else None) == stated
    assert tuple(told) == FACTS[city]


def whole_second(state: SiteState) -> int:
    """Neither format is asked for more: the reference server of ParkAPI drops fractions."""
    assert state.stamp is not None
    return from_datetime(state.stamp) // SECOND * SECOND


def fact_of(described: dict[str, Any], name: str) -> Any:
    """A fact as it was read again: hours by what they mean, restrictions without those of a part."""
    said = described.get(name)
    if name == "restrictions" and said:
        return [each for each in said if "capacity" not in each]
    if name == "capacity_disabled" and said is None:  # of a single bay ParkAPI says it so
        return int({"type": "DISABLED"} in (described.get("restrictions") or ()))
    return hours.read(said) or said if name == "opening_hours" else said


def said_in_datex(state: SiteState, known: dict[str, Any]) -> dict[str, Any]:
    """What DATEX II has a word for: nothing for "other", "no", or a car, and for hours only days and times of day."""
    said = dict(known)
    if said.get("type") == "OTHER":
        del said["type"]
    if said.get("purpose") == "CAR":
        del said["purpose"]
    for name in ("has_lighting", "is_covered"):
        if said.get(name) is False:
            del said[name]
    if said.get("supervision_type") == "YES":
        del said["supervision_type"]
    if state.capacity is None:
        said.pop("orientation", None)
    hours_said = said.get("opening_hours")
    if hours_said and hours_said != "24/7" and not hours.read(hours_said):
        del said["opening_hours"]
    return said


SCHEMAS = os.environ.get("ALLMENDE_TEST_DATEX", "")
EVERYTHING = {
    **OTHER_FACTS, "is_covered": True, "orientation": "PARALLEL", "park_and_ride_type": ["CARPOOL", "TRAM"],
    "restrictions": [{"type": "DISABLED"}, {"type": "RESIDENT"}, {"type": "BUS"}],
}  # fmt: skip
SQUARE = {"type": "Polygon", "coordinates": [[[11.5, 50.9], [11.6, 50.9], [11.6, 51.0], [11.5, 50.9]]]}


def test_what_a_site_is_for_and_how_it_lies_comes_back_from_datex() -> None:
    lane = made("lane", kind="parking-area", parent="centre", facts=EVERYTHING, geometry=SQUARE)
    payload = datex.table([lane, made("centre", kind="parking-zone")], CITY)
    assert payload.findtext(f".//{{{datex.PAR}}}parkingZone//{{{datex.COM}}}value") == "Centre"
    again = read_again(parse_datex, datex.written(payload))["x-lane"]
    assert again["outline"] == SQUARE
    expected = {**EVERYTHING, "park_and_ride_type": ["CARPOOL", "YES"]}  # by which means, it has no word for
    assert {name: again["described"].get(name) for name in expected} == expected
    # what holds at some hours alone would hold always
    part = made("part", facts={"restrictions": [{"type": "RESIDENT", "hours": "Mo-Fr"}]})
    assert "onlyAssignedParking" not in datex.written(datex.table([part], CITY)).decode()


@lru_cache(maxsize=1)
def published_schema() -> etree.XMLSchema:
    """One that imports each of the folder that parking needs: a payload alone does not name its kinds."""
    whole = etree.Element("{http://www.w3.org/2001/XMLSchema}schema")
    for name in ("Parking", "D2Payload", "MessageContainer"):
        file = next(Path(SCHEMAS).rglob(f"*{name}.xsd"))
        where = {"namespace": etree.parse(str(file)).getroot().get("targetNamespace", ""), "schemaLocation": str(file)}
        etree.SubElement(whole, "{http://www.w3.org/2001/XMLSchema}import", where)
    return etree.XMLSchema(whole)


@pytest.mark.skipif(not SCHEMAS, reason="ALLMENDE_TEST_DATEX names no folder with the schemas of DATEX II version 3")
@pytest.mark.parametrize("city", ["everything", *FEEDS])
def test_documents_are_valid_against_the_published_schema(city: str, tmp_path: Path) -> None:
    """The schemas are not part of the project: see docs/reference/parking-feeds.md for where they are."""
    schema = published_schema()
    kinds = {kind: Spaces(free=1, occupied=1, capacity=2) for kind in datex.GROUPS}
    states = [
        made("lane", kind="parking-area", parent="centre", facts=EVERYTHING, geometry=SQUARE, spaces=kinds),
        made("bay", kind="parking-bay", parent="lane", free=1, occupied=0, capacity=1),
        made("centre", kind="parking-zone"), made("nowhere", lon=None, lat=None, facts={"purpose": "BIKE"}),
        made("shut", status="closed", free=None, occupied=None), made("odd", flags=("frozen",), estimated=True),
    ] if city == "everything" else imported(city, tmp_path)[0]  # fmt: skip
    for make in (datex.table, datex.status):
        for root in (make(states, CITY), datex.contained(make(states, CITY), CITY)):
            schema.assertValid(etree.fromstring(datex.written(root)))


def test_single_values_of_the_feeds(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    bielefeld = {state.site.reference: state for state in imported("bielefeld", tmp_path / "b")[0]}["660-1"]
    fact = bielefeld.site.fact
    assert (bielefeld.free, bielefeld.capacity, fact("max_height"), fact("type")) == (203, 383, 200, "UNDERGROUND")
    assert bielefeld.observed_at == datetime(2026, 2, 6, 7, 35, tzinfo=UTC)
    assert fact("opening_hours") == "Mo-Fr 07:00-21:00; Sa 08:00-19:00"  # and closed on Sundays
    heidelberg = {state.site.reference: state for state in imported("heidelberg", tmp_path)[0]}["3"]
    assert (heidelberg.flags, parkapi.as_site(heidelberg)["tags"]) == (("faulty",), ["implausible:faulty"])
    # The list says 116 spaces, its counting 140: the count's own holds beside it, both are kept.
    assert (heidelberg.capacity, heidelberg.site.fact("capacity")) == (140, 116)

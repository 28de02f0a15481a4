"""The feeds: what is given out is read again by our own connectors as it was, and is asked for as others ask."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from allmende.city.parking.feeds import datex, datex_v2, hours, parkapi, tables
from allmende.city.parking.feeds.versions import changed_at, number_of
from allmende.city.parking.sites import Site
from allmende.city.parking.state import SiteState, Spaces
from allmende.city.parking.statements import state as statement
from allmende.connectors.datex_parking.parse import parse as parse_datex
from allmende.connectors.parkapi.parse import parse as parse_parkapi
from allmende.domain.connector import Payload, Source
from allmende.domain.errors import InvalidInput
from allmende.domain.records import Declaration, Series
from allmende.domain.times import from_datetime

NOON = datetime(2026, 3, 12, 12, tzinfo=UTC)
STAMP = NOON - timedelta(minutes=2)
CITY = datex.Publisher("de", "Stadt Jena", "de")


def made(identifier: str = "north", **said: Any) -> SiteState:
    """A state; ``facts`` are the site's, the rest the state's or the site's fields."""
    facts = said.pop("facts", {})
    about = {key: said.pop(key) for key in ("kind", "parent", "lon", "lat", "name", "geometry") if key in said}
    site = Site(
        id=identifier,
        stands_for=identifier,
        statements={
            name: (statement(name, value, source="list", date="2026-03-01", by="profile"),)
            for name, value in facts.items()
        },
        **{"name": identifier.title(), "kind": "car-park", "lon": 11.5, "lat": 50.9, **about},
    )
    values = {"status": "live", "free": 5, "occupied": 75, "capacity": 80, "observed_at": STAMP, "confirmed_at": STAMP}
    whole = {**values, **said}
    spaces = Spaces(free=whole["free"], occupied=whole["occupied"], capacity=whole["capacity"])
    whole["spaces"] = {"": spaces, **whole.get("spaces", {})}
    return SiteState(site=site, now=NOON, **whole)


def read_again(parse: Any, body: bytes) -> dict[str, dict[str, Any]]:
    """By thing: its declaration's name, place and described facts, and each stream's value and flag."""
    source = Source(id="back", connector="x", dataset="d", settings={"prefix": "x"})
    records, rejections = parse(Payload(body=body, name="x", received_at=from_datetime(NOON)), source)
    assert not rejections
    found: dict[str, dict[str, Any]] = {}
    owners: dict[str, str] = {}
    for record in records:
        if isinstance(record, Declaration):
            thing = record.thing
            place = (thing.position.lon, thing.position.lat) if thing.position else None
            owners[record.stream] = thing.id
            known = found.setdefault(thing.id, {"name": thing.name, "place": place})
            known["described"] = thing.properties.get("described", {})
            known["outline"] = thing.properties.get("outline")
        elif isinstance(record, Series):
            quantity = record.stream.split("~")[1]
            flag = (record.flags or [""])[0]
            found[owners[record.stream]][quantity] = (record.times[0], record.results[0], flag)
    return found


FACTS = {
    "type": "UNDERGROUND", "max_height": 210, "max_width": 235, "max_stay": 7200, "has_fee": True,
    "fee_description": "3 € je Stunde", "operator_name": "Stadt & Söhne", "public_url": "https://example.org/?a=b&c",
    "photo_url": "https://example.org/p.jpg", "address": "Markt 1, 07743 Jena", "has_lighting": True,
    "opening_hours": "Mo-Fr 07:00-19:00; Sa 08:00-14:00", "supervision_type": "VIDEO", "description": "unter dem Markt",
}  # fmt: skip
texts = st.text(st.characters(exclude_categories=["Cs", "Cc", "Cn"]), min_size=1, max_size=12).filter(str.strip)
counts = st.integers(0, 500)


@settings(max_examples=25)
@given(
    st.lists(
        st.tuples(texts, counts, st.integers(1, 500), st.floats(1, 179), st.floats(-89, 89), counts),
        max_size=4,
        min_size=1,
    )
)
def test_what_is_given_out_is_read_again_the_same(rows: list[tuple[str, int, int, float, float, int]]) -> None:
    moment = from_datetime(STAMP)
    states = [
        made(
            f"site-{number}", name=name.strip(), free=free, occupied=taken, capacity=free + taken, lon=lon, lat=lat,
            facts={**FACTS, "capacity": free + taken, "capacity_disabled": apart},
            spaces={"disabled": Spaces(free=min(apart, 1), capacity=apart)},
        )
        for number, (name, free, taken, lon, lat, apart) in enumerate(rows)
    ]  # fmt: skip
    sites = [parkapi.as_site(state) for state in states]
    back = read_again(parse_parkapi, msgspec.json.encode({"items": sites}))
    table, status = (datex.written(make(states, CITY)) for make in (datex.table, datex.status))
    both = b"<messages>" + table.split(b"?>", 1)[1] + status.split(b"?>", 1)[1] + b"</messages>"
    forms = [read_again(parse_datex, body) for body in (both, datex.written(datex_v2.status(states, CITY)))]
    for state, said in zip(states, sites, strict=True):
        kept = back[f"x-{said['id']}"]
        assert (kept["name"], kept["place"]) == (state.site.name, (state.site.lon, state.site.lat))
        assert (kept["free"], kept["capacity"]) == ((moment, state.free, ""), (moment, state.capacity, ""))
        assert kept["free-disabled"][1] == state.spaces["disabled"].free
        assert FACTS.items() <= kept["described"].items()
        for form in forms:
            kept = form[f"x-{state.site.id}"]
            assert (kept["name"], kept["place"]) == (state.site.name, (state.site.lon, state.site.lat))
            counted = [kept[quantity][:2] for quantity in ("free", "occupied", "capacity")]
            if form is forms[0]:
                assert {**FACTS, "capacity_disabled": state.spaces["disabled"].capacity}.items() <= kept[
                    "described"
                ].items()
                assert kept["free-disabled"][1] == state.spaces["disabled"].free
            assert counted == [(moment, state.free), (moment, state.occupied), (moment, state.capacity)]


def test_what_is_not_known_or_implausible_has_no_number_and_what_is_closed_is_full() -> None:
    silent = made("silent", status="no-data", free=None, occupied=None, confirmed_at=STAMP - timedelta(days=1))
    odd, shut = made("odd", flags=("above-capacity",)), made("shut", status="closed", free=None, occupied=None)
    sites = {site["original_uid"]: site for site in map(parkapi.as_site, (silent, odd, shut))}
    assert sites["silent"]["has_realtime_data"] is False
    assert not [name for name in sites["silent"] if name.startswith("realtime")]
    assert "realtime_free_capacity" not in sites["odd"]
    assert sites["odd"]["tags"] == ["implausible:above-capacity"]
    assert (sites["shut"]["realtime_opening_status"], sites["shut"]["realtime_free_capacity"]) == ("CLOSED", 0)
    root = datex.status([silent, odd, shut], CITY)
    vacant = {
        record.find(f"{{{datex.PAR}}}parkingRecordReference").get("id"): record.findtext(
            f".//{{{datex.PAR}}}parkingNumberOfVacantSpaces"
        )
        for record in root.iter(f"{{{datex.PAR}}}parkingRecordStatus")
    }
    assert vacant == {"silent": None, "odd": None, "shut": "0"}
    closed = read_again(parse_datex, datex.written(datex.status([shut], CITY)))["x-shut"]
    assert closed["free"][1:] == (0, "closed")


def test_bays_are_spots_of_parkapi_and_spaces_of_their_area_in_datex() -> None:
    lane = made("lane", kind="parking-area")
    spaces = {"disabled": Spaces(free=1, capacity=1)}
    bay = made("bay-1", kind="parking-bay", parent="lane", free=1, occupied=0, capacity=1, spaces=spaces)
    alone = made("bay-2", kind="parking-bay", free=0, occupied=1, capacity=1)
    spot = parkapi.as_spot(bay)
    assert (spot["realtime_status"], spot["parking_site_id"]) == ("AVAILABLE", number_of("lane"))
    assert spot["restrictions"] == [{"type": "DISABLED"}]
    assert parkapi.as_spot(alone)["realtime_status"] == "TAKEN"
    states = [lane, bay, alone, made("centre", kind="parking-zone")]
    table = datex.table(states, CITY)
    assert [record.get("id") for record in table.iter(f"{{{datex.PAR}}}parkingRecord")] == ["lane", "bay-2"]
    back = read_again(parse_parkapi, msgspec.json.encode({"items": [spot, parkapi.as_spot(alone)]}))
    assert [back[f"x-{number_of(name)}"]["occupied"][1] for name in ("bay-1", "bay-2")] == [0, 1]
    both = [datex.written(make(states, CITY)).split(b"?>", 1)[1] for make in (datex.table, datex.status)]
    assert read_again(parse_datex, b"<messages>" + b"".join(both) + b"</messages>")["x-bay-1"]["occupied"][1] == 0
    taken = datex.status(states, CITY).findtext(f".//{{{datex.PAR}}}parkingSpaceOccupied")
    assert taken == "false"


ORDER = {
    "parkingRecord": (
        "parkingName", "parkingDescription", "parkingRecordVersionTime", "parkingNumberOfSpaces",
        "maximumParkingDuration", "photoUrl", "urlLinkAddress", "parkingOccupancyDetectionType", "operator",
        "parkingLocation", "onlyAssignedParking", "prohibitedParking", "tariffsAndPayment", "parkingSpace",
        "groupOfParkingSpaces", "parkingLayout", "parkingSiteAddress", "openingTimes", "parkingStandardsAndSecurity",
        "urbanParkingSiteType",
    ),
    "parkingRecordStatus": (
        "parkingRecordReference", "parkingStatusOriginTime", "parkingSpaceStatus", "parkingOccupancy",
        "groupOfParkingSpacesStatus", "parkingSiteStatus", "parkingSiteOpeningStatus",
    ),
    "parkingOccupancy": (
        "parkingNumberOfSpacesOverride", "parkingNumberOfVacantSpaces", "parkingNumberOfOccupiedSpaces",
        "parkingOccupancy", "parkingOccupancyTrend",
    ),
    "parkingTable": ("parkingTableName", "parkingTableVersionTime", "parkingRecord"),
    "payload": (
        "publicationTime", "publicationCreator", "headerInformation", "parkingTable", "parkingRecordStatus",
    ),
}  # fmt: skip
"""The order in which the published schema wants what we write (DATEXII_3_Parking.xsd)."""


def test_elements_stand_in_the_order_of_the_schema() -> None:
    kinds = {kind: Spaces(free=1, capacity=3) for kind in datex.GROUPS}
    facts = {
        "type": "UNDERGROUND", "max_height": 2.1, "max_stay": "PT2H", "has_fee": True, "fee_description": "3 €",
        "operator_name": "Stadt", "public_url": "https://example.org", "photo_url": "https://example.org/p.jpg",
        "address": "Markt 1", "opening_hours": "Mo-Fr 07:00-19:00", "supervision_type": "VIDEO", "description": "x",
        "purpose": "BIKE",
    }  # fmt: skip
    full = made("full", facts=facts, spaces=kinds, trend="falling")
    bay = made("bay", kind="parking-bay", parent="full", free=1, occupied=0, capacity=1)
    roots = [datex.table([full, bay], CITY), datex.status([full, bay], CITY)]
    seen = set()
    for element in (element for root in roots for element in root.iter()):
        name = etree.QName(element).localname
        order = ORDER.get(name)
        if order is None or not len(element):
            continue
        inner = [etree.QName(child).localname for child in element]
        assert [order.index(child) for child in inner] == sorted(order.index(child) for child in inner)
        seen |= {name, *inner}
    assert seen >= {name for order in ORDER.values() for name in order}


@pytest.mark.parametrize(
    ("said", "days"),
    [
        ("Mo-Fr 07:00-19:00; Sa 08:00-14:00", [(0, 1, 2, 3, 4), (5,)]),
        ("07:00-24:00", [tuple(range(7))]),
        ("Mo-Su 08:00-20:00; Su 10:00-18:00", [(0, 1, 2, 3, 4, 5), (6,)]),
        ("Sa-Mo 08:00-20:00", [(0, 5, 6)]),
        ("Mo-Fr 07:00-19:00; PH off", None),
        ("sunrise-sunset", None),
        ("Mo-Fr 7-19", None),
    ],
)
def test_opening_hours_are_written_whole_or_not_at_all(said: str, days: list[tuple[int, ...]] | None) -> None:
    found = hours.read(said)
    assert (found and [rule.days for rule in found]) == days


def sites() -> list[dict[str, Any]]:
    places = {"north": 50.90, "south": 50.80, "east": 50.901}
    return [parkapi.as_site(made(name, lat=lat, facts={"type": "lot"})) for name, lat in places.items()]


@pytest.mark.parametrize(
    ("asked", "names"),
    [
        ({}, {"North", "South", "East"}),
        ({"name": "ort"}, {"North"}),
        ({"lat": "50.9", "lon": "11.5", "radius": "500"}, {"North", "East"}),
        ({"location": "11.5,50.9", "radius": "0.05"}, {"North"}),
        ({"lat_max": "50.85"}, {"South"}),
        ({"type": "UNDERGROUND"}, set()),
        ({"not_type": "UNDERGROUND", "purpose": "CAR"}, {"North", "South", "East"}),
        ({"source_uids": "feed,profile"}, {"North", "South", "East"}),
        ({"source_uid": "feed"}, set()),
    ],
)
def test_sites_are_found_as_parkapi_finds_them(asked: dict[str, str], names: set[str]) -> None:
    found = parkapi.search(sites(), asked, {number_of("profile"): "profile"})
    assert {item["name"] for item in found.items} == names
    assert found.total == len(names)


def test_pages_lead_from_one_to_the_next() -> None:
    seen: list[str] = []
    asked = {"limit": "2"}
    while True:
        found = parkapi.search(sites(), asked, {})
        page = parkapi.as_page(found, "/parking-sites", asked)
        seen += [item["name"] for item in page["items"]]
        assert page["total_count"] == 3
        if "next_id" not in page:
            break
        assert page["next_path"] == f"/parking-sites?limit=2&start={page['next_id']}"
        asked = {"limit": "2", "start": str(page["next_id"])}
    assert sorted(seen) == ["East", "North", "South"]


@pytest.mark.parametrize(
    "asked",
    [
        {"limit": "0"},
        {"limit": "1001"},
        {"start": "-1"},
        {"lat": "x"},
        {"lat": "1"},
        {"radius": "nan"},
        {"location": "1"},
    ],
)
def test_what_cannot_be_asked_is_refused_by_name(asked: dict[str, str]) -> None:
    with pytest.raises(InvalidInput, match=next(iter(asked))):
        parkapi.search(sites(), asked, {})


def test_a_table_has_a_row_for_each_site_and_no_formulas() -> None:
    lines = tables.sites([made("north", name="=1+1")]).split("\r\n")
    row = dict(zip(lines[0].split(","), lines[1].split(","), strict=True))
    assert (row["id"], row["name"], row["free"], row["simulated"]) == ("north", "'=1+1", "5", "false")
    assert row["confirmed_at"] == "2026-03-12T11:58:00Z"


def test_an_answer_is_as_new_as_its_newest_report_unless_something_fell_silent() -> None:
    assert changed_at([made(), made("south")]) == STAMP
    assert changed_at([made(), made("south", status="no-data", free=None, occupied=None)]) == NOON

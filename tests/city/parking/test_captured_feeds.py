"""Captured feeds of other cities are imported, and given out again as ParkAPI and DATEX II without loss."""

import tomllib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from allmende.city.parking.feeds import datex, hours, parkapi
from allmende.city.parking.feeds.versions import number_of
from allmende.city.parking.state import SiteState, read_states
from allmende.connectors.datex_parking.parse import parse as parse_datex
from allmende.connectors.parkapi.parse import parse as parse_parkapi
from allmende.connectors.parking_list.parse import parse as parse_list
from allmende.connectors.testing import manifest_settings
from allmende.domain.batch import Batch
from allmende.domain.connector import Payload, Source
from allmende.domain.policy import ANONYMOUS
from allmende.domain.records import Declaration, Series
from allmende.domain.times import parse_instant, to_datetime
from allmende.storage.sqlite import SqliteStore
from tests.city.parking.test_feeds import CITY, read_again
from tests.city.parking.test_state import TOWN
from tests.support import DATASETS, HOUSE, PlainConnections, captured

SETTINGS = tomllib.loads(Path(__file__).with_name("captured.toml").read_text(encoding="utf-8"))
SHARED = (
    "type", "max_height", "max_width", "has_fee", "fee_description", "operator_name", "address", "public_url",
    "description", "capacity_disabled", "capacity_woman", "capacity_family", "capacity_charging",
)  # fmt: skip
"""Facts that both formats have a word for; hours too, as far as DATEX II can say them."""
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
    if states[0].site.kind == "parking-bay":
        spots = [parkapi.as_spot(state) for state in states]
        assert [spot["realtime_status"] for spot in spots].count("TAKEN") == 2
        assert all(spot["restrictions"] == [{"type": "DISABLED"}] for spot in spots)
        return
    sites = [parkapi.as_site(state) for state in parkapi.listed(states, bays=False)]
    back = read_again(parse_parkapi, msgspec.json.encode({"items": sites}))
    table, status = (datex.written(make(states, CITY)).split(b"?>", 1)[1] for make in (datex.table, datex.status))
    other = read_again(parse_datex, b"<messages>" + table + status + b"</messages>")
    for state in parkapi.listed(states, bays=False):
        site = state.site
        in_parkapi, in_datex = back[f"x-{number_of(site.id)}"], other[f"x-{site.id}"]
        for found in (in_parkapi, in_datex):
            assert (found["name"], found["place"]) == (site.name, (site.lon, site.lat))
            known = {name: site.fact(name) for name in SHARED if site.fact(name) is not None}
            if found is in_datex and known.get("type") == "OTHER":
                known.pop("type")
            assert {name: found["described"].get(name) for name in known} == known
            free = found.get("free", (0, None))[1]
            assert free == (state.free if state.status == "live" and not state.flags else free and 0)
        if state.capacity is not None:
            assert in_datex["described"]["capacity"] == state.capacity
            stated = state.capacity if site.fact("capacity") is None else site.fact("capacity")
            assert in_parkapi["described"]["capacity"] == stated
        opening = site.fact("opening_hours")
        assert in_parkapi["described"].get("opening_hours") == opening
        if opening and (opening == "24/7" or hours.read(opening)):
            again = in_datex["described"]["opening_hours"]
            assert again == opening or hours.read(again) == hours.read(opening)


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

"""Sites and their states over a real store: whichever source made them, summed up, decided upon."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from allmende.city.parking import counting
from allmende.city.parking.sites import read_sites
from allmende.city.parking.state import Closure, Decisions, Override, SiteState, read_states
from allmende.city.parking.statements import state as statement
from allmende.domain.batch import Batch, Removal
from allmende.domain.policy import ANONYMOUS
from allmende.domain.profile import Fact, Geography, Profile, ThingProfile
from allmende.domain.query import Query
from allmende.domain.records import Declaration, Position, Property, SensorDeclaration, Series, ThingDeclaration, Unit
from allmende.domain.store import Store
from allmende.domain.times import from_datetime
from allmende.storage.sqlite import SqliteStore
from tests.support import DATASETS, HOUSE, PlainConnections

NOON = datetime(2024, 3, 12, 12, tzinfo=UTC)
FRESH = NOON - timedelta(minutes=2)
EMPTY: dict[str, Any] = {"type": "FeatureCollection", "features": []}
OBSERVED = {
    "free": "free-parking-spaces",
    "occupied": "occupied-parking-spaces",
    "capacity": "parking-capacity",
    "taken": "bay-occupied",
}
TOWN = Profile(
    id="town",
    name="Town",
    country="DE",
    time_zone="Europe/Berlin",
    languages=["de"],
    geography=Geography(center=(0, 0), zoom=12, boundary=EMPTY, districts=EMPTY, waters=EMPTY, attribution="test"),
    things=(
        ThingProfile(
            id="north",
            name="North",
            kind="car-park",
            description={},
            facts={"capacity": [Fact(value=40, source="list", date="2022")]},
        ),
    ),
)


@pytest.fixture
def store(tmp_path):
    made = SqliteStore(PlainConnections(tmp_path / "town.sqlite3"))
    made.put_datasets(DATASETS)
    return made


class Town:
    """Things that are put into a store, a stream at a time."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def put(
        self,
        thing: str,
        quantity: str,
        value: Any,
        *,
        at: datetime = FRESH,
        flags: str = "",
        dataset: str = "parking",
        said: dict[str, Any] | None = None,
        **about: Any,
    ) -> None:
        spaces_for = (said or {}).get("spaces_for", "")
        stream = f"{thing}~{quantity}{'-' + spaces_for if spaces_for else ''}"
        observed = OBSERVED[quantity]
        declared = Declaration(
            stream=stream,
            name=stream,
            thing=ThingDeclaration(
                id=thing, name=thing.title(), properties={"kind": "car-park", **about}, position=Position(11.5, 50.9)
            ),
            sensor=SensorDeclaration(id=f"counter-{dataset}", name="counter"),
            observed_property=Property(id=observed, name=observed, definition="https://example.org"),
            unit=Unit("spaces", "{space}"),
            observation_type="any",
            properties={"source": "feed", "dataset": dataset, **(said or {})},
        )
        values = [] if value is None else [value]
        series = Series(
            stream=stream, times=[from_datetime(at)] * len(values), results=values, flags=[flags] * len(values)
        )
        self.store.append(
            Batch(
                origin="feed", dataset=dataset, reader=HOUSE, received_at=from_datetime(NOON),
                declarations=[declared], series=[series],
            )
        )  # fmt: skip

    def states(self, **how: Any) -> dict[str, SiteState]:
        return {state.site.id: state for state in read_states(self.store, TOWN, ANONYMOUS, NOON, **how)}


@pytest.fixture
def town(store):
    return Town(store)


def test_a_site_is_there_whoever_made_it_and_the_profiles_come_first(town):
    town.put("east", "free", 5, described={"capacity": "80", "max_height": 1.9, "type": "UNDERGROUND"})
    town.put("secret", "free", 5, dataset="hidden")
    town.put("zoo", "free", None, kind="zoo")
    sites = read_sites(town.store, TOWN, ANONYMOUS)
    assert [site.id for site in sites] == ["north", "east"]
    east = sites[1]
    assert (east.fact("capacity"), east.fact("max_height"), east.fact("type")) == (80, 190, "UNDERGROUND")
    assert [name for name, _ in east.notes] == ["max_height"]
    assert (east.lon, east.lat, east.source, east.dataset) == (11.5, 50.9, "feed", "parking")
    assert sites[0].said("capacity")[0].source == "list"


def test_spaces_of_each_kind_and_what_completes_them(town):
    town.put("east", "occupied", 30, capacity=80, capacity_disabled=4, capacity_family=2)
    town.put("east", "free", 3, said={"spaces_for": "disabled"})
    east = town.states()["east"]
    assert (east.status, east.free, east.occupied, east.capacity) == ("live", 50, 30, 80)
    disabled = east.spaces["disabled"]
    assert (disabled.free, disabled.occupied, disabled.capacity, disabled.stream) == (3, 1, 4, "east~free-disabled")
    assert (east.spaces["family"].free, east.spaces["family"].capacity) == (None, 2)
    assert "bus" not in east.spaces
    assert east.age == timedelta(minutes=2)


def test_what_says_that_it_is_closed_has_no_free_spaces(town):
    town.put("north", "free", 523, flags="closed")
    north = town.states()["north"]
    assert (north.status, north.reason, north.free, north.counted, north.flags) == (
        "closed",
        "says-closed",
        None,
        523,
        (),
    )


def test_bays_are_summed_up_to_their_area_and_areas_to_their_zone(town):
    bay = {"kind": "parking-bay", "parent": "street", "capacity_disabled": 1}
    town.put("bay-1", "taken", True, **bay)
    town.put("bay-2", "taken", "free", at=NOON - timedelta(minutes=9), **bay)
    town.put("bay-3", "taken", None, **bay)
    town.put("street", "free", None, kind="parking-area", parent="centre", capacity=3)
    town.put("north", "free", 20, parent="centre")
    town.put("centre", "free", None, kind="parking-zone")
    states = town.states()
    street, centre = states["street"], states["centre"]
    assert (states["bay-1"].free, states["bay-2"].free, states["bay-3"].status) == (0, 1, "no-data")
    assert (street.status, street.free, street.capacity, street.summed) == ("live", 1, 3, True)
    assert (street.parts.count, street.parts.known, street.parts.free) == (3, 2, 1)
    assert (street.spaces["disabled"].free, street.spaces["disabled"].capacity) == (1, 2)
    # A sum is as old as the oldest of what is in it: the feed reported two minutes ago, and it counts for all bays.
    assert street.confirmed_at == FRESH
    assert (centre.free, centre.capacity, centre.parts.count, centre.parts.known) == (21, 43, 2, 2)
    # Two of the street's three bays are known, and all of the car park's spaces.
    assert street.parts.share == pytest.approx(2 / 3)
    assert centre.parts.share == pytest.approx((2 + 40) / 43)


def test_what_is_simulated_is_never_added_to_what_is_measured(town):
    zone = {"parent": "zone"}
    town.put("zone", "free", None, kind="parking-zone")
    town.put("east", "free", 7, **zone)
    town.put("demo-west", "free", 100, simulated=True, simulates="west", dataset="simulated", **zone)
    town.put("west", "free", None, **zone)
    states = town.states()
    assert set(states) == {"north", "zone", "east", "demo-west"}
    assert (states["zone"].free, states["zone"].simulated, states["zone"].parts.share) == (7, False, 0.5)
    assert set(town.states(simulated="left-out")) == {"north", "zone", "east", "west"}
    assert set(town.states(simulated="beside")) == {"north", "zone", "east", "west", "demo-west"}


def test_an_estimate_says_so_with_its_age_and_error(town):
    said = {"estimated": True, "error": 4, "silence": {"day": "P1D", "night": "P1D"}}
    town.put("lane", "free", 12, at=NOON - timedelta(hours=3), kind="parking-area", said=said)
    lane = town.states()["lane"]
    assert (lane.free, lane.estimated, lane.error, lane.age) == (12, True, 4.0, timedelta(hours=3))


def test_parents_in_a_circle_end_somewhere(town):
    town.put("a", "free", None, kind="parking-area", parent="b")
    town.put("b", "free", None, kind="parking-area", parent="a")
    town.put("c", "free", None, kind="parking-area", parent="c")
    assert {state.status for state in town.states().values()} == {"no-data"}


def test_decisions_count_more_than_what_is_counted(town):
    town.put("north", "free", 30)
    hour = timedelta(hours=1)
    override = Override(site="north", start=NOON - hour, until=NOON + hour, reason="counter broken", free=11)
    closure = Closure(site="north", start=NOON - hour, until=None, reason="cleaning")

    def north(**decided: Any) -> SiteState:
        return town.states(decisions=Decisions(**decided))["north"]

    by_hand = north(overrides=[override], closures=[closure], doubts={"north": ["frozen"]})
    assert (by_hand.status, by_hand.free, by_hand.occupied, by_hand.counted) == ("live", 11, 29, 30)
    assert (by_hand.reason, by_hand.flags, by_hand.override) == ("override", (), override)
    assert north(overrides=[msgspec.structs.replace(override, until=NOON)]).free == 30
    closed = north(closures=[closure])
    assert (closed.status, closed.reason, closed.free, closed.counted) == ("closed", "closure", None, 30)
    assert north(doubts={"north": ["frozen"]}).flags == ("frozen",)
    assert north(is_open=lambda site: False).reason == "hours"
    assert north(is_open=lambda site: None).status == "live"
    own = statement("capacity", 38, source="Operator", date="2024-03-01", by="operator")
    assert north(choices={"north": {"capacity": own}}).capacity == 38


def test_two_hundred_sites_are_read_in_a_handful_of_statements(town, monkeypatch):
    for number in range(12):
        town.put(f"site-{number:03}", "free", number)
    asked: list[str] = []
    plain = SqliteStore._read

    def counted(self: SqliteStore, work: Any) -> Any:
        asked.append("read")
        return plain(self, work)

    monkeypatch.setattr(SqliteStore, "_read", counted)
    assert len(town.states()) == 13
    assert len(asked) == 4
    asked.clear()
    assert town.states()["site-003"].free == 3
    assert len(asked) <= 3  # what the sites are was known
    town.put("site-012", "free", 5)
    town.put("site-003", "free", 9)
    assert len(town.states()) == 14
    assert town.states()["site-003"].free == 9


def test_what_a_source_doubts_is_a_flag_and_what_it_remarks_is_none():
    told = {
        None: ((), ()),
        '{"plausible":false,"flags":["negative"]}': (("negative",), ()),
        '{"plausible":false}': (("implausible",), ()),
        '{"plausible":true,"flags":["by a new sensor"]}': ((), ("by a new sensor",)),
        '"good"': ((), ()),
    }
    assert {quality: counting._flags(quality) for quality in told} == told


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (-3, ("no-data", "implausible", None, ("negative",))),
        (41, ("live", "", 41, ("above-capacity",))),
        (1e300, ("no-data", "says-nothing", None, ())),
    ],
)
def test_what_a_client_says_is_doubted_at_once(town, value, told):
    """It has no source whose bounds would have been asked."""
    town.put("north", "free", value)
    north = town.states()["north"]
    assert (north.status, north.reason, north.free, north.flags) == told


def test_one_site_alone_is_as_it_is_among_all(town):
    town.put("zone", "free", None, kind="parking-zone", said={"spaces_for": "bus"})
    town.put("east", "free", 5, capacity=80, parent="zone")
    town.put("north", "free", 7, at=NOON - timedelta(hours=3))  # alive, since its feed spoke of another
    town.put("demo-north", "free", 9, simulated=True, simulates="north", dataset="simulated")
    for simulated in ("stand-in", "beside", "left-out"):
        everything = town.states(simulated=simulated)
        for identifier, state in everything.items():
            assert town.states(simulated=simulated, only=identifier)[identifier] == state
    assert everything["north"].status == "live"
    assert town.states(only="nowhere") == {}


def test_what_everybody_sees_follows_what_is_put_in_and_taken_away(store):
    """It is kept while nothing of it is another."""
    town = Town(store)
    town.put("east", "free", 5)
    assert town.states()["east"].free == 5
    town.put("east", "free", 6, at=FRESH + timedelta(minutes=1))
    assert (town.states()["east"].free, town.states()["east"].trend) == (6, "unknown")
    town.put("east", "free", 60, at=NOON - timedelta(minutes=45))  # of the past, late
    assert town.states()["east"].trend == "falling"
    chosen = statement("capacity", 90, source="operator", date="2024", by="operator")
    assert town.states(decisions=Decisions(choices={"east": {"capacity": chosen}}))["east"].capacity == 90
    assert town.states()["east"].capacity is None
    store.put_datasets([msgspec.structs.replace(DATASETS[0], access="restricted")])
    assert "east" not in town.states()
    store.put_datasets(DATASETS)
    assert "east" in town.states()
    store.remove(Removal(target=Query(entity="Thing", reader=HOUSE, id="east"), origin="test", received_at=0))
    assert "east" not in town.states()

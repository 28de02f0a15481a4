"""The board and the histories over a real store."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from allmende.city.parking.read import read_board, read_history
from allmende.domain.batch import Batch
from allmende.domain.policy import ANONYMOUS
from allmende.domain.profile import Fact, Geography, Position, Profile, ThingProfile
from allmende.domain.records import (
    Declaration,
    Property,
    SensorDeclaration,
    Series,
    ThingDeclaration,
    Unit,
)
from allmende.domain.times import from_datetime
from allmende.storage.sqlite import SqliteStore
from tests.support import DATASETS, HOUSE, PlainConnections

NOON = datetime(2024, 3, 12, 12, tzinfo=UTC)
SILENCE = {"day": "PT45M", "night": "PT6H", "day_from": "06:00", "day_to": "21:00", "rewrite": "P1DT5M"}
EMPTY: dict[str, Any] = {"type": "FeatureCollection", "features": []}


def place(name: str, *capacities: int) -> ThingProfile:
    return ThingProfile(
        id=f"parking-{name}",
        name=name.title(),
        kind="car-park",
        description={"de": name},
        position=Position(lon=11.58, lat=50.92, source="test", date="2024"),
        facts={"capacity": [Fact(value=c, source=f"source {c}", date="2024") for c in capacities]},
    )


@pytest.fixture
def profile() -> Profile:
    return Profile(
        id="town",
        name="Town",
        country="DE",
        time_zone="Europe/Berlin",
        languages=("de", "en"),
        facts={},
        geography=Geography(
            center=(11.58, 50.92), zoom=12, boundary=EMPTY, districts=EMPTY, waters=EMPTY, attribution="test"
        ),
        datasets={},
        things=(place("north", 40, 155), place("south", 80)),
        sources={},
        services={"parking": {"kind": "car-park"}},
    )


@pytest.fixture
def store(tmp_path: Path) -> SqliteStore:
    made = SqliteStore(PlainConnections(tmp_path / "town.sqlite3"))
    made.put_datasets(DATASETS)
    return made


def feed(
    store: SqliteStore,
    thing: str,
    readings: list[tuple[datetime, int]],
    *,
    source: str = "feed",
    simulates: str = "",
    quantity: str = "free",
    flags: list[str] | None = None,
) -> None:
    """Append readings of one car park as a connector would."""
    said: dict[str, Any] = {"source": source, "reading": "step", "silence": SILENCE}
    if simulates:
        said |= {"simulated": True, "simulates": simulates}
    about: dict[str, Any] = {"kind": "car-park"}
    if simulates:
        about |= {"simulated": True, "simulates": simulates}
    observed = "free-parking-spaces" if quantity == "free" else "parking-capacity"
    stream = f"{thing}~{quantity}"
    declared = Declaration(
        stream=stream,
        name=stream,
        thing=ThingDeclaration(id=thing, name=thing, properties=about),
        sensor=SensorDeclaration(id=source, name=source),
        observed_property=Property(id=observed, name=observed, definition="https://example.org"),
        unit=Unit("spaces", "{space}"),
        properties=said,
    )
    series = Series(
        stream=stream, times=[from_datetime(t) for t, _ in readings], results=[v for _, v in readings], flags=flags
    )
    store.append(
        Batch(
            origin=source,
            dataset="simulated" if simulates else "parking",
            reader=HOUSE,
            received_at=from_datetime(NOON),
            declarations=[declared],
            series=[series],
        )
    )


def minutes(before: float) -> datetime:
    return NOON - timedelta(minutes=before)


def test_nothing_known_is_said_as_such(store: SqliteStore, profile: Profile) -> None:
    board = read_board(store, profile, ANONYMOUS, NOON)
    assert [(p.id, p.status, p.reason, p.free) for p in board.car_parks] == [
        ("parking-north", "no-data", "never", None),
        ("parking-south", "no-data", "never", None),
    ]
    assert not board.simulated
    assert [c.value for c in board.car_parks[0].capacities] == [40, 155]


def test_a_fresh_value_is_shown_with_its_age_and_trend(store: SqliteStore, profile: Profile) -> None:
    feed(store, "parking-north", [(minutes(90), 30), (minutes(20), 12)])
    feed(store, "parking-south", [(minutes(2), 7)])
    north = read_board(store, profile, ANONYMOUS, NOON).car_parks[0]
    assert (north.free, north.status, north.trend, north.capacity) == (12, "live", "falling", 40)
    assert north.observed_at == minutes(20)
    # Nothing new from this car park, but its feed was alive two minutes ago: the value holds until then.
    assert north.confirmed_at == minutes(2)


def test_a_silent_feed_gives_no_data_never_the_old_value(store: SqliteStore, profile: Profile) -> None:
    feed(store, "parking-north", [(minutes(46), 30)])
    north = read_board(store, profile, ANONYMOUS, NOON).car_parks[0]
    assert (north.free, north.status, north.reason) == (None, "no-data", "feed-silent")


def test_a_car_park_silent_beyond_its_rewrite_gives_no_data(store: SqliteStore, profile: Profile) -> None:
    feed(store, "parking-north", [(NOON - timedelta(hours=25), 30)])
    feed(store, "parking-south", [(minutes(2), 7)])
    by_id = {p.id: p for p in read_board(store, profile, ANONYMOUS, NOON).car_parks}
    assert by_id["parking-north"].reason == "silent"
    assert by_id["parking-south"].free == 7


def test_the_demo_stands_in_and_steps_aside(store: SqliteStore, profile: Profile) -> None:
    for name in ("north", "south"):
        feed(store, f"demo-parking-{name}", [(minutes(1), 5)], source="demo", simulates=f"parking-{name}")
    board = read_board(store, profile, ANONYMOUS, NOON)
    assert board.simulated
    assert [(p.id, p.simulated) for p in board.car_parks] == [
        ("demo-parking-north", True),
        ("demo-parking-south", True),
    ]
    feed(store, "parking-south", [(minutes(1), 9)])
    board = read_board(store, profile, ANONYMOUS, NOON)
    assert [p.id for p in board.car_parks] == ["parking-south", "demo-parking-north"]
    assert board.car_parks[0].free == 9


def test_the_feeds_own_capacity_counts(store: SqliteStore, profile: Profile) -> None:
    feed(store, "parking-north", [(minutes(1), 5)])
    feed(store, "parking-north", [(minutes(1), 38)], quantity="capacity")
    assert read_board(store, profile, ANONYMOUS, NOON).car_parks[0].capacity == 38


def test_an_implausible_value_is_flagged_and_not_averaged(store: SqliteStore, profile: Profile) -> None:
    readings = [(minutes(60), 10), (minutes(30), 900), (minutes(10), 20)]
    feed(store, "parking-north", readings, flags=["", "above-capacity", ""])
    history = read_history(store, profile, ANONYMOUS, "parking-north", minutes(60), NOON, 3600, NOON)
    assert history is not None
    (bucket,) = history.buckets
    assert bucket.mean == pytest.approx((10 * 30 + 20 * 10) / 40)
    assert (bucket.low, bucket.high, bucket.implausible) == (10, 20, True)
    assert bucket.covered == pytest.approx(40 / 60)
    feed(store, "parking-south", [(minutes(1), 99)], flags=["above-capacity"])
    by_id = {p.id: p for p in read_board(store, profile, ANONYMOUS, NOON).car_parks}
    assert by_id["parking-south"].flags == ("above-capacity",)


def test_history_has_gaps_and_no_future(store: SqliteStore, profile: Profile) -> None:
    feed(store, "parking-north", [(minutes(180), 10), (minutes(30), 20)])
    end = NOON + timedelta(minutes=30)
    history = read_history(store, profile, ANONYMOUS, "parking-north", minutes(240), end, 1800, NOON)
    assert history is not None
    # Known for 45 minutes after the report, then the feed is silent until it reports again; now ends the knowledge.
    assert [b.mean for b in history.buckets] == [None, None, 10, 10, None, None, None, 20, None]
    assert history.buckets[3].covered == pytest.approx(0.5)


def test_an_unknown_car_park_has_no_history(store: SqliteStore, profile: Profile) -> None:
    assert read_history(store, profile, ANONYMOUS, "parking-west", minutes(60), NOON, 900, NOON) is None

"""From values to words: levels, ages, flags, sums, and what scripts get."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import translation

from allmende.city.parking.board import Board, Bucket, Capacity, CarPark, History
from allmende.city.parking.facts import state
from allmende.city.parking.present import as_columns, as_geojson, as_json, present, sum_up
from allmende.city.parking.sites import Site
from allmende.city.words import say_age

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def park(**changed: object) -> CarPark:
    values: dict[str, object] = {
        "id": "parking-north",
        "stream": "parking-north~free",
        "name": "North",
        "lon": 11.5,
        "lat": 50.9,
        "kind": "OFF_STREET_PARKING_GROUND",
        "zone": None,
        "capacity": 100,
        "capacities": (Capacity(value=100, source="a list", date="2024"),),
        "free": 50,
        "status": "live",
        "observed_at": NOON - timedelta(minutes=9),
        "confirmed_at": NOON - timedelta(minutes=3),
    }
    return CarPark(**{**values, **changed})  # type: ignore[arg-type]


@pytest.fixture(autouse=True)
def in_english():
    with translation.override("en"):
        yield


@pytest.mark.parametrize(
    ("free", "capacity", "level"),
    [
        (50, 100, "free"),
        (10, 100, "free"),
        (9, 100, "few"),
        (0, 100, "full"),
        (0, None, "full"),
        (1, None, "free"),
        (None, 100, "none"),
    ],
)
def test_level_is_a_share_of_the_capacity(free, capacity, level):
    assert present(park(free=free, capacity=capacity), NOON).level == level


@pytest.mark.parametrize(
    ("ago", "words"),
    [
        (timedelta(seconds=-40), "just now"),
        (timedelta(seconds=59), "just now"),
        (timedelta(seconds=60), "1 minute ago"),
        (timedelta(minutes=59, seconds=59), "59 minutes ago"),
        (timedelta(hours=1), "1 hour ago"),
        (timedelta(hours=47, minutes=59), "47 hours ago"),
        (timedelta(hours=48), "2 days ago"),
    ],
)
def test_age_is_said_in_the_largest_whole_unit(ago, words):
    assert say_age(NOON - ago, NOON) == words


def test_age_is_german_in_german():
    with translation.override("de"):
        assert say_age(NOON - timedelta(minutes=3), NOON) == "vor 3 Minuten"
        assert say_age(NOON - timedelta(hours=1), NOON) == "vor 1 Stunde"


def test_a_value_is_as_old_as_its_last_confirmation():
    assert present(park(), NOON).age == "3 minutes ago"
    assert present(park(confirmed_at=None), NOON).age == "9 minutes ago"


def test_no_data_says_why_and_has_no_share_or_trend():
    row = present(park(free=None, status="no-data", reason="silent", trend="rising"), NOON)
    assert row.reason == "This car park has not reported for a long time."
    assert (row.trend, row.share) == ("", None)


def test_more_free_than_spaces_is_flagged_and_drawn_full_length():
    row = present(park(free=120, flags=("above-capacity",)), NOON)
    assert row.flags == ("The car park reports more free spaces than it has.",)
    assert row.width == "100.0%"


def test_unknown_flag_is_shown_rather_than_hidden():
    assert present(park(flags=("something-new",)), NOON).flags == ("something-new",)


def test_sum_leaves_out_what_is_unknown_or_implausible():
    parks = (park(), park(free=None, status="no-data"), park(free=500, flags=("above-capacity",)))
    assert sum_up(Board(car_parks=parks, simulated=False, now=NOON)) == {"free": 50, "known": 1, "all": 3}


def test_measured_and_simulated_spaces_are_never_added() -> None:
    measured, simulated = park(free=50), park(free=70, simulated=True)
    mixed = Board(car_parks=(measured, simulated), simulated=True, now=NOON)
    assert mixed.mixed
    assert sum_up(mixed) == {"free": 50, "known": 1, "all": 2}
    alone = Board(car_parks=(simulated,), simulated=True, now=NOON)
    assert not alone.mixed
    assert sum_up(alone) == {"free": 70, "known": 1, "all": 1}


def test_width_has_a_point_in_german_too():
    with translation.override("de"):
        assert present(park(free=33, capacity=90), NOON).width == "36.7%"


def test_map_leaves_out_what_has_no_position():
    rows = [(present(one, NOON), "/") for one in (park(), park(id="nowhere", lon=None, lat=None))]
    assert [feature["id"] for feature in as_geojson(rows)["features"]] == ["parking-north"]


def test_script_gets_the_topic_and_times_in_utc():
    said = as_json(present(park(), NOON), "/parking/parking-north/")
    assert said["topic"] == "v1.1/Datastreams('parking-north~free')/Observations"
    assert said["confirmedAt"] == "2026-03-02T11:57:00+00:00"


def test_history_keeps_gaps_as_null():
    buckets = (
        Bucket(start=NOON, mean=4.26, low=3, high=6, covered=1.0),
        Bucket(start=NOON + timedelta(minutes=15), mean=None, low=None, high=None, covered=0.0),
    )
    site = Site(id="parking-north", name="North", kind="car-park", stands_for="parking-north")
    end = NOON + timedelta(minutes=30)
    history = History(car_park=park(), site=site, start=NOON, end=end, width=900, buckets=buckets)
    columns = as_columns(history)
    assert columns["mean"] == [4.3, None]
    assert columns["t"] == [1772452800, 1772453700]


def test_source_with_an_address_is_shown_by_its_host():
    shown = state("40", "https://example.org/a/long/path.json", "2024-05")
    assert (shown.source, shown.link, shown.date) == ("example.org", "https://example.org/a/long/path.json", "2024-05")
    plain = state("155", "handed down", "undated")
    assert (plain.source, plain.link, plain.date) == ("handed down", "", "undated")

"""Counts of four forms, and a year of Münster's counters with its outage."""

from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allmende.connectors.counters.parse import parse
from allmende.connectors.testing import (
    assert_sound,
    assert_withstands,
    captured,
    manifest_settings,
    payload,
    readings,
    sample,
    values,
)
from allmende.domain.connector import Source
from allmende.domain.records import Declaration, Position, Series
from allmende.domain.times import parse_instant, to_datetime

HERE = "allmende.connectors.counters"
ECO, ECO_JSON = sample(HERE, "eco-constructed.csv"), sample(HERE, "eco-constructed.json")
HYSTREET, HYSTREET_JSON = sample(HERE, "hystreet-constructed.csv"), sample(HERE, "hystreet-constructed.json")
SITE = "https://eco.example/api/data/site/100000001?step=15m"


def source(**settings: object) -> Source:
    return Source(id="counts", connector="counters", dataset="counts", settings=manifest_settings(HERE) | settings)


SOURCE = source()


def series(parsed: object) -> dict[str, Series]:
    return {record.stream: record for record in parsed.records if isinstance(record, Series)}  # type: ignore[attr-defined]


def test_a_column_is_a_counter_and_an_outage_is_no_zero() -> None:
    parsed = assert_sound(parse, payload(ECO), SOURCE)
    assert values(parsed) == {
        "counter-100000001~bicycle-count": [41, 0, 52],
        "counter-100000002~bicycle-count": [29, 33, 0, 36],
        "counter-100000003~bicycle-count": [12, 0, 16],
    }
    assert series(parsed)["counter-100000001~bicycle-count"].times[0] == parse_instant("2024-05-02T05:00:00Z")
    assert not parsed.rejections


def test_what_a_status_means_is_for_the_city_to_say() -> None:
    parsed = assert_sound(parse, payload(ECO), source(no_value=[4]))
    assert values(parsed)["counter-100000002~bicycle-count"] == [29, 33, 36]
    parsed = assert_sound(parse, payload(ECO), source(doubtful=[4]))
    assert series(parsed)["counter-100000002~bicycle-count"].flags == ["", "", "status-4", ""]


def test_places_say_where_a_counter_stands_and_what_it_counts() -> None:
    chosen = source(places={"100000001": {"name": "Weg", "lon": 11.5, "lat": 50.9, "what": "pedestrians"}})
    parsed = assert_sound(parse, payload(ECO), chosen)
    declared = next(r for r in parsed.records if isinstance(r, Declaration) and r.thing.id == "counter-100000001")
    assert (declared.stream, declared.thing.position) == ("counter-100000001~pedestrian-count", Position(11.5, 50.9))


def test_the_other_three_forms() -> None:
    parsed = assert_sound(parse, payload(ECO_JSON, name=SITE), SOURCE)
    assert values(parsed) == {"counter-100000001~bicycle-count": [41, 52]}
    parsed = assert_sound(parse, payload(HYSTREET_JSON), SOURCE)
    assert values(parsed) == {"counter-999~pedestrian-count": [812, 1033]}
    assert series(parsed)["counter-999~pedestrian-count"].flags == ["", "unverified"]
    parsed = assert_sound(parse, payload(HYSTREET), SOURCE)
    assert values(parsed) == {"counter-musterstrasse-jena~pedestrian-count": [812, 1033]}
    assert [r.code for r in assert_sound(parse, payload(ECO_JSON), SOURCE).rejections] == ["no-identity"]


def test_the_double_hour_is_flagged_and_the_missing_one_rejected() -> None:
    rows = b"Datetime,100000001\n2025-10-26 02:15,7\n2025-03-30 02:15,7\n"
    parsed = assert_sound(parse, payload(rows), SOURCE)
    [found] = series(parsed).values()
    assert (found.times, found.flags) == ([parse_instant("2025-10-26T01:15:00Z")], ["double-hour"])
    assert [rejection.code for rejection in parsed.rejections] == ["bad-time"]


@pytest.mark.parametrize(("station", "active"), [("100034983", 360), ("300037925", 334)])
def test_a_year_of_muenster_is_accounted_for(station: str, active: int) -> None:
    cells = given_ = empty = 0
    zone = ZoneInfo("Europe/Berlin")
    days: set[object] = set()
    for month in range(1, 13):
        body = captured(f"mobility/muenster_bicycle_counts/{station}/2025-{month:02}.csv")
        parsed = assert_sound(parse, payload(body), SOURCE)
        assert not parsed.rejections
        rows = [line.split(",") for line in body.decode("utf-8-sig").split("\n")[1:] if line]
        cells += 3 * len(rows)
        empty += sum(not row[at] for row in rows for at in (1, 2, 3))
        given_ += readings(parsed)
        total = series(parsed)[f"counter-{station}~bicycle-count"]
        days |= {to_datetime(time).astimezone(zone).date() for time in total.times}
    assert given_ == cells - empty
    # the days without a row stay without: nobody sees zeros where there was an outage
    assert len(days) == active


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        (b"2024-05-02 07:00,41", b"02.05.2024 07:00,41", "bad-time"),
        (b"07:00,41", b"07:00,41.5", "bad-number"),
        (b"07:00,41", b"07:00,-41", "bad-number"),
        (b"07:00,41", b"07:00,41,1", "wrong-columns"),
        (b"100000002 (", b"100000001 (", "bad-header"),
        (b"100000002-status", b"100000009-status", "bad-header"),
    ],
)
def test_what_cannot_be_read_is_told(old: bytes, new: bytes, code: str) -> None:
    parsed = assert_sound(parse, payload(ECO.replace(old, new, 1)), SOURCE)
    assert [rejection.code for rejection in parsed.rejections] == [code]


@pytest.mark.parametrize(
    ("body", "framing"), [(ECO, "lines"), (ECO_JSON, "lines"), (HYSTREET, "lines"), (HYSTREET_JSON, "lines")]
)
def test_it_withstands_what_damages_it(body: bytes, framing: str) -> None:
    assert assert_withstands(parse, body, SOURCE, framing="lines", name=SITE) > 50


@given(st.binary(max_size=200))
def test_any_bytes_end_in_a_rejection_or_nothing(body: bytes) -> None:
    assert_sound(parse, payload(body), SOURCE)

"""The simulation: the same values whoever asks, near the measured means, and never silent about what they are."""

import itertools
import math
import statistics
import time
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from allmende.connectors.demo import simulation
from allmende.connectors.demo.fetch import fetch
from allmende.connectors.demo.parse import parse
from allmende.connectors.testing import (
    assert_sound,
    assert_withstands,
    manifest_settings,
    payload,
    readings,
    sample,
    values,
)
from allmende.domain.connector import Source, ThingFacts
from allmende.domain.errors import ConfigurationError
from allmende.domain.records import Declaration, Series
from allmende.domain.times import DAY, HOUR, MINUTE, from_datetime, parse_instant

HERE = "allmende.connectors.demo"
NOW = parse_instant("2024-04-10T12:07:30Z")


def table(places: list[str], spread: float = 0.1) -> bytes:
    rows = ["place,weekday,quarter,mean,spread"]
    for place in places:
        for slot in range(672):
            mean = 0.5 - 0.4 * math.cos(slot % 96 / 96 * 2 * math.pi)
            rows.append(f"{place},{slot // 96},{slot % 96},{mean:.4f},{spread}")
    return "\n".join(rows).encode()


def source(places: list[str], body: bytes | None = None, **settings: Any) -> Source:
    stated = {"capacity": [{"value": 200, "source": "a test"}, {"value": 900, "source": "another"}]}
    return Source(
        id="demo",
        connector="demo",
        dataset="demo-parking",
        time_zone="Europe/Berlin",
        settings={**manifest_settings(HERE), "table": "table.csv", **settings},
        things={
            f"parking-{place}": ThingFacts(id=f"parking-{place}", name=place.title(), kind="car-park", facts=stated)
            for place in places
        },
        tables={"table.csv": table([f"parking-{place}" for place in places]) if body is None else body},
    )


TWO = source(["one", "two"])


def played(given: Source, now: int, since: int | None) -> dict[tuple[str, int], object]:
    found: dict[tuple[str, int], object] = {}
    for each in fetch(given, now=now, since=since):
        parsed = assert_sound(parse, each, given)
        assert not parsed.rejections
        for record in parsed.records:
            if isinstance(record, Series):
                found |= {(record.stream, at): value for at, value in zip(record.times, record.results, strict=True)}
    return found


def test_four_weeks_of_ten_car_parks_in_about_a_second() -> None:
    given = source([f"p{number}" for number in range(10)])
    began = time.process_time()
    count = sum(readings(parse(each, given)) for each in fetch(given, now=NOW, since=None))
    spent = time.process_time() - began
    assert 26_000 < count < 29_000
    assert spent < 5, f"{spent:.1f} s"


def test_whoever_asks_gets_the_same() -> None:
    whole = played(TWO, NOW, NOW - 5 * HOUR)
    simulation._path.cache_clear()
    simulation._outage.cache_clear()
    assert played(TWO, NOW, NOW - 5 * HOUR) == whole
    later = played(TWO, NOW + 20 * MINUTE, NOW - 5 * HOUR)
    assert all(later[key] == value for key, value in whole.items() if key in later)
    assert played(source(["one", "two"], seed=2), NOW, NOW - 5 * HOUR) != whole


def test_step_by_step_is_the_same_as_at_once() -> None:
    begin, end = NOW - 40 * MINUTE, NOW
    single: dict[tuple[str, int], object] = {}
    for now in range(begin, end + 1, 20_000_000):
        single |= played(TWO, now, now - 20_000_000)
    at_once = played(TWO, end, begin)
    assert at_once
    assert {key: value for key, value in single.items() if begin < key[1]} == at_once


def test_nothing_is_given_that_is_not_after_since_or_not_yet() -> None:
    times = [at for _, at in played(TWO, NOW, NOW - 3 * HOUR)]
    assert min(times) > NOW - 3 * HOUR
    assert max(times) <= NOW
    assert min(at for _, at in played(TWO, NOW, None)) >= NOW - 28 * DAY
    assert played(TWO, NOW, NOW) == {}
    assert played(TWO, NOW, NOW + DAY)  # a clock that was put back does not silence it


def test_values_stay_within_the_capacity_and_near_the_mean() -> None:
    wild = source(["one"], body=table(["one"], spread=0.9), backfill="P60D")
    assert {type(value) for value in played(wild, NOW, None).values()} == {int}
    assert set(played(wild, NOW, None).values()) <= set(range(201))
    flat = "\n".join(["place,weekday,quarter,mean,spread", *(f"one,{s // 96},{s % 96},0.5,0.1" for s in range(672))])
    occupied = [
        1 - value / 200 for value in played(source(["one"], body=flat.encode(), backfill="P300D"), NOW, None).values()
    ]  # type: ignore
    assert abs(statistics.mean(occupied) - 0.5) < 0.02
    assert 0.07 < statistics.pstdev(occupied) < 0.11
    assert max(occupied) <= 0.7 + 1 / 200  # reach: two spreads
    jumps = [abs(second - first) for first, second in itertools.pairwise(occupied)]
    assert statistics.mean(jumps) < 0.05  # a walk, not dice


def test_only_changes_and_a_rewrite() -> None:
    still = "\n".join(["place,weekday,quarter,mean,spread", *(f"one,{s // 96},{s % 96},0.5,0" for s in range(672))])
    given = source(["one"], body=still.encode(), outage_every="P9000D")
    times = sorted(at for _, at in played(given, NOW, NOW - 50 * MINUTE))
    assert {later - at for at, later in itertools.pairwise(times)} == {15 * MINUTE}


def test_an_outage_now_and_then() -> None:
    given = source(["one"], backfill="P90D")
    times = sorted(at for _, at in played(given, NOW, None))
    gaps = [later - at for at, later in itertools.pairwise(times) if later - at > 15 * MINUTE]
    assert 4 <= len(gaps) <= 20  # about every nine days
    assert max(gaps) <= 5 * HOUR + 15 * MINUTE
    assert min(gaps) >= 45 * MINUTE


@pytest.mark.parametrize(
    ("moment", "hour"),
    [
        ("2024-03-31T00:59:00Z", 1),
        ("2024-03-31T01:00:00Z", 3),
        ("2024-10-27T00:30:00Z", 2),
        ("2024-10-27T01:30:00Z", 2),
    ],
)
def test_the_clock_of_the_city_counts(moment: str, hour: int) -> None:
    slot = simulation.local_slot(parse_instant(moment), ZoneInfo("Europe/Berlin"))
    assert slot.quarter // 4 == 6 * 24 + hour  # Sunday


def test_between_two_quarters_the_mean_goes_over() -> None:
    at = from_datetime(datetime(2024, 4, 10, 12, 7, 30, tzinfo=UTC))
    assert simulation.local_slot(at, ZoneInfo("Europe/Berlin")) == simulation.Slot(2 * 96 + 14 * 4, 0.5)
    assert simulation.local_slot(parse_instant("2024-04-14T21:59:59Z"), ZoneInfo("Europe/Berlin")).quarter == 671


def test_it_says_everywhere_that_it_is_simulated() -> None:
    parsed = assert_sound(parse, payload(sample(HERE, "day-constructed.json")), TWO)
    assert values(parsed) == {"demo-parking-one~free": [12, 11], "demo-parking-two~free": [0]}
    for record in parsed.records:
        if isinstance(record, Declaration):
            for told in (record.thing.properties, record.sensor.properties, record.properties):
                assert told["simulated"] is True
                assert "Wochenmitteln" in told["basis"]
            assert record.thing.properties["simulates"] == record.thing.id.removeprefix("demo-")
            assert record.thing.name.endswith("(Simulation)")
            assert record.high == record.properties["capacity"] == 200  # the first that is stated: the feed's
    english = parse(payload(sample(HERE, "day-constructed.json")), msgspec.structs.replace(TWO, language="en"))
    assert "weekly means" in english.records[0].properties["basis"]  # type: ignore[union-attr]


def test_what_does_not_say_so_is_refused() -> None:
    body = sample(HERE, "day-constructed.json").replace(b"true", b"false")
    assert [rejection.code for rejection in assert_sound(parse, payload(body), TWO).rejections] == ["not-simulated"]


def test_an_own_capacity_comes_first() -> None:
    given = source(["one"], capacities={"parking-one": 40})
    assert max(played(given, NOW, None).values()) <= 40  # type: ignore[type-var, operator]


@pytest.mark.parametrize(
    ("settings", "body", "word"),
    [
        ({"step": "often"}, None, "demo.step"),
        ({"step": "PT0S"}, None, "demo.step"),
        ({"reach": "far"}, None, "demo.reach"),
        ({"silence": {}}, None, "demo.silence.rewrite"),
        ({"table": "none.csv"}, None, "none.csv"),
        ({}, b"place,weekday,quarter,mean,spread\none,0,0,2,0\n", "line 2"),
        ({}, b"place,weekday\none,0\n", "line 2"),
        ({}, b"place,weekday,quarter,mean,spread\none,0,0,1,0\n", "672"),
        ({}, table(["elsewhere"]), "no thing of the profile"),
    ],
)
def test_wrong_settings_name_their_place(settings: dict[str, Any], body: bytes | None, word: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        list(fetch(source(["one"], body=body, **settings), now=NOW, since=None))
    assert word in str(caught.value)


def test_damaged_payloads_end_in_rejections_or_in_the_same_values() -> None:
    assert assert_withstands(parse, sample(HERE, "day-constructed.json"), TWO, framing="json") > 100


@given(st.integers(0, 200), st.integers(0, 30), st.binary(max_size=6))
def test_damaged_payloads_are_never_an_error(at: int, length: int, put: bytes) -> None:
    body = sample(HERE, "day-constructed.json")
    assert_sound(parse, payload(body[:at] + put + body[at + length :]), TWO)

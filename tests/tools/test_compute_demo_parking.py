"""The recording is read as a step function, by the city's clock."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from tools.compute_demo_parking import compute, figure, known_spans, silences, silent_from, slots

ZONE = ZoneInfo("Europe/Berlin")
SILENCE = {"day": "PT45M", "night": "PT6H", "day_from": "06:00", "day_to": "21:00", "rewrite": "P1D"}


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=ZONE).timestamp())


@pytest.mark.parametrize(
    ("heard", "silent"),
    [
        ("2024-01-10T12:00", "2024-01-10T12:45"),  # by day
        ("2024-01-10T20:10", "2024-01-10T20:55"),  # still by day
        ("2024-01-10T20:30", "2024-01-11T02:30"),  # the limit would pass by night: the night's limit holds
        ("2024-01-10T23:00", "2024-01-11T05:00"),
        ("2024-01-11T01:00", "2024-01-11T06:00"),  # day breaks before the night's limit is over
        ("2024-01-11T05:30", "2024-01-11T06:15"),
        ("2024-03-31T01:00", "2024-03-31T06:00"),  # the night in which an hour is missing
        ("2024-10-26T23:30", "2024-10-27T04:30"),  # the night with a double hour: six hours have passed at half past 4
    ],
)
def test_a_feed_is_silent_sooner_by_day(heard: str, silent: str) -> None:
    assert silent_from(at(heard), SILENCE, ZONE) == at(silent)


def test_silences_begin_at_the_limit_and_end_with_the_next_word() -> None:
    heard = [at("2024-01-10T12:00"), at("2024-01-10T12:30"), at("2024-01-10T15:00")]
    assert silences(heard, SILENCE, ZONE) == [(at("2024-01-10T13:15"), at("2024-01-10T15:00"))]


def test_a_value_holds_before_and_after_a_silence_but_not_in_it() -> None:
    assert list(known_spans(0, 100, [(20, 30), (50, 60)])) == [(0, 20), (30, 50), (60, 100)]
    assert list(known_spans(25, 40, [(20, 30)])) == [(30, 40)]
    assert list(known_spans(20, 30, [(20, 30)])) == []
    assert list(known_spans(0, 10, [(20, 30)])) == [(0, 10)]


def test_slots_follow_the_local_clock() -> None:
    slot_of = slots(ZONE)
    assert slot_of(at("2024-01-08T00:00") // 900) == 0
    assert slot_of(at("2024-07-07T23:45") // 900) == 7 * 96 - 1
    assert slot_of(at("2024-07-08T12:00") // 900) == slot_of(at("2024-01-08T12:00") // 900) == 48


def test_means_are_weighted_with_time() -> None:
    # Nine days of a word every five minutes; on both Mondays the place is full in the last third of one quarter.
    start = at("2024-01-08T00:00")
    other = [(start + step * 300, 5) for step in range(9 * 288)]
    place = [(moment, 0 if (moment - start) % (7 * 86400) == 48 * 900 + 600 else 10) for moment, _ in other]
    table = compute({"a": place, "b": other}, {"a": 10, "b": 10}, SILENCE, ZONE)
    cells = {(name, day, quarter): (mean, spread) for name, day, quarter, mean, spread in table}
    assert cells["a", 0, 48] == ("0.3333", "0.4714")
    assert cells["a", 0, 49] == ("0", "0")
    assert cells["b", 3, 95] == ("0.5", "0")


def test_a_quarter_that_was_never_seen_is_an_error() -> None:
    with pytest.raises(SystemExit, match="a: nothing known for weekday"):
        compute({"a": [(at("2024-01-08T00:00"), 1), (at("2024-01-09T00:00"), 1)]}, {"a": 1}, SILENCE, ZONE)


def test_figures_carry_no_empty_decimals() -> None:
    assert [figure(value) for value in (1.0, 0.5, 0.12344, 0.0)] == ["1", "0.5", "0.1234", "0"]

"""Windows in the city's time, on the days with 23 and 25 hours too."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allmende.domain.errors import InvalidInput
from allmende.domain.times import DAY, format_instant, parse_instant
from allmende.domain.windows import Grid

ZONE = "Europe/Berlin"


def starts(every: str, low: str, high: str) -> list[str]:
    grid = Grid(every, ZONE)
    return [format_instant(start)[:16] for start in grid.between(parse_instant(low), parse_instant(high))]


def test_days_begin_at_midnight_of_the_city():
    assert starts("P1D", "2026-03-27T23:30:00Z", "2026-03-30T00:00:00Z") == ["2026-03-28T23:00", "2026-03-29T22:00"]


def test_six_hours_keep_to_the_clock_on_the_wall():
    assert starts("PT6H", "2026-10-24T22:00:00Z", "2026-10-25T17:00:00Z") == [
        "2026-10-25T05:00",
        "2026-10-25T11:00",
        "2026-10-25T17:00",
    ]


def test_hours_are_hours_when_one_comes_twice():
    assert starts("PT1H", "2026-10-24T23:30:00Z", "2026-10-25T02:00:00Z") == [
        "2026-10-25T00:00",
        "2026-10-25T01:00",
        "2026-10-25T02:00",
    ]


def test_weeks_begin_on_monday_and_half_years_in_january_and_july():
    assert starts("P7D", "2026-03-27T00:00:00Z", "2026-04-06T00:00:00Z") == ["2026-03-29T22:00", "2026-04-05T22:00"]
    assert starts("P6M", "2025-01-01T00:00:00Z", "2026-01-01T00:00:00Z") == ["2025-06-30T22:00", "2025-12-31T23:00"]


@pytest.mark.parametrize("every", ["PT7M", "PT5H", "PT90M", "P5M", "PT0.5S", "P367D"])
def test_lengths_that_do_not_come_out_even_are_refused(every):
    with pytest.raises(InvalidInput):
        Grid(every, ZONE)


@pytest.mark.parametrize("every", ["PT10S", "PT15M", "PT1H", "PT6H", "PT12H", "P1D", "P7D", "P1M", "P1Y"])
@pytest.mark.parametrize("zone", [ZONE, "Australia/Lord_Howe", "America/St_Johns"])
@given(moment=st.integers(0, 20_000 * DAY))
def test_windows_follow_each_other_without_a_gap(every, zone, moment):
    grid = Grid(every, zone)
    start, end = grid.floor(moment), grid.after(moment)
    assert start <= moment < end
    assert grid.after(start) == end
    assert grid.floor(end - 1) == start
    assert grid.floor(end) == end
    assert grid.after(start - 1) == start

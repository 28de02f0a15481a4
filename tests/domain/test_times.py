"""Time as integers: what is read is what is written, and what cannot be kept is refused."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allmende.domain import times
from allmende.domain.errors import InvalidInput

INSTANTS = st.integers(times.EARLIEST, times.LATEST)


@given(INSTANTS)
def test_what_is_formatted_is_read_again(micros: int) -> None:
    assert times.parse_instant(times.format_instant(micros)) == micros


@given(INSTANTS, st.integers(0, 10**15))
def test_intervals_too(start: int, length: int) -> None:
    end = min(start + length, times.LATEST)
    assert times.parse_interval(times.format_interval(start, end)) == (start, end)
    assert times.parse_interval(times.format_interval(start, None)) == (start, None)


@given(INSTANTS, INSTANTS)
def test_text_sorts_as_time_does(one: int, other: int) -> None:
    # Within one precision; milliseconds are padded to it here.
    first, second = (times.format_instant(m)[:-1].ljust(26, "0") for m in (one, other))
    assert (first < second) == (one < other)


@given(st.datetimes(datetime(2, 1, 1), datetime(9998, 1, 1)), st.integers(-14 * 60, 14 * 60))  # noqa: DTZ001
def test_offsets_are_turned_into_utc(moment: datetime, minutes: int) -> None:
    aware = moment.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    micros = times.parse_instant(aware.isoformat())
    assert micros == times.from_datetime(aware)
    assert times.to_datetime(micros) == aware.astimezone(UTC)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("2024-04-30T23:45:02Z", "2024-04-30T23:45:02.000Z"),
        ("2024-04-30T23:45Z", "2024-04-30T23:45:00.000Z"),
        ("2024-05-01T01:45:02+02:00", "2024-04-30T23:45:02.000Z"),
        ("2024-05-01T01:45:02+0200", "2024-04-30T23:45:02.000Z"),
        ("2024-05-01T01:45:02+02", "2024-04-30T23:45:02.000Z"),
        ("2024-04-30T13:15:02-10:30", "2024-04-30T23:45:02.000Z"),
        ("2024-04-30t23:45:02z", "2024-04-30T23:45:02.000Z"),
        ("2024-04-30 23:45:02Z", "2024-04-30T23:45:02.000Z"),
        ("2024-04-30T23:45:02.5Z", "2024-04-30T23:45:02.500Z"),
        ("2024-04-30T23:45:02,5Z", "2024-04-30T23:45:02.500Z"),
        ("2024-04-30T23:45:02.000001Z", "2024-04-30T23:45:02.000001Z"),
        ("2024-02-29T00:00:00Z", "2024-02-29T00:00:00.000Z"),
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000Z"),
        ("9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999Z"),
        ("1969-12-31T23:59:59.999999Z", "1969-12-31T23:59:59.999999Z"),
    ],
)
def test_the_ways_to_write_an_instant(text: str, shown: str) -> None:
    assert times.format_instant(times.parse_instant(text)) == shown


def test_nanoseconds_are_cut_not_rounded() -> None:
    assert times.parse_instant("2024-01-01T00:00:00.999999999Z") == times.parse_instant("2024-01-01T00:00:00.999999Z")
    # … before 1970 as well, where cutting towards zero would move a reading into the future.
    assert times.parse_instant("1969-12-31T23:59:59.9999999Z") == -1


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("2016-12-31T23:59:60Z", "leap second"),
        ("2024-01-01T24:00:00Z", "hour"),
        ("2024-01-01T12:60:00Z", "minute"),
        ("2023-02-29T00:00:00Z", "day"),
        ("2024-13-01T00:00:00Z", "month"),
        ("2024-01-01T00:00:00", "offset"),
        ("2024-01-01T00:00:00+25:00", "offset"),
        ("0000-01-01T00:00:00Z", "year"),
        ("0001-01-01T00:00:00+01:00", "years 0001 to 9999"),
        ("9999-12-31T23:59:59-01:00", "years 0001 to 9999"),
        ("10000-01-01T00:00:00Z", "no ISO 8601 time"),
        ("+12024-01-01T00:00:00Z", "no ISO 8601 time"),
        ("2024-1-1T00:00:00Z", "no ISO 8601 time"),
        ("2024-01-01", "no ISO 8601 time"),
        ("1704067200", "no ISO 8601 time"),
        ("٢٠٢٤-01-01T00:00:00Z", "no ISO 8601 time"),
        ("2024-01-01T00:00:00Z\n", "no ISO 8601 time"),
        ("", "no ISO 8601 time"),
    ],
)
def test_what_cannot_be_kept_is_refused_and_says_why(text: str, why: str) -> None:
    with pytest.raises(InvalidInput, match=why):
        times.parse_instant(text)


@pytest.mark.parametrize("text", ["2024-01-01T00:00:00Z/PT90M", "PT90M/2024-01-01T01:30:00Z"])
def test_a_duration_stands_for_one_end(text: str) -> None:
    assert times.format_interval(*times.parse_interval(text)) == "2024-01-01T00:00:00.000Z/2024-01-01T01:30:00.000Z"


@pytest.mark.parametrize(
    "text",
    [
        "2024-01-02T00:00:00Z/2024-01-01T00:00:00Z", "2024-01-01T00:00:00Z/", "/", "a/b", "PT1H/PT1H",
        "2024-01-01T00:00:00Z/P1M", "2024-01-01T00:00:00Z/-PT1H", "P1D/0001-01-01T00:00:00Z",
        "9999-12-31T00:00:00Z/P999999999W", "PT1H", "2024-01-01T00:00:00Z/P",
    ],
)  # fmt: skip
def test_intervals_that_are_none(text: str) -> None:
    with pytest.raises(InvalidInput):
        times.parse_interval(text)


def test_an_interval_of_no_length_is_kept() -> None:
    text = "2024-01-01T00:00:00.000Z/2024-01-01T00:00:00.000Z"
    assert times.format_interval(*times.parse_interval(text)) == text


@pytest.mark.parametrize("micros", [times.EARLIEST - 1, times.LATEST + 1, 2**62])
def test_what_lies_outside_of_the_calendar_has_no_text(micros: int) -> None:
    with pytest.raises(InvalidInput):
        times.format_instant(micros)


@pytest.mark.parametrize(
    ("text", "micros"),
    [
        ("PT5M", 5 * times.MINUTE),
        ("P1D", times.DAY),
        ("P2W", 14 * times.DAY),
        ("P1DT2H3M4.5S", times.DAY + 2 * times.HOUR + 3 * times.MINUTE + 4_500_000),
        ("-PT1H", -times.HOUR),
        ("PT0S", 0),
        ("PT0.000001S", 1),
    ],
)
def test_durations(text: str, micros: int) -> None:
    assert times.parse_duration(text) == micros


@pytest.mark.parametrize(
    "text", ["", "P", "PT", "-P", "P1DT", "P1Y", "P1M", "5M", "PT5", "PT1.5H", "P" + "9" * 5000 + "D"]
)
def test_durations_without_a_fixed_length_or_sense_are_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="no ISO 8601 duration"):
        times.parse_duration(text)

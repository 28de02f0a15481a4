"""The step function against a plain reading of its definition, minute by minute, and by hand on the city's own feed."""

import csv
import gzip
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support import captured

from allmende.domain import times
from allmende.domain.steps import FEED_SILENT, NEVER, SILENT, Segment, Silence, buckets, gaps, read_steps, silences

JENA = Silence(zone="Europe/Berlin")
MINUTE, HOUR, DAY = times.MINUTE, times.HOUR, times.DAY


def value_at(segments: Sequence[Segment], moment: int) -> Segment:
    """The segment that holds at a moment: looked for, where the buckets walk."""
    place = bisect_right(segments, moment, key=lambda s: s.start) - 1
    if place < 0 or segments[place].end <= moment:
        return Segment(moment, moment, None, NEVER)
    return segments[place]


def at(text: str) -> int:
    """A local time in Jena, e.g. ``2024-03-31 01:59``."""
    return times.from_datetime(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Europe/Berlin")))


def steps(readings: dict[int, float], *, start: int, end: int, reports: list[int] | None = None) -> list[Segment]:
    """The step function of plausible readings; the feed reported with each of them, or as given."""
    moments = sorted(readings)
    return read_steps(
        moments,
        [readings[m] for m in moments],
        [""] * len(moments),
        reports=sorted(reports if reports is not None else moments),
        silence=JENA,
        start=start,
        end=end,
    )


def alive(start: int, end: int, every: int = 5 * MINUTE) -> list[int]:
    """Reports of other car parks."""
    return list(range(start, end, every))


# --- a plain reading of the definition ---


def brute_silent_from(last: int, following: int, silence: Silence) -> int | None:
    """Walk minute by minute: 45 minutes of day-time, or six hours altogether."""
    zone = ZoneInfo(silence.zone)
    by_day = 0
    moment = last
    while moment < following:
        if by_day >= silence.day or moment - last >= silence.night:
            return moment
        clock = times.to_datetime(moment).astimezone(zone).time()
        by_day += MINUTE if silence.day_from <= clock < silence.day_to else 0
        moment += MINUTE
    return None


def brute_value(moment: int, readings: dict[int, float], reports: list[int], end: int) -> tuple[float | None, str]:
    """What is known at a moment, read off the definition."""
    before = [m for m in readings if m <= moment]
    if not before:
        return None, NEVER
    place = bisect_right(reports, moment)
    following = reports[place] if place < len(reports) else end
    quiet = brute_silent_from(reports[place - 1], following, JENA)
    if quiet is not None and quiet <= moment:
        return None, FEED_SILENT
    if moment >= max(before) + JENA.rewrite + JENA.slack:
        return None, SILENT
    return readings[max(before)], ""


# Around both changes of the clock, and an ordinary day.
ANCHORS = [at("2024-03-30 12:00"), at("2024-10-26 12:00"), at("2024-01-10 00:00")]
MINUTES = st.integers(0, 3 * 24 * 60)


@given(
    st.sampled_from(ANCHORS),
    st.dictionaries(MINUTES, st.integers(0, 100), min_size=1, max_size=8),
    st.lists(st.tuples(MINUTES, st.integers(1, 60)), max_size=4),
    st.lists(MINUTES, min_size=1, max_size=6),
)
def test_it_is_what_the_definition_says(
    anchor: int, drawn: dict[int, int], bursts: list[tuple[int, int]], asked: list[int]
) -> None:
    readings = {anchor + m * MINUTE: float(v) for m, v in drawn.items()}
    others = {anchor + (m + 15 * i) * MINUTE for m, many in bursts for i in range(many)}
    end = anchor + 3 * DAY + HOUR
    reports = sorted(m for m in set(readings) | others if m < end)
    segments = steps(readings, start=anchor, end=end, reports=reports)
    # Without gaps, in order, each of some length.
    assert segments[0].start == anchor
    assert segments[-1].end == end
    assert all(a.end == b.start and a.start < a.end for a, b in pairwise(segments))
    for minute in asked:
        moment = anchor + minute * MINUTE
        found = value_at(segments, moment)
        value, reason = brute_value(moment, readings, reports, end)
        assert found.value == value
        # Before the first reading both are true: nothing was ever known, and the feed was silent.
        assert found.reason == reason or {found.reason, reason} == {NEVER, FEED_SILENT}


@given(st.lists(MINUTES, max_size=12, unique=True), st.integers(0, 4 * 24 * 60))
def test_silences_lie_between_reports_and_none_is_missed(minutes: list[int], until: int) -> None:
    anchor = ANCHORS[0]
    end = anchor + until * MINUTE
    reports = sorted(anchor + m * MINUTE for m in minutes if anchor + m * MINUTE < end)
    expected = []
    for last, following in zip(reports, [*reports[1:], end], strict=False):
        begin = brute_silent_from(last, following, JENA)
        if begin is not None:
            expected.append((begin, following))
    assert silences(reports, JENA, end) == expected


# --- by hand ---


def test_free_at_14_07_is_the_last_value_at_or_before() -> None:
    start, end = at("2024-01-10 12:00"), at("2024-01-10 15:00")
    known = {at("2024-01-10 14:00"): 7.0, at("2024-01-10 14:07"): 8.0, at("2024-01-10 14:10"): 9.0}
    segments = steps(known, start=start, end=end, reports=alive(start, end))
    assert value_at(segments, at("2024-01-10 14:07")).value == 8
    assert value_at(segments, at("2024-01-10 14:07") - 1).value == 7
    assert value_at(segments, at("2024-01-10 14:09")).value == 8
    assert value_at(segments, at("2024-01-10 13:59"))[2:4] == (None, NEVER)
    assert value_at(segments, at("2024-01-10 15:00"))[2:4] == (None, NEVER)
    assert value_at([], start).value is None


@pytest.mark.parametrize(
    ("last", "silent"),
    [
        ("2024-01-10 12:00", "2024-01-10 12:45"),  # by day
        ("2024-01-10 22:00", "2024-01-11 04:00"),  # by night
        ("2024-01-10 20:10", "2024-01-10 20:55"),  # before the day ends: silent, and it stays so
        ("2024-01-10 20:15", "2024-01-10 21:00"),  # the last minute of the day counts
        ("2024-01-10 20:16", "2024-01-11 02:16"),  # 44 minutes of day are not enough; six hours altogether are
        ("2024-01-11 02:00", "2024-01-11 06:45"),  # the morning's 45 minutes come before the six hours
        ("2024-01-11 05:50", "2024-01-11 06:45"),
        ("2024-03-30 22:00", "2024-03-31 05:00"),  # the night in which an hour is missing: six hours have passed
        ("2024-03-31 00:30", "2024-03-31 06:45"),
        ("2024-10-26 22:00", "2024-10-27 03:00"),  # … and the one in which an hour comes twice
        ("2024-10-26 23:50", "2024-10-27 04:50"),
    ],
)
def test_when_silence_begins(last: str, silent: str) -> None:
    assert JENA.silent_from(at(last), at(last) + 2 * DAY) == at(silent)
    assert JENA.silent_from(at(last), at(silent)) is None
    assert JENA.silent_from(at(last), at(silent) + 1) == at(silent)


def test_once_silent_always_silent_until_the_next_report() -> None:
    last, back = at("2024-01-10 20:10"), at("2024-01-11 05:00")
    segments = steps({last: 5.0, back: 6.0}, start=last, end=back + MINUTE)
    assert segments == [
        Segment(last, at("2024-01-10 20:55"), 5.0),
        Segment(at("2024-01-10 20:55"), back, None, FEED_SILENT),
        Segment(back, back + MINUTE, 6.0),
    ]


def test_the_feed_lives_but_one_car_park_is_gone() -> None:
    start, end = at("2024-01-10 00:05"), at("2024-01-12 00:00")
    segments = steps({start: 5.0}, start=start, end=end, reports=alive(start, end))
    gone = start + JENA.rewrite + JENA.slack
    assert segments == [Segment(start, gone, 5.0), Segment(gone, end, None, SILENT)]


def test_a_reading_long_before_the_span_says_nothing_of_it() -> None:
    start, end = at("2024-01-10 12:00"), at("2024-01-10 13:00")
    segments = steps({start - 3 * DAY: 5.0}, start=start, end=end, reports=[start - 3 * DAY, *alive(start, end)])
    assert [s[2:4] for s in segments] == [(None, SILENT)]


def test_what_comes_after_the_span_does_not_matter() -> None:
    start, end = at("2024-01-10 12:00"), at("2024-01-10 13:00")
    known = {start: 5.0, end: 6.0, end + HOUR: 7.0}
    segments = steps(known, start=start, end=end, reports=[*alive(start, end), end, end + HOUR])
    assert segments == [Segment(start, end, 5.0)]


@pytest.mark.parametrize("reports", [[], [ANCHORS[0] + 10 * DAY]])
def test_without_any_report_nothing_is_known(reports: list[int]) -> None:
    start = ANCHORS[0]
    segments = steps({}, start=start, end=start + HOUR, reports=reports)
    assert segments == [Segment(start, start + HOUR, None, NEVER)]
    assert steps({}, start=start, end=start, reports=reports) == []
    assert silences([], JENA, start) == []


def test_settings_are_read() -> None:
    silence = Silence.read({"day": "PT1H", "night": "PT8H", "day_from": "07:00", "rewrite": "P2D"}, "Europe/Berlin")
    assert silence == Silence(day=HOUR, night=8 * HOUR, day_from=time(7), rewrite=2 * DAY, zone="Europe/Berlin")


# --- means over spans ---


def test_means_are_weighted_with_time() -> None:
    pieces = [Segment(0, 10, 10.0), Segment(10, 40, 50.0)]
    (bucket,) = buckets(pieces, start=0, end=40, width=40)
    assert (bucket.mean, bucket.low, bucket.high, bucket.covered, bucket.implausible) == (40.0, 10.0, 50.0, 1.0, 0.0)


def test_what_is_not_known_is_left_out_and_told() -> None:
    pieces = [Segment(0, 10, 10.0), Segment(10, 40, None, FEED_SILENT)]
    (bucket,) = buckets(pieces, start=0, end=40, width=40)
    assert (bucket.mean, bucket.covered) == (10.0, 0.25)
    first, second = buckets(pieces, start=0, end=40, width=20)
    assert (first.mean, second.mean, second.covered, second.low) == (10.0, None, 0.0, None)


def test_what_is_implausible_is_not_averaged_silently() -> None:
    pieces = [Segment(0, 10, 10.0), Segment(10, 20, 900.0, "", "above-maximum"), Segment(20, 40, 20.0)]
    (bucket,) = buckets(pieces, start=0, end=40, width=40)
    assert bucket.mean == pytest.approx((10 * 10 + 20 * 20) / 30)
    assert (bucket.high, bucket.covered, bucket.implausible) == (20.0, 0.75, 0.25)


def test_the_last_bucket_may_be_short() -> None:
    found = buckets([Segment(0, 50, 1.0)], start=0, end=50, width=20)
    assert [(b.start, b.covered) for b in found] == [(0, 1.0), (20, 1.0), (40, 1.0)]


@given(
    st.lists(st.tuples(st.integers(1, 30), st.none() | st.integers(0, 9), st.booleans()), min_size=1, max_size=12),
    st.integers(1, 40),
)
def test_buckets_are_what_counting_each_moment_gives(drawn: list[tuple[int, int | None, bool]], width: int) -> None:
    pieces, cursor = [], 0
    for length, value, odd in drawn:
        pieces.append(Segment(cursor, cursor + length, value, "", "odd" if odd else ""))
        cursor += length
    for bucket in buckets(pieces, start=0, end=cursor, width=width):
        moments = range(bucket.start, min(bucket.start + width, cursor))
        held = [value_at(pieces, m) for m in moments]
        good = [s.value for s in held if s.value is not None and not s.flag]
        assert bucket.covered == pytest.approx(len(good) / len(moments))
        assert bucket.implausible == pytest.approx(
            sum(s.value is not None and bool(s.flag) for s in held) / len(moments)
        )
        assert bucket.mean == (pytest.approx(sum(good) / len(good)) if good else None)
        assert (bucket.low, bucket.high) == (min(good, default=None), max(good, default=None))


# --- the city's own feed ---


@pytest.fixture(scope="module")
def feed() -> dict[str, dict[int, float]]:
    """Readings by car park, of the recorded feed."""
    readings: dict[str, dict[int, float]] = defaultdict(dict)
    with gzip.open(captured("parking", "jena_free_2023-11-07_2024-04-30.csv.gz"), "rt", encoding="utf-8") as lines:
        for moment, place, free in list(csv.reader(lines))[1:]:
            if free:
                readings[place][times.parse_instant(moment)] = float(free)
    return readings


@pytest.mark.parametrize(
    ("begin", "end"),
    [("2023-12-28T00:00:02Z", "2023-12-28T17:40:00Z"), ("2024-03-15T00:30:00Z", "2024-03-15T09:00:00Z")],
)
def test_the_known_outages_give_no_data(feed: dict[str, dict[int, float]], begin: str, end: str) -> None:
    first, last = times.parse_instant(begin), times.parse_instant(end)
    reports = sorted({m for known in feed.values() for m in known if first - DAY <= m < last + HOUR})
    assert len(feed) == 10
    for known in feed.values():
        near = {m: v for m, v in known.items() if first - 2 * DAY <= m < last + HOUR}
        segments = steps(near, start=first - HOUR, end=last + HOUR, reports=reports)
        assert value_at(segments, first + MINUTE).value is not None
        # Six hours of the night may pass; then nothing is known until the feed is back.
        middle = range(first + 6 * HOUR + MINUTE, last - 10 * MINUTE, 10 * MINUTE)
        assert {value_at(segments, m)[2:4] for m in middle} == {(None, FEED_SILENT)}
        hours = buckets(segments, start=first + 7 * HOUR, end=last - HOUR, width=HOUR)
        assert {b.mean for b in hours} == {None}


def test_an_ordinary_week_has_few_gaps(feed: dict[str, dict[int, float]]) -> None:
    start, end = at("2024-02-05 00:00"), at("2024-02-12 00:00")
    reports = sorted({m for known in feed.values() for m in known if start - DAY <= m < end})
    for known in feed.values():
        near = {m: v for m, v in known.items() if start - 2 * DAY <= m < end}
        segments = steps(near, start=start, end=end, reports=reports)
        held = sum(s.end - s.start for s in segments if s.value is not None)
        assert held / (end - start) > 0.95
        middle = start + timedelta(days=3) // timedelta(microseconds=1)
        assert value_at(segments, middle).value == near[max(m for m in near if m <= middle)]


@given(
    own=st.lists(st.integers(0, 3 * 1440), max_size=30, unique=True),
    others=st.lists(st.integers(0, 3 * 1440), max_size=60, unique=True),
)
def test_what_others_reported_matters_in_the_gaps_of_the_own_reports_alone(own: list[int], others: list[int]) -> None:
    begin = at("2024-03-30 20:00")
    end = begin + 3 * DAY
    mine, all_of_them = ([begin + minute * MINUTE for minute in sorted(each)] for each in (own, {*own, *others}))
    asked = [r for first, last in gaps([begin, *mine], JENA, end) for r in all_of_them if first <= r < last]
    values = dict.fromkeys(mine, 5.0)
    some = steps(values, start=begin + DAY, end=end, reports=sorted({*mine, *asked}))
    assert some == steps(values, start=begin + DAY, end=end, reports=[r for r in all_of_them if r < end])

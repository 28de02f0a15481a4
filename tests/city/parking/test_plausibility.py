"""Plausibility: constructed faults of every kind are found, and what is usual is not."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from allmende.city.parking.plausibility import RULES, Doubt, Habit, Limits, Situation, Trace, drift, judge, learn
from allmende.domain import times

ZONE = "Europe/Berlin"
CAPACITY = 120
NOW = times.from_datetime(datetime(2024, 3, 13, 14, 2, tzinfo=UTC))  # a Wednesday
START = NOW - 60 * times.DAY


def usual_value(at: int) -> int:
    """A car park that is constructed: full by day, empty by night, a vehicle in or out every ten minutes."""
    hour = (at // times.MINUTE % 1440) / 60
    day = max(0.0, 1 - abs(hour - 13) / 6)
    return round(CAPACITY - 8 - 100 * day) - at // (10 * times.MINUTE) % 2


def usual(start: int = START, end: int = NOW) -> Trace:
    """Change-only, every ten minutes looked at, written again at midnight."""
    moments, values = [], []
    for at in range(start - start % times.DAY, end, 10 * times.MINUTE):
        value = usual_value(at)
        if not values or value != values[-1] or at % times.DAY == 0:
            moments.append(at)
            values.append(value)
    return Trace(moments, values)


USUAL = usual()
HABIT = learn(USUAL, NOW, ZONE)


def look(trace: Trace = USUAL, now: int = NOW, habit: Habit = HABIT, limits: Limits | None = None, **more):
    about = {"capacity": CAPACITY, **more}
    return {each.flag: each for each in judge(Situation(now=now, zone=ZONE, trace=trace, **about), habit, limits)}


def then(trace: Trace, *later: tuple[int, int]) -> Trace:
    first = later[0][0]
    before = trace.until(first)
    return Trace([*before.times, *(at for at, _ in later)], [*before.values, *(value for _, value in later)])


@given(st.integers(min_value=1, max_value=10 * 144))
def test_what_is_usual_is_never_doubted(back):
    now = NOW - back * 10 * times.MINUTE
    assert look(USUAL.until(now), now) == {}


@given(st.integers(min_value=-50, max_value=-1), st.integers(min_value=1, max_value=100))
def test_less_than_nothing_and_more_than_there_is(below, above):
    trace = then(USUAL, (NOW - times.HOUR, below), (NOW - 30 * times.MINUTE, below - 1))
    doubt = look(trace)["negative"]
    assert (doubt.since, doubt.figures) == (NOW - times.HOUR, {"free": below - 1})
    trace = then(USUAL, (NOW - times.HOUR, CAPACITY + above))
    assert look(trace)["above-capacity"].figures == {"free": CAPACITY + above, "capacity": CAPACITY}
    assert "above-capacity" not in look(trace, capacity=CAPACITY + above)
    assert "above-capacity" not in look(trace, capacity=None)


@given(st.integers(min_value=3, max_value=200))
def test_frozen_is_found_and_a_rewrite_is_no_change(hours):
    since = NOW - hours * times.HOUR
    value = 40
    again = [(at, value) for at in range(since + times.DAY, NOW, times.DAY)]
    habit = learn(USUAL.until(since), since, ZONE)
    found = look(then(USUAL, (since, value), *again), habit=habit)
    if hours >= 5:  # before that twenty changes are not missing yet
        assert found["frozen"].since == since
    assert RULES["frozen"].effect == "hidden"


def test_a_still_sunday_is_usual_and_so_is_a_holiday_that_is_like_one():
    moments, values = [], []
    for at, value in zip(USUAL.times, USUAL.values, strict=True):
        if times.to_datetime(at).weekday() < 6:
            moments.append(at)
            values.append(value)
        elif at % times.DAY == 0:
            moments.append(at)
            values.append(50)
    trace = Trace(moments, values)
    sunday = times.from_datetime(datetime(2024, 3, 10, 20, tzinfo=UTC))
    assert "frozen" not in look(trace.until(sunday), sunday, learn(trace.until(sunday), sunday, ZONE))
    monday = times.from_datetime(datetime(2024, 3, 11, 20, tzinfo=UTC))
    still = then(trace.until(sunday), (monday - 20 * times.HOUR, 50))
    habit = learn(still, sunday - times.DAY, ZONE)
    assert "frozen" in look(still, monday, habit)
    # shut on both days: one after the other is longer than any Sunday was, so it is the count that tells
    assert "frozen" not in look(still, monday, habit, holiday=lambda day: day == date(2024, 3, 11))


def test_what_is_new_or_silent_is_not_judged():
    few = usual(NOW - 3 * times.DAY)
    assert "frozen" not in look(then(few, (NOW - 5 * times.HOUR, 40)), habit=learn(few, NOW, ZONE))
    assert look(then(USUAL, (NOW - 30 * times.HOUR, 40))) == {}  # a day without a rewrite: nothing is known
    assert look(then(USUAL, (NOW - times.HOUR, -3)), status="no-data") == {}
    assert learn(Trace([], []), NOW, ZONE) == Habit(start=NOW)


@given(st.integers(min_value=50, max_value=100))
def test_a_jump_is_more_than_the_entrances_take(size):
    at = NOW - 10 * times.MINUTE
    before = USUAL.until(at)
    value = before.values[-1] + size
    doubt = look(then(USUAL, (at, value)))["jump"]
    assert (doubt.since, doubt.figures["change"]) == (at, size)
    assert "jump" not in look(then(USUAL, (NOW - 40 * times.MINUTE, value)), capacity=None)  # half an hour is enough
    assert "jump" not in look(then(USUAL, (at, value)), limits=Limits(jump=size))


@given(st.integers(min_value=0, max_value=20))
def test_full_by_night_where_there_is_room_as_a_rule(days):
    since = NOW - days * times.DAY - 14 * times.HOUR
    again = [(at, 0) for at in range(since + times.DAY, NOW, times.DAY)]
    trace = then(USUAL, (since, 0), *again)
    doubt = look(trace, habit=learn(USUAL.until(since), since, ZONE))["full-but-empty"]
    assert doubt.since == since
    assert doubt.figures["usual"] >= 100


def test_full_by_day_is_nothing_unless_all_others_have_room():
    trace = then(USUAL, (NOW - 3 * times.HOUR, 0))
    assert "full-but-empty" not in look(trace)
    assert "full-but-empty" not in look(trace, neighbours=(1.0, 0.2, 0.9))
    assert look(trace, neighbours=(1.0, 0.9, 0.9))["full-but-empty"].figures["others"] == 3
    # shut by night, it says 0 in each of them: that is its habit
    nights = tuple((at, 0) for at, _ in HABIT.nights)
    shut = Habit(start=HABIT.start, top=HABIT.top, changes=HABIT.changes, hour=HABIT.hour, nights=nights)
    assert "full-but-empty" not in look(then(USUAL, (NOW - 14 * times.HOUR, 0)), habit=shut)


@given(st.integers(min_value=8, max_value=60), st.sampled_from((-1, 1)))
def test_a_drift_is_an_offset_of_the_nights(off, sign):
    nights = [(at, value + (sign * off if at > NOW - 7 * times.DAY else 0)) for at, value in HABIT.nights]
    habit = Habit(start=HABIT.start, top=CAPACITY, hour=HABIT.hour, nights=nights)
    moved = drift(Situation(now=NOW, zone=ZONE, trace=USUAL, capacity=CAPACITY), habit)
    assert moved is not None
    assert (moved.offset, moved.nights) == (-sign * off, 7)
    put_right = [(at, value - sign * off if at > NOW - 7 * times.DAY else value) for at, value in nights]
    whole = Habit(start=HABIT.start, top=CAPACITY, hour=HABIT.hour, nights=put_right)
    assert drift(Situation(now=NOW, zone=ZONE, trace=USUAL, capacity=CAPACITY), whole) is None


def test_one_odd_night_is_no_drift():
    odd = HABIT.nights[-2][0]
    nights = [(at, value - (60 if at == odd else 0)) for at, value in HABIT.nights]
    habit = Habit(start=HABIT.start, nights=nights)
    assert drift(Situation(now=NOW, zone=ZONE, trace=USUAL, capacity=CAPACITY), habit) is None


def test_a_closed_car_park_does_not_move():
    assert look(status="closed")["closed-with-change"].figures["changes"] >= 5
    assert look(then(USUAL, (NOW - 2 * times.HOUR, 90)), status="closed") == {}


def test_full_and_free_at_once_is_the_connectors_finding():
    assert look(flags=("full-with-free",))["full-with-free"].figures == {"free": USUAL.at(NOW)}


@settings(max_examples=150)
@given(
    st.lists(
        st.tuples(st.integers(min_value=0, max_value=60 * 24 * 60), st.integers(-5, 300) | st.none()), max_size=40
    ),
    st.sampled_from(("live", "closed", "no-data")),
    st.integers(0, 200) | st.none(),
)
def test_whatever_comes_is_judged_and_doubted_since_a_moment_that_has_been(rows, status, capacity):
    ordered = sorted(dict(rows).items())
    trace = Trace([START + minute * times.MINUTE for minute, _ in ordered], [value for _, value in ordered])
    found = look(trace, habit=learn(trace, NOW, ZONE), status=status, capacity=capacity)
    assert all(isinstance(each, Doubt) and each.since <= NOW and each.flag in RULES for each in found.values())


@pytest.mark.parametrize("step", [timedelta(days=1), timedelta(hours=11)])
def test_the_clock_may_change(step):
    """The nights of a year with both changes of the clock."""
    start = times.from_datetime(datetime(2024, 3, 28, tzinfo=UTC))
    trace = usual(start, start + 10 * times.DAY)
    now = start + 5 * times.DAY + times.from_datetime(datetime(1970, 1, 1, tzinfo=UTC) + step)
    habit = learn(trace.until(now), now, ZONE)
    assert [times.to_datetime(at).day for at, _ in habit.nights][:3] == [28, 29, 30]
    assert look(trace.until(now), now, habit) == {}

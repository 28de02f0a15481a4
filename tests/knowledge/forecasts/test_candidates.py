"""Candidates: what they say, and that none of them knows anything of the future."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import msgspec
import numpy as np
import pytest

from allmende.domain.forecasts import CalendarProfile
from allmende.domain.times import DAY, HOUR, MINUTE, from_datetime, parse_instant, to_datetime
from allmende.knowledge.forecasts import baselines
from allmende.knowledge.forecasts.features import make_frame, sizes
from allmende.knowledge.forecasts.learning import learn
from allmende.knowledge.forecasts.model import BOOSTED
from allmende.knowledge.forecasts.panel import Foretold, make_calendar, same_time
from allmende.knowledge.forecasts.reading import Setting, calendar_days
from tests.knowledge.forecasts.plains import ZONE, panel, task

AHEAD = [1, 2, 6, 24, 30]


def setting_of(state):
    return Setting(zone=ZONE, country="DE", calendar=CalendarProfile(state=state))


def usual_of(one):
    return baselines.typical(one, np.arange(len(one.calendar.slot)))


def disturbed(one, origin):
    """The same until an origin, and another future: of the streams themselves and of all that may explain them."""
    chance = np.random.default_rng(9)
    values = one.values.copy()
    values[:, origin + 1 :] = chance.normal(1e6, 1e5, values[:, origin + 1 :].shape)
    seen = {name: np.where(np.arange(len(row)) > origin, 1e6, row) for name, row in one.seen.items()}
    foretold = {
        name: msgspec.structs.replace(known, value=np.where(known.run > origin, 1e6, known.value))
        for name, known in one.foretold.items()
    }
    return msgspec.structs.replace(one, values=values, seen=seen, foretold=foretold)


def weather(one):
    """Runs every six hours, each for the following two days."""
    hours = one.columns + 48
    rows = sorted((valid, run) for run in range(0, one.columns, 6) for valid in range(run, min(run + 48, hours)))
    valid, run = (np.array(column) for column in zip(*rows, strict=True))
    first = one.start // HOUR
    return Foretold(
        start=one.start, step=one.step, spacing=HOUR, valid=valid + first, run=run, value=valid + run / 1_000
    )


@pytest.mark.parametrize("origin", [600, 700, 763, 1000])  # a change of the clock lies at 938
def test_the_future_changes_nothing(origin: int) -> None:
    one = panel()
    chance = np.random.default_rng(2).normal(size=one.columns)
    one = msgspec.structs.replace(one, seen={"rain": chance}, foretold={"sun": weather(one)})
    other = disturbed(one, origin)
    climate = baselines.learn_climate(one, 500)
    units = sizes(one, 500)
    origins = np.array([origin - 1, origin])
    for first, second in zip(
        baselines.simple(one, origins, AHEAD, climate, usual_of(one)).items(),
        baselines.simple(other, origins, AHEAD, climate, usual_of(other)).items(),
        strict=True,
    ):
        assert first[0] == second[0]
        np.testing.assert_array_equal(first[1], second[1], err_msg=first[0])
    told, told_other = (
        make_frame(each, origins, AHEAD, climate, usual_of(each), units, drifts=True) for each in (one, other)
    )
    for place, name in enumerate(told.names):
        np.testing.assert_array_equal(told.rows[:, place], told_other.rows[:, place], err_msg=name)
    np.testing.assert_array_equal(
        baselines.learn_climate(one, origin).means, baselines.learn_climate(other, origin).means
    )


@pytest.mark.parametrize("drifts", [False, True])
def test_what_is_learned_until_a_fold_does_not_know_the_fold(monkeypatch: pytest.MonkeyPatch, drifts: bool) -> None:
    """The scores of the last fold would be better for a candidate that had seen it."""
    from allmende.knowledge.forecasts import boosting

    lessons = []
    real = boosting.learn_middle

    def noting(names, rows, wanted, effort, weights):
        lessons.append((rows.copy(), wanted.copy(), weights.copy()))
        return real(names, rows, wanted, effort, weights)

    monkeypatch.setattr(boosting, "learn_middle", noting)
    one = panel(days=40, streams=1)
    manner = {"rounds": 2, "apart": drifts, "drifts": drifts, "hours": (6.0, 21.0) if drifts else None}
    learn(one, task(**manner))
    folds = len(lessons) - 1
    first, lessons[:] = list(lessons), []
    length = (one.columns - 1) // (3 * folds)
    learn(disturbed(one, one.columns - 1 - length), task(**manner))
    for number in range(folds):  # all but the model that is kept, which learns from everything
        for part in range(3):
            np.testing.assert_array_equal(first[number][part], lessons[number][part])


def test_each_target_has_the_newest_run_that_was_there() -> None:
    one = panel()
    known = weather(one)
    found = known.at(np.array([12, 12, 13, 17, 18, 5, 12]), np.array([20, 59, 20, 20, 20, 60, 61]))
    np.testing.assert_allclose(found, [20.012, 59.012, 20.012, 20.012, 20.018, np.nan, np.nan])


def test_simple_candidates_say_what_their_names_say() -> None:
    one = panel(noise=0.0)
    origin, climate = 40 * 24, baselines.learn_climate(panel(noise=0.0), 39 * 24)
    found = baselines.simple(one, np.array([origin]), AHEAD, climate, usual_of(one))
    values = one.values[0]
    assert set(found["last"][0, 0]) == {values[origin]}
    # The clocks are put forward right now: the same hour of the day, not 24 hours ago.
    assert to_datetime(one.time(origin + 1)) == datetime(2024, 3, 31, 1, tzinfo=UTC)
    assert found["day"][0, 0].tolist() == [
        values[origin + ahead - back] for ahead, back in zip(AHEAD, (23, 23, 23, 24, 47), strict=True)
    ]
    assert found["week"][0, 0].tolist() == [values[origin + ahead - 167] for ahead in AHEAD]


def test_the_corrected_mean_is_that_of_issue_7() -> None:
    """The mean of the same time in the three weeks before, corrected by the deviation of the last two hours."""
    one = panel(days=30, step=5 * MINUTE, ahead=24, start=parse_instant("2024-01-10T00:00:00Z"), noise=9.0)
    origin, week = 28 * one.day, 7 * one.day
    found = baselines.simple(one, np.array([origin]), [24], baselines.learn_climate(one, origin), usual_of(one))
    row = one.values[1]

    def mean(column):
        return np.mean([row[column - weeks * week] for weeks in (1, 2, 3)])

    off = np.mean([row[column] - mean(column) for column in range(origin - 23, origin + 1)])
    assert found["typical"][1, 0, 0] == pytest.approx(mean(origin + 24) + off)


@pytest.mark.parametrize("day", ["2024-03-31", "2024-10-27", "2025-03-30"])
def test_days_with_another_number_of_hours(day: str) -> None:
    start = parse_instant(f"{day}T00:00:00Z") - 10 * DAY
    calendar = make_calendar(start, 15 * MINUTE, 20 * 96, ZONE, frozenset(), frozenset())
    columns = np.arange(8 * 96, 19 * 96)
    back = same_time(calendar, columns, 7, 96)
    for column, before in zip(columns[::7], back[::7], strict=True):
        now, then = (
            to_datetime(start + int(each) * 15 * MINUTE).astimezone(ZoneInfo(ZONE)) for each in (column, before)
        )
        # An hour that there is not on that day is taken for the one that follows.
        assert abs((now.replace(tzinfo=None) - then.replace(tzinfo=None)).total_seconds() - 7 * 86_400) <= 3_600
        if now.hour not in (2, 3) and then.hour not in (2, 3):
            assert (now.hour, now.minute) == (then.hour, then.minute)
        assert calendar.weekday[column] == now.weekday()
        assert calendar.slot[column] == now.hour * 4 + now.minute // 15


def test_holidays_are_those_of_the_state() -> None:
    start = parse_instant("2025-09-01T00:00:00Z")
    days = {state: calendar_days(setting_of(state), start, start + 60 * DAY)["public"] for state in ("TH", "BY")}
    assert "2025-09-20" in days["TH"]  # Children's Day: in Thuringia alone
    assert "2025-09-20" not in days["BY"]
    assert "2025-10-03" in days["BY"]


def test_bounds_hold_whatever_is_said() -> None:
    one = panel(top=45.0, noise=30.0)
    model = learn(one, task())
    found = model.guess(one, np.arange(900, 1000), list(range(1, 25)), {*baselines.SIMPLE, BOOSTED})
    assert BOOSTED in found
    for guess in found.values():
        for part in (guess.middle, guess.lower, guess.upper):
            known = part[~np.isnan(part)]
            assert len(known)
            assert known.min() >= 0
            assert known.max() <= 45
        assert (guess.lower <= guess.middle).all()
        assert (guess.middle <= guess.upper).all()


def test_a_time_in_microseconds_is_that_of_its_column() -> None:
    one = panel()
    assert to_datetime(one.time(25)) == datetime(2024, 2, 21, 1, tzinfo=UTC)
    assert from_datetime(datetime(2024, 2, 20, tzinfo=UTC)) == one.start

"""Counters that drift, probabilities that hold, and the warning that something has changed."""

from datetime import date, timedelta

import msgspec
import numpy as np
import pytest

from allmende.knowledge.forecasts.baselines import typical
from allmende.knowledge.forecasts.chances import learn_curve
from allmende.knowledge.forecasts.drift import Usual, find_change, usual_days
from allmende.knowledge.forecasts.habits import courses, highest, kind_of_day, states
from allmende.knowledge.forecasts.learning import learn
from allmende.knowledge.forecasts.lessons import drifted, in_hours
from allmende.knowledge.forecasts.model import BOOSTED, load_model
from tests.knowledge.forecasts.plains import panel, task

DAY_ONE = date(2026, 1, 1)


def listed(errors):
    return [(DAY_ONE + timedelta(days=number), float(error)) for number, error in enumerate(errors)]


def test_months_as_usual_raise_no_warning_and_a_change_does_within_days() -> None:
    chance = np.random.default_rng(11)
    usual = Usual(6.0, 1.5)
    for _ in range(40):  # ten years of days like those of the back-test
        ordinary = np.maximum(0, chance.normal(6.0, 1.5, 90))
        assert all(find_change(usual, listed(ordinary[:end])) is None for end in range(1, 91))
    changed = np.concatenate([chance.normal(6.0, 1.5, 20), chance.normal(10.0, 1.5, 8)])
    warned = [end for end in range(1, 29) if find_change(usual, listed(changed[:end]))]
    assert warned[0] <= 26
    found = find_change(usual, listed(changed))
    assert found is not None
    assert abs((found.since - DAY_ONE).days - 20) <= 2
    assert found.times == pytest.approx(10 / 6, rel=0.15)
    over = np.concatenate([changed, chance.normal(6.0, 1.5, 30)])
    assert find_change(usual, listed(over)) is None


def test_one_bad_day_is_no_change() -> None:
    errors = [6.0] * 10 + [60.0] + [6.0] * 10
    assert all(find_change(Usual(6.0, 1.5), listed(errors[:end])) is None for end in range(1, 22))
    assert find_change(Usual(6.0, 1.5), []) is None


def test_a_level_that_is_shifted_is_noticed_by_the_errors_of_what_was_learned_before() -> None:
    whole = panel(days=80, streams=1, noise=3.0)
    cut = 60 * 24
    model = learn(msgspec.structs.replace(whole, values=whole.values[:, :cut]), task(steps=6))
    choice = model.said.choices["s0"]
    usual = Usual(*choice.day)
    assert usual.mean == pytest.approx(choice.scores[choice.chosen].error, rel=0.3)

    def days(one):
        origins, ahead = np.arange(cut, one.columns - 24), [1, 3, 6]
        guess = model.guess(one, origins, ahead, {choice.chosen})[choice.chosen]
        off = np.abs(one.values[0, origins[:, None] + np.array(ahead)] - guess.middle[0])
        number = (origins - cut) // 24
        return listed([off[number == day].mean() for day in range(number.max())])

    assert find_change(usual, days(whole)) is None
    values = whole.values.copy()
    later = np.arange(whole.columns) >= cut + 8 * 24
    # People come at other hours, and more of them.
    values[:, later] = np.roll(values, 7, axis=1)[:, later] * 1.6
    found = find_change(usual, days(msgspec.structs.replace(whole, values=values)))
    assert found is not None
    assert 6 <= (found.since - DAY_ONE).days <= 10


def test_usual_days_need_a_week() -> None:
    off = np.ones((24 * 6, 2))
    assert usual_days(off, np.arange(24 * 6) // 24) is None
    found = usual_days(np.ones((24 * 9, 2)), np.arange(24 * 9) // 24)
    assert found is not None
    assert found.mean == 1.0
    assert found.spread > 0


def test_what_was_told_too_surely_is_put_right_and_never_falls() -> None:
    chance = np.random.default_rng(3)
    told = chance.uniform(0, 1, 40_000)
    came = (chance.uniform(0, 1, 40_000) < told**2).astype(float)
    curve = learn_curve(1.0, told, came)
    assert curve is not None
    asked = np.linspace(0.05, 0.95, 19)
    np.testing.assert_allclose(curve.right(asked), asked**2, atol=0.05)
    assert (np.diff(curve.came) >= 0).all()
    assert np.isnan(curve.right(np.array([np.nan]))[0])
    assert learn_curve(1.0, told[:100], came[:100]) is None


def test_courses_last_when_the_level_does_not() -> None:
    one = panel(days=40, noise=0.0)
    lower = msgspec.structs.replace(one, values=one.values - 9)
    origins = np.array([35 * 24 + 7])
    targets = origins[:, None] + np.array([[1, 2, 5]])
    for first, second in zip(
        *(dict(courses(each, origins, targets, each.values[:, origins])).items() for each in (one, lower)), strict=True
    ):
        np.testing.assert_allclose(first[1], second[1], err_msg=first[0])
    kin = dict(courses(one, origins, targets, one.values[:, origins]))["kin-change"]
    # Days repeat, so that what earlier days did is what this one does, but for the change of the clock.
    np.testing.assert_allclose(kin[0, 0], one.values[0, targets[0]] - one.values[0, origins], atol=2.5)
    usual = typical(one, np.arange(len(one.calendar.slot)))
    said = dict(states(one, origins, one.values[:, origins], usual))
    assert (
        said["room-7"][0, 0] == one.values[0, origins[0] - 7 * 24 + 1 : origins[0] + 1].max() - one.values[0, origins]
    )
    assert set(kind_of_day(one.calendar, np.arange(7 * 24))) == {0, 1, 2}


def test_the_highest_of_a_span_knows_no_future() -> None:
    values = np.random.default_rng(1).normal(size=(2, 50))
    values[0, 4] = np.nan
    found = highest(values, 7)
    for column in range(50):
        np.testing.assert_array_equal(found[:, column], np.nanmax(values[:, max(0, column - 6) : column + 1], axis=1))


def test_drifted_days_stay_within_what_can_be() -> None:
    one = panel(days=60, top=70.0)
    other = drifted(one, np.array([50.0, 50.0]), one.columns - 1)
    assert ((other.values >= 0) & (other.values <= 70)).all()
    assert (other.values != one.values).mean() > 0.5
    assert (one.values == panel(days=60, top=70.0).values).all()


def test_streams_are_learned_apart_with_probabilities_that_hold(tmp_path) -> None:
    whole = panel(days=75, streams=2, noise=6.0)
    cut = 55 * 24
    known = msgspec.structs.replace(whole, values=whole.values[:, :cut])
    model = learn(known, task(apart=True, drifts=True, hours=(6.0, 21.0), least=(30.0,), steps=6, rows=12_000))
    assert sorted(model.said.texts) == ["middle", "net-0", "net-1", "net-2", "width"]
    model.save(tmp_path)
    again = load_model(tmp_path)
    origins, ahead = np.arange(cut, whole.columns - 25), [1, 3, 6]
    guess = again.guess(whole, origins, ahead, {BOOSTED, "last"})
    came = whole.values[:, origins[:, None] + np.array(ahead)]
    counts = in_hours(whole, origins[:, None] + np.array(ahead), (6.0, 21.0))[None]
    errors = {
        name: np.abs(each.middle - came)[np.broadcast_to(counts, came.shape)].mean() for name, each in guess.items()
    }
    assert errors[BOOSTED] < 0.8 * errors["last"]
    chance = again.chance(BOOSTED, guess[BOOSTED], ahead, 30.0)
    sure = np.broadcast_to(counts, came.shape) & (chance > 0.3) & (chance < 0.7)
    assert chance[sure].mean() == pytest.approx((came >= 30)[sure].mean(), abs=0.15)


def test_hours_are_those_of_the_local_day() -> None:
    one = panel(days=45)
    inside = in_hours(one, np.arange(one.columns), (6.0, 21.0))
    assert inside.reshape(-1, 24).sum(axis=1).tolist().count(15) >= 43
    assert in_hours(one, np.arange(24), (0.0, 21.0), before=3 * 3_600_000_000).sum() == 24

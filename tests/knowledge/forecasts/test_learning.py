"""Back-test and choice, intervals, and what becomes of gaps, constants and short histories."""

from pathlib import Path
from statistics import NormalDist

import msgspec
import numpy as np
import pytest

from allmende.domain.errors import InvalidInput
from allmende.domain.times import HOUR
from allmende.knowledge.forecasts import boosting, hits
from allmende.knowledge.forecasts.learning import learn
from allmende.knowledge.forecasts.model import BOOSTED, load_model
from allmende.knowledge.forecasts.run import issue
from tests.knowledge.forecasts.plains import panel, sunny, task


def test_a_course_that_repeats_is_learned_and_beats_what_says_nothing() -> None:
    model = learn(sunny(days=50), task())
    for choice in model.said.choices.values():
        assert choice.skill(choice.chosen) > 0.1
        assert choice.scores[choice.chosen].error == pytest.approx(
            min(score.error for score in choice.scores.values()), rel=0.02
        )
        assert choice.reference in ("last", "day", "week")


def test_intervals_hold_what_they_promise_on_days_that_nobody_had_seen() -> None:
    whole = panel(days=75, streams=3, noise=6.0)
    cut = 55 * 24
    model = learn(msgspec.structs.replace(whole, values=whole.values[:, :cut]), task())
    origins, ahead = np.arange(cut, whole.columns - 25), list(range(1, 25))
    for name in ("typical", BOOSTED):
        guess = model.guess(whole, origins, ahead, {name})[name]
        came = whole.values[:, origins[:, None] + np.array(ahead)]
        share = ((came >= np.floor(guess.lower)) & (came <= np.ceil(guess.upper))).mean()
        assert 0.72 < share < 0.92, name
        for least in (30, 45, 60):
            chance = model.chance(name, guess, ahead, least)
            assert ((chance >= 0) & (chance <= 1)).all()
            assert chance.mean() == pytest.approx((came >= least).mean(), abs=0.08)
        assert (model.chance(name, guess, ahead, 20) >= model.chance(name, guess, ahead, 50)).all()
    for choice in model.said.choices.values():
        assert 0.7 < choice.scores["typical"].held < 0.9


def test_a_model_is_the_same_when_it_was_kept(tmp_path: Path) -> None:
    one = panel()
    model = learn(one, task())
    model.save(tmp_path)
    again = load_model(tmp_path)
    origins = np.array([900, 1000])
    for name in ("climate", "typical", BOOSTED):
        first, second = (each.guess(one, origins, [1, 24], {name})[name] for each in (model, again))
        np.testing.assert_allclose(first.middle, second.middle, rtol=1e-5)
        np.testing.assert_allclose(first.upper, second.upper, rtol=1e-5)
    assert not [path.name for path in tmp_path.iterdir() if path.suffix not in (".json", ".txt")]
    (tmp_path / "model.json").write_text("{")
    with pytest.raises(InvalidInput, match="cannot be read"):
        load_model(tmp_path)


def test_constants_are_forecast_by_what_says_nothing_and_so_not_shown() -> None:
    one = panel()
    one.values[0] = 7.0
    model = learn(one, task())
    choice = model.said.choices["s0"]
    assert (choice.chosen, choice.skill(choice.chosen)) == ("last", 0.0)
    line = next(line for line in issue(model, one, one.time(one.columns)) if line.stream == "s0")
    assert set(line.middle) == set(line.lower) == set(line.upper) == {7.0}


def test_gaps_are_not_forecast_from_and_not_judged() -> None:
    one = panel(streams=3)
    one.values[0, 300:500] = np.nan
    one.values[1, 200:] = np.nan  # fell silent long ago
    one.values[2, :-40] = np.nan  # has just begun
    model = learn(one, task())
    assert model.said.streams == ["s0"]
    assert set(model.said.choices) == {"s0"}
    now = one.time(one.columns)
    assert [line.stream for line in issue(model, one, now)] == ["s0"]
    one.values[:, -30:] = np.nan
    assert issue(model, one, now) == []


@pytest.mark.parametrize("days", [0, 3, 13])
def test_too_short_a_history_is_told(days: int) -> None:
    one = panel(days=20)
    one.values[:, days * 24 :] = np.nan
    with pytest.raises(InvalidInput, match="too little to learn from"):
        learn(one, task())


def test_three_weeks_are_learned_from_by_simple_candidates_alone() -> None:
    model = learn(panel(days=24), task())
    assert (model.said.note, model.texts) == ("short", {})
    assert all(BOOSTED not in choice.scores for choice in model.said.choices.values())


def test_without_the_library_simple_candidates_serve_and_say_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    one = sunny()
    learned = learn(one, task())
    assert learned.said.choices["s0"].chosen == BOOSTED
    monkeypatch.setattr(boosting, "is_there", lambda: False)
    assert learn(one, task()).said.note == "no-library"
    # One that was learned elsewhere falls back, too.
    monkeypatch.setattr("allmende.knowledge.forecasts.model.is_there", lambda: False)
    line = issue(learned, one, one.time(one.columns))[0]
    assert (line.candidate, line.reason) == (learned.said.choices["s0"].fallback, "library")


def test_a_stale_model_falls_back_and_says_so() -> None:
    one = sunny()
    model, now = learn(one, task()), one.time(one.columns)
    fresh, stale = (issue(model, one, now, stale=old)[0] for old in (False, True))
    assert (fresh.candidate, fresh.reason) == (BOOSTED, "")
    assert (stale.candidate, stale.reason) == (model.said.choices["s0"].fallback, "stale")
    assert fresh.middle != stale.middle
    assert fresh.naive == stale.naive


def test_a_run_tells_the_future_alone_and_knows_the_past_alone() -> None:
    one = panel()
    model = learn(one, task())
    late = 3  # the newest values are three hours old
    one.values[:, -late:] = np.nan
    now = one.time(one.columns) + HOUR // 2
    line = issue(model, one, now, least=(1, 50))[0]
    assert line.times[0] > now
    assert line.times[-1] == one.time(one.columns - 1 - late) + 24 * HOUR
    assert len(line.times) == len(line.middle) == len(line.tails) == 24 - late - 1
    assert all(sure >= many for sure, many in line.tails)
    assert all(float(value).is_integer() for value in line.middle)


def test_streams_may_come_and_go() -> None:
    one = panel(streams=3)
    model = learn(one, task())
    fewer = msgspec.structs.replace(
        one, streams=["other", "s2"], values=one.values[1:], low=one.low[1:], high=one.high[1:], whole=one.whole[1:],
        facts=one.facts[1:],
    )  # fmt: skip
    assert [line.stream for line in issue(model, fewer, one.time(one.columns))] == ["s2"]


def test_what_came_is_counted_by_how_far_ahead_it_was() -> None:
    middle, naive = [10.0, 20.0, 30.0, 40.0, 50.0], [0.0, None, 0.0, 0.0, 0.0]
    found = hits.judge([12.0, 20.0, None, 49.0, 50.0], middle, [9.0] * 5, [45.0] * 5, naive, steps=6)
    assert [one.count for one in found] == [1, 0, 2]
    assert (found[0].error, found[0].reference, found[0].held) == (2.0, 12.0, 1)
    assert (found[2].error, found[2].reference, found[2].held) == (9.0, 99.0, 0)
    total = hits.rate(found)
    assert (total.count, total.skill) == (3, pytest.approx(1 - 11 / 111))
    assert total.shown  # too little is known to say otherwise
    worse = hits.rate([hits.Tally(count=hits.ENOUGH, error=5.0, reference=4.0, held=1)])
    assert not worse.shown
    assert not hits.rate([hits.Tally(count=hits.ENOUGH, error=0.0, reference=0.0)]).shown
    assert hits.rate([]).shown


def test_an_interval_follows_its_own_hits() -> None:
    """Whatever the errors do, in the long run it holds what it is to hold."""
    share, chance, held = 0.8, np.random.default_rng(7), []
    for _ in range(2_000):
        off = abs(chance.normal(0, 1.3))  # more than the back-test knew
        inside = int(off <= NormalDist().inv_cdf((1 + share) / 2))
        held.append(inside)
        share = hits.followed(share, 0.8, [hits.Tally(count=1, held=inside)])
        assert 0.8 <= share <= 0.98
    assert np.mean(held[200:]) == pytest.approx(0.8, abs=0.02)
    assert hits.followed(0.9, 0.8, []) == 0.9


def test_an_interval_that_holds_more_becomes_narrower_where_the_hours_count() -> None:
    much = [hits.Tally(count=10, held=10)]
    assert hits.followed(0.8, 0.8, much) == 0.8
    share = 0.8
    for _ in range(100):
        share = hits.followed(share, 0.8, much, all_day=False)
    assert share == pytest.approx(0.7)
    assert hits.followed(share, 0.8, [hits.Tally(count=10, held=2)], all_day=False) == pytest.approx(0.712)

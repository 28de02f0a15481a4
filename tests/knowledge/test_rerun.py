"""The past of a rule anew: nothing is seen of it before it is whole, and what comes meanwhile is not lost."""

import pytest

from allmende.domain.errors import InvalidInput, LimitExceeded
from allmende.domain.store import Store
from allmende.domain.times import DAY, HOUR, MINUTE
from allmende.knowledge.evaluate import Limits
from allmende.knowledge.follow import Overtaken
from allmende.knowledge.rerun import run_again, work_out
from tests.knowledge.test_follow import CHAIN
from tests.knowledge.town import NOW, Clock, follow, readings, ready, send, settle
from tests.storage.conftest import store as store
from tests.support import HOUSE

TRIPLED = CHAIN.replace("level * 2", "level * 3").replace("version = 1", "version = 2", 1)
ALL = (NOW - DAY, NOW + DAY)


def again(store: Store, rules: str, name: str, span: tuple[int, int] = ALL, *, clock: Clock, most: int = 1_000, **more):
    rule = next(rule for rule in ready(rules) if rule.id == name)
    return run_again(store, HOUSE, rule, *span, clock, Limits(), most=most, **more)


def test_a_changed_rule_gives_another_past_and_others_follow(store: Store) -> None:
    clock = Clock(NOW + 2 * HOUR)
    follower = follow(store, ready(CHAIN), Clock(NOW))
    send(store, "a~level", {NOW: 3, NOW + MINUTE: 5})
    settle(follower)
    settle(follow(store, ready(CHAIN), clock))
    assert readings(store, "a~mean") == {NOW: 8}

    receipt = again(store, TRIPLED, "doubled", clock=clock)
    assert (receipt.accepted, receipt.corrected) == (0, 2)
    assert readings(store, "a~level~twice") == {NOW: 9, NOW + MINUTE: 15}
    newest = store.changes(store.newest_change() - 1, 1)[0]
    assert newest.origin == "rerun/doubled"
    follower = follow(store, ready(TRIPLED), clock)
    settle(follower)
    assert readings(store, "a~mean") == {NOW: 12}
    origins = {line.stream: line.origin for line in store.changes(0, 500)}
    assert origins["a~mean"] == "rerun/hourly", "what a re-run made necessary alarms nobody either"


def test_the_past_before_the_first_day_of_a_rule(store: Store) -> None:
    send(store, "a~level", {NOW + n * 10 * MINUTE: n for n in range(1, 20)})
    clock = Clock(NOW + DAY)
    settle(follow(store, ready(CHAIN), clock))
    assert readings(store, "a~level~twice") == {}, "a new rule begins with what comes"
    again(store, CHAIN, "doubled", (NOW, NOW + 2 * HOUR), clock=clock)
    assert len(readings(store, "a~level~twice")) == 11
    assert again(store, CHAIN, "doubled", (NOW, NOW + 2 * HOUR), clock=clock).repeated == 11


def test_what_comes_meanwhile_wins(store: Store) -> None:
    clock = Clock(NOW + 2 * HOUR)
    follower = follow(store, ready(CHAIN), clock)
    send(store, "a~level", {NOW: 3, NOW + HOUR: 4})
    settle(follower)

    def correct(_: int) -> None:  # behind the look of the re-run, and before its swap
        send(store, "a~level", {NOW: 7})
        settle(follower)

    again(store, TRIPLED, "doubled", clock=clock, tell=correct)
    settle(follow(store, ready(TRIPLED), clock))
    assert readings(store, "a~level~twice") == {NOW: 21, NOW + HOUR: 12}


def test_a_step_that_was_overtaken_writes_nothing(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    follower = follow(store, ready(CHAIN), clock)
    send(store, "a~level", {NOW: 3})
    settle(follower)
    send(store, "a~level", {NOW: 4})
    real = store.together

    def together(work):
        monkeypatch.undo()
        again(store, TRIPLED, "doubled", clock=clock)
        store.set_cursor("rules", 0)
        return real(work)

    monkeypatch.setattr(store, "together", together)
    with pytest.raises(Overtaken):
        follower.step()
    assert readings(store, "a~level~twice") == {NOW: 12}
    settle(follow(store, ready(TRIPLED), clock))
    assert readings(store, "a~level~twice") == {NOW: 12}


def test_a_run_that_is_too_large_or_empty_changes_nothing(store: Store) -> None:
    clock = Clock(NOW + DAY)
    send(store, "a~level", {NOW + n * MINUTE: n for n in range(20)})
    with pytest.raises(LimitExceeded):
        again(store, CHAIN, "doubled", clock=clock, most=10)
    with pytest.raises(InvalidInput, match="empty"):
        again(store, CHAIN, "doubled", (NOW, NOW), clock=clock)
    assert readings(store, "a~level~twice") == {}


def test_a_preview_stores_nothing(store: Store) -> None:
    send(store, "a~level", {NOW: 3})
    newest = store.newest_change()
    rule = ready(CHAIN)[0]
    (piece,) = [p for p in work_out(store, HOUSE, rule, NOW, NOW + DAY, Limits(), most=100) if p.outcome.times]
    assert piece.outcome.values == {"twice": [6]}
    assert store.newest_change() == newest
    with pytest.raises(InvalidInput, match="no group"):
        list(work_out(store, HOUSE, rule, NOW, NOW + DAY, Limits(), group="x", most=100))


def test_other_windows_leave_nothing_of_the_old_ones(store: Store) -> None:
    clock = Clock(NOW + 3 * DAY)
    send(store, "a~level", {NOW + n * HOUR: n for n in range(48)})
    direct = CHAIN.replace('rule = "doubled.twice"', 'property = "level"')
    settle(follow(store, ready(direct), Clock(NOW - HOUR)))
    again(store, direct, "hourly", (NOW - DAY, NOW + 3 * DAY), clock=clock)
    settle(follow(store, ready(direct), clock))
    assert len(readings(store, "a~mean")) == 48
    daily = direct.replace('every = "PT1H"', 'every = "P1D"')
    settle(follow(store, ready(daily), clock))
    again(store, daily, "hourly", (NOW - DAY, NOW + 3 * DAY), clock=clock)
    midnight = NOW - 2 * HOUR
    assert sorted(readings(store, "a~mean")) == [midnight, midnight + DAY, midnight + 2 * DAY]


def test_a_group_that_the_rule_has_no_more_loses_its_values(store: Store) -> None:
    clock = Clock(NOW + HOUR)
    follower = follow(store, ready(CHAIN), clock)
    send(store, "a~level", {NOW: 3, NOW + MINUTE: 5})
    send(store, "b~level", {NOW: 4}, properties={"kind": "gauge"})
    settle(follower)
    gauges = CHAIN.replace('property = "level"\n[', 'property = "level"\nthing = { kind = "gauge" }\n[', 1)
    receipt = again(store, gauges, "doubled", clock=clock)
    assert (receipt.gone, receipt.repeated) == (2, 1)
    assert readings(store, "a~level~twice") == {}
    assert readings(store, "b~level~twice") == {NOW: 8}


def test_a_long_past_is_swapped_in_at_once_and_what_is_the_same_is_not_written(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock(NOW + 10 * DAY)
    follower = follow(store, ready(CHAIN), clock)
    send(store, "a~level", {NOW + n * MINUTE: n for n in range(5_000)})
    settle(follower)
    swaps, seen = [], []
    real = store.together

    def together(work):
        def counted():
            swaps.append(store.newest_change())
            done = work()
            seen.append(len(readings(store, "a~level~twice")))
            return done

        return real(counted)

    monkeypatch.setattr(store, "together", together)
    changed = CHAIN.replace("if level < 0 then missing", "if level >= 4500 then missing")
    receipt = again(store, changed, "doubled", (NOW, NOW + 10 * DAY), clock=clock, most=5_000)
    assert (receipt.gone, receipt.repeated, receipt.corrected) == (500, 4_500, 0)
    assert seen == [4_500]
    lines = store.changes(swaps[0], 500)
    assert {line.kind for line in lines} == {"deletion"}
    assert sum(line.count for line in lines) == 500

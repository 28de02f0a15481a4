"""Derived streams follow their inputs, whatever comes, in whichever order."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from allmende.domain.batch import Removal
from allmende.domain.query import Compare, Path, Query, Step, Value
from allmende.domain.retention import Retention, parse_retention
from allmende.domain.store import Store
from allmende.domain.times import HOUR, MINUTE
from allmende.knowledge.evaluate import Limits, evaluate
from allmende.knowledge.follow import Follower
from allmende.knowledge.groups import find_groups
from allmende.knowledge.write import output_stream
from allmende.storage.retention import RetentionWork
from tests.knowledge.town import NOW, Clock, doubled, follow, readings, ready, send, settle
from tests.storage.conftest import store as store
from tests.support import DATASETS, ENGINES, HOUSE

CHAIN = (
    doubled("parking", "level", expression="if level < 0 then missing else level * 2")
    + """
[rules.hourly]
version = 1
title = { de = "Stündlich", en = "Hourly" }
dataset = "parking"
by = "thing"
window = { every = "PT1H" }
[rules.hourly.inputs.twice]
rule = "doubled.twice"
take = "readings"
[rules.hourly.outputs.mean]
property = { id = "mean", name = { de = "Mittel", en = "Mean" } }
expression = "mean(twice)"
[rules.hourly.outputs.count]
property = { id = "number", name = { de = "Anzahl", en = "Number" } }
type = "count"
missing = "null"
expression = "count(twice)"

[rules.together]
version = 1
title = { de = "Zusammen", en = "Together" }
dataset = "parking"
by = "all"
thing = { id = "town", name = "Town", lon = 11.58, lat = 50.92 }
[rules.together.inputs.level]
property = "level"
age = "PT40M"
[rules.together.outputs.sum]
property = { id = "sum", name = { de = "Summe", en = "Sum" } }
expression = "sum(level) + 0 * percentile(level, 50)"
"""
)


def test_a_value_is_derived_corrected_and_taken_back(store: Store) -> None:
    follower = follow(store, ready(CHAIN))
    send(store, "a~level", {NOW: 3, NOW + 1: 4})
    settle(follower)
    assert readings(store, "a~level~twice") == {NOW: 6, NOW + 1: 8}

    send(store, "a~level", {NOW: 5, NOW + 1: -1})
    settle(follower)
    assert readings(store, "a~level~twice") == {NOW: 10}, "a value that is missing now is gone, not zero"

    _remove(store, "a~level", NOW)
    settle(follower)
    assert readings(store, "a~level~twice") == {}


def test_what_goes_by_its_age_takes_nothing_derived_along(store: Store) -> None:
    follower = follow(store, ready(CHAIN))
    send(store, "a~level", {NOW: 3, NOW + 1: 4})
    settle(follower)
    rules = parse_retention({"levels": {"stream": "a~level", "keep": "latest"}})
    work = RetentionWork(store._connections, store._engine, Retention(rules, "UTC"))  # type: ignore[attr-defined]
    assert [work.apply(found, NOW).gone for found in work.streams() if found.rule] == [1]
    settle(follower)
    assert readings(store, "a~level") == {NOW + 1: 4}
    assert readings(store, "a~level~twice") == {NOW: 6, NOW + 1: 8}


def test_windows_are_told_once_they_are_over(store: Store) -> None:
    clock = Clock()
    follower = follow(store, ready(CHAIN), clock)
    send(store, "a~level", {NOW: 3, NOW + MINUTE: 5})
    settle(follower)
    assert readings(store, "a~mean") == {}
    clock.now = NOW + HOUR
    settle(follower)
    assert readings(store, "a~mean") == {NOW: 8}
    send(store, "a~level", {NOW + 2 * MINUTE: 7})  # late
    settle(follower)
    assert readings(store, "a~mean") == {NOW: 10}
    clock.now = NOW + 3 * HOUR
    settle(follower)
    assert readings(store, "a~mean") == {NOW: 10}, "there is nothing to say of hours without a reading"
    assert readings(store, "a~count") == {NOW: 3, NOW + HOUR: 0, NOW + 2 * HOUR: 0}


def test_what_comes_behind_what_retention_left_changes_nothing(store: Store) -> None:
    clock = Clock()
    rules = ready(CHAIN)
    follower = follow(store, rules, clock)
    send(store, "a~level", {NOW: 3, NOW + MINUTE: 5, NOW + HOUR: 1})
    clock.now = NOW + 3 * HOUR
    settle(follower)
    assert readings(store, "a~mean") == {NOW: 8, NOW + HOUR: 2}
    _remove(store, "a~level", NOW + MINUTE)  # as if it had gone by its age
    store.set_cursor("rules", store.newest_change())
    edges = {"a~level": NOW + HOUR, "a~level~twice": NOW + HOUR}
    follower = Follower(store, rules, HOUSE, clock, edges=lambda _: edges)
    follower.begin()
    send(store, "a~level", {NOW + 2 * MINUTE: 100, NOW + HOUR + MINUTE: 3})  # late
    settle(follower)
    assert readings(store, "a~mean") == {NOW: 8, NOW + HOUR: 4}, "of the first hour nobody knows all any more"
    assert readings(store, "a~level~twice")[NOW + 2 * MINUTE] == 200, "made of that one reading alone"
    assert NOW + 2 * MINUTE not in readings(store, "town~sum")


def test_lineage_is_told_by_the_stream(store: Store) -> None:
    follower = follow(store, ready(CHAIN))
    send(store, "a~level", {NOW: 3})
    settle(follower)
    page = store.find(Query(entity="Datastream", reader=HOUSE, id="a~level~twice", select=("properties",)))
    text = page.rows[0][2]
    assert '"rule":"doubled"' in text
    assert '"inputs":["a~level"]' in text
    assert '"version":"1+' in text


def test_what_is_worked_out_again_is_no_event(store: Store) -> None:
    follower = follow(store, ready(CHAIN))
    send(store, "a~level", {NOW: 3})
    settle(follower)
    newest = store.newest_change()
    store.set_cursor("rules", 0)
    settle(follow(store, ready(CHAIN)))
    assert store.newest_change() == newest


def test_more_readings_than_fit_are_taken_in_pieces(store: Store) -> None:
    clock = Clock()
    follower = Follower(store, ready(CHAIN), HOUSE, clock, limits=Limits(readings=70))
    follower.begin()
    told = {NOW + n * MINUTE: n for n in range(600)}
    send(store, "a~level", told)
    clock.now = NOW + 10 * HOUR
    settle(follower)
    assert readings(store, "a~level~twice") == {time: 2 * n for time, n in told.items()}
    assert readings(store, "a~count") == {NOW + hour * HOUR: 60 for hour in range(10)}
    follower = Follower(store, ready(CHAIN), HOUSE, clock, limits=Limits(readings=30))
    send(store, "a~level", {NOW + 5: 1})
    failed = follower.step().failed | follower.step().failed
    assert "ALLMENDE_RULE_READINGS" in failed["hourly"], "an hour has more than 30"


def test_a_rule_takes_over_no_stream_of_others(store: Store) -> None:
    follower = follow(store, ready(CHAIN))
    send(store, "a~level~twice", {NOW: 1}, observed="other")
    send(store, "a~level", {NOW: 3})
    send(store, "b~level", {NOW: 3})
    progress = follower.step()
    assert "is there already" in progress.failed["doubled"]
    assert readings(store, "a~level~twice") == {NOW: 1}
    assert readings(store, "b~level~twice") == {NOW: 6}, "its other groups go on"


def test_a_stream_whose_creation_was_seen_late_is_followed(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """On PostgreSQL a line of a log may become visible behind a higher one."""
    follower = follow(store, ready(CHAIN))
    send(store, "a~level", {NOW: 3})
    settle(follower)
    send(store, "b~level", {NOW: 4})
    newest = store.newest_entity_change()
    monkeypatch.setattr(store, "entity_changes", lambda after, limit: [])
    monkeypatch.setattr(store, "newest_entity_change", lambda: newest)
    follower.step()
    assert readings(store, "b~level~twice") == {NOW: 8}


def test_a_thing_that_changes_its_kind_changes_its_rules(store: Store) -> None:
    rules = ready(CHAIN.replace('property = "level"\n[', 'property = "level"\nthing = { kind = "gauge" }\n[', 1))
    follower = follow(store, rules)
    send(store, "a~level", {NOW: 3})
    settle(follower)
    assert readings(store, "a~level~twice") == {}
    send(store, "a~level", {NOW + 1: 4}, properties={"kind": "gauge"})
    settle(follower)
    assert readings(store, "a~level~twice") == {NOW + 1: 8}


def test_the_clock_is_kept_over_a_restart(store: Store) -> None:
    clock = Clock()
    send(store, "a~level", {NOW: 1})
    follow(store, ready(CHAIN), clock).step()
    clock.now = NOW + 30 * MINUTE
    send(store, "a~level", {NOW + 10 * MINUTE: 4})
    settle(follow(store, ready(CHAIN), clock))
    clock.now = NOW + 2 * HOUR
    settle(follow(store, ready(CHAIN), clock))
    assert readings(store, "a~mean") == {NOW: 8}


def test_windows_wait_for_the_rules_that_they_read(store: Store) -> None:
    clock = Clock()
    send(store, "a~level", {NOW: 1})
    follow(store, ready(CHAIN), clock).step()
    for n in range(3):
        send(store, "a~level", {NOW + n * HOUR + MINUTE: 4 + n})
    clock.now = NOW + 3 * HOUR
    settle(follow(store, ready(CHAIN), clock))
    assert readings(store, "a~mean") == {NOW: 8, NOW + HOUR: 10, NOW + 2 * HOUR: 12}
    kinds = [line.kind for line in store.changes(0, 500) if line.stream in ("a~mean", "a~count")]
    assert set(kinds) == {"append"}, "nothing was said before its time and corrected"


def test_windows_of_chained_rules_are_told_while_readings_never_cease(store: Store) -> None:
    clock = Clock()
    follower = follow(store, ready(CHAIN), clock)
    for second in range(0, 3 * 3600, 600):
        clock.now = NOW + second * 1_000_000
        send(store, "a~level", {clock.now: 2}, at=clock.now)
        follower.step()
    assert readings(store, "a~count").get(NOW) == 6
    assert NOW + HOUR in readings(store, "a~mean")


HELD = """
[rules.held]
version = 1
title = { de = "Gehalten", en = "Held" }
dataset = "parking"
by = "all"
thing = { id = "town", name = "Town" }
window = { every = "PT10M" }
[rules.held.inputs.lamp]
streams = ["lamp~aspect"]
take = "readings"
hold = "PT5M"
[rules.held.inputs.level]
streams = ["a~level"]
take = "readings"
[rules.held.outputs.seen]
property = { id = "seen", name = { de = "Gesehen", en = "Seen" } }
type = "count"
expression = "countif(at(lamp, level) = 1)"
"""


def test_what_is_held_reaches_to_the_end_of_the_next_window(store: Store) -> None:
    clock = Clock()
    send(store, "lamp~aspect", {NOW: 0})
    send(store, "a~level", {NOW: 0})
    follower = follow(store, ready(HELD), clock)
    send(store, "a~level", {NOW + 12 * MINUTE: 3})
    clock.now = NOW + HOUR
    settle(follower)
    assert readings(store, "town~seen")[NOW + 10 * MINUTE] == 0
    send(store, "lamp~aspect", {NOW + 8 * MINUTE: 1})  # late: it holds until 13 minutes past
    settle(follower)
    assert readings(store, "town~seen")[NOW + 10 * MINUTE] == 1


def test_of_a_forecast_the_newest_run_counts(store: Store) -> None:
    clock = Clock()
    follower = follow(store, ready(CHAIN.replace('rule = "doubled.twice"', 'property = "level"')), clock)
    told = {NOW + n * MINUTE: n for n in range(4)}
    for run in range(3):
        values = {time: value + 10 * run for time, value in told.items()}
        send(store, "a~level", values, run=NOW - (3 - run) * HOUR)
    clock.now = NOW + HOUR
    settle(follower)
    assert readings(store, "a~count") == {NOW: 4}, "not four of each run"
    assert readings(store, "a~mean") == {NOW: 21.5}
    assert readings(store, "a~level~twice") == {time: 2 * (value + 20) for time, value in told.items()}


def _remove(store: Store, stream: str, time: int) -> None:
    target = Query(
        entity="Observation",
        reader=HOUSE,
        path=(Step("Datastream", stream, "Observations"),),
        filter=Compare("eq", Path(("phenomenonTime",)), Value(time, "instant")),
    )
    store.remove(Removal(target=target, origin="client", received_at=NOW))


SENSORS = ("a~level", "b~level", "b~level-2")
_MOMENTS = st.integers(0, 16).map(lambda step: NOW + step * 15 * MINUTE)
_READINGS = st.dictionaries(_MOMENTS, st.one_of(st.none(), st.integers(-2, 9), st.floats(0, 9)), min_size=1, max_size=4)
_ACTIONS = st.lists(
    st.one_of(
        st.tuples(st.just("send"), st.sampled_from(SENSORS), _READINGS),
        st.tuples(st.just("remove"), st.sampled_from(SENSORS), _MOMENTS),
        st.tuples(st.just("forget"), st.sampled_from(SENSORS)),
        st.tuples(st.just("step")),
        st.tuples(st.just("crash")),
        st.tuples(st.just("restart")),
        st.tuples(st.just("later"), st.integers(1, 120)),
    ),
    max_size=14,
)


@pytest.mark.parametrize("engine", sorted(ENGINES))
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(actions=_ACTIONS)
def test_following_comes_to_the_same_as_evaluating_all(engine, tmp_path_factory, actions) -> None:
    store = ENGINES[engine](tmp_path_factory.mktemp("store"))
    store.put_datasets(DATASETS)
    clock = Clock()
    rules = ready(CHAIN)
    follower = follow(store, rules, clock)
    for action, *told in actions:
        if action == "send":
            send(store, told[0], told[1])
        elif action == "remove":
            _remove_if_there(store, *told)
        elif action == "forget":
            target = Query(
                entity="Datastream", reader=HOUSE, filter=Compare("eq", Path(("id",)), Value(told[0], "string"))
            )
            store.remove(Removal(target=target, origin="client", received_at=NOW))
        elif action == "step":
            follower.step()
        elif action == "crash":
            _crash(store, follower)
            follower = follow(store, rules, clock)
        elif action == "restart":
            follower = follow(store, rules, clock)
        else:
            clock.now += told[0] * MINUTE
    settle(follower)
    _compare(store, rules, clock)


def _remove_if_there(store: Store, stream: str, time: int) -> None:
    if time in readings(store, stream):
        _remove(store, stream, time)


class Killed(BaseException):
    """The process ends here."""


def _crash(store: Store, follower) -> None:
    """End a step just before its transaction is committed."""
    real = store.together

    def together(work):
        def killed():
            work()
            raise Killed

        return real(killed)

    store.together = together  # type: ignore[method-assign]
    try:
        follower.step()
    except Killed:
        pass
    finally:
        del store.together  # type: ignore[method-assign]


def _compare(store: Store, rules, clock: Clock) -> None:
    for rule in rules:
        done = store.cursor(f"time:{rule.id}") if rule.grid else NOW + 100 * HOUR
        expected: dict[str, dict[int, object]] = {}
        for group in find_groups(store, HOUSE, rule).groups.values():
            outcome = evaluate(store, HOUSE, rule, group, NOW - HOUR + 1, done, Limits())
            for name, values in outcome.values.items():
                null = rule.profile.outputs[name].missing == "null"
                pairs = zip(outcome.times, values, strict=True)
                expected[output_stream(rule, group, name)] = {t: v for t, v in pairs if v is not None or null}
        kept = {stream: readings(store, stream) for stream in _derived(store, rule.id)}
        assert _telling(kept) == _telling(expected)


def _telling(streams: dict[str, dict[int, object]]) -> dict[str, dict[int, object]]:
    """Without windows of which it is told that nothing came: that is told while there is somebody who could send."""
    said = {name: {t: v for t, v in values.items() if v or "~count" not in name} for name, values in streams.items()}
    return {name: values for name, values in said.items() if values}


def _derived(store: Store, rule: str) -> list[str]:
    which = Compare("eq", Path(("properties", "rule")), Value(rule, "string"))
    return [row[1] for row in store.find(Query(entity="Datastream", reader=HOUSE, filter=which, top=1000)).rows]

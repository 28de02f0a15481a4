"""How a number was made: exactly the readings that it was made of, and where each came from."""

from allmende.domain.policy import ANONYMOUS
from allmende.domain.store import Store
from allmende.domain.times import HOUR, MINUTE
from allmende.knowledge.evaluate import Limits
from allmende.knowledge.explain import explain
from allmende.knowledge.groups import find_groups
from allmende.knowledge.prepare import Rule
from tests.knowledge.test_closed import PEOPLE
from tests.knowledge.test_follow import CHAIN, HELD
from tests.knowledge.town import NOW, Clock, follow, readings, ready, send, settle
from tests.storage.conftest import store as store
from tests.support import HOUSE


def told(store: Store, rule: Rule, group: str, stamp: int):
    found = find_groups(store, HOUSE, rule).groups[group]
    return explain(store, HOUSE, rule, found, stamp, Limits())


def test_the_readings_of_a_window_and_what_became_of_them(store: Store) -> None:
    clock = Clock()
    rules = {rule.id: rule for rule in ready(CHAIN)}
    follower = follow(store, rules.values(), clock)
    send(store, "a~level", {NOW - MINUTE: 9, NOW: 3, NOW + MINUTE: 5, NOW + HOUR: 9})
    settle(follower)
    clock.now = NOW + HOUR
    settle(follower)
    found = told(store, rules["hourly"], "a", NOW)
    assert (found.start, found.end) == (NOW, NOW + HOUR)
    assert [(one.stream, one.time, one.value) for one in found.inputs["twice"]] == [
        ("a~level~twice", NOW, 6),
        ("a~level~twice", NOW + MINUTE, 10),
    ]
    assert found.outputs == {"mean": 8, "count": 2}
    assert found.outputs["mean"] == readings(store, "a~mean")[NOW]
    assert told(store, rules["doubled"], "a~level", NOW + 1) is None, "there is no reading at that time"
    assert told(store, rules["doubled"], "a~level", NOW).outputs == {"twice": 6}


def test_what_held_before_the_window_is_named(store: Store) -> None:
    send(store, "lamp~aspect", {NOW - 20 * MINUTE: 0, NOW - 2 * MINUTE: 1, NOW + 9 * MINUTE: 0})
    send(store, "a~level", {NOW + 2 * MINUTE: 3})
    (rule,) = ready(HELD)
    found = told(store, rule, "all", NOW)
    assert [one.time - NOW for one in found.inputs["lamp"]] == [-2 * MINUTE, 9 * MINUTE]
    assert found.outputs == {"seen": 1}


def test_a_reading_says_where_it_came_from(store: Store) -> None:
    follower = follow(store, ready(CHAIN))
    send(store, "a~level", {NOW: 3}, at=NOW + 7)
    settle(follower)
    send(store, "a~level", {NOW: 4}, at=NOW + 8)
    settle(follower)
    (raw,) = store.traces(ANONYMOUS, "a~level", NOW, NOW + 1, 10)
    assert (raw.result, raw.origin, raw.received_at, raw.corrections) == (4, "feed", NOW + 8, 1)
    (derived,) = store.traces(ANONYMOUS, "a~level~twice", NOW, NOW + 1, 10)
    assert (derived.result, derived.origin, derived.corrections) == (8, "rule/doubled", 1)
    assert derived.version == ready(CHAIN)[0].edition
    assert store.traces(ANONYMOUS, "a~level", NOW, NOW + 1, 0) == []


def test_what_a_reader_may_not_see_is_not_traced(store: Store) -> None:
    send(store, "s~level", {NOW: 3}, dataset="hidden")
    assert store.traces(ANONYMOUS, "s~level", NOW, NOW + 1, 10) == []
    assert len(store.traces(HOUSE, "s~level", NOW, NOW + 1, 10)) == 1


def test_few_people_are_not_told_of_by_the_way(store: Store) -> None:
    steps = '[rules.people.steps]\nall = "sum(passed)"\n[rules.people.inputs.passed]'
    (rule,) = ready(PEOPLE.replace("[rules.people.inputs.passed]", steps))
    send(store, "a~people", {NOW: 2}, observed="people", dataset="hidden")
    found = told(store, rule, "a", NOW)
    assert (found.outputs, found.steps) == ({"sum": None}, {})

"""What is derived tells no more than may be told: of closed datasets, and of people who are counted."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allmende.domain.errors import InvalidInput
from allmende.domain.policy import ANONYMOUS
from allmende.domain.profile_checks import ProfileError
from allmende.domain.query import Query
from allmende.domain.rules import SuppressProfile
from allmende.domain.store import Store
from allmende.domain.times import HOUR, MINUTE
from allmende.knowledge.evaluate import Limits
from allmende.knowledge.prepare import prepare_rules
from allmende.knowledge.rerun import run_again
from allmende.knowledge.write import suppressed
from tests.knowledge.town import NOW, Clock, doubled, follow, profile, readings, ready, send, settle
from tests.storage.conftest import store as store
from tests.support import HOUSE

DOUBLED = doubled("parking", "level")
OPENED = DOUBLED.replace('by = "stream"', 'by = "stream"\nopens = { hidden = "the level alone tells of nobody" }')
PEOPLE = """
[rules.people]
version = 1
title = { de = "Leute", en = "People" }
dataset = "parking"
by = "thing"
window = { every = "PT1H", grace = "PT10M" }
opens = { hidden = "few are not told of, all others are rounded" }
suppress = { below = 5 }
[rules.people.inputs.passed]
property = "people"
take = "readings"
[rules.people.outputs.sum]
type = "count"
property = { id = "people-per-hour", name = { de = "Leute", en = "People" } }
expression = "sum(passed)"
"""


def test_a_rule_reads_nothing_that_it_may_not_tell_of(store: Store) -> None:
    send(store, "a~level", {NOW: 3}, dataset="hidden")
    send(store, "b~level", {NOW: 4})
    follower = follow(store, ready(DOUBLED))
    send(store, "a~level", {NOW + 1: 3}, dataset="hidden")
    send(store, "b~level", {NOW + 1: 4})
    settle(follower)
    assert readings(store, "b~level~twice") == {NOW + 1: 8}
    assert not _stream(store, "a~level~twice")
    (problem,) = follower.problems
    assert "1 streams of level are of closed datasets that `opens` does not name" in problem


def test_what_it_opens_with_a_reason_it_reads(store: Store) -> None:
    follower = follow(store, ready(OPENED))
    send(store, "a~level", {NOW: 3}, dataset="hidden")
    settle(follower)
    assert readings(store, "a~level~twice") == {NOW: 6}
    assert follower.problems == []


def test_of_its_own_closed_dataset_it_reads_anything(store: Store) -> None:
    follower = follow(store, ready(DOUBLED.replace('"parking"', '"hidden"')))
    send(store, "a~level", {NOW: 3}, dataset="hidden")
    send(store, "b~level", {NOW: 4})
    settle(follower)
    assert readings(store, "a~level~twice") == {NOW: 6}
    assert readings(store, "b~level~twice") == {NOW: 8}


def test_what_another_rule_gives_to_a_closed_dataset_is_closed_too() -> None:
    again = DOUBLED.replace("doubled", "again").replace('property = "level"', 'rule = "doubled.twice"')
    chain = DOUBLED.replace('"parking"', '"hidden"') + again.replace("twice]", "four]").replace('"twice"', '"four"')
    chain = chain.replace("outputs.four]\nproperty", "outputs.four]\nproperty")
    prepared = prepare_rules(profile(chain))
    assert list(prepared.problems) == ["again"]
    assert "which is not open" in prepared.problems["again"]


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (OPENED.replace("hidden =", "parking ="), "no dataset that is not open"),
        (OPENED.replace("the level alone tells of nobody", "because"), "says why"),
        (OPENED.replace("hidden =", "footfall ="), "say suppress.below"),
        (PEOPLE.replace("hidden =", "footfall =").replace("below = 5", "below = 4"), "fewer than 5"),
        (PEOPLE.replace("below = 5", "below = 1"), "below"),
        (PEOPLE.replace("below = 5", "below = 5, nearest = 6"), "nearest"),
        (PEOPLE.replace('every = "PT1H"', 'every = "PT1H", length = "PT2H"'), "windows do not overlap"),
        (PEOPLE.replace('window = { every = "PT1H", grace = "PT10M" }', 'window = { length = "PT1H" }'), "overlap"),
        (PEOPLE.replace('type = "count"', 'type = "measurement"'), "one of the type"),
        (PEOPLE + PEOPLE[PEOPLE.index("[rules.people.outputs") :].replace("sum]", "again]"), "one of the type"),
        (PEOPLE.replace('"sum(passed)"', '"sum(passed) * 10"'), "the count itself"),
        (PEOPLE.replace('"sum(passed)"', '"mean(passed) + 4"'), "the count itself"),
        (PEOPLE.replace('"sum(passed)"', '"more"') + '[rules.people.steps]\nmore = "sum(passed) * 9"\n', "itself"),
        (PEOPLE + '[rules.people.inputs.other]\nproperty = "level"\ntake = "readings"\n', "the count of people"),
    ],
)
def test_what_would_tell_too_much_is_refused(rule: str, words: str) -> None:
    assert words in _problem(rule)


def test_people_are_told_of_in_one_table_alone() -> None:
    second = PEOPLE.replace("rules.people", "rules.daily").replace("PT1H", "P1D").replace("per-hour", "per-day")
    prepared = prepare_rules(profile(PEOPLE + second))
    assert list(prepared.problems) == ["daily"]
    assert "tells of the same people already" in prepared.problems["daily"]
    summed = second.replace('property = "people"', 'rule = "people.sum"').replace("suppress = { below = 5 }\n", "")
    assert prepare_rules(profile(PEOPLE + summed)).problems == {}


COPY = """
[rules.copy]
version = 1
title = { de = "Abschrift", en = "Copy" }
dataset = "hidden"
by = "stream"
[rules.copy.inputs.passed]
property = "people"
[rules.copy.outputs.same]
type = "count"
property = { id = "copied", name = { de = "Leute", en = "People" } }
expression = "passed"
"""


def test_a_copy_of_the_counts_is_told_of_no_second_time() -> None:
    again = PEOPLE.replace("rules.people", "rules.again").replace("PT1H", "PT30M").replace("per-hour", "per-half")
    again = again.replace('property = "people"\n', 'rule = "copy.same"\n')
    assert list(prepare_rules(profile(PEOPLE + COPY + again)).problems) == ["again"]
    assert list(prepare_rules(profile(again + COPY + PEOPLE)).problems) == ["again"]
    assert prepare_rules(profile(COPY + again)).problems == {}
    several = PEOPLE.replace("rules.people", "rules.several").replace('"people"\n', '["bikes", "people"]\n')
    assert list(prepare_rules(profile(PEOPLE + several)).problems) == ["several"]


def test_a_sum_and_its_parts_are_not_told(store: Store) -> None:
    table = b"id,name,member\neast,East,a b\ntown,Town,b c\n"
    groups = """
[groups.areas]
table = "areas.csv"
kind = "area"
title = { de = "Gebiete", en = "Areas" }
source = "constructed"
date = "2026-01-01"
"""
    rule = PEOPLE.replace('by = "thing"', 'by = "areas"')
    clock = Clock()
    follower = follow(store, ready(groups + rule, areas__csv=table), clock)
    for name, count in (("a", 10), ("b", 6), ("c", 20)):
        send(store, f"{name}~people", {NOW: count}, observed="people", dataset="hidden")
    clock.now = NOW + 3 * HOUR
    settle(follower)
    assert (readings(store, "east~sum"), readings(store, "town~sum")) == ({NOW: 10}, {NOW: 20}), "b is in neither"
    assert "1 streams stand in several groups" in " ".join(follower.problems)


def test_what_is_derived_does_not_name_what_it_was_derived_from_where_that_is_hidden(store: Store) -> None:
    together = OPENED.replace('by = "stream"', 'by = "all"\nthing = { id = "town", name = "Town" }')
    follower = follow(store, ready(together.replace("level * 2", "sum(level)")))
    send(store, "a~level", {NOW: 3})
    send(store, "b~secret-name", {NOW: 4}, observed="level", dataset="hidden")
    settle(follower)
    rows = store.find(Query(entity="Datastream", reader=ANONYMOUS, select=("name", "properties"))).rows
    text = next(row[-1] for row in rows if "doubled" in str(row))
    assert '"inputs":["a~level"]' in text
    assert "secret-name" not in str(rows)


@given(count=st.integers(0, 10_000), below=st.integers(2, 50), nearest=st.integers(0, 50))
def test_a_count_stands_for_several(count: int, below: int, nearest: int) -> None:
    said = SuppressProfile(below=below, nearest=min(nearest, below))
    told: Any = suppressed(count, said)
    if count < below:
        assert told is None
    else:
        assert told % said.step == 0
        assert abs(told - count) * 2 <= said.step


def test_few_people_are_not_told_of_and_what_was_told_stays(store: Store) -> None:
    clock = Clock()
    rules = ready(PEOPLE)
    follower = follow(store, rules, clock)
    send(store, "a~people", {NOW: 3, NOW + MINUTE: 4, NOW + HOUR: 4}, observed="people", dataset="hidden")
    clock.now = NOW + 3 * HOUR
    settle(follower)
    assert readings(store, "a~sum") == {NOW: 5}, "7 is told as 5, 4 is not told of"
    send(store, "a~people", {NOW + 2 * MINUTE: 1, NOW + HOUR + 1: 1}, observed="people", dataset="hidden")
    settle(follower)
    assert readings(store, "a~sum") == {NOW: 5}, "8 would be 10, and 5 be told: the one who came late would be known"
    with pytest.raises(InvalidInput, match="told in this span already"):
        run_again(store, HOUSE, rules[0], NOW, NOW + 3 * HOUR, clock, Limits(), most=1000)


def _problem(rule: str) -> str:
    try:
        return " ".join(prepare_rules(profile(rule)).problems.values())
    except ProfileError as error:
        return str(error)


def _stream(store: Store, name: str) -> Any:
    return store.find(Query(entity="Datastream", reader=HOUSE, id=name)).rows

"""Which datasets that are not open an answer tells of."""

from typing import Any

import pytest

from allmende.domain.aggregation import Aggregation, Group, Measure
from allmende.domain.disclosure import looks_elsewhere
from allmende.domain.policy import Reader
from allmende.domain.query import Call, Compare, Expand, In, Not, Order, Path, Query, Step, Value
from allmende.domain.records import Series
from allmende.domain.store import Store
from tests.storage.test_figures import NOON, told

GUEST = Reader(name="user:anna", datasets=frozenset({"hidden"}))
OPEN, HIDDEN = "garage~free", "depot~free"
NOTHING: frozenset[str] = frozenset()


@pytest.fixture
def town(store: Store) -> Store:
    store.append(told(Series(stream=OPEN, times=[NOON], results=[5])))
    store.append(told(Series(stream=HIDDEN, times=[NOON], results=[1]), dataset="hidden", origin="other"))
    store.append(told(Series(stream="empty~free", times=[], results=[]), dataset="hidden", origin="other"))
    return store


def asked(entity: str, **more: Any) -> Query:
    return Query(entity=entity, reader=GUEST, **more)


def below(stream: str, **more: Any) -> Query:
    return asked("Observation", path=(Step("Datastream", stream, "Observations"),), **more)


NAMED = Compare("eq", Path(("id",)), Value(OPEN, "string"))
QUESTIONS = [
    (asked("Datastream"), {"hidden"}),
    (asked("Datastream", filter=NAMED), NOTHING),
    (asked("Datastream", filter=NAMED, count=True), NOTHING),
    (asked("Datastream", top=1, order=(Order(Path(("id",)), descending=True),)), NOTHING),
    (asked("Datastream", top=1, order=(Order(Path(("id",)), descending=True),), count=True), {"hidden"}),
    (asked("Datastream", top=0, count=True), {"hidden"}),
    (asked("Observation"), {"hidden"}),
    (below(OPEN), NOTHING),
    (below(HIDDEN), {"hidden"}),
    (below(HIDDEN, count=True), {"hidden"}),
    (below("empty~free"), NOTHING),
    (asked("ObservedProperty"), NOTHING),
    (
        asked("ObservedProperty", expand=(Expand(relation="Datastreams", query=asked("Datastream")),)),
        {"hidden"},
    ),
    (asked("ObservedProperty", path=(Step("Datastream", HIDDEN, "ObservedProperty"),)), {"hidden"}),
    (asked("ObservedProperty", path=(Step("Datastream", OPEN, "ObservedProperty"),)), NOTHING),
]


@pytest.mark.parametrize(("query", "expected"), QUESTIONS)
def test_an_answer_tells_of_what_it_holds_and_counts(town: Store, query: Query, expected: set[str]) -> None:
    assert town.disclosed_in(town.find(query)) == expected


def test_a_sum_tells_of_all_that_was_summed(town: Store) -> None:
    assert town.disclosed_by(asked("Observation")) == {"hidden"}
    assert town.disclosed_by(below(HIDDEN)) == {"hidden"}
    assert town.disclosed_by(below(OPEN)) == NOTHING
    assert town.disclosed_by(Query(entity="Observation", reader=Reader(name="bob"))) == NOTHING
    elsewhere = Compare("ne", Path(("Thing", "name")), Value("none", "string"))
    assert town.disclosed_by(asked("Datastream", filter=elsewhere)) == {"hidden"}


def test_names_are_looked_up(town: Store) -> None:
    assert town.disclosed_of(streams=[OPEN]) == NOTHING
    assert town.disclosed_of(streams=[OPEN, HIDDEN]) == {"hidden"}
    assert town.disclosed_of(sources=["other"]) == {"hidden"}
    assert town.disclosed_of(datasets=["parking", "hidden", "none"]) == {"hidden"}
    assert town.disclosed_of(collections=["none"]) == NOTHING


STREAM_ID = Compare("eq", Path(("Datastream", "id")), Value(OPEN, "string"))
THING_NAME = Compare("eq", Path(("Datastream", "Thing", "name")), Value("x", "string"))
COUNTED = Measure(method="rows", name="n")


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (asked("Thing", filter=Compare("eq", Path(("name",)), Value("x", "string"))), False),
        (asked("Thing", filter=Not(Compare("eq", Path(("Datastreams", "name")), Value("x", "string")))), True),
        (asked("Thing", filter=In(Value("x", "string"), Path(("Datastreams", "name")))), True),
        (asked("Thing", order=(Order(Call("length", (Path(("Locations", "name")),))),)), True),
        (asked("Observation", filter=STREAM_ID), False),
        (asked("Observation", filter=THING_NAME), True),
        (asked("Thing", expand=(Expand(relation="x", query=asked("Observation", filter=THING_NAME)),)), True),
        (Aggregation(source=asked("Observation"), measures=(COUNTED,)), False),
        (Aggregation(source=asked("Observation"), groups=(Group(THING_NAME.left, ("t",)),), measures=(COUNTED,)), True),
    ],
)
def test_conditions_on_other_entities_are_known(query: Query | Aggregation, expected: bool) -> None:
    assert looks_elsewhere(query) is expected

"""Filters against a plain Python reading of what they mean."""

import operator
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from allmende.domain import times
from allmende.domain.errors import InvalidQuery
from allmende.domain.model import ENTITIES, Kind
from allmende.domain.query import (
    Compare,
    Expression,
    In,
    Logic,
    Not,
    Path,
    Value,
)
from allmende.domain.store import Store
from tests.storage.town import BASE, NAMES, VALUES, Town, build
from tests.support import ask

OPERATORS = {
    "eq": operator.eq, "ne": operator.ne, "gt": operator.gt, "ge": operator.ge, "lt": operator.lt, "le": operator.le,
}  # fmt: skip
MIRRORED = {"eq": "eq", "ne": "ne", "gt": "lt", "ge": "le", "lt": "gt", "le": "ge"}


@pytest.fixture(scope="module")
def town(shared: Store) -> Town:
    return build(shared)


# --- what it means: true, false, or None where a value is missing ---


def holds(node: Expression, entity: str, row: dict[str, Any]) -> bool | None:
    if isinstance(node, Logic):
        parts = [holds(item, entity, row) for item in node.items]
        sure = node.op == "or"
        if sure in parts:
            return sure
        return None if None in parts else not sure
    if isinstance(node, Not):
        inner = holds(node.item, entity, row)
        return None if inner is None else not inner
    if isinstance(node, In):
        assert isinstance(node.choices, tuple)
        return holds(Logic("or", tuple(Compare("eq", node.item, c) for c in node.choices)), entity, row)
    assert isinstance(node, Compare)
    if isinstance(node.left, Value):
        return holds(Compare(MIRRORED[node.op], node.right, node.left), entity, row)  # type: ignore[arg-type]
    assert isinstance(node.left, Path)
    assert isinstance(node.right, Value)
    return compare(entity, row, list(node.left.parts), node.op, node.right)


def compare(entity: str, row: dict[str, Any], parts: list[Any], op: str, value: Value) -> bool | None:
    head, *rest = parts
    relation = ENTITIES[entity].relation(head)
    if relation is not None:
        if relation.many:
            return any(compare(relation.target, child, rest, op, value) for child in row[head])
        return compare(relation.target, row[head], rest, op, value)
    attribute = ENTITIES[entity].attribute(head)
    found = row.get(head)
    for key in rest:
        fits = isinstance(found, dict) if isinstance(key, str) else isinstance(found, list) and key < len(found)
        found = (found.get(key) if isinstance(key, str) else found[key]) if fits else None  # type: ignore[union-attr]
    if value.kind == "null":
        return (found is None) == (op == "eq")
    if attribute is not None and attribute.kind in (Kind.INTERVAL, Kind.INSTANT):
        return None if found is None else _compare_span(found, op, value.value)
    if _kind(found) != value.kind:
        return None
    return bool(OPERATORS[op](found, value.value))


def _compare_span(span: tuple[int, int | None], op: str, moment: int) -> bool:
    start, last = span[0], span[0] if span[1] is None else span[1]
    if op in ("eq", "ne"):
        return (start == last == moment) == (op == "eq")
    return bool(OPERATORS[op](start if op in ("gt", "ge") else last, moment))


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "boolean"
    return {int: "number", float: "number", str: "string"}.get(type(value), "other")


# --- questions ---

NUMBERS = st.sampled_from([v for v in VALUES if _kind(v) == "number"] + [0, 2, -3.5, 2**53, 2**63 - 1])
TEXTS = st.sampled_from([*NAMES, *[v for v in VALUES if isinstance(v, str)], "c", "B%"])
SCALARS = st.one_of(
    NUMBERS.map(lambda v: Value(v, "number")),
    TEXTS.map(lambda v: Value(v, "string")),
    st.booleans().map(lambda v: Value(v, "boolean")),
)
NULL = st.just(Value(None, "null"))
MOMENTS = st.integers(-1, 24).map(lambda m: Value(BASE + m * times.MINUTE, "instant"))
OPS = st.sampled_from(sorted(OPERATORS))
EQUALITY = st.sampled_from(["eq", "ne"])

TEXT_PATHS = {
    "Thing": [
        ("name",),
        ("description",),
        ("id",),
        ("Datastreams", "name"),
        ("Datastreams", "Observations", "Datastream", "name"),
    ],
    "Datastream": [("name",), ("id",), ("Thing", "name"), ("Sensor", "name"), ("Thing", "Datastreams", "name")],
    "Observation": [
        ("Datastream", "name"),
        ("Datastream", "Thing", "id"),
        ("Datastream", "Thing", "Datastreams", "name"),
    ],
}
FREE_PATHS = {
    "Thing": [
        ("properties", "a"),
        ("properties", "list", 0),
        ("properties", "list", 1, "b"),
        ("properties", "a", "k"),
        ("Datastreams", "Observations", "result"),
    ],
    "Datastream": [("Thing", "properties", "a"), ("Observations", "result"), ("Observations", "parameters", "a")],
    "Observation": [
        ("result",),
        ("parameters", "a"),
        ("parameters", "a", "k"),
        ("result", "k"),
        ("result", 0),
        ("Datastream", "Thing", "properties", "a"),
    ],
}
TIME_PATHS = {
    "Thing": [("Datastreams", "Observations", "phenomenonTime")],
    "Datastream": [("Observations", "resultTime")],
    "Observation": [("phenomenonTime",), ("resultTime",)],
}


def comparisons(entity: str) -> st.SearchStrategy[Expression]:
    texts, free, moments = (
        st.sampled_from([Path(p) for p in paths[entity]]) for paths in (TEXT_PATHS, FREE_PATHS, TIME_PATHS)
    )
    strings = TEXTS.map(lambda v: Value(v, "string"))
    return st.one_of(
        st.builds(Compare, OPS, texts, strings),
        st.builds(Compare, OPS, strings, texts),
        st.builds(Compare, OPS, free, SCALARS),
        st.builds(Compare, EQUALITY, free, NULL),
        st.builds(Compare, OPS, moments, MOMENTS),
        st.builds(Compare, EQUALITY, moments, NULL),
        st.builds(In, free, st.lists(SCALARS, max_size=3).map(tuple)),
    )


def filters(entity: str) -> st.SearchStrategy[Expression]:
    return st.recursive(
        comparisons(entity),
        lambda inner: st.one_of(
            inner.map(Not),
            st.builds(Logic, st.sampled_from(["and", "or"]), st.lists(inner, min_size=2, max_size=4).map(tuple)),
        ),
        max_leaves=6,
    )


QUESTIONS = st.sampled_from(sorted(TEXT_PATHS)).flatmap(lambda e: st.tuples(st.just(e), filters(e)))


@settings(max_examples=150)
@given(question=QUESTIONS)
@example(question=("Observation", In(Path(("result",)), ())))
@example(question=("Observation", Not(In(Path(("result",)), ()))))
@example(question=("Observation", Compare("eq", Path(("result",)), Value(2**53, "number"))))
def test_a_filter_finds_what_it_means(shared: Store, town: Town, question: tuple[str, Expression]) -> None:
    entity, node = question
    rows = {"Thing": town.things, "Datastream": town.streams, "Observation": town.observations}[entity]
    page = ask(shared, entity, filter=node, top=1000, count=True)
    found = sorted(str(row[1]) for row in page.rows)
    assert found == sorted(row["id"] for row in rows if holds(node, entity, row) is True)
    assert page.count == len(found)


def nest(levels: int, op: str) -> Expression:
    """``a op (a op (…))``"""
    node: Expression = Compare("eq", Path(("name",)), Value("b", "string"))
    for _ in range(levels):
        leaf = Compare("ne", Path(("name",)), Value("x", "string"))
        node = Not(node) if op == "not" else Logic(op, (leaf, node))  # type: ignore[arg-type]
    return node


@pytest.mark.parametrize("op", ["and", "or", "not"])
def test_as_deep_as_a_face_lets_through(shared: Store, town: Town, op: str) -> None:
    ask(shared, "Thing", filter=nest(18, op))


@pytest.mark.parametrize("op", ["and", "or"])
def test_as_long_as_a_face_lets_through(shared: Store, town: Town, op: str) -> None:
    items = tuple(Compare("ne", Path(("name",)), Value(f"x{n}", "string")) for n in range(600))
    assert len(ask(shared, "Thing", filter=Logic(op, items)).rows) == len(town.things)  # type: ignore[arg-type]
    choices = tuple(Value(n, "number") for n in range(1, 2000))
    assert len(ask(shared, "Observation", filter=In(Path(("id",)), choices), top=1000).rows) == len(town.observations)


def test_what_is_too_deep_for_the_engine_is_the_question_s_fault(shared: Store, town: Town) -> None:
    for path in (("Datastreams", "Thing") * 40, ("Datastreams", "Sensor") * 30):
        with pytest.raises(InvalidQuery, match="too deep"):
            ask(shared, "Thing", filter=Compare("eq", Path((*path, "name")), Value("b", "string")))


@pytest.mark.parametrize(
    ("node", "message"),
    [
        (Compare("eq", Path(("colour",), 3), Value("x", "string")), r"\$filter, character 4: .*colour"),
        (Compare("eq", Path(("name",)), Value(5, "number", 8)), r"character 9: .*single quotes"),
        (Compare("gt", Path(("name",)), Value(None, "null", 8)), "eq or ne"),
        (Compare("eq", Path(("properties",)), Value("x", "string")), "as a whole"),
        (Compare("eq", Path(("name", "x")), Value("x", "string")), "no parts"),
        (Compare("eq", Path(("Datastreams",)), Value("x", "string")), "Datastreams/id"),
        (Compare("eq", Path(("properties", "a")), Value(0, "instant")), "JSON property"),
        (Compare("gt", Path(("Datastreams", "phenomenonTime")), Value("2024", "string")), "without quotes"),
        (Compare("eq", Path(("id",)), Value(True, "boolean")), "an id is"),
    ],
)
def test_mistakes_say_what_and_where(shared: Store, node: Expression, message: str) -> None:
    with pytest.raises(InvalidQuery, match=message):
        ask(shared, "Thing", filter=node)

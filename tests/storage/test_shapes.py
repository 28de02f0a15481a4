"""A statement kept for a shape is the one that would be made afresh: for every question, value and reader.

``ALLMENDE_TEST_EXAMPLES`` is the number of examples, for a longer look at night.
"""

import os
from collections.abc import Callable, Iterator
from types import MappingProxyType
from typing import Any
from urllib.parse import quote

import msgspec
import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from allmende.domain import times
from allmende.domain.aggregation import Aggregation
from allmende.domain.errors import AllmendeError
from allmende.domain.face import FaceLimits
from allmende.domain.policy import ANONYMOUS, Reader
from allmende.domain.query import Compare, Expand, Logic, Path, Query, Value
from allmende.faces.sensorthings.address import parse_address
from allmende.faces.sensorthings.applying import parse_aggregation
from allmende.faces.sensorthings.options import parse_options
from allmende.storage import compile as plain
from allmende.storage import expressions, postgres, sqlite, statements
from allmende.storage.aggregate import compile_table
from allmende.storage.newest import compile_latest, compile_newest
from allmende.storage.slots import LookedInto, Slot
from allmende.storage.statements import Expansion, Groups, Question
from tests.conformance.sensorthings.questions import MOMENTS, NAMES, NUMBERS, aggregations, questions

EXAMPLES = int(os.environ.get("ALLMENDE_TEST_EXAMPLES", "400")) // 8
"""Each is asked in many ways, by many readers."""
LIMITS = FaceLimits()
DIALECTS = (sqlite.DIALECT, postgres.DIALECT)
READERS = [
    ANONYMOUS,
    Reader(name="a", datasets=frozenset({"a"})),
    Reader(name="b", datasets=frozenset({"b"})),
    Reader(name="both", datasets=frozenset({"b", "a"})),
    Reader(name="house", sees_all=True, datasets=frozenset({"a"})),
]
IDS = ["a", "b", "17", "18", "0", "-1", "017", "1" * 30, "x'y"]
INSTANTS = [times.parse_instant(m if "T" in m else f"{m}T00:00:00Z") for m in MOMENTS if "(" not in m]
OTHERS: dict[str, list[Any]] = {
    "number": [*(float(n) if set(n) & {".", "e"} else int(n) for n in NUMBERS), 10**400, float("inf"), True],
    "string": [*NAMES, "nul\x00", "10:30:00", "Europe/Berlin"],
    "instant": INSTANTS,
    "duration": [0, 1, -times.HOUR, times.DAY, 10**20],
    "months": [1, 12, 0],
    "interval": [times.Interval(INSTANTS[0], INSTANTS[0] + 5), times.Interval(5, 4)],
    "boolean": [True, False],
    "null": [None],
    "geometry": ["POINT (1 2)", "POINT (200 2)", "nonsense"],
}


@pytest.fixture(scope="module", autouse=True)
def _one_moment() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(expressions, "_NOW", MappingProxyType({**expressions._NOW, "now": lambda: INSTANTS[0]}))
        yield


def varied(thing: Any, draw: Any) -> Any:
    """The same with other literals."""
    if isinstance(thing, Value):
        return Value(draw(st.sampled_from(OTHERS[thing.kind])), thing.kind, thing.at + 1)
    if isinstance(thing, Reader):
        return thing
    if isinstance(thing, msgspec.Struct):
        return type(thing)(**{name: varied(getattr(thing, name), draw) for name in thing.__struct_fields__})
    return tuple(varied(item, draw) for item in thing) if isinstance(thing, tuple) else thing


def outcome(make: Callable[[], Any]) -> Any:
    """What came of it; with types, since 1 and 1.0 are bound differently."""
    try:
        made = make()
    except (AllmendeError, OverflowError) as error:
        return type(error), str(error), getattr(error, "where", "")
    sql, more = made if type(made) is tuple else (made, None)
    assert sql.text.count("?") == len(sql.params)
    return sql.text, sql.params, [type(value) for value in sql.params], more


def assert_same_statements(query: Query) -> None:
    note(str(query))
    for dialect in DIALECTS:
        _assert_same_statements(query, dialect)
        for expand in query.expand:
            for parents in ([3], [4, -9, 2**40]):
                _assert_same_expansion(query.entity, expand, parents, dialect)


def _assert_same_statements(query: Query, dialect: Any) -> None:
    question = Question(query, dialect)
    assert outcome(question.page) == outcome(lambda: plain.compile_page(query, dialect))
    assert outcome(question.count) == outcome(lambda: plain.compile_count(query, dialect))
    if query.entity == "Datastream":
        assert outcome(question.latest) == outcome(lambda: compile_latest(query, dialect))
        counted = outcome(lambda: compile_latest(query, dialect, count=True))
        assert outcome(lambda: question.latest(count=True)) == counted


def _assert_same_expansion(parent: str, expand: Expand, parents: list[int], dialect: Any) -> None:
    asked = Expansion(parent, expand, parents, dialect)
    if asked.newest:
        fresh = outcome(lambda: (compile_newest(expand, parents, dialect), 2))
    else:
        fresh = outcome(lambda: plain.compile_expand(parent, expand, parents, dialect))
    assert outcome(asked.rows) == fresh
    counted = outcome(lambda: plain.compile_expand_counts(parent, expand, parents, dialect))
    assert outcome(asked.counts) == counted


def paged(query: Query, draw: Any) -> Query:
    """The same behind some row."""
    try:
        keys = plain.compile_page(msgspec.structs.replace(query, after=None), sqlite.DIALECT)[1]
    except (AllmendeError, OverflowError):
        return query
    values = st.sampled_from([None, 5, -1, 1.5, "x", "1", 2**62, "nul\x00"])
    after = tuple(draw(values) for _ in range(keys + draw(st.sampled_from([0, 0, 0, 1]))))
    return msgspec.structs.replace(query, after=draw(st.sampled_from([None, after])))


def ask(path: str, options: dict[str, str], reader: Reader = ANONYMOUS) -> Query:
    text = "&".join(f"${name}={quote(value)}" for name, value in options.items())
    return parse_options(parse_address(path), text, reader=reader, limits=LIMITS).query


PATHS = {
    "Things": ["Things", "Datastreams('{}')/Thing", "Locations('{}')/Things"],
    "Datastreams": ["Datastreams", "Things('{}')/Datastreams", "Observations('{}')/Datastream/Thing/Datastreams"],
    "Observations": ["Observations", "Datastreams('{}')/Observations", "FeaturesOfInterest('{}')/Observations"],
}
many = settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck))


@many
@given(asked=questions(), data=st.data())
def test_questions(asked: tuple[str, dict[str, str]], data: st.DataObject) -> None:
    entity, options = asked
    path = data.draw(st.sampled_from(PATHS[entity]))
    if path.endswith("Thing"):
        options = {name: said for name, said in options.items() if name in ("select", "expand")}
    try:
        query = ask(path.format(data.draw(st.sampled_from(["a", "17"]))), options)
    except AllmendeError:
        return
    for _ in range(2):
        assert_same_statements(query)
        for reader in data.draw(st.permutations(READERS)):
            assert_same_statements(msgspec.structs.replace(query, reader=reader))
        more = {
            "path": tuple(
                msgspec.structs.replace(step, id=step.id and data.draw(st.sampled_from(IDS))) for step in query.path
            ),
            "id": data.draw(st.sampled_from([None, None, *IDS])),
            "top": data.draw(st.integers(0, 1000)),
            "skip": data.draw(st.integers(0, 1000)),
            "simulated": data.draw(st.booleans()),
            "reader": data.draw(st.sampled_from(READERS)),
        }
        query = paged(msgspec.structs.replace(varied(query, data.draw), **more), data.draw)
        assert_same_statements(query)


@many
@given(asked=aggregations(), data=st.data())
def test_aggregations(asked: tuple[str, dict[str, str]], data: st.DataObject) -> None:
    entity, options = asked
    text = "&".join(f"${name}={quote(value)}" for name, value in options.items())
    try:
        made = parse_aggregation(parse_address(entity), text, reader=ANONYMOUS, limits=LIMITS)
    except AllmendeError:
        return
    for _ in range(2):
        for reader in data.draw(st.permutations(READERS)):
            assert_same_groups(
                msgspec.structs.replace(made, source=msgspec.structs.replace(made.source, reader=reader))
            )
        made = varied(made, data.draw)
        assert_same_groups(made)


def assert_same_groups(asked: Aggregation) -> None:
    note(str(asked))
    for dialect in DIALECTS:
        _assert_same_groups(asked, dialect)


def _assert_same_groups(asked: Aggregation, dialect: Any) -> None:
    groups = Groups(asked, dialect)
    assert outcome(groups.page) == outcome(lambda: compile_table(asked, dialect))
    counted = outcome(lambda: compile_table(asked, dialect, count=True))
    assert outcome(lambda: groups.page(count=True)) == counted


HOT: list[tuple[str, str, dict[str, str]]] = [
    ("Things('a')", "Things('b')", {}),
    ("Datastreams('a')/Observations", "Datastreams('b')/Observations", {"orderby": "phenomenonTime desc", "top": "1"}),
    ("Observations", "Observations", {"filter": "phenomenonTime gt now() sub duration'PT1H' and result ge 3.5"}),
    ("Observations", "Observations", {"filter": "during(phenomenonTime,2024-01-01T00:00:00Z/2024-01-02T00:00:00Z)"}),
    ("Observations", "Observations", {"filter": "Datastream/id eq 'a' and round(result) in (1,2,3)"}),
    (
        "Datastreams",
        "Datastreams",
        {"filter": "properties/zone eq 'a' or contains(tolower(name),'b')", "count": "true"},
    ),
    ("Datastreams", "Datastreams", {"expand": "Thing,Observations($orderby=phenomenonTime desc;$top=1)"}),
]


@pytest.mark.parametrize(("path", "other", "options"), HOT)
@pytest.mark.parametrize("dialect", DIALECTS)
def test_compiles_what_is_asked_often_once(
    path: str, other: str, options: dict[str, str], dialect: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = ask(path, options)
    second = msgspec.structs.replace(ask(other, options, READERS[0]), top=7, skip=3)
    fresh = plain.compile_page(second, dialect)
    second = msgspec.structs.replace(second, after=(5,) * fresh[1]) if fresh[1] == 2 else second
    fresh = plain.compile_page(second, dialect)
    Question(msgspec.structs.replace(first, after=second.after and (7,) * fresh[1]), dialect).page()
    for expand in first.expand:
        Expansion(first.entity, expand, [1, 2], dialect).rows()
    monkeypatch.delattr(plain, "compile_page")
    monkeypatch.delattr(plain, "compile_expand")
    monkeypatch.delattr(statements, "compile_newest")
    assert Question(second, dialect).page() == fresh
    for expand in second.expand:
        Expansion(second.entity, expand, [3, 4], dialect).rows()


def test_compiles_buckets_once(monkeypatch: pytest.MonkeyPatch) -> None:
    def asked(stream: str) -> Aggregation:
        text = "$apply=" + quote(
            "groupby((bucket(phenomenonTime,duration'PT1H') as m),aggregate(result with max as n))"
        )
        return parse_aggregation(
            parse_address(f"Datastreams('{stream}')/Observations"), text, reader=ANONYMOUS, limits=LIMITS
        )

    Groups(asked("a"), sqlite.DIALECT).page()
    monkeypatch.delattr(statements, "compile_table")
    assert "b" in Groups(asked("b"), sqlite.DIALECT).page()[0].params


def test_variety_fills_no_memory() -> None:
    for number in range(statements.SHAPES + 50):
        Question(ask("Things", {"filter": f"properties/p{number} eq 1"}), sqlite.DIALECT).page()
    assert statements._kept.cache_info().currsize == statements.SHAPES
    before = statements._kept.cache_info().misses
    long = tuple(Compare("eq", Path(("properties", f"p{number}")), Value(1, "number")) for number in range(200))
    query = Query(entity="Thing", reader=ANONYMOUS, filter=Logic("or", long))
    assert Question(query, sqlite.DIALECT).page() == plain.compile_page(query, sqlite.DIALECT)
    assert statements._kept.cache_info().misses == before


@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_form_of_an_id_is_part_of_the_shape(dialect: Any) -> None:
    for said in ("17", "18", "17.5", "'17'", "'o'", "9223372036854775807", "null"):
        for path in ("Observations(3)/Datastream/Observations", "Observations('o')/Datastream/Observations"):
            _assert_same_statements(ask(path, {"filter": f"id eq {said} or Datastream/id eq {said}"}), dialect)


LOOKS: list[Callable[[Any], object]] = [
    lambda slot: slot == 1,
    lambda slot: slot != slot,
    lambda slot: slot < 1,
    lambda slot: sorted([slot, slot]),
    lambda slot: not slot,
    lambda slot: f"{slot}",
    str,
    float,
    int,
    len,
    list,
    hash,
    lambda slot: slot + 1,
    lambda slot: "a" + slot,
    lambda slot: 2 * slot,
    lambda slot: -slot,
    lambda slot: "x" in slot,
    lambda slot: slot in {1},
    lambda slot: slot in (1, 2),
    lambda slot: slot[0],
    lambda slot: slot.start,
    lambda slot: isinstance(slot, int),
    lambda slot: isinstance(slot, int | str),
    lambda slot: ",".join([str(slot)]),
]


@pytest.mark.parametrize("look", LOOKS)
def test_a_slot_is_bound_and_nothing_else(look: Callable[[Any], object]) -> None:
    with pytest.raises(LookedInto):
        look(Slot(0))

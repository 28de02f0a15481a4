"""Pages: through equal keys and nulls, in every direction, each entity comes once and in its order."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allmende.domain.errors import InvalidQuery
from allmende.domain.query import Compare, Expand, Order, Page, Path, Query, Step, Value, layout
from allmende.domain.store import Store
from tests.storage.town import Town, build
from tests.support import HOUSE, ask

ORDERS = {
    "Thing": [
        ("name",),
        ("description",),
        ("id",),
        ("properties", "a"),
        ("properties", "list", 1, "b"),
        ("properties",),
    ],
    "Datastream": [("name",), ("Thing", "name"), ("Thing", "properties", "a"), ("Sensor", "name"), ("phenomenonTime",)],
    "Observation": [
        ("result",),
        ("phenomenonTime",),
        ("resultTime",),
        ("Datastream", "name"),
        ("Datastream", "Thing", "name"),
        ("parameters", "a"),
        ("result", "k"),
        ("result", 0),
        ("id",),
    ],
}


@pytest.fixture(scope="module")
def town(shared: Store) -> Town:
    return build(shared)


def orders(entity: str) -> Any:
    key = st.builds(Order, st.sampled_from([Path(p) for p in ORDERS[entity]]), st.booleans())
    return st.lists(key, max_size=3).map(tuple)


QUESTIONS = st.sampled_from(sorted(ORDERS)).flatmap(lambda e: st.tuples(st.just(e), orders(e)))


def walk(store: Store, query: Query) -> list[Any]:
    """The ids of all pages."""
    found: list[Any] = []
    after = None
    for _ in range(1000):
        page = store.find(Query(**{f: getattr(query, f) for f in query.__struct_fields__} | {"after": after}))
        assert len(page.rows) <= query.top
        found += [row[1] for row in page.rows]
        after = page.next
        if after is None:
            return found
    raise AssertionError("the pages do not end")


@given(question=QUESTIONS, size=st.integers(1, 40), bound=st.booleans())
def test_pages_are_the_whole_cut_into_pieces(
    shared: Store, town: Town, question: tuple[str, Any], size: int, bound: bool
) -> None:
    entity, order = question
    path = (Step("Datastream", "s1", "Observations"),) if bound and entity == "Observation" else ()
    whole = ask(shared, entity, order=order, top=1000, path=path)
    assert whole.next is None
    pages = walk(shared, Query(entity=entity, reader=HOUSE, order=order, top=size, path=path))
    assert pages == [row[1] for row in whole.rows]
    assert len(set(pages)) == len(pages)
    if not path:
        assert len(pages) == len(
            {"Thing": town.things, "Datastream": town.streams, "Observation": town.observations}[entity]
        )


@given(size=st.integers(1, 30), skip=st.integers(0, 100), down=st.booleans())
def test_skip_and_top_cut_the_same_order(shared: Store, town: Town, size: int, skip: int, down: bool) -> None:
    order = (Order(Path(("result",)), down),)
    whole = [row[1] for row in ask(shared, "Observation", order=order, top=1000).rows]
    page = ask(shared, "Observation", order=order, top=size, skip=skip, count=True)
    assert [row[1] for row in page.rows] == whole[skip : skip + size]
    assert (page.next is None) == (skip + size >= len(whole))
    assert page.count == len(whole)


@pytest.mark.parametrize("down", [False, True])
def test_nulls_come_last_whichever_the_direction(shared: Store, town: Town, down: bool) -> None:
    page = ask(shared, "Observation", order=(Order(Path(("resultTime",)), down),), select=("resultTime",), top=1000)
    times = [row[-1] for row in page.rows]
    known = [t for t in times if t is not None]
    assert times == sorted(known, reverse=down) + [None] * (len(times) - len(known))
    assert None in times


@pytest.mark.parametrize("down", [False, True])
def test_text_is_sorted_by_its_signs(shared: Store, town: Town, down: bool) -> None:
    page = ask(shared, "Thing", order=(Order(Path(("name",)), down),), select=("name",))
    assert [row[-1] for row in page.rows] == sorted((t["name"] for t in town.things), reverse=down)


def test_top_zero_is_a_count_alone(shared: Store, town: Town) -> None:
    page = ask(shared, "Observation", top=0, count=True)
    assert (page.rows, page.count) == ([], len(town.observations))


def test_a_token_of_another_question_is_refused(shared: Store, town: Town) -> None:
    with pytest.raises(InvalidQuery, match="another question"):
        ask(shared, "Thing", after=(1, 2, 3))


@pytest.mark.parametrize(
    ("entity", "path", "message"),
    [
        ("Thing", ("colour",), "has no property 'colour'"),
        ("Thing", ("Datastreams", "name"), "are many"),
        ("Thing", ("name", "x"), "no parts"),
        ("Observation", ("phenomenonTime", "x"), "no parts"),
        ("Datastream", ("Thing",), "Thing"),
        ("Datastream", ("Thing", "colour"), "colour"),
    ],
)
def test_orders_that_make_no_sense(shared: Store, entity: str, path: tuple[str, ...], message: str) -> None:
    with pytest.raises(InvalidQuery, match=message):
        ask(shared, entity, order=(Order(Path(path)),))


def test_select_gives_those_columns(shared: Store, town: Town) -> None:
    page = ask(shared, "Observation", select=("result", "phenomenonTime"), top=1)
    assert page.columns == ("pk", "id", "phenomenonTime.start", "phenomenonTime.end", "result.kind", "result")
    assert len(page.rows[0]) == len(page.columns)
    for entity in ORDERS:
        page = ask(shared, entity, order=(Order(Path(ORDERS[entity][0])),))
        assert page.columns == layout(page.query)
        assert {len(row) for row in page.rows} == {len(page.columns)}


def test_paths_lead_both_ways(shared: Store, town: Town) -> None:
    for stream in town.streams:
        path = (Step("Datastream", stream["id"], "Observations"),)
        assert {row[1] for row in ask(shared, "Observation", path=path, top=1000).rows} == {
            int(o["id"]) for o in stream["Observations"]
        }
        thing = ask(shared, "Thing", path=(Step("Datastream", stream["id"], "Thing"),))
        assert [row[1] for row in thing.rows] == [stream["Thing"]["id"]]
        other = ask(shared, "Datastream", path=(Step("Thing", stream["Thing"]["id"], "Datastreams"),), id=stream["id"])
        assert len(other.rows) == 1
        wrong = ask(shared, "Datastream", path=(Step("Thing", "t14", "Datastreams"),), id=stream["id"])
        assert wrong.rows == []
    deep = (
        Step("Observation", town.observations[0]["id"], "Datastream"),
        Step("Datastream", None, "Thing"),
        Step("Thing", None, "Datastreams"),
    )
    streams = town.observations[0]["Datastream"]["Thing"]["Datastreams"]
    assert {row[1] for row in ask(shared, "Datastream", path=deep).rows} == {s["id"] for s in streams}


def nested(entity: str, **more: Any) -> Query:
    return Query(entity=entity, reader=HOUSE, **more)


def _children(page: Page, relation: str) -> dict[str, Page]:
    return {row[1]: page.expanded[relation][row[0]] for row in page.rows}


@pytest.mark.parametrize("top", [0, 1, 3, 100])
@pytest.mark.parametrize("skip", [0, 2])
def test_expanding_is_asking_for_each(shared: Store, town: Town, top: int, skip: int) -> None:
    order = (Order(Path(("phenomenonTime",)), True),)
    keep = Compare("ge", Path(("Datastream", "name")), Value("b", "string"))
    question = {"order": order, "top": top, "skip": skip, "count": True, "filter": keep}
    expand = (Expand(relation="Observations", query=nested("Observation", **question)),)
    page = ask(shared, "Datastream", expand=expand)
    for name, children in _children(page, "Observations").items():
        alone = ask(shared, "Observation", path=(Step("Datastream", name, "Observations"),), **question)
        assert (children.rows, children.count, children.next) == (alone.rows, alone.count, alone.next)


def test_expanding_several_levels(shared: Store, town: Town) -> None:
    first = Expand(relation="Observations", query=nested("Observation", top=1, order=(Order(Path(("id",)), True),)))
    thing = Expand(relation="Thing", query=nested("Thing"))
    streams = Expand(relation="Datastreams", query=nested("Datastream", expand=(first, thing), top=2, count=True))
    locations = Expand(relation="Locations", query=nested("Location"))
    page = ask(shared, "Thing", expand=(streams, locations))
    for thing_row, known in zip(page.rows, town.things, strict=True):
        children = page.expanded["Datastreams"][thing_row[0]]
        assert [r[1] for r in children.rows] == [s["id"] for s in known["Datastreams"][:2]]
        assert children.count == len(known["Datastreams"])
        assert page.expanded["Locations"][thing_row[0]].rows == []
        for row, stream in zip(children.rows, known["Datastreams"], strict=False):
            newest = children.expanded["Observations"][row[0]].rows
            known_numbers = sorted(int(o["id"]) for o in stream["Observations"])
            assert [r[1] for r in newest] == known_numbers[-1:]
            assert [r[1] for r in children.expanded["Thing"][row[0]].rows] == [known["id"]]


def test_what_stands_after_a_nested_page_is_its_rest(shared: Store, town: Town) -> None:
    expand = (Expand(relation="Observations", query=nested("Observation", top=4)),)
    for name, children in _children(ask(shared, "Datastream", expand=expand), "Observations").items():
        path = (Step("Datastream", name, "Observations"),)
        rest = ask(shared, "Observation", path=path, after=children.next, top=1000).rows if children.next else []
        assert [r[1] for r in [*children.rows, *rest]] == [
            r[1] for r in ask(shared, "Observation", path=path, top=1000).rows
        ]

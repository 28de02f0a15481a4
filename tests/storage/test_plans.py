"""The hot questions walk an index: they neither scan nor sort the observations. SQLite's own planner is asked."""

from functools import partial
from pathlib import Path as File
from typing import Any

import pytest

from allmende.domain.aggregation import Aggregation, Group, Measure
from allmende.domain.policy import ANONYMOUS, Reader
from allmende.domain.query import Call, Compare, Expand, Logic, Order, Path, Query, Step, Value
from allmende.domain.records import Series
from allmende.domain.spans import Span
from allmende.storage import compile
from allmende.storage.newest import compile_newest
from allmende.storage.sql import Sql
from allmende.storage.sqlite import DIALECT, SqliteStore
from tests.support import DATASETS, HOUSE, PlainConnections, batch

TIME = Path(("phenomenonTime",))
NEWEST = (Order(TIME, True),)
STREAM = (Step("Datastream", "s1~x", "Observations"),)
READERS = pytest.mark.parametrize("reader", [HOUSE, ANONYMOUS], ids=["house", "anonymous"])


@pytest.fixture(scope="module")
def connections(tmp_path_factory: pytest.TempPathFactory) -> PlainConnections:
    made = PlainConnections(tmp_path_factory.mktemp("plans") / "commons.sqlite3")
    store = SqliteStore(made)
    store.put_datasets(DATASETS)
    moments = list(range(0, 20_000, 10))
    store.append(batch(*(Series(stream=f"s{n}~x", times=moments, results=moments) for n in range(50))))
    made.raw().execute("ANALYZE")
    return made


@pytest.fixture(params=["fresh", "analysed"])
def connection(request: pytest.FixtureRequest, connections: PlainConnections, tmp_path: File) -> Any:
    """With the planner's figures, and without them, as in a house that was just set up."""
    if request.param == "analysed":
        return connections.raw()
    return PlainConnections(tmp_path / "fresh.sqlite3").raw()


compile_page = partial(compile.compile_page, dialect=DIALECT)
compile_count = partial(compile.compile_count, dialect=DIALECT)
compile_expand = partial(compile.compile_expand, dialect=DIALECT)


def plan(connection: Any, sql: Sql) -> list[str]:
    return [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {sql.text}", sql.params)]


def assert_walks(lines: list[str], *, sorts: bool = False) -> None:
    """Observations are searched by a key, not scanned; nothing is sorted."""
    text = "\n".join(lines)
    for table in ("observation", "datastream", "thing"):
        assert not [x for x in lines if x.startswith("SCAN") and x.split()[1] == table], text
    for line in lines:
        # t1 and its kin are the compiler's aliases; a search without "datastream=" or "id=" would walk the whole table.
        assert not line.startswith("SCAN t"), text
    assert sorts or "TEMP B-TREE" not in text, text


@READERS
@pytest.mark.parametrize(
    "more",
    [
        {},
        {"order": NEWEST},
        {"order": (Order(TIME, False),)},
        {"order": NEWEST, "after": (15_000, 0)},
        {"order": (Order(TIME, False),), "after": (15_000, 0)},
        {"order": NEWEST, "filter": Compare("ge", TIME, Value(9_000, "instant"))},
        {"order": NEWEST, "filter": Compare("le", TIME, Value(9_000, "instant")), "after": (5_000, 0)},
    ],
)
def test_pages_of_one_stream(connection: Any, reader: Reader, more: dict[str, Any]) -> None:
    query = Query(entity="Observation", reader=reader, path=STREAM, top=1000, **more)
    sql, _ = compile_page(query)
    lines = plan(connection, sql)
    assert_walks(lines)
    walk = next(x for x in lines if "t1" in x)
    assert "PRIMARY KEY (datastream=?" in walk
    if more.get("after") or more.get("filter"):
        assert "phenomenon_start" in walk


@READERS
def test_the_newest_of_each_of_many_streams(connection: Any, reader: Reader) -> None:
    expand = Expand(relation="Observations", query=Query(entity="Observation", reader=reader, top=1, order=NEWEST))
    sql, _ = compile_expand("Datastream", expand, list(range(1, 11)))
    lines = plan(connection, sql)
    # The few that were picked are sorted at the end; the picking walks the key.
    assert_walks(lines, sorts=True)
    assert any("PRIMARY KEY (datastream=?)" in x for x in lines)


@READERS
def test_the_newest_of_many_streams_by_their_states(connection: Any, reader: Reader) -> None:
    expand = Expand(relation="Observations", query=Query(entity="Observation", reader=reader, top=1, order=NEWEST))
    lines = plan(connection, compile_newest(expand, list(range(1, 11)), DIALECT))
    assert_walks(lines)
    assert "SEARCH t1 USING PRIMARY KEY (datastream=? AND phenomenon_start=? AND disc=?)" in lines


@READERS
def test_all_streams_since_a_time_without_an_order(connection: Any, reader: Reader) -> None:
    since = Logic("and", (Compare("ge", TIME, Value(15_000, "instant")), Compare("ne", TIME, Value(0, "instant"))))
    sql, _ = compile_page(Query(entity="Observation", reader=reader, top=100, filter=since))
    walk = [x for x in plan(connection, sql) if " t1 " in x]
    assert walk == ["SEARCH t1 USING INDEX observation_time (phenomenon_start>?)"]


@READERS
def test_latest_of_streams_reads_no_observation(connections: PlainConnections, reader: Reader) -> None:
    store = SqliteStore(connections)
    ran = statements(connections, lambda: store.newest(Query(entity="Datastream", reader=reader, top=1000)))
    assert len(ran) == 1
    lines = plan(connections.raw(), Sql(ran[0]))
    assert "TEMP B-TREE" not in str(lines)
    assert "SEARCH s USING INTEGER PRIMARY KEY (rowid=?)" in lines


@READERS
@pytest.mark.parametrize("name", ["17", "named"])
def test_one_observation_by_its_id(connection: Any, reader: Reader, name: str) -> None:
    sql, _ = compile_page(Query(entity="Observation", reader=reader, id=name, top=1))
    lines = plan(connection, sql)
    assert_walks(lines)
    assert any("observation_id" in x for x in lines)


@READERS
def test_the_newest_of_all_streams(connection: Any, reader: Reader) -> None:
    sql, _ = compile_page(Query(entity="Observation", reader=reader, top=100, order=NEWEST))
    assert any("t1 USING INDEX observation_time" in x for x in plan(connection, sql))


@READERS
def test_the_stream_of_an_observation(connection: Any, reader: Reader) -> None:
    sql, _ = compile_page(
        Query(entity="Datastream", reader=reader, path=(Step("Observation", "17", "Datastream"),), top=1)
    )
    assert_walks(plan(connection, sql))


@READERS
def test_the_observations_of_a_feature(connection: Any, reader: Reader) -> None:
    path = (Step("FeatureOfInterest", "s1~feature", "Observations"),)
    sql, _ = compile_page(Query(entity="Observation", reader=reader, path=path, top=100))
    lines = plan(connection, sql)
    assert_walks(lines)
    assert any("t1 USING PRIMARY KEY (datastream=?)" in x for x in lines)


@READERS
def test_counting_one_stream(connection: Any, reader: Reader) -> None:
    lines = plan(connection, compile_count(Query(entity="Observation", reader=reader, path=STREAM)))
    assert_walks(lines)


def statements(connections: PlainConnections, work: Any) -> list[str]:
    """The statements that a piece of work runs, with values put in."""
    seen: list[str] = []
    raw = connections.raw()
    raw.set_trace_callback(seen.append)
    try:
        work()
    finally:
        raw.set_trace_callback(None)
    return [s for s in seen if s.lstrip().startswith("SELECT")]


@READERS
def test_latest_points_and_reports(connections: PlainConnections, reader: Reader) -> None:
    store = SqliteStore(connections)

    def work() -> None:
        store.latest(reader)
        store.points(reader, "s1~x", 500, 900, before=True)
        store.reports(reader, "feed", 500, 900)

    ran = statements(connections, work)
    assert len(ran) == 4
    for text in ran:
        lines = plan(connections.raw(), Sql(text))
        assert not [x for x in lines if x.startswith("SCAN o")], lines
        assert "observation_document" not in text or all("PRIMARY KEY (datastream=?" in x for x in lines if " o " in x)
    assert "FROM observation" not in ran[0]


@READERS
def test_sums_of_one_stream_between_two_times(connections: PlainConnections, reader: Reader) -> None:
    store = SqliteStore(connections)
    between = Logic("and", (Compare("ge", TIME, Value(500, "instant")), Compare("lt", TIME, Value(900, "instant"))))
    buckets = Group(Call("bucket", (TIME, Value(100, "duration"))), ("start",))
    means = Measure(method="average", name="mean", expression=Path(("result",)))
    source = Query(entity="Observation", reader=reader, path=STREAM)
    ran = statements(
        connections,
        lambda: store.aggregate(Aggregation(source=source, groups=(buckets,), measures=(means,), where=between)),
    )
    assert len(ran) == 1
    lines = plan(connections.raw(), Sql(ran[0]))
    walks = [x for x in lines if "t1" in x]
    assert walks == ["SEARCH t1 USING PRIMARY KEY (datastream=? AND phenomenon_start>? AND phenomenon_start<?)"], lines


@READERS
def test_sums_of_a_chart_walk_the_stream_once(connections: PlainConnections, reader: Reader) -> None:
    """Also where the clock changes within it: one walk for each span."""
    store = SqliteStore(connections)
    first, second = Span(500, 700, 500, 100), Span(700, 900, 650, 100)
    for spans in ([first], [first, second]):
        (text,) = statements(connections, partial(store.sums, reader, "s1~x", spans))
        walks = [x for x in plan(connections.raw(), Sql(text)) if " o " in x]
        assert walks == ["SEARCH o USING PRIMARY KEY (datastream=? AND phenomenon_start>? AND phenomenon_start<?)"]


def test_an_answer_takes_one_statement_for_each_level(connections: PlainConnections) -> None:
    store = SqliteStore(connections)
    inner = Expand(relation="Observations", query=Query(entity="Observation", reader=ANONYMOUS, top=1, order=NEWEST))
    outer = Expand(relation="Datastreams", query=Query(entity="Datastream", reader=ANONYMOUS, expand=(inner,)))
    ran = statements(connections, lambda: store.find(Query(entity="Thing", reader=ANONYMOUS, expand=(outer,), top=50)))
    assert len(ran) == 3

"""The hot questions walk an index on PostgreSQL, too, with the plans that are made once for prepared statements."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from allmende.domain.policy import ANONYMOUS
from allmende.domain.query import Compare, Expand, Order, Path, Query, Step, Value
from allmende.domain.records import Series
from allmende.storage.compile import compile_expand, compile_page
from allmende.storage.postgres import DIALECT, PostgresStore
from allmende.storage.sql import Sql
from tests.cluster import cluster
from tests.support import DATASETS, PostgresConnections, batch

TIME = Path(("phenomenonTime",))
NEWEST = (Order(TIME, True),)
STREAM = (Step("Datastream", "s1~x", "Observations"),)
START = 1_700_000_000_000_000


@pytest.fixture(scope="module")
def raw() -> "Iterator[psycopg.Connection[Any]]":
    connections = PostgresConnections(cluster().create_database())
    store = PostgresStore(connections)
    store.put_datasets(DATASETS)
    moments = list(range(START, START + 20_000, 10))
    store.append(batch(*(Series(stream=f"s{n}~x", times=moments, results=moments) for n in range(30))))
    connection = connections.raw()
    connection.execute("VACUUM ANALYZE")
    connection.execute("SET plan_cache_mode = force_generic_plan")  # as web sets it
    connection.execute("SET jit = off")
    yield connection
    connection.close()


def plan(raw: "psycopg.Connection[Any]", sql: Sql) -> str:
    """The generic plan of a statement."""
    parts = sql.text.split("?")
    text = "".join(f"{part}${at + 1}" if at < len(parts) - 1 else part for at, part in enumerate(parts))
    raw.execute(f"PREPARE asked AS {text}")  # type: ignore[call-overload]
    marks = ", ".join(["%s"] * len(sql.params))
    lines = psycopg.ClientCursor(raw).execute(f"EXPLAIN EXECUTE asked ({marks})", sql.params).fetchall()  # type: ignore[call-overload]
    raw.execute("DEALLOCATE asked")
    return "\n".join(line for (line,) in lines)


def assert_walks(text: str) -> None:
    """Observations are reached by a stream's key, in its order."""
    assert "Seq Scan on observation_2" not in text, text
    assert "Sort  " not in text, text
    assert "using observation_2023_pkey" in text, text
    assert "(datastream = " in text, text


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"order": NEWEST},
        {"order": NEWEST, "after": (START + 15_000, 0)},
        {"after": (START + 15_000, 0)},
        {"order": (Order(TIME, False),), "filter": Compare("ge", TIME, Value(START + 9_000, "instant"))},
        {"order": NEWEST, "filter": Compare("gt", Path(("result",)), Value(5, "number"))},
    ],
)
def test_pages_of_one_stream(raw: "psycopg.Connection[Any]", more: dict[str, Any]) -> None:
    sql, _ = compile_page(Query(entity="Observation", reader=ANONYMOUS, path=STREAM, top=100, **more), DIALECT)
    text = plan(raw, sql)
    assert_walks(text)
    if "after" in more:
        # The walk begins at the page, however far on it is.
        walk = text[text.index("observation_2023_pkey") :]
        assert "phenomenon_start" in walk[walk.index("Index Cond") :].splitlines()[0], text


def test_the_newest_of_each_of_many_streams(raw: "psycopg.Connection[Any]") -> None:
    inner = Query(entity="Observation", reader=ANONYMOUS, top=1, order=NEWEST)
    sql, _ = compile_expand("Datastream", Expand(relation="Observations", query=inner), list(range(1, 11)), DIALECT)
    assert_walks(plan(raw, sql))


def test_many_parents_are_one_parameter() -> None:
    inner = Query(entity="Datastream", reader=ANONYMOUS)
    few, many = (
        compile_expand("Thing", Expand(relation="Datastreams", query=inner), list(range(n)), DIALECT)[0]
        for n in (2, 200)
    )
    assert few.text == many.text

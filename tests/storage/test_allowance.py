"""The time of a question is one for all of its statements."""

import itertools
from types import SimpleNamespace
from typing import Any

import pytest

from allmende.domain.errors import LimitExceeded
from allmende.domain.query import Expand, Query
from allmende.storage import allowance
from tests.storage.test_amendment import readings
from tests.support import HOUSE, ask


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second passes with every look that a question takes at it."""
    seconds = itertools.count()
    monkeypatch.setattr(allowance, "time", SimpleNamespace(monotonic=lambda: float(next(seconds))))


def inner(relation: str, entity: str, *expand: Expand) -> Expand:
    return Expand(relation=relation, query=Query(entity=entity, reader=HOUSE, expand=expand))


def test_many_quick_statements_have_the_time_of_one_question(store: Any, clock: None) -> None:
    readings(store, 1)
    features = inner("FeatureOfInterest", "FeatureOfInterest")
    deep = inner("Datastreams", "Datastream", inner("Observations", "Observation", features))
    store._connections.seconds = 4.5
    assert ask(store, "Thing", expand=(deep,)).rows
    store._connections.seconds = 3.5
    with pytest.raises(LimitExceeded, match="ALLMENDE_QUERY_SECONDS"):
        ask(store, "Thing", expand=(deep,))
    assert ask(store, "Thing").rows


@pytest.mark.parametrize("inside", [False, True])
def test_the_server_is_told_what_is_left(store: Any, clock: None, inside: bool) -> None:
    """PostgreSQL counts for each statement; SQLite's handler counts for the whole question already."""
    if store._engine.__class__.__name__ != "PostgresEngine":
        pytest.skip("there is no server")

    def limit(connection: Any) -> str:
        return str(connection.execute("SHOW statement_timeout").fetchone()[0])

    connections = store._connections
    with connections.writing() if inside else connections.reading() as raw:
        raw.execute("SET statement_timeout = '60s'")
        with store._engine.asking(raw, 10.0) as connection:
            assert [limit(connection) for _ in range(4)] == ["1min", "8s", "7s", "6s"]
        assert raw.execute("SHOW statement_timeout").fetchone()[0] == "0"  # what the connection began with

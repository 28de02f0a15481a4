"""Django's connections as the store gets them."""

from pathlib import Path

import pytest
from tests.support import batch
from tests.web.test_backup import make_house, run

from allmende.domain.batch import Removal
from allmende.domain.errors import LimitExceeded
from allmende.domain.policy import house_reader
from allmende.domain.query import Compare, Query, Value
from allmende.domain.query import Path as Property
from allmende.domain.records import Series
from allmende.storage.committer import translated
from allmende.storage.sqlite import SqliteEngine, SqliteStore
from allmende.web.data.connections import DjangoConnections
from allmende.web.house import furnish, open_profile, open_store

ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n"


@pytest.mark.django_db(transaction=True)
def test_a_question_that_takes_too_long_is_stopped() -> None:
    connections = DjangoConnections(seconds=0.05)
    with (
        pytest.raises(LimitExceeded, match="ALLMENDE_QUERY_SECONDS"),
        translated(SqliteEngine()),
        connections.reading() as raw,
    ):
        raw.execute(ENDLESS).fetchall()
    with connections.reading() as raw:
        assert raw.execute("SELECT 1").fetchone()[0] == 1
    # The limit was the reader's; writing and others have none of it.
    with connections.writing() as raw:
        assert raw.execute(
            "SELECT count(*) FROM (" + ENDLESS.replace("FROM n)", "FROM n LIMIT 300000)") + ")"
        ).fetchone()
    with (
        connections.writing(),
        pytest.raises(LimitExceeded),
        translated(SqliteEngine()),
        connections.reading() as raw,
    ):
        raw.execute(ENDLESS).fetchall()


POSTGRES = """
from allmende.web.parts import open_django
open_django()
from allmende.domain.errors import LimitExceeded
from allmende.storage.committer import translated
from allmende.storage.postgres import PostgresEngine
from allmende.web.data.connections import DjangoConnections
connections = DjangoConnections(seconds=0.1)
with connections.writing() as writer:
    writer.execute("INSERT INTO origin (name, version) VALUES ('kept', '')")
    try:
        with translated(PostgresEngine()), connections.reading() as raw:
            raw.execute("SELECT pg_sleep(30)")
    except LimitExceeded as error:
        print(error)
    with connections.reading() as raw:
        print(raw.execute("SHOW statement_timeout").fetchone()[0])
    print(writer.execute("SHOW statement_timeout").fetchone()[0])
with connections.reading() as raw:
    print(raw.execute("SELECT count(*) FROM origin WHERE name = 'kept'").fetchone()[0])
"""


def test_a_question_inside_of_a_transaction_is_stopped_and_the_transaction_goes_on(tmp_path: Path) -> None:
    told = run(make_house("postgres", tmp_path), POSTGRES).splitlines()
    assert "ALLMENDE_QUERY_SECONDS" in told[0]
    assert told[1:] == ["100ms", "0", "1"]


@pytest.mark.django_db(transaction=True)
def test_a_question_of_what_to_delete_is_stopped_before_anything_is_written() -> None:
    store, reader = open_store(), house_reader("test")
    furnish(store, open_profile())
    many = 20_000
    store.append(batch(Series(stream="garage~free", times=list(range(many)), results=[1] * many), dataset="commons"))
    slow = SqliteStore(DjangoConnections(seconds=-1.0))
    none = Query(entity="Observation", reader=reader, filter=Compare("gt", Property(("result",)), Value(5, "number")))
    with pytest.raises(LimitExceeded, match="ALLMENDE_QUERY_SECONDS"):
        slow.remove(Removal(target=none, origin="test", received_at=1, most=10))
    assert store.remove(Removal(target=none, origin="test", received_at=1, most=10)) == 0

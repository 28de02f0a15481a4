"""Django's connections as the store gets them."""

import pytest

from allmende.domain.errors import LimitExceeded
from allmende.storage.committer import translated
from allmende.storage.sqlite import SqliteEngine
from allmende.web.data.connections import DjangoConnections

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

"""PostgreSQL's connections as the pool hands them out."""

import psycopg
import pytest
from tests.cluster import cluster

from allmende.web.postgresql.base import check_connection


def test_a_connection_that_the_server_ended_is_noticed_without_asking() -> None:
    address = cluster().address("postgres")
    with psycopg.connect(address, autocommit=True) as ours, psycopg.connect(address, autocommit=True) as other:
        check_connection(ours)
        other.execute("SELECT pg_terminate_backend(%s, 5000)", (ours.info.backend_pid,))
        with pytest.raises(psycopg.OperationalError):
            check_connection(ours)


def test_news_of_the_server_do_no_harm() -> None:
    address = cluster().address("postgres")
    with psycopg.connect(address, autocommit=True) as ours, psycopg.connect(address, autocommit=True) as other:
        ours.execute("LISTEN news")
        other.execute("NOTIFY news")
        check_connection(ours)
        assert ours.execute("SELECT 1").fetchone() == (1,)

"""The write lock: one writer at a time over all threads and processes, readers never wait, nothing is left held."""

import gc
import json
import sqlite3
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

import pytest
from django.db import OperationalError, transaction

from allmende.web.sqlite.base import DatabaseWrapper, is_read
from allmende.web.sqlite.lock import WriteLock

STRESS = Path(__file__).with_name("lock_stress.py")


def connect(path: Path, wait: float = 5.0) -> DatabaseWrapper:
    """A connection of its own, laid out as Django's settings would."""
    wrapper = DatabaseWrapper(
        {
            "NAME": str(path),
            "OPTIONS": {"write_lock": f"{path}.turn", "write_wait": wait},
            "TIME_ZONE": None,
            "CONN_HEALTH_CHECKS": False,
            "CONN_MAX_AGE": None,
            "AUTOCOMMIT": True,
            "ATOMIC_REQUESTS": False,
            "TEST": {},
        },
        alias="house",
    )
    wrapper.inc_thread_sharing()
    return wrapper


@pytest.fixture(autouse=True)
def _own_connections(django_db_blocker):
    """The tests open files of their own; the house's database is not touched."""
    with django_db_blocker.unblock():
        yield


@pytest.fixture
def path(tmp_path):
    file = tmp_path / "house.sqlite3"
    raw = sqlite3.connect(file)
    raw.execute("CREATE TABLE reading (id INTEGER PRIMARY KEY, value INTEGER UNIQUE)")
    raw.commit()
    raw.close()
    return file


@pytest.fixture
def first(path):
    wrapper = connect(path)
    wrapper.ensure_connection()
    yield wrapper
    wrapper.close()


def run(wrapper, query, params=None):
    with wrapper.cursor() as cursor:
        cursor.execute(query, params)
        return cursor.fetchall() if cursor.description else None


def is_free(path) -> bool:
    lock = WriteLock(f"{path}.turn", 0.05)
    try:
        lock.take()
    except sqlite3.OperationalError:
        return False
    lock.close()
    return True


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("SELECT 1", True),
        ("  -- a word\n /* two */ (SELECT 1)", True),
        ("EXPLAIN QUERY PLAN SELECT 1", True),
        ("PRAGMA foreign_keys", True),
        ("WITH a AS (SELECT 1) SELECT replace(x, 'a', 'b') FROM a", True),
        ("WITH a AS (SELECT 1) INSERT INTO b SELECT * FROM a", False),
        ("insert into a values (1)", False),
        ("BEGIN IMMEDIATE", False),
        ("CREATE TABLE a (b)", False),
        ("", False),
    ],
)
def test_reads_are_told_from_writes(query, expected):
    assert is_read(query) is expected


def test_pragmas_hold_on_every_connection(first):
    assert run(first, "PRAGMA journal_mode") == [("wal",)]
    assert run(first, "PRAGMA synchronous") == [(2,)]
    assert run(first, "PRAGMA foreign_keys") == [(1,)]


def test_a_single_write_gives_its_turn_back(first, path):
    run(first, "INSERT INTO reading (value) VALUES (%s)", [1])
    assert is_free(path)
    with first.cursor() as cursor:
        cursor.executemany("INSERT INTO reading (value) VALUES (%s)", [(2,), (3,)])
    assert is_free(path)


def test_a_write_that_returns_rows_is_committed_when_execute_returns(first, path):
    with first.cursor() as cursor:
        cursor.execute("INSERT INTO reading (value) VALUES (%s), (%s) RETURNING id", [1, 2])
        assert is_free(path)
        assert sqlite3.connect(path).execute("SELECT count(*) FROM reading").fetchone() == (2,)
        assert cursor.fetchone() == (1,)
        assert list(cursor.fetchmany(5)) == [(2,)]
        assert cursor.fetchone() is None


def test_a_failed_write_gives_its_turn_back(first, path):
    run(first, "INSERT INTO reading (value) VALUES (1)")
    with pytest.raises(Exception, match="UNIQUE"):
        run(first, "INSERT INTO reading (value) VALUES (1)")
    assert is_free(path)


def test_a_transaction_holds_its_turn_to_its_end(first, path, monkeypatch):
    connections = {"house": first}
    monkeypatch.setattr(transaction, "get_connection", lambda using=None: connections["house"])
    with transaction.atomic():
        run(first, "SELECT 1")
        assert not is_free(path)
        with transaction.atomic():
            run(first, "INSERT INTO reading (value) VALUES (1)")
        assert not is_free(path)
        first.connection.execute("INSERT INTO reading (value) VALUES (2)")
    assert is_free(path)
    with suppress(ZeroDivisionError), transaction.atomic():
        run(first, "INSERT INTO reading (value) VALUES (3)")
        raise ZeroDivisionError
    assert is_free(path)
    assert run(first, "SELECT count(*) FROM reading") == [(2,)]


def test_closing_in_a_transaction_gives_the_turn_back(first, path):
    run(first, "BEGIN IMMEDIATE")
    assert not is_free(path)
    first.close()
    assert is_free(path)


def test_readers_do_not_wait_and_writers_say_why_they_gave_up(first, path):
    run(first, "BEGIN IMMEDIATE")
    run(first, "INSERT INTO reading (value) VALUES (1)")
    second = connect(path, wait=0.2)
    # A reader that waited for its turn would give up, as the writer below does.
    assert run(second, "SELECT count(*) FROM reading") == [(0,)]
    with pytest.raises(OperationalError, match=r"no turn to write within 0.2 s.*ALLMENDE_WRITE_WAIT"):
        run(second, "INSERT INTO reading (value) VALUES (2)")
    run(first, "COMMIT")
    run(second, "INSERT INTO reading (value) VALUES (2)")
    second.close()
    assert is_free(path)


def test_a_thread_that_ends_in_a_transaction_leaves_no_turn_behind(path):
    def leave():
        wrapper = connect(path)
        run(wrapper, "BEGIN IMMEDIATE")

    thread = threading.Thread(target=leave)
    thread.start()
    thread.join()
    gc.collect()
    assert is_free(path)


def test_two_processes_with_thirty_two_threads_each_never_meet_a_locked_database(path):
    sqlite3.connect(path).execute("DROP TABLE reading").connection.execute(
        "CREATE TABLE reading (id INTEGER PRIMARY KEY, value INTEGER)"
    ).connection.commit()
    command = [sys.executable, str(STRESS), str(path), "32", "2"]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE) for _ in range(2)]
    counts = [json.loads(process.communicate(timeout=60)[0]) for process in running]
    assert [count["errors"] for count in counts] == [[], []]
    written = sqlite3.connect(path).execute("SELECT count(*) FROM reading").fetchone()[0]
    assert written == sum(count["writes"] for count in counts) > 100

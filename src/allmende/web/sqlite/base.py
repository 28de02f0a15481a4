"""The backend. ``ENGINE = "allmende.web.sqlite"``; OPTIONS: ``write_lock`` (path) and ``write_wait`` (seconds).

Every write waits for its turn (:mod:`allmende.web.sqlite.lock`): a transaction from BEGIN to COMMIT or ROLLBACK, a
single statement outside of one for its own length. Reads never wait. All transactions are IMMEDIATE, since a deferred
one that turns into a writer cannot wait for its turn. A commit is on the disk when it returns (synchronous=FULL).

``connection.connection`` is the raw ``sqlite3.Connection``. It may be written to inside ``transaction.atomic()`` only;
reads are free.
"""

import re
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django.db.backends.sqlite3 import base

from allmende.web.sqlite.lock import NoLock, WriteLock

_BUSY_SECONDS = 10
"""Wait for writers that do not know the lock, e.g. the sqlite3 shell."""
PRAGMAS = (
    "PRAGMA synchronous = FULL",
    "PRAGMA cache_size = -16384",
    "PRAGMA temp_store = MEMORY",
    "PRAGMA mmap_size = 268435456",
    "PRAGMA journal_size_limit = 67108864",
)
_LEADING = re.compile(r"(?:\s+|--[^\n]*\n|/\*.*?\*/|\()*", re.DOTALL)
_READS = ("SELECT", "PRAGMA", "EXPLAIN", "VALUES")
_WRITE_IN_WITH = re.compile(r"\b(?:INSERT|UPDATE|DELETE|REPLACE\s+INTO)\b", re.IGNORECASE)


def is_read(query: str) -> bool:
    """Whether a statement surely only reads. In doubt it is taken for a write: a turn too many does no harm."""
    start = _LEADING.match(query)
    word = query[start.end() : start.end() + 7].upper() if start else ""
    if word.startswith(_READS):
        return True
    return word.startswith("WITH") and _WRITE_IN_WITH.search(query) is None


class DatabaseWrapper(base.DatabaseWrapper):
    """One connection with its turn to write."""

    write_lock: WriteLock

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.write_lock = NoLock()

    def get_connection_params(self) -> dict[str, Any]:
        params = super().get_connection_params()
        self._lock_path = params.pop("write_lock", None)
        self._lock_wait = float(params.pop("write_wait", 20.0))
        params.setdefault("timeout", _BUSY_SECONDS)
        params.setdefault("cached_statements", 512)
        self.transaction_mode = self.transaction_mode or "IMMEDIATE"
        return params

    def get_new_connection(self, conn_params: dict[str, Any]) -> sqlite3.Connection:
        self.write_lock.close()
        in_memory = self.is_in_memory_db()
        name = str(conn_params["database"])
        self.write_lock = NoLock() if in_memory else WriteLock(self._lock_path or f"{name}.lock", self._lock_wait)
        connection = super().get_new_connection(conn_params)
        for pragma in PRAGMAS:
            connection.execute(pragma)
        if not in_memory and connection.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
            with self.turn(connection):
                connection.execute("PRAGMA journal_mode = WAL")
        return connection

    def create_cursor(self, name: str | None = None) -> "Cursor":
        cursor = self.connection.cursor(factory=Cursor)
        cursor.wrapper = self
        return cursor

    @contextmanager
    def turn(self, connection: sqlite3.Connection) -> Iterator[None]:
        """Hold the turn for a statement, and on for as long as it leaves a transaction open."""
        self.write_lock.take()
        try:
            yield
        finally:
            if not connection.in_transaction:
                self.write_lock.give_back()

    def _commit(self) -> None:
        try:
            super()._commit()
        finally:
            self._after_transaction()

    def _rollback(self) -> None:
        try:
            super()._rollback()
        finally:
            self._after_transaction()

    def _close(self) -> None:
        try:
            super()._close()
        finally:
            self.write_lock.close()

    def _after_transaction(self) -> None:
        if self.connection is None or not self.connection.in_transaction:
            self.write_lock.give_back()


class Cursor(base.SQLiteCursorWrapper):
    """Takes the turn before a write that stands outside of a transaction.

    Rows that such a write returns are fetched at once: SQLite commits it when its last row is read.
    """

    wrapper: DatabaseWrapper
    _rows: list[Any] | None = None

    def execute(self, query: str, params: Sequence[Any] | None = None) -> Any:
        self._rows = None
        if self.wrapper.write_lock.held or is_read(query):
            result = super().execute(query, params)
            if self.wrapper.write_lock.held and not self.connection.in_transaction:
                self.wrapper.write_lock.give_back()
            return result
        with self.wrapper.turn(self.connection):
            result = super().execute(query, params)
            if self.description is not None and not self.connection.in_transaction:
                self._rows = super().fetchall()[::-1]
            return result

    def executemany(self, query: str, param_list: Iterable[Any]) -> Any:
        self._rows = None
        if self.wrapper.write_lock.held:
            return super().executemany(query, param_list)
        with self.wrapper.turn(self.connection):
            return super().executemany(query, param_list)

    def executescript(self, script: str) -> Any:
        self._rows = None
        with self.wrapper.turn(self.connection):
            return super().executescript(script)

    def fetchone(self) -> Any:
        if self._rows is None:
            return super().fetchone()
        return self._rows.pop() if self._rows else None

    def fetchmany(self, size: int | None = None) -> list[Any]:
        if self._rows is None:
            return super().fetchmany(self.arraysize if size is None else size)
        return [self._rows.pop() for _ in range(min(size or self.arraysize, len(self._rows)))]

    def fetchall(self) -> list[Any]:
        if self._rows is None:
            return super().fetchall()
        rows, self._rows = self._rows[::-1], []
        return rows

    def __next__(self) -> Any:
        if self._rows is None:
            return super().__next__()
        if not self._rows:
            raise StopIteration
        return self._rows.pop()

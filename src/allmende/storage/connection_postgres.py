"""A connection to PostgreSQL as the house asks it: prepared, pipelined, within the time of its question."""

import math
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

import psycopg
from psycopg import pq

from allmende.storage.allowance import Allowance
from allmende.storage.connections import Dialect

_LONGEST_PREPARED = 60
"""Parameters up to which a statement is kept prepared: longer lists rarely have the same length again."""


@lru_cache(maxsize=1000)
def _marked(sql: str) -> bytes:
    """The house's ``?`` as psycopg's ``%s``. No literal of ours holds a question mark."""
    return sql.replace("%", "%%").replace("?", "%s").encode()


class PostgresConnection:
    """A raw psycopg connection, asked in the house's SQL; its statements are prepared on the server."""

    def __init__(self, raw: "psycopg.Connection[Any]", dialect: Dialect, allowance: Allowance | None = None) -> None:
        self.dialect = dialect
        self.raw = raw
        self._allowance = allowance
        self._granted = allowance.seconds if allowance is not None else 0.0
        """Seconds that the server gives the next statement."""
        self.pipeline: psycopg.Pipeline | None = None
        self.committing = False

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open that can still be committed or go back to a savepoint."""
        return not self.raw.closed and self.raw.info.transaction_status != pq.TransactionStatus.IDLE

    def execute(self, sql: str, parameters: Sequence[Any] = (), /) -> "_Rows":
        """Run one statement."""
        if self._allowance is not None:
            self._grant(self._allowance.left())
        cursor: psycopg.Cursor[tuple[Any, ...]] = psycopg.Cursor(self.raw)
        cursor.execute(_marked(sql), parameters, prepare=len(parameters) <= _LONGEST_PREPARED)
        return _Rows(cursor, self)

    def executemany(self, sql: str, parameters: Iterable[Sequence[Any]], /) -> "_Rows":
        """Run one statement for many rows, pipelined."""
        cursor: psycopg.Cursor[tuple[Any, ...]] = psycopg.Cursor(self.raw)
        cursor.executemany(_marked(sql), list(parameters))
        return _Rows(cursor, self)

    def _grant(self, left: float) -> None:
        """Tell the server what is left, once that is clearly less than it knows of: most questions are quicker."""
        if left < 0.9 * self._granted:
            self._granted = left
            where = "LOCAL " if self.in_transaction else ""
            self.raw.execute(f"SET {where}statement_timeout = {math.ceil(left * 1000)}".encode())

    def end_question(self) -> None:
        """What the server was told holds no longer. A transaction that failed forgets it by itself."""
        if self._allowance is None or self._granted == self._allowance.seconds or self.raw.closed:
            return
        status = self.raw.info.transaction_status
        if status == pq.TransactionStatus.IDLE:
            self.raw.execute("RESET statement_timeout")
        elif status == pq.TransactionStatus.INTRANS:
            self.raw.execute("SET LOCAL statement_timeout TO DEFAULT")

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """See :class:`allmende.storage.connections.Connection`."""
        with self.raw.pipeline() as self.pipeline:
            try:
                yield
            finally:
                self.pipeline = None

    @contextmanager
    def and_commit(self) -> Iterator[None]:
        """See :class:`allmende.storage.connections.Connection`."""
        with self.at_once():
            yield
            self.committing = True
            self.execute("COMMIT")


class _Rows:
    """A cursor as the house uses it: no rows is no error."""

    def __init__(self, cursor: "psycopg.Cursor[tuple[Any, ...]]", connection: PostgresConnection) -> None:
        self._cursor = cursor
        self._connection = connection

    @property
    def rowcount(self) -> int:
        """How many rows were read or changed."""
        return self._answered().rowcount

    def fetchone(self) -> tuple[Any, ...] | None:
        """The next row or None."""
        cursor = self._answered()
        return cursor.fetchone() if _has_rows(cursor) else None

    def fetchall(self) -> list[tuple[Any, ...]]:
        """All rows left."""
        cursor = self._answered()
        return cursor.fetchall() if _has_rows(cursor) else []

    def _answered(self) -> "psycopg.Cursor[tuple[Any, ...]]":
        if self._connection.pipeline is not None:
            self._connection.pipeline.sync()
        return self._cursor

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        return iter(self.fetchall())


def _has_rows(cursor: "psycopg.Cursor[Any]") -> bool:
    """Whether its statement gives rows. ``description`` would make one of each column."""
    result = cursor.pgresult
    return result is not None and result.nfields > 0

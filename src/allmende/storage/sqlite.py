"""The SQLite engine: one file, one writer at a time, readers never wait."""

import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from allmende.domain.errors import InvalidQuery, StorageBusy, StorageError, StorageFull
from allmende.domain.query import ResultKind
from allmende.storage.allowance import Allowance, too_long
from allmende.storage.connections import (
    OBSERVATION,
    ColumnType,
    Committer,
    Connection,
    Connections,
    Dialect,
    Fragment,
    JsonKind,
    Numbers,
)
from allmende.storage.functions_sqlite import MISSING, TEMPLATES, register
from allmende.storage.schema_spatial import BOXES
from allmende.storage.slots import LookedInto, Slot
from allmende.storage.store import SqlStore

_TOO_DEEP = ("parser stack overflow", "Expression tree is too large", "too many SQL variables", "tables in a join")
_KINDS = {
    "number": f"({ResultKind.INTEGER}, {ResultKind.DECIMAL})",
    "string": f"({ResultKind.STRING})",
    "boolean": f"({ResultKind.BOOLEAN})",
}
_JSON_TYPES = {"number": "('integer', 'real')", "string": "('text')", "boolean": "('true', 'false')"}
_INSERT = f"INSERT INTO observation ({', '.join(OBSERVATION)}) VALUES ({', '.join('?' * len(OBSERVATION))})"


class SqliteStore(SqlStore):
    """A :class:`allmende.domain.store.Store` over SQLite connections that somebody else opens."""

    def __init__(self, connections: Connections, committer: Committer | None = None) -> None:
        super().__init__(connections, SqliteEngine(), committer)


class SqliteConnection:
    """A raw connection with the dialect beside it."""

    def __init__(self, raw: sqlite3.Connection, allowance: Allowance | None = None) -> None:
        self.dialect: Dialect = DIALECT
        self.committing = False
        self._raw = raw
        self._allowance = allowance
        self.executemany = raw.executemany

    def execute(self, sql: str, parameters: Sequence[Any] = (), /) -> sqlite3.Cursor:
        """Run one statement. A connection learns the functions of filters when it first needs them."""
        if self._allowance is not None:
            self._allowance.left()
        try:
            return self._raw.execute(sql, parameters)
        except sqlite3.OperationalError as error:
            if not str(error).startswith(MISSING):
                raise
            register(self._raw)
            return self._raw.execute(sql, parameters)

    def at_once(self) -> AbstractContextManager[None]:
        """Nothing to save: there is no way to a server."""
        return nullcontext()

    and_commit = at_once

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open."""
        return self._raw.in_transaction


class SqliteDialect:
    """One column without a type holds any result; JSON is read by functions over text."""

    name = "sqlite"
    locking = ""
    text_results = False
    reuses_keys = True
    arrays = False
    lateral = False
    functions = TEMPLATES
    by_code_points = ""  # its only collation that we use
    places: Mapping[tuple[str, str], str] = {}
    settled = "1 = 1"  # one writer at a time: numbers become visible in their order

    def result(self, alias: str) -> str:
        """See :class:`allmende.storage.connections.Dialect`."""
        return (
            f"CASE WHEN {alias}.result_kind >= {ResultKind.JSON} AND {alias}.result IS NULL"
            f" THEN (SELECT x.body FROM observation_document x WHERE x.id = {alias}.id) ELSE {alias}.result END"
        )

    def in_box(self, entity: str, attribute: str, alias: str, sides: tuple[float, float, float, float]) -> Fragment:
        """See :class:`allmende.storage.connections.Dialect`."""
        west, south, east, north = sides
        found = f"SELECT x.pk FROM {BOXES[entity, attribute]} x"
        rule = "x.west <= ? AND x.east >= ? AND x.south <= ? AND x.north >= ?"
        return f"{alias}.pk IN ({found} WHERE {rule})", (east, west, north, south)

    def in_item_box(self, alias: str, sides: tuple[float, float, float, float]) -> Fragment:
        """See :class:`allmende.storage.connections.Dialect`."""
        west, south, east, north = sides
        rule = "x.west <= ? AND x.east >= ? AND x.south <= ? AND x.north >= ?"
        return f"{alias}.pk IN (SELECT x.pk FROM item_box x WHERE {rule})", (east, west, north, south)

    def compare_result(self, alias: str, operator: str, value: Any, kind: JsonKind) -> Fragment:
        """See :class:`allmende.storage.connections.Dialect`."""
        # Without the guard SQLite would hold every text to be greater than every number.
        guarded = f"(CASE WHEN {alias}.result_kind IN {_KINDS[kind]} THEN {alias}.result END)"
        return f"{guarded} {operator} ?", (value,)

    def result_as(self, alias: str, kind: JsonKind) -> str:
        """See :class:`allmende.storage.connections.Dialect`."""
        value = f"(CASE WHEN {alias}.result_kind IN {_KINDS[kind]} THEN {alias}.result END)"
        return f"CAST({value} AS REAL)" if kind == "number" else value

    def plain_number(self, alias: str) -> str:
        """See :class:`allmende.storage.connections.Dialect`."""
        return f"{alias}.result"

    def plain_mean(self, alias: str, huge: str) -> str:
        """See :class:`allmende.storage.connections.Dialect`. A sum of whole numbers that leaves 64 bits ends a
        statement, an average does not."""
        return f"avg({alias}.result)"

    def order_result(self, alias: str) -> tuple[str, ...]:
        """See :class:`allmende.storage.connections.Dialect`."""
        kind = f"{alias}.result_kind"
        return (
            f"(CASE WHEN {kind} BETWEEN {ResultKind.INTEGER} AND {ResultKind.BOOLEAN} THEN {alias}.result END)",
            f"(CASE WHEN {kind} >= {ResultKind.STRING} THEN {self.result(alias)} END)",
        )

    def one_of(self, column: str, keys: Sequence[int] | Sequence[str] | Slot) -> Fragment:
        """See :class:`allmende.storage.connections.Dialect`."""
        if isinstance(keys, Slot):
            raise LookedInto
        return f"{column} IN ({', '.join('?' * len(keys))})", tuple(keys)

    def keep_text(self, value: Any) -> Any:
        """See :class:`allmende.storage.connections.Dialect`."""
        return value

    def set_result(self, kind: int, value: Any) -> Fragment:
        """See :class:`allmende.storage.connections.Dialect`."""
        return "result = ?", (value,)

    def insert_many(
        self,
        connection: Connection,
        table: str,
        columns: Mapping[str, ColumnType],
        rows: Sequence[tuple[Any, ...]],
        then: str = "",
    ) -> list[tuple[Any, ...]]:
        """See :class:`allmende.storage.connections.Dialect`."""
        sql = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))}) {then}"
        if "RETURNING" in then:
            return [row for values in rows for row in connection.execute(sql, values).fetchall()]
        connection.executemany(sql, rows)
        return []

    def insert_observations(self, connection: Connection, rows: Sequence[tuple[Any, ...]]) -> None:
        """See :class:`allmende.storage.connections.Dialect`."""
        connection.executemany(_INSERT, rows)

    def reserve_numbers(self, connection: Connection, count: int) -> Sequence[int]:
        """Consecutive numbers behind those given before; what clients took is skipped."""
        row = connection.execute("SELECT next FROM sequence WHERE entity = 'Observation'").fetchone()
        first: int = row[0] if row else 1
        while True:
            taken = connection.execute(
                "SELECT max(id) FROM observation WHERE id BETWEEN ? AND ?", (first, first + count - 1)
            ).fetchone()[0]
            if taken is None:
                break
            first = taken + 1
        connection.execute(
            "INSERT INTO sequence (entity, next) VALUES ('Observation', ?)"
            " ON CONFLICT (entity) DO UPDATE SET next = excluded.next",
            (first + count,),
        )
        return range(first, first + count)

    def ask_numbers(self, connection: Connection, count: int) -> Callable[[], Numbers]:
        """See :class:`allmende.storage.connections.Dialect`. Nobody else writes meanwhile."""

        def read() -> Numbers:
            row = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'change_log'").fetchone()
            first = row[0] + 1 if row else 1
            return Numbers(self.reserve_numbers(connection, count), range(first, first + count))

        return read

    def hold_number(self, connection: Connection, number: int) -> None:
        """Nobody else writes."""

    def json_at(self, column: str, keys: Sequence[str | int], kind: JsonKind) -> Fragment:
        """See :class:`allmende.storage.connections.Dialect`."""
        path = _path(keys)
        text = f"(CASE WHEN json_type({column}, ?) IN {_JSON_TYPES[kind]} THEN json_extract({column}, ?) END)"
        return text, (path, path)

    def json_missing(self, column: str, keys: Sequence[str | int]) -> Fragment:
        """See :class:`allmende.storage.connections.Dialect`."""
        return f"json_extract({column}, ?) IS NULL", (_path(keys),)

    def json_holds(self, column: str, keys: Sequence[str | int], kind: JsonKind, item: Fragment) -> Fragment:
        """See :class:`allmende.storage.connections.Dialect`."""
        path = _path(keys)
        value = "allmende_real(e.value)" if kind == "number" else "e.value"
        found = f"SELECT 1 FROM json_each({column}, ?) e WHERE e.type IN {_JSON_TYPES[kind]} AND {value} = {item[0]}"
        return f"(CASE WHEN json_type({column}, ?) = 'array' THEN EXISTS ({found}) END)", (path, path, *item[1])

    def json_any(self, column: str, keys: Sequence[str | int], alias: str, condition: Fragment) -> Fragment:
        """See :class:`allmende.storage.connections.Dialect`."""
        path = _path(keys)
        found = f"SELECT 1 FROM json_each({column}, ?) {alias} WHERE {condition[0]}"
        return f"(CASE WHEN json_type({column}, ?) = 'array' THEN EXISTS ({found}) END)", (path, path, *condition[1])

    def json_item(self, alias: str) -> str:
        """See :class:`allmende.storage.connections.Dialect`."""
        return (
            f"(CASE WHEN {alias}.type IN ('true', 'false', 'null') THEN {alias}.type"
            f" WHEN {alias}.type IN ('array', 'object') THEN {alias}.value ELSE json_quote({alias}.value) END)"
        )


def _path(keys: Iterable[str | int]) -> str:
    """SQLite's JSON path; it is bound as a parameter."""
    return "$" + "".join(f"[{k}]" if isinstance(k, int) else '."' + k.replace('"', '\\"') + '"' for k in keys)


DIALECT = SqliteDialect()


class SqliteEngine:
    """SQLite's connections and errors."""

    def wrap(self, raw: sqlite3.Connection) -> Connection:
        """See :class:`allmende.storage.connections.Engine`."""
        return SqliteConnection(raw)

    def asking(self, raw: sqlite3.Connection, seconds: float) -> AbstractContextManager[Connection]:
        """See :class:`allmende.storage.connections.Engine`."""
        return nullcontext(SqliteConnection(raw, Allowance(seconds)))

    def was_cut_off(self, error: BaseException) -> bool:
        """Never: a file does not hang up."""
        return False

    def may_repeat(self, error: BaseException) -> bool:
        """Never: there is one writer at a time."""
        return False

    def translate(self, error: BaseException) -> BaseException:
        """See :class:`allmende.storage.connections.Engine`."""
        cause = error if isinstance(error, sqlite3.Error) else error.__cause__
        if not isinstance(cause, sqlite3.Error):
            return error
        if any(words in str(cause) for words in _TOO_DEEP):
            return InvalidQuery(f"this question is too large or too deep ({cause}); ask it in pieces")
        code = (getattr(cause, "sqlite_errorcode", 0) or 0) & 0xFF
        if code == sqlite3.SQLITE_FULL:
            return StorageFull("the disk is full; nothing of this was stored. Make room, then send it again")
        if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            return StorageBusy("the database was busy for too long; nothing of this was stored. Send it again")
        if code == sqlite3.SQLITE_INTERRUPT:
            return too_long()
        if code == sqlite3.SQLITE_IOERR:
            return StorageError(f"the disk did not take or give data ({cause}); nothing of this was stored")
        if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            return StorageError(f"the database file is damaged ({cause}); restore a backup")
        return error

"""The PostgreSQL engine: typed results, COPY for bulk, lateral expansion, a change log in the order of commits."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import errors

from allmende.domain.errors import (
    Conflict,
    InvalidQuery,
    NotSupported,
    StorageBusy,
    StorageError,
    StorageFull,
)
from allmende.domain.query import ResultKind
from allmende.storage.allowance import Allowance, too_long
from allmende.storage.connection_postgres import PostgresConnection
from allmende.storage.connections import (
    OBSERVATION,
    ColumnType,
    Committer,
    Connection,
    Connections,
    Fragment,
    JsonKind,
    Numbers,
)
from allmende.storage.functions_postgres import TEMPLATES
from allmende.storage.logs import adopt_numbers
from allmende.storage.schema_postgres import CHANGE_NUMBER
from allmende.storage.schema_spatial import PLACES
from allmende.storage.slots import Slot, turned
from allmende.storage.store import SqlStore

_RESULT = OBSERVATION.index("result")
_COLUMNS = ", ".join(
    [*OBSERVATION[:_RESULT], "result_integer", "result_number", "result_text", *OBSERVATION[_RESULT + 1 :]]
)
_OTHER: Mapping[str, ColumnType] = {
    "result_kind": "smallint",
    "result_number": "double precision",
    "result_text": "text",
    "quality": "text",
    "parameters": "text",
}
_WIDTH = len(OBSERVATION) + 2
_INSERT = f"INSERT INTO observation ({_COLUMNS}) VALUES ({', '.join('?' * _WIDTH)})"
_TYPES: Mapping[str, ColumnType] = {name: _OTHER.get(name, "bigint") for name in _COLUMNS.split(", ")}
_COPY = f"COPY observation ({_COLUMNS}) FROM STDIN"
_DRAW = (
    f"SELECT x.n, x.c FROM (SELECT nextval('observation_number') AS n, {CHANGE_NUMBER} AS c"
    " FROM generate_series(1, ?)) x WHERE NOT EXISTS (SELECT 1 FROM observation_name o WHERE o.id = x.n)"
    " AND NOT EXISTS (SELECT 1 FROM observation_name l WHERE false FOR KEY SHARE)"
)
"""The last condition finds no row. It is there for the lock on the table, which stands in the way of those alone who
choose a number: it is had before the statement looks at anything, so that what they chose is seen."""
_FAR = 2**32
"""How far ahead of the numbers that were drawn one may be chosen that nobody will draw meanwhile."""
_COPY_FROM = 20
"""Rows from which COPY is quicker than statements."""
_JSON_TYPES = {"number": "number", "string": "string", "boolean": "boolean"}


_NO_PLACES = re.compile(r"function st_|column \w+\.geometry does not exist")
"""What a database without PostGIS says; its function may be there while ``allmende init`` has not been run again."""


class PostgresStore(SqlStore):
    """A :class:`allmende.domain.store.Store` over psycopg connections that somebody else opens."""

    def __init__(self, connections: Connections, committer: Committer | None = None) -> None:
        super().__init__(connections, PostgresEngine(), committer)

    def adopt_logs(self) -> int:
        """See :class:`allmende.domain.store.Store`."""
        return self._commit(adopt_numbers)


class PostgresDialect:
    """Results in three columns by type; JSON is kept as it came, as text, and looked into as jsonb."""

    name = "postgres"
    locking = "FOR UPDATE OF d"
    text_results = True
    reuses_keys = False
    arrays = True
    lateral = True
    functions = TEMPLATES
    by_code_points = ' COLLATE "C"'
    places = PLACES
    # Numbers become visible out of their order; below the oldest running transaction nothing can appear any more.
    settled = "c.number < (pg_snapshot_xmin(pg_current_snapshot())::text::bigint << 20)"

    def result(self, alias: str) -> str:
        """The result as text: one column holds one type."""
        document = f"(SELECT x.body FROM observation_document x WHERE x.id = {alias}.id)"
        return (
            f"CASE {alias}.result_kind WHEN {ResultKind.DECIMAL} THEN {alias}.result_number::text"
            f" WHEN {ResultKind.STRING} THEN {alias}.result_text"
            f" WHEN {ResultKind.JSON} THEN coalesce({alias}.result_text, {document})"
            f" WHEN {ResultKind.ROW} THEN coalesce({alias}.result_text, {document})"
            f" ELSE {alias}.result_integer::text END"
        )

    def in_box(self, entity: str, attribute: str, alias: str, sides: tuple[float, float, float, float]) -> Fragment:
        """See :class:`allmende.storage.connections.Dialect`."""
        real = "CAST(? AS double precision)"
        box = f"ST_MakeEnvelope({real}, {real}, {real}, {real}, 4326)"
        if column := PLACES.get((entity, attribute)):
            return f"{alias}.{column} && {box}", sides
        area = "ST_MakeEnvelope(x.west, x.south, x.east, x.north, 4326)"
        return f"{alias}.pk IN (SELECT x.datastream FROM stream_state x WHERE {area} && {box})", sides

    def in_item_box(self, alias: str, sides: tuple[float, float, float, float]) -> Fragment:
        """See :class:`allmende.storage.connections.Dialect`."""
        corner = "point(CAST(? AS double precision), CAST(? AS double precision))"
        own = f"box(point({alias}.west, {alias}.south), point({alias}.east, {alias}.north))"
        return f"{own} && box({corner}, {corner})", sides

    def compare_result(self, alias: str, operator: str, value: Any, kind: JsonKind) -> Fragment:
        """See :class:`allmende.storage.connections.Dialect`."""
        if kind == "number":
            # Each type is compared in its own column: a 64-bit number must not lose its last digits in a double.
            whole = f"CASE WHEN {alias}.result_kind = {ResultKind.INTEGER} THEN {alias}.result_integer"
            return (
                f"({whole} {operator} ?::numeric WHEN {alias}.result_kind = {ResultKind.DECIMAL}"
                f" THEN {alias}.result_number {operator} ?::double precision END)"
            ), (value, value)
        column, wanted = (
            ("result_text", ResultKind.STRING) if kind == "string" else ("result_integer", ResultKind.BOOLEAN)
        )
        return f"(CASE WHEN {alias}.result_kind = {wanted} THEN {alias}.{column} END) {operator} ?", (value,)

    def result_as(self, alias: str, kind: JsonKind) -> str:
        """See :class:`allmende.storage.connections.Dialect`."""
        whole = f"CASE {alias}.result_kind WHEN {ResultKind.INTEGER} THEN {alias}.result_integer::double precision"
        if kind == "number":
            return f"({whole} WHEN {ResultKind.DECIMAL} THEN {alias}.result_number END)"
        if kind == "string":
            return f"(CASE WHEN {alias}.result_kind = {ResultKind.STRING} THEN {alias}.result_text END)"
        return f"(CASE WHEN {alias}.result_kind = {ResultKind.BOOLEAN} THEN {alias}.result_integer END)"

    def plain_number(self, alias: str) -> str:
        """See :class:`allmende.storage.connections.Dialect`."""
        return f"coalesce({alias}.result_number, {alias}.result_integer)"

    def plain_mean(self, alias: str, huge: str) -> str:
        """See :class:`allmende.storage.connections.Dialect`.

        A sum that leaves the range of doubles ends a statement.
        """
        value = self.plain_number(alias)
        return f"avg(CASE WHEN abs({value}) < {huge} THEN {value} END)"

    def order_result(self, alias: str) -> tuple[str, ...]:
        """See :class:`allmende.storage.connections.Dialect`."""
        number = f"coalesce({alias}.result_number, {alias}.result_integer)"
        # Doubles do not tell 64-bit numbers apart; a decimal so large is a whole number.
        decimal = f"CASE WHEN abs({alias}.result_number) < 9.2e18 THEN {alias}.result_number::bigint END"
        whole = f"coalesce({alias}.result_integer, {decimal})"
        return (
            f"(CASE WHEN {alias}.result_kind <= {ResultKind.BOOLEAN} THEN {number} END)",
            f"(CASE WHEN {alias}.result_kind <= {ResultKind.BOOLEAN} THEN {whole} END)",
            f"(CASE WHEN {alias}.result_kind >= {ResultKind.STRING} THEN {self.result(alias)} END)",
        )

    def one_of(self, column: str, keys: Sequence[int] | Sequence[str] | Slot) -> Fragment:
        """One parameter however many they are, so that the statement stays the same and prepared."""
        if isinstance(keys, Slot):
            return f"{column} = ANY(?::bigint[])", (turned(_numbers, keys),)
        kind = "text" if keys and isinstance(keys[0], str) else "bigint"
        return f"{column} = ANY(?::{kind}[])", (_array(keys, kind),)

    def keep_text(self, value: Any) -> Any:
        """See :class:`allmende.storage.connections.Dialect`."""
        return value if value is None or isinstance(value, str) else repr(value)

    def set_result(self, kind: int, value: Any) -> Fragment:
        """See :class:`allmende.storage.connections.Dialect`."""
        return "result_integer = ?, result_number = ?, result_text = ?", _typed(kind, value)

    def insert_many(
        self,
        connection: Connection,
        table: str,
        columns: Mapping[str, ColumnType],
        rows: Sequence[tuple[Any, ...]],
        then: str = "",
    ) -> list[tuple[Any, ...]]:
        """One parameter a column, so that the statement stays the same and prepared however many rows there are."""
        lists = ", ".join(f"?::{kind}[]" for kind in columns.values())
        values = [_array(column, kind) for column, kind in zip(zip(*rows, strict=True), columns.values(), strict=True)]
        # WHERE true: else ON CONFLICT could be read as a join's condition.
        sql = f"INSERT INTO {table} ({', '.join(columns)}) SELECT * FROM unnest({lists}) WHERE true {then}"
        made = connection.execute(sql, values)
        return list(made) if "RETURNING" in then else []

    def insert_observations(self, connection: Connection, rows: Sequence[tuple[Any, ...]]) -> None:
        """Few by a prepared statement, many by COPY (which a pipeline can not)."""
        typed = [(*row[:_RESULT], *_typed(row[_RESULT - 1], row[_RESULT]), *row[_RESULT + 1 :]) for row in rows]
        if len(typed) == 1:
            connection.execute(_INSERT, typed[0])
        elif len(typed) < _COPY_FROM or not isinstance(connection, PostgresConnection) or connection.pipeline:
            self.insert_many(connection, "observation", _TYPES, typed)
        else:
            with psycopg.Cursor(connection.raw) as cursor, cursor.copy(_COPY) as copy:
                for row in typed:
                    copy.write_row(row)

    def reserve_numbers(self, connection: Connection, count: int) -> Sequence[int]:
        """From a sequence, which no two transactions share; what clients took is skipped."""
        numbers: list[int] = []
        while len(numbers) < count:
            numbers += [row[0] for row in connection.execute(_DRAW, (count - len(numbers),))]
        return numbers

    def ask_numbers(self, connection: Connection, count: int) -> Callable[[], Numbers]:
        """See :class:`allmende.storage.connections.Dialect`."""
        asked = connection.execute(_DRAW, (count,))

        def read() -> Numbers:
            rows = asked.fetchall()
            more = self.ask_numbers(connection, count - len(rows))() if len(rows) < count else Numbers((), ())
            return Numbers([*(n for n, _ in rows), *more.observations], [*(c for _, c in rows), *more.changes])

        return read

    def hold_number(self, connection: Connection, number: int) -> None:
        """See :class:`allmende.storage.connections.Dialect`."""
        row = connection.execute("SELECT last_value FROM observation_number").fetchone()
        if row is None or number < row[0] + _FAR:
            connection.execute("LOCK TABLE observation_name IN EXCLUSIVE MODE")

    def json_at(self, column: str, keys: Sequence[str | int], kind: JsonKind) -> Fragment:
        """See :class:`allmende.storage.connections.Dialect`."""
        path = [str(key) for key in keys]
        value = f"({column})::jsonb #>> ?::text[]"
        typed = {
            "number": f"({value})::numeric",
            "string": f'({value}) COLLATE "C"',
            "boolean": f"({value})::boolean::int",
        }[kind]
        guard = f"jsonb_typeof(({column})::jsonb #> ?::text[]) = '{_JSON_TYPES[kind]}'"
        return f"(CASE WHEN {guard} THEN {typed} END)", (path, path)

    def json_missing(self, column: str, keys: Sequence[str | int]) -> Fragment:
        """See :class:`allmende.storage.connections.Dialect`."""
        return f"(({column})::jsonb #>> ?::text[]) IS NULL", ([str(key) for key in keys],)

    def json_holds(self, column: str, keys: Sequence[str | int], kind: JsonKind, item: Fragment) -> Fragment:
        """See :class:`allmende.storage.connections.Dialect`."""
        text = "(e.value #>> '{}')"
        real = TEMPLATES["real"].format(f"{text}::numeric")
        value = {"number": real, "string": f'{text} COLLATE "C"', "boolean": f"{text}::boolean::int"}[kind]
        equal = f"CASE WHEN jsonb_typeof(e.value) = '{_JSON_TYPES[kind]}' THEN {value} = {item[0]} END"
        items = "jsonb_array_elements(CASE jsonb_typeof(y.list) WHEN 'array' THEN y.list END)"
        found = f"SELECT 1 FROM {items} e WHERE {equal}"
        case = f"CASE WHEN jsonb_typeof(y.list) = 'array' THEN EXISTS ({found}) END"
        path = [str(key) for key in keys]
        return f"(SELECT {case} FROM (SELECT ({column})::jsonb #> ?::text[] AS list OFFSET 0) y)", (*item[1], path)

    def json_any(self, column: str, keys: Sequence[str | int], alias: str, condition: Fragment) -> Fragment:
        """See :class:`allmende.storage.connections.Dialect`."""
        items = f"jsonb_array_elements(CASE jsonb_typeof({alias}_list.l) WHEN 'array' THEN {alias}_list.l END)"
        found = f"SELECT 1 FROM {items} {alias} WHERE {condition[0]}"
        case = f"CASE WHEN jsonb_typeof({alias}_list.l) = 'array' THEN EXISTS ({found}) END"
        inner = f"(SELECT ({column})::jsonb #> ?::text[] AS l OFFSET 0) {alias}_list"
        return f"(SELECT {case} FROM {inner})", (*condition[1], [str(key) for key in keys])

    def json_item(self, alias: str) -> str:
        """See :class:`allmende.storage.connections.Dialect`."""
        return f"{alias}.value"


def _array(values: Iterable[Any], kind: str) -> str:
    """Values as PostgreSQL writes an array. psycopg's own dumping takes longer than many a statement, and gives lists
    of small and large numbers different types, so that one statement would be prepared over and over."""
    if kind == "bytea":
        return "{" + ",".join(["NULL" if value is None else f'"\\\\x{value.hex()}"' for value in values]) + "}"
    if kind != "text":
        return "{" + ",".join(["NULL" if value is None else repr(value) for value in values]) + "}"
    texts = ["NULL" if value is None else '"' + _quoted(value) + '"' for value in values]
    return "{" + ",".join(texts) + "}"


def _numbers(values: Sequence[int]) -> str:
    return _array(values, "bigint")


def _quoted(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"')


def _typed(kind: int, value: Any) -> tuple[Any, Any, Any]:
    """A result as its three columns: whole number or boolean, decimal, text."""
    if kind == ResultKind.DECIMAL:
        return None, value, None
    return (None, None, value) if kind >= ResultKind.STRING else (value, None, None)


DIALECT = PostgresDialect()


class PostgresEngine:
    """psycopg's connections and errors."""

    def wrap(self, raw: "psycopg.Connection[Any]") -> Connection:
        """See :class:`allmende.storage.connections.Engine`."""
        return PostgresConnection(raw, DIALECT)

    @contextmanager
    def asking(self, raw: "psycopg.Connection[Any]", seconds: float) -> Iterator[Connection]:
        """See :class:`allmende.storage.connections.Engine`."""
        connection = PostgresConnection(raw, DIALECT, Allowance(seconds))
        try:
            yield connection
        finally:
            connection.end_question()

    def was_cut_off(self, error: BaseException) -> bool:
        """See :class:`allmende.storage.connections.Engine`."""
        cause = error if isinstance(error, psycopg.Error) else error.__cause__
        return isinstance(cause, errors.AdminShutdown | errors.CrashShutdown) or type(cause) is psycopg.OperationalError

    def may_repeat(self, error: BaseException) -> bool:
        """Deadlocks, and races of two who make the same thing known at once."""
        return isinstance(error, errors.DeadlockDetected | errors.SerializationFailure | errors.UniqueViolation)

    def translate(self, error: BaseException) -> BaseException:
        """See :class:`allmende.storage.connections.Engine`."""
        cause = error if isinstance(error, psycopg.Error) else error.__cause__
        if not isinstance(cause, psycopg.Error):
            return error
        said = str(cause).strip().split("\n")[0]
        if isinstance(cause, errors.DiskFull):
            return StorageFull("the database's disk is full; nothing of this was stored. Make room, then send it again")
        if isinstance(cause, errors.QueryCanceled):
            return too_long()
        if isinstance(cause, errors.UniqueViolation):
            return Conflict("somebody else made the same thing at the same moment; nothing of this was stored")
        if isinstance(cause, errors.ForeignKeyViolation):
            return Conflict("what this hangs on was deleted at the same moment; nothing of this was stored")
        if isinstance(cause, errors.DeadlockDetected | errors.SerializationFailure | errors.LockNotAvailable):
            return StorageBusy("the database was busy; nothing of this was stored. Send it again")
        if isinstance(cause, errors.StatementTooComplex | errors.ProgramLimitExceeded):
            return InvalidQuery(f"this question is too large or too deep ({said}); ask it in pieces")
        if isinstance(cause, errors.UntranslatableCharacter | errors.CharacterNotInRepertoire):
            return InvalidQuery("a character that PostgreSQL cannot keep (NUL)")
        if isinstance(cause, errors.UndefinedFunction | errors.UndefinedColumn) and _NO_PLACES.match(said):
            return NotSupported("geo and st functions need PostGIS, which this database does not have", where="$filter")
        if isinstance(cause, psycopg.OperationalError):
            return StorageBusy(f"the database is away ({said}); nothing of this was stored. Send it again")
        return StorageError(f"the database did not take this: {said}")

"""Whole tables in and out, for backups: rows mean the same whichever engine they came from.

A result is a number, a text or null, also where PostgreSQL keeps it in three columns or as its text; what an engine
works out by itself (generated columns, spatial indexes) is neither taken along nor put back.
"""

import base64
from collections.abc import Iterator, Sequence
from itertools import count
from typing import Any

import psycopg
from psycopg import sql as pgsql

from allmende.domain.errors import Conflict, InvalidInput
from allmende.domain.logs import TIME_FOLLOWER
from allmende.storage.archive import Table
from allmende.storage.connection_postgres import PostgresConnection
from allmende.storage.connections import OBSERVATION, Connection
from allmende.storage.logs import NEWEST_ON_POSTGRES
from allmende.storage.schema import CHANGE_NUMBERS, RESULTS, TABLES
from allmende.storage.values import decode_number

_ROWS = 2000
_NUMBER = "observation_number"
_LOGS = ("change_log", "entity_log")
_names = count(1)


def tables_of(connection: Connection) -> tuple[str, ...]:
    """The names of all tables of the database, also those that are not the house's; parts and indexes are left out."""
    if connection.dialect.name == "postgres":
        rows = connection.execute(
            "SELECT c.relname FROM pg_class c WHERE c.relnamespace = current_schema()::regnamespace"
            " AND c.relkind IN ('r', 'p') AND NOT c.relispartition AND NOT EXISTS"
            " (SELECT 1 FROM pg_depend e WHERE e.objid = c.oid AND e.classid = 'pg_class'::regclass"
            " AND e.deptype = 'e') ORDER BY 1"
        )
    else:
        # An index over boxes is a table of its own, with others that hold it.
        rows = connection.execute(
            "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND name NOT LIKE 'sqlite_%'"
            " ORDER BY 1"
        )
    return tuple(row[0] for row in rows.fetchall())


def describe(connection: Connection, table: str) -> Table:
    """The columns of a table as an archive has them."""
    if connection.dialect.name == "postgres":
        found = connection.execute(
            "SELECT attname, format_type(atttypid, NULL) FROM pg_attribute WHERE attrelid = to_regclass(?)"
            " AND attnum > 0 AND NOT attisdropped AND attgenerated = '' ORDER BY attnum",
            (table,),
        ).fetchall()
    else:
        found = connection.execute("SELECT name, lower(type) FROM pragma_table_info(?)", (table,)).fetchall()
    binary = tuple(name for name, kind in found if kind in ("blob", "bytea"))
    names = OBSERVATION if table == "observation" else tuple(name for name, _ in found)
    return Table(table=table, columns=names, binary=binary)


def read_rows(connection: Connection, table: Table) -> Iterator[tuple[Any, ...]]:
    """The rows of a table, a few at a time; in a transaction that sees one state of all tables."""
    columns = ", ".join(table.columns)
    if table.table == "observation" and isinstance(connection, PostgresConnection):
        columns = columns.replace("result,", "result_integer, result_number, result_text,")
        yield from _join_results(_stream(connection, f"SELECT {columns} FROM observation"))
        return
    rows = _stream(connection, f"SELECT {columns} FROM {table.table}")
    if connection.dialect.text_results and table.table in RESULTS:
        kind, value = (table.columns.index(name) for name in RESULTS[table.table])
        rows = ((*row[:value], _typed(row[kind], row[value]), *row[value + 1 :]) for row in rows)
    yield from rows
    if table.table == "sequence" and isinstance(connection, PostgresConnection):
        # What is a row there is a sequence of the server here.
        last, called = connection.execute(f"SELECT last_value, is_called FROM {_NUMBER}").fetchone() or (1, False)
        yield "Observation", last + int(called)


def _stream(connection: Connection, text: str) -> Iterator[tuple[Any, ...]]:
    if not isinstance(connection, PostgresConnection):
        cursor = connection.execute(text)
        while rows := cursor.fetchmany(_ROWS):
            yield from rows
        return
    with psycopg.ServerCursor(connection.raw, f"archive_{next(_names)}") as cursor:
        cursor.itersize = _ROWS
        cursor.execute(text.encode())
        yield from cursor


def _join_results(rows: Iterator[tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
    at = OBSERVATION.index("result")
    for row in rows:
        whole, real, text = row[at : at + 3]
        yield (*row[:at], whole if whole is not None else real if real is not None else text, *row[at + 3 :])


def _typed(kind: int, value: Any) -> Any:
    return value if value is None else decode_number(kind, value)


def load_rows(connection: Connection, table: Table, rows: Sequence[list[Any]], newest: int) -> None:
    """Put rows of an archive into a table, in the transaction that is open.

    Numbers of changes are a database's own. Those of the archive, of which ``newest`` is the highest, are put below
    zero in their order, with the cursors of who followed them: each follower goes on where it was, and no new change
    is taken for one that it has seen.
    """
    for place in (table.columns.index(name) for name in CHANGE_NUMBERS.get(table.table, ())):
        for row in rows:
            if not (table.table == "follower" and row[table.columns.index("name")].startswith(TIME_FOLLOWER)):
                row[place] -= newest + 1
    for place in (table.columns.index(name) for name in table.binary):
        for row in rows:
            row[place] = None if row[place] is None else base64.b64decode(row[place])
    if table.table == "observation":
        if table.columns != OBSERVATION:
            order = [table.columns.index(name) for name in OBSERVATION]
            rows = [[row[place] for place in order] for row in rows]
        connection.dialect.insert_observations(connection, [tuple(row) for row in rows])
        return
    if table.table in RESULTS:
        value = table.columns.index(RESULTS[table.table][1])
        for row in rows:
            row[value] = connection.dialect.keep_text(row[value])
    if isinstance(connection, PostgresConnection):
        _copy(connection, table, rows)
    else:
        marks = ", ".join("?" * len(table.columns))
        connection.executemany(f"INSERT INTO {table.table} ({', '.join(table.columns)}) VALUES ({marks})", rows)


def _copy(connection: PostgresConnection, table: Table, rows: Sequence[list[Any]]) -> None:
    if table.table == "sequence":
        at = table.columns.index("entity")
        for row in rows:
            if row[at] == "Observation":
                number = row[table.columns.index("next")]
                # Only ever upwards: a sequence does not go back with a transaction that fails.
                connection.execute(
                    f"SELECT setval('{_NUMBER}', greatest(?, (SELECT last_value + is_called::int FROM {_NUMBER})),"
                    " false)",
                    (number,),
                )
        rows = [row for row in rows if row[at] != "Observation"]
    statement = pgsql.SQL("COPY {} ({}) FROM STDIN").format(
        pgsql.Identifier(table.table), pgsql.SQL(", ").join(map(pgsql.Identifier, table.columns))
    )
    with psycopg.Cursor(connection.raw) as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(row)


def check_columns(connection: Connection, table: Table) -> None:
    """Raise InvalidInput where an archive's table is none of this database, or has columns that it has not."""
    missing = set(table.columns) - set(describe(connection, table.table).columns)
    if table.table not in TABLES or missing:
        raise InvalidInput(f"this backup has a table that is not known here: {table.table} {sorted(missing) or ''}")


def empty(connection: Connection) -> None:
    """Delete everything measured, in the transaction that is open."""
    if connection.dialect.name == "postgres":
        if connection.execute("SELECT to_regclass('layout_work') IS NOT NULL").fetchone() == (True,):
            raise Conflict(
                "another layout is being copied; finish it (`allmende database layout`), or --stop it, first"
            )
        connection.execute(f"TRUNCATE {', '.join(TABLES)}")
        return
    for table in TABLES:
        connection.execute(f"DELETE FROM {table}")


def newest_change(connection: Connection) -> int:
    """A number that no change known here goes beyond, and every later one does."""
    if connection.dialect.name == "postgres":
        row = connection.execute(f"SELECT {NEWEST_ON_POSTGRES}").fetchone()
    else:
        row = connection.execute(f"SELECT max(seq) FROM sqlite_sequence WHERE name IN {_LOGS}").fetchone()
    return int(row[0] or 0) if row else 0


def after_load(connection: Connection) -> None:
    """What an engine counts by itself goes on behind what was put in."""
    if not isinstance(connection, PostgresConnection):
        # Numbers that came with the archive are below zero: the next is one that was never given here.
        for log in _LOGS:
            connection.execute(
                "INSERT INTO sqlite_sequence (name, seq) SELECT ?, 0 WHERE NOT EXISTS"
                " (SELECT 1 FROM sqlite_sequence WHERE name = ?)",
                (log, log),
            )
        connection.execute(f"UPDATE sqlite_sequence SET seq = max(seq, 0) WHERE name IN {_LOGS}")
        return
    # Only ever upwards: the server's sequences do not go back with a transaction that fails.
    for table, column, sequence in connection.execute(
        "SELECT c.relname, a.attname, pg_get_serial_sequence(c.oid::regclass::text, a.attname)"
        " FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid"
        " WHERE a.attidentity <> '' AND c.relnamespace = current_schema()::regnamespace"
    ).fetchall():
        connection.execute(
            f"SELECT setval('{sequence}', greatest((SELECT max({column}) FROM {table}), (SELECT last_value FROM"
            f" {sequence})))"
        )

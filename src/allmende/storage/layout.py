"""From one layout of PostgreSQL to another: copy, catch up, swap. Readers and writers go on meanwhile.

Each step is a transaction that also notes how far it came, so that a copy that was killed goes on where it was, and two
who copy at once take turns. A trigger notes the keys of what is written meanwhile; those rows are taken over anew, the
last of them while the table is locked for the swap. Until then nothing but the trigger touches the old table.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from psycopg import errors

from allmende.domain.errors import Conflict, InvalidInput, StorageBusy
from allmende.storage.committer import translated
from allmende.storage.connections import Connection, Connections
from allmende.storage.layout_sql import (
    BEGIN,
    EXTENSIONS,
    FOLLOW,
    KEY,
    NEXT,
    TOUCHED,
    WORK,
    Layout,
    index,
    made,
    renamed,
)
from allmende.storage.postgres import PostgresEngine
from allmende.storage.schema_postgres import year_start

ROWS = 20_000
"""Copied in one step."""
_LAST_ROWS = 1_000
"""Left to be taken over while writers wait."""
_SWAPS = 30
_KEYS = tuple(name.strip() for name in KEY.split(","))

Progress = Callable[[str, int], None]
"""Gets what is being done, and how many rows were copied so far."""


class Work(NamedTuple):
    """A copy that was begun."""

    layout: Layout
    first_year: int
    last_year: int
    phase: str
    datastream: int | None
    phenomenon_start: int | None
    disc: int | None
    copied: int


class Relayout:
    """Changes the layout of one database, step by step."""

    def __init__(self, connections: Connections, *, rows: int = ROWS) -> None:
        self._connections = connections
        self._engine = PostgresEngine()
        self._rows = rows

    def run(self, layout: Layout, first_year: int, last_year: int, progress: Progress | None = None) -> int:
        """Copy and swap; gives the rows that were copied. Begun with the same target before, it goes on there.

        Raises InvalidInput where the extension is missing, Conflict where another copy was begun, StorageBusy where
        the table could not be had for the swap: run it again.
        """
        self._do(lambda c: self._begin(c, layout, first_year, last_year))
        copied = 0
        while True:
            work = self._do(read_work)
            if work is None:
                return copied
            copied = work.copied
            if progress is not None:
                progress(work.phase, copied)
            self._step(work)

    def stop(self) -> bool:
        """Give a copy up that was begun; whether there was one."""

        def drop(connection: Connection) -> bool:
            if not _exists(connection, WORK):
                return False
            connection.execute("DROP TRIGGER IF EXISTS observation_touched ON observation")
            connection.execute(f"DROP TABLE IF EXISTS {NEXT}, {TOUCHED}, {WORK}")
            connection.execute("DROP FUNCTION IF EXISTS allmende_touched()")
            return True

        return bool(self._do(drop))

    def _do(self, work: Callable[[Connection], Any]) -> Any:
        with translated(self._engine), self._connections.writing() as raw:
            return work(self._engine.wrap(raw))

    def _step(self, work: Work) -> None:
        if work.phase == "copy":
            self._do(lambda c: _copy(c, self._rows))
        elif work.phase == "index":
            self._do(_make_indexes)
        elif self._do(lambda c: _catch_up(c, self._rows)) < _LAST_ROWS:
            self._swap()

    def _swap(self) -> None:
        for _ in range(_SWAPS):
            try:
                self._do(_swap)
            except StorageBusy as error:
                # Somebody reads for long: let others pass, take over what they wrote, try again.
                if not isinstance(error.__cause__, errors.LockNotAvailable | errors.DeadlockDetected):
                    raise
                self._do(lambda c: _catch_up(c, self._rows))
            else:
                return
        raise StorageBusy("the observations were read without a pause; give the same command again at a quieter time")

    def _begin(self, connection: Connection, layout: Layout, first: int, last: int) -> None:
        if not 1 <= first <= last <= 9998 or last - first > 500:
            raise InvalidInput(f"{first} to {last} are no years for parts", where="--years")
        work = read_work(connection)
        if work is not None:
            if (work.layout, work.first_year, work.last_year) != (layout, first, last):
                raise Conflict(
                    f"another copy was begun ({work.layout}, {work.first_year}-{work.last_year}); go on with that, or"
                    " give it up: `allmende database layout --stop`"
                )
            return
        extension = EXTENSIONS.get(layout)
        if extension and not has_extension(connection, extension):
            raise InvalidInput(
                f"this database has no extension {extension}; install it, then CREATE EXTENSION {extension}",
                where=layout,
            )
        if layout_of(connection) == "citus":
            raise InvalidInput("Citus knows no triggers on what it spread; take a backup and restore it elsewhere")
        connection.execute(BEGIN)
        for statement in (*made(layout, first, last), *FOLLOW):
            connection.execute(statement)
        connection.execute(
            f"INSERT INTO {WORK} (layout, first_year, last_year, phase, copied) VALUES (?, ?, ?, 'copy', 0)",
            (layout, first, last),
        )


def read_work(connection: Connection) -> Work | None:
    """The copy that was begun, kept from others to the end of the transaction; None where there is none."""
    if not _exists(connection, WORK):
        return None
    row = connection.execute(f"SELECT {', '.join(Work._fields)} FROM {WORK} FOR UPDATE").fetchone()
    return None if row is None else Work(*row)


def layout_of(connection: Connection) -> Layout:
    """How observations are kept now."""
    if (
        has_extension(connection, "timescaledb")
        and connection.execute(
            "SELECT 1 FROM timescaledb_information.hypertables WHERE hypertable_name = 'observation'"
        ).fetchone()
    ):
        return "timescale"
    if (
        has_extension(connection, "citus")
        and connection.execute(
            "SELECT 1 FROM pg_dist_partition WHERE logicalrelid = 'observation'::regclass"
        ).fetchone()
    ):
        return "citus"
    return "plain"


def has_extension(connection: Connection, name: str) -> bool:
    """Whether the database has made an extension."""
    return connection.execute("SELECT 1 FROM pg_extension WHERE extname = ?", (name,)).fetchone() is not None


def _exists(connection: Connection, table: str) -> bool:
    return connection.execute("SELECT 1 WHERE to_regclass(?) IS NOT NULL", (table,)).fetchone() is not None


def _columns(connection: Connection) -> list[str]:
    rows = connection.execute(
        "SELECT attname FROM pg_attribute WHERE attrelid = 'observation'::regclass AND attnum > 0"
        " AND NOT attisdropped AND attgenerated = '' ORDER BY attnum"
    )
    return [row[0] for row in rows.fetchall()]


def _copy(connection: Connection, rows: int) -> None:
    """The next rows in the order of the key."""
    work = read_work(connection)
    if work is None or work.phase != "copy":
        return
    rules, values = ["1 = 1"], list[Any]()
    if work.datastream is not None:
        rules, values = [f"({KEY}) > (?, ?, ?)"], [work.datastream, work.phenomenon_start, work.disc]
    last = connection.execute(
        f"SELECT {KEY} FROM observation WHERE {rules[0]} ORDER BY {KEY} OFFSET ? LIMIT 1", (*values, rows - 1)
    ).fetchone()
    if last is not None:
        rules.append(f"({KEY}) <= (?, ?, ?)")
        values += last
    columns = ", ".join(_columns(connection))
    copied = connection.execute(
        f"INSERT INTO {NEXT} ({columns}) SELECT {columns} FROM observation WHERE {' AND '.join(rules)}", values
    ).rowcount
    # What came behind the last key meanwhile was noted by the trigger.
    phase = "index" if last is None else "copy"
    connection.execute(
        f"UPDATE {WORK} SET phase = ?, datastream = ?, phenomenon_start = ?, disc = ?, copied = copied + ?",
        (phase, *(last or (None, None, None)), copied),
    )


def _make_indexes(connection: Connection) -> None:
    work = read_work(connection)
    if work is None or work.phase != "index":
        return
    rows = connection.execute(
        "SELECT pg_get_indexdef(indexrelid) FROM pg_index WHERE indrelid = 'observation'::regclass AND NOT indisprimary"
    )
    for (definition,) in rows.fetchall():
        connection.execute(index(definition))
    connection.execute(f"ANALYZE {NEXT}")
    connection.execute(f"UPDATE {WORK} SET phase = 'swap'")


def _catch_up(connection: Connection, rows: int) -> int:
    """Take over anew what was written meanwhile, up to so many rows; gives how many there were."""
    read_work(connection)
    keys = {
        tuple(row)
        for row in connection.execute(
            f"DELETE FROM {TOUCHED} WHERE ctid = ANY(ARRAY(SELECT t.ctid FROM {TOUCHED} t LIMIT ?)) RETURNING {KEY}",
            (rows,),
        ).fetchall()
    }
    if not keys:
        return 0
    lists = [list(column) for column in zip(*sorted(keys), strict=True)]
    asked = "SELECT * FROM unnest(?::bigint[], ?::bigint[], ?::bigint[])"
    connection.execute(f"DELETE FROM {NEXT} WHERE ({KEY}) IN ({asked})", lists)
    columns = ", ".join(f"o.{name}" for name in _columns(connection))
    connection.execute(
        f"INSERT INTO {NEXT} ({columns.replace('o.', '')}) SELECT {columns} FROM observation o"
        f" JOIN unnest(?::bigint[], ?::bigint[], ?::bigint[]) AS k ({KEY}) USING ({KEY})",
        lists,
    )
    return len(keys)


def _swap(connection: Connection) -> None:
    """Take over the rest while nobody writes, then the next table is the table."""
    if read_work(connection) is None:
        return
    connection.execute("SET LOCAL lock_timeout = '3s'")
    connection.execute("LOCK TABLE observation IN ACCESS EXCLUSIVE MODE")
    while _catch_up(connection, ROWS):
        pass
    connection.execute(f"DROP TABLE observation, {TOUCHED}, {WORK}")
    connection.execute("DROP FUNCTION allmende_touched()")
    connection.execute(f"ALTER TABLE {NEXT} RENAME TO observation")
    rows = connection.execute(
        "SELECT relname, relkind FROM pg_class WHERE relname LIKE ? AND relnamespace = current_schema()::regnamespace",
        (f"{NEXT}\\_%",),
    ).fetchall()
    for name, kind in rows:
        word = "INDEX" if kind in ("i", "I") else "TABLE"
        connection.execute(f"ALTER {word} {name} RENAME TO {renamed(name)}")


def extend(connection: Connection, through: int) -> list[int]:
    """Give years of the plain layout a part of their own, up to one; gives those that got one.

    What lies in the DEFAULT part already is moved, and nobody writes meanwhile. Waits three seconds at most for others.
    """
    if layout_of(connection) != "plain" or _exists(connection, WORK):
        return []
    rows = connection.execute(
        "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid"
        " WHERE i.inhparent = 'observation'::regclass"
    ).fetchall()
    there = {int(name.removeprefix("observation_")) for (name,) in rows if name.removeprefix("observation_").isdigit()}
    missing = list(range(max(there, default=through) + 1, through + 1))
    if missing:
        connection.execute("SET LOCAL lock_timeout = '3s'")
        connection.execute("LOCK TABLE observation IN ACCESS EXCLUSIVE MODE")
    for year in missing:
        name, start, end = f"observation_{year}", year_start(year), year_start(year + 1)
        span = (start, end)
        connection.execute(f"CREATE TABLE {name} (LIKE observation INCLUDING DEFAULTS, PRIMARY KEY ({KEY}))")
        connection.execute(
            f"WITH moved AS (DELETE FROM observation_rest WHERE phenomenon_start >= ? AND phenomenon_start < ?"
            f" RETURNING *) INSERT INTO {name} SELECT * FROM moved",
            span,
        )
        # Proved beforehand, so that attaching it reads nothing again.
        connection.execute(
            f"ALTER TABLE {name} ADD CONSTRAINT {name}_span"
            f" CHECK (phenomenon_start >= {start} AND phenomenon_start < {end})"
        )
        connection.execute(f"ALTER TABLE observation ATTACH PARTITION {name} FOR VALUES FROM ({start}) TO ({end})")
        connection.execute(f"ALTER TABLE {name} DROP CONSTRAINT {name}_span")
    return missing


class Part(NamedTuple):
    """A table that holds observations."""

    name: str
    rows: int
    """As the planner estimates it."""
    bytes: int


def parts_of(connection: Connection) -> list[Part]:
    """The parts of the observations with their sizes, indexes included."""
    layout = layout_of(connection)
    if layout != "plain":
        size = "hypertable_size" if layout == "timescale" else "citus_total_relation_size"
        row = connection.execute(f"SELECT (SELECT sum(count) FROM stream_state), {size}('observation')").fetchone()
        return [Part("observation", int(row[0] or 0), int(row[1] or 0))] if row else []
    rows = connection.execute(
        "SELECT c.relname, greatest(c.reltuples, 0)::bigint, pg_total_relation_size(c.oid) FROM pg_inherits i"
        " JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = 'observation'::regclass ORDER BY c.relname"
    )
    return [Part(*row) for row in rows.fetchall()]

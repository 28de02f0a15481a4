"""The two logs that followers read: of observations (``change_log``) and of all other entities (``entity_log``).

Both are written in the transaction of what they tell of. On PostgreSQL their numbers become visible out of order; only
what is settled is read (see ``Dialect.settled``).
"""

from collections.abc import Iterable, Mapping

from allmende.domain.logs import ENTITY_FOLLOWER, TIME_FOLLOWER, Backlog, Change, EntityChange, Stamp
from allmende.domain.model import ENTITIES, STREAMS
from allmende.storage.connections import ColumnType, Connection
from allmende.storage.schema import COLUMNS, TABLE_OF

_PART = 1000
"""Lines deleted in one go."""
NEWEST_ON_POSTGRES = "((pg_snapshot_xmax(pg_current_snapshot())::text::bigint + 1) << 20) - 1"
"""A number that no change goes beyond which was made in this cluster, and every later one does."""


def log_entity(connection: Connection, entity: str, identifier: str, kind: str, fields: Iterable[str] = ()) -> None:
    """Note that an entity (no observation) was created (``create``) or changed (``update``, with what is different)."""
    connection.execute(
        "INSERT INTO entity_log (entity, id, kind, fields) VALUES (?, ?, ?, ?)",
        (entity, identifier, kind, ",".join(fields)),
    )


_CREATED: Mapping[str, ColumnType] = {"entity": "text", "id": "text", "kind": "text", "fields": "text"}


def log_created(connection: Connection, entity: str, identifiers: Iterable[str]) -> None:
    """Note that entities of one type were created."""
    rows = [(entity, identifier, "create", "") for identifier in identifiers]
    connection.dialect.insert_many(connection, "entity_log", _CREATED, rows)


def log_key(connection: Connection, entity: str, key: int, *fields: str) -> None:
    """Note a change of the entity with the engine's own key."""
    row = connection.execute(f"SELECT e.id FROM {TABLE_OF[entity]} e WHERE e.pk = ?", (key,)).fetchone()
    if row is not None:
        log_entity(connection, entity, row[0], "update", fields)


def names_of(entity: str, columns: Iterable[str]) -> list[str]:
    """The attributes and to-one relations that these columns hold; others are the house's own."""
    attributes = {column: name for name, column in COLUMNS[entity].items()}
    relations = {table: name for name, table in TABLE_OF.items() if ENTITIES[entity].relation(name)}
    named = (attributes.get(column) or relations.get(column) for column in columns)
    return [name for name in named if name]


def read_entities(connection: Connection, after: int, limit: int) -> list[EntityChange]:
    """The log of entities after a number, as far as no lower number can appear any more."""
    rows = connection.execute(
        "SELECT c.number, c.entity, c.id, c.kind, c.fields, c.logged_at FROM entity_log c"
        f" WHERE c.number > ? AND {connection.dialect.settled} ORDER BY c.number LIMIT ?",
        (after, limit),
    )
    return [
        EntityChange(
            number=number,
            entity=entity,
            id=identifier,
            kind=kind,
            fields=tuple(fields.split(",")) if fields else (),
            logged_at=logged_at,
        )
        for number, entity, identifier, kind, fields, logged_at in rows
    ]


def read_changes(connection: Connection, after: int, limit: int) -> list[Change]:
    """The log of observations after a number, as far as no lower number can appear any more."""
    rows = connection.execute(
        "SELECT c.number, coalesce(d.id, g.id), coalesce(d.width, g.width), c.kind, c.first, c.last, c.count, o.name,"
        " c.received_at"
        " FROM change_log c"
        " LEFT JOIN datastream d ON d.pk = c.datastream LEFT JOIN gone_stream g ON g.datastream = c.datastream"
        " JOIN origin o ON o.pk = c.origin"
        f" WHERE c.number > ? AND {connection.dialect.settled} ORDER BY c.number LIMIT ?",
        (after, limit),
    )
    return [
        Change(
            number=number,
            stream=stream,
            entity=STREAMS[1 if width else 0],
            kind=kind,
            start=start,
            end=end,
            count=count,
            origin=origin,
            received_at=received_at,
        )
        for number, stream, width, kind, start, end, count, origin, received_at in rows
    ]


_OLDEST_WRITER = """
SELECT w.who FROM (
  SELECT age(s.backend_xid) AS age, concat('process ', s.pid, ' (', concat_ws(', ', nullif(s.application_name, ''),
    'database ' || s.datname, s.state), ')') AS who
  FROM pg_stat_activity s WHERE s.backend_xid IS NOT NULL AND s.pid <> pg_backend_pid()
  UNION ALL
  SELECT age(p.transaction), concat('prepared transaction ', p.gid, ' (database ', p.database, ')')
  FROM pg_prepared_xacts p
) w ORDER BY w.age DESC LIMIT 1
"""
"""Who holds back what is settled: of the whole cluster, since its databases count their transactions together."""


def read_backlog(connection: Connection, after: int) -> Backlog | None:
    """What is behind a number of the log of observations, and on PostgreSQL who keeps it from being read."""
    sql = (
        f"SELECT c.received_at, {connection.dialect.settled} FROM change_log c"
        " WHERE c.number > ? ORDER BY c.number LIMIT 1"
    )
    row = connection.execute(sql, (after,)).fetchone()
    if row is None:
        return None
    held_by = ""
    if not row[1]:
        # Another user's transactions are not shown to one without the role pg_read_all_stats.
        writer = connection.execute(_OLDEST_WRITER).fetchone()
        held_by = writer[0] if writer else "a transaction that may not be seen"
    return Backlog(since=int(row[0]), held_by=held_by)


def newest(connection: Connection, table: str) -> int:
    """The highest number in a log below which no other can appear any more, 0 if there is none.

    Who begins behind it misses nothing of those who are writing now; what they hold back is told, too.
    """
    row = connection.execute(f"SELECT max(c.number) FROM {table} c WHERE {connection.dialect.settled}").fetchone()
    return int(row[0] or 0)


def read_stamp(connection: Connection) -> Stamp:
    """See :class:`allmende.domain.logs.Stamp`.

    Where numbers become visible out of their order, one may appear below the highest. Then there is one more among
    those that are not settled, or what is settled goes further.
    """
    settled = connection.dialect.settled
    parts = [
        f"SELECT '{table}{place}', {what} FROM {table} c WHERE {which}"
        for table in ("change_log", "entity_log")
        for place, what, which in (
            (0, "max(c.number)", "1 = 1"),
            (1, "max(c.number)", settled),
            (2, "count(*)", f"NOT ({settled})"),
        )
    ]
    parts.append("SELECT 'dataset', d.pk FROM dataset d WHERE d.access = 'open'")
    found: dict[str, list[int]] = {"c": [], "e": [], "d": []}
    for name, number in sorted(connection.execute(" UNION ALL ".join(parts)).fetchall(), key=lambda row: row[0]):
        found[name[0]].append(number or 0)
    return Stamp(readings=tuple(found["c"]), entities=tuple(found["e"]), open=tuple(sorted(found["d"])))


def prune(connection: Connection, *, read_before: int, before: int, deletions_before: int) -> int:
    """Delete up to 1,000 lines of each log that are no longer needed; gives how many went.

    See :meth:`allmende.domain.store.Store.prune_logs`.
    """
    cursors = connection.execute("SELECT name, number FROM follower").fetchall()
    gone = 0
    for table, time, in_time in (
        ("entity_log", "logged_at", None),
        ("change_log", "received_at", deletions_before),
    ):
        entities = table == "entity_log"
        read = [
            number
            for name, number in cursors
            if name.startswith(ENTITY_FOLLOWER) == entities and not name.startswith(TIME_FOLLOWER)
        ]
        # The newest line stays: a new follower begins behind it.
        sql = (
            f"DELETE FROM {table} WHERE number IN (SELECT c.number FROM {table} c"
            f" WHERE c.number < (SELECT max(n.number) FROM {table} n)"
            f" AND ((c.number <= ? AND c.{time} < ?) OR c.{time} < ?)"
            f"{'' if in_time is None else ' AND (c.kind <> ? OR c.received_at < ?)'} ORDER BY c.number LIMIT {_PART})"
        )
        kept = () if in_time is None else ("deletion", in_time)
        gone += connection.execute(sql, (min(read, default=2**63 - 1), read_before, before, *kept)).rowcount
    return int(gone)


def adopt_numbers(connection: Connection) -> int:
    """On PostgreSQL: put the numbers of changes below zero, with the cursors of who followed them, where they came
    from another cluster (pg_restore, replication). Gives how many lines and cursors that were.

    A number holds its transaction's. Where transactions are counted anew, what is written now would stand below what
    every follower has seen. What was written here since then, and is newer than all that came along, stays as it is.
    """
    # A follower of the clock stands at a time, whichever cluster that was in.
    counted = f"substr(name, 1, {len(TIME_FOLLOWER)}) <> '{TIME_FOLLOWER}'"
    every = (
        "SELECT number FROM change_log UNION ALL SELECT number FROM entity_log"
        f" UNION ALL SELECT number FROM follower WHERE {counted}"
    )
    foreign = f"SELECT {NEWEST_ON_POSTGRES}, min(e.number), max(e.number) FROM ({every}) e"
    newest, _, highest = connection.execute(foreign).fetchone()
    if highest is None or highest <= newest:
        return 0
    connection.execute("LOCK TABLE change_log, entity_log, follower IN EXCLUSIVE MODE")
    newest, lowest, highest = connection.execute(foreign).fetchone()
    if highest <= newest:
        return 0  # another process of the house was faster
    step = highest - min(lowest, 0) + 1
    count = 0
    for log, time in (("change_log", "received_at"), ("entity_log", "logged_at")):
        # What came along is above the newest, or no newer than what is.
        came = (
            f"(c.number NOT BETWEEN 0 AND ? OR c.{time} <="
            f" (SELECT coalesce(max(n.{time}), 0) FROM {log} n WHERE n.number > ?))"
        )
        if log == "change_log":
            # Readings say which change they are of, for as long as it is to be told.
            connection.execute(
                f"UPDATE observation SET change = observation.change - ? FROM change_log c WHERE {came}"
                " AND observation.datastream = c.datastream AND observation.phenomenon_start BETWEEN c.first AND c.last"
                " AND observation.change = c.number",
                (step, newest, newest),
            )
        count += connection.execute(
            f"UPDATE {log} c SET number = c.number - ? WHERE {came}", (step, newest, newest)
        ).rowcount
    count += connection.execute(f"UPDATE follower SET number = number - ? WHERE {counted}", (step,)).rowcount
    return int(count)

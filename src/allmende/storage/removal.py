"""Deleting: an entity with all that hangs on it (18-088, table 8.3.1), or observations one by one.

The order of locks is the writers': the entities, then their streams in the order of their keys.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any, NamedTuple

from allmende.domain.batch import Removal
from allmende.domain.errors import Conflict, LimitExceeded, NotFound
from allmende.domain.model import ENTITIES, STREAMS
from allmende.storage.compile import compile_keys
from allmende.storage.connections import Connection
from allmende.storage.entities import check_writable, forget_declarations, forget_features, origin_key
from allmende.storage.find import find_one
from allmende.storage.logs import log_key
from allmende.storage.readings import log_change
from allmende.storage.relations import JOINS, Join, key_of
from allmende.storage.schema import TABLE_OF
from allmende.storage.sql import Sql, of_kind, visible
from allmende.storage.state import Stream, at_the_end, lock_streams, recount_area, recount_state, write_states

_PART = 500
_TABLES_OF_STREAMS = {j.table: j for (entity, _), j in JOINS.items() if entity in STREAMS and j.kind == "link"}.values()
"""What holds streams together with others."""
_COLUMNS = ("datastream", "phenomenon_start", "disc", "id", "phenomenon_end", "result_time", "feature")


class Doomed(NamedTuple):
    """An observation that is to go, or to be moved away."""

    datastream: int
    start: int
    disc: int
    number: int
    end: int | None
    result_time: int | None
    feature: int | None


def check_question(connection: Connection, removal: Removal) -> None:
    """Raise LimitExceeded where the question leads to more than may go at once.

    Asked on a connection that stops what takes too long, it also keeps such a question from who writes.
    """
    if removal.most is None:
        return
    sql = compile_keys(removal.target, connection.dialect, [key_of(removal.target.entity)])
    bounded = sql + Sql(" LIMIT ?", (removal.most + 1,))
    _check_bound(len(connection.execute(bounded.text, bounded.params).fetchall()), removal.most)


def _check_bound(count: int, most: int | None) -> None:
    if most is not None and count > most:
        raise LimitExceeded(f"this would delete more than {most}; nothing was", setting="ALLMENDE_DELETE_MAX")


def remove_entities(connection: Connection, removal: Removal) -> int:
    """Delete all that the question leads to; gives how many of them there were, without what hung on them."""
    target = removal.target
    remover = _Remover(connection, removal)
    if target.entity == "Observation":
        count = remover.observations_of_question()
    else:
        sql = remover.bounded(compile_keys(target, connection.dialect, ["pk"]))
        keys = [row[0] for row in connection.execute(sql.text, sql.params).fetchall()]
        count = len(keys)
        remover.check_bound(count)
        locked = remover.lock(target.entity, keys)
        remover.check_seen()
        for part in _parts(locked):
            remover.remove(target.entity, part)
    if not count and target.id is not None:
        raise NotFound("there is nothing here")
    return count


class _Remover:
    def __init__(self, connection: Connection, removal: Removal) -> None:
        self.connection = connection
        self.removal = removal
        self.origin = origin_key(connection, removal.origin, "")

    def bounded(self, question: Sql) -> Sql:
        """The question for no more than one row too many."""
        most = self.removal.most
        return question if most is None else question + Sql(" LIMIT ?", (most + 1,))

    def check_bound(self, count: int) -> None:
        """Raise LimitExceeded where the question leads to more than may go at once."""
        _check_bound(count, self.removal.most)

    def check_seen(self) -> None:
        """Raise ChangedMeanwhile where what is locked now is not what it was decided for."""
        if self.removal.seen is not None:
            find_one(self.connection, self.removal.target, self.removal.seen)

    def lock(self, entity: str, keys: Sequence[int]) -> list[int]:
        """Keep others from hanging anything on these; gives those that are still there."""
        locked: list[int] = []
        for part in _parts(sorted(keys)):
            self.check_allowed(entity, part)
            locked += self.keys(
                f"SELECT d.pk FROM {TABLE_OF[entity]} d WHERE d.pk IN ({_marks(part)}) ORDER BY d.pk"
                f" {self.connection.dialect.locking}",
                part,
            )
        return locked

    def keys(self, sql: str, parameters: Sequence[Any]) -> list[int]:
        """The first column."""
        return [row[0] for row in self.connection.execute(sql, parameters).fetchall()]

    def remove(self, entity: str, keys: list[int]) -> None:
        """Delete up to 500 entities, that are locked, with what hangs on them."""
        if entity in STREAMS:
            self.streams(keys)
            return
        if entity == "FeatureOfInterest":
            self.features(keys)
        elif entity == "Location":
            self.locations(keys)
        else:
            self.hanging(entity, keys)
        self.delete(TABLE_OF[entity], "pk", keys)

    def hanging(self, entity: str, keys: list[int]) -> None:
        """Before entities go: what cannot be without them goes, too; everything else lets go of them."""
        for relation in ENTITIES[entity].relations:
            join, back = JOINS[entity, relation.name], ENTITIES[relation.target].relation(relation.inverse)
            if join.kind == "own" or back is None:
                continue
            goes = back.required or back.name in ENTITIES[relation.target].one_of
            if goes or join.kind == "far":
                for part in _parts(self.children(relation.target, join, keys)):
                    self.check_allowed(relation.target, part)
                    if goes:
                        self.remove(relation.target, part)
                    else:
                        self.let_go(relation.target, join.column, part)
            if join.kind == "link":
                self.delete(join.table, join.column, keys)

    def children(self, entity: str, join: Join, keys: list[int]) -> list[int]:
        """The keys of entities that hang on others, in ascending order."""
        if join.kind == "link":
            which = f"e.pk IN (SELECT {join.other} FROM {join.table} WHERE {join.column} IN ({_marks(keys)}))"
        else:
            which = f"e.{join.column} IN ({_marks(keys)})"
        rules = " AND ".join([which, *(rule.text for rule in of_kind(entity, "e"))])
        return self.keys(f"SELECT e.pk FROM {TABLE_OF[entity]} e WHERE {rules} ORDER BY e.pk", keys)

    def let_go(self, entity: str, column: str, keys: list[int]) -> None:
        """These hang on nothing there any more."""
        table, marks = TABLE_OF[entity], _marks(keys)
        locking = self.connection.dialect.locking
        self.keys(f"SELECT d.pk FROM {table} d WHERE d.pk IN ({marks}) ORDER BY d.pk {locking}", keys)
        self.connection.execute(f"UPDATE {table} SET {column} = NULL WHERE pk IN ({marks})", keys)

    def delete(self, table: str, column: str, keys: Sequence[Any]) -> None:
        """Delete rows."""
        self.connection.execute(f"DELETE FROM {table} WHERE {column} IN ({_marks(keys)})", keys)

    def locations(self, keys: list[int]) -> None:
        """Before locations go: their history, and what stands there."""
        things = sorted(set(self.keys(f"SELECT thing FROM thing_location WHERE location IN ({_marks(keys)})", keys)))
        for part in _parts(things):
            self.check_allowed("Thing", part)
            forget_declarations(self.connection, f"d.thing IN ({_marks(part)})", part)
        self.hanging("Location", keys)
        for thing in things:
            forget_features(self.connection, thing)
            log_key(self.connection, "Thing", thing, "Locations")

    def features(self, keys: list[int]) -> None:
        """Before features go: what was observed of them."""
        streams = self.keys(f"SELECT datastream FROM feature_datastream WHERE feature IN ({_marks(keys)})", keys)
        locked = self.locked(streams)
        for stream in locked.values():
            gone = self.doomed(f"o.datastream = ? AND o.feature IN ({_marks(keys)})", [stream.pk, *keys])
            self.observations(stream, gone)
        self.delete("feature_datastream", "feature", keys)
        forget_declarations(self.connection, f"d.feature IN ({_marks(keys)})", keys)
        self.connection.execute(f"UPDATE datastream SET feature = NULL WHERE feature IN ({_marks(keys)})", keys)
        for stream in locked.values():
            recount_area(self.connection, stream)
        write_states(self.connection, locked.values())

    def locked(self, keys: Iterable[int]) -> dict[int, Stream]:
        """Streams that the reader may see, locked. Raises Conflict for others: nothing goes that one cannot see."""
        listed = sorted(set(keys))
        for part in _parts(listed):
            self.check_allowed("Datastream", part)
        return lock_streams(self.connection, listed)

    def check_allowed(self, entity: str, keys: Sequence[int]) -> None:
        """Raise Conflict where one of these is hidden from who deletes, Forbidden where they may not write to it."""
        reader, connection = self.removal.target.reader, self.connection
        if not keys:
            return
        rows = f"FROM {TABLE_OF[entity]} e WHERE e.pk IN ({_marks(keys)})"
        rule = visible(entity, "e", reader, simulated=True)
        if rule is not None:
            hidden = connection.execute(f"SELECT 1 {rows} AND NOT (" + rule.text + ") LIMIT 1", (*keys, *rule.params))
            if hidden.fetchone():
                raise Conflict("something hangs on this that you may not delete")
        for (dataset,) in connection.execute(f"SELECT DISTINCT e.dataset {rows}", keys).fetchall():
            check_writable(connection, dataset, reader, entity)

    def streams(self, keys: list[int]) -> None:
        """Delete whole streams: no walk over their observations but the engine's own."""
        connection = self.connection
        for stream in self.locked(keys).values():
            if stream.count:
                log_change(
                    connection, stream, "deletion", stream.first_start, stream.latest_start, stream.count,
                    self.origin, self.removal.received_at,
                )  # fmt: skip
            connection.execute(
                "INSERT INTO gone_stream (datastream, id, width) VALUES (?, ?, ?)", (stream.pk, stream.id, stream.width)
            )
            self.observed("EXISTS (SELECT 1 FROM observation o WHERE o.id = {} AND o.datastream = ?)", (stream.pk,))
            numbers = "(SELECT o.id FROM observation o WHERE o.datastream = ?)"
            for side in ("observation_document", "observation_name"):
                connection.execute(f"DELETE FROM {side} WHERE id IN {numbers}", (stream.pk,))
            connection.execute(f"DELETE FROM observation_history WHERE id IN {numbers}", (stream.pk,))
            for table in (
                "observation_history",
                "observation",
                "feature_datastream",
                "stream_state",
                "retention_state",
            ):
                connection.execute(f"DELETE FROM {table} WHERE datastream = ?", (stream.pk,))
            for join in _TABLES_OF_STREAMS:
                connection.execute(f"DELETE FROM {join.table} WHERE {join.column} = ?", (stream.pk,))
            connection.execute("DELETE FROM datastream WHERE pk = ?", (stream.pk,))

    def observed(self, which: str, parameters: Sequence[Any]) -> None:
        """Before observations go: what cannot be without them goes, too. ``which`` holds of their numbers ``{}``."""
        for relation in ENTITIES["Observation"].relations:
            join = JOINS["Observation", relation.name]
            if join.kind == "link":
                column = f"{join.table}.{join.column}"
                self.connection.execute(f"DELETE FROM {join.table} WHERE {which.format(column)}", parameters)
            elif join.kind == "far":
                rule = which.format(f"e.{join.column}")
                rows = f"SELECT e.pk FROM {TABLE_OF[relation.target]} e WHERE {rule} ORDER BY e.pk"
                for part in _parts(self.keys(rows, parameters)):
                    self.check_allowed(relation.target, part)
                    self.remove(relation.target, part)

    def observations_of_question(self) -> int:
        """Delete the observations that the question leads to."""
        connection, target = self.connection, self.removal.target
        streams = compile_keys(target, connection.dialect, ["datastream"])
        locked = self.locked(self.keys(streams.text, streams.params))
        self.check_seen()
        # Asked again: now nobody changes them any more.
        picked = self.bounded(compile_keys(target, connection.dialect, _COLUMNS) + " ORDER BY 1, 2")
        rows = connection.execute(picked.text, picked.params).fetchall()
        self.check_bound(len(rows))
        count = 0
        for key, group in groupby(map(Doomed._make, rows), key=lambda row: row.datastream):
            if key in locked:
                gone = list(group)
                self.observations(locked[key], gone)
                count += len(gone)
        write_states(connection, locked.values())
        return count

    def doomed(self, which: str, parameters: Sequence[Any]) -> list[Doomed]:
        """Observations ``o``."""
        rows = self.connection.execute(f"SELECT {', '.join(_COLUMNS)} FROM observation o WHERE {which}", parameters)
        return [Doomed(*row) for row in rows]

    def observations(self, stream: Stream, gone: list[Doomed]) -> None:
        """Delete observations of a locked stream; its state still has to be written."""
        if not gone:
            return
        connection = self.connection
        starts = [row.start for row in gone]
        log_change(
            connection, stream, "deletion", min(starts), max(starts), len(gone), self.origin, self.removal.received_at
        )
        self.rows(stream, gone)
        forget_observations(connection, stream, gone)

    def rows(self, stream: Stream, gone: Sequence[Doomed]) -> None:
        """Delete rows with what is said of them elsewhere; no log tells of it, and no state knows yet."""
        connection = self.connection
        for part in _parts(gone):
            numbers = [row.number for row in part]
            self.observed(f"{{}} IN ({_marks(numbers)})", numbers)
            for side in ("observation_document", "observation_name", "observation_history"):
                self.delete(side, "id", numbers)
            # By the clustered key first, so that both engines walk to the rows and to their partitions.
            connection.execute(
                f"DELETE FROM observation WHERE datastream = ? AND phenomenon_start IN ({_marks(part)})"
                f" AND +id IN ({_marks(part)})",
                (stream.pk, *(row.start for row in part), *numbers),
            )


def delete_rows(connection: Connection, removal: Removal, stream: Stream, gone: Sequence[Doomed]) -> None:
    """Delete observations of a locked stream with what hangs on them; log and state are the caller's to write."""
    _Remover(connection, removal).rows(stream, gone)


def forget_observations(connection: Connection, stream: Stream, gone: list[Doomed]) -> None:
    """Work out a stream's state after observations went from it."""
    walk = any(at_the_end(stream, row.start if row.end is None else row.end, row.result_time) for row in gone)
    features = {row.feature for row in gone if row.feature is not None}
    recount_state(connection, stream, -len(gone), sorted(features), walk=walk)


def _parts(keys: Sequence[Any]) -> Iterator[list[Any]]:
    for place in range(0, len(keys), _PART):
        yield list(keys[place : place + _PART])


def _marks(keys: Sequence[Any]) -> str:
    return ", ".join("?" * len(keys))

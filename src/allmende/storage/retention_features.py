"""What the city's rules of retention make of features that have gone, and of what was said of features before.

What a feature is now is never touched: it stands in the last delivery. Each chunk is a transaction of its own that
holds the collection's row, as a delivery does; run again, it finds nothing to do.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import partial
from threading import Event
from typing import Any, NamedTuple, TypeVar

from allmende.domain.retention import CollectionFacts, Retention, RetentionProfile
from allmende.storage.committer import translated
from allmende.storage.connections import Connection, Connections, Engine

T = TypeVar("T")


class FoundCollection(NamedTuple):
    """A collection, and the rule that holds for it."""

    pk: int
    facts: CollectionFacts
    rule: RetentionProfile | None


class FeaturesWork:
    """Applies a city's rules to one database. Used by one thread."""

    def __init__(
        self,
        connections: Connections,
        engine: Engine,
        retention: Retention,
        *,
        looking: Callable[[], AbstractContextManager[Any]],
        rows: int,
    ) -> None:
        self._connections = connections
        self._engine = engine
        self._retention = retention
        self._looking = looking
        self._rows = rows

    def collections(self) -> Iterator[FoundCollection]:
        """All collections in the order of their keys."""
        for pk, name, dataset, source in self._look(_read_collections):
            facts = CollectionFacts(id=name, dataset=dataset, source=source)
            yield FoundCollection(pk, facts, self._retention.rule_of_collection(facts))

    def weigh(self, found: FoundCollection, now: int) -> int:
        """How many versions and features :meth:`apply` would delete at ``now``."""
        high = self._horizon(found, now)
        return 0 if high is None else self._look(partial(_count, pk=found.pk, high=high))

    def apply(self, found: FoundCollection, now: int, stop: Event | None = None) -> int:
        """Delete what was replaced, or has gone, for longer than is kept, until ``stop`` is set; gives how many."""
        high = self._horizon(found, now)
        gone = 0
        while high is not None and not (stop is not None and stop.is_set()):
            chunk = self._write(partial(_delete_chunk, pk=found.pk, high=high, rows=self._rows))
            gone += chunk
            if chunk < self._rows:
                self._write(partial(_delete_empty, pk=found.pk, high=high))
                break
        return gone

    def _horizon(self, found: FoundCollection, now: int) -> int | None:
        """What ended before that goes; None: nothing."""
        return None if found.rule is None else self._retention.horizon(found.rule, now)

    def _look(self, work: Callable[[Connection], T]) -> T:
        with translated(self._engine), self._looking() as raw:
            return work(self._engine.wrap(raw))

    def _write(self, work: Callable[[Connection], T]) -> T:
        with translated(self._engine), self._connections.writing() as raw:
            return work(self._engine.wrap(raw))


_OLD = "SELECT h.pk FROM item_history h JOIN item i ON i.pk = h.item WHERE i.collection = ? AND h.until <= ?"
_GONE = "SELECT i.pk FROM item i WHERE i.collection = ? AND i.gone_at <= ?"


def _read_collections(connection: Connection) -> list[tuple[Any, ...]]:
    rows: list[tuple[Any, ...]] = connection.execute(
        "SELECT c.pk, c.id, d.id, c.source FROM collection c JOIN dataset d ON d.pk = c.dataset ORDER BY c.pk"
    ).fetchall()
    return rows


def _count(connection: Connection, pk: int, high: int) -> int:
    return sum(
        int(connection.execute(f"SELECT count(*) FROM ({found}) x", (pk, high)).fetchone()[0])
        for found in (_OLD, _GONE)
    )


def _delete_chunk(connection: Connection, pk: int, high: int, rows: int) -> int:
    """Delete no more than so many, versions first: those of a feature that went ended before it did."""
    if not _hold(connection, pk):
        return 0
    done = 0
    for table, found in (("item_history", _OLD), ("item", _GONE)):
        keys = [row[0] for row in connection.execute(f"{found} LIMIT ?", (pk, high, rows - done)).fetchall()]
        for place in range(0, len(keys), 500):
            condition, values = connection.dialect.one_of("pk", keys[place : place + 500])
            connection.execute(f"DELETE FROM {table} WHERE {condition}", values)
        done += len(keys)
        if done >= rows:
            break
    return done


def _delete_empty(connection: Connection, pk: int, high: int) -> None:
    """A collection that has nothing left, and to which nothing came for as long, goes too; a delivery makes it anew."""
    if _hold(connection, pk):
        connection.execute(
            "DELETE FROM collection WHERE pk = ? AND changed_at <= ?"
            " AND NOT EXISTS (SELECT 1 FROM item i WHERE i.collection = collection.pk)",
            (pk, high),
        )


def _hold(connection: Connection, pk: int) -> bool:
    locking = connection.dialect.locking
    return connection.execute(f"SELECT d.pk FROM collection d WHERE d.pk = ? {locking}", (pk,)).fetchone() is not None

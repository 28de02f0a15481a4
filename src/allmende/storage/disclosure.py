"""Which datasets that are not open an answer tells of, so that somebody can note who was told."""

from collections.abc import Iterable, Iterator
from typing import Any

from msgspec.structs import replace

from allmende.domain.model import STREAMS
from allmende.domain.query import Page, Query
from allmende.storage.compile import compile_keys
from allmende.storage.connections import Connection
from allmende.storage.relations import key_of
from allmende.storage.schema import TABLE_OF
from allmende.storage.sql import Sql

_PART = 500
"""Keys that are looked up in one statement."""


def of_page(connection: Connection, page: Page) -> frozenset[str]:
    """Those of its rows, of all that was counted, and of what the path leads through. None where nothing was found."""
    if not page.rows and not page.count:
        return frozenset()
    found = set(_of_path(connection, page.query))
    if page.count and not _in_a_stream(page.query):
        found |= of_query(connection, page.query)
    keys: dict[str, set[Any]] = {}
    _gather(page, keys, below="")
    for entity, own in keys.items():
        found |= _of_keys(connection, entity, own)
    return frozenset(found)


def of_query(connection: Connection, query: Query) -> frozenset[str]:
    """Those of everything that a question leads to, whatever its page, and of what its path leads through."""
    bare = replace(query, order=(), after=None, skip=0, expand=(), count=False)
    return _of_set(connection, bare) | _of_path(connection, query)


def of_names(
    connection: Connection,
    *,
    streams: Iterable[str] = (),
    sources: Iterable[str] = (),
    collections: Iterable[str] = (),
    datasets: Iterable[str] = (),
) -> frozenset[str]:
    """Those of Datastreams, of what sources feed, of collections, and among datasets, all by their ids."""
    found: set[str] = set()
    for names, of, column in (
        (streams, "e.dataset FROM datastream e", "e.id"),
        (sources, "e.dataset FROM datastream e", "e.source"),
        (collections, "e.dataset FROM collection e", "e.id"),
        (datasets, "e.pk FROM dataset e", "e.id"),
    ):
        for part in _in_parts(sorted(set(names))):
            rule, values = connection.dialect.one_of(column, part)
            found |= _closed(connection, Sql(f"SELECT {of} WHERE {rule}", values))
    return frozenset(found)


def _of_path(connection: Connection, query: Query) -> frozenset[str]:
    found: set[str] = set()
    for place, step in enumerate(query.path):
        before = query.path[:place]
        found |= _of_set(connection, Query(entity=step.entity, reader=query.reader, path=before, id=step.id))
    return frozenset(found)


def _of_set(connection: Connection, query: Query) -> frozenset[str]:
    if query.entity == "Observation":
        inner = compile_keys(query, connection.dialect, ("datastream",))
        return _closed(connection, "SELECT d.dataset FROM datastream d WHERE d.pk IN (" + inner + ")")
    return _closed(connection, compile_keys(query, connection.dialect, ("dataset",)))


def _closed(connection: Connection, keys: Sql) -> frozenset[str]:
    sql = "SELECT x.id FROM dataset x WHERE x.access <> 'open' AND x.pk IN (" + keys + ")"
    return frozenset(row[0] for row in connection.execute(sql.text, sql.params))


def _in_a_stream(query: Query) -> bool:
    return query.entity == "Observation" and bool(query.path) and query.path[-1].entity in STREAMS


def _gather(page: Page, keys: dict[str, set[Any]], *, below: str) -> None:
    """Keys of all rows by entity. Observations below a stream are of its dataset, which is looked at anyway."""
    entity = page.query.entity
    if not (entity == "Observation" and below in STREAMS) and not _in_a_stream(page.query):
        keys.setdefault(entity, set()).update(row[0] for row in page.rows)
    for children in page.expanded.values():
        for child in children.values():
            _gather(child, keys, below=entity)


def _of_keys(connection: Connection, entity: str, keys: set[Any]) -> set[str]:
    found: set[str] = set()
    for part in _in_parts(sorted(keys)):
        rule, values = connection.dialect.one_of(f"e.{key_of(entity)}", part)
        if entity == "Observation":
            streams = f"SELECT e.datastream FROM observation e WHERE {rule}"
            inner = f"SELECT d.dataset FROM datastream d WHERE d.pk IN ({streams})"
        else:
            inner = f"SELECT e.dataset FROM {TABLE_OF[entity]} e WHERE {rule}"
        found |= _closed(connection, Sql(inner, values))
    return found


def _in_parts(keys: list[Any]) -> Iterator[list[Any]]:
    for place in range(0, len(keys), _PART):
        yield keys[place : place + _PART]

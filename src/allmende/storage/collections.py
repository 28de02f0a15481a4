"""Reading collections and their features, each through the reader's predicate.

A page is found by an index on boxes or ids, and compared exactly here: geometries mean the same on both engines, with
PostGIS and without it.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any, Protocol

import msgspec
import shapely

from allmende.domain.errors import NotFound
from allmende.domain.features import (
    FeaturePage,
    FeatureQuery,
    FeatureVersion,
    KeptCollection,
    KeptFeature,
    parts,
)
from allmende.domain.policy import Reader
from allmende.domain.query import Call, Compare, Expression, Logic, Path, Value
from allmende.domain.sifting import SPATIAL, sieve
from allmende.storage.connections import Connection, Dialect
from allmende.storage.sql import Sql, all_of, any_of, visible

_COLLECTION = (
    "c.id, d.id, c.title, c.description, c.snapshot, c.fields, c.source, c.count, c.west, c.south, c.east, c.north,"
    " c.first, c.last, c.changed_at"
)
_ITEM = ", ".join(f"i.{name}" for name in KeptFeature._fields)
_AHEAD = 200
"""Rows looked at in one go where most may turn out not to lie in the box."""
_AT_MOST = 5_000


def read_collections(connection: Connection, reader: Reader, *, simulated: bool) -> list[KeptCollection]:
    """See :class:`allmende.domain.store.Store`."""
    rules = _rules(visible("Collection", "c", reader, simulated=simulated))
    sql = f"SELECT {_COLLECTION} FROM collection c JOIN dataset d ON d.pk = c.dataset WHERE " + rules + " ORDER BY c.id"
    return [_collection(row) for row in connection.execute(sql.text, sql.params)]


class Shelf(Protocol):
    """Where features of one sort stand: those of collections, or things."""

    def check(self, connection: Connection, query: FeatureQuery) -> None:
        """Raise NotFound where the reader may not see the collection."""

    def rows(self, connection: Connection, query: FeatureQuery, size: int) -> list[KeptFeature]:
        """At most so many behind ``after``, in order: all that the question leads to, and maybe more. Fewer are
        given only where there are no more."""

    def sieve(self, query: FeatureQuery) -> Callable[[KeptFeature], bool] | None:
        """Tells what the question leads to from the rest of :meth:`rows`; None where there is no rest."""

    def number(self, connection: Connection, query: FeatureQuery) -> int:
        """How many rows there are; asked where there is nothing to sieve."""

    def one(self, connection: Connection, reader: Reader, collection: str, identifier: str) -> KeptFeature:
        """One feature; raises NotFound."""


def read_page(connection: Connection, query: FeatureQuery, shelf: Shelf) -> FeaturePage:
    """See :class:`allmende.domain.store.Store`."""
    shelf.check(connection, query)
    found: list[KeptFeature] = []
    for item in _matching(connection, query, shelf, query.top + 1):
        if len(found) == query.top:
            return FeaturePage(found, found[-1].id if found else query.after)
        found.append(item)
    return FeaturePage(found, None)


def count(connection: Connection, query: FeatureQuery, shelf: Shelf) -> int:
    """See :class:`allmende.domain.store.Store`."""
    shelf.check(connection, query)
    query = msgspec.structs.replace(query, after=None)
    if shelf.sieve(query) is None:
        return shelf.number(connection, query)
    return sum(1 for _ in _matching(connection, query, shelf, 10 * _AHEAD))


class Items:
    """Features of collections."""

    def check(self, connection: Connection, query: FeatureQuery) -> None:
        """See :class:`Shelf`."""
        rules = _rules(
            visible("Collection", "c", query.reader, simulated=query.simulated), Sql("c.id = ?", (query.collection,))
        )
        sql = "SELECT 1 FROM collection c WHERE " + rules
        if connection.execute(sql.text, sql.params).fetchone() is None:
            raise NotFound(f"there is no collection {query.collection!r}")

    def rows(self, connection: Connection, query: FeatureQuery, size: int) -> list[KeptFeature]:
        """See :class:`Shelf`."""
        rule = _condition(query, connection.dialect)
        sql = f"SELECT {_ITEM} FROM item i WHERE " + rule + Sql(" ORDER BY i.id LIMIT ?", (size,))
        return [KeptFeature(*row) for row in connection.execute(sql.text, sql.params)]

    def sieve(self, query: FeatureQuery) -> Callable[[KeptFeature], bool] | None:
        """See :class:`Shelf`."""
        return sieve(query, told=True)

    def number(self, connection: Connection, query: FeatureQuery) -> int:
        """See :class:`Shelf`."""
        sql = "SELECT count(*) FROM item i WHERE " + _condition(query, connection.dialect)
        return int(connection.execute(sql.text, sql.params).fetchone()[0])

    def one(self, connection: Connection, reader: Reader, collection: str, identifier: str) -> KeptFeature:
        """See :class:`Shelf`."""
        return read_feature(connection, reader, collection, identifier)


ITEMS = Items()


def read_feature(connection: Connection, reader: Reader, collection: str, identifier: str) -> KeptFeature:
    """See :class:`allmende.domain.store.Store`."""
    rule = _of(collection, reader, simulated=True) + Sql(" AND i.id = ?", (identifier,))
    sql = f"SELECT {_ITEM} FROM item i WHERE " + rule
    row = connection.execute(sql.text, sql.params).fetchone()
    if row is None:
        raise NotFound(f"there is no feature {identifier!r} in a collection {collection!r}")
    return KeptFeature(*row)


def read_versions(connection: Connection, reader: Reader, collection: str, identifier: str) -> list[FeatureVersion]:
    """See :class:`allmende.domain.store.Store`."""
    rule = _of(collection, reader, simulated=True) + Sql(" AND i.id = ?", (identifier,))
    said = "geometry, {0}.properties, {0}.valid_from, {0}.valid_to, o.name"
    now = f"SELECT i.since, i.gone_at, i.{said.format('i')} FROM item i JOIN origin o ON o.pk = i.origin WHERE " + rule
    before = (
        f"SELECT h.since, h.until, h.{said.format('h')} FROM item i JOIN item_history h ON h.item = i.pk"
        " JOIN origin o ON o.pk = h.origin WHERE " + rule + " ORDER BY h.since DESC, h.pk DESC"
    )
    found = [row for sql in (now, before) for row in connection.execute(sql.text, sql.params)]
    if not found:
        raise NotFound(f"there is no feature {identifier!r} in a collection {collection!r}")
    return [FeatureVersion(*row) for row in found]


def _collection(row: tuple[Any, ...]) -> KeptCollection:
    name, dataset, title, description, snapshot, fields, source, number, *box, first, last, changed_at = row
    west, south, east, north = box
    return KeptCollection(
        id=name,
        dataset=dataset,
        title=title,
        description=description,
        snapshot=bool(snapshot),
        fields=msgspec.json.decode(fields),
        source=source,
        count=number,
        bbox=None if west is None else (west, south, east, north),
        first=first,
        last=last,
        changed_at=changed_at,
    )


def _rules(*given: Sql | None) -> Sql:
    return all_of(rule for rule in given if rule is not None)


def _of(collection: str, reader: Reader, *, simulated: bool) -> Sql:
    """That an item ``i`` is one of a collection that the reader may see."""
    inner = _rules(Sql("c.id = ?", (collection,)), visible("Collection", "c", reader, simulated=simulated))
    return "i.collection = (SELECT c.pk FROM collection c WHERE " + inner + ")"


def _matching(connection: Connection, query: FeatureQuery, shelf: Shelf, most: int) -> Iterator[KeptFeature]:
    """What a question leads to, in order, from behind its ``after``; about ``most`` rows are read in one go, and more
    and more the fewer of them are what was asked for."""
    holds = shelf.sieve(query)
    size = most if holds is None else max(most, _AHEAD)
    while True:
        rows = shelf.rows(connection, query, size)
        for row in rows:
            if holds is None or holds(row):
                yield row
        if len(rows) < size:
            return
        query = msgspec.structs.replace(query, after=rows[-1].id)
        size = min(2 * size, max(size, _AT_MOST))


def _condition(query: FeatureQuery, dialect: Dialect) -> Sql:
    rules = [_of(query.collection, query.reader, simulated=query.simulated)]
    if not query.gone:
        rules.append(Sql("i.gone_at IS NULL"))
    if query.only is not None:
        rules.append(Sql("i.id = ?", (query.only,)))
    if query.after is not None:
        rules.append(Sql("i.id > ?", (query.after,)))
    if query.end is not None:
        rules.append(Sql("(i.valid_from IS NULL OR i.valid_from <= ?)", (query.end,)))
    if query.start is not None:
        rules.append(Sql("(i.valid_to IS NULL OR i.valid_to >= ?)", (query.start,)))
    if query.bbox is not None:
        rules.append(any_of(Sql(*dialect.in_item_box("i", part)) for part in parts(query.bbox)))
    rules += [_equals(name, value, dialect) for name, value in query.equals]
    if query.filter is not None:
        rules += _necessary(query.filter, dialect)
    return all_of(rules)


def _necessary(node: Expression, dialect: Dialect) -> Iterator[Sql]:
    """What holds wherever an expression does, and costs an engine less than to look at each row."""
    if isinstance(node, Logic) and node.op == "and":
        for item in node.items:
            yield from _necessary(item, dialect)
    elif isinstance(node, Call) and node.name in SPATIAL and node.name != "st_disjoint":
        for argument in node.arguments:
            if isinstance(argument, Value) and not (area := shapely.from_wkt(argument.value)).is_empty:
                yield Sql(*dialect.in_item_box("i", area.bounds))
    elif isinstance(node, Compare) and node.op == "eq" and isinstance(node.left, Path):
        value = node.right
        if isinstance(value, Value) and value.kind in ("string", "number"):
            text, values = dialect.json_at("i.properties", node.left.parts, value.kind)
            yield Sql(f"{text} = ?", (*values, value.value))


def _equals(name: str, value: str, dialect: Dialect) -> Sql:
    """That a property has this value: a text, or a number or boolean that JSON writes so."""

    def said(kind: Any, as_kept: Any) -> Sql:
        text, values = dialect.json_at("i.properties", [name], kind)
        return Sql(f"{text} = ?", (*values, as_kept))

    found = [said("string", value)]
    if value in ("true", "false"):
        found.append(said("boolean", int(value == "true")))
    with suppress(msgspec.MsgspecError):
        found.append(said("number", msgspec.json.decode(value, type=float)))
    return any_of(found)

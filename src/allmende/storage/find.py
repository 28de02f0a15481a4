"""Answering questions: a statement for the page, one for its count, one for each level of expansion."""

from collections.abc import Iterable
from typing import Any

import msgspec
from msgspec.structs import replace

from allmende.domain.errors import ChangedMeanwhile, NotFound
from allmende.domain.query import Expand, Page, Query, layout
from allmende.domain.store import Change
from allmende.storage.compile import compile_count, compile_expand, compile_expand_counts, compile_page
from allmende.storage.connections import Connection
from allmende.storage.newest import asks_newest, find_newest_of_each
from allmende.storage.sql import Sql
from allmende.storage.values import decode_number


def find_page(connection: Connection, query: Query, also: Sql | None = None) -> Page:
    """The page that a question asks for, with all that it expands. ``also`` is a further condition on ``{alias}``."""
    sql, extra = compile_page(query, connection.dialect, also)
    rows = connection.execute(sql.text, sql.params).fetchall()
    page = _page(query, rows, extra)
    page.rows = finish(connection, query, page.rows)
    if query.count:
        counted = compile_count(query, connection.dialect)
        page.count = connection.execute(counted.text, counted.params).fetchone()[0]
    _expand(connection, query, {None: page}, query.expand_rows)
    return page


def _page(query: Query, rows: list[tuple[Any, ...]], extra: int, offset: int = 0) -> Page:
    """A page of rows whose last ``extra`` columns are sort keys; one row too many means that there is a next page."""
    following = None
    if len(rows) > query.top:
        rows = rows[: query.top]
        following = tuple(rows[-1][-extra:]) if rows and extra else None
    columns = layout(query)
    if offset or extra:
        stop = offset + len(columns)
        rows = [row[offset:stop] for row in rows]
    return Page(query=query, columns=columns, rows=rows, next=following)


def _expand(connection: Connection, query: Query, pages: dict[Any, Page], most: int) -> None:
    """Bring along related entities for all pages of one level together, about ``most`` of them over all relations."""
    parents = sorted({row[0] for page in pages.values() for row in page.rows})
    most //= max(1, len(query.expand))
    for asked in query.expand if parents else ():
        expand = _cut(asked, max(1, most // len(parents)))
        by_parent: dict[Any, list[tuple[Any, ...]]] = {}
        counts: dict[Any, int] = {}
        extra = 0
        for place in range(0, len(parents), 5_000):
            part = parents[place : place + 5_000]
            rows, extra = _children_of(connection, query.entity, expand, part)
            for row in rows:
                by_parent.setdefault(row[0], []).append(row)
            if expand.query.count:
                counted = compile_expand_counts(query.entity, expand, part, connection.dialect)
                counts.update(connection.execute(counted.text, counted.params))
        children = _children(expand, by_parent, parents, extra)
        for child in children.values():
            child.rows = finish(connection, expand.query, child.rows)
        for parent, number in counts.items():
            children[parent].count = number
        for page in pages.values():
            page.expanded[expand.relation] = {row[0]: children[row[0]] for row in page.rows}
        _expand(connection, expand.query, children, most)


def _cut(expand: Expand, top: int) -> Expand:
    if expand.query.top <= top:
        return expand
    return Expand(relation=expand.relation, query=replace(expand.query, top=top))


def _children_of(
    connection: Connection, parent: str, expand: Expand, parents: list[Any]
) -> tuple[Iterable[tuple[Any, ...]], int]:
    """Related entities of many parents, each behind its parent's key; and the number of sort keys at their end."""
    if asks_newest(parent, expand):
        return find_newest_of_each(connection, expand, parents), 2
    sql, extra = compile_expand(parent, expand, parents, connection.dialect)
    return connection.execute(sql.text, sql.params), extra


def _children(
    expand: Expand, rows: dict[Any, list[tuple[Any, ...]]], parents: list[Any], extra: int
) -> dict[Any, Page]:
    return {parent: _page(expand.query, rows.get(parent, []), extra, offset=1) for parent in parents}


def finish(connection: Connection, query: Query, rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Rows with public ids (an observation that a client named has a negative number inside) and typed results."""
    if query.entity != "Observation":
        return rows
    columns = layout(query)
    if connection.dialect.text_results and "result" in columns:
        at = columns.index("result")
        rows = [(*row[:at], decode_number(row[at - 1], row[at]), *row[at + 1 :]) for row in rows]
    named = [row[1] for row in rows if row[1] < 0]
    if not named:
        return rows
    marks = ", ".join("?" * len(named))
    names = dict(connection.execute(f"SELECT id, name FROM observation_name WHERE id IN ({marks})", named))
    return [(row[0], names.get(row[1], row[1]), *row[2:]) if row[1] < 0 else row for row in rows]


def find_one(connection: Connection, query: Query, seen: tuple[Any, ...] | None = None) -> tuple[Any, ...]:
    """The row of the one entity that a question leads to; raises NotFound, or ChangedMeanwhile where it is no longer
    as it was ``seen``."""
    rows = find_page(connection, query).rows
    if not rows:
        raise NotFound("there is nothing here")
    if seen is not None and rows[0] != seen:
        raise ChangedMeanwhile("somebody else changed this at the same moment; read it again")
    return rows[0]


def find_change(connection: Connection, change: Change, query: Query) -> Page:
    """The observations of a change that are still as it left them, and that the question leads to."""
    span = (
        "{alias}.datastream = (SELECT w.pk FROM datastream w WHERE w.id = ?)"
        " AND {alias}.phenomenon_start BETWEEN ? AND ? AND {alias}.change = ?"
    )
    # A change of one reading may name a span of two times: where it was, and where it is.
    whole = msgspec.structs.replace(query, top=max(change.count, 1), skip=0, after=None, order=(), count=False)
    return find_page(connection, whole, Sql(span, (change.stream, change.start, change.end, change.number)))

"""Answering questions: a statement for the page, one for its count, one for each level of expansion."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec
from msgspec.structs import replace

from allmende.domain.aggregation import Aggregation, Table
from allmende.domain.errors import ChangedMeanwhile, NotFound
from allmende.domain.logs import Change
from allmende.domain.query import Expand, Page, Query, layout
from allmende.storage.aggregate import table
from allmende.storage.compile import compile_page
from allmende.storage.connections import Connection
from allmende.storage.newest import latest_table, once_or_twice
from allmende.storage.sql import Sql
from allmende.storage.statements import Expansion, Groups, Question
from allmende.storage.values import decode_number


def find_page(connection: Connection, query: Query, also: Sql | None = None) -> Page:
    """The page that a question asks for, with all that it expands. ``also`` is a further condition on ``{alias}``."""
    question = Question(query, connection.dialect)
    sql, extra = question.page() if also is None else compile_page(query, connection.dialect, also)
    rows = connection.execute(sql.text, sql.params).fetchall()
    page = _page(query, rows, extra)
    page.rows = finish(connection, query, page.rows)
    if query.count:
        counted = question.count()
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
            asking = Expansion(query.entity, expand, part, connection.dialect)
            sql, extra = asking.rows()
            rows: Iterable[tuple[Any, ...]] = connection.execute(sql.text, sql.params)
            for row in once_or_twice(rows) if asking.newest else rows:
                by_parent.setdefault(row[0], []).append(row)
            if expand.query.count:
                counted = asking.counts()
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


_SHORT = 5 * 60_000_000
"""Microseconds within which readings of several changes are looked for together."""
_FEW = 20
"""Readings up to which a change is looked for with others."""


def find_changes(connection: Connection, changes: Sequence[Change], query: Query) -> list[Page]:
    """The same for several changes, in their order. What living feeds send is found by two questions for all of it."""
    pages: dict[int, Page] = {}
    for together in _near(changes):
        if len(together) == 1:
            pages[together[0].number] = find_change(connection, together[0], query)
        else:
            pages.update(_find_together(connection, together, query))
    return [pages[change.number] for change in changes]


def _near(changes: Sequence[Change]) -> Iterator[list[Change]]:
    """Changes of few readings that lie within a short time, in any order; all others by themselves."""
    waiting: list[Change] = []
    for change in sorted(changes, key=lambda change: change.start):
        if change.count > _FEW or change.end - change.start > _SHORT:
            yield [change]
            continue
        if waiting and (change.end - waiting[0].start > _SHORT or len(waiting) >= 500):
            yield waiting
            waiting = []
        waiting.append(change)
    if waiting:
        yield waiting


def _find_together(connection: Connection, changes: Sequence[Change], query: Query) -> dict[int, Page]:
    rule, names = connection.dialect.one_of("w.id", sorted({change.stream for change in changes}))
    span = (
        f"{{alias}}.datastream IN (SELECT w.pk FROM datastream w WHERE {rule})"
        " AND {alias}.phenomenon_start BETWEEN ? AND ? AND {alias}.change BETWEEN ? AND ?"
    )
    numbers = [change.number for change in changes]
    bounds = (min(c.start for c in changes), max(c.end for c in changes), min(numbers), max(numbers))
    by_number = {change.number: change for change in changes}
    whose: dict[int, int] = {}
    listed = f"SELECT o.id, o.phenomenon_start, o.change FROM observation o WHERE {span.format(alias='o')}"
    for key, start, number in connection.execute(listed, (*names, *bounds)):
        change = by_number.get(number)
        if change is not None and change.start <= start <= change.end:
            whose[key] = number
    most = max(1, sum(change.count for change in changes), len(whose))
    whole = replace(query, top=10 * most, skip=0, after=None, order=(), count=False)
    page = find_page(connection, whole, Sql(span, (*names, *bounds)))
    rows: dict[int, list[tuple[Any, ...]]] = {number: [] for number in numbers}
    for row in page.rows:
        if row[0] in whose:
            rows[whose[row[0]]].append(row)
    return {number: replace(page, rows=rows[number], next=None) for number in numbers}


def find_latest(connection: Connection, query: Query) -> Table:
    """The newest reading of the streams that a question leads to, in its order; streams without one are absent."""
    question = Question(query, connection.dialect)
    sql, _ = question.latest()
    made = latest_table(query, connection.execute(sql.text, sql.params).fetchall())
    if query.count:
        counted, _ = question.latest(count=True)
        made.count = connection.execute(counted.text, counted.params).fetchone()[0]
    return made


def find_table(connection: Connection, asked: Aggregation) -> Table:
    """The page of groups that is asked for."""
    groups = Groups(asked, connection.dialect)
    sql, outputs = groups.page()
    made = table(asked, outputs, connection.execute(sql.text, sql.params).fetchall())
    if asked.count:
        counted, _ = groups.page(count=True)
        made.count = connection.execute(counted.text, counted.params).fetchone()[0]
    return made

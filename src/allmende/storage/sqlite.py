"""The SQLite engine: one file, one writer at a time, readers never wait."""

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from allmende.domain.creation import encode
from allmende.domain.errors import InvalidInput
from allmende.domain.policy import Reader, house_reader
from allmende.domain.query import Expand, Page, Query, ResultKind, Step, layout
from allmende.domain.store import (
    Batch,
    Change,
    DatasetRecord,
    KeptRejection,
    Latest,
    Points,
    Receipt,
    SourceState,
)
from allmende.storage import bookkeeping
from allmende.storage.committer import GroupCommitter, translated
from allmende.storage.compile import compile_count, compile_expand, compile_expand_counts, compile_page
from allmende.storage.connections import Committer, Connection, Connections
from allmende.storage.creation import Creator
from allmende.storage.declarations import declare
from allmende.storage.entities import COMMONS, ensure_feature, origin_key
from allmende.storage.readings import append_series, flag_of
from allmende.storage.sql import Sql, all_of, attribute_expressions, visible
from allmende.storage.state import write_states
from allmende.storage.values import decode_result

T = TypeVar("T")


class SqliteStore:
    """A :class:`allmende.domain.store.Store` over connections that somebody else opens."""

    def __init__(self, connections: Connections, committer: Committer | None = None) -> None:
        self._connections = connections
        self._commit: Committer = committer or GroupCommitter(connections)

    # --- the way of a question ---

    def find(self, query: Query) -> Page:
        """Answer a question: see :class:`allmende.domain.store.Store`."""
        with translated(), self._connections.reading() as connection:
            return _find(connection, query)

    def latest(self, reader: Reader, *, origin: str | None = None) -> list[Latest]:
        """The newest reading of every stream that the reader may see."""
        rules = [r for r in [visible("Datastream", "d", reader, simulated=True)] if r is not None]
        if origin is not None:
            rules.append(Sql("d.source = ?", (origin,)))
        sql = (
            "SELECT d.id, t.id, s.latest_start, s.latest_kind, s.latest_result, s.latest_quality, s.count,"
            " s.first_start FROM stream_state s JOIN datastream d ON d.pk = s.datastream"
            " JOIN thing t ON t.pk = d.thing WHERE " + all_of(rules) + " ORDER BY d.id"
        )
        with translated(), self._connections.reading() as connection:
            return [
                Latest(
                    stream=stream,
                    thing=thing,
                    start=start,
                    result=decode_result(kind, value),
                    quality=decode_result(ResultKind.JSON, quality) if quality else None,
                    count=count,
                    first=first,
                )
                for stream, thing, start, kind, value, quality, count, first in connection.execute(sql.text, sql.params)
            ]

    def points(self, reader: Reader, stream: str, start: int, end: int, *, before: bool = False) -> Points:
        """Readings with ``start <= time < end``; with ``before``, also the last one before ``start``."""
        rules = [Sql("d.id = ?", (stream,))]
        rule = visible("Datastream", "d", reader, simulated=True)
        if rule is not None:
            rules.append(rule)
        parent = "(SELECT d.pk FROM datastream d WHERE " + all_of(rules) + ")"
        _, result = attribute_expressions("Observation", "o", "result")
        columns = (
            f"SELECT o.phenomenon_start, o.result_kind, {result}, o.quality FROM observation o WHERE o.datastream = "
        )
        span = (
            columns
            + parent
            + Sql(
                " AND o.phenomenon_start >= ? AND o.phenomenon_start < ? ORDER BY o.phenomenon_start, o.disc",
                (start, end),
            )
        )
        earlier = (
            columns
            + parent
            + Sql(" AND o.phenomenon_start < ? ORDER BY o.phenomenon_start DESC, o.disc DESC LIMIT 1", (start,))
        )
        with translated(), self._connections.reading() as connection:
            rows = connection.execute(earlier.text, earlier.params).fetchall() if before else []
            rows += connection.execute(span.text, span.params).fetchall()
        return Points(
            times=[r[0] for r in rows],
            results=[r[2] if r[1] <= ResultKind.DECIMAL else decode_result(r[1], r[2]) for r in rows],
            flags=[flag_of(r[3]) if r[3] else "" for r in rows],
        )

    def reports(self, reader: Reader, origin: str, start: int, end: int) -> list[int]:
        """The times at which any stream of a source reported, in order."""
        rules = [Sql("d.source = ?", (origin,))]
        rule = visible("Datastream", "d", reader, simulated=True)
        if rule is not None:
            rules.append(rule)
        sql = (
            "SELECT DISTINCT o.phenomenon_start FROM observation o WHERE o.datastream IN"
            " (SELECT d.pk FROM datastream d WHERE " + all_of(rules) + ")"
        ) + Sql(" AND o.phenomenon_start >= ? AND o.phenomenon_start < ? ORDER BY 1", (start, end))
        with translated(), self._connections.reading() as connection:
            return [row[0] for row in connection.execute(sql.text, sql.params)]

    # --- the way of a reading ---

    def append(self, batch: Batch) -> Receipt:
        """Commit a batch: when this returns, it survives a power cut."""
        return self._commit(lambda connection: _append(connection, batch))

    def put_datasets(self, datasets: Iterable[DatasetRecord]) -> None:
        """Make the datasets known, or change what is said of them."""
        listed = list(datasets)
        self._commit(lambda connection: _put_datasets(connection, listed))

    # --- the house's own work ---

    def changes(self, after: int, limit: int) -> list[Change]:
        """The change log after a number, in order."""
        return self._read(lambda c: bookkeeping.read_changes(c, after, limit))

    def change_rows(self, change: Change) -> list[tuple[Any, ...]]:
        """The observations of a change that are still as it left them, laid out as a Query's rows."""
        query = Query(
            entity="Observation",
            reader=house_reader("follower"),
            path=(Step("Datastream", change.stream, "Observations"),),
            top=max(change.count, 1),
        )
        sql, extra = compile_page(query)
        changed = Sql(
            "t1.phenomenon_start BETWEEN ? AND ? AND t1.change = ? AND ", (change.start, change.end, change.number)
        )
        head, tail = sql.text.split(" WHERE t1.datastream", 1)
        text = f"{head} WHERE {changed.text}t1.datastream{tail}"
        rows = self._read(lambda c: c.execute(text, (*changed.params, *sql.params)).fetchall())
        return [row[:-extra] for row in rows]

    def cursor(self, name: str) -> int | None:
        """How far a follower has come."""
        row = self._read(lambda c: c.execute("SELECT number FROM follower WHERE name = ?", (name,)).fetchone())
        return None if row is None else int(row[0])

    def set_cursor(self, name: str, number: int) -> None:
        """Remember how far a follower has come."""
        sql = (
            "INSERT INTO follower (name, number) VALUES (?, ?)"
            " ON CONFLICT (name) DO UPDATE SET number = excluded.number"
        )
        self._commit(lambda c: c.execute(sql, (name, number)) and None)

    def newest_change(self) -> int:
        """The highest number in the change log."""
        row = self._read(lambda c: c.execute("SELECT max(number) FROM change_log").fetchone())
        return int(row[0] or 0)

    def sources(self) -> dict[str, SourceState]:
        """The state of every source that was ever heard of."""
        return self._read(bookkeeping.read_sources)

    def note_attempt(self, source: str, at: int, error: str = "") -> None:
        """Remember that a source was asked, and what went wrong."""
        self._commit(lambda c: bookkeeping.note_attempt(c, source, at, error))

    def rejections(self, *, source: str = "", code: str = "", limit: int = 100) -> list[KeptRejection]:
        """Rejections, the newest first, without their bytes."""
        return self._read(lambda c: bookkeeping.list_rejections(c, source, code, limit))

    def rejection(self, number: int) -> KeptRejection:
        """One rejection with its bytes."""
        return self._read(lambda c: bookkeeping.read_rejection(c, number))

    def settle_rejection(self, number: int, at: int) -> None:
        """Mark a rejection as replayed."""
        sql = "UPDATE rejection SET replayed_at = ? WHERE number = ?"
        self._commit(lambda c: c.execute(sql, (at, number)) and None)

    def prune_rejections(self, *, older_than: int, keep_bytes: int) -> int:
        """Delete old rejections, and the oldest above a total size."""
        return self._commit(lambda c: bookkeeping.prune_rejections(c, older_than, keep_bytes))

    def _read(self, work: Callable[[Connection], T]) -> T:
        with translated(), self._connections.reading() as connection:
            return work(connection)


def _find(connection: Connection, query: Query) -> Page:
    sql, extra = compile_page(query)
    rows = connection.execute(sql.text, sql.params).fetchall()
    page = _page(query, rows, extra)
    if query.count:
        counted = compile_count(query)
        page.count = connection.execute(counted.text, counted.params).fetchone()[0]
    _expand(connection, query, {None: page})
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


def _expand(connection: Connection, query: Query, pages: dict[Any, Page]) -> None:
    """Bring along related entities for all pages of one level together."""
    parents = sorted({row[0] for page in pages.values() for row in page.rows})
    for expand in query.expand if parents else ():
        by_parent: dict[Any, list[tuple[Any, ...]]] = {}
        counts: dict[Any, int] = {}
        extra = 0
        for place in range(0, len(parents), 5_000):
            part = parents[place : place + 5_000]
            sql, extra = compile_expand(query.entity, expand, part)
            for row in connection.execute(sql.text, sql.params):
                by_parent.setdefault(row[0], []).append(row)
            if expand.query.count:
                counted = compile_expand_counts(query.entity, expand, part)
                counts.update(connection.execute(counted.text, counted.params))
        children = _children(expand, by_parent, parents, extra)
        for parent, number in counts.items():
            children[parent].count = number
        for page in pages.values():
            page.expanded[expand.relation] = {row[0]: children[row[0]] for row in page.rows}
        _expand(connection, expand.query, children)


def _children(
    expand: Expand, rows: dict[Any, list[tuple[Any, ...]]], parents: list[Any], extra: int
) -> dict[Any, Page]:
    return {parent: _page(expand.query, rows.get(parent, []), extra, offset=1) for parent in parents}


def _append(connection: Connection, batch: Batch) -> Receipt:
    """One batch in the transaction that is open."""
    receipt = Receipt(rejected=len(batch.rejections))
    origin = origin_key(connection, batch.origin, batch.version)
    newest: int | None = None
    if batch.declarations or batch.series:
        streams = declare(
            connection, batch.declarations, source=batch.origin, dataset=batch.dataset, received_at=batch.received_at
        )
        for series in filter(lambda s: s.times, batch.series):
            stream = streams.get(series.stream)
            if stream is None:
                raise InvalidInput(f"the stream {series.stream!r} is not declared")
            ensure_feature(connection, stream)
            counts = append_series(connection, series, stream, origin=origin, received_at=batch.received_at)
            receipt.accepted += counts.accepted
            receipt.repeated += counts.repeated
            receipt.corrected += counts.corrected
            newest = max(series.times) if newest is None else max(newest, max(series.times))
        write_states(connection, streams.values())
    if batch.entities:
        creator = Creator(connection, batch, origin)
        creator.run()
        receipt.created = creator.created
        receipt.accepted += sum(kind == "Observation" for kind, _ in creator.created)
    bookkeeping.keep_rejections(
        connection, batch.rejections, source=batch.origin, name=batch.name, received_at=batch.received_at
    )
    if batch.declarations or batch.rejections:
        bookkeeping.count_receipt(connection, batch.origin, receipt, received_at=batch.received_at, newest=newest)
    return receipt


def _put_datasets(connection: Connection, datasets: list[DatasetRecord]) -> None:
    commons = DatasetRecord(id=COMMONS, title={"de": "Gemeingut", "en": "Commons"})
    for dataset in [commons, *(d for d in datasets if d.id != COMMONS)]:
        body = {
            "title": dict(dataset.title),
            "description": dict(dataset.description),
            "publisher": dataset.publisher,
            "licence": dataset.licence,
            "attribution": dataset.attribution,
        }
        connection.execute(
            "INSERT INTO dataset (id, access, simulated, body) VALUES (?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET"
            " access = excluded.access, simulated = excluded.simulated, body = excluded.body",
            (dataset.id, dataset.access, int(dataset.simulated), encode(body)),
        )

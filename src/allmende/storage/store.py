"""The store that all engines share: questions, appending, and the house's own books, in one SQL."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

from allmende.domain.aggregation import Aggregation, Table
from allmende.domain.batch import Amendment, Batch, Receipt, Removal
from allmende.domain.features import FeaturePage, FeatureQuery, FeatureVersion, KeptCollection, KeptFeature
from allmende.domain.figures import DatasetFigures, StreamSummary, Tally
from allmende.domain.logs import Backlog, Change, EntityChange, Stamp
from allmende.domain.marks import Mark
from allmende.domain.policy import Reader
from allmende.domain.query import Page, Query, ResultKind
from allmende.domain.records import Position
from allmende.domain.spans import Head, Held, Span, Sum, Taken, Word
from allmende.domain.store import DatasetRecord, KeptRejection, Latest, Points, SourceState
from allmende.domain.tracing import Replaced, Trace
from allmende.storage import bookkeeping, collections, disclosure, figures, logs, marks, spans, taking_back
from allmende.storage.amendment import change_entity
from allmende.storage.append import append_all, append_batch, put_datasets
from allmende.storage.collections import ITEMS, Shelf
from allmende.storage.committer import GroupCommitter, raced, translated
from allmende.storage.connections import Committer, Connection, Connections, Engine, Shared
from allmende.storage.expressions import one_moment
from allmende.storage.find import find_change, find_changes, find_latest, find_page, find_table
from allmende.storage.removal import check_question, remove_entities
from allmende.storage.singles import create_singles, is_single
from allmende.storage.sql import Sql, all_of, visible
from allmende.storage.things import THINGS
from allmende.storage.tracing import read_replaced, read_traces
from allmende.storage.values import decode_result, flag_of

T = TypeVar("T")


class SqlStore:
    """A :class:`allmende.domain.store.Store` over connections that somebody else opens."""

    def __init__(self, connections: Connections, engine: Engine, committer: Committer | None = None) -> None:
        self._connections = connections
        self._engine = engine
        self._commit: Committer = committer or GroupCommitter(connections, engine)

    # --- the way of a question ---

    def find(self, query: Query) -> Page:
        """Answer a question: see :class:`allmende.domain.store.Store`."""
        return self._read(lambda connection: find_page(connection, query))

    def aggregate(self, asked: Aggregation) -> Table:
        """Group and sum up: see :class:`allmende.domain.store.Store`."""
        return self._read(lambda connection: find_table(connection, asked))

    def newest(self, query: Query) -> Table:
        """The newest reading of each stream: see :class:`allmende.domain.store.Store`."""
        return self._read(lambda connection: find_latest(connection, query))

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
        return self._read(
            lambda connection: [
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
        )

    def points(
        self,
        reader: Reader,
        stream: str,
        start: int,
        end: int,
        *,
        before: bool = False,
        newest_run: bool = False,
        most: int | None = None,
    ) -> Points:
        """Readings with ``start <= time < end``: see :class:`allmende.domain.store.Store`."""
        parent = _visible_streams(reader, Sql("d.id = ?", (stream,)))
        span = parent + Sql(
            " AND o.phenomenon_start >= ? AND o.phenomenon_start < ? ORDER BY o.phenomenon_start, o.disc", (start, end)
        )
        if most is not None:
            span = span + Sql(" LIMIT ?", (most,))
        newest = " AND o.phenomenon_start < ? ORDER BY o.phenomenon_start DESC, o.disc DESC LIMIT 1"
        earlier = parent + Sql(newest, (start,))

        def read(connection: Connection) -> list[tuple[Any, ...]]:
            result = connection.dialect.result("o")
            columns = f"o.phenomenon_start, o.result_kind, {result}, o.quality, o.result_time, o.disc"
            head = f"SELECT {columns} FROM observation o WHERE o.datastream = "
            wanted = [head + earlier, head + span] if before else [head + span]
            return [row for sql in wanted for row in connection.execute(sql.text, sql.params)]

        rows = self._read(read)
        if newest_run:
            rows = _newest_runs(rows)
        return Points(
            times=[r[0] for r in rows],
            results=[decode_result(r[1], r[2]) for r in rows],
            flags=[flag_of(r[3]) if r[3] else "" for r in rows],
        )

    def held(self, reader: Reader, streams: Sequence[str], moment: int) -> list[Held]:
        """What each stream said at a moment: see :class:`allmende.domain.store.Store`."""
        return self._read(lambda connection: spans.read_held(connection, reader, streams, moment))

    def sums(
        self, reader: Reader, stream: str, over: Sequence[Span], *, taken: Taken = "number", newest_run: bool = False
    ) -> list[Sum]:
        """Readings summed up by buckets: see :class:`allmende.domain.store.Store`."""
        which = _visible_streams(reader, Sql("d.id = ?", (stream,)))
        return self._read(lambda connection: spans.read_sums(connection, which, over, taken, newest=newest_run))

    def words(
        self, reader: Reader, stream: str, over: Sequence[Span], most: int, *, newest_run: bool = False
    ) -> list[Word] | None:
        """How often each text stands in each bucket: see :class:`allmende.domain.store.Store`."""
        which = _visible_streams(reader, Sql("d.id = ?", (stream,)))
        return self._read(lambda connection: spans.read_words(connection, which, over, most, newest=newest_run))

    def heads(self, reader: Reader, streams: Sequence[str]) -> list[Head]:
        """What streams are: see :class:`allmende.domain.store.Store`."""
        return self._read(lambda connection: spans.read_heads(connection, reader, streams))

    def traces(self, reader: Reader, stream: str, start: int, end: int, most: int) -> list[Trace]:
        """Where readings came from: see :class:`allmende.domain.store.Store`."""
        which = _visible_streams(reader, Sql("d.id = ?", (stream,)))
        return self._read(lambda connection: read_traces(connection, which, start, end, most))

    def replaced(self, reader: Reader, stream: str, time: int, most: int) -> list[Replaced]:
        """What stood in the place of a reading before: see :class:`allmende.domain.store.Store`."""
        which = _visible_streams(reader, Sql("d.id = ?", (stream,)))
        return self._read(lambda connection: read_replaced(connection, which, time, most))

    def reports(self, reader: Reader, origin: str, start: int, end: int) -> list[int]:
        """The times at which any stream of a source reported, in order."""
        streams = _visible_streams(reader, Sql("d.source = ?", (origin,)))
        sql = "SELECT DISTINCT o.phenomenon_start FROM observation o WHERE o.datastream IN " + streams
        sql = sql + Sql(" AND o.phenomenon_start >= ? AND o.phenomenon_start < ? ORDER BY 1", (start, end))
        return self._read(lambda connection: [row[0] for row in connection.execute(sql.text, sql.params)])

    def collections(self, reader: Reader, *, simulated: bool = False) -> list[KeptCollection]:
        """The collections that the reader may see."""
        return self._read(lambda c: collections.read_collections(c, reader, simulated=simulated))

    def features(self, query: FeatureQuery) -> FeaturePage:
        """A page of a collection: see :class:`allmende.domain.store.Store`."""
        return self._read(lambda c: collections.read_page(c, query, _shelf(query.things)))

    def count_features(self, query: FeatureQuery) -> int:
        """How many features the question leads to."""
        return self._read(lambda c: collections.count(c, query, _shelf(query.things)))

    def feature(self, reader: Reader, collection: str, identifier: str, *, things: bool = False) -> KeptFeature:
        """One feature: see :class:`allmende.domain.store.Store`."""
        return self._read(lambda c: _shelf(things).one(c, reader, collection, identifier))

    def feature_versions(self, reader: Reader, collection: str, identifier: str) -> list[FeatureVersion]:
        """What was said of a feature, the newest first."""
        return self._read(lambda c: collections.read_versions(c, reader, collection, identifier))

    def figures(self, reader: Reader) -> dict[str, DatasetFigures]:
        """What is kept of each dataset, as figures."""
        return self._read(lambda c: figures.read_figures(c, reader))

    def streams(self, reader: Reader, dataset: str, *, after: str = "", top: int = 100) -> list[StreamSummary]:
        """The streams of a dataset behind an id."""
        return self._read(lambda c: figures.read_streams(c, reader, dataset, after=after, top=top))

    def names(self, reader: Reader, most: int) -> dict[str, list[str]]:
        """Names of properties and things by dataset."""
        return self._read(lambda c: figures.read_names(c, reader, most))

    def disclosed_in(self, page: Page) -> frozenset[str]:
        """Datasets that are not open of an answer: see :class:`allmende.domain.store.Store`."""
        return self._read(lambda c: disclosure.of_page(c, page))

    def disclosed_by(self, query: Query) -> frozenset[str]:
        """Datasets that are not open of a question: see :class:`allmende.domain.store.Store`."""
        return self._read(lambda c: disclosure.of_query(c, query))

    def disclosed_of(self, **names: Iterable[str]) -> frozenset[str]:
        """Datasets that are not open by ids: see :class:`allmende.domain.store.Store`."""
        return self._read(lambda c: disclosure.of_names(c, **names))

    def tallies(self, start: int, end: int) -> list[Tally]:
        """What came of each stream in a span of time."""
        return self._read(lambda c: figures.read_tallies(c, start, end))

    # --- the way of a reading ---

    def append(self, batch: Batch) -> Receipt:
        """Commit a batch: when this returns, it survives a power cut."""
        shared = Shared(create_singles, batch) if is_single(batch) else None
        return self._commit(lambda connection: append_batch(connection, batch), shared)

    def append_all(self, batches: Sequence[Batch], mark: Mark | None = None) -> list[Receipt]:
        """Commit batches, all or none: see :class:`allmende.domain.store.Store`."""

        def work(connection: Connection) -> list[Receipt]:
            if mark is not None:
                marks.put(connection, mark)
            return append_all(connection, batches)

        return self._commit(work)

    def put_mark(self, mark: Mark) -> None:
        """Write a mark."""
        self._commit(lambda connection: marks.put(connection, mark))

    def marks(self, name: str) -> list[Mark]:
        """The marks of a name."""
        return self._read(lambda connection: marks.read(connection, name))

    def together(self, work: Callable[[], T]) -> T:
        """Run ``work`` in one transaction: see :class:`allmende.domain.store.Store`."""
        with raced(self._engine), self._connections.writing():
            return work()

    def change(self, amendment: Amendment) -> None:
        """Change an entity: see :class:`allmende.domain.store.Store`."""
        self._commit(lambda connection: change_entity(connection, amendment))

    def remove(self, removal: Removal) -> int:
        """Delete entities: see :class:`allmende.domain.store.Store`."""
        # Writing has no time limit and keeps others waiting: a question that would take too long ends here.
        self._read(lambda connection: check_question(connection, removal))
        return self._commit(lambda connection: remove_entities(connection, removal))

    def put_datasets(self, datasets: Iterable[DatasetRecord]) -> None:
        """Make the datasets known, or change what is said of them."""
        listed = list(datasets)
        self._commit(lambda connection: put_datasets(connection, listed))

    def rewrite_place(self, thing: str, position: Position | None, *, reader: Reader, origin: str, at: int) -> None:
        """Let a thing stand, and have stood, at this place: see :class:`allmende.domain.store.Store`."""
        told: dict[str, Any] = {"reader": reader, "origin": origin, "at": at}
        self._commit(lambda connection: taking_back.rewrite_place(connection, thing, position, **told))

    def forget_source(self, source: str, dataset: str, *, reader: Reader, origin: str, at: int) -> None:
        """Delete all that came of a source: see :class:`allmende.domain.store.Store`."""
        told: dict[str, Any] = {"reader": reader, "origin": origin, "at": at}
        self._commit(lambda connection: taking_back.forget_source(connection, source, dataset, **told))

    def forget_client(self, name: str, instead: str) -> int:
        """Another name in place of a client's: see :class:`allmende.domain.store.Store`."""
        return self._commit(lambda connection: taking_back.forget_client(connection, name, instead))

    def forget_rejections(self, source: str) -> None:
        """Delete what could not be taken of one source."""
        self._commit(lambda c: bookkeeping.forget_rejections(c, source))

    # --- the house's own work ---

    def changes(self, after: int, limit: int) -> list[Change]:
        """The change log after a number, in order."""
        return self._read(lambda c: logs.read_changes(c, after, limit))

    def backlog(self, after: int) -> Backlog | None:
        """What is behind a number of the change log."""
        return self._read(lambda c: logs.read_backlog(c, after))

    def change_page(self, change: Change, query: Query) -> Page:
        """The observations of a change that are still as it left them, and that a question leads to."""
        return self._read(lambda connection: find_change(connection, change, query))

    def change_pages(self, changes: Sequence[Change], query: Query) -> list[Page]:
        """The same for several changes, in their order."""
        return self._read(lambda connection: find_changes(connection, changes, query))

    def entity_changes(self, after: int, limit: int) -> list[EntityChange]:
        """The log of entities after a number, in order."""
        return self._read(lambda c: logs.read_entities(c, after, limit))

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
        """Where a new follower of the change log begins."""
        return self._read(lambda c: logs.newest(c, "change_log"))

    def newest_entity_change(self) -> int:
        """Where a new follower of the log of entities begins."""
        return self._read(lambda c: logs.newest(c, "entity_log"))

    def stamp(self) -> Stamp:
        """How what is kept stands."""
        return self._read(logs.read_stamp)

    def adopt_logs(self) -> int:
        """See :class:`allmende.domain.store.Store`. Here the counter is a part of what is kept."""
        return 0

    def prune_logs(self, *, read_before: int, before: int, deletions_before: int) -> int:
        """Delete lines of both logs that are no longer needed, in small transactions."""
        total = 0
        bounds = {"read_before": read_before, "before": before, "deletions_before": deletions_before}
        while gone := self._commit(lambda c: logs.prune(c, **bounds)):
            total += gone
        return total

    def sources(self) -> dict[str, SourceState]:
        """The state of every source that was ever heard of."""
        return self._read(bookkeeping.read_sources)

    def note_attempt(self, source: str, at: int, error: str = "") -> None:
        """Remember that a source was asked, and what went wrong."""
        self._commit(lambda c: bookkeeping.note_attempt(c, source, at, error))

    def rejections(self, *, source: str = "", code: str = "", text: str = "", limit: int = 100) -> list[KeptRejection]:
        """Rejections, the newest first, without their bytes."""
        return self._read(lambda c: bookkeeping.list_rejections(c, source, code, limit, text))

    def rejection(self, number: int) -> KeptRejection:
        """One rejection with its bytes."""
        return self._read(lambda c: bookkeeping.read_rejection(c, number))

    def settle_rejection(self, number: int, at: int) -> None:
        """Mark a rejection as replayed."""
        sql = "UPDATE rejection SET replayed_at = ? WHERE number = ?"
        self._commit(lambda c: c.execute(sql, (at, number)) and None)

    def prune_rejections(
        self, *, older_than: int, keep_bytes: int, source_bytes: int | None = None, source_count: int | None = None
    ) -> int:
        """Delete old rejections, and the oldest above the limits of each source and of all."""
        return self._commit(
            lambda c: bookkeeping.prune_rejections(c, older_than, keep_bytes, source_bytes, source_count)
        )

    def _read(self, work: Callable[[Connection], T]) -> T:
        with (
            translated(self._engine),
            self._connections.reading() as raw,
            self._engine.asking(raw, self._connections.seconds) as connection,
            one_moment(),
        ):
            return work(connection)


def _shelf(things: bool) -> Shelf:
    return THINGS if things else ITEMS


def _visible_streams(reader: Reader, which: Sql) -> Sql:
    """A sub-select for the keys of the streams that a reader may see."""
    rule = visible("Datastream", "d", reader, simulated=True)
    return "(SELECT d.pk FROM datastream d WHERE " + all_of([which] if rule is None else [which, rule]) + ")"


def _newest_runs(rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Rows in the order of time and disc without forecasts for a time that a later run has one for, too.

    The disc of a forecast is its run's time; events at one time are all kept.
    """
    kept: list[tuple[Any, ...]] = []
    for row in rows:
        before = kept[-1] if kept else None
        if before is not None and before[0] == row[0] and _is_forecast(before) and _is_forecast(row):
            kept[-1] = row
        else:
            kept.append(row)
    return kept


def _is_forecast(row: tuple[Any, ...]) -> bool:
    run, disc = row[4:6]
    return run is not None and run == disc

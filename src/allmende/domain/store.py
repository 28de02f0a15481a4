"""The protocol between those who know and the place where it is kept. Engines implement it; nobody goes around it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol, TypeVar

import msgspec

from allmende.domain.aggregation import Aggregation, Table
from allmende.domain.batch import Amendment, Batch, Receipt, Removal
from allmende.domain.features import (
    FeaturePage,
    FeatureQuery,
    FeatureVersion,
    KeptCollection,
    KeptFeature,
)
from allmende.domain.figures import DatasetFigures, StreamSummary, Tally
from allmende.domain.logs import Backlog, Change, EntityChange, Stamp
from allmende.domain.marks import Mark
from allmende.domain.policy import Reader
from allmende.domain.query import Page, Query
from allmende.domain.records import Json, Position
from allmende.domain.spans import Head, Held, Span, Sum, Taken, Word
from allmende.domain.tracing import Replaced, Trace

T = TypeVar("T")


class DatasetRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A dataset: what belongs together under one publisher, licence and access class."""

    id: str
    title: Mapping[str, str] = {}
    description: Mapping[str, str] = {}
    publisher: str = ""
    licence: str = ""
    attribution: str = ""
    access: str = "open"
    simulated: bool = False


class SourceState(msgspec.Struct, frozen=True, kw_only=True):
    """How a source has fared. Times in microseconds, None where it never happened."""

    id: str
    last_received: int | None = None
    last_success: int | None = None
    last_error: str = ""
    last_error_at: int | None = None
    newest: int | None = None
    """Phenomenon time of its newest reading."""
    accepted: int = 0
    repeated: int = 0
    corrected: int = 0
    rejected: int = 0


class KeptRejection(msgspec.Struct, frozen=True, kw_only=True):
    """A rejection as an operator sees it. ``body`` is empty in listings."""

    number: int
    source: str
    name: str
    reason: str
    code: str
    where: str
    received_at: int
    size: int
    body: bytes = b""
    replayed_at: int | None = None


class Latest(msgspec.Struct, frozen=True, kw_only=True):
    """A stream's newest reading and extent, from one row."""

    stream: str
    thing: str
    start: int
    result: Json
    quality: Json
    count: int
    first: int


class Points(msgspec.Struct, kw_only=True):
    """Readings of one stream as columns, in the order of time. ``flags`` is "" where a reading is plausible."""

    times: list[int]
    results: list[Json]
    flags: list[str]


class Store(Protocol):
    """Where the measured world is kept. Safe to use from several threads.

    Reading raises InvalidQuery, LimitExceeded or NotFound; writing raises InvalidInput, Conflict, StorageBusy or
    StorageFull and then nothing was written.
    """

    def find(self, query: Query) -> Page:
        """Answer a question. One statement for each level of expansion."""

    def aggregate(self, asked: Aggregation) -> Table:
        """Group and sum up what the reader may see, in one statement, and one more where they are counted."""

    def newest(self, query: Query) -> Table:
        """The newest reading of each Datastream that a question leads to, a page of them in its order.

        Columns: ``Datastream/id``, ``Thing/id``, ``phenomenonTime`` (of an interval the start), ``result``,
        ``resultQuality``. Streams that have none are absent. No observation is read.
        """

    def append(self, batch: Batch) -> Receipt:
        """Commit a batch: when this returns, it survives a power cut."""

    def append_all(self, batches: Sequence[Batch], mark: Mark | None = None) -> list[Receipt]:
        """The same for several, in their order and as if one after the other: all of them (and the mark), or none."""

    def put_mark(self, mark: Mark) -> None:
        """Write a mark; inside of :meth:`together` it is there when all of that is."""

    def marks(self, name: str) -> list[Mark]:
        """The marks of a name in the order of their numbers."""

    def together(self, work: Callable[[], T]) -> T:
        """Run ``work`` in this thread so that all that it reads and writes here is one transaction.

        If it raises, nothing of it was written; whatever else uses the same connection (the audit log) goes with it.
        """

    def change(self, amendment: Amendment) -> None:
        """Change an entity. A changed observation is a correction: what it replaced is kept.

        Raises NotFound, Forbidden where the reader may not write, ChangedMeanwhile where it is no longer as it was
        ``seen``, and Conflict for what would take a stream to another dataset.
        """

    def remove(self, removal: Removal) -> int:
        """Delete; gives how many entities the question led to, without those that hung on them.

        Raises NotFound for an id that is not there, Forbidden, ChangedMeanwhile, and Conflict where something
        that the reader may not see would go with it.
        """

    def put_datasets(self, datasets: Iterable[DatasetRecord]) -> None:
        """Make the datasets known, or change what is said of them."""

    def rewrite_place(self, thing: str, position: Position | None, *, reader: Reader, origin: str, at: int) -> None:
        """Let all that is known of where a thing stands and stood be this place; what was told before is not kept.

        With None nothing says a place any more. Raises NotFound.
        """

    def forget_source(self, source: str, dataset: str, *, reader: Reader, origin: str, at: int) -> None:
        """Delete a dataset that a source has for itself, with all that is in it and its rejections, for good."""

    def forget_client(self, name: str, instead: str) -> int:
        """Let nothing tell any more that readings, corrections and deletions came of a client (``token:<name>``):
        another name that was never given stands in its place. What could not be taken of it is deleted, since its bytes
        may tell more. Gives how many origins had the name."""

    def forget_rejections(self, source: str) -> None:
        """Delete what could not be taken of one source."""

    def latest(self, reader: Reader, *, origin: str | None = None) -> list[Latest]:
        """The newest reading of every stream that the reader may see (of one source), from one index walk."""

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
        """Readings with ``start <= time < end``; with ``before``, also the last one before ``start``; with
        ``newest_run``, of the forecasts for one time the newest run's alone. ``most``: no more than so many, the first
        of them (of all runs)."""

    def held(self, reader: Reader, streams: Sequence[str], moment: int) -> list[Held]:
        """The last reading of each stream that is not after a moment, in a statement for many of them and in no order;
        streams that have none or that the reader may not see are absent. Of several at one time the last one (of
        forecasts the newest run's)."""

    def sums(
        self, reader: Reader, stream: str, over: Sequence[Span], *, taken: Taken = "number", newest_run: bool = False
    ) -> list[Sum]:
        """Readings summed up by the buckets of ``over``, which do not overlap and are in the order of time.

        ``newest_run`` as in :meth:`points`."""

    def words(
        self, reader: Reader, stream: str, over: Sequence[Span], most: int, *, newest_run: bool = False
    ) -> list[Word] | None:
        """How often each text stands in each bucket, the most frequent first; None for more than ``most`` such rows."""

    def heads(self, reader: Reader, streams: Sequence[str]) -> list[Head]:
        """What those of the streams are that the reader may see, in no order."""

    def traces(self, reader: Reader, stream: str, start: int, end: int, most: int) -> list[Trace]:
        """Where readings with ``start <= time < end`` came from, in the order of time, no more than ``most``."""

    def replaced(self, reader: Reader, stream: str, time: int, most: int) -> list[Replaced]:
        """The values that stood in the place of a stream's readings at a time before corrections, the newest first."""

    def reports(self, reader: Reader, origin: str, start: int, end: int) -> list[int]:
        """The times at which any stream of a source reported, in order: when a change-only feed was alive."""

    def collections(self, reader: Reader, *, simulated: bool = False) -> list[KeptCollection]:
        """The collections that the reader may see, in the order of their ids."""

    def features(self, query: FeatureQuery) -> FeaturePage:
        """A page of a collection; raises NotFound for one that the reader may not see."""

    def count_features(self, query: FeatureQuery) -> int:
        """How many features the question leads to, wherever its page begins."""

    def feature(self, reader: Reader, collection: str, identifier: str, *, things: bool = False) -> KeptFeature:
        """One feature, also one that has gone; raises NotFound. With ``things`` a thing of a dataset, as a feature."""

    def feature_versions(self, reader: Reader, collection: str, identifier: str) -> list[FeatureVersion]:
        """What was said of a feature, the newest first; raises NotFound."""

    def figures(self, reader: Reader) -> dict[str, DatasetFigures]:
        """What is kept of each dataset of which the reader may see a stream, by its id."""

    def streams(self, reader: Reader, dataset: str, *, after: str = "", top: int = 100) -> list[StreamSummary]:
        """The streams of a dataset behind an id, in the order of their ids; none where the reader may not see it."""

    def names(self, reader: Reader, most: int) -> dict[str, list[str]]:
        """Names of the observed properties and things of the streams that the reader may see, by dataset, each once and
        in their order; at most ``most`` of properties and as many of things in a dataset."""

    def disclosed_in(self, page: Page) -> frozenset[str]:
        """Ids of the datasets that are not open and that an answer tells of: by its rows, by all that it counted, and
        by what its path leads through."""

    def disclosed_by(self, query: Query) -> frozenset[str]:
        """The same of everything that a question leads to, whatever its page; for sums."""

    def disclosed_of(
        self,
        *,
        streams: Iterable[str] = (),
        sources: Iterable[str] = (),
        collections: Iterable[str] = (),
        datasets: Iterable[str] = (),
    ) -> frozenset[str]:
        """The same of Datastreams, of what sources feed, of collections, and among datasets, all by their ids."""

    def tallies(self, start: int, end: int) -> list[Tally]:
        """What came of each stream that ever had a reading, with ``start <= time < end``. For the house itself."""

    def changes(self, after: int, limit: int) -> list[Change]:
        """The change log after a number, in order; no number ever appears below one that was given before."""

    def backlog(self, after: int) -> Backlog | None:
        """What is behind a number of the change log, also where it may not be read yet; None where nothing is."""

    def change_page(self, change: Change, query: Query) -> Page:
        """The observations of an append or correction that are still as it left them, and that a question leads to:
        its reader, path, filter, selection and expansion hold; its order and pages do not."""

    def change_pages(self, changes: Sequence[Change], query: Query) -> list[Page]:
        """The same for several changes, in their order."""

    def entity_changes(self, after: int, limit: int) -> list[EntityChange]:
        """The log of entities after a number, in order; no number ever appears below one that was given before."""

    def cursor(self, name: str) -> int | None:
        """How far a follower has come, or None for one that never began."""

    def set_cursor(self, name: str, number: int) -> None:
        """Remember how far a follower has come."""

    def newest_change(self) -> int:
        """Where one who follows the change log from now on begins: every line that is not visible yet has a higher
        number. 0 if it is empty."""

    def newest_entity_change(self) -> int:
        """The same for the log of entities."""

    def stamp(self) -> Stamp:
        """How what is kept stands now, in one statement: what was read after it holds as long as it is the same."""

    def adopt_logs(self) -> int:
        """Make the numbers of both logs and the followers' cursors this database's own, where it was read from a dump
        that another one wrote; followers then go on where they were. Gives how many were changed, 0 as a rule."""

    def prune_logs(self, *, read_before: int, before: int, deletions_before: int) -> int:
        """Delete lines of both logs that every follower has read and that were written before ``read_before``, and all
        from before ``before``; but deletions of observations, of which nothing else tells, are kept until
        ``deletions_before``. Gives how many went."""

    def sources(self) -> dict[str, SourceState]:
        """The state of every source that was ever heard of."""

    def note_attempt(self, source: str, at: int, error: str = "") -> None:
        """Remember that a source was asked, and what went wrong."""

    def rejections(self, *, source: str = "", code: str = "", text: str = "", limit: int = 100) -> list[KeptRejection]:
        """Rejections, the newest first, without their bytes. ``text`` is looked for in what is said of them and in
        their bytes, in any case."""

    def rejection(self, number: int) -> KeptRejection:
        """One rejection with its bytes; raises NotFound."""

    def settle_rejection(self, number: int, at: int) -> None:
        """Mark a rejection as replayed."""

    def prune_rejections(
        self, *, older_than: int, keep_bytes: int, source_bytes: int | None = None, source_count: int | None = None
    ) -> int:
        """Delete rejections received before a time, and the oldest ones above a size or count of each source and a
        total size; gives how many."""

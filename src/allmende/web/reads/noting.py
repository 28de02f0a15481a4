"""A store that notes who reads what is not open, whatever face asks.

What is noted: answers that hold rows, readings, features or sums of such a dataset, or that count them; answers that
hang on conditions and orders that look into other entities are noted apart, for all that the reader may see. What is
not: what there is in a dataset by numbers and names (figures, names for the search, the list of collections), an answer
without anything in it, and what somebody reads of the sensors that they give themselves.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, cast

from msgspec.structs import replace

from allmende.domain.aggregation import Aggregation, Table
from allmende.domain.disclosure import looks_elsewhere
from allmende.domain.features import FeaturePage, FeatureQuery, FeatureVersion, KeptFeature
from allmende.domain.figures import StreamSummary
from allmende.domain.logs import Change
from allmende.domain.policy import Reader
from allmende.domain.query import Logic, Page, Query
from allmende.domain.spans import Head, Held, Span, Sum, Word
from allmende.domain.store import Latest, Points, Store
from allmende.domain.tracing import Replaced, Trace
from allmende.web.citizens.models import PREFIX
from allmende.web.reads.notes import notes

Find = Callable[[], frozenset[str]]


def is_noted(reader: Reader) -> bool:
    """Whether what this reader reads has to be looked at: they may see something that is not open, and not theirs."""
    return bool(reader.datasets) and not reader.sees_all and not all(map(_is_own, reader.datasets))


def note(reader: Reader, datasets: frozenset[str], *, elsewhere: bool = False) -> None:
    """Note that a reader was told of datasets. ``elsewhere``: and perhaps of all others that they may see."""
    held = {dataset for dataset in datasets if not _is_own(dataset) and dataset in reader.datasets}
    others = {dataset for dataset in reader.datasets if not _is_own(dataset)} if elsewhere else ()
    notes.note(reader.name, held, conditions=others)


def _is_own(dataset: str) -> bool:
    return dataset.startswith(PREFIX)


@lru_cache(maxsize=8)
def noting(store: Store) -> Store:
    """The same store, which notes."""
    return cast(Store, _Noting(store))


class _Noting:
    """See :class:`allmende.domain.store.Store`; what is not here is the store's own."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def find(self, query: Query) -> Page:
        """See :class:`allmende.domain.store.Store`."""
        page = self._store.find(query)
        if is_noted(query.reader):
            note(query.reader, self._store.disclosed_in(page), elsewhere=looks_elsewhere(query))
        return page

    def aggregate(self, asked: Aggregation) -> Table:
        """See :class:`allmende.domain.store.Store`."""
        table = self._store.aggregate(asked)
        source = asked.source
        if is_noted(source.reader) and table.rows:
            if asked.where is not None:
                both = asked.where if source.filter is None else Logic("and", (source.filter, asked.where))
                source = replace(source, filter=both)
            note(source.reader, self._store.disclosed_by(source), elsewhere=looks_elsewhere(asked))
        return table

    def newest(self, query: Query) -> Table:
        """See :class:`allmende.domain.store.Store`."""
        table = self._store.newest(query)
        if is_noted(query.reader) and (table.rows or table.count):
            note(query.reader, self._store.disclosed_by(query), elsewhere=looks_elsewhere(query))
        return table

    def change_page(self, change: Change, query: Query) -> Page:
        """See :class:`allmende.domain.store.Store`."""
        page = self._store.change_page(change, query)
        if is_noted(query.reader):
            note(query.reader, self._store.disclosed_in(page), elsewhere=looks_elsewhere(query))
        return page

    def change_pages(self, changes: Sequence[Change], query: Query) -> list[Page]:
        """See :class:`allmende.domain.store.Store`."""
        return [self.change_page(change, query) for change in changes]

    def latest(self, reader: Reader, *, origin: str | None = None) -> list[Latest]:
        """See :class:`allmende.domain.store.Store`."""
        found = self._store.latest(reader, origin=origin)
        self._told(reader, bool(found), lambda: self._store.disclosed_of(streams=[each.stream for each in found]))
        return found

    def points(self, reader: Reader, stream: str, start: int, end: int, **how: Any) -> Points:
        """See :class:`allmende.domain.store.Store`."""
        found = self._store.points(reader, stream, start, end, **how)
        self._told(reader, bool(found.times), lambda: self._store.disclosed_of(streams=[stream]))
        return found

    def held(self, reader: Reader, streams: Sequence[str], moment: int) -> list[Held]:
        """See :class:`allmende.domain.store.Store`."""
        found = self._store.held(reader, streams, moment)
        self._told(reader, bool(found), lambda: self._store.disclosed_of(streams=[each.stream for each in found]))
        return found

    def sums(self, reader: Reader, stream: str, over: Sequence[Span], **how: Any) -> list[Sum]:
        """See :class:`allmende.domain.store.Store`."""
        found = self._store.sums(reader, stream, over, **how)
        self._told(reader, bool(found), lambda: self._store.disclosed_of(streams=[stream]))
        return found

    def words(self, reader: Reader, stream: str, over: Sequence[Span], most: int, **how: bool) -> list[Word] | None:
        """See :class:`allmende.domain.store.Store`."""
        found = self._store.words(reader, stream, over, most, **how)
        self._told(reader, found is None or bool(found), lambda: self._store.disclosed_of(streams=[stream]))
        return found

    def heads(self, reader: Reader, streams: Sequence[str]) -> list[Head]:
        """See :class:`allmende.domain.store.Store`."""
        found = self._store.heads(reader, streams)
        self._told(reader, bool(found), lambda: self._store.disclosed_of(streams=[head.id for head in found]))
        return found

    def traces(self, reader: Reader, stream: str, start: int, end: int, most: int) -> list[Trace]:
        """See :class:`allmende.domain.store.Store`."""
        found = self._store.traces(reader, stream, start, end, most)
        self._told(reader, bool(found), lambda: self._store.disclosed_of(streams=[stream]))
        return found

    def replaced(self, reader: Reader, stream: str, time: int, most: int) -> list[Replaced]:
        """See :class:`allmende.domain.store.Store`."""
        found = self._store.replaced(reader, stream, time, most)
        self._told(reader, bool(found), lambda: self._store.disclosed_of(streams=[stream]))
        return found

    def reports(self, reader: Reader, origin: str, start: int, end: int) -> list[int]:
        """See :class:`allmende.domain.store.Store`."""
        found = self._store.reports(reader, origin, start, end)
        self._told(reader, bool(found), lambda: self._store.disclosed_of(sources=[origin]))
        return found

    def streams(self, reader: Reader, dataset: str, *, after: str = "", top: int = 100) -> list[StreamSummary]:
        """See :class:`allmende.domain.store.Store`."""
        found = self._store.streams(reader, dataset, after=after, top=top)
        self._told(reader, bool(found), lambda: self._store.disclosed_of(datasets=[dataset]))
        return found

    def features(self, query: FeatureQuery) -> FeaturePage:
        """See :class:`allmende.domain.store.Store`."""
        page = self._store.features(query)
        self._told(query.reader, bool(page.items), self._of(query.collection, query.things))
        return page

    def count_features(self, query: FeatureQuery) -> int:
        """See :class:`allmende.domain.store.Store`."""
        count = self._store.count_features(query)
        self._told(query.reader, bool(count), self._of(query.collection, query.things))
        return count

    def feature(self, reader: Reader, collection: str, identifier: str, *, things: bool = False) -> KeptFeature:
        """See :class:`allmende.domain.store.Store`."""
        found = self._store.feature(reader, collection, identifier, things=things)
        self._told(reader, True, self._of(collection, things))
        return found

    def feature_versions(self, reader: Reader, collection: str, identifier: str) -> list[FeatureVersion]:
        """See :class:`allmende.domain.store.Store`."""
        found = self._store.feature_versions(reader, collection, identifier)
        self._told(reader, bool(found), self._of(collection, False))
        return found

    def _of(self, collection: str, things: bool) -> Find:
        if things:
            return lambda: self._store.disclosed_of(datasets=[collection])
        return lambda: self._store.disclosed_of(collections=[collection])

    def _told(self, reader: Reader, anything: bool, find: Find) -> None:
        if anything and is_noted(reader):
            note(reader, find())

"""Batches as large as a transaction should be: large ones are cut, small ones that came together are put together."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from allmende.domain.batch import Batch
from allmende.domain.records import Declaration, Series

ROWS = 2000
"""Readings a transaction at most: other writers wait no longer than such a one takes (about 15 ms)."""


def put_together(batches: Sequence[Batch]) -> list[Batch]:
    """The same readings in fewer batches: what a batch costs beside its readings is most of what a message costs.

    Batches of one source are put together where nothing but readings is in them, and what a stream says again is
    later than what it said before, so that what is a repetition or a correction stays one. Sources keep their own
    order; they are put apart only where no stream is of two of them. They were received when the last of them was, so
    give what came within moments.
    """
    by_origin: dict[str, list[Batch]] = {}
    for batch in batches:
        by_origin.setdefault(batch.origin, []).append(batch)
    streams = [{series.stream for each in own for series in each.series} for own in by_origin.values()]
    apart = sum(map(len, streams)) == len(set().union(*streams))
    made: list[Batch] = []
    for own in by_origin.values() if apart else [batches]:
        made += _merge(own)
    return made


def _merge(batches: Sequence[Batch]) -> Iterator[Batch]:
    """Neighbours that may be one."""
    opened: _Opened | None = None
    for batch in batches:
        if opened is not None and opened.take(batch):
            continue
        if opened is not None:
            yield opened.closed()
        opened = _Opened(batch)
    if opened is not None:
        yield opened.closed()


_SAME = ("origin", "dataset", "reader", "version", "declared_by")


class _Opened:
    """A batch that others are added to. What was given stays as it is."""

    def __init__(self, batch: Batch) -> None:
        self._first = batch
        self._alone = not _is_plain(batch)
        self._added = False
        self._received_at = batch.received_at
        self._declared: dict[str, Declaration] = {}
        self._series: dict[str, Series] = {}
        self._rows = 0
        if not self._alone:
            self._add(batch)

    def take(self, batch: Batch) -> bool:
        """Add a batch; False, and nothing changed, where it has to stand alone."""
        if self._alone or not _is_plain(batch) or any(getattr(batch, n) != getattr(self._first, n) for n in _SAME):
            return False
        if self._rows + sum(len(series.times) for series in batch.series) > ROWS:
            return False
        for declaration in batch.declarations:
            known = self._declared.get(declaration.stream)
            if known is not None and known is not declaration and known != declaration:
                return False
        for series in batch.series:
            before = self._series.get(series.stream)
            if before is not None and not _follows(before, series):
                return False
        self._added = True
        self._received_at = max(self._received_at, batch.received_at)
        self._add(batch)
        return True

    def _add(self, batch: Batch) -> None:
        for declaration in batch.declarations:
            self._declared.setdefault(declaration.stream, declaration)
        for series in batch.series:
            self._rows += len(series.times)
            before = self._series.get(series.stream)
            self._series[series.stream] = series if before is None else _joined(before, series)

    def closed(self) -> Batch:
        """The batch with all that was added; the first itself where nothing was."""
        if not self._added:
            return self._first
        told: dict[str, Any] = {"declarations": list(self._declared.values()), "series": list(self._series.values())}
        return msgspec.structs.replace(self._first, received_at=self._received_at, **told)


def _joined(before: Series, series: Series) -> Series:
    flags = None
    if before.flags is not None or series.flags is not None:
        flags = [*(before.flags or [""] * len(before.times)), *(series.flags or [""] * len(series.times))]
    times, results = [*before.times, *series.times], [*before.results, *series.results]
    return Series(stream=series.stream, times=times, results=results, flags=flags)


def _follows(before: Series, series: Series) -> bool:
    """Whether all that one says is behind what the other says."""
    if before.run is not None or series.run is not None:
        return False
    return not before.times or not series.times or max(before.times) < min(series.times)


def _is_plain(batch: Batch) -> bool:
    """Readings alone: a rejection says the name of what it came from, features are judged by their delivery."""
    more = (batch.entities, batch.rows, batch.collections, batch.features, batch.delivered, batch.rejections)
    return not any(more) and len({series.stream for series in batch.series}) == len(batch.series)


def split(batch: Batch, rows: int = ROWS) -> Iterator[Batch]:
    """The batch in pieces of at most so many readings, features and rejections; itself where it is small."""
    features = sum(len(f.rows) for f in batch.features)
    if sum(len(s.times) for s in batch.series) + features + len(batch.rejections) <= rows:
        yield batch
        return
    declared = {d.stream: d for d in batch.declarations}
    piece: list[Series] = []
    room = rows
    for series in batch.series:
        place = 0
        while place < len(series.times):
            cut = _cut(series, place, place + room)
            piece.append(cut)
            room -= len(cut.times)
            place += len(cut.times)
            if not room:
                yield _piece(batch, piece, declared)
                piece, room = [], rows
    if piece:
        yield _piece(batch, piece, declared)
    yield from _split_features(batch, rows)
    nothing: dict[str, Any] = {"declarations": (), "series": (), "collections": (), "features": ()}
    for place in range(0, len(batch.rejections), rows):
        yield msgspec.structs.replace(batch, **nothing, rejections=batch.rejections[place : place + rows])


def _split_features(batch: Batch, rows: int) -> Iterator[Batch]:
    declared = {collection.id: collection for collection in batch.collections}
    for features in batch.features:
        for place in range(0, len(features.rows), rows):
            # What could not be read is there as well: said once.
            unread = features.unread if not place else ()
            cut = msgspec.structs.replace(features, rows=features.rows[place : place + rows], unread=unread)
            nothing: dict[str, Any] = {"declarations": (), "series": (), "rejections": ()}
            known = [declared[features.collection]]
            yield msgspec.structs.replace(batch, **nothing, collections=known, features=[cut])


def _cut(series: Series, start: int, end: int) -> Series:
    return Series(
        stream=series.stream,
        times=series.times[start:end],
        results=series.results[start:end],
        flags=series.flags[start:end] if series.flags is not None else None,
        run=series.run,
    )


def _piece(batch: Batch, series: list[Series], declared: Mapping[str, Declaration]) -> Batch:
    names = dict.fromkeys(s.stream for s in series)
    nothing: dict[str, Any] = {"collections": (), "features": (), "rejections": ()}
    return msgspec.structs.replace(batch, declarations=[declared[n] for n in names], series=series, **nothing)

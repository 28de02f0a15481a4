"""Batches as large as a transaction should be: large ones are cut, small ones that came together are put together."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from allmende.domain.records import Declaration, Series
from allmende.domain.store import Batch

ROWS = 2000
"""Readings a transaction at most: other writers wait no longer than such a one takes (about 15 ms)."""


def put_together(batches: Sequence[Batch]) -> list[Batch]:
    """The same readings in fewer batches: what a batch costs beside its readings is most of what a message costs.

    Batches of one source are put together where nothing but readings is in them and none of their streams comes
    twice, so that what is a repetition or a correction stays one. Sources keep their own order; they are put apart
    only where no stream is of two of them.
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
    waiting: list[Batch] = []
    streams: set[str] = set()
    rows = 0
    for batch in batches:
        own = {series.stream for series in batch.series}
        count = sum(len(series.times) for series in batch.series)
        if waiting and not (_alike(waiting[-1], batch) and own.isdisjoint(streams) and rows + count <= ROWS):
            yield _one(waiting)
            waiting, streams, rows = [], set(), 0
        waiting.append(batch)
        streams |= own
        rows += count
    if waiting:
        yield _one(waiting)


def _alike(one: Batch, other: Batch) -> bool:
    same = (one.origin, one.dataset, one.version, one.received_at) == (
        other.origin,
        other.dataset,
        other.version,
        other.received_at,
    )
    return same and _is_plain(one) and _is_plain(other)


def _is_plain(batch: Batch) -> bool:
    """Readings alone: a rejection says the name of what it came from, features are judged by their delivery."""
    more = (batch.entities, batch.rows, batch.collections, batch.features, batch.delivered, batch.rejections)
    return not any(more) and len({series.stream for series in batch.series}) == len(batch.series)


def _one(batches: Sequence[Batch]) -> Batch:
    if len(batches) == 1:
        return batches[0]
    declared = {d.stream: d for batch in batches for d in batch.declarations}
    series = [series for batch in batches for series in batch.series]
    return msgspec.structs.replace(batches[0], declarations=list(declared.values()), series=series)


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

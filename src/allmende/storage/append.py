"""Committing batches: declarations, readings, entities, rejections and counts together.

Batches of readings that came together share their statements: a city's messages hold one or two readings each, and
most of what such a batch costs alone is the way to the database and back.
"""

from collections.abc import Iterator, Sequence

from allmende.domain.batch import Batch, Receipt
from allmende.domain.creation import encode
from allmende.domain.errors import InvalidInput
from allmende.domain.policy import COMMONS
from allmende.domain.store import DatasetRecord
from allmende.storage import bookkeeping
from allmende.storage.arrays import create_rows
from allmende.storage.collecting import append_features
from allmende.storage.connections import Connection
from allmende.storage.creation import Creator
from allmende.storage.declarations import declare
from allmende.storage.entities import ask_origins
from allmende.storage.fresh import Piece, append_fresh, ensure_features
from allmende.storage.readings import append_series
from allmende.storage.state import Stream, write_states


def append_batch(connection: Connection, batch: Batch) -> Receipt:
    """One batch in the transaction that is open."""
    return _append(connection, [batch])[0]


def append_all(connection: Connection, batches: Sequence[Batch]) -> list[Receipt]:
    """Several in their order, with the same outcome as one after the other."""
    return [receipt for part in _parts(batches) for receipt in _append(connection, part)]


def _parts(batches: Sequence[Batch]) -> Iterator[list[Batch]]:
    """Neighbours of which no stream is of two, and of which none brings more than readings."""
    part: list[Batch] = []
    streams: set[str] = set()
    for batch in batches:
        own = {declaration.stream for declaration in batch.declarations}
        if part and (_brings_more(batch) or _brings_more(part[-1]) or not own.isdisjoint(streams)):
            yield part
            part, streams = [], set()
        part.append(batch)
        streams |= own
    if part:
        yield part


def _brings_more(batch: Batch) -> bool:
    return any((batch.entities, batch.rows, batch.collections, batch.features, batch.delivered))


def _append(connection: Connection, batches: Sequence[Batch]) -> list[Receipt]:
    """One batch, or several of readings whose streams differ."""
    with connection.at_once():
        asked = ask_origins(connection, dict.fromkeys((batch.origin, batch.version) for batch in batches))
        streams = declare(connection, batches)
        origins = asked()
    receipts = [Receipt(rejected=len(batch.rejections)) for batch in batches]
    told = [origins[batch.origin, batch.version] for batch in batches]
    pieces = [
        Piece(place, series, streams[series.stream], told[place], batch.received_at)
        for place, batch in enumerate(batches)
        for series in batch.series
        if _is_declared(series.stream, streams) and series.times
    ]
    if pieces:
        with connection.at_once():
            ensure_features(connection, [piece.stream for piece in pieces])
        for piece in append_fresh(connection, pieces, receipts):
            counts = append_series(
                connection, piece.series, piece.stream, origin=piece.origin, received_at=piece.received_at
            )
            receipts[piece.place].accepted += counts.accepted
            receipts[piece.place].repeated += counts.repeated
            receipts[piece.place].corrected += counts.corrected
    if any(map(_brings_more, batches)):
        write_states(connection, streams.values())
        _append_more(connection, batches[0], receipts[0], told[0])
        streams = {}
    with connection.at_once():
        write_states(connection, streams.values())
        for batch, receipt in zip(batches, receipts, strict=True):
            _keep_books(connection, batch, receipt)
    return receipts


def _is_declared(stream: str, streams: dict[str, Stream]) -> bool:
    if stream not in streams:
        raise InvalidInput(f"the stream {stream!r} is not declared")
    return True


def _append_more(connection: Connection, batch: Batch, receipt: Receipt, origin: int) -> None:
    """What is no reading of a declared stream."""
    if batch.entities:
        creator = Creator(connection, batch, origin)
        creator.run()
        receipt.created = creator.created
        receipt.accepted += sum(kind == "Observation" for kind, _ in creator.created)
    if batch.rows:
        receipt.rows = create_rows(connection, batch, origin)
        receipt.accepted += sum(isinstance(name, str) for outcome in receipt.rows for name in outcome)
    if batch.collections or batch.delivered:
        append_features(connection, batch, receipt, origin)


def _keep_books(connection: Connection, batch: Batch, receipt: Receipt) -> None:
    """Rejections, and the counts of the source."""
    bookkeeping.keep_rejections(
        connection, batch.rejections, source=batch.origin, name=batch.name, received_at=batch.received_at
    )
    if batch.declarations or batch.collections or batch.rejections:
        # What is new of a forecast is its run, not the day that it is for.
        moments = (max(s.times) if s.run is None else s.run for s in batch.series if s.times)
        newest = max(moments, default=None)
        source = batch.declared_by or batch.origin
        bookkeeping.count_receipt(connection, source, receipt, received_at=batch.received_at, newest=newest)


def put_datasets(connection: Connection, datasets: list[DatasetRecord]) -> None:
    """Make datasets known; the commons always is."""
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

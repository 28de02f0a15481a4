"""Committing a batch: declarations, readings, entities, rejections and counts together."""

from collections.abc import Mapping

from allmende.domain.creation import encode
from allmende.domain.errors import InvalidInput
from allmende.domain.policy import COMMONS
from allmende.domain.records import Series
from allmende.domain.store import Batch, DatasetRecord, Receipt
from allmende.storage import bookkeeping
from allmende.storage.arrays import create_rows
from allmende.storage.collecting import append_features
from allmende.storage.connections import Connection
from allmende.storage.creation import Creator
from allmende.storage.declarations import declare
from allmende.storage.entities import origin_key
from allmende.storage.fresh import append_fresh, ensure_features
from allmende.storage.readings import append_series
from allmende.storage.state import Stream, write_states


def append_batch(connection: Connection, batch: Batch) -> Receipt:
    """One batch in the transaction that is open."""
    receipt = Receipt(rejected=len(batch.rejections))
    origin = origin_key(connection, batch.origin, batch.version)
    newest: int | None = None
    if batch.declarations or batch.series:
        streams = declare(
            connection,
            batch.declarations,
            source=batch.declared_by or batch.origin,
            dataset=batch.dataset,
            received_at=batch.received_at,
        )
        pairs = _with_streams(batch, streams)
        ensure_features(connection, [stream for _, stream in pairs])
        accepted, left = append_fresh(connection, pairs, origin=origin, received_at=batch.received_at)
        receipt.accepted += accepted
        for series, stream in left:
            counts = append_series(connection, series, stream, origin=origin, received_at=batch.received_at)
            receipt.accepted += counts.accepted
            receipt.repeated += counts.repeated
            receipt.corrected += counts.corrected
        # What is new of a forecast is its run, not the day that it is for.
        newest = max((max(s.times) if s.run is None else s.run for s, _ in pairs), default=None)
        write_states(connection, streams.values())
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
    bookkeeping.keep_rejections(
        connection, batch.rejections, source=batch.origin, name=batch.name, received_at=batch.received_at
    )
    if batch.declarations or batch.collections or batch.rejections:
        source = batch.declared_by or batch.origin
        bookkeeping.count_receipt(connection, source, receipt, received_at=batch.received_at, newest=newest)
    return receipt


def _with_streams(batch: Batch, streams: Mapping[str, Stream]) -> list[tuple[Series, Stream]]:
    """The series that hold readings, and their streams."""
    pairs = []
    for series in batch.series:
        stream = streams.get(series.stream)
        if stream is None:
            raise InvalidInput(f"the stream {series.stream!r} is not declared")
        if series.times:
            pairs.append((series, stream))
    return pairs


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

"""Readings with where they came from."""

from allmende.domain.tracing import Trace
from allmende.storage.connections import Connection
from allmende.storage.sql import Sql
from allmende.storage.values import decode_result, flag_of


def read_traces(connection: Connection, streams: Sql, start: int, end: int, most: int) -> list[Trace]:
    """See :meth:`allmende.domain.store.Store.traces`; ``streams`` gives the keys of the streams that may be read."""
    head = (
        f"SELECT o.phenomenon_start, o.result_kind, {connection.dialect.result('o')}, o.quality, n.name, n.version,"
        " o.received_at, (SELECT count(*) FROM observation_history h WHERE h.datastream = o.datastream"
        " AND h.phenomenon_start = o.phenomenon_start AND h.disc = o.disc)"
        " FROM observation o JOIN origin n ON n.pk = o.origin WHERE o.datastream = "
    )
    asked = (head + streams) + Sql(
        " AND o.phenomenon_start >= ? AND o.phenomenon_start < ? ORDER BY o.phenomenon_start, o.disc LIMIT ?",
        (start, end, most),
    )
    return [
        Trace(
            time=time, result=decode_result(kind, value), flag=flag_of(quality) if quality else "", origin=origin,
            version=version, received_at=received, corrections=corrections,
        )
        for time, kind, value, quality, origin, version, received, corrections in connection.execute(
            asked.text, asked.params
        )
    ]  # fmt: skip

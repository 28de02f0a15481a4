"""Readings with where they came from."""

from allmende.domain.tracing import Replaced, Trace
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


def read_replaced(connection: Connection, streams: Sql, time: int, most: int) -> list[Replaced]:
    """See :meth:`allmende.domain.store.Store.replaced`."""
    asked = ("SELECT h.result_kind, h.result, n.name, h.received_at, h.replaced_at FROM observation_history h"
             " JOIN origin n ON n.pk = h.origin WHERE h.datastream = ") + streams  # fmt: skip
    asked = asked + Sql(" AND h.phenomenon_start = ? ORDER BY h.replaced_at DESC, h.pk DESC LIMIT ?", (time, most))
    return [
        Replaced(result=decode_result(kind, value), origin=origin, received_at=received, replaced_at=replaced)
        for kind, value, origin, received, replaced in connection.execute(asked.text, asked.params)
    ]

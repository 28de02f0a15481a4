"""The statements of retention: which streams there are, what of them may be merged, and putting one for another."""

from typing import Any, NamedTuple

from allmende.domain.batch import Removal
from allmende.domain.logs import RETENTION
from allmende.domain.policy import house_reader
from allmende.domain.query import Query, ResultKind
from allmende.domain.retention import Fate, StreamFacts, ThinProfile
from allmende.domain.thinning import Merged, Reading
from allmende.storage.connections import Connection
from allmende.storage.entities import origin_key
from allmende.storage.readings import keep_document, log_change
from allmende.storage.removal import Doomed, delete_rows
from allmende.storage.state import Stream, at_the_end, recount_state, write_states
from allmende.storage.values import decode_number, flag_of

_STREAMS = 500
_FOLLOWER = "retention"
_READER = house_reader("retention")


class Volume(NamedTuple):
    """What is kept of one source or rule."""

    streams: int
    readings: int
    first: int | None
    """Phenomenon times, of the oldest and the newest reading."""
    newest: int | None


def read_volumes(connection: Connection) -> dict[str, Volume]:
    """What is kept, by the source or rule that declared it; what clients made stands under ""."""
    rows = connection.execute(
        "SELECT coalesce(d.source, ''), count(*), coalesce(sum(s.count), 0), min(s.first_start), max(s.latest_start)"
        " FROM datastream d LEFT JOIN stream_state s ON s.datastream = d.pk GROUP BY 1"
    ).fetchall()
    return {source: Volume(int(streams), int(count), first, newest) for source, streams, count, first, newest in rows}


def read_streams(connection: Connection, after: int) -> list[tuple[int, StreamFacts, dict[int, tuple[str, int]]]]:
    rows = connection.execute(
        "SELECT d.pk, d.id, x.id, d.source, s.count, s.first_start, s.latest_start, p.id FROM datastream d"
        " JOIN dataset x ON x.pk = d.dataset JOIN observed_property p ON p.pk = d.observed_property"
        " LEFT JOIN stream_state s ON s.datastream = d.pk WHERE d.pk > ? ORDER BY d.pk LIMIT ?",
        (after, _STREAMS),
    ).fetchall()
    if not rows:
        return []
    span = (rows[0][0], rows[-1][0])
    more: dict[int, list[str]] = {}
    for pk, name in connection.execute(
        "SELECT y.datastream, p.id FROM stream_property y JOIN observed_property p ON p.pk = y.observed_property"
        " WHERE y.datastream BETWEEN ? AND ?",
        span,
    ):
        more.setdefault(pk, []).append(name)
    done: dict[int, dict[int, tuple[str, int]]] = {}
    for pk, step, edition, upto in connection.execute(
        "SELECT datastream, step, edition, upto FROM retention_state WHERE datastream BETWEEN ? AND ?", span
    ):
        done.setdefault(pk, {})[step] = edition, upto
    return [
        (
            pk,
            StreamFacts(
                id=name, dataset=dataset, source=source or "", properties=(observed, *more.get(pk, ())),
                count=count or 0, first=first or 0, newest=newest or 0,
            ),
            done.get(pk, {}),
        )
        for pk, name, dataset, source, count, first, newest, observed in rows
    ]  # fmt: skip


def rewind(connection: Connection) -> None:
    settled = connection.dialect.settled
    known = connection.execute("SELECT number FROM follower WHERE name = ?", (_FOLLOWER,)).fetchone()
    newest = connection.execute(f"SELECT max(c.number) FROM change_log c WHERE {settled}").fetchone()[0] or 0
    if known is not None:
        late = connection.execute(
            "SELECT r.datastream, min(c.first) FROM change_log c JOIN retention_state r ON r.datastream = c.datastream"
            " WHERE c.number > ? AND c.number <= ? AND c.kind <> ? AND c.first < r.upto GROUP BY r.datastream",
            (known[0], newest, RETENTION),
        ).fetchall()
        for pk, first in late:
            connection.execute(
                "UPDATE retention_state SET upto = ? WHERE datastream = ? AND upto > ?", (first, pk, first)
            )
        if newest <= known[0]:
            return
    connection.execute(
        "INSERT INTO follower (name, number) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET number = excluded.number",
        (_FOLLOWER, newest),
    )


def forget(connection: Connection) -> None:
    """Without rules nobody follows the log: a rule that comes later begins at the beginning."""
    if connection.execute("SELECT 1 FROM follower WHERE name = ?", (_FOLLOWER,)).fetchone():
        connection.execute("DELETE FROM follower WHERE name = ?", (_FOLLOWER,))
        connection.execute("DELETE FROM retention_state")


def doomed_by(stream: Stream, fate: Fate) -> tuple[str, tuple[int, ...]]:
    if fate.kind == "latest":
        return (
            "o.datastream = ? AND o.phenomenon_start <= ? AND (o.phenomenon_start < ? OR o.disc < ?)",
            (stream.pk, stream.latest_start, stream.latest_start, stream.latest_disc),
        )
    return (
        "o.datastream = ? AND o.phenomenon_start < ? AND (o.phenomenon_end IS NULL OR o.phenomenon_end <= ?)",
        (stream.pk, fate.high, fate.high),
    )


def count_doomed(connection: Connection, pk: int, fate: Fate) -> int:
    stream = look_at(connection, pk)
    if stream is None:
        return 0
    rule, parameters = doomed_by(stream, fate)
    return int(connection.execute(f"SELECT count(*) FROM observation o WHERE {rule}", parameters).fetchone()[0])


def look_at(connection: Connection, pk: int) -> Stream | None:
    """What of a stream is needed to look at it; None where it is gone or empty."""
    row = connection.execute(
        "SELECT d.id, d.feature, s.latest_start, s.latest_disc FROM datastream d"
        " JOIN stream_state s ON s.datastream = d.pk WHERE d.pk = ?",
        (pk,),
    ).fetchone()
    if row is None:
        return None
    name, feature, start, disc = row
    return Stream(pk=pk, id=name, feature=feature, latest_start=start, latest_disc=disc)


def read_readings(
    connection: Connection, stream: Stream, step: ThinProfile, after: tuple[int, int], high: int, most: int
) -> list[Reading]:
    """Readings that may be merged, from a key on, in order.

    Forecasts may not (each run speaks for itself), nor what was observed elsewhere than where the stream is, nor what
    is no number where numbers are taken.
    """
    rules = ["o.datastream = ?", "o.phenomenon_start >= ?", "o.phenomenon_start < ?"]
    parameters: list[Any] = [stream.pk, after[0], high]
    rules.append("(o.phenomenon_start > ? OR o.disc >= ?)")
    parameters += after
    rules.append("(o.result_time IS NULL OR o.result_time <> o.disc)")
    if step.take not in ("first", "last"):
        rules.append(f"o.result_kind <= {ResultKind.DECIMAL}")
    rules.append("o.feature IS NULL" if stream.feature is None else "o.feature = ?")
    parameters += [] if stream.feature is None else [stream.feature]
    rows = connection.execute(
        "SELECT o.phenomenon_start, o.disc, o.id, o.phenomenon_end, o.result_time, o.received_at, o.result_kind,"
        f" {connection.dialect.result('o')}, o.quality, o.parameters, o.feature, o.origin FROM observation o"
        f" WHERE {' AND '.join(rules)} ORDER BY o.phenomenon_start, o.disc LIMIT ?",
        (*parameters, most),
    ).fetchall()
    return [
        Reading(
            start, disc, number, end, result_time, received_at, kind,
            decode_number(kind, value) if value is not None else None,
            quality, flag_of(quality), said, feature, origin,
        )
        for start, disc, number, end, result_time, received_at, kind, value, quality, said, feature, origin in rows
    ]  # fmt: skip


def replace(
    connection: Connection, stream: Stream, gone: list[Doomed], made: list[Merged], now: int, *, last: bool
) -> None:
    """Delete these of a locked stream, write those, and keep log and state true.

    What no index orders is walked for behind the ``last`` chunk alone.
    """
    if not gone:
        return
    starts = [row.start for row in gone]
    origin = origin_key(connection, _FOLLOWER, "")
    change = log_change(connection, stream, RETENTION, min(starts), max(starts), len(gone), origin, now)
    removal = Removal(target=Query(entity="Observation", reader=_READER), origin=_FOLLOWER, received_at=now)
    delete_rows(connection, removal, stream, gone)
    numbers = connection.dialect.reserve_numbers(connection, len(made)) if made else ()
    rows = []
    for number, one in zip(numbers, made, strict=True):
        value = keep_document(connection, number, one.value) if one.kind >= ResultKind.JSON else one.value
        rows.append(
            (
                stream.pk, one.start, number, number, one.end, None, one.received_at, one.kind, value, one.quality,
                None, None, one.parameters, stream.feature, one.origin, change,
            )
        )  # fmt: skip
    if rows:
        connection.dialect.insert_observations(connection, rows)
    walk = any(at_the_end(stream, row.start if row.end is None else row.end, None) for row in gone)
    walk = walk or (last and any(row.result_time is not None for row in gone))
    features = {row.feature for row in gone if row.feature is not None and not made}
    recount_state(connection, stream, len(made) - len(gone), sorted(features), walk=walk)
    if made and stream.count:
        stream.last_end = max(stream.last_end, max(one.end for one in made))
    write_states(connection, [stream])

"""Appending readings: what is new, what repeats, what corrects; then state and change log, once per stream."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from allmende.domain.bounds import ABOVE, BELOW, range_flag
from allmende.domain.creation import encode, keep_result
from allmende.domain.query import ResultKind
from allmende.domain.records import Series
from allmende.storage.connections import ColumnType, Connection
from allmende.storage.state import Stream, grow_state
from allmende.storage.values import decode_result

DOCUMENT_FROM = 2_000
"""Characters from which a JSON result is kept in its side table."""


class Counts(NamedTuple):
    """What became of a series."""

    accepted: int
    repeated: int
    corrected: int


class _Reading(NamedTuple):
    time: int
    kind: int
    value: Any
    flag: str


def append_series(connection: Connection, series: Series, stream: Stream, *, origin: int, received_at: int) -> Counts:
    """Append readings of a declared stream: repeated ones are no event, others correct.

    ``disc`` is 0, or the run of a forecast, which is its result time too. A value within the series that follows
    another at the same time corrects it too.
    """
    if _plainly_new(series, stream):
        _append_plain(connection, series, stream, origin=origin, received_at=received_at)
        return Counts(len(series.times), 0, 0)
    readings, inner_repeats, inner_corrections = _distinct(series)
    fresh, changed, repeated = _compare(connection, stream, readings, series.run)
    if fresh:
        change = log_change(
            connection, stream, "append", fresh[0].time, fresh[-1].time, len(fresh), origin, received_at
        )
        rows = _rows(connection, fresh, stream, series.run, origin=origin, received_at=received_at, change=change)
        connection.dialect.insert_observations(connection, rows)
        ends = fresh[0].time, fresh[-1].time
        runs = () if series.run is None else (series.run,)
        grow_state(stream, *ends, len(fresh), latest=_latest(fresh[-1], series.run), result_times=runs)
    if changed:
        _correct(connection, changed, stream, series.run or 0, origin=origin, received_at=received_at)
    # A value that was corrected within the series was read, and lost to its successor.
    return Counts(len(fresh), repeated + inner_repeats, len(changed) + inner_corrections)


def _plainly_new(series: Series, stream: Stream) -> bool:
    """Whether these are unflagged whole numbers, in order, all behind what is kept: what a living feed sends."""
    moments = series.times
    return (
        series.run is None
        and not (series.flags and any(series.flags))
        and (stream.count == 0 or moments[0] > stream.latest_start)
        and set(map(type, series.results)) == {int}
        and all(a < b for a, b in pairwise(moments))
    )


def _append_plain(connection: Connection, series: Series, stream: Stream, *, origin: int, received_at: int) -> None:
    """The hot path: rows straight from the columns."""
    moments, count = series.times, len(series.times)
    change = log_change(connection, stream, "append", moments[0], moments[-1], count, origin, received_at)
    numbers = connection.dialect.reserve_numbers(connection, count)
    pk, feature, kind = stream.pk, stream.feature, ResultKind.INTEGER
    rows = [
        (pk, time, 0, number, None, None, received_at, kind, value, None, None, None, None, feature, origin, change)
        for number, time, value in zip(numbers, moments, series.results, strict=True)
    ]
    connection.dialect.insert_observations(connection, rows)
    newest = (moments[-1], 0, kind, series.results[-1], None)
    grow_state(stream, moments[0], moments[-1], count, latest=newest)


def _latest(reading: _Reading, run: int | None) -> tuple[int, int, int, Any, str | None]:
    return reading.time, run or 0, reading.kind, reading.value, quality_of(reading.flag)


def _distinct(series: Series) -> tuple[list[_Reading], int, int]:
    """Readings in the order of time, one per time; how many of the rest repeated and how many corrected."""
    moments, results = series.times, series.results
    flags: Sequence[str] = series.flags or [""] * len(moments)
    if set(map(type, results)) == {int}:
        kinds = [ResultKind.INTEGER] * len(moments)
        values: Sequence[Any] = results
    else:
        pairs = [keep_result(r) for r in results]
        kinds, values = [k for k, _ in pairs], [v for _, v in pairs]
    readings = list(map(_Reading._make, zip(moments, kinds, values, flags, strict=True)))
    if all(a < b for a, b in pairwise(moments)):
        return readings, 0, 0
    kept: dict[int, _Reading] = {}
    repeats = corrections = 0
    for reading in readings:
        known = kept.get(reading.time)
        if known is None:
            kept[reading.time] = reading
        elif _same(known, reading.kind, reading.value):
            repeats += 1
        else:
            corrections += 1
            kept[reading.time] = reading
    return [kept[t] for t in sorted(kept)], repeats, corrections


def _same(reading: _Reading, kind: int, value: Any) -> bool:
    """Whether a value is the same again. 5 and 5.0 are: a source that changes how it writes them corrects nothing."""
    alike = reading.kind == kind or {reading.kind, kind} == {ResultKind.INTEGER, ResultKind.DECIMAL}
    return alike and bool(reading.value == value)


def _compare(
    connection: Connection, stream: Stream, readings: list[_Reading], run: int | None
) -> tuple[list[_Reading], list[_Reading], int]:
    """Split into new readings, corrections of kept ones, and the number of repetitions."""
    if stream.count == 0 or readings[0].time > stream.latest_start:
        return readings, [], 0
    known = {
        start: (kind, _comparable(kind, value))
        for start, kind, value in connection.execute(
            f"SELECT o.phenomenon_start, o.result_kind, {connection.dialect.result('o')} FROM observation o"
            " WHERE o.datastream = ? AND o.phenomenon_start BETWEEN ? AND ? AND o.disc = ?",
            (stream.pk, readings[0].time, readings[-1].time, run or 0),
        )
    }
    fresh, changed, repeated = [], [], 0
    for reading in readings:
        kept = known.get(reading.time)
        if kept is None:
            fresh.append(reading)
        elif _same(reading, *kept):
            repeated += 1
        else:
            changed.append(reading)
    return fresh, changed, repeated


def _comparable(kind: int, value: Any) -> Any:
    """A kept result as :func:`keep_result` gives it; JSON stays text."""
    return value if kind >= ResultKind.STRING or value is None else keep_result(decode_result(kind, value))[1]


def _rows(
    connection: Connection,
    fresh: list[_Reading],
    stream: Stream,
    run: int | None,
    *,
    origin: int,
    received_at: int,
    change: int,
) -> list[tuple[Any, ...]]:
    pk, feature = stream.pk, stream.feature
    numbers = connection.dialect.reserve_numbers(connection, len(fresh))
    if any(r.kind == ResultKind.JSON and len(r.value) >= DOCUMENT_FROM for r in fresh):
        fresh = [
            r._replace(value=keep_document(connection, numbers[i], r.value)) if r.kind == ResultKind.JSON else r
            for i, r in enumerate(fresh)
        ]
    return [
        (
            pk, time, run or 0, number, None, run, received_at, kind, value,
            quality_of(flag) if flag else None, None, None, None, feature, origin, change,
        )
        for number, (time, kind, value, flag) in zip(numbers, fresh, strict=True)
    ]  # fmt: skip


def keep_document(connection: Connection, number: int, value: str) -> str | None:
    """Move a large JSON result to its side table; gives what stays in the row."""
    if len(value) < DOCUMENT_FROM:
        return value
    connection.execute(
        "INSERT INTO observation_document (id, body) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET body = excluded.body",
        (number, value),
    )
    return None


def quality_of(flag: str) -> str | None:
    """The resultQuality of a flagged reading, as JSON text."""
    return encode({"plausible": False, "flags": flag.split(" ")}) if flag else None


def judged_quality(stream: Stream, result: tuple[int, Any], said: str | None) -> str | None:
    """The resultQuality of an observation that a client creates: what they say, else whether its result (in kept form)
    is plausible for its stream."""
    if said is not None or (stream.low is None and stream.high is None):
        return said
    return quality_of(range_flag(*result, stream.low, stream.high))


def is_range_flag(quality: str | None) -> bool:
    """Whether a kept resultQuality is what :func:`judged_quality` says by itself, and so nothing that anybody said."""
    return quality is None or quality in _RANGE_FLAGS


_RANGE_FLAGS = {quality_of(ABOVE), quality_of(BELOW)}


def _correct(
    connection: Connection, changed: list[_Reading], stream: Stream, disc: int, *, origin: int, received_at: int
) -> None:
    """Replace values and keep what they replaced."""
    change = log_change(
        connection, stream, "correction", changed[0].time, changed[-1].time, len(changed), origin, received_at
    )
    for reading in changed:
        key = (stream.pk, reading.time, disc)
        connection.execute(
            "INSERT INTO observation_history (datastream, phenomenon_start, disc, id, result_kind, result, quality,"
            " received_at, origin, change, replaced_at, replaced_by)"
            f" SELECT o.datastream, o.phenomenon_start, o.disc, o.id, o.result_kind, {connection.dialect.result('o')},"
            " o.quality, o.received_at, o.origin, o.change, ?, ? FROM observation o"
            " WHERE o.datastream = ? AND o.phenomenon_start = ? AND o.disc = ?",
            (received_at, change, *key),
        )
        value = reading.value
        if reading.kind == ResultKind.JSON and len(value) >= DOCUMENT_FROM:
            number = connection.execute(
                "SELECT id FROM observation WHERE datastream = ? AND phenomenon_start = ? AND disc = ?", key
            ).fetchone()[0]
            value = keep_document(connection, number, value)
        assignment, values = connection.dialect.set_result(reading.kind, value)
        connection.execute(
            f"UPDATE observation SET result_kind = ?, {assignment}, quality = ?, received_at = ?, origin = ?,"
            " change = ? WHERE datastream = ? AND phenomenon_start = ? AND disc = ?",
            (reading.kind, *values, quality_of(reading.flag), received_at, origin, change, *key),
        )
        if (reading.time, disc) == (stream.latest_start, stream.latest_disc):
            grow_state(stream, reading.time, reading.time, 0, latest=_latest(reading, disc))


_LOGGED: Mapping[str, ColumnType] = {
    "number": "bigint",
    "datastream": "bigint",
    "kind": "text",
    "first": "bigint",
    "last": "bigint",
    "count": "bigint",
    "origin": "bigint",
    "received_at": "bigint",
}


def log_appends(connection: Connection, lines: Iterable[tuple[int, ...]]) -> None:
    """Write lines of the change log for appended readings, under numbers that the dialect gave.

    A line is (number, stream, first, last, count, origin, received at).
    """
    rows = [(number, stream, "append", *line) for number, stream, *line in lines]
    connection.dialect.insert_many(connection, "change_log", _LOGGED, rows)


def log_change(
    connection: Connection, stream: Stream, kind: str, start: int, end: int, count: int, origin: int, received_at: int
) -> int:
    """Write a line of the change log; gives its number."""
    row = connection.execute(
        "INSERT INTO change_log (datastream, kind, first, last, count, origin, received_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?) RETURNING number",
        (stream.pk, kind, start, end, count, origin, received_at),
    ).fetchone()
    return int(row[0])

"""The statements of charts: sums of a stream's readings over buckets of time, in one walk over its clustered rows.

Each engine groups by whole numbers alone: where a zone's clock is put forward or back, and where months begin, is
worked out before (see :mod:`allmende.knowledge.series.grid`), so that no calendar is asked for each reading.
"""

from collections.abc import Sequence
from itertools import repeat
from typing import Any

import msgspec

from allmende.domain.policy import Reader
from allmende.domain.query import ResultKind
from allmende.domain.spans import Head, Held, Span, Sum, Taken, Word
from allmende.domain.thinning import MARK
from allmende.storage.connections import Connection, Dialect
from allmende.storage.sql import Sql, all_of, visible
from allmende.storage.values import decode_result, flag_of

_FLAGGED = '%"plausible":false%'
_HUGE = "1e150"
"""PostgreSQL ends a statement whose sum leaves the range of doubles; above are no measurements."""
_STREAMS = 10_000
_KINDS: dict[Taken, tuple[int, int]] = {
    "number": (ResultKind.INTEGER, ResultKind.DECIMAL),
    "boolean": (ResultKind.BOOLEAN, ResultKind.BOOLEAN),
}


def read_sums(connection: Connection, stream: Sql, spans: Sequence[Span], taken: Taken, *, newest: bool) -> list[Sum]:
    """Sums by bucket, in the order of time. ``stream`` gives the stream's key, or nothing; ``newest``: of forecasts for
    one time the newest run's alone."""
    if not spans:
        return []
    walk = _walk(stream, spans, newest=newest)
    found = _plain_sums(connection, walk, spans, taken)
    return _all_sums(connection, walk, spans, taken) if found is None else found


def _plain_sums(connection: Connection, walk: Sql, spans: Sequence[Span], taken: Taken) -> list[Sum] | None:
    """The same in a third of the time, where no reading is flagged or merged and all are of the kind that is taken, as
    it mostly is; else None."""
    value = connection.dialect.plain_number("o")
    low, high = _KINDS[taken]
    # one count of all that is unusual: each further column of a row and each aggregate is a fifth of a plain walk
    unusual = f"o.quality IS NOT NULL OR o.parameters IS NOT NULL OR o.result_kind < {low} OR o.result_kind > {high}"
    asked = Sql("SELECT ") + _bucket(spans) + (
        f", count(*), {connection.dialect.plain_mean('o', _HUGE)}, min({value}), max({value}),"
        f" count(CASE WHEN {unusual} THEN 1 END) FROM "
    )  # fmt: skip
    asked = asked + walk + " GROUP BY b ORDER BY b"
    found = connection.execute(asked.text, asked.params).fetchall()
    if not found:
        return []
    numbers, rows, means, lows, highs, unlike = zip(*found, strict=True)
    if any(unlike):
        return None
    if max(highs) >= float(_HUGE) or min(lows) <= -float(_HUGE):
        return None
    return list(map(Sum, _starts(spans, numbers), rows, rows, means, lows, highs, repeat(0)))


def _all_sums(connection: Connection, walk: Sql, spans: Sequence[Span], taken: Taken) -> list[Sum]:
    inner = _bucket(spans) + ", " + _columns(connection.dialect, taken) + " FROM " + walk
    asked = "SELECT r.b, count(*), sum(r.w), sum(r.v * r.w), min(r.low), max(r.high), sum(r.bad) FROM (SELECT " + inner
    asked = asked + ") r GROUP BY r.b ORDER BY r.b"
    found = connection.execute(asked.text, asked.params).fetchall()
    starts = _starts(spans, [row[0] for row in found])
    return [
        Sum(start, rows, int(count), None if total is None else total / int(count), low, high, int(flagged))
        for start, (_, rows, count, total, low, high, flagged) in zip(starts, found, strict=True)
    ]


def read_words(
    connection: Connection, stream: Sql, spans: Sequence[Span], most: int, *, newest: bool
) -> list[Word] | None:
    """How often each text stands in each bucket; None where that would be more than ``most`` rows."""
    text = connection.dialect.result_as("o", "string")
    truth = connection.dialect.result_as("o", "boolean")
    word = f"coalesce({text}, CASE {truth} WHEN 1 THEN 'true' WHEN 0 THEN 'false' END)"
    asked = Sql("SELECT r.b, r.t, count(*) FROM (SELECT ") + _bucket(spans) + f", {word} AS t FROM "
    asked = asked + _walk(stream, spans, newest=newest)
    asked = asked + Sql(") r WHERE r.t IS NOT NULL GROUP BY r.b, r.t ORDER BY r.b, 3 DESC, r.t LIMIT ?", (most + 1,))
    found = connection.execute(asked.text, asked.params).fetchall()
    if len(found) > most:
        return None
    starts = _starts(spans, [row[0] for row in found])
    return [Word(start, text, rows) for start, (_, text, rows) in zip(starts, found, strict=True)]


def _bucket(spans: Sequence[Span]) -> Sql:
    """Which bucket a reading is in, as ``b``: its number in the only span, else where it begins, since one bucket may
    go on from span to span."""
    if len(spans) > 1:
        return Sql("(o.phenomenon_start - p.f) / p.w * p.w + p.f AS b")
    only = spans[0]
    return Sql("(o.phenomenon_start - CAST(? AS bigint)) / CAST(? AS bigint) AS b", (only.first, only.width))


def _starts(spans: Sequence[Span], buckets: Sequence[int]) -> list[int]:
    """Where the buckets begin that :func:`_bucket` tells of."""
    if len(spans) > 1:
        return list(buckets)
    first, width = spans[0].first, spans[0].width
    return [first + number * width for number in buckets]


def _walk(stream: Sql, spans: Sequence[Span], *, newest: bool) -> Sql:
    """The readings of a stream, one walk for each span."""
    if len(spans) == 1:
        tables = Sql("observation o WHERE o.datastream = ") + stream
        tables = tables + Sql(" AND o.phenomenon_start >= ? AND o.phenomenon_start < ?", (spans[0].start, spans[0].end))
    else:
        row = f"({', '.join(['CAST(? AS bigint)'] * 4)})"
        values = Sql(", ".join([row] * len(spans)), tuple(number for span in spans for number in span))
        tables = "(WITH p (a, z, f, w) AS (VALUES " + values + ") SELECT * FROM p) p CROSS JOIN observation o"
        tables = tables + " WHERE o.datastream = " + stream
        tables = tables + " AND o.phenomenon_start >= p.a AND o.phenomenon_start < p.z"
    if newest:
        tables = tables + (
            " AND NOT EXISTS (SELECT 1 FROM observation n WHERE n.datastream = o.datastream"
            " AND n.phenomenon_start = o.phenomenon_start AND n.disc > o.disc AND n.disc = n.result_time)"
        )
    return tables


def _columns(dialect: Dialect, taken: Taken) -> Sql:
    """The value of a reading, for how many it stands, its lowest and highest, and whether it is implausible.

    Hardly any reading is flagged or merged, so that is looked at first.
    """
    value = dialect.result_as("o", taken)
    plain = f"CASE WHEN abs({value}) < {_HUGE} THEN {value} END" if taken == "number" else value
    bad = Sql("(o.quality IS NOT NULL AND o.quality LIKE ?)", (_FLAGGED,))

    def unless(known: Sql) -> Sql:
        return "CASE WHEN " + bad + " THEN NULL WHEN o.parameters IS NULL THEN " + plain + " ELSE " + known + " END"

    def said(name: str) -> Sql:
        return Sql(*dialect.json_at("o.parameters", (MARK, name), "number"))

    many = "coalesce(" + said("readings") + ", 1)"
    weight = "CASE WHEN " + bad + f" OR {plain} IS NULL THEN 0 WHEN o.parameters IS NULL THEN 1 ELSE " + many + " END"
    low, high = ("coalesce(" + said(name) + f", {plain})" for name in ("minimum", "maximum"))
    return (
        unless(Sql(plain)) + " AS v, " + weight + " AS w, " + unless(low) + " AS low, " + unless(high)
        + " AS high, CASE WHEN " + bad + " THEN 1 ELSE 0 END AS bad"
    )  # fmt: skip


def read_held(connection: Connection, reader: Reader, streams: Sequence[str], moment: int) -> list[Held]:
    """See :meth:`allmende.domain.store.Store.held`: a look-up by key for each stream, none of its rows are walked."""
    found = []
    for first in range(0, len(streams), _STREAMS):  # an engine takes so many parameters and no more
        found += _held(connection, reader, streams[first : first + _STREAMS], moment)
    return found


def _held(connection: Connection, reader: Reader, streams: Sequence[str], moment: int) -> list[Held]:
    which = Sql(*connection.dialect.one_of("d.id", list(streams)))
    rules = [rule for rule in (which, visible("Datastream", "d", reader, simulated=True)) if rule is not None]
    start = (
        " = (SELECT max(y.phenomenon_start) FROM observation y WHERE y.datastream = d.pk AND y.phenomenon_start <= ?)"
    )
    disc = (
        " = (SELECT max(y.disc) FROM observation y WHERE y.datastream = d.pk"
        " AND y.phenomenon_start = o.phenomenon_start)"
    )
    asked = Sql(
        f"SELECT d.id, o.phenomenon_start, o.result_kind, {connection.dialect.result('o')}, o.quality FROM datastream d"
        " JOIN observation o ON o.datastream = d.pk AND o.phenomenon_start" + start + " AND o.disc" + disc + " WHERE ",
        (moment,),
    )
    asked = asked + all_of(rules)
    rows = connection.execute(asked.text, asked.params)
    return [Held(row[0], row[1], decode_result(row[2], row[3]), flag_of(row[4])) for row in rows]


def read_heads(connection: Connection, reader: Reader, streams: Sequence[str]) -> list[Head]:
    """See :meth:`allmende.domain.store.Store.heads`."""
    if not streams:
        return []
    which = Sql(*connection.dialect.one_of("d.id", list(streams)))
    rules = [rule for rule in (which, visible("Datastream", "d", reader, simulated=True)) if rule is not None]
    thing = visible("Thing", "t", reader, simulated=True) or Sql("1 = 1")
    asked = Sql(
        "SELECT d.id, d.name, t.name, t.id, p.name, p.id, d.unit, d.observation_type, x.id, d.source, x.simulated,"
        " d.properties, d.width, s.count, s.first_start, s.latest_start, s.latest_disc, s.result_time_last,"
        " s.latest_kind, EXISTS (SELECT 1 FROM retention_state y WHERE y.datastream = d.pk)"
        " FROM datastream d JOIN dataset x ON x.pk = d.dataset"
        " JOIN observed_property p ON p.pk = d.observed_property LEFT JOIN stream_state s ON s.datastream = d.pk"
        " LEFT JOIN thing t ON t.pk = d.thing AND "
    )
    asked = asked + thing + " WHERE " + all_of(rules)
    return [_head(row) for row in connection.execute(asked.text, asked.params)]


def _head(row: tuple[Any, ...]) -> Head:
    name, title, thing, thing_id, observed, observed_id, unit, kind, dataset, source, simulated, said, width = row[:13]
    count, first, last, disc, run, latest, merged = row[13:]
    symbol = _decoded(unit)
    properties = _decoded(said)
    named = symbol if isinstance(symbol, dict) else {}  # a stream of several values has a list of units
    return Head(
        id=name, name=title, thing=thing or "", thing_id=thing_id or "", property=observed, property_id=observed_id,
        unit=named.get("symbol") or "", unit_name=named.get("name") or "", observation_type=kind or "",
        dataset=dataset, source=source or "", simulated=bool(simulated),
        properties=properties if isinstance(properties, dict) else {}, wide=bool(width), count=count or 0, first=first,
        last=last, forecast=bool(disc) and disc == run, merged=bool(merged),
        kind=ResultKind.NULL if latest is None else latest,
    )  # fmt: skip


def _decoded(kept: Any) -> Any:
    return msgspec.json.decode(kept) if isinstance(kept, str | bytes) and kept else kept

"""Figures of whole datasets: what catalogues, pages and measures of quality are made of.

A stream belongs to one dataset, and so does its access: the reader's predicate on the stream is all that is needed,
but for its thing, which may belong to another.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from allmende.domain.features import Box
from allmende.domain.figures import DatasetFigures, StreamSummary, Tally
from allmende.domain.policy import Reader
from allmende.domain.query import ResultKind
from allmende.storage.connections import Connection
from allmende.storage.sql import Sql, all_of, visible
from allmende.storage.values import decode_result, flag_of

_FLAGGED = '%"plausible":false%'


def read_figures(connection: Connection, reader: Reader) -> dict[str, DatasetFigures]:
    """See :class:`allmende.domain.store.Store`."""
    rules = _rules(visible("Datastream", "d", reader, simulated=True))
    sql = (
        "SELECT x.id, count(*), coalesce(sum(s.count), 0), min(s.first_start), max(s.latest_start), min(s.west),"
        " min(s.south), max(s.east), max(s.north) FROM datastream d JOIN dataset x ON x.pk = d.dataset"
        " LEFT JOIN stream_state s ON s.datastream = d.pk WHERE " + rules + " GROUP BY x.id"
    )
    found = {}
    for name, streams, readings, first, newest, *box in connection.execute(sql.text, sql.params):
        found[name] = DatasetFigures(
            streams=int(streams), readings=int(readings), first=first, newest=newest, bbox=_box(box)
        )
    for name, place in _places(connection, reader):
        known = found.get(name)
        if known is not None:
            found[name] = msgspec.structs.replace(known, bbox=_around(known.bbox, place))
    return found


def _places(connection: Connection, reader: Reader) -> Iterable[tuple[str, tuple[float, float]]]:
    """Where the things of datasets stand, as far as they are points, of streams that observed no place: before its
    readings a stream's area is empty, and of those that have one it need not be asked for each thing."""
    rules = _rules(
        visible("Datastream", "d", reader, simulated=True),
        visible("Location", "l", reader, simulated=True),
        Sql("s.west IS NULL"),
    )
    sql = (
        "SELECT DISTINCT x.id, l.location FROM datastream d JOIN dataset x ON x.pk = d.dataset"
        " LEFT JOIN stream_state s ON s.datastream = d.pk"
        " JOIN thing_location h ON h.thing = d.thing JOIN location l ON l.pk = h.location WHERE " + rules
    )
    for name, body in connection.execute(sql.text, sql.params):
        place = msgspec.json.decode(body) if isinstance(body, str | bytes) else body
        if isinstance(place, dict) and place.get("type") == "Point":
            lon, lat = place["coordinates"][:2]
            yield name, (float(lon), float(lat))


def _around(box: Box | None, place: tuple[float, float]) -> Box:
    lon, lat = place
    if box is None:
        return lon, lat, lon, lat
    return min(box[0], lon), min(box[1], lat), max(box[2], lon), max(box[3], lat)


def _box(values: Sequence[Any]) -> Box | None:
    west, south, east, north = values
    return None if west is None else (west, south, east, north)


def read_streams(
    connection: Connection, reader: Reader, dataset: str, *, after: str = "", top: int = 100
) -> list[StreamSummary]:
    """See :class:`allmende.domain.store.Store`."""
    rules = _rules(visible("Datastream", "d", reader, simulated=True), Sql("x.id = ? AND d.id > ?", (dataset, after)))
    thing = visible("Thing", "t", reader, simulated=True) or Sql("1 = 1")
    sql = (
        "SELECT d.id, d.name, t.name, t.id, p.name, d.unit, d.source, s.count, s.first_start, s.latest_start,"
        " s.latest_kind, s.latest_result, s.latest_quality, s.west, s.south, s.east, s.north, (SELECT min(l.location)"
        " FROM thing_location h JOIN location l ON l.pk = h.location WHERE h.thing = d.thing AND "
    ) + (visible("Location", "l", reader, simulated=True) or Sql("1 = 1"))
    sql = sql + (
        "), p.id, d.low, d.high FROM datastream d JOIN dataset x ON x.pk = d.dataset"
        " JOIN observed_property p ON p.pk = d.observed_property LEFT JOIN thing t ON t.pk = d.thing AND "
    )
    sql = sql + thing
    sql = sql + " LEFT JOIN stream_state s ON s.datastream = d.pk WHERE " + rules
    sql = sql + Sql(" ORDER BY d.id LIMIT ?", (top,))
    return [_stream(row) for row in connection.execute(sql.text, sql.params)]


def _stream(row: tuple[Any, ...]) -> StreamSummary:
    name, title, thing, thing_id, observed, unit, source, count, first, start, kind, value, quality = row[:13]
    lon, lat = _middle(_box(row[13:17]), row[17])
    said = msgspec.json.decode(unit) if isinstance(unit, str | bytes) else unit
    # a MultiDatastream has a list of units, and its result is a list of values
    symbol = said.get("symbol") if isinstance(said, dict) else None
    return StreamSummary(
        id=name,
        name=title,
        thing=thing or "",
        thing_id=thing_id or "",
        property=observed,
        property_id=row[18],
        unit=symbol or "",
        source=source or "",
        count=count or 0,
        first=first,
        start=start,
        result=None if start is None or kind == ResultKind.NULL else decode_result(kind, value),
        flagged=bool(flag_of(quality)),
        lon=lon,
        lat=lat,
        low=row[19],
        high=row[20],
    )


def _middle(box: Box | None, location: Any) -> tuple[float | None, float | None]:
    if box is not None:
        return (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    place = msgspec.json.decode(location) if isinstance(location, str | bytes) else location
    if not isinstance(place, dict) or place.get("type") != "Point":
        return None, None
    return float(place["coordinates"][0]), float(place["coordinates"][1])


def read_names(connection: Connection, reader: Reader, most: int) -> dict[str, list[str]]:
    """See :class:`allmende.domain.store.Store`."""
    found: dict[str, list[str]] = {}
    for entity, table, column in (
        ("ObservedProperty", "observed_property", "observed_property"),
        ("Thing", "thing", "thing"),
    ):
        rules = _rules(visible("Datastream", "d", reader, simulated=True), visible(entity, "n", reader, simulated=True))
        sql = (
            "SELECT y.id, y.name FROM (SELECT x.id, n.name,"
            " row_number() OVER (PARTITION BY x.id ORDER BY n.name) AS place"
            f" FROM datastream d JOIN dataset x ON x.pk = d.dataset JOIN {table} n ON n.pk = d.{column} WHERE "
        ) + rules
        sql = sql + Sql(" GROUP BY x.id, n.name) y WHERE y.place <= ? ORDER BY y.id, y.place", (most,))
        for dataset, name in connection.execute(sql.text, sql.params):
            found.setdefault(dataset, []).append(name)
    return found


def read_tallies(connection: Connection, start: int, end: int) -> list[Tally]:
    """See :class:`allmende.domain.store.Store`. Each stream is one walk over a part of its own clustered rows."""
    sql = (
        "SELECT x.id, d.id, d.source, s.first_start, s.latest_start,"
        " (SELECT o.received_at - o.phenomenon_start FROM observation o WHERE o.datastream = s.datastream"
        "  AND o.phenomenon_start = s.latest_start AND o.disc = s.latest_disc),"
        " (SELECT count(*) FROM observation o WHERE o.datastream = d.pk AND o.phenomenon_start >= ?"
        "  AND o.phenomenon_start < ?),"
        " (SELECT count(*) FROM observation o WHERE o.datastream = d.pk AND o.phenomenon_start >= ?"
        "  AND o.phenomenon_start < ? AND o.quality IS NOT NULL AND o.quality LIKE ?)"
        " FROM datastream d JOIN dataset x ON x.pk = d.dataset JOIN stream_state s ON s.datastream = d.pk"
        " ORDER BY d.id"
    )
    rows = connection.execute(sql, (start, end, start, end, _FLAGGED))
    return [
        Tally(
            dataset=dataset, stream=stream, source=source or "", count=int(count), flagged=int(flagged), first=first,
            newest=newest, delay=delay,
        )
        for dataset, stream, source, first, newest, delay, count, flagged in rows
    ]  # fmt: skip


def _rules(*rules: Sql | None) -> Sql:
    return all_of([rule for rule in rules if rule is not None])

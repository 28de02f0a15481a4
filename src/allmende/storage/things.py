"""The things of a dataset as features, each with the newest values of its streams.

A thing is in a dataset if one of its streams is; it shows those streams alone. Two statements give a page: the things,
and what is newest of their streams, from their states. No observation is read but for values of another time: then
one for each stream, by its key.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import msgspec
import shapely
from shapely.errors import ShapelyError

from allmende.domain import ids
from allmende.domain.errors import NotFound
from allmende.domain.features import Box, FeatureQuery, KeptFeature, parts
from allmende.domain.policy import Reader
from allmende.domain.query import ResultKind
from allmende.domain.sifting import sieve
from allmende.domain.times import format_instant
from allmende.storage.connections import Connection
from allmende.storage.schema_spatial import has_column
from allmende.storage.sql import Sql, all_of, any_of, visible
from allmende.storage.values import decode_result, flag_of

_PART = 500


class _Thing(NamedTuple):
    pk: int
    id: str
    name: str
    description: str
    properties: Any
    location: Any


class _Stream(NamedTuple):
    """A stream with its newest reading; ``start`` is None where it has none."""

    thing: int
    id: str
    unit: Any
    property: str | None
    property_name: str | None
    start: int | None
    kind: int | None
    result: Any
    quality: str | None


class Things:
    """See :class:`allmende.storage.collections.Shelf`; a collection is a dataset."""

    def check(self, connection: Connection, query: FeatureQuery) -> None:
        """Raise NotFound where the reader may not see the dataset, or there is no stream in it."""
        sql = "SELECT 1 FROM datastream d WHERE " + _streams(query) + " LIMIT 1"
        if connection.execute(sql.text, sql.params).fetchone() is None:
            raise NotFound(f"there are no things of {query.collection!r}")

    def rows(self, connection: Connection, query: FeatureQuery, size: int) -> list[KeptFeature]:
        """The things behind ``after`` that may lie in the box."""
        place = _rules(Sql("h.thing = t.pk"), visible("Location", "l", query.reader, simulated=query.simulated))
        sql = (
            "SELECT t.pk, t.id, t.name, t.description, t.properties, (SELECT l.location FROM thing_location h"
            " JOIN location l ON l.pk = h.location WHERE " + place + " ORDER BY l.id LIMIT 1) FROM thing t WHERE "
        )
        sql = sql + _condition(connection, query) + Sql(" ORDER BY t.id LIMIT ?", (size,))
        things = [_Thing(*row) for row in connection.execute(sql.text, sql.params)]
        return list(_features(things, _newest(connection, query, [thing.pk for thing in things])))

    def sieve(self, query: FeatureQuery) -> Callable[[KeptFeature], bool] | None:
        """See :class:`allmende.storage.collections.Shelf`."""
        return sieve(query)

    def number(self, connection: Connection, query: FeatureQuery) -> int:
        """How many things there are."""
        sql = "SELECT count(*) FROM thing t WHERE " + _condition(connection, query)
        return int(connection.execute(sql.text, sql.params).fetchone()[0])

    def one(self, connection: Connection, reader: Reader, collection: str, identifier: str) -> KeptFeature:
        """One thing; raises NotFound."""
        query = FeatureQuery(collection=collection, reader=reader, things=True, simulated=True, only=identifier)
        for row in self.rows(connection, query, 1):
            return row
        raise NotFound(f"there is no thing {identifier!r} of {collection!r}")


THINGS = Things()


def _rules(*given: Sql | None) -> Sql:
    return all_of(rule for rule in given if rule is not None)


def _streams(query: FeatureQuery) -> Sql:
    """That a stream ``d`` is one of the dataset that the reader may see."""
    return _rules(
        Sql("d.dataset = (SELECT x.pk FROM dataset x WHERE x.id = ?)", (query.collection,)),
        visible("Datastream", "d", query.reader, simulated=query.simulated),
    )


def _condition(connection: Connection, query: FeatureQuery) -> Sql:
    rules = [
        _with_streams(connection, query),
        visible("Thing", "t", query.reader, simulated=query.simulated),
    ]
    if query.only is not None:
        rules.append(Sql("t.id = ?", (query.only,)))
    if query.after is not None:
        rules.append(Sql("t.id > ?", (query.after,)))
    if query.bbox is not None:
        rules.append(_near(connection, query.bbox))
    return _rules(*rules)


def _with_streams(connection: Connection, query: FeatureQuery) -> Sql:
    """That a thing ``t`` has a stream in the dataset."""
    if connection.dialect.arrays:
        # Planned without its limit being known, an EXISTS was joined a thousand times a thousand times.
        return "t.pk = ANY (ARRAY(SELECT d.thing FROM datastream d WHERE " + _streams(query) + "))"
    return "EXISTS (SELECT 1 FROM datastream d WHERE d.thing = t.pk AND " + _streams(query) + ")"


def _near(connection: Connection, bbox: Box) -> Sql | None:
    """That a thing ``t`` may lie in a box, by an index; None where there is none, and all of a dataset is looked at."""
    boxes = [Sql(*connection.dialect.in_box("Location", "location", "l", side)) for side in parts(bbox)]
    if ("Location", "location") in connection.dialect.places:
        if not has_column(connection, "location"):
            return None
        boxes.append(Sql("l.geometry IS NULL"))  # what PostGIS does not compare, we do
    return (
        "t.pk IN (SELECT h.thing FROM thing_location h JOIN location l ON l.pk = h.location WHERE "
        + any_of(boxes)
        + ")"
    )


def _newest(connection: Connection, query: FeatureQuery, things: Sequence[int]) -> dict[int, list[_Stream]]:
    """The streams of things in the order of their ids, with what is newest of each."""
    found: dict[int, list[_Stream]] = {}
    property_rule = visible("ObservedProperty", "p", query.reader, simulated=query.simulated) or Sql("1 = 1")
    for start in range(0, len(things), _PART):
        condition, values = connection.dialect.one_of("d.thing", things[start : start + _PART])
        reading, source = _last(connection, query.at)
        sql = (
            f"SELECT d.thing, d.id, d.unit, p.id, p.name, {reading} FROM datastream d"
            " LEFT JOIN observed_property p ON p.pk = d.observed_property AND " + property_rule + source + " WHERE "
        )
        sql = sql + _rules(_streams(query), Sql(condition, values)) + " ORDER BY d.id"
        for row in connection.execute(sql.text, sql.params):
            stream = _Stream(*row)
            found.setdefault(stream.thing, []).append(stream)
    return found


def _last(connection: Connection, at: int | None) -> tuple[str, Sql]:
    """Columns of what is newest of a stream ``d``, or was at a time, and what is joined for them."""
    if at is None:
        state = Sql(" LEFT JOIN stream_state s ON s.datastream = d.pk")
        return "s.latest_start, s.latest_kind, s.latest_result, s.latest_quality", state
    dialect = connection.dialect
    columns = f"o.phenomenon_start, o.result_kind, {dialect.result('o')}, o.quality"
    before = "x.datastream = d.pk AND x.phenomenon_start <= ? ORDER BY x.phenomenon_start DESC, x.disc DESC LIMIT 1"
    if dialect.lateral:
        key = Sql(f" LEFT JOIN LATERAL (SELECT * FROM observation x WHERE {before}) o ON true", (at,))
    else:
        row = f"(SELECT x.phenomenon_start, x.disc FROM observation x WHERE {before})"
        key = Sql(f" LEFT JOIN observation o ON o.datastream = d.pk AND (o.phenomenon_start, o.disc) = {row}", (at,))
    return columns, key


def _features(things: Iterable[_Thing], streams: dict[int, list[_Stream]]) -> Iterable[KeptFeature]:
    for thing in things:
        own = streams.get(thing.pk, [])
        geometry, (west, south, east, north) = _place(thing.location)
        newest = max((stream.start for stream in own if stream.start is not None), default=None)
        said = {**(_decoded(thing.properties) or {}), "name": thing.name, "description": thing.description}
        if newest is not None:
            said["time"] = format_instant(newest)
        said |= _values(own)
        properties = msgspec.json.encode(said).decode()
        yield KeptFeature(
            id=thing.id, geometry=geometry, west=west, south=south, east=east, north=north, properties=properties,
            valid_from=newest, valid_to=newest, first_seen=0, since=newest or 0, seen=newest or 0, gone_at=None,
        )  # fmt: skip


def _values(streams: Sequence[_Stream]) -> dict[str, Any]:
    """``name``, ``name.unit`` and ``name.time`` of each stream; the stream's id is the name where two measure the same
    of one thing."""
    names = [_name(stream) for stream in streams]
    said: dict[str, Any] = {}
    for stream, name in zip(streams, names, strict=True):
        key = name if names.count(name) == 1 else stream.id
        known = stream.start is not None and stream.kind is not None and stream.kind != ResultKind.NULL
        said[key] = decode_result(stream.kind or 0, stream.result) if known else None
        unit = _decoded(stream.unit)
        # a MultiDatastream has a list of units, and its value is a list
        symbols = [each.get("symbol") for each in unit] if isinstance(unit, list) else (unit or {}).get("symbol")
        if symbols:
            said[f"{key}.unit"] = symbols
        if stream.start is not None:
            said[f"{key}.time"] = format_instant(stream.start)
        if flag := flag_of(stream.quality):
            said[f"{key}.flags"] = flag
    return said


def _name(stream: _Stream) -> str:
    """By its observed property: its id, or its name where the id is but a number."""
    if stream.property is None:
        return stream.id
    return stream.property_name or stream.id if ids.is_number(stream.property) else stream.property


def _decoded(kept: Any) -> Any:
    return msgspec.json.decode(kept) if isinstance(kept, str | bytes) else kept


_Sides = tuple[float | None, float | None, float | None, float | None]


def _place(kept: Any) -> tuple[str | None, _Sides]:
    """A location as a geometry with its box; nothing for one in another encoding."""
    nowhere: tuple[None, _Sides] = None, (None, None, None, None)
    try:
        said = _decoded(kept)
    except msgspec.DecodeError:
        return nowhere
    if isinstance(said, dict) and said.get("type") == "Feature":
        said = said.get("geometry")
    if not isinstance(said, dict):
        return nowhere
    text = msgspec.json.encode(said).decode()
    plain = _point(said)
    if plain is not None:
        return text, (*plain, *plain)
    try:
        shape = shapely.from_geojson(text)
    except ShapelyError:
        return nowhere
    return nowhere if shape.is_empty else (text, shape.bounds)


def _point(said: dict[str, Any]) -> tuple[float, float] | None:
    """A plain point's own numbers, which need no geometry to be read; None for anything else."""
    numbers = said.get("coordinates")
    if said.get("type") != "Point" or not isinstance(numbers, list) or len(numbers) not in (2, 3):
        return None
    if not all(isinstance(number, int | float) and not isinstance(number, bool) for number in numbers):
        return None
    return float(numbers[0]), float(numbers[1])

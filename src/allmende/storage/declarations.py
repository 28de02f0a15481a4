"""Making declared streams known. Declaring again what is known costs one comparison of a digest."""

from collections.abc import Mapping, Sequence
from hashlib import blake2b
from itertools import chain, count
from typing import Any

import msgspec

from allmende.domain.batch import Batch
from allmende.domain.creation import encode
from allmende.domain.errors import InvalidInput
from allmende.domain.model import OBSERVATION_TYPES
from allmende.domain.policy import COMMONS
from allmende.domain.records import Declaration, Property, SensorDeclaration, ThingDeclaration
from allmende.storage.connections import ColumnType, Connection
from allmende.storage.entities import add_entity, dataset_key, place_thing, update_entity, upsert_entity
from allmende.storage.logs import log_created, log_entity
from allmende.storage.schema import COLUMNS, TABLE_OF
from allmende.storage.state import Stream, read_streams

_encoder = msgspec.msgpack.Encoder(order="deterministic")
_KEPT = 2
"""Raised when more of a declaration is kept than before: then what was known is looked at once more."""


def declare(connection: Connection, batches: Sequence[Batch]) -> dict[str, Stream]:
    """Make all declared streams known; gives them with their states. No two batches declare one stream."""
    listed = [(batch, declaration) for batch in batches for declaration in batch.declarations]
    digests = {declaration.stream: _digest(batch, declaration) for batch, declaration in listed}
    known = _known_digests(connection, list(digests))
    fresh = [(b, d) for b, d in listed if known.get(d.stream) != digests[d.stream]]
    if fresh:
        desk = _Desk(connection, [declaration for _, declaration in fresh])
        for batch, declaration in fresh:
            desk.declare(batch, declaration, digests[declaration.stream], is_new=declaration.stream not in known)
            known.setdefault(declaration.stream, b"")
        desk.close()
    return read_streams(connection, digests)


def _digest(batch: Batch, declaration: Declaration) -> bytes:
    told = _encoder.encode((_KEPT, batch.declared_by or batch.origin, batch.dataset, declaration))
    return blake2b(told, digest_size=16).digest()


def _known_digests(connection: Connection, streams: Sequence[str]) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for place in range(0, len(streams), 500):
        rule, values = connection.dialect.one_of("id", streams[place : place + 500])
        found.update(connection.execute(f"SELECT id, declared FROM datastream WHERE {rule}", values))
    return found


_Row = tuple[int, int, dict[str, Any]]
"""Key, dataset, and what is said of it."""
_SAID: Mapping[str, tuple[str, ...]] = {
    "Sensor": ("name", "description", "encoding_type", "metadata", "properties"),
    "ObservedProperty": ("name", "definition", "description"),
    "Thing": ("name", "description", "properties"),
}


_STREAM: Mapping[str, ColumnType] = {
    "id": "text",
    "dataset": "bigint",
    "name": "text",
    "description": "text",
    "observation_type": "text",
    "unit": "text",
    "properties": "text",
    "thing": "bigint",
    "sensor": "bigint",
    "observed_property": "bigint",
    "feature": "bigint",
    "source": "text",
    "low": "double precision",
    "high": "double precision",
    "declared": "bytea",
}
"""A new stream, in the order in which :meth:`_Desk.declare` says it."""


class _Desk:
    """Takes declarations down. What they hang on is looked up together, and what several say alike is compared once: a
    city that speaks for the first time has thousands of streams."""

    def __init__(self, connection: Connection, declarations: Sequence[Declaration]) -> None:
        self._connection = connection
        self._datasets: dict[str, int] = {}
        self._rows = _look_up(
            connection,
            {
                "Sensor": {d.sensor.id for d in declarations},
                "ObservedProperty": {d.observed_property.id for d in declarations},
                "Thing": {d.thing.id for d in declarations},
            },
        )
        self._things: dict[tuple[str, int], tuple[ThingDeclaration, int, int | None]] = {}
        self._new: list[tuple[str, int, dict[str, Any]]] = []

    def declare(self, batch: Batch, declared: Declaration, digest: bytes, *, is_new: bool) -> None:
        """One stream, with all that it hangs on."""
        owner = self._dataset(batch.dataset)
        thing, feature = self._thing(declared.thing, owner, batch.received_at)
        unit = declared.unit
        columns: dict[str, Any] = {
            "name": declared.name,
            "description": declared.description or declared.name,
            "observation_type": OBSERVATION_TYPES[declared.observation_type],
            "unit": encode({"name": unit.name, "symbol": unit.symbol, "definition": unit.definition}),
            "properties": _properties(declared.properties),
            "thing": thing,
            "sensor": self._sensor(declared.sensor, owner),
            "observed_property": self._property(declared.observed_property),
            "feature": feature,
            "source": batch.declared_by or batch.origin,
            "low": declared.low,
            "high": declared.high,
            "declared": digest,
        }
        if is_new:
            self._new.append((declared.stream, owner, columns))
        else:
            self.close()  # it may be one of those
            upsert_entity(self._connection, "Datastream", declared.stream, owner, columns)

    def close(self) -> None:
        """Write the new streams."""
        new, self._new = self._new, []
        if self._connection.dialect.reuses_keys:
            for stream, owner, columns in new:
                add_entity(self._connection, "Datastream", stream, owner, columns)
        elif new:
            rows = [(stream, owner, *columns.values()) for stream, owner, columns in new]
            self._connection.dialect.insert_many(self._connection, "datastream", _STREAM, rows)
            log_created(self._connection, "Datastream", [stream for stream, *_ in new])

    def _dataset(self, name: str) -> int:
        if name not in self._datasets:
            self._datasets[name] = dataset_key(self._connection, name)
        return self._datasets[name]

    def _sensor(self, sensor: SensorDeclaration, owner: int) -> int:
        columns = {
            "name": sensor.name,
            "description": sensor.description or sensor.name,
            "encoding_type": sensor.encoding_type,
            "metadata": encode(sensor.metadata),
            "properties": _properties(sensor.properties),
        }
        return self._settle("Sensor", sensor.id, owner, columns)

    def _property(self, observed: Property) -> int:
        columns = {
            "name": observed.name,
            "definition": observed.definition,
            "description": observed.description or observed.name,
        }
        return self._settle("ObservedProperty", observed.id, self._dataset(COMMONS), columns)

    def _settle(self, entity: str, identifier: str, owner: int, columns: dict[str, Any]) -> int:
        """Insert a row, or change what is said of it; its key."""
        row = self._rows.get((entity, identifier))
        if row is None:
            row = add_entity(self._connection, entity, identifier, owner, columns)(), owner, columns
        elif update_entity(self._connection, entity, identifier, owner, columns, row):
            row = row[0], owner, {**row[2], **columns}
        self._rows[entity, identifier] = row
        return row[0]

    def _thing(self, thing: ThingDeclaration, owner: int, at: int) -> tuple[int, int | None]:
        """Keys of the thing and of the feature at its place."""
        known = self._things.get((thing.id, owner))
        if known is None or known[0] != thing:
            key = self._declare_thing(thing, owner, at)
            placed = thing.position is not None
            feature = _declare_place(self._connection, "FeatureOfInterest", thing, owner) if placed else None
            known = self._things[thing.id, owner] = (thing, key, feature)
        return known[1], known[2]

    def _declare_thing(self, thing: ThingDeclaration, owner: int, at: int) -> int:
        row = self._rows.get(("Thing", thing.id))
        if thing.kept:
            if row is None:
                raise InvalidInput(f"there is no Thing {thing.id!r} to hang a stream on")
            return row[0]
        # Two documents of one source may each tell a part; neither takes back the other's.
        before = msgspec.json.decode(row[2]["properties"] or "{}", type=dict[str, Any]) if row else {}
        columns = {
            "name": thing.name,
            "description": thing.description or thing.name,
            "properties": _properties({**before, **thing.properties}),
        }
        if row is not None and thing.name == thing.id:
            del columns["name"], columns["description"]  # no name of its own: what another document calls it stays
        key = self._settle("Thing", thing.id, owner, columns)
        if thing.position is None:
            return key
        connection = self._connection
        location = _declare_place(connection, "Location", thing, owner)
        standing = connection.execute("SELECT location FROM thing_location WHERE thing = ?", (key,)).fetchall()
        if standing != [(location,)]:
            place_thing(connection, key, [location], at=at)
            if row is not None:
                log_entity(connection, "Thing", thing.id, "update", ["Locations"])
        return key


def _look_up(connection: Connection, wanted: Mapping[str, set[str]]) -> dict[tuple[str, str], _Row]:
    """What is kept of entities, by type and id."""
    asked = []
    for entity, ids in wanted.items():
        listed = sorted(ids)
        for place in range(0, len(listed), 500):
            rule, values = connection.dialect.one_of("id", listed[place : place + 500])
            columns = ", ".join(_SAID[entity])
            sql = f"SELECT id, pk, dataset, {columns} FROM {TABLE_OF[entity]} WHERE {rule}"
            asked.append((entity, connection.execute(sql, values)))
    return {
        (entity, name): (key, dataset, dict(zip(_SAID[entity], said, strict=True)))
        for entity, rows in asked
        for name, key, dataset, *said in rows
    }


def _declare_place(connection: Connection, entity: str, thing: ThingDeclaration, owner: int) -> int:
    """The Location or FeatureOfInterest at a declared position. A moved thing gets another one: what was observed at
    the old place, and the history, keep theirs."""
    column = COLUMNS[entity]["location" if entity == "Location" else "feature"]
    columns = _place(thing, column)
    first = f"{thing.id}~{column}"
    # "\x7f" is the sign behind "~": a range of the index holds all names that begin so.
    rows = connection.execute(
        f"SELECT id, {column} FROM {TABLE_OF[entity]} WHERE id = ? OR (id > ? AND id < ?)",
        (first, f"{first}~", f"{first}\x7f"),
    ).fetchall()
    names = {name for name, _ in rows}
    free = next(name for name in chain([first], (f"{first}~{n}" for n in count(2))) if name not in names)
    name = next((name for name, place in rows if place == columns[column]), free)
    return upsert_entity(connection, entity, name, owner, columns)[0]


def _place(thing: ThingDeclaration, column: str) -> dict[str, Any]:
    position = thing.position
    point = {"type": "Point", "coordinates": [position.lon, position.lat]} if position else None
    return {
        "name": thing.name,
        "description": thing.description or thing.name,
        "encoding_type": "application/geo+json",
        column: encode(point),
    }


def _properties(values: Mapping[str, Any]) -> str | None:
    return encode(dict(values)) if values else None

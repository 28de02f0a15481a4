"""Writing what a client creates: entities to any depth, observations among them, all or nothing."""

from collections.abc import Callable, Iterable
from functools import cached_property
from typing import Any

from allmende.domain.batch import Batch, NewEntity, Ref
from allmende.domain.bounds import check_fit
from allmende.domain.creation import keep_row
from allmende.domain.errors import AllmendeError, Conflict, InvalidInput
from allmende.domain.model import ENTITIES, STREAMS
from allmende.domain.query import ResultKind
from allmende.storage.amendment import hang_on
from allmende.storage.connections import Connection
from allmende.storage.entities import (
    check_steerable,
    check_task,
    check_writable,
    dataset_key,
    ensure_feature,
    find_key,
    insert_entity,
    link,
    link_history,
    place_thing,
)
from allmende.storage.logs import log_key
from allmende.storage.readings import judged_quality, keep_document, log_change
from allmende.storage.relations import JOINS
from allmende.storage.schema import COLUMNS, TABLE_OF
from allmende.storage.sql import is_inner
from allmende.storage.state import Stream, grow_state, lock_streams, write_states

_GATHERING = ("Party", "License", "Campaign", "Project", "ObservationGroup", "Relation")
_TELLING = ("Thing", *STREAMS, "Observation", "TaskingCapability", *_GATHERING)
"""What tells where something made for it belongs."""
_OF_DATASET = "SELECT s.access = 'open', s.pk FROM dataset s JOIN"
_DATASET_OF = {
    **{name: f"{_OF_DATASET} {TABLE_OF[name]} e ON e.dataset = s.pk WHERE e.pk = ?" for name in _TELLING},
    "Observation": f"{_OF_DATASET} datastream e ON e.dataset = s.pk JOIN observation o ON o.datastream = e.pk"
    " WHERE o.id = ?",
}


def _gathers(entity: str, target: str) -> bool:
    return entity in _GATHERING or target not in ("Thing", *STREAMS)


class Creator:
    """Creates a batch's entities in order."""

    def __init__(self, connection: Connection, batch: Batch, origin: int) -> None:
        self.connection = connection
        self.batch = batch
        self.origin = origin
        self.keys: list[int] = []
        self.created: list[tuple[str, str]] = []
        self.streams: dict[int, Stream] = {}

    @cached_property
    def home(self) -> int:
        """The dataset of what hangs on no thing itself, e.g. a Location or a FeatureOfInterest.

        It is the one of the existing thing or stream that the batch is about, a restricted one first: nothing that is
        made for it may be seen by more people.
        """
        found: list[tuple[bool, int]] = []
        for new in self.batch.entities:
            for name, refs in new.links.items():
                relation = ENTITIES[new.entity].relation(name)
                if relation is None or relation.target not in _TELLING:
                    continue
                for key in self.keys_of([ref for ref in refs if ref.place is None], relation.target, new, name):
                    row = self.connection.execute(_DATASET_OF[relation.target], (key,)).fetchone()
                    # None: it was deleted meanwhile, which is told where it is linked. To put what is open together
                    # with other things is no part of it.
                    if row is not None and not (row[0] and _gathers(new.entity, relation.target)):
                        found.append((bool(row[0]), int(row[1])))
        return min(found)[1] if found else dataset_key(self.connection, self.batch.dataset)

    def run(self) -> None:
        """Create everything, then write the states of the streams that got observations."""
        for entity in self.batch.entities:
            create = _create_observation if entity.entity == "Observation" else _create_plain
            key, name = create(self, entity)
            self.keys.append(key)
            self.created.append((entity.entity, name))
        write_states(self.connection, self.streams.values())
        for place, entity in enumerate(self.batch.entities):
            self.take_over(entity, self.created[place][1])

    def take_over(self, new: NewEntity, name: str) -> None:
        """Hang existing entities on a new one: a change of each of them, with all that follows from it."""
        try:
            hang_on(
                self.connection,
                new.entity,
                name,
                new.links,
                reader=self.batch.reader,
                origin=self.batch.origin,
                at=self.batch.received_at,
            )
        except AllmendeError as error:
            error.where = f"{new.where}.{error.where}" if new.where else error.where
            raise

    def key(self, entity: str, ref: Ref, where: str) -> int:
        """The key of a related entity."""
        if ref.place is not None:
            return self.keys[ref.place]
        return find_key(self.connection, entity, ref.id or "", self.batch.reader, where)

    def linked(self, new: NewEntity, relation: str, target: str) -> list[int]:
        """The keys that a relation of a new entity names."""
        return self.keys_of(new.links.get(relation, ()), target, new, relation)

    def keys_of(self, refs: Iterable[Ref], target: str, new: NewEntity, relation: str) -> list[int]:
        """The keys of references that stand in a relation of a new entity."""
        where = f"{new.where}.{relation}" if new.where else relation
        return [self.key(target, ref, where) for ref in refs]


def _create_plain(creator: Creator, new: NewEntity) -> tuple[int, str]:
    columns: dict[str, Any] = {
        column: new.values.get(name) for name, column in COLUMNS[new.entity].items() if name in new.values
    }
    parents = {
        relation.name: creator.linked(new, relation.name, relation.target)
        for relation in ENTITIES[new.entity].relations
        if JOINS[new.entity, relation.name].kind == "own"
    }
    for relation, keys in parents.items():
        if keys:
            columns[JOINS[new.entity, relation].column] = keys[0]
    if new.entity == "MultiDatastream":
        columns |= _widths(creator, new)
    if new.entity == "TaskingCapability":
        check_steerable(creator.connection, parents["Thing"][0], new.where)
    if new.entity == "Task":
        check_task(creator.connection, parents["TaskingCapability"][0], new.values["taskingParameters"], new.where)
    dataset = _dataset(creator, parents)
    check_writable(creator.connection, dataset, creator.batch.reader, new.where)
    key, name = insert_entity(creator.connection, new.entity, new.id, dataset, columns, new.where)
    _AFTER.get(new.entity, _link)(creator, new, key, dataset)
    return key, name


def _widths(creator: Creator, new: NewEntity) -> dict[str, Any]:
    """What tells a MultiDatastream from a Datastream; raises InvalidInput for a property that stands there twice."""
    properties = creator.linked(new, "ObservedProperties", "ObservedProperty")
    if len(set(properties)) < len(properties):
        raise InvalidInput("each ObservedProperty stands there once", where=f"{new.where or new.entity}")
    return {"width": len(properties), "observed_property": properties[0]}


def _dataset(creator: Creator, parents: dict[str, list[int]]) -> int:
    """What hangs on a thing belongs where the thing belongs, and a task where its capability does."""
    for owner in ("Thing", "TaskingCapability"):
        if parents.get(owner):
            sql = f"SELECT dataset FROM {TABLE_OF[owner]} WHERE pk = ?"
            row = creator.connection.execute(sql, (parents[owner][0],)).fetchone()
            if row is None:
                raise InvalidInput(f"the {owner} was deleted meanwhile", where=owner)
            return int(row[0])
    return creator.home


def _link(creator: Creator, new: NewEntity, key: int, dataset: int) -> None:
    """Say what it is related to where a table between them holds it."""
    for name in new.links:
        relation, join = ENTITIES[new.entity].relation(name), JOINS[new.entity, name]
        if relation is not None and join.kind == "link":
            link(creator.connection, join, key, creator.linked(new, name, relation.target))


def _place_new_thing(creator: Creator, new: NewEntity, key: int, dataset: int) -> None:
    locations = creator.linked(new, "Locations", "Location")
    if locations:
        place_thing(creator.connection, key, locations, at=creator.batch.received_at)


def _place_things_here(creator: Creator, new: NewEntity, key: int, dataset: int) -> None:
    for thing in creator.linked(new, "Things", "Thing"):
        owner = creator.connection.execute("SELECT dataset FROM thing WHERE pk = ?", (thing,)).fetchone()[0]
        check_writable(creator.connection, owner, creator.batch.reader, new.where)
        place_thing(creator.connection, thing, [key], at=creator.batch.received_at)
        log_key(creator.connection, "Thing", thing, "Locations")


def _apply_history(creator: Creator, new: NewEntity, key: int, dataset: int) -> None:
    """A HistoricalLocation that is the thing's newest moves it; an earlier one is history alone."""
    connection = creator.connection
    locations = creator.linked(new, "Locations", "Location")
    link_history(connection, key, locations)
    thing, at = connection.execute("SELECT thing, time FROM historical_location WHERE pk = ?", (key,)).fetchone()
    newest = connection.execute(
        "SELECT max(time) FROM historical_location WHERE thing = ? AND pk <> ?", (thing, key)
    ).fetchone()[0]
    if newest is None or at >= newest:
        connection.execute("DELETE FROM thing_location WHERE thing = ?", (thing,))
        connection.executemany(
            "INSERT INTO thing_location (thing, location) VALUES (?, ?)", [(thing, place) for place in locations]
        )
        connection.execute("UPDATE datastream SET feature = NULL WHERE thing = ?", (thing,))
        log_key(connection, "Thing", thing, "Locations")


_AFTER: dict[str, Callable[[Creator, NewEntity, int, int], None]] = {
    "Thing": _place_new_thing,
    "Location": _place_things_here,
    "HistoricalLocation": _apply_history,
}


def _create_observation(creator: Creator, new: NewEntity) -> tuple[int, str]:
    connection, batch = creator.connection, creator.batch
    stream = _stream(creator, next(key for name in STREAMS for key in creator.linked(new, name, name)))
    check_writable(connection, stream.dataset, batch.reader, new.where)
    kind, value = new.values["result"]
    check_fit(stream.observation_type, kind, value, f"{new.where}.result" if new.where else "result")
    features = creator.linked(new, "FeatureOfInterest", "FeatureOfInterest")
    feature = features[0] if features else ensure_feature(connection, stream)
    hold_ids(connection, [new.id])
    number, name = observation_id(connection, new.id, new.where)
    values = new.values
    start, end = values["phenomenonTime"]
    valid = values.get("validTime") or (None, None)
    if stream.width:
        kind, value = keep_row((kind, value), stream.width, f"{new.where}.result" if new.where else "result")
    result_time, quality = values.get("resultTime"), judged_quality(stream, (kind, value), values.get("resultQuality"))
    change = log_change(connection, stream, "append", start, start, 1, creator.origin, batch.received_at)
    stored = keep_document(connection, number, value) if kind >= ResultKind.JSON else value
    row = (
        stream.pk, start, number, number, end, result_time, batch.received_at, kind, stored, quality,
        *valid, values.get("parameters"), feature, creator.origin, change,
    )  # fmt: skip
    connection.dialect.insert_observations(connection, [row])
    _link(creator, new, number, stream.dataset)
    grow_state(
        stream,
        start,
        end if end is not None else start,
        1,
        latest=(start, number, kind, value, quality),
        result_times=() if result_time is None else (result_time,),
        feature=feature,
    )
    return number, name


def _stream(creator: Creator, key: int) -> Stream:
    if key not in creator.streams:
        locked = lock_streams(creator.connection, [key])
        if key not in locked:
            raise InvalidInput("the Datastream was deleted meanwhile", where="Datastream")
        creator.streams[key] = locked[key]
    return creator.streams[key]


def hold_ids(connection: Connection, chosen: Iterable[str | None]) -> None:
    """Before :func:`observation_id` looks for ids that clients chose: what they mean stays as it is."""
    numbers = [int(name) for name in chosen if name is not None and is_inner(name)]
    if numbers:
        connection.dialect.hold_number(connection, min(numbers))


def observation_id(connection: Connection, chosen: str | None, where: str) -> tuple[int, str]:
    """The inner number and the public id of a new observation, by what the client chose; raises Conflict."""
    if chosen is None:
        number = connection.dialect.reserve_numbers(connection, 1)[0]
        return number, str(number)
    if is_inner(chosen):
        number = int(chosen)
        if connection.execute(f"SELECT 1 FROM {TABLE_OF['Observation']} WHERE id = ?", (number,)).fetchone():
            raise Conflict(f"there is an Observation {number} already", where=where)
        # An engine that cannot hold ids unique over all partitions looks here before it gives a number away.
        connection.execute("INSERT INTO observation_name (id, name) VALUES (?, ?)", (number, chosen))
        return number, chosen
    if connection.execute("SELECT 1 FROM observation_name WHERE name = ?", (chosen,)).fetchone():
        raise Conflict(f"there is an Observation {chosen!r} already", where=where)
    lowest = connection.execute("SELECT min(id) FROM observation_name").fetchone()[0]
    number = min(lowest or 0, 0) - 1
    if number < -(2**62):
        raise InvalidInput("there are no free numbers left for named observations")
    connection.execute("INSERT INTO observation_name (id, name) VALUES (?, ?)", (number, chosen))
    return number, chosen

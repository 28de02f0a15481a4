"""Changing an entity: what is said of it, what it hangs on and what hangs on it, and what follows from that."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from allmende.domain.batch import Amendment, Ref
from allmende.domain.changing import plan_hanging
from allmende.domain.creation import check_widths
from allmende.domain.errors import AllmendeError, Conflict, Forbidden, InvalidInput, NotFound
from allmende.domain.model import ENTITIES
from allmende.domain.policy import Reader
from allmende.domain.query import Query
from allmende.storage.connections import Connection
from allmende.storage.correction import change_observation
from allmende.storage.entities import (
    check_steerable,
    check_task,
    check_writable,
    find_key,
    forget_declarations,
    forget_features,
    link,
    link_history,
    place_thing,
)
from allmende.storage.find import find_one
from allmende.storage.logs import log_entity, log_key
from allmende.storage.relations import JOINS
from allmende.storage.schema import COLUMNS, TABLE_OF
from allmende.storage.sql import Sql, all_of, of_kind, related
from allmende.storage.state import lock_streams, recount_area, write_states


def change_entity(connection: Connection, amendment: Amendment) -> None:
    """Change the one entity that the question leads to."""
    entity = amendment.target.entity
    reader = amendment.target.reader
    key, name = find_one(connection, amendment.target)[:2]
    linked = {
        relation: [find_key(connection, _target(entity, relation), ref.id or "", reader, relation) for ref in refs]
        for relation, refs in amendment.links.items()
        if JOINS[entity, relation].kind != "far"
    }
    if entity == "Observation":
        change_observation(connection, amendment, key, linked)
    else:
        _change_plain(connection, amendment, key, str(name), linked)
    hang_on(
        connection, entity, str(name), amendment.links,
        reader=reader, origin=amendment.origin, at=amendment.received_at,
    )  # fmt: skip


def hang_on(
    connection: Connection,
    entity: str,
    name: str,
    links: Mapping[str, tuple[Ref, ...]],
    *,
    reader: Reader,
    origin: str,
    at: int,
) -> None:
    """Hang existing entities on this one: a change of each of them, with its rights and all that follows from it.

    What hangs on this already and is not named stays where it is. ``links`` may hold other relations, too.
    """
    for relation in ENTITIES[entity].relations:
        if JOINS[entity, relation.name].kind != "far":
            continue
        values, linked = plan_hanging(relation, name)
        for place, ref in enumerate(links.get(relation.name, ())):
            target = Query(entity=relation.target, reader=reader, id=ref.id, top=1)
            try:
                change_entity(
                    connection,
                    Amendment(target=target, origin=origin, received_at=at, values=values, links=linked),
                )
            except NotFound:
                where = f"{relation.name}[{place}]"
                raise InvalidInput(f"there is no {relation.target} {ref.id!r}", where=where) from None
            except AllmendeError as error:
                error.where = f"{relation.name}[{place}].{error.where}".rstrip(".")
                raise


def _change_plain(
    connection: Connection, amendment: Amendment, key: int, name: str, linked: dict[str, list[int]]
) -> None:
    """Anything but an observation."""
    entity = amendment.target.entity
    locked = connection.execute(
        f"SELECT d.dataset FROM {TABLE_OF[entity]} d WHERE d.pk = ? {connection.dialect.locking}", (key,)
    ).fetchone()
    find_one(connection, amendment.target, amendment.seen)
    check_writable(connection, locked[0], amendment.target.reader, entity)
    change = _Change(connection, amendment, key, linked)
    _BEFORE.get(entity, _nothing)(change)
    columns = {COLUMNS[entity][name]: value for name, value in amendment.values.items()}
    columns |= {
        JOINS[entity, name].column: keys[0] if keys else None
        for name, keys in linked.items()
        if JOINS[entity, name].kind == "own"
    }
    if columns:
        connection.execute(
            f"UPDATE {TABLE_OF[entity]} SET {', '.join(f'{c} = ?' for c in columns)} WHERE pk = ?",
            (*columns.values(), key),
        )
    _AFTER.get(entity, _link)(change)
    if fields := [*amendment.values, *amendment.links]:
        log_entity(connection, entity, name, "update", fields)


class _Change(NamedTuple):
    connection: Connection
    amendment: Amendment
    key: int
    linked: dict[str, list[int]]

    def says(self, *names: str) -> bool:
        """Whether one of these attributes is changed."""
        return any(name in self.amendment.values for name in names)


def _target(entity: str, relation: str) -> str:
    found = ENTITIES[entity].relation(relation)
    if found is None:
        raise NotFound(f"{entity} has no {relation}")
    return found.target


# --- what follows ---


def _nothing(change: _Change) -> None:
    pass


def _link(change: _Change) -> None:
    """What it names where a table between them holds it."""
    entity = change.amendment.target.entity
    for name, keys in change.linked.items():
        if JOINS[entity, name].kind == "link":
            link(change.connection, JOINS[entity, name], change.key, keys, anew=True)


def _before_multi(change: _Change) -> None:
    """A MultiDatastream's lists stay one as long as the other, and as long as the results that are there."""
    _keep_in_dataset(change)
    connection, properties = change.connection, change.linked.get("ObservedProperties")
    unit, types, width = connection.execute(
        "SELECT d.unit, d.data_types, d.width FROM datastream d WHERE d.pk = ?", (change.key,)
    ).fetchone()
    said = {"unitOfMeasurements": unit, "multiObservationDataTypes": types, **change.amendment.values}
    check_widths(said, width if properties is None else len(properties))
    if properties is None:
        return
    if len(set(properties)) < len(properties):
        raise InvalidInput("each of them stands there once", where="ObservedProperties")
    stream = lock_streams(connection, [change.key])[change.key]
    if stream.count and width != len(properties):
        raise Conflict("there are observations, each with a value for each of them", where="ObservedProperties")
    _link(change)
    connection.execute(
        "UPDATE datastream SET width = ?, observed_property = ? WHERE pk = ?",
        (len(properties), properties[0], change.key),
    )


def _before_task(change: _Change) -> None:
    """What a task asks for stays what its capability takes."""
    _keep_in_dataset(change)
    capability, parameters = change.connection.execute(
        "SELECT t.tasking_capability, t.parameters FROM task t WHERE t.pk = ?", (change.key,)
    ).fetchone()
    (capability,) = change.linked.get("TaskingCapability", (capability,))
    check_task(change.connection, capability, change.amendment.values.get("taskingParameters", parameters), "")


def _before_capability(change: _Change) -> None:
    _keep_in_dataset(change)
    for thing in change.linked.get("Thing", ()):
        check_steerable(change.connection, thing, "Thing")


def _keep_in_dataset(change: _Change) -> None:
    """What hangs on a thing belongs where that belongs, and a source says where: it goes to no other dataset."""
    table = TABLE_OF[change.amendment.target.entity]
    for owner in ("Thing", "TaskingCapability"):
        for key in change.linked.get(owner, ()):
            row = change.connection.execute(
                f"SELECT t.dataset = d.dataset FROM {TABLE_OF[owner]} t, {table} d WHERE t.pk = ? AND d.pk = ?",
                (key, change.key),
            ).fetchone()
            if row is None or not row[0]:
                raise Conflict(f"that {owner} belongs to another dataset", where=owner)


def _after_thing(change: _Change) -> None:
    if "Locations" in change.linked:
        place_thing(change.connection, change.key, change.linked["Locations"], at=change.amendment.received_at)
    forget_declarations(change.connection, "d.thing = ?", (change.key,))


def _after_location(change: _Change) -> None:
    connection, at = change.connection, (change.key,)
    here = "d.thing IN (SELECT x.thing FROM thing_location x WHERE x.location = ?)"
    forget_declarations(connection, here, at)
    if change.says("location", "encodingType"):
        things = connection.execute("SELECT thing FROM thing_location WHERE location = ?", at).fetchall()
        for (thing,) in things:
            forget_features(connection, thing)


def _after_history(change: _Change) -> None:
    """History that is the thing's newest says where it stands."""
    connection, key = change.connection, change.key
    if "Locations" in change.linked:
        connection.execute("DELETE FROM historical_location_location WHERE historical_location = ?", (key,))
        link_history(connection, key, change.linked["Locations"])
    thing, at = connection.execute("SELECT thing, time FROM historical_location WHERE pk = ?", (key,)).fetchone()
    later = connection.execute(
        "SELECT 1 FROM historical_location WHERE thing = ? AND time > ? LIMIT 1", (thing, at)
    ).fetchone()
    if later:
        return
    connection.execute("DELETE FROM thing_location WHERE thing = ?", (thing,))
    connection.execute(
        "INSERT INTO thing_location (thing, location) SELECT ?, x.location FROM historical_location_location x"
        " WHERE x.historical_location = ?",
        (thing, key),
    )
    log_key(connection, "Thing", thing, "Locations")
    forget_declarations(connection, "d.thing = ?", (thing,))
    forget_features(connection, thing)


def _after_datastream(change: _Change) -> None:
    forget_declarations(change.connection, "d.pk = ?", (change.key,))
    if "Thing" in change.linked:
        change.connection.execute("UPDATE datastream SET feature = NULL WHERE pk = ?", (change.key,))


def _check_shared(change: _Change) -> None:
    """What others' entities stand on is not changed under them. Whose they are is not said: they may be hidden."""
    entity = change.amendment.target.entity
    if not change.amendment.values:
        return  # that streams of one's own are hung on it changes nothing for others
    for relation in ENTITIES[entity].relations:
        child = relation.target
        where = all_of(
            [related(JOINS[entity, relation.name], child, "e", Sql("?", (change.key,))), *of_kind(child, "e")]
        )
        query = f"SELECT DISTINCT e.dataset FROM {TABLE_OF[child]} e WHERE " + where
        _check_owners(change, child, query)


def _check_observed(change: _Change) -> None:
    """The same of a feature, on which observations stand: those of the streams that have observed it."""
    if change.amendment.values:
        observed = Sql(
            "SELECT DISTINCT e.dataset FROM datastream e JOIN feature_datastream f ON f.datastream = e.pk"
            " WHERE f.feature = ?",
            (change.key,),
        )
        _check_owners(change, "Datastream", observed)


def _check_owners(change: _Change, child: str, query: Sql) -> None:
    entity = change.amendment.target.entity
    for (dataset,) in change.connection.execute(query.text, query.params).fetchall():
        try:
            check_writable(change.connection, dataset, change.amendment.target.reader, entity)
        except Forbidden:
            raise Forbidden(
                f"{ENTITIES[child].set_name} that you may not write to stand on this {entity}; make one of your own",
                where=entity,
            ) from None


def _after_sensor(change: _Change) -> None:
    forget_declarations(change.connection, "d.sensor = ?", (change.key,))


def _after_property(change: _Change) -> None:
    forget_declarations(change.connection, "d.observed_property = ?", (change.key,))


def _after_feature(change: _Change) -> None:
    connection, key = change.connection, (change.key,)
    if change.says("feature", "encodingType"):
        observed = connection.execute("SELECT datastream FROM feature_datastream WHERE feature = ?", key).fetchall()
        streams = lock_streams(connection, [row[0] for row in observed])
        for stream in streams.values():
            recount_area(connection, stream)
        write_states(connection, streams.values())
    forget_declarations(connection, "d.feature = ?", key)


_BEFORE: dict[str, Callable[[_Change], None]] = {
    "Datastream": _keep_in_dataset,
    "MultiDatastream": _before_multi,
    "TaskingCapability": _before_capability,
    "Task": _before_task,
    "HistoricalLocation": _keep_in_dataset,
    "Sensor": _check_shared,
    "ObservedProperty": _check_shared,
    "Actuator": _check_shared,
    "License": _check_shared,
    "Location": _check_shared,
    "Party": _check_shared,
    "FeatureOfInterest": _check_observed,
}
_AFTER: dict[str, Callable[[_Change], None]] = {
    "Thing": _after_thing,
    "Location": _after_location,
    "HistoricalLocation": _after_history,
    "Datastream": _after_datastream,
    "MultiDatastream": _after_datastream,
    "Sensor": _after_sensor,
    "ObservedProperty": _after_property,
    "FeatureOfInterest": _after_feature,
}

"""Changing an entity: what is said of it, what it hangs on, and what follows from that."""

from collections.abc import Callable
from typing import Any, NamedTuple

from msgspec import structs

from allmende.domain.bounds import check_fit
from allmende.domain.creation import check_widths, keep_row
from allmende.domain.errors import ChangedMeanwhile, Conflict, Forbidden, InvalidInput, NotFound
from allmende.domain.model import ENTITIES, STREAMS
from allmende.domain.query import ResultKind
from allmende.domain.store import Amendment
from allmende.storage.connections import OBSERVATION, Connection
from allmende.storage.entities import (
    check_task,
    check_writable,
    find_key,
    forget_declarations,
    forget_features,
    link,
    link_history,
    origin_key,
    place_thing,
)
from allmende.storage.find import find_one
from allmende.storage.logs import log_entity, log_key
from allmende.storage.readings import keep_document, log_change
from allmende.storage.relations import JOINS
from allmende.storage.removal import Doomed, forget_observations
from allmende.storage.schema import COLUMNS, TABLE_OF
from allmende.storage.sql import Sql, all_of, of_kind, related
from allmende.storage.state import Stream, at_the_end, lock_streams, recount_area, recount_state, write_states


def change_entity(connection: Connection, amendment: Amendment) -> None:
    """Change the one entity that the question leads to."""
    entity = amendment.target.entity
    key, name = find_one(connection, amendment.target)[:2]
    linked = {
        relation: [
            find_key(connection, _target(entity, relation), ref.id or "", amendment.target.reader, relation)
            for ref in refs
        ]
        for relation, refs in amendment.links.items()
    }
    if entity == "Observation":
        _change_observation(connection, amendment, key, linked)
        return
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
        log_entity(connection, entity, str(name), "update", fields)


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
    """What others' streams stand on is not changed under them. Whose they are is not said: they may be hidden."""
    entity, connection = change.amendment.target.entity, change.connection
    for relation in ENTITIES[entity].relations:
        child = relation.target
        where = all_of(
            [related(JOINS[entity, relation.name], child, "e", Sql("?", (change.key,))), *of_kind(child, "e")]
        )
        query = f"SELECT DISTINCT e.dataset FROM {TABLE_OF[child]} e WHERE " + where
        for (dataset,) in connection.execute(query.text, query.params).fetchall():
            try:
                check_writable(connection, dataset, change.amendment.target.reader, entity)
            except Forbidden:
                raise Forbidden(
                    f"{ENTITIES[child].set_name} that you may not write to stand on this {entity}; make one of your"
                    " own",
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
    "TaskingCapability": _keep_in_dataset,
    "Task": _before_task,
    "HistoricalLocation": _keep_in_dataset,
    "Sensor": _check_shared,
    "ObservedProperty": _check_shared,
    "Actuator": _check_shared,
    "License": _check_shared,
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

# --- observations ---

_KEPT = tuple(f"o.{column}" for column in OBSERVATION if column not in ("result_kind", "result"))


def _change_observation(
    connection: Connection, amendment: Amendment, number: int, linked: dict[str, list[int]]
) -> None:
    """A correction: the row is written anew, what it said is kept."""
    there = connection.execute("SELECT datastream FROM observation WHERE id = ?", (number,)).fetchone()
    if there is None:
        raise NotFound("there is nothing here any more")
    old_stream = int(there[0])
    new_stream = next((key for name in STREAMS for key in linked.get(name, ())), old_stream)
    streams = lock_streams(connection, [old_stream, new_stream])
    find_one(connection, amendment.target, amendment.seen)
    if {old_stream, new_stream} - streams.keys():
        raise ChangedMeanwhile("the Datastream was deleted at the same moment")
    kept = connection.execute(f"SELECT {', '.join(_KEPT)} FROM observation o WHERE o.id = ?", (number,)).fetchone()
    if kept is None:
        raise NotFound("there is nothing here any more")
    old = dict(zip((name.removeprefix("o.") for name in _KEPT), kept, strict=True))
    if old["datastream"] != old_stream:
        raise ChangedMeanwhile("somebody else moved this at the same moment")
    new = {**old, **_columns(amendment, linked), "datastream": new_stream, "received_at": amendment.received_at}
    new["origin"] = origin_key(connection, amendment.origin, "")
    if (new["datastream"], new["phenomenon_start"]) != (old["datastream"], old["phenomenon_start"]):
        # At its new time there may be a declared reading already, and its source's next one is none of this.
        new["disc"] = number
    source, target = streams[old_stream], streams[new_stream]
    amendment = _fitting(connection, amendment, source, target, number)
    for stream in (source, target):
        check_writable(connection, stream.dataset, amendment.target.reader, "Datastream")
    if "result" in amendment.values:
        kind, result = amendment.values["result"]
        check_fit(target.observation_type, kind, result, "result")
    new["change"] = _log(connection, amendment, source, target, old, new)
    _keep_history(connection, old, new)
    _write(connection, amendment, old, new)
    _restate(connection, source, target, old, new)


def _fitting(connection: Connection, amendment: Amendment, source: Stream, target: Stream, number: int) -> Amendment:
    """The change with a result as its stream takes it: a MultiDatastream's are lists of one length."""
    if not source.width and not target.width:
        return amendment
    result = amendment.values.get("result")
    if result is None:
        result = connection.execute(
            f"SELECT o.result_kind, {connection.dialect.result('o')} FROM observation o WHERE o.id = ?", (number,)
        ).fetchone()
    kept = min(result[0], ResultKind.JSON), result[1]
    fitting = keep_row(result, target.width, "result") if target.width else kept
    return structs.replace(amendment, values={**amendment.values, "result": fitting})


def _columns(amendment: Amendment, linked: dict[str, list[int]]) -> dict[str, Any]:
    """What the change says, by column, but the result."""
    columns: dict[str, Any] = {}
    for name, value in amendment.values.items():
        if name == "phenomenonTime":
            columns["phenomenon_start"], columns["phenomenon_end"] = value
        elif name == "validTime":
            columns["valid_start"], columns["valid_end"] = value or (None, None)
        elif name != "result":
            columns[COLUMNS["Observation"][name]] = value
    if "FeatureOfInterest" in linked:
        columns["feature"] = next(iter(linked["FeatureOfInterest"]), None)
    return columns


def _log(
    connection: Connection,
    amendment: Amendment,
    source: Stream,
    target: Stream,
    old: dict[str, Any],
    new: dict[str, Any],
) -> int:
    before, after, at = old["phenomenon_start"], new["phenomenon_start"], amendment.received_at
    if source.pk == target.pk:
        first, last = min(before, after), max(before, after)
        return log_change(connection, source, "correction", first, last, 1, new["origin"], at)
    log_change(connection, source, "deletion", before, before, 1, new["origin"], at)
    return log_change(connection, target, "append", after, after, 1, new["origin"], at)


def _keep_history(connection: Connection, old: dict[str, Any], new: dict[str, Any]) -> None:
    connection.execute(
        "INSERT INTO observation_history (datastream, phenomenon_start, disc, id, result_kind, result, quality,"
        " received_at, origin, change, replaced_at, replaced_by)"
        f" SELECT o.datastream, o.phenomenon_start, o.disc, o.id, o.result_kind, {connection.dialect.result('o')},"
        " o.quality, o.received_at, o.origin, o.change, ?, ? FROM observation o WHERE o.id = ?",
        (new["received_at"], new["change"], old["id"]),
    )


def _write(connection: Connection, amendment: Amendment, old: dict[str, Any], new: dict[str, Any]) -> None:
    assignments = [f"{name} = ?" for name in new]
    values: list[Any] = list(new.values())
    if "result" in amendment.values:
        kind, value = amendment.values["result"]
        connection.execute("DELETE FROM observation_document WHERE id = ?", (old["id"],))
        if kind >= ResultKind.JSON:
            value = keep_document(connection, old["id"], value)
        text, parameters = connection.dialect.set_result(kind, value)
        assignments += ["result_kind = ?", text]
        values += [kind, *parameters]
    key = ("datastream", "phenomenon_start", "disc")
    connection.execute(
        f"UPDATE observation SET {', '.join(assignments)} WHERE {' AND '.join(f'{name} = ?' for name in key)}",
        (*values, *(old[name] for name in key)),
    )


def _restate(connection: Connection, source: Stream, target: Stream, old: dict[str, Any], new: dict[str, Any]) -> None:
    """Both streams' states, from what is kept now."""
    gone = Doomed(*(old[name] for name in _DOOMED))
    if new["feature"] is not None:
        target.features.add(new["feature"])
    if source.pk != target.pk:
        forget_observations(connection, source, [gone])
        recount_state(connection, target, 1, (), walk=True)
    else:
        walk = any(at_the_end(source, _end(row), row["result_time"]) for row in (old, new))
        changed = [] if old["feature"] in (None, new["feature"]) else [old["feature"]]
        recount_state(connection, source, 0, changed, walk=walk)
    write_states(connection, {source.pk: source, target.pk: target}.values())


_DOOMED = ("datastream", "phenomenon_start", "disc", "id", "phenomenon_end", "result_time", "feature")


def _end(row: dict[str, Any]) -> int:
    end: int = row["phenomenon_start"] if row["phenomenon_end"] is None else row["phenomenon_end"]
    return end

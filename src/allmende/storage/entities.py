"""Writing entities: single rows, their ids, where a thing stands, and the feature that its streams observe."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import msgspec

from allmende.domain import ids, tasking
from allmende.domain.creation import GEOJSON
from allmende.domain.errors import Conflict, Forbidden, InvalidInput
from allmende.domain.policy import Reader
from allmende.domain.tasking import check_parameters
from allmende.storage.connections import Connection
from allmende.storage.logs import log_entity, names_of
from allmende.storage.relations import Join, key_of
from allmende.storage.schema import TABLE_OF
from allmende.storage.sql import Sql, all_of, id_condition, of_kind, visible
from allmende.storage.state import Stream

_ORIGIN = "SELECT pk FROM origin WHERE name = ? AND version = ?"


def dataset_key(connection: Connection, name: str) -> int:
    """The key of a dataset; raises InvalidInput if it is not known."""
    row = connection.execute("SELECT pk FROM dataset WHERE id = ?", (name,)).fetchone()
    if row is None:
        raise InvalidInput(f"there is no dataset {name!r}; the city's profile or the catalogue must name it first")
    return int(row[0])


def check_writable(connection: Connection, dataset: int, reader: Reader, where: str) -> None:
    """Raise Forbidden where the reader may see a dataset but not write to it."""
    if reader.sees_all:
        return
    name = connection.execute("SELECT id FROM dataset WHERE pk = ?", (dataset,)).fetchone()[0]
    if not reader.may_write_to(name):
        raise Forbidden(f"you may not write to the dataset {name!r}; ask its owner for a token that may", where=where)


def origin_key(connection: Connection, name: str, version: str) -> int:
    """The key of an origin (source or client, with its version), made at first use."""
    row = connection.execute(_ORIGIN, (name, version)).fetchone()
    if row is None:
        row = connection.execute(
            "INSERT INTO origin (name, version) VALUES (?, ?) RETURNING pk", (name, version)
        ).fetchone()
    return int(row[0])


def ask_origins(connection: Connection, wanted: Iterable[tuple[str, str]]) -> Callable[[], dict[tuple[str, str], int]]:
    """The keys of origins (name, version) in two steps: the questions are sent, and what is given reads the answers.

    Those that are new are made then.
    """
    asked = {origin: connection.execute(_ORIGIN, origin) for origin in wanted}

    def read() -> dict[tuple[str, str], int]:
        found = {origin: rows.fetchone() for origin, rows in asked.items()}
        return {origin: int(row[0]) if row else origin_key(connection, *origin) for origin, row in found.items()}

    return read


def find_key(connection: Connection, entity: str, identifier: str, reader: Reader, where: str) -> int:
    """The key of an existing entity; one that the reader may not see does not exist for them."""
    rules = [id_condition(entity, "e", identifier), *of_kind(entity, "e")]
    rule = visible(entity, "e", reader, simulated=True)
    if rule is not None:
        rules.append(rule)
    query = f"SELECT e.{key_of(entity)} FROM {TABLE_OF[entity]} e WHERE " + all_of(rules)
    row = connection.execute(query.text, query.params).fetchone()
    if row is None:
        raise InvalidInput(f"there is no {entity} {identifier!r}", where=where)
    return int(row[0])


def find_keys(connection: Connection, entity: str, identifiers: Iterable[str], reader: Reader) -> dict[str, int]:
    """The keys of existing entities (no observations) by id; those that the reader may not see are missing."""
    found: dict[str, int] = {}
    listed = sorted(set(identifiers))
    for place in range(0, len(listed), 500):
        part = listed[place : place + 500]
        rules = [Sql(f"e.id IN ({', '.join('?' * len(part))})", tuple(part)), *of_kind(entity, "e")]
        rule = visible(entity, "e", reader, simulated=True)
        query = f"SELECT e.id, e.pk FROM {TABLE_OF[entity]} e WHERE " + all_of([*rules, rule] if rule else rules)
        found.update(connection.execute(query.text, query.params).fetchall())
    return found


def free_id(connection: Connection, entity: str) -> str:
    """The next number that no entity of this type bears."""
    table = TABLE_OF[entity]
    while True:
        number = connection.execute(
            "INSERT INTO sequence (entity, next) VALUES (?, 2)"
            " ON CONFLICT (entity) DO UPDATE SET next = sequence.next + 1 RETURNING next - 1",
            (entity,),
        ).fetchone()[0]
        if not connection.execute(f"SELECT 1 FROM {table} WHERE id = ?", (str(number),)).fetchone():
            return str(number)


def insert_entity(
    connection: Connection, entity: str, identifier: str | None, dataset: int, columns: dict[str, Any], where: str = ""
) -> tuple[int, str]:
    """Insert a row (not an observation); gives its key and id. Raises Conflict if the id is taken."""
    table = TABLE_OF[entity]
    if identifier is None:
        identifier = free_id(connection, entity)
    elif connection.execute(f"SELECT 1 FROM {table} WHERE id = ?", (ids.normalise(identifier),)).fetchone():
        raise Conflict(f"there is a {entity} {identifier!r} already", where=where)
    return add_entity(connection, entity, identifier, dataset, columns)(), identifier


def add_entity(
    connection: Connection, entity: str, identifier: str, dataset: int, columns: Mapping[str, Any]
) -> Callable[[], int]:
    """Insert a row under an id that no other one bears, in two steps: what is given reads its key."""
    table = TABLE_OF[entity]
    names = ["id", "dataset", *columns]
    made = connection.execute(
        f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join('?' * len(names))}) RETURNING pk",
        (identifier, dataset, *columns.values()),
    )
    row = None
    if table == "datastream" and connection.dialect.reuses_keys:
        # The highest key is given again after its row went; the change log still speaks of that one.
        row = made.fetchone()
        fresh = connection.execute(
            "UPDATE datastream SET pk = (SELECT max(g.datastream) + 1 FROM gone_stream g)"
            " WHERE pk = ? AND pk IN (SELECT g.datastream FROM gone_stream g) RETURNING pk",
            (row[0],),
        ).fetchone()
        row = fresh or row
    log_entity(connection, entity, identifier, "create")
    return lambda: int((row or made.fetchone())[0])


def upsert_entity(
    connection: Connection, entity: str, identifier: str, dataset: int, columns: dict[str, Any]
) -> tuple[int, bool]:
    """Insert a row or change what is said of it; gives its key and whether anything changed.

    Raises Conflict if the entity belongs to another dataset: one source cannot take over another's things.
    """
    table = TABLE_OF[entity]
    which = all_of([Sql("e.id = ?", (identifier,)), *of_kind(entity, "e")])
    row = connection.execute(
        f"SELECT e.pk, e.dataset, {', '.join(columns)} FROM {table} e WHERE {which.text}", which.params
    ).fetchone()
    if row is None:
        return insert_entity(connection, entity, identifier, dataset, columns)[0], True
    was = dict(zip(columns, row[2:], strict=True))
    return int(row[0]), update_entity(connection, entity, identifier, dataset, columns, (row[0], row[1], was))


def update_entity(
    connection: Connection,
    entity: str,
    identifier: str,
    dataset: int,
    columns: Mapping[str, Any],
    known: tuple[int, int, Mapping[str, Any]],
) -> bool:
    """Change what is said of a row of which key, dataset and columns are known; whether anything was different."""
    key, owner, was = known
    if owner != dataset:
        raise Conflict(f"{entity} {identifier!r} belongs to another dataset")
    differing = [name for name, value in columns.items() if value != was[name]]
    if not differing:
        return False
    connection.execute(
        f"UPDATE {TABLE_OF[entity]} SET {', '.join(f'{c} = ?' for c in columns)} WHERE pk = ?", (*columns.values(), key)
    )
    if fields := names_of(entity, differing):
        log_entity(connection, entity, identifier, "update", fields)
    return True


def place_thing(connection: Connection, thing: int, locations: Sequence[int], *, at: int) -> int:
    """Put a thing at locations (instead of those before) and write it down as a HistoricalLocation; gives its key."""
    dataset = connection.execute("SELECT dataset FROM thing WHERE pk = ?", (thing,)).fetchone()[0]
    connection.execute("DELETE FROM thing_location WHERE thing = ?", (thing,))
    connection.executemany(
        "INSERT INTO thing_location (thing, location) VALUES (?, ?)", [(thing, place) for place in locations]
    )
    key, _ = insert_entity(connection, "HistoricalLocation", None, dataset, {"thing": thing, "time": at})
    link_history(connection, key, locations)
    forget_features(connection, thing)
    return key


def check_task(connection: Connection, capability: int, parameters: str, where: str) -> None:
    """Raise InvalidInput for parameters that a TaskingCapability does not take, Forbidden where its thing is only read.

    The thing is looked at again: it may have become what it is behind its capability's back.
    """
    row = connection.execute("SELECT parameters, thing FROM tasking_capability WHERE pk = ?", (capability,)).fetchone()
    if row is None:
        raise InvalidInput("the TaskingCapability was deleted meanwhile", where=where)
    check_steerable(connection, row[1], where)
    place = f"{where}.taskingParameters" if where else "taskingParameters"
    check_parameters(msgspec.json.decode(row[0]), msgspec.json.decode(parameters), place)


def check_steerable(connection: Connection, thing: int, where: str) -> None:
    """Raise Forbidden for a thing of a kind that is only read."""
    row = connection.execute("SELECT properties FROM thing WHERE pk = ?", (thing,)).fetchone()
    tasking.check_steerable(msgspec.json.decode(row[0]) if row and row[0] else {}, where)


def link(connection: Connection, join: Join, parent: int, children: Iterable[int], *, anew: bool = False) -> None:
    """Say in the table between them which children belong to a parent; ``anew`` takes those before away."""
    if anew:
        connection.execute(f"DELETE FROM {join.table} WHERE {join.column} = ?", (parent,))
    names, order = [join.column, join.other], [join.order] if join.order else []
    rows = [(parent, child, *([place] if order else [])) for place, child in enumerate(children)]
    names += order
    connection.executemany(
        f"INSERT INTO {join.table} ({', '.join(names)}) VALUES ({', '.join('?' * len(names))}) ON CONFLICT DO NOTHING",
        rows,
    )


def link_history(connection: Connection, history: int, locations: Sequence[int]) -> None:
    """Say which locations a HistoricalLocation holds."""
    connection.executemany(
        "INSERT INTO historical_location_location (historical_location, location) VALUES (?, ?)",
        [(history, place) for place in locations],
    )


def forget_features(connection: Connection, thing: int) -> None:
    """After a thing moved, its streams observe another feature; it is made with the next observation."""
    connection.execute("UPDATE datastream SET feature = NULL WHERE thing = ?", (thing,))


def forget_declarations(connection: Connection, which: str, parameters: Sequence[Any]) -> None:
    """What a source declared was changed by somebody else: its next declaration is looked at again, and wins.

    ``which`` is a condition on datastreams ``d``, put together from the house's words.
    """
    # Locked in the order of their keys first, as every writer does.
    connection.execute(
        f"SELECT d.pk FROM datastream d WHERE {which} ORDER BY d.pk {connection.dialect.locking}", parameters
    ).fetchall()
    connection.execute(
        f"UPDATE datastream SET declared = NULL WHERE pk IN (SELECT d.pk FROM datastream d WHERE {which})", parameters
    )


def ensure_feature(connection: Connection, stream: Stream) -> int | None:
    """The stream's feature, made from its thing's location at the first observation (18-088, 10.3.3)."""
    if stream.feature is None:
        stream.feature = feature_of_thing(connection, stream.thing, stream.dataset)
        if stream.feature is not None:
            connection.execute("UPDATE datastream SET feature = ? WHERE pk = ?", (stream.feature, stream.pk))
    return stream.feature


def feature_of_thing(connection: Connection, thing: int, dataset: int) -> int | None:
    """The feature at a thing's place: made from its location where there is none yet; None without a location."""
    rows = connection.execute(
        "SELECT l.pk, l.name, l.description, l.encoding_type, l.location FROM location l"
        " JOIN thing_location t ON t.location = l.pk WHERE t.thing = ? ORDER BY l.pk",
        (thing,),
    ).fetchall()
    fitting = [r for r in rows if r[3] in GEOJSON] or rows
    if not fitting:
        return None
    _, name, description, encoding, location = fitting[0]
    row = connection.execute(
        "SELECT f.pk FROM datastream d JOIN feature f ON f.pk = d.feature OR f.pk IN"
        " (SELECT x.feature FROM feature_datastream x WHERE x.datastream = d.pk)"
        " WHERE d.thing = ? AND f.feature = ? LIMIT 1",
        (thing, location),
    ).fetchone()
    if row:
        return int(row[0])
    columns = {"name": name, "description": description, "encoding_type": encoding, "feature": location}
    return insert_entity(connection, "FeatureOfInterest", None, dataset, columns)[0]

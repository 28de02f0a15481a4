"""What somebody gave and takes back: a place that is to be told otherwise, or a source with all that came of it.

Unlike a correction, what was known before is not kept.
"""

from collections.abc import Sequence
from typing import Any

from allmende.domain.batch import Amendment, Removal
from allmende.domain.creation import encode
from allmende.domain.errors import NotFound
from allmende.domain.model import ENTITIES
from allmende.domain.policy import COMMONS, Reader
from allmende.domain.query import Query
from allmende.domain.records import Position
from allmende.storage.amendment import change_entity
from allmende.storage.bookkeeping import forget_rejections
from allmende.storage.connections import Connection
from allmende.storage.entities import forget_declarations
from allmende.storage.logs import log_entity
from allmende.storage.removal import remove_entities
from allmende.storage.schema import TABLE_OF
from allmende.storage.state import lock_streams, recount_area, write_states

_LOCATIONS = (
    "SELECT l.id FROM location l WHERE l.pk IN (SELECT x.location FROM thing_location x WHERE x.thing = ?)"
    " OR l.pk IN (SELECT y.location FROM historical_location_location y"
    " JOIN historical_location h ON h.pk = y.historical_location WHERE h.thing = ?) ORDER BY l.pk"
)
_FEATURES = (
    "SELECT f.pk, f.id FROM feature f WHERE f.pk IN (SELECT x.feature FROM feature_datastream x"
    " JOIN datastream d ON d.pk = x.datastream WHERE d.thing = ?)"
    " OR f.pk IN (SELECT d.feature FROM datastream d WHERE d.thing = ?) ORDER BY f.pk"
)


def rewrite_place(
    connection: Connection, thing: str, position: Position | None, *, reader: Reader, origin: str, at: int
) -> None:
    """Let all that is known of where a thing stands and stood be this place, as if it had never been told otherwise.

    With None there is no place any more, of the thing, of its past or of what was observed. Raises NotFound.
    """
    row = connection.execute("SELECT pk FROM thing WHERE id = ?", (thing,)).fetchone()
    if row is None:
        raise NotFound(f"there is no Thing {thing!r}")
    locations = [name for (name,) in connection.execute(_LOCATIONS, (row[0], row[0])).fetchall()]
    features = connection.execute(_FEATURES, (row[0], row[0])).fetchall()
    if position is None:
        _let_features_go(connection, row[0], [key for key, _ in features])
        for name in locations:
            target = Query(entity="Location", reader=reader, id=name, top=1)
            remove_entities(connection, Removal(target=target, origin=origin, received_at=at))
        connection.execute("DELETE FROM historical_location WHERE thing = ?", (row[0],))
        log_entity(connection, "Thing", thing, "update", ["Locations"])
        return
    point = encode({"type": "Point", "coordinates": [position.lon, position.lat]})
    for entity, attribute, names in (
        ("Location", "location", locations),
        ("FeatureOfInterest", "feature", [name for _, name in features]),
    ):
        for name in names:
            target = Query(entity=entity, reader=reader, id=name, top=1)
            change_entity(
                connection, Amendment(target=target, origin=origin, received_at=at, values={attribute: point})
            )


def _let_features_go(connection: Connection, thing: int, features: Sequence[int]) -> None:
    """What was observed is kept, and is of no place from now on."""
    forget_declarations(connection, "d.thing = ?", (thing,))
    rows = connection.execute("SELECT d.pk FROM datastream d WHERE d.thing = ? ORDER BY d.pk", (thing,)).fetchall()
    streams = lock_streams(connection, [row[0] for row in rows])
    for stream in streams.values():
        connection.execute(
            "UPDATE observation SET feature = NULL WHERE datastream = ? AND feature IS NOT NULL", (stream.pk,)
        )
        connection.execute("DELETE FROM feature_datastream WHERE datastream = ?", (stream.pk,))
        connection.execute("UPDATE datastream SET feature = NULL WHERE pk = ?", (stream.pk,))
        recount_area(connection, stream)
    write_states(connection, streams.values())
    for key in features:
        connection.execute("DELETE FROM feature WHERE pk = ?", (key,))


def forget_source(connection: Connection, source: str, dataset: str, *, reader: Reader, origin: str, at: int) -> None:
    """Delete a dataset that a source has for itself, with all entities and readings in it and what is known of the
    source. That its streams were deleted is told to those who follow."""
    assert dataset != COMMONS, "the commons belongs to nobody alone"
    row = connection.execute("SELECT pk FROM dataset WHERE id = ?", (dataset,)).fetchone()
    if row is not None:
        # A thing takes most of it along; what is left hangs on nothing.
        for entity in ("Thing", *(name for name in ENTITIES if name not in ("Thing", "Observation"))):
            _remove_all(connection, entity, row[0], reader=reader, origin=origin, at=at)
        connection.execute("DELETE FROM dataset WHERE pk = ?", (row[0],))
    forget_rejections(connection, source)
    connection.execute("DELETE FROM source_state WHERE id = ?", (source,))


def _remove_all(connection: Connection, entity: str, dataset: int, **told: Any) -> None:
    names = connection.execute(
        f"SELECT d.id FROM {TABLE_OF[entity]} d WHERE d.dataset = ? ORDER BY d.pk", (dataset,)
    ).fetchall()
    for (name,) in names:
        target = Query(entity=entity, reader=told["reader"], id=name, top=1)
        try:
            remove_entities(connection, Removal(target=target, origin=told["origin"], received_at=told["at"]))
        except NotFound:
            continue  # it went along with another, or is of another kind in the same table


def forget_client(connection: Connection, name: str, instead: str) -> int:
    """See :class:`allmende.domain.store.Store`."""
    changed = connection.execute("UPDATE origin SET name = ? WHERE name = ?", (instead, name)).rowcount
    forget_rejections(connection, name)
    connection.execute("DELETE FROM source_state WHERE id = ?", (name,))
    return int(changed)

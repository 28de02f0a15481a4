"""The log of entities: what is created and changed, in order, and kept no longer than somebody has to read it."""

import threading
from typing import Any

import msgspec
import pytest

from allmende.domain.batch import Batch, Removal
from allmende.domain.creation import plan_creation
from allmende.domain.logs import EntityChange
from allmende.domain.query import Query
from allmende.domain.records import Series
from allmende.domain.store import Store
from allmende.storage.append import append_batch
from tests.storage.test_amendment import change
from tests.storage.test_creation import THING, location, stream
from tests.support import HOUSE, batch, create, declaration

FOR_EVER = 2**62


def lines(store: Store, after: int = 0) -> list[tuple[str, str, str, tuple[str, ...]]]:
    return [(c.entity, c.id, c.kind, c.fields) for c in store.entity_changes(after, 100)]


def test_what_is_created_to_any_depth_is_logged_once(store: Store) -> None:
    create(store, "Thing", {**THING, "@iot.id": "t", "Locations": [location(1, **{"@iot.id": "l"})]})
    assert lines(store) == [
        ("Location", "l", "create", ()),
        ("Thing", "t", "create", ()),
        ("HistoricalLocation", "1", "create", ()),
    ]
    numbers = [c.number for c in store.entity_changes(0, 100)]
    assert numbers == sorted(numbers)
    assert store.newest_entity_change() == numbers[-1]
    assert store.entity_changes(numbers[-1], 10) == []
    assert all(c.logged_at > 1_700_000_000_000_000 for c in store.entity_changes(0, 100))


def test_a_change_says_what_is_different(store: Store) -> None:
    create(store, "Datastream", stream(**{"@iot.id": "d"}))
    create(store, "Thing", {**THING, "@iot.id": "other"})
    before = store.newest_entity_change()
    change(store, "Datastream", "d", {"name": "new", "Thing": {"@iot.id": "other"}})
    assert lines(store, before) == [("Datastream", "d", "update", ("name", "Thing"))]


def test_a_thing_that_moves_has_changed(store: Store) -> None:
    create(store, "Thing", {**THING, "@iot.id": "t"})
    before = store.newest_entity_change()
    create(store, "Location", location(1, **{"@iot.id": "l"}), links={"Things": "t"})
    create(
        store,
        "HistoricalLocation",
        {"time": "2030-01-01T00:00:00Z", "Thing": {"@iot.id": "t"}, "Locations": [{"@iot.id": "l"}]},
    )
    assert lines(store, before).count(("Thing", "t", "update", ("Locations",))) == 2


def test_what_a_source_declares_is_logged_when_it_differs(store: Store) -> None:
    store.append(batch(Series(stream="garage~free", times=[1], results=[1])))
    assert ("Datastream", "garage~free", "create", ()) in lines(store)
    before = store.newest_entity_change()
    store.append(batch(Series(stream="garage~free", times=[2], results=[1])))
    assert lines(store, before) == []
    renamed = msgspec.structs.replace(declaration("garage~free", position=False), name="Other")
    store.append(Batch(origin="feed", dataset="parking", reader=HOUSE, received_at=3, declarations=[renamed]))
    assert lines(store, before) == [("Datastream", "garage~free", "update", ("name", "description"))]


def test_what_was_refused_is_not_logged(store: Store) -> None:
    with pytest.raises(Exception, match="no Sensor"):
        create(store, "Datastream", {**stream(), "Sensor": {"@iot.id": "none"}})
    assert lines(store) == []


def test_what_all_have_read_goes_and_what_nobody_reads_goes_later(store: Store) -> None:
    for name in "abc":
        create(store, "Thing", {**THING, "@iot.id": f"t{name}"})
        store.append(batch(Series(stream=f"{name}~x", times=[1], results=[1]), at=10))
    entities, changes = store.entity_changes(0, 100), store.changes(0, 100)
    store.set_cursor("entities:mqtt", entities[3].number)
    store.set_cursor("mqtt", changes[1].number)
    store.set_cursor("alerts", changes[0].number)
    assert store.prune_logs(read_before=0, before=0, deletions_before=0) == 0
    assert store.prune_logs(read_before=FOR_EVER, before=0, deletions_before=FOR_EVER) == 4 + 1
    assert store.entity_changes(0, 100) == entities[4:]
    assert store.changes(0, 100) == changes[1:]
    # Too old for anybody; the newest stays, so that numbers go on.
    store.prune_logs(read_before=FOR_EVER, before=FOR_EVER, deletions_before=FOR_EVER)
    assert (store.entity_changes(0, 100), store.changes(0, 100)) == (entities[-1:], changes[-1:])


def test_deletions_of_observations_are_kept_longer(store: Store) -> None:
    store.append(batch(Series(stream="a~x", times=[1, 2], results=[1, 2]), at=10))
    target = Query(entity="Datastream", reader=HOUSE, id="a~x", top=1)
    store.remove(Removal(target=target, origin="user:eve", received_at=20))
    store.append(batch(Series(stream="b~x", times=[1], results=[1]), at=30))
    store.prune_logs(read_before=FOR_EVER, before=FOR_EVER, deletions_before=20)
    assert [(c.kind, c.origin) for c in store.changes(0, 10)] == [("deletion", "user:eve"), ("append", "feed")]
    store.prune_logs(read_before=FOR_EVER, before=FOR_EVER, deletions_before=21)
    assert [c.kind for c in store.changes(0, 10)] == ["append"]


def test_entities_are_followed_in_the_order_in_which_they_become_visible(store: Store) -> None:
    """Many writers at once: who reads behind the last number it saw misses nothing."""
    seen: list[EntityChange] = []
    done = threading.Event()

    def write(start: int) -> None:
        for number in range(start, start + 20):
            create(store, "Thing", {**THING, "@iot.id": f"n{number}"})

    writers = [threading.Thread(target=write, args=(place * 100,)) for place in range(4)]

    def follow() -> None:
        over = False
        while True:
            found = store.entity_changes(seen[-1].number if seen else 0, 7)
            seen.extend(found)
            if not found and over:
                return
            over = done.is_set()

    follower = threading.Thread(target=follow)
    for thread in (*writers, follower):
        thread.start()
    for thread in writers:
        thread.join()
    done.set()
    follower.join(60)
    assert len(seen) == len({c.id for c in seen}) == 80


def test_who_begins_to_follow_misses_nothing_of_those_who_are_writing(store: Any) -> None:
    """A transaction that began first and ends last has smaller numbers than what was committed meanwhile."""
    for name in ("slow", "quick"):
        store.append(batch(Series(stream=f"{name}~x", times=[1], results=[1]), origin=name))
    assert store.newest_change() == store.changes(0, 10)[-1].number
    assert store.newest_entity_change() == store.entity_changes(0, 100)[-1].number
    other = type(store)(store._connections)
    begun: list[int] = []

    def write(name: str) -> list[Batch]:
        things = plan_creation("Thing", {**THING, "@iot.id": f"{name}~t"}, now=0)
        more = batch(Series(stream=f"{name}~x", times=[2], results=[2]), origin=name)
        return [more, Batch(origin=name, dataset="commons", reader=HOUSE, received_at=0, entities=things)]

    def begin() -> None:
        for more in write("quick"):
            other.append(more)
        begun.extend([other.newest_change(), other.newest_entity_change()])

    thread = threading.Thread(target=begin)
    with store._connections.writing() as raw:
        for more in write("slow"):
            append_batch(store._engine.wrap(raw), more)
        thread.start()
        if store._engine.__class__.__name__ == "PostgresEngine":  # on SQLite it waits: there is one writer at a time
            thread.join(30)
    thread.join(30)
    changes, entities = store.changes(begun[0], 10), store.entity_changes(begun[1], 10)
    late = ["slow~x"] if store._engine.__class__.__name__ == "PostgresEngine" else []
    assert [c.stream for c in changes if c.stream == "slow~x"] == late
    assert [c.id for c in entities if c.id == "slow~t"] == [name.replace("~x", "~t") for name in late]

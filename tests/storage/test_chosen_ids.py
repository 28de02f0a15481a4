"""A client's chosen id meets the same one in a transaction that has not ended: one of the two has it, never both."""

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from allmende.domain.arrays import plan_rows
from allmende.domain.batch import Batch, Ref, Rows
from allmende.domain.creation import plan_creation
from allmende.domain.errors import Conflict
from allmende.domain.store import Store
from allmende.storage.append import append_batch
from tests.storage.test_creation import THING, ids, stream
from tests.storage.test_range import as_rows
from tests.support import AHEAD, HOUSE, create

NOW = 1_700_000_000_000_000
AT = "2023-11-14T22:00:00Z"


def planned(entity: str, stream: str = "d", **body: Any) -> Batch:
    """Without an id in the body, the house draws one."""
    links = {"Datastream": Ref(id=stream)} if entity == "Observation" else {}
    said = {"result": 1, "phenomenonTime": AT} if entity == "Observation" else THING
    entities = plan_creation(entity, {**said, **body}, now=NOW, links=links, bounds=AHEAD)
    return Batch(origin="c", dataset="commons", reader=HOUSE, received_at=NOW, entities=entities)


def chosen(entity: str, identifier: object, stream: str = "d") -> Batch:
    return planned(entity, stream, **{"@iot.id": identifier})


def meanwhile(store: Any, first: Batch, work: Callable[[Store], Any]) -> Any:
    """What becomes of ``work``, that another process begins while ``first`` is written and not committed yet."""
    other = type(store)(store._connections)
    outcome: list[Any] = []

    def run() -> None:
        try:
            outcome.append(work(other))
        except Exception as error:
            outcome.append(error)

    thread = threading.Thread(target=run)
    with store._connections.writing() as raw:
        append_batch(store._engine.wrap(raw), first)
        thread.start()
        _wait_until_it_waits(store, thread)
        assert outcome == []
    thread.join(30)
    return outcome[0]


def _wait_until_it_waits(store: Any, thread: threading.Thread) -> None:
    """On SQLite it waits from its start: there is one writer at a time."""
    if store._engine.__class__.__name__ == "SqliteEngine":
        return
    asked = "SELECT 1 FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid))"
    for _ in range(2000):
        if not thread.is_alive() or store._connections.raw().execute(asked).fetchone():
            return
        time.sleep(0.005)
    raise AssertionError("it neither waits nor ends")


@pytest.fixture
def streams(store: Store) -> Store:
    for name in ("d", "e"):
        create(store, "Datastream", stream(**{"@iot.id": name, "Thing": {**THING, "@iot.id": f"of {name}"}}))
    return store


def draw_many(store: Store) -> Any:
    """A data array of other readings, for another stream."""
    return as_rows(store, [{"phenomenonTime": AT, "result": 1}] * 30, stream="e")


def draw_one(store: Store) -> Any:
    return create(store, "Observation", {"result": 1, "phenomenonTime": AT}, links={"Datastream": "e"})


def draw_with_more(store: Store) -> Any:
    body = {"result": 1, "phenomenonTime": AT, "FeatureOfInterest": FEATURE}
    return create(store, "Observation", body, links={"Datastream": "e"})


FEATURE = {
    "name": "F", "description": "f", "encodingType": "application/geo+json",
    "feature": {"type": "Point", "coordinates": [1, 2]},
}  # fmt: skip


@pytest.mark.parametrize("draw", [draw_one, draw_with_more, draw_many])
def test_a_number_that_somebody_is_choosing_is_not_drawn(streams: Store, draw: Callable[[Store], Any]) -> None:
    drawn = int(draw_one(streams).created[0][1])
    found = meanwhile(streams, chosen("Observation", drawn + 1), draw)
    assert not isinstance(found, Exception)
    made = ids(streams, "Observation")
    assert len(made) == len(set(made))
    assert str(drawn + 1) in made


@pytest.mark.parametrize("entity", ["Observation", "Thing"])
def test_a_number_that_is_being_drawn_cannot_be_chosen(streams: Store, entity: str) -> None:
    receipt = streams.append(planned(entity))
    following = int(receipt.created[0][1]) + 1
    found = meanwhile(streams, planned(entity), lambda other: other.append(chosen(entity, following, "e")))
    assert isinstance(found, Conflict)
    assert str(following) in ids(streams, entity)


@pytest.mark.parametrize("entity", ["Observation", "Thing"])
def test_a_number_that_is_being_chosen_is_passed_over(streams: Store, entity: str) -> None:
    receipt = streams.append(planned(entity))
    following = int(receipt.created[0][1]) + 1
    found = meanwhile(streams, chosen(entity, following), lambda other: other.append(planned(entity, "e")))
    assert found.created == [(entity, str(following + 1))]


@pytest.mark.parametrize("entity", ["Observation", "Thing"])
@pytest.mark.parametrize("identifier", ["name", 7_000, 2**62])
def test_two_who_choose_the_same(streams: Store, entity: str, identifier: object) -> None:
    first = chosen(entity, identifier)
    found = meanwhile(streams, first, lambda other: other.append(chosen(entity, identifier, "e")))
    assert isinstance(found, Conflict)
    assert ids(streams, entity).count(str(identifier)) == 1


def test_a_row_of_many_that_chose_a_drawn_number_is_told(streams: Store) -> None:
    following = int(draw_one(streams).created[0][1]) + 1

    def choose(other: Store) -> Any:
        rows = rows_of("e", [[AT, 1, following], [AT, 2, following + 5], [AT, 3, "name"], [AT, 4, None]])
        return other.append(Batch(origin="c", dataset="commons", reader=HOUSE, received_at=NOW, rows=[rows]))

    found = meanwhile(streams, planned("Observation"), choose)
    first, *others = found.rows[0]
    assert isinstance(first, Conflict)
    assert others[:2] == [str(following + 5), "name"]
    made = ids(streams, "Observation")
    assert len(made) == len(set(made)) == 5


def rows_of(name: str, array: list[Any]) -> Rows:
    components = ["phenomenonTime", "result", "id"]
    group = {"Datastream": {"@iot.id": name}, "components": components, "dataArray": array}
    return plan_rows(group, now=NOW, bounds=AHEAD, where="")[0]


def test_two_who_choose_names_get_numbers_of_their_own_inside(streams: Store) -> None:
    second = chosen("Observation", "two", "e")
    found = meanwhile(streams, chosen("Observation", "one"), lambda other: other.append(second))
    assert found.created == [("Observation", "two")]
    assert sorted(ids(streams, "Observation")) == ["one", "two"]

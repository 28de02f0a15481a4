"""A database that was read from a dump into another cluster: its followers go on where they were, none the wiser."""

from pathlib import Path

import pytest

from allmende.domain.query import Query
from allmende.domain.records import Series
from allmende.domain.store import Store
from allmende.storage.schema import CHANGE_NUMBERS
from tests.storage.test_creation import THING
from tests.support import DATASETS, HOUSE, batch, create, postgres_store

STREAM = "garage~free"
ALL = Query(entity="Observation", reader=HOUSE)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    made = postgres_store(tmp_path)
    made.put_datasets(DATASETS)
    return made


def read(store: Store, minute: int) -> None:
    at = 1_700_000_000_000_000 + minute * 60_000_000
    store.append(batch(Series(stream=STREAM, times=[at], results=[minute]), at=at))


def pending(store: Store) -> list[object]:
    """What the followers have not seen, with what is said of it."""
    changes = store.changes(store.cursor("readers") or 0, 100)
    told = [row[6] for change in changes for row in store.change_page(change, ALL).rows]
    return [told, [(c.entity, c.id) for c in store.entity_changes(store.cursor("entities:readers") or 0, 100)]]


def carry_over(store: Store) -> None:
    """The state that pg_restore leaves in a cluster that has run fewer transactions than the one of the dump."""
    for table, columns in CHANGE_NUMBERS.items():
        for column in columns:
            store._commit(lambda c, t=table, n=column: c.execute(f"UPDATE {t} SET {n} = {n} + (1::bigint << 50)"))  # type: ignore[attr-defined]


def test_followers_go_on_where_they_were(store: Store) -> None:
    read(store, 1)
    store.set_cursor("readers", store.newest_change())
    store.set_cursor("entities:readers", store.newest_entity_change())
    assert store.adopt_logs() == 0  # the house's own
    read(store, 2)
    read(store, 3)
    create(store, "Thing", {**THING, "@iot.id": "t"})
    before = pending(store)
    assert before == [[2, 3], [("Thing", "t")]]
    carry_over(store)
    assert store.adopt_logs() > 0
    assert pending(store) == before
    assert store.adopt_logs() == 0
    read(store, 4)
    create(store, "Thing", {**THING, "@iot.id": "u"})
    assert pending(store) == [[2, 3, 4], [("Thing", "t"), ("Thing", "u")]]
    # And once more, from there to a third one.
    carry_over(store)
    assert store.adopt_logs() > 0
    read(store, 5)
    assert pending(store)[0] == [2, 3, 4, 5]


def test_what_was_written_too_early_is_not_lost(store: Store) -> None:
    """Somebody posted before the house was started by `init` or `serve`."""
    read(store, 1)
    store.set_cursor("readers", store.newest_change())
    read(store, 2)
    carry_over(store)
    read(store, 3)
    assert store.adopt_logs() > 0
    assert pending(store)[0] == [2, 3]


def test_who_follows_the_clock_is_no_sign_of_another_cluster(store: Store) -> None:
    """A rule stands at a time in microseconds, which is higher than any number of a change."""
    read(store, 1)
    store.set_cursor("readers", store.newest_change())
    store.set_cursor("time:days", 1_795_000_000_000_000)
    assert store.adopt_logs() == 0
    assert pending(store)[0] == []
    read(store, 2)
    carry_over(store)
    stands = store.cursor("time:days")
    assert store.adopt_logs() > 0
    assert store.cursor("time:days") == stands
    assert pending(store)[0] == [2]

"""Whether anything is another: what is kept of answers hangs on it."""

import threading
from pathlib import Path

import msgspec

from allmende.domain.records import Series
from allmende.domain.store import Store
from tests.storage.test_creation import THING
from tests.support import DATASETS, batch, create, postgres_store


def one(stream: str, time: int, value: int = 1) -> Series:
    return Series(stream=stream, times=[time], results=[value])


def test_a_stamp_is_another_after_each_change_and_after_none_the_same(store: Store) -> None:
    seen = [store.stamp()]

    def is_new() -> bool:
        seen.append(store.stamp())
        return seen[-1] not in seen[:-1] and store.stamp() == seen[-1]

    store.append(batch(one("a~x", 1)))
    assert is_new()
    store.append(batch(one("a~x", 1)))  # a repetition is no event
    assert not is_new()
    store.append(batch(one("a~x", 1, value=2)))
    assert is_new()
    create(store, "Thing", {**THING, "@iot.id": "t"})
    assert is_new()
    store.put_datasets([msgspec.structs.replace(DATASETS[0], access="protected")])
    assert is_new()


def test_what_is_committed_behind_a_later_number_shows(tmp_path: Path) -> None:
    store = postgres_store(tmp_path)
    store.put_datasets(DATASETS)
    written, may_end = threading.Event(), threading.Event()

    def slow() -> None:
        def work() -> None:
            store.append(batch(one("a~x", 1)))
            written.set()
            assert may_end.wait(30)

        store.together(work)

    other = threading.Thread(target=slow)
    other.start()
    assert written.wait(30)
    create(store, "Thing", {**THING, "@iot.id": "quick"})
    later = store.stamp()
    may_end.set()
    other.join(30)
    assert store.stamp().entities != later.entities

"""Deleting and changing while others write: nobody is told of another one's trouble, nothing is left over."""

import threading
from typing import Any

from allmende.domain.errors import AllmendeError, InvalidInput, NotFound
from allmende.domain.store import Store
from tests.storage.test_amendment import change, observe
from tests.storage.test_creation import THING, ids, location, stream
from tests.storage.test_removal import remove
from tests.support import HOUSE, create


def test_writers_and_removers_at_once(store: Any) -> None:
    # Each store has a writer of its own, as two processes have.
    others: list[Store] = [type(store)(store._connections) for _ in range(3)]
    create(store, "Thing", {**THING, "@iot.id": "t", "Locations": [location(1)]})
    surprises: list[BaseException] = []
    stop = threading.Event()

    def keep_on(work: Any, *expected: type[AllmendeError]) -> None:
        while not stop.is_set():
            try:
                work()
            except expected:
                pass
            except BaseException as error:
                surprises.append(error)
                return

    def renew() -> None:
        create(store, "Datastream", stream(**{"@iot.id": "d", "Thing": {"@iot.id": "t"}}))
        remove(store, "Datastream", "d")

    def correct() -> None:
        for name in ids(store, "Observation"):
            change(others[1], "Observation", name, {"result": 2, "phenomenonTime": "2024-01-01T00:00:09Z"})

    def take_away() -> None:
        for name in ids(store, "Observation")[:1]:
            remove(others[2], "Observation", name)

    threads = [
        threading.Thread(target=keep_on, args=(renew,)),
        threading.Thread(target=keep_on, args=(lambda: observe(others[0], "d", 1), InvalidInput)),
        threading.Thread(target=keep_on, args=(correct, NotFound)),
        threading.Thread(target=keep_on, args=(take_away, NotFound)),
    ]
    for thread in threads:
        thread.start()
    stop.wait(2)
    stop.set()
    for thread in threads:
        thread.join(30)
    assert surprises == []
    assert ids(store, "Observation") == []
    assert store.latest(HOUSE) == []

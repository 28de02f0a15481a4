"""What is known of streams, set right from their observations."""

from typing import Any

import msgspec

from allmende.storage.recount import Recount
from tests.storage.test_amendment import observe, readings
from tests.support import HOUSE


def known(store: Any) -> list[Any]:
    return [msgspec.structs.astuple(latest) for latest in store.latest(HOUSE)]


def spoil(store: Any, sql: str) -> None:
    with store._connections.writing() as raw:
        store._engine.wrap(raw).execute(sql)


def test_what_was_lost_is_found_again_and_the_rest_is_left_alone(store: Any) -> None:
    for name in "abcde":
        readings(store, 3, 5, 4, name=name)
    right = known(store)
    recount = Recount(store._connections, store._engine, streams=2)
    assert recount.run() == (5, [])
    # As it is where one of two writers overwrote what the other had written.
    spoil(store, "UPDATE stream_state SET count = count - 1, first_start = latest_start WHERE datastream = 1")
    spoil(store, "UPDATE stream_state SET count = 7, latest_start = 1, latest_result = NULL WHERE datastream = 4")
    spoil(store, "DELETE FROM stream_state WHERE datastream = 5")
    assert known(store) != right
    looked: list[int] = []
    assert recount.run(looked.append) == (5, ["a", "d", "e"])
    assert looked == [2, 4, 5]
    assert known(store) == right
    assert recount.run() == (5, [])


def test_a_state_without_observations_goes(store: Any) -> None:
    readings(store, 1)
    spoil(store, "DELETE FROM observation")
    assert Recount(store._connections, store._engine).run() == (1, ["d"])
    assert known(store) == []


def test_what_is_written_meanwhile_is_counted_once(store: Any) -> None:
    """Between the look at a stream and its mending another one writes."""
    readings(store, 1, 2)
    spoil(store, "UPDATE stream_state SET count = 9")
    other = type(store)(store._connections)
    looking = store._connections.reading
    looks: list[int] = []

    class Looking:
        def __enter__(self) -> Any:
            self.inner = looking()
            return self.inner.__enter__()

        def __exit__(self, *error: Any) -> None:
            self.inner.__exit__(*error)
            if not looks:
                observe(other, "d", 3)
            looks.append(1)

    Recount(store._connections, store._engine, looking=Looking).run()
    assert [latest.count for latest in store.latest(HOUSE)] == [3]

"""What was taken of a broker's messages is known when it comes again, and nothing else is."""

from types import SimpleNamespace
from typing import Any

import pytest
from tests.web.simple import make_intake

from allmende.domain.store import Store
from allmende.web.worker.taken import MOST, Taken


def message(mid: int, body: bytes = b"20.1", topic: str = "5g/ilsa/K1/thermal", *, dup: bool = False) -> Any:
    return SimpleNamespace(mid=mid, payload=body, topic=topic, dup=dup)


@pytest.fixture
def store(tmp_path) -> Store:
    return make_intake(tmp_path).store


def begun(store: Store, *, resumed: bool = True) -> Taken:
    taken = Taken(store, "worker")
    taken.begin(resumed=resumed)
    return taken


def take(taken: Taken, store: Store, *messages: Any) -> None:
    mark = taken.mark(messages)
    store.put_mark(mark)
    taken.keep(mark)


def test_a_duplicate_of_what_was_taken_is_known(store):
    taken = begun(store)
    take(taken, store, message(1), message(2, b"20.2"))
    for memory in (taken, begun(store)):
        assert memory.knows(message(1, dup=True))
        assert memory.knows(message(2, b"20.2", dup=True))
        # the same packet's number in its next turn, another message, and one that was never here
        assert not memory.knows(message(1))
        assert not memory.knows(message(2, dup=True))
        assert not memory.knows(message(1, topic="5g/ilsa/K2/thermal", dup=True))
        assert not memory.knows(message(3, dup=True))


def test_what_was_not_committed_is_not_known(store):
    taken = begun(store)
    taken.mark([message(1)])
    assert not taken.knows(message(1, dup=True))
    # committed, though we never heard of it: the connection was cut off
    store.put_mark(taken.mark([message(1)]))
    assert not taken.knows(message(1, dup=True))
    taken.begin(resumed=True)
    assert taken.knows(message(1, dup=True))


def test_a_new_session_begins_anew(store):
    take(begun(store), store, message(1))
    taken = begun(store, resumed=False)
    assert not taken.knows(message(1, dup=True))
    take(taken, store, message(2))
    assert [mark.number for mark in store.marks("mqtt:worker")] == [2]


def test_as_many_are_remembered_as_may_be_unanswered(store):
    taken = begun(store)
    size = MOST // 4
    for group in range(6):
        take(taken, store, *(message(group * size + place + 1) for place in range(size)))
    assert len(store.marks("mqtt:worker")) == 4
    for memory in (taken, begun(store)):
        assert not memory.knows(message(2 * size, dup=True))
        assert memory.knows(message(2 * size + 1, dup=True))
        assert memory.knows(message(6 * size, dup=True))


def test_identifiers_come_in_turn(store):
    taken = begun(store)
    take(taken, store, message(7, b"old"))
    take(taken, store, message(7, b"new"))
    for memory in (taken, begun(store)):
        assert memory.knows(message(7, b"new", dup=True))
        assert not memory.knows(message(7, b"old", dup=True))


def test_what_the_broker_granted_is_remembered(store):
    taken = begun(store)
    assert taken.topics() == set()
    taken.note_topics(["b", "a"])
    assert begun(store).topics() == {"a", "b"}
    taken.note_topics(["a"])
    assert taken.topics() == {"a"}

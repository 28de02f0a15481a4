"""Single observations of many clients: written in one go, they are what they would be one by one."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path as File
from threading import Barrier
from typing import Any

import pytest

from allmende.domain.batch import Batch, Ref
from allmende.domain.creation import plan_creation
from allmende.domain.errors import Forbidden, InvalidInput, StorageFull
from allmende.domain.policy import Reader
from allmende.domain.query import Step
from allmende.domain.records import Series
from allmende.domain.store import Store
from allmende.storage.append import append_batch
from allmende.storage.committer import GroupCommitter
from allmende.storage.connections import Shared
from allmende.storage.singles import create_singles, is_single
from allmende.storage.sqlite import SqliteEngine
from tests.support import AHEAD, DATASETS, ENGINES, PlainConnections, ask, batch, create

WRITER = Reader(name="token:a", may_write=True, writes=frozenset({"parking"}))
OTHER = Reader(name="token:b", may_write=True, writes=frozenset({"parking"}))
NOW = 1_700_000_000_000_000


def single(stream: str, body: dict[str, Any], *, reader: Reader = WRITER, at: int = NOW) -> Batch:
    entities = plan_creation("Observation", body, now=at, links={"Datastream": Ref(id=stream)}, bounds=AHEAD)
    return Batch(origin=reader.name, dataset="commons", reader=reader, received_at=at, entities=entities)


SECRET = {
    "@iot.id": "secret~x",
    "name": "secret",
    "description": "",
    "observationType": "any",
    "unitOfMeasurement": {"name": "u", "symbol": "1", "definition": ""},
    "Thing": {"name": "t", "description": ""},
    "Sensor": {"name": "s", "description": "", "encodingType": "text/plain", "metadata": ""},
    "ObservedProperty": {"name": "p", "description": "", "definition": "https://example.org/p"},
}


def settle(store: Store) -> Store:
    """Three streams of an open dataset, and one of a closed one."""
    store.put_datasets(DATASETS)
    store.append(batch(*(Series(stream=f"{name}~x", times=[NOW - 5], results=[1]) for name in ("a", "b", "c"))))
    create(store, "Datastream", SECRET, dataset="hidden")
    return store


BODIES: list[dict[str, Any]] = [
    {"phenomenonTime": "2023-11-14T22:13:00Z", "result": 5},
    {"phenomenonTime": "2023-11-14T22:13:00Z", "result": 2.5, "resultTime": "2023-11-14T22:13:01Z"},
    {"phenomenonTime": "2023-11-14T22:00:00Z/2023-11-14T22:20:00Z", "result": 'text with "quotes", \\ and {braces}'},
    {"result": None, "parameters": {"depth": "1,5 m", "note": "{}"}},
    {"result": True, "validTime": "2023-11-14T22:00:00Z/2023-11-15T00:00:00Z"},
    {"result": 2**53, "resultQuality": {"plausible": False, "flags": ["NULL"]}},
    {"result": "NULL", "resultQuality": [{"nameOfMeasure": "é 漢"}]},
    {"result": -0.1, "phenomenonTime": "1900-01-01T00:00:00Z"},
]
TABLES = {
    "observation": "datastream, phenomenon_start, disc, id, phenomenon_end, result_time, received_at, result_kind,"
    " quality, valid_start, valid_end, parameters, feature, origin",
    "stream_state": "*",
    "feature_datastream": "*",
    "feature": "*",
    "origin": "name, version",
    "datastream": "pk, feature",
}


def kept(store: Any) -> dict[str, list[Any]]:
    """What is written down, but the change log."""
    with store._connections.reading() as raw:
        connection = store._engine.wrap(raw)
        found = {
            table: sorted(map(repr, connection.execute(f"SELECT {columns} FROM {table}").fetchall()))
            for table, columns in TABLES.items()
        }
        result = connection.dialect.result("o")
        found["results"] = connection.execute(f"SELECT o.id, {result} FROM observation o ORDER BY o.id").fetchall()
        return found


def in_one_go(store: Any, batches: list[Batch]) -> list[Any]:
    with store._connections.writing() as raw:
        return create_singles(store._engine.wrap(raw), batches)


def one_by_one(store: Any, batches: list[Batch]) -> list[Any]:
    with store._connections.writing() as raw:
        connection = store._engine.wrap(raw)
        return [append_batch(connection, batch) for batch in batches]


@pytest.mark.parametrize("engine", sorted(ENGINES))
def test_together_and_alone_leave_the_same(engine: str, tmp_path: File) -> None:
    (tmp_path / "together").mkdir()
    (tmp_path / "alone").mkdir()
    together, alone = (settle(ENGINES[engine](tmp_path / name)) for name in ("together", "alone"))
    batches = [
        single(f"{stream}~x", body, reader=reader, at=NOW + place)
        for place, body in enumerate(BODIES)
        for stream, reader in (("a", WRITER), ("b", OTHER), ("a", OTHER))
    ]
    receipts = in_one_go(together, batches)
    assert receipts == one_by_one(alone, batches)
    assert None not in receipts
    assert kept(together) == kept(alone)


def test_each_line_of_the_change_log_names_its_observations(store: Store) -> None:
    settle(store)
    before = store.newest_change()
    bodies = [{"phenomenonTime": f"2023-11-14T22:13:0{second}Z", "result": second} for second in range(5)]
    in_one_go(store, [single("a~x", body, reader=reader) for body in bodies for reader in (WRITER, OTHER)])
    changes = store.changes(before, 10)
    assert [(c.stream, c.kind, c.count, c.origin) for c in changes] == [
        ("a~x", "append", 5, "token:a"),
        ("a~x", "append", 5, "token:b"),
    ]
    assert {c.end - c.start for c in changes} == {4_000_000}


def test_what_is_not_plain_is_left_to_be_told(store: Store) -> None:
    settle(store)
    body = {"result": 7}
    wrong = [
        (single("nowhere~x", body), InvalidInput, "there is no Datastream 'nowhere~x'"),
        (single("secret~x", body), InvalidInput, "there is no Datastream 'secret~x'"),
        (single("a~x", body, reader=Reader(name="token:c", may_write=True)), Forbidden, "may not write"),
    ]
    receipts = in_one_go(store, [single("b~x", body), *(case[0] for case in wrong), single("c~x", body)])
    assert [receipt is not None for receipt in receipts] == [True, False, False, False, True]
    for refused, error, words in wrong:
        with pytest.raises(error, match=words):
            store.append(refused)
    assert ask(store, "Observation", path=(Step("Datastream", "a~x", "Observations"),), count=True).count == 1
    assert in_one_go(store, [wrong[0][0]]) == [None]


def test_what_counts_as_single() -> None:
    plain = single("a~x", {"result": 1})
    assert is_single(plain)
    for body in ({"result": 1, "@iot.id": "mine"}, {"result": 1, "FeatureOfInterest": {"@iot.id": "f"}}):
        assert not is_single(single("a~x", body))
    assert not is_single(batch(Series(stream="a~x", times=[1], results=[1])))
    twice = single("a~x", {"result": 1})
    twice.entities = [*twice.entities, *plain.entities]
    assert not is_single(twice)


def test_a_crowd_is_served(store: Store) -> None:
    settle(store)
    start = Barrier(12)

    def post(client: int) -> list[str]:
        start.wait()
        stream = "abc"[client % 3]
        made = [store.append(single(f"{stream}~x", {"result": number})).created[0][1] for number in range(15)]
        with pytest.raises(InvalidInput):
            store.append(single("nowhere~x", {"result": 1}))
        return made

    with ThreadPoolExecutor(12) as pool:
        names = [name for made in pool.map(post, range(12)) for name in made]
    assert len(set(names)) == len(names) == 180
    for stream in "abc":
        page = ask(store, "Observation", path=(Step("Datastream", f"{stream}~x", "Observations"),), count=True, top=1)
        assert page.count == 61
    assert sum(change.count for change in store.changes(0, 1000)) == 183


def test_two_processes_write_to_one_stream(store: Any) -> None:
    """Each has a writer thread of its own; who waits for the other's lock sees what it wrote."""
    settle(store)
    stores = store, type(store)(store._connections)
    start = Barrier(2)

    def post(which: int) -> None:
        start.wait()
        for number in range(60):
            stores[which].append(single("a~x", {"result": number}))

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(post, range(2)))
    assert next(latest.count for latest in store.latest(WRITER) if latest.stream == "a~x") == 121


# --- the committer ---


@pytest.fixture
def commit(tmp_path: File) -> GroupCommitter:
    return GroupCommitter(PlainConnections(tmp_path / "x.sqlite3"), SqliteEngine())


def note(connection: Any, name: str) -> str:
    connection.execute("INSERT INTO dataset (id) VALUES (?)", (name,))
    return f"alone {name}"


def note_all(connection: Any, names: list[str]) -> list[str | None]:
    """Writes all but those with a dash."""
    return [name if "-" not in name and note(connection, name) else None for name in names]


def fail(connection: Any, names: list[str]) -> list[str | None]:
    note_all(connection, names)
    raise ZeroDivisionError("on purpose")


def fill(connection: Any, names: list[str]) -> list[str | None]:
    raise StorageFull("full")


@pytest.mark.parametrize(("run", "told"), [(note_all, "x"), (fail, "alone x")])
def test_what_cannot_be_done_in_one_go_is_done_alone(
    commit: GroupCommitter, run: Callable[..., Any], told: str
) -> None:
    assert commit(lambda c: note(c, "x"), Shared(run, "x")) == told
    assert commit(lambda c: note(c, "-y"), Shared(run, "-y")) == "alone -y"
    assert commit(lambda c: c.execute("SELECT count(*) FROM dataset").fetchone()[0]) == 2


def test_a_full_disk_is_not_asked_twice(commit: GroupCommitter) -> None:
    with pytest.raises(StorageFull):
        commit(lambda c: note(c, "x"), Shared(fill, "x"))
    assert commit(lambda c: c.execute("SELECT count(*) FROM dataset").fetchone()[0]) == 0

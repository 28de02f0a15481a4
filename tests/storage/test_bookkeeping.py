"""The change log and its followers, rejections, sources; and many writers at once."""

import sqlite3
import threading
from pathlib import Path
from typing import Any

import msgspec
import pytest

from allmende.domain.errors import InvalidInput, NotFound, StorageFull
from allmende.domain.logs import Change
from allmende.domain.query import Query, Step
from allmende.domain.records import Rejection, Series
from allmende.domain.store import Store
from allmende.storage.committer import GroupCommitter
from allmende.storage.sqlite import SqliteEngine
from tests.support import HOUSE, PlainConnections, ask, batch, create


def one(stream: str, *times: int, value: Any = 1) -> Series:
    return Series(stream=stream, times=list(times), results=[value] * len(times))


def rows_of(store: Store, change: Change) -> list[Any]:
    return store.change_page(change, Query(entity="Observation", reader=HOUSE)).rows


# --- changes ---


def test_the_change_log_is_read_in_order_and_piece_by_piece(store: Store) -> None:
    assert (store.newest_change(), store.changes(0, 10)) == (0, [])
    for at in range(1, 6):
        store.append(batch(one("a~x", at), at=at * 10))
    first = store.changes(0, 2)
    rest = store.changes(first[-1].number, 100)
    assert [c.start for c in [*first, *rest]] == [1, 2, 3, 4, 5]
    assert [c.received_at for c in rest] == [30, 40, 50]
    assert {(c.stream, c.kind, c.origin, c.count) for c in rest} == {("a~x", "append", "feed", 1)}
    assert store.newest_change() == rest[-1].number
    assert store.changes(store.newest_change(), 10) == []


def test_a_repetition_is_no_event(store: Store) -> None:
    store.append(batch(one("a~x", 1)))
    newest = store.newest_change()
    store.append(batch(one("a~x", 1)))
    assert store.newest_change() == newest


def test_pages_of_several_changes_are_those_of_each(store: Store) -> None:
    hour = 3_600_000_000
    store.append(batch(one("a~x", 1, 2, 3), one("b~x", 2), one("c~x", *range(10, 60))))
    store.append(batch(one("a~x", 4), one("b~x", 3, 5 * hour), one("c~x", 2 * hour)))
    store.append(batch(one("a~x", 2, value=9), one("b~x", 5 * hour, value=7)))
    changes = store.changes(0, 100)
    assert len(changes) == 8
    query = Query(entity="Observation", reader=HOUSE)
    for asked in (changes, changes[::-1], changes[:1], changes[2:6]):
        assert [page.rows for page in store.change_pages(asked, query)] == [rows_of(store, c) for c in asked]
    # a part of a change: what is old is not told
    [part] = store.change_pages([msgspec.structs.replace(changes[0], start=3)], query)
    assert len(part.rows) == 1
    clipped = [msgspec.structs.replace(changes[0], start=3), *changes[1:4]]
    assert [page.rows for page in store.change_pages(clipped, query)] == [rows_of(store, c) for c in clipped]


def test_change_rows_are_what_the_change_left(store: Store) -> None:
    store.append(batch(one("a~x", 1, 2, 3), one("b~x", 2)))
    page = ask(store, "Observation", path=(Step("Datastream", "a~x", "Observations"),))
    first, other = store.changes(0, 10)
    assert rows_of(store, first) == page.rows
    assert len(rows_of(store, other)) == 1
    store.append(batch(one("a~x", 2, value=9)))
    correction = store.changes(other.number, 10)[0]
    begin = page.columns.index("phenomenonTime.start")
    assert [row[begin] for row in rows_of(store, first)] == [1, 3]
    assert [row[begin] for row in rows_of(store, correction)] == [2]
    assert all(len(row) == len(page.columns) for row in rows_of(store, correction))


def test_a_client_s_observation_is_a_change_too(store: Store) -> None:
    store.append(batch(one("a~x", 1)))
    create(store, "Observation", {"result": 5, "phenomenonTime": "2024-01-01T00:00:00Z"}, links={"Datastream": "a~x"})
    change = store.changes(0, 10)[-1]
    assert (change.stream, change.count, change.origin) == ("a~x", 1, HOUSE.name)
    assert len(rows_of(store, change)) == 1


def test_cursors(store: Store) -> None:
    assert store.cursor("mqtt") is None
    store.set_cursor("mqtt", 0)
    assert store.cursor("mqtt") == 0
    store.set_cursor("mqtt", 5)
    store.set_cursor("alerts", 2)
    assert (store.cursor("mqtt"), store.cursor("alerts")) == (5, 2)


# --- sources ---


def test_attempts(store: Store) -> None:
    store.note_attempt("feed", 10, "refused")
    assert (store.sources()["feed"].last_error, store.sources()["feed"].last_error_at) == ("refused", 10)
    store.note_attempt("feed", 20)
    state = store.sources()["feed"]
    assert (state.last_success, state.last_error, state.last_error_at) == (20, "refused", 10)
    store.note_attempt("feed", 30, "x" * 5000)
    assert len(store.sources()["feed"].last_error) == 1000
    assert sorted(store.sources()) == ["feed"]


# --- rejections ---


def rejected(*rejections: Rejection, at: int = 10, origin: str = "feed") -> Any:
    return batch(rejections=rejections, at=at, origin=origin)


def test_rejections_are_kept_with_their_bytes(store: Store) -> None:
    body = bytes(range(256))
    store.append(rejected(Rejection(reason="odd", body=body, where="line 3", code="unknown-family")))
    (listed,) = store.rejections()
    assert (listed.reason, listed.code, listed.where, listed.size, listed.body) == (
        "odd",
        "unknown-family",
        "line 3",
        256,
        b"",
    )
    assert store.rejection(listed.number).body == body
    with pytest.raises(NotFound):
        store.rejection(listed.number + 1)


def test_the_same_bytes_for_the_same_reason_are_kept_once(store: Store) -> None:
    odd = Rejection(reason="odd", body=b"x")
    store.append(rejected(odd, odd))
    store.append(rejected(odd, at=20))
    assert [r.received_at for r in store.rejections()] == [20]
    assert store.sources()["feed"].rejected == 3
    store.append(rejected(Rejection(reason="other", body=b"x"), Rejection(reason="odd", body=b"y")))
    store.append(rejected(odd, origin="another"))
    assert len(store.rejections()) == 4


def test_listing_by_source_and_code(store: Store) -> None:
    for number in range(5):
        store.append(rejected(Rejection(reason=str(number), body=b"x", code=f"c{number % 2}"), origin=f"s{number % 2}"))
    assert [r.reason for r in store.rejections()] == ["4", "3", "2", "1", "0"]
    assert [r.reason for r in store.rejections(source="s1")] == ["3", "1"]
    assert [r.reason for r in store.rejections(code="c0", limit=2)] == ["4", "2"]
    assert store.rejections(source="s1", code="c0") == []


def test_a_replayed_one_that_comes_again_is_open_again(store: Store) -> None:
    odd = Rejection(reason="odd", body=b"x")
    store.append(rejected(odd))
    number = store.rejections()[0].number
    store.settle_rejection(number, 50)
    assert store.rejection(number).replayed_at == 50
    store.append(rejected(odd, at=60))
    assert store.rejection(number).replayed_at is None


def test_pruning_by_age_and_by_size(store: Store) -> None:
    for number in range(6):
        store.append(rejected(Rejection(reason=str(number), body=b"x" * 100), at=number))
    assert store.prune_rejections(older_than=2, keep_bytes=10_000) == 2
    assert store.prune_rejections(older_than=0, keep_bytes=10_000) == 0
    assert store.prune_rejections(older_than=0, keep_bytes=250) == 2
    assert [r.reason for r in store.rejections()] == ["5", "4"]
    assert store.prune_rejections(older_than=0, keep_bytes=0) == 2


def test_one_source_does_not_push_out_what_others_could_not_read(store: Store) -> None:
    store.append(rejected(Rejection(reason="kept", body=b"x" * 100), at=1))
    for number in range(6):
        store.append(rejected(Rejection(reason=str(number), body=b"x" * 100), at=number, origin="noisy"))
    assert store.prune_rejections(older_than=0, keep_bytes=10_000, source_bytes=450) == 2
    assert store.prune_rejections(older_than=0, keep_bytes=10_000, source_count=3) == 1
    assert [r.reason for r in store.rejections()] == ["5", "4", "3", "kept"]


def test_rejections_are_found_by_what_is_said_and_what_they_hold(store: Store) -> None:
    for number in range(250):
        store.append(rejected(Rejection(reason=f"reason {number}", body=b'{"devEui": "A%d"}' % number, where="line 7")))
    assert [r.reason for r in store.rejections(text='"a249"')] == ["reason 249"]
    assert [r.reason for r in store.rejections(text="REASON 3", limit=2)] == ["reason 39", "reason 38"]
    assert len(store.rejections(text="line 7", limit=1000)) == 250
    assert store.rejections(text="a7", code="other") == []
    assert all(r.body == b"" for r in store.rejections(text="line 7", limit=3))


def counted_bodies(store: Any) -> list[int]:
    with store._connections.reading() as raw:
        found = store._engine.wrap(raw).execute("SELECT length(body) FROM rejection_body ORDER BY 1").fetchall()
    return [int(row[0]) for row in found]


def test_bytes_of_many_rejections_are_kept_once(store: Any) -> None:
    body = b"a message of many readings " * 40
    many = [Rejection(reason=f"reading {n}", body=body, where=f"reading a~x {n}") for n in range(50)]
    store.append(rejected(*many, Rejection(reason="other", body=b"short")))
    store.append(rejected(*[Rejection(reason=f"later {n}", body=bytes(body)) for n in range(2)], at=20))
    assert counted_bodies(store) == [len(body)]
    listed = store.rejections(source="feed")
    assert len(listed) == 53
    assert {r.size for r in listed} == {5, len(body)}
    assert store.rejection(listed[-1].number).body == body
    assert len(store.rejections(text="of many readings")) == 52


def test_shared_bytes_go_with_the_last_that_holds_them(store: Any) -> None:
    body = b"x" * 300
    store.append(rejected(*[Rejection(reason=str(n), body=body) for n in range(10)], at=1))
    assert store.prune_rejections(older_than=0, keep_bytes=400, source_bytes=400) == 0, "they are counted once"
    assert store.prune_rejections(older_than=0, keep_bytes=400, source_count=4) == 6
    assert store.rejection(store.rejections()[-1].number).body == body
    assert counted_bodies(store) == [300]
    store.append(rejected(Rejection(reason="new", body=b"y" * 250), at=2))
    assert store.prune_rejections(older_than=0, keep_bytes=400) == 4
    assert [r.reason for r in store.rejections()] == ["new"]
    assert counted_bodies(store) == []


# --- writing together ---


def test_many_writers_at_once_and_one_bad_job_fails_alone(store: Store) -> None:
    failures: list[BaseException] = []

    def work(number: int) -> None:
        for turn in range(5):
            made = batch(one(f"t{number}~x", turn, turn + 100))
            if number == 7 and turn == 2:
                made.declarations = []
                made.series = [one("nothing~x", 1)]
            try:
                store.append(made)
            except InvalidInput as error:
                failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(32)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    latest = {v.stream: v.count for v in store.latest(HOUSE)}
    assert latest == {f"t{n}~x": 8 if n == 7 else 10 for n in range(32)}
    assert [str(f) for f in failures] == ["the stream 'nothing~x' is not declared"]
    page = ask(store, "Observation", select=("result",), top=1000)
    assert len({row[0] for row in page.rows}) == 32 * 10 - 2
    assert store.sources()["feed"].accepted == 318


def test_a_full_disk_is_told_to_all_that_waited(tmp_path: Path) -> None:
    commit = GroupCommitter(PlainConnections(tmp_path / "x.sqlite3"), SqliteEngine())

    def fill(connection: Any) -> None:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages}")
        connection.execute("INSERT INTO dataset (id, body) VALUES ('big', ?)", ("x" * 1_000_000,))

    with pytest.raises(StorageFull, match="nothing of this was stored"):
        commit(fill)

    def mend(connection: Any) -> int:
        connection.execute("PRAGMA max_page_count = 1000000")
        return int(connection.execute("SELECT count(*) FROM dataset").fetchone()[0])

    assert commit(mend) == 0


def test_what_is_no_fault_of_the_storage_stays_what_it_is(tmp_path: Path) -> None:
    commit = GroupCommitter(PlainConnections(tmp_path / "x.sqlite3"), SqliteEngine())
    with pytest.raises(ZeroDivisionError):
        commit(lambda c: 1 / 0)
    with pytest.raises(sqlite3.OperationalError):
        commit(lambda c: c.execute("SELECT nonsense"))
    assert commit(lambda c: 5) == 5


def test_inside_of_a_transaction_a_job_joins_it(tmp_path: Path) -> None:
    connections = PlainConnections(tmp_path / "x.sqlite3")
    commit = GroupCommitter(connections, SqliteEngine())
    raw = connections.raw()

    class Joined:
        """As Django's would: this thread has a transaction open."""

        def __getattr__(self, name: str) -> Any:
            return getattr(connections, name)

        def in_transaction(self) -> bool:
            return raw.in_transaction

        def writing(self) -> Any:
            return connections.reading()

    commit = GroupCommitter(Joined(), SqliteEngine())  # type: ignore[arg-type]
    raw.execute("BEGIN IMMEDIATE")
    commit(lambda c: c.execute("INSERT INTO dataset (id) VALUES ('x')"))
    assert raw.in_transaction
    raw.execute("ROLLBACK")
    assert raw.execute("SELECT count(*) FROM dataset").fetchone()[0] == 0

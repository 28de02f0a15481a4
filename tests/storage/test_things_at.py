"""Values of things as they were at a time: each stream's last reading at or before it, for who may see it."""

import json
import random
from typing import Any

import msgspec
import pytest

from allmende.domain.errors import NotFound
from allmende.domain.features import FeatureQuery
from allmende.domain.policy import ANONYMOUS, Reader
from allmende.domain.records import Series
from allmende.domain.store import Store
from allmende.storage.sqlite import DIALECT
from allmende.storage.things import _last
from tests.support import PlainConnections, batch

SEED, STREAMS, MINUTE = 20_261_122, 12, 60_000_000


@pytest.fixture(scope="module")
def filled(shared: Store) -> tuple[Store, dict[str, list[tuple[int, int]]]]:
    """A store with streams of uneven times, and what is in them."""
    chance = random.Random(SEED)
    kept: dict[str, list[tuple[int, int]]] = {}
    for number in range(STREAMS):
        times = sorted(chance.sample(range(1, 2000), chance.randrange(1, 60)))
        kept[f"garage{number}"] = [(time * MINUTE, chance.randrange(100)) for time in times]
    for name, rows in kept.items():
        times_, results = [t for t, _ in rows], [v for _, v in rows]
        shared.append(batch(Series(stream=f"{name}~free", times=times_, results=results)))
    secret = batch(Series(stream="secret~free", times=[MINUTE], results=[987]), dataset="hidden")
    told = secret.declarations[0]
    secret.declarations = [msgspec.structs.replace(told, sensor=msgspec.structs.replace(told.sensor, id="own"))]
    shared.append(secret)
    return shared, kept


def ask(store: Store, reader: Reader, at: int | None, dataset: str = "parking") -> dict[str, dict[str, Any]]:
    page = store.features(FeatureQuery(collection=dataset, reader=reader, things=True, at=at, top=100))
    return {item.id: json.loads(item.properties) for item in page.items}


def test_each_stream_tells_its_last_reading_at_or_before_the_time(filled: Any) -> None:
    store, kept = filled
    chance = random.Random(SEED + 1)
    edges = [rows[0][0] for rows in kept.values()] + [rows[-1][0] for rows in kept.values()]
    for at in [0, *edges, *(edge - 1 for edge in edges), *(chance.randrange(2100 * MINUTE) for _ in range(30))]:
        found = ask(store, ANONYMOUS, at)
        for name, rows in kept.items():
            before = [row for row in rows if row[0] <= at]
            said = found[name]
            assert said.get("free-parking-spaces") == (before[-1][1] if before else None)
            assert ("free-parking-spaces.time" in said) == bool(before)


def test_after_the_last_reading_it_is_what_is_newest(filled: Any) -> None:
    store, _ = filled
    assert ask(store, ANONYMOUS, 10**15) == ask(store, ANONYMOUS, None)


def test_a_past_tells_nothing_of_what_is_hidden(filled: Any) -> None:
    store, _ = filled
    guest = Reader(name="guest", datasets=frozenset({"hidden"}))
    assert ask(store, guest, MINUTE, "hidden")["secret"]["free-parking-spaces"] == 987
    assert "secret" not in ask(store, guest, MINUTE)
    for dataset in ("hidden", "none"):
        with pytest.raises(NotFound):
            ask(store, ANONYMOUS, MINUTE, dataset)


def test_sqlite_looks_each_reading_up_by_its_key(tmp_path: Any) -> None:
    raw = PlainConnections(tmp_path / "fresh.sqlite3").raw()

    class Connection:
        dialect = DIALECT

    columns, joined = _last(Connection(), 5)  # type: ignore[arg-type]
    plan = raw.execute(f"EXPLAIN QUERY PLAN SELECT {columns} FROM datastream d{joined.text}", joined.params)
    lines = [row[3] for row in plan]
    assert not [line for line in lines if line.startswith(("SCAN o", "SCAN x"))], lines
    assert [line for line in lines if "SEARCH o" in line and "datastream=? AND phenomenon_start=? AND disc=?" in line]

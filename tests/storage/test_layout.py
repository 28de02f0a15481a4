"""From one layout to another on PostgreSQL: while others write, killed at any step, and nothing is lost."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from allmende.domain.errors import Conflict, InvalidInput
from allmende.domain.records import Series
from allmende.storage import bulk
from allmende.storage.layout import Relayout, extend, layout_of, parts_of
from allmende.storage.layout_sql import LAYOUTS, index, made
from allmende.storage.schema_postgres import year_start
from tests.cluster import cluster
from tests.storage.test_amendment import change
from tests.storage.test_removal import remove
from tests.support import DATASETS, ask, batch, postgres_store

YEAR = year_start(2024)
SECOND = 1_000_000


@pytest.fixture
def store(tmp_path: Path) -> Any:
    made: Any = postgres_store(tmp_path)
    made.put_datasets(DATASETS)
    for stream in ("a~x", "b~x"):
        times = [year_start(year) + n * SECOND for year in (1999, 2023, 2024, 2040) for n in range(60)]
        made.append(batch(Series(stream=stream, times=times, results=list(range(240)))))
    return made


@pytest.fixture
def connection(store: Any) -> Iterator[Any]:
    with store._connections.reading() as raw:
        yield store._engine.wrap(raw)


def rows_of(connection: Any) -> list[tuple[Any, ...]]:
    return sorted(connection.execute("SELECT * FROM observation").fetchall(), key=lambda row: row[:3])


def names_of(connection: Any) -> list[str]:
    return [part.name for part in parts_of(connection)]


def indexes_of(connection: Any) -> dict[str, str]:
    rows = connection.execute(
        "SELECT c.relname, pg_get_indexdef(c.oid) FROM pg_class c WHERE c.relkind IN ('i', 'I')"
        " AND c.relname LIKE 'observation%' ORDER BY 1"
    )
    return {name: text.replace("ON ONLY", "ON") for name, text in rows.fetchall()}


def test_other_years_and_the_same_again(store: Any, connection: Any) -> None:
    before, indexes = rows_of(connection), indexes_of(connection)
    assert Relayout(store._connections, rows=50).run("plain", 1999, 2001) == len(before)
    assert names_of(connection) == ["observation_1999", "observation_2000", "observation_2001", "observation_rest"]
    assert rows_of(connection) == before
    assert connection.execute("SELECT count(*) FROM observation_1999").fetchone() == (120,)
    Relayout(store._connections).run("plain", 2020, 2032)
    assert rows_of(connection) == before
    assert indexes_of(connection) == indexes
    assert not [name for name in bulk.tables_of(connection) if "next" in name or "work" in name or "touched" in name]
    store.append(batch(Series(stream="a~x", times=[YEAR + 999], results=[1])))
    assert ask(store, "Observation", top=1000).rows


class Killed(Exception):
    pass


def kill_after(steps: int) -> Any:
    """What a progress bar would be told; the process is gone at that step."""
    told = []

    def tell(phase: str, rows: int) -> None:
        told.append((phase, rows))
        if len(told) > steps:
            raise Killed

    return tell


def test_killed_at_every_step_it_goes_on_there(store: Any, connection: Any) -> None:
    before = rows_of(connection)
    for turn in range(40):
        try:
            Relayout(store._connections, rows=40).run("plain", 2023, 2024, kill_after(1))
        except Killed:
            # Between the steps the house goes on.
            store.append(batch(Series(stream="a~x", times=[YEAR + turn * SECOND], results=[10_000 + turn])))
            store.append(batch(Series(stream="c~x", times=[turn], results=[turn])))
        else:
            break
    else:
        pytest.fail("it never came to an end")
    assert turn > 10
    rows = rows_of(connection)
    assert len(rows) == len(before) + turn
    assert names_of(connection) == ["observation_2023", "observation_2024", "observation_rest"]
    corrected = {row[1]: row[8] for row in rows if row[8] is not None and row[8] >= 10_000}
    assert corrected == {YEAR + n * SECOND: 10_000 + n for n in range(turn)}


def test_while_others_write_change_and_delete(store: Any, connection: Any) -> None:
    stop, surprises, written = threading.Event(), [], [0]

    def write() -> None:
        other = type(store)(store._connections)
        try:
            while not stop.is_set():
                n = written[0]
                moments = [YEAR + n * 3 * SECOND, year_start(2050) - n, n]
                other.append(batch(*(Series(stream=s, times=moments, results=[n] * 3) for s in ("a~x", "d~x"))))
                newest = str(ask(other, "Observation", top=1).rows[0][1])
                change(other, "Observation", newest, {"phenomenonTime": f"2031-01-01T00:00:00.{n:06d}Z"})
                if n % 3 == 0:
                    remove(other, "Observation", newest)
                written[0] += 1
        except BaseException as error:
            surprises.append(error)

    thread = threading.Thread(target=write)
    thread.start()
    try:
        for first, last in ((1999, 2001), (2020, 2032), (2024, 2024)):
            Relayout(store._connections, rows=30).run("plain", first, last)
    finally:
        stop.set()
        thread.join(60)
    assert surprises == []
    assert written[0] > 0
    kept = connection.execute(
        "SELECT d.id, s.count, (SELECT count(*) FROM observation o WHERE o.datastream = d.pk) FROM stream_state s"
        " JOIN datastream d ON d.pk = s.datastream"
    ).fetchall()
    assert kept
    assert all(count == there for _, count, there in kept), kept


def test_one_copy_at_a_time_and_it_can_be_given_up(store: Any, connection: Any) -> None:
    before = rows_of(connection)
    relayout = Relayout(store._connections, rows=10)
    with pytest.raises(Killed):
        relayout.run("plain", 2000, 2001, kill_after(2))
    with pytest.raises(Conflict, match="--stop"):
        relayout.run("plain", 2000, 2002)
    with pytest.raises(Conflict, match="layout"):
        store._commit(bulk.empty)
    assert relayout.stop()
    assert not relayout.stop()
    assert rows_of(connection) == before
    assert relayout.run("plain", 2000, 2002) == len(before)


@pytest.mark.parametrize("layout", ["citus", "timescale"])
def test_without_its_extension_a_layout_is_refused(store: Any, connection: Any, layout: Any) -> None:
    if cluster().has_extension({"citus": "citus", "timescale": "timescaledb"}[layout]):
        pytest.skip("the extension is here")
    with pytest.raises(InvalidInput, match="CREATE EXTENSION"):
        Relayout(store._connections).run(layout, 2020, 2032)
    assert layout_of(connection) == "plain"
    assert "layout_work" not in bulk.tables_of(connection)


@pytest.mark.parametrize(("layout", "extension"), [("citus", "citus"), ("timescale", "timescaledb")])
def test_the_other_layouts_keep_the_same(store: Any, connection: Any, layout: Any, extension: str) -> None:
    if not cluster().has_extension(extension):
        pytest.skip(f"{extension} is not installed: this layout is left out")
    connection.execute(f"CREATE EXTENSION {extension}")
    before = rows_of(connection)
    Relayout(store._connections, rows=50).run(layout, 2020, 2032)
    assert layout_of(connection) == layout
    assert rows_of(connection) == before
    store.append(batch(Series(stream="a~x", times=[YEAR + 999], results=[1])))
    assert len(rows_of(connection)) == len(before) + 1


def test_what_goes_to_the_extensions() -> None:
    """Their functions as their documentation has them; what has to be unique holds the column that is split by."""
    citus, timescale = made("citus", 2020, 2021), made("timescale", 2020, 2021)
    assert "SELECT create_distributed_table('observation_next', 'datastream', colocate_with => 'none')" in citus
    assert citus.index("SELECT create_reference_table('dataset')") < citus.index(
        "SELECT create_reference_table('thing')"
    )
    assert any("by_range('phenomenon_start', BIGINT '" in text for text in timescale)
    assert "PARTITION" not in timescale[0]
    assert set(LAYOUTS) == {"plain", "citus", "timescale"}
    said = "CREATE INDEX observation_id ON ONLY public.observation USING btree (id)"
    assert index(said) == "CREATE INDEX IF NOT EXISTS observation_next_id ON observation_next USING btree (id)"


def test_years_to_come_get_parts_of_their_own(store: Any, connection: Any) -> None:
    before, indexes = rows_of(connection), indexes_of(connection)
    with store._connections.writing() as raw:
        assert extend(store._engine.wrap(raw), 2031) == []
        assert extend(store._engine.wrap(raw), 2040) == list(range(2033, 2041))
        assert extend(store._engine.wrap(raw), 2040) == []
    assert rows_of(connection) == before
    assert connection.execute("SELECT count(*) FROM observation_2040").fetchone() == (120,)
    assert set(indexes) <= set(indexes_of(connection))
    store.append(batch(Series(stream="a~x", times=[year_start(2035)], results=[1])))
    assert connection.execute("SELECT count(*) FROM observation_2035").fetchone() == (1,)
    assert connection.execute("SELECT count(*) FROM pg_constraint WHERE conname LIKE '%_span'").fetchone() == (0,)

"""A backup's form: what is not whole, or is none, is known before anything is done with it."""

import gzip
import json
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from allmende.domain.errors import InvalidInput
from allmende.storage import bulk
from allmende.storage.archive import Header, Reader, Table, Writer
from allmende.storage.connections import OBSERVATION
from allmende.storage.schema import TABLES
from allmende.storage.store import SqlStore

HEADER = Header(version="1", engine="sqlite", city="town", taken="2026-11-21T00:00:00Z", newest=7, migrations=("a.1",))


def write(path: Path, rows: Iterator[tuple[Any, ...]] | list[tuple[Any, ...]]) -> Path:
    with path.open("wb") as stream:
        writer = Writer(stream, HEADER)
        writer.table(Table(table="empty", columns=("a",)), [])
        writer.table(Table(table="thing", columns=("pk", "id", "body"), binary=("body",)), rows)
        writer.finish()
    return path


def test_what_was_written_is_read(tmp_path: Path) -> None:
    rows = [(1, "ä\u2028\n[", b"\x00\xff"), (-(2**63), None, b""), (2**63 - 1, "", None)]
    reader = Reader(write(tmp_path / "a", rows))
    reader.check()
    assert reader.header == HEADER
    assert reader.counts == {"empty": 0, "thing": 3}
    found = {table.table: [row for part in parts for row in part] for table, parts in reader.tables()}
    assert found == {"empty": [], "thing": [[1, "ä\u2028\n[", "AP8="], [-(2**63), None, ""], [2**63 - 1, "", None]]}


def test_whatever_is_wrong_is_told(tmp_path: Path) -> None:
    body = write(tmp_path / "a", [(n, "post", b"") for n in range(100)]).read_bytes()
    lines = gzip.decompress(body).splitlines(keepends=True)
    cases = {
        "it ends in the middle": gzip.compress(b"".join(lines[:-1])),
        "checksum": gzip.compress(b"".join(lines).replace(b'"post"', b'"past"', 1)),
        "broken: Compressed file ended": body[: len(body) // 2],
        "broken: CRC": body[:-8] + bytes(8),
        "another one": gzip.compress(b"".join([*lines[:2], *lines[3:]])),
        "no backup made": b"PGDMP\x01\x0e",
        "the form 2": gzip.compress(json.dumps({"allmende-backup": 2, "version": "9"}).encode() + b"\n"),
        "made by": gzip.compress(b"{}\n"),
        "missing required field": gzip.compress(b'{"allmende-backup": 1}\n'),
        "made by `allmende": b"",
        "ends in the middle": gzip.compress(b"".join(lines) + b"more"),
    }
    for words, bad in cases.items():
        (tmp_path / "bad").write_bytes(bad)
        with pytest.raises(InvalidInput, match=words):
            Reader(tmp_path / "bad").check()
    with pytest.raises(InvalidInput, match="cannot be read"):
        Reader(tmp_path / "none")


def test_memory_does_not_grow_with_the_rows(tmp_path: Path) -> None:
    def highest(count: int) -> int:
        tracemalloc.start()
        reader = Reader(write(tmp_path / "a", ((n, "x" * 100, b"y" * 50) for n in range(count))))
        reader.check()
        assert sum(len(part) for _, parts in reader.tables() for part in parts) == count
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak

    few = highest(20_000)
    assert highest(80_000) < few * 1.5


def test_every_table_of_the_layout_is_taken(store: SqlStore) -> None:
    """A table that is not in TABLES would be lost in silence; so would a column of an observation."""
    with store._connections.reading() as raw:
        connection = store._engine.wrap(raw)
        # PostGIS brings a table of its own, which is the extension's.
        assert set(bulk.tables_of(connection)) == set(TABLES)
        kept = {"result_integer", "result_number", "result_text"}
        if connection.dialect.name == "postgres":
            rows = connection.execute(
                "SELECT attname FROM pg_attribute WHERE attrelid = 'observation'::regclass AND attnum > 0"
                " AND NOT attisdropped"
            )
            columns = {row[0] for row in rows.fetchall()}
            assert kept <= columns
            assert (columns - kept) | {"result"} == set(OBSERVATION)
        else:
            rows = connection.execute("SELECT name FROM pragma_table_info('observation')")
            assert {row[0] for row in rows.fetchall()} == set(OBSERVATION)


def test_a_line_without_an_end_is_not_read_into_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "a", [(1, "long" * 100, b"")])
    monkeypatch.setattr("allmende.storage.archive._LONGEST_LINE", 300)
    with pytest.raises(InvalidInput, match="a line has more than"):
        Reader(path).check()

"""The raw limits: what the database takes and gives without the house, in the same run, into the same tables."""

import random
import sqlite3
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from benchmarks.served.database import Database, installed
from benchmarks.served.house import House

_INSERT = """\\set stream random(-500, -1)
\\set moment random(1, 1000000000000000)
INSERT INTO observation
(datastream, phenomenon_start, disc, id, received_at, result_kind, result_number, origin, change)
VALUES (:stream, :moment, :client_id, nextval('observation_number'), 0, 2, 17.5, 1, 1);
"""
_COLUMNS = "datastream, phenomenon_start, disc, id, received_at, result_kind, {value}, feature, origin, change"
_PAGE = (
    "SELECT id, phenomenon_start, result_time, {value} FROM observation WHERE datastream ="
    " (SELECT pk FROM datastream WHERE id = {mark}) ORDER BY phenomenon_start, disc LIMIT 1000"
)
BATCH = 1000
_START = 1_500_000_000_000_000


class Limits(NamedTuple):
    """What is possible at most: transactions, rows and pages a second."""

    insert: float
    """One row each, a commit each; with PostgreSQL from 16 connections."""
    copy: float
    """Rows in one go."""
    batches: float
    """Rows in batches of 1,000, a commit each, one connection."""
    page: float
    """Pages of 1,000: SQL and JSON, one connection."""


def limits(house: House, seconds: int, things: int) -> Limits:
    """Measure them. What was written for it is taken back."""
    if house.database is not None:
        return _postgres(house.database, seconds, things)
    return _sqlite(house.home / "allmende.sqlite3", seconds, things)


def _postgres(database: Database, seconds: int, things: int) -> Limits:
    insert = _pgbench(database, seconds)
    with database.connect() as connection:
        for _ in range(2):  # the first one makes room in the files
            copy = _copied(connection, 100 * BATCH, 100 * BATCH)
        batches = _copied(connection, BATCH, 100 * BATCH)
        page = _PAGE.format(value="result_number", mark="%s")
        pages = _rate(seconds / 2, lambda name: connection.execute(page, (name,)).fetchall(), things)
        connection.execute("DELETE FROM observation WHERE datastream < 0")
        connection.execute("VACUUM observation")
    return Limits(insert, copy, batches, pages)


def _pgbench(database: Database, seconds: int) -> float:
    """One-row INSERTs into the observations with their indexes, prepared, by 16 connections."""
    tools = installed()
    assert tools is not None
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as script:
        script.write(_INSERT)
        script.flush()
        options = ["-n", "-M", "prepared", "-c16", "-j1", f"-T{seconds}", "-f", script.name, "-U", "postgres"]
        command = [tools / "pgbench", *options, "-h", database.folder, "postgres"]
        said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    line = next(line for line in said.splitlines() if line.startswith("tps"))
    return float(line.split()[2])


def _copied(connection: Any, batch: int, rows: int) -> float:
    """COPY of ready text, in transactions of ``batch`` rows."""
    base = connection.execute("SELECT nextval('observation_number')").fetchone()[0]
    connection.execute("SELECT setval('observation_number', %s)", (base + rows,))
    statement = f"COPY observation ({_COLUMNS.format(value='result_number')}) FROM STDIN"
    pieces = [b"".join(_line(-1 - base, base + n) for n in range(at, at + batch)) for at in range(0, rows, batch)]
    begun = time.perf_counter()
    for piece in pieces:
        with connection.cursor() as cursor, cursor.copy(statement) as copy:
            copy.write(piece)
    return rows / (time.perf_counter() - begun)


def _line(stream: int, number: int) -> bytes:
    return b"%d\t%d\t%d\t%d\t0\t2\t17.5\t1\t1\t1\n" % (stream, _START + number * 60_000_000, number, number)


def _rate(seconds: float, ask: Any, things: int) -> float:
    """Pages a second, as rows and then as JSON."""
    chance, encode, number = random.Random(42), msgspec.json.Encoder().encode, 0
    begun = time.perf_counter()
    while time.perf_counter() - begun < seconds:
        rows = ask(f"{chance.randint(1, things)}~p0")
        encode({"value": [dict(zip(_NAMES, row, strict=True)) for row in rows]})
        number += 1
    return number / (time.perf_counter() - begun)


_NAMES = ("@iot.id", "phenomenonTime", "resultTime", "result")


def _sqlite(path: Path, seconds: int, things: int) -> Limits:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous = FULL")
        statement = f"INSERT INTO observation ({_COLUMNS.format(value='result')}) VALUES (?,?,?,?,0,2,17.5,1,1,1)"
        rows = _rows()
        begun, number = time.perf_counter(), 0
        while time.perf_counter() - begun < seconds / 2:
            connection.execute(statement, next(rows))
            number += 1
        insert = number / (time.perf_counter() - begun)
        copy = _inserted(connection, statement, rows, 100 * BATCH)
        batches = _inserted(connection, statement, rows, BATCH)
        page = _PAGE.format(value="result", mark="?")
        pages = _rate(seconds / 2, lambda name: connection.execute(page, (name,)).fetchall(), things)
        connection.execute("DELETE FROM observation WHERE datastream < 0")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return Limits(insert, copy, batches, pages)


def _rows() -> Iterator[tuple[int, ...]]:
    number = 10**12
    while True:
        number += 1
        yield -1 - number % 500, _START + number, number, number


def _inserted(connection: sqlite3.Connection, statement: str, rows: Iterator[tuple[int, ...]], batch: int) -> float:
    """executemany in transactions of ``batch`` rows."""
    pieces = [[next(rows) for _ in range(batch)] for _ in range(100 * BATCH // batch)]
    begun = time.perf_counter()
    for piece in pieces:
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany(statement, piece)
        connection.execute("COMMIT")
    return 100 * BATCH / (time.perf_counter() - begun)

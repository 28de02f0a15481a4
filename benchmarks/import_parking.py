"""Importing the recorded car parks, against a bare executemany of the same rows into the same table."""

import resource
import sqlite3
import time
from typing import Any

from benchmarks.setting import open_house, recording, report

RUNS = 5
PIECE = 2000


def bare(rows: list[tuple[Any, ...]], insert: str, connection: sqlite3.Connection) -> float:
    """Rows a second of executemany in transactions of the same size."""
    begun = time.perf_counter()
    for start in range(0, len(rows), PIECE):
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany(insert, rows[start : start + PIECE])
        connection.execute("COMMIT")
    return len(rows) / (time.perf_counter() - begun)


def empty(connection: sqlite3.Connection) -> None:
    """Take all readings back, also what is known of them."""
    connection.execute("BEGIN IMMEDIATE")
    for table in ("observation", "stream_state", "change_log", "source_state", "feature_datastream"):
        connection.execute(f"DELETE FROM {table}")
    connection.execute("COMMIT")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def main() -> None:
    intake, _, database = open_house()
    from allmende.storage.connections import OBSERVATION

    insert = f"INSERT INTO observation VALUES ({', '.join('?' * len(OBSERVATION))})"
    file = recording()
    connection = sqlite3.connect(database, isolation_level=None)
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA cache_size = -16384")
    ours, raw = [], []
    rows: list[tuple[Any, ...]] = []
    peak = 0.0
    for _ in range(RUNS):
        empty(connection)
        begun = time.perf_counter()
        receipt = intake.take_file("jena-parking", file)
        ours.append(receipt.read / (time.perf_counter() - begun))
        if not rows:
            # Before the rows for the raw limit are held in memory: what the import itself needs.
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            rows = connection.execute(f"SELECT {', '.join(OBSERVATION)} FROM observation ORDER BY id").fetchall()
        empty(connection)
        raw.append(bare(rows, insert, connection))
    # The bare rows came without their streams' states: start again before measuring what a second import says.
    empty(connection)
    intake.take_file("jena-parking", file)
    repeated = intake.take_file("jena-parking", file)
    report("import", ours, raw, "readings/s", readings=receipt.read, peak_memory_mb=round(peak))
    print(
        f"accounted for: {receipt.accepted} accepted, {receipt.repeated} repeated, {receipt.corrected} corrected,"
        f" {receipt.rejected} rejected of {receipt.read}; again: {repeated.repeated} repeated; {peak:.0f} MB at most"
    )


if __name__ == "__main__":
    main()

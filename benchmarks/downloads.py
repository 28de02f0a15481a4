"""Files of readings in each format: time and peak memory for two sizes, so that it shows whether memory grows with the
file.

Each runs in a process of its own, over a SQLite store of ten streams. The raw limit beside is a plain cursor that reads
the same rows and writes them with Python's csv module, without names, places, licence or rights.

    python -m benchmarks downloads [--rows 100000]
"""

import argparse
import csv
import json
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.setting import ROOT, report

AT = 1_700_000_000_000_000
STREAMS = 10
FORMATS = ("csv-de", "csv", "xlsx", "parquet", "geojson", "gpkg", "raw")


def fill(folder: Path, rows: int) -> None:
    """Ten streams, a reading a minute, as a garage tells them."""
    from tests.support import DATASETS, batch, sqlite_store

    from allmende.domain.records import Series

    store = sqlite_store(folder)
    store.put_datasets(DATASETS)
    each = rows // STREAMS
    for number in range(STREAMS):
        for start in range(0, each, 20_000):
            times = [AT + n * 60_000_000 for n in range(start, min(each, start + 20_000))]
            results = [(n * 7 + number) % 300 for n in range(start, start + len(times))]
            store.append(batch(Series(stream=f"garage{number}~free", times=times, results=results)))


def write(folder: Path, key: str) -> dict[str, Any]:
    """One file; what it took."""
    path = folder / f"out.{key}"
    began, cpu = time.perf_counter(), time.process_time()
    rows = _raw(folder, path) if key == "raw" else _ours(folder, key, path)
    return {
        "rows": rows,
        "seconds": time.perf_counter() - began,
        "cpu": time.process_time() - cpu,
        "bytes": path.stat().st_size,
        "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    }


def _ours(folder: Path, key: str, path: Path) -> int:
    from tests.faces.test_files import about
    from tests.support import PlainConnections

    from allmende.domain.policy import ANONYMOUS
    from allmende.domain.selection import Selection
    from allmende.faces.files.formats import FORMATS as KNOWN
    from allmende.faces.files.make import make_file
    from allmende.faces.files.readings import Source
    from allmende.storage.sqlite import SqliteStore

    store = SqliteStore(PlainConnections(folder / "commons.sqlite3", fresh=False))
    source = Source(store=store, reader=ANONYMOUS, zone="Europe/Berlin")
    place = folder / "work"
    place.mkdir(exist_ok=True)
    made = place / f"file.{KNOWN[key].suffix}"
    rows = make_file(source, about(Selection(dataset="parking")), KNOWN[key], made, lambda rows: None)
    made.replace(path)
    return rows


def _raw(folder: Path, path: Path) -> int:
    connection = sqlite3.connect(folder / "commons.sqlite3")
    rows = 0
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        for row in connection.execute(
            "SELECT datastream, phenomenon_start, result FROM observation ORDER BY datastream, phenomenon_start, disc"
        ):
            writer.writerow(row)
            rows += 1
    return rows


def main() -> None:
    """Print both sizes beside each other."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--fill", type=Path)
    parser.add_argument("--write", nargs=2)
    given, _ = parser.parse_known_args()
    if given.fill:
        fill(given.fill, given.rows)
        return
    if given.write:
        print(json.dumps(write(Path(given.write[0]), given.write[1])))
        return
    told: dict[str, list[dict[str, Any]]] = {key: [] for key in FORMATS}
    for rows in (given.rows, 4 * given.rows):
        with tempfile.TemporaryDirectory(prefix="allmende-bench-") as folder:
            _run("--fill", folder, "--rows", str(rows))
            for key in FORMATS:
                told[key].append(json.loads(_run("--write", folder, key)))
    raw = told.pop("raw")[1]
    for key, (small, large) in told.items():
        rates = [[each["rows"] / each["cpu"]] for each in (large, raw)]
        peaks = [round(each["memory"] / 2**20) for each in (small, large)]
        megabytes = round(large["bytes"] / 1e6, 1)
        report(f"download, {key}", *rates, "rows/s of one core", rows=large["rows"], megabytes=megabytes, peak_mb=peaks)
        print(f"peak of memory: {peaks[0]} MiB for {small['rows']:,} rows, {peaks[1]} MiB for {large['rows']:,}")


def _run(*arguments: str) -> str:
    command = [sys.executable, "-m", "benchmarks.downloads", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT).stdout


if __name__ == "__main__":
    main()

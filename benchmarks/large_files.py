"""Large files of others: 160 MB of DATEX II situations, and a CSV of 500 columns by 80,000 rows in wide form.

Both are made by a seed in a folder of their own. What is measured is one core's time to cut, parse and check them, as
any way in does it before the commit, against the raw limit: the bare parser (lxml, pyarrow) over the same blocks. Each
runs in a process of its own, so that its memory is its own.

    python -m benchmarks large_files [--megabytes 160] [--rows 80000] [--columns 500]
"""

import argparse
import io
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.setting import ROOT, report

SEED = 20_260_301
RECEIVED_AT = 1_780_000_000_000_000
SAMPLE = ROOT / "src/allmende/connectors/datex_situation/samples/situations-v3-constructed.xml"


def make_situations(path: Path, megabytes: int) -> None:
    """Situations as the constructed sample has them, moved about by the seed."""
    chance = random.Random(SEED)
    whole = SAMPLE.read_bytes()
    begin, end = whole.index(b"  <sit:situation "), whole.index(b"</d2:payload>")
    with path.open("wb") as file:
        file.write(whole[:begin])
        number = 0
        while file.tell() < megabytes * 1_000_000:
            number += 1
            shift = chance.randrange(10, 99)
            piece = whole[begin:end].replace(b"J-2026-", b"J-%d-" % number)
            file.write(piece.replace(b"50.91", b"50.%d" % shift))
        file.write(whole[end:])


def make_wide(path: Path, columns: int, rows: int) -> None:
    """A column for each of so many counters, a row every fifteen minutes on the city's clock."""
    chance = random.Random(SEED)
    with path.open("w") as file:
        file.write("time;" + ";".join(f"counter-{n}" for n in range(columns)) + "\n")
        lines = [
            ";".join(f"{chance.randrange(400)},{chance.randrange(10)}" for _ in range(columns)) for _ in range(200)
        ]
        for row in range(rows):
            at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(1_600_000_000 + 900 * row))
            file.write(f"{at};{lines[row % 200]}\n")


def sources() -> dict[str, Any]:
    """How each is configured: (parse, source, framing)."""
    from allmende.connectors.datex_situation.parse import parse as situations
    from allmende.connectors.table.parse import parse as table
    from allmende.domain.connector import Source

    count = {"count": {"name": "Count", "unit": "1", "low": 0}}
    wide = {"time": "time", "decimal": ",", "wide": "count", "properties": count}
    return {
        "situations": (situations, Source(id="s", connector="datex_situation", dataset="d"), "xml:situation"),
        "wide": (table, Source(id="w", connector="table", dataset="d", settings=wide), "lines"),
    }


def blocks(kind: str, path: Path) -> Iterator[Any]:
    from allmende.domain.framing import frames

    with path.open("rb") as file:
        yield from frames(file, framing=sources()[kind][2], name=path.name, received_at=RECEIVED_AT)


def ours(kind: str, path: Path) -> dict[str, Any]:
    """Cut, parsed and checked."""
    from allmende.domain.ingest import IngestLimits, ingest

    parse, source, _ = sources()[kind]
    limits = IngestLimits()
    begun, read, rejected = time.process_time(), 0, 0
    for payload in blocks(kind, path):
        batch = ingest(parse(payload, source), payload=payload, source=source, version="1", limits=limits)
        read += sum(len(s.times) for s in batch.series) + sum(len(f.rows) for f in batch.features)
        rejected += len(batch.rejections)
    seconds = time.process_time() - begun
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"seconds": seconds, "read": read, "rejected": rejected, "peak_mb": round(peak)}


def bare(kind: str, path: Path) -> dict[str, Any]:
    """The parser alone, over the same blocks."""
    begun = time.process_time()
    for payload in blocks(kind, path):
        if kind == "situations":
            from lxml import etree

            for _ in etree.fromstring(payload.body).iter():
                pass
        else:
            from pyarrow import csv

            options = csv.ConvertOptions(decimal_point=","), csv.ParseOptions(delimiter=";")
            read = csv.ReadOptions(use_threads=False, block_size=1 << 25)
            csv.read_csv(
                io.BytesIO(payload.body), convert_options=options[0], parse_options=options[1], read_options=read
            )
    return {"seconds": time.process_time() - begun}


def alone(way: str, kind: str, path: Path) -> dict[str, Any]:
    """Measure in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.large_files", "--way", way, "--kind", kind, "--file", str(path)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--megabytes", type=int, default=160)
    parser.add_argument("--rows", type=int, default=80_000)
    parser.add_argument("--columns", type=int, default=500)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--way", choices=("ours", "bare"))
    parser.add_argument("--kind", choices=("situations", "wide"))
    parser.add_argument("--file", type=Path)
    asked, _ = parser.parse_known_args()
    if asked.way:
        print(json.dumps({"ours": ours, "bare": bare}[asked.way](asked.kind, asked.file)))
        return
    with tempfile.TemporaryDirectory(prefix="allmende-bench-") as folder:
        for kind in ("situations", "wide"):
            path = Path(folder) / kind
            if kind == "situations":
                make_situations(path, asked.megabytes)
            else:
                make_wide(path, asked.columns, asked.rows)
            size = path.stat().st_size / 1e6
            runs = [(alone("ours", kind, path), alone("bare", kind, path)) for _ in range(asked.runs)]
            rates = [[size / run[side]["seconds"] for run in runs] for side in (0, 1)]
            first = runs[0][0]
            more = {key: first[key] for key in ("read", "rejected")}
            peak = max(run[0]["peak_mb"] for run in runs)
            report(f"large file, {kind}", *rates, "MB/s of one core", megabytes=round(size), peak_mb=peak, **more)
            print(f"{size:.0f} MB, {first['read']:,} read, {first['rejected']} rejected, {peak} MB of memory at most")
            path.unlink()


if __name__ == "__main__":
    main()

"""Charts: any zoom of any stream, of ten million readings over a thousand streams, by HTTP from a served house.

``python -m benchmarks explorer [--engine all|postgresql|sqlite] [--readings 10000000] [--write]``. Each stream has a
reading each quarter of an hour. One client asks for spans from all there is down to minutes, of streams and at places
picked by chance (seeded); the quickest of three times counts, on both sides, since the machine has other things to do
and the first finds nothing in memory. Beside each stands bare SQL for the same buckets of the same stream (least,
greatest, mean, number; the stream's key is known, nobody's rights are looked at) by the engine's own driver, and the
JSON of its rows; and what the house takes for a page without data, which is the least that any answer takes.
"""

import argparse
import json
import os
import random
import sqlite3
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import msgspec

from benchmarks.growth import Client
from benchmarks.served.fill import END, MINUTE, SENSOR, UNIT
from benchmarks.served.house import House, engines, open_house
from benchmarks.served.report import write_section

EACH = 10_000
"""Readings of a stream."""
TIMES = 3
STEP = 15 * MINUTE
PIECE = 50_000
ASKED = 60
POINTS = 500
DAY = 1_440 * MINUTE
ZOOMS: dict[str, int | None] = {
    "all there is": None, "60 days": 60 * DAY, "14 days": 14 * DAY, "2 days": 2 * DAY, "6 hours": DAY // 4,
    "20 minutes": 20 * MINUTE,
}  # fmt: skip


class Asked(NamedTuple):
    """Medians in milliseconds, and the largest answer in bytes."""

    ours: float
    raw: float
    processor: float
    """Milliseconds of web server and database together, a question: they say the same where the machine is busy."""
    raw_processor: float
    inside: float
    """Processor time of the house without HTTP, in a process of its own: ``read_series`` and its JSON, without the
    database's."""
    size: int


def fill(readings: int) -> None:
    """Streams of EACH readings; in the house that the environment names."""
    from allmende.domain.batch import Batch
    from allmende.domain.policy import COMMONS, house_reader
    from allmende.domain.records import Declaration, Property, Series, ThingDeclaration
    from allmende.web.parts import open_django

    open_django()
    from django.db import connection

    from allmende.web.house import open_store

    store, streams = open_store(), readings // EACH
    together = max(1, PIECE // EACH)
    for first in range(0, streams, together):
        names = range(first, min(first + together, streams))
        chance = random.Random(first)
        store.append(
            Batch(
                origin="bench", dataset=COMMONS, reader=house_reader("bench"), received_at=END,
                declarations=[
                    Declaration(
                        stream=f"s{n}", name=f"Stream {n}", thing=ThingDeclaration(id=f"t{n}", name=f"Thing {n}"),
                        sensor=SENSOR, unit=UNIT,
                        observed_property=Property(id="p", name="Property", definition="http://example.org/property"),
                    )
                    for n in names
                ],
                series=[
                    Series(stream=f"s{n}", times=[END - (EACH - 1 - k) * STEP for k in range(EACH)],
                           results=[round(chance.gauss(15, 8), 2) for _ in range(EACH)])
                    for n in names
                ],
            )
        )  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE" if connection.vendor == "sqlite" else "VACUUM ANALYZE")


def spans(zoom: str, readings: int) -> list[tuple[int, int, int]]:
    """Stream, start and end of what is asked for, the same each time."""
    chance, length = random.Random(zoom), EACH * STEP
    found = []
    for _ in range(ASKED):
        span = ZOOMS[zoom] or length
        start = END - length + (chance.randrange(max(1, length - span)) if span < length else 0)
        found.append((chance.randrange(readings // EACH), start // MINUTE * MINUTE, (start + span) // MINUTE * MINUTE))
    return found


def bare(house: House) -> Callable[[int, int, int, str], bytes]:
    """The same buckets by SQL alone. Where the house gives readings themselves, so does this."""
    from allmende.domain.spans import Span
    from allmende.knowledge.series.grid import choose_width, make_grid

    if house.database is not None:
        connection: Any = house.database.connect()
        mark, value = "%s", "result_number"
    else:
        (path,) = house.home.glob("*.sqlite3")
        connection = sqlite3.connect(path)
        mark, value = "?", "result"
    keys = dict(connection.execute("SELECT id, pk FROM datastream").fetchall())
    walk = f"FROM observation WHERE datastream = {mark} AND phenomenon_start >= {mark} AND phenomenon_start < {mark}"
    few = f"SELECT phenomenon_start, {value} {walk} ORDER BY phenomenon_start"
    many = (
        f"SELECT (phenomenon_start - {mark}) / {mark} AS b, min({value}), max({value}), avg({value}), count(*) {walk}"
        " GROUP BY b ORDER BY b"
    ).replace(mark, f"CAST({mark} AS bigint)", 2)

    def ask(stream: int, start: int, end: int, zone: str) -> bytes:
        key = keys[f"s{stream}"]
        if (end - start) // STEP <= POINTS:
            return msgspec.json.encode([tuple(row) for row in connection.execute(few, (key, start, end)).fetchall()])
        rows: list[Any] = []
        over: list[Span] = make_grid(start, end, choose_width(end - start, POINTS), zone).spans
        for span in over:  # one, but where the clock was put forward or back in it
            rows += connection.execute(many, (span.first, span.width, key, span.start, span.end)).fetchall()
        return msgspec.json.encode([tuple(row) for row in rows])

    return ask


def inside(readings: int) -> dict[str, float]:
    """Medians without HTTP, in the house that the environment names."""
    from allmende.domain.policy import ANONYMOUS
    from allmende.knowledge.series import as_document, read_series
    from allmende.web.parts import open_django

    open_django()
    from allmende.web.house import open_profile, open_store

    store, zone = open_store(), open_profile().time_zone
    found = {}
    for zoom in ZOOMS:

        def ask(stream: int, start: int, end: int) -> None:
            msgspec.json.encode(as_document(read_series(store, ANONYMOUS, [f"s{stream}"], start, end, POINTS, zone)))

        begun = time.process_time()
        for one in spans(zoom, readings):
            quickest(partial(ask, *one))
        found[zoom] = (time.process_time() - begun) * 1000 / ASKED / TIMES
    return found


def measure(house: House, readings: int) -> dict[str, Asked]:
    """All zooms."""
    client, raw = Client(house), bare(house)
    (zone,) = {json.loads(client.ask("/explorer/series.json?stream=s0&from=-P1D")[1])["zone"]}
    ZoneInfo(zone)
    command = [sys.executable, "-m", "benchmarks.explorer", "--inside", "--readings", str(readings)]
    done = subprocess.run(command, env=house.environ, stdout=subprocess.PIPE, text=True, check=True)
    within = json.loads(done.stdout.splitlines()[-1])
    found = {}
    for zoom in ZOOMS:
        asked = spans(zoom, readings)
        addresses = [
            f"/explorer/series.json?stream=s{s}&from={_text(a)}&to={_text(b)}&points={POINTS}" for s, a, b in asked
        ]
        before = house.seconds()
        ours = statistics.median(quickest(partial(client.ask, address)) for address in addresses)
        used = sum(house.seconds().since(before))
        before, begun = house.seconds(), time.process_time()
        beside = statistics.median(quickest(partial(raw, *one, zone)) for one in asked)
        bare_used = time.process_time() - begun + house.seconds().since(before).database
        size = max(len(client.ask(address)[1]) for address in addresses)
        each = 1000 / ASKED / TIMES
        found[zoom] = Asked(ours, beside, used * each, bare_used * each, within[zoom], size)
    return found


def quickest(work: Callable[[], Any]) -> float:
    """Milliseconds of the quickest of some times."""
    took = []
    for _ in range(TIMES):
        begun = time.perf_counter()
        work()
        took.append((time.perf_counter() - begun) * 1000)
    return min(took)


def _text(micros: int) -> str:
    return datetime.fromtimestamp(micros / 1e6, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def table(found: dict[str, Asked], least: float) -> str:
    """Markdown."""
    lines = [
        "| span | median, ms | bare SQL | ratio | processor, ms | bare SQL | ratio | without HTTP, ms | kB at most |",
        "|---|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for zoom, one in found.items():
        lines.append(
            f"| {zoom} | {one.ours:.1f} | {one.raw:.2f} | {one.ours / one.raw:.1f} | {one.processor:.1f}"
            f" | {one.raw_processor:.2f} | {one.processor / one.raw_processor:.1f} | {one.inside:.1f}"
            f" | {one.size / 1000:,.0f} |"
        )
    return "\n".join([*lines, "", f"An answer without data takes {least:.1f} ms by HTTP."])


def main() -> None:
    parser = argparse.ArgumentParser(prog="benchmarks explorer", description=__doc__)
    parser.add_argument("--engine", default="all", choices=("all", "postgresql", "sqlite"))
    parser.add_argument("--readings", type=int, default=10_000_000)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--fill", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.fill:
        fill(given.readings)
        return
    if given.inside:
        print(json.dumps(inside(given.readings)))
        return
    for engine in engines(given.engine):
        before = ("-m", "benchmarks.explorer", "--fill", "--readings", str(given.readings))
        begun = time.perf_counter()
        with open_house(engine, before=before) as house:
            filled = time.perf_counter() - begun
            found = measure(house, given.readings)
            client = Client(house)
            least = statistics.median(client.ask("/explorer/series.json?stream=s0&to=1990-01-01")[0] for _ in range(60))
        text = table(found, least)
        print(f"{engine}: {given.readings:,} readings, filled in {filled:.0f} s\n{text}", flush=True)
        print(json.dumps({"name": f"explorer {engine}", "zooms": {zoom: one._asdict() for zoom, one in found.items()}}))
        if given.write:
            said = f"{datetime.now(UTC):%Y-%m-%d}; {given.readings:,} readings, {EACH:,} of each stream, one client,"
            write_section(f"explorer {engine}", f"{said} {os.cpu_count()} processors.\n\n{text}")


if __name__ == "__main__":
    main()

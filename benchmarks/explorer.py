"""Charts: any zoom of any stream, of ten million readings over a thousand streams, by HTTP from a served house.

``python -m benchmarks explorer [--engine all|postgresql|sqlite] [--readings 10000000] [--write]``. Each stream has a
reading each quarter of an hour. One client asks for spans from all there is down to minutes, of streams and at places
picked by chance (seeded). Three are asked the same one after the other, three times over, and the quickest counts of
each: the house by HTTP; bare SQL for the same buckets by HTTP, from the same web server without anything else
(``served/bare.py``); and bare SQL by the engine's own driver in the client's process. So each finds the same in memory,
and what else the machine does falls on all of them. Bare SQL knows the stream's key, looks at nobody's rights and gives
the JSON of its rows.
"""

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any, NamedTuple

import msgspec

from benchmarks.growth import Client
from benchmarks.served import bare
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
    served: float
    """Bare SQL by HTTP."""
    bare: float
    """Bare SQL in the client's process."""
    processor: float
    """Milliseconds of web server and database together, a question: they say the same where the machine is busy."""
    served_processor: float
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
            _quickest(partial(ask, *one))
        found[zoom] = (time.process_time() - begun) * 1000 / ASKED / TIMES
    return found


def measure(house: House, readings: int) -> dict[str, Asked]:
    """All zooms."""
    client = Client(house)
    (zone,) = {json.loads(client.ask("/explorer/series.json?stream=s0&from=-P1D")[1])["zone"]}
    command = [sys.executable, "-m", "benchmarks.explorer", "--inside", "--readings", str(readings)]
    done = subprocess.run(command, env=house.environ, stdout=subprocess.PIPE, text=True, check=True)
    within = json.loads(done.stdout.splitlines()[-1])
    with bare.served(house, zone, STEP, POINTS) as beside:
        ask, other = bare.here(house, zone, STEP, POINTS), Client(beside)
        return {zoom: _zoom(house, beside, spans(zoom, readings), client, other, ask, within[zoom]) for zoom in ZOOMS}


def _zoom(
    house: House, beside: House, asked: Sequence[tuple[int, int, int]], client: Client, other: Client, ask: bare.Ask,
    within: float,
) -> Asked:  # fmt: skip
    ours = [f"/explorer/series.json?stream=s{s}&from={_text(a)}&to={_text(b)}&points={POINTS}" for s, a, b in asked]
    theirs = [f"/?stream={s}&start={a}&end={b}" for s, a, b in asked]
    ways: list[list[Callable[[], Any]]] = [
        [partial(client.ask, address) for address in ours],
        [partial(other.ask, address) for address in theirs],
        [partial(ask, *one) for one in asked],
    ]
    rounds = [_quickest(*three) for three in zip(*ways, strict=True)]
    took = [statistics.median(each) for each in zip(*rounds, strict=True)]
    used = []
    for way, whose in ((ways[0], house), (ways[1], beside)):
        before = whose.seconds()
        for _ in range(TIMES):
            for one in way:
                one()
        used.append(sum(whose.seconds().since(before)) * 1000 / len(asked) / TIMES)
    return Asked(*took, *used, within, max(len(client.ask(address)[1]) for address in ours))


def _quickest(*ways: Callable[[], Any]) -> list[float]:
    """Milliseconds of each way in the quickest of some rounds."""
    took: list[list[float]] = [[] for _ in ways]
    for _ in range(TIMES):
        for way, list_ in zip(ways, took, strict=True):
            begun = time.perf_counter()
            way()
            list_.append((time.perf_counter() - begun) * 1000)
    return [min(each) for each in took]


def _text(micros: int) -> str:
    return datetime.fromtimestamp(micros / 1e6, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def table(found: dict[str, Asked]) -> str:
    """Markdown."""
    columns = ("span", "median, ms", "bare SQL by HTTP", "ratio", "bare SQL by the driver", "ratio", "processor, ms",
               "bare SQL by HTTP", "ratio", "without HTTP, ms", "kB at most")  # fmt: skip
    lines = [f"| {' | '.join(columns)} |", "|---|" + "--:|" * (len(columns) - 1)]
    for zoom, one in found.items():
        lines.append(
            f"| {zoom} | {one.ours:.2f} | {one.served:.2f} | {one.ours / one.served:.1f} | {one.bare:.2f}"
            f" | {one.ours / one.bare:.1f} | {one.processor:.1f} | {one.served_processor:.1f}"
            f" | {one.processor / one.served_processor:.1f} | {one.inside:.1f} | {one.size / 1000:,.0f} |"
        )
    return "\n".join(lines)


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
        text = table(found)
        print(f"{engine}: {given.readings:,} readings, filled in {filled:.0f} s\n{text}", flush=True)
        print(json.dumps({"name": f"explorer {engine}", "zooms": {zoom: one._asdict() for zoom, one in found.items()}}))
        if given.write:
            said = f"{datetime.now(UTC):%Y-%m-%d}; {given.readings:,} readings, {EACH:,} of each stream, one client,"
            write_section(f"explorer {engine}", f"{said} {os.cpu_count()} processors.\n\n{text}")


if __name__ == "__main__":
    main()

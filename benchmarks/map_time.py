"""The map's time slider: the values of a thousand streams as they were at a time, in one question, in one process.

1,000 seeded streams of a reading each quarter of an hour, and a question for each of many times. "Answer" is what the
slider asks of the house (``/map/values.json``: rights, store, words, JSON), "store" the store's part of it. Beside it
bare SQL of the same run: the last reading at or before the time, by key, for all streams.

    python -m benchmarks map_time [--engine all|postgresql|sqlite] [--streams 1000] [--readings 1000]
"""

import argparse
import json
import logging
import os
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

from benchmarks.served.database import installed, private_database
from benchmarks.setting import open_house

SEED, RUNS = 20_261_122, 25
QUARTER = 900_000_000
BEGIN = 1_700_000_100_000_000 // QUARTER * QUARTER
SQLITE = (
    "SELECT d.id, o.phenomenon_start, o.result FROM datastream d CROSS JOIN observation o ON o.datastream = d.pk AND"
    " (o.phenomenon_start, o.disc) = (SELECT x.phenomenon_start, x.disc FROM observation x WHERE x.datastream = d.pk"
    " AND x.phenomenon_start <= ? ORDER BY x.phenomenon_start DESC, x.disc DESC LIMIT 1)"
)
POSTGRES = (
    "SELECT d.id, o.phenomenon_start, o.result_integer FROM datastream d"
    " CROSS JOIN LATERAL (SELECT * FROM observation x WHERE x.datastream = d.pk AND x.phenomenon_start <= %s"
    " ORDER BY x.phenomenon_start DESC, x.disc DESC LIMIT 1) o"
)


def fill(store: Any, streams: int, readings: int) -> None:
    """The streams, through the only way in."""
    from allmende.domain.batch import Batch
    from allmende.domain.policy import house_reader
    from allmende.domain.records import (
        Declaration,
        Position,
        Property,
        SensorDeclaration,
        Series,
        ThingDeclaration,
        Unit,
    )
    from allmende.domain.store import DatasetRecord

    chance = random.Random(SEED)
    store.put_datasets([DatasetRecord(id="counts", title={"en": "Counts"}, publisher="p", licence="CC0-1.0")])
    times = [BEGIN + number * QUARTER for number in range(readings)]
    for first in range(0, streams, 50):
        declared, series = [], []
        for number in range(first, min(first + 50, streams)):
            place = Position(round(chance.gauss(11.585, 0.03), 6), round(chance.gauss(50.927, 0.03), 6))
            thing = ThingDeclaration(id=f"counter-{number}", name=f"Counter {number}", position=place)
            declared.append(
                Declaration(
                    stream=f"counter-{number}~count", name="Count", thing=thing,
                    sensor=SensorDeclaration(id="loop", name="Loop"), unit=Unit("1", "1"), observation_type="count",
                    observed_property=Property(id="vehicles", name="Vehicles", definition="https://example.org/v"),
                )
            )  # fmt: skip
            values = [chance.randrange(500) for _ in times]
            series.append(Series(stream=f"counter-{number}~count", times=times, results=values))
        store.append(
            Batch(
                origin="bench", dataset="counts", reader=house_reader("bench"), received_at=times[-1],
                declarations=declared, series=series,
            )
        )  # fmt: skip


def milliseconds(work: Callable[[int], Any], moments: list[int]) -> float:
    """The median over the times."""
    took = []
    for moment in moments:
        begun = time.perf_counter()
        work(moment)
        took.append((time.perf_counter() - begun) * 1000)
    return statistics.median(took)


def measure(engine: str, streams: int, readings: int) -> None:
    """All of one engine in this process; the database is the one that the environment names."""
    _, store, path = open_house()
    fill(store, streams, readings)
    from django.conf import settings
    from django.test import Client
    from msgspec.structs import replace

    from allmende.domain.features import FeatureQuery
    from allmende.domain.policy import ANONYMOUS
    from allmende.domain.times import format_instant

    logging.disable(logging.INFO)  # a line for each request would be measured too
    settings.ALLOWED_HOSTS = ["*"]
    settings.ALLMENDE = replace(settings.ALLMENDE, map_things=max(2000, streams))
    chance = random.Random(SEED)
    moments = [BEGIN + chance.randrange(readings * QUARTER) for _ in range(RUNS)]
    client = Client()

    def answer(moment: int) -> bytes:
        given = client.get("/map/values.json", {"layer": "things:counts", "at": format_instant(moment)})
        if given.status_code != 200 or len(given.json()["values"]) != streams:
            raise RuntimeError(f"{given.status_code}: {given.content[:200]!r}")
        return bytes(
            client.get("/map/values.json", {"layer": "things:counts"}, headers={"accept-encoding": "gzip"}).content
        )

    def ask(moment: int) -> Any:
        query = FeatureQuery(collection="counts", reader=ANONYMOUS, things=True, at=moment, top=streams)
        return store.features(query)

    if engine == "postgresql":
        import psycopg

        connection: Any = psycopg.connect(os.environ["BENCH_ADDRESS"], autocommit=True)
        connection.execute("ANALYZE")
        sql = POSTGRES
    else:
        import sqlite3

        connection = sqlite3.connect(path, isolation_level=None)
        sql = SQLITE
    size = len(answer(moments[0]))
    bare = milliseconds(lambda moment: connection.execute(sql, (moment,)).fetchall(), moments)

    def only(moment: int) -> None:
        client.get("/map/values.json", {"layer": "things:counts", "at": format_instant(moment)})

    found = {"answer_ms": milliseconds(only, moments), "store_ms": milliseconds(ask, moments), "bare_sql_ms": bare}
    said = ", ".join(f"{name} {value:.1f}" for name, value in found.items())
    print(
        f"map time {engine}: {streams:,} streams, {streams * readings:,} readings: {said}, {size / 1000:.1f} kB packed"
    )
    print(json.dumps({"name": f"map time {engine}", "streams": streams, "readings": streams * readings, **found}))


def main() -> None:
    """Each engine in a process of its own."""
    parser = argparse.ArgumentParser(prog="benchmarks map_time", description=__doc__)
    parser.add_argument("--engine", default="all", choices=("all", "postgresql", "sqlite"))
    parser.add_argument("--streams", type=int, default=1000)
    parser.add_argument("--readings", type=int, default=1000)
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.here:
        measure(given.engine, given.streams, given.readings)
        return
    sizes = ["--streams", str(given.streams), "--readings", str(given.readings)]
    command = [sys.executable, "-m", "benchmarks.map_time", "--here", *sizes]
    if given.engine in ("all", "sqlite"):
        subprocess.run([*command, "--engine", "sqlite"], check=True)
    tools = installed()
    if given.engine in ("all", "postgresql"):
        if tools is None:
            print("PostgreSQL is not installed: left out")
            return
        with private_database(tools) as database:
            environ = {**os.environ, "ALLMENDE_DATABASE_URL": database.url, "BENCH_ADDRESS": database.address}
            subprocess.run([*command, "--engine", "postgresql"], env=environ, check=True)


if __name__ == "__main__":
    main()

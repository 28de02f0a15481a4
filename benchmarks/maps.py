"""Objects for maps: pages of features, and vector tiles, by the face over the store, in one process on one core.

40,000 seeded trees, as a city's register has them. Beside each figure stands bare SQL of the same run: for pages with
the rows joined to JSON; for tiles PostGIS's own ST_AsMVT, on SQLite the bare rows that a tile is made of.

    python -m benchmarks maps [--engine all|postgresql|sqlite] [--write]
"""

import argparse
import os
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from math import asinh, floor, pi, radians, tan
from typing import Any

import msgspec

from benchmarks.served.database import installed, private_database
from benchmarks.served.report import write_section
from benchmarks.setting import open_house, report

SEED, TREES = 20_261_122, 40_000
LON, LAT, SPREAD = 11.585, 50.927, 0.03
BOX = (11.57, 50.91, 11.6, 50.94)
RUNS, LEAST = 5, 3
ZOOMS = (8, 12, 14)
_FIELDS = "id, geometry, properties"
_KINDS = ("Acer platanoides", "Tilia cordata", "Quercus robur", "Fraxinus excelsior", "Betula pendula")


def plant(store: Any) -> None:
    """The trees, through the only way in."""
    from allmende.domain.batch import Batch
    from allmende.domain.bounds import Bounds
    from allmende.domain.feature_checks import check_features
    from allmende.domain.policy import house_reader
    from allmende.domain.records import Collection, Feature, Features
    from allmende.domain.store import DatasetRecord

    chance = random.Random(SEED)
    store.put_datasets([DatasetRecord(id="green", title={"en": "Green"}, description={}, publisher="p", licence="l",
                                      attribution="", access="open", simulated=False)])  # fmt: skip
    items = []
    for number in range(TREES):
        place = [round(chance.gauss(LON, SPREAD), 7), round(chance.gauss(LAT, SPREAD), 7)]
        said = {
            "species": chance.choice(_KINDS),
            "height": chance.randrange(60) / 2,
            "planted": chance.randrange(1900, 2026),
            "girth": chance.randrange(20, 300),
            "crown": chance.randrange(1, 20),
            "street": f"Street {number % 900}",
            "district": f"District {number % 30}",
            "vitality": number % 5,
            "protected": number % 50 == 0,
        }
        items.append(Feature(id=str(number), geometry={"type": "Point", "coordinates": place}, properties=said))
    kept, _ = check_features(Features(collection="trees", items=items), Bounds())
    now, trees = time.time_ns() // 1000, Collection(id="trees", title="Trees")
    store.append(Batch(origin="bench", dataset="green", reader=house_reader("bench"), received_at=now,
                       collections=[trees], features=[kept]))  # fmt: skip


def tile(zoom: int) -> tuple[int, int, int]:
    """Zoom, row and column of the tile in which the middle lies."""
    side = 2**zoom
    return zoom, floor((1 - asinh(tan(radians(LAT))) / pi) / 2 * side), floor((LON + 180) / 360 * side)


def asked() -> dict[str, tuple[str, str]]:
    """Path and options of each measure."""
    box = ",".join(map(str, BOX))
    found = {
        "items": ("items", "limit=1000"),
        "filtered": ("items", f"limit=1000&bbox={box}&filter=height%20%3E%2010"),
    }
    return found | {f"tile {z}": (f"tiles/WebMercatorQuad/{'/'.join(map(str, tile(z)))}", "") for z in ZOOMS}


def answers(store: Any, kept: int) -> Callable[[str, str], bytes]:
    """The face, with so many bytes for tiles that were drawn before."""
    from allmende.domain.face import FaceLimits, Request
    from allmende.domain.policy import ANONYMOUS
    from allmende.faces.ogc.drawn import Drawn
    from allmende.faces.ogc.face import answer
    from allmende.faces.ogc.layers import About

    about, drawn = About(title="", description="", language="en", datasets={}), Drawn(kept)

    def ask(path: str, query: str) -> bytes:
        request = Request(method="GET", path=f"collections/trees/{path}", query=query, root="http://city/ogc/v1",
                          reader=ANONYMOUS, now=0)  # fmt: skip
        found = answer(request, store, FaceLimits(), about, drawn)
        if found.status != 200:
            raise RuntimeError(f"{path}?{query}: {found.status}")
        return found.body  # type: ignore[union-attr]  # no page is asked for

    return ask


def bare(name: str, fetch: Callable[[str, tuple[Any, ...]], list[Any]], postgres: bool) -> Callable[[], bytes]:
    """The same by SQL alone."""
    mark = "%s" if postgres else "?"
    inside = (
        f"box(point(west, south), point(east, north)) && box(point({mark}, {mark}), point({mark}, {mark}))"
        if postgres
        else "pk IN (SELECT pk FROM item_box x WHERE x.west <= ? AND x.east >= ? AND x.south <= ? AND x.north >= ?)"
    )

    def sides(box: tuple[float, float, float, float]) -> tuple[float, ...]:
        return box if postgres else (box[2], box[0], box[3], box[1])

    def joined(rows: list[Any]) -> bytes:
        made = [{"type": "Feature", "id": i, "geometry": msgspec.Raw(g.encode()), "properties": msgspec.Raw(p.encode())}
                for i, g, p in rows]  # fmt: skip
        return msgspec.json.encode({"type": "FeatureCollection", "features": made})

    if name == "items":
        sql = f"SELECT {_FIELDS} FROM item WHERE collection = (SELECT pk FROM collection) ORDER BY id LIMIT 1000"
        return lambda: joined(fetch(sql, ()))
    if name == "filtered":
        height = "(properties::jsonb ->> 'height')::float" if postgres else "json_extract(properties, '$.height')"
        sql = f"SELECT {_FIELDS} FROM item WHERE {inside} AND {height} > 10 ORDER BY id LIMIT 1000"
        return lambda: joined(fetch(sql, sides(BOX)))
    from allmende.faces.ogc.tiles import _box

    zoom, row, column = tile(int(name.removeprefix("tile ")))
    box = sides(_box(zoom, row, column, 64))
    if not postgres:
        sql = f"SELECT {_FIELDS} FROM item WHERE {inside} ORDER BY id LIMIT 10000"
        return lambda: b"".join(p.encode() for _, _, p in fetch(sql, box))
    sql = (
        "SELECT ST_AsMVT(q, 'trees') FROM (SELECT id, properties::jsonb AS p, ST_AsMVTGeom(ST_Transform(ST_SetSRID("
        f"ST_MakePoint(west, south), 4326), 3857), ST_TileEnvelope({zoom}, {column}, {row}), 4096, 64) AS geom"
        f" FROM item WHERE {inside} ORDER BY id LIMIT 10000) q"
    )
    return lambda: bytes(fetch(sql, box)[0][0])


def per_second(work: Callable[[], Any]) -> float:
    """Times a second of this process and, where it waits for one, of the database."""
    done, begun = 0, time.perf_counter()
    while done < LEAST or time.perf_counter() - begun < 0.3:
        work()
        done += 1
    return done / (time.perf_counter() - begun)


def measure(engine: str) -> dict[str, Any]:
    """All of one engine in this process; the database is the one that the environment names."""
    _, store, path = open_house()
    plant(store)
    postgres = engine == "postgresql"
    if postgres:
        import psycopg

        connection: Any = psycopg.connect(os.environ["BENCH_ADDRESS"], autocommit=True)
        connection.execute("ANALYZE")
    else:
        import sqlite3

        connection = sqlite3.connect(path, isolation_level=None)
    found = {}
    ask, kept = answers(store, 0), answers(store, 64_000_000)
    for name, question in asked().items():
        raw = bare(name, lambda sql, values: connection.execute(sql, values).fetchall(), postgres)
        ours, beside, again = [], [], []
        for _ in range(RUNS):
            ours.append(per_second(partial(ask, *question)))
            beside.append(per_second(raw))
            again.append(per_second(partial(kept, *question)))
        sizes = {"bytes": len(ask(*question)), "bare_bytes": len(raw())}
        report(f"maps {engine} {name}", ours, beside, "/s", kept=statistics.median(again), **sizes)
        ratio = statistics.median(a / b for a, b in zip(ours, beside, strict=True))
        found[name] = (statistics.median(ours), statistics.median(beside), ratio, statistics.median(again), sizes)
    return found


TITLES = {
    "items": "a page of 1,000 features",
    "filtered": "a page of 1,000 in a box, with `height > 10`",
    **{f"tile {z}": f"a tile at zoom {z}" for z in ZOOMS},
}


def table(found: dict[str, Any]) -> str:
    """Markdown."""
    lines = [
        "| measure | a second | bare SQL | ratio | kB | as it was drawn before, a second |",
        "|---|--:|--:|--:|--:|--:|",
    ]
    for name, (ours, raw, ratio, again, sizes) in found.items():
        kept = f"{again:,.0f}" if name.startswith("tile") else ""
        size = sizes["bytes"] / 1000
        lines.append(f"| {TITLES[name]} | {ours:,.1f} | {raw:,.1f} | {ratio:.2f} | {size:,.0f} | {kept} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(prog="benchmarks maps", description=__doc__)
    parser.add_argument("--engine", default="all", choices=("all", "postgresql", "sqlite"))
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.here:
        found = measure(given.engine)
        print(table(found))
        if given.write:
            said = f"{datetime.now(UTC):%Y-%m-%d}; {TREES:,} points, one client."
            write_section(f"maps {given.engine}", f"{said}\n\n{table(found)}")
        return
    command = [sys.executable, "-m", "benchmarks.maps", "--here", *(["--write"] if given.write else [])]
    if given.engine in ("all", "sqlite"):
        subprocess.run([*command, "--engine", "sqlite"], check=True)
    tools = installed()
    if given.engine in ("all", "postgresql"):
        if tools is None:
            print("PostgreSQL is not installed: left out")
            return
        with private_database(tools) as database:
            with database.connect() as connection:
                connection.execute("CREATE EXTENSION postgis")
            environ = {**os.environ, "ALLMENDE_DATABASE_URL": database.url, "BENCH_ADDRESS": database.address}
            subprocess.run([*command, "--engine", "postgresql"], env=environ, check=True)


if __name__ == "__main__":
    main()

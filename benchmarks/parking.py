"""Parking guidance: two hundred car parks for a year, a value each five minutes, beside ten for a day.

``python -m benchmarks parking [--engine all|postgresql|sqlite] [--days 365] [--write]``. One client asks each page and
feed again and again; the figures are medians, and the processor time that one question took, of web server and database
together. What lists all car parks (the board, the feeds) is told for each car park, too: they are twenty times as many.
"""

import argparse
import json
import random
import statistics
import sys
import time

from benchmarks.growth import Asked, Client
from benchmarks.served.fill import MINUTE, SENSOR
from benchmarks.served.house import House, engines, open_house
from benchmarks.served.report import write_section

SMALL = (10, 1)
PARKS, DAYS = 200, 365
STEP = 5 * MINUTE
PIECE = 50_000
ASKED, WARM = 60, 5
EACH = {
    "a car park's page": "/parking/p{n}/",
    "its value alone": "/parking/p{n}/now",
    "its week as JSON": "/parking/p{n}/history.json?range=week",
}
"""Of one car park."""
ALL = {
    "the board": "/parking/",
    "the board as JSON": "/parking/board.json",
    "the map's car parks": "/parking/map.json",
    "ParkAPI": "/parking/api/public/v3/parking-sites",
    "DATEX II status": "/parking/api/datex2/v3/status.xml",
}
"""Of all car parks."""


def fill(parks: int, days: int) -> None:
    """Car parks that are counted up to this moment; in the house that the environment names."""
    from allmende.domain.batch import Batch
    from allmende.domain.policy import house_reader
    from allmende.domain.records import Declaration, Position, Property, Series, ThingDeclaration, Unit
    from allmende.web.parts import open_django

    open_django()
    from django.db import connection

    from allmende.web.house import open_store

    store, number = open_store(), days * 1_440 * MINUTE // STEP
    end = time.time_ns() // 1000 // STEP * STEP
    free = Property(id="free-parking-spaces", name="Free spaces", definition="http://example.org/free-parking-spaces")
    for park in range(parks):
        chance, now, results = random.Random(park), 150, []
        for _ in range(number):
            now = min(300, max(0, now + chance.randint(-5, 5)))
            results.append(now)
        times = [end - (number - 1 - place) * STEP for place in range(number)]
        place = Position(-12.0 + park % 20 * 0.001, 38.0 + park // 20 * 0.001)
        declared = Declaration(
            stream=f"p{park}~free", name=f"Car park {park}: free", observed_property=free, unit=Unit("1", "1"),
            sensor=SENSOR, observation_type="count",
            thing=ThingDeclaration(
                id=f"p{park}", name=f"Car park {park}", position=place,
                properties={"kind": "car-park", "capacity": 300},
            ),
        )  # fmt: skip
        for first in range(0, number, PIECE):
            piece = slice(first, first + PIECE)
            series = Series(stream=declared.stream, times=times[piece], results=results[piece])
            store.append(
                Batch(origin="bench", dataset="parking-guidance", reader=house_reader("bench"), received_at=end,
                      declarations=[declared], series=[series])
            )  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE" if connection.vendor == "sqlite" else "VACUUM ANALYZE")


def ask_all(house: House, parks: int) -> dict[str, Asked]:
    """What each page takes."""
    client, chance, found = Client(house), random.Random(42), {}
    for name, address in {**EACH, **ALL}.items():

        def target(address: str = address) -> str:
            return address.format(n=chance.randrange(parks))

        for _ in range(WARM):
            client.ask(target())
        before = house.seconds()
        took = [client.ask(target())[0] for _ in range(ASKED)]
        used = house.seconds().since(before)
        found[name] = Asked(statistics.median(took), sum(used) * 1000 / ASKED)
    return found


def table(found: dict[tuple[int, int], dict[str, Asked]]) -> str:
    """Markdown: medians (and processor times) of both, and how many times the smaller's the larger's are."""
    (small, less), (large, more) = found.items()
    said = [f"{parks} car parks, {days} day{'s' if days > 1 else ''}" for parks, days in (small, large)]
    lines = [f"| median (processor), ms | {said[0]} | {said[1]} | times | a car park |", "|---|--:|--:|--:|--:|"]
    for name in less:
        one, other = less[name], more[name]
        cells = f"{one.median:.1f} ({one.processor:.1f}) | {other.median:.1f} ({other.processor:.1f})"
        times = other.median / one.median
        share = f"{times * small[0] / large[0]:.2f}" if name in ALL else ""
        lines.append(f"| {name} | {cells} | {times:.2f} | {share} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(prog="benchmarks parking", description=__doc__)
    parser.add_argument("--engine", default="all", choices=("all", "postgresql", "sqlite"))
    parser.add_argument("--parks", type=int, default=PARKS)
    parser.add_argument("--days", type=int, default=DAYS)
    parser.add_argument("--fill", nargs=2, type=int, help=argparse.SUPPRESS)
    parser.add_argument("--write", action="store_true")
    asked = parser.parse_args()
    if asked.fill:
        fill(*asked.fill)
        return
    for engine in engines(asked.engine):
        found = {}
        for parks, days in (SMALL, (asked.parks, asked.days)):
            begun = time.perf_counter()
            before = ("-m", "benchmarks.parking", "--fill", str(parks), str(days))
            with open_house(engine, before=before) as house:
                filled = time.perf_counter() - begun
                found[parks, days] = ask_all(house, parks)
            print(f"{engine}, {parks} car parks, {days} days: filled in {filled:.0f} s", flush=True)
        text = table(found)
        print(text)
        print(json.dumps({"name": f"parking {engine}", "medians": {str(key): value for key, value in found.items()}}))
        if asked.write:
            write_section(f"parking {engine}", text)


if __name__ == "__main__":
    sys.exit(main())

"""Parking guidance: two hundred car parks for a year, a value each five minutes, beside ten for a day.

``python -m benchmarks parking [--engine all|postgresql|sqlite] [--parks 200] [--days 365] [--keep FOLDER] [--fill]
[--write]``. The year is 21 million readings. ``--keep`` leaves both houses in a folder and goes on with them the next
time; with ``--fill`` they are filled there and nothing is asked.

One client asks each page, feed and API for itself, compressed as browsers and programs have it. *Again*: the same
question time after time, as many ask it in the same moment. *After a change*: before each question a new reading of a
car park has come in, and nothing that was made before holds; what tells of one car park is asked of another each time.
"""

import argparse
import http.client
import json
import os
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from benchmarks.served.car_parks import SPACES
from benchmarks.served.house import House, engines, open_house
from benchmarks.served.report import write_section

SMALL = (10, 1)
PARKS, DAYS = 200, 365
AGAIN, CHANGED, WARM = 100, 25, 3
EACH = {
    "a car park's page": "/parking/p{n}/",
    "its value alone": "/parking/p{n}/now",
    "its week as JSON": "/parking/p{n}/history.json?range=week",
    "its last day as CSV": "/parking/api/sites/p{n}/history.csv?width=900&from={day}",
    "its last day in the explorer": "/explorer/series.json?stream=p{n}~free&from=-P1D",
    "its latest value by SensorThings": "/sta/v1.1/Datastreams('p{n}~free')/Observations?$top=1"
    "&$orderby=phenomenonTime%20desc",
    "it alone by ParkAPI": "/parking/api/public/v3/parking-sites/{number}",
}  # fmt: skip
"""Of one car park."""
ALL = {
    "the board": "/parking/",
    "the board's list alone": "/parking/board",
    "the board as JSON": "/parking/board.json",
    "the board with a question": "/parking/board.json?in=30&stay=120",
    "free on arrival, of all": "/parking/arrival/arrival.json",
    "the map's car parks": "/parking/map.json",
    "ParkAPI": "/parking/api/public/v3/parking-sites",
    "DATEX II status": "/parking/api/datex2/v3/status.xml",
    "DATEX II table": "/parking/api/datex2/v3/table.xml",
    "all sites as CSV": "/parking/api/sites.csv",
    "OGC API Features": "/ogc/v1/collections/things:parking-guidance/items?f=json&limit=200",
}
"""Of all car parks: twenty times as much is told."""


class Asked(NamedTuple):
    """Milliseconds of a question, and the bytes of its answer on the wire."""

    median: float
    late: float
    """No more than one of twenty took longer."""
    changed: float
    """The median of those after a change."""
    size: int


class Client:
    """One connection that asks for compressed answers."""

    def __init__(self, house: House) -> None:
        self._connection = http.client.HTTPConnection(urlsplit(house.url).netloc, timeout=60)

    def ask(self, target: str) -> tuple[float, int]:
        """Milliseconds, and bytes."""
        begun = time.perf_counter()
        self._connection.request("GET", target, headers={"Accept-Encoding": "gzip", "Accept-Language": "de"})
        response = self._connection.getresponse()
        body = response.read()
        took = (time.perf_counter() - begun) * 1000
        if response.status != 200:
            raise RuntimeError(f"{target}: {response.status} {body[:300]!r}")
        return took, len(body)


class Teller:
    """A process that puts in a new reading whenever it is told to."""

    def __init__(self, house: House, parks: int, days: int) -> None:
        command = [sys.executable, "-m", "benchmarks.served.car_parks", str(parks), str(days), "--tell"]
        self._process = subprocess.Popen(
            command, env=house.environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def change(self) -> None:
        """Returns when it is committed."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        self._process.stdout.readline()

    def close(self) -> None:
        """End it."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(30)


def ask_all(house: House, parks: int, days: int) -> dict[str, Asked]:
    """What each page takes."""
    from allmende.city.parking.feeds.versions import number_of

    client, teller, found = Client(house), Teller(house, parks, days), {}
    teller.change()  # it is there when it answers
    for name, address in {**EACH, **ALL}.items():
        chance = random.Random(42)
        day = time.strftime("%Y-%m-%dT%H:00:00Z", time.gmtime(time.time() - 86_400))

        def target(address: str = address, chance: random.Random = chance, day: str = day) -> str:
            n = chance.randrange(parks)
            return address.format(n=n, number=number_of(f"p{n}"), day=day)

        found[name] = _asked(client, target, target(), teller.change)
    teller.close()
    return found


def _asked(client: Client, target: Callable[[], str], same: str, change: Callable[[], None]) -> Asked:
    for _ in range(WARM):
        client.ask(target())
    changed = []
    for _ in range(CHANGED):
        change()
        changed.append(client.ask(target())[0])
    again = [client.ask(same) for _ in range(AGAIN)]
    took = sorted(each[0] for each in again)
    size = round(statistics.median(each[1] for each in again))
    return Asked(statistics.median(took), took[len(took) * 95 // 100], statistics.median(changed), size)


def table(found: dict[tuple[int, int], dict[str, Asked]]) -> str:
    """Markdown: medians (and the twentieth that is slowest) of both, how many times the smaller's the larger's are, the
    same after a change, and sizes."""
    (small, less), (large, more) = found.items()
    one, other = (f"{parks} × {days} d" for parks, days in (small, large))
    head = ("ms (95 %)", f"again: {one}", other, "times", f"after a change: {one}", other, "times", f"kB: {one}", other)
    lines = [f"| {' | '.join(head)} |", "|---" + "|--:" * (len(head) - 1) + "|"]
    for title, names in (("**of one car park**", EACH), ("**of all car parks**", ALL)):
        lines.append(f"| {title} |" + " |" * 8)
        for name in names:
            a, b = less[name], more[name]
            lines.append(
                f"| {name} | {a.median:.1f} ({a.late:.1f}) | {b.median:.1f} ({b.late:.1f}) | {b.median / a.median:.2f}"
                f" | {a.changed:.1f} | {b.changed:.1f} | {b.changed / a.changed:.2f}"
                f" | {a.size / 1000:.1f} | {b.size / 1000:.1f} |"
            )
    return "\n".join(lines)


def said(engine: str, parks: int, days: int) -> str:
    """What was measured, where."""
    return (
        f"{time.strftime('%Y-%m-%d', time.gmtime())}, {os.cpu_count()} cores, client and database included; {engine}; "
        f"{parks * days * 288:,} readings of {parks} car parks of {SPACES} spaces; the machine's load over the last "
        f"minute {os.getloadavg()[0]:.1f}."
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="benchmarks parking", description=__doc__)
    parser.add_argument("--engine", default="all", choices=("all", "postgresql", "sqlite"))
    parser.add_argument("--parks", type=int, default=PARKS)
    parser.add_argument("--days", type=int, default=DAYS)
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--fill", action="store_true")
    parser.add_argument("--write", action="store_true")
    asked = parser.parse_args()
    for engine in engines(asked.engine):
        found = {}
        for parks, days in (SMALL, (asked.parks, asked.days)):
            begun = time.perf_counter()
            before = ("-m", "benchmarks.served.car_parks", str(parks), str(days))
            keep = asked.keep and asked.keep.absolute() / f"{engine}-{parks}-{days}"
            with open_house(engine, before=before, keep=keep) as house:
                filled = time.perf_counter() - begun
                if not asked.fill:
                    found[parks, days] = ask_all(house, parks, days)
            print(f"{engine}, {parks} car parks, {days} days: filled in {filled:.0f} s", flush=True)
        if not asked.fill:
            text = f"{said(engine, asked.parks, asked.days)}\n\n{table(found)}"
            print(text)
            print(json.dumps({"name": f"parking {engine}", "medians": {str(key): each for key, each in found.items()}}))
            if asked.write:
                write_section(f"parking {engine}", text)


if __name__ == "__main__":
    sys.exit(main())

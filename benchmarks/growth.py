"""What growth costs: the same questions with 100,000, 1 million and 10 million observations kept.

``python -m benchmarks growth [--engine all|postgresql|sqlite] [--most 1000000] [--write]``. A question is asked by one
client at a time; its figures are the median of many, over streams and places in them picked by chance (seeded), and
the processor time that one of them took, which says the same where the machine is busy with other things.
"""

import argparse
import http.client
import json
import random
import statistics
import time
from datetime import UTC, datetime
from typing import NamedTuple
from urllib.parse import quote, urlsplit

from benchmarks.served.fill import END, MINUTE
from benchmarks.served.house import House, engines, open_house
from benchmarks.served.load import Load
from benchmarks.served.report import machine, write_section

SIZES = (100_000, 1_000_000, 10_000_000)
THINGS, EACH = 100, 5
ASKED = 400
WARM = 100
TITLES = {
    "latest": "the latest of a stream",
    "all latest": "the latest of 500 streams (`Datastreams?$expand=Observations($top=1)`)",
    "between": "100 between two times",
    "page": "a page of 100 from the start",
    "deep": "a page of 100 at the far end, by its link",
}


class Client:
    """One connection that asks."""

    def __init__(self, house: House) -> None:
        self._connection = http.client.HTTPConnection(urlsplit(house.url).netloc, timeout=60)

    def ask(self, target: str) -> tuple[float, bytes]:
        """Milliseconds, and the body."""
        begun = time.perf_counter()
        self._connection.request("GET", target)
        response = self._connection.getresponse()
        body = response.read()
        took = (time.perf_counter() - begun) * 1000
        if response.status != 200:
            raise RuntimeError(f"{target}: {response.status} {body[:300]!r}")
        return took, body


class Asked(NamedTuple):
    """Milliseconds of a kind of question."""

    median: float
    processor: float
    """Of web server and database together, a question."""


def ask_all(house: House, observations: int) -> dict[str, Asked]:
    """What each kind of question takes."""
    client, chance, found = Client(house), random.Random(42), {}
    for name in TITLES:
        number = ASKED // 8 if name == "all latest" else ASKED
        warm = WARM // 8 if name == "all latest" else WARM
        for _ in range(warm):
            client.ask(_target(name, chance, observations))
        before = house.seconds()
        took = [client.ask(_target(name, chance, observations))[0] for _ in range(number)]
        used = house.seconds().since(before)
        found[name] = Asked(statistics.median(took), sum(used) * 1000 / number)
    return found


def _target(name: str, chance: random.Random, observations: int) -> str:
    root, length = "/sta/v1.1/", observations // THINGS
    stream = f"{root}Datastreams('{chance.randint(1, THINGS)}~p0')/Observations"
    if name == "latest":
        return f"{stream}?$top=1&$orderby=phenomenonTime%20desc"
    if name == "all latest":
        inner = quote("Observations($top=1;$orderby=phenomenonTime desc)")
        return f"{root}Datastreams?$top=500&$select=name&$expand={inner}"
    if name == "between":
        start = END - chance.randint(100, length) * MINUTE
        span = f"phenomenonTime ge {_text(start)} and phenomenonTime lt {_text(start + 100 * MINUTE)}"
        return f"{stream}?$filter={quote(span)}&$orderby=phenomenonTime"
    if name == "page":
        return f"{stream}?$top=100"
    # The link of the page before holds the sort key of its last entity: time and distinguishing number.
    from allmende.faces.sensorthings.options import make_token

    return f"{stream}?$top=100&$skiptoken={make_token((END - chance.randint(101, 110) * MINUTE, 0))}"


def _text(micros: int) -> str:
    return datetime.fromtimestamp(micros / 1e6, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def table(found: dict[int, dict[str, Asked]]) -> str:
    """Markdown: medians (and processor times) by size, and how many times those of the smallest size they become."""
    sizes = list(found)
    lines = [
        "| median (processor), ms | " + " | ".join(f"{size:,}" for size in sizes) + " | times |",
        "|---|" + "--:|" * (len(sizes) + 1),
    ]
    for name, title in TITLES.items():
        row = [found[size][name] for size in sizes]
        cells = " | ".join(f"{one.median:.2f} ({one.processor:.2f})" for one in row)
        times, used = (max(one[place] for one in row) / row[0][place] for place in (0, 1))
        lines.append(f"| {title} | {cells} | {times:.2f} ({used:.2f}) |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(prog="benchmarks growth", description=__doc__)
    parser.add_argument("--engine", default="all", choices=("all", "postgresql", "sqlite"))
    parser.add_argument("--least", type=int, default=SIZES[0])
    parser.add_argument("--most", type=int, default=1_000_000)
    parser.add_argument("--write", action="store_true")
    asked = parser.parse_args()
    for engine in engines(asked.engine):
        found = {}
        for size in (s for s in SIZES if asked.least <= s <= asked.most):
            before = ("-m", "benchmarks.served.fill", str(THINGS), str(EACH), str(size))
            begun = time.perf_counter()
            with open_house(engine, before=before, ALLMENDE_PAGE_SIZE_MAX="1000") as house:
                filled = time.perf_counter() - begun
                found[size] = ask_all(house, size)
            print(f"{engine}, {size:,}: filled in {filled:.0f} s, {found[size]}", flush=True)
        text = table(found)
        print(text)
        print(json.dumps({"name": f"growth {engine}", "medians": found}))
        if asked.write:
            load = Load(connections=1, seconds=0, things=THINGS, each=EACH)
            write_section(f"growth {engine}", f"{machine(max(found), load)}\n\n{text}")


if __name__ == "__main__":
    main()

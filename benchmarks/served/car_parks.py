"""Fill a house with car parks that are counted each five minutes up to this moment, and forecast for three hours.

``python -m benchmarks.served.car_parks PARKS DAYS [--tell]``. What is there already stays: it goes on where that ended,
so that a house that was kept is up to date again in seconds. Everything comes the only way in: :meth:`Store.append`.
With ``--tell`` each line that comes to it afterwards is a new reading of one car park, and is answered with a line.
"""

import random
import sys
import time
from collections.abc import Iterator

from allmende.domain.batch import Batch
from allmende.domain.forecasts import LOWER, SUFFIX, UPPER, least_suffix
from allmende.domain.policy import house_reader
from allmende.domain.records import Declaration, Position, Property, Series, ThingDeclaration, Unit
from allmende.domain.store import Store
from benchmarks.served.fill import MINUTE, SENSOR

STEP = 5 * MINUTE
SPACES = 300
SOURCE = "bench"
DATASET = "parking-guidance"
PIECE = 14 * 288
"""Steps of all car parks that are committed together: in this order they would have come in."""
AHEAD = 12
"""Steps of a forecast, a quarter of an hour each."""
FREE = Property(id="free-parking-spaces", name="Free spaces", definition="http://example.org/free-parking-spaces")


def declared(park: int) -> Declaration:
    """The stream of a car park, and the car park."""
    return Declaration(
        stream=f"p{park}~free", name=f"Car park {park}: free", observed_property=FREE, unit=Unit("1", "1"),
        sensor=SENSOR, observation_type="count",
        properties={"source": SOURCE, "dataset": DATASET},
        thing=ThingDeclaration(
            id=f"p{park}", name=f"Car park {park}",
            position=Position(-12.0 + park % 20 * 0.001, 38.0 + park // 20 * 0.001),
            properties={"kind": "car-park", "capacity": SPACES, "opening_hours": "Mo-Su 05:00-24:00"},
        ),
    )  # fmt: skip


def walk(park: int, first: int, count: int) -> list[int]:
    """Free spaces at ``count`` steps from the ``first`` of all time on; always the same."""
    chance, now, found = random.Random(f"{park}/{first}"), SPACES // 2, []
    for _ in range(count):
        now = min(SPACES, max(0, now + chance.randint(-5, 5)))
        found.append(now)
    return found


def pieces(begin: int, end: int) -> Iterator[tuple[int, int]]:
    """First step and number of steps, from ``begin`` to before ``end``."""
    for first in range(begin, end, PIECE):
        yield first, min(PIECE, end - first)


def fill(store: Store, parks: int, days: int, now: int) -> int:
    """Readings up to ``now``, in microseconds; gives how many came in."""
    end = now // STEP + 1
    known = [each.start // STEP + 1 for each in store.latest(house_reader(SOURCE)) if each.stream == "p0~free"]
    begin, came = known[0] if known else end - days * 288, 0
    for first, count in pieces(begin, end):
        times = [(first + place) * STEP for place in range(count)]
        series = [Series(stream=f"p{n}~free", times=times, results=walk(n, first, count)) for n in range(parks)]
        store.append(_batch(SOURCE, now, [declared(park) for park in range(parks)], series))
        came += count * parks
    return came


def forecast(store: Store, parks: int, now: int) -> None:
    """A run for each car park, in the streams that :mod:`allmende.knowledge.forecasts.keeping` describes."""
    issued = now // STEP * STEP
    times = [issued + (place + 1) * 3 * STEP for place in range(AHEAD)]
    said = {"forecast": True, "forecast_name": "bench", "dataset": DATASET, "interval": 0.8, "method": "typical-week"}
    declarations, series = [], []
    for park in range(parks):
        stream = f"p{park}~free"
        values = {SUFFIX: 150.0, LOWER: 120.0, UPPER: 180.0, least_suffix(1): 0.99, least_suffix(5): 0.98}
        for suffix, value in values.items():
            declarations.append(
                Declaration(
                    stream=f"{stream}{suffix}", name=f"Car park {park}{suffix}", sensor=SENSOR, unit=Unit("1", "1"),
                    observed_property=Property(
                        id=f"{FREE.id}{suffix.replace('~', '-')}", name="Free spaces, forecast",
                        definition=f"http://example.org/free-parking-spaces{suffix}",
                    ),
                    thing=ThingDeclaration(id=f"p{park}", name="", kept=True),
                    properties={**said, "forecast_of": stream},
                )
            )  # fmt: skip
            series.append(Series(stream=f"{stream}{suffix}", times=times, results=[value] * AHEAD, run=issued))
    store.append(_batch("forecast/bench", issued, declarations, series))


def tell(store: Store, parks: int) -> None:
    """For each line of the standard input one new reading, each time of another car park."""
    for number, _line in enumerate(sys.stdin):
        park, now = number * 7 % parks, time.time_ns() // 1000
        series = Series(stream=f"p{park}~free", times=[now], results=[number % SPACES])
        store.append(_batch(SOURCE, now, [declared(park)], [series]))
        print(park, flush=True)


def _batch(origin: str, at: int, declarations: list[Declaration], series: list[Series]) -> Batch:
    return Batch(
        origin=origin, dataset=DATASET, reader=house_reader(SOURCE), received_at=at, declarations=declarations,
        series=series,
    )  # fmt: skip


def main() -> None:
    parks, days = map(int, sys.argv[1:3])
    from allmende.web.parts import open_django

    open_django()
    from django.db import connection

    from allmende.web.house import open_store

    begun, now, store = time.perf_counter(), time.time_ns() // 1000, open_store()
    came = fill(store, parks, days, now)
    forecast(store, parks, now)
    if came > 100_000:
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE" if connection.vendor == "sqlite" else "VACUUM ANALYZE")
    print(f"{came:,} readings of {parks} car parks in {time.perf_counter() - begun:.0f} s", file=sys.stderr)
    if "--tell" in sys.argv[3:]:
        tell(store, parks)


if __name__ == "__main__":
    main()

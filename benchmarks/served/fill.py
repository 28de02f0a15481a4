"""Fill a house with a town of streams, always the same: ``python -m benchmarks.served.fill THINGS EACH OBSERVATIONS``.

``THINGS`` things stand at places of their own with ``EACH`` streams each; the observations go to the first stream of
each thing, one a minute, so that more of them means a longer past. They come the only way in: :meth:`Store.append`.
"""

import random
import sys
import time

from allmende.domain.batch import Batch
from allmende.domain.policy import COMMONS, house_reader
from allmende.domain.records import Declaration, Position, Property, SensorDeclaration, Series, ThingDeclaration, Unit
from allmende.domain.store import Store

SOURCE = "bench"
MINUTE = 60_000_000
END = 1_735_689_600_000_000
"""The last observation: 2025-01-01."""
PIECE = 50_000
SENSOR = SensorDeclaration(id="meter", name="Meter")
UNIT = Unit("degree Celsius", "Cel", "http://qudt.org/vocab/unit/DEG_C")


def stream_name(thing: int, place: int) -> str:
    """The id of a thing's stream; both count from 0, ids from 1."""
    return f"{thing + 1}~p{place}"


def declarations(things: int, each: int) -> list[Declaration]:
    """The streams of the town."""
    chance = random.Random(42)
    positions = [Position(11.5 + chance.random() / 5, 50.85 + chance.random() / 8) for _ in range(things)]
    return [
        Declaration(
            stream=stream_name(thing, place),
            name=f"Property {place} at {thing + 1}",
            description="A made stream, for measuring",
            thing=ThingDeclaration(
                id=str(thing + 1),
                name=f"Thing {thing + 1}",
                description="A made thing, for measuring",
                properties={"zone": thing % 7, "street": f"Street {thing % 31}"},
                position=positions[thing],
            ),
            sensor=SENSOR,
            observed_property=Property(
                id=f"p{place}", name=f"Property {place}", definition="http://example.org/property"
            ),
            unit=UNIT,
        )
        for thing in range(things)
        for place in range(each)
    ]


def series(thing: int, first: int, count: int, length: int) -> Series:
    """``count`` readings of a thing's first stream from the ``first`` on, of ``length`` in all."""
    chance = random.Random(f"{thing}/{first}")
    start = END - (length - 1 - first) * MINUTE
    results = [round(chance.gauss(15, 8), 2) for _ in range(count)]
    return Series(stream=stream_name(thing, 0), times=[start + n * MINUTE for n in range(count)], results=results)


def fill(store: Store, things: int, each: int, observations: int) -> None:
    """Declare the streams and append the observations."""
    length = observations // things
    _append(store, declarations(things, each), [])
    piece = min(length, PIECE)
    for first in range(0, length, piece):
        count = min(piece, length - first)
        together = max(1, PIECE // count)
        for thing in range(0, things, together):
            part = range(thing, min(thing + together, things))
            _append(
                store,
                [declaration(things, each, t) for t in part],
                [series(t, first, count, length) for t in part],
            )


def declaration(things: int, each: int, thing: int) -> Declaration:
    """What the first stream of a thing is."""
    if (things, each) not in _DECLARED:
        _DECLARED[things, each] = declarations(things, each)
    return _DECLARED[things, each][thing * each]


_DECLARED: dict[tuple[int, int], list[Declaration]] = {}


def _append(store: Store, declared: list[Declaration], readings: list[Series]) -> None:
    store.append(
        Batch(
            origin=SOURCE,
            dataset=COMMONS,
            reader=house_reader(SOURCE),
            received_at=END,
            declarations=declared,
            series=readings,
        )
    )


def main() -> None:
    things, each, observations = map(int, sys.argv[1:4])
    from allmende.web.parts import open_django

    open_django()
    from django.db import connection

    from allmende.web.house import open_store

    begun = time.perf_counter()
    fill(open_store(), things, each, observations)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE" if connection.vendor == "sqlite" else "VACUUM ANALYZE")
    print(f"{observations:,} observations in {time.perf_counter() - begun:.1f} s")


if __name__ == "__main__":
    main()

"""Streams for the tests of analyses: as sources declare them, captured ones among them."""

import csv
import gzip
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from allmende.domain.batch import Batch
from allmende.domain.records import Declaration, Property, SensorDeclaration, Series, ThingDeclaration, Unit
from allmende.domain.spans import Head
from allmende.domain.store import Store
from allmende.domain.times import from_datetime, parse_instant
from allmende.knowledge.analyses.values import Span, find_stream
from tests.support import HOUSE, captured

ZONE = "Europe/Berlin"
BERLIN = ZoneInfo(ZONE)
NOW = parse_instant("2026-06-01T00:00:00Z")


def keep(
    store: Store,
    stream: str,
    readings: Mapping[int, Any] | Iterable[tuple[int, Any]],
    *,
    flags: list[str] | None = None,
    unit: str = "1",
    dataset: str = "parking",
    origin: str = "feed",
    properties: Mapping[str, Any] | None = None,
) -> Head:
    """Readings as a source sends them; gives the stream as analyses see it."""
    pairs = list(readings.items() if isinstance(readings, Mapping) else readings)
    thing = stream.split("~", maxsplit=1)[0]
    declared = Declaration(
        stream=stream,
        name=stream,
        thing=ThingDeclaration(id=thing, name=thing),
        sensor=SensorDeclaration(id=f"probe-{dataset}", name="Probe"),
        observed_property=Property(id="level", name="level", definition="https://example.org/level"),
        unit=Unit(unit, unit),
        observation_type="any",
        properties={"source": origin, **(properties or {})},
    )
    series = Series(stream=stream, times=[at for at, _ in pairs], results=[value for _, value in pairs], flags=flags)
    store.append(
        Batch(origin=origin, dataset=dataset, reader=HOUSE, received_at=NOW, declarations=[declared], series=[series])
    )
    return find_stream(store, HOUSE, stream, simulated=True)


def at(text: str) -> int:
    """Microseconds of a time on Berlin's wall, e.g. ``2025-03-30 01:00``."""
    return from_datetime(datetime.fromisoformat(text).replace(tzinfo=BERLIN))


def span(first: str, last: str) -> Span:
    """Days, both included."""
    return Span(date.fromisoformat(first), date.fromisoformat(last))


@cache
def weather(column: str) -> dict[int, float]:
    """19 months of hours from Jena's observatory, in UTC."""
    with captured("weather", "jena_sternwarte_hourly_2022-10_2024-04.csv").open(encoding="utf-8") as lines:
        return {
            parse_instant(row["Date_time"].replace(" ", "T") + "Z"): float(row[column])
            for row in csv.DictReader(lines)
            if row[column]
        }


@cache
def car_park(name: str) -> list[tuple[int, int]]:
    """Half a year of free spaces of one of Jena's car parks, as it was recorded: changes alone."""
    path = captured("parking", "jena_free_2023-11-07_2024-04-30.csv.gz")
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        rows = csv.reader(lines)
        next(rows)
        return [(parse_instant(moment), int(free)) for moment, place, free in rows if place == name]


def bicycles(station: str, months: Iterable[int]) -> list[tuple[datetime, int]]:
    """Quarters of an hour of one of Münster's counters on Berlin's wall, without those that say nothing."""
    found = []
    for month in months:
        with captured("mobility", "muenster_bicycle_counts", station, f"2025-{month:02}.csv").open("r") as lines:
            rows = csv.reader(lines)
            next(rows)
            found += [(datetime.fromisoformat(row[0]), int(row[1])) for row in rows if row[1]]
    return found

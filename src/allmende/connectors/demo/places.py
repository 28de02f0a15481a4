"""What is simulated: the car parks of the table, with the capacity that its figures are a share of."""

import csv
import io
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

from allmende.connectors.parking import stated_capacities
from allmende.domain.connector import Source, ThingFacts
from allmende.domain.errors import ConfigurationError

QUARTERS = 96
SLOTS = 7 * QUARTERS


class Week(NamedTuple):
    """Occupied share by slot, Monday 0:00 first, local time."""

    mean: tuple[float, ...]
    spread: tuple[float, ...]


class Place(NamedTuple):
    """A car park to be simulated."""

    thing: ThingFacts
    capacity: int
    week: Week


def find_places(source: Source) -> list[Place]:
    """Every car park of the table. Raises ConfigurationError that names the setting or the line of the file."""
    name = str(source.settings.get("table", ""))
    if name not in source.tables:
        raise ConfigurationError(f"the table {name!r} does not lie beside the profile", where=f"{source.id}.table")
    found = []
    for key, week in _weeks(source.tables[name], name).items():
        thing = source.things.get(key) or source.things.get(f"parking-{key}")
        if thing is None:
            raise ConfigurationError(f"{key!r} is no thing of the profile", where=name)
        capacity = find_capacity(source, thing)
        if capacity is None:
            raise ConfigurationError(f"{thing.id} has no capacity", where=f"{source.id}.capacities")
        found.append(Place(thing, capacity, week))
    return found


def find_capacity(source: Source, thing: ThingFacts) -> int | None:
    """The capacity of the settings, or the first that the profile states."""
    capacities = source.settings.get("capacities")
    own = capacities.get(thing.id) if isinstance(capacities, Mapping) else None
    stated = [own] if isinstance(own, int) and not isinstance(own, bool) and own > 0 else stated_capacities(thing)
    return stated[0] if stated else None


@lru_cache(maxsize=8)
def _weeks(body: bytes, name: str) -> dict[str, Week]:
    """The table, by place. Every place needs each of its 672 quarters once."""
    slots: dict[str, dict[int, tuple[float, float]]] = {}
    reader = csv.DictReader(io.StringIO(body.decode("utf-8-sig", errors="replace")))
    for row in reader:
        where = f"{name}, line {reader.line_num}"
        try:
            weekday, quarter = int(row["weekday"]), int(row["quarter"])
            mean, spread = float(row["mean"]), float(row["spread"])
        except (KeyError, TypeError, ValueError) as error:
            raise ConfigurationError(
                f"place, weekday, quarter, mean and spread are needed: {error}", where=where
            ) from None
        if not (0 <= weekday < 7 and 0 <= quarter < QUARTERS and 0 <= mean <= 1 and 0 <= spread <= 1):
            raise ConfigurationError("weekday is 0 to 6, quarter 0 to 95, mean and spread 0 to 1", where=where)
        slots.setdefault(row["place"], {})[weekday * QUARTERS + quarter] = (mean, spread)
    for place, found in slots.items():
        if len(found) != SLOTS:
            raise ConfigurationError(f"{place} has {len(found)} quarters of the week, not {SLOTS}", where=name)
    return {place: Week(*zip(*(found[slot] for slot in range(SLOTS)), strict=True)) for place, found in slots.items()}

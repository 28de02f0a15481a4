"""Car parks as streams: what every connector that counts parking spaces declares in the same words."""

import re
from collections.abc import Mapping, Set
from typing import Any

import msgspec

from allmende.connectors.properties import find_property
from allmende.domain.connector import Source, ThingFacts
from allmende.domain.records import Declaration, Position, Property, SensorDeclaration, ThingDeclaration, Unit

SPACES = Unit("spaces", "{space}", "https://ucum.org/ucum")

_DATEX = "http://datex2.eu/schema/2/2_0#"
FULL = frozenset({"full", "fullAtEntrance", "carParkFull", "noMoreParkingSpacesAvailable"})
CLOSED = frozenset({"closed", "closedAbnormal", "carParkClosed"})
"""What DATEX II calls a car park that is full or closed."""
PROPERTIES = {
    "free": Property(
        id="free-parking-spaces",
        name="Free parking spaces",
        definition=_DATEX + "totalNumberOfVacantParkingSpaces",
        description="Spaces that are free now, as the operator counts them",
    ),
    "occupied": Property(
        id="occupied-parking-spaces",
        name="Occupied parking spaces",
        definition=_DATEX + "totalNumberOfOccupiedParkingSpaces",
        description="Spaces that are taken now, as the operator counts them",
    ),
    "capacity": Property(
        id="parking-capacity",
        name="Parking capacity",
        definition=_DATEX + "totalParkingCapacityShortTermOverride",
        description="Spaces that there are for short-term parking now; 0 where the car park is closed",
    ),
}
_NAMES = {
    "de": {"free": "freie Plätze", "occupied": "belegte Plätze", "capacity": "Plätze insgesamt"},
    "en": {"free": "free spaces", "occupied": "occupied spaces", "capacity": "spaces in total"},
}


def stream_name(thing_name: str, quantity: str, language: str) -> str:
    """How a person calls the stream, e.g. ``Holzmarkt: freie Plätze``; English where the language is not known."""
    return f"{thing_name}: {_NAMES.get(language, _NAMES['en'])[quantity]}"


def stated_capacities(thing: ThingFacts) -> list[int]:
    """Every capacity that the profile states, in its order. The first belongs to the feed."""
    stated = thing.facts.get("capacity", ())
    if isinstance(stated, Mapping):
        stated = (stated,)
    values = [entry.get("value") for entry in stated if isinstance(entry, Mapping)]
    return [value for value in values if isinstance(value, int) and not isinstance(value, bool) and value >= 0]


def thing_properties(thing: ThingFacts) -> dict[str, Any]:
    """The profile's facts, each with its source, as properties of the Thing."""
    return {"kind": thing.kind, **thing.facts}


def position(thing: ThingFacts) -> Position | None:
    """Where the profile says it is; None where it does not."""
    return None if thing.lon is None or thing.lat is None else Position(thing.lon, thing.lat)


def stream_properties(source: Source) -> dict[str, Any]:
    """What a reader of any parking stream must know: between two values the earlier one holds, unless all is silent."""
    settings = source.settings
    known = {key: settings[key] for key in ("licence", "attribution", "silence") if settings.get(key)}
    return {"source": source.id, "dataset": source.dataset, "reading": "step", **known}


def declare(
    source: Source,
    thing: ThingDeclaration,
    quantity: str,
    sensor: SensorDeclaration,
    *,
    high: int | None,
    properties: Mapping[str, Any],
) -> Declaration:
    """The stream ``<thing>~<quantity>``; ``quantity`` is one of ``free``, ``occupied``, ``capacity``."""
    return Declaration(
        stream=f"{thing.id}~{quantity}",
        name=stream_name(thing.name, quantity, source.language),
        description=PROPERTIES[quantity].description,
        thing=thing,
        sensor=sensor,
        observed_property=PROPERTIES[quantity],
        unit=SPACES,
        observation_type="count",
        properties=properties,
        low=0,
        high=high,
    )


def declare_for(declared: Declaration, kind: str) -> Declaration:
    """The same stream for one kind of spaces: ``<thing>~<quantity>-<kind>``."""
    return msgspec.structs.replace(
        declared,
        stream=f"{declared.stream}-{kind}",
        name=f"{declared.name} ({kind})",
        properties={**declared.properties, "spaces_for": kind},
    )


def declare_bay(source: Source, bay: ThingDeclaration, sensor: SensorDeclaration) -> Declaration:
    """The stream ``<bay>~occupied`` of a single bay: 1 while a vehicle stands in it, 0 while none does."""
    observed, _ = find_property(source.settings, "bay-occupied", source.language)
    return Declaration(
        stream=f"{bay.id}~occupied",
        name=f"{bay.name}: {'belegt' if source.language == 'de' else 'occupied'}",
        thing=bay,
        sensor=sensor,
        observed_property=observed,
        unit=Unit("1", "1", "https://ucum.org/ucum"),
        observation_type="count",
        properties=stream_properties(source),
        low=0,
        high=1,
    )


def unread(said: object) -> str:
    """The flag of a count that cannot be one, as it was said. Its reading is null: what was counted before it does not
    hold any longer, and its bytes are kept as a rejection."""
    return "negative" if re.match(r"\s*-\s*[0-9]", str(said)) else "unreadable"


def doubt(quantity: str, values: Mapping[str, int], states: Set[str]) -> str:
    """Why a count is implausible, as a flag, or "". The capacity is that of the same message: others disagree."""
    capacity = values.get("capacity")
    if capacity == 0 or states & CLOSED:
        # Nobody can park there: neither "0 free" nor "523 free" is what it says.
        return "closed"
    if quantity != "capacity" and capacity is not None and values[quantity] > capacity:
        return "above-capacity"
    if quantity == "free" and values["free"] > 0 and states & FULL:
        return "full-with-free"
    return ""

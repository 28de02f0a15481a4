"""The description ``parking.json``: what a car park is, not how full it is. Gives no readings.

It disagrees with the feed on capacities, so what it says is kept apart, under ``described`` of the Thing.
"""

from typing import Any

import msgspec

from allmende.connectors import parking
from allmende.connectors.jena_parking import streams
from allmende.connectors.jena_parking.places import Places
from allmende.domain.connector import Payload, Source, ThingFacts
from allmende.domain.records import Declaration, Parsed, Position, Rejection


def read_description(payload: Payload, source: Source) -> Parsed:
    """A declaration for each car park that the profile knows, a rejection for each other one."""
    try:
        document = msgspec.json.decode(payload.body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return _all(payload, "unreadable", f"this is no JSON: {error}")
    entries = document.get("parkingPlaces") if isinstance(document, dict) else None
    if not isinstance(entries, list):
        return _all(payload, "no-description", "the document has no list parkingPlaces")
    places = Places(source)
    records: list[Declaration] = []
    rejections: list[Rejection] = []
    for index, entry in enumerate(entries):
        name = _inner(entry, "general", "name")
        thing = places.find(name) if isinstance(name, str) else None
        if thing is None:
            code = "unknown-place" if isinstance(name, str) else "no-reference"
            rejections.append(
                Rejection(
                    reason=f"no thing of the profile is called {name[:80]!r}"
                    if isinstance(name, str)
                    else "the car park has no name",
                    body=msgspec.json.encode({"parkingPlaces": [entry]}),
                    where=f"parkingPlaces[{index}]",
                    code=code,
                )
            )
        else:
            records.append(_declaration(source, payload, thing, entry))
    return Parsed(records, rejections)


def _declaration(source: Source, payload: Payload, thing: ThingFacts, entry: Any) -> Declaration:
    said = {
        "name": _inner(entry, "general", "name"),
        "type": _inner(entry, "general", "objectType"),
        "position": _inner(entry, "general", "coordinates"),
        "capacity": _inner(entry, "details", "capacity") or _inner(entry, "details", "parkingCapacity"),
        "address": _inner(entry, "details", "address") or _inner(entry, "details", "parkingPlaceAddress"),
        "openings": _inner(entry, "parkingTime"),
        "prices": _inner(entry, "priceList", "priceInfo"),
    }
    described = {key: {"value": value, "source": payload.name} for key, value in said.items() if value is not None}
    declared = streams.thing(thing, described=described)
    if declared.position is None:
        declared = msgspec.structs.replace(declared, position=_position(said["position"]))
    stated = parking.stated_capacities(thing)
    return parking.declare(
        source,
        declared,
        "free",
        streams.sensor(source),
        high=max(stated) if stated else None,
        properties=parking.stream_properties(source),
    )


def _position(coordinates: Any) -> Position | None:
    lon, lat = _inner(coordinates, "lng"), _inner(coordinates, "lat")
    if not all(isinstance(value, int | float) and not isinstance(value, bool) for value in (lon, lat)):
        return None
    return Position(float(lon), float(lat)) if -180 <= lon <= 180 and -90 <= lat <= 90 else None


def _inner(value: Any, *keys: str) -> Any:
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _all(payload: Payload, code: str, reason: str) -> Parsed:
    return Parsed((), (Rejection(reason=reason, body=payload.body, code=code),))

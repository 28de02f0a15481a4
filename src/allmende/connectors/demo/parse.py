"""What the simulation played, as readings of things that say they are simulated."""

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec

from allmende.connectors import parking
from allmende.connectors.demo.places import find_capacity
from allmende.domain.connector import Payload, Source, ThingFacts
from allmende.domain.errors import InvalidInput
from allmende.domain.records import Declaration, Parsed, Record, Rejection, SensorDeclaration, Series, ThingDeclaration
from allmende.domain.times import parse_instant

Spaces = Annotated[int, msgspec.Meta(ge=0, le=1_000_000)]


class Played(msgspec.Struct, frozen=True, kw_only=True):
    """Free spaces by the id of the thing that is simulated; a column has a value or null for each time."""

    simulated: bool
    times: list[str]
    free: dict[str, list[Spaces | None]]


def parse(payload: Payload, source: Source) -> Parsed:
    """Readings under ids of their own, ``demo-…``. A payload that does not say "simulated" is refused."""
    try:
        played = msgspec.json.decode(payload.body, type=Played)
        times = [parse_instant(text) for text in played.times]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, InvalidInput) as error:
        return Parsed((), (Rejection(reason=str(error), body=payload.body, code="unreadable"),))
    if not played.simulated:
        reason = "the payload does not say that it is simulated"
        return Parsed((), (Rejection(reason=reason, body=payload.body, code="not-simulated"),))
    records: list[Record] = []
    rejections: list[Rejection] = []
    for id_, column in played.free.items():
        thing = source.things.get(id_)
        if thing is None or len(column) != len(times):
            code = "unknown-place" if thing is None else "wrong-columns"
            reason = (
                f"{id_[:80]!r} is no thing of the profile" if thing is None else "times and values differ in length"
            )
            alone = msgspec.structs.replace(played, free={id_: column})
            rejections.append(
                Rejection(reason=reason, body=msgspec.json.encode(alone), where=f"free, {id_[:80]}", code=code)
            )
            continue
        told = [(time, value) for time, value in zip(times, column, strict=True) if value is not None]
        if told:
            declared = _declare(source, thing)
            records.append(declared)
            records.append(
                Series(stream=declared.stream, times=[time for time, _ in told], results=[value for _, value in told])
            )
    return Parsed(records, rejections)


def _declare(source: Source, thing: ThingFacts) -> Declaration:
    german = source.language == "de"
    basis = source.settings.get("basis")
    says = basis.get(source.language) or basis.get("en") if isinstance(basis, Mapping) else basis
    simulated: dict[str, Any] = {"simulated": True, "simulates": thing.id, "basis": says or "simulated"}
    prefix = str(source.settings.get("prefix", "demo-"))
    declared = ThingDeclaration(
        id=f"{prefix}{thing.id}",
        name=f"{thing.name} (Simulation)" if german else f"{thing.name} (simulation)",
        description=thing.description,
        properties={**parking.thing_properties(thing), **simulated},
        position=parking.position(thing),
    )
    sensor = SensorDeclaration(
        id=source.id,
        name="Simulation von Parkhäusern" if german else "Simulation of car parks",
        description=str(simulated["basis"]),
        properties={"source": source.id, "simulated": True, "basis": simulated["basis"]},
    )
    capacity = find_capacity(source, thing)
    properties = {**parking.stream_properties(source), **simulated}
    if capacity is not None:
        properties["capacity"] = capacity  # what the values are a part of; the profile's statements may differ
    return parking.declare(source, declared, "free", sensor, high=capacity, properties=properties)

"""A datastream of another server with some of its observations."""

from collections.abc import Mapping
from typing import Any, Literal, cast

import msgspec

from allmende.connectors.gathering import (
    Gathered,
    Refused,
    identity,
    listed,
    position,
    read_json,
    refuse_all,
    table,
    text,
)
from allmende.domain.connector import Payload, Source
from allmende.domain.errors import InvalidInput
from allmende.domain.model import OBSERVATION_TYPES
from allmende.domain.records import (
    Declaration,
    Parsed,
    Position,
    Property,
    SensorDeclaration,
    ThingDeclaration,
    Unit,
)
from allmende.domain.times import parse_instant, parse_interval

_TYPES = {address: name for name, address in OBSERVATION_TYPES.items()}
_Kind = Literal["measurement", "count", "category", "truth", "complex", "any"]


def parse(payload: Payload, source: Source) -> Parsed:
    """Readings of one stream, or of each property of a MultiDatastream; a rejection for each that cannot be read."""
    try:
        document = table(read_json(payload.body))
        kind = "datastream" if "datastream" in document else "multi"
        if kind not in document or not isinstance(document.get("observations"), list):
            raise Refused("no-stream", "the document is no datastream with observations")
        stream = table(document[kind])
        declared = _declare(source, stream) if kind == "datastream" else _declare_all(source, stream)
    except Refused as refused:
        return refuse_all(payload, refused.code, refused.reason)
    gathered = Gathered()
    for declaration in declared:
        gathered.declare(declaration)
    forecasts = source.settings.get("forecasts") is True
    for index, entry in enumerate(document["observations"]):
        try:
            _read(gathered, declared, table(entry), wide=kind == "multi", forecasts=forecasts)
        except Refused as refused:
            body = msgspec.json.encode({kind: stream, "observations": [entry]})
            gathered.refuse(refused, body, f"observations[{index}]")
    return gathered.parsed()


def _read(
    gathered: Gathered, declared: list[Declaration], said: Mapping[str, Any], *, wide: bool, forecasts: bool
) -> None:
    if "result" not in said:
        raise Refused("no-result", "the observation has no result")
    moment = said.get("phenomenonTime")
    try:
        time = parse_interval(moment if isinstance(moment, str) else "").start
        run = parse_instant(str(said.get("resultTime"))) if forecasts else None
    except InvalidInput as error:
        raise Refused("bad-time", str(error)) from None
    results = said["result"] if wide else [said["result"]]
    if not isinstance(results, list) or len(results) != len(declared):
        raise Refused("uneven", f"the result has not {len(declared)} values, one for each property")
    quality = table(said.get("resultQuality"))
    flag = ""
    if quality.get("plausible") is False:
        flag = " ".join(text(word) for word in listed(quality.get("flags")) if text(word)) or "implausible"
    for declaration, result in zip(declared, results, strict=True):
        if result is not None:
            gathered.put(declaration.stream, time, result, flag, run)


def _declare(source: Source, stream: Mapping[str, Any]) -> list[Declaration]:
    id_ = _prefixed(source, stream.get("@iot.id"))
    unit, observed = stream.get("unitOfMeasurement"), stream.get("ObservedProperty")
    return [_declaration(source, stream, id_, str(stream.get("name") or id_), unit, observed, stream)]


def _declare_all(source: Source, stream: Mapping[str, Any]) -> list[Declaration]:
    """A stream for each property of a MultiDatastream."""
    id_ = _prefixed(source, stream.get("@iot.id"), "multi-")
    units, observed = stream.get("unitOfMeasurements"), stream.get("ObservedProperties")
    if not isinstance(units, list) or not isinstance(observed, list) or len(units) != len(observed) or not units:
        raise Refused("uneven", "the MultiDatastream has not as many units as properties")
    name = str(stream.get("name") or id_)
    kinds = list(listed(stream.get("multiObservationDataTypes")))
    return [
        _declaration(
            source,
            stream,
            f"{id_}~{number}",
            f"{name}: {text(table(one).get('name')) or number}",
            unit,
            one,
            {"observationType": kinds[number - 1] if len(kinds) == len(units) else None},
        )
        for number, (unit, one) in enumerate(zip(units, observed, strict=True), 1)
    ]


def _declaration(
    source: Source, stream: Mapping[str, Any], id_: str, name: str, unit: Any, observed: Any, typed: Mapping[str, Any]
) -> Declaration:
    measured, sensor = table(unit), table(stream.get("Sensor"))
    thing, seen = table(stream.get("Thing")), table(observed)
    kind = typed.get("observationType")
    known = {key: source.settings[key] for key in ("licence", "attribution") if source.settings.get(key)}
    metadata = sensor.get("metadata")
    return Declaration(
        stream=id_,
        name=text(name) or id_,
        description=text(stream.get("description")),
        thing=ThingDeclaration(
            id=_prefixed(source, thing.get("@iot.id")),
            name=text(thing.get("name")) or "?",
            description=text(thing.get("description")),
            properties=dict(table(thing.get("properties"))),
            position=_place(thing),
        ),
        sensor=SensorDeclaration(
            id=_prefixed(source, sensor.get("@iot.id")),
            name=text(sensor.get("name")) or "?",
            description=text(sensor.get("description")),
            encoding_type=text(sensor.get("encodingType")) or "text/plain",
            metadata=metadata if isinstance(metadata, str) else "",
        ),
        observed_property=Property(
            id=_prefixed(source, seen.get("@iot.id")),
            name=text(seen.get("name")) or "?",
            definition=text(seen.get("definition")),
            description=text(seen.get("description")),
        ),
        unit=Unit(text(measured.get("name")), text(measured.get("symbol")), text(measured.get("definition"))),
        observation_type=cast(_Kind, _TYPES.get(kind, "any") if isinstance(kind, str) else "any"),
        properties={
            **table(stream.get("properties")),
            "source": source.id,
            "dataset": source.dataset,
            "mirror_of": text(stream.get("@iot.selfLink")) or source.address,
            **known,
        },
    )


def _prefixed(source: Source, id_: Any, middle: str = "") -> str:
    """An id of the other server as it is called here."""
    prefix = source.settings.get("prefix")
    return f"{prefix if isinstance(prefix, str) and prefix else f'{source.id}-'}{middle}{identity(id_, '@iot.id')}"


def _place(thing: Mapping[str, Any]) -> Position | None:
    """The first Location that is a point, as a geometry or a GeoJSON feature."""
    for location in listed(thing.get("Locations")):
        geometry = table(table(location).get("location"))
        geometry = table(geometry.get("geometry")) if geometry.get("type") == "Feature" else geometry
        coordinates = list(listed(geometry.get("coordinates")))
        if geometry.get("type") == "Point" and len(coordinates) >= 2:
            return position(coordinates[0], coordinates[1])
    return None

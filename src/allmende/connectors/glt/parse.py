"""A site with the datalogs of its points to readings: ``065~17170438~value``."""

import re
from collections.abc import Collection, Mapping
from typing import Any

import msgspec

from allmende.connectors.messages import Gathered, Refused, name_part, number, read_json, refuse, shown, table, whole
from allmende.connectors.properties import find_property, origin, unit
from allmende.domain.connector import Payload, Source
from allmende.domain.errors import InvalidInput
from allmende.domain.records import Declaration, Parsed, Position, SensorDeclaration, ThingDeclaration, Unit
from allmende.domain.times import parse_instant

KEPT_OF_SITE = ("id", "name", "lon", "lat")
KEPT_OF_DATALOG = ("id", "name", "valueType", "pointNumber", "pointId", "entriesT", "entriesV", "isUnknown", "isError")
"""What is read of an answer. The rest (addresses of controllers, comments with their authors) is left at the host."""

_SENSOR = SensorDeclaration(id="glt", name="GLT", description="Building control of the city")
_NOT_STATED = Unit("not stated", "")
_MOST = 100_000
_NUMBER = re.compile(r"[0-9]{1,9}\Z", re.ASCII)


def kept(raw: Any, keys: Collection[str]) -> dict[str, Any]:
    """These keys of an object alone."""
    return {key: raw[key] for key in keys if key in raw} if isinstance(raw, Mapping) else {}


def parse(payload: Payload, source: Source) -> Parsed:
    """Readings of a site's points; each point by itself, each entry by itself."""
    gathered = Gathered()
    try:
        message = table(read_json(payload.body), "a message")
        site = table(message.get("site"), "site", "no-identity")
        logs = message.get("datalogs")
        if not isinstance(logs, list):
            raise Refused("unreadable", "datalogs is a list")
        thing = _thing(source, site)
    except Refused as refused:
        return Parsed((), (refuse(payload, refused),))
    for log in logs:
        plain = kept(log, KEPT_OF_DATALOG)
        try:
            _read(gathered, payload, source, thing, plain)
        except Refused as refused:
            _refuse(gathered, payload, thing, refused, plain)
    return gathered.parsed()


def _refuse(
    gathered: Gathered, payload: Payload, thing: ThingDeclaration, refused: Refused, log: Mapping[str, Any]
) -> None:
    """Keeps the site with this point, or this one entry of it."""
    body = msgspec.json.encode({"site": {"id": thing.id}, "datalogs": [log]})
    gathered.rejections.append(refuse(payload, refused, body=body, where=f"point {shown(log.get('id'))}"))


def _thing(source: Source, site: Mapping[str, Any]) -> ThingDeclaration:
    id_ = name_part(site.get("id"), "the site's id")
    if not _NUMBER.match(id_):
        raise Refused("no-identity", f"a site is called by a number, not {shown(id_)}")
    told = site.get("name")
    name = told.strip() if isinstance(told, str) and told.strip() else id_
    facts = source.things.get(id_)
    return ThingDeclaration(
        id=id_,
        name=facts.name if facts else name,
        properties={"kind": "building", **(dict(facts.facts) if facts else {})},
        position=_position(site),
    )


def _position(site: Mapping[str, Any]) -> Position | None:
    """The site's own; where it has none there is none, and not the middle of the city."""
    try:
        lon, lat = number(site.get("lon")), number(site.get("lat"))
    except Refused:
        return None
    return Position(lon, lat) if -180 <= lon <= 180 and -90 <= lat <= 90 and (lon, lat) != (0, 0) else None


def _read(
    gathered: Gathered, payload: Payload, source: Source, thing: ThingDeclaration, log: Mapping[str, Any]
) -> None:
    point = whole(log.get("id"))
    times, values = log.get("entriesT"), log.get("entriesV")
    if not isinstance(times, list) or not isinstance(values, list) or len(times) != len(values):
        raise Refused("bad-entries", "entriesT and entriesV are no lists of one length")
    if len(times) > _MOST:
        raise Refused("bad-entries", f"there are more than {_MOST} entries")
    if log.get("isUnknown") is True or log.get("isError") is True:
        raise Refused("device-says-invalid", "the building control does not stand by this point's values")
    declared = _declare(source, thing, point, log)
    gathered.declare(declared)
    for time, value in zip(times, values, strict=True):
        if value is None:
            continue
        try:
            gathered.add(declared, _time(time), number(value))
        except Refused as refused:
            _refuse(gathered, payload, thing, refused, {**log, "entriesT": [time], "entriesV": [value]})


def _time(text: Any) -> int:
    if not isinstance(text, str):
        raise Refused("no-time", "an entry has no time")
    try:
        return parse_instant(text)
    except InvalidInput as error:
        raise Refused("bad-time", str(error)) from None


def _declare(source: Source, thing: ThingDeclaration, point: int, log: Mapping[str, Any]) -> Declaration:
    """The host says neither quantity nor unit of a point; the city's settings may."""
    points = source.settings.get("points")
    said = points.get(f"{thing.id}/{point}") if isinstance(points, Mapping) else None
    said = said if isinstance(said, Mapping) else {}
    property_id = said.get("property")
    observed, known = find_property(
        source.settings, property_id if isinstance(property_id, str) else "building-value", source.language
    )
    symbol = said.get("unit") or known.get("unit")
    told = log.get("name")
    name = told.strip() if isinstance(told, str) and told.strip() else str(point)
    facts = {key: log[key] for key in ("pointNumber", "pointId", "valueType") if isinstance(log.get(key), int | str)}
    return Declaration(
        stream=f"{thing.id}~{point}~value",
        name=f"{thing.name}: {name}",
        thing=thing,
        sensor=_SENSOR,
        observed_property=observed,
        unit=unit(str(symbol)) if symbol else _NOT_STATED,
        properties={**origin(source), **facts},
        low=known.get("low"),
        high=known.get("high"),
    )

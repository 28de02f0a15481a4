"""One frame: a box, or a list of boxes, each with mean, least and greatest of every quantity."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec

from allmende.connectors.messages import Gathered, Refused, name_part, number, read_json, refuse, shown, table, whole
from allmende.connectors.properties import declare
from allmende.domain.connector import Payload, Source
from allmende.domain.records import Parsed, Position, SensorDeclaration, ThingDeclaration
from allmende.domain.times import SECOND

_SENSOR = SensorDeclaration(id="icesensor", name="IceSensor", description="Air quality box at a lamp post or mast")
_PARTS = ("avg", "min", "max")
_LABELS = {"de": {"avg": "", "min": "Minimum", "max": "Maximum"}, "en": {"avg": "", "min": "least", "max": "greatest"}}
_LATEST = 253_402_300_799


class _Quantity(NamedTuple):
    service: str
    """The middle of the stream's id, as the city's clients know it."""
    property: str
    unit: str = ""
    """Where it is not the property's own."""


QUANTITIES = {
    "h2s-ugm3": _Quantity("h2sugm3", "h2s"),
    "co-ugm3": _Quantity("cougm3", "co"),
    "no-ugm3": _Quantity("nougm3", "no"),
    "no2-ugm3": _Quantity("no2ugm3", "no2"),
    "o3-ugm3": _Quantity("o3ugm3", "o3"),
    "1.0p": _Quantity("_1p", "particulate-matter-1"),
    "2.5p": _Quantity("_2_5p", "particulate-matter-2-5"),
    "10p": _Quantity("_10p", "particulate-matter-10"),
    "temperature": _Quantity("temperature", "air-temperature"),
    "humidity": _Quantity("humidity", "air-humidity"),
    "pressure": _Quantity("pressure", "air-pressure", "hPa"),
    "aqi": _Quantity("aqi", "air-quality-index"),
}
CRITERION = "aqi-criteria"


class _Box(NamedTuple):
    gathered: Gathered
    payload: Payload
    source: Source
    thing: ThingDeclaration
    raw: Mapping[str, Any]

    def refuse(self, refused: Refused, key: str, entry: Any) -> None:
        """Keeps the box with this quantity alone."""
        body = msgspec.json.encode({"ice_id": self.raw["ice_id"], "data": {key: entry}})
        where = f"{self.thing.id}, {key[:80]}"
        self.gathered.rejections.append(refuse(self.payload, refused, body=body, where=where))


def parse(payload: Payload, source: Source) -> Parsed:
    """Readings of all boxes of a frame. A value that the box itself calls invalid is none."""
    gathered = Gathered()
    try:
        value = read_json(payload.body)
    except Refused as refused:
        return Parsed((), (refuse(payload, refused),))
    for raw in value if isinstance(value, list) else [value]:
        try:
            box = table(raw, "a box")
            data = table(box.get("data"), "data", "no-data")
            thing = _thing(source, box)
        except Refused as refused:
            gathered.rejections.append(refuse(payload, refused, body=msgspec.json.encode([raw])))
            continue
        _read(_Box(gathered, payload, source, thing, box), data)
    return gathered.parsed()


def _thing(source: Source, box: Mapping[str, Any]) -> ThingDeclaration:
    name = name_part(box.get("ice_id"), "ice_id")
    facts = source.things.get(name.lower())
    return ThingDeclaration(
        id=name,
        name=facts.name if facts else name,
        properties={"kind": "air-quality-box", **(dict(facts.facts) if facts else {})},
        position=_position(box.get("coords")),
    )


def _position(coords: Any) -> Position | None:
    """The box says where it hangs; 0, 0 and what is no place of the earth are no position."""
    if not isinstance(coords, Mapping):
        return None
    try:
        lon, lat = number(coords.get("longitude")), number(coords.get("latitude"))
    except Refused:
        return None
    fits = -180 <= lon <= 180 and -90 <= lat <= 90 and (lon, lat) != (0, 0)
    return Position(lon, lat) if fits else None


def _read(box: _Box, data: Mapping[str, Any]) -> None:
    """Each quantity by itself: one that cannot be read takes nothing from the others."""
    for key, entry in data.items():
        try:
            if key == CRITERION:
                _criterion(box, table(entry, key))
            elif key in QUANTITIES:
                _quantity(box, QUANTITIES[key], table(entry, key))
            else:
                raise Refused("unknown-quantity", f"nothing is known of {key[:80]!r}")
        except Refused as refused:
            box.refuse(refused, key, entry)


def _quantity(box: _Box, quantity: _Quantity, entry: Mapping[str, Any]) -> None:
    time = _valid_at(entry)
    values = {part: number(entry[part]) for part in _PARTS if entry.get(part) is not None}
    if "avg" not in values:
        raise Refused("no-value", "there is no mean")
    labels = _LABELS.get(box.source.language, _LABELS["en"])
    for part, value in values.items():
        declared = declare(
            box.source, box.thing, f"{quantity.service}~{part}", quantity.property, _SENSOR,
            label=labels[part], symbol=quantity.unit,
        )  # fmt: skip
        box.gathered.add(declared, time, value)


def _criterion(box: _Box, entry: Mapping[str, Any]) -> None:
    time = _valid_at(entry)
    text = entry.get("str_value")
    if not isinstance(text, str) or not 0 < len(text.strip()) <= 255:
        raise Refused("bad-value", f"{shown(text)} is no criterion")
    declared = declare(box.source, box.thing, "aqi_criteria~avg", "air-quality-criterion", _SENSOR)
    box.gathered.add(declared, time, text.strip())


def _valid_at(entry: Mapping[str, Any]) -> int:
    """When it was measured. Raises Refused where the box calls it invalid, or says nothing about that."""
    validity = whole(entry.get("validity"))
    if validity != 0:
        raise Refused("device-says-invalid", f"validity is {validity}: the box does not stand by this value")
    at = whole(entry.get("created_at"))
    if not 0 < at <= _LATEST:
        raise Refused("bad-time", f"created_at {at} are no seconds since 1970")
    return at * SECOND

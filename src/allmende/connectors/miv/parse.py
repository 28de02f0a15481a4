"""Vehicles of a second become counts; values of areas stay what they are. A vehicle's id and place end here."""

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from allmende.connectors.messages import (
    Gathered,
    Refused,
    grouped,
    name_part,
    number,
    numbered,
    read_json,
    refuse,
    refuse_payload,
    whole,
)
from allmende.connectors.properties import declare
from allmende.domain.connector import Payload, Source
from allmende.domain.records import Parsed, SensorDeclaration, ThingDeclaration
from allmende.domain.times import SECOND

_TOPIC = re.compile(r"(?:^|/)miv/(?:(efd)|vb/([^/]+)/(los|speed|ltj|volume))\Z")
_SENSOR = SensorDeclaration(
    id="miv", name="MIV", description="Detection of motor traffic; vehicles are counted here and not kept"
)
_AREA = {
    "los": "level-of-service",
    "speed": "vehicle-speed",
    "ltj": "queue-length",
    "volume": "traffic-volume",
}
CLASSES = ("motorcycle", "car", "car-with-trailer", "bus", "van", "lorry", "lorry-with-trailer", "articulated-lorry")
"""``class`` 1 to 8."""
TURNS = 3
"""``turn`` 0 to 2."""
_COUNTED = ("class", "turn", "speed")
_FASTEST = 300.0
_MOST = 10_000


def parse(payload: Payload, source: Source) -> Parsed:
    """Readings of one message; the topic says which it is."""
    try:
        topic = _TOPIC.search(payload.name)
        if topic is None:
            raise Refused("no-identity", "the topic is none of …/miv/efd and …/miv/vb/{area}/los, speed, ltj, volume")
        if topic[1]:
            return _second(payload, source)
        gathered = Gathered()
        area = name_part(topic[2], "the area")
        _area(gathered, source, area, topic[3], read_json(payload.body), payload.received_at)
        return gathered.parsed()
    except Refused as refused:
        return refuse_payload(payload, refused)


def _second(payload: Payload, source: Source) -> Parsed:
    """The vehicles of a second. What is refused of them is kept without whose it is, and nothing of what is no JSON."""
    gathered, kept = Gathered(), b""
    try:
        value = read_json(payload.body)
        kept = _nameless(value)
        _vehicles(gathered, source, value, payload.received_at // SECOND * SECOND)
    except Refused as refused:
        return Parsed((), (refuse(payload, refused, body=kept),))
    return gathered.parsed()


def _nameless(value: Any) -> bytes:
    """The list again, of each vehicle what is counted alone, and a number for its id."""
    if not isinstance(value, list):
        return b"null"
    kept: list[Any] = []
    for entry, identity in zip(value, numbered(value), strict=True):
        told = {key: _plain(entry.get(key)) for key in _COUNTED} if isinstance(entry, Mapping) else None
        kept.append(told if told is None or identity is None else {**told, "id": identity})
    return msgspec.json.encode(kept)


def _plain(value: Any) -> Any:
    """A value that is none of these is kept as one that cannot be read either."""
    return value if value is None or isinstance(value, int | float | str) else False


def _vehicles(gathered: Gathered, source: Source, value: Any, time: int) -> None:
    """How many there are by class and turn, and how fast they are in the mean; nothing else of them is kept."""
    if not isinstance(value, list) or len(value) > _MOST:
        raise Refused("unreadable", f"efd is a list of at most {_MOST} vehicles")
    counts: dict[str, list[int]] = {}
    speeds: list[float] = []
    for group in grouped(value, "a vehicle"):
        told = [_vehicle(entry) for entry in group]
        kind, turn, _ = min(told)
        counts.setdefault(kind, [0] * TURNS)[turn] += 1
        speeds.append(sum(speed for _, _, speed in told) / len(told))
    thing = _thing(source, "miv", "vehicle-detection")
    by_turn = {kind: counts[kind] for kind in CLASSES if kind in counts}
    for kind in CLASSES:
        declared = declare(source, thing, f"{kind}~count", "vehicles-present", _SENSOR, label=kind, volatile=True)
        gathered.add(declared, time, sum(by_turn.get(kind, ())))
    declared = declare(source, thing, "vehicles~count", "vehicles-present", _SENSOR, volatile=True)
    gathered.add(declared, time, len(speeds))
    declared = declare(source, thing, "vehicles~by-turn", "vehicles-by-class-and-turn", _SENSOR, volatile=True)
    result: dict[str, Any] = dict(by_turn)
    gathered.add(declared, time, result)
    if speeds:
        declared = declare(source, thing, "vehicles~speed", "vehicle-speed", _SENSOR, volatile=True)
        gathered.add(declared, time, round(sum(speeds) / len(speeds), 2))


def _vehicle(entry: Any) -> tuple[str, int, float]:
    """Class, turn and speed. One that cannot be read refuses the second: a count without it would be wrong."""
    if not isinstance(entry, Mapping):
        raise Refused("bad-vehicle", "a vehicle is a JSON object")
    code, turn, speed = whole(entry.get("class")), whole(entry.get("turn")), number(entry.get("speed"))
    if not 1 <= code <= len(CLASSES) or not 0 <= turn < TURNS or not 0 <= speed <= _FASTEST:
        raise Refused("bad-vehicle", f"class {code}, turn {turn}, speed {speed:g} are none of a vehicle")
    return CLASSES[code - 1], turn, speed


def _area(gathered: Gathered, source: Source, area: str, quantity: str, value: Any, time: int) -> None:
    thing = _thing(source, f"miv-{area}", "traffic-area", area)
    declared = declare(source, thing, quantity, _AREA[quantity], _SENSOR)
    if quantity != "los":
        gathered.add(declared, time, number(value))
        return
    level = whole(value)
    if not 0 <= level <= 6:
        raise Refused("bad-value", f"{level} is no level of service from 0 to 6")
    if level:
        gathered.add(declared, time, level)
    else:
        gathered.declare(declared)  # 0 says that it is not known


def _thing(source: Source, id_: str, kind: str, area: str = "") -> ThingDeclaration:
    names = source.settings.get("names")
    name = names.get(area or id_) if isinstance(names, Mapping) else None
    return ThingDeclaration(id=id_, name=name if isinstance(name, str) and name else id_, properties={"kind": kind})

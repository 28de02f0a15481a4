"""What a traffic camera tells, as counts. Ids, tracks and places of people and vehicles end in this module.

Also what is refused is kept without them: a rejection holds the message with the values alone that are counted.
"""

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from allmende.connectors.messages import Gathered, Refused, name_part, numbered, read_json, refuse
from allmende.connectors.traficam.objects import Camera, read_passage, read_view, read_window
from allmende.connectors.traficam.watches import raw_heading
from allmende.connectors.traficam.zones import read_event
from allmende.domain.connector import Payload, Source
from allmende.domain.records import Parsed, SensorDeclaration, ThingDeclaration

_TOPIC = re.compile(r"(?:^|/)traficam/([^/]+)(?:/([^/]+))?\Z")
_SENSOR = SensorDeclaration(
    id="traficam",
    name="TrafiCam",
    description="Camera that tells classes of objects; objects are counted here and not kept, pictures never come",
)
_MOST = 10_000
_KEPT = ("messageType", "type", "time", "state", "zoneId", "intervalTime")
_OF_OBJECTS = ("classId", "speed")


def parse(payload: Payload, source: Source) -> Parsed:
    """Readings of one message, of a list of them, or of the set of objects in a window (GeoJSON)."""
    gathered = Gathered()
    try:
        camera = _camera(payload, source, gathered)
        value = read_json(payload.body)
    except Refused as refused:
        # bytes that nobody can read may hold places of people: they are not kept
        return Parsed((), (refuse(payload, refused, body=b""),))
    messages = value if isinstance(value, list) else [value]
    for place, message in enumerate(messages[:_MOST], 1):
        try:
            _read(camera, message)
        except Refused as refused:
            where = f"message {place}" if len(messages) > 1 else ""
            gathered.rejections.append(refuse(payload, refused, body=_nameless(message), where=where))
    return gathered.parsed()


def _camera(payload: Payload, source: Source, gathered: Gathered) -> Camera:
    """By the topic, or by the settings of a source that is one camera's WebSocket."""
    topic = _TOPIC.search(payload.name)
    told = topic[1] if topic else source.settings.get("camera")
    if not told:
        raise Refused("no-identity", "neither topic nor settings (camera) say which camera it is")
    name = name_part(told, "the camera")
    thing = ThingDeclaration(id=name, name=name, properties={"kind": "traffic-camera"})
    return Camera(source, thing, _SENSOR, gathered, payload.received_at, topic[2] if topic and topic[2] else "")


def _read(camera: Camera, message: Any) -> None:
    if not isinstance(message, Mapping):
        raise Refused("unreadable", "a message is a JSON object")
    if message.get("type") in ("FeatureCollection", "GeometryCollection"):
        read_window(camera, message)
    elif message.get("messageType") == "Event":
        read_event(camera, message)
    elif message.get("messageType") == "Data":
        if message.get("type") == "TrackData":
            read_passage(camera, message)
        else:
            read_view(camera, message)
    else:
        raise Refused("unknown-message", "messageType is neither Event nor Data")


def _nameless(message: Any) -> bytes:
    """The message again, without ids and places: it comes to the same rejection."""
    if not isinstance(message, Mapping):
        return b"null"
    kept: dict[str, Any] = {key: _plain(message[key]) if key in _KEPT else None for key in message}
    for name in ("object", "features", "geometries"):
        if name in message:
            kept[name] = _of_objects(message[name], "" if name == "object" else "properties")
    return msgspec.json.encode(kept)


def _of_objects(entries: Any, key: str) -> list[Any] | None:
    """Class, speed and heading of each, and a number for its id; ``key`` is where they stand, "" the object itself."""
    if not isinstance(entries, list):
        return None
    inner = [(entry.get(key) if key else entry) if isinstance(entry, Mapping) else None for entry in entries]
    kept: list[Any] = []
    for entry, identity in zip(inner, numbered(inner), strict=True):
        told: dict[str, Any] = {}
        if isinstance(entry, Mapping):
            told = {name: _plain(entry[name]) for name in _OF_OBJECTS if name in entry}
            if (heading := raw_heading(entry)) is not None:
                told["heading"] = _plain(heading)
            if identity is not None:
                told["id"] = identity
        kept.append({key: told} if key else told if isinstance(entry, Mapping) else None)
    return kept


def _plain(value: Any) -> Any:
    """A value that is none of these is kept as one that cannot be read either."""
    return value if value is None or isinstance(value, int | float | str) else False

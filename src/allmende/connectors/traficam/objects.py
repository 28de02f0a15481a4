"""Objects in view, in a window, and passed: counts and mean speeds by class."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from allmende.connectors.messages import Gathered, Refused, grouped, number, whole
from allmende.connectors.properties import declare
from allmende.connectors.traficam.times import read_moment
from allmende.connectors.traficam.watches import heading_of, watches
from allmende.domain.connector import Source
from allmende.domain.errors import InvalidInput
from allmende.domain.records import SensorDeclaration, ThingDeclaration
from allmende.domain.times import SECOND, parse_duration

_FASTEST = 300.0
_HIGHEST = 255
_INTERVAL = 0.1
_MOST = 10_000
_EMPTY = frozenset({"messageType", "type", "time", "dataNumber", "intervalTime"})
"""What a message has in which no object is in view."""


class Camera(NamedTuple):
    """What the messages of one camera are read with."""

    source: Source
    thing: ThingDeclaration
    sensor: SensorDeclaration
    gathered: Gathered
    received_at: int
    only: str
    """The class that the topic names, or ""."""

    def add(self, code: int, part: str, property_id: str, time: int, result: Any, *, volatile: bool = True) -> None:
        """One reading of the stream ``<camera>~<class>~<part>``."""
        name = self.class_name(code)
        stream = f"{code}~{part}"
        declared = declare(
            self.source, self.thing, stream, property_id, self.sensor, label=name, volatile=volatile,
            more={"class": name},
        )  # fmt: skip
        self.gathered.add(declared, time, result)

    def classes(self) -> list[int]:
        """The classes that are always counted, also where none is in view."""
        known = self.source.settings.get("classes")
        found = [int(key) for key in known if str(key).isdecimal()] if isinstance(known, Mapping) else []
        return [code for code in found if code <= _HIGHEST]

    def class_name(self, code: int) -> str:
        """What the camera's table calls a class."""
        known = self.source.settings.get("classes")
        name = known.get(str(code)) if isinstance(known, Mapping) else None
        return name if isinstance(name, str) and name else f"class-{code}"

    def window(self) -> int:
        """Microseconds of a window."""
        try:
            length = parse_duration(str(self.source.settings.get("window", "PT2S")))
        except InvalidInput as error:
            raise Refused("bad-settings", f"window: {error}") from None
        return max(length, SECOND)


def read_view(camera: Camera, message: Mapping[str, Any]) -> None:
    """What is in view now. Of the ten messages a second the first of each window counts, the others say nothing new.

    Nothing is remembered between messages: the first is the one within ``intervalTime`` of the window's start.
    """
    time, window = read_moment(message.get("time")), camera.window()
    interval = number(message.get("intervalTime", _INTERVAL))
    if time % window >= int(min(max(interval, 0.001), 60.0) * SECOND):
        return
    if "object" not in message and not message.keys() <= _EMPTY:
        raise Refused("unknown-message", "it has no objects, but names that are not known")
    _count(camera, message.get("object", []), time // window * window, camera.classes())


def read_window(camera: Camera, message: Mapping[str, Any]) -> None:
    """The set of objects seen in a window, as features; an empty one says that there was none.

    A set without classes (points alone) is of the class that the topic names.
    """
    time = camera.received_at // camera.window() * camera.window()
    features = message.get("features", message.get("geometries"))
    if not isinstance(features, list):
        raise Refused("unreadable", "the set of objects is no list")
    entries = []
    for feature in features[:_MOST]:
        told = feature.get("properties") if isinstance(feature, Mapping) else None
        entries.append({"classId": camera.only or None, **(told if isinstance(told, Mapping) else {})})
    only = [int(camera.only)] if camera.only.isdecimal() and len(camera.only) <= 3 else camera.classes()
    _count(camera, entries, time, only)


def _count(camera: Camera, entries: Any, time: int, always: list[int]) -> None:
    """One that cannot be read refuses all of them: a count without it would be wrong."""
    if not isinstance(entries, list) or len(entries) > _MOST:
        raise Refused("unreadable", f"object is a list of at most {_MOST} objects")
    counts = dict.fromkeys(always, 0)
    speeds: dict[int, list[float | None]] = {}
    asked = {name: watch for name, watch in watches(camera.source, camera.thing.id).items() if watch.sees_any(always)}
    matching: dict[str, list[bool | None]] = {name: [] for name in asked}
    for group in grouped(entries, "an object"):
        told = [_object(entry) for entry in group]
        code = min(code for code, _ in told)
        counts[code] = counts.get(code, 0) + 1
        speeds.setdefault(code, []).append(_mean([speed for _, speed in told]))
        for name, watch in asked.items():
            seen = [watch.sees(code, speed, heading_of(entry)) for (_, speed), entry in zip(told, group, strict=True)]
            matching[name].append(True if True in seen else None if None in seen else False)
    for code, count in counts.items():
        camera.add(code, "count", "objects-present", time, count)
    for code, of_class in speeds.items():
        mean = _mean(of_class)
        if mean is not None:
            camera.add(code, "speed", "vehicle-speed", time, round(mean, 2))
    for name, found in matching.items():
        if None in found:
            continue  # one of its class did not say where it goes or how fast: nobody knows how many
        declared = declare(
            camera.source, camera.thing, f"{name}~count", "objects-present", camera.sensor, label=name, volatile=True
        )
        camera.gathered.add(declared, time, found.count(True))


def _mean(values: list[float | None]) -> float | None:
    """None where one of them is not known: then the mean of all is not either."""
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if len(known) == len(values) else None


def _object(entry: Any) -> tuple[int, float | None]:
    if not isinstance(entry, Mapping):
        raise Refused("bad-object", "an object is a JSON object")
    code = class_of(entry)
    speed = None if entry.get("speed") is None else number(entry["speed"])
    if speed is not None and not 0 <= speed <= _FASTEST:
        raise Refused("bad-object", f"{speed:g} km/h is no speed of traffic")
    return code, speed


def class_of(entry: Mapping[str, Any]) -> int:
    """The number of an object's class. Raises Refused."""
    code = whole(entry.get("classId"))
    if not 0 <= code <= _HIGHEST:
        raise Refused("bad-object", f"{code} is no class of objects")
    return code


def read_passage(camera: Camera, message: Mapping[str, Any]) -> None:
    """A track that ended: its object passed. That is counted; the track is not looked at."""
    time = read_moment(message.get("time"))
    entries = message.get("object")
    if not isinstance(entries, list) or not 0 < len(entries) <= _MOST:
        raise Refused("unreadable", "a track has its object")
    counts: dict[int, int] = {}
    for group in grouped(entries, "an object"):
        if not all(isinstance(entry, Mapping) for entry in group):
            raise Refused("bad-object", "an object is a JSON object")
        code = min(map(class_of, group))
        counts[code] = counts.get(code, 0) + 1
    for code, count in counts.items():
        camera.add(code, "passed", "objects-passed", time, count, volatile=False)

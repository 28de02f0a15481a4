"""Constructed traffic of a city's devices, in the shapes that connectors read: seeded, in the order of its time.

Rates are those of the city's own figures: 2,000 LoRaWAN devices (an uplink in 15 minutes each), 94 signal
installations of 15 groups (four changes in a cycle of 90 s, a temperature a minute), 40 detected vehicles told each
second, 80 areas of four values every ten seconds, 10 cameras of ten messages a second: 200 messages a second together.
Nothing here was measured; every message that has room for a word says that it is constructed.
"""

import math
import random
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import msgspec

DEVICES, INSTALLATIONS, GROUPS, VEHICLES, AREAS, CAMERAS = 2_000, 94, 15, 40, 80, 10
UPLINK_SECONDS, CYCLE_SECONDS, THERMAL_SECONDS, AREA_SECONDS = 900, 90, 60, 10
FRAMES = 10
"""Messages a second of a camera; the first of two seconds is counted, see the connector."""
CLASSES = (0, 1, 2, 5, 7, 10, 12)
CLASSES_COUNTED = 11
"""How many classes the connector counts in every window, also where none is in view."""
EFD_READINGS = 11
"""Eight classes, all of them, by turn, and their speed."""
_SECOND = 1_000_000
_ZONE = ZoneInfo("Europe/Berlin")
_ASPECTS = (("⚪🟡🔴", 2.0), ("🟢⚪⚪", 30.0), ("⚪🟡⚪", 3.0), ("⚪⚪🔴", 55.0))
_encode = msgspec.json.encode


class Message(NamedTuple):
    """A message, when it is sent (microseconds after 1970), and how many readings are in it."""

    at: int
    topic: str
    body: bytes
    readings: int
    dated: bool = True
    """Whether it says its own time; else its readings bear that of their receipt."""


def set_ups(start: int) -> Iterator[Message]:
    """What brokers hold of signal installations before anything moves: their set-up, without a reading."""
    for number in range(INSTALLATIONS):
        name = installation(number)
        signals = [
            {
                "id": f"K{group}/1",
                "channel": "a",
                "signalType": "RED_AMBER_GREEN",
                "signalGroup": {"id": f"K{group}"},
                "location": [{"latitude": 50.9 + number / 10_000, "longitude": 11.58 + group / 10_000}],
            }
            for group in range(1, GROUPS + 1)
        ]
        body = {"intersectionId": name, "intersectionName": f"constructed {name}", "modules": [{"signals": signals}]}
        yield Message(start, f"5g/ilsa/{name}/config/retained", _encode(body), 0)


def traffic(start: int, seconds: int, seed: int = 4) -> Iterator[Message]:
    """The messages of so many seconds from ``start``, which is rounded down to two whole ones."""
    chance = random.Random(seed)
    start = start // (2 * _SECOND) * 2 * _SECOND
    for second in range(seconds):
        at = start + second * _SECOND
        found = [
            *_uplinks(chance, at, second),
            *_signals(at, second),
            *_areas(chance, at, second),
            _vehicles(chance, at),
            *_frames(chance, at),
        ]
        found.sort()
        yield from found


def installation(number: int) -> str:
    """The id of a signal installation; the city's own have three digits."""
    return f"K9{number:03d}"


def _uplinks(chance: random.Random, at: int, second: int) -> Iterator[Message]:
    for device in range(second % UPLINK_SECONDS, DEVICES, UPLINK_SECONDS):
        moment = at + chance.randrange(_SECOND)
        profile, decoded = _decoded(chance, device)
        eui = f"c0{device:014x}"
        body = {
            "deduplicationId": "constructed",
            "time": datetime.fromtimestamp(moment / _SECOND, UTC).isoformat(timespec="microseconds"),
            "deviceInfo": {
                "tenantName": "constructed",
                "applicationName": "constructed",
                "deviceProfileName": profile,
                "deviceName": f"constructed-{device}",
                "devEui": eui,
            },
            "fCnt": second,
            "fPort": 2,
            "data": "AA==",
            "object": decoded,
            "rxInfo": [{"gatewayId": "constructed", "rssi": -chance.randrange(60, 120), "snr": 7.5}] * 2,
        }
        yield Message(moment, f"application/constructed/device/{eui}/event/up", _encode(body), len(decoded))


def _decoded(chance: random.Random, device: int) -> tuple[str, dict[str, Any]]:
    """By the device: soil moisture as texts, or soil water potential as numbers."""
    if device % 2:
        pressures = {f"potentialwater_{depth}": -round(chance.uniform(5, 900), 1) for depth in (1, 2)}
        temperatures = {f"temp_{depth}": round(chance.uniform(5, 25), 1) for depth in (1, 2)}
        return "Solidos Teros21", {**pressures, **temperatures, "battery_voltage": 3.57}
    return "Dragino LSE01", {
        "BatV": 3.3,
        "temp_SOIL": f"{chance.uniform(5, 25):.2f}",
        "water_SOIL": f"{chance.uniform(5, 45):.2f}",
        "conduct_SOIL": chance.randrange(20, 400),
    }


def _signals(at: int, second: int) -> Iterator[Message]:
    for number in range(INSTALLATIONS):
        name = installation(number)
        if (second + number) % THERMAL_SECONDS == 0:
            body = f"{20 + 5 * math.sin(second / 600):.1f}".encode()
            yield Message(at + number, f"5g/ilsa/{name}/thermal", body, 1, dated=False)
        for group in range(1, GROUPS + 1):
            place = (second + number * 7 + group * 11) % CYCLE_SECONDS
            changed = 0.0
            for state, length in _ASPECTS:
                if changed == place:
                    yield _signal(at + number * 8_000 + group * 97, name, group, state)
                changed += length


def _signal(moment: int, name: str, group: int, state: str) -> Message:
    told = datetime.fromtimestamp(moment / _SECOND, _ZONE)
    text = f"{told:%Y-%m-%dT%H:%M:%S}.{told.microsecond // 1000:03d}Z{told.tzname()}"
    body = {
        "id": f"K{group}/1",
        "signalGroup": {"id": f"K{group}"},
        "timestamp": text,
        "state": state,
        "values": [lamp != "⚪" for lamp in state],
    }
    return Message(moment, f"5g/ilsa/{name}/constructed/K{group}/1", _encode(body), 2)


def _areas(chance: random.Random, at: int, second: int) -> Iterator[Message]:
    for area in range(second % AREA_SECONDS, AREAS, AREA_SECONDS):
        values = {"los": chance.randint(1, 6), "speed": chance.randint(5, 60), "ltj": chance.randint(0, 200)}
        for quantity, value in {**values, "volume": chance.randint(0, 1800)}.items():
            moment = at + chance.randrange(_SECOND)
            yield Message(moment, f"5g/miv/vb/constructed-{area}/{quantity}", b"%d" % value, 1, dated=False)


def _vehicles(chance: random.Random, at: int) -> Message:
    vehicles = [
        {
            "id": number,
            "pos": [50.92, 11.58],
            "lix": 1,
            "turn": chance.randrange(3),
            "speed": round(chance.uniform(0, 70), 1),
            "class": chance.randint(1, 8),
            "length": 4.2,
        }
        for number in range(VEHICLES)
    ]
    return Message(at + 500_000, "5g/miv/efd", _encode(vehicles), EFD_READINGS, dated=False)


def _frames(chance: random.Random, at: int) -> Iterator[Message]:
    for camera in range(CAMERAS):
        for frame in range(FRAMES):
            moment = at + frame * _SECOND // FRAMES + camera * 7_000
            classes = [chance.choice(CLASSES) for _ in range(chance.randrange(7))]
            counts = (moment // _SECOND) % 2 == 0 and frame == 0
            readings = CLASSES_COUNTED + len(set(classes)) if counts else 0
            yield Message(moment, f"5g/traficam/constructed-{camera}", _frame(chance, moment, classes), readings)


def _frame(chance: random.Random, moment: int, classes: list[int]) -> bytes:
    text = datetime.fromtimestamp(moment / _SECOND, _ZONE).isoformat(timespec="milliseconds")
    body: dict[str, Any] = {"messageType": "Data", "type": "TrackUpdate", "dataNumber": "1", "intervalTime": "0.10"}
    body["time"] = text
    if classes:
        body["object"] = [
            {
                "classId": str(code),
                "id": str(900_000 + number),
                "speed": f"{chance.uniform(0, 60):.3f}",
                "lifeTime": "2.1",
                "time": text,
                "gpsCoordinates": [{"heading": "180", "latitude": "50.9211860", "longitude": "11.5818936"}],
            }
            for number, code in enumerate(classes)
        ]
    return _encode(body)

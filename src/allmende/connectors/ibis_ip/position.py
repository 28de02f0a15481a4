"""Where the vehicle is: GNSSLocationService."""

from collections.abc import Mapping
from typing import Any

from allmende.connectors.device_time import read_time
from allmende.connectors.ibis_ip.documents import first, within
from allmende.connectors.messages import Gathered, Refused, number, shown
from allmende.connectors.properties import declare
from allmende.domain.connector import Source
from allmende.domain.records import SensorDeclaration, ThingDeclaration

_SIGNS = {"north": 1, "n": 1, "east": 1, "e": 1, "": 1, "south": -1, "s": -1, "west": -1, "w": -1}
_DIGITS = 5
"""Of a degree: a metre. A vehicle is no more exact."""


def read_position(
    gathered: Gathered,
    source: Source,
    thing: ThingDeclaration,
    sensor: SensorDeclaration,
    data: Mapping[str, Any],
    received_at: int,
) -> None:
    """A GeoJSON point, ``<vehicle>~admin~location``. Speed and heading tell how somebody drives, and are dropped."""
    lat, lon = _degrees(data.get("Latitude"), 90), _degrees(data.get("Longitude"), 180)
    if (lon, lat) == (0, 0):
        raise Refused("no-value", "0, 0 is what a receiver says that has no fix")
    time, flag = _time(data, str(source.settings.get("gnss_time_zone", "UTC")), received_at)
    declared = declare(source, thing, "admin~location", "vehicle-position", sensor, volatile=True)
    gathered.add(declared, time, {"type": "Point", "coordinates": [lon, lat]}, flag)


def _degrees(value: Any, most: int) -> float:
    value = first(value)
    degree = within(value, "Degree") if isinstance(value, Mapping) else value
    sign = _SIGNS.get(str(within(value, "Direction") or "").strip().lower())
    found = number(degree)
    if sign is None or not -most <= found <= most:
        raise Refused("bad-position", f"{shown(value)} are no degrees with a direction")
    return round(found * sign, _DIGITS)


def _time(data: Mapping[str, Any], zone: str, received_at: int) -> tuple[int, str]:
    """``Date`` and ``Time``; either may hold both already."""
    if (stamp := within(data, "TimeStamp")) is not None:
        return read_time(stamp, zone, received_at)
    date, time = within(data, "Date"), within(data, "Time")
    if isinstance(time, str) and "T" in time and not time.startswith("1970-01-01"):
        return read_time(time, zone, received_at)
    if isinstance(date, str) and isinstance(time, str):
        return read_time(f"{date[:10]}T{time.rpartition('T')[2]}", zone, received_at)
    raise Refused("no-time", "the position has no time")

"""Line, destination, stop, delay, doors: what the displays in and at the vehicle show."""

from collections.abc import Mapping
from typing import Any

from allmende.connectors.device_time import read_time
from allmende.connectors.ibis_ip.documents import first, within
from allmende.connectors.messages import Gathered, Refused, shown, whole
from allmende.connectors.properties import declare
from allmende.domain.connector import Source
from allmende.domain.records import Result, SensorDeclaration, ThingDeclaration
from allmende.domain.times import SECOND

_NOTHING = frozenset({"", "noref", "unknown", "undefined"})
_DISPLAYS = ("GlobalDisplayContent", "CurrentDisplayContent", "DisplayContent")
_WORDS = {
    "DoorState": ("vehicle~doors", "door-state"),
    "RouteDeviation": ("vehicle~route", "route-deviation"),
    "LocationState": ("trip~location-state", "location-state"),
}
_LONGEST = 255


def read_trip(
    gathered: Gathered,
    source: Source,
    thing: ThingDeclaration,
    sensor: SensorDeclaration,
    data: Mapping[str, Any],
    at: tuple[int, str],
) -> None:
    """Whatever of it the message says. Raises Refused where that is nothing, or where a value cannot be read."""

    def add(part: str, property_id: str, result: Result) -> None:
        nonlocal said
        said += 1
        gathered.add(declare(source, thing, part, property_id, sensor), at[0], result, at[1])

    said = 0
    trip = first(data.get("TripInformation"))
    stop = _stop(data, trip)
    display = _display(data, trip, stop)
    line = _word(within(display, "LineInformation", "LineShortName"))
    line = line or _word(within(display, "LineInformation", "LineName"))
    line = line or _word(within(display, "LineInformation", "LineNumber"))
    texts = {
        "trip~line": ("transit-line", line),
        "trip~destination": ("transit-destination", _word(within(display, "Destination", "DestinationName"))),
        "stop~ref": ("transit-stop", _word(within(stop, "StopRef"))),
        "stop~name": ("transit-stop-name", _word(within(stop, "StopName"))),
    }
    for name, (part, property_id) in _WORDS.items():
        told = data.get(name, trip.get(name) if isinstance(trip, Mapping) else None)
        texts[part] = (property_id, _word(first(told)))
    for part, (property_id, text) in texts.items():
        if text:
            add(part, property_id, text)
    delay = _delay(data, trip, stop, source, at[0])
    if delay is not None:
        add("trip~delay", "schedule-deviation", delay)
    requested = first(data.get("VehicleStopRequested"))
    if requested is not None:
        add("vehicle~stop-requested", "stop-requested", _truth(requested))
    if not said:
        raise Refused("unknown-message", "it says neither line, stop, delay nor doors")


def _stop(data: Mapping[str, Any], trip: Any) -> Any:
    """The current stop: by itself, or the one of the sequence that the index names."""
    if (stop := within(data, "CurrentStopPoint")) is not None:
        return stop
    index = first(data.get("CurrentStopIndex", within(trip, "CurrentStopIndex")))
    points = within(trip, "StopSequence")
    points = points.get("StopPoint") if isinstance(points, Mapping) else points
    if index is None or points is None:
        return None
    listed = points if isinstance(points, list) else [points]
    for stop in listed:
        if str(within(stop, "StopIndex")) == str(index):
            return stop
    raise Refused("bad-value", "none of the stops has the index of the current one")


def _display(data: Mapping[str, Any], trip: Any, stop: Any) -> Any:
    for place in (data, trip, stop):
        for name in _DISPLAYS:
            if (found := within(place, name)) is not None:
                return found
    return None


def _word(value: Any) -> str:
    """A text; "" where there is none or it says that there is none. Raises Refused for what is no text."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if value is None or value == {} or value == []:
        return ""
    if not isinstance(value, str) or len(value) > _LONGEST:
        raise Refused("bad-value", f"{shown(value)} is no text of a display")
    return "" if value.strip().lower() in _NOTHING else value.strip()


def _truth(value: Any) -> bool:
    found = {"true": True, "1": True, "false": False, "0": False}.get(str(value).strip().lower())
    if found is None:
        raise Refused("bad-value", "VehicleStopRequested is neither true nor false")
    return found


def _delay(data: Mapping[str, Any], trip: Any, stop: Any, source: Source, near: int) -> int | None:
    """Seconds late, below 0 early: what the vehicle says, or else what it expects against what was planned."""
    told = first(data.get("TimetableDelay", within(trip, "TimetableDelay")))
    if told is not None:
        return whole(told)
    for event in ("Arrival", "Departure"):
        expected, planned = within(stop, f"{event}Expected"), within(stop, f"{event}Scheduled")
        if expected and planned:
            times = [read_time(text, source.time_zone, near)[0] for text in (expected, planned)]
            return (times[0] - times[1]) // SECOND
    return None

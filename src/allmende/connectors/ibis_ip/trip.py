"""Line, destination, stop, delay, doors: what the displays in and at the vehicle show."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, NamedTuple

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
_LINES = ("LineShortName", "LineName", "LineNumber")
_OF_STOP = (("StopRef", "stop~ref", "transit-stop"), ("StopName", "stop~name", "transit-stop-name"))
_TIMES = ("ArrivalExpected", "ArrivalScheduled", "DepartureExpected", "DepartureScheduled")
_LONGEST = 255

Refuse = Callable[[Refused, str, Mapping[str, Any]], None]
"""Keeps what cannot be read: why, the stream's part, and a message that says nothing else."""


class _Value(NamedTuple):
    part: str
    property_id: str
    read: Callable[[], Result]
    alone: Mapping[str, Any]


class _Lost(Refused):
    """The stop that the vehicle names is none of its stops."""

    def __init__(self, alone: Mapping[str, Any]) -> None:
        super().__init__("bad-value", "none of the stops has the index of the current one")
        self.alone = alone


def read_trip(
    gathered: Gathered,
    source: Source,
    thing: ThingDeclaration,
    sensor: SensorDeclaration,
    data: Mapping[str, Any],
    at: tuple[int, str],
    refuse: Refuse,
) -> None:
    """Whatever of it the message says, each value by itself. Raises Refused where that is nothing."""
    said = 0
    trip = first(data.get("TripInformation"))
    try:
        stop = _stop(data, trip)
    except _Lost as lost:
        refuse(lost, "stop", lost.alone)
        stop, said = None, 1
    for part, property_id, read, alone in _values(data, trip, stop, source, at[0]):
        try:
            result = read()
        except Refused as refused:
            said += 1
            refuse(refused, part, alone)
            continue
        if result is not None and result != "":
            said += 1
            gathered.add(declare(source, thing, part, property_id, sensor), at[0], result, at[1])
    if not said:
        raise Refused("unknown-message", "it says neither line, stop, delay nor doors")


def _values(data: Mapping[str, Any], trip: Any, stop: Any, source: Source, near: int) -> Iterator[_Value]:
    """What may be said, how it is read, and a message that says nothing else."""
    display = _display(data, trip, stop)
    line = next((found for name in _LINES if _says(found := within(display, "LineInformation", name))), None)
    shown = {"LineInformation": {"LineShortName": line}}
    yield _Value("trip~line", "transit-line", partial(_word, line), {"GlobalDisplayContent": shown})
    name = within(display, "Destination", "DestinationName")
    shown = {"Destination": {"DestinationName": name}}
    yield _Value("trip~destination", "transit-destination", partial(_word, name), {"GlobalDisplayContent": shown})
    for key, part, property_id in _OF_STOP:
        told = within(stop, key)
        yield _Value(part, property_id, partial(_word, told), {"CurrentStopPoint": {key: told}})
    for key, (part, property_id) in _WORDS.items():
        told = first(data.get(key, trip.get(key) if isinstance(trip, Mapping) else None))
        yield _Value(part, property_id, partial(_word, told), {key: told})
    told = first(data.get("TimetableDelay", within(trip, "TimetableDelay")))
    if told is not None:
        yield _Value("trip~delay", "schedule-deviation", partial(whole, told), {"TimetableDelay": told})
    else:
        times = {key: within(stop, key) for key in _TIMES}
        read = partial(_delay, times, source, near)
        yield _Value("trip~delay", "schedule-deviation", read, {"CurrentStopPoint": times})
    told = first(data.get("VehicleStopRequested"))
    alone = {"VehicleStopRequested": told}
    yield _Value("vehicle~stop-requested", "stop-requested", partial(_truth, told), alone)


def _stop(data: Mapping[str, Any], trip: Any) -> Any:
    """The current stop: by itself, or the one of the sequence that the index names. Raises _Lost."""
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
    known = [{"StopIndex": within(stop, "StopIndex")} for stop in listed]
    raise _Lost({"CurrentStopIndex": index, "TripInformation": {"StopSequence": {"StopPoint": known}}})


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


def _says(value: Any) -> bool:
    """Whether it is more than nothing: what cannot be read says something."""
    try:
        return _word(value) != ""
    except Refused:
        return True


def _truth(value: Any) -> bool | None:
    if value is None:
        return None
    found = {"true": True, "1": True, "false": False, "0": False}.get(str(value).strip().lower())
    if found is None:
        raise Refused("bad-value", "VehicleStopRequested is neither true nor false")
    return found


def _delay(times: Mapping[str, Any], source: Source, near: int) -> int | None:
    """Seconds late, below 0 early: what the vehicle expects against what was planned."""
    for event in ("Arrival", "Departure"):
        expected, planned = times[f"{event}Expected"], times[f"{event}Scheduled"]
        if expected and planned:
            first_, second = (read_time(text, source.time_zone, near)[0] for text in (expected, planned))
            return (first_ - second) // SECOND
    return None

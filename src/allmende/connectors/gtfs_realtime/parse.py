"""A feed to counts, delays and alerts of lines and stops."""

import re
from collections import defaultdict
from statistics import median
from typing import Any

from allmende.connectors.gathering import Gathered, Refused, position, refuse_all, shown, text
from allmende.connectors.gtfs_realtime.feed import CANCELED, SKIPPED, alone, read_feed
from allmende.connectors.gtfs_realtime.tables import Names
from allmende.connectors.messages import VOLATILE
from allmende.connectors.quantities import Quantities
from allmende.domain.connector import Payload, Source
from allmende.domain.records import Parsed, Result, SensorDeclaration, ThingDeclaration
from allmende.domain.times import SECOND, parse_duration

_ID = re.compile(r"[^\x00-\x1f\x7f\ud800-\udfff]{1,120}\Z")
_SENSOR = SensorDeclaration(id="gtfs-realtime", name="GTFS-Realtime", metadata="https://gtfs.org/realtime/")
_AHEAD = 82_800
"""Seconds that an alert may begin after the feed's time: the house takes no reading from further ahead than a day."""
_DIGITS, _MOST_DIGITS = 3, 5
_LONGEST = 2000
"""Characters of an alert's text that are kept."""


def parse(payload: Payload, source: Source) -> Parsed:
    """The state at the feed's time; a rejection for each entity that cannot be read."""
    try:
        message = read_feed(payload.body)
    except Refused as refused:
        return refuse_all(payload, refused.code, refused.reason)
    return _Reader(source, message).read()


class _Line:
    """What the feed says of one line."""

    def __init__(self) -> None:
        self.trips = self.cancelled = 0
        self.delays: list[int] = []
        self.places: list[list[float]] = []
        self.vehicles = 0
        self.alerts = 0
        self.texts: dict[int, list[dict[str, Any]]] = defaultdict(list)


class _Reader:
    def __init__(self, source: Source, message: Any) -> None:
        self._source = source
        self._message = message
        self._seconds = int(message.header.timestamp)
        self._quantities = Quantities(source)
        self._names = Names(source)
        self._gathered = Gathered()
        self._lines: dict[str, _Line] = defaultdict(_Line)
        self._stops: dict[str, list[int]] = defaultdict(list)
        settings = source.settings
        self._chosen, self._watched, self._prefixes = (
            tuple(str(item) for item in settings[key]) if isinstance(settings.get(key), list) else ()
            for key in ("lines", "stops", "stop_prefixes")
        )
        ahead = settings.get("ahead")
        self._ahead = parse_duration(ahead if isinstance(ahead, str) else "PT30M") // SECOND
        digits = settings.get("digits")
        self._digits = digits if isinstance(digits, int) and 0 <= digits <= _MOST_DIGITS else _DIGITS
        self._prefix = str(settings.get("prefix") or source.id)

    def read(self) -> Parsed:
        """Every entity once, then each line and stop."""
        told = {"trip_update": False, "vehicle": False, "alert": False}
        seen: set[str] = set()
        for index, entity in enumerate(self._message.entity):
            if entity.id in seen or entity.is_deleted:
                continue
            seen.add(entity.id)
            try:
                if entity.HasField("trip_update"):
                    told["trip_update"] = True
                    self._trip(entity.trip_update)
                if entity.HasField("vehicle"):
                    told["vehicle"] = True
                    self._vehicle(entity.vehicle)
                if entity.HasField("alert"):
                    told["alert"] = True
                    self._alert(entity.alert)
            except Refused as refused:
                self._gathered.refuse(refused, alone(self._message, entity), f"entity {index + 1}")
        for id_, line in sorted(self._lines.items()):
            self._give_line(id_, line, told)
        for id_, delays in sorted(self._stops.items()):
            name, place = self._names.stop(id_)
            thing = self._thing("stop", id_, name, place=place)
            self._give(thing, "delay", self._seconds, float(median(delays)))
        return self._gathered.parsed()

    def _trip(self, update: Any) -> None:
        stops = [stop.stop_id for stop in update.stop_time_update]
        id_ = self._line_of(update.trip)
        if not self._wanted(id_, stops):
            return
        line = self._lines[id_]
        if update.trip.schedule_relationship == CANCELED:
            line.cancelled += 1
            return
        line.trips += 1
        told = []
        for stop in update.stop_time_update:
            event = stop.departure if stop.HasField("departure") else stop.arrival
            if stop.schedule_relationship == SKIPPED or not event.HasField("delay"):
                continue
            told.append((event.time if event.HasField("time") else None, event.delay, stop.stop_id))
        for time, delay, stop_id in told:
            soon = time is not None and self._seconds - 60 <= time <= self._seconds + self._ahead
            if soon and self._watches(stop_id):
                self._stops[self._checked(stop_id)].append(delay)
        following = next((delay for time, delay, _ in told if time is not None and time >= self._seconds), None)
        if following is not None:
            line.delays.append(following)
        elif told:
            line.delays.append(told[-1][1])
        elif update.HasField("delay"):
            line.delays.append(update.delay)

    def _vehicle(self, vehicle: Any) -> None:
        id_ = self._line_of(vehicle.trip)
        if not self._wanted(id_, [vehicle.stop_id]):
            return
        line = self._lines[id_]
        line.vehicles += 1
        where = (
            position(vehicle.position.longitude, vehicle.position.latitude) if vehicle.HasField("position") else None
        )
        if where is not None:
            line.places.append([round(where.lon, self._digits), round(where.lat, self._digits)])

    def _alert(self, alert: Any) -> None:
        spans = [(span.start, span.end or 2**62) for span in alert.active_period] or [(0, 2**62)]
        holds = any(start <= self._seconds < end for start, end in spans)
        begin = min(start for start, _ in spans)
        said = {
            "header": _text(alert.header_text),
            "description": _text(alert.description_text),
            "cause": _name(alert, "cause"),
            "effect": _name(alert, "effect"),
        }
        for id_ in sorted({entity.route_id for entity in alert.informed_entity if entity.route_id}):
            if not self._wanted(id_, self._prefixes):
                continue
            line = self._lines[self._checked(id_)]
            line.alerts += holds
            if 0 < begin <= self._seconds + _AHEAD and said not in line.texts[begin]:
                line.texts[begin].append(said)

    def _line_of(self, trip: Any) -> str:
        id_ = trip.route_id or self._names.line_of(trip.trip_id)
        if not id_:
            raise Refused("no-line", "the trip does not say its line, and no table (trips.txt) knows it")
        return self._checked(id_)

    def _checked(self, id_: str) -> str:
        if not _ID.match(id_):
            raise Refused("no-identity", f"{shown(id_)} cannot be the id of a line or stop")
        return id_

    def _wanted(self, line: str, stops: Any) -> bool:
        if self._chosen and line not in self._chosen:
            return False
        return not self._prefixes or any(stop.startswith(self._prefixes) for stop in stops)

    def _watches(self, stop: str) -> bool:
        return stop in self._watched or bool(self._prefixes and stop.startswith(self._prefixes))

    def _give_line(self, id_: str, line: _Line, told: dict[str, bool]) -> None:
        thing = self._thing("line", id_, self._names.line(id_))
        if told["trip_update"]:
            self._give(thing, "trips", self._seconds, line.trips)
            self._give(thing, "cancelled", self._seconds, line.cancelled)
            if line.delays:
                self._give(thing, "delay", self._seconds, float(median(line.delays)))
        if told["vehicle"]:
            self._give(thing, "vehicles", self._seconds, line.vehicles)
            if self._source.settings.get("positions") is True and line.places:
                places = {"type": "MultiPoint", "coordinates": sorted(line.places)}
                self._give(thing, "positions", self._seconds, places)
        if told["alert"]:
            self._give(thing, "alerts", self._seconds, line.alerts)
            for begin, texts in sorted(line.texts.items()):
                self._give(thing, "alert", begin, sorted(texts, key=repr))

    def _give(self, thing: ThingDeclaration, name: str, seconds: int, value: Result) -> None:
        declared = self._quantities.declare(name, thing, _SENSOR, properties=VOLATILE if name == "positions" else None)
        self._gathered.add(declared, seconds * SECOND, value)

    def _thing(self, kind: str, id_: str, name: str, *, place: Any = None) -> ThingDeclaration:
        own = f"{self._prefix}-{kind}-{id_}"
        known = self._source.things.get(own)
        return ThingDeclaration(
            id=own,
            name=known.name if known else name,
            properties={"kind": f"transit-{kind}", f"{'route' if kind == 'line' else 'stop'}_id": id_},
            position=place,
        )


def _text(translated: Any) -> str:
    """German where there is any, else the first."""
    found = {part.language.partition("-")[0]: part.text for part in reversed(translated.translation)}
    return text(found.get("de") or found.get("") or next(iter(found.values()), ""))[:_LONGEST]


def _name(alert: Any, field: str) -> str:
    """The name of an enumerated value; "" for one that the library does not know."""
    kind = alert.DESCRIPTOR.fields_by_name[field].enum_type
    value = kind.values_by_number.get(getattr(alert, field))
    return value.name.lower().replace("_", "-") if value is not None and alert.HasField(field) else ""

"""Status of stations and free-floating vehicles, in the words of versions 2 and 3."""

from collections.abc import Mapping
from typing import Any

import msgspec

from allmende.connectors.gathering import (
    Gathered,
    Refused,
    identity,
    listed,
    position,
    read_json,
    refuse_all,
    shown,
    table,
    text,
    whole,
)
from allmende.connectors.gbfs.areas import areas_of
from allmende.connectors.quantities import Quantities
from allmende.domain.connector import Payload, Source
from allmende.domain.errors import ConfigurationError, InvalidInput
from allmende.domain.records import Parsed, Position, SensorDeclaration, ThingDeclaration
from allmende.domain.times import SECOND, parse_instant

_PARTS = ("information", "status", "vehicles")
_COUNTS = {
    "num_bikes_available": "vehicles",
    "num_vehicles_available": "vehicles",
    "num_docks_available": "docks",
}
_SENSOR = SensorDeclaration(id="gbfs", name="GBFS", metadata="https://gbfs.org/")
_ANYBODY = "x"
"""Stands for a vehicle's id in what is kept."""


def parse(payload: Payload, source: Source) -> Parsed:
    """Counts of stations and areas; a rejection for each station, value or vehicle that cannot be read."""
    try:
        parts = _parts(read_json(payload.body))
        reader = _Reader(source, _descriptions(parts.get("information")))
        if "status" in parts:
            reader.stations(parts["status"])
        if "vehicles" in parts:
            reader.vehicles(parts["vehicles"])
    except Refused as refused:
        return refuse_all(payload, refused.code, refused.reason)
    except ConfigurationError as error:
        return refuse_all(payload, "bad-configuration", str(error))
    return reader.gathered.parsed()


def _parts(document: Any) -> dict[str, Any]:
    """What ``fetch`` put together, or one file by itself."""
    said = table(document)
    if any(part in said for part in ("status", "vehicles")):
        return {part: said[part] for part in _PARTS if part in said}
    data = table(said.get("data"))
    if "bikes" in data or "vehicles" in data:
        return {"vehicles": document}
    if "stations" in data:
        return {"status": document}
    raise Refused("no-status", "the document holds neither the status of stations nor vehicles")


def _descriptions(information: Any) -> dict[str, Mapping[str, Any]]:
    stations = listed(table(table(information).get("data")).get("stations"))
    return {str(table(station).get("station_id")): table(station) for station in stations}


class _Reader:
    def __init__(self, source: Source, described: dict[str, Mapping[str, Any]]) -> None:
        self.gathered = Gathered()
        self._source = source
        self._described = described
        self._quantities = Quantities(source)
        self._prefix = str(source.settings.get("prefix") or source.id)

    def stations(self, document: Any) -> None:
        """Every station of ``station_status``."""
        stations = table(table(document).get("data")).get("stations")
        if not isinstance(stations, list):
            raise Refused("no-stations", "the status has no list of stations")
        for index, station in enumerate(stations):
            self._station(table(station), f"stations[{index}]")

    def _station(self, said: Mapping[str, Any], where: str) -> None:
        try:
            id_ = identity(said.get("station_id"), "station_id")
            time = _moment(said.get("last_reported"), "last_reported")
            counts = {key: said[key] for key in _COUNTS if said.get(key) is not None}
            if not {_COUNTS[key] for key in counts} >= {"vehicles"}:
                raise Refused("no-counts", "the station does not say how many vehicles can be had")
            renting = _truth(said.get("is_renting"), "is_renting")
        except Refused as refused:
            self.gathered.refuse(refused, self._alone(dict(said)), where)
            return
        thing = self._thing(id_)
        for key, value in counts.items():
            try:
                declared = self._quantities.declare(_COUNTS[key], thing, _SENSOR)
                self.gathered.add(declared, time, whole(value, key), "" if renting else "not-renting")
            except Refused as refused:
                kept = {name: said[name] for name in ("station_id", "last_reported", "is_renting", key)}
                # the count of vehicles is what a station has to say
                kept.setdefault("num_bikes_available", None)
                self.gathered.refuse(refused, self._alone(kept), f"{where}, {key}")

    def vehicles(self, document: Any) -> None:
        """Free-floating vehicles by area; none is counted where one cannot be read."""
        data, kept = table(table(document).get("data")), {"last_updated": table(document).get("last_updated")}
        vehicles = data.get("vehicles", data.get("bikes"))
        try:
            time = _moment(kept["last_updated"], "last_updated")
            if not isinstance(vehicles, list):
                raise Refused("no-vehicles", "the file has no list of vehicles")
        except Refused as refused:
            # whatever else it holds names vehicles
            self.gathered.refuse(refused, msgspec.json.encode({"vehicles": kept}), "vehicles")
            return
        areas = areas_of(self._source)
        places: dict[str, Position] = {}
        complete = True
        for index, vehicle in enumerate(vehicles):
            try:
                id_, place = _vehicle(table(vehicle))
                if place is not None:
                    places[id_] = place
            except Refused as refused:
                complete = False
                body = msgspec.json.encode({"vehicles": kept | {"data": {"vehicles": [_nameless(vehicle)]}}})
                self.gathered.refuse(refused, body, f"vehicles[{index}]")
        if not complete:
            return
        for area in areas:
            thing = ThingDeclaration(
                id=f"{self._prefix}-area-{area.id}",
                name=area.name,
                properties={"kind": "sharing-area", "area": area.id},
                position=area.middle,
            )
            count = sum(area.holds(place) for place in places.values())
            self.gathered.add(self._quantities.declare("parked", thing, _SENSOR), time, count)

    def _thing(self, id_: str) -> ThingDeclaration:
        own = f"{self._prefix}-station-{id_}"
        said, known = self._described.get(id_, {}), self._source.things.get(own)
        capacity = said.get("capacity")
        facts = {"capacity": capacity} if isinstance(capacity, int) and not isinstance(capacity, bool) else {}
        return ThingDeclaration(
            id=own,
            name=known.name if known else (_name(said.get("name")) or id_),
            properties={"kind": "sharing-station", "station": id_, **facts},
            position=position(said.get("lon"), said.get("lat")),
        )

    def _alone(self, station: dict[str, Any]) -> bytes:
        """A document with this station alone, and what describes it."""
        described = self._described.get(str(station.get("station_id")))
        document: dict[str, Any] = {"status": {"data": {"stations": [station]}}}
        if described:
            document["information"] = {"data": {"stations": [described]}}
        return msgspec.json.encode(document)


def _vehicle(said: Mapping[str, Any]) -> tuple[str, Position | None]:
    """Id and place; no place for one that cannot be had, or stands at a station."""
    id_ = identity(said.get("vehicle_id", said.get("bike_id")), "the id of a vehicle")
    away = _truth(said.get("is_reserved"), "is_reserved") or _truth(said.get("is_disabled"), "is_disabled")
    if away or said.get("station_id"):
        return id_, None
    place = position(said.get("lon"), said.get("lat"))
    if place is None:
        raise Refused("no-place", "the vehicle has no place")
    return id_, place


def _nameless(vehicle: Any) -> Any:
    """A vehicle without what tells it from others: id, links, and all but two digits of its place."""
    said = table(vehicle)
    kept = {key: said[key] for key in ("is_reserved", "is_disabled") if key in said}
    for key in ("vehicle_id", "bike_id"):
        if key in said:
            good = isinstance(said[key], str | int) and not isinstance(said[key], bool) and said[key] != ""
            kept[key] = _ANYBODY if good else said[key]
    for key in ("lon", "lat"):
        if key in said:
            kept[key] = round(said[key], 2) if isinstance(said[key], float) else said[key]
    return kept if said else vehicle


def _moment(said: Any, what: str) -> int:
    """Seconds since 1970 (version 2) or a time with its offset (version 3)."""
    if isinstance(said, int) and not isinstance(said, bool) and 0 < said < 2**33:
        return said * SECOND
    try:
        return parse_instant(said if isinstance(said, str) else "")
    except InvalidInput:
        raise Refused("bad-time", f"{what} is {shown(said)}, not seconds since 1970 or a time with offset") from None


def _truth(said: Any, what: str) -> bool:
    """A boolean; version 1 wrote 0 and 1."""
    if isinstance(said, bool) or (isinstance(said, int) and said in (0, 1)):
        return bool(said)
    raise Refused("bad-state", f"{what} is {shown(said)}, not true or false")


def _name(said: Any) -> str:
    """A name: a text (version 2), or a list of texts by language (version 3), German first."""
    if isinstance(said, str):
        return text(said)
    names = {str(table(one).get("language")): text(table(one).get("text")) for one in listed(said)}
    return names.get("de") or next((name for name in names.values() if name), "")

"""Stations with their current values, or the measurements of one series together with what says whose they are."""

import re
from typing import Any

import msgspec

from allmende.connectors.gathering import (
    Gathered,
    Refused,
    listed,
    number,
    position,
    read_json,
    refuse_all,
    shown,
    table,
    text,
)
from allmende.connectors.quantities import Quantities
from allmende.domain.connector import Payload, Source
from allmende.domain.errors import InvalidInput
from allmende.domain.records import Declaration, Parsed, SensorDeclaration, ThingDeclaration
from allmende.domain.times import parse_instant

_STATION = ("uuid", "number", "shortname", "longname", "km", "agency", "longitude", "latitude", "water")
_NUMBER = re.compile(r"[0-9]{3,12}\Z", re.ASCII)


def parse(payload: Payload, source: Source) -> Parsed:
    """The current value of each known series of each station, or all measurements of one."""
    try:
        document = read_json(payload.body)
        reader = _Reader(source)
        if isinstance(document, list):
            for index, station in enumerate(document):
                reader.station(station, f"[{index}]")
        elif isinstance(document, dict) and "measurements" in document:
            reader.measurements(document)
        elif isinstance(document, dict) and "timeseries" in document:
            reader.station(document, "")
        else:
            raise Refused("no-stations", "the document is neither a list of stations nor one series")
    except Refused as refused:
        return refuse_all(payload, refused.code, refused.reason)
    return reader.gathered.parsed()


class _Reader:
    def __init__(self, source: Source) -> None:
        self.gathered = Gathered()
        self._source = source
        self._quantities = Quantities(source)
        self._units = table(source.settings.get("units"))

    def station(self, station: Any, where: str) -> None:
        """One element of the list of stations."""
        try:
            if not isinstance(table(station).get("timeseries"), list):
                raise Refused("no-series", "the station lists no timeseries")
            thing = self._thing(station)
        except Refused as refused:
            self.gathered.refuse(refused, msgspec.json.encode([station]), where)
            return
        for series in listed(station["timeseries"]):
            place = f"{where} {thing.name}, {shown(table(series).get('shortname'))}".strip()
            try:
                declared = self._declare(thing, series)
                if declared is None:
                    continue
                current = table(series).get("currentMeasurement")
                if current is not None:
                    self._value(declared, current)
                else:
                    self.gathered.declare(declared)
            except Refused as refused:
                kept = {key: station[key] for key in _STATION if key in station} | {"timeseries": [series]}
                self.gathered.refuse(refused, msgspec.json.encode([kept]), place)

    def measurements(self, document: dict[str, Any]) -> None:
        """What ``fetch`` makes of one series: ``{"station", "series", "measurements"}``."""
        declared = self._declare(self._thing(document.get("station")), document.get("series"))
        if declared is None:
            raise Refused("unknown-quantity", f"{shown(document.get('series'))} is no quantity of the settings")
        if not isinstance(document["measurements"], list):
            raise Refused("no-measurements", "measurements is no list")
        for index, entry in enumerate(document["measurements"]):
            try:
                self._value(declared, entry)
            except Refused as refused:
                body = msgspec.json.encode({**document, "measurements": [entry]})
                self.gathered.refuse(refused, body, f"measurements[{index}]")

    def _value(self, declared: Declaration, entry: Any) -> None:
        if not isinstance(entry, dict) or "value" not in entry:
            raise Refused("no-value", "a measurement has a timestamp and a value")
        self.gathered.declare(declared)
        if entry["value"] is None:
            return
        value = float(number(entry["value"], "value"))
        said = entry.get("timestamp")
        try:
            time = parse_instant(said if isinstance(said, str) else "")
        except InvalidInput as error:
            raise Refused("bad-time", str(error)) from None
        self.gathered.put(declared.stream, time, value)

    def _declare(self, thing: ThingDeclaration, series: Any) -> Declaration | None:
        """None for a quantity that is left out."""
        said = table(series)
        name = said.get("shortname")
        if not isinstance(name, str):
            raise Refused("no-identity", "a series has no shortname")
        if not self._quantities.knows(name):
            return None
        unit = self._units.get(said["unit"]) if isinstance(said.get("unit"), str) else None
        if not isinstance(unit, str):
            raise Refused("unknown-unit", f"{name} is measured in {shown(said.get('unit'))}, which is not known")
        zero = table(said.get("gaugeZero"))
        properties: dict[str, Any] = {"raw": True}
        if zero and name == "W":
            properties["gauge_zero"] = {key: zero[key] for key in ("unit", "value", "validFrom") if key in zero}
        sensor = SensorDeclaration(id="pegelonline", name="PEGELONLINE", metadata="https://www.pegelonline.wsv.de/")
        return self._quantities.declare(name, thing, sensor, unit=unit, properties=properties)

    def _thing(self, station: Any) -> ThingDeclaration:
        said = table(station)
        number_ = said.get("number")
        if not isinstance(number_, str) or not _NUMBER.match(number_):
            raise Refused("no-identity", f"{shown(number_)} is no number of a gauge")
        name = text(said.get("longname")) or text(said.get("shortname")) or number_
        water = text(table(said.get("water")).get("longname"))
        id_ = f"pegel-{number_}"
        known = self._source.things.get(id_)
        facts = {
            "kind": "gauge",
            "number": number_,
            "uuid": text(said.get("uuid")),
            "water": water,
            "agency": text(said.get("agency")),
        }
        km = said.get("km")
        if isinstance(km, int | float) and not isinstance(km, bool):
            facts["river_km"] = km
        return ThingDeclaration(
            id=id_,
            name=known.name if known else (f"{name.title()} ({water.title()})" if water else name.title()),
            description=f"Pegel {name}, {water}" if water else f"Pegel {name}",
            properties={key: value for key, value in facts.items() if value != ""},
            position=position(said.get("longitude"), said.get("latitude")),
        )

"""The answer for an area: a list of reports, each of one sensor at one time."""

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
    whole,
)
from allmende.connectors.quantities import Quantities
from allmende.domain.connector import Payload, Source
from allmende.domain.errors import InvalidInput
from allmende.domain.records import Parsed, Position, SensorDeclaration, ThingDeclaration
from allmende.domain.times import parse_instant

_BARE = re.compile(r"\d{4}-\d{2}-\d{2}[ T]\d{2}:\d{2}:\d{2}(?:\.\d{1,6})?\Z", re.ASCII)
_DUST = frozenset({"P0", "P1", "P2", "P4"})
_STUCK = 99.9
_DIGITS = 3


def parse(payload: Payload, source: Source) -> Parsed:
    """Every value of every outdoor sensor; a rejection for each value or report that cannot be read."""
    try:
        document = read_json(payload.body)
        if not isinstance(document, list):
            raise Refused("no-reports", "the document is no list of reports")
    except Refused as refused:
        return refuse_all(payload, refused.code, refused.reason)
    reader = _Reader(source, _humidities(document))
    for index, report in enumerate(document):
        reader.read(report, f"[{index}]")
    return reader.gathered.parsed()


def _humidities(document: list[Any]) -> dict[str, float]:
    """The highest humidity that is told at each place."""
    found: dict[str, float] = {}
    for report in document:
        place = _place(report)
        for entry in listed(table(report).get("sensordatavalues")):
            if table(entry).get("value_type") == "humidity" and place:
                try:
                    found[place] = max(found.get(place, 0.0), float(number(entry.get("value"), "humidity")))
                except Refused:
                    continue  # it is rejected where it is read
    return found


def _place(report: Any) -> str:
    """What sensors of one device have in common."""
    id_ = table(table(report).get("location")).get("id")
    return str(id_) if isinstance(id_, int | str) and not isinstance(id_, bool) else ""


class _Reader:
    def __init__(self, source: Source, humidities: dict[str, float]) -> None:
        self.gathered = Gathered()
        self._source = source
        self._quantities = Quantities(source)
        self._humidities = humidities
        ignored = source.settings.get("ignore")
        self._ignored = {str(name) for name in ignored} if isinstance(ignored, list) else set()
        self._humid = source.settings.get("humid_above")

    def read(self, report: Any, where: str) -> None:
        """One report."""
        said = table(report)
        try:
            indoor = table(said.get("location")).get("indoor")
            if indoor == 1:
                return  # somebody's room
            if indoor != 0 or isinstance(indoor, bool):
                raise Refused("no-place", "the report does not say whether the sensor hangs in a room")
            thing, device = self._thing(said), self._device(said)
            time = _time(said.get("timestamp"))
            if not isinstance(said.get("sensordatavalues"), list):
                raise Refused("no-values", "the report has no list sensordatavalues")
        except Refused as refused:
            self.gathered.refuse(refused, _alone(said, said.get("sensordatavalues")), where)
            return
        for entry in said["sensordatavalues"]:
            name = table(entry).get("value_type")
            if isinstance(name, str) and name in self._ignored:
                continue
            try:
                if not isinstance(name, str) or not self._quantities.knows(name):
                    raise Refused("unknown-quantity", f"the settings do not say what {shown(name)} is")
                value = float(number(table(entry).get("value"), name))
                flag = self._flag(name, value, _place(said))
                declared = self._quantities.declare(name, thing, device, properties={"origin": "citizens"})
                self.gathered.add(declared, time, value, flag)
            except Refused as refused:
                self.gathered.refuse(refused, _alone(said, [entry]), f"{where}, {shown(name)}")

    def _flag(self, name: str, value: float, place: str) -> str:
        if name == "humidity" and _STUCK <= value <= 100:
            return "saturated"
        humid = isinstance(self._humid, int | float) and self._humidities.get(place, 0.0) > self._humid
        return "humid-air" if name in _DUST and humid else ""

    def _thing(self, said: Any) -> ThingDeclaration:
        sensor, location = table(said.get("sensor")), table(said.get("location"))
        id_ = str(whole(sensor.get("id"), "sensor.id"))
        model = text(table(sensor.get("sensor_type")).get("name"))
        return ThingDeclaration(
            id=f"sc-{id_}",
            name=f"{model} {id_}".strip(),
            description=f"Sensor.Community {id_}",
            properties={"kind": "citizen-sensor", "sensor": id_, "model": model, "digits": self._digits()},
            position=self._coarse(position(location.get("longitude"), location.get("latitude"))),
        )

    def _digits(self) -> int:
        said = self._source.settings.get("digits")
        return said if isinstance(said, int) and not isinstance(said, bool) and 0 <= said <= _DIGITS else _DIGITS

    def _coarse(self, exact: Position | None) -> Position | None:
        return exact and Position(round(exact.lon, self._digits()), round(exact.lat, self._digits()))

    def _device(self, said: Any) -> SensorDeclaration:
        kind = table(table(said.get("sensor")).get("sensor_type"))
        model = text(kind.get("name"))[:60] or "unknown"
        maker = text(kind.get("manufacturer"))[:60]
        id_ = re.sub(r"[^a-z0-9]+", "-", model.casefold()).strip("-") or "unknown"
        return SensorDeclaration(id=f"sensor-community-{id_}", name=f"{maker} {model}".strip())


def _time(said: Any) -> int:
    """UTC where nothing else is said, as the service documents."""
    if not isinstance(said, str):
        raise Refused("bad-time", f"{shown(said)} is no time")
    try:
        return parse_instant(f"{said}Z" if _BARE.match(said) else said)
    except InvalidInput as error:
        raise Refused("bad-time", str(error)) from None


def _alone(said: Any, values: Any) -> bytes:
    """The report with these values alone, at the coarse place."""
    location = {key: value for key, value in table(said.get("location")).items() if key in ("id", "indoor")}
    kept = {key: said[key] for key in ("timestamp", "sensor") if key in said}
    return msgspec.json.encode([kept | {"location": location, "sensordatavalues": values}])

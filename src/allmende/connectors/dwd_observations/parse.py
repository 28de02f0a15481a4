"""Tables of station and time: from a ZIP of the Climate Data Center, or as a CSV."""

import csv
import io
import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from allmende.connectors.gathering import Gathered, Refused, identity, number, position, refuse_all, shown
from allmende.connectors.localtime import place_local, zone_of
from allmende.connectors.quantities import Quantities
from allmende.domain.connector import Payload, Source
from allmende.domain.errors import ConfigurationError
from allmende.domain.records import Declaration, Parsed, SensorDeclaration, ThingDeclaration

_SENSOR = SensorDeclaration(
    id="dwd-station", name="DWD weather station", metadata="https://www.dwd.de/stationsbeschreibung"
)
_PADDED = re.compile(r"[0-9]{1,5}\Z", re.ASCII)
_DIGITS = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{2})?\Z", re.ASCII)
_UTC_SINCE = 2000
_MOST = 2**28
_ZIP_ERRORS = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError, ValueError)


def parse(payload: Payload, source: Source) -> Parsed:
    """Readings of every known column of every row; a rejection for each value, row or table that cannot be read."""
    try:
        zone = zone_of(str(source.settings.get("time_zone") or "UTC"))
        texts = [_text(body) for body in _tables(payload.body, source)]
    except Refused as refused:
        return refuse_all(payload, refused.code, refused.reason)
    except ConfigurationError as error:
        return refuse_all(payload, "bad-configuration", str(error))
    gathered = Gathered()
    for text in texts:
        _Table(source, gathered, zone, payload.line).read(text)
    return gathered.parsed()


def _tables(body: bytes, source: Source) -> list[bytes]:
    if not body.startswith(b"PK"):
        return [body]
    most = source.settings.get("max_unpacked")
    left = most if isinstance(most, int) else _MOST
    found: list[bytes] = []
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            for name in archive.namelist():
                if not name.rpartition("/")[2].lower().startswith("produkt_"):
                    continue
                with archive.open(name) as stream:
                    found.append(stream.read(left + 1))
                left -= len(found[-1])
                if left < 0:
                    raise Refused("too-large", "the ZIP holds more than settings.max_unpacked")
    except _ZIP_ERRORS as error:
        raise Refused("unreadable", f"this is no ZIP that can be read: {error}") from None
    if not found:
        raise Refused("unreadable", "the ZIP holds no produkt_*.txt")
    return found


def _text(body: bytes) -> str:
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError:
        return body.decode("latin-1")


class _Table:
    def __init__(self, source: Source, gathered: Gathered, zone: ZoneInfo, first_line: int) -> None:
        self._source = source
        self._gathered = gathered
        self._zone = zone
        self._first = first_line
        self._quantities = Quantities(source)
        self._absent = {str(word) for word in _list(source, "absent")}
        self._declared: dict[tuple[str, str, bool], Declaration] = {}
        self._header: list[str] = []
        self._sign = ";"
        self._station_at = self._time_at = -1
        self._columns: dict[int, str] = {}

    def read(self, text: str) -> None:
        """A header and its rows."""
        lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        at = next((index for index, line in enumerate(lines) if line.strip()), None)
        if at is None:
            self._gathered.refuse(Refused("empty", "there is nothing in it"), text.encode())
            return
        self._sign = max(";,\t", key=lines[at].count)
        try:
            self._take_header([cell.strip() for cell in self._cells(lines[at])])
        except Refused as refused:
            self._gathered.refuse(refused, text.encode(errors="replace"), where=f"line {self._first + at}")
            return
        for index, line in enumerate(lines[at + 1 :], self._first + at + 1):
            if line.strip(" ;,\t\x1a"):
                self._row(index, line)

    def _cells(self, line: str) -> list[str]:
        try:
            return next(csv.reader([line], delimiter=self._sign, strict=True), [])
        except csv.Error as error:
            raise Refused("wrong-columns", f"the line is no row of a table: {error}") from None

    def _take_header(self, header: list[str]) -> None:
        if len(set(header)) != len(header):
            raise Refused("bad-header", "two columns have one name")
        found = {name: index for index, name in enumerate(header)}
        self._header = header
        for key, attribute in (("station_columns", "_station_at"), ("time_columns", "_time_at")):
            names = [str(name) for name in _list(self._source, key)]
            place = next((found[name] for name in names if name in found), None)
            if place is None:
                raise Refused("bad-header", f"the table has none of the columns {', '.join(names)}")
            setattr(self, attribute, place)
        self._columns = {index: name for name, index in found.items() if self._quantities.knows(name)}
        if not self._columns:
            raise Refused("bad-header", f"the table has no column that is known: {shown(header)}")

    def _row(self, line: int, said: str) -> None:
        try:
            cells = [cell.strip() for cell in self._cells(said)]
            if len(cells) != len(self._header):
                raise Refused("wrong-columns", f"the row has {len(cells)} columns, the header {len(self._header)}")
            station = self._station(cells[self._station_at])
            time, hourly, flag = self._time(cells[self._time_at])
        except Refused as refused:
            self._gathered.refuse(refused, self._alone([said]), where=f"line {line}")
            return
        for index, name in self._columns.items():
            if cells[index] in self._absent:
                continue
            try:
                value = float(number(cells[index], name))
            except Refused as refused:
                kept = [
                    cell if at in (index, self._station_at, self._time_at) else "-999" for at, cell in enumerate(cells)
                ]
                body = self._alone([self._sign.join(_quoted(cell, self._sign) for cell in kept)])
                self._gathered.refuse(refused, body, where=f"line {line}, {name}")
                continue
            self._gathered.add(self._declare(station, name, hourly), time, value, flag)

    def _alone(self, lines: list[str]) -> bytes:
        header = self._sign.join(_quoted(name, self._sign) for name in self._header)
        return "\n".join([header, *lines, ""]).encode(errors="replace")

    def _station(self, cell: str) -> str:
        name = identity(cell, "the station")
        return name.zfill(5) if _PADDED.match(name) else "-".join(name.casefold().split())

    def _time(self, cell: str) -> tuple[int, bool, str]:
        """Microseconds, whether it is the time of an hour's value, and a flag."""
        if match := _DIGITS.match(cell):
            year, month, day, hour, minute = (int(part or 0) for part in match.groups())
            hourly = match.group(5) is None
            if year < _UTC_SINCE and self._zone.key == "UTC":
                raise Refused("old-time", f"{cell}: before {_UTC_SINCE} the service's times are not UTC")
            parts: tuple[int, ...] = (year, month, day, hour, minute)
        else:
            try:
                moment = datetime.fromisoformat(cell)
            except ValueError:
                raise Refused("bad-time", f"{shown(cell)} is no time like 202405011210") from None
            if moment.tzinfo is not None or len(cell) < 16:
                raise Refused("bad-time", f"{shown(cell)} is no local time like 2024-05-01 12:10")
            hourly = True
            parts = moment.timetuple()[:6]
        try:
            naive = datetime(*parts)  # type: ignore[arg-type, misc]  # noqa: DTZ001  the zone follows
        except ValueError as error:
            raise Refused("bad-time", f"{cell} is no time of the calendar: {error}") from None
        time, flag = place_local(naive, self._zone)
        return time, hourly, flag

    def _declare(self, station: str, name: str, hourly: bool) -> Declaration:
        key = (station, name, hourly)
        known = self._declared.get(key)
        if known is None:
            property_ = str(self._quantities.says(name, "property") or name)
            known = self._declared[key] = self._quantities.declare(
                name,
                self._thing(station),
                _SENSOR,
                suffix=f"{property_}-hourly" if hourly else "",
                properties={"of": "PT1H" if hourly else "PT10M"},
            )
        return known

    def _thing(self, station: str) -> ThingDeclaration:
        id_ = f"dwd-{station}"
        known = self._source.things.get(id_)
        stations = self._source.settings.get("stations")
        said = stations.get(station) if isinstance(stations, Mapping) else None
        said = said if isinstance(said, Mapping) else {}
        name = known.name if known else str(said.get("name") or f"DWD {station}")
        lon, lat = (known.lon, known.lat) if known else (said.get("lon"), said.get("lat"))
        return ThingDeclaration(
            id=id_,
            name=name,
            description=f"{name}, DWD {station}",
            properties={"kind": "weather-station", "dwd_station": station, **(dict(known.facts) if known else {})},
            position=position(lon, lat),
        )


def _quoted(cell: str, sign: str) -> str:
    return '"' + cell.replace('"', '""') + '"' if sign in cell or '"' in cell else cell


def _list(source: Source, key: str) -> Iterator[Any]:
    found = source.settings.get(key)
    yield from found if isinstance(found, list) else ()

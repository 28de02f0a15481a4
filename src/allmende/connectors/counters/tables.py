"""The two forms of CSV: a column for each counter with its status, or a row for each count of a place."""

import csv
import re
from datetime import datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from allmende.connectors.counters.places import Places
from allmende.connectors.gathering import Gathered, Refused, shown, whole
from allmende.connectors.localtime import place_local
from allmende.domain.connector import Payload, Source
from allmende.domain.errors import InvalidInput
from allmende.domain.records import Declaration
from allmende.domain.times import parse_instant

_COUNTER = re.compile(r"([0-9]{3,15})(?: \((.{0,200})\))?\Z", re.ASCII | re.DOTALL)
_STATUS = re.compile(r"([0-9]{3,15})-status\Z", re.ASCII)
_TIMES = ("datetime", "time of measurement", "date", "zeit")
_PEOPLE = ("pedestrians count", "pedestrians_count", "passanten")
_PLACES = ("location", "location id", "standort")
_OFFSET = re.compile(r"(.{19}(?:\.\d+)?) ?([+-]\d{2}):?(\d{2})\Z", re.ASCII)
_LOCAL = re.compile(r"\d{4}-\d{2}-\d{2}[ T]\d{2}:\d{2}(?::\d{2})?\Z", re.ASCII)


def read_moment(said: Any, zone: ZoneInfo) -> tuple[int, str]:
    """Microseconds and a flag of a time with or without an offset; raises Refused for what is none."""
    text = said.strip() if isinstance(said, str) else ""
    if _LOCAL.match(text):
        try:
            return place_local(datetime.fromisoformat(text), zone)
        except ValueError as error:
            raise Refused("bad-time", f"{shown(said)} is no time of the calendar: {error}") from None
    if match := _OFFSET.match(text):
        text = f"{match.group(1)}{match.group(2)}:{match.group(3)}"
    try:
        return parse_instant(text), ""
    except InvalidInput as error:
        raise Refused("bad-time", str(error)) from None


def read_statuses(source: Source) -> tuple[set[str], set[str]]:
    """At which status of Eco-Counter a value is none, and at which it is doubtful."""
    said = [source.settings.get(key) for key in ("no_value", "doubtful")]
    absent, doubtful = ({str(status) for status in found} if isinstance(found, list) else set() for found in said)
    return absent, doubtful


class _Column(NamedTuple):
    at: int
    status_at: int | None
    declared: Declaration


def read_table(payload: Payload, source: Source, gathered: Gathered, zone: ZoneInfo) -> None:
    """Either form; raises Refused where the header is that of neither."""
    try:
        text = payload.body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Refused("unreadable", f"this is no UTF-8: {error}") from None
    lines = text.replace("\r\n", "\n").split("\n")
    at = next((index for index, line in enumerate(lines) if line.strip()), None)
    if at is None:
        raise Refused("empty", "there is nothing in it")
    sign = max(",;\t", key=lines[at].count)
    header = [cell.strip() for cell in _cells(lines[at], sign)]
    folded = [cell.casefold() for cell in header]
    if len(set(folded)) != len(folded):
        raise Refused("bad-header", "two columns have one name")
    time_at = next((folded.index(name) for name in _TIMES if name in folded), None)
    if time_at is None:
        raise Refused("bad-header", f"no column is one of {', '.join(_TIMES)}")
    reader = _Reader(source, gathered, zone, sign, header, time_at)
    people_at = next((folded.index(name) for name in _PEOPLE if name in folded), None)
    place_at = next((folded.index(name) for name in _PLACES if name in folded), None)
    if people_at is None:
        reader.find_counters()
    # a block of a larger file begins with the number of its first data line
    for number, line in enumerate(lines[at + 1 :], max(payload.line, at + 2)):
        if line.strip(" \t,;\r"):
            reader.row(number, line, people_at, place_at)


def _cells(line: str, sign: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=sign, strict=True), [])
    except csv.Error as error:
        raise Refused("wrong-columns", f"the line is no row of a table: {error}") from None


class _Reader:
    def __init__(
        self, source: Source, gathered: Gathered, zone: ZoneInfo, sign: str, header: list[str], time_at: int
    ) -> None:
        self._source = source
        self._gathered = gathered
        self._zone = zone
        self._sign = sign
        self._header = header
        self._time_at = time_at
        self._places = Places(source)
        self._columns: list[_Column] = []
        self._known: dict[str, Declaration] = {}
        self._absent, self._doubtful = read_statuses(source)

    def find_counters(self) -> None:
        """The columns of counters and those of their status; raises Refused where there is none."""
        status = {match.group(1): at for at, name in enumerate(self._header) if (match := _STATUS.match(name))}
        names: dict[str, tuple[int, str]] = {}
        for at, name in enumerate(self._header):
            if at == self._time_at or _STATUS.match(name):
                continue
            match = _COUNTER.match(name)
            if match is None:
                raise Refused("bad-header", f"the column {shown(name)} is neither a counter nor a status")
            if match.group(1) in names:
                raise Refused("bad-header", f"the counter {match.group(1)} has two columns")
            names[match.group(1)] = at, match.group(2) or ""
        if not names or status.keys() - names.keys():
            raise Refused("bad-header", "the columns are not those of counters, each with its status")
        for id_, (at, name) in names.items():
            self._columns.append(_Column(at, status.get(id_), self._places.declare(id_, name)))

    def row(self, number: int, line: str, people_at: int | None, place_at: int | None) -> None:
        """One row: a count of each counter, or one of a place."""
        where = f"line {number}"
        try:
            cells = [cell.strip() for cell in _cells(line, self._sign)]
            if len(cells) != len(self._header):
                raise Refused("wrong-columns", f"the row has {len(cells)} columns, the header {len(self._header)}")
            time, flag = read_moment(cells[self._time_at], self._zone)
            if people_at is not None:
                declared = self._place(cells[place_at] if place_at is not None else "")
                if cells[people_at]:
                    count = whole(cells[people_at], self._header[people_at])
                    self._gathered.add(declared, time, count, flag)
                return
        except Refused as refused:
            self._gathered.refuse(refused, self._alone(line), where)
            return
        for column in self._columns:
            self._gathered.declare(column.declared)
            status = "" if column.status_at is None else cells[column.status_at]
            if not cells[column.at] or status in self._absent:
                continue
            try:
                count = whole(cells[column.at], self._header[column.at])
            except Refused as refused:
                kept = [cell if at in (self._time_at, column.at) else "" for at, cell in enumerate(cells)]
                self._gathered.refuse(refused, self._alone(self._sign.join(map(self._quoted, kept))), where)
                continue
            doubt = f"status-{status}" if status in self._doubtful else ""
            self._gathered.put(column.declared.stream, time, count, flag or doubt)

    def _place(self, name: str) -> Declaration:
        known = self._known.get(name)
        if known is None:
            own = self._source.settings.get("site")
            id_ = "-".join(re.findall(r"\w+", name.casefold()))[:80] or (own if isinstance(own, str) else "")
            known = self._known[name] = self._places.declare(id_, name, "pedestrians")
        return known

    def _quoted(self, cell: str) -> str:
        return '"' + cell.replace('"', '""') + '"' if self._sign in cell or '"' in cell else cell

    def _alone(self, line: str) -> bytes:
        return f"{self._sign.join(map(self._quoted, self._header))}\n{line}\n".encode(errors="replace")

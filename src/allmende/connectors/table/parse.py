"""Rows of a table as readings or as objects: CSV in blocks of lines; XLSX, Parquet and JSON whole."""

import csv
import io
import re
from collections.abc import Sequence
from math import isfinite
from typing import NamedTuple

import msgspec

from allmende.connectors.columns import Line, head_of, header_of, lines_of, number_of, require
from allmende.connectors.geodesy import to_degrees
from allmende.connectors.moments import moment
from allmende.connectors.objects import nothing
from allmende.connectors.table.layout import Layout, Quantity, declaration, layout_of, thing_of
from allmende.connectors.table.objects import read_objects
from allmende.connectors.table.quick import read_quickly
from allmende.connectors.table.sheets import NAIVE, as_csv, is_document
from allmende.domain.connector import Payload, Source
from allmende.domain.errors import InvalidInput
from allmende.domain.ids import MAX_LENGTH
from allmende.domain.records import Parsed, Position, Record, Rejection, Result, Series

_NUMBER = re.compile(r"[+-]?(?:[0-9]{1,300}(?:\.[0-9]{0,300})?|\.[0-9]{1,300})(?:[eE][+-]?[0-9]{1,3})?\Z", re.ASCII)


_GROUPS = {
    sign: re.compile(rf"[+-]?[0-9]{{1,3}}(?:{re.escape(sign)}[0-9]{{3}})+(?![0-9])", re.ASCII)
    for sign in (".", ",", " ", "'")
}
"""How a whole number with signs between its thousands begins."""


def parse(payload: Payload, source: Source) -> Parsed:
    """Readings or objects as the settings say (see the README). A bad cell takes no other along, a bad time its row."""
    if source.settings.get("id"):
        return read_objects(payload, source)
    try:
        layout = layout_of(source)
        if is_document(payload.body):
            body = as_csv(payload.body, source.settings)
            payload = msgspec.structs.replace(payload, body=body)
            layout = layout._replace(separator=";", encoding="utf-8", forms=[*layout.forms, NAIVE])
        names, sign = header_of(payload, layout.separator, layout.encoding, layout.head)
        numbers = _check(names, layout)
    except InvalidInput as error:
        return nothing(payload, str(error), "bad-header")
    reader = _Reader(source, layout, sign, head_of(payload.body, layout.head)[0])
    if not (layout.wide and _take_quickly(reader, payload, sign, layout, numbers)):
        for line in lines_of(payload, names, sign, layout.encoding, layout.head):
            reader.row(line, numbers)
    return reader.parsed()


def _check(names: Sequence[str], layout: Layout) -> list[str]:
    """The columns of readings. Raises InvalidInput where one is missing."""
    others = [*layout.times, layout.thing_column, layout.name_column, *(layout.place or ())]
    if layout.wide:
        numbers = list(layout.columns) or [name for name in names if name and name not in others]
    else:
        numbers = list(layout.values)
    require(names, filter(None, [*others, *numbers]))
    return numbers


def _take_quickly(reader: "_Reader", payload: Payload, sign: str, layout: Layout, numbers: Sequence[str]) -> bool:
    columns = read_quickly(payload.body, sign, layout, layout.times, numbers)
    if columns is None:
        return False
    texts = [" ".join(map(str, parts)) for parts in zip(*(columns[name] for name in layout.times), strict=True)]
    try:
        times = [reader.time(text, "") for text in texts]
    except InvalidInput:
        reader.forget_times()
        return False
    for name in numbers:
        reader.column(name, times, columns[name])  # type: ignore[arg-type]  # numbers, not texts
    return True


class _Key(NamedTuple):
    thing: str
    quantity: str


class _Reader:
    def __init__(self, source: Source, layout: Layout, sign: str, head: bytes) -> None:
        self._source, self._layout, self._sign, self._head = source, layout, sign, head
        self._series: dict[_Key, Series] = {}
        self._names: dict[str, tuple[str, Position | None]] = {}
        self._last: dict[str, int] = {}
        self._rejections: list[Rejection] = []

    def time(self, text: str, thing: str) -> int:
        """The moment of a row. In the hour that comes twice, a thing's rows go on: what would go back is the second."""
        layout = self._layout
        found = moment(text, zone=layout.zone, forms=layout.forms, second=False)
        last = self._last.get(thing)
        if last is not None and found <= last:
            second = moment(text, zone=layout.zone, forms=layout.forms, second=True)
            found = second if second > last else found
        self._last[thing] = found
        return found

    def forget_times(self) -> None:
        """Begin again, the slow way."""
        self._last.clear()

    def column(self, name: str, times: list[int], results: list[Result]) -> None:
        """A column of a wide table in which nothing is wrong."""
        if None in results:
            kept = [place for place, result in enumerate(results) if result is not None]
            times, results = [times[place] for place in kept], [results[place] for place in kept]
        if not results:
            return
        if self._layout.quantities[self._layout.wide].type == "count":
            results = [_counted(result) for result in results]  # type: ignore[arg-type]  # they are decimals
        stream = self._stream(_Key(name, self._layout.wide))
        stream.times += times
        stream.results += results

    def row(self, line: Line, numbers: Sequence[str]) -> None:
        """One row, cell by cell."""
        layout = self._layout
        if line.problem:
            self._reject(line.problem, line.body, "bad-row", line)
            return
        thing = line.cells.get(layout.thing_column, "") if layout.thing_column else layout.thing
        try:
            if not layout.wide and not layout.thing_form.match(thing):
                raise InvalidInput(f"{layout.thing_column} {thing[:60]!r} is no name of a thing")
            said = any(line.cells[name] not in layout.missing for name in numbers)
            at = self.time(" ".join(line.cells[name] for name in layout.times), thing) if said else 0
            position = self._position(line)
        except InvalidInput as error:
            self._reject(str(error), line.body, "bad-row", line)
            return
        if layout.thing_column or layout.thing:
            known = line.cells.get(layout.name_column, "") or layout.thing_name
            self._names.setdefault(thing, (known or thing, position))
        for name in numbers:
            text = line.cells[name]
            if text in layout.missing:
                continue
            quantity = layout.wide or layout.values[name]
            kind = layout.quantities[quantity].type
            value: Result = text if kind == "category" else _value(text, layout.decimal, layout.thousands)
            if value is None:
                only = {**line.cells, **{other: "" for other in numbers if other != name}}
                reason = f"{name} {text[:60]!r} is no number"
                self._reject(reason, self._written(only), "bad-number", line)
                continue
            stream = self._stream(_Key(name if layout.wide else thing, quantity))
            stream.times.append(at)
            stream.results.append(_counted(value) if kind == "count" and isinstance(value, float) else value)

    def parsed(self) -> Parsed:
        """Declarations and series."""
        records: list[Record] = []
        for key, series in self._series.items():
            name, position = self._names.get(key.thing, (key.thing, None))
            thing = thing_of(self._source, key.thing, name, position)
            quantity: Quantity = self._layout.quantities[key.quantity]
            records += [declaration(self._source, thing, key.quantity, quantity), series]
        return Parsed(records, self._rejections)

    def _stream(self, key: _Key) -> Series:
        found = self._series.get(key)
        if found is None:
            name = f"{self._source.id}-{key.thing}~{key.quantity}"
            found = self._series[key] = Series(stream=name[: MAX_LENGTH + 1], times=[], results=[])
        return found

    def _position(self, line: Line) -> Position | None:
        if self._layout.place is None:
            return None
        x, y = (line.cells[name] for name in self._layout.place)
        if x in self._layout.missing and y in self._layout.missing:
            return None
        sign = self._layout.thousands
        place = [number_of(text.replace(sign, "") if sign else text, self._layout.decimal) for text in (x, y)]
        if place[0] is None or place[1] is None:
            raise InvalidInput(f"{x[:40]!r} and {y[:40]!r} are no position")
        lon, lat = to_degrees(self._layout.crs)([(float(place[0]), float(place[1]))])[0]
        if not (isfinite(lon) and isfinite(lat) and -180 <= lon <= 180 and -90 <= lat <= 90):
            raise InvalidInput(f"{x[:40]}, {y[:40]} is no position in EPSG:{self._layout.crs}")
        return Position(lon, lat)

    def _written(self, cells: dict[str, str]) -> bytes:
        out = io.StringIO()
        csv.writer(out, delimiter=self._sign, lineterminator="\n").writerow(cells.values())
        return self._head + out.getvalue().encode(self._layout.encoding, "replace")

    def _reject(self, reason: str, body: bytes, code: str, line: Line) -> None:
        self._rejections.append(Rejection(reason=reason, body=body, code=code, where=f"line {line.number}"))


def _value(text: str, decimal: str, thousands: str) -> float | None:
    if thousands and thousands in text:
        if not _GROUPS[thousands].match(text):
            return None
        text = text.replace(thousands, "")
    plain = text.replace(",", ".", 1) if decimal == "," and "." not in text else text
    if decimal == "," and "." in text:
        return None
    if not _NUMBER.match(plain):
        return None
    value = float(plain)
    return value if isfinite(value) else None


def _counted(value: float) -> Result:
    return int(value) if value.is_integer() else value

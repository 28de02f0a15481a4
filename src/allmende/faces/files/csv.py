"""CSV in a ZIP, with its description (Frictionless Data Package) and a letter that names the licence beside it.

Comment lines in CSV are read as data by most programs; a ZIP keeps table and licence together and is a tenth as large.
"""

import csv
import io
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, Any
from zoneinfo import ZoneInfo

import msgspec
import shapely

from allmende.domain.times import format_instant, to_datetime
from allmende.faces.files.about import About, data_package, letter, local_time
from allmende.faces.files.fields import Batch, Field
from allmende.faces.tables import ColumnKind, harmless

DATA = "data.csv"
LOCAL = Field(
    name="time_local", kind=ColumnKind.TEXT, de="Zeitpunkt oder Beginn, Ortszeit", en="time or begin, local time"
)
_BOM = b"\xef\xbb\xbf"

Convert = Callable[[Sequence[Any]], Sequence[Any]]


class CsvWriter:
    """RFC 4180. ``german``: semicolons, decimal commas, a mark at the beginning by which Excel knows UTF-8, and times
    by the city's clock beside those in UTC."""

    def __init__(self, path: Path, said: About, fields: Sequence[Field], *, german: bool) -> None:
        self._said, self._german, self._rows = said, german, 0
        self._columns = _columns(fields, german=german, zone=ZoneInfo(said.zone))
        self.fields = [field for field, _, _ in self._columns]
        self._moment = to_datetime(said.made_at).timetuple()[:6]
        self._zip = zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED)
        self._file: IO[bytes] = self._zip.open(self._info(DATA), "w", force_zip64=True)
        self._text = io.StringIO(newline="")
        self._csv = csv.writer(self._text, delimiter=";" if german else ",", lineterminator="\r\n")
        if german:
            self._file.write(_BOM)
        self._csv.writerow([harmless(field.name) for field in self.fields])

    def write(self, batch: Batch) -> None:
        """See :class:`allmende.faces.files.writer.Writer`."""
        cells = [convert(batch.columns[place]) for _, place, convert in self._columns]
        self._csv.writerows(zip(*cells, strict=True))
        self._rows += batch.rows
        self._flush()

    def close(self) -> None:
        """See :class:`allmende.faces.files.writer.Writer`."""
        self._flush()
        self._file.close()
        dialect = {
            "delimiter": ";" if self._german else ",",
            "lineTerminator": "\r\n",
            "quoteChar": '"',
            "header": True,
        }
        package = data_package(self._said, self.fields, DATA, dialect, rows=self._rows, comma=self._german)
        self._zip.writestr(self._info("datapackage.json"), msgspec.json.format(msgspec.json.encode(package), indent=2))
        self._zip.writestr(self._info("LIESMICH-README.txt"), letter(self._said, self.fields).encode())
        self._zip.close()

    def drop(self) -> None:
        """See :class:`allmende.faces.files.writer.Writer`."""
        self._file.close()
        self._zip.close()

    def _flush(self) -> None:
        self._file.write(self._text.getvalue().encode())
        self._text.seek(0)
        self._text.truncate()

    def _info(self, name: str) -> zipfile.ZipInfo:
        info = zipfile.ZipInfo(name, self._moment)
        info.compress_type = zipfile.ZIP_DEFLATED
        info.external_attr = 0o644 << 16
        return info


def _columns(fields: Sequence[Field], *, german: bool, zone: ZoneInfo) -> list[tuple[Field, int, Convert]]:
    """Each column with the place that it is made of, and how."""
    found: list[tuple[Field, int, Convert]] = []
    for place, field in enumerate(fields):
        found.append((field, place, _shapes if field.is_geometry else _converter(field.kind, german=german)))
        if german and field.name == "time":
            found.append((LOCAL, place, lambda values: [None if v is None else local_time(v, zone) for v in values]))
    return found


def _converter(kind: ColumnKind, *, german: bool) -> Convert:
    if kind is ColumnKind.INSTANT:
        return lambda values: [None if v is None else format_instant(v) for v in values]
    if kind is ColumnKind.BOOLEAN:
        return lambda values: [None if v is None else "true" if v else "false" for v in values]
    if kind is ColumnKind.NUMBER:
        return _german_numbers if german else lambda values: [None if v is None else _number(v) for v in values]
    if kind is ColumnKind.INTEGER:
        return lambda values: values
    return lambda values: [harmless(v) for v in values]


def _number(value: float) -> str:
    """As short as it can be told apart, whole numbers without a point."""
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)


def _german_numbers(values: Sequence[Any]) -> Sequence[Any]:
    return [None if v is None else _number(v).replace(".", ",") for v in values]


def _shapes(values: Sequence[Any]) -> Sequence[Any]:
    """GeoJSON as WKT."""
    return [None if v is None else shapely.to_wkt(shapely.from_geojson(v), rounding_precision=7) for v in values]

"""XLSX by xlsxwriter in its mode of constant memory: a sheet on the data, then the rows on as many as they need."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import shapely

from allmende.domain.errors import InvalidInput
from allmende.domain.times import format_instant, to_datetime
from allmende.faces.files.about import About, letter
from allmende.faces.files.csv import LOCAL
from allmende.faces.files.fields import Batch, Field
from allmende.faces.tables import ColumnKind, is_formula

ROWS = 1_048_576
"""Of a sheet, its head included; no spreadsheet has more."""
SHEETS = 5
_LONGEST = 32_767
"""Characters of a cell."""
_FIRST = datetime(1900, 3, 1, tzinfo=UTC)
"""Before it, Excel's calendar is another one."""


class SheetWriter:
    """Texts are cells of text, never formulas; those that would become one when they are edited say so (quotePrefix).
    Times are in UTC, and beside them by the city's clock: cells know no zone."""

    def __init__(self, path: Path, said: About, fields: Sequence[Field]) -> None:
        import xlsxwriter

        self._zone = ZoneInfo(said.zone)
        self._fields = fields
        self._book: Any = xlsxwriter.Workbook(
            path,
            {
                "constant_memory": True,
                "tmpdir": str(path.parent),
                "use_zip64": True,
                "strings_to_numbers": False,
                "strings_to_formulas": False,
                "strings_to_urls": False,
                "default_date_format": 'yyyy-mm-dd"T"hh:mm:ss"Z"',
            },
        )
        self._bold = self._book.add_format({"bold": True})
        self._utc = self._book.add_format({"num_format": 'yyyy-mm-dd"T"hh:mm:ss"Z"'})
        self._local = self._book.add_format({"num_format": "dd.mm.yyyy hh:mm:ss"})
        self._quoted = self._book.add_format({"quote_prefix": True})
        self._heads: list[str] = []
        for field in fields:
            self._heads += [field.name, LOCAL.name] if field.name == "time" else [field.name]
        self._describe(said)
        self._sheets = 0
        self._next_sheet()

    def write(self, batch: Batch) -> None:
        """See :class:`allmende.faces.files.writer.Writer`. Raises InvalidInput where no sheet is left."""
        shapes = [
            [None if v is None else shapely.to_wkt(shapely.from_geojson(v), rounding_precision=7) for v in column]
            if field.is_geometry
            else column
            for field, column in zip(self._fields, batch.columns, strict=True)
        ]
        for row in zip(*shapes, strict=True):
            if self._row == ROWS:
                self._next_sheet()
            self._write(row)
            self._row += 1

    def close(self) -> None:
        """See :class:`allmende.faces.files.writer.Writer`."""
        self._book.close()

    def drop(self) -> None:
        """See :class:`allmende.faces.files.writer.Writer`. What it left beside goes with the folder."""
        self._book.fileclosed = True  # else the destructor warns of it

    def _write(self, row: Sequence[Any]) -> None:
        sheet, line, place = self._sheet, self._row, 0
        for field, value in zip(self._fields, row, strict=True):
            if value is not None:
                self._cell(sheet, line, place, field.kind, value)
            place += 1
            if field.name == "time":
                if value is not None:
                    moment = to_datetime(value).astimezone(self._zone).replace(tzinfo=None)
                    self._moment(sheet, line, place, value, moment, self._local)
                place += 1

    def _cell(self, sheet: Any, line: int, place: int, kind: ColumnKind, value: Any) -> None:
        if kind is ColumnKind.INSTANT:
            self._moment(sheet, line, place, value, to_datetime(value).replace(tzinfo=None), self._utc)
        elif kind is ColumnKind.BOOLEAN:
            sheet.write_boolean(line, place, value)
        elif kind is ColumnKind.NUMBER or (kind is ColumnKind.INTEGER and abs(value) < 10**15):
            sheet.write_number(line, place, value)
        else:
            text = str(value)
            if len(text) > _LONGEST:
                text = text[: _LONGEST - 1] + "…"
            sheet.write_string(line, place, text, self._quoted if is_formula(text) else None)

    @staticmethod
    def _moment(sheet: Any, line: int, place: int, micros: int, moment: datetime, shape: Any) -> None:
        if to_datetime(micros) < _FIRST:
            sheet.write_string(line, place, format_instant(micros))
        else:
            sheet.write_datetime(line, place, moment, shape)

    def _next_sheet(self) -> None:
        if self._sheets == SHEETS:
            raise InvalidInput(
                f"this is more than the {SHEETS * (ROWS - 1):,} rows that we write into one Excel file: choose a "
                "shorter time, CSV or Parquet",
                where="format",
            )
        self._sheets += 1
        self._sheet = self._book.add_worksheet(f"Daten {self._sheets}")
        self._sheet.freeze_panes(1, 0)
        for place, name in enumerate(self._heads):
            self._sheet.write_string(0, place, name, self._bold)
        self._row = 1

    def _describe(self, said: About) -> None:
        self._book.set_properties(
            {
                "title": said.title,
                "author": said.publisher,
                "comments": f"{said.licence_title}, {said.attribution}, {said.address}",
                "created": to_datetime(said.made_at).replace(tzinfo=None),
            }
        )
        sheet = self._book.add_worksheet("Über diese Daten")
        sheet.set_column(0, 0, 120)
        lines = letter(said, self._fields).splitlines()
        lines += ["", msgspec.json.encode(said.told()).decode()]
        for line, text in enumerate(lines):
            sheet.write_string(line, 0, text[:_LONGEST], self._quoted if is_formula(text) else None)

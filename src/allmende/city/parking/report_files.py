"""The monthly report as a spreadsheet and as an accessible PDF (PDF/UA-1: tagged, with title and language).

Both libraries come with extras (``files``, ``reports``): without one its format is not offered.
"""

import io
import json
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path
from zoneinfo import ZoneInfo

from django.contrib.staticfiles import finders

from allmende.city.parking.report_words import Sheet, show

_TEMPLATE = Path(__file__).with_name("report.typ")
_FORMATS = {"count": "#,##0", "percent": "0.0%", "hours": "#,##0.0", "rate": "0.00", "time": "dd.mm.yyyy hh:mm"}
_HEAD = 3
"""Rows above the table's head."""


def offered() -> tuple[str, ...]:
    """The formats that this installation can make."""
    return tuple(name for name, module in (("pdf", "typst"), ("xlsx", "xlsxwriter")) if find_spec(module) is not None)


def as_xlsx(sheet: Sheet) -> bytes:
    """A workbook: the table with values (times by the city's clock), and what has to be known to read it beneath.
    Texts are never formulas or addresses."""
    import xlsxwriter

    target = io.BytesIO()
    settings = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    book = xlsxwriter.Workbook(target, settings)
    book.set_properties({"title": sheet.title, "author": sheet.city})
    page = book.add_worksheet(sheet.title.rpartition(": ")[2][:31])
    bold = book.add_format({"bold": True})
    head = book.add_format({"bold": True, "text_wrap": True, "valign": "top", "bottom": 1})
    formats = {kind: book.add_format({"num_format": form}) for kind, form in _FORMATS.items()}
    page.write_string(0, 0, sheet.title, bold)
    page.write_string(1, 0, sheet.lead)
    for place, column in enumerate(sheet.columns):
        page.write_string(_HEAD, place, column.title, head)
        page.set_column(place, place, 26 if column.kind == "text" else 16 if column.kind == "time" else 12)
    for number, row in enumerate(sheet.rows, _HEAD + 1):
        for place, (cell, column) in enumerate(zip(row, sheet.columns, strict=True)):
            if isinstance(cell, str):
                page.write_string(number, place, cell)
            elif isinstance(cell, datetime):
                local = cell.astimezone(ZoneInfo(sheet.zone)).replace(tzinfo=None)
                page.write_datetime(number, place, local, formats["time"])
            elif cell is not None:
                page.write_number(number, place, cell, formats[column.kind])
    for number, note in enumerate(sheet.notes, _HEAD + len(sheet.rows) + 2):
        page.write_string(number, 0, note)
    page.freeze_panes(_HEAD + 1, 1)
    page.set_landscape()
    page.fit_to_pages(1, 0)
    page.repeat_rows(_HEAD)
    book.close()
    return target.getvalue()


def as_pdf(sheet: Sheet) -> bytes:
    """A tagged PDF. The texts go in as data: nothing of them is read as Typst's markup, and nothing is fetched."""
    import typst

    data = {
        "title": sheet.title,
        "lead": sheet.lead,
        "city": sheet.city,
        "language": sheet.language,
        "columns": [{"title": column.title, "text": column.kind == "text"} for column in sheet.columns],
        "rows": [
            [show(cell, column.kind, sheet.zone) for cell, column in zip(row, sheet.columns, strict=True)]
            for row in sheet.rows
        ],
        "notes": list(sheet.notes),
    }
    return typst.compile(
        _TEMPLATE.read_bytes(),
        font_paths=[fonts] if (fonts := finders.find("build/print")) else [],  # the pages' typeface
        ignore_system_fonts=True,
        sys_inputs={"data": json.dumps(data, ensure_ascii=False)},
        pdf_standards=["ua-1"],
    )

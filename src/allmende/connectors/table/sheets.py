"""XLSX, Parquet and JSON as the text that a CSV of theirs would be, so that there is one way of reading."""

import csv
import io
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime
from typing import Any

from allmende.connectors.table.listed import rows_of
from allmende.domain.errors import InvalidInput, LimitExceeded

CELLS = 20_000_000
"""Of one sheet or file."""
UNPACKED_BYTES = 512 * 1024 * 1024
NAIVE = "%Y-%m-%dT%H:%M:%S"
"""How a time of a sheet, which has no zone, is written here."""


def is_document(body: bytes) -> bool:
    """Whether it is a spreadsheet, Parquet or JSON."""
    return body.startswith((b"PK\x03\x04", b"PAR1")) or body.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"[")


def as_csv(body: bytes, settings: Mapping[str, Any]) -> bytes:
    """The table as CSV in UTF-8, between semicolons. ``settings`` are the source's: ``sheet``, ``records``,
    ``decimal``. Raises InvalidInput for what cannot be read."""
    decimal = "," if settings.get("decimal") == "," else "."
    if body.startswith(b"PAR1"):
        rows = _parquet(body)
    elif body.startswith(b"PK\x03\x04"):
        rows = _sheet(body, str(settings.get("sheet") or ""))
    else:
        rows = iter(rows_of(body, str(settings.get("records") or "")))
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";", lineterminator="\n")
    cells = 0
    for row in rows:
        written = [_text(cell, decimal) for cell in row]
        cells += len(written)
        if cells > CELLS:
            raise LimitExceeded(f"it has more than {CELLS:,} cells", setting="CELLS")
        if any(written):
            writer.writerow(written)
    return out.getvalue().encode("utf-8", "replace")


def _text(cell: Any, decimal: str) -> str:
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return str(cell).lower()
    if isinstance(cell, float):
        whole = cell.is_integer() and abs(cell) < 1e15
        return (str(int(cell)) if whole else repr(cell)).replace(".", decimal)
    if isinstance(cell, datetime):
        return cell.isoformat() if cell.tzinfo else cell.replace(microsecond=0).strftime(NAIVE)
    if isinstance(cell, date):
        return cell.isoformat()
    return " ".join(str(cell).split())


def _sheet(body: bytes, name: str) -> Iterator[Iterable[Any]]:
    try:
        from openpyxl import load_workbook
    except ImportError:
        raise InvalidInput("spreadsheets need openpyxl: pip install 'allmende[files]'") from None
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > UNPACKED_BYTES:
                raise LimitExceeded("this spreadsheet is too large when it is unpacked", setting="UNPACKED_BYTES")
        # Formulas are not worked out: their last values are in the file.
        book = load_workbook(io.BytesIO(body), read_only=True, data_only=True, keep_links=False)
        if name and name not in book.sheetnames:
            raise InvalidInput(f"it has no sheet {name!r}; there are {', '.join(book.sheetnames)[:200]}")
        sheet = book[name] if name else book.worksheets[0]
        yield from sheet.iter_rows(values_only=True)
    except InvalidInput:
        raise
    except Exception as error:  # openpyxl raises whatever its parsers meet in a damaged file
        raise InvalidInput(f"this spreadsheet cannot be read: {type(error).__name__}: {error}") from None


def _parquet(body: bytes) -> Iterator[Iterable[Any]]:
    import pyarrow as arrow
    from pyarrow import parquet

    try:
        file = parquet.ParquetFile(io.BytesIO(body))
        if file.metadata.num_rows * file.metadata.num_columns > CELLS:
            raise LimitExceeded(f"it has more than {CELLS:,} cells", setting="CELLS")
        yield file.schema_arrow.names
        for batch in file.iter_batches(2000):
            yield from zip(*(column.to_pylist() for column in batch.columns), strict=True)
    except (arrow.ArrowException, OSError, ValueError, OverflowError) as error:
        raise InvalidInput(f"this Parquet cannot be read: {error}") from None

"""Tables to CSV, Parquet and Arrow: for every answer that is columns and rows, whatever face it is of."""

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Any

import msgspec

from allmende.domain.times import format_instant

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_NUMBER = re.compile(r"[+-]?\d+([.,]\d+)?([eE][+-]?\d+)?\Z", re.ASCII)


class ColumnKind(StrEnum):
    """What a column holds; any value may be None."""

    TEXT = "text"
    """Text that people or devices wrote."""
    JSON = "json"
    """JSON as text, or (in CSV) the plain value that it is."""
    INTEGER = "integer"
    """64 bits."""
    NUMBER = "number"
    BOOLEAN = "boolean"
    INSTANT = "instant"
    """Microseconds since 1970, UTC."""
    MIXED = "mixed"
    """Numbers, texts and booleans in one column: for CSV alone, which knows no types."""


class Column(msgspec.Struct, frozen=True):
    """A named list of values, one for each row."""

    name: str
    kind: ColumnKind
    values: Sequence[Any]


def columns_of(names: Iterable[tuple[str, ColumnKind]], rows: Sequence[Sequence[Any]]) -> list[Column]:
    """Rows turned into columns: ``names`` gives name and kind of each place of a row."""
    return [Column(name, kind, [row[at] for row in rows]) for at, (name, kind) in enumerate(names)]


def to_csv(columns: Sequence[Column]) -> bytes:
    """RFC 4180 in UTF-8 without a mark at its start: a line of names, then the rows; null is empty.

    A text that a spreadsheet would take for a formula gets an apostrophe in front (decision 11).
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([column.name for column in columns])
    writer.writerows(zip(*map(_cells, columns), strict=True))
    return out.getvalue().encode()


def _cells(column: Column) -> Sequence[Any]:
    values = column.values
    if column.kind is ColumnKind.INSTANT:
        return [None if v is None else format_instant(v) for v in values]
    if column.kind is ColumnKind.BOOLEAN:
        return [None if v is None else "true" if v else "false" for v in values]
    if column.kind is ColumnKind.MIXED:
        return [("true" if v else "false") if isinstance(v, bool) else harmless(v) for v in values]
    if column.kind in (ColumnKind.TEXT, ColumnKind.JSON):
        return [harmless(v) for v in values]
    return values


def harmless(value: Any) -> Any:
    """A text that a spreadsheet would take for a formula with an apostrophe in front; all else as it is."""
    return f"'{value}" if is_formula(value) else value


def is_formula(value: Any) -> bool:
    """Whether a spreadsheet would run this, typed or read from CSV."""
    return isinstance(value, str) and value.startswith(_FORMULA) and not _NUMBER.match(value)


def to_arrow(columns: Sequence[Column]) -> bytes:
    """A stream of Arrow record batches (the IPC streaming format); JSON is text, instants are timestamps in UTC."""
    import pyarrow as pa

    table = _arrow_table(columns)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue())


def to_parquet(columns: Sequence[Column], said: Mapping[str, str] | None = None) -> bytes:
    """A Parquet file, compressed by zstd; columns as in :func:`to_arrow`. ``said``: metadata of the file."""
    import pyarrow as pa
    from pyarrow import parquet

    sink = pa.BufferOutputStream()
    table = _arrow_table(columns)
    if said:
        table = table.replace_schema_metadata(dict(said))
    parquet.write_table(table, sink, compression="zstd")
    return bytes(sink.getvalue())


def arrow_field(name: str, kind: ColumnKind) -> Any:
    """A column of Arrow; JSON is text and says so."""
    import pyarrow as pa

    types = {
        ColumnKind.TEXT: pa.string(),
        ColumnKind.JSON: pa.string(),
        ColumnKind.INTEGER: pa.int64(),
        ColumnKind.NUMBER: pa.float64(),
        ColumnKind.BOOLEAN: pa.bool_(),
        ColumnKind.INSTANT: pa.timestamp("us", tz="UTC"),
    }
    return pa.field(name, types[kind], metadata={"format": "json"} if kind is ColumnKind.JSON else None)


def _arrow_table(columns: Sequence[Column]) -> Any:
    """Imported late: the library takes its time and memory, and few processes ever need it."""
    import pyarrow as pa

    fields = [arrow_field(column.name, column.kind) for column in columns]
    arrays = [pa.array(c.values, type=field.type) for c, field in zip(columns, fields, strict=True)]
    return pa.Table.from_arrays(arrays, schema=pa.schema(fields))

"""The quick way for blocks of a wide table in which nothing is wrong: a compiled reader turns columns into numbers.

Whatever it does not take, or takes for something that is no number, goes the slow way, cell by cell, which says what is
wrong and where.
"""

import io
from collections.abc import Sequence

import pyarrow as arrow
from pyarrow import compute
from pyarrow import csv as arrow_csv

from allmende.connectors.table.layout import Layout
from allmende.domain.records import Result

Columns = dict[str, list[str] | list[Result]]


def read_quickly(
    body: bytes, sign: str, layout: Layout, texts: Sequence[str], numbers: Sequence[str]
) -> Columns | None:
    """Columns by name: texts as they are, numbers as such with None where there is none. None: take the slow way."""
    if layout.encoding.lower() not in ("utf-8", "utf8") or layout.thousands or not layout.head:
        return None
    if layout.quantities[layout.wide].type == "category":
        return None
    kinds = {name: arrow.string() for name in texts} | {name: arrow.float64() for name in numbers}
    try:
        table = arrow_csv.read_csv(
            io.BytesIO(body),
            read_options=arrow_csv.ReadOptions(
                use_threads=False, block_size=max(len(body) + 1, 1 << 20), skip_rows=layout.head - 1
            ),
            parse_options=arrow_csv.ParseOptions(delimiter=sign),
            convert_options=arrow_csv.ConvertOptions(
                column_types=kinds,
                include_columns=[*texts, *numbers],
                null_values=sorted(layout.missing),
                strings_can_be_null=False,
                decimal_point=layout.decimal,
            ),
        )
    except (arrow.ArrowException, ValueError):
        return None
    found: Columns = {name: table.column(name).to_pylist() for name in texts}
    for name in numbers:
        column = table.column(name)
        if compute.all(compute.is_finite(column)).as_py() is False:
            return None
        found[name] = column.to_pylist()
    return found

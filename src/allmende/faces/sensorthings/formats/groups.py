"""Tables that are no entities (``$apply``, ``Datastreams/latest``) as CSV, Parquet and Arrow."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from allmende.domain import aggregation
from allmende.domain.aggregation import Table
from allmende.domain.errors import InvalidQuery
from allmende.domain.face import Response
from allmende.faces.sensorthings.applying import next_address, shown_value
from allmende.faces.sensorthings.formats.choice import (
    ARROW,
    CSV,
    JSON,
    PARQUET,
    Format,
    accepted_format,
    headers_of,
    named_format,
)
from allmende.faces.sensorthings.formats.flat import decoded, mixed_result, plain, typed_result
from allmende.faces.tables import Column, ColumnKind, to_arrow, to_csv, to_parquet

_WRITERS: Mapping[Format, Callable[[Sequence[Column]], bytes]] = {CSV: to_csv, PARQUET: to_parquet, ARROW: to_arrow}
_KINDS = {"number": ColumnKind.NUMBER, "boolean": ColumnKind.BOOLEAN, "instant": ColumnKind.INSTANT}


def groups_format(texts: Mapping[str, str], accept: str) -> Format:
    """The format of an answer; raises InvalidQuery for one that takes entities alone."""
    if "$resultFormat" not in texts:
        found = accepted_format(accept)
        return found if found in _WRITERS else JSON
    found = named_format(texts["$resultFormat"])
    if found is not JSON and found not in _WRITERS:
        known = ", ".join(format.name for format in (JSON, *_WRITERS))
        raise InvalidQuery(f"{found.name} takes entities alone; there are {known}", where="$resultFormat")
    return found


def render_groups(table: Table, format: Format, texts: Mapping[str, str], address: str) -> Response:
    """A page of a table; ``address`` is the absolute one of the set."""
    columns = [
        made
        for at, column in enumerate(table.columns)
        for made in _columns(column, [row[at] for row in table.rows], typed=format is not CSV)
    ]
    following = None if table.next is None else next_address(table.next, texts, address)
    headers = headers_of(format, "table", following=following, count=table.count)
    return Response(status=200, body=_WRITERS[format](columns), content_type=format.content_type, headers=headers)


def _columns(column: aggregation.Column, values: list[Any], *, typed: bool) -> list[Column]:
    """Named by the path (``Datastream/id``); what may be of any type is a column for each of them where types count."""
    name = "/".join(column.name)
    if column.kind == "interval" and typed:
        ends = [[None if value is None else value[at] for value in values] for at in (0, 1)]
        return [Column(f"{name}_{end}", ColumnKind.INSTANT, e) for end, e in zip(("start", "end"), ends, strict=True)]
    if column.kind == "result":
        kinds, results = [[None if value is None else value[at] for value in values] for at in (0, 1)]
        return typed_result(name, kinds, results) if typed else [mixed_result(name, kinds, results)]
    if column.kind == "json":
        return [Column(name, ColumnKind.JSON, values if typed else [plain(v) for v in decoded(values)])]
    if column.kind == "free" and typed:
        return _by_type(name, values)
    if column.kind == "free" or (column.kind == "number" and not typed):
        return [Column(name, ColumnKind.MIXED, [shown_value(column, value) for value in values])]
    if column.kind == "number":
        return [Column(name, ColumnKind.NUMBER, [None if v is None else float(v) for v in values])]
    if column.kind in _KINDS:
        return [Column(name, _KINDS[column.kind], values)]
    texts = [None if value is None else str(shown_value(column, value)) for value in values]
    return [Column(name, ColumnKind.TEXT, texts)]


def _by_type(name: str, values: list[Any]) -> list[Column]:
    numbers = [float(v) if isinstance(v, int | float) and not isinstance(v, bool) else None for v in values]
    texts = [v if isinstance(v, str) else None for v in values]
    flags = [v if isinstance(v, bool) else None for v in values]
    return [
        Column(f"{name}_number", ColumnKind.NUMBER, numbers),
        Column(f"{name}_text", ColumnKind.TEXT, texts),
        Column(f"{name}_boolean", ColumnKind.BOOLEAN, flags),
    ]

"""A page and what it expands as one table: to-one relations become columns beside their entity's (``Thing/name``)."""

from collections.abc import Callable, Container, Sequence
from typing import Any

import msgspec

from allmende.domain.errors import InvalidQuery
from allmende.domain.model import ENTITIES, Attribute, Kind
from allmende.domain.query import Page, ResultKind, layout
from allmende.domain.times import format_interval
from allmende.faces.sensorthings.options import Asked
from allmende.faces.sensorthings.rows import attribute_of
from allmende.faces.tables import Column, ColumnKind

_FIELDS = {"unitOfMeasurement": ("name", "symbol", "definition")}
"""Objects whose fields the standard names: a column for each."""
_Row = tuple[Any, ...]
_Cell = tuple[Page, _Row] | None
_LARGEST = 2**63
_AS_JSON = range(ResultKind.JSON, 256)
"""Kinds of results that are kept as JSON: objects, lists, and what the model keeps in them."""


def check_flat(asked: Asked) -> None:
    """Raise InvalidQuery where an expansion brings many entities for one row."""
    for name, nested in asked.expands.items():
        relation = ENTITIES[asked.query.entity].relation(name)
        if relation is not None and relation.many and nested.query.top != 1:
            raise InvalidQuery(f"one line has room for one of many: write {name}($top=1)", where="$expand")
        check_flat(nested)


def flatten(page: Page, asked: Asked, *, typed: bool) -> list[Column]:
    """The columns of a page.

    ``typed`` is for formats that know types: there an interval is two columns (``phenomenonTime_start``, ``…_end``), a
    result is one for each type (``result_number``, ``result_integer``, ``result_text``, ``result_boolean``,
    ``result_json``), and which columns there are depends on the question alone. Else either is one column.
    """
    columns: list[Column] = []
    _add_entity(columns, "", [(page, row) for row in page.rows], asked, typed)
    return columns


def _add_entity(columns: list[Column], prefix: str, cells: Sequence[_Cell], asked: Asked, typed: bool) -> None:
    query = asked.query
    entity = ENTITIES[query.entity]
    places = {column: at for at, column in enumerate(layout(query))}
    rows = [None if cell is None else cell[1] for cell in cells]
    for name in asked.chosen if asked.chosen is not None else ("id", *(a.name for a in entity.attributes)):
        if name in ("id", "@iot.id"):
            ids = [None if row is None else str(row[1]) for row in rows]
            columns.append(Column(f"{prefix}id", ColumnKind.TEXT, ids))
            continue
        head, *path = name.split("/")
        attribute = entity.attribute(head)
        if attribute is not None:
            columns += _attribute_columns(prefix, attribute, tuple(path), places, rows, typed)
    for name, nested in asked.expands.items():
        _add_entity(columns, f"{prefix}{name}/", [_related(cell, name) for cell in cells], nested, typed)


def _related(cell: _Cell, relation: str) -> _Cell:
    if cell is None:
        return None
    page, row = cell
    found = page.expanded.get(relation, {}).get(row[0])
    return (found, found.rows[0]) if found is not None and found.rows else None


def _attribute_columns(
    prefix: str,
    attribute: Attribute,
    path: tuple[str, ...],
    places: dict[str, int],
    rows: Sequence[_Row | None],
    typed: bool,
) -> list[Column]:
    name = prefix + attribute.name
    if attribute.kind is Kind.INTERVAL:
        starts, ends = (_values(rows, places[f"{attribute.name}.{end}"]) for end in ("start", "end"))
        return _interval(name, starts, ends, typed)
    if attribute.kind is Kind.RESULT and not path:
        kinds, values = _values(rows, places[f"{attribute.name}.kind"]), _values(rows, places[attribute.name])
        return typed_result(name, kinds, values) if typed else [mixed_result(name, kinds, values)]
    if attribute.kind is Kind.INSTANT:
        return [Column(name, ColumnKind.INSTANT, _values(rows, places[attribute.name]))]
    if attribute.kind is Kind.STRING:
        return [Column(name, ColumnKind.TEXT, _values(rows, places[attribute.name]))]
    at, encode, wide = attribute_of(attribute.name, attribute.kind, places)[1:4]
    texts = [None if row is None or row[at] is None else encode(row if wide else row[at]) for row in rows]
    fields = _FIELDS.get(attribute.name, ())
    if path:
        known = len(path) == 1 and path[0] in fields
        return [_part(f"{name}/{'/'.join(path)}", decoded(texts), path, typed=typed and not known)]
    if fields:
        values = decoded(texts)
        return [_part(f"{name}/{field}", values, (field,), typed=False) for field in fields]
    return [Column(name, ColumnKind.JSON, texts if typed else [plain(v) for v in decoded(texts)])]


def _values(rows: Sequence[_Row | None], place: int) -> list[Any]:
    return [None if row is None else row[place] for row in rows]


def decoded(texts: Sequence[str | None]) -> list[Any]:
    """JSON texts as their values."""
    return [None if value is None else msgspec.json.decode(value) for value in texts]


def _part(name: str, values: Sequence[Any], path: tuple[str, ...], *, typed: bool) -> Column:
    """One part of JSON values: as JSON where types count, since it may be anything; else as what it is."""
    found = values
    for key in path:
        found = [value.get(key) if isinstance(value, dict) else None for value in found]
    if typed:
        return Column(name, ColumnKind.JSON, [None if v is None else _json(v) for v in found])
    return Column(name, ColumnKind.TEXT, [plain(v) for v in found])


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def plain(value: Any) -> str | None:
    """A JSON value as one text without quotes around it."""
    return value if value is None or isinstance(value, str) else _json(value)


def _interval(name: str, starts: list[Any], ends: list[Any], typed: bool) -> list[Column]:
    if typed:
        kind = ColumnKind.INSTANT
        return [Column(f"{name}_start", kind, starts), Column(f"{name}_end", kind, ends)]
    texts = [None if start is None else format_interval(start, end) for start, end in zip(starts, ends, strict=True)]
    return [Column(name, ColumnKind.TEXT, texts)]


def mixed_result(name: str, kinds: list[Any], values: list[Any]) -> Column:
    """Kept results as one column."""
    shown = [_mixed(kind, value) for kind, value in zip(kinds, values, strict=True)]
    return Column(name, ColumnKind.MIXED, shown)


def _mixed(kind: Any, value: Any) -> Any:
    if kind is None or kind == ResultKind.NULL:
        return None
    return bool(value) if kind == ResultKind.BOOLEAN else float(value) if kind == ResultKind.DECIMAL else value


def typed_result(name: str, kinds: list[Any], values: list[Any]) -> list[Column]:
    """Kept results (see ResultKind) as a column for each type."""
    pairs = list(zip(kinds, values, strict=True))

    def pick(wanted: Container[int], shape: Callable[[Any], Any]) -> list[Any]:
        return [shape(value) if kind in wanted and value is not None else None for kind, value in pairs]

    numbers = pick((ResultKind.INTEGER, ResultKind.DECIMAL), float)
    integers = pick((ResultKind.INTEGER,), lambda value: value if -_LARGEST <= value < _LARGEST else None)
    return [
        Column(f"{name}_number", ColumnKind.NUMBER, numbers),
        Column(f"{name}_integer", ColumnKind.INTEGER, integers),
        Column(f"{name}_text", ColumnKind.TEXT, pick((ResultKind.STRING,), str)),
        Column(f"{name}_boolean", ColumnKind.BOOLEAN, pick((ResultKind.BOOLEAN,), bool)),
        Column(f"{name}_json", ColumnKind.JSON, pick(_AS_JSON, str)),
    ]

"""Objects of a collection as batches, in the order of their ids, with a column for each property."""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from allmende.domain.features import FeatureQuery, KeptCollection, KeptFeature
from allmende.domain.selection import Selection
from allmende.faces.files.fields import OBJECT, OUTLINE, REST, Batch, Field
from allmende.faces.files.readings import Source
from allmende.faces.tables import ColumnKind

PAGE = 1_000
_MOST = 200
"""Properties that have a column of their own; further ones are found in the column of the rest."""
_TYPES = {
    "string": ColumnKind.TEXT,
    "number": ColumnKind.NUMBER,
    "integer": ColumnKind.INTEGER,
    "boolean": ColumnKind.BOOLEAN,
}
_BIG = 2**63


def object_fields(source: Source, selection: Selection, kept: KeptCollection) -> tuple[Field, ...]:
    """The columns: what the source says of its properties, and what the first objects have.

    A value that does not fit its column, or has none, stands in the column of the rest: nothing is left out.
    """
    taken = {field.name for field in (*OBJECT, REST, OUTLINE)}
    kinds: dict[str, ColumnKind | None] = {}
    titles: dict[str, str] = {}
    for name, schema in kept.fields.items():
        kinds[name] = _TYPES.get(str(schema.get("type", "")))
        titles[name] = str(schema.get("title", ""))
    said = {name for name, kind in kinds.items() if kind is not None}
    for item in source.store.features(_query(source, selection)).items:
        for name, value in msgspec.json.decode(item.properties).items():
            if name not in said:
                kinds[name] = _wider(kinds.get(name), value)
    named = [
        Field(name=name, kind=kind or ColumnKind.TEXT, de=titles.get(name, ""), en=titles.get(name, ""))
        for name, kind in list(kinds.items())[:_MOST]
        if name not in taken and name.isprintable()
    ]
    return (*OBJECT, *named, REST, OUTLINE)


def objects(source: Source, selection: Selection, fields: Sequence[Field]) -> Iterator[Batch]:
    """Batches with the columns of ``fields``, as :func:`object_fields` gave them."""
    named = fields[len(OBJECT) : -2]
    query = _query(source, selection)
    while True:
        page = source.store.features(query)
        if page.items:
            yield _batch(page.items, named)
        if page.next is None:
            return
        query = msgspec.structs.replace(query, after=page.next)


def _query(source: Source, selection: Selection) -> FeatureQuery:
    end = selection.end
    return FeatureQuery(
        collection=selection.collection,
        reader=source.reader,
        bbox=selection.bbox,
        start=selection.start,
        end=None if end is None else end - 1,
        simulated=source.simulated,
        top=PAGE,
    )


def _batch(items: Sequence[KeptFeature], named: Sequence[Field]) -> Batch:
    properties: list[dict[str, Any]] = [msgspec.json.decode(item.properties) for item in items]
    columns: list[list[Any]] = [
        [item.id for item in items],
        [item.valid_from for item in items],
        [item.valid_to for item in items],
        [item.since for item in items],
    ]
    for field in named:
        values = []
        for each in properties:
            value, fits = _fit(field.kind, each.get(field.name))
            values.append(value)
            if fits:
                each.pop(field.name, None)
        columns.append(values)
    columns.append([msgspec.json.encode(each).decode() if each else None for each in properties])
    columns.append([item.geometry for item in items])
    return Batch(columns, len(items))


def _fit(kind: ColumnKind, value: Any) -> tuple[Any, bool]:
    """The value in its column, and whether it fits there."""
    if value is None:
        return None, True
    if kind is ColumnKind.BOOLEAN:
        fits = isinstance(value, bool)
    elif isinstance(value, bool):
        fits = False
    elif kind is ColumnKind.INTEGER:
        fits = isinstance(value, int) and -_BIG <= value < _BIG
    elif kind is ColumnKind.NUMBER:
        if isinstance(value, int) and abs(value) <= 2**53:
            value = float(value)
        fits = isinstance(value, float)
    else:
        fits = isinstance(value, str)
    return (value, True) if fits else (None, False)


def _wider(known: ColumnKind | None, value: Any) -> ColumnKind | None:
    """What a column has to hold that held ``known`` so far, and shall hold this."""
    if value is None:
        return known
    if isinstance(value, bool):
        kind = ColumnKind.BOOLEAN
    elif isinstance(value, int):
        kind = ColumnKind.INTEGER
    else:
        kind = ColumnKind.NUMBER if isinstance(value, float) else ColumnKind.TEXT
    if known is None or known is kind:
        return kind
    numbers = {ColumnKind.INTEGER, ColumnKind.NUMBER}
    return ColumnKind.NUMBER if {known, kind} == numbers else known

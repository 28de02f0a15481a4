"""Data arrays (18-088, 12.1): observations as rows of values, those of one stream together."""

from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from allmende.domain.ids import is_number
from allmende.domain.model import ENTITIES
from allmende.domain.query import Page, Query, ResultKind, layout
from allmende.domain.times import format_instant, format_interval
from allmende.faces.sensorthings.formats.streams import stream_of_path, stream_relations
from allmende.faces.sensorthings.options import Asked
from allmende.faces.sensorthings.rows import attribute_of, entity_link, result_text, text

_Row = Callable[[tuple[Any, ...]], str]


def data_arrays(page: Page, asked: Asked, root: str) -> Iterator[str]:
    """One JSON object for each stream, in the order in which the page comes to them."""
    row_text, components = _row_writer(asked.query)
    groups: dict[tuple[str, str], list[str]] = {}
    for stream, row in _streams(page):
        groups.setdefault(stream, []).append(row_text(row))
    head = msgspec.json.encode(components).decode()
    for (relation, identifier), rows in groups.items():
        target = next(r.target for r in stream_relations() if r.name == relation)
        link = f"{root}/{entity_link(ENTITIES[target].set_name, identifier)}"
        yield (
            f'{{"{relation}@iot.navigationLink":{text(link)},"components":{head}'
            f',"dataArray@iot.count":{len(rows)},"dataArray":[{",".join(rows)}]}}'
        )


def _streams(page: Page) -> Iterator[tuple[tuple[str, str], tuple[Any, ...]]]:
    """Each row with the relation and the id of its stream."""
    named = stream_of_path(page.query)
    if named is not None:
        for row in page.rows:
            yield named, row
        return
    for row in page.rows:
        for relation, streams in page.expanded.items():
            found = streams.get(row[0])
            if found is not None and found.rows:
                yield (relation, str(found.rows[0][1])), row
                break


def _row_writer(query: Query) -> tuple[_Row, list[str]]:
    """How to write a row, and the names of what stands in it."""
    selected = query.selected()
    components = [*(["id"] if query.selects_id() else []), *selected]
    if query.select is None:
        return _whole_row, components
    places = {column: at for at, column in enumerate(layout(query))}
    known = ENTITIES["Observation"]
    attributes = [attribute_of(name, a.kind, places) for name in selected if (a := known.attribute(name))]
    shows_id = query.selects_id()

    def row_text(row: tuple[Any, ...]) -> str:
        values = ["null" if row[a.at] is None else a.encode(row if a.wide else row[a.at]) for a in attributes]
        return f"[{','.join([_shown(row[1]), *values] if shows_id else values)}]"

    return row_text, components


def _shown(identifier: Any) -> str:
    shown = str(identifier)
    return shown if is_number(shown) else text(shown)


def _whole_row(row: tuple[Any, ...]) -> str:
    """The hot path: all attributes in one go."""
    (_, number, begin, end, result_time, kind, value, quality, valid_start, valid_end, parameters) = row
    shown = str(number) if isinstance(number, int) else _shown(number)
    moment = format_instant(begin) if end is None else format_interval(begin, end)
    stamp = "null" if result_time is None else f'"{format_instant(result_time)}"'
    valid = "null" if valid_start is None else f'"{format_interval(valid_start, valid_end)}"'
    result = value if kind == ResultKind.INTEGER else result_text(kind, value)
    return (
        f'[{shown},"{moment}",{stamp},{result},{"null" if quality is None else quality},{valid}'
        f",{'null' if parameters is None else parameters}]"
    )

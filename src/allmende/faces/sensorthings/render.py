"""Pages to bytes. No object per row: a row's tuple becomes text once, JSON columns go through untouched."""

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any
from urllib.parse import quote

from allmende.domain.ids import is_number
from allmende.domain.model import ENTITIES, Kind
from allmende.domain.policy import house_reader
from allmende.domain.query import Page, Query, ResultKind, layout
from allmende.domain.times import format_instant, format_interval
from allmende.faces.sensorthings.options import Asked, make_token
from allmende.faces.sensorthings.rows import attribute_of, entity_link, result_text, row_writer, text


def render_page(page: Page, asked: Asked, root: str, path: str) -> bytes:
    """A set: ``path`` is its (decoded) address relative to the root, for the link to the next page."""
    return envelope(page, asked, address_of(root, path), render_rows(page, asked, root))


def render_references(page: Page, asked: Asked, root: str, path: str) -> bytes:
    """``/$ref`` of a set: addresses alone."""
    return envelope(page, asked, address_of(root, path), _references(page, root))


def render_reference(page: Page, root: str) -> bytes:
    """``/$ref`` of one entity."""
    return next(_references(page, root)).encode()


def _references(page: Page, root: str) -> Iterator[str]:
    set_name = ENTITIES[page.query.entity].set_name
    for row in page.rows:
        yield f'{{"@iot.selfLink":{text(f"{root}/{entity_link(set_name, str(row[1]))}")}}}'


def envelope(page: Page, asked: Asked, address: str, rows: Iterable[str]) -> bytes:
    """``{"value": […]}`` with a set's count and the link to its next page."""
    parts = []
    if page.count is not None:
        parts.append(f'"@iot.count":{page.count}')
    if page.next is not None and asked.metadata != "off":
        parts.append(f'"@iot.nextLink":{text(next_link(address, asked, page.next))}')
    parts.append(f'"value":[{",".join(rows)}]')
    return ("{" + ",".join(parts) + "}").encode()


def address_of(root: str, path: str) -> str:
    """Of a decoded path relative to the root."""
    return f"{root}/{quote(path, safe=SAFE)}"


def next_link(address: str, asked: Asked, after: tuple[Any, ...]) -> str:
    """The same question, going on behind the last entity.

    ``$skip`` says how many lie before it. The token alone decides where to go on; but clients (Masterportal's) see by
    ``$skip`` that they have the ``$top`` entities which they asked for, and would follow the links to the end else.
    """
    texts = {k: v for k, v in asked.texts.items() if k not in ("$skip", "$skiptoken")}
    texts["$skip"] = str(int(asked.texts.get("$skip", "0")) + asked.query.top)
    texts["$skiptoken"] = make_token(after)
    return f"{address}?{'&'.join(f'{k}={quote(v, safe=SAFE)}' for k, v in texts.items())}"


SAFE = "~!$()*,;:@'/"
"""Signs that stay as they are in the addresses of pages."""


def render_rows(page: Page, asked: Asked, root: str) -> Iterator[str]:
    """Each row as a JSON object."""
    if page.query.entity == "Observation" and not page.query.expand and page.query.select is None and asked.links:
        base = f"{_escaped(root)}/Observations("
        for row in page.rows:
            yield observation_text(row, base)
        return
    query = page.query
    expanded = frozenset(e.relation for e in query.expand)
    write = row_writer(query.entity, query.select, expanded, root, asked.parts, asked.links)
    if not page.expanded:
        for row in page.rows:
            yield f"{{{write(row)}}}"
        return
    for row in page.rows:
        own = write(row)
        parts = [own] if own else []
        parts += _render_expanded(row, page, asked, root)
        yield "{" + ",".join(parts) + "}"


def render_entity(page: Page, asked: Asked, root: str) -> bytes:
    """The first row alone."""
    return next(render_rows(page, asked, root)).encode()


def observation_text(row: tuple[Any, ...], base: str) -> str:
    """The hot path: an observation with all attributes and links, in one go. ``base`` is the text of its address up to
    the bracket, as it stands in JSON."""
    (_, number, begin, end, result_time, kind, value, quality, valid_start, valid_end, parameters) = row
    shown, key = (number, number) if isinstance(number, int) else _named(str(number))
    moment = format_instant(begin) if end is None else format_interval(begin, end)
    stamp = "null" if result_time is None else f'"{format_instant(result_time)}"'
    extra = ""
    if quality is not None:
        extra += f',"resultQuality":{quality}'
    if valid_start is not None:
        extra += f',"validTime":"{format_interval(valid_start, valid_end)}"'
    if parameters is not None:
        extra += f',"parameters":{parameters}'
    stream = "MultiDatastream" if kind == ResultKind.ROW else "Datastream"
    return (
        f'{{"@iot.selfLink":"{base}{key})","@iot.id":{shown},"phenomenonTime":"{moment}","resultTime":{stamp}'
        f',"result":{value if kind == ResultKind.INTEGER else result_text(kind, value)}{extra}'
        f',"{stream}@iot.navigationLink":"{base}{key})/{stream}"'
        f',"FeatureOfInterest@iot.navigationLink":"{base}{key})/FeatureOfInterest"}}'
    )


def _named(identifier: str) -> tuple[str, str]:
    """How the id of a named observation is shown, and how it stands in the brackets of an address in JSON."""
    if is_number(identifier):
        return identifier, identifier
    return text(identifier), text(entity_link("", identifier))[2:-2]


def observation_json(row: tuple[Any, ...], root: str = "") -> bytes:
    """One observation, laid out as a Query for all of its attributes, e.g. for MQTT."""
    return observation_text(row, f"{_escaped(root)}/Observations(").encode()


OBSERVATION_LAYOUT = layout(Query(entity="Observation", reader=house_reader("render")))


@lru_cache(maxsize=256)
def _escaped(value: str) -> str:
    return text(value)[1:-1]


def attribute_json(name: str, kind: Kind, places: dict[str, int], row: tuple[Any, ...]) -> str | None:
    """The JSON of an attribute of a row; None where it is null."""
    attribute = attribute_of(name, kind, places)
    value = row[attribute.at]
    return None if value is None else attribute.encode(row if attribute.wide else value)


def _render_expanded(row: tuple[Any, ...], page: Page, asked: Asked, root: str) -> Iterator[str]:
    entity = ENTITIES[page.query.entity]
    for name, nested in asked.expands.items():
        relation = entity.relation(name)
        children = page.expanded.get(name, {}).get(row[0])
        if relation is None or children is None:
            continue
        rows: Sequence[str] = list(render_rows(children, nested, root))
        if not relation.many:
            yield f'"{name}":{rows[0] if rows else "null"}'
            continue
        if children.count is not None:
            yield f'"{name}@iot.count":{children.count}'
        yield f'"{name}":[{",".join(rows)}]'
        if children.next is not None and asked.metadata != "off":
            address = f"{root}/{entity_link(entity.set_name, str(row[1]))}/{name}"
            yield f'"{name}@iot.nextLink":{text(next_link(address, nested, children.next))}'

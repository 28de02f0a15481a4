"""Writes rows as JSON, as fast as it goes: what all rows of a shape have in common is put together once."""

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple
from urllib.parse import quote

import msgspec

from allmende.domain.ids import is_number
from allmende.domain.model import ENTITIES, Kind
from allmende.domain.policy import house_reader
from allmende.domain.query import Query, ResultKind, layout
from allmende.domain.times import format_instant, format_interval

_encode = msgspec.json.Encoder().encode
_KEPT_NULL = frozenset({"resultTime"})
"""Attributes that are shown though they are null (18-088, table 8.2.7); other null ones are left out."""
_LONGEST_KNOWN = 120
"""Characters up to which a text is remembered with its JSON: names, types and descriptions come again and again."""
Parts = tuple[tuple[str, tuple[tuple[str, ...], ...]], ...]
"""Of which properties only parts are wanted, and which: ``("properties", (("address", "city"),))``."""
Writer = Callable[[tuple[Any, ...]], str]


def text(value: str) -> str:
    """A JSON string."""
    return _known_text(value) if len(value) <= _LONGEST_KNOWN else _encode(value).decode()


@lru_cache(maxsize=4096)
def _known_text(value: str) -> str:
    return _encode(value).decode()


def entity_link(set_name: str, identifier: str) -> str:
    """``Things(7)`` or ``Things('a%2Fb')``: relative to the root. It stands in JSON as it is."""
    if is_number(identifier):
        return f"{set_name}({identifier})"
    return f"{set_name}('{_quoted(identifier)}')"


@lru_cache(maxsize=4096)
def _quoted(identifier: str) -> str:
    return quote(identifier.replace("'", "''"), safe="~!$&()*+,;=:@'")


def result_text(kind: int, value: Any) -> str:
    """A kept result as JSON."""
    if kind == ResultKind.INTEGER:
        return str(value)
    if kind == ResultKind.DECIMAL:
        return _encode(float(value)).decode()
    if kind == ResultKind.BOOLEAN:
        return "true" if value else "false"
    if kind == ResultKind.STRING:
        return text(value)
    return value if kind >= ResultKind.JSON else "null"


class Attribute(NamedTuple):
    """How one attribute is written: ``encode`` gets the row's value, or (``wide``) the row itself."""

    prefix: str
    at: int
    """The column that is null where the attribute is."""
    encode: Callable[[Any], str]
    wide: bool
    empty: str
    """What is written where it is null."""


def attribute_of(name: str, kind: Kind, places: dict[str, int]) -> Attribute:
    """How to write an attribute of rows whose columns stand at ``places``."""
    empty = f'"{name}":null' if name in _KEPT_NULL else ""
    prefix = f'"{name}":'
    if kind is Kind.INTERVAL:
        start, end = places[f"{name}.start"], places[f"{name}.end"]
        return Attribute(prefix, start, lambda row: f'"{format_interval(row[start], row[end])}"', True, empty)
    at = places[name]
    if kind is Kind.RESULT:
        which = places[f"{name}.kind"]
        return Attribute(prefix, which, lambda row: result_text(row[which], row[at]), True, empty)
    if kind is Kind.INSTANT:
        return Attribute(prefix, at, lambda value: f'"{format_instant(value)}"', False, empty)
    return Attribute(prefix, at, text if kind is Kind.STRING else str, False, empty)


@lru_cache(maxsize=512)
def row_writer(
    entity_name: str,
    select: tuple[str, ...] | None,
    expanded: frozenset[str],
    root: str,
    parts: Parts = (),
    links: bool = True,
) -> Writer:
    """Writes the inside of a row's object: its id, attributes (or ``parts`` of them), and ``links`` to itself and to
    what is not ``expanded`` anyway."""
    entity = ENTITIES[entity_name]
    query = Query(entity=entity_name, reader=house_reader("render"), select=select)
    places = {column: at for at, column in enumerate(layout(query))}
    start = _encode(f"{root}/{entity.set_name}").decode()[1:-1]
    named = query.selects_id()
    attributes = [
        _some_of(attribute_of(name, attribute.kind, places), dict(parts).get(name))
        for name in query.selected()
        if (attribute := entity.attribute(name)) is not None
    ]
    linked = [
        r.name
        for r in entity.relations
        if links and (not r.quiet if select is None else r.name in select) and r.name not in expanded
    ]
    # The one place of each link that differs from row to row is marked by a sign that no address holds.
    navigation = of_rows = _links(linked, start)
    kind = places.get("result.kind") if select is None else None
    if kind is not None:
        # An observation's row says what it belongs to: nothing is linked to that is not there.
        navigation = _links([name for name in linked if name != "MultiDatastream"], start)
        of_rows = _links([name for name in linked if name != "Datastream"], start)

    def write(row: tuple[Any, ...]) -> str:
        identifier = str(row[1])
        found = []
        if is_number(identifier):
            key = f"({identifier})"
            shown = identifier
        else:
            key = entity_link("", identifier)
            shown = text(identifier)
        if named and links:
            found.append(f'"@iot.selfLink":"{start}{key}","@iot.id":{shown}')
        elif named:
            found.append(f'"@iot.id":{shown}')
        for prefix, at, encode, wide, empty in attributes:
            value = row[at]
            if value is not None:
                found.append(prefix + encode(row if wide else value))
            elif empty:
                found.append(empty)
        shown = navigation if kind is None or row[kind] != ResultKind.ROW else of_rows
        if shown:
            found.append(shown.replace("\0", key))
        return ",".join(filter(None, found) if parts else found)

    return write


def _links(names: list[str], start: str) -> str:
    return ",".join(f'"{name}@iot.navigationLink":"{start}\0/{name}"' for name in names)


def _some_of(attribute: Attribute, paths: Sequence[tuple[str, ...]] | None) -> Attribute:
    """The same attribute, of which only what the paths lead to is written; nothing where they lead nowhere."""
    if not paths:
        return attribute

    def encode(value: Any) -> str:
        picked = pick_parts(msgspec.json.decode(attribute.encode(value)), paths)
        return "" if picked is None else attribute.prefix + _encode(picked).decode()

    return attribute._replace(prefix="", encode=encode)


def pick_parts(value: Any, paths: Iterable[tuple[str, ...]]) -> dict[str, Any] | None:
    """Of a JSON object what the paths lead to, nested as it was; None where they lead nowhere."""
    picked: dict[str, Any] = {}
    for path in paths:
        found = value
        for key in path:
            if not isinstance(found, dict) or key not in found:
                break
            found = found[key]
        else:
            inner = picked
            for key in path[:-1]:
                inner = inner.setdefault(key, {})
            inner[path[-1]] = found
    return picked or None

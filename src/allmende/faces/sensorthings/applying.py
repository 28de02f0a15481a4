"""``$apply`` (OData Data Aggregation 4.0) to an Aggregation, and its groups to bytes.

What the house adds stands in docs/reference/aggregates.md: ``bucket()``, the methods ``allmende.…``, and that
``$filter`` may speak of the entities (then it holds before they are grouped) or of the columns (then it holds after).
"""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

from msgspec import Raw

from allmende.domain import ids
from allmende.domain.aggregation import Aggregation, Column, Table
from allmende.domain.creation import encode
from allmende.domain.errors import InvalidQuery
from allmende.domain.face import FaceLimits
from allmende.domain.model import ENTITIES
from allmende.domain.policy import Reader
from allmende.domain.query import Expression, Path, Query
from allmende.domain.times import SECOND, format_instant, format_interval
from allmende.faces.sensorthings.address import Address
from allmende.faces.sensorthings.expressions import Applied, parse_apply, parse_filter, parse_order
from allmende.faces.sensorthings.options import bounds_of, make_token, paging, read_texts
from allmende.faces.sensorthings.render import SAFE
from allmende.faces.sensorthings.rows import result_text

OPTIONS = ("$apply", "$filter", "$orderby", "$top", "$skip", "$count", "$skiptoken", "$resultFormat")


def parse_aggregation(address: Address, text: str, *, reader: Reader, limits: FaceLimits) -> Aggregation:
    """The question that an address and its (encoded) options ask; raises InvalidQuery that says where."""
    texts = read_texts(text, OPTIONS)
    if address.single or address.attribute or address.reference:
        raise InvalidQuery("goes with a set, not with one entity", where="$apply")
    bounds = bounds_of(limits)
    applied = parse_apply(texts["$apply"], **bounds)
    _refuse_known_names(applied, address.entity)
    condition = parse_filter(texts["$filter"], **bounds) if "$filter" in texts else None
    having = condition is not None and not _new_names(applied).isdisjoint(path.parts for path in _paths(condition))
    page = paging(texts, limits)
    return Aggregation(
        source=Query(entity=address.entity, reader=reader, path=address.path, filter=None if having else condition),
        groups=applied.groups,
        measures=applied.measures,
        where=applied.where,
        having=condition if having else None,
        order=parse_order(texts["$orderby"], **bounds) if "$orderby" in texts else (),
        top=page.top,
        skip=page.skip,
        after=page.after,
        count=page.count,
    )


def _new_names(applied: Applied) -> set[tuple[str | int, ...]]:
    """Columns that are called as no property of the entity is."""
    renamed = {g.name for g in applied.groups if not (isinstance(g.expression, Path) and g.expression.parts == g.name)}
    return {*renamed, *((measure.name,) for measure in applied.measures)}


def _refuse_known_names(applied: Applied, entity: str) -> None:
    """A column that were called as a property is would leave it open which of the two ``$filter`` means."""
    type_ = ENTITIES[entity]
    for (name,) in _new_names(applied):
        if type_.attribute(str(name)) or type_.relation(str(name)) or name == "id":
            raise InvalidQuery(f"{name!r} is a property of {entity} already; choose another name", where="$apply")


def _paths(node: object) -> Iterator[Path]:
    """All paths that an expression names."""
    if isinstance(node, Path):
        yield node
    elif isinstance(node, Expression):
        for name in node.__struct_fields__:
            field = getattr(node, name)
            for inner in field if isinstance(field, tuple) else (field,):
                yield from _paths(inner)


LATEST = "Datastreams/latest"
"""A path that ends so asks for the newest reading of each stream of the set; ``MultiDatastreams/latest`` does too."""
LATEST_OPTIONS = tuple(option for option in OPTIONS if option != "$apply")


def parse_latest(address: Address, text: str, *, reader: Reader, limits: FaceLimits) -> Query:
    """The question of ``Datastreams/latest`` or ``MultiDatastreams/latest``: options speak of the streams."""
    texts = read_texts(text, LATEST_OPTIONS)
    bounds, page = bounds_of(limits), paging(texts, limits)
    return Query(
        entity=address.entity,
        reader=reader,
        path=address.path,
        filter=parse_filter(texts["$filter"], **bounds) if "$filter" in texts else None,
        order=parse_order(texts["$orderby"], **bounds) if "$orderby" in texts else (),
        top=page.top,
        skip=page.skip,
        after=page.after,
        count=page.count,
    )


# --- rendering ---


def render_table(table: Table, texts: Mapping[str, str], address: str) -> bytes:
    """The groups as objects, with links to the next page; ``address`` is the absolute one of the set."""
    parts = []
    if table.count is not None:
        parts.append(f'"@iot.count":{table.count}')
    if table.next is not None:
        parts.append(f'"@iot.nextLink":{encode(next_address(table.next, texts, address))}')
    rows = ",".join(encode(row) for row in rows_of(table))
    parts.append(f'"value":[{rows}]')
    return ("{" + ",".join(parts) + "}").encode()


def next_address(after: tuple[Any, ...], texts: Mapping[str, str], address: str) -> str:
    """The same question, going on behind the last group."""
    again = {k: v for k, v in texts.items() if k not in ("$skip", "$skiptoken")}
    again["$skiptoken"] = make_token(after)
    return f"{address}?{'&'.join(f'{name}={quote(value, safe=SAFE)}' for name, value in again.items())}"


def rows_of(table: Table) -> list[dict[str, Any]]:
    """Rows as JSON values; a column of a related entity stands inside of an object, as OData has it."""
    found = []
    for row in table.rows:
        made: dict[str, Any] = {}
        for column, value in zip(table.columns, row, strict=True):
            place = made
            for part in column.name[:-1]:
                place = place.setdefault(part, {})
            place[column.name[-1]] = shown_value(column, value)
        found.append(made)
    return found


def shown_value(column: Column, value: Any) -> Any:
    """A value of a column as JSON shows it."""
    if value is None:
        return None
    if column.kind == "result":
        return Raw(result_text(*value).encode())
    if column.kind == "json":
        return Raw(value.encode())
    if column.kind == "id":
        return ids.shown(str(value))
    if column.kind == "instant":
        return format_instant(value)
    if column.kind == "interval":
        return format_interval(*value)
    if column.kind == "clock":
        return format_instant(value)[11:-1]
    if column.kind == "duration":
        sign, (whole, rest) = "-" if value < 0 else "", divmod(abs(value), SECOND)
        return f"{sign}PT{whole}.{rest:06}S" if rest else f"{sign}PT{whole}S"
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    return value

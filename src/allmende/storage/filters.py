"""Filters to SQL. Types are checked here, so that a mistake is told with its place and never becomes a wrong answer.

Null behaves as in SQL: a comparison with a missing value is neither true nor false, and its entity is not found.
A property beside a literal is compared as it is kept, and may be found by an index; all else in the types of
:class:`allmende.storage.typed.Typed`.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Literal

from allmende.domain import times
from allmende.domain.errors import InvalidQuery
from allmende.domain.model import Kind
from allmende.domain.query import Call, Compare, Expression, In, Logic, Not, Path, ResultKind, Value
from allmende.storage.connections import Dialect, JsonKind
from allmende.storage.expressions import FUNCTIONS, apply, as_kind, check, clock, expect, fold, read, span
from allmende.storage.slots import is_whole, turned
from allmende.storage.spatial import narrowed
from allmende.storage.sql import Scope, Sql, all_of, any_of, attribute_expressions, id_text
from allmende.storage.typed import WORDS, Here, Item, Place, Typed, at, attribute_of, body_of, json_of

Operator = Literal["eq", "ne", "gt", "ge", "lt", "le"]
_OPERATORS = {"eq": "=", "ne": "<>", "gt": ">", "ge": ">=", "lt": "<", "le": "<="}
_MIRRORED: dict[Operator, Operator] = {"eq": "eq", "ne": "ne", "gt": "lt", "ge": "le", "lt": "gt", "le": "ge"}
_JSON_KINDS: tuple[JsonKind, ...] = ("number", "string", "boolean")


def compile_filter(scope: Scope, entity: str, alias: str, node: Expression) -> Sql:
    """The condition that ``node`` asks of an entity."""
    return condition(Place(Here(scope, entity, alias)), node, narrow=True)


def condition(place: Place, node: Expression, *, narrow: bool = False) -> Sql:
    """What is true, false or null of an entity; each comparison walks along to-many relations for itself.

    ``narrow``: false and null are the same to the asker, so that an index may narrow it down.
    """
    if isinstance(node, Logic):
        pieces = [condition(place, n, narrow=narrow) for n in node.items]
        return "(" + all_of(pieces) + ")" if node.op == "and" else any_of(pieces)
    if isinstance(node, Not):
        return "NOT (" + condition(place, node.item) + ")"
    if isinstance(node, In) and isinstance(node.choices, tuple):
        return any_of([condition(place, Compare("eq", node.item, c, node.at)) for c in node.choices])
    here = place.fresh()
    if isinstance(node, Compare):
        return here.wrap(_beside(here, node, _compare(here, node), narrow))
    if isinstance(node, In):
        return here.wrap(_member(here, node))
    if isinstance(node, Call):
        return _call(here, node, narrow)
    return here.wrap(_as_condition(here, node))


def _beside(place: Place, node: Expression, exact: Sql, narrow: bool) -> Sql:
    near = narrowed(place, node) if narrow else None
    return exact if near is None else "(" + near + " AND " + exact + ")"


def _as_condition(place: Place, node: Expression) -> Sql:
    found = read(place, node)
    if found.kind not in ("boolean", "free"):
        raise InvalidQuery(f"a condition is wanted here, not {WORDS[found.kind]}", where=at(node))
    return as_kind(found, "boolean", "a filter", node)


# --- functions that are conditions ---


def _call(place: Place, node: Call, narrow: bool) -> Sql:
    if node.name == "any":
        return _any(place, node, narrow)
    if node.name == "substringof":
        expect(node, 2)
        return place.wrap(apply(place, Call("contains", node.arguments[::-1], node.at)))
    if node.name in _SPANS:
        expect(node, 2)
        spans = [span(place, argument, f"{node.name}()") for argument in node.arguments]
        return place.wrap("(" + _SPANS[node.name](*spans[0], *spans[1]) + ")")
    if node.name not in FUNCTIONS:
        if node.name in ("now", "mindatetime", "maxdatetime"):
            raise InvalidQuery("a condition is wanted here, not a time", where=at(node))
        raise InvalidQuery(f"there is no function {node.name}()", where=at(node))
    if FUNCTIONS[node.name].gives != "boolean":
        raise InvalidQuery(f"a condition is wanted here, not {WORDS[FUNCTIONS[node.name].gives]}", where=at(node))
    return place.wrap(_beside(place, node, apply(place, node), narrow))


def _any(place: Place, node: Call, narrow: bool) -> Sql:
    target, variable, asked = (*node.arguments, None, None)[:3]
    if not isinstance(target, Path) or len(node.arguments) not in (1, 3):
        raise InvalidQuery("write any() behind a relation, e.g. Datastreams/any(d: d/name eq 'x')", where=at(node))
    if place.is_list(target):
        return place.wrap(_any_item(place, target, variable, asked))
    here = place.walk_many(target)
    if not isinstance(variable, Path) or asked is None:
        return place.wrap(Sql("1 = 1"))
    return place.wrap(condition(place.binding(str(variable.parts[0]), here), asked, narrow=narrow))


def _any_item(place: Place, target: Path, variable: Expression | None, asked: Expression | None) -> Sql:
    """Whether an item of a list inside of JSON fulfils a condition; null where there is no list."""
    body, keys = json_of(place, target)
    alias = place.here.scope.name()
    found = Sql("1 = 1")
    if isinstance(variable, Path) and asked is not None:
        item = Item(place.dialect.json_item(alias))
        found = condition(place.binding(str(variable.parts[0]), item), asked)
    return Sql(*place.dialect.json_any(body, keys, alias, found))


def _before(start: Sql, last: Sql, start2: Sql, last2: Sql) -> Sql:
    # The bound on the start is implied; it lets the engine use the index.
    return start + " < " + start2 + " AND " + last + " < " + start2


def _during(start: Sql, last: Sql, start2: Sql, last2: Sql) -> Sql:
    return start + " >= " + start2 + " AND " + start + " <= " + last2 + " AND " + last + " <= " + last2


_SPANS: Mapping[str, Callable[[Sql, Sql, Sql, Sql], Sql]] = MappingProxyType(
    {
        "before": _before,
        "after": lambda start, last, start2, last2: start + " > " + last2,
        "meets": lambda start, last, start2, last2: last + " = " + start2,
        "during": _during,
        "overlaps": lambda start, last, start2, last2: start + " < " + last2 + " AND " + last + " > " + start2,
        "starts": lambda start, last, start2, last2: start + " = " + start2 + " AND " + last + " <= " + last2,
        "finishes": lambda start, last, start2, last2: last + " = " + last2 + " AND " + start + " >= " + start2,
    }
)
"""Relations of two spans; an instant is a span without length. ``during`` includes both ends, ``meets`` is where the
first ends and the second starts, ``overlaps`` is to have more in common than an end."""


def _member(place: Place, node: In) -> Sql:
    """Whether a list inside of JSON holds an item."""
    assert isinstance(node.choices, Path)
    body, keys = json_of(place, node.choices)
    item = read(place, node.item)
    kinds = [kind for kind in _JSON_KINDS if item.kind in (kind, "free")]
    if not kinds:
        raise InvalidQuery(f"a list may hold a number, a text, true or false, not {WORDS[item.kind]}", where=at(node))
    pieces = []
    for kind in kinds:
        asked = item.each(kind) if item.each is not None else item.sql
        if kind == "boolean" and item.each is None:
            asked = "(CASE WHEN " + item.sql + " THEN 1 ELSE 0 END)"
        pieces.append(Sql(*place.dialect.json_holds(body, keys, kind, asked)))
    return any_of(pieces)


# --- comparisons ---


def _compare(place: Place, node: Compare) -> Sql:
    left, right, op = fold(node.left), fold(node.right), node.op
    if isinstance(left, Value) and isinstance(right, Path):
        left, right, op = right, left, _MIRRORED[op]
    if isinstance(left, Path) and isinstance(right, Value) and place.columns is None and not place.item(left):
        made = _compare_attribute(place, left, op, check(right))
        if made is not None:
            return made
    first, second = read(place, left), read(place, right)
    if second.kind == "clock" and isinstance(left, Value) and left.kind == "string":
        first = clock(left)
    if first.kind == "clock" and isinstance(right, Value) and right.kind == "string":
        second = clock(right)
    if first.kind == "null":
        first, second, op = second, first, _MIRRORED[op]
    if second.kind == "null":
        return _compare_null(first, op, right if isinstance(right, Value) else left)
    return _compare_typed(place.dialect, first, op, second, right)


def _compare_typed(dialect: Dialect, first: Typed, op: Operator, second: Typed, node: Expression) -> Sql:
    sign = f" {_OPERATORS[op]} "
    if first.each is not None and second.each is not None:
        pairs = [(first.each(kind), second.each(kind), kind) for kind in _JSON_KINDS]
        same = ["(" + a + _collated(dialect, kind) + sign + b + ")" for a, b, kind in pairs]
        return "coalesce(" + same[0] + ", " + same[1] + ", " + same[2] + ")"
    if first.each is not None and second.kind in _JSON_KINDS:
        first = Typed(second.kind, as_kind(first, second.kind, op, node))
    if second.each is not None and first.kind in _JSON_KINDS:
        second = Typed(first.kind, as_kind(second, first.kind, op, node))
    if {first.kind, second.kind} <= {"instant", "interval"}:
        return _compare_spans(first, op, second)
    if first.kind != second.kind or first.kind in ("geometry", "free"):
        raise InvalidQuery(f"{WORDS[first.kind]} is not compared with {WORDS[second.kind]}", where=at(node))
    return "(" + first.sql + ")" + _collated(dialect, first.kind) + sign + "(" + second.sql + ")"


def _collated(dialect: Dialect, kind: str) -> str:
    return dialect.by_code_points if kind == "string" else ""


def _compare_spans(first: Typed, op: Operator, second: Typed) -> Sql:
    """A span is later than another if it starts after its end, earlier if it ends before its start."""
    start, last = first.sql, first.last or first.sql
    start2, last2 = second.sql, second.last or second.sql
    sign = f" {_OPERATORS[op]} "
    if op in ("gt", "ge"):
        return start + sign + last2
    if op in ("lt", "le"):
        return last + sign + start2
    same = "(" + start + " = " + start2 + " AND " + last + " = " + last2 + ")"
    return same if op == "eq" else "NOT " + same


def _compare_null(found: Typed, op: Operator, null: Expression) -> Sql:
    if op not in ("eq", "ne"):
        raise InvalidQuery("null is compared by eq or ne", where=at(null))
    missing = found.sql if found.kind == "free" else "(" + found.sql + ") IS NULL"
    return missing if op == "eq" else "NOT (" + missing + ")"


# --- a property beside a literal ---


def _compare_attribute(place: Place, path: Path, op: Operator, value: Value) -> Sql | None:
    """None where the general way will do."""
    here, (name, *keys) = place.walk(path)
    if name in ("id", "@iot.id"):
        return _compare_id(here.entity, here.alias, op, value)
    attribute = attribute_of(here.entity, str(name), path)
    columns = attribute_expressions(here.entity, here.alias, attribute.name, place.dialect)
    if keys or (attribute.kind is Kind.JSON and value.kind != "null"):
        return _compare_json(place.dialect, body_of(attribute, columns, path), keys, op, value)
    if attribute.kind is Kind.RESULT:
        return _compare_result(place.dialect, here.alias, op, value)
    if value.kind == "null":
        return _null(columns[0], op, value)
    if attribute.kind in (Kind.INSTANT, Kind.INTERVAL):
        return _compare_time(columns, op, value, str(name))
    if attribute.kind is not Kind.STRING:
        raise InvalidQuery(f"{name} cannot be compared as a whole", where=at(path))
    if value.kind != "string":
        raise InvalidQuery(f"{name} is a text; write '{value.value}' in single quotes", where=at(value))
    return Sql(f"{columns[0]} {_OPERATORS[op]} ?", (value.value,))


def _compare_id(entity: str, alias: str, op: str, value: Value) -> Sql:
    if value.kind not in ("string", "number"):
        raise InvalidQuery("an id is a text or a whole number", where=at(value))
    if entity == "Observation" and is_whole(value.value):
        return Sql(f"{alias}.id {_OPERATORS[op]} ?", (value.value,))
    return Sql(f"{id_text(entity, alias)} {_OPERATORS[op]} ?", (turned(str, value.value),))


def _compare_result(dialect: Dialect, alias: str, op: str, value: Value) -> Sql:
    if value.kind == "null":
        if op not in ("eq", "ne"):
            raise InvalidQuery("null is compared by eq or ne", where=at(value))
        return Sql(f"{alias}.result_kind {_OPERATORS[op]} {ResultKind.NULL}")
    if value.kind not in ("number", "string", "boolean"):
        raise InvalidQuery("a result is compared with a number, a text, true, false or null", where=at(value))
    return Sql(*dialect.compare_result(alias, _OPERATORS[op], _plain(value), value.kind))


def _compare_json(dialect: Dialect, column: str, keys: list[Any], op: str, value: Value) -> Sql:
    if value.kind == "null":
        if op not in ("eq", "ne"):
            raise InvalidQuery("null is compared by eq or ne", where=at(value))
        missing = Sql(*dialect.json_missing(column, keys))
        return missing if op == "eq" else "NOT (" + missing + ")"
    if value.kind not in ("number", "string", "boolean"):
        raise InvalidQuery("a JSON property is compared with a number, a text, true, false or null", where=at(value))
    return Sql(*dialect.json_at(column, keys, value.kind)) + Sql(f" {_OPERATORS[op]} ?", (_plain(value),))


def _compare_time(columns: tuple[str, ...], op: Operator, value: Value, name: str) -> Sql | None:
    """A span is later than an instant if it starts later, earlier if it ends earlier, equal if it is that instant."""
    if value.kind == "interval":
        return None
    if value.kind != "instant":
        hint = f"{name} is a time; write it without quotes, e.g. {times.format_instant(0)}"
        raise InvalidQuery(hint, where=at(value))
    start, end = columns[0], columns[-1]
    last = start if len(columns) == 1 else f"coalesce({end}, {start})"
    if op in ("gt", "ge"):
        return Sql(f"{start} {_OPERATORS[op]} ?", (value.value,))
    if op in ("lt", "le"):
        # The bound on the start is implied; it lets the engine use the index.
        bound = f"{start} {_OPERATORS[op]} ?"
        if len(columns) == 1:
            return Sql(bound, (value.value,))
        return Sql(f"({bound} AND {last} {_OPERATORS[op]} ?)", (value.value, value.value))
    same = Sql(f"({start} = ? AND {last} = ?)", (value.value, value.value))
    return same if op == "eq" else "NOT " + same


def _null(column: str, op: str, value: Value) -> Sql:
    if op not in ("eq", "ne"):
        raise InvalidQuery("null is compared by eq or ne", where=at(value))
    return Sql(f"{column} IS {'NOT ' if op == 'ne' else ''}NULL")


def _plain(value: Value) -> Any:
    return int(value.value) if value.kind == "boolean" else value.value

"""Filters to SQL. Types are checked here, so that a mistake is told with its place and never becomes a wrong answer.

Null behaves as in SQL: a comparison with a missing value is neither true nor false, and its entity is not found.
"""

from typing import Any, Literal

from allmende.domain import times
from allmende.domain.errors import InvalidQuery, NotSupported
from allmende.domain.model import ENTITIES, Attribute, Kind
from allmende.domain.query import (
    Call,
    Compare,
    Expression,
    In,
    Logic,
    Not,
    Path,
    ResultKind,
    Value,
)
from allmende.storage.connections import Dialect
from allmende.storage.relations import JOINS, key_of
from allmende.storage.sql import Scope, Sql, all_of, any_of, attribute_expressions, id_text, related

Operator = Literal["eq", "ne", "gt", "ge", "lt", "le"]
_OPERATORS = {"eq": "=", "ne": "<>", "gt": ">", "ge": ">=", "lt": "<", "le": "<="}
_MIRRORED: dict[Operator, Operator] = {"eq": "eq", "ne": "ne", "gt": "lt", "ge": "le", "lt": "gt", "le": "ge"}


def compile_filter(scope: Scope, entity: str, alias: str, node: Expression) -> Sql:
    """The condition that ``node`` asks of an entity."""
    if isinstance(node, Logic):
        pieces = [compile_filter(scope, entity, alias, n) for n in node.items]
        return "(" + all_of(pieces) + ")" if node.op == "and" else any_of(pieces)
    if isinstance(node, Not):
        return "NOT (" + compile_filter(scope, entity, alias, node.item) + ")"
    if isinstance(node, Compare):
        return _compare(scope, entity, alias, node)
    if isinstance(node, In) and isinstance(node.choices, tuple):
        equals = [_compare(scope, entity, alias, Compare("eq", node.item, c, node.at)) for c in node.choices]
        return any_of(equals)
    raise NotSupported(f"this release cannot filter by {_name(node)}", where=_at(node))


MOST_STEPS = 10
"""Relations in one path of a filter: each is a join, and no engine plans many of them in good time."""


def _compare(scope: Scope, entity: str, alias: str, node: Compare) -> Sql:
    left, right, op = node.left, node.right, node.op
    if isinstance(left, Value) and isinstance(right, Path):
        left, right, op = right, left, _MIRRORED[op]
    if not isinstance(left, Path) or not isinstance(right, Value):
        odd = right if isinstance(left, Path) else left
        raise NotSupported(f"this release compares a property with a value, not with {_name(odd)}", where=_at(odd))
    return _compare_path(scope, entity, alias, left, op, right)


def _compare_path(scope: Scope, entity: str, alias: str, path: Path, op: str, value: Value) -> Sql:
    """Walk along the relations of a path; a to-many one asks whether any of them fulfils the rest."""
    if len(path.parts) > MOST_STEPS + 10:
        raise InvalidQuery(f"this path is too deep: more than {MOST_STEPS} relations", where=_at(path))
    head, *rest = path.parts
    relation = ENTITIES[entity].relation(str(head))
    if relation is None:
        return _compare_attribute(scope, entity, alias, path, op, value)
    if not rest:
        raise InvalidQuery(f"{head} is an entity; name a property of it, e.g. {head}/id", where=_at(path))
    further = Path(tuple(rest), path.at)
    if not relation.many:
        joined = scope.to_one(entity, alias, relation.name)
        return _compare_path(scope, relation.target, joined, further, op, value)
    inner = scope.inner(relation.target)
    condition = _compare_path(inner, relation.target, inner.alias, further, op, value)
    belongs = related(JOINS[entity, relation.name], relation.target, inner.alias, Sql(f"{alias}.{key_of(entity)}"))
    rules = [belongs, *inner.visible(relation.target, inner.alias), condition]
    return "EXISTS (SELECT 1 FROM " + inner.tables() + " WHERE " + all_of(rules) + ")"


def _compare_attribute(scope: Scope, entity: str, alias: str, path: Path, op: str, value: Value) -> Sql:
    name, *keys = path.parts
    if name in ("id", "@iot.id"):
        return _compare_id(entity, alias, op, value)
    attribute = ENTITIES[entity].attribute(str(name))
    if attribute is None:
        known = ", ".join(["id", *(a.name for a in ENTITIES[entity].attributes)])
        raise InvalidQuery(f"{entity} has no property {name!r}; it has {known}", where=_at(path))
    columns = attribute_expressions(entity, alias, attribute.name, scope.dialect)
    if keys:
        body = json_column(attribute, columns)
        if body is None:
            raise InvalidQuery(f"{name} has no parts", where=_at(path))
        return _compare_json(scope.dialect, body, keys, op, value)
    if attribute.kind is Kind.RESULT:
        return _compare_result(scope.dialect, alias, op, value)
    if value.kind == "null":
        return _null(columns[0], op, value)
    if attribute.kind in (Kind.INSTANT, Kind.INTERVAL):
        return _compare_time(columns, op, value, str(name))
    if attribute.kind is not Kind.STRING:
        raise InvalidQuery(f"{name} cannot be compared as a whole", where=_at(path))
    if value.kind != "string":
        raise InvalidQuery(f"{name} is a text; write '{value.value}' in single quotes", where=_at(value))
    return Sql(f"{columns[0]} {_OPERATORS[op]} ?", (value.value,))


def _compare_id(entity: str, alias: str, op: str, value: Value) -> Sql:
    if value.kind not in ("string", "number"):
        raise InvalidQuery("an id is a text or a whole number", where=_at(value))
    if entity == "Observation" and isinstance(value.value, int):
        return Sql(f"{alias}.id {_OPERATORS[op]} ?", (value.value,))
    return Sql(f"{id_text(entity, alias)} {_OPERATORS[op]} ?", (str(value.value),))


def _compare_result(dialect: Dialect, alias: str, op: str, value: Value) -> Sql:
    if value.kind == "null":
        if op not in ("eq", "ne"):
            raise InvalidQuery("null is compared by eq or ne", where=_at(value))
        return Sql(f"{alias}.result_kind {_OPERATORS[op]} {ResultKind.NULL}")
    if value.kind not in ("number", "string", "boolean"):
        raise InvalidQuery("a result is compared with a number, a text, true, false or null", where=_at(value))
    return Sql(*dialect.compare_result(alias, _OPERATORS[op], _plain(value), value.kind))


def _compare_json(dialect: Dialect, column: str, keys: list[Any], op: str, value: Value) -> Sql:
    if value.kind == "null":
        if op not in ("eq", "ne"):
            raise InvalidQuery("null is compared by eq or ne", where=_at(value))
        missing = Sql(*dialect.json_missing(column, keys))
        return missing if op == "eq" else "NOT (" + missing + ")"
    if value.kind not in ("number", "string", "boolean"):
        raise InvalidQuery("a JSON property is compared with a number, a text, true, false or null", where=_at(value))
    return Sql(*dialect.json_at(column, keys, value.kind)) + Sql(f" {_OPERATORS[op]} ?", (_plain(value),))


def json_column(attribute: Attribute, columns: tuple[str, ...]) -> str | None:
    """The JSON of an attribute, null where a result is none; None for attributes that never are JSON."""
    if attribute.kind is Kind.RESULT:
        return f"(CASE WHEN {columns[0]} = {ResultKind.JSON} THEN {columns[1]} END)"
    return columns[-1] if attribute.kind in (Kind.OBJECT, Kind.JSON) else None


def _compare_time(columns: tuple[str, ...], op: str, value: Value, name: str) -> Sql:
    """A span is later than an instant if it starts later, earlier if it ends earlier, equal if it is that instant."""
    if value.kind != "instant":
        hint = f"{name} is a time; write it without quotes, e.g. {times.format_instant(0)}"
        raise InvalidQuery(hint, where=_at(value))
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
        raise InvalidQuery("null is compared by eq or ne", where=_at(value))
    return Sql(f"{column} IS {'NOT ' if op == 'ne' else ''}NULL")


def _plain(value: Value) -> Any:
    return int(value.value) if value.kind == "boolean" else value.value


def _name(node: Expression) -> str:
    return f"{node.name}()" if isinstance(node, Call) else type(node).__name__.lower()


def _at(node: Expression) -> str:
    return f"$filter, character {getattr(node, 'at', 0) + 1}"

"""Queries to statements. One statement for each level of expansion; keyset pages; no text of a client in the SQL."""

import re
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

from allmende.domain.errors import InvalidQuery
from allmende.domain.model import ENTITIES, STREAMS, Kind
from allmende.domain.query import Call, Compare, Expand, Expression, Logic, Order, Path, Query, Step, Value
from allmende.storage.connections import Dialect
from allmende.storage.expressions import read
from allmende.storage.filters import compile_filter
from allmende.storage.relations import JOINS, Join, key_of
from allmende.storage.schema import TABLE_OF
from allmende.storage.slots import Slot, turned
from allmende.storage.sql import (
    STATE_COLUMNS,
    Scope,
    Sql,
    all_of,
    any_of,
    attribute_expressions,
    id_condition,
    related,
    sql_join,
)
from allmende.storage.typed import WORDS, Here, Place, at, json_column, told

_NUMBER = re.compile(r"-?\d{1,1000}(\.\d{1,1000})?([eE][-+]?\d{1,4})?\Z", re.ASCII)


class Key(NamedTuple):
    """A sort key: an expression, its direction, whether it can be null (nulls come last), and what values it has."""

    sql: Sql
    descending: bool
    nullable: bool
    kind: Literal["number", "text", "json"] = "number"
    """``json``: a number inside of JSON, which PostgreSQL gives exactly and a link carries as text."""


def one_more(top: int) -> int:
    """What a page asks for, so that it knows whether there is another."""
    more: int = turned((1).__add__, top)
    return more


def compile_page(query: Query, dialect: Dialect, also: Sql | None = None) -> tuple[Sql, int]:
    """The statement for a page, asking for one row more than ``top`` so that the next page is known; and the number
    of its sort keys, which stand at the end of each row. ``also`` is a further condition on ``{alias}``."""
    scope = Scope(query.entity, query.reader, dialect, simulated=query.simulated)
    conditions = conditions_of(scope, query)
    if also is not None:
        conditions.append(Sql(also.text.format(alias=scope.alias), also.params))
    keys = sort_keys(scope, query)
    if query.after is not None:
        conditions.append(behind(keys, query.after))
    text = "SELECT " + sql_join(", ", [columns_of(query, scope), *(k.sql for k in keys)])
    text = text + " FROM " + scope.tables() + " WHERE " + all_of(conditions) + order_by(keys)
    return text + Sql(" LIMIT ? OFFSET ?", (one_more(query.top), query.skip)), len(keys)


def compile_count(query: Query, dialect: Dialect) -> Sql:
    """How many there are in all, pages aside."""
    scope = Scope(query.entity, query.reader, dialect, simulated=query.simulated)
    conditions = conditions_of(scope, query)
    return "SELECT count(*) FROM " + scope.tables() + " WHERE " + all_of(conditions)


def compile_keys(query: Query, dialect: Dialect, columns: Sequence[str]) -> Sql:
    """Distinct values of columns of everything that a question leads to, pages aside, in no order."""
    scope = Scope(query.entity, query.reader, dialect, simulated=query.simulated)
    picked = ", ".join(f"{scope.alias}.{column}" for column in columns)
    rules = all_of(conditions_of(scope, query))  # first: it joins the tables that it names
    return f"SELECT DISTINCT {picked} FROM " + scope.tables() + " WHERE " + rules


def compile_expand(parent: str, expand: Expand, parents: Sequence[Any] | Slot, dialect: Dialect) -> tuple[Sql, int]:
    """The statement for the related entities of many parents; each row begins with its parent's key."""
    query, join = expand.query, JOINS[parent, expand.relation]
    if dialect.lateral and join.kind != "own":
        return _compile_lateral(parent, expand, parents, dialect)
    outer = Scope(query.entity, query.reader, dialect, simulated=query.simulated)
    owner = outer.name()
    marks = Sql(*dialect.one_of(f"{owner}.{key_of(parent)}", parents))
    keys = sort_keys(outer, query, (parent, join, owner))
    if join.kind == "own":
        belongs = all_of([_belongs(join, query.entity, outer.alias, owner, parent), *conditions_of(outer, query)])
        keys = ()
    else:
        inner = outer.inner(query.entity)
        rules = [_belongs(join, query.entity, inner.alias, owner, parent), *conditions_of(inner, query)]
        inner_keys = sort_keys(inner, query, (parent, join, owner))
        key = key_of(query.entity)
        picked = f"SELECT {inner.alias}.{key} FROM " + inner.tables() + " WHERE " + all_of(rules)
        picked = picked + order_by(inner_keys) + Sql(" LIMIT ? OFFSET ?", (one_more(query.top), query.skip))
        belongs = f"{outer.alias}.{key} IN (" + picked + ")"
        if query.entity == "Observation" and join.column == "datastream":
            belongs = f"{outer.alias}.datastream = {owner}.pk AND " + belongs
    select = sql_join(", ", [Sql(f"{owner}.{key_of(parent)}"), columns_of(query, outer), *(k.sql for k in keys)])
    # CROSS JOIN fixes the order: from the parents to their children, never through all children.
    tables = f"{TABLE_OF[parent]} {owner} CROSS JOIN " + outer.tables()
    text = "SELECT " + select + " FROM " + tables + " WHERE " + marks + " AND " + belongs
    return text + order_by(keys), len(keys)


def _compile_lateral(parent: str, expand: Expand, parents: Sequence[Any] | Slot, dialect: Dialect) -> tuple[Sql, int]:
    """For engines in which a joined sub-select sees its parent's row: it is run once for each of them."""
    query, join = expand.query, JOINS[parent, expand.relation]
    inner = Scope(query.entity, query.reader, dialect, simulated=query.simulated)
    owner = inner.name()
    rules = [_belongs(join, query.entity, inner.alias, owner, parent), *conditions_of(inner, query)]
    keys = sort_keys(inner, query, (parent, join, owner))
    ordered = sql_join(", ", _order_pieces(keys))
    select = sql_join(", ", [columns_of(query, inner), *(k.sql for k in keys)])
    picked = "SELECT " + select + " FROM " + inner.tables() + " WHERE " + all_of(rules) + " ORDER BY " + ordered
    picked = picked + Sql(" LIMIT ? OFFSET ?", (one_more(query.top), query.skip))
    text = f"SELECT {owner}.{key_of(parent)}, x.* FROM {TABLE_OF[parent]} {owner} CROSS JOIN LATERAL (" + picked + ") x"
    return text + " WHERE " + Sql(*dialect.one_of(f"{owner}.{key_of(parent)}", parents)), len(keys)


def compile_expand_counts(parent: str, expand: Expand, parents: Sequence[Any] | Slot, dialect: Dialect) -> Sql:
    """How many related entities each parent has."""
    query, join = expand.query, JOINS[parent, expand.relation]
    scope = Scope(query.entity, query.reader, dialect, simulated=query.simulated)
    owner = scope.name()
    rules = [_belongs(join, query.entity, scope.alias, owner, parent), *conditions_of(scope, query)]
    number = "(SELECT count(*) FROM " + scope.tables() + " WHERE " + all_of(rules) + ")"
    marks = Sql(*dialect.one_of(f"{owner}.{key_of(parent)}", parents))
    return f"SELECT {owner}.{key_of(parent)}, " + number + f" FROM {TABLE_OF[parent]} {owner} WHERE " + marks


def _belongs(join: Join, child: str, alias: str, owner: str, parent: str) -> Sql:
    return related(join, child, alias, Sql(f"{owner}.{join.column if join.kind == 'own' else key_of(parent)}"))


def columns_of(query: Query, scope: Scope) -> Sql:
    """The columns of :func:`allmende.domain.query.layout`; an observation's id still is its inner number."""
    names = [f"{scope.alias}.{key_of(query.entity)}", f"{scope.alias}.id"]
    for name in query.selected():
        known = STATE_COLUMNS.get((query.entity, name))
        if known and scope.dialect.lateral:
            # One look for all of them; SQLite's planner would sort a single row for such a join.
            state = scope.to_state(scope.alias)
            names += [f"{state}.{column}" for column in known]
        else:
            names += attribute_expressions(query.entity, scope.alias, name, scope.dialect)
    return Sql(", ".join(names))


def conditions_of(scope: Scope, query: Query) -> list[Sql]:
    """Path, id, filter and the reader's predicate."""
    conditions: list[Sql] = []
    bound = False
    if query.path:
        last = query.path[-1]
        join = JOINS[last.entity, last.relation]
        conditions.append(related(join, query.entity, scope.alias, _parent(scope, query.path)))
        bound = query.entity == "Observation" and last.entity in STREAMS
    if not bound:
        # An observation of one stream is as visible as that stream, which the sub-select has looked at.
        conditions += scope.visible(query.entity, scope.alias)
    if query.id is not None:
        conditions.append(id_condition(query.entity, scope.alias, query.id))
    if query.filter is not None:
        conditions.append(compile_filter(scope, query.entity, scope.alias, query.filter))
    return conditions


def _parent(scope: Scope, path: tuple[Step, ...]) -> Sql:
    """A scalar sub-select for the key (or the naming column) of the entity that the path leads through last.

    One flat join for the whole path: SQLite bounds how deep its statements nest.
    """
    tables: list[Sql] = []
    rules: list[Sql] = []
    via: Join | None = None
    alias = naming = ""
    for step in path:
        inner = scope.inner(step.entity)
        tables.append(inner.tables())
        rules += inner.visible(step.entity, inner.alias)
        if step.id is not None:
            rules.append(id_condition(step.entity, inner.alias, step.id))
        if via is not None:
            rules.append(related(via, step.entity, inner.alias, Sql(f"{alias}.{naming}")))
        via, alias = JOINS[step.entity, step.relation], inner.alias
        naming = via.column if via.kind == "own" else key_of(step.entity)
    return f"(SELECT {alias}.{naming} FROM " + sql_join(" CROSS JOIN ", tables) + " WHERE " + all_of(rules) + ")"


def sort_keys(scope: Scope, query: Query, expand: tuple[str, Join, str] | None = None) -> tuple[Key, ...]:
    """What is asked for, then the key that makes the order total.

    Observations of one stream, or of a feature, follow the clustered key in the direction of the last key, so that
    pages are index walks. ``expand`` says what they are expanded from: the entity, the way, and the entity's alias.
    """
    parent = query.path[-1].entity if query.path else expand[0] if expand else ""
    orders = query.order
    if query.entity == "Observation" and not orders and parent not in (*STREAMS, "FeatureOfInterest"):
        # Who asks of all streams for a time means the index on time: by id, it would look at every row before it.
        orders = (Order(_TIME),) if _bounds_time(query.filter) else ()
    keys = [key for order in orders for key in _order_keys(scope, query.entity, order)]
    alias = scope.alias
    down = keys[-1].descending if keys else False
    if query.entity != "Observation":
        if not keys and expand is not None:
            keys = _kept_place(scope, expand[1], Sql(f"{expand[2]}.pk"))
        elif not keys and query.path:
            join = JOINS[query.path[-1].entity, query.path[-1].relation]
            keys = _kept_place(scope, join, _parent(scope, query.path)) if join.order else []
        return (*keys, Key(Sql(f"{alias}.pk"), False, False))
    if parent not in (*STREAMS, "FeatureOfInterest"):
        return (*keys, Key(Sql(f"{alias}.id"), down, False))
    stream, start, disc = (Key(Sql(f"{alias}.{c}"), down, False) for c in ("datastream", "phenomenon_start", "disc"))
    if parent == "FeatureOfInterest":
        return (*keys, stream, start, disc)
    by_time = any(k.sql.text == start.sql.text for k in keys)
    return (*keys, disc) if by_time else (*keys, start, disc)


def _kept_place(scope: Scope, join: Join, parent_key: Sql) -> list[Key]:
    """The order in which the children were named, where it is kept."""
    if not join.order:
        return []
    between = scope.name()
    on = f"{between}.{join.other} = {scope.alias}.pk AND {between}.{join.column} = "
    scope.joins.append(f"JOIN {join.table} {between} ON {on}" + parent_key)
    return [Key(Sql(f"{between}.{join.order}"), False, False)]


_TIME = Path(("phenomenonTime",))


def _bounds_time(node: Expression | None) -> bool:
    """Whether a condition holds for a span of time alone."""
    if isinstance(node, Logic):
        return node.op == "and" and any(map(_bounds_time, node.items))
    if isinstance(node, Compare):
        sides: tuple[Expression, ...] = (node.left, node.right)
        return node.op != "ne" and any(isinstance(s, Path) and s.parts == _TIME.parts for s in sides)
    spans = ("before", "after", "during", "overlaps", "starts", "meets", "finishes")
    if isinstance(node, Call) and node.name in spans and node.arguments:
        first = node.arguments[0]
        return isinstance(first, Path) and first.parts == _TIME.parts
    return False


def _order_keys(scope: Scope, entity: str, order: Order) -> list[Key]:
    """The keys for one order: two where the values may be numbers or texts, numbers first."""
    if not isinstance(order.path, Path):
        return _expression_keys(scope, entity, order)
    alias, parts = scope.alias, list(order.path.parts)
    while len(parts) > 1:
        relation = ENTITIES[entity].relation(str(parts[0]))
        if relation is None:
            break
        if relation.many:
            raise InvalidQuery(f"{parts[0]} are many; order by a property of one", where="$orderby")
        alias, entity = scope.to_one(entity, alias, relation.name), relation.target
        parts = parts[1:]
    name, keys = str(parts[0]), parts[1:]
    if name in ("id", "@iot.id"):
        return [Key(Sql(f"{alias}.id"), order.descending, alias != scope.alias, _id_kind(entity))]
    attribute = ENTITIES[entity].attribute(name)
    if attribute is None:
        known = ", ".join(["id", *(a.name for a in ENTITIES[entity].attributes)])
        raise InvalidQuery(f"{entity} has no property {name!r}; it has {known}", where="$orderby")
    dialect = scope.dialect
    columns = attribute_expressions(entity, alias, name, dialect)
    if keys:
        body = json_column(attribute, columns)
        if body is None:
            raise InvalidQuery(f"{name} has no parts", where="$orderby")
        numbers, texts = (Sql(*dialect.json_at(body, keys, kind)) for kind in ("number", "string"))
        return [Key(numbers, order.descending, True, "json"), Key(texts, order.descending, True, "text")]
    if attribute.kind is Kind.RESULT:
        *sizes, texts = (Sql(text) for text in dialect.order_result(alias))
        return [*(Key(s, order.descending, True) for s in sizes), Key(texts, order.descending, True, "text")]
    never_null = alias == scope.alias and (
        (attribute.kind is Kind.STRING and attribute.required) or columns[0].endswith((".phenomenon_start", ".time"))
    )
    timed = attribute.kind in (Kind.INSTANT, Kind.INTERVAL)
    return [Key(Sql(columns[0]), order.descending, not never_null, "number" if timed else "text")]


def _id_kind(entity: str) -> Literal["number", "text"]:
    """An observation's id is a number inside."""
    return "number" if entity == "Observation" else "text"


def _expression_keys(scope: Scope, entity: str, order: Order) -> list[Key]:
    """The keys for an order by what is calculated."""
    place = Place(Here(scope, entity, scope.alias))
    with told("$orderby"):
        if isinstance(order.path, Value):
            raise InvalidQuery("order by a property, or something calculated of one", where=at(order.path))
        found = read(place, order.path)
        if place.asks_many:
            raise InvalidQuery("this leads to many; order by a property of one", where=at(order.path))
        if found.kind not in ("number", "string", "instant", "duration", "clock"):
            raise InvalidQuery(f"there is no order of {WORDS[found.kind]}", where=at(order.path))
    return [Key(found.sql, order.descending, True, "text" if found.kind == "string" else "number")]


def order_by(keys: Sequence[Key]) -> Sql:
    """`` ORDER BY …``, nulls last."""
    return " ORDER BY " + sql_join(", ", _order_pieces(keys)) if keys else Sql("")


def _order_pieces(keys: Sequence[Key]) -> list[Sql]:
    pieces: list[Sql] = []
    for key in keys:
        if key.nullable:
            pieces.append(key.sql + " IS NULL")
        pieces.append(key.sql + (" DESC" if key.descending else ""))
    return pieces


def behind(keys: Sequence[Key], values: Sequence[Any]) -> Sql:
    """Everything behind a row with these key values; raises InvalidQuery where the keys cannot have them."""
    if len(values) != len(keys) or not all(map(_may_be, keys, values)):
        raise InvalidQuery("this link belongs to another question", where="$skiptoken")
    options: list[Sql] = []
    for place, (key, value) in enumerate(zip(keys, values, strict=True)):
        same = [_same(k, v) for k, v in zip(keys[:place], values[:place], strict=True)]
        behind = _behind(key, value)
        if behind is not None:
            options.append("(" + all_of([*same, behind]) + ")")
    text = any_of(options)  # none where all values are null: nulls come last
    first = keys[0]
    if first.nullable or values[0] is None:
        return text
    # Implied by the rest; the engine needs it to start its walk at the right place.
    bound = first.sql + (" <= " if first.descending else " >= ") + Sql("?", (values[0],))
    return bound + " AND " + text


def is_numeral(text: str) -> bool:
    """Whether a text is a number in digits."""
    return _NUMBER.match(text) is not None


def _may_be(key: Key, value: Any) -> bool:
    """Whether a key can have a value, so that no engine has to say that it cannot."""
    if value is None:
        return key.nullable
    if isinstance(value, Slot):
        if value.form in ("text", "numeral"):
            return key.kind == "text" or (key.kind == "json" and value.form == "numeral")
        return key.kind != "text"
    if not isinstance(value, str):
        return key.kind != "text"
    return "\0" not in value if key.kind == "text" else key.kind == "json" and is_numeral(value)


def _same(key: Key, value: Any) -> Sql:
    return key.sql + " IS NULL" if value is None else key.sql + Sql(" = ?", (value,))


def _behind(key: Key, value: Any) -> Sql | None:
    if value is None:
        return None
    behind = key.sql + Sql(" < ?" if key.descending else " > ?", (value,))
    return "(" + behind + " OR " + key.sql + " IS NULL)" if key.nullable else behind

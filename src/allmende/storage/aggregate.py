"""Aggregations to statements: one for the page of groups, one for their number.

Three layers, each over the one before: the entities as rows of what is grouped by and summed up (with the reader's
predicate at every alias), their groups, and the page of groups. So each expression is written once, and what names a
column afterwards cannot reach an entity.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple, cast

from allmende.domain import times
from allmende.domain.aggregation import Aggregation, Column, ColumnKind, Measure, Table
from allmende.domain.errors import InvalidQuery, NotSupported
from allmende.domain.query import Expression, Path, Value
from allmende.storage.compile import Key, behind, conditions_of, order_by
from allmende.storage.connections import Connection, Dialect, JsonKind
from allmende.storage.expressions import read
from allmende.storage.filters import compile_filter, condition
from allmende.storage.sql import Scope, Sql, all_of, sql_join
from allmende.storage.typed import WORDS, Here, Keys, Place, Type, Typed, at, call, told

_FREE: tuple[JsonKind, ...] = ("number", "string", "boolean")
_HUGE = "1e300"


class _Output(NamedTuple):
    """A column of the answer and the SQL columns that hold it."""

    column: Column
    names: tuple[str, ...]


class _Compiled(NamedTuple):
    groups: Sql
    outputs: tuple[_Output, ...]
    keys: int
    """Outputs that are grouped by; they come first."""


def find_table(connection: Connection, asked: Aggregation) -> Table:
    """The page of groups that is asked for."""
    dialect = connection.dialect
    made = _compile(asked, dialect)
    place = _place(asked, made, dialect)
    rules = _having(asked, place)
    total = "SELECT count(*) FROM (" + made.groups + ") g WHERE " + all_of(rules)
    keys = _sort_keys(asked, made, place)
    if asked.after is not None:
        rules = [*rules, behind(keys, asked.after)]
    columns = [Sql(f"g.{name}") for output in made.outputs for name in output.names]
    text = "SELECT " + sql_join(", ", [*columns, *(key.sql for key in keys)]) + " FROM (" + made.groups
    text = text + ") g WHERE " + all_of(rules) + order_by(keys) + Sql(" LIMIT ? OFFSET ?", (asked.top + 1, asked.skip))
    rows = connection.execute(text.text, text.params).fetchall()
    following = None
    if len(rows) > asked.top:
        rows = rows[: asked.top]
        following = tuple(rows[-1][len(columns) :]) if rows and keys else None
    table = Table(columns=tuple(output.column for output in made.outputs), rows=[], next=following)
    table.rows = [_decode(made.outputs, row) for row in rows]
    if asked.count:
        table.count = connection.execute(total.text, total.params).fetchone()[0]
    return table


# --- entities, and their groups ---


def _compile(asked: Aggregation, dialect: Dialect) -> _Compiled:
    source = asked.source
    scope = Scope(source.entity, source.reader, dialect, simulated=source.simulated)
    conditions = conditions_of(scope, source)
    outputs: list[_Output] = []
    values: list[Sql] = []
    sums: list[Sql] = []
    with told("$apply"):
        if asked.where is not None:
            conditions.append(compile_filter(scope, source.entity, scope.alias, asked.where))
        for number, group in enumerate(asked.groups):
            found = _read(scope, source.entity, group.expression)
            pieces = _group_pieces(found, group.expression)
            names = tuple(f"k{number}_{place}" for place in range(len(pieces)))
            values += [sql + f" AS {name}" for sql, name in zip(pieces, names, strict=True)]
            outputs.append(_Output(Column(group.name, _kind(found, group.expression)), names))
        for number, measure in enumerate(asked.measures):
            wanted, summed, kind = _measure(scope, source.entity, measure, f"v{number}")
            values += wanted
            sums.append(summed + f" AS a{number}")
            outputs.append(_Output(Column((measure.name,), kind), (f"a{number}",)))
    _refuse_twins(outputs)
    rows = "SELECT " + (sql_join(", ", values) if values else Sql("1")) + " FROM " + scope.tables()
    rows = rows + " WHERE " + all_of(conditions)
    keys = [name for output in outputs[: len(asked.groups)] for name in output.names]
    groups = "SELECT " + sql_join(", ", [*map(Sql, keys), *sums]) + " FROM (" + rows + ") r"
    if keys:
        groups = groups + f" GROUP BY {', '.join(keys)}"
    return _Compiled(groups, tuple(outputs), len(asked.groups))


def _refuse_twins(outputs: Sequence[_Output]) -> None:
    names = [output.column.name for output in outputs]
    for name in names:
        if names.count(name) > 1 or any(other[: len(name)] == name and other != name for other in names):
            raise InvalidQuery(f"two columns share the name {'/'.join(name)!r}", where="$apply")


def _read(scope: Scope, entity: str, node: Expression) -> Typed:
    place = Place(Here(scope, entity, scope.alias))
    found = read(place, node)
    if place.asks_many:
        raise InvalidQuery("this leads to many; group by and sum up what leads to one", where=at(node))
    return found


def _group_pieces(found: Typed, node: Expression) -> list[Sql]:
    if found.each is not None:
        return [found.each(kind) if kind != "number" else _double(found.each(kind)) for kind in _FREE]
    if found.kind == "interval" and found.last is not None:
        return [found.sql, found.last]
    if found.kind == "boolean":
        return ["(CASE WHEN " + found.sql + " THEN 1 WHEN NOT (" + found.sql + ") THEN 0 END)"]
    if found.kind in ("geometry", "null"):
        raise InvalidQuery(f"there are no groups of {WORDS[found.kind]}", where=at(node))
    return [found.sql]


def _double(number: Sql) -> Sql:
    """64-bit numbers and PostgreSQL's numerics as what all numbers of an answer are."""
    return "CAST(" + number + " AS double precision)"


def _kind(found: Typed, node: Expression) -> ColumnKind:
    if isinstance(node, Path) and node.parts[-1] in ("id", "@iot.id") and found.kind == "string":
        return "id"
    return cast(ColumnKind, found.kind)  # geometries and null were refused


def _measure(scope: Scope, entity: str, measure: Measure, name: str) -> tuple[list[Sql], Sql, ColumnKind]:
    """The columns that a measure takes from each entity, what it makes of a group of them, and of which kind."""
    if measure.expression is None:
        return [], Sql("count(*)"), "number"
    found = _read(scope, entity, measure.expression)
    if measure.method == "countdistinct":
        pieces = _group_pieces(found, measure.expression)[: 3 if found.each is not None else 1]
        counts = [Sql(f"count(DISTINCT {name}_{place})") for place in range(len(pieces))]
        return [p + f" AS {name}_{i}" for i, p in enumerate(pieces)], sql_join(" + ", counts), "number"
    if measure.method in ("min", "max") and found.kind in ("instant", "interval", "string", "duration", "clock"):
        taken = found.last if measure.method == "max" and found.last is not None else found.sql
        kind: ColumnKind = "instant" if found.kind == "interval" else found.kind
        return [taken + f" AS {name}"], Sql(f"{measure.method}({name})"), kind
    if found.kind != "number" and found.each is None:
        where = at(measure.expression)
        raise InvalidQuery(f"{measure.method} takes numbers, not {WORDS[found.kind]}", where=where)
    number = found.sql if found.each is None else found.each("number")
    return [_double(number) + f" AS {name}"], _sum_up(scope.dialect, measure, name), "number"


def _sum_up(dialect: Dialect, measure: Measure, name: str) -> Sql:
    # PostgreSQL ends a statement whose sum leaves the range of doubles; what cannot be summed up is passed over.
    number = f"CASE WHEN abs({name}) < {_HUGE} THEN {name} END"
    if measure.method == "percentile":
        return call(dialect, "percentile", Sql("CAST(? AS double precision)", (measure.fraction,)), Sql(number))
    if measure.method == "average":
        return Sql(f"sum({number}) / count({number})")
    return Sql(f"{measure.method}({number})")


# --- the page of groups ---


def _place(asked: Aggregation, made: _Compiled, dialect: Dialect) -> Place:
    """Where conditions and orders of the groups stand: over their columns alone."""
    scope = Scope(asked.source.entity, asked.source.reader, dialect, simulated=asked.source.simulated)
    columns: Mapping[Keys, Typed] = {output.column.name: _column(output) for output in made.outputs}
    return Place(Here(scope, asked.source.entity, "g"), columns=columns)


def _column(output: _Output) -> Typed:
    kind, names = output.column.kind, [f"g.{name}" for name in output.names]
    if kind == "free":
        by_kind = dict(zip(_FREE, names, strict=True))
        missing = Sql(f"coalesce({names[0]}, {names[2]}) IS NULL AND {names[1]} IS NULL")
        return Typed("free", missing, each=lambda wanted: Sql(by_kind[wanted]))
    if kind == "interval":
        return Typed("interval", Sql(names[0]), last=Sql(names[1]))
    if kind == "boolean":
        return Typed("boolean", Sql(f"({names[0]} = 1)"))
    return Typed(cast(Type, "string" if kind == "id" else kind), Sql(names[0]))


def _having(asked: Aggregation, place: Place) -> list[Sql]:
    return [] if asked.having is None else [condition(place, asked.having)]


def _sort_keys(asked: Aggregation, made: _Compiled, place: Place) -> tuple[Key, ...]:
    """What is asked for, then all that is grouped by, which makes the order total."""
    keys: list[Key] = []
    for order in asked.order:
        with told("$orderby"):
            if isinstance(order.path, Value):
                raise InvalidQuery("order by a column, or something calculated of one", where=at(order.path))
            found = read(place, order.path)
            if found.kind in ("geometry", "null", "boolean"):
                raise NotSupported(f"an order of {WORDS[found.kind]}", where=at(order.path))
        wanted = [found.sql, found.last or found.sql][: 2 if found.kind == "interval" else 1]
        if found.each is not None:
            wanted = [found.each(kind) for kind in _FREE]
        keys += [Key(sql, order.descending, True, kind) for sql, kind in zip(wanted, _kept(found.kind), strict=False)]
    seen = {key.sql.text for key in keys}
    grouped = [
        Key(Sql(f"g.{name}"), False, True, kind)
        for output in made.outputs[: made.keys]
        for name, kind in zip(output.names, _kept(output.column.kind), strict=False)
    ]
    return (*keys, *(key for key in grouped if key.sql.text not in seen))


def _kept(kind: ColumnKind | Type) -> tuple[Literal["number", "text"], ...]:
    """What the columns hold that keep a value of a kind."""
    if kind == "free":
        return tuple("text" if of == "string" else "number" for of in _FREE)
    return ("text", "text") if kind in ("string", "id", "json") else ("number", "number")


def _decode(outputs: Sequence[_Output], row: Sequence[Any]) -> tuple[Any, ...]:
    """One value for each column."""
    values: list[Any] = []
    start = 0
    for output in outputs:
        found = row[start : start + len(output.names)]
        start += len(output.names)
        values.append(_value(output.column.kind, found))
    return tuple(values)


def _value(kind: ColumnKind, found: Sequence[Any]) -> Any:
    if kind == "free":
        number, text, truth = found
        return number if number is not None else text if text is not None else None if truth is None else bool(truth)
    if kind == "interval":
        return None if found[0] is None else (found[0], None if found[1] == found[0] else found[1])
    if kind == "boolean":
        return None if found[0] is None else bool(found[0])
    if kind == "instant" and found[0] is not None:
        return max(found[0], times.EARLIEST)
    return found[0]

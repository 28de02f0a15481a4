"""Pieces of SQL with their parameters, kept together so that neither gets lost; and the scope that they live in."""

from collections.abc import Collection, Iterable, Mapping
from itertools import count
from types import MappingProxyType
from typing import Any, NamedTuple

from allmende.domain import ids
from allmende.domain.model import ENTITIES, STREAMS, Kind
from allmende.domain.policy import Reader
from allmende.storage.connections import Dialect
from allmende.storage.relations import JOINS, Join, key_of
from allmende.storage.schema import COLUMNS, KINDS, TABLE_OF
from allmende.storage.slots import Slot

_GROUP = 32


STATE_COLUMNS: Mapping[tuple[str, str], tuple[str, ...]] = MappingProxyType(
    {
        (stream, name): columns
        for stream in STREAMS
        for name, columns in {
            "phenomenonTime": ("first_start", "last_end"),
            "resultTime": ("result_time_first", "result_time_last"),
            "observedArea": ("observed_area",),
        }.items()
    }
)
"""Attributes that stand in the state of a stream."""


class Sql(NamedTuple):
    """Text with ``?`` for each parameter. Nothing that a client wrote is ever in ``text``."""

    text: str
    params: tuple[Any, ...] = ()

    def __add__(self, other: object) -> "Sql":
        if isinstance(other, str):
            return Sql(self.text + other, self.params)
        if isinstance(other, Sql):
            return Sql(self.text + other.text, self.params + other.params)
        return NotImplemented

    def __radd__(self, other: str) -> "Sql":
        return Sql(other + self.text, self.params)


def sql_join(separator: str, pieces: Iterable[Sql]) -> Sql:
    """The pieces with a separator between them."""
    listed = list(pieces)
    return Sql(separator.join(p.text for p in listed), tuple(v for p in listed for v in p.params))


def any_of(pieces: Iterable[Sql]) -> Sql:
    """Their disjunction; false where there are none. Grouped, since SQLite bounds the depth of an expression."""
    listed = list(pieces)
    while len(listed) > _GROUP:
        groups = (listed[at : at + _GROUP] for at in range(0, len(listed), _GROUP))
        listed = ["(" + sql_join(" OR ", group) + ")" for group in groups]
    return "(" + sql_join(" OR ", listed) + ")" if listed else Sql("1 = 0")


def all_of(pieces: Iterable[Sql]) -> Sql:
    """Their conjunction; true where there are none."""
    listed = list(pieces)
    return sql_join(" AND ", listed) if listed else Sql("1 = 1")


def in_order(datasets: Collection[str]) -> tuple[str, ...]:
    """Ids of datasets in an order of their own; a tuple is in it already."""
    return tuple(datasets) if isinstance(datasets, tuple) else tuple(sorted(datasets))


def visible(entity: str, alias: str, reader: Reader, *, simulated: bool) -> Sql | None:
    """The reader's predicate at one alias; None where everything may be seen."""
    if reader.sees_all and simulated:
        return None
    rules: list[Sql] = []
    if not reader.sees_all:
        granted = in_order(reader.datasets)
        marks = f" OR id IN ({', '.join('?' * len(granted))})" if granted else ""
        rules.append(Sql(f"(access = 'open'{marks})", granted))
    if not simulated:
        rules.append(Sql("simulated = 0"))
    allowed = "(SELECT pk FROM dataset WHERE " + all_of(rules) + ")"
    if entity == "Observation":
        return f"EXISTS (SELECT 1 FROM datastream v WHERE v.pk = {alias}.datastream AND v.dataset IN " + allowed + ")"
    return f"{alias}.dataset IN " + allowed


def of_kind(entity: str, alias: str) -> list[Sql]:
    """What tells the entity's rows from those of another in the same table: none or one condition."""
    return [Sql(f"{alias}.{KINDS[entity]}")] if entity in KINDS else []


def is_inner(identifier: str) -> bool:
    """Whether the public id of an observation is its inner number, and not a name that a client gave."""
    return ids.is_number(identifier) and int(identifier) > 0


def id_condition(entity: str, alias: str, identifier: str | Slot) -> Sql:
    """The row with this public id."""
    if entity != "Observation":
        return Sql(f"{alias}.id = ?", (identifier,))
    if isinstance(identifier, Slot):
        if identifier.form == "whole":
            return Sql(f"{alias}.id = ?", (identifier,))
    elif is_inner(identifier):
        return Sql(f"{alias}.id = ?", (int(identifier),))
    return Sql(f"{alias}.id = (SELECT n.id FROM observation_name n WHERE n.name = ?)", (identifier,))


def id_text(entity: str, alias: str) -> str:
    """The public id as text. An observation that a client named has a negative number inside."""
    if entity != "Observation":
        return f"{alias}.id"
    name = f"(SELECT n.name FROM observation_name n WHERE n.id = {alias}.id)"
    return f"(CASE WHEN {alias}.id < 0 THEN {name} ELSE CAST({alias}.id AS TEXT) END)"


def attribute_expressions(entity: str, alias: str, name: str, dialect: Dialect) -> tuple[str, ...]:
    """The columns of an attribute: one; two for an interval (start, end) and for a result (kind, value)."""
    if entity == "Observation" and name == "result":
        return f"{alias}.result_kind", dialect.result(alias)
    known = STATE_COLUMNS.get((entity, name))
    if known:
        return tuple(f"(SELECT s.{c} FROM stream_state s WHERE s.datastream = {alias}.pk)" for c in known)
    column = f"{alias}.{COLUMNS[entity][name]}"
    attribute = ENTITIES[entity].attribute(name)
    if attribute is not None and attribute.kind is Kind.INTERVAL:
        return column, column.removesuffix("_start") + "_end"
    return (column,)


class Scope:
    """One SELECT under construction: its tables, each seen through the reader's predicate."""

    def __init__(
        self,
        entity: str,
        reader: Reader,
        dialect: Dialect,
        *,
        simulated: bool,
        names: "Iterable[int] | None" = None,
    ) -> None:
        self.entity = entity
        self.dialect = dialect
        self.reader = reader
        self.simulated = simulated
        self._names = iter(names) if names is not None else count(1)
        self.alias = self.name()
        self.joins: list[Sql] = []
        self._joined: dict[tuple[str, str], str] = {}

    def name(self) -> str:
        """A fresh alias."""
        return f"t{next(self._names)}"

    def inner(self, entity: str) -> "Scope":
        """A scope for a sub-select; its aliases do not collide with ours."""
        return Scope(entity, self.reader, self.dialect, simulated=self.simulated, names=self._names)

    def visible(self, entity: str, alias: str) -> list[Sql]:
        """The reader's predicate and the entity's own, as a list of conditions."""
        rule = visible(entity, alias, self.reader, simulated=self.simulated)
        return of_kind(entity, alias) + ([] if rule is None else [rule])

    def tables(self) -> Sql:
        """What stands behind FROM."""
        return sql_join(" ", [Sql(f"{TABLE_OF[self.entity]} {self.alias}"), *self.joins])

    def to_one(self, entity: str, alias: str, relation: str) -> str:
        """The alias of the one related entity, joined at first use; its columns are null where it may not be seen."""
        known = self._joined.get((alias, relation))
        if known:
            return known
        target, join = _target(entity, relation), JOINS[entity, relation]
        fresh = self.name()
        on = [Sql(f"{fresh}.{key_of(target)} = {alias}.{join.column}"), *self.visible(target, fresh)]
        self.joins.append(Sql(f"LEFT JOIN {TABLE_OF[target]} {fresh} ON ") + all_of(on))
        self._joined[alias, relation] = fresh
        return fresh

    def to_state(self, alias: str) -> str:
        """The alias of a stream's state, joined at first use; all null for a stream without observations."""
        known = self._joined.get((alias, "state"))
        if known:
            return known
        fresh = self.name()
        self.joins.append(Sql(f"LEFT JOIN stream_state {fresh} ON {fresh}.datastream = {alias}.pk"))
        self._joined[alias, "state"] = fresh
        return fresh


def _target(entity: str, relation: str) -> str:
    found = ENTITIES[entity].relation(relation)
    if found is None:
        raise KeyError(f"{entity} has no relation {relation}")
    return found.target


def related(join: Join, child: str, child_alias: str, parent_key: Sql) -> Sql:
    """The condition that a child belongs to the parent whose key the SQL gives (for ``own``: whose column)."""
    key = f"{child_alias}.{key_of(child)}"
    if join.kind == "own":
        return f"{key} = " + parent_key
    if join.kind == "link":
        return f"{key} IN (SELECT {join.other} FROM {join.table} WHERE {join.column} = " + parent_key + ")"
    condition = f"{child_alias}.{join.column} = " + parent_key
    if child == "Observation" and join.column == "feature":
        streams = "(SELECT f.datastream FROM feature_datastream f WHERE f.feature = " + parent_key + ")"
        return condition + f" AND {child_alias}.datastream IN " + streams
    return condition

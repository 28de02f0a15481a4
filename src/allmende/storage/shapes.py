"""Shapes of questions: what a statement depends on, apart from the values that it binds.

A question comes apart into a key and a list of values. The key alone is made into a question again, with a
:class:`allmende.storage.slots.Slot` for each value, and that is what gets compiled: so nothing that is not in the key
can have a part in the statement. What stays in the key: entities, relations, names of properties, functions, the kinds
of literals; which values are null; true and false; how many datasets a reader may see that are not open, or that it
sees all; widths and zones of buckets. Questions about geometries have no shape, nor have very long ones.
"""

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple, cast

from allmende.domain import times
from allmende.domain.aggregation import Aggregation, Group, Measure
from allmende.domain.errors import AllmendeError
from allmende.domain.policy import Reader
from allmende.domain.query import (
    Arithmetic,
    Call,
    Compare,
    Expand,
    Expression,
    In,
    Logic,
    Negate,
    Not,
    Order,
    Path,
    Query,
    Step,
    Value,
)
from allmende.storage.compile import is_numeral
from allmende.storage.expressions import check, fold
from allmende.storage.slots import Form, Slot
from allmende.storage.sql import in_order, is_inner

LONGEST = 2_000
"""How much a key may hold, about in characters."""
MOST_VALUES = 300
_AS_THEY_ARE = ("boolean", "null", "months")
_NO_READER = "shape"

Key = tuple[Any, ...]


class Shape(NamedTuple):
    """A key that can be hashed, and the values that belong to it."""

    key: Key
    values: list[Any]


class _Shapeless(Exception):
    """There is something in it that the statement may depend on in more ways than a key tells."""


def shape_of(query: Query) -> Shape | None:
    """The shape of a question, pages and all; None where it has none."""
    return _shaped(lambda taker: taker.query(query))


def shape_of_expand(parent: str, expand: Expand, parents: list[int], arrays: bool) -> Shape | None:
    """The shape of an expansion for some parents: one value if the engine takes them as an array."""

    def key(taker: _Taker) -> Key:
        if arrays:
            return parent, expand.relation, taker.query(expand.query), taker.take(parents), 0
        found = taker.query(expand.query)
        first = len(taker.values)
        taker.values += parents
        return parent, expand.relation, found, first, len(parents)

    return _shaped(key)


def shape_of_table(asked: Aggregation) -> Shape | None:
    """The shape of an aggregation."""
    return _shaped(lambda taker: taker.aggregation(asked))


def _shaped(key: "Callable[[_Taker], Key]") -> Shape | None:
    taker = _Taker()
    try:
        made = key(taker)
    except (_Shapeless, AllmendeError, OverflowError, RecursionError):
        return None  # what is wrong is told by those who compile it
    return Shape(made, taker.values) if len(taker.values) <= MOST_VALUES else None


class _Taker:
    """Takes the values out of a question, and gives its key."""

    __slots__ = ("size", "values")

    def __init__(self) -> None:
        self.values: list[Any] = []
        self.size = 0

    def take(self, value: Any) -> int:
        """The place of a value."""
        self.values.append(value)
        return len(self.values) - 1

    def name(self, text: str) -> str:
        """A text that stays in the key."""
        self.size += len(text)
        if self.size > LONGEST:
            raise _Shapeless
        return text

    def query(self, query: Query) -> Key:
        """See :func:`make_query`."""
        return (
            query.entity,
            self.reader(query.reader),
            query.simulated,
            tuple([(s.entity, self.id(s.entity, s.id), s.relation) for s in query.path]) if query.path else (),
            self.id(query.entity, query.id),
            None if query.filter is None else self.node(query.filter),
            self.orders(query.order) if query.order else (),
            self.take(query.top),
            self.take(query.skip),
            None if query.after is None else self.after(query.after),
            query.select,
        )

    def aggregation(self, asked: Aggregation) -> Key:
        """See :func:`make_aggregation`."""
        return (
            self.query(asked.source),
            tuple([(self.node(g.expression), tuple(map(self.name, g.name))) for g in asked.groups]),
            tuple([self.measure(m) for m in asked.measures]),
            None if asked.where is None else self.node(asked.where),
            None if asked.having is None else self.node(asked.having),
            self.orders(asked.order),
            self.take(asked.top),
            self.take(asked.skip),
            None if asked.after is None else self.after(asked.after),
        )

    def reader(self, reader: Reader) -> Key:
        """Where its datasets stand among the values, and how many they are; None for one that sees all."""
        if reader.sees_all:
            return (None, 0)
        first = len(self.values)
        if reader.datasets:
            self.values += in_order(reader.datasets)
        return first, len(self.values) - first

    def id(self, entity: str, identifier: str | None) -> Key | None:
        """An id's place and form."""
        if identifier is None:
            return None
        if entity == "Observation" and is_inner(identifier):
            return self.take(int(identifier)), "whole"
        return self.take(identifier), "text"

    def orders(self, orders: tuple[Order, ...]) -> Key:
        """Keys to sort by."""
        return tuple([(self.node(order.path), order.descending) for order in orders])

    def after(self, values: tuple[Any, ...]) -> Key:
        """Which are null, and which are texts, is a part of the statement."""
        return tuple([None if value is None else self.sort_key(value) for value in values])

    def sort_key(self, value: Any) -> Key:
        """A value of a row that a page goes on behind."""
        if type(value) is str and "\x00" not in value:
            return self.take(value), "numeral" if is_numeral(value) else "text"
        if type(value) is not int and type(value) is not float:
            raise _Shapeless
        return self.take(value), ""

    def measure(self, measure: Measure) -> Key:
        """A column that sums up."""
        expression = None if measure.expression is None else self.node(measure.expression)
        return measure.method, self.name(measure.name), expression, self.take(measure.fraction)

    def node(self, node: Expression) -> Key:
        """An expression; what is known of times beforehand is calculated, as it is where it is compiled."""
        self.size += 8
        if self.size > LONGEST:
            raise _Shapeless
        return _WAYS[type(node)](self, node)

    def value(self, node: Value) -> Key:
        """A literal that both engines can take."""
        kind, value = node.kind, check(node).value if node.kind != "months" else node.value
        if kind in _AS_THEY_ARE:
            return "=", kind, value
        if kind == "interval":
            return "interval", self.take(value.start), self.take(value.end)
        if kind == "number":
            if type(value) is int and abs(value) < 2**63:
                return "value", kind, self.take(value), "whole"
            if type(value) is not float or not math.isfinite(value):
                raise _Shapeless
        elif type(value) is not (str if kind == "string" else int) or kind == "geometry":
            raise _Shapeless
        return "value", kind, self.take(value), "text" if kind == "string" else ""

    def path(self, node: Path) -> Key:
        """A property."""
        for part in node.parts:
            self.name(str(part))
        return "path", node.parts

    def arithmetic(self, node: Arithmetic) -> Key:
        """Calculated where it can be."""
        known = fold(node)
        if isinstance(known, Arithmetic):
            return "calculate", known.op, self.node(known.left), self.node(known.right)
        return self.node(known)

    def membership(self, node: In) -> Key:
        """``in``, with a list of either kind."""
        listed = self.node(node.choices) if isinstance(node.choices, Path) else tuple(map(self.node, node.choices))
        return "in", self.node(node.item), isinstance(node.choices, Path), listed

    def call(self, node: Call) -> Key:
        """A function. A bucket's width and zone choose how it is calculated."""
        if not node.arguments:
            known = fold(node)
            if known is not node:
                return self.node(known)
        if node.name != "bucket":
            return "call", self.name(node.name), tuple(map(self.node, node.arguments))
        first, rest = node.arguments[:1], node.arguments[1:]
        return "call", "bucket", (*map(self.node, first), *map(self.constant, rest))

    def constant(self, node: Expression) -> Key:
        """A literal that stays in the key."""
        if not isinstance(node, Value) or node.kind not in ("string", "duration", "months"):
            raise _Shapeless
        self.name(str(node.value))
        return "=", node.kind, node.value


_WAYS: Mapping[type[Expression], Callable[[_Taker, Any], Key]] = MappingProxyType(
    {
        Value: _Taker.value,
        Path: _Taker.path,
        Compare: lambda taker, node: ("compare", node.op, taker.node(node.left), taker.node(node.right)),
        Logic: lambda taker, node: ("logic", node.op, tuple(map(taker.node, node.items))),
        Not: lambda taker, node: ("not", taker.node(node.item)),
        In: _Taker.membership,
        Arithmetic: _Taker.arithmetic,
        Negate: lambda taker, node: ("negate", taker.node(node.item)),
        Call: _Taker.call,
    }
)


# --- questions of a shape ---


def make_query(key: Key) -> Query:
    """A question of this shape, with slots for its values. What does not belong to a statement has its defaults."""
    entity, reader, simulated, path, identifier, where, order, top, skip, after, select = key
    return Query(
        entity=entity,
        reader=_reader(*reader),
        simulated=simulated,
        path=tuple(Step(of, _id(number), relation) for of, number, relation in path),
        id=_id(identifier),
        filter=None if where is None else _node(where),
        order=_orders(order),
        top=_slot(top),
        skip=_slot(skip),
        after=_after(after),
        select=select,
    )


def make_expand(key: Key) -> tuple[str, Expand, list[Any] | Slot]:
    """An expansion of this shape: the entity it starts from, the expansion, and its parents."""
    parent, relation, query, first, number = key
    parents: list[Any] | Slot = [Slot(first + place) for place in range(number)] if number else Slot(first)
    return parent, Expand(relation=relation, query=make_query(query)), parents


def make_aggregation(key: Key) -> Aggregation:
    """An aggregation of this shape."""
    source, groups, measures, where, having, order, top, skip, after = key
    return Aggregation(
        source=make_query(source),
        groups=tuple(Group(_node(node), name) for node, name in groups),
        measures=tuple(_measure(*measure) for measure in measures),
        where=None if where is None else _node(where),
        having=None if having is None else _node(having),
        order=_orders(order),
        top=_slot(top),
        skip=_slot(skip),
        after=_after(after),
    )


def _slot(place: int, form: Form = "") -> Any:
    return Slot(place, form)


def _id(key: Key | None) -> Any:
    return None if key is None else _slot(*key)


def _after(key: Key | None) -> tuple[Any, ...] | None:
    return None if key is None else tuple(map(_id, key))


def _reader(first: int | None, number: int) -> Reader:
    if first is None:
        return Reader(name=_NO_READER, sees_all=True)
    seen = tuple(Slot(first + place) for place in range(number))  # in order: in_order() leaves a tuple as it is
    return Reader(name=_NO_READER, datasets=cast(frozenset[str], seen))


def _orders(keys: Key) -> tuple[Order, ...]:
    return tuple(Order(_node(node), descending) for node, descending in keys)


def _measure(method: Any, name: str, node: Key | None, fraction: int) -> Measure:
    return Measure(method=method, name=name, expression=None if node is None else _node(node), fraction=_slot(fraction))


def _node(key: Key) -> Expression:
    return _MAKERS[key[0]](*key[1:])


def _in(item: Key, is_path: bool, listed: Any) -> In:
    return In(_node(item), cast(Path, _node(listed)) if is_path else tuple(map(_node, listed)))


_MAKERS: Mapping[str, Callable[..., Expression]] = MappingProxyType(
    {
        "=": lambda kind, value: Value(value, kind),
        "value": lambda kind, place, form: Value(_slot(place, form), kind),
        "interval": lambda start, end: Value(times.Interval(_slot(start), _slot(end)), "interval"),
        "path": Path,
        "compare": lambda op, left, right: Compare(op, _node(left), _node(right)),
        "logic": lambda op, items: Logic(op, tuple(map(_node, items))),
        "not": lambda item: Not(_node(item)),
        "in": _in,
        "calculate": lambda op, left, right: Arithmetic(op, _node(left), _node(right)),
        "negate": lambda item: Negate(_node(item)),
        "call": lambda name, arguments: Call(name, tuple(map(_node, arguments))),
    }
)

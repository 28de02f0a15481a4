"""The one query language inside. Faces parse into it, engines compile it; neither knows the other.

A Query is a value without behaviour. It always names its reader: the compiler adds the reader's predicate wherever a
table is read.
"""

from functools import cache, lru_cache
from typing import Any, Literal

import msgspec

from allmende.domain.model import ENTITIES, Kind
from allmende.domain.policy import Reader


@cache
def _attributes(entity_name: str) -> tuple[str, ...]:
    return tuple(a.name for a in ENTITIES[entity_name].attributes)


class Expression(msgspec.Struct, frozen=True, tag=True, kw_only=False):
    """A node of a filter. ``at`` is its position in the text it came from, for messages."""


class Value(Expression, frozen=True):
    """A literal. Instants are microseconds with ``kind`` "instant"; geometries are WKT with ``kind`` "geometry".

    A duration of years and months, which has no fixed length, is their number with ``kind`` "months".
    """

    value: Any
    kind: Literal["number", "string", "boolean", "null", "instant", "interval", "duration", "months", "geometry"]
    at: int = 0


class Path(Expression, frozen=True):
    """A property by its path: relations first, then an attribute, then keys into its JSON.

    ``Datastream/Thing/properties/zone`` is ``("Datastream", "Thing", "properties", "zone")``; list places are ints.
    """

    parts: tuple[str | int, ...]
    at: int = 0


class Compare(Expression, frozen=True):
    """``left op right``."""

    op: Literal["eq", "ne", "gt", "ge", "lt", "le"]
    left: Expression
    right: Expression
    at: int = 0


class Logic(Expression, frozen=True):
    """All (``and``) or one (``or``) of the items."""

    op: Literal["and", "or"]
    items: tuple[Expression, ...]
    at: int = 0


class Not(Expression, frozen=True):
    """The contrary."""

    item: Expression
    at: int = 0


class In(Expression, frozen=True):
    """``item in (a, b, …)`` or ``item in path/to/list``."""

    item: Expression
    choices: tuple[Expression, ...] | Path
    at: int = 0


class Arithmetic(Expression, frozen=True):
    """``left op right`` with numbers, times and durations; ``quotient`` (without a fraction), ``power``: CQL2."""

    op: Literal["add", "sub", "mul", "div", "mod", "quotient", "power"]
    left: Expression
    right: Expression
    at: int = 0


class Negate(Expression, frozen=True):
    """``-item``."""

    item: Expression
    at: int = 0


class Call(Expression, frozen=True):
    """A function of the standard by name."""

    name: str
    arguments: tuple[Expression, ...]
    at: int = 0


class Order(msgspec.Struct, frozen=True):
    """One key to sort by, a property or anything that has a value; null comes last whichever the direction."""

    path: Expression
    descending: bool = False


class Step(msgspec.Struct, frozen=True):
    """A step of a resource path, from outside in: entity ``id`` of type ``entity``, then along ``relation``.

    ``id`` is None where the step before led to the one entity of a to-one relation.
    """

    entity: str
    id: str | None
    relation: str


class Expand(msgspec.Struct, frozen=True, kw_only=True):
    """Related entities to bring along, with a question of their own (its path is empty)."""

    relation: str
    query: "Query"


class Query(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked for.

    ``path`` leads to the set: ``Things('a')/Datastreams`` is ``entity="Datastream"`` with one Step. ``id`` picks one of
    it. ``after`` is the sort key of the last entity of the page before, as the Page gave it.
    """

    entity: str
    reader: Reader
    path: tuple[Step, ...] = ()
    id: str | None = None
    filter: Expression | None = None
    order: tuple[Order, ...] = ()
    top: int = 100
    skip: int = 0
    after: tuple[Any, ...] | None = None
    count: bool = False
    select: tuple[str, ...] | None = None
    expand: tuple[Expand, ...] = ()
    expand_rows: int = 100_000
    """How many related entities each level of ``expand`` may bring at most; the pages inside are cut, and go on by
    their own links. Every parent gets at least one."""
    simulated: bool = True
    """False leaves simulated datasets out: exports, catalogue and forecasts ask so."""

    def selected(self) -> tuple[str, ...]:
        """The attributes to give, in the standard's order."""
        names = _attributes(self.entity)
        return names if self.select is None else tuple(n for n in names if n in self.select)

    def selects_id(self) -> bool:
        """Whether the id is wanted: always, unless a $select left it out."""
        return self.select is None or "id" in self.select or "@iot.id" in self.select


def layout(query: Query) -> tuple[str, ...]:
    """The columns of a row that answers ``query``: the contract between engines and renderers.

    First ``pk`` (the engine's own key, opaque) and ``id`` (text), then one column per selected attribute: text, or
    JSON as text, or microseconds. Intervals have two columns (``….start``, ``….end``); a result has two
    (``result.kind``, ``result``, see :class:`ResultKind`).
    """
    return _layout(query.entity, query.select)


@lru_cache(maxsize=1024)  # an answer may hold a page for each of thousands of streams
def _layout(entity_name: str, select: tuple[str, ...] | None) -> tuple[str, ...]:
    columns = ["pk", "id"]
    for attribute in ENTITIES[entity_name].attributes:
        name = attribute.name
        if select is not None and name not in select:
            continue
        if attribute.kind is Kind.INTERVAL:
            columns += [f"{name}.start", f"{name}.end"]
        elif attribute.kind is Kind.RESULT:
            columns += [f"{name}.kind", name]
        else:
            columns.append(name)
    return tuple(columns)


class ResultKind:
    """How a result is kept. The value column holds the number, the text, or the JSON as text."""

    NULL = 0
    INTEGER = 1
    DECIMAL = 2
    BOOLEAN = 3
    STRING = 4
    JSON = 5
    ROW = 6
    """A list of a MultiDatastream, a value for each of its ObservedProperties: JSON, too."""


class Page(msgspec.Struct, kw_only=True):
    """An answer: rows as tuples in the order of ``columns`` (see :func:`layout`).

    ``next`` is the sort key to go on after (None at the end); ``expanded`` holds, per relation, the pages of related
    entities by the ``pk`` of the row that they belong to (a to-one relation has a page of at most one row).
    """

    query: Query
    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]
    next: tuple[Any, ...] | None = None
    count: int | None = None
    expanded: dict[str, dict[Any, "Page"]] = {}

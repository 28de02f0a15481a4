"""Questions about many at once: grouped and summed up. What a face parses into, what an engine answers with.

The words are OData's (Data Aggregation 4.0): a set is filtered, grouped by expressions, and each group is summed up by
measures. The groups are rows; they are filtered, ordered and paged by the names of their columns.
"""

from typing import Any, Literal, NamedTuple

import msgspec

from allmende.domain.query import Expression, Order, Query

Method = Literal["rows", "count", "countdistinct", "sum", "average", "min", "max", "percentile"]
ColumnKind = Literal[
    "number", "string", "id", "boolean", "instant", "interval", "duration", "clock", "free", "result", "json"
]


class Group(msgspec.Struct, frozen=True):
    """One thing to group by. ``name`` is the path of its column: ``("Datastream", "id")``, or an alias alone."""

    expression: Expression
    name: tuple[str, ...]


class Measure(msgspec.Struct, frozen=True, kw_only=True):
    """A column that sums up a group.

    ``rows`` counts entities and has no expression; ``count`` counts values that take part. Sum, average and percentile
    take numbers alone, values of other types are passed over; ``fraction`` is the percentile's, from 0 to 1.
    """

    method: Method
    name: str
    expression: Expression | None = None
    fraction: float = 0.0
    at: int = 0


class Aggregation(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked for.

    ``source`` says of which entities: entity, reader, path and filter; its page does not matter. ``where`` is a second
    condition of theirs. Without groups there is one row. ``having`` and the paths of ``order`` name columns.
    """

    source: Query
    groups: tuple[Group, ...] = ()
    measures: tuple[Measure, ...] = ()
    where: Expression | None = None
    having: Expression | None = None
    order: tuple[Order, ...] = ()
    top: int = 100
    skip: int = 0
    after: tuple[Any, ...] | None = None
    count: bool = False


class Column(NamedTuple):
    """A column of an answer. ``free`` holds numbers, texts, truth values or null, as each row has it; ``result`` a
    :class:`allmende.domain.query.ResultKind` and the value as it is kept; ``json`` is text."""

    name: tuple[str, ...]
    kind: ColumnKind


class Table(msgspec.Struct, kw_only=True):
    """An answer: one value per column and row. Times are microseconds, an interval is (start, end or None).

    ``next`` is the sort key to go on after, None at the end.
    """

    columns: tuple[Column, ...]
    rows: list[tuple[Any, ...]]
    next: tuple[Any, ...] | None = None
    count: int | None = None

"""Statements for questions, compiled once for each shape: see ``shapes.py``. What has no shape is compiled as it comes.

The same shapes are kept for all readers; a shape says how many datasets a reader may see, its values say which.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

from allmende.domain.aggregation import Aggregation
from allmende.domain.query import Expand, Query
from allmende.storage import compile as plain
from allmende.storage.aggregate import Output, compile_table
from allmende.storage.connections import Dialect
from allmende.storage.newest import asks_newest, compile_latest, compile_newest
from allmende.storage.shapes import (
    Key,
    Shape,
    make_aggregation,
    make_expand,
    make_query,
    shape_of,
    shape_of_expand,
    shape_of_table,
)
from allmende.storage.slots import Filler
from allmende.storage.sql import Sql

SHAPES = 1_000
"""Shapes that each process keeps, those used last. The longest take some 30 MB together."""
LONGEST = 20_000
"""Characters of a statement that is kept."""

_Made = tuple[Sql, Any]
_Make = Callable[[Key, Dialect], _Made]


class _Kept(NamedTuple):
    text: str
    fill: Filler
    more: Any


@lru_cache(maxsize=SHAPES)
def _kept(make: _Make, key: Key, dialect: Dialect) -> _Kept | None:
    try:
        sql, more = make(key, dialect)
    except Exception:
        # It needs the values, or is wrong in a way that is told with them: compiled as it comes, every time.
        return None
    return _Kept(sql.text, Filler(sql.params), more) if len(sql.text) <= LONGEST else None


def _ask(make: _Make, shape: Shape | None, dialect: Dialect) -> _Made | None:
    kept = None if shape is None else _kept(make, shape.key, dialect)
    if shape is None or kept is None:
        return None
    return Sql(kept.text, kept.fill(shape.values)), kept.more


def count_lookups() -> tuple[int, int]:
    """How often this process has found what is known of a shape, and how often it was a new one.

    That a shape cannot be kept is known, too; questions without a shape are not counted.
    """
    info = _kept.cache_info()
    return info.hits, info.misses


# --- what is made of a key; only these and the key have a part in what is kept ---


def _page(key: Key, dialect: Dialect) -> _Made:
    return plain.compile_page(make_query(key), dialect)


def _count(key: Key, dialect: Dialect) -> _Made:
    return plain.compile_count(make_query(key), dialect), None


def _expand(key: Key, dialect: Dialect) -> _Made:
    return plain.compile_expand(*make_expand(key), dialect)


def _expand_counts(key: Key, dialect: Dialect) -> _Made:
    return plain.compile_expand_counts(*make_expand(key), dialect), None


def _newest(key: Key, dialect: Dialect) -> _Made:
    _, expand, parents = make_expand(key)
    return compile_newest(expand, parents, dialect), 2


def _latest(key: Key, dialect: Dialect) -> _Made:
    return compile_latest(make_query(key), dialect)


def _latest_count(key: Key, dialect: Dialect) -> _Made:
    return compile_latest(make_query(key), dialect, count=True)


def _table(key: Key, dialect: Dialect) -> _Made:
    return compile_table(make_aggregation(key), dialect)


def _table_count(key: Key, dialect: Dialect) -> _Made:
    return compile_table(make_aggregation(key), dialect, count=True)


class Question:
    """One question to one engine."""

    __slots__ = ("_dialect", "_query", "_shape")

    def __init__(self, query: Query, dialect: Dialect) -> None:
        self._query = query
        self._dialect = dialect
        self._shape = shape_of(query)

    def page(self) -> tuple[Sql, int]:
        """See :func:`allmende.storage.compile.compile_page`."""
        return _ask(_page, self._shape, self._dialect) or plain.compile_page(self._query, self._dialect)

    def count(self) -> Sql:
        """See :func:`allmende.storage.compile.compile_count`."""
        made = _ask(_count, self._shape, self._dialect)
        return plain.compile_count(self._query, self._dialect) if made is None else made[0]

    def latest(self, *, count: bool = False) -> tuple[Sql, int]:
        """See :func:`allmende.storage.newest.compile_latest`."""
        made = _ask(_latest_count if count else _latest, self._shape, self._dialect)
        return made or compile_latest(self._query, self._dialect, count=count)


class Expansion:
    """What is brought along with some parents."""

    __slots__ = ("_dialect", "_expand", "_parent", "_parents", "_shape")

    def __init__(self, parent: str, expand: Expand, parents: list[Any], dialect: Dialect) -> None:
        self._parent, self._expand, self._parents, self._dialect = parent, expand, parents, dialect
        self._shape = shape_of_expand(parent, expand, parents, dialect.arrays)

    @property
    def newest(self) -> bool:
        """Whether only the newest of each is asked for."""
        return asks_newest(self._parent, self._expand)

    def rows(self) -> tuple[Sql, int]:
        """See :func:`allmende.storage.compile.compile_expand`, or where :attr:`newest`,
        :func:`allmende.storage.newest.compile_newest`; and the number of sort keys."""
        if self.newest:
            made = _ask(_newest, self._shape, self._dialect)
            return made or (compile_newest(self._expand, self._parents, self._dialect), 2)
        made = _ask(_expand, self._shape, self._dialect)
        return made or plain.compile_expand(self._parent, self._expand, self._parents, self._dialect)

    def counts(self) -> Sql:
        """See :func:`allmende.storage.compile.compile_expand_counts`."""
        made = _ask(_expand_counts, self._shape, self._dialect)
        if made is not None:
            return made[0]
        return plain.compile_expand_counts(self._parent, self._expand, self._parents, self._dialect)


class Groups:
    """An aggregation."""

    __slots__ = ("_asked", "_dialect", "_shape")

    def __init__(self, asked: Aggregation, dialect: Dialect) -> None:
        self._asked = asked
        self._dialect = dialect
        self._shape = shape_of_table(asked)

    def page(self, *, count: bool = False) -> tuple[Sql, tuple[Output, ...]]:
        """See :func:`allmende.storage.aggregate.compile_table`."""
        made = _ask(_table_count if count else _table, self._shape, self._dialect)
        return made or compile_table(self._asked, self._dialect, count=count)

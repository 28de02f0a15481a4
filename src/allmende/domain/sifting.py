"""Which features a question leads to, told exactly: the same on every engine, with PostGIS and without it.

What an engine's index finds is more than what was asked for; here it is looked at one by one. An expression (CQL2,
21-065r2) is true, false or unknown, as in SQL: a property that is missing, or of another type than what it is compared
with, makes it unknown, and what is unknown is not found. Numbers are compared in double precision, texts by code
points.
"""

import math
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from types import MappingProxyType
from typing import Any, NamedTuple

import msgspec
import re2
import shapely
from shapely.errors import ShapelyError

from allmende.domain import times
from allmende.domain.errors import InvalidInput, InvalidQuery
from allmende.domain.features import FeatureQuery, KeptFeature, meets
from allmende.domain.query import Arithmetic, Call, Compare, Expression, In, Logic, Negate, Not, Path, Value

GEOMETRY = "geometry"
"""The path of a feature's geometry; all other paths are names of properties."""
Sieve = Callable[[KeptFeature], bool]


class _Span(NamedTuple):
    """A time: of an instant both ends are one."""

    start: int
    end: int


class _Seen:
    """A feature while it is looked at."""

    def __init__(self, row: KeptFeature) -> None:
        self.row = row

    @cached_property
    def said(self) -> dict[str, Any]:
        decoded: dict[str, Any] = msgspec.json.decode(self.row.properties)
        return decoded

    @cached_property
    def shape(self) -> Any:
        if self.row.geometry is None:
            return None
        try:
            return shapely.from_geojson(self.row.geometry)
        except ShapelyError:
            return None


_Read = Callable[[_Seen], Any]


def sieve(query: FeatureQuery, *, told: bool = False) -> Sieve | None:
    """What is true of the features that a question leads to; None where it is true of all. With ``told`` times and
    equal values have been looked at before."""
    rules: list[Sieve] = []
    if query.bbox is not None:
        bbox = query.bbox
        rules.append(lambda row: meets(row, bbox))
    if not told and (query.start is not None or query.end is not None):
        rules.append(lambda row: _holds_within(row, query.start, query.end))
    if not told and query.equals:
        rules.append(lambda row: _has(row, query.equals))
    if query.filter is not None:
        condition = _reader(query.filter)
        rules.append(lambda row: condition(_Seen(row)) is True)
    if not rules:
        return None
    if len(rules) == 1:
        return rules[0]
    return lambda row: all(rule(row) for rule in rules)


def _holds_within(row: KeptFeature, start: int | None, end: int | None) -> bool:
    if end is not None and row.valid_from is not None and row.valid_from > end:
        return False
    return start is None or row.valid_to is None or row.valid_to >= start


def _has(row: KeptFeature, equals: Sequence[tuple[str, str]]) -> bool:
    said = msgspec.json.decode(row.properties)
    return all(is_said(said.get(name), text) for name, text in equals)


def is_said(value: Any, text: str) -> bool:
    """Whether a property has the value of a text: it is that text, or a number or boolean that JSON writes so."""
    if isinstance(value, str):
        return value == text
    if isinstance(value, bool):
        return text == ("true" if value else "false")
    if isinstance(value, int | float):
        with suppress(msgspec.MsgspecError):
            return float(value) == msgspec.json.decode(text, type=float)
    return False


# --- expressions ---


def _reader(node: Expression) -> _Read:
    """What gives an expression's value for a feature: a bool, a float, a text, a span, a shape; None is unknown."""
    made = _READERS.get(type(node))
    if made is None:
        raise InvalidQuery("features are not filtered by this", where=str(getattr(node, "at", "")))
    return made(node)


def _value(node: Value) -> _Read:
    found: Any = node.value
    if node.kind == "geometry":
        found = shapely.from_wkt(node.value)
        shapely.prepare(found)
    elif node.kind == "instant":
        found = _Span(node.value, node.value)
    elif node.kind == "interval":
        found = _Span(node.value.start, node.value.end)
    elif node.kind == "number":
        found = float(node.value)
    return lambda seen: found


def _path(node: Path) -> _Read:
    name = str(node.parts[0])
    if name == GEOMETRY:
        return lambda seen: seen.shape
    return lambda seen: _plain(seen.said.get(name))


def _plain(value: Any) -> Any:
    if isinstance(value, int) and not isinstance(value, bool):
        try:
            return float(value)
        except OverflowError:
            return None
    return value


def _logic(node: Logic) -> _Read:
    readers, decisive = [_reader(item) for item in node.items], node.op == "or"

    def read(seen: _Seen) -> Any:
        unknown = False
        for reader in readers:
            found = reader(seen)
            if found is decisive:
                return decisive
            unknown = unknown or not isinstance(found, bool)
        return None if unknown else not decisive

    return read


def _not(node: Not) -> _Read:
    item = _reader(node.item)

    def read(seen: _Seen) -> bool | None:
        found: Any = item(seen)
        return not found if isinstance(found, bool) else None

    return read


def _compare(node: Compare) -> _Read:
    left, right, op = _reader(node.left), _reader(node.right), node.op
    if isinstance(node.right, Value) and node.right.kind == "null":
        return lambda seen: (left(seen) is None) == (op == "eq")
    return lambda seen: _compared(left(seen), op, right(seen))


def _compared(first: Any, op: str, second: Any) -> bool | None:
    if isinstance(first, _Span) or isinstance(second, _Span):
        return _compared_spans(_span(first), op, _span(second))
    if type(first) is not type(second) or not isinstance(first, bool | float | str):
        return None
    return _ORDERS[op](first, second)


_ORDERS: Mapping[str, Callable[[Any, Any], bool]] = MappingProxyType(
    {
        "eq": lambda a, b: a == b,
        "ne": lambda a, b: a != b,
        "gt": lambda a, b: a > b,
        "ge": lambda a, b: a >= b,
        "lt": lambda a, b: a < b,
        "le": lambda a, b: a <= b,
    }
)


def _compared_spans(first: _Span | None, op: str, second: _Span | None) -> bool | None:
    """Later is what starts behind the other's end, earlier what ends before its start."""
    if first is None or second is None:
        return None
    if op == "gt":
        return first.start > second.end
    if op == "lt":
        return first.end < second.start
    if op == "ge":
        return first.start >= second.start
    if op == "le":
        return first.end <= second.end
    return (first == second) == (op == "eq")


def _span(value: Any) -> _Span | None:
    """A time, or a text that is one: a day is all of it, in UTC."""
    if isinstance(value, _Span):
        return value
    if not isinstance(value, str):
        return None
    try:
        if len(value) == 10:
            start = times.parse_instant(f"{value}T00:00:00Z")
            return _Span(start, start + times.DAY - 1)
        found = times.parse_interval(value)
    except InvalidInput:
        return None
    return _Span(found.start, found.start if found.end is None else found.end)


def _in(node: In) -> _Read:
    if isinstance(node.choices, Path):
        raise InvalidQuery("a list of values is wanted here", where=str(node.at))
    return _logic(Logic("or", tuple(Compare("eq", node.item, choice, node.at) for choice in node.choices), node.at))


def _arithmetic(node: Arithmetic) -> _Read:
    left, right, work = _reader(node.left), _reader(node.right), _SUMS[node.op]

    def read(seen: _Seen) -> float | None:
        first, second = left(seen), right(seen)
        if not isinstance(first, float) or not isinstance(second, float):
            return None
        try:
            found = work(first, second)
        except (ZeroDivisionError, OverflowError, ValueError):
            return None
        return found if math.isfinite(found) else None

    return read


_SUMS: Mapping[str, Callable[[float, float], float]] = MappingProxyType(
    {
        "add": lambda a, b: a + b,
        "sub": lambda a, b: a - b,
        "mul": lambda a, b: a * b,
        "div": lambda a, b: a / b,
        "mod": math.fmod,
        "quotient": lambda a, b: float(math.trunc(a / b)),
        "power": math.pow,
    }
)


def _negate(node: Negate) -> _Read:
    item = _reader(node.item)

    def read(seen: _Seen) -> float | None:
        found = item(seen)
        return -found if isinstance(found, float) else None

    return read


def _call(node: Call) -> _Read:
    readers = [_reader(argument) for argument in node.arguments]
    if node.name in _TEXTS:
        return _over_text(_TEXTS[node.name], readers[0])
    if node.name == "like":
        return _like(readers[0], node.arguments[1], node.at)
    if node.name in SPATIAL:
        return _spatial(SPATIAL[node.name], *readers)
    if node.name == "interval":
        return lambda seen: _between(_span(readers[0](seen)), _span(readers[1](seen)))
    if node.name in TEMPORAL:
        relation = TEMPORAL[node.name]
        return lambda seen: _related(relation, _span(readers[0](seen)), _span(readers[1](seen)))
    raise InvalidQuery(f"there is no function {node.name}()", where=str(node.at))


def _over_text(work: Callable[[str], str], reader: _Read) -> _Read:
    def read(seen: _Seen) -> str | None:
        found = reader(seen)
        return work(found) if isinstance(found, str) else None

    return read


def _without_accents(text: str) -> str:
    return "".join(sign for sign in unicodedata.normalize("NFKD", text) if not unicodedata.combining(sign))


_TEXTS: Mapping[str, Callable[[str], str]] = MappingProxyType({"casei": str.casefold, "accenti": _without_accents})


def _like(reader: _Read, pattern: Expression, at: int) -> _Read:
    """``%`` stands for any signs, ``_`` for one, a backslash before either for itself."""
    text = _reader(pattern)(_NOBODY)
    if not isinstance(text, str):
        raise InvalidQuery("LIKE takes a pattern in single quotes", where=str(at))
    pieces, signs = [], iter(text)
    for sign in signs:
        if sign == "\\":
            pieces.append(re2.escape(next(signs, "\\")))
        else:
            pieces.append({"%": ".*", "_": "."}.get(sign) or re2.escape(sign))
    try:
        compiled = re2.compile("(?s)" + "".join(pieces))
    except re2.error:
        raise InvalidQuery("this pattern cannot be looked for", where=str(at)) from None

    def read(seen: _Seen) -> bool | None:
        found = reader(seen)
        if not isinstance(found, str):
            return None
        with suppress(UnicodeEncodeError):  # half of a pair of UTF-16 is like nothing
            return compiled.fullmatch(found) is not None
        return False

    return read


_NOBODY = _Seen(
    KeptFeature(
        id="", geometry=None, west=None, south=None, east=None, north=None, properties="{}", valid_from=None,
        valid_to=None, first_seen=0, since=0, seen=0, gone_at=None,
    )
)  # fmt: skip
"""For what is the same for every feature."""
SPATIAL: Mapping[str, Callable[[Any, Any], Any]] = MappingProxyType(
    {
        f"st_{name}": getattr(shapely, name)
        for name in ("intersects", "equals", "disjoint", "touches", "within", "overlaps", "crosses", "contains")
    }
)


def _spatial(relation: Callable[[Any, Any], Any], first: _Read, second: _Read) -> _Read:
    def read(seen: _Seen) -> bool | None:
        one, other = first(seen), second(seen)
        if one is None or other is None:
            return None
        try:
            return bool(relation(one, other))
        except ShapelyError:
            return None  # e.g. an area that crosses itself

    return read


TEMPORAL: Mapping[str, Callable[[_Span, _Span], bool]] = MappingProxyType(
    {
        "t_after": lambda a, b: a.start > b.end,
        "t_before": lambda a, b: a.end < b.start,
        "t_contains": lambda a, b: a.start < b.start and a.end > b.end,
        "t_disjoint": lambda a, b: a.end < b.start or a.start > b.end,
        "t_during": lambda a, b: a.start > b.start and a.end < b.end,
        "t_equals": lambda a, b: a == b,
        "t_finishedby": lambda a, b: a.start < b.start and a.end == b.end,
        "t_finishes": lambda a, b: a.start > b.start and a.end == b.end,
        "t_intersects": lambda a, b: a.start <= b.end and a.end >= b.start,
        "t_meets": lambda a, b: a.end == b.start,
        "t_metby": lambda a, b: a.start == b.end,
        "t_overlappedby": lambda a, b: b.start < a.start < b.end < a.end,
        "t_overlaps": lambda a, b: a.start < b.start < a.end < b.end,
        "t_startedby": lambda a, b: a.start == b.start and a.end > b.end,
        "t_starts": lambda a, b: a.start == b.start and a.end < b.end,
    }
)
"""21-065r2, 7.9."""


def _between(start: _Span | None, end: _Span | None) -> _Span | None:
    return None if start is None or end is None or end.end < start.start else _Span(start.start, end.end)


def _related(relation: Callable[[_Span, _Span], bool], first: _Span | None, second: _Span | None) -> bool | None:
    return None if first is None or second is None else relation(first, second)


_READERS: Mapping[type, Callable[[Any], _Read]] = MappingProxyType(
    {
        Value: _value, Path: _path, Logic: _logic, Not: _not, Compare: _compare, In: _in, Arithmetic: _arithmetic,
        Negate: _negate, Call: _call,
    }
)  # fmt: skip

"""Values of filters: literals, arithmetic, functions. Each compiles to SQL of a known type, or is refused by its place.

Numbers are calculated in double precision on both engines. ``div`` divides exactly, also whole numbers (5 div 2 is
2.5); ``mod`` has the sign of what is divided; a division by zero, or an outcome beyond about 1e300, is null. Of an
interval a function of the calendar takes the start. See docs/reference/filters.md.
"""

import math
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from types import MappingProxyType
from typing import Any, NamedTuple, cast

from allmende.domain import times
from allmende.domain.errors import InvalidInput, InvalidQuery, NotSupported
from allmende.domain.query import Arithmetic, Call, Compare, Expression, In, Logic, Negate, Not, Path, Value
from allmende.storage import buckets
from allmende.storage.geometry import RELATIONS, check_pattern, check_wkt
from allmende.storage.slots import Slot, turned
from allmende.storage.sql import Sql
from allmende.storage.typed import WORDS, Place, Type, Typed, at, call, read_path


class Function(NamedTuple):
    """A function of the standard: the types it takes, the one it gives, and its name in the dialects."""

    takes: tuple[Type, ...]
    gives: Type
    name: str


_TEXTS: tuple[Type, ...] = ("string", "string")
_PAIR: tuple[Type, ...] = ("geometry", "geometry")
FUNCTIONS: Mapping[str, Function] = MappingProxyType(
    {
        **{name: Function(_TEXTS, "boolean", name) for name in ("contains", "startswith", "endswith")},
        **{name: Function(("string",), "string", name) for name in ("tolower", "toupper", "trim")},
        **{name: Function(("number",), "number", name) for name in ("round", "floor", "ceiling")},
        **{
            name: Function(("instant",), "number", name)
            for name in (
                "year", "month", "day", "hour", "minute", "second", "fractionalseconds", "totaloffsetminutes",
            )
        },
        "length": Function(("string",), "number", "length"),
        "indexof": Function(_TEXTS, "number", "indexof"),
        "substring": Function(("string", "number", "number"), "string", "substring"),
        "concat": Function(_TEXTS, "string", "concat"),
        "date": Function(("instant",), "instant", "date"),
        **{f"st_{name}": Function(_PAIR, "boolean", f"st_{name}") for name in RELATIONS},
        "st_relate": Function((*_PAIR, "string"), "boolean", "st_relate"),
        "geo.intersects": Function(_PAIR, "boolean", "st_intersects"),
        "geo.distance": Function(_PAIR, "number", "st_distance"),
        "geo.length": Function(("geometry",), "number", "st_length"),
        "time": Function(("instant",), "clock", "time"),
        "bucket": Function(("instant", "duration", "string"), "instant", "bucket"),
    }
)  # fmt: skip
_SPAN = times.LATEST - times.EARLIEST
_REST_OF_TEXT = Value(1_000_000, "number")
_MOMENT: ContextVar[int | None] = ContextVar("moment", default=None)


@contextmanager
def one_moment() -> Iterator[None]:
    """Inside of it ``now()`` is one instant: for a page, its count and all that it expands."""
    token = _MOMENT.set(time.time_ns() // 1000)
    try:
        yield
    finally:
        _MOMENT.reset(token)


_NOW: Mapping[str, Callable[[], int]] = MappingProxyType(
    {
        "now": lambda: _MOMENT.get() or time.time_ns() // 1000,
        "mindatetime": lambda: times.EARLIEST,
        "maxdatetime": lambda: times.LATEST,
    }
)
_CASTS: Mapping[Type, str] = MappingProxyType(
    {
        "number": "CAST(? AS double precision)",
        "string": "CAST(? AS text)",
        "instant": "CAST(? AS bigint)",
        "duration": "CAST(? AS bigint)",
        "clock": "CAST(? AS bigint)",
        "geometry": "CAST(? AS text)",  # in WKT
    }
)
"""A bound value with its type, which PostgreSQL cannot always guess."""


def fold(node: Expression) -> Expression:
    """Calculate what is known of times beforehand, so that ``gt now() sub duration'PT1H'`` finds an index."""
    if isinstance(node, Call) and node.name in _NOW:
        expect(node, 0)
        return Value(_NOW[node.name](), "instant", node.at)
    if not isinstance(node, Arithmetic) or node.op not in ("add", "sub"):
        return node
    left, right = fold(node.left), fold(node.right)
    if isinstance(left, Value) and left.kind == "instant" and isinstance(right, Value) and right.kind == "duration":
        moved: int = left.value + (right.value if node.op == "add" else -right.value)
        if times.EARLIEST <= moved <= times.LATEST:
            return Value(moved, "instant", node.at)
    return Arithmetic(node.op, left, right, node.at)


def check(value: Value) -> Value:
    """A literal that both engines can take; whoever leaves a slot for one has checked it."""
    if isinstance(value.value, Slot):
        return value
    if value.kind == "string" and "\x00" in value.value:
        raise InvalidQuery("a text here has no NUL", where=at(value))
    if value.kind == "number" and not math.isfinite(value.value):
        raise InvalidQuery("this number is too large", where=at(value))
    if value.kind == "duration" and abs(value.value) > _SPAN:
        raise InvalidQuery("this duration is longer than the calendar", where=at(value))
    if value.kind == "months":
        raise InvalidQuery("years and months have no fixed length; only bucket() takes them", where=at(value))
    if value.kind == "interval" and not isinstance(value.value.end, Slot) and value.value.end < value.value.start:
        raise InvalidQuery("this interval ends before it starts", where=at(value))
    return value


def bound(kind: Type, value: Any) -> Sql:
    """A value as a parameter with its type."""
    return Sql(_CASTS[kind], (turned(float, value) if kind == "number" else value,))


def read(place: Place, node: Expression) -> Typed:
    """The value of an expression; conditions are read by ``filters.py``."""
    node = fold(node)
    if isinstance(node, Value):
        if node.kind == "geometry":
            return Typed("geometry", call(place.dialect, "wkt", bound("geometry", check_wkt(node.value, at(node)))))
        return literal(check(node))
    if isinstance(node, Path):
        return read_path(place, node)
    if isinstance(node, Negate):
        found = read(place, node.item)
        if found.kind == "duration":
            return Typed("duration", "(-(" + found.sql + "))")
        return Typed("number", call(place.dialect, "negate", take(place, node.item, "number", "-")))
    if isinstance(node, Arithmetic):
        return _arithmetic(place, node)
    if isinstance(node, Call) and not gives_condition(node):
        return _call(place, node)
    from allmende.storage.filters import condition  # the two know each other: f(x) eq true, (a eq b) eq c

    return Typed("boolean", condition(place.fresh(), node))


def gives_condition(node: Expression) -> bool:
    """Whether an expression is true or false by itself."""
    if isinstance(node, Call):
        function = FUNCTIONS.get(node.name)
        return node.name not in _NOW and (function is None or function.gives == "boolean")
    return isinstance(node, Logic | Not | Compare | In)


def literal(value: Value) -> Typed:
    """A literal as a value."""
    if value.kind == "boolean":
        return Typed("boolean", Sql("(1 = 1)" if value.value else "(1 = 0)"))
    if value.kind == "null":
        return Typed("null", Sql("NULL"))
    if value.kind == "interval":
        return Typed("interval", bound("instant", value.value.start), last=bound("instant", value.value.end))
    kind = cast(Type, value.kind)  # months were refused
    return Typed(kind, bound(kind, value.value))


def take(place: Place, node: Expression, kind: Type, asker: str) -> Sql:
    """An argument of a type; JSON of another type, and null, are null. Of an interval the start is an instant."""
    return as_kind(read(place, node), kind, asker, node)


def as_kind(found: Typed, kind: Type, asker: str, node: Expression) -> Sql:
    """What was read, as a type."""
    if found.kind == kind:
        return found.sql
    if found.kind == "null" and kind in _CASTS and kind != "geometry":
        return Sql(_CASTS[kind].replace("?", "NULL"))
    if found.each is not None and (kind == "number" or kind == "string"):
        return found.each(kind)
    if found.each is not None and kind == "boolean":
        return "(" + found.each(kind) + " = 1)"
    if found.kind == "interval" and kind == "instant":
        return found.sql
    raise InvalidQuery(f"{asker} takes {WORDS[kind]} here, not {WORDS[found.kind]}", where=at(node))


def span(place: Place, node: Expression, asker: str) -> tuple[Sql, Sql]:
    """An argument as start and end."""
    found = read(place, node)
    if found.kind == "interval" and found.last is not None:
        return found.sql, found.last
    if found.kind == "instant":
        return found.sql, found.sql
    raise InvalidQuery(f"{asker} takes a time here, not {WORDS[found.kind]}", where=at(node))


def expect(node: Call, *many: int) -> None:
    """Refuse a wrong number of arguments."""
    if len(node.arguments) not in many:
        wanted = " or ".join(str(m) for m in many)
        raise InvalidQuery(f"{node.name}() takes {wanted} arguments, not {len(node.arguments)}", where=at(node))


def apply(place: Place, node: Call) -> Sql:
    """A function of the table over its arguments."""
    function = FUNCTIONS[node.name]
    arguments = node.arguments
    if node.name == "bucket":
        expect(node, 2, 3)
        return buckets.bucket(place.dialect, node, take(place, arguments[0], "instant", "bucket()"))
    if node.name == "substring" and len(arguments) == 2:
        arguments = (*arguments, _REST_OF_TEXT)
    elif len(arguments) != len(function.takes):
        expect(node, len(function.takes))
    if node.name == "st_relate":
        pattern = arguments[2]
        if not isinstance(pattern, Value) or pattern.kind != "string":
            raise InvalidQuery("st_relate() takes a pattern in single quotes", where=at(pattern))
        check_pattern(pattern.value, at(pattern))
    taken = zip(arguments, function.takes, strict=True)
    return call(place.dialect, function.name, *(take(place, a, kind, f"{node.name}()") for a, kind in taken))


def clock(value: Value) -> Typed:
    """A time of day, which the grammar reads as a text."""
    try:
        micros = times.parse_instant(f"1970-01-01T{value.value}Z")
    except InvalidInput:
        raise InvalidQuery(f"{value.value!r} is no time of day, e.g. 10:30:00", where=at(value)) from None
    return Typed("clock", bound("clock", micros))


def _call(place: Place, node: Call) -> Typed:
    return Typed(FUNCTIONS[node.name].gives, apply(place, node))


def _arithmetic(place: Place, node: Arithmetic) -> Typed:
    left, right = read(place, node.left), read(place, node.right)
    kinds = {left.kind, right.kind}
    if kinds <= {"number", "free", "null"}:
        first = as_kind(left, "number", node.op, node.left)
        return Typed("number", call(place.dialect, node.op, first, as_kind(right, "number", node.op, node.right)))
    if "duration" in kinds and node.op in ("mul", "div"):
        made = _scaled(place, node, left, right)
        if made is not None:
            return made
        raise InvalidQuery(f"{WORDS[left.kind]} {node.op} {WORDS[right.kind]} has no meaning", where=at(node))
    if not kinds <= {"instant", "interval", "duration"}:
        odd, kind = (node.left, left.kind) if left.kind not in ("number", "free") else (node.right, right.kind)
        raise InvalidQuery(f"{node.op} takes numbers, times and durations, not {WORDS[kind]}", where=at(odd))
    if node.op in ("add", "sub"):
        made = _times(place, node.op, left, right)
        if made is not None:
            return made
    raise NotSupported(
        f"{WORDS[left.kind]} {node.op} {WORDS[right.kind]} has no meaning in this release", where=at(node)
    )


def _scaled(place: Place, node: Arithmetic, left: Typed, right: Typed) -> Typed | None:
    """Duration mul number, number mul duration, duration div number, duration div duration; None for the rest."""
    dialect = place.dialect
    if node.op == "mul" and right.kind == "duration":
        left, right = right, left
    if left.kind != "duration" or right.kind not in ("number", "free", "null", "duration"):
        return None
    length = "CAST(" + left.sql + " AS double precision)"
    if right.kind == "duration":
        other = "CAST(" + right.sql + " AS double precision)"
        return Typed("number", call(dialect, "div", length, other)) if node.op == "div" else None
    factor = as_kind(right, "number", node.op, node)
    return Typed("duration", call(dialect, "micros", call(dialect, node.op, length, factor)))


def _times(place: Place, op: str, left: Typed, right: Typed) -> Typed | None:
    """Time ± duration, duration ± duration, time - time; None for what has no meaning."""
    dialect = place.dialect
    if right.kind == "duration":
        by = right.sql if op == "add" else "(-(" + right.sql + "))"
        if left.kind == "duration":
            return Typed("duration", call(dialect, "longer", left.sql, by))
        last = None if left.last is None else call(dialect, "shift", left.last, by)
        return Typed(left.kind, call(dialect, "shift", left.sql, by), last=last)
    if left.kind == "duration":
        return _times(place, op, right, left) if op == "add" else None
    return Typed("duration", call(dialect, "gap", left.sql, right.sql)) if op == "sub" else None

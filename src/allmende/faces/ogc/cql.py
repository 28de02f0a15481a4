"""CQL2 text (21-065r2) to the house's expressions.

The library is Lark, as for ``$filter`` (decision 5): linear in the text, with positions in its errors. What an
expression means is told by :mod:`allmende.domain.sifting`.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any, Literal, cast

import numpy as np
import shapely
from lark import Lark, Token, Transformer
from lark.exceptions import UnexpectedEOF, UnexpectedInput, UnexpectedToken
from shapely.errors import ShapelyError

from allmende.domain import times
from allmende.domain.errors import InvalidInput, InvalidQuery, LimitExceeded
from allmende.domain.query import Arithmetic, Call, Compare, Expression, In, Logic, Negate, Not, Path, Value
from allmende.domain.sifting import GEOMETRY, SPATIAL, TEMPORAL
from allmende.faces.ogc.crs import Crs, to_degrees

MAX_DEPTH = 20
"""Expressions within expressions."""
OPTION = "filter"
_OPERATORS: Mapping[str, Literal["eq", "ne", "gt", "ge", "lt", "le"]] = MappingProxyType(
    {"=": "eq", "<>": "ne", ">": "gt", ">=": "ge", "<": "lt", "<=": "le"}
)
_SUMS: Mapping[str, Literal["add", "sub", "mul", "div", "mod", "quotient", "power"]] = MappingProxyType(
    {"+": "add", "-": "sub", "*": "mul", "/": "div", "%": "mod", "div": "quotient", "^": "power"}
)
_TEXTS = ("casei", "accenti")


class _Builder(Transformer[Token, Any]):
    """Lark's tree to expressions."""

    def start(self, items: list[Any]) -> Expression:
        return _condition(items[0])

    def disjunction(self, items: list[Any]) -> Expression:
        return _logic("or", items)

    def conjunction(self, items: list[Any]) -> Expression:
        return _logic("and", items)

    def negation(self, items: list[Any]) -> Expression:
        return Not(_condition(items[1]), items[0].start_pos or 0)

    def bracketed(self, items: list[Any]) -> Expression:
        return cast(Expression, items[0])

    def compare(self, items: list[Any]) -> Expression:
        left, operator, right = items
        return Compare(_OPERATORS[str(operator)], left, right, operator.start_pos or 0)

    def like(self, items: list[Any]) -> Expression:
        item, no, pattern = items
        bare = pattern
        while isinstance(bare, Call) and bare.name in _TEXTS:
            bare = bare.arguments[0]
        if not isinstance(bare, Value) or bare.kind != "string":
            raise InvalidQuery("LIKE takes a pattern in single quotes", where=str(pattern.at))
        return _maybe(no, Call("like", (item, pattern), item.at))

    def between(self, items: list[Any]) -> Expression:
        item, no, low, high = items
        both = Logic("and", (Compare("ge", item, low, item.at), Compare("le", item, high, item.at)), item.at)
        return _maybe(no, both)

    def among(self, items: list[Any]) -> Expression:
        item, no, *choices = items
        return _maybe(no, In(item, tuple(choices), item.at))

    def is_null(self, items: list[Any]) -> Expression:
        item, no = items
        return _maybe(no, Compare("eq", item, Value(None, "null", item.at), item.at))

    def arithmetic(self, items: list[Any]) -> Expression:
        left, operator, right = items
        return Arithmetic(_SUMS[str(operator).lower()], left, right, operator.start_pos or 0)

    def negative(self, items: list[Any]) -> Expression:
        return Negate(items[0], items[0].at)

    def call(self, items: list[Any]) -> Expression:
        name, *arguments = items
        at = name.start_pos or 0
        word = str(name).lower()
        build = _CALLS.get(word) or _CALLS.get(word[:2])
        if build is None:
            raise InvalidQuery(f"there is no function {str(name)[:40]}()", where=str(at))
        return build(word, arguments, at)

    def number(self, items: list[Any]) -> Expression:
        return Value(float(items[0]), "number", items[0].start_pos or 0)

    def string(self, items: list[Any]) -> Expression:
        return Value(str(items[0])[1:-1].replace("''", "'"), "string", items[0].start_pos or 0)

    def boolean(self, items: list[Any]) -> Expression:
        return Value(items[0].type == "TRUE", "boolean", items[0].start_pos or 0)

    def property(self, items: list[Any]) -> Expression:
        return Path((str(items[0]),), items[0].start_pos or 0)

    def quoted(self, items: list[Any]) -> Expression:
        return Path((str(items[0])[1:-1],), items[0].start_pos or 0)

    def geometry(self, items: list[Any]) -> Expression:
        text, at = items[0]
        try:
            with np.errstate(over="ignore"):
                shape = shapely.from_wkt(text)
        except ShapelyError as error:
            raise InvalidQuery(f"this is no geometry: {str(error)[:100]}", where=str(at)) from None
        if not np.isfinite(shapely.get_coordinates(shape)).all():
            raise InvalidQuery("a coordinate is too large", where=str(at))
        return Value(text, "geometry", at)

    def wkt(self, items: list[Any]) -> tuple[str, int]:
        shape, coordinates = items
        return f"{shape}{coordinates}", shape.start_pos or 0

    def coordinates(self, items: list[Any]) -> str:
        return f"({','.join(items)})"

    def position(self, items: list[Any]) -> str:
        return " ".join(item[0] if isinstance(item, tuple) else str(item) for item in items)

    def minus(self, items: list[Any]) -> str:
        return f"-{items[0]}"


def _logic(op: Literal["and", "or"], items: list[Any]) -> Expression:
    if len(items) == 1:
        return cast(Expression, items[0])
    return Logic(op, tuple(_condition(item) for item in items), items[0].at)


def _maybe(no: Token | None, node: Expression) -> Expression:
    return node if no is None else Not(node, getattr(node, "at", 0))


def _condition(node: Any) -> Expression:
    """Refuse what is neither true nor false. A property may be."""
    if isinstance(node, Value) and node.kind != "boolean":
        raise InvalidQuery("a condition is wanted here", where=str(node.at))
    if isinstance(node, Arithmetic | Negate) or (isinstance(node, Call) and node.name in ("interval", *_TEXTS)):
        raise InvalidQuery("a condition is wanted here", where=str(node.at))
    return cast(Expression, node)


def _expect(word: str, arguments: list[Any], many: int, at: int) -> None:
    if len(arguments) != many:
        raise InvalidQuery(f"{word}() takes {many} arguments, not {len(arguments)}", where=str(at))


def _text(word: str, arguments: list[Any], at: int) -> Expression:
    _expect(word, arguments, 1, at)
    return Call(word, tuple(arguments), at)


def _spatial(word: str, arguments: list[Any], at: int) -> Expression:
    name = f"st_{word[2:]}"
    if name not in SPATIAL:
        raise InvalidQuery(f"there is no function {word}()", where=str(at))
    _expect(word, arguments, 2, at)
    for argument in arguments:
        known = isinstance(argument, Value) and argument.kind == "geometry"
        if not known and argument != Path((GEOMETRY,), getattr(argument, "at", 0)):
            raise InvalidQuery(f"{word}() takes geometries: {GEOMETRY}, or one in WKT", where=str(argument.at))
    return Call(name, tuple(arguments), at)


def _temporal(word: str, arguments: list[Any], at: int) -> Expression:
    if word not in TEMPORAL:
        raise InvalidQuery(f"there is no function {word}()", where=str(at))
    _expect(word, arguments, 2, at)
    return Call(word, tuple(arguments), at)


def _moment(word: str, arguments: list[Any], at: int) -> Expression:
    _expect(word, arguments, 1, at)
    return _literal_time(arguments[0], at)


def _literal_time(node: Any, at: int) -> Expression:
    if not isinstance(node, Value) or node.kind != "string":
        raise InvalidQuery("a time stands in single quotes here", where=str(at))
    text = str(node.value)
    try:
        if len(text) == 10:
            start = times.parse_instant(f"{text}T00:00:00Z")
            return Value(times.Interval(start, start + times.DAY - 1), "interval", at)
        return Value(times.parse_instant(text), "instant", at)
    except InvalidInput as error:
        raise InvalidQuery(error.message, where=str(at)) from None


def _interval(word: str, arguments: list[Any], at: int) -> Expression:
    _expect(word, arguments, 2, at)
    ends: list[Expression] = []
    for argument, open_end in zip(arguments, (times.EARLIEST, times.LATEST), strict=True):
        if isinstance(argument, Path):
            ends.append(argument)
        elif isinstance(argument, Value) and argument.value == "..":
            ends.append(Value(open_end, "instant", at))
        else:
            ends.append(_literal_time(argument, at))
    return Call("interval", tuple(ends), at)


def _box(word: str, arguments: list[Any], at: int) -> Expression:
    numbers = [_number(argument, at) for argument in arguments]
    if len(numbers) not in (4, 6):
        raise InvalidQuery("bbox() takes four numbers, or six with heights", where=str(at))
    left, low, right, high = numbers if len(numbers) == 4 else (*numbers[:2], *numbers[3:5])
    return Value(shapely.box(left, low, right, high).wkt, "geometry", at)


_CALLS: Mapping[str, Callable[[str, list[Any], int], Expression]] = MappingProxyType(
    {
        **dict.fromkeys(_TEXTS, _text),
        **dict.fromkeys(("date", "timestamp"), _moment),
        "interval": _interval,
        "bbox": _box,
        "s_": _spatial,
        "t_": _temporal,
    }
)
"""By name, or by its first two signs."""


def _number(node: Any, at: int) -> float:
    if isinstance(node, Negate):
        return -_number(node.item, at)
    if not isinstance(node, Value) or node.kind != "number":
        raise InvalidQuery("bbox() takes numbers", where=str(at))
    return float(node.value)


@lru_cache(maxsize=1)
def _parser() -> Lark:
    grammar = files(__package__).joinpath("cql.lark").read_text("utf-8")
    # The transformer runs while the text is read, so that no depth of a tree becomes a depth of calls.
    return Lark(grammar, parser="lalr", maybe_placeholders=True, transformer=_Builder())


@lru_cache(maxsize=512)
def parse_cql(text: str, system: Crs, *, max_length: int, max_cost: int) -> Expression:
    """The expression of a filter whose geometries are in a system; raises InvalidQuery that says where in the text."""
    if len(text) > max_length:
        raise LimitExceeded(f"it has {len(text)} characters", setting="ALLMENDE_FILTER_LENGTH", where=OPTION)
    try:
        found = cast(Expression, _parser().parse(text))
    except UnexpectedInput as error:
        raise _explain(error, text) from None
    except InvalidQuery as error:
        raise InvalidQuery(error.message, where=f"{OPTION}, character {int(error.where or 0) + 1}") from None
    _check_cost(found, max_cost)
    return cast(Expression, _in_degrees(found, system))


def properties(node: Any) -> set[str]:
    """The names of all properties that an expression reads."""
    if isinstance(node, Path):
        return {str(node.parts[0])}
    if isinstance(node, tuple):
        return {name for item in node for name in properties(item)}
    if isinstance(node, Expression):
        return {name for field in node.__struct_fields__ for name in properties(getattr(node, field))}
    return set()


def _explain(error: UnexpectedInput, text: str) -> InvalidQuery:
    if isinstance(error, UnexpectedEOF) or (isinstance(error, UnexpectedToken) and error.token.type == "$END"):
        return InvalidQuery(f"the text ends too early: {text[-30:]!r}", where=OPTION)
    at = error.pos_in_stream or 0
    return InvalidQuery(f"{text[at : at + 20]!r} cannot stand here", where=f"{OPTION}, character {at + 1}")


def _check_cost(node: Expression, most: int) -> None:
    """Refuse what is too deep, and what would be too much work: one for each expression, ten for those of places."""
    level, cost = [node], 0
    for _ in range(MAX_DEPTH):
        cost += sum(10 if isinstance(each, Call) and each.name in SPATIAL else 1 for each in level)
        if cost > most:
            raise LimitExceeded(f"it costs more than {most}", setting="ALLMENDE_FILTER_COST", where=OPTION)
        fields = [getattr(each, name) for each in level for name in each.__struct_fields__]
        inner = [item for field in fields for item in (field if isinstance(field, tuple) else (field,))]
        level = [item for item in inner if isinstance(item, Expression)]
        if not level:
            return
    raise InvalidQuery(f"more than {MAX_DEPTH} expressions within each other", where=OPTION)


def _in_degrees(node: Any, system: Crs) -> Any:
    """The expression with its geometries as longitude and latitude."""
    if isinstance(node, Value):
        if node.kind != "geometry" or (system.code == 4326 and not system.swapped):
            return node
        moved = shapely.transform(shapely.segmentize(shapely.from_wkt(node.value), _step(system)), to_degrees(system))
        return Value(moved.wkt, "geometry", node.at)
    if isinstance(node, tuple):
        return tuple(_in_degrees(item, system) for item in node)
    if isinstance(node, Expression):
        return type(node)(*(_in_degrees(getattr(node, field), system) for field in node.__struct_fields__))
    return node


def _step(system: Crs) -> float:
    """Straight lines of another system are bent in degrees; no stretch of theirs is longer than this."""
    return 360.0 if system.code == 4326 else 10_000.0

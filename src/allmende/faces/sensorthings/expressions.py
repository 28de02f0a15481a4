"""Text of $filter, $orderby and $apply to the house's expressions.

The library is Lark: one LALR grammar for the whole of the standard, linear in the text, with positions in its errors.
(odata-query was looked at: it knows OData's names, not the temporal and spatial functions of SensorThings.)
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any, Literal, cast

import msgspec
from lark import Lark, Token, Transformer, v_args
from lark.exceptions import UnexpectedCharacters, UnexpectedEOF, UnexpectedInput, UnexpectedToken

from allmende.domain import times
from allmende.domain.aggregation import Group, Measure, Method
from allmende.domain.errors import InvalidInput, InvalidQuery, LimitExceeded
from allmende.domain.query import (
    Arithmetic,
    Call,
    Compare,
    Expression,
    In,
    Logic,
    Negate,
    Not,
    Order,
    Path,
    Value,
)

MAX_DEPTH = 20
"""Expressions within expressions; engines bound it too (SQLite's parser holds 100 symbols)."""
MAX_KEYS = 10
"""Keys of one order: a page's start is compared with each of them."""

_EXPECTED = {"COMPARE": "eq, ne, gt, ge, lt, le", "RPAR": ")", "$END": "the end", "NAME": "a property"}


class Applied(msgspec.Struct, frozen=True):
    """What ``$apply`` says: the conditions of its ``filter``, and what it groups by and sums up."""

    where: Expression | None
    groups: tuple[Group, ...]
    measures: tuple[Measure, ...]


class _Builder(Transformer[Token, Any]):
    """Lark's tree to expressions."""

    def disjunction(self, items: list[Any]) -> Expression:
        return cast(Expression, items[0]) if len(items) == 1 else Logic("or", tuple(items), items[0].at)

    def conjunction(self, items: list[Any]) -> Expression:
        return cast(Expression, items[0]) if len(items) == 1 else Logic("and", tuple(items), items[0].at)

    def negation(self, items: list[Any]) -> Expression:
        return Not(items[0], items[0].at)

    def compare(self, items: list[Any]) -> Expression:
        left, operator, right = items
        return Compare(cast(Literal["eq"], str(operator)), left, right, operator.start_pos or 0)

    def one_of(self, items: list[Any]) -> Expression:
        item, *choices = items
        return In(item, tuple(c for c in choices if c is not None), item.at)

    def member_of(self, items: list[Any]) -> Expression:
        return In(items[0], items[1], items[0].at)

    def arithmetic(self, items: list[Any]) -> Expression:
        left, operator, right = items
        return Arithmetic(cast(Literal["add"], str(operator)), left, right, operator.start_pos or 0)

    def negative(self, items: list[Any]) -> Expression:
        return Negate(items[0], items[0].at)

    def call(self, items: list[Any]) -> Expression:
        name, *arguments = items
        return Call(str(name), tuple(a for a in arguments if a is not None), name.start_pos or 0)

    def place(self, items: list[Any]) -> int:
        return int(items[0])

    def path(self, items: list[Any]) -> Expression:
        start = items[0].start_pos or 0
        inner = items.pop() if isinstance(items[-1], tuple) else None
        path = Path(tuple(i if isinstance(i, int) else str(i) for i in items), start)
        return path if inner is None else Call("any", (path, *inner), start)

    def any(self, items: list[Any]) -> tuple[Expression, ...]:
        if not items:
            return ()
        variable, condition = items
        return Path((str(variable),), variable.start_pos or 0), condition

    def ordering(self, items: list[Any]) -> tuple[Order, ...]:
        return tuple(items)

    def key(self, items: list[Any]) -> Order:
        expression, *direction = items
        return Order(expression, bool(direction) and direction[0] == "desc")

    def condition(self, items: list[Any]) -> Expression:
        return cast(Expression, items[0])

    def group(self, items: list[Any]) -> Group:
        expression, *alias = items
        if alias:
            return Group(expression, (_alias(alias[0]),))
        if not isinstance(expression, Path) or not all(isinstance(part, str) for part in expression.parts):
            raise InvalidQuery("this needs a name: … as name", where=str(expression.at))
        return Group(expression, cast(tuple[str, ...], expression.parts))

    def measure(self, items: list[Any]) -> Measure:
        if len(items) == 2:
            return Measure(method="rows", name=_alias(items[1]), at=items[0].start_pos or 0)
        expression, word, alias = items
        method, fraction = _method(word)
        return Measure(method=method, name=_alias(alias), expression=expression, fraction=fraction, at=expression.at)

    def aggregation(self, items: list[Any]) -> tuple[Measure, ...]:
        return tuple(items)

    def grouping(self, items: list[Any]) -> Applied:
        groups = tuple(item for item in items if isinstance(item, Group))
        measures = items[-1] if isinstance(items[-1], tuple) else ()
        return Applied(None, groups, measures)

    def apply(self, items: list[Any]) -> Applied:
        *conditions, last = items
        applied = Applied(None, (), last) if isinstance(last, tuple) else last
        where = conditions[0] if len(conditions) == 1 else Logic("and", tuple(conditions)) if conditions else None
        return msgspec.structs.replace(applied, where=where)

    @v_args(inline=True)
    def number(self, token: Token) -> Expression:
        text = str(token)
        value: Any = int(text) if token.type == "INTEGER" else float(text)
        if isinstance(value, int) and not -(2**63) <= value < 2**63:
            raise InvalidQuery("a whole number of more than 64 bits", where=str(token.start_pos))
        return Value(value, "number", token.start_pos or 0)

    @v_args(inline=True)
    def string(self, token: Token) -> Expression:
        return Value(str(token)[1:-1].replace("''", "'"), "string", token.start_pos or 0)

    @v_args(inline=True)
    def instant(self, token: Token) -> Expression:
        return Value(_instant(str(token), token), "instant", token.start_pos or 0)

    @v_args(inline=True)
    def interval(self, token: Token) -> Expression:
        first, second = (side if side.startswith("P") else _with_offset(side) for side in str(token).split("/"))
        try:
            span = times.parse_interval(f"{first}/{second}")
        except InvalidInput as error:
            raise InvalidQuery(error.message, where=str(token.start_pos)) from None
        return Value(span, "interval", token.start_pos or 0)

    @v_args(inline=True)
    def date(self, token: Token) -> Expression:
        return Value(_instant(f"{token}T00:00:00Z", token), "instant", token.start_pos or 0)

    @v_args(inline=True)
    def clock(self, token: Token) -> Expression:
        return Value(str(token), "string", token.start_pos or 0)

    @v_args(inline=True)
    def duration(self, token: Token) -> Expression:
        text = str(token)[9:-1]
        try:
            months = times.parse_months(text)
            if months is not None:
                return Value(months, "months", token.start_pos or 0)
            return Value(times.parse_duration(text), "duration", token.start_pos or 0)
        except InvalidInput as error:
            raise InvalidQuery(error.message, where=str(token.start_pos)) from None

    @v_args(inline=True)
    def geometry(self, token: Token) -> Expression:
        return Value(str(token).split("'")[1], "geometry", token.start_pos or 0)

    @v_args(inline=True)
    def true(self, token: Token) -> Expression:
        return Value(True, "boolean", token.start_pos or 0)

    @v_args(inline=True)
    def false(self, token: Token) -> Expression:
        return Value(False, "boolean", token.start_pos or 0)

    @v_args(inline=True)
    def null(self, token: Token) -> Expression:
        return Value(None, "null", token.start_pos or 0)


_WORDS = re.compile(r"--|'(?:[^']|'')*'|[(\[]|[^\s()\[\],/']+")
_ALIAS = re.compile(r"[A-Za-z_]\w{0,127}\Z", re.ASCII)
_PERCENTILE = re.compile(r"allmende\.percentile(\d{1,2}(?:_\d{1,6})?|100)\Z", re.ASCII)
_METHODS: Mapping[str, Method] = MappingProxyType(
    {
        "sum": "sum",
        "min": "min",
        "max": "max",
        "average": "average",
        "countdistinct": "countdistinct",
        "allmende.count": "count",
    }
)


def _alias(token: Token) -> str:
    if not _ALIAS.match(token):
        raise InvalidQuery(f"{str(token)!r} is no name for a column: letters, digits and _", where=str(token.start_pos))
    return str(token)


def _method(token: Token) -> tuple[Method, float]:
    """OData's methods; those of the house stand in a namespace of their own, as OData has it."""
    match = _PERCENTILE.match(token)
    if match:
        return "percentile", float(match[1].replace("_", ".")) / 100
    method = _METHODS.get(str(token))
    if method is None:
        known = ", ".join([*_METHODS, "allmende.percentile95"])
        raise InvalidQuery(f"{str(token)!r} is no method; there are {known}", where=str(token.start_pos))
    return method, 0.0


def _with_offset(text: str) -> str:
    # A plus sign that a client forgot to encode arrives as a space; inside of a time it can mean nothing else.
    text = text.replace(" ", "+")
    return text if text[-1] == "Z" or "+" in text or "-" in text[11:] else f"{text}Z"


def _instant(text: str, token: Token) -> int:
    try:
        return times.parse_instant(_with_offset(text))
    except InvalidInput as error:
        raise InvalidQuery(error.message, where=str(token.start_pos)) from None


@lru_cache(maxsize=1)
def _parser() -> Lark:
    grammar = files(__package__).joinpath("grammar.lark").read_text("utf-8")
    # The transformer runs while the text is read, so that no depth of a tree becomes a depth of calls.
    return Lark(
        grammar, parser="lalr", maybe_placeholders=False, transformer=_Builder(), start=["start", "ordering", "apply"]
    )


@lru_cache(maxsize=512)
def parse_filter(text: str, *, max_length: int, max_cost: int = 1000, option: str = "$filter") -> Expression:
    """The expression of a filter; raises InvalidQuery that says where in the text."""
    expression = cast(Expression, _parse(text, "start", max_length, max_cost, option))
    _check_cost([expression], max_cost, option)
    return expression


@lru_cache(maxsize=512)
def parse_order(text: str, *, max_length: int, max_cost: int = 1000) -> tuple[Order, ...]:
    """``name desc,Thing/name`` to sort keys."""
    orders = cast(tuple[Order, ...], _parse(text, "ordering", max_length, max_cost, "$orderby"))
    if len(orders) > MAX_KEYS:
        raise InvalidQuery(f"more than {MAX_KEYS} keys", where="$orderby")
    _check_cost([order.path for order in orders], max_cost, "$orderby")
    return orders


@lru_cache(maxsize=512)
def parse_apply(text: str, *, max_length: int, max_cost: int = 1000) -> Applied:
    """The transformations of ``$apply``: filters, then a grouping or an aggregation."""
    applied = cast(Applied, _parse(text, "apply", max_length, max_cost, "$apply"))
    found = [applied.where, *(g.expression for g in applied.groups), *(m.expression for m in applied.measures)]
    _check_cost([node for node in found if node is not None], max_cost, "$apply", len(applied.measures))
    return applied


def _parse(text: str, start: str, max_length: int, max_cost: int, option: str) -> Any:
    check_size(text, max_length, option)
    # An expression has four words at most (`result with max as m` has the most); so much is not even parsed.
    words = 4 * max_cost
    if len(text) > words and len(_WORDS.findall(text)) > words:
        raise _too_costly(max_cost, option)
    try:
        return _parser().parse(text, start=start)
    except UnexpectedInput as error:
        raise _explain(error, text, option) from None
    except InvalidQuery as error:
        at = int(error.where or 0)
        raise InvalidQuery(error.message, where=f"{option}, character {at + 1}") from None


def check_size(text: str, max_length: int, option: str) -> None:
    """Refuse what is too long before anything looks into it."""
    if len(text) > max_length:
        raise LimitExceeded(f"it has {len(text)} characters", setting="ALLMENDE_FILTER_LENGTH", where=option)


def _check_cost(expressions: list[Expression], max_cost: int, option: str, cost: int = 0) -> None:
    """Refuse what is too deep, and what would be too much work to compile and to plan; ``cost`` is that of the rest."""
    level: list[Any] = expressions
    for _ in range(MAX_DEPTH):
        cost += sum(map(_cost, level))
        if cost > max_cost:
            raise _too_costly(max_cost, option)
        fields = [getattr(node, name) for node in level for name in node.__struct_fields__]
        inner = [node for field in fields for node in (field if isinstance(field, tuple) else (field,))]
        level = [node for node in inner if isinstance(node, Expression)]
        if not level:
            return
    at = getattr(level[0], "at", 0) + 1
    raise InvalidQuery(f"more than {MAX_DEPTH} expressions within each other", where=f"{option}, character {at}")


def _too_costly(max_cost: int, option: str) -> LimitExceeded:
    return LimitExceeded(f"it costs more than {max_cost}", setting="ALLMENDE_FILTER_COST", where=option)


def _cost(node: Expression) -> int:
    """One for each expression, one for each step of a path, ten for what asks of many or of places."""
    if isinstance(node, Path):
        return len(node.parts)
    return 10 if isinstance(node, Call) and (node.name == "any" or node.name[:3] in ("st_", "geo")) else 1


def _explain(error: UnexpectedInput, text: str, option: str) -> InvalidQuery:
    if isinstance(error, UnexpectedEOF) or (isinstance(error, UnexpectedToken) and error.token.type == "$END"):
        return InvalidQuery(f"the text ends too early: {text[-30:]!r}", where=option)
    at = error.pos_in_stream or 0
    wanted = error.accepts if isinstance(error, UnexpectedToken) else getattr(error, "allowed", None)
    hint = ""
    if wanted and isinstance(error, UnexpectedToken | UnexpectedCharacters):
        words = sorted({_EXPECTED[w] for w in wanted if w in _EXPECTED})
        hint = f"; there could be {' or '.join(words)}" if words else ""
    return InvalidQuery(f"{text[at : at + 20]!r} cannot stand here{hint}", where=f"{option}, character {at + 1}")

"""The language of rules: text to a tree, checked for its types.

Expressions are pure and bounded in length, depth and size. A value is a number, a text, a truth value, or missing; a
sample is several of them with their times (the readings of a window, the sites of an area). What is missing stays
missing on its way through operators and functions: it never turns into a zero. Lark parses (one LALR grammar, linear
in the text, with positions in its errors).
"""

from functools import lru_cache
from importlib.resources import files
from typing import Any, Literal, NamedTuple

import msgspec
from lark import Lark, Token, Transformer
from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken, VisitError

from allmende.domain.errors import InvalidInput

MAX_LENGTH = 4_000
MAX_DEPTH = 40
MAX_NODES = 500

Type = Literal["number", "text", "truth", "missing"]
Scalar = bool | int | float | str | None


class RuleError(InvalidInput):
    """An expression that cannot be understood; ``line`` and ``column`` begin with 1."""

    def __init__(self, message: str, *, line: int = 1, column: int = 1, **arguments: object) -> None:
        super().__init__(message, where=f"line {line}, column {column}", **arguments)
        self.line = line
        self.column = column


class Kind(NamedTuple):
    """What a node gives. ``base`` names the input whose readings a sample goes along; None: one value."""

    type: Type
    base: str | None = None


class Place(NamedTuple):
    """Where in the text a node stands, from 1."""

    line: int = 1
    column: int = 1


class Constant(msgspec.Struct, frozen=True):
    """A literal."""

    value: Scalar
    at: Place
    depth: int = 1
    size: int = 1


class Name(msgspec.Struct, frozen=True):
    """An input, a parameter or a step by its name."""

    name: str
    at: Place
    depth: int = 1
    size: int = 1


class Apply(msgspec.Struct, frozen=True):
    """A function or operator on arguments."""

    function: str
    arguments: tuple["Node", ...]
    at: Place
    depth: int = 1
    size: int = 1


Node = Constant | Name | Apply


def _place(token: Token) -> Place:
    return Place(token.line or 1, token.column or 1)


def _apply(function: str, arguments: list[Node], at: Place) -> Apply:
    depth = 1 + max((a.depth for a in arguments), default=0)
    size = 1 + sum(a.size for a in arguments)
    if depth > MAX_DEPTH:
        raise RuleError(
            "more than %(max_depth)s expressions within each other", line=at.line, column=at.column, max_depth=MAX_DEPTH
        )
    if size > MAX_NODES:
        raise RuleError(
            "more than %(max_nodes)s parts; divide it into steps", line=at.line, column=at.column, max_nodes=MAX_NODES
        )
    return Apply(function, tuple(arguments), at, depth, size)


class _Builder(Transformer[Token, Any]):
    """Lark's reductions to nodes."""

    def number(self, items: list[Any]) -> Node:
        text = str(items[0])
        value: Scalar = int(text) if text.isdigit() and len(text) < 19 else float(text)
        return Constant(value, _place(items[0]))

    def text(self, items: list[Any]) -> Node:
        return Constant(str(items[0])[1:-1], _place(items[0]))

    def word(self, items: list[Any]) -> Node:
        return Constant({"true": True, "false": False}.get(str(items[0])), _place(items[0]))

    def name(self, items: list[Any]) -> Node:
        return Name(str(items[0]), _place(items[0]))

    def call(self, items: list[Any]) -> Node:
        name, *arguments = items
        return _apply(str(name), [a for a in arguments if a is not None], _place(name))

    def apply_operator(self, items: list[Any]) -> Node:
        left, operator, right = items
        return _apply(str(operator), [left, right], _place(operator))

    def apply_sign(self, items: list[Any]) -> Node:
        sign, item = items
        if sign == "+":
            return _apply("identity", [item], _place(sign))
        return _apply("negate" if sign == "-" else "not", [item], _place(sign))

    def one_of(self, items: list[Any]) -> Node:
        return _apply("in", items, items[0].at)

    def conjunction(self, items: list[Any]) -> Node:
        return _apply("and", items, items[0].at)

    def disjunction(self, items: list[Any]) -> Node:
        return _apply("or", items, items[0].at)

    def conditional(self, items: list[Any]) -> Node:
        return _apply("case", items, items[0].at)


_TERMS = {
    "$END": "the end",
    "NAME": "a name",
    "NUMBER": "a number",
    "TEXT": "a text",
    "COMPARE": "a comparison",
    "SIGN": "+ or -",
    "TIMES": "*, / or %",
    "POWER": "^",
    "LPAR": "(",
    "RPAR": ")",
    "COMMA": ",",
    "WORD": "true, false or missing",
}


@lru_cache(maxsize=1)
def _parser() -> Lark:
    grammar = files(__package__ or "").joinpath("language.lark").read_text(encoding="utf-8")
    return Lark(grammar, parser="lalr", transformer=_Builder(), propagate_positions=False, cache=False)


def parse(text: str) -> Node:
    """The tree of an expression. Raises RuleError with line and column."""
    if len(text) > MAX_LENGTH:
        raise RuleError("longer than %(max_length)s characters; divide it into steps", max_length=MAX_LENGTH)
    try:
        node: Node = _parser().parse(text)  # type: ignore[assignment]  # what the builder makes of its tree
    except VisitError as error:
        if isinstance(error.orig_exc, RuleError):
            raise error.orig_exc from None
        raise
    except UnexpectedInput as error:
        raise _explain(error, text) from None
    return node


def _explain(error: UnexpectedInput, text: str) -> RuleError:
    if isinstance(error, UnexpectedCharacters):
        return RuleError("%(char)s has no meaning here", line=error.line, column=error.column, char=repr(error.char))
    if isinstance(error, UnexpectedToken) and error.token.type != "$END":
        wanted = sorted(_TERMS.get(term, term.lower()) for term in error.expected)
        line, column = max(error.line, 1), max(error.column, 1)
        return RuleError(
            "%(error)s does not fit; it could be %(wanted)s",
            line=line,
            column=column,
            error=repr(str(error.token)),
            wanted=", ".join(wanted),
        )
    lines = text.split("\n")
    return RuleError("it ends too early", line=len(lines), column=len(lines[-1]) + 1)


def names(node: Node) -> dict[str, Place]:
    """The names that a tree speaks of, each with its first place."""
    if isinstance(node, Name):
        return {node.name: node.at}
    found: dict[str, Place] = {}
    if isinstance(node, Apply):
        for argument in node.arguments:
            for name, at in names(argument).items():
                found.setdefault(name, at)
    return found


def kind_of(value: Scalar) -> Kind:
    """The kind of one value."""
    if value is None:
        return Kind("missing")
    if isinstance(value, bool):
        return Kind("truth")
    return Kind("text" if isinstance(value, str) else "number")

"""What an answer may tell of besides its rows: conditions and orders that look into other entities."""

from collections.abc import Iterator
from functools import singledispatch
from typing import Any

from allmende.domain.aggregation import Aggregation
from allmende.domain.model import ENTITIES, STREAMS
from allmende.domain.query import (
    Arithmetic,
    Call,
    Compare,
    Expression,
    In,
    Logic,
    Negate,
    Not,
    Path,
    Query,
)


def looks_elsewhere(asked: Query | Aggregation) -> bool:
    """Whether which rows there are, their order or their sums hang on entities that are not in the answer.

    An observation's own stream is not elsewhere: both are of one dataset.
    """
    if isinstance(asked, Aggregation):
        entity = asked.source.entity
        parts = [
            *(each.expression for each in asked.groups),
            asked.where,
            *(each.expression for each in asked.measures),
        ]
        return looks_elsewhere(asked.source) or any(_leads(entity, part) for part in parts if part is not None)
    parts = [asked.filter, *(order.path for order in asked.order)]
    return any(_leads(asked.entity, part) for part in parts if part is not None) or any(
        looks_elsewhere(each.query) for each in asked.expand
    )


def _leads(entity: str, expression: Expression) -> bool:
    relations = {relation.name for relation in ENTITIES[entity].relations}
    for path in _paths(expression):
        first, then = str(path.parts[0]), path.parts[1:2]
        if first not in relations:
            continue
        own_stream = entity == "Observation" and first in STREAMS
        if not own_stream or any(relation.name == str(part) for part in then for relation in ENTITIES[first].relations):
            return True
    return False


def _paths(expression: Expression) -> Iterator[Path]:
    if isinstance(expression, Path):
        yield expression
    for part in _parts(expression):
        yield from _paths(part)


@singledispatch
def _parts(expression: Any) -> tuple[Expression, ...]:
    return ()


@_parts.register
def _(expression: Compare) -> tuple[Expression, ...]:
    return expression.left, expression.right


@_parts.register
def _(expression: Arithmetic) -> tuple[Expression, ...]:
    return expression.left, expression.right


@_parts.register
def _(expression: Logic) -> tuple[Expression, ...]:
    return expression.items


@_parts.register
def _(expression: Not) -> tuple[Expression, ...]:
    return (expression.item,)


@_parts.register
def _(expression: Negate) -> tuple[Expression, ...]:
    return (expression.item,)


@_parts.register
def _(expression: In) -> tuple[Expression, ...]:
    choices = expression.choices
    return (expression.item, choices) if isinstance(choices, Path) else (expression.item, *choices)


@_parts.register
def _(expression: Call) -> tuple[Expression, ...]:
    return expression.arguments

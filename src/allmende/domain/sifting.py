"""Which features a question leads to, told exactly: the same on every engine, with PostGIS and without it.

What an engine's index finds is more than what was asked for; here it is looked at one by one.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import msgspec

from allmende.domain.features import FeatureQuery, KeptFeature, meets

Sieve = Callable[[KeptFeature], bool]


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

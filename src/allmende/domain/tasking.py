"""What a TaskingCapability takes (17-079r1, 8.2.1), and whether a Task keeps to it.

A description is a DataRecord of SWE Common (08-094r1) as JSON: ``{"type": "DataRecord", "field": [{"name": "colour",
"type": "Text", "constraint": {"type": "AllowedTokens", "pattern": "#[0-9a-f]{6}"}}]}``. A task gives a value for each
field by its name, ``{"colour": "#ff0000"}``; fields with ``"optional": true`` may be left out. Patterns are RE2's (no
text keeps it busy for long) and hold for the whole text.
"""

from collections.abc import Callable, Mapping
from typing import Any

import re2

from allmende.domain import times
from allmende.domain.errors import Forbidden, InvalidInput

READ_ONLY_KINDS = frozenset({"traffic-signals"})
"""Kinds of things that nobody can be tasked through: of traffic signals the house only reads. It is no setting."""

_DEPTH = 8
"""Records within records."""
_PATTERN = 1000
"""Characters of a pattern."""


def check_steerable(properties: Mapping[str, Any], where: str) -> None:
    """Raise Forbidden for a thing, by its properties, of a kind that is only read."""
    kind = properties.get("kind")
    if isinstance(kind, str) and kind in READ_ONLY_KINDS:
        raise Forbidden(f"a thing of the kind {kind} is only read here; it takes no tasks", where=where)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_time(value: Any) -> bool:
    if not isinstance(value, str):
        return False
    try:
        times.parse_instant(value)
    except InvalidInput:
        return False
    return True


_SCALARS: Mapping[str, tuple[Callable[[Any], bool], str, str]] = {
    "Count": (_is_count, "a whole number", "AllowedValues"),
    "Quantity": (_is_number, "a number", "AllowedValues"),
    "Text": (_is_text, "a text", "AllowedTokens"),
    "Category": (_is_text, "a text", "AllowedTokens"),
    "Boolean": (lambda value: isinstance(value, bool), "true or false", ""),
    "Time": (_is_time, "a time such as 2024-04-30T23:45:02Z", "AllowedTimes"),
}
"""By type: what a value is, in words, and which constraint it may have."""
_RANGES = {"CountRange": "Count", "QuantityRange": "Quantity", "CategoryRange": "Category", "TimeRange": "Time"}
"""Two values in a list."""
_TYPES = ", ".join([*_SCALARS, *_RANGES, "DataRecord"])


def check_description(record: Any, where: str, depth: int = 0) -> None:
    """Raise InvalidInput, with its place, for what is no description that tasks can be checked against."""
    if not isinstance(record, dict) or record.get("type") != "DataRecord":
        raise InvalidInput('a DataRecord is asked for: {"type": "DataRecord", "field": […]}', where=where)
    if depth > _DEPTH:
        raise InvalidInput(f"more than {_DEPTH} records within each other", where=where)
    key, fields = _fields(record)
    if not isinstance(fields, list):
        raise InvalidInput("a list of fields is asked for", where=f"{where}.{key}")
    seen = set()
    for number, field in enumerate(fields):
        place = f"{where}.{key}[{number}]"
        if not isinstance(field, dict) or not isinstance(field.get("name"), str) or not field["name"]:
            raise InvalidInput("a field has a name", where=place)
        if field["name"] in seen:
            raise InvalidInput(f"there are two fields {field['name']!r}", where=place)
        seen.add(field["name"])
        _check_field(field, place, depth)


def _fields(record: Mapping[str, Any]) -> tuple[str, Any]:
    """SWE Common's JSON says ``field``, its newer encoding ``fields``."""
    key = "fields" if "fields" in record else "field"
    return key, record.get(key)


def _check_field(field: Mapping[str, Any], where: str, depth: int) -> None:
    kind = field.get("type")
    if kind == "DataRecord":
        check_description(field, where, depth + 1)
        return
    if not isinstance(kind, str) or kind not in {**_SCALARS, **_RANGES}:
        raise InvalidInput(f"type is one of {_TYPES}", where=f"{where}.type")
    fits, word, allowed = _SCALARS[_RANGES.get(kind, kind)]
    if not isinstance(field.get("optional", False), bool):
        raise InvalidInput("optional is true or false", where=f"{where}.optional")
    constraint = field.get("constraint")
    if constraint is None:
        return
    if not isinstance(constraint, dict) or constraint.get("type", allowed) != allowed or not allowed:
        raise InvalidInput(f"a {kind} takes {allowed or 'no constraint'}", where=f"{where}.constraint")
    values, spans = _allowed(constraint)
    if spans and allowed == "AllowedTokens":
        raise InvalidInput("texts have no intervals", where=f"{where}.constraint")
    if not all(fits(value) for value in values) or not all(
        isinstance(span, list) and len(span) == 2 and all(_is_bound(bound, fits) for bound in span) for span in spans
    ):
        raise InvalidInput(f"value lists values, interval pairs of them, each {word}", where=f"{where}.constraint")
    pattern = constraint.get("pattern")
    if pattern is not None:
        _compiled(pattern, f"{where}.constraint.pattern")


def _is_bound(bound: Any, fits: Callable[[Any], bool]) -> bool:
    return fits(bound) or bound in ("-INF", "INF", "+INF")


def _allowed(constraint: Mapping[str, Any]) -> tuple[list[Any], list[Any]]:
    """Single values and spans; one span may stand without a list around it."""
    values, spans = constraint.get("value", constraint.get("values", [])), constraint.get("interval")
    spans = constraint.get("intervals", []) if spans is None else spans
    values = values if isinstance(values, list) else [values]
    if isinstance(spans, list) and spans and not isinstance(spans[0], list):
        spans = [spans]
    return values, spans if isinstance(spans, list) else [spans]


def _compiled(pattern: Any, where: str) -> Any:
    if not isinstance(pattern, str) or len(pattern) > _PATTERN:
        raise InvalidInput(f"a pattern is a text of at most {_PATTERN} characters", where=where)
    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        raise InvalidInput(f"no pattern (RE2): {error}"[:300], where=where) from None


def check_parameters(record: Mapping[str, Any], parameters: Any, where: str) -> None:
    """Raise InvalidInput that names the field for what a (checked) description does not take."""
    if not isinstance(parameters, dict):
        raise InvalidInput("an object with a value for each field is asked for", where=where)
    fields = {field["name"]: field for field in _fields(record)[1]}
    for name in parameters:
        if name not in fields:
            known = ", ".join(fields) or "none"
            raise InvalidInput(f"there is no such field; there are {known}", where=f"{where}.{name}")
    for name, field in fields.items():
        place = f"{where}.{name}"
        if name not in parameters:
            if not field.get("optional", False):
                raise InvalidInput("this field is missing", where=place)
        elif field["type"] == "DataRecord":
            check_parameters(field, parameters[name], place)
        else:
            _check_value(field, parameters[name], place)


def _check_value(field: Mapping[str, Any], value: Any, where: str) -> None:
    kind = field["type"]
    fits, word, _ = _SCALARS[_RANGES.get(kind, kind)]
    if kind in _RANGES:
        if not isinstance(value, list) or len(value) != 2 or not all(fits(bound) for bound in value):
            raise InvalidInput(f"a list of two is asked for, each {word}", where=where)
        listed = value
    elif not fits(value):
        raise InvalidInput(f"{word} is asked for", where=where)
    else:
        listed = [value]
    constraint = field.get("constraint") or {}
    for one in listed:
        if not _is_allowed(kind, constraint, one):
            raise InvalidInput(f"{one!r} is not allowed: {_words(constraint)}", where=where)


def _is_allowed(kind: str, constraint: Mapping[str, Any], value: Any) -> bool:
    values, spans = _allowed(constraint)
    pattern = constraint.get("pattern")
    if not values and not spans and pattern is None:
        return True
    key = _moment if kind.startswith("Time") else _plain
    one = key(value)
    if any(key(other) == one for other in values):
        return True
    if any(key(low) <= one <= key(high) for low, high in spans):
        return True
    return pattern is not None and re2.fullmatch(pattern, value) is not None


def _plain(value: Any) -> Any:
    return {"-INF": float("-inf"), "INF": float("inf"), "+INF": float("inf")}.get(value, value)


def _moment(value: Any) -> Any:
    plain = _plain(value)
    return plain if isinstance(plain, float) else times.parse_instant(plain)


def _words(constraint: Mapping[str, Any]) -> str:
    values, spans = _allowed(constraint)
    parts = [f"one of {', '.join(map(str, values[:20]))}"] if values else []
    parts += [f"between {low} and {high}" for low, high in spans[:20]]
    parts += [f"of the pattern {constraint['pattern']}"] if constraint.get("pattern") else []
    return " or ".join(parts)

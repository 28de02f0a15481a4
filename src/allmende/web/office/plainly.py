"""Plain values of tables as text of one line, and back."""

from collections.abc import Mapping
from typing import Any

import msgspec


def write_value(value: Any) -> str:
    """As :func:`read_value` reads it back."""
    if isinstance(value, str):
        return value if read_value(value) == value and value == value.strip() else f"'{value}'"
    if isinstance(value, Mapping | list):
        return msgspec.json.encode(value).decode()
    return str(value).lower() if isinstance(value, bool) else str(value)


def read_value(text: str) -> Any:
    """A number, true or false, a list or a table as JSON, or a text; within quotes it is a text in any case."""
    if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"":
        return text[1:-1]
    if text in ("true", "false"):
        return text == "true"
    if text[:1] in ("[", "{"):
        try:
            return msgspec.json.decode(text)
        except msgspec.DecodeError:
            return text
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text

"""Kept results back to values."""

from typing import Any

import msgspec

from allmende.domain.query import ResultKind
from allmende.domain.records import Json


def decode_result(kind: int, value: Any) -> Json:
    """The value of a kept result, which comes as itself or as its text."""
    if kind == ResultKind.BOOLEAN:
        return bool(int(value))
    if kind == ResultKind.JSON:
        decoded: Json = msgspec.json.decode(value) if value is not None else None
        return decoded
    if isinstance(value, str) and kind in (ResultKind.INTEGER, ResultKind.DECIMAL):
        return int(value) if kind == ResultKind.INTEGER else float(value)
    plain: Json = value
    return plain

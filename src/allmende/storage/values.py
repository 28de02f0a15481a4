"""Kept results back to values."""

from typing import Any

import msgspec

from allmende.domain.query import ResultKind
from allmende.domain.records import Json


def decode_result(kind: int, value: Any) -> Json:
    """The value of a kept result."""
    if kind == ResultKind.BOOLEAN:
        return bool(value)
    if kind == ResultKind.JSON:
        decoded: Json = msgspec.json.decode(value) if value is not None else None
        return decoded
    plain: Json = value
    return plain

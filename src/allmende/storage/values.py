"""Kept results back to values."""

from typing import Any

import msgspec

from allmende.domain.query import ResultKind
from allmende.domain.records import Json


def decode_number(kind: int, value: Any) -> Any:
    """A kept number or boolean that came as its text; everything else as it is."""
    if kind == ResultKind.INTEGER or kind == ResultKind.BOOLEAN:
        return int(value)
    return float(value) if kind == ResultKind.DECIMAL else value


def decode_result(kind: int, value: Any) -> Json:
    """The value of a kept result, which comes as itself or as its text."""
    if kind == ResultKind.BOOLEAN:
        return bool(int(value))
    if kind >= ResultKind.JSON:
        decoded: Json = msgspec.json.decode(value) if value is not None else None
        return decoded
    plain: Json = decode_number(kind, value) if isinstance(value, str) else value
    return plain


def flag_of(quality: str | None) -> str:
    """The flag of a kept resultQuality, "" where it says nothing of plausibility."""
    if not quality:
        return ""
    try:
        said = msgspec.json.decode(quality)
    except msgspec.DecodeError:
        return ""
    if not isinstance(said, dict) or said.get("plausible") is not False:
        return ""
    flags = said.get("flags")
    return " ".join(map(str, flags)) if isinstance(flags, list) else "implausible"

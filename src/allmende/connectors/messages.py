"""What connectors of devices share: strict numbers and names, objects that are counted, rejections of messages.

Beside :mod:`allmende.connectors.gathering`: what devices send is shorter and comes more often, and may speak of people.
"""

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from allmende.connectors.gathering import Gathered, Refused, read_json, shown
from allmende.domain.connector import Payload
from allmende.domain.records import Parsed, Rejection

__all__ = [
    "VOLATILE",
    "Gathered",
    "Refused",
    "grouped",
    "name_part",
    "number",
    "numbered",
    "read_json",
    "refuse",
    "refuse_payload",
    "shown",
    "table",
    "whole",
]

VOLATILE = {"retention": "volatile"}
"""In a stream's properties: what it says is of interest for minutes (a signal's aspect, what a camera sees now). Rules
of retention go by this word."""

_NUMBER = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,3})?\Z", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
_MOST = 80
_GREATEST = 2**63 - 1


def refuse(payload: Payload, refused: Refused, *, body: bytes | None = None, where: str = "") -> Rejection:
    """The rejection; ``body`` where less than the whole payload is to be replayed."""
    place = f"line {payload.line}" if payload.line > 1 else ""
    return Rejection(
        reason=refused.reason.encode("utf-8", "backslashreplace").decode(),
        body=payload.body if body is None else body,
        where=", ".join(filter(None, (place, where))),
        code=refused.code,
    )


def refuse_payload(payload: Payload, refused: Refused) -> Parsed:
    """Nothing was read."""
    return Parsed((), (refuse(payload, refused),))


def table(value: Any, what: str, code: str = "unreadable") -> dict[str, Any]:
    """A JSON object. Raises Refused."""
    if isinstance(value, dict):
        return value
    raise Refused(code, f"{what} is a JSON object, not {shown(value)}")


def number(value: Any, suffix: str = "") -> float:
    """A finite number, also as text with a point, in front of ``suffix``. Raises Refused."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        found = float(value) if abs(value) < 1e300 else math.nan
    elif isinstance(value, str):
        text = value.strip().removesuffix(suffix).rstrip()
        found = float(text) if _NUMBER.match(text) else math.nan
    else:
        found = math.nan
    if not math.isfinite(found):
        raise Refused("bad-value", f"{shown(value)} is no number")
    return found


def whole(value: Any) -> int:
    """A whole number of 64 bits, also as text. Raises Refused."""
    if isinstance(value, int) and not isinstance(value, bool):
        found = value
    else:
        decimal = number(value)
        if not decimal.is_integer():
            raise Refused("bad-value", f"{shown(value)} is no whole number")
        found = int(decimal)
    if abs(found) > _GREATEST:
        raise Refused("bad-value", f"{shown(value)} is too large a number")
    return found


def name_part(value: Any, what: str, code: str = "no-identity") -> str:
    """A part of an id: what a network or a device is called. Raises Refused for what no id can hold.

    ``~`` divides the parts of our ids and cannot stand within one.
    """
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if not isinstance(text, str) or not text.strip() or len(text) > _MOST or "~" in text or _CONTROL.search(text):
        raise Refused(code, f"{what} is no name: {shown(value)}")
    return text.strip()


def grouped(entries: Sequence[Any], what: str) -> list[list[Any]]:
    """Objects by their ``id``: a set may name one that moved more than once. Without any ids each is its own.

    Raises Refused where some have one and others none, since then nobody can say how many there are.
    """
    groups: dict[str | int, list[Any]] = {}
    nameless = 0
    for entry in entries:
        identity = _identity(entry)
        if identity is None:
            nameless += 1
        else:
            groups.setdefault(identity, []).append(entry)
    if groups and nameless:
        raise Refused("no-identity", f"{what} without an id stands beside others that have one")
    return list(groups.values()) if groups else [[entry] for entry in entries]


def numbered(entries: Sequence[Any]) -> list[int | None]:
    """For each object a number that stands for its ``id`` within this list: what is left of ids where others see it."""
    numbers: dict[str | int, int] = {}
    found = (_identity(entry) for entry in entries)
    return [None if identity is None else numbers.setdefault(identity, len(numbers)) for identity in found]


def _identity(entry: Any) -> str | int | None:
    identity = entry.get("id") if isinstance(entry, Mapping) else None
    if isinstance(identity, bool) or not isinstance(identity, str | int) or identity == "":
        return None
    return identity

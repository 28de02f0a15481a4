"""What connectors share that read messages of devices: refusals, numbers, names, and readings gathered by stream.

A value or a message that cannot be taken is a :class:`Refused` on the way and a rejection at the end; no connector
raises anything else for what it was sent.
"""

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from allmende.domain.connector import Payload
from allmende.domain.records import Declaration, Parsed, Record, Rejection, Result, Series

VOLATILE = {"retention": "volatile"}
"""In a stream's properties: what it says is of interest for minutes (a signal's aspect, what a camera sees now). Rules
of retention go by this word."""

_NUMBER = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,3})?\Z", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
_MOST = 80
_GREATEST = 2**63 - 1


class Refused(Exception):
    """What cannot be taken: a short word for counting and a reason for people."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


def refuse(payload: Payload, refused: Refused, *, body: bytes | None = None, where: str = "") -> Rejection:
    """The rejection; ``body`` where less than the whole payload is to be replayed."""
    place = f"line {payload.line}" if payload.line > 1 else ""
    return Rejection(
        reason=refused.reason.encode("utf-8", "backslashreplace").decode(),
        body=payload.body if body is None else body,
        where=", ".join(filter(None, (place, where))),
        code=refused.code,
    )


def refuse_all(payload: Payload, refused: Refused) -> Parsed:
    """Nothing was read."""
    return Parsed((), (refuse(payload, refused),))


def read_json(body: bytes) -> Any:
    """Plain data. Raises Refused."""
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Refused("unreadable", f"this is no JSON: {error}") from None


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


def distinct(entries: Sequence[Any], what: str) -> list[Any]:
    """Objects of one ``id`` once: a set may name one that moved twice. Without any ids each counts.

    Raises Refused where some have one and others none, since then nobody can say how many there are.
    """
    seen: dict[str | int, Any] = {}
    nameless = 0
    for entry in entries:
        identity = _identity(entry)
        if identity is None:
            nameless += 1
        else:
            seen.setdefault(identity, entry)
    if seen and nameless:
        raise Refused("no-identity", f"{what} without an id stands beside others that have one")
    return list(seen.values()) if seen else list(entries)


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


def shown(value: Any) -> str:
    """A value for people to read, cut."""
    return repr(value)[:_MOST]


class Gathered:
    """Readings by stream, each behind its declaration, and what was refused."""

    def __init__(self) -> None:
        self._declared: dict[str, Declaration] = {}
        self._series: dict[str, Series] = {}
        self.rejections: list[Rejection] = []

    def declare(self, declaration: Declaration) -> None:
        """Make a stream known that may have no reading here."""
        self._declared.setdefault(declaration.stream, declaration)

    def add(self, declaration: Declaration, time: int, result: Result, flag: str = "") -> None:
        """One reading; ``flag`` is empty where it is plausible."""
        stream = declaration.stream
        series = self._series.get(stream)
        if series is None:
            self._declared.setdefault(stream, declaration)
            series = self._series[stream] = Series(stream=stream, times=[], results=[])
        if flag and series.flags is None:
            series.flags = [""] * len(series.times)
        series.times.append(time)
        series.results.append(result)
        if series.flags is not None:
            series.flags.append(flag)

    def parsed(self) -> Parsed:
        """All of it."""
        records: list[Record] = []
        for stream, declaration in self._declared.items():
            records.append(declaration)
            if stream in self._series:
                records.append(self._series[stream])
        return Parsed(records, self.rejections)

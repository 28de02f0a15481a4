"""What the connectors of public sources have in common: a refusal, readings by stream, values that are read strictly.

Nothing here knows a source. A connector reads its document piece by piece, raises :class:`Refused` for a piece that it
cannot take, and puts the rest into a :class:`Gathered`.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

import msgspec

from allmende.domain.connector import Payload
from allmende.domain.records import Declaration, Parsed, Position, Record, Rejection, Result, Series

_NUMBER = re.compile(r"[+-]?(?:[0-9]{1,18}(?:\.[0-9]{0,18})?|\.[0-9]{1,18})(?:[eE][+-]?[0-9]{1,3})?\Z", re.ASCII)
_WHOLE = re.compile(r"[0-9]{1,15}\Z", re.ASCII)
_OTHER = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]+")
_BEYOND = 1e300
_SHOWN = 80
"""Signs of a foreign word that a reason repeats."""


class Refused(Exception):
    """A piece that cannot be taken: a short word for counting, and a reason for people."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason

    def rejection(self, body: bytes, where: str = "") -> Rejection:
        """The same with its bytes."""
        return Rejection(reason=self.reason, body=body, where=where, code=self.code)


class Gathered:
    """Readings by stream, each stream declared once and before its readings."""

    def __init__(self) -> None:
        self._declared: dict[str, Declaration] = {}
        self._series: dict[tuple[str, int | None], Series] = {}
        self._doubts: dict[tuple[str, int | None], list[str]] = {}
        self.rejections: list[Rejection] = []

    def declare(self, declaration: Declaration) -> None:
        """A stream, whether it has readings or not. The first word about it holds."""
        self._declared.setdefault(declaration.stream, declaration)

    def knows(self, stream: str) -> bool:
        """Whether the stream is declared."""
        return stream in self._declared

    def add(self, declaration: Declaration, time: int, result: Result, flag: str = "", run: int | None = None) -> None:
        """One reading."""
        self.declare(declaration)
        self.put(declaration.stream, time, result, flag, run)

    def put(self, stream: str, time: int, result: Result, flag: str = "", run: int | None = None) -> None:
        """One reading of a stream that was declared."""
        key = (stream, run)
        series = self._series.get(key)
        if series is None:
            series = self._series[key] = Series(stream=stream, times=[], results=[], run=run)
            self._doubts[key] = []
        series.times.append(time)
        series.results.append(result)
        self._doubts[key].append(flag)

    def refuse(self, refused: Refused, body: bytes, where: str = "") -> None:
        """Keep a piece that cannot be taken."""
        self.rejections.append(refused.rejection(body, where))

    def parsed(self) -> Parsed:
        """Everything, as a connector gives it."""
        for key, series in self._series.items():
            flags = self._doubts[key]
            series.flags = flags if any(flags) else None
        records: list[Record] = [*self._declared.values(), *self._series.values()]
        return Parsed(records, self.rejections)


def refuse_all(payload: Payload, code: str, reason: str) -> Parsed:
    """The whole payload as one rejection."""
    return Parsed((), (Rejection(reason=reason, body=payload.body, code=code),))


def read_json(body: bytes) -> Any:
    """A JSON document; raises Refused for what is none."""
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Refused("unreadable", f"this is no JSON: {error}") from None


def number(value: Any, what: str) -> float | int:
    """A finite number, also one that is written as text with a point; raises Refused for anything else."""
    found = value
    if isinstance(value, str):
        text = value.strip()
        if _WHOLE.match(text):
            return int(text)
        found = float(text) if _NUMBER.match(text) else None
    if isinstance(found, bool) or not isinstance(found, int | float) or not _is_finite(found):
        raise Refused("bad-number", f"{what} is {shown(value)}, not a number")
    return found


def _is_finite(value: int | float) -> bool:
    """A whole number beyond all decimals (JSON may write hundreds of digits) is none."""
    return -_BEYOND < value < _BEYOND


def whole(value: Any, what: str) -> int:
    """A whole number from 0 on, also one written as text or as 5.0; raises Refused for anything else."""
    found = number(value, what)
    if found != int(found) or found < 0:
        raise Refused("bad-number", f"{what} is {shown(value)}, not a whole number from 0 on")
    return int(found)


def position(lon: Any, lat: Any) -> Position | None:
    """A place, or None where nothing usable is said. 0° 0′ is what a receiver without a fix sends, not a place."""
    try:
        east, north = float(number(lon, "lon")), float(number(lat, "lat"))
    except Refused:
        return None
    if not (-180 <= east <= 180 and -90 <= north <= 90) or (east == 0 and north == 0):
        return None
    return Position(east, north)


def text(value: Any) -> str:
    """A short text without control characters; "" for what is no text."""
    return _OTHER.sub(" ", value).strip() if isinstance(value, str) else ""


def identity(value: Any, what: str) -> str:
    """A text or whole number that may be part of an id; raises Refused for anything else."""
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**63:
        return str(value)
    if not isinstance(value, str) or not value.strip() or len(value) > 120 or _OTHER.search(value):
        raise Refused("no-identity", f"{what} is {shown(value)}, which cannot name a thing")
    return value.strip()


def shown(value: Any) -> str:
    """A foreign value in a sentence, cut short."""
    found = repr(value)
    return found if len(found) <= _SHOWN else f"{found[:_SHOWN]}…"


def table(value: Any) -> Mapping[str, Any]:
    """A JSON object; an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def listed(value: Any) -> Iterable[Any]:
    """A JSON array; an empty one for anything else."""
    return value if isinstance(value, list) else ()


def same_host(address: str, home: str) -> bool:
    """Whether a link stays with the host, port and scheme that the source was given."""
    try:
        one, other = urlsplit(address), urlsplit(home)
    except ValueError:
        return False
    return (one.scheme, one.netloc) == (other.scheme, other.netloc)

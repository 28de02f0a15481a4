"""The functions of filters for SQLite, in Python, registered on each connection: Unicode, calendar, guarded numbers.

They mean what the templates of ``functions_postgres.py`` mean. None in is None out; no function ever raises.
"""

import math
import sqlite3
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from shapely.errors import ShapelyError

from allmende.domain import times
from allmende.storage import geometry, zones_sqlite

SPAN = times.LATEST - times.EARLIEST
"""The longest duration; longer ones are null."""
_TINY, _HUGE = 1e-300, 1e300
_BLANKS = " \t\n\r\f\v"
_LONGEST = 1_000_000


def _real(a: float) -> float | None:
    if a == 0:
        return 0.0
    return float(a) if _TINY <= abs(a) <= _HUGE else None


def _add(a: float, b: float) -> float | None:
    return float(a) + float(b) if abs(a) < _HUGE and abs(b) < _HUGE else None


def _sub(a: float, b: float) -> float | None:
    return _add(a, -b)


def _mul(a: float, b: float) -> float | None:
    if a == 0 or b == 0:
        return 0.0
    return float(a) * float(b) if -300 <= math.log10(abs(a)) + math.log10(abs(b)) <= 300 else None


def _div(a: float, b: float) -> float | None:
    if b == 0:
        return None
    if a == 0:
        return 0.0
    return float(a) / float(b) if -300 <= math.log10(abs(a)) - math.log10(abs(b)) <= 300 else None


def _mod(a: float, b: float) -> float | None:
    quotient = _div(a, b)
    return None if quotient is None else float(a) - float(b) * float(math.trunc(quotient))


def _round(a: float) -> float:
    return math.copysign(float(math.floor(abs(a) + 0.5)), a)


def _substring(text: str, start: float, length: float) -> str:
    first = int(min(max(math.floor(start), 0), _LONGEST))
    return text[first : first + int(min(max(math.floor(length), 0), _LONGEST))]


def _shift(moment: int, duration: int) -> int | None:
    shifted = moment + duration
    return shifted if times.EARLIEST <= shifted <= times.LATEST else None


def _longer(a: int, b: int) -> int | None:
    return a + b if abs(a + b) <= SPAN else None


_FUNCTIONS: Mapping[str, tuple[int, Callable[..., Any]]] = MappingProxyType(
    {
        "real": (1, _real),
        "add": (2, _add),
        "sub": (2, _sub),
        "mul": (2, _mul),
        "div": (2, _div),
        "mod": (2, _mod),
        "round": (1, _round),
        "floor": (1, lambda a: float(math.floor(a))),
        "ceiling": (1, lambda a: float(math.ceil(a))),
        "startswith": (2, lambda a, b: int(a.startswith(b))),
        "endswith": (2, lambda a, b: int(a.endswith(b))),
        "substring": (3, _substring),
        "tolower": (1, str.lower),
        "toupper": (1, str.upper),
        "trim": (1, lambda a: a.strip(_BLANKS)),
        "year": (1, lambda a: times.to_datetime(a).year),
        "month": (1, lambda a: times.to_datetime(a).month),
        "day": (1, lambda a: times.to_datetime(a).day),
        "hour": (1, lambda a: a % times.DAY // times.HOUR),
        "minute": (1, lambda a: a % times.HOUR // times.MINUTE),
        "second": (1, lambda a: a % times.MINUTE // times.SECOND),
        "fractionalseconds": (1, lambda a: a % times.SECOND / times.SECOND),
        "date": (1, lambda a: a - a % times.DAY),
        "time": (1, lambda a: a % times.DAY),
        "shift": (2, _shift),
        "longer": (2, _longer),
        "micros": (1, lambda a: int(_round(a)) if abs(a) <= SPAN else None),
        "bucket": (4, zones_sqlite.bucket),
        "months": (3, zones_sqlite.months),
        **geometry.FUNCTIONS,
    }
)

TEMPLATES: Mapping[str, str] = MappingProxyType(
    {
        **{
            name: f"allmende_{name}({', '.join(f'{{{place}}}' for place in range(arity))})"
            for name, (arity, _) in _FUNCTIONS.items()
        },
        # SQLite's own ones, where they mean the same, are quicker.
        "negate": "(-({0}))",
        "contains": "(instr({0}, {1}) > 0)",
        "indexof": "(instr({0}, {1}) - 1)",
        "length": "length({0})",
        "concat": "({0} || {1})",
        "gap": "({0} - {1})",
        "totaloffsetminutes": "({0} * 0)",
        "percentile": "allmende_percentile({0}, {1})",
        # Its functions read either.
        "geojson": "{0}",
        "wkt": "{0}",
    }
)
"""How a function is written, its arguments as ``{0}``, ``{1}``, …, each once and in this order."""

MISSING = "no such function: allmende_"
"""What SQLite says on a connection that does not know them yet."""


def register(raw: sqlite3.Connection) -> None:
    """Make the functions known to a connection."""
    for name, (arity, function) in _FUNCTIONS.items():
        raw.create_function(f"allmende_{name}", arity, _guarded(function), deterministic=True)
    percentile: Any = zones_sqlite.Percentile  # typeshed knows aggregates of one argument alone
    raw.create_aggregate("allmende_percentile", 2, percentile)


def _guarded(function: Callable[..., Any]) -> Callable[..., Any]:
    """None where an argument is missing, or where nothing can be said of them."""

    def call(*arguments: Any) -> Any:
        if None in arguments:
            return None
        try:
            return function(*arguments)
        except (ValueError, OverflowError, TypeError, AttributeError, ShapelyError):
            return None

    return call

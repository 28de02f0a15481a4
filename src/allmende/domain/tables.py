"""Reading tables of plain data (TOML) into structs, with errors that name the place and say what would be right."""

import re
from collections.abc import Mapping
from datetime import date, datetime, time
from typing import Any, TypeVar

import msgspec

from allmende.domain.profile_checks import ProfileError, check_id

_AT = re.compile(r" - at `(?:key in )?\$(.*)`\Z")
_UNKNOWN = re.compile(r"Object contains unknown field `(.*)`\Z")
_MISSING = re.compile(r"Object missing required field `(.*)`\Z")
_KINDS = re.compile(r"expected (`.*`), got (`.*`)\Z")
_ENUM = re.compile(r"invalid enum value (.*)\Z")

_T = TypeVar("_T")


def plain(value: object) -> Any:
    """TOML's dates and times as ISO text, so that ``date = 2025-02-01`` and ``date = "2025-02-01"`` are one."""
    if isinstance(value, date | datetime | time):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value


def convert(value: object, target: type[_T], place: str, *, known: tuple[str, ...] = ()) -> _T:
    """msgspec's conversion, with errors that name the place and say what would be right."""
    try:
        return msgspec.convert(value, target)
    except msgspec.ValidationError as error:
        message = str(error)
        tail = ""
        at = _AT.search(message)
        if at:
            message, tail = message[: at.start()], at.group(1)
        known = known or getattr(target, "__struct_fields__", ())
        unknown, missing = _UNKNOWN.match(message), _MISSING.match(message)
        if unknown:
            tail, message = f"{tail}.{unknown.group(1)}", "is no known key"
            if tail.count(".") == 1:
                message += f"; known are {', '.join(name for name in known if name != 'tables')}"
        elif missing:
            tail, message = f"{tail}.{missing.group(1)}", "is missing"
        else:
            message = message[0].lower() + message[1:]
        place = (place + tail).lstrip(".") or "city.toml"
        if kinds := _KINDS.match(message):
            raise ProfileError(
                place, "expected %(wanted)s, got %(got)s", wanted=kinds.group(1), got=kinds.group(2)
            ) from None
        if value := _ENUM.match(message):
            raise ProfileError(place, "invalid enum value %(value)s", value=value.group(1)) from None
        raise ProfileError(place, message) from None


def mapping(value: object, place: str) -> dict[str, Any]:
    """A table of keys; raises ProfileError where it is none."""
    if value is None:
        raise ProfileError(place, "is missing")
    if not isinstance(value, dict):
        raise ProfileError(place, "is a table of keys, not %(value)s", value=repr(value))
    return value


def tables(value: object, place: str) -> dict[str, dict[str, Any]]:
    """A table of tables; the keys are ids and are not said again inside."""
    result = {}
    for key, body in mapping(value, place).items():
        check_id(key, f"{place}.{key}")
        table = mapping(body, f"{place}.{key}")
        if "id" in table:
            raise ProfileError(f"{place}.{key}.id", 'is said by the table\'s name, "%(key)s", already', key=key)
        result[key] = table
    return result

"""The values of a decoded uplink, in whatever shape its codec gives them."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from allmende.connectors.lorawan.families import Quantity
from allmende.connectors.messages import Refused, number, whole
from allmende.domain.records import Result

_LONGEST_TEXT = 255


class Item(NamedTuple):
    """One key with its value; ``alone`` is an ``object`` that holds nothing else and reads the same."""

    key: str
    value: Any
    alone: dict[str, Any]


def flatten(decoded: dict[str, Any], list_key: str) -> Iterator[Item]:
    """Every value under one key.

    Values further in have the keys on the way to them, with slashes: ``sensors/0/temperature_degC``. Under
    ``list_key`` lie measurements by id, in lists of any depth: their key is the id, and 4097.0 is "4097".
    """
    for key, value in decoded.items():
        if key == list_key and isinstance(value, list):
            yield from _measurements(value, list_key)
        else:
            yield from _inner(key, value)


def _inner(key: str, value: Any) -> Iterator[Item]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _inner(f"{key}/{name}", inner)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _inner(f"{key}/{index}", inner)
    else:
        yield Item(key, value, {key: value})


def _measurements(entries: list[Any], list_key: str) -> Iterator[Item]:
    for entry in entries:
        if isinstance(entry, list):
            yield from _measurements(entry, list_key)
        elif isinstance(entry, dict) and "measurementId" in entry:
            # an entry without a value reports a fault of the sensor, and says which in its other keys
            value = entry.get("measurementValue", entry)
            yield Item(_measurement_id(entry["measurementId"]), value, {list_key: [entry]})
        elif isinstance(entry, dict):
            for key, value in entry.items():
                for item in _inner(key, value):
                    yield item._replace(alone={list_key: [{item.key: item.value}]})
        elif entry is not None:
            yield Item(list_key, entry, {list_key: [entry]})


def _measurement_id(value: Any) -> str:
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def read_value(quantity: Quantity, value: Any) -> tuple[Result, str]:
    """The result, typed as the family says, and a flag or ""; raises Refused."""
    if isinstance(value, dict | list):
        raise Refused("no-value", f"the sensor gives no value but says {value!r}"[:200])
    if quantity.type == "category":
        if not isinstance(value, str) or not 0 < len(value) <= _LONGEST_TEXT:
            raise Refused("bad-value", f"{value!r} is no word"[:200])
        return value, "" if not quantity.values or value in quantity.values else "unknown-category"
    if quantity.type == "truth":
        if not isinstance(value, bool):
            raise Refused("bad-value", f"{value!r} is neither true nor false"[:200])
        return value, ""
    found = number(value, quantity.suffix)
    if quantity.type == "count":
        return whole(found), ""
    return found, ""

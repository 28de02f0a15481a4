"""Forms of their own that ready-made firmware sends: pieces of (name, value, bytes that say this piece again)."""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from allmende.connectors.gathering import Refused, shown
from allmende.connectors.messages import number
from allmende.connectors.own_sensor.streams import Streams
from allmende.connectors.own_sensor.vocabulary import same_name, vocabulary

Piece = tuple[str, Any, bytes]
_PASCAL = 100
_CELSIUS, _HECTOPASCAL = ("C",), ("hPa", "mbar")


def community(document: Mapping[str, Any]) -> Iterator[Piece]:
    """Sensor.Community: ``{"sensordatavalues": [{"value_type": "BME280_pressure", "value": "99612.00"}]}``.

    The chip's name before the quantity is left out. Raises Refused.
    """
    entries = document["sensordatavalues"]
    if not isinstance(entries, list):
        raise Refused("unreadable", "sensordatavalues is no list")
    seen: set[str] = set()
    for entry in entries:
        if not isinstance(entry, dict) or not isinstance(entry.get("value_type"), str):
            raise Refused("unreadable", f"an entry of sensordatavalues is {shown(entry)}")
        name = _without_chip(entry["value_type"])
        if name in seen:
            raise Refused("twice", f"{name} is there twice; give the sensor one device of a kind")
        if name in _NAMES:
            seen.add(name)
        value = entry.get("value")
        if not isinstance(value, str):
            value = None  # the firmware writes texts; anything else was damaged on its way
        if name == "pressure":
            try:
                value = number(value) / _PASCAL
            except Refused:
                value = None  # is refused where it is read
        yield name, value, msgspec.json.encode({"sensordatavalues": [entry]})


def is_tasmota(document: Mapping[str, Any]) -> bool:
    """Whether it looks like Tasmota's telemetry: a ``Time`` beside chips, which are objects."""
    return isinstance(document.get("StatusSNS"), dict) or (
        "Time" in document and any(isinstance(value, dict) for value in document.values())
    )


def tasmota(document: Mapping[str, Any], streams: Streams) -> Iterator[Piece]:
    """Tasmota: ``{"Time": "…", "BME280": {"Temperature": 21.5}, "TempUnit": "C"}``. Raises Refused.

    Its ``Time`` is the device's wall clock without a zone, and is not looked at.
    """
    inner = document.get("StatusSNS")
    said = inner if isinstance(inner, dict) else document
    _check_unit(said, "TempUnit", _CELSIUS)
    _check_unit(said, "PressureUnit", _HECTOPASCAL)
    units = {key: said[key] for key in ("TempUnit", "PressureUnit") if key in said}
    chips: dict[str, str] = {}
    for chip, values in said.items():
        for key, value in values.items() if isinstance(values, dict) else ():
            name = streams.known(key)
            if name is not None and name in chips:
                raise Refused("twice", f"{chips[name]} and {chip} both measure {name}; send one of them alone")
            if name is not None:
                chips[name] = chip
            yield key, value, msgspec.json.encode({"Time": None, chip: {key: value}, **units})


def _check_unit(said: Mapping[str, Any], key: str, units: tuple[str, ...]) -> None:
    if key in said and said[key] not in units:
        raise Refused("bad-unit", f"{key} is {shown(said[key])}; set the device to {units[0]}")


def _without_chip(text: str) -> str:
    name = same_name(text)
    while name not in _NAMES and "_" in name:
        name = name.partition("_")[2]
    return _NAMES.get(name, same_name(text))


_NAMES = {other: name for name, said in vocabulary().items() for other in (*said.other, name)}

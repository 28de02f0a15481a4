"""One uplink to readings, whichever network it came by. Radio values and gateways never come here."""

from collections.abc import Callable
from typing import Any, NamedTuple

from allmende.connectors.lorawan.decoders import decode
from allmende.connectors.lorawan.devices import Device, declare
from allmende.connectors.lorawan.families import Family, Sought, find_family
from allmende.connectors.lorawan.values import Item, flatten, read_value
from allmende.connectors.messages import Refused, refuse, shown
from allmende.domain.connector import Payload, Source
from allmende.domain.records import Parsed, Record, Rejection, Result, Series


class Uplink(NamedTuple):
    """What a network told, without its radio."""

    device: Device
    sought: Sought
    decoded: dict[str, Any] | None
    """None where the network decoded nothing."""
    data: Any
    """The bytes as the network writes them: base64."""
    port: Any
    micros: int
    flag: str
    """Why its time is doubtful, or ""."""
    alone: Callable[[dict[str, Any], str], bytes]
    """The uplink again, with these decoded values and nothing else, and with this model where that is not ""."""


class _Twice(Refused):
    """A second value of one stream; ``first`` is the one that was taken."""

    def __init__(self, reason: str, first: Item) -> None:
        super().__init__("second-value", reason)
        self.first = first


class _Reading(NamedTuple):
    source: Source
    uplink: Uplink
    family: Family
    decoded: dict[str, Any]
    doubt: str


def read_uplink(payload: Payload, source: Source, uplink: Uplink) -> Parsed:
    """Readings and rejections. Raises Refused for the uplink as a whole, ConfigurationError for its family.

    Each key is read by itself: one that cannot be read takes nothing from the others.
    """
    reading = _open(source, uplink)
    records: list[Record] = []
    rejections: list[Rejection] = []
    seen: dict[str, tuple[Result, Item]] = {}
    for item in flatten(reading.decoded, reading.family.list):
        if item.key in reading.family.ignore or _is_absent(reading.family, item.value):
            continue
        try:
            records += _read(reading, item, seen)
        except Refused as refused:
            kept = [refused.first, item] if isinstance(refused, _Twice) else [item]
            body = _reduced(reading, kept)
            rejections.append(refuse(payload, refused, body=body, where=f"object, {item.key[:80]}"))
    return Parsed(records, rejections)


def _open(source: Source, uplink: Uplink) -> _Reading:
    family = find_family(source.settings, uplink.sought._replace(keys=list(uplink.decoded or ())))
    decoded = uplink.decoded
    if decoded is None and (family is None or not family.decoder):
        raise Refused("no-object", "the network decoded nothing, and no family has a decoder for it")
    if family is None:
        names = ", ".join(shown(name) for name in uplink.sought.names if name) or "no name"
        raise Refused("unknown-family", f"no family is configured for the device profile {names}")
    if decoded is None:
        decoded = decode(family.decoder, uplink.data, uplink.port)
    doubtful = any(key in decoded and decoded[key] != wanted for key, wanted in family.valid.items())
    return _Reading(source, uplink, family, decoded, "device-says-invalid" if doubtful else uplink.flag)


def _is_absent(family: Family, value: Any) -> bool:
    return value is None or (isinstance(value, str) and value in family.absent)


def _read(reading: _Reading, item: Item, seen: dict[str, tuple[Result, Item]]) -> tuple[Record, ...]:
    quantity = reading.family.quantity(item.key)
    if quantity is None:
        reason = f"the family {reading.family.name!r} does not say what {item.key[:80]!r} is"
        raise Refused("unknown-quantity", reason)
    result, doubt = read_value(quantity, item.value)
    declared = declare(reading.source, reading.uplink.device, reading.family, quantity)
    if declared.stream in seen:
        taken, first = seen[declared.stream]
        if taken == result:
            return ()
        raise _Twice(f"the uplink gives {declared.stream} twice, with different values", first)
    seen[declared.stream] = (result, item)
    doubt = doubt or reading.doubt
    series = Series(
        stream=declared.stream, times=[reading.uplink.micros], results=[result], flags=[doubt] if doubt else None
    )
    return declared, series


def _reduced(reading: _Reading, items: list[Item]) -> bytes:
    """The uplink with these values alone, so that a replay comes to the same point and does not repeat the others."""
    told = {key: reading.decoded[key] for key in reading.family.valid if key in reading.decoded}
    kept = {key: value for key, value in told.items() if not isinstance(value, dict | list)}
    for item in items:
        for key, value in item.alone.items():
            kept[key] = [*kept[key], *value] if isinstance(kept.get(key), list) else value
    named = find_family(reading.source.settings, reading.uplink.sought._replace(keys=())) is not None
    return reading.uplink.alone(kept, "" if named else reading.family.name)

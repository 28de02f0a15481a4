"""One uplink to readings. Radio values and gateways are dropped here: they say nothing about the city."""

import re
from typing import Any, NamedTuple

import msgspec

from allmende.connectors.chirpstack.devices import declare
from allmende.connectors.chirpstack.families import Family, find_family
from allmende.connectors.chirpstack.values import Item, Refused, flatten, read_value
from allmende.domain.connector import Payload, Source
from allmende.domain.errors import ConfigurationError, InvalidInput
from allmende.domain.records import Parsed, Record, Rejection, Result, Series
from allmende.domain.times import parse_instant

_EVENT = re.compile(r"/event/([a-z]+)\Z")
_EUI = re.compile(r"[0-9a-f]{16}\Z")


class _Time(NamedTuple):
    micros: int
    text: str
    flag: str


def parse(payload: Payload, source: Source) -> Parsed:
    """Readings of one uplink; what is no uplink (join, status, acknowledgement) gives nothing."""
    try:
        uplink = msgspec.json.decode(payload.body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return _reject(payload, Refused("unreadable", f"this is no JSON: {error}"))
    if not isinstance(uplink, dict):
        return _reject(payload, Refused("no-identity", "an uplink is a JSON object"))
    if not _is_uplink(payload.name, uplink):
        return Parsed((), ())
    try:
        return _read(payload, source, uplink)
    except Refused as refused:
        return _reject(payload, refused)
    except ConfigurationError as error:
        return _reject(payload, Refused("bad-family", f"the configuration cannot be used: {error}"))


def _reject(payload: Payload, refused: Refused) -> Parsed:
    where = f"line {payload.line}" if payload.line > 1 else ""
    return Parsed((), (Rejection(reason=refused.reason, body=payload.body, where=where, code=refused.code),))


def _is_uplink(topic: str, uplink: dict[str, Any]) -> bool:
    """By the topic; in a file, which has none, by the keys that only the other events have."""
    if event := _EVENT.search(topic):
        return event.group(1) == "up"
    is_status = "margin" in uplink and "object" not in uplink
    is_answer = "queueItemId" in uplink
    is_join = "devAddr" in uplink and not {"object", "data", "fCnt", "fPort"} & uplink.keys()
    return not (is_status or is_answer or is_join)


def _read(payload: Payload, source: Source, uplink: dict[str, Any]) -> Parsed:
    info = uplink.get("deviceInfo")
    eui = str(info.get("devEui", "")).lower() if isinstance(info, dict) else ""
    if not isinstance(info, dict) or not _EUI.match(eui):
        raise Refused("no-identity", "deviceInfo.devEui is missing or is not 16 hexadecimal digits")
    decoded = uplink.get("object")
    if not isinstance(decoded, dict):
        if decoded is None and not uplink.get("data"):
            return Parsed((), ())  # the device spoke to the network alone
        raise Refused("no-object", "the network decoded nothing: its device profile has no codec")
    name = str(info.get("deviceProfileName", ""))
    family = find_family(source.settings, name, str(info.get("deviceProfileId", "")))
    if family is None:
        raise Refused("unknown-family", f"no family is configured for the device profile {name[:80]!r}")
    time = _time(uplink)
    doubt = "device-says-invalid" if _is_doubtful(family, decoded) else time.flag
    return _readings(source, _Uplink(uplink, info, eui, family, time, doubt), payload)


class _Uplink(NamedTuple):
    raw: dict[str, Any]
    info: dict[str, Any]
    eui: str
    family: Family
    time: _Time
    doubt: str


def _time(uplink: dict[str, Any]) -> _Time:
    """When the network had it. A gateway's clock stands in for it only with a flag: it can be wrong by any amount."""
    text = uplink.get("time")
    flag = ""
    if text is None:
        heard = uplink.get("rxInfo")
        texts = [entry.get("time") for entry in heard if isinstance(entry, dict)] if isinstance(heard, list) else []
        text = next((text for text in texts if text), None)
        flag = "gateway-time"
    if not isinstance(text, str):
        raise Refused("no-time", "the uplink has no time")
    try:
        return _Time(parse_instant(text), text, flag)
    except InvalidInput as error:
        raise Refused("bad-time", str(error)) from None


def _is_doubtful(family: Family, decoded: dict[str, Any]) -> bool:
    return any(key in decoded and decoded[key] != wanted for key, wanted in family.valid.items())


def _readings(source: Source, uplink: _Uplink, payload: Payload) -> Parsed:
    """Each key by itself: one that cannot be read takes nothing from the others."""
    records: list[Record] = []
    rejections: list[Rejection] = []
    seen: dict[str, tuple[Result, Item]] = {}
    for item in flatten(uplink.raw["object"], uplink.family.list):
        if item.key in uplink.family.ignore or _is_absent(uplink.family, item.value):
            continue
        try:
            records += _reading(source, uplink, item, seen)
        except Refused as refused:
            where = f"object, {item.key[:80]}"
            where = f"line {payload.line}, {where}" if payload.line > 1 else where
            body = _reduced(uplink, *refused.beside, item)
            rejections.append(Rejection(reason=refused.reason, body=body, where=where, code=refused.code))
    return Parsed(records, rejections)


def _is_absent(family: Family, value: Any) -> bool:
    return value is None or (isinstance(value, str) and value in family.absent)


def _reading(source: Source, uplink: _Uplink, item: Item, seen: dict[str, tuple[Result, Item]]) -> tuple[Record, ...]:
    quantity = uplink.family.quantity(item.key)
    if quantity is None:
        reason = f"the family {uplink.family.name!r} does not say what {item.key[:80]!r} is"
        raise Refused("unknown-quantity", reason)
    result, doubt = read_value(quantity, item.value)
    declared = declare(source, uplink.info, uplink.eui, uplink.family, quantity)
    if declared.stream in seen:
        taken, first = seen[declared.stream]
        if taken == result:
            return ()
        reason = f"the uplink gives {declared.stream} twice, with different values"
        raise Refused("second-value", reason, beside=(first,))
    seen[declared.stream] = (result, item)
    doubt = doubt or uplink.doubt
    series = Series(
        stream=declared.stream, times=[uplink.time.micros], results=[result], flags=[doubt] if doubt else None
    )
    return declared, series


def _reduced(uplink: _Uplink, *items: Item) -> bytes:
    """The uplink with these values alone, so that a replay comes to the same point and does not repeat the others."""
    status = {key: uplink.raw["object"][key] for key in uplink.family.valid if key in uplink.raw["object"]}
    kept = {key: uplink.raw[key] for key in ("deduplicationId", "deviceInfo", "fPort") if key in uplink.raw}
    kept["object"] = status
    for item in items:
        for key, value in item.alone.items():
            status[key] = [*status[key], *value] if isinstance(status.get(key), list) else value
    if uplink.time.flag:
        kept["rxInfo"] = [{"time": uplink.time.text}]
    else:
        kept["time"] = uplink.time.text
    return msgspec.json.encode(kept)

"""Telegrams as bytes, as hexadecimal digits, or in a JSON envelope with their time."""

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from allmende.connectors.device_time import read_time
from allmende.connectors.messages import Gathered, Refused, read_json, refuse, shown
from allmende.connectors.properties import declare
from allmende.connectors.r09.telegrams import RUN, Telegram, read_telegram
from allmende.domain.connector import Payload, Source
from allmende.domain.records import Parsed, SensorDeclaration, ThingDeclaration

_HEX = re.compile(rb"(?:[0-9a-fA-F]{2}[ :\t]?)+\Z")
_TEXTS = ("telegram", "data", "hex", "raw")
_TIMES = ("time", "timestamp")
_SENSOR = SensorDeclaration(id="vdv-r09", name="VDV R09.16", description="Request of a vehicle by radio at a point")


def parse(payload: Payload, source: Source) -> Parsed:
    """Readings of one telegram, at the point that it was sent from."""
    kept = payload.body
    try:
        body, stamp = _open(payload)
        kept = _without_run(body, stamp)
        telegram = read_telegram(body)
        time, flag = (payload.received_at, "") if stamp is None else _time(stamp, payload, source)
        gathered = Gathered()
        _add(gathered, source, telegram, time, flag)
        return gathered.parsed()
    except Refused as refused:
        return Parsed((), (refuse(payload, refused, body=kept),))


def _open(payload: Payload) -> tuple[bytes, Any]:
    """The telegram's bytes, and the time that an envelope gives it."""
    text = payload.body.strip()
    if not text.startswith(b"{"):
        return (_digits(text) or payload.body), None
    envelope: Mapping[str, Any] = read_json(text)
    told = next((envelope[key] for key in _TEXTS if key in envelope), None)
    body = _digits(told.strip().encode(errors="replace")) if isinstance(told, str) else b""
    if not body:
        raise Refused("unreadable", f"the telegram is not written in hexadecimal digits: {shown(told)}")
    stamp = next((envelope[key] for key in _TIMES if key in envelope), None)
    if stamp is None:
        raise Refused("no-time", "the envelope has no time")
    return body, stamp


def _time(stamp: Any, payload: Payload, source: Source) -> tuple[int, str]:
    return read_time(stamp, source.time_zone, payload.received_at)


def _without_run(body: bytes, stamp: Any) -> bytes:
    """The telegram again, its run set to 0: what is refused says no more about a duty than what is taken."""
    masked = body[:RUN] + bytes(len(body[RUN : RUN + 1])) + body[RUN + 1 :]
    if stamp is None:
        return masked.hex().encode()
    return msgspec.json.encode({"telegram": masked.hex(), "time": stamp})


def _digits(text: bytes) -> bytes:
    """The bytes of hexadecimal digits, with or without something between them; nothing where it is another text."""
    return bytes.fromhex(re.sub(rb"[ :\t]", b"", text).decode("ascii")) if _HEX.match(text) else b""


def _add(gathered: Gathered, source: Source, telegram: Telegram, time: int, flag: str) -> None:
    point = telegram.point
    thing = ThingDeclaration(
        id=f"r09-{point >> 2}",
        name=_name(source, point >> 2),
        properties={"kind": "reporting-point", "number": point >> 2},
    )
    requests = source.settings.get("requests")
    word = requests[point & 3] if isinstance(requests, list) and len(requests) == 4 else point & 3
    results = {
        "request": ("priority-request", str(word)),
        "priority": ("request-priority", telegram.priority),
        "line": ("transit-line", str(telegram.line)),
        "destination": ("transit-destination", str(telegram.destination)),
        "deviation": ("schedule-deviation-code", telegram.deviation),
        "length": ("train-length", telegram.length),
    }
    for part, (property_id, result) in results.items():
        gathered.add(declare(source, thing, part, property_id, _SENSOR, volatile=True), time, result, flag)


def _name(source: Source, number: int) -> str:
    names = source.settings.get("names")
    name = names.get(str(number)) if isinstance(names, Mapping) else None
    return name if isinstance(name, str) and name else f"r09-{number}"

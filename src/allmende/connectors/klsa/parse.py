"""One message of the central signal control: the topic says what it is, the payload is a number or a short list.

Nothing here writes to these topics, and nothing may: towards traffic signals the platform only reads.
"""

import re
from typing import Any, NamedTuple

import msgspec

from allmende.connectors.klsa.aspects import ASPECTS, STATES, aspect
from allmende.connectors.messages import Gathered, Refused, name_part, refuse_payload, shown, whole
from allmende.connectors.properties import declare
from allmende.domain.connector import Payload, Source
from allmende.domain.records import Declaration, Parsed, Result, SensorDeclaration, ThingDeclaration
from allmende.domain.times import SECOND

_TOPIC = re.compile(r"(?:^|/)klsa/([^/]+)/([^/]+)/([^/]+)(?:/(.+))?\Z")
_SENSOR = SensorDeclaration(id="klsa", name="kLSA", description="Central signal control of the city")
_NAMED = {"sg": "signal-aspect", "det": "detector-value", "apw": "user-value"}
_PLAIN = {"ph": ("phase", "signal-phase"), "control": ("control", "control-bits")}
_EPOCH_MS = range(1_000_000_000_000, 100_000_000_000_000)
"""Milliseconds since 1970 from 2001 to 5138: what lies outside is another unit or no time."""

__all__ = ["ASPECTS", "STATES", "parse"]


class _Message(NamedTuple):
    source: Source
    thing: ThingDeclaration
    value: Any
    received_at: int
    gathered: Gathered

    def add(self, part: str, property_id: str, time: int, result: Result, flag: str = "", label: str = "") -> None:
        self.gathered.add(self.declare(part, property_id, label), time, result, flag)

    def declare(self, part: str, property_id: str, label: str = "") -> Declaration:
        return declare(self.source, self.thing, part, property_id, _SENSOR, label=label, volatile=True)


def parse(payload: Payload, source: Source) -> Parsed:
    """Readings of one message; its topic has to be known, since the payload says nothing of itself."""
    try:
        topic = _TOPIC.search(payload.name)
        if topic is None:
            raise Refused("no-identity", "the topic names no controller: …/klsa/{vsr}/{lsa}/…")
        try:
            value = msgspec.json.decode(payload.body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise Refused("unreadable", f"this is neither number nor list: {error}") from None
        controller = name_part(topic[2], "the controller")
        thing = ThingDeclaration(
            id=controller,
            name=controller,
            properties={"kind": "traffic-signals", "central": name_part(topic[1], "the central control")},
        )
        message = _Message(source, thing, value, payload.received_at, Gathered())
        _read(message, topic[3], topic[4])
        return message.gathered.parsed()
    except Refused as refused:
        return refuse_payload(payload, refused)


def _read(message: _Message, kind: str, name: str | None) -> None:
    if kind in _NAMED and name:
        part = name_part(name, "the topic's last part").replace("/", "_")
        if kind == "sg":
            word, flag = aspect(whole(message.value))
            message.add(f"{part}~aspect", "signal-aspect", message.received_at, word, flag, label=part)
        else:
            message.add(f"{kind}_{part}~value", _NAMED[kind], message.received_at, whole(message.value), label=part)
    elif name:
        raise Refused("unknown-topic", f"nothing is known under {kind}/{name[:80]}")
    elif kind == "status":
        code = whole(message.value)
        if code not in STATES:
            raise Refused("bad-value", f"{code} is no state: {', '.join(map(str, STATES))}")
        message.add("klsa~status", "control-state", message.received_at, STATES[code])
    elif kind in _PLAIN:
        part, observed = _PLAIN[kind]
        message.add(f"klsa~{part}", observed, message.received_at, _from_zero(message.value))
    elif kind in _LISTS:
        _LISTS[kind](message)
    else:
        raise Refused("unknown-topic", f"nothing is known under {kind[:80]}")


def _programme(message: _Message) -> None:
    """``[program, cycle ms, epoch ms]``, at the switch; retained, so that it comes again with each connection."""
    program, length, at = _list(message.value, 3)
    time = _time(at)
    message.add("klsa~program", "signal-program", time, _from_zero(program))
    message.add("klsa~cycle-length", "cycle-length", time, _from_zero(length))


def _cycle(message: _Message) -> None:
    """``[cycle position ms, epoch ms]``."""
    position, at = _list(message.value, 2)
    message.add("klsa~cycle-position", "cycle-position", _time(at), _from_zero(position))


def _transition(message: _Message) -> None:
    """``[number, name]``."""
    code, name = _list(message.value, 2)
    if not isinstance(name, str) or len(name) > 255:
        raise Refused("bad-value", f"the name of the phase transition is no text: {shown(name)}")
    message.add("klsa~phase-transition", "phase-transition", message.received_at, _from_zero(code))
    if name.strip():
        message.add("klsa~phase-transition-name", "phase-transition-name", message.received_at, name.strip())


def _keepalive(message: _Message) -> None:
    """Epoch ms every second. What matters is how far the two clocks lie apart: the controller falls back by that."""
    at = _time(message.value)
    message.add("klsa~clock-difference", "clock-difference", at, (message.received_at - at) / SECOND)


_LISTS = {"spltu": _programme, "tx": _cycle, "pue": _transition, "keepalive": _keepalive}


def _list(value: Any, count: int) -> list[Any]:
    if not isinstance(value, list) or len(value) != count:
        raise Refused("bad-value", f"{shown(value)} is no list of {count} values")
    return value


def _from_zero(value: Any) -> int:
    found = whole(value)
    if found < 0:
        raise Refused("bad-value", f"{found} is less than nothing")
    return found


def _time(value: Any) -> int:
    found = whole(value)
    if found not in _EPOCH_MS:
        raise Refused("bad-time", f"{found} are no milliseconds since 1970")
    return found * 1000

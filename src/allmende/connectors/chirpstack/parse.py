"""One uplink of ChirpStack v4 to readings. Radio and gateways are dropped here: they say nothing about the city."""

import re
from functools import partial
from typing import Any, NamedTuple

import msgspec

from allmende.connectors.lorawan.devices import Device
from allmende.connectors.lorawan.families import Sought
from allmende.connectors.lorawan.uplinks import Uplink, read_uplink
from allmende.connectors.messages import Refused, read_json, refuse_payload, table
from allmende.domain.connector import Payload, Source
from allmende.domain.errors import ConfigurationError, InvalidInput
from allmende.domain.records import Parsed
from allmende.domain.times import parse_instant

_EVENT = re.compile(r"/event/([a-z]+)\Z")
_EUI = re.compile(r"[0-9a-f]{16}\Z")
_INFO = {
    "tenantName": "tenant",
    "applicationName": "application",
    "applicationId": "application_id",
    "deviceProfileName": "device_profile",
    "deviceProfileId": "device_profile_id",
}


class _Time(NamedTuple):
    micros: int
    text: str
    flag: str


def parse(payload: Payload, source: Source) -> Parsed:
    """Readings of one uplink; what is no uplink (join, status, acknowledgement) gives nothing."""
    try:
        uplink = table(read_json(payload.body), "an uplink", "no-identity")
        if not _is_uplink(payload.name, uplink):
            return Parsed((), ())
        told = _tell(uplink)
        return Parsed((), ()) if told is None else read_uplink(payload, source, told)
    except Refused as refused:
        return refuse_payload(payload, refused)
    except ConfigurationError as error:
        return refuse_payload(payload, Refused("bad-family", f"the configuration cannot be used: {error}"))


def _is_uplink(topic: str, uplink: dict[str, Any]) -> bool:
    """By the topic; in a file, which has none, by the keys that only the other events have."""
    if event := _EVENT.search(topic):
        return event.group(1) == "up"
    is_status = "margin" in uplink and "object" not in uplink
    is_answer = "queueItemId" in uplink
    is_join = "devAddr" in uplink and not {"object", "data", "fCnt", "fPort"} & uplink.keys()
    return not (is_status or is_answer or is_join)


def _tell(uplink: dict[str, Any]) -> Uplink | None:
    """What of it is kept; None where the device spoke to the network alone."""
    info = uplink.get("deviceInfo")
    eui = str(info.get("devEui", "")).lower() if isinstance(info, dict) else ""
    if not isinstance(info, dict) or not _EUI.match(eui):
        raise Refused("no-identity", "deviceInfo.devEui is missing or is not 16 hexadecimal digits")
    decoded = uplink.get("object")
    if not isinstance(decoded, dict):
        if decoded is None and not uplink.get("data"):
            return None
        decoded = None
    time = _time(uplink)
    properties = {"device_eui": eui}
    properties |= {name: info[key] for key, name in _INFO.items() if isinstance(info.get(key), str)}
    return Uplink(
        device=Device(eui, str(info.get("deviceName") or ""), (eui,), properties),
        sought=Sought((str(info.get("deviceProfileName", "")),), str(info.get("deviceProfileId", ""))),
        decoded=decoded,
        data=uplink.get("data"),
        port=uplink.get("fPort"),
        micros=time.micros,
        flag=time.flag,
        alone=partial(_alone, uplink, time),
    )


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


def _alone(uplink: dict[str, Any], time: _Time, decoded: dict[str, Any], model: str) -> bytes:
    kept = {key: uplink[key] for key in ("deduplicationId", "deviceInfo", "fPort") if key in uplink}
    if model:  # the family was known by keys that are not there any more
        kept["deviceInfo"] = {**kept["deviceInfo"], "deviceProfileName": model}
    kept["object"] = decoded
    if time.flag:
        kept["rxInfo"] = [{"time": time.text}]
    else:
        kept["time"] = time.text
    return msgspec.json.encode(kept)

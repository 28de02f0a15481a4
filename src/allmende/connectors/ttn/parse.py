"""One uplink of The Things Network v3 to readings. Radio values, gateways and their positions are dropped here."""

import re
from functools import partial
from typing import Any

import msgspec

from allmende.connectors.lorawan.devices import Device
from allmende.connectors.lorawan.families import Sought
from allmende.connectors.lorawan.uplinks import Uplink, read_uplink
from allmende.connectors.messages import Refused, name_part, read_json, refuse_payload, table
from allmende.domain.connector import Payload, Source
from allmende.domain.errors import ConfigurationError, InvalidInput
from allmende.domain.records import Parsed
from allmende.domain.times import parse_instant

_EVENT = re.compile(r"v3/[^/]+/devices/[^/]+/(.+)\Z")
_EUI = re.compile(r"[0-9a-f]{16}\Z")
_MODEL = ("brand_id", "model_id")


def parse(payload: Payload, source: Source) -> Parsed:
    """Readings of one uplink; what is no uplink (join, downlink, location, service data) gives nothing."""
    try:
        message = table(read_json(payload.body), "an uplink", "no-identity")
        if not _is_uplink(payload.name, message):
            return Parsed((), ())
        told = _tell(message, source)
        return Parsed((), ()) if told is None else read_uplink(payload, source, told)
    except Refused as refused:
        return refuse_payload(payload, refused)
    except ConfigurationError as error:
        return refuse_payload(payload, Refused("bad-family", f"the configuration cannot be used: {error}"))


def _is_uplink(topic: str, message: dict[str, Any]) -> bool:
    """By the topic; in a file, which has none, by what the message holds."""
    if event := _EVENT.match(topic):
        return event.group(1) == "up"
    others = ("join_accept", "location_solved", "service_data", "uplink_normalized")
    is_downlink = any(isinstance(key, str) and key.startswith("downlink_") for key in message)
    return "uplink_message" in message or not (is_downlink or any(key in message for key in others))


def _tell(message: dict[str, Any], source: Source) -> Uplink | None:
    """What of it is kept; None where the device spoke to the network alone."""
    device, names = _device(message, source)
    uplink = table(message.get("uplink_message"), "uplink_message", "no-object")
    if message.get("simulated") is True or uplink.get("simulated") is True:
        raise Refused("simulated", "the uplink was made up in the network's console: it is no measurement")
    decoded = uplink.get("decoded_payload")
    if not isinstance(decoded, dict):
        if decoded is None and not uplink.get("frm_payload"):
            return None
        decoded = None
    text = message.get("received_at")
    if not isinstance(text, str):
        raise Refused("no-time", "the uplink has no received_at")
    try:
        micros = parse_instant(text)
    except InvalidInput as error:
        raise Refused("bad-time", str(error)) from None
    return Uplink(
        device=device,
        sought=Sought((*_listed(source, device), *names)),
        decoded=decoded,
        data=uplink.get("frm_payload"),
        port=uplink.get("f_port"),
        micros=micros,
        flag="",
        alone=partial(_alone, message, uplink, text),
    )


def _device(message: dict[str, Any], source: Source) -> tuple[Device, list[str]]:
    """The device, and what its model may be called, the most exact name first."""
    ids = table(message.get("end_device_ids"), "end_device_ids", "no-identity")
    device_id = name_part(ids.get("device_id"), "end_device_ids.device_id")
    eui = str(ids.get("dev_eui") or "").lower()
    application = ids.get("application_ids")
    name = application.get("application_id") if isinstance(application, dict) else None
    properties = {"device_id": device_id}
    if isinstance(name, str) and name:
        properties["application"] = name
    if _EUI.match(eui):
        properties["device_eui"] = eui
    uplink = message.get("uplink_message")
    version = uplink.get("version_ids") if isinstance(uplink, dict) else None
    parts = [version[key] for key in _MODEL if isinstance(version.get(key), str)] if isinstance(version, dict) else []
    models = [" ".join(parts), parts[-1]] if parts else []
    if models:
        properties["device_profile"] = models[0]
    known_as = (eui, device_id) if _EUI.match(eui) else (device_id,)
    return Device(_thing_id(source, eui, device_id), device_id, known_as, properties), models


def _thing_id(source: Source, eui: str, device_id: str) -> str:
    """The EUI, which no other device has; or the network's name, which is one within an application alone."""
    if source.settings.get("identity") == "device-id":
        return device_id
    if not _EUI.match(eui):
        raise Refused("no-identity", "end_device_ids.dev_eui is missing or is not 16 hexadecimal digits")
    return eui


def _listed(source: Source, device: Device) -> list[str]:
    """The family that the city's settings give this device."""
    devices = source.settings.get("devices")
    if not isinstance(devices, dict):
        return []
    return [devices[name] for name in device.known_as if isinstance(devices.get(name), str)]


def _alone(message: dict[str, Any], uplink: dict[str, Any], time: str, decoded: dict[str, Any], model: str) -> bytes:
    kept = {key: uplink[key] for key in ("f_port", "version_ids") if key in uplink}
    if model:  # the family was known by keys that are not there any more
        kept["version_ids"] = {"model_id": model}
    whole = {"end_device_ids": message["end_device_ids"], "received_at": time}
    return msgspec.json.encode({**whole, "uplink_message": {**kept, "decoded_payload": decoded}})

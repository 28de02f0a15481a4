"""One answer of a vehicle's services, as XML or as JSON, to readings of the vehicle.

A bus is no person, but one person drives it: what would tell of the driver (number, run, panic button, speed) ends
here, also in what is refused.
"""

import re
from collections.abc import Mapping
from typing import Any

from allmende.connectors.device_time import read_time
from allmende.connectors.ibis_ip.documents import Document, find_data, nameless, read_document
from allmende.connectors.ibis_ip.position import read_position
from allmende.connectors.ibis_ip.trip import read_trip
from allmende.connectors.messages import Gathered, Refused, name_part, refuse
from allmende.domain.connector import Payload, Source
from allmende.domain.records import Parsed, SensorDeclaration, ThingDeclaration

_TOPIC = re.compile(r"(?:^|/)ibis/([^/]+)/([^/]+)(?:/.*)?\Z")
_SENSOR = SensorDeclaration(id="ibis-ip", name="IBIS-IP", description="Services of the vehicle's computer, VDV 301")
_UNTAKEN = frozenset({"currentannouncement", "currentconnection", "razzia", "tariffstop", "counting", "ticket"})
_PLACES = ("Latitude", "Longitude")


def parse(payload: Payload, source: Source) -> Parsed:
    """Readings of one message. Services that are not taken (tickets, announcements, counting) give nothing."""
    kept = b""
    try:
        document = read_document(payload.body)
        if any(word in document.kind.lower() for word in _UNTAKEN):
            return Parsed((), ())
        kept = nameless(document)
        gathered = Gathered()
        data = find_data(document)
        thing = _vehicle(payload, source, data)
        if all(key in data for key in _PLACES):
            read_position(gathered, source, thing, _SENSOR, data, payload.received_at)
        else:
            time, flag = read_time(data.get("TimeStamp"), source.time_zone, payload.received_at)
            told = {key: data[key] for key in ("TimeStamp", "VehicleRef") if key in data}

            def keep(refused: Refused, part: str, alone: Mapping[str, Any]) -> None:
                body = nameless(Document("", {**told, **alone}))
                gathered.rejections.append(refuse(payload, refused, body=body, where=part))

            read_trip(gathered, source, thing, _SENSOR, data, (time, flag), keep)
        return gathered.parsed()
    except Refused as refused:
        return Parsed((), (refuse(payload, refused, body=kept),))


def _vehicle(payload: Payload, source: Source, data: Mapping[str, Any]) -> ThingDeclaration:
    """By the topic (``5g/ibis/{type}/{vehicle}``), or by the vehicle's own number."""
    topic = _TOPIC.search(payload.name)
    if topic:
        id_ = name_part(topic[2], "the vehicle")
    else:
        number = name_part(data.get("VehicleRef"), "VehicleRef")
        id_ = f"{source.settings.get('prefix', 'vehicle-')}{number}"
    return ThingDeclaration(id=id_, name=id_, properties={"kind": "transit-vehicle"})

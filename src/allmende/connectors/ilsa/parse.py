"""The messages of an ILSA reader, told apart by topic and shape: set-up, a signal's state, a temperature."""

import re

from allmende.connectors.ilsa.setup import read_setup
from allmende.connectors.ilsa.signals import read_signal, read_temperature
from allmende.connectors.messages import Gathered, Refused, name_part, read_json, refuse_payload, table
from allmende.domain.connector import Payload, Source
from allmende.domain.records import Parsed

_TOPIC = re.compile(r"(?:^|/)ilsa/([^/]+)/(.+)\Z")


def parse(payload: Payload, source: Source) -> Parsed:
    """One message. A file has no topic: there ``intersection`` of the message or of the settings says whose it is."""
    try:
        gathered = Gathered()
        topic = _TOPIC.search(payload.name)
        intersection, rest = (name_part(topic[1], "the intersection"), topic[2]) if topic else ("", "")
        if rest == "thermal":
            read_temperature(gathered, source, intersection, payload.body, payload.received_at)
            return gathered.parsed()
        message = table(read_json(payload.body), "a message")
        if rest.startswith("config") or "modules" in message or "subcircles" in message:
            read_setup(gathered, payload, source, message, intersection)
        else:
            told = intersection or message.get("intersection") or source.settings.get("intersection")
            if not told:
                raise Refused("no-identity", "neither topic nor message say at which intersection the signal stands")
            read_signal(gathered, source, name_part(told, "the intersection"), message, payload.received_at)
        return gathered.parsed()
    except Refused as refused:
        return refuse_payload(payload, refused)

"""The three documents of one source, told apart by their first sign."""

from allmende.connectors.jena_parking.datex import read_status
from allmende.connectors.jena_parking.description import read_description
from allmende.connectors.jena_parking.recording import read_recording
from allmende.domain.connector import Payload, Source
from allmende.domain.records import Parsed, Rejection


def parse(payload: Payload, source: Source) -> Parsed:
    """XML is the live feed, JSON the description, everything else the recorded CSV."""
    begun = payload.body.removeprefix(b"\xef\xbb\xbf").lstrip(b" \t\r\n")[:1]
    if begun == b"<":
        return read_status(payload, source)
    if begun in (b"{", b"["):
        return read_description(payload, source)
    if not begun:
        return Parsed((), (Rejection(reason="there is nothing in it", body=payload.body, code="empty"),))
    return read_recording(payload, source)

"""The status, and the table of names and places where it lies at another address."""

from collections.abc import Iterable

from lxml import etree

from allmende.connectors.fetching import open_client, read
from allmende.connectors.gathering import Refused
from allmende.connectors.markup import parse_xml
from allmende.domain.connector import Payload, Source


def fetch(source: Source, *, now: int, since: int | None) -> Iterable[Payload]:
    """One payload: the status alone, or table and status in one document."""
    table_address = source.settings.get("table_address")
    with open_client(source) as client:
        status = read(client, source.address)
        if not isinstance(table_address, str) or not table_address:
            yield Payload(body=status, name=source.address, received_at=now)
            return
        yield Payload(body=_together(read(client, table_address), status), name=source.address, received_at=now)


def _together(table: bytes, status: bytes) -> bytes:
    """Both in one document; the status as it came where either cannot be read, so that parse says what is wrong."""
    try:
        roots = parse_xml(table), parse_xml(status)
    except Refused:
        return status
    both = etree.Element("messages")
    both.extend(roots)
    return etree.tostring(both, encoding="utf-8")

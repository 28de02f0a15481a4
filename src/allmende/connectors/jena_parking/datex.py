"""The live feed: DATEX II v2, a parkingFacilityStatus for each car park, in whatever envelope it comes.

Namespaces and prefixes are not looked at: the element names are enough, and feeds differ in them.
"""

import re
from copy import deepcopy
from typing import NamedTuple

from lxml import etree

from allmende.connectors import parking
from allmende.connectors.jena_parking.places import Places
from allmende.connectors.jena_parking.streams import Gathered
from allmende.domain.connector import Payload, Source
from allmende.domain.errors import InvalidInput
from allmende.domain.records import Parsed, Rejection
from allmende.domain.times import parse_instant

RECORD = "parkingFacilityStatus"
QUANTITIES = {
    "totalNumberOfVacantParkingSpaces": "free",
    "totalNumberOfOccupiedParkingSpaces": "occupied",
    "totalParkingCapacityShortTermOverride": "capacity",
}
_NUMBER = re.compile(r"([0-9]{1,9})(?:\.0+)?\Z", re.ASCII)


class _Refused(NamedTuple):
    code: str
    reason: str


def read_status(payload: Payload, source: Source) -> Parsed:
    """Free and occupied spaces and capacity of every car park. An entity or a DTD in the document refuses it."""
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, dtd_validation=False, huge_tree=False
    )
    try:
        root = etree.fromstring(payload.body, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        return _all(payload, "unreadable", f"this is no XML: {error}")
    if root.getroottree().docinfo.internalDTD is not None:
        return _all(payload, "doctype", "the document has a DTD, which is not taken")
    # A car park's record and the state within it have one name.
    records = [found for found in root.iter(f"{{*}}{RECORD}") if _local(found.getparent()) != RECORD]
    if not records:
        return _all(payload, "no-status", f"the document has no {RECORD}")
    published = root.find(".//{*}publicationTime")
    reader = _Reader(payload, source, "" if published is None else (published.text or "").strip())
    for record in records:
        reader.read(record)
    return Parsed(reader.gathered.records(), reader.rejections)


def _all(payload: Payload, code: str, reason: str) -> Parsed:
    return Parsed((), (Rejection(reason=reason, body=payload.body, code=code),))


def _local(element: etree._Element | None) -> str:
    return etree.QName(element).localname if element is not None and isinstance(element.tag, str) else ""


class _Reader:
    def __init__(self, payload: Payload, source: Source, published: str) -> None:
        self.gathered = Gathered(source)
        self.rejections: list[Rejection] = []
        self._places = Places(source)
        self._first_line = payload.line
        self._published = published

    def read(self, record: etree._Element) -> None:
        """One car park: up to three readings, a rejection for each value or for the whole of it."""
        found = {_local(child): child for child in record}
        reference = found.get("parkingFacilityReference")
        name = "" if reference is None else (reference.get("id") or "").strip()
        if not name:
            return self._refuse(record, name, _Refused("no-reference", "the car park has no name"))
        thing = self._places.find(name)
        if thing is None:
            return self._refuse(
                record, name, _Refused("unknown-place", f"no thing of the profile is called {name[:80]!r}")
            )
        try:
            own = found.get("parkingFacilityStatusTime")
            time = parse_instant(self._published if own is None else _text(own))
        except InvalidInput as error:
            return self._refuse(record, name, _Refused("bad-time", str(error)))
        values: dict[str, int] = {}
        for tag, quantity in QUANTITIES.items():
            text = _text(found.get(tag))
            if number := _NUMBER.match(text):
                values[quantity] = int(number.group(1))
            elif tag in found:
                refused = _Refused("bad-number", f"{tag} is {text[:80]!r}, not a whole number from 0 on")
                self._refuse(record, name, refused, only=tag)
                if quantity != "capacity":
                    self.gathered.add(thing, quantity, time, None, parking.unread(text))
        if not values and not any(tag in found for tag in QUANTITIES):
            return self._refuse(record, name, _Refused("no-values", "the car park has neither spaces nor capacity"))
        states = {_text(child) for child in record if _local(child) == RECORD}
        for quantity, value in values.items():
            self.gathered.add(thing, quantity, time, value, parking.doubt(quantity, values, states))
        return None

    def _refuse(self, record: etree._Element, name: str, refused: _Refused, only: str = "") -> None:
        """Keeps the record in an envelope of its own; ``only`` leaves out the values that were taken."""
        kept = deepcopy(record)
        kept.tail = None
        if only:
            for child in list(kept):
                if _local(child) in QUANTITIES and _local(child) != only:
                    kept.remove(child)
        space = etree.QName(record).namespace
        prefix = f"{{{space}}}" if space else ""
        model = etree.Element(f"{prefix}d2LogicalModel", nsmap={None: space} if space else {})
        publication = etree.SubElement(model, f"{prefix}payloadPublication")
        etree.SubElement(publication, f"{prefix}publicationTime").text = self._published
        publication.append(kept)
        where = f"line {self._first_line + (record.sourceline or 1) - 1}" + (f", {name[:80]}" if name else "")
        self.rejections.append(
            Rejection(
                reason=refused.reason, body=etree.tostring(model, encoding="utf-8"), where=where, code=refused.code
            )
        )


def _text(element: etree._Element | None) -> str:
    return "" if element is None else (element.text or "").strip()

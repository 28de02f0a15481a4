"""The older form of DATEX II (version 2, parkingFacilityStatus), for those who read the city's former feed.

Its envelope is the one that German cities wrote it in: a GenericPublication with an extension. It has no published
schema for that extension; the elements are those that such feeds have. New readers take version 3.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from lxml import etree

from allmende.city.parking.feeds.datex import CONTROL, Publisher
from allmende.city.parking.feeds.versions import known_at
from allmende.city.parking.state import SiteState

NAMESPACE = "http://datex2.eu/schema/2/2_0"
XSI = "http://www.w3.org/2001/XMLSchema-instance"


def status(states: Sequence[SiteState], publisher: Publisher) -> etree._Element:
    """Every car park and area whose numbers are known and plausible, or that is closed; for names and places too."""
    root = etree.Element(etree.QName(NAMESPACE, "d2LogicalModel"), nsmap={None: NAMESPACE, "xsi": XSI})
    root.set("modelBaseVersion", "2")
    supplier = _add(_add(root, "exchange"), "supplierIdentification")
    _add(supplier, "country", publisher.country)
    _add(supplier, "nationalIdentifier", publisher.name)
    publication = _add(root, "payloadPublication")
    publication.set(etree.QName(XSI, "type"), "GenericPublication")
    publication.set("lang", publisher.language)
    _add(publication, "publicationTime", _instant(known_at(states)))
    creator = _add(publication, "publicationCreator")
    _add(creator, "country", publisher.country)
    _add(creator, "nationalIdentifier", publisher.name)
    _add(publication, "genericPublicationName", "ParkingFacilityTableStatusPublication")
    extension = _add(publication, "genericPublicationExtension")
    sites = [state for state in states if state.site.kind in ("car-park", "parking-area")]
    listed = _add(_add(extension, "parkingFacilityTablePublication"), "parkingFacilityTable")
    for state in sites:
        _facility(listed, state, publisher)
    told = _add(extension, "parkingFacilityTableStatusPublication")
    for state in sites:
        if state.stamp is not None and (state.status == "closed" or (state.status == "live" and not state.flags)):
            _status(told, state, state.stamp)
    return root


def _facility(parent: etree._Element, state: SiteState, publisher: Publisher) -> None:
    site = state.site
    element = _add(parent, "parkingFacility")
    element.set("id", site.id)
    element.set("version", "1.0")
    name = _add(_add(_add(element, "parkingFacilityName"), "values"), "value", site.name)
    name.set("lang", publisher.language)
    if state.capacity is not None:
        _add(element, "totalParkingCapacity", state.capacity)
    if site.lat is not None and site.lon is not None:
        point = _add(_add(_add(element, "facilityLocation"), "pointByCoordinates"), "pointCoordinates")
        _add(point, "latitude", site.lat)
        _add(point, "longitude", site.lon)


def _status(parent: etree._Element, state: SiteState, stamp: datetime) -> None:
    element = _add(parent, "parkingFacilityStatus")
    reference = _add(element, "parkingFacilityReference")
    reference.set("targetClass", "ParkingFacility")
    reference.set("id", state.site.id)
    reference.set("version", "1.0")
    _add(element, "parkingFacilityStatus", "closed" if state.status == "closed" else "open")
    _add(element, "parkingFacilityStatusTime", _instant(stamp))
    if state.occupied is not None:
        _add(element, "totalNumberOfOccupiedParkingSpaces", max(state.occupied, 0))
    _add(element, "totalNumberOfVacantParkingSpaces", 0 if state.status == "closed" else max(state.free or 0, 0))
    if state.capacity is not None:
        _add(element, "totalParkingCapacityShortTermOverride", state.capacity)


def _add(parent: etree._Element, name: str, value: Any = None) -> etree._Element:
    element = etree.SubElement(parent, etree.QName(NAMESPACE, name))
    if value is not None:
        element.text = CONTROL.sub(" ", str(value))
    return element


def _instant(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")

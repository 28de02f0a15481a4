"""Sites and their states as DATEX II version 3: ParkingTablePublication and ParkingStatusPublication.

The order of the elements is that of the published schema of the namespace ``http://datex2.eu/schema/3/parking``; what
is written here was validated against it (docs/reference/parking-feeds.md says how and when). Bays of an area are its
``parkingSpace``s; a bay without an area is a record of its own. Data of a simulation is a publication of its own, with
``informationStatus`` "test". What a site's facts say and DATEX II has no word for is left out.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from hashlib import blake2b
from typing import Any, NamedTuple

from lxml import etree

from allmende.city.parking.feeds import hours
from allmende.city.parking.feeds.datex_facts import COM, LOC, MODES, PAR, scenarios, write_area, write_assigned
from allmende.city.parking.feeds.versions import known_at, said_at
from allmende.city.parking.sites import Site
from allmende.city.parking.state import SiteState

D2 = "http://datex2.eu/schema/3/d2Payload"
CON = "http://datex2.eu/schema/3/messageContainer"
EX = "http://datex2.eu/schema/3/exchangeInformation"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
_PREFIXES = {"com": COM, "par": PAR, "loc": LOC, "xsi": XSI}
LAYOUTS = {"CAR_PARK": "multiStorey", "UNDERGROUND": "underground", "OFF_STREET_PARKING_GROUND": "openSpace"}
_PLACES = {
    "ON_STREET": "onStreetParking",
    "CAR_PARK": "offStreetParking",
    "UNDERGROUND": "offStreetParking",
    "OFF_STREET_PARKING_GROUND": "offStreetParking",
}
GROUPS: Mapping[str, tuple[str, str]] = {
    "disabled": ("applicableForUser", "handicapped"),
    "woman": ("applicableForUser", "women"),
    "family": ("applicableForUser", "families"),
    "charging": ("fuelType", "battery"),
    "bus": ("vehicleType", "bus"),
    "truck": ("vehicleType", "lorry"),
    "caravan": ("vehicleType", "motorhome"),
    "motorcycle": ("vehicleType", "motorcycle"),
    "bike": ("vehicleType", "bicycle"),
}
"""How DATEX II says for whom spaces are; carsharing and leased spaces it has no word for."""
_TRENDS = {"rising": "decreasing", "falling": "increasing", "steady": "stable"}
"""Of the occupancy, where ours is of the free spaces."""
_FEW = 0.1
CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


class Publisher(NamedTuple):
    """Who publishes: ISO 3166 country in small letters, and a name within it."""

    country: str
    name: str
    language: str
    identifier: str = ""
    """The number or name by which the national access point knows the publisher; "": the name."""
    feed: str = ""
    """The kind of feed (``feedType``), where the access point asks for one."""

    @property
    def national(self) -> str:
        """What stands as the national identifier."""
        return self.identifier or self.name


class _Record(NamedTuple):
    """What has a record of its own, with the bays in it."""

    state: SiteState
    bays: tuple[SiteState, ...]


def table(states: Sequence[SiteState], publisher: Publisher, *, test: bool = False) -> etree._Element:
    """The payload with the static data of all sites."""
    payload = _payload("ParkingTablePublication", states, publisher, test=test)
    records = _records(states)
    listed = _add(payload, PAR, "parkingTable")
    _name(_add(listed, PAR, "parkingTableName"), publisher.name, publisher.language)
    _add(
        listed,
        PAR,
        "parkingTableVersionTime",
        _instant(max((said_at(r.state.site) for r in records), default=known_at([]))),
    )
    zones = {state.site.stands_for: state.site.name for state in states if state.site.kind == "parking-zone"}
    for record in records:
        _site(listed, record, publisher, zones.get(record.state.site.parent or "", ""))
    listed.set("id", f"{publisher.name}-parking")
    listed.set("version", _digest([str(record.get("version")) for record in listed if record.get("version")]))
    return payload


def status(states: Sequence[SiteState], publisher: Publisher, *, test: bool = False) -> etree._Element:
    """The payload with the dynamic data of all sites that have any."""
    payload = _payload("ParkingStatusPublication", states, publisher, test=test)
    records = _records(states)
    told = [record for record in records if record.state.stamp is not None or any(bay.stamp for bay in record.bays)]
    known = known_at(states)
    for record in told or records:  # the schema wants one at least: then that nothing is known
        _status(payload, record, known)
    return payload


def contained(payload: etree._Element, publisher: Publisher) -> etree._Element:
    """The payload in a message container of "Exchange 2020" (snapshot pull), as an exchange without SOAP asks for."""
    container = etree.Element(etree.QName(CON, "messageContainer"), nsmap={"con": CON, "ex": EX, **_PREFIXES})
    container.set("modelBaseVersion", "3")
    inner = etree.SubElement(container, etree.QName(CON, "payload"))
    for name, value in payload.attrib.items():
        inner.set(name, value)
    inner.extend(list(payload))
    told = _add(container, CON, "exchangeInformation")
    told.set("modelBaseVersion", "3")
    context = _add(told, EX, "exchangeContext")
    _add(context, EX, "codedExchangeProtocol", "snapshotPull")
    _add(context, EX, "exchangeSpecificationVersion", "3")
    supplier = _add(_add(context, EX, "supplierOrCisRequester"), EX, "internationalIdentifier")
    _add(supplier, COM, "country", publisher.country)
    _add(supplier, COM, "nationalIdentifier", publisher.national)
    dynamic = _add(told, EX, "dynamicInformation")
    _add(dynamic, EX, "exchangeStatus", "undefined")
    _add(dynamic, EX, "messageGenerationTimestamp", inner.findtext(f"{{{COM}}}publicationTime") or "")
    return container


def written(root: etree._Element) -> bytes:
    """The document as it is sent."""
    return etree.tostring(root, encoding="UTF-8", xml_declaration=True)


def _payload(kind: str, states: Sequence[SiteState], publisher: Publisher, *, test: bool) -> etree._Element:
    payload = etree.Element(etree.QName(D2, "payload"), nsmap={"d2": D2, **_PREFIXES})
    payload.set(etree.QName(XSI, "type"), f"par:{kind}")
    payload.set("lang", publisher.language)
    payload.set("modelBaseVersion", "3")
    if publisher.feed:
        _add(payload, COM, "feedType", publisher.feed)
    _add(payload, COM, "publicationTime", _instant(known_at(states)))
    creator = _add(payload, COM, "publicationCreator")
    _add(creator, COM, "country", publisher.country)
    _add(creator, COM, "nationalIdentifier", publisher.national)
    header = _add(payload, PAR, "headerInformation")
    _add(header, COM, "confidentiality", "noRestriction")
    _add(header, COM, "informationStatus", "test" if test else "real")
    return payload


def _records(states: Sequence[SiteState]) -> list[_Record]:
    """Every site but zones; bays within the area or car park that holds them."""
    holders = {state.site.stands_for for state in states if state.site.kind in ("car-park", "parking-area")}
    inside: dict[str, list[SiteState]] = {}
    for state in states:
        if state.site.kind == "parking-bay" and state.site.parent in holders:
            inside.setdefault(str(state.site.parent), []).append(state)
    return [
        _Record(state, tuple(inside.get(state.site.stands_for, ())))
        for state in states
        if state.site.kind != "parking-zone" and not (state.site.kind == "parking-bay" and state.site.parent in holders)
    ]


def _site(listed: etree._Element, record: _Record, publisher: Publisher, zone: str) -> None:
    state, site = record.state, record.state.site
    lang = publisher.language
    element = _add(listed, PAR, "parkingRecord")
    element.set(etree.QName(XSI, "type"), "par:UrbanParkingSite")
    _name(_add(element, PAR, "parkingName"), site.name, lang)
    described = site.fact("description") or site.description
    if described:
        _name(_add(element, PAR, "parkingDescription"), described, lang)
    _add(element, PAR, "parkingRecordVersionTime", _instant(said_at(site)))
    if state.capacity is not None:
        _add(element, PAR, "parkingNumberOfSpaces", state.capacity)
    _add_some(
        element,
        ("maximumParkingDuration", site.fact("max_stay")),
        ("photoUrl", site.fact("photo_url")),
        ("urlLinkAddress", site.fact("public_url")),
    )
    if record.bays or state.estimated:
        _add(element, PAR, "parkingOccupancyDetectionType", "modelBased" if state.estimated else "singleSpaceDetection")
    if operator := site.fact("operator_name"):
        _contact(element, "operator", site, {"contactOrganisationName": operator}, lang)
    _point(element, site)
    write_assigned(element, site, _add)
    _prohibitions(element, site)
    _payment(element, site, lang)
    for number, bay in enumerate(record.bays, 1):
        _bay(element, bay, number, lang)
    for number, kind in enumerate(_kinds(state), 1):
        _group(element, state, kind, number)
    _mode(element, state)
    write_area(element, site, _add)
    if layout := LAYOUTS.get(site.fact("type") or ""):
        _add(element, PAR, "parkingLayout", layout)
    if site.fact("is_covered") is True:
        _add(element, PAR, "parkingLayout", "covered")
    if address := site.fact("address"):
        _contact(element, "parkingSiteAddress", site, {"contactDetailsAddress": address}, lang)
    for number, word in enumerate(scenarios(site), 1):
        scenario = _add(element, PAR, "parkingUsageScenario")
        scenario.set("scenarioIndex", str(number))
        _add(_add(scenario, PAR, "parkingUsageScenario"), PAR, "parkingUsageScenario", word)
    hours.write(element, site.fact("opening_hours"), _add)
    _supervision(element, site)
    _add(element, PAR, "urbanParkingSiteType", _PLACES.get(site.fact("type") or "", "other"))
    if zone:
        _name(_add(element, PAR, "parkingZone"), zone, lang)
    element.set("id", site.id)
    element.set("version", _digest([etree.tostring(element).decode()]))


def _add_some(element: etree._Element, *said: tuple[str, Any]) -> None:
    for name, value in said:
        if value is not None:
            _add(element, PAR, name, value)


def _point(element: etree._Element, site: Site) -> None:
    """Where it is; the schema wants a location, and one without a place where nobody knows it."""
    location = _add(element, PAR, "parkingLocation")
    location.set(etree.QName(XSI, "type"), "loc:PointLocation")
    if site.lat is not None and site.lon is not None:
        coordinates = _add(_add(location, LOC, "pointByCoordinates"), LOC, "pointCoordinates")
        _add(coordinates, LOC, "latitude", site.lat)
        _add(coordinates, LOC, "longitude", site.lon)


def _prohibitions(element: etree._Element, site: Site) -> None:
    """Vehicles higher or wider than the entrance."""
    height, width = site.fact("max_height"), site.fact("max_width")
    if height is None and width is None:
        return
    vehicles = _add(element, PAR, "prohibitedParking")
    for said, tag, size in ((height, "height", "vehicleHeight"), (width, "width", "vehicleWidth")):
        if said is not None:
            each = _add(_add(vehicles, PAR, "vehicleCharacteristics"), COM, f"{tag}Characteristic")
            _add(each, COM, "comparisonOperator", "greaterThan")
            _add(each, COM, size, said / 100)


def _payment(element: etree._Element, site: Site, lang: str) -> None:
    fee, words = site.fact("has_fee"), site.fact("fee_description")
    if fee is None and words is None:
        return
    payment = _add(element, PAR, "tariffsAndPayment")
    if words is not None:
        _name(_add(payment, PAR, "paymentAdditionalDescription"), words, lang)
    if fee is not None:
        _add(payment, PAR, "freeOfCharge", not fee)


def _supervision(element: etree._Element, site: Site) -> None:
    said = {"VIDEO": "cctv", "ATTENDED": "securityStaff", "NO": "none"}.get(site.fact("supervision_type") or "")
    lit = site.fact("has_lighting") is True
    if said is None and not lit:
        return
    standards = _add(element, PAR, "parkingStandardsAndSecurity")
    for value in (said, "lighting" if lit else None):
        if value is not None:
            _add(standards, PAR, "parkingSecurity", value)


def _contact(element: etree._Element, tag: str, site: Site, said: Mapping[str, str], lang: str) -> None:
    contact = _add(element, PAR, tag)
    contact.set(etree.QName(XSI, "type"), "par:ContactDetails")
    for name, value in said.items():
        _name(_add(contact, PAR, name), value, lang)
    contact.set("id", f"{site.id}-{tag}")
    contact.set("version", _digest(sorted(said.values())))


def _bay(element: etree._Element, bay: SiteState, number: int, lang: str) -> None:
    outer = _add(element, PAR, "parkingSpace")
    outer.set("parkingSpaceIndex", str(number))
    space = _add(outer, PAR, "parkingSpaceBasics")
    space.set(etree.QName(XSI, "type"), "par:ParkingSpace")
    _name(_add(space, PAR, "parkingSpaceOrGroupIdentifier"), bay.site.id, lang)
    for kind in _kinds(bay)[:1]:
        _assigned(space, kind)
    if bay.site.lat is not None and bay.site.lon is not None:
        location = _add(space, PAR, "location")
        location.set(etree.QName(XSI, "type"), "loc:PointLocation")
        coordinates = _add(_add(location, LOC, "pointByCoordinates"), LOC, "pointCoordinates")
        _add(coordinates, LOC, "latitude", bay.site.lat)
        _add(coordinates, LOC, "longitude", bay.site.lon)


def _kinds(state: SiteState) -> list[str]:
    return [kind for kind in GROUPS if kind in state.spaces and state.spaces[kind].capacity is not None]


def _group(element: etree._Element, state: SiteState, kind: str, number: int) -> None:
    outer = _add(element, PAR, "groupOfParkingSpaces")
    outer.set("groupIndex", str(number))
    group = _add(outer, PAR, "parkingSpaceBasics")
    group.set(etree.QName(XSI, "type"), "par:GroupOfParkingSpaces")
    _assigned(group, kind)
    _add(group, PAR, "parkingNumberOfSpaces", state.spaces[kind].capacity)
    _add(group, PAR, "parkingTypeOfGroup", "statisticsOnly")


def _mode(element: etree._Element, state: SiteState) -> None:
    """How vehicles stand to the kerb: said of a group of all spaces, since of a site DATEX II cannot say it."""
    mode = MODES.get(state.site.fact("orientation") or "")
    if mode is None or state.capacity is None:
        return
    outer = _add(element, PAR, "groupOfParkingSpaces")
    outer.set("groupIndex", str(len(_kinds(state)) + 1))
    group = _add(outer, PAR, "parkingSpaceBasics")
    group.set(etree.QName(XSI, "type"), "par:GroupOfParkingSpaces")
    _add(group, PAR, "parkingMode", mode)
    _add(group, PAR, "parkingNumberOfSpaces", state.capacity)
    _add(group, PAR, "parkingTypeOfGroup", "statisticsOnly")


def _assigned(element: etree._Element, kind: str) -> None:
    tag, word = GROUPS[kind]
    only = _add(element, PAR, "onlyAssignedParking")
    if tag == "applicableForUser":
        _add(only, PAR, tag, word)
    else:
        _add(_add(only, PAR, "vehicleCharacteristics"), COM, tag, word)


def _status(payload: etree._Element, record: _Record, published: datetime) -> None:
    state = record.state
    newest = max((each.stamp for each in (state, *record.bays) if each.stamp), default=published)
    element = _add(payload, PAR, "parkingRecordStatus")
    element.set(etree.QName(XSI, "type"), "par:ParkingSiteStatus")
    reference = _add(element, PAR, "parkingRecordReference")
    reference.set("id", state.site.id)
    reference.set("targetClass", "par:ParkingRecord")
    _add(element, PAR, "parkingStatusOriginTime", _instant(state.stamp or newest))
    for number, bay in enumerate(record.bays, 1):
        if bay.free is not None and not bay.flags:
            outer = _add(element, PAR, "parkingSpaceStatus")
            outer.set("parkingSpaceIndex", str(number))
            inner = _add(outer, PAR, "parkingSpaceStatus")
            _add(inner, PAR, "parkingSpaceOccupied", bay.free == 0)
            _add(inner, PAR, "measurementOrCalculationTime", _instant(bay.stamp or newest))
    _occupancy(_add(element, PAR, "parkingOccupancy"), state)
    for number, kind in enumerate(_kinds(state), 1):
        spaces = state.spaces[kind]
        if state.status == "live" and spaces.free is not None and not state.flags:
            outer = _add(element, PAR, "groupOfParkingSpacesStatus")
            outer.set("groupIndex", str(number))
            inner = _add(outer, PAR, "groupOfParkingSpacesStatus")
            _add_some(inner, ("parkingNumberOfVacantSpaces", max(spaces.free, 0)))
            _add_some(inner, ("parkingNumberOfOccupiedSpaces", spaces.occupied))
    if state.status == "live" and not state.flags:
        _add(element, PAR, "parkingSiteStatus", _fullness(state))
    _add(element, PAR, "parkingSiteOpeningStatus", {"closed": "closed"}.get(state.status, "statusUnknown"))


def _occupancy(element: etree._Element, state: SiteState) -> None:
    """The numbers, where they are plausible: a sign shows what stands here."""
    if state.status == "no-data":
        return
    if state.capacity is not None:
        _add(element, PAR, "parkingNumberOfSpacesOverride", state.capacity)
    if state.status == "closed":
        _add(element, PAR, "parkingNumberOfVacantSpaces", 0)
    if state.status != "live" or state.flags or state.free is None:
        return
    _add(element, PAR, "parkingNumberOfVacantSpaces", max(state.free, 0))
    if state.occupied is not None:
        _add(element, PAR, "parkingNumberOfOccupiedSpaces", max(state.occupied, 0))
        if state.capacity:
            share = min(100.0, 100 * max(state.occupied, 0) / state.capacity)
            _add(element, PAR, "parkingOccupancy", round(share, 2))
    if state.trend in _TRENDS:
        _add(element, PAR, "parkingOccupancyTrend", _TRENDS[state.trend])


def _fullness(state: SiteState) -> str:
    if state.free is None:
        return "unknown"
    if state.free <= 0:
        return "full"
    return "almostFull" if state.capacity and state.free / state.capacity < _FEW else "spacesAvailable"


def _name(element: etree._Element, text: str, lang: str) -> None:
    value = _add(_add(element, COM, "values"), COM, "value", text[:1024])
    value.set("lang", lang)


def _add(parent: etree._Element, space: str, name: str, value: Any = None) -> etree._Element:
    element = etree.SubElement(parent, etree.QName(space, name))
    if value is not None:
        text = str(value).lower() if isinstance(value, bool) else str(value)
        element.text = CONTROL.sub(" ", text)
    return element


def _instant(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _digest(parts: Iterable[str]) -> str:
    return blake2b("\n".join(parts).encode(), digest_size=8).hexdigest()

"""Signs as DATEX II version 3: VmsTablePublication (what there is) and VmsPublication (what each shows).

A mast is a ``vmsController``, its displays are its ``vms``. Several pages are a ``MultiPageDisplay``. The order of the
elements is that of the schema of the namespace ``http://datex2.eu/schema/3/vms`` (3.1), against which what is written
here was validated. DATEX II has no word for the end of a telling: controllers read the feed of their sign, this is for
those who want to know of all. Signs that are tried out are told with ``informationStatus`` "test".
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from hashlib import blake2b
from itertools import groupby
from typing import Any

import msgspec
from lxml import etree

from allmende.city.parking.feeds.datex import COM, CONTROL, D2, LOC, XSI, Publisher
from allmende.city.parking.signs.model import Display, Page, Shown, Signs
from allmende.city.parking.signs.rules import as_of

VMS = "http://datex2.eu/schema/3/vms"
_REASONS = {"text": "operatorCreated", "blank": "operatorCreated"}


def table(signs: Signs, publisher: Publisher, now: datetime) -> etree._Element:
    """The payload with what there is: masts, displays, how much fits on each; the same bytes for an hour."""
    payload = _payload("VmsTablePublication", signs, publisher, now.replace(minute=0, second=0, microsecond=0))
    listed = _add(payload, "vmsControllerTable")
    _identify(listed, _table_id(publisher), _version(list(signs.displays.values())))
    for mast, displays in _masts(signs):
        controller = _add(listed, "vmsController")
        _identify(controller, mast, _version(displays))
        _add(controller, "numberOfVms", len(displays))
        for index, display in enumerate(displays, 1):
            _sign(controller, index, display, publisher)
    return payload


def status(signs: Signs, kept: Mapping[str, Shown], publisher: Publisher, now: datetime) -> etree._Element:
    """The payload with what each display shows at ``now``; where a telling has run out, the fall-back."""
    shown = {name: as_of(display, kept.get(name), now) for name, display in signs.displays.items()}
    latest = max((each.decided_at for each in shown.values()), default=now)
    payload = _payload("VmsPublication", signs, publisher, latest)
    whole = _version(list(signs.displays.values()))
    for mast, displays in _masts(signs):
        told = _add(payload, "vmsControllerStatus")
        _refer(told, "vmsControllerTable", _table_id(publisher), whole)
        _refer(told, "vmsController", mast, _version(displays))
        _add(told, "statusUpdateTime", _instant(max(shown[each.id].decided_at for each in displays)))
        for index, display in enumerate(displays, 1):
            _status(told, index, display, shown[display.id])
    return payload


def _sign(parent: etree._Element, index: int, display: Display, publisher: Publisher) -> None:
    outer = _add(parent, "vms")
    outer.set("vmsIndex", str(index))
    element = _add(outer, "vms")
    words = f"{display.name}: {display.street}" + (f" → {display.toward}" if display.toward else "")
    _say(_add(element, "description"), words, publisher.language)
    _add(element, "vmsType", "fullMatrixSign")
    _add(element, "dedicatedUsage", "parkingInformation")
    shape = _add(element, "vmsConfiguration")
    _add(shape, "numberOfDisplayAreas", 1)
    outer_area = _add(shape, "displayArea")
    outer_area.set("displayAreaIndex", "1")
    area = _add(outer_area, "displayArea")
    area.set(etree.QName(XSI, "type"), "vms:TextDisplayArea")
    _add(area, "sequencingCapable", True)
    _add(area, "maxNumberOfCharacters", display.model.columns)
    _add(area, "maxNumberOfRows", display.model.rows)
    if display.position is not None:
        location = _add(element, "vmsLocation")
        location.set(etree.QName(XSI, "type"), "loc:PointLocation")
        point = _add(_add(location, "pointByCoordinates", space=LOC), "pointCoordinates", space=LOC)
        _add(point, "latitude", display.position[1], space=LOC)
        _add(point, "longitude", display.position[0], space=LOC)


def _status(parent: etree._Element, index: int, display: Display, shown: Shown) -> None:
    outer = _add(parent, "vmsStatus")
    outer.set("vmsIndex", str(index))
    element = _add(outer, "vmsStatus")
    _add(element, "statusUpdateTime", _instant(shown.decided_at))
    _add(element, "workingStatus", "blank" if shown.state == "blank" else "working")
    outer_message = _add(element, "vmsMessage")
    outer_message.set("messageIndex", "1")
    message = _add(outer_message, "vmsMessage")
    _add(message, "setBySystem", shown.state not in _REASONS)
    _add(message, "codedReasonForSetting", _REASONS.get(shown.state, "trafficManagement"))
    _add(message, "timeLastSet", _instant(shown.since))
    if len(shown.pages) > 1:
        _add(message, "sequencingInterval", _seconds(display.model.alternate))
    outer_area = _add(message, "displayAreaSettings")
    outer_area.set("displayAreaIndex", "1")
    area = _add(outer_area, "displayAreaSettings")
    if len(shown.pages) == 1:
        _page(area, shown.pages[0], display)
        return
    area.set(etree.QName(XSI, "type"), "vms:MultiPageDisplay")
    for number, page in enumerate(shown.pages, 1):
        turn = _add(area, "displayAreaSettings")
        turn.set("pageNumber", str(number))
        _page(_add(turn, "displayAreaSettings"), page, display)


def _page(area: etree._Element, page: Page, display: Display) -> None:
    area.set(etree.QName(XSI, "type"), "vms:TextDisplay")
    _add(area, "isBlank", not any(row.strip() for row in page.rows))
    for number, row in enumerate(page.rows, 1):
        outer = _add(area, "textLine")
        outer.set("lineIndex", str(number))
        line = _add(outer, "textLine")
        if page.language:
            line.set("lineLanguage", page.language)
        _add(line, "textLine", row)
        _add(line, "lineColour", display.model.colour)
        _add(line, "isExactTextOnSign", True)


def _payload(kind: str, signs: Signs, publisher: Publisher, at: datetime) -> etree._Element:
    spaces = {"d2": D2, "com": COM, "vms": VMS, "loc": LOC, "xsi": XSI}
    payload = etree.Element(etree.QName(D2, "payload"), nsmap=spaces)
    payload.set(etree.QName(XSI, "type"), f"vms:{kind}")
    payload.set("lang", publisher.language)
    payload.set("modelBaseVersion", "3")
    _add(payload, "publicationTime", _instant(at), space=COM)
    creator = _add(payload, "publicationCreator", space=COM)
    _add(creator, "country", publisher.country, space=COM)
    _add(creator, "nationalIdentifier", publisher.name, space=COM)
    header = _add(payload, "headerInformation")
    _add(header, "confidentiality", "noRestriction", space=COM)
    tried = any(display.simulated for display in signs.displays.values())
    _add(header, "informationStatus", "test" if tried else "real", space=COM)
    return payload


def _masts(signs: Signs) -> list[tuple[str, list[Display]]]:
    return [(mast, list(group)) for mast, group in groupby(signs.displays.values(), key=lambda each: each.mast)]


def _identify(element: etree._Element, identifier: str, version: str) -> None:
    element.set("id", identifier)
    element.set("version", version)


def _refer(parent: etree._Element, name: str, identifier: str, version: str) -> None:
    reference = _add(parent, f"{name}Reference")
    reference.set("targetClass", f"vms:{name[0].upper()}{name[1:]}")
    _identify(reference, identifier, version)


def _table_id(publisher: Publisher) -> str:
    return f"{publisher.name}-signs"


def _version(displays: Sequence[Display]) -> str:
    """Another one where anything of them is another."""
    return blake2b(msgspec.json.encode(displays, order="deterministic"), digest_size=8).hexdigest()


def _say(element: etree._Element, text: str, language: str) -> None:
    value = _add(_add(element, "values", space=COM), "value", text[:1024], space=COM)
    value.set("lang", language)


def _add(parent: etree._Element, name: str, value: Any = None, *, space: str = VMS) -> etree._Element:
    element = etree.SubElement(parent, etree.QName(space, name))
    if value is not None:
        text = str(value).lower() if isinstance(value, bool) else str(value)
        element.text = CONTROL.sub(" ", text)
    return element


def _seconds(length: timedelta) -> float:
    return length.total_seconds()


def _instant(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")

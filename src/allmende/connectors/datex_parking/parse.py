"""Status and table of car parks, in any envelope: what is found by the names of its elements is read."""

import re
from copy import deepcopy
from typing import Any, NamedTuple

from lxml import etree

from allmende.connectors import parking
from allmende.connectors.datex_parking.described import bays, facts, groups, outline
from allmende.connectors.gathering import Gathered, Refused, identity, position, refuse_all, shown, text
from allmende.connectors.markup import content, find, local, parse_xml
from allmende.domain.connector import Payload, Source
from allmende.domain.errors import InvalidInput
from allmende.domain.records import Declaration, Parsed, Position, SensorDeclaration, ThingDeclaration
from allmende.domain.times import parse_instant

_WHOLE = re.compile(r"([0-9]{1,7})(?:\.0+)?\Z", re.ASCII)


class _Form(NamedTuple):
    """How one generation of the standard writes a status."""

    reference: str
    time: str
    inside: str
    """The element that holds the numbers; "": the status itself."""
    numbers: dict[str, str]
    states: tuple[str, ...]


_STATUS = {
    "parkingRecordStatus": _Form(
        reference="parkingRecordReference",
        time="parkingStatusOriginTime",
        inside="parkingOccupancy",
        numbers={
            "parkingNumberOfVacantSpaces": "free",
            "parkingNumberOfOccupiedSpaces": "occupied",
            "parkingNumberOfSpacesOverride": "capacity",
        },
        states=("parkingSiteStatus", "parkingSiteOpeningStatus"),
    ),
    "parkingFacilityStatus": _Form(
        reference="parkingFacilityReference",
        time="parkingFacilityStatusTime",
        inside="",
        numbers={
            "totalNumberOfVacantParkingSpaces": "free",
            "totalNumberOfOccupiedParkingSpaces": "occupied",
            "totalParkingCapacityShortTermOverride": "capacity",
        },
        states=("parkingFacilityStatus",),
    ),
}
_UNKNOWN = frozenset({"statusUnknown", "unknown"})
"""A feed that says so knows that it has no numbers."""
_TABLE = {
    "parkingRecord": ("parkingName", "parkingNumberOfSpaces"),
    "parkingFacility": ("parkingFacilityName", "totalParkingCapacity"),
}


class _Described(NamedTuple):
    element: etree._Element
    name: str
    capacity: int | None
    place: Position | None
    facts: dict[str, Any]
    outline: dict[str, Any] | None
    groups: dict[str, tuple[str, int | None]]
    bays: dict[str, tuple[str, str]]


def parse(payload: Payload, source: Source) -> Parsed:
    """Free and occupied spaces and capacity of every car park; a rejection for each value or car park that fails."""
    try:
        root = parse_xml(payload.body)
        described = _descriptions(root)
        # A status may hold a state of its own name.
        found = [
            element
            for element in root.iter()
            if local(element) in _STATUS and local(element.getparent()) != local(element)
        ]
        if not found and not described:
            raise Refused("no-status", f"the document has none of {', '.join((*_STATUS, *_TABLE))}")
        reader = _Reader(source, described, _published(root, bool(found)))
    except Refused as refused:
        return refuse_all(payload, refused.code, refused.reason)
    for index, element in enumerate(found, 1):
        reader.read(element, f"car park {index}")
    for name in described:
        reader.describe(name)
    return reader.gathered.parsed()


def _published(root: etree._Element, status: bool) -> str:
    """The publication's time: of the publication with the status, where a table's stands beside it."""
    for element in root.iter():
        if local(element) == "publicationTime":
            parent = element.getparent()
            if not status or parent is None or any(local(inner) in _STATUS for inner in parent.iter()):
                return content(element)
    return ""


def _descriptions(root: etree._Element) -> dict[str, _Described]:
    found: dict[str, _Described] = {}
    for element in root.iter():
        if local(element) not in _TABLE or not element.get("id"):
            continue
        name_tag, capacity_tag = _TABLE[local(element)]
        names = [content(inner) for tag in element if local(tag) == name_tag for inner in tag.iter()]
        # of the record itself: groups of spaces within it have numbers too
        match = _WHOLE.match(next((content(part) for part in element if local(part) == capacity_tag), ""))
        # the first ones are the record's own: its spaces have places too
        inner: dict[str, str] = {}
        for part in element.iter():
            if local(part) in ("latitude", "longitude"):
                inner.setdefault(local(part), content(part))
        found[str(element.get("id")).strip()] = _Described(
            element=element,
            name=next((text(name) for name in names if text(name)), ""),
            capacity=int(match.group(1)) if match else None,
            place=position(inner.get("longitude"), inner.get("latitude")),
            facts=facts(element),
            outline=outline(element),
            groups=groups(element),
            bays=bays(element),
        )
    return found


class _Reader:
    def __init__(self, source: Source, described: dict[str, _Described], published: str) -> None:
        self.gathered = Gathered()
        self._source = source
        self._described = described
        self._published = published
        prefix = source.settings.get("prefix")
        self._prefix = prefix if isinstance(prefix, str) and prefix else source.id
        places = source.settings.get("places")
        self._places = places if isinstance(places, dict) else {}
        self._sensor = SensorDeclaration(id=f"{self._prefix}-counting", name="DATEX II parking")

    def read(self, element: etree._Element, where: str) -> None:
        """One status."""
        form = _STATUS[local(element)]
        reference = find(element, form.reference)
        name = "" if reference is None else (reference.get("id") or "").strip()
        try:
            thing = self._thing(identity(name, f"{form.reference}@id"))
            try:
                own = find(element, form.time)
                time = parse_instant(self._published if own is None else content(own))
            except InvalidInput as error:
                raise Refused("bad-time", str(error)) from None
            holder = find(element, form.inside) if form.inside else element
            said = (
                {} if holder is None else {local(part): content(part) for part in holder if local(part) in form.numbers}
            )
            states = {content(part) for part in element.iter() if local(part) in form.states}
            parts = self._parts(element, name, thing, time)
            if not said and not parts and not states & _UNKNOWN:
                raise Refused("no-values", "the car park has neither spaces nor a capacity")
        except Refused as refused:
            self._refuse(refused, element, name, f"{where} {name[:80]}".strip())
            return
        values: dict[str, int] = {}
        for tag, value in said.items():
            if match := _WHOLE.match(value):
                values[form.numbers[tag]] = int(match.group(1))
                continue
            reason = f"{tag} is {shown(value)}, not a whole number from 0 on"
            self._refuse(Refused("bad-number", reason), element, name, f"{where} {name[:80]}, {tag}", only=tag)
            if form.numbers[tag] != "capacity":
                self.gathered.add(self._declaration(thing, form.numbers[tag], None), time, None, parking.unread(value))
        stated = self._described[name].capacity if name in self._described else None
        for quantity, count in values.items():
            declared = self._declaration(thing, quantity, stated if quantity != "capacity" else None)
            self.gathered.add(declared, time, count, parking.doubt(quantity, values, states))

    def _parts(self, element: etree._Element, name: str, thing: ThingDeclaration, time: int) -> bool:
        """Free spaces of each group whose kind the table says, and single bays; whether there were any."""
        described = self._described.get(name)
        if described is None:
            return False
        found = False
        for part in element:
            inner = next(iter(part), part)
            if local(part) == "groupOfParkingSpacesStatus":
                kind, count = described.groups.get(part.get("groupIndex") or "", ("", None))
                free = _WHOLE.match(content(find(inner, "parkingNumberOfVacantSpaces")))
                if kind and free:
                    declared = parking.declare_for(self._declaration(thing, "free", count), kind)
                    self.gathered.add(declared, time, int(free.group(1)))
                    found = True
            elif local(part) == "parkingSpaceStatus":
                known = described.bays.get(part.get("parkingSpaceIndex") or "")
                taken = {"true": 1, "false": 0}.get(content(find(inner, "parkingSpaceOccupied")))
                if known and taken is not None:
                    self.gathered.add(self._bay(thing, *known), time, taken)
                    found = True
        return found

    def _bay(self, area: ThingDeclaration, name: str, kind: str) -> Declaration:
        about = {"kind": "parking-bay", "parent": area.id, **({f"capacity_{kind}": 1} if kind else {})}
        bay = ThingDeclaration(id=f"{self._prefix}-{name}", name=name, properties={**about, "capacity": 1})
        return parking.declare_bay(self._source, bay, self._sensor)

    def _declaration(self, thing: ThingDeclaration, quantity: str, high: int | None) -> Declaration:
        known = parking.stream_properties(self._source)
        return parking.declare(self._source, thing, quantity, self._sensor, high=high, properties=known)

    def describe(self, name: str) -> None:
        """A car park of the table that has no status."""
        try:
            thing = self._thing(identity(name, "id"))
        except Refused:
            return  # it has no readings either
        if not any(self.gathered.knows(f"{thing.id}~{quantity}") for quantity in parking.PROPERTIES):
            self.gathered.declare(self._declaration(thing, "free", self._described[name].capacity))

    def _thing(self, name: str) -> ThingDeclaration:
        own = self._places.get(name)
        known = self._source.things.get(own) if isinstance(own, str) else None
        described = self._described.get(name)
        said: dict[str, Any] = {}
        if described is not None:
            stated = {"name": described.name, "capacity": described.capacity, **described.facts}
            said = {key: value for key, value in stated.items() if value not in ("", None)}
        place = parking.position(known) if known else None
        return ThingDeclaration(
            id=known.id if known else f"{self._prefix}-{name}",
            name=known.name if known else (described.name if described and described.name else name),
            description=known.description if known else "",
            properties={
                "kind": "car-park",
                "reference": name,
                **(parking.thing_properties(known) if known else {}),
                **({"outline": described.outline} if described and described.outline else {}),
                **({"described": said} if said else {}),
            },
            position=place or (described.place if described else None),
        )

    def _refuse(self, refused: Refused, element: etree._Element, name: str, where: str, only: str = "") -> None:
        """Keeps the status in an envelope of its own, with its entry of the table; of numbers ``only`` this one."""
        form = _STATUS[local(element)]
        both = etree.Element("messages")
        described = self._described.get(name)
        if described is not None:
            both.append(deepcopy(described.element))
        publication = etree.SubElement(both, "payloadPublication")
        etree.SubElement(publication, "publicationTime").text = self._published
        kept = deepcopy(element)
        publication.append(kept)
        holder = find(kept, form.inside) if form.inside else kept
        if only and holder is not None:
            for part in list(holder):
                if local(part) in form.numbers and local(part) != only:
                    holder.remove(part)
        for part in both:
            part.tail = None
        self.gathered.refuse(refused, etree.tostring(both, encoding="utf-8"), where)

"""What a table says of a car park beside its name, place and capacity, in ParkAPI's names and units.

What is read is what both know: kind of building, entrance, longest stay, fee, operator, address, hours, supervision,
and how many spaces there are for whom. Names of elements differ little between the generations of the standard.
"""

from collections.abc import Iterator
from typing import Any

from lxml import etree

from allmende.connectors.gathering import Refused, number, text, whole
from allmende.connectors.markup import content, local

_LAYOUTS = {
    "multiStorey": "CAR_PARK",
    "automatedParkingGarage": "CAR_PARK",
    "underground": "UNDERGROUND",
    "undergroundAndMultistorey": "UNDERGROUND",
    "openSpace": "OFF_STREET_PARKING_GROUND",
    "field": "OFF_STREET_PARKING_GROUND",
}
_AUDIENCES = {
    "handicapped": "disabled", "disabled": "disabled", "registeredDisabledUsers": "disabled",
    "wheelchairUsers": "disabled", "women": "woman", "families": "family", "battery": "charging",
    "bus": "bus", "lorry": "truck", "heavyGoodsVehicle": "truck", "motorhome": "caravan", "motorcycle": "motorcycle",
    "bicycle": "bike",
}  # fmt: skip
_DAYS = {
    "monday": "Mo", "tuesday": "Tu", "wednesday": "We", "thursday": "Th", "friday": "Fr", "saturday": "Sa",
    "sunday": "Su",
}  # fmt: skip
_PURPOSES = {"bicycle": "BIKE", "motorcycle": "MOTORCYCLE"}
_ALONE = {
    "handicapped": "DISABLED", "disabled": "DISABLED", "registeredDisabledUsers": "DISABLED",
    "wheelchairUsers": "DISABLED", "women": "WOMEN", "families": "FAMILY", "residents": "RESIDENT",
    "customers": "CUSTOMER", "battery": "CHARGING", "bus": "BUS", "lorry": "TRUCK", "heavyGoodsVehicle": "TRUCK",
    "motorhome": "CARAVAN",
}  # fmt: skip
"""Words of DATEX II for whom all spaces of a record are, and ParkAPI's."""
_RIDES = {"liftshare": "CARPOOL", "parkAndRide": "YES"}
_MODES = {"parallelParking": "PARALLEL", "perpendicularParking": "PERPENDICULAR", "echelonParking": "DIAGONAL"}
_WEEK = tuple(_DAYS.values())
_TEXTS = {
    "parkingDescription": "description",
    "photoUrl": "photo_url",
    "urlLinkAddress": "public_url",
}


def facts(record: etree._Element) -> dict[str, Any]:
    """The facts of a ``parkingRecord`` or ``parkingFacility``; what cannot be read is left out."""
    found: dict[str, Any] = {name: said for tag, name in _TEXTS.items() if (said := words(_child(record, tag)))}
    found |= _kind(record) | _entrance(record) | _payment(record) | _security(record)
    stay = content(_child(record, "maximumParkingDuration"))
    if stay:
        found["max_stay"] = _number(stay)
    for tag, part, name in (
        ("operator", "contactOrganisationName", "operator_name"),
        ("parkingSiteAddress", "contactDetailsAddress", "address"),
    ):
        holder = _child(record, tag)
        if holder is not None and (said := words(_deep(holder, part))):
            found[name] = said
    if hours := opening_hours(_child(record, "openingTimes")):
        found["opening_hours"] = hours
    for kind, count in groups(record).values():
        if kind and count is not None:
            found[f"capacity_{kind}"] = count
    return {name: value for name, value in found.items() if value is not None}


def words(element: etree._Element | None) -> str:
    """The first text in an element, whichever language it is in."""
    if element is None:
        return ""
    found = next((said for inner in element.iter() if (said := content(inner))), "")
    return "\n".join(map(text, found.splitlines()))[:4096]


def groups(record: etree._Element) -> dict[str, tuple[str, int | None]]:
    """Groups of spaces by their index: for whom (a kind of ParkAPI, "" where it is none), and how many."""
    found = {}
    for group in record:
        if local(group) == "groupOfParkingSpaces":
            kind = _audience(group)
            found[group.get("groupIndex") or ""] = kind, _whole(content(_deep(group, "parkingNumberOfSpaces")))
    return found


def bays(record: etree._Element) -> dict[str, tuple[str, str]]:
    """Single spaces by their index: the name that the feed has for each, and for whom it is."""
    found = {}
    for space in record:
        if local(space) == "parkingSpace" and space.get("parkingSpaceIndex"):
            index = str(space.get("parkingSpaceIndex"))
            kind = _audience(space)
            found[index] = words(_deep(space, "parkingSpaceOrGroupIdentifier")) or index, kind
    return found


def opening_hours(times: etree._Element | None) -> str:
    """Hours in OpenStreetMap's syntax; "" where they say more than days of the week and times of day."""
    if times is None:
        return ""
    if content(_deep(times, "available24hours")) == "true":
        return "24/7"
    rules = []
    for period in (part for part in times.iter() if local(part) == "validPeriod"):
        rule = _rule(period)
        if rule is None:
            return ""
        rules.append(rule)
    return "24/7" if rules == ["00:00-24:00"] else "; ".join(rules)


def _audience(spaces: etree._Element) -> str:
    said = _texts(_deep(spaces, "onlyAssignedParking"))
    return next((kind for word, kind in _AUDIENCES.items() if word in said), "")


def _rule(period: etree._Element) -> str | None:
    spans, days = [], []
    for part in period:
        if local(part) == "recurringTimePeriodOfDay":
            begin, end = (content(_deep(part, name))[:5] for name in ("startTimeOfPeriod", "endTimeOfPeriod"))
            spans.append(f"{begin}-{'24:00' if end == '00:00' else end}")
        elif local(part) == "recurringDayWeekMonthPeriod":
            named = [content(day) for day in part if local(day) == "applicableDay"]
            if len(named) != len(part) or not set(named) <= _DAYS.keys():
                return None
            days += [_DAYS[day] for day in named]
        else:
            return None
    if not spans or any(len(span) != 11 for span in spans):
        return None
    return f"{_span(days)} {','.join(spans)}".strip()


def _span(days: list[str]) -> str:
    """``Mo-Fr`` for days that follow each other, else ``Mo,We``."""
    numbers = sorted({_WEEK.index(day) for day in days})
    if len(numbers) > 2 and numbers[-1] - numbers[0] == len(numbers) - 1:
        return f"{_WEEK[numbers[0]]}-{_WEEK[numbers[-1]]}"
    return ",".join(_WEEK[number_] for number_ in numbers)


def _kind(record: etree._Element) -> dict[str, Any]:
    """What kind of place it is, what for, and for whom alone."""
    layouts = [content(part) for part in record if local(part) == "parkingLayout"]
    kind = next((_LAYOUTS[layout] for layout in layouts if layout in _LAYOUTS), None)
    if content(_child(record, "urbanParkingSiteType")) == "onStreetParking":
        kind = "ON_STREET"
    only = _texts(_child(record, "onlyAssignedParking"))
    purpose = next((purpose for word, purpose in _PURPOSES.items() if word in only), None)
    audiences = list(dict.fromkeys(audience for word, audience in _ALONE.items() if word in only))
    scenarios = {content(part) for part in record.iter() if local(part) == "parkingUsageScenario"}
    modes = {content(part) for part in record.iter() if local(part) == "parkingMode"}
    return {
        "type": kind,
        "purpose": purpose,
        "is_covered": True if "covered" in layouts else None,
        "restrictions": [{"type": audience} for audience in audiences] or None,
        "park_and_ride_type": [ride for word, ride in _RIDES.items() if word in scenarios] or None,
        "orientation": _MODES.get(next(iter(modes))) if len(modes) == 1 else None,
    }


def outline(record: etree._Element) -> dict[str, Any] | None:
    """The record's area as GeoJSON, in degrees; None where it has none that can be read."""
    area = _child(record, "entireArea")
    found = []
    for polygon in (part for part in area.iter() if local(part) == "gmlPolygon") if area is not None else ():
        rings = [_ring(ring) for ring in polygon if local(ring) in ("exterior", "interior")]
        if not rings or any(len(ring) < 4 for ring in rings):
            return None
        found.append(rings)
    if not found:
        return None
    return {"type": "Polygon", "coordinates": found[0]} if len(found) == 1 else {
        "type": "MultiPolygon", "coordinates": found}  # fmt: skip


def _ring(ring: etree._Element) -> list[list[float]]:
    """Its points, longitude first; none where one is no place on Earth."""
    numbers = [_number(word) for word in content(_deep(ring, "posList")).split()]
    points = list(zip(numbers[1::2], numbers[::2], strict=False))
    if len(numbers) % 2 or not all(
        lon is not None and lat is not None and -180 <= lon <= 180 and -90 <= lat <= 90 for lon, lat in points
    ):
        return []
    return [[float(lon), float(lat)] for lon, lat in points if lon is not None and lat is not None]


def _entrance(record: etree._Element) -> dict[str, Any]:
    """Metres of the highest and widest vehicle that may enter, as centimetres."""
    found: dict[str, Any] = {}
    holder = _child(record, "prohibitedParking")
    for tag, size, name in (
        ("heightCharacteristic", "vehicleHeight", "max_height"),
        ("widthCharacteristic", "vehicleWidth", "max_width"),
    ):
        limit = None if holder is None else _deep(holder, tag)
        if limit is not None and content(_deep(limit, "comparisonOperator")).startswith("greaterThan"):
            metres = _number(content(_deep(limit, size)))
            found[name] = None if metres is None else round(metres * 100)
    return found


def _payment(record: etree._Element) -> dict[str, Any]:
    payment = _child(record, "tariffsAndPayment")
    if payment is None:
        return {}
    free = {"true": True, "false": False}.get(content(_deep(payment, "freeOfCharge")))
    return {
        "has_fee": None if free is None else not free,
        "fee_description": words(_deep(payment, "paymentAdditionalDescription")) or None,
    }


def _security(record: etree._Element) -> dict[str, Any]:
    said = _texts(_child(record, "parkingStandardsAndSecurity"))
    kinds = (("cctv", "VIDEO"), ("securityStaff", "ATTENDED"), ("none", "NO"))
    found: dict[str, Any] = {"supervision_type": next((word for given, word in kinds if given in said), None)}
    return {**found, "has_lighting": True if said & {"lighting", "floodLight"} else None}


def _child(record: etree._Element, name: str) -> etree._Element | None:
    """Of the record itself: its groups and spaces have elements of the same names."""
    return next((part for part in record if local(part) == name), None)


def _deep(element: etree._Element | None, name: str) -> etree._Element | None:
    """The first within an element."""
    return None if element is None else next((part for part in element.iter() if local(part) == name), None)


def _texts(element: etree._Element | None) -> set[str]:
    return set() if element is None else set(_said(element))


def _said(element: etree._Element) -> Iterator[str]:
    return (said for inner in element.iter() if (said := content(inner)))


def _number(said: str) -> float | int | None:
    try:
        return number(said, "")
    except Refused:
        return None


def _whole(said: str) -> int | None:
    try:
        return whole(said, "")
    except Refused:
        return None

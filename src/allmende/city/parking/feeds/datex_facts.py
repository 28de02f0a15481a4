"""Facts that ParkAPI has one word for and DATEX II version 3 an element of several parts.

Restrictions, the setting of spaces to the kerb, park-and-ride, and outlines. What DATEX II cannot say is not said at
all: a restriction with hours of its own would hold always, an outline that is a line has no area.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from allmende.city.parking.sites import Site

Add = Callable[..., Any]
"""Adds an element to another one: parent, namespace, name, value."""
USERS = {
    "DISABLED": "handicapped", "WOMEN": "women", "FAMILY": "families", "RESIDENT": "residents",
    "CUSTOMER": "customers",
}  # fmt: skip
VEHICLES = {
    "CHARGING": ("fuelType", "battery"), "BUS": ("vehicleType", "bus"), "TRUCK": ("vehicleType", "lorry"),
    "CARAVAN": ("vehicleType", "motorhome"),
}  # fmt: skip
PURPOSES = {"BIKE": "bicycle", "MOTORCYCLE": "motorcycle"}
MODES = {"PARALLEL": "parallelParking", "PERPENDICULAR": "perpendicularParking", "DIAGONAL": "echelonParking"}
COM = "http://datex2.eu/schema/3/common"
PAR = "http://datex2.eu/schema/3/parking"
LOC = "http://datex2.eu/schema/3/locationReferencing"


def write_assigned(element: Any, site: Site, add: Add) -> None:
    """For whom alone all spaces are (``onlyAssignedParking``)."""
    audiences = [
        str(each["type"])
        for each in site.fact("restrictions") or ()
        if isinstance(each, dict) and each.get("type") and not {"capacity", "hours", "max_stay"} & _said(each)
    ]
    users = [USERS[each] for each in audiences if each in USERS]
    vehicles = [VEHICLES[each] for each in audiences if each in VEHICLES]
    if site.fact("purpose") in PURPOSES:
        vehicles.insert(0, ("vehicleType", PURPOSES[site.fact("purpose")]))
    if not users and not vehicles:
        return
    only = add(element, PAR, "onlyAssignedParking")
    for user in users:
        add(only, PAR, "applicableForUser", user)
    for tag, word in vehicles:
        add(add(only, PAR, "vehicleCharacteristics"), COM, tag, word)


def _said(restriction: Mapping[str, Any]) -> set[str]:
    return {name for name, value in restriction.items() if value is not None}


def scenarios(site: Site) -> list[str]:
    """What it is used for (``parkingUsageScenario``). By which means one goes on, DATEX II has no word for."""
    rides = set(site.fact("park_and_ride_type") or ()) - {"NO"}
    return [*(["liftshare"] if "CARPOOL" in rides else []), *(["parkAndRide"] if rides - {"CARPOOL"} else [])]


def polygons(site: Site) -> list[Sequence[Any]]:
    """The rings of each polygon of its outline; none for a line or a point."""
    drawn = site.geometry or {}
    kind = drawn.get("type")
    return [drawn["coordinates"]] if kind == "Polygon" else list(drawn["coordinates"]) if kind == "MultiPolygon" else []


def write_area(element: Any, site: Site, add: Add) -> None:
    """Its outline (``entireArea``): latitude before longitude, as EPSG:4326 has them."""
    found = polygons(site)
    if not found:
        return
    area = add(add(element, PAR, "entireArea"), LOC, "gmlMultiPolygon")
    for rings in found:
        polygon = add(area, LOC, "gmlPolygon")
        for number, ring in enumerate(rings):
            drawn = add(polygon, LOC, "interior" if number else "exterior")
            drawn.set("srsName", "EPSG:4326")
            add(drawn, LOC, "posList", " ".join(f"{point[1]} {point[0]}" for point in ring))

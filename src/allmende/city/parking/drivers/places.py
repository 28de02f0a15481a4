"""Which sites a driver's list has: by what somebody looks for, since a list of everything helps nobody.

A site is told once: a bay within an area (or a car park) by that one, unless bays are looked for. What is for some
alone (bicycles, coaches, people with a disability) is told to those who say that they are meant, and counted for the
others.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, get_args

from allmende.city.parking.drivers.choosing import Need
from allmende.city.parking.state import SiteState

What = Literal["", "car-park", "street", "bay", "ride", "bike", "bus"]
"""What is looked for: a space for a car wherever it is; in a car park; at the street, that is areas and zones; a single
bay; park-and-ride; a stand for bicycles; a place for a coach."""
WHATS: tuple[What, ...] = get_args(What)
ASKS: Mapping[What, Need] = {"bike": "bike", "bus": "bus", "ride": "park-and-ride"}
"""What is asked for with it."""
AUDIENCES: Mapping[str, str] = {
    "DISABLED": "disabled", "WOMEN": "woman", "FAMILY": "family", "CHARGING": "charging", "CARSHARING": "carsharing",
    "TRUCK": "truck", "BUS": "bus", "CARAVAN": "caravan", "CARGOBIKE": "bike", "TAXI": "taxi", "DELIVERY": "delivery",
    "CUSTOMER": "customer", "RESIDENT": "resident",
}  # fmt: skip
"""ParkAPI's words of restrictions, and the kinds of spaces that they mean."""
_ALONE = ("disabled", "woman", "family", "bus", "truck", "caravan", "motorcycle", "bike", "carsharing", "leased")
"""Kinds of spaces that no others may use. Whoever charges nothing may often stand at a charging point."""
_OTHER_VEHICLES = frozenset(("bike", "bus", "truck", "motorcycle", "caravan"))


def only_for(state: SiteState) -> str:
    """The kind of spaces that all of a site's spaces are of; "" where there are others too, or nobody says so."""
    site = state.site
    if site.fact("purpose") in ("BIKE", "MOTORCYCLE"):
        return "bike" if site.fact("purpose") == "BIKE" else "motorcycle"
    said = site.fact("restrictions")
    for each in said if isinstance(said, list) else ():
        # one with a number of its own is about that many of the spaces
        if isinstance(each, dict) and each.get("type") in AUDIENCES and each.get("capacity") is None:
            return AUDIENCES[each["type"]]
    for kind in _ALONE:
        spaces = state.spaces.get(kind)
        if spaces is not None and spaces.capacity and spaces.capacity == state.capacity:
            return kind
    return ""


def has_kind(state: SiteState, kind: str) -> bool:
    """Whether it is known to have a space of the kind."""
    spaces = state.spaces.get(kind)
    counted = spaces.capacity if spaces is not None else None
    count = state.site.fact(f"capacity_{kind}") if counted is None else counted
    return only_for(state) == kind or (isinstance(count, int) and count > 0)


def rides(state: SiteState) -> bool | None:
    """Whether one may change to other means of transport there; None where nobody says."""
    said = state.site.fact("park_and_ride_type")
    return any(word != "NO" for word in said) if isinstance(said, list) and said else None


def choose(
    states: Sequence[SiteState], what: What, needs: frozenset[Need] = frozenset(), *, board: str = "car-park"
) -> list[SiteState]:
    """The sites for what is looked for, in their order; ``board`` is the kind of sites that a city counts by."""
    kinds = {state.site.stands_for: state.site.kind for state in states}
    return [state for state in states if _fits(state, what, needs, kinds, board)]


def _fits(state: SiteState, what: What, needs: frozenset[Need], kinds: Mapping[str, str], board: str) -> bool:
    kind, only = state.site.kind, only_for(state)
    if what in ("bike", "bus"):
        return kind != "parking-zone" and has_kind(state, what)
    if what == "ride":
        return bool(rides(state)) and only not in _OTHER_VEHICLES
    if kind == "parking-zone":
        return what == "street"
    if only and only not in needs:
        return False
    street = kind == "parking-area" or state.site.fact("type") == "ON_STREET"
    if what == "car-park":
        return kind in ("car-park", board) and not street
    if what == "street":
        return street and kind != "parking-bay"
    if what == "bay":
        return kind == "parking-bay"
    # what lies in a zone is told itself: a zone is too large to drive to
    return kind == board or kinds.get(state.site.parent or "", "parking-zone") == "parking-zone"


def is_counted(state: SiteState) -> bool:
    """Whether anybody has ever said how many spaces are free there, or the city's profile names it."""
    return state.site.in_profile or state.reason != "never"


def top(states: Iterable[SiteState], *, board: str = "car-park") -> list[SiteState]:
    """What the list shows below the car parks where nothing was asked: zones, areas in none, bays in neither."""
    known = list(states)
    there = {state.site.stands_for for state in known}
    return [
        state for state in known if state.site.kind != board and state.site.parent not in there and not only_for(state)
    ]


def count(states: Sequence[SiteState], *, board: str = "car-park") -> dict[What, int]:
    """How many sites there are for each other thing that one may look for."""
    found = Counter({what: len(choose(states, what, board=board)) for what in WHATS if what})
    return {what: found[what] for what in WHATS if what and found[what]}

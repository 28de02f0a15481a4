"""Which sites a driver's list has: by what somebody looks for, since a list of everything helps nobody.

A site is told once: a bay within an area (or a car park) by that one, unless bays are looked for. What is for some
alone (bicycles, coaches, people with a disability) is told to those who say that they are meant, and counted for the
others.
"""

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple, get_args

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


def rides(state: SiteState) -> bool | None:
    """Whether one may change to other means of transport there; None where nobody says."""
    said = state.site.fact("park_and_ride_type")
    return any(word != "NO" for word in said) if isinstance(said, list) and said else None


def is_counted(state: SiteState) -> bool:
    """Whether anybody has ever said how many spaces are free there, or the city's profile names it."""
    return state.site.in_profile or state.reason != "never"


class Place(NamedTuple):
    """A site, and what it is for, looked up once."""

    state: SiteState
    only: str
    """See :func:`only_for`."""
    street: bool
    ride: bool
    bike: bool
    bus: bool
    disabled: bool


def place_of(state: SiteState) -> Place:
    """What a site is for."""
    only = only_for(state)
    whole = state.site.kind != "parking-zone"
    return Place(
        state=state,
        only=only,
        street=state.site.kind == "parking-area" or state.site.fact("type") == "ON_STREET",
        ride=only not in _OTHER_VEHICLES and bool(rides(state)),
        bike=whole and _has(state, "bike", only),
        bus=whole and _has(state, "bus", only),
        disabled=whole and _has(state, "disabled", only),
    )


def _has(state: SiteState, kind: str, only: str) -> bool:
    """Whether it is known to have a space of the kind."""
    spaces = state.spaces.get(kind)
    counted = spaces.capacity if spaces is not None else None
    count = state.site.fact(f"capacity_{kind}") if counted is None else counted
    return only == kind or (isinstance(count, int) and count > 0)


class Places:
    """The sites of a city, for what somebody looks for; ``board`` is the kind of sites that the city counts by."""

    def __init__(self, states: Sequence[SiteState], *, board: str = "car-park") -> None:
        self._places = [place_of(state) for state in states]
        self._kinds = {state.site.stands_for: state.site.kind for state in states}
        self._board = board

    def choose(self, what: What, needs: frozenset[Need] = frozenset()) -> list[SiteState]:
        """Those for what is looked for, in their order."""
        return [place.state for place in self._places if self._fits(place, what, needs)]

    def _fits(self, place: Place, what: What, needs: frozenset[Need] = frozenset()) -> bool:
        kind = place.state.site.kind
        if what in ("bike", "bus", "ride"):
            return place.bike if what == "bike" else place.bus if what == "bus" else place.ride
        if kind == "parking-zone":
            return what == "street"
        if place.only and place.only not in needs:
            return False
        if what == "car-park":
            return kind in ("car-park", self._board) and not place.street
        if what == "street":
            return place.street and kind != "parking-bay"
        if what == "bay":
            return kind == "parking-bay"
        # what lies in a zone is told itself: a zone is too large to drive to
        above = self._kinds.get(place.state.site.parent or "", "parking-zone")
        return kind == self._board or above == "parking-zone"

    def parks(self) -> list[SiteState]:
        """Those that the city counts by, for everybody."""
        return [each.state for each in self._places if each.state.site.kind == self._board and not each.only]

    def top(self) -> list[SiteState]:
        """What the list shows below them where nothing was asked: zones, areas in none, bays in neither."""
        return [
            state
            for state, only, *_ in self._places
            if state.site.kind != self._board and state.site.parent not in self._kinds and not only
        ]

    def count(self) -> dict[What, int]:
        """How many there are for each other thing that one may look for."""
        found = {what: sum(self._fits(place, what) for place in self._places) for what in WHATS if what}
        return {what: number for what, number in found.items() if number}

    def disabled(self) -> int:
        """How many have spaces for people with a disability."""
        return sum(place.disabled for place in self._places)

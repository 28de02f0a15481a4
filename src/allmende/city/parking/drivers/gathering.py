"""What is known of each car park for one question: facts, hours, costs, forecasts, distance."""

from collections.abc import Iterable
from datetime import timedelta

import msgspec

from allmende.city.house import House
from allmende.city.parking.arrival.expect import Expectation, expect_many
from allmende.city.parking.drivers.choosing import KINDS, SOON, Choice, Offer, Wish, judge, rank, straight_line
from allmende.city.parking.drivers.places import is_counted, only_for, rides
from allmende.city.parking.opening import calendar_of, is_open
from allmende.city.parking.operating import paperwork
from allmende.city.parking.pricing.keeping import tariffs_in_force
from allmende.city.parking.sites import Site
from allmende.city.parking.state import Closure, SiteState
from allmende.city.parking.tariffs import cost
from allmende.city.parking.tariffs_model import Cost, Tariffs
from allmende.domain.errors import InvalidInput


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """A car park for a question."""

    state: SiteState
    choice: Choice
    cost: Cost | None
    expected: Expectation | None


def gather(
    house: House, states: Iterable[SiteState], wish: Wish, place: tuple[float, float] | None
) -> tuple[Found, ...]:
    """All of them, in the order in which a driver wants to hear of them. What is forecast is read for those alone that
    may suit."""
    tariffs = tariffs_in_force(house.profile)
    calendar = calendar_of(house.profile)
    closures = paperwork.current(wish.arrival, house.profile).closures
    found: list[Found] = []
    for state in states:
        site = state.site
        told = cost_of(tariffs, site, wish)
        hours = site.fact("opening_hours")
        opens = [is_open(hours, at, calendar) if isinstance(hours, str) else None
                 for at in (wish.arrival, wish.leaving - timedelta(minutes=1))]  # fmt: skip
        offer = msgspec.structs.replace(
            make_offer(state, place, told), opens=opens[0], lets_out=opens[1], closed=closed_on(state, wish, closures)
        )
        found.append(Found(state=state, choice=judge(offer, wish), cost=told, expected=None))
    if wish.arrival - wish.now > SOON:
        found = _with_forecasts(house, found, wish)
    by_id = {each.choice.offer.id: each for each in found}
    return tuple(by_id[choice.offer.id] for choice in rank([each.choice for each in found]))


def _with_forecasts(house: House, found: list[Found], wish: Wish) -> list[Found]:
    sites = [each.state.site for each in found if each.choice.verdict != "unsuitable"]
    expected = expect_many(house.store, house.reader, sites, [wish.arrival], wish.now)

    def judged(each: Found) -> Found:
        (one,) = expected.get(each.state.site.id) or (None,)
        if one is None:
            return each
        offer = msgspec.structs.replace(each.choice.offer, chance=one.chance_of_one)
        return msgspec.structs.replace(each, choice=judge(offer, wish), expected=one)

    return [judged(each) for each in found]


def cost_of(tariffs: Tariffs, site: Site, wish: Wish) -> Cost | None:
    """What the stay costs; None for a stay that cannot be counted."""
    longest = site.fact("max_stay")
    try:
        return cost(
            tariffs, site.stands_for, wish.arrival, wish.leaving,
            longest=int(longest) // 60 if isinstance(longest, int | float) else None,
        )  # fmt: skip
    except InvalidInput:
        return None


def closed_on(state: SiteState, wish: Wish, closures: Iterable[Closure]) -> bool:
    """Whether a decision or its own report keeps everybody out on arrival. Its hours are asked apart."""
    if any(each.site == state.site.stands_for and each.spaces is None for each in closures):
        return True
    if state.override is not None:
        return state.override.status == "closed" and wish.arrival < state.override.until
    return state.status == "closed" and state.reason == "says-closed"


def make_offer(state: SiteState, place: tuple[float, float] | None, told: Cost | None) -> Offer:
    """What is known of it, but for its hours and for decisions."""
    site = state.site
    metres = None
    if place is not None and site.lon is not None and site.lat is not None:
        metres = straight_line(site.lon, site.lat, place)
    refused = told.reason if told is not None and told.status == "not-allowed" else ""
    return Offer(
        id=site.id,
        simulated=state.simulated,
        counted=is_counted(state),
        free=None if state.flags else state.free,
        max_height=site.fact("max_height"),
        spaces={kind: spaces_for(state, kind) for kind in KINDS},
        free_for={kind: None if state.flags else free_for(state, kind) for kind in KINDS},
        only=only_for(state),
        purpose=site.fact("purpose"),
        park_and_ride=rides(state),
        refused="too-long" if refused == "longest" else "permit" if refused == "permit" else "",
        metres=metres,
        cents=None if told is None else told.cents if told.cents is not None else told.high,
    )


def spaces_for(state: SiteState, kind: str) -> int | None:
    """How many spaces of a kind there are, as is counted or else as is said."""
    counted = state.spaces.get(kind)
    if counted is not None and counted.capacity is not None:
        return counted.capacity
    said = state.site.fact(f"capacity_{kind}")
    return said if isinstance(said, int) else None


def free_for(state: SiteState, kind: str) -> int | None:
    """How many spaces of a kind are free now; None where they are not counted apart."""
    counted = state.spaces.get(kind)
    return counted.free if counted is not None and state.status == "live" else None

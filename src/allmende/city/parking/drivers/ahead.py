"""What a car park's page tells a driver: what is expected in the next two hours, and what a stay from now costs."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec

from allmende.city.house import House
from allmende.city.parking.arrival.expect import expect_all
from allmende.city.parking.drivers.choosing import Offer, Wish, judge
from allmende.city.parking.drivers.gathering import Found, cost_of, make_offer
from allmende.city.parking.drivers.words import say_cost, say_limits, say_outlook
from allmende.city.parking.pricing.keeping import tariffs_in_force
from allmende.city.parking.sites import Site
from allmende.city.parking.state import SiteState

AHEAD = (15, 30, 60, 120)
STAYS = (30, 60, 120, 240)


@dataclass(frozen=True)
class Ahead:
    """In words; ``expected`` is empty where nothing is forecast."""

    expected: tuple[tuple[datetime, str], ...]
    issued: datetime | None
    costs: tuple[str, ...]
    limits: tuple[str, ...]
    geo: str
    """RFC 5870: the device's own map program knows the way; empty without a position."""


def look_ahead(house: House, site: Site, now: datetime) -> Ahead:
    """At ``now`` (aware)."""
    now = now.replace(second=0, microsecond=0)
    state = SiteState(site=site, now=now, status="live")
    known = expect_all(
        house.store, house.reader, site, [now + timedelta(minutes=minutes) for minutes in AHEAD], house.now()
    )
    told: list[tuple[datetime, str]] = []
    for found in known:
        at = found.at
        offer = Offer(id=site.id, chance=found.chance_of_one)
        then = Wish(now=now, arrival=at)
        choice = judge(offer, then)
        told.append((at, say_outlook(Found(state=state, choice=choice, cost=None, expected=found), then)))
    tariffs = tariffs_in_force(house.profile)
    wish = Wish(now=now, arrival=now)
    costs = []
    for minutes in STAYS:
        stay = msgspec.structs.replace(wish, stay=timedelta(minutes=minutes))
        cost = cost_of(tariffs, site, stay)
        if cost is not None and cost.status in ("known", "range"):
            costs.append(say_cost(cost, stay))
    whole = Found(state=state, choice=judge(make_offer(state, None, None), wish), cost=None, expected=None)
    geo = "" if site.lon is None or site.lat is None else f"geo:{site.lat},{site.lon}?q={site.lat},{site.lon}"
    return Ahead(
        expected=tuple(told), issued=known[0].issued if known else None, costs=tuple(costs),
        limits=say_limits(whole), geo=geo,
    )  # fmt: skip

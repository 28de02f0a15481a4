"""Which car parks suit a driver, and in what order they are told: plain values in and out.

    told = rank([judge(offer, wish) for offer in offers])

What nobody says counts as unknown, never as yes: a car park suits when all that was asked for is known to hold.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Literal, get_args

import msgspec

Need = Literal["disabled", "woman", "family", "charging", "bus", "bike", "park-and-ride", "open"]
NEEDS: tuple[Need, ...] = get_args(Need)
Verdict = Literal["suitable", "unknown", "unsuitable"]
Outlook = Literal["very-likely", "likely", "free-now", "few-now", "uncertain", "unknown", "unlikely", "full-now"]
"""How likely a space is on arrival; the words with ``now`` are for an arrival at once of which nothing is forecast."""
Why = Literal[
    "closed", "closed-then", "closes-before", "too-low", "for-bikes", "too-long", "permit",
    "no-disabled", "no-woman", "no-family", "no-charging", "no-bus", "no-bike", "no-park-and-ride",
    "only-disabled", "only-woman", "only-family", "only-bus", "only-others",
]  # fmt: skip

KINDS: tuple[Need, ...] = ("disabled", "woman", "family", "charging", "bus", "bike")
"""Needs that are kinds of spaces."""
_ONLY = ("disabled", "woman", "family", "bus")
SOON = timedelta(minutes=10)
"""An arrival within it is told by what is free now, where nothing is forecast."""
FEW = 5
CHANCES: tuple[tuple[float, Outlook], ...] = ((0.95, "very-likely"), (0.75, "likely"), (0.4, "uncertain"))
_OUTLOOKS: Mapping[Outlook, int] = {
    "very-likely": 0, "likely": 1, "free-now": 1, "uncertain": 2, "few-now": 2, "unknown": 3, "unlikely": 4,
    "full-now": 5,
}  # fmt: skip
_VERDICTS: Mapping[Verdict, int] = {"suitable": 0, "unknown": 1, "unsuitable": 2}
_EARTH = 6_371_000.0
DETOUR = 1.3
"""By how much a walk is longer than the straight line, as a rule of thumb in a city."""
PACE = 75.0
"""Metres that one walks in a minute (4.5 km/h)."""


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What a driver asks for. Times are aware."""

    now: datetime
    arrival: datetime
    stay: timedelta = timedelta(hours=2)
    height: int | None = None
    """Of the vehicle, in centimetres."""
    needs: frozenset[Need] = frozenset()

    @property
    def leaving(self) -> datetime:
        """When the space is given back."""
        return self.arrival + self.stay


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a car park for one wish. None is not known."""

    id: str
    simulated: bool = False
    counted: bool = True
    """Whether anybody ever said how many spaces are free there."""
    closed: bool = False
    """By a decision or its own report, at the time of arrival too."""
    free: int | None = None
    """Now, where the value is plausible."""
    chance: float | None = None
    """Of at least one free space on arrival."""
    max_height: int | None = None
    """Centimetres."""
    spaces: Mapping[str, int | None] = {}
    """How many there are, by kind of space."""
    free_for: Mapping[str, int | None] = {}
    """How many are free now, by kind of space, where each kind is counted."""
    only: str = ""
    """The kind of spaces that all of them are of; "" where there are others too, or nobody says so."""
    purpose: str | None = None
    park_and_ride: bool | None = None
    opens: bool | None = None
    """Whether it is open on arrival."""
    lets_out: bool | None = None
    """Whether it is open at the end of the stay."""
    refused: Literal["", "too-long", "permit"] = ""
    """Why its tariff does not allow the stay."""
    metres: float | None = None
    cents: int | None = None
    """Of the stay; the highest one where there is a range."""


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """What is told of an offer."""

    offer: Offer
    verdict: Verdict
    against: tuple[Why, ...] = ()
    unknown: tuple[str, ...] = ()
    """Which of the things that were asked for nobody says: ``height`` or a need."""
    outlook: Outlook


def judge(offer: Offer, wish: Wish) -> Choice:
    """Whether it suits, why it does not, and what is not known of what was asked for."""
    against: list[Why] = []
    unknown: list[str] = []
    if offer.closed:
        against.append("closed")
    elif offer.opens is False:
        against.append("closed-then")
    elif offer.lets_out is False:
        against.append("closes-before")
    if offer.refused:
        against.append(offer.refused)
    if wish.height is not None:
        if offer.max_height is None:
            unknown.append("height")
        elif offer.max_height < wish.height:
            against.append("too-low")
    if offer.purpose == "BIKE" and "bike" not in wish.needs:
        against.append("for-bikes")
    elif offer.only and offer.only not in ("bike", *wish.needs):
        against.append(f"only-{offer.only}" if offer.only in _ONLY else "only-others")  # type: ignore[arg-type]
    for need in NEEDS:
        if need in wish.needs:
            held = _holds(offer, need)
            if held is None:
                unknown.append(need)
            elif not held and need != "open":  # why it is not open is said above
                against.append(f"no-{need}")  # type: ignore[arg-type]  # one of Why, as a test holds
    verdict: Verdict = "unsuitable" if against else "unknown" if unknown else "suitable"
    return Choice(
        offer=offer, verdict=verdict, against=tuple(against), unknown=tuple(unknown), outlook=look_ahead(offer, wish)
    )


def _holds(offer: Offer, need: Need) -> bool | None:
    if need == "open":
        known = (offer.opens, offer.lets_out)
        return False if offer.closed or False in known else None if None in known else True
    if need == "park-and-ride":
        return offer.park_and_ride
    if need == offer.only or (need == "bike" and offer.purpose == "BIKE"):
        return True
    count = offer.spaces.get(need)
    if count is None and need == "bike" and offer.purpose is not None:
        return False
    return None if count is None else count > 0


def look_ahead(offer: Offer, wish: Wish) -> Outlook:
    """How likely a space is on arrival: of a kind that was asked for, where it is not all of them."""
    kinds = asked_kinds(offer, wish)
    if offer.chance is not None and not kinds:
        return next((word for least, word in CHANCES if offer.chance >= least), "unlikely")
    free = offer.free if not kinds else fewest(offer.free_for.get(kind) for kind in kinds)
    if free is None or wish.arrival - wish.now > SOON:
        return "unknown"
    if kinds or offer.only:  # there are few of them: one is enough
        return "free-now" if free > 0 else "full-now"
    return "full-now" if free <= 0 else "few-now" if free < FEW else "free-now"


def asked_kinds(offer: Offer, wish: Wish) -> list[Need]:
    """The kinds of spaces that were asked for and that are a part of all: what is free of all says nothing of them."""
    return [need for need in NEEDS if need in wish.needs and need in KINDS and need != offer.only
            and not (need == "bike" and offer.purpose == "BIKE")]  # fmt: skip


def fewest(counts: Iterable[int | None]) -> int | None:
    """The least of them; None where one is not known."""
    known = list(counts)
    return None if None in known or not known else min(each for each in known if each is not None)


def rank(choices: Iterable[Choice]) -> list[Choice]:
    """What suits first, then what may, then what does not; in each what is measured before what is simulated, and this
    before what nobody counts; then the likelier space, the shorter walk, the lower cost. Equals keep their order."""
    return sorted(choices, key=_place)


def _place(choice: Choice) -> Sequence[float]:
    offer = choice.offer
    return (
        _VERDICTS[choice.verdict],
        not offer.counted,
        offer.simulated,
        _OUTLOOKS[choice.outlook],
        choice.outlook == "unknown" and not offer.free,  # no word of then, and full or silent now
        math.inf if offer.metres is None else offer.metres,
        math.inf if offer.cents is None else offer.cents,
    )


def straight_line(lon: float, lat: float, to: tuple[float, float]) -> float:
    """Metres from a place to ``to`` (lon, lat), good to a few per mille within a city."""
    up = math.radians(to[1] - lat)
    along = math.radians(to[0] - lon) * math.cos(math.radians((lat + to[1]) / 2))
    return math.hypot(up, along) * _EARTH


def walk(metres: float) -> int:
    """Minutes on foot for a straight line, at least one."""
    return max(1, math.ceil(metres * DETOUR / PACE))

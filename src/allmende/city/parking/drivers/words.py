"""A choice in words of the active language, and as JSON."""

from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from allmende.city.parking.drivers.asking import AHEAD, STAYS
from allmende.city.parking.drivers.choosing import KINDS, NEEDS, Wish, asked_kinds, walk
from allmende.city.parking.drivers.gathering import Found, spaces_for
from allmende.city.parking.drivers.places import ASKS, WHATS, What
from allmende.city.parking.present import Row, say_space
from allmende.city.parking.tariffs_model import Cost
from allmende.city.parking.tariffs_words import length, money


@dataclass(frozen=True)
class Told:
    """What a card says beyond the value of now."""

    verdict: str
    outlook: str
    """The chance of a space on arrival, in words."""
    likely: bool
    cost: str
    walk: str
    against: tuple[str, ...]
    unknown: str
    limits: tuple[str, ...]
    """What is restricted, as far as it is known."""


@dataclass(frozen=True)
class Group:
    """Cards that stand together."""

    verdict: str
    title: str
    rows: tuple[tuple[Row, Told], ...]
    rest: tuple[tuple[Row, Told], ...] = ()
    """Those that stand folded up below the first ones."""

    @property
    def count(self) -> int:
        """How many there are in all."""
        return len(self.rows) + len(self.rest)


FIRST = 12
"""Cards of a group that stand open: as many as somebody reads on a phone before they ask again."""


def group(rows: list[tuple[Row, Told]]) -> list[Group]:
    """What suits, what may, what does not; none is left out."""
    titles = {
        "suitable": _("Suits you"),
        "unknown": _("May suit you: not everything is known"),
        "unsuitable": _("Does not suit you"),
    }
    found = []
    for verdict, title in titles.items():
        told = tuple(row for row in rows if row[1].verdict == verdict)
        if told:
            found.append(Group(verdict, title, told[:FIRST], told[FIRST:]))
    return found


def tell(found: Found, wish: Wish) -> Told:
    """In words."""
    choice, offer = found.choice, found.choice.offer
    return Told(
        verdict=choice.verdict,
        # what nobody counts is said above; of later nobody knows more
        outlook=say_outlook(found, wish) if offer.counted or found.expected else "",
        likely=choice.outlook in ("very-likely", "likely", "free-now"),
        cost=say_cost(found.cost, wish),
        walk="" if offer.metres is None else say_walk(offer.metres),
        against=tuple(say_against(each, found, wish) for each in choice.against),
        unknown=_("Not known: %(what)s") % {"what": ", ".join(map(say_need, choice.unknown))} if choice.unknown else "",
        limits=say_limits(found, spaces=False),
    )


def say_outlook(found: Found, wish: Wish) -> str:
    """The chance on arrival; how many are expected, where that is forecast."""
    if kinds := asked_kinds(found.choice.offer, wish):
        return _say_kinds(found, wish, ", ".join(map(say_need, kinds)))
    words = {
        "very-likely": _("very likely free"),
        "likely": _("likely free"),
        "uncertain": _("perhaps free"),
        "unlikely": _("probably full"),
        "free-now": _("free now"),
        "few-now": _("only a few free now"),
        "full-now": _("full now"),
        "unknown": _("no forecast for that time yet"),
    }[found.choice.outlook]
    expected = found.expected
    if found.choice.outlook.endswith("-now"):
        return words
    if expected is None:
        return _("On arrival: %(words)s") % {"words": words if found.choice.outlook != "unknown" or
                                             found.state.status == "live" else _("no data")}  # fmt: skip
    if expected.low is None or expected.high is None:
        numbers = ngettext("about %(n)d space", "about %(n)d spaces", expected.free) % {"n": expected.free}
    else:
        numbers = _("%(low)d to %(high)d spaces") % {"low": max(0, expected.low), "high": max(0, expected.high)}
    if offer_says_nothing(found):
        return _("On arrival: %(numbers)s") % {"numbers": numbers}
    return _("On arrival: %(words)s (%(numbers)s)") % {"words": words, "numbers": numbers}


def _say_kinds(found: Found, wish: Wish, kinds: str) -> str:
    """Of spaces that are a part of all: what is counted of them now speaks for an arrival soon, nothing for later."""
    outlook = found.choice.outlook
    if outlook == "unknown":
        return _("Whether one is free then, nobody can say: %(kinds)s") % {"kinds": kinds}
    words = _("free now") if outlook == "free-now" else _("full now")
    return _("%(kinds)s: %(words)s") % {"kinds": kinds, "words": words}


def offer_says_nothing(found: Found) -> bool:
    """Whether numbers are forecast and no chance."""
    return found.choice.offer.chance is None


def say_cost(cost: Cost | None, wish: Wish) -> str:
    """Of the stay."""
    stay = length(int(wish.stay.total_seconds()) // 60)
    if cost is not None and cost.status == "known" and cost.cents is not None:
        return _("%(price)s for %(stay)s") % {"price": money(cost.cents, cost.currency), "stay": stay}
    if cost is not None and cost.status == "range" and cost.low is not None and cost.high is not None:
        return _("%(low)s to %(high)s for %(stay)s") % {
            "low": money(cost.low, cost.currency), "high": money(cost.high, cost.currency), "stay": stay,
        }  # fmt: skip
    return _("Price not known")


def say_walk(metres: float) -> str:
    """A straight line, and how long the walk takes by rule of thumb."""
    away = int(round(metres, -1))
    far = (
        _("%(n)s m") % {"n": away}
        if away < 1000
        else _("%(n)s km") % {"n": number_format(metres / 1000, decimal_pos=1)}
    )
    minutes = walk(metres)
    return ngettext(
        "%(far)s as the crow flies, about %(n)d minute on foot",
        "%(far)s as the crow flies, about %(n)d minutes on foot",
        minutes,
    ) % {"far": far, "n": minutes}


def say_height(centimetres: int) -> str:
    """In metres."""
    return _("%(n)s m") % {"n": number_format(centimetres / 100, decimal_pos=2)}


def say_against(why: str, found: Found, wish: Wish) -> str:
    """Why it does not suit."""
    height = found.choice.offer.max_height
    if why == "too-low" and height is not None:
        return _("Too low: %(height)s at most") % {"height": say_height(height)}
    return {
        "closed": _("Closed"),
        "closed-then": _("Closed when you arrive"),
        "closes-before": _("Closed at the end of your stay"),
        "for-bikes": _("For bicycles only"),
        "only-disabled": _("For people with a disability only"),
        "only-woman": _("For women only"),
        "only-family": _("For families only"),
        "only-bus": _("For coaches only"),
        "only-others": _("Not for you: these spaces are for others only"),
        "too-long": _("You may not park there that long"),
        "permit": _("Only for people with a permit"),
        "no-disabled": _("No bay for people with a disability"),
        "no-woman": _("No bay for women"),
        "no-family": _("No bay for families"),
        "no-charging": _("No charging point"),
        "no-bus": _("No bay for coaches"),
        "no-bike": _("No stand for bicycles"),
        "no-park-and-ride": _("No park-and-ride"),
    }[why]


def say_need(need: str) -> str:
    """What was asked for."""
    return (
        say_space(need)
        or {
            "height": _("how high a vehicle may be"),
            "park-and-ride": _("park-and-ride"),
            "open": _("open during your stay"),
        }[need]
    )


def say_what(what: What) -> str:
    """What is looked for."""
    return {
        "": _("a space for a car"),
        "car-park": _("car park"),
        "street": _("street or area"),
        "bay": _("single bay"),
        "ride": _("park-and-ride"),
        "bike": _("stand for bicycles"),
        "bus": _("bay for coaches"),
    }[what]


def say_limits(found: Found, *, spaces: bool = True) -> tuple[str, ...]:
    """Heights, the longest stay, and (with ``spaces``) how many there are for whom, as far as anybody says it."""
    site, offer = found.state.site, found.choice.offer
    said: list[str] = []
    if offer.max_height is not None:
        said.append(_("Height up to %(height)s") % {"height": say_height(offer.max_height)})
    longest = site.fact("max_stay")
    if isinstance(longest, int | float):
        said.append(_("No longer than %(length)s.") % {"length": length(int(longest) // 60)})
    if spaces:
        said += [f"{say_need(kind)}: {count}" for kind, count in offer.spaces.items() if count]
    return tuple(said)


def choices_of_form(what: What, needs: frozenset[str], ahead: int, stay: int) -> dict[str, Any]:
    """What can be chosen in the form, with what is."""

    def minutes(given: int) -> str:
        return _("now") if not given else _("in %(length)s") % {"length": length(given)}

    offered = [each for each in NEEDS if each in needs or each not in ASKS.values()]
    return {
        "whats": [(each, say_what(each), each == what) for each in WHATS],
        "ahead": [(each, minutes(each), each == ahead) for each in sorted({*AHEAD, ahead})],
        "stays": [(each, length(each), each == stay) for each in sorted({*STAYS, stay})],
        "needs": [(each, say_need(each), each in needs) for each in offered],
    }


def say_arrival(wish: Wish, zone: ZoneInfo) -> str:
    """The hour of arrival on the city's clock."""
    return f"{wish.arrival.astimezone(zone):%H:%M}"


def as_json(found: Found, wish: Wish) -> dict[str, Any]:
    """For programs: codes instead of words, cents, metres, shares from 0 to 1; null is not known."""
    choice, offer, expected, cost = found.choice, found.choice.offer, found.expected, found.cost
    return {
        "verdict": choice.verdict,
        "against": list(choice.against),
        "unknown": list(choice.unknown),
        "outlook": choice.outlook,
        "metres": None if offer.metres is None else round(offer.metres),
        "expected": None
        if expected is None
        else {
            "at": expected.at.isoformat(),
            "free": expected.free,
            "low": expected.low,
            "high": expected.high,
            "chanceOfOne": _share(expected.chance_of_one),
            "chanceOfFive": _share(expected.chance_of_five),
            "issued": expected.issued.isoformat(),
            "simulated": expected.simulated,
        },
        "cost": {
            "status": cost.status if cost else "unknown",
            "reason": cost.reason if cost else "",
            "cents": cost.cents if cost else None,
            "low": cost.low if cost else None,
            "high": cost.high if cost else None,
            "currency": cost.currency if cost else None,
            "from": wish.arrival.isoformat(),
            "until": wish.leaving.isoformat(),
        },
        "maxHeight": offer.max_height,
        "openOnArrival": False if offer.closed else offer.opens,
        "only": offer.only,
        "spaces": {kind: spaces_for(found.state, kind) for kind in KINDS},
        "free": {kind: offer.free_for.get(kind) for kind in KINDS},
    }


def _share(value: float | None) -> float | None:
    return None if value is None else round(value, 3)

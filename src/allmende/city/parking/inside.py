"""What lies in an area, a zone or a car park, and what it lies in, for a site's page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from allmende.city.parking.state import SiteState
from allmende.city.words import say_age


@dataclass(frozen=True)
class Part:
    """One site in another."""

    id: str
    name: str
    words: str
    age: str
    simulated: bool
    inside: "tuple[Part, ...]" = ()
    """What lies in it: the bays of a zone's area."""


@dataclass(frozen=True)
class Inside:
    """What a page says of a site's parts, and of how its number came about."""

    parts: tuple[Part, ...]
    more: int
    """How many parts are not listed."""
    known: str
    """How much of it is known, empty where it has no parts."""
    estimate: str
    """That its number is an estimate and how good, empty where it is counted."""
    above: tuple[str, str] | None
    """Id and name of the site that it lies in."""


MOST = 200
"""Parts that a page lists."""


def tell(states: Sequence[SiteState], state: SiteState) -> Inside:
    """The words on ``state``, one of ``states``, in the active language."""
    below: dict[str, list[SiteState]] = {}
    for each in states:
        if each.site.parent and each is not state:
            below.setdefault(each.site.parent, []).append(each)
    inside = below.get(state.site.stands_for, [])
    above = next((each.site for each in states if each.site.stands_for == state.site.parent), None)
    known = ""
    if state.parts is not None:
        known = _("Known now: %(known)d of %(count)d, that is %(share)d %% of the spaces.") % {
            "known": state.parts.known,
            "count": state.parts.count,
            "share": round(100 * state.parts.share),
        }
    return Inside(
        parts=_parts(inside[:MOST], below),
        more=max(0, len(inside) - MOST),
        known=known,
        estimate=_say_estimate(state),
        above=(above.id, above.name) if above is not None else None,
    )


def _parts(states: Sequence[SiteState], below: Mapping[str, Sequence[SiteState]]) -> tuple[Part, ...]:
    """With what lies in each of them, as long as there are not too many in all."""
    left, found = MOST - len(states), []
    for state in states:
        inside = below.get(state.site.stands_for, ())[: max(0, left)]
        left -= len(inside)
        found.append(_part(state, tuple(_part(each) for each in inside)))
    return tuple(found)


def _part(state: SiteState, inside: tuple[Part, ...] = ()) -> Part:
    return Part(
        inside=inside,
        id=state.site.id,
        name=state.site.name,
        words=_say_state(state),
        age=say_age(state.stamp, state.now) if state.stamp else "",
        simulated=state.simulated,
    )


def _say_state(state: SiteState) -> str:
    if state.status == "closed":
        return _("Closed")
    if state.free is None:
        return _("No data")
    if state.site.kind == "parking-bay":
        return _("Free") if state.free else _("Taken")
    words = _("%(count)d free") % {"count": state.free}
    return f"{words}, {_('estimated')}" if state.estimated else words


def _say_estimate(state: SiteState) -> str:
    if not state.estimated:
        return ""
    if state.error is None:
        return _("This number is an estimate, not a count.")
    return _("This number is an estimate, not a count: it may be off by about %(error)d spaces.") % {
        "error": round(state.error)
    }

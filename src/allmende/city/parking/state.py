"""How every parking site stands at a moment.

    states = read_states(store, profile, reader, now)
    state = states[0]
    state.status, state.free, state.capacity, state.spaces["disabled"].free, state.age

One state for each real site; where its feed does not answer and a simulation stands for it, the simulation's, marked
so. A value is known to hold until its feed falls silent (:mod:`allmende.domain.steps`): then there is no data, never
the old value. Bays are summed up to areas, areas to zones, what is simulated never together with what is measured.
What the operator's paperwork says comes in as :class:`Decisions`. Read in
seven statements, however many sites there are, and what everybody sees only when something of it is another.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Literal

import msgspec

from allmende.city.keeping import is_anybody
from allmende.city.parking.correcting import correct, doubt, hide, holds
from allmende.city.parking.counting import AHEAD, Counting, read_count, read_trend
from allmende.city.parking.sites import KINDS, Site, read_sites
from allmende.city.parking.standing import (
    NOTHING_DECIDED,
    Closure,
    Decisions,
    Override,
    Parts,
    Reason,
    SiteState,
    Spaces,
    Status,
    Trend,
    closed,
)
from allmende.city.parking.sums import sum_up
from allmende.domain import times
from allmende.domain.policy import Reader
from allmende.domain.profile import Profile
from allmende.domain.store import Store

Simulated = Literal["stand-in", "beside", "left-out"]
__all__ = [
    "NOTHING_DECIDED",
    "Closure",
    "Decisions",
    "Override",
    "Parts",
    "Reason",
    "Simulated",
    "Site",
    "SiteState",
    "Spaces",
    "Status",
    "Trend",
    "choose",
    "decide",
    "read_states",
]


def read_states(
    store: Store,
    profile: Profile,
    reader: Reader,
    now: datetime,
    *,
    decisions: Decisions = NOTHING_DECIDED,
    kinds: Iterable[str] = KINDS,
    simulated: Simulated = "stand-in",
    trends: bool = True,
    only: str = "",
) -> tuple[SiteState, ...]:
    """The state of each site of these kinds at ``now`` (aware), in the order of :func:`read_sites`.

    ``simulated``: a simulated site stands in where a real one has no data, or both stand beside each other, or it is
    left out. ``trends=False`` spares their statement. ``only``: the site with this id and those that its own state
    hangs on.
    """
    stamp = store.stamp() if is_anybody(reader) else None
    newest = read_count(store, reader, stamp)
    sites = read_sites(store, profile, reader, choices=decisions.choices, stamp=stamp)
    moment = times.from_datetime(now)
    last: dict[str, int] = {}
    for stream in (stream for site in sites for stream in site.streams if stream.source):
        # one counter whose clock is ahead does not keep its whole feed alive
        if stream.id in newest and newest[stream.id].start <= moment + AHEAD:
            last[stream.source] = max(last.get(stream.source, newest[stream.id].start), newest[stream.id].start)
    if only:
        sites = family(sites, only)
    earlier = read_trend(store, reader, sites, moment, stamp, some=bool(only)) if trends else {}
    alone = [Counting(site, newest, last, moment, earlier).state(now) for site in sites]
    played = [state for state in alone if state.simulated]
    if simulated == "stand-in":
        alone, played = choose(alone), []
    real = [decide(state, decisions) for state in alone if simulated == "stand-in" or not state.simulated]
    known = [*sum_up(real), *(played if simulated == "beside" else ())]
    wanted = frozenset(kinds)
    return tuple(state for state in known if state.site.kind in wanted)


def family(sites: Sequence[Site], identifier: str) -> tuple[Site, ...]:
    """A site, what stands for the same, and all that lies in it."""
    wanted = {site.stands_for for site in sites if site.id == identifier}
    while more := {site.stands_for for site in sites if site.parent in wanted} - wanted:
        wanted |= more
    return tuple(site for site in sites if site.stands_for in wanted)


def choose(states: Iterable[SiteState]) -> list[SiteState]:
    """One for each real site: the measured one where its feed answers; else the simulated one; else what there is."""
    found: dict[str, SiteState] = {}
    for state in states:
        rival = found.get(state.site.stands_for)
        if rival is None or _rank(state) > _rank(rival):
            found[state.site.stands_for] = state
    return list(found.values())


def _rank(state: SiteState) -> int:
    if not state.simulated:
        return 0 if state.status == "no-data" else 2
    return 1


def decide(state: SiteState, decisions: Decisions) -> SiteState:
    """The state with what people have decided: an override counts most, then a closure, then the opening hours."""
    site, now = state.site.stands_for, state.now
    state = correct(state, decisions)
    flags = (*state.flags, *(flag for flag in decisions.doubts.get(site, ()) if flag not in state.flags))
    drift = decisions.drifts.get(site, 0) if not state.simulated else 0
    state = msgspec.structs.replace(state, flags=flags if state.status == "live" else state.flags, drift=drift)
    override = next((o for o in decisions.overrides if o.site == site and o.start <= now < o.until), None)
    if override is not None:
        return _overridden(state, override)
    closure = next(
        (c for c in decisions.closures if c.site == site and c.spaces is None and holds(c, now)),
        None,
    )
    if closure is not None:
        return msgspec.structs.replace(closed(state, "closure"), closure=closure)
    if decisions.is_open is not None and decisions.is_open(state.site) is False:
        return closed(state, "hours")
    return hide(state) if set(state.flags) & set(decisions.hidden.get(site, ())) else doubt(state)


def _overridden(state: SiteState, override: Override) -> SiteState:
    free = override.free if override.status == "live" else None
    known = override.status != "live" or free is not None
    occupied = None if free is None or state.capacity is None else max(state.capacity - free, 0)
    whole = state.spaces.get("", Spaces())
    return msgspec.structs.replace(
        state,
        status=override.status if known else "no-data",
        reason="override",
        free=free,
        occupied=occupied,
        spaces={**state.spaces, "": msgspec.structs.replace(whole, free=free, occupied=occupied)},
        flags=(),
        drift=0,
        counted=state.free,
        observed_at=override.start,
        confirmed_at=override.start,
        trend="unknown",
        override=override,
    )

"""What is counted, put right by what operators know: spaces not public, a counter that is off, a closed deck."""

from datetime import datetime

import msgspec

from allmende.city.parking.standing import Closure, Decisions, SiteState, Spaces


def holds(closure: Closure, now: datetime) -> bool:
    """Whether it is closed at ``now``."""
    return closure.start <= now and (closure.until is None or now < closure.until)


def correct(state: SiteState, decisions: Decisions) -> SiteState:
    """The state with the capacity that is public and open, and the count put right. What was counted stands beside.

    Feeds count the public spaces as free: leased ones leave the capacity, not the count. Of a deck that is closed no
    feed says whether its spaces still count as free: there are never more free ones than open ones.
    """
    site, now = state.site.stands_for, state.now
    leased = decisions.leases.get(site, 0)
    offset = decisions.offsets.get(state.stream, 0) if state.free is not None and not state.simulated else 0
    part = next((c for c in decisions.closures if c.site == site and c.spaces is not None and holds(c, now)), None)
    if not (leased or offset or part):
        return state
    capacity, free = state.capacity, state.free
    if capacity is not None:
        capacity = max(capacity - leased, 0)
        top = capacity = max(capacity - (part.spaces or 0), 0) if part else capacity
        if free is not None and offset:
            free = min(max(free + offset, 0), max(top, free))
        if free is not None and part:
            free = min(free, top)
    elif free is not None:
        free = max(free + offset, 0)
    occupied = capacity - free if capacity is not None and free is not None and free <= capacity else state.occupied
    whole = msgspec.structs.replace(state.spaces.get("", Spaces()), free=free, occupied=occupied, capacity=capacity)
    return msgspec.structs.replace(
        state,
        free=free,
        occupied=occupied,
        capacity=capacity,
        spaces={**state.spaces, "": whole, **({"leased": Spaces(capacity=leased)} if leased else {})},
        counted=state.free if free != state.free else state.counted,
        closure=part,
        offset=offset,
        leased=leased,
    )


def hide(state: SiteState) -> SiteState:
    """The same site without its number, which cannot be right; its flags say why."""
    spaces = {kind: msgspec.structs.replace(each, free=None, occupied=None) for kind, each in state.spaces.items()}
    return msgspec.structs.replace(
        state,
        status="no-data",
        reason="implausible",
        counted=state.free if state.counted is None else state.counted,
        free=None,
        occupied=None,
        spaces=spaces,
        trend="unknown",
    )


def doubt(state: SiteState) -> SiteState:
    """What cannot be right by itself, at once and without waiting for the rules of plausibility: a client's reading
    passed no bounds of a source. Fewer than none is no number; more than there are is flagged."""
    if state.status != "live" or state.free is None:
        return state
    if state.free < 0:
        return hide(_flagged(state, "negative"))
    if state.capacity is not None and state.free > state.capacity:
        return _flagged(state, "above-capacity")
    return state


def _flagged(state: SiteState, flag: str) -> SiteState:
    return state if flag in state.flags else msgspec.structs.replace(state, flags=(*state.flags, flag))

"""From the states of the sites that a display stands for to one count, or why there is none to be shown."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

import msgspec

from allmende.city.parking.signs.model import Display, Why
from allmende.city.parking.standing import SiteState, Spaces

_AHEAD = timedelta(minutes=2)
"""How far a source's clock may be ahead of ours."""


class Count(msgspec.Struct, frozen=True, kw_only=True):
    """What the sites say together. ``free`` is None unless ``kind`` is "count"."""

    kind: str
    """"count", "closed" or "unknown"."""
    free: int | None = None
    true_at: datetime | None = None
    """The oldest moment for which one of the values is known to hold."""
    until: datetime | None = None
    """When a decision of the operator ends that the count rests on."""
    whole: bool = True
    """Whether all of the sites are in it."""
    simulated: bool = False
    why: tuple[Why, ...] = ()


def count(display: Display, states: Sequence[SiteState], now: datetime) -> Count:
    """``states`` are those of ``display.shows``; what is missing is not known."""
    found = {state.site.stands_for: state for state in states} | {state.site.id: state for state in states}
    each = [_one(display, name, found.get(name), now) for name in display.shows]
    why = tuple(reason for one in each for reason in one.why)
    if all(one.kind == "closed" for one in each):
        return Count(kind="closed", why=why, until=_first(one.until for one in each))
    known = [one for one in each if one.kind != "unknown"]
    measured = [one for one in known if not one.simulated or one.kind == "closed"]
    if any(one.kind == "count" for one in measured) and len(measured) < len(known):
        known = measured
        why = (*why, Why("simulated-left-out"))
    counts = [one for one in known if one.kind == "count"]
    sizes = {name: _capacity(found.get(name), display.spaces_for) for name in display.shows}
    share = _share(display, each, known, sizes)
    if not counts or share < display.rules.share:
        if len(display.shows) > 1:
            why = (*why, Why("too-little-known", {"share": _percent(share), "least": _percent(display.rules.share)}))
        return Count(kind="unknown", why=why)
    return Count(
        kind="count",
        free=sum(one.free or 0 for one in counts),
        true_at=min(one.true_at for one in counts if one.true_at),
        until=_first(one.until for one in known),
        whole=len(known) == len(each) and all(one.whole for one in known),
        simulated=any(one.simulated for one in counts),
        why=why,
    )


def _one(display: Display, name: str, state: SiteState | None, now: datetime) -> Count:
    """One site by itself."""
    if state is None:
        return _unknown(name, "unheard-of")
    name = state.site.name
    if state.simulated and not display.simulated and state.override is None:
        return _unknown(name, "simulated")
    if state.status == "closed":
        return Count(kind="closed", until=_end(state), why=(Why("closed", {"site": name, "reason": state.reason}),))
    if state.status == "no-data":
        return _unknown(name, "no-data", reason=state.reason)
    if state.flags:
        return _unknown(name, "doubtful", flags=list(state.flags))
    free, capacity = _free(state, display.spaces_for), _capacity(state, display.spaces_for)
    if free is None:
        return _unknown(name, "kind-unknown")
    drift = 0 if display.spaces_for else state.drift
    full_at = display.rules.full_at
    if (free <= full_at) != (free + drift <= full_at):
        return _unknown(name, "drift-unsure", offset=abs(drift))
    if free < 0:
        return _unknown(name, "doubtful", flags=["negative"])
    if capacity is not None and free > capacity:
        return _unknown(name, "doubtful", flags=["above-capacity"])
    if state.summed and state.parts is not None and state.parts.share < display.rules.share:
        return _unknown(name, "parts-unknown", share=_percent(state.parts.share), least=_percent(display.rules.share))
    decided = state.override is not None
    stamp = now if decided else state.stamp
    if stamp is None:
        return _unknown(name, "no-data", reason="never")
    if stamp > now + _AHEAD:
        return _unknown(name, "doubtful", flags=["ahead"])
    stamp = min(stamp, now)
    if now - stamp >= display.rules.stale:
        minutes = int((now - stamp) / timedelta(minutes=1))
        limit = int(display.rules.stale / timedelta(minutes=1))
        return _unknown(name, "stale", minutes=minutes, limit=limit)
    code = "decided" if decided else "counted"
    return Count(
        kind="count",
        free=min(free, free + drift),
        true_at=stamp,
        until=_end(state),
        whole=state.parts is None or not state.summed or state.parts.share >= 1,
        simulated=state.simulated and not decided,
        why=(Why(code, {"site": name, "free": free, "capacity": capacity, "at": stamp.isoformat()}), *_remarks(state)),
    )


def _remarks(state: SiteState) -> tuple[Why, ...]:
    """What its source remarks and leaves its number as it is, and a counter that is off."""
    remarks = [Why("remark", {"site": state.site.name, "flags": list(state.remarks)})] if state.remarks else []
    if state.drift < 0:
        remarks.append(Why("drift", {"site": state.site.name, "offset": -state.drift}))
    return tuple(remarks)


def _unknown(name: str, code: str, **said: object) -> Count:
    return Count(kind="unknown", why=(Why(code, {"site": name, **said}),))


def _free(state: SiteState, kind: str) -> int | None:
    return state.free if not kind else state.spaces.get(kind, Spaces()).free


def _capacity(state: SiteState | None, kind: str) -> int | None:
    if state is None:
        return None
    return state.capacity if not kind else state.spaces.get(kind, Spaces()).capacity


def _share(display: Display, each: Sequence[Count], known: Sequence[Count], sizes: dict[str, int | None]) -> float:
    """How much is known: of the spaces where every site says how many it has, else of the sites."""
    taken = {id(one) for one in known}
    whole = sum(size or 0 for size in sizes.values())
    if whole and all(size is not None for size in sizes.values()):
        return sum(sizes[name] or 0 for name, one in zip(display.shows, each, strict=True) if id(one) in taken) / whole
    return len(known) / len(each)


def _percent(share: float) -> int:
    return int(100 * share)


def _end(state: SiteState) -> datetime | None:
    if state.override is not None:
        return state.override.until
    return state.closure.until if state.closure is not None else None


def _first(ends: Iterable[datetime | None]) -> datetime | None:
    return min((end for end in ends if end is not None), default=None)

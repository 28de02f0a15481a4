"""Bays summed up to areas, areas and car parks to zones."""

from collections.abc import Iterable, Sequence

import msgspec

from allmende.city.parking.standing import Parts, Reason, SiteState, Spaces
from allmende.city.parking.statements import SPACES_FOR


def sum_up(states: Sequence[SiteState]) -> list[SiteState]:
    """The same states, those of areas and zones with what lies in them. A circle of parents sums up nothing."""
    index = {state.site.stands_for: number for number, state in enumerate(states)}
    inside: dict[int, list[int]] = {}
    for number, state in enumerate(states):
        above = index.get(state.site.parent or "")
        if above is not None and above != number:
            inside.setdefault(above, []).append(number)
    done: dict[int, SiteState] = {}

    def visit(number: int, path: frozenset[int]) -> SiteState:
        if number not in done:
            below = [visit(n, path | {number}) for n in inside.get(number, ()) if n not in path]
            done[number] = _summed(states[number], below) if below else states[number]
        return done[number]

    return [visit(number, frozenset({number})) for number in range(len(states))]


def _summed(state: SiteState, below: Sequence[SiteState]) -> SiteState:
    """An area's own count stands; without one it is the sum of what is known of its parts."""
    usable = [part for part in below if part.status != "no-data" and not part.flags]
    # what is simulated is never added to what is measured
    known = [part for part in usable if not part.simulated] or usable
    sized = all(part.capacity is not None for part in below)
    capacity = sum(part.capacity or 0 for part in known)
    whole = sum(part.capacity or 0 for part in below)
    free = sum(part.free or 0 for part in known)
    # an area of which half is known brings half of its spaces
    shares = [part.parts.share if part.summed and part.parts else 1.0 for part in known]
    if sized and whole:
        share = sum(each * (part.capacity or 0) for each, part in zip(shares, known, strict=True)) / whole
    else:
        share = sum(shares) / len(below)
    parts = Parts(count=len(below), known=len(known), free=free, capacity=capacity, share=share)
    size = state.capacity if state.capacity is not None else (whole if sized else None)
    if state.reason != "never" or not known:
        reason: Reason = "parts-silent" if state.reason == "never" else state.reason
        return msgspec.structs.replace(state, parts=parts, capacity=size, reason=reason)
    stamps = [part.stamp for part in known if part.stamp]
    changes = [part.observed_at for part in known if part.observed_at]
    spaces = {kind: _sum_of([part.spaces.get(kind, Spaces()) for part in known]) for kind in ("", *SPACES_FOR)}
    return msgspec.structs.replace(
        state,
        status="live",
        reason="",
        free=free,
        occupied=spaces[""].occupied,
        capacity=size,
        spaces={kind: each for kind, each in spaces.items() if not kind or each != Spaces()},
        observed_at=max(changes, default=None),
        confirmed_at=min(stamps, default=None),
        simulated=all(part.simulated for part in known),
        estimated=any(part.estimated for part in known),
        parts=parts,
        summed=True,
    )


def _sum_of(spaces: Sequence[Spaces]) -> Spaces:
    def total(values: Iterable[int | None]) -> int | None:
        known = [value for value in values if value is not None]
        return sum(known) if known else None

    return Spaces(
        free=total(each.free for each in spaces),
        occupied=total(each.occupied for each in spaces),
        capacity=total(each.capacity for each in spaces),
    )

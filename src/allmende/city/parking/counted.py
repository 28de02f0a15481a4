"""The car parks that count their spaces, each with its stream."""

from datetime import datetime
from typing import Any

import msgspec

from allmende.city.parking.read import shown_kind
from allmende.city.parking.sites import Site, SiteStream
from allmende.city.parking.state import NOTHING_DECIDED, Decisions, SiteState, read_states
from allmende.city.parking.told import Pasts, Told, nothing_decided, told_of
from allmende.domain.policy import Reader
from allmende.domain.profile import Profile
from allmende.domain.spans import Head
from allmende.domain.store import Store


class Counted(msgspec.Struct, frozen=True, kw_only=True):
    """A car park with a stream of its free spaces."""

    state: SiteState
    stream: SiteStream
    head: Head
    told: Told
    """How its past is told, with what was decided then."""

    @property
    def site(self) -> Site:
        """The car park."""
        return self.state.site


def read_counted(
    store: Store,
    profile: Profile,
    reader: Reader,
    now: datetime,
    *,
    decisions: Decisions = NOTHING_DECIDED,
    pasts: Pasts = nothing_decided,
) -> list[Counted]:
    """Every car park that the reader may see with a stream of its free spaces: measured ones first."""
    how: Any = {"kinds": [shown_kind(profile)], "simulated": "beside", "trends": False}
    states = read_states(store, profile, reader, now, decisions=decisions, **how)
    known = {head.id: head for head in store.heads(reader, [state.stream for state in states if state.stream])}
    found = [
        Counted(state=state, stream=stream, head=known[stream.id], told=told_of(profile, state.site, stream, pasts))
        for state in states
        for stream in state.site.streams
        if stream.id == state.stream and stream.id in known
    ]
    return sorted(found, key=lambda each: each.state.simulated)

"""When what is said of a site was last said, and a number for its id: formats ask for both."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import blake2b

from allmende.city.parking.sites import Site
from allmende.city.parking.state import SiteState

_DAY = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?\Z", re.ASCII)
_NOBODY_SAYS = datetime(2000, 1, 1, tzinfo=UTC)
"""Of a site whose statements are all undated."""


@lru_cache(maxsize=10_000)
def number_of(identifier: str) -> int:
    """A whole number for an id: the same at every time and in every process, and exact in JavaScript (2^53)."""
    return int.from_bytes(blake2b(identifier.encode(), digest_size=6).digest(), "big") or 1


def said_at(site: Site) -> datetime:
    """When the newest statement on a site was made: the last day that its date covers."""
    days = [day for said in site.statements.values() for each in said if (day := _day(each.date))]
    return max(days, default=_NOBODY_SAYS)


@lru_cache(maxsize=1024)
def _day(date: str) -> datetime | None:
    match = _DAY.match(date.rsplit("/", 1)[-1])
    if match is None:
        return None
    try:
        return datetime(int(match[1]), int(match[2] or 1), int(match[3] or 1), tzinfo=UTC)
    except ValueError:
        return None


def changed_at(states: Sequence[SiteState]) -> datetime:
    """When an answer about the states last changed: now where one is as it is by silence, the clock or a decision."""
    plain = all(
        state.status == "live" and not state.flags for state in states if state.stamp or state.status == "closed"
    )
    return known_at(states) if plain or not states else states[0].now


def known_at(states: Sequence[SiteState]) -> datetime:
    """When any of the states was last confirmed or said: the time at which a publication last changed."""
    moments = [state.stamp for state in states if state.stamp] + [said_at(state.site) for state in states]
    return max(moments, default=_NOBODY_SAYS)

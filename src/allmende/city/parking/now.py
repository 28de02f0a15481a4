"""How parking stands now and stood before, with what operators decided: the one way for all that is shown, told or
driven by it.

Who reads the counting itself, to judge it, asks :func:`allmende.city.parking.state.read_states`.
"""

from datetime import datetime
from typing import Any

from allmende.city.house import House
from allmende.city.keeping import Kept, is_anybody, mark_of
from allmende.city.parking.counted import Counted, read_counted
from allmende.city.parking.operating.paperwork import current, stamp_of_papers
from allmende.city.parking.operating.pasts import pasts
from allmende.city.parking.state import SiteState, read_states

_kept: Kept[tuple[SiteState, ...]] = Kept(lambda: 32, lambda _: 1)


def states_at(house: House, now: datetime, **how: Any) -> tuple[SiteState, ...]:
    """The states at ``now`` (aware), as the house's reader may see them; ``how`` is for ``read_states``. For everybody
    they are worked out once a second."""

    def read() -> tuple[SiteState, ...]:
        decisions = current(now, house.profile)
        return read_states(house.store, house.profile, house.reader, now, decisions=decisions, **how)

    if not is_anybody(house.reader):
        return read()
    key = (stamp_of_papers(), *((name, tuple(how[name]) if name == "kinds" else how[name]) for name in sorted(how)))
    return _kept.get(house.store, mark_of(house, now), key, read) or ()


def counted_at(house: House, now: datetime) -> list[Counted]:
    """The car parks with a count, each with its past as it is told at ``now``."""
    return read_counted(
        house.store, house.profile, house.reader, now, decisions=current(now, house.profile), pasts=pasts()
    )

"""Where what can be told comes from. Each source reads what everybody may know, and nothing else."""

from collections.abc import Iterable
from typing import Protocol

from allmende.domain.profile import Profile
from allmende.domain.store import Store
from allmende.web.subscriptions.happening import Happening
from allmende.web.subscriptions.models import Happened


class Reading(Protocol):
    """One of them."""

    name: str

    def read(self, profile: Profile, store: Store, after: int, now: int) -> Iterable[Happening]:
        """What became as it is later than ``after``, as everybody may know it now. Microseconds; may give more than was
        asked for."""

    def settle(self) -> None:
        """All that was read last is noted: it need not be read again."""

    def is_public(self, profile: Profile, happened: Happened) -> bool:
        """Whether everybody may still know of it."""

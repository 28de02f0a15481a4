"""What is said of a parking site at a moment: the values that :mod:`allmende.city.parking.state` reads."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Literal

import msgspec

from allmende.city.parking.sites import Choices, Site

Status = Literal["live", "closed", "no-data"]
Reason = Literal[
    "", "never", "feed-silent", "silent", "says-closed", "closure", "hours", "override", "parts-silent", "implausible",
    "says-nothing", "ahead",
]  # fmt: skip
Trend = Literal["rising", "falling", "steady", "unknown"]


class Override(msgspec.Struct, frozen=True, kw_only=True):
    """What an operator says instead of the counting, for a while: a number, "closed", or that nothing is known."""

    site: str
    """Id of the real site."""
    start: datetime
    until: datetime
    reason: str
    free: int | None = None
    status: Status = "live"
    by: str = ""


class Closure(msgspec.Struct, frozen=True, kw_only=True):
    """A site is closed from ``start`` until ``until`` (None: until further notice), or ``spaces`` of it."""

    site: str
    start: datetime
    until: datetime | None
    reason: str
    """What everybody may read."""
    spaces: int | None = None


class Decisions(msgspec.Struct, frozen=True, kw_only=True):
    """What people have decided. Without any, what is measured holds."""

    choices: Choices = {}
    overrides: Sequence[Override] = ()
    closures: Sequence[Closure] = ()
    doubts: Mapping[str, Sequence[str]] = {}
    """By site: flags beyond those of the readings, e.g. ``frozen``."""
    hidden: Mapping[str, Sequence[str]] = {}
    """By site: those of its flags for which no number is shown."""
    leases: Mapping[str, int] = {}
    """By site: spaces that are not public."""
    drifts: Mapping[str, int] = {}
    """By site: by how much its nights say that the counter is off, where nobody has decided on it yet."""
    offsets: Mapping[str, int] = {}
    """By stream: what is added to its count of free spaces, since the counter is off by so much."""
    is_open: Callable[[Site], bool | None] | None = None
    """Whether a site's hours let anybody in now; None where nobody knows."""


NOTHING_DECIDED = Decisions()


class Spaces(msgspec.Struct, frozen=True, kw_only=True):
    """The spaces of one kind. None is not known."""

    free: int | None = None
    occupied: int | None = None
    capacity: int | None = None
    stream: str = ""
    """Id of the Datastream of the free spaces, "" where they are worked out or not known."""


class Parts(msgspec.Struct, frozen=True, kw_only=True):
    """What lies in an area or a zone: its bays, or areas and car parks with all that is in them."""

    count: int
    """Bays of an area; else sites."""
    known: int
    """Of how many the state is known now."""
    free: int
    """Free spaces of those that are known."""
    capacity: int
    """Spaces of those that are known and have a known capacity."""
    share: float
    """How much is known, 0 to 1: of the spaces where every part says how many it has, else of the parts."""


class SiteState(msgspec.Struct, frozen=True, kw_only=True):
    """A site at ``now``. ``free`` is None unless ``status`` is "live"."""

    site: Site
    now: datetime
    status: Status
    reason: Reason = ""
    free: int | None = None
    occupied: int | None = None
    capacity: int | None = None
    spaces: Mapping[str, Spaces] = {}
    """By kind of spaces; "" holds all of them, as above."""
    flags: tuple[str, ...] = ()
    """Why the value is implausible, e.g. ``above-capacity``; a sign shows no value that has one."""
    remarks: tuple[str, ...] = ()
    """What its source says of the value's quality without doubting it: it stands as it is, also on signs."""
    counted: int | None = None
    """What the counting says, where a decision or a closure takes its place."""
    observed_at: datetime | None = None
    """When the value last changed or was rewritten (phenomenonTime)."""
    confirmed_at: datetime | None = None
    """When its feed last reported anything: a value that changes alone is told is known to hold until then."""
    trend: Trend = "unknown"
    """Of the free spaces over the last 30 minutes."""
    simulated: bool = False
    """Whether its values are played, not measured."""
    estimated: bool = False
    error: float | None = None
    """How far off an estimate is, in spaces, as its source says."""
    parts: Parts | None = None
    """Of an area or zone with sites in it."""
    summed: bool = False
    """Whether ``free`` is the sum of the parts."""
    override: Override | None = None
    closure: Closure | None = None
    """Of the site or, where it is open, of a part of it."""
    drift: int = 0
    """What would have to be added to :attr:`free`, as the nights say, and has not been decided on: negative where too
    many are counted as free. Whoever must not promise too much takes the lesser of the two."""
    offset: int = 0
    """What was added to :attr:`counted`, since the counter is off by so much."""
    leased: int = 0
    """Spaces that are not public; they are no part of ``capacity``."""

    @property
    def stamp(self) -> datetime | None:
        """The moment for which the value is known to hold."""
        return self.confirmed_at or self.observed_at

    @property
    def age(self) -> timedelta | None:
        """How long ago that was, never less than nothing."""
        return None if self.stamp is None else max(self.now - self.stamp, timedelta())

    @property
    def stream(self) -> str:
        """Id of the Datastream with the free spaces, "" where there is none."""
        return self.spaces[""].stream if "" in self.spaces else ""


def closed(state: SiteState, reason: Reason) -> SiteState:
    """The same site where nobody can park; what was counted is kept apart."""
    spaces = {kind: msgspec.structs.replace(each, free=None, occupied=None) for kind, each in state.spaces.items()}
    return msgspec.structs.replace(
        state,
        status="closed",
        reason=reason,
        counted=state.free if state.counted is None else state.counted,
        free=None,
        occupied=None,
        spaces=spaces,
        trend="unknown",
    )

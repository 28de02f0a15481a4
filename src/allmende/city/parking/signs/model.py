"""Signs as values: models of displays, displays at their sites, and what one shows."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal

import msgspec

Direction = Literal["", "forward", "backward"]
"""Of travel: along the ring as its streets are listed, or against it."""
Arrow = Literal["", "ahead", "left", "right", "half-left", "half-right", "back"]
State = Literal["free", "full", "closed", "unknown", "text", "blank"]
Level = Literal["", "free", "full"]
Rank = Literal["event", "notice", "urgent"]
RANKS: tuple[Rank, ...] = ("event", "notice", "urgent")
"""From the least to the greatest."""
Rows = tuple[str, ...]

ARROWS: Mapping[Arrow, str] = {
    "ahead": "↑",
    "left": "←",
    "right": "→",
    "half-left": "↖",
    "half-right": "↗",
    "back": "↓",
}
_GERMAN = "".join(map(chr, range(32, 127))) + "ÄÖÜäöüß°§–"
CHARACTERS: Mapping[str, str] = {
    "ascii": "".join(map(chr, range(32, 127))),
    "german": _GERMAN,
    "german-arrows": _GERMAN + "".join(ARROWS.values()),
}
"""Named sets of what a display can write; a model may list its own."""


class Model(msgspec.Struct, frozen=True, kw_only=True):
    """A kind of display: what fits on it, and its words."""

    id: str
    rows: int
    columns: int
    characters: str
    words: Mapping[str, Mapping[str, str]]
    """By language the words for ``free``, ``full``, ``closed`` and ``unknown``; the first language is the main one."""
    alternate: timedelta = timedelta(seconds=4)
    """For how long each page is shown where there are several."""
    upper: bool = False
    """Whether texts are written in capitals."""
    colour: Literal["amber", "white", "green", "red"] = "amber"

    @property
    def languages(self) -> tuple[str, ...]:
        return tuple(self.words)


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """When a display shows what. Numbers are spaces."""

    step: int = 1
    """Numbers are rounded down to a multiple of it."""
    full_at: int = 0
    """Free turns to full at this many or less …"""
    free_at: int = 1
    """… and full to free at this many or more: the band between the two keeps what was."""
    hold: timedelta = timedelta(minutes=1)
    """The least time between two changes of what is counted; closures, texts and the fall-back do not wait."""
    stale: timedelta = timedelta(minutes=30)
    """A value older than this is not shown."""
    valid: timedelta = timedelta(minutes=20)
    """For how long a controller may show what it was told without hearing anything more."""
    share: float = 1.0
    """How much of several car parks has to be known for their sum to be shown, 0 to 1."""
    number: bool = True
    """Whether the number is shown, or the word for "free" alone."""


class Display(msgspec.Struct, frozen=True, kw_only=True):
    """One sign: what it shows, and for whom it stands there."""

    id: str
    mast: str
    """Id of the site at which it hangs."""
    name: str
    street: str
    shows: tuple[str, ...]
    """Ids of the parking sites; of several it shows the sum."""
    spaces_for: str = ""
    """The kind of spaces, e.g. ``disabled``; "" for all of them."""
    direction: Direction = ""
    toward: str = ""
    arrow: Arrow = ""
    controller: str = ""
    """What the traffic computer calls the device that drives it."""
    model: Model
    rules: Rules
    lines: tuple[str, ...] = ("{state}",)
    """A template for each row: ``{state}`` is the number or the word, ``{arrow}`` the arrow."""
    simulated: bool = False
    """Tried out: no such sign stands in the street. It may show simulated values, a real one never does."""
    dataset: str = ""
    position: tuple[float, float] | None = None
    """Longitude and latitude in EPSG:4326, where they are known."""


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """What a display shows instead of (or beside) its own for a while: an event, an operator's text, nothing at all."""

    id: str
    displays: frozenset[str]
    start: datetime
    until: datetime
    reason: str
    rank: Rank = "notice"
    pages: Mapping[str, Rows] = {}
    """By language; without any the display is dark."""
    beside: bool = False
    """Whether it takes turns with what the display shows by itself."""


class Why(msgspec.Struct, frozen=True):
    """One step of the decision: a code that :mod:`allmende.city.parking.signs.words` says in words."""

    code: str
    said: Mapping[str, Any] = {}


class Page(msgspec.Struct, frozen=True):
    """What is seen at once; where there are several they take turns."""

    rows: Rows
    language: str = ""


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """What a display shows from a moment on; kept, since what it shows next depends on it. Times are aware, UTC."""

    state: State
    pages: tuple[Page, ...]
    number: int | None = None
    level: Level = ""
    """Free or full by the thresholds; kept while the display shows something else."""
    since: datetime
    """When the display began to show this."""
    counted_since: datetime | None = None
    """When what is counted changed last."""
    true_at: datetime | None = None
    """The moment for which the number, or the word, is known to have been true."""
    decided_at: datetime
    until: datetime
    """Until when a controller may show it without hearing anything more."""
    why: tuple[Why, ...] = ()
    message: str = ""
    simulated: bool = False
    """Whether the values in it are played."""

    def looks_like(self, other: "Shown") -> bool:
        """Whether somebody in the street would see no difference."""
        return (self.state, self.pages) == (other.state, other.pages)


class Signs(msgspec.Struct, frozen=True, kw_only=True):
    """All that a city's file says of its signs."""

    displays: Mapping[str, Display] = {}
    events: tuple[Message, ...] = ()
    ring: tuple[str, ...] = ()
    """The streets in their order."""
    facts: Sequence[Mapping[str, str]] = ()
    """What sources say of the signs of the city: ``words`` in the active language are chosen by the page."""
    open_feeds: bool = True
    """Whether anybody may read a sign's feed; else its token is needed."""
    poll: timedelta = timedelta(seconds=30)
    """How often a controller is asked to look."""

    @property
    def streets(self) -> tuple[str, ...]:
        """Streets with displays, those of the ring first and in its order."""
        found = {display.street for display in self.displays.values()}
        return (*(s for s in self.ring if s in found), *sorted(found - set(self.ring)))

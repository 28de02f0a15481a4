"""The states of an alert: nothing here reads a clock or a store. Times are microseconds, UTC.

::

    quiet ──raise──▶ pending ──for──▶ active ──clear──▶ clearing ──clear_for──▶ quiet
                        └─ not ─▶ quiet  └◀─── not ──────┘         lapse ─────▶ quiet

What is missing raises nothing and ends nothing. Readings are looked at forwards: one that lies before another that was
looked at is passed over, so that what comes late tells of what holds now and rewrites nothing that somebody was told.
The clock's looks are no readings: behind them come readings of an earlier time, as slow sources send them.
"""

from typing import Literal, NamedTuple

Phase = Literal["quiet", "pending", "active", "clearing"]
PHASES: tuple[Phase, ...] = ("quiet", "pending", "active", "clearing")
Kind = Literal["raised", "cleared", "lapsed", "withdrawn"]
Truth = bool | None


class Terms(NamedTuple):
    """How long something has to hold before it counts."""

    raise_after: int = 0
    clear_after: int = 0
    lapse: int = 86_400_000_000


class State(NamedTuple):
    """Where an alert stands with one stream, thing or group."""

    phase: Phase = "quiet"
    since: int = 0
    """When the phase began; of one that is active, when that which raised it began."""
    turning: int = 0
    """While it is clearing: when that began."""
    unknown: int = 0
    """While it lasts and nothing can be said: since when; 0: it can."""
    looked: int = -(2**62)
    """The time of the newest reading that was looked at."""
    turn: int = 0
    """How often it was raised."""

    @property
    def lasting(self) -> bool:
        """Whether it was raised and is not over."""
        return self.phase in ("active", "clearing")


class Sight(NamedTuple):
    """What the two conditions say at a time; None: it cannot be said."""

    time: int
    raises: Truth
    clears: Truth
    clock: bool = False
    """Whether it is the clock's look, and not that of a reading."""


class Move(NamedTuple):
    """What became of an alert. ``since``: when that which raised it began; ``turn`` tells one event from another."""

    kind: Kind
    at: int
    since: int
    turn: int


def advance(state: State, terms: Terms, sight: Sight) -> tuple[State, Move | None]:
    """The state after a look, and what others have to be told of it."""
    if not sight.clock:
        if sight.time < state.looked:
            return state, None
        state = state._replace(looked=sight.time)
    return _last(state, terms, sight) if state.lasting else _wait(state, terms, sight)


def withdraw(state: State, at: int) -> tuple[State, Move | None]:
    """The alert is watched for no more, or its streams are gone."""
    gone = State(looked=state.looked, turn=state.turn)
    return gone, Move("withdrawn", at, state.since, state.turn) if state.lasting else None


def due(state: State, terms: Terms) -> int | None:
    """When the clock alone may move it; None: not by what was seen so far."""
    if state.phase == "pending":
        return state.since + terms.raise_after
    moments = []
    if state.phase == "clearing":
        moments.append(state.turning + terms.clear_after)
    if state.lasting and state.unknown:
        moments.append(state.unknown + terms.lapse)
    return min(moments, default=None)


def _wait(state: State, terms: Terms, sight: Sight) -> tuple[State, Move | None]:
    if sight.raises is not True:
        return state._replace(phase="quiet", since=0), None
    since = state.since if state.phase == "pending" else sight.time
    if sight.time - since < terms.raise_after:
        return state._replace(phase="pending", since=since), None
    state = State("active", since, looked=state.looked, turn=state.turn + 1)
    return state, Move("raised", sight.time, since, state.turn)


def _last(state: State, terms: Terms, sight: Sight) -> tuple[State, Move | None]:
    if sight.raises is True:
        return state._replace(phase="active", turning=0, unknown=0), None
    if sight.clears is True:
        turning = state.turning if state.phase == "clearing" else sight.time
        if sight.time - turning >= terms.clear_after:
            # it may have been raised by the clock, and ended by a reading that was on its way
            return _over(state), Move("cleared", max(sight.time, state.since), state.since, state.turn)
        return state._replace(phase="clearing", turning=turning, unknown=0), None
    if sight.raises is None or sight.clears is None:
        unknown = state.unknown or sight.time
        if sight.time - unknown >= terms.lapse:
            return _over(state), Move("lapsed", max(sight.time, state.since), state.since, state.turn)
        return state._replace(phase="active", turning=0, unknown=unknown), None
    return state._replace(phase="active", turning=0, unknown=0), None


def _over(state: State) -> State:
    return State(looked=state.looked, turn=state.turn)

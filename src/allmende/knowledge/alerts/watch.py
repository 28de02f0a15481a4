"""Watching: readings that are committed and the clock move alerts, and what moved is committed with the cursor.

Whatever ends this process in the middle, the next one goes on behind the cursor, with the states that were kept: what
was not committed is looked at again, what was is not.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, Protocol
from zlib import crc32

import msgspec

from allmende.domain.errors import AllmendeError, StorageError
from allmende.domain.logs import RETENTION, TIME_FOLLOWER, Change
from allmende.domain.policy import Reader
from allmende.domain.rules import micros
from allmende.domain.store import Store
from allmende.domain.times import MINUTE, SECOND
from allmende.knowledge.alerts.look import Looker, Seen
from allmende.knowledge.alerts.prepare import Alert
from allmende.knowledge.alerts.state import Move, State, advance, due, withdraw
from allmende.knowledge.evaluate import Limits
from allmende.knowledge.groups import Group
from allmende.knowledge.surroundings import Surroundings

FOLLOWER = "alerts"
AWAKE = f"{TIME_FOLLOWER}alerts-awake"
"""When somebody last watched."""
_BREATH = 10 * SECOND
_ABSENT = 2 * MINUTE
"""Nobody watched for longer: what was silent meanwhile may have spoken to nobody, and is waited for anew."""
_TIMED, _ALL = 30 * SECOND, 5 * MINUTE
"""How often the clock alone is reason to look: at alerts that ask for it, and at all."""
_LINES = 2_000
Pair = tuple[str, str]
"""An alert and the key of a group."""


def lag(store: Store, now: int) -> float:
    """How many seconds ago the first change came that was not looked at yet, whatever keeps it back."""
    cursor = store.cursor(FOLLOWER)
    backlog = None if cursor is None else store.backlog(cursor)
    return 0.0 if backlog is None else max(0.0, (now - backlog.since) / SECOND)


class Overtaken(AllmendeError):
    """Somebody else moved the cursor meanwhile; nothing was written."""


class Event(NamedTuple):
    """What moved, with what was seen. ``alert`` None: it is watched for no more."""

    pair: Pair
    alert: Alert | None
    group: Group | None
    move: Move
    seen: Seen | None


class Ledger(Protocol):
    """Where states and events are kept, in the transaction that is open."""

    def states(self) -> Mapping[Pair, State]:
        """All that are not quiet, or were once raised."""

    def keep(self, states: Mapping[Pair, State], events: Sequence[Event]) -> None:
        """Write states down as they are now, and what moved, in the order in which it did."""


class Progress(msgspec.Struct, kw_only=True):
    """What a step did."""

    changes: int = 0
    looks: int = 0
    events: list[Event] = []
    failed: dict[str, str] = {}
    """Alerts that could not be judged, and why."""


class Watcher:
    """Watches a city's alerts. Used by one thread."""

    def __init__(
        self,
        store: Store,
        alerts: Sequence[Alert],
        reader: Reader,
        clock: Callable[[], int],
        ledger: Ledger,
        *,
        zone: str,
        limits: Limits | None = None,
        stop: threading.Event | None = None,
    ) -> None:
        self._store = store
        self._alerts = {alert.id: alert for alert in alerts}
        self._clock = clock
        self._ledger = ledger
        self._looker = Looker(store, reader, limits or Limits(), zone)
        self._reader = reader
        self._stop = stop or threading.Event()
        self.surroundings = Surroundings(store, [alert.rule for alert in alerts], reader)
        self._states: dict[Pair, State] = {}
        self._due: dict[Pair, int] = {}
        self._awake = self._breathed = 0

    def begin(self) -> None:
        """Go on where the last one stopped; what is watched for from now on is looked at once at least."""
        now = self._clock()
        last = self._store.cursor(AWAKE)
        fresh = self._store.cursor(FOLLOWER) is None
        self._states = dict(self._ledger.states())
        # Since when somebody listens without a pause is not kept: after a short one it is long ago as before.
        self._awake = now if last is None or now - last > _ABSENT else 0
        if fresh:
            self._store.set_cursor(FOLLOWER, self._store.newest_change())
        self._breathe(now)

    def step(self) -> Progress:
        """Deal with what came since the step before, and with what the clock asks for. Raises StorageError and
        Overtaken; then begin again."""
        cursor = self._store.cursor(FOLLOWER) or 0
        changes = self._store.changes(cursor, _LINES)
        now = self._clock()
        if now - self._breathed > _ABSENT:
            self._awake = now  # the machine slept, or the database was away
        if now - self._breathed > _BREATH:
            self._breathe(now)
        progress = Progress(changes=len(changes))
        if self.surroundings.look(changes):
            self._settle(now, progress)
        reached = self._reached(changes, now)
        waiting = {pair: now for pair, at in self._due.items() if at <= now and pair not in reached}
        newest = self._newest(reached | waiting)
        states: dict[Pair, State] = {}
        for pair, low in (reached | waiting).items():
            state = self._watch(pair, low, now, newest, progress)
            if state is not None:
                states[pair] = state
            if self._stop.is_set():
                return Progress()
        number = changes[-1].number if changes else cursor
        self._commit(cursor, number, states, progress)
        return progress

    def pause(self) -> float:
        """Seconds until the clock has something to look at, a second at most."""
        left = min(self._due.values(), default=self._clock() + SECOND) - self._clock()
        return max(0.05, min(1.0, left / SECOND))

    def _breathe(self, now: int) -> None:
        self._store.set_cursor(AWAKE, now)
        self._breathed = now

    def _settle(self, now: int, progress: Progress) -> None:
        """Groups came or went: watch for those that are there, and let go of those that are not."""
        there = {(alert, key) for alert, groups in self.surroundings.groups.items() for key in groups}
        for pair in there - self._due.keys():
            self._due[pair] = now
        for pair in self._due.keys() - there:
            del self._due[pair]
        gone: dict[Pair, State] = {}
        for pair, state in self._states.items():
            if pair not in there and state.phase != "quiet":
                gone[pair], move = withdraw(state, now)
                if move is not None:
                    progress.events.append(Event(pair, self._alerts.get(pair[0]), None, move, None))
        if gone:
            self._commit_all(gone, progress.events)

    def _commit_all(self, states: dict[Pair, State], events: list[Event]) -> None:
        self._store.together(lambda: self._ledger.keep(states, events))
        self._states.update(states)

    def _reached(self, changes: Sequence[Change], now: int) -> dict[Pair, int]:
        """Which groups readings tell of, and since when they are to be looked at."""
        reached: dict[Pair, int] = {}
        for change in changes:
            if change.entity != "Datastream" or change.kind == RETENTION:
                continue
            for pair in self.surroundings.readers.get(change.stream, ()):
                oldest = now - micros(self._alerts[pair[0]].profile.late)
                low = max(change.start, oldest) if change.end >= oldest else now
                reached[pair] = min(low, reached.get(pair, now))
        return reached

    def _newest(self, pairs: Mapping[Pair, int]) -> dict[str, int]:
        """By stream when it last spoke, where an alert asks for it."""
        if not any(self._alerts[pair[0]].timed for pair in pairs):
            return {}
        return {latest.stream: latest.start for latest in self._store.latest(self._reader)}

    def _watch(self, pair: Pair, low: int, now: int, newest: Mapping[str, int], progress: Progress) -> State | None:
        """Look at one group; its state, where that is another one to keep."""
        alert, group = self._alerts[pair[0]], self.surroundings.groups[pair[0]][pair[1]]
        before = state = self._states.get(pair, State())
        try:
            seen = self._looker.look(alert, group, max(low, state.looked), now, newest, self._awake)
        except StorageError:
            raise
        except AllmendeError as error:
            progress.failed[alert.id] = str(error)
            self._due[pair] = now + _ALL
            return None
        progress.looks += len(seen)
        for each in seen:
            state, move = advance(state, alert.terms, each.sight)
            if move is not None:
                progress.events.append(Event(pair, alert, group, move, each))
        self._due[pair] = self._next(pair, state, now)
        if state._replace(looked=0) == before._replace(looked=0):
            self._states[pair] = state  # how far it was looked at is not worth a write
            return None
        return state

    def _next(self, pair: Pair, state: State, now: int) -> int:
        alert = self._alerts[pair[0]]
        moment = due(state, alert.terms)
        share = crc32(repr(pair).encode()) % 1_000 / 1_000  # not all at once
        regular = now + (_TIMED if alert.timed else round(_ALL * (0.5 + share / 2)))
        return regular if moment is None else max(now + SECOND // 10, min(moment, regular))

    def _commit(self, cursor: int, number: int, states: dict[Pair, State], progress: Progress) -> None:
        if number == cursor and not states:
            return
        events = [event for event in progress.events if event.pair in states]

        def work() -> None:
            if (self._store.cursor(FOLLOWER) or 0) != cursor:
                raise Overtaken("the alerts' cursor was moved meanwhile")
            self._store.set_cursor(FOLLOWER, number)
            if states:
                self._ledger.keep(states, events)

        self._store.together(work)
        self._states.update(states)

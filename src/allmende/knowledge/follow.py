"""Following the change log: what changed is evaluated again, exactly as far as it reaches, and nothing else.

What is derived and how far we have come are committed together: whatever ends this process in the middle, the next one
goes on as if nothing had been. What is evaluated twice gives the same again, and that is no event.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import msgspec

from allmende.domain.errors import AllmendeError, StorageError
from allmende.domain.logs import RETENTION, TIME_FOLLOWER, Change
from allmende.domain.policy import Reader
from allmende.domain.rules import BY_STREAM, micros
from allmende.domain.store import Store
from allmende.domain.times import MINUTE
from allmende.knowledge.acting import Actor, Deed, Journal, find_problems
from allmende.knowledge.evaluate import ROWS, Limits, Outcome, divided, evaluate_all
from allmende.knowledge.groups import Group
from allmende.knowledge.lineage import Lineage, read_lineage
from allmende.knowledge.prepare import Rule
from allmende.knowledge.settling import Settling
from allmende.knowledge.surroundings import Surroundings
from allmende.knowledge.write import RERUN, write_outcomes

FOLLOWER = "rules"
TURN = "rules-turn"
"""A row that whoever writes derived values writes first, so that a re-run and the worker do so one after the other."""
_LINES = 5_000
"""Of a log, in one step: who is behind takes more at once, since to find the groups again costs the same for each."""
_WAITING = 500
Span = tuple[int, int]


class Overtaken(AllmendeError):
    """Somebody else moved the cursor meanwhile; nothing was written."""


class Progress(msgspec.Struct, kw_only=True):
    """What a step did."""

    changes: int = 0
    evaluated: int = 0
    """Values that were worked out."""
    failed: dict[str, str] = {}
    """Rules that could not be evaluated, and why."""
    seconds_behind: float = 0.0
    """How long ago the oldest change came in that was dealt with now."""
    deeds: list[Deed] = []
    """What the rules' actions did."""


class _Job(NamedTuple):
    rule: Rule
    group: Group
    spans: list[Span]
    live: list[Span]
    """What of them is due to more than a re-run of other rules."""

    @property
    def rerun(self) -> bool:
        """Whether nothing but a re-run of other rules made it necessary."""
        return not self.live


class _Ready(NamedTuple):
    job: _Job
    outcome: Outcome


class Follower:
    """Evaluates a city's rules as readings come. Used by one thread."""

    def __init__(
        self,
        store: Store,
        rules: Sequence[Rule],
        reader: Reader,
        clock: Callable[[], int],
        *,
        limits: Limits | None = None,
        stop: threading.Event | None = None,
        journal: Journal | None = None,
        edges: Callable[[int], Mapping[str, int]] = lambda _: {},
    ) -> None:
        """``edges`` gives by stream, at a time, before when its readings may be gone or merged by their age.

        ``rules`` are in the order of :func:`allmende.knowledge.prepare.prepare_rules`. Their actions are done where
        there is a journal to write them down in.
        """
        self._store = store
        self._rules = rules
        self._reader = reader
        self._clock = clock
        self._limits = limits or Limits()
        self._stop = stop or threading.Event()
        self._actor = Actor(store, reader, journal, clock) if journal else None
        self._settling = Settling(rules)
        self._edges = edges
        self._around = Surroundings(store, rules, reader)
        self._lineage = Lineage()
        self.problems: list[str] = []
        """What keeps streams out of rules, in words."""

    def begin(self) -> None:
        """Go on where the last one stopped. A rule that is new begins with what comes from now on."""
        if self._store.cursor(FOLLOWER) is None:
            self._store.set_cursor(FOLLOWER, self._store.newest_change())
        for rule in self._rules:
            if rule.grid is not None and self._store.cursor(time_of(rule.id)) is None:
                self._store.set_cursor(time_of(rule.id), self._due(rule, self._clock()))

    def step(self) -> Progress:
        """Deal with what came since the step before. Raises StorageError; then it may be tried again."""
        cursor = self._store.cursor(FOLLOWER) or 0
        done = {rule.id: self._store.cursor(time_of(rule.id)) or 0 for rule in self._rules if rule.grid is not None}
        now = self._clock()
        changes = self._read(cursor)
        due = self._dues(cursor, now, done, quiet=not changes)
        late = {rule_id for rule_id, at in done.items() if due[rule_id] > at}
        if not changes and not late:
            return Progress()
        self._look_around(changes)
        progress = Progress(changes=len(changes))
        if changes:
            progress.seconds_behind = max(0.0, (self._clock() - changes[0].received_at) / 1e6)
        number = changes[-1].number if changes else cursor
        ready: list[_Ready] = []
        rows = 0
        for job in self._jobs(changes, done, due):
            for part in self._evaluate(job, progress):
                if rows and rows + part.size > ROWS:
                    self._commit(cursor, ready, progress)
                    ready, rows = [], 0
                ready.append(_Ready(job, part))
                rows += part.size
            if self._stop.is_set():
                return progress
        clocks = {time_of(rule_id): due[rule_id] for rule_id in late}
        self._commit(cursor, ready, progress, {FOLLOWER: number, **clocks})
        return progress

    def _read(self, cursor: int) -> list[Change]:
        """Lines of the log, no more than speak of about 20,000 readings."""
        lines: list[Change] = []
        total = 0
        for line in self._store.changes(cursor, _LINES):
            lines.append(line)
            total += line.count
            if total > 20 * ROWS:
                break
        return lines

    def _due(self, rule: Rule, now: int) -> int:
        """The end of the last window that is over."""
        assert rule.grid is not None
        return rule.grid.floor(now - micros(rule.profile.window.grace))

    def _dues(self, cursor: int, now: int, done: dict[str, int], *, quiet: bool) -> dict[str, int]:
        """The end of the last window of each rule that is to be evaluated by now."""
        windowed = [rule for rule in self._rules if rule.grid is not None]
        due = {rule.id: self._due(rule, now) for rule in windowed if not self._settling.is_chained(rule)}
        idle = quiet and all(due[rule_id] <= done[rule_id] for rule_id in due)
        self._settling.look(now, cursor, self._store.newest_change, idle=idle)
        for rule in windowed:
            if rule.id not in due:
                due[rule.id] = max(done[rule.id], self._settling.due(rule, now, done))
        return due

    def _look_around(self, changes: Sequence[Change] = ()) -> None:
        """Know the groups as they are behind these changes."""
        if self._around.look(changes):
            self.problems = list(self._around.problems)
            if self._actor:
                for rule in self._rules:
                    found = find_problems(self._store, self._reader, rule, self._around.groups[rule.id])
                    self.problems += found
            self._lineage = read_lineage(self._store, self._reader)

    def _jobs(self, changes: Sequence[Change], done: dict[str, int], due: dict[str, int]) -> list[_Job]:
        touched: dict[tuple[str, str], list[Span]] = {}
        live: dict[tuple[str, str], list[Span]] = {}
        by_id = {rule.id: rule for rule in self._rules}
        edges = self._edges(self._clock()) if changes else {}
        for change in changes:
            if change.entity != "Datastream" or change.kind == RETENTION:
                continue
            for rule_id, key in self._readers_of(change.stream):
                if by_id[rule_id].profile.suppress is not None:
                    continue  # what was told of people stays: what differs from it would tell of those who came late
                span = _reach(by_id[rule_id], change.start, change.end, done.get(rule_id))
                if span is not None:
                    group = self._group(by_id[rule_id], key)
                    edge = max((edges.get(name, _NEVER) for name in group.streams), default=_NEVER)
                    span = _whole(by_id[rule_id], span, edge)
                if span is not None:
                    touched.setdefault((rule_id, key), []).append(span)
                    if not change.origin.startswith(RERUN):
                        live.setdefault((rule_id, key), []).append(span)
        for rule_id, at in done.items():
            if due[rule_id] > at:
                for key in self._around.groups[rule_id]:
                    for spans in (touched, live):
                        spans.setdefault((rule_id, key), []).append((at + 1, due[rule_id]))
        return [
            _Job(
                rule,
                self._group(rule, key),
                merge(spans, gap=MINUTE),
                merge(live.get((rule_id, key), ()), gap=0),
            )
            for rule in self._rules
            for (rule_id, key), spans in touched.items()
            if rule_id == rule.id
        ]

    def _readers_of(self, stream: str) -> set[tuple[str, str]]:
        """Who reads a stream, or has: one that is gone was read once."""
        before = self._lineage.readers.get(stream, ())
        return self._around.readers.get(stream, set()) | {pair for pair in before if pair[0] in self._around.groups}

    def _group(self, rule: Rule, key: str) -> Group:
        """The group, or what is left of one whose last stream is gone: it reads nothing."""
        known = self._around.groups[rule.id].get(key)
        return known or Group(key=key, thing=self._lineage.thing(rule.id, key), inputs={})

    def _evaluate(self, job: _Job, progress: Progress) -> list[Outcome]:
        outcomes: list[Outcome] = []
        try:
            for low, high in job.spans:
                whole = (self._store, self._reader, job.rule, job.group, low, high, self._limits)
                for outcome in evaluate_all(*whole):
                    progress.evaluated += outcome.size
                    outcomes += divided(outcome)
        except StorageError:
            raise
        except AllmendeError as error:
            # One rule's trouble is not that of the others; what it missed is given by a re-run.
            progress.failed[job.rule.id] = str(error)
        return outcomes

    def _commit(
        self, cursor: int, ready: list[_Ready], progress: Progress, cursors: dict[str, int] | None = None
    ) -> None:
        """Values and cursors in one transaction. Much comes in several; the last one moves the cursors."""

        def work() -> list[Deed]:
            self._take_turn(cursor)
            deeds: list[Deed] = []
            by_rule: dict[tuple[str, bool], list[_Ready]] = {}
            for one in ready:
                by_rule.setdefault((one.job.rule.id, one.job.rerun), []).append(one)
            for several in by_rule.values():
                # All of a rule at once; where one group cannot be kept, each by itself.
                kept = several if self._keep(several, progress, tell=len(several) == 1) else []
                if not kept and len(several) > 1:
                    kept = [one for one in several if self._keep([one], progress, tell=True)]
                for one in kept:
                    deeds += self._act(one)
            for name, number in (cursors or {}).items():
                self._store.set_cursor(name, number)
            return deeds

        progress.deeds += self._store.together(work)

    def _act(self, ready: _Ready) -> list[Deed]:
        job = ready.job
        if self._actor is None or not job.rule.actions or job.rerun:
            return []
        return self._actor.act(job.rule, job.group, ready.outcome, job.live)

    def _keep(self, ready: Sequence[_Ready], progress: Progress, *, tell: bool) -> bool:
        """Write what one rule gave; whether that could be done."""
        first = ready[0].job
        given = [(one.job.group, one.outcome) for one in ready]
        told = (self._store, self._reader, first.rule, given, self._lineage)
        try:
            write_outcomes(*told, received_at=self._clock(), rerun=first.rerun)
        except StorageError:
            raise
        except AllmendeError as error:
            if tell:
                progress.failed[first.rule.id] = str(error)
            return False
        return True

    def _take_turn(self, cursor: int) -> None:
        self._store.set_cursor(TURN, cursor)
        if (self._store.cursor(FOLLOWER) or 0) != cursor:
            raise Overtaken("the rules' cursor was moved meanwhile")


_NEVER = -(2**62)


def lag(store: Store, now: int) -> tuple[int, float]:
    """How many lines of the log wait for the rules (up to 500), and how many seconds ago the first of them came: also
    of those that may not be read yet, which are not counted."""
    cursor = store.cursor(FOLLOWER)
    backlog = None if cursor is None else store.backlog(cursor)
    if cursor is None or backlog is None:
        return 0, 0.0
    return len(store.changes(cursor, _WAITING)), max(0.0, (now - backlog.since) / 1e6)


def time_of(rule_id: str) -> str:
    """The name of the cursor that holds the end of the last window of a rule that was evaluated."""
    return f"{TIME_FOLLOWER}{rule_id}"


def _reach(rule: Rule, start: int, end: int, done: int | None) -> Span | None:
    """When values are given that depend on readings of a span; of windows, those that were evaluated before."""
    if rule.grid is None:
        return start, end + rule.reach
    assert done is not None
    # What is held reaches into the window of the readings beside which it is asked for: to the end of that.
    high = min(rule.grid.after(end + rule.reach), done)
    low = start + 1
    return (low, high) if low <= high else None


def _whole(rule: Rule, span: Span, edge: int) -> Span | None:
    """The part of a span whose values still have all that they were made of: of what came before ``edge``, some may be
    gone, and what is left would put another value in the place of the right one."""
    if rule.grid is None and rule.profile.by == BY_STREAM:
        return span  # made of one reading, and that is there
    back = max(
        micros(put.age) if put.take == "latest" else micros(rule.profile.window.length)
        for put in rule.profile.inputs.values()
    )
    first = edge + back
    if rule.grid is not None and edge != _NEVER:
        first = max(first, rule.grid.after(rule.grid.after(edge - 1)))  # the end of the first window that is whole
    low = max(span[0], first)
    return (low, span[1]) if low <= span[1] else None


def merge(spans: Sequence[Span], *, gap: int) -> list[Span]:
    """Spans in order, without overlaps; what lies no further apart than ``gap`` is read together."""
    merged: list[Span] = []
    for low, high in sorted(spans):
        if merged and low <= merged[-1][1] + gap:
            merged[-1] = merged[-1][0], max(high, merged[-1][1])
        else:
            merged.append((low, high))
    return merged

"""What the city's rules of retention make of kept readings: a stream at a time, a chunk in each transaction.

Each chunk deletes at most so many readings, writes what stands in their place, a line of the change log (``retention``:
a kind of its own, since nothing derived becomes wrong by it), the stream's state, and how far it came. Killed in
the middle, the next run goes on there; run again, it finds nothing to do.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from functools import partial
from threading import Event
from typing import Any, NamedTuple, TypeVar

from allmende.domain import times
from allmende.domain.retention import Fate, Retention, RetentionProfile, StreamFacts, ThinProfile
from allmende.domain.thinning import NOTHING, Merged, Reading, Verdict, judge_bucket
from allmende.domain.windows import Grid
from allmende.storage.committer import translated
from allmende.storage.connections import Connection, Connections, Engine
from allmende.storage.removal import Doomed
from allmende.storage.retention_features import FeaturesWork
from allmende.storage.retention_sql import (
    count_doomed,
    doomed_by,
    forget,
    look_at,
    read_readings,
    read_streams,
    replace,
    rewind,
)
from allmende.storage.state import Stream, lock_streams
from allmende.storage.values import flag_of

T = TypeVar("T")
ROWS = 1_000
"""Readings that go in one transaction at most."""
SETTLING = times.DAY
"""A bucket is not thinned while something came for it so lately: a file that is being imported comes in pieces."""
_FIRST = times.from_datetime(datetime(1900, 1, 1, tzinfo=UTC))
"""What lies before has no buckets: clocks of cities are not known."""


class Weighed(NamedTuple):
    """So many readings go, and so many come in their place."""

    gone: int = 0
    made: int = 0


class Found(NamedTuple):
    """A stream, and the rule that holds for it."""

    pk: int
    facts: StreamFacts
    rule: RetentionProfile | None
    done: dict[int, tuple[str, int]]
    """By step of the rule: for which edition of it, and how far."""


class RetentionWork:
    """Applies a city's rules to one database. Used by one thread."""

    def __init__(
        self,
        connections: Connections,
        engine: Engine,
        retention: Retention,
        *,
        looking: Callable[[], AbstractContextManager[Any]] | None = None,
        rows: int = ROWS,
    ) -> None:
        """``looking`` gives connections for a preview, which takes long."""
        self._connections = connections
        self._engine = engine
        self._retention = retention
        self._looking = looking or connections.reading
        self._rows = rows
        self.features = FeaturesWork(connections, engine, retention, looking=self._looking, rows=rows)

    def streams(self) -> Iterator[Found]:
        """All streams in the order of their keys."""
        last = 0
        while page := self._look(partial(read_streams, after=last)):
            for pk, facts, done in page:
                yield Found(pk, facts, self._retention.rule_of(facts), done)
            last = page[-1][0]

    def rewind(self) -> None:
        """Before a run: where something came or changed behind what was thinned, it is looked at again."""
        self._write(rewind if self._retention else forget)

    def weigh(self, found: Found, now: int) -> Weighed:
        """What :meth:`apply` would do at ``now``; nothing is changed."""
        total = Weighed()
        for fate in self._fates(found, now):
            if fate.kind == "thin":
                more = self._weigh_thin(found, fate, now - SETTLING)
            else:
                more = Weighed(self._look(partial(count_doomed, pk=found.pk, fate=fate)))
            total = Weighed(total.gone + more.gone, total.made + more.made)
        return total

    def apply(self, found: Found, now: int, stop: Event | None = None) -> Weighed:
        """Do it, until ``stop`` is set; gives what was done."""
        gone = made = 0
        for fate in self._fates(found, now):
            steps = self._thin(found, fate, now) if fate.kind == "thin" else self._delete(found, fate, now)
            for step in steps:
                gone, made = gone + step.gone, made + step.made
                if stop is not None and stop.is_set():
                    return Weighed(gone, made)
        return Weighed(gone, made)

    def _fates(self, found: Found, now: int) -> Iterator[Fate]:
        """What there is to do, without what is known to be done."""
        rule, facts = found.rule, found.facts
        if rule is None or not facts.count:
            return
        for fate in self._retention.judge(rule, now):
            edition, upto = found.done.get(fate.step, ("", 0))
            if fate.kind == "delete":
                idle = facts.first >= fate.high
            elif fate.kind == "latest":
                idle = facts.count == 1
            else:
                idle = facts.first >= fate.high or (
                    edition == rule.edition() and (upto >= fate.high or facts.newest < upto)
                )
            if not idle:
                yield fate

    def _look(self, work: Callable[[Connection], T]) -> T:
        with translated(self._engine), self._looking() as raw:
            return work(self._engine.wrap(raw))

    def _write(self, work: Callable[[Connection], T]) -> T:
        with translated(self._engine), self._connections.writing() as raw:
            return work(self._engine.wrap(raw))

    # --- delete ---

    def _delete(self, found: Found, fate: Fate, now: int) -> Iterator[Weighed]:
        while True:
            gone, more = self._write(partial(self._delete_chunk, found=found, fate=fate, now=now))
            yield Weighed(gone)
            if not more:
                return

    def _delete_chunk(self, connection: Connection, found: Found, fate: Fate, now: int) -> tuple[int, bool]:
        """How many went, and whether there are more."""
        stream = lock_streams(connection, [found.pk]).get(found.pk)
        if stream is None or not stream.count:
            return 0, False
        rule, parameters = doomed_by(stream, fate)
        rows = connection.execute(
            "SELECT o.datastream, o.phenomenon_start, o.disc, o.id, o.phenomenon_end, o.result_time, o.feature"
            f" FROM observation o WHERE {rule} ORDER BY o.phenomenon_start, o.disc LIMIT ?",
            (*parameters, self._rows + 1),
        ).fetchall()
        gone = [Doomed(*row) for row in rows[: self._rows]]
        more = len(rows) > self._rows
        replace(connection, stream, gone, [], now, last=not more)
        return len(gone), more

    # --- thin ---

    def _thin(self, found: Found, fate: Fate, now: int) -> Iterator[Weighed]:
        position: int | None = None
        hold = fate.high
        while True:
            chunk = self._write(
                partial(self._thin_chunk, found=found, fate=fate, position=position, hold=hold, now=now)
            )
            yield chunk.weighed
            if chunk.position >= fate.high:
                return
            position, hold = chunk.position, chunk.hold

    def _thin_chunk(
        self, connection: Connection, found: Found, fate: Fate, position: int | None, hold: int, now: int
    ) -> "_Chunk":
        rule, step = _step(found, fate)
        stream = lock_streams(connection, [found.pk]).get(found.pk)
        if stream is None or not stream.count:
            return _Chunk(Weighed(), fate.high, hold)
        grid = self._retention.grid(step.bucket)
        if position is None:
            position = _begin(found, fate, grid, stream.first_start)
        readings = read_readings(connection, stream, step, (position, -(2**63)), fate.high, self._rows + 1)
        full = len(readings) > self._rows
        buckets = list(_buckets(readings[: self._rows], grid))
        position = fate.high
        verdicts = []
        for number, (start, end, held) in enumerate(buckets):
            whole = not full or number < len(buckets) - 1
            if not whole and number:
                position = start
                break
            verdict = NOTHING
            if any(reading.received_at >= now - SETTLING for reading in held):
                hold = min(hold, start)
            else:
                verdict = judge_bucket(held, start, end, rule.id, step.bucket, step.take, whole=whole)
                verdicts.append(verdict)
            if not whole:
                # With more of it to come it is merged again; where nothing can be merged, there is no end to that.
                position = start if verdict.gone else end
        weighed = _carry_out(connection, stream, verdicts, now)
        connection.execute(
            "INSERT INTO retention_state (datastream, step, edition, upto) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (datastream, step) DO UPDATE SET edition = excluded.edition, upto = excluded.upto",
            (stream.pk, fate.step, rule.edition(), min(position, hold)),
        )
        return _Chunk(weighed, position, hold)

    def _weigh_thin(self, found: Found, fate: Fate, settled: int) -> Weighed:
        rule, step = _step(found, fate)
        grid = self._retention.grid(step.bucket)
        total = Weighed()
        start = end = -(2**63)
        held: list[Reading] = []

        def settle(*, whole: bool) -> list[Reading]:
            """Count what becomes of the readings held; gives what stands in their place where there are more."""
            nonlocal total
            if not held or any(reading.received_at >= settled for reading in held):
                return held[-1:]  # it has to wait, and so has the rest of its bucket
            verdict = judge_bucket(held, start, end, rule.id, step.bucket, step.take, whole=whole)
            made = verdict.made
            total = Weighed(total.gone + len(verdict.gone) - (not whole and made is not None), total.made)
            if whole or made is None:
                total = Weighed(total.gone, total.made + (made is not None))
                return []
            return [_as_reading(made)]

        for reading in self._walk(found, fate, step, grid):
            if reading.start >= end:
                settle(whole=True)
                held, start, end = [], grid.floor(reading.start), grid.after(reading.start)
            elif len(held) >= self._rows:
                held = settle(whole=False)
            held.append(reading)
        settle(whole=True)
        return total

    def _walk(self, found: Found, fate: Fate, step: ThinProfile, grid: Grid) -> Iterator[Reading]:
        """All readings that may be merged, in order, a page at a time."""
        stream = self._look(partial(look_at, pk=found.pk))
        if stream is None:
            return
        at = (_begin(found, fate, grid, found.facts.first), -(2**63))
        asked = partial(read_readings, stream=stream, step=step, high=fate.high, most=self._rows)
        while page := self._look(partial(asked, after=at)):
            yield from page
            at = (page[-1].start, page[-1].disc + 1)


class _Chunk(NamedTuple):
    weighed: Weighed
    position: int
    """Where to go on."""
    hold: int
    """The first bucket that has to wait."""


def _step(found: Found, fate: Fate) -> tuple[RetentionProfile, ThinProfile]:
    assert found.rule is not None
    return found.rule, found.rule.thin[fate.step]


def _begin(found: Found, fate: Fate, grid: Grid, first: int) -> int:
    """Where thinning goes on: at the start of a bucket."""
    rule, _ = _step(found, fate)
    edition, upto = found.done.get(fate.step, ("", 0))
    at = max(first, upto if edition == rule.edition() else first, _FIRST)
    if at >= fate.high:
        return fate.high
    at = grid.floor(at)
    return at if fate.low is None else max(at, fate.low)


def _buckets(readings: Iterable[Reading], grid: Grid) -> Iterator[tuple[int, int, list[Reading]]]:
    """Readings by bucket: its start, its end, and what begins in it."""
    start = end = -(2**63)
    held: list[Reading] = []
    for reading in readings:
        if reading.start >= end:
            if held:
                yield start, end, held
            start, held = grid.floor(reading.start), []
            end = grid.after(reading.start)
        held.append(reading)
    if held:
        yield start, end, held


def _as_reading(made: Merged) -> Reading:
    """What was merged, to be merged again."""
    return Reading(
        made.start, 2**62, 0, made.end, None, made.received_at, made.kind, made.value, made.quality,
        flag_of(made.quality), made.parameters, None, made.origin,
    )  # fmt: skip


def _carry_out(connection: Connection, stream: Stream, verdicts: list[Verdict], now: int) -> Weighed:
    gone = [
        Doomed(stream.pk, r.start, r.disc, r.number, r.end, r.result_time, r.feature)
        for verdict in verdicts
        for r in verdict.gone
    ]
    made = [verdict.made for verdict in verdicts if verdict.made is not None]
    replace(connection, stream, gone, made, now, last=True)
    return Weighed(len(gone), len(made))

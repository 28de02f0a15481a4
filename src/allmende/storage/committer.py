"""Group commit: what waits together is committed together, each piece under a savepoint of its own.

One thread per process writes, so that writers queue here in memory instead of fighting for the file's lock or for the
same rows (the figures stand in docs/architecture.md, "Storage").
"""

import contextlib
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any, Generic, NamedTuple, TypeVar

from allmende.domain.errors import LostRace, StorageBusy, StorageFull
from allmende.storage.connections import Connection, Connections, Engine, Shared

T = TypeVar("T")
_IDLE_SECONDS = 30.0
_REPEATS = 5
_LONGEST_GATHERING = 0.005
_FORKED = threading.Lock()


class _Outcome(Generic[T]):
    """What becomes of a piece of work: a future that one waits for once, with a bare lock in place of a condition."""

    __slots__ = ("_arrived", "_error", "_result", "done")

    def __init__(self) -> None:
        self._arrived = threading.Lock()
        self._arrived.acquire()
        self._error: BaseException | None = None
        self._result: T
        self.done = False

    def set_result(self, result: T) -> None:
        self._result = result
        self._end()

    def set_error(self, error: BaseException) -> None:
        self._error = error
        self._end()

    def _end(self) -> None:
        self.done = True
        self._arrived.release()

    def wait(self) -> T:
        """The result; raises the error."""
        self._arrived.acquire()
        if self._error is not None:
            raise self._error
        return self._result


class _Job(NamedTuple):
    work: Callable[[Connection], Any]
    outcome: _Outcome[Any]
    shared: Shared | None = None
    repeats: int = 0


class GroupCommitter:
    """The writer thread of this process; it starts with the first piece of work and ends when there is none."""

    def __init__(self, connections: Connections, engine: Engine, *, most: int = 500) -> None:
        self._connections = connections
        self._engine = engine
        self._most = most
        self._waiting: deque[_Job] = deque()
        self._wanted = 1
        """So many must wait for the writer thread to be woken: each waking costs both sides a turn."""
        self._arrived = threading.Condition(threading.Lock())
        self._thread: threading.Thread | None = None
        self._pid = 0
        self._lately = (1, 0.0)
        """How many pieces may come at once, as it was lately, and how many seconds the last commit took."""

    def __call__(self, work: Callable[[Connection], T], /, shared: Shared | None = None) -> T:
        """Run ``work`` in a transaction; returns after its commit. Inside of a transaction, joins it."""
        if self._connections.in_transaction():
            return self._join(work)
        outcome: _Outcome[T] = _Outcome()
        if self._pid != os.getpid():
            self._start_anew()
        with self._arrived:
            self._waiting.append(_Job(work, outcome, shared))
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="allmende-writer", daemon=True)
                self._thread.start()
            elif len(self._waiting) >= self._wanted:
                self._arrived.notify()
        return outcome.wait()

    def _join(self, work: Callable[[Connection], T]) -> T:
        with raced(self._engine), self._connections.writing() as raw:
            return work(self._engine.wrap(raw))

    def _start_anew(self) -> None:
        """A forked child has the object but not the thread, and what waited is its parent's."""
        with _FORKED:
            if self._pid != os.getpid():
                self._thread, self._waiting = None, deque()
                self._arrived = threading.Condition(threading.Lock())
                self._pid = os.getpid()

    def _run(self) -> None:
        while jobs := self._gather():
            begun = time.monotonic()
            self._commit(jobs)
            # Those who were answered may come again, and so do those who came meanwhile: all of them together are as
            # many as there are clients.
            self._lately = len(jobs) + len(self._waiting), time.monotonic() - begun

    def _gather(self) -> list[_Job]:
        """Take what waits; nothing where nobody came for long, and the thread is to end. Where several came together
        the last time, or came while it was committed, the rest is on its way: it is waited for, but no longer than the
        last commit took."""
        several, seconds = self._lately
        with self._arrived:
            if not self._wait_for(1, _IDLE_SECONDS):
                self._thread = None
                return []
            self._wait_for(min(several, self._most), min(seconds, _LONGEST_GATHERING))
            return [self._waiting.popleft() for _ in range(min(len(self._waiting), self._most))]

    def _wait_for(self, wanted: int, seconds: float) -> bool:
        """Wait until so many wait, but not for longer; whether they do."""
        self._wanted = wanted
        return self._arrived.wait_for(lambda: len(self._waiting) >= wanted, seconds)

    def _commit(self, jobs: list[_Job]) -> None:
        alone = self._commit_shared(jobs)
        if alone:
            self._commit_each(alone)

    def _commit_shared(self, jobs: list[_Job]) -> list[_Job]:
        """Do in one go what can be done so; gives the jobs that are left to be done one by one."""
        kind = next((job.shared.run for job in jobs if job.shared is not None), None)
        if kind is None:
            return jobs
        shared = [job for job in jobs if job.shared is not None and job.shared.run is kind]
        left = [job for job in jobs if job.shared is None or job.shared.run is not kind]
        committing, connection = False, None
        try:
            with self._connections.writing() as raw:
                connection = self._engine.wrap(raw)
                results = kind(connection, [job.shared.item for job in shared if job.shared is not None])
                committing = True
        except BaseException as error:  # whatever it is, each of those who wait has to hear of it
            committing |= connection is not None and connection.committing and self._engine.was_cut_off(error)
            told = self._translate(error, committing)
            hopeless = isinstance(told, StorageBusy | StorageFull) and not self._may_try_again(error)
            if not committing and not hopeless:
                return jobs  # nothing of it was written; one by one it is seen whose fault it was
            for job in shared:
                job.outcome.set_error(told)
            return left
        for job, result in zip(shared, results, strict=True):
            if result is None:
                left.append(job)
            else:
                job.outcome.set_result(result)
        return left

    def _translate(self, error: BaseException, committing: bool) -> BaseException:
        if committing and self._engine.was_cut_off(error):
            return StorageBusy(
                "the database was cut off during a commit: whether this was stored is not known."
                " Look for it before you send it again"
            )
        return self._engine.translate(error)

    def _may_try_again(self, error: BaseException) -> bool:
        return self._engine.may_repeat(error) or self._engine.was_cut_off(error)

    def _commit_each(self, jobs: list[_Job], *, repeated: bool = False) -> None:
        done: list[tuple[_Outcome[Any], Any]] = []
        again: list[_Job] = []
        committing = False
        try:
            with self._connections.writing() as raw:
                connection = self._engine.wrap(raw)
                for job in jobs:
                    try:
                        done.append((job.outcome, run_savepoint(connection, job.work)))
                    except Exception as error:  # the fault of this piece alone, whatever it is
                        if not connection.in_transaction:
                            raise  # the engine gave up the whole transaction: full disk, broken file
                        if self._engine.may_repeat(error) and job.repeats < _REPEATS:
                            again.append(job._replace(repeats=job.repeats + 1))
                        else:
                            job.outcome.set_error(self._engine.translate(error))
                committing = True
        except BaseException as error:  # whatever it is, each of those who wait has to hear of it
            if not committing and not repeated and self._engine.was_cut_off(error):
                # Nothing of it reached a commit: the same again on another connection, which may be there already.
                self._commit_each([job for job in jobs if not job.outcome.done], repeated=True)
                return
            told = self._translate(error, committing)
            for job in jobs:
                if not job.outcome.done:
                    job.outcome.set_error(told)
            return
        for outcome, result in done:
            outcome.set_result(result)
        for job in again:
            self._commit_each([job])


def run_savepoint(connection: Connection, work: Callable[[Connection], T]) -> T:
    """Run ``work`` so that its failure takes back its own writing alone."""
    connection.execute("SAVEPOINT piece")
    try:
        result = work(connection)
    except BaseException:  # undone, whatever it is
        if connection.in_transaction:
            connection.execute("ROLLBACK TO piece")
            connection.execute("RELEASE piece")
        raise
    connection.execute("RELEASE piece")
    return result


@contextlib.contextmanager
def raced(engine: Engine) -> Iterator[None]:
    """The same as :func:`translated`, for work inside of a transaction that somebody else runs: what may well succeed
    when all of that is run again is a LostRace."""
    with translated(engine):
        try:
            yield
        except Exception as error:
            if engine.may_repeat(error):
                told = engine.translate(error)
                raise LostRace(str(told)) from told
            raise


@contextlib.contextmanager
def translated(engine: Engine) -> Iterator[None]:
    """Turn the driver's errors into the house's."""
    try:
        yield
    except Exception as error:
        told = engine.translate(error)
        if told is error:
            raise
        raise told from error

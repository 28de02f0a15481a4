"""Group commit: what waits together is committed together, each piece under a savepoint of its own.

One thread per process writes, so that writers queue here in memory instead of fighting for the file's lock
(the figures stand in docs/architecture.md, "Storage").
"""

import contextlib
import os
import queue
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

from allmende.domain.errors import InvalidQuery, StorageBusy, StorageError, StorageFull
from allmende.storage.connections import Connection, Connections

T = TypeVar("T")
_TOO_DEEP = ("parser stack overflow", "Expression tree is too large", "too many SQL variables", "tables in a join")
_IDLE_SECONDS = 30.0
_Job = tuple[Callable[[Connection], Any], "Future[Any]"]


class GroupCommitter:
    """The writer thread of this process; it starts with the first piece of work and ends when there is none."""

    def __init__(self, connections: Connections, *, most: int = 500) -> None:
        self._connections = connections
        self._most = most
        self._waiting: queue.SimpleQueue[_Job] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._pid = 0

    def __call__(self, work: Callable[[Connection], T], /) -> T:
        """Run ``work`` in a transaction; returns after its commit. Inside of a transaction, joins it."""
        if self._connections.in_transaction():
            with self._connections.writing() as connection, translated():
                return work(connection)
        future: Future[T] = Future()
        with self._lock:
            self._ensure_thread()
            self._waiting.put((work, future))
        return future.result()

    def _ensure_thread(self) -> None:
        # A forked child has the object but not the thread.
        if self._pid != os.getpid():
            self._pid, self._thread, self._waiting = os.getpid(), None, queue.SimpleQueue()
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(target=self._run, name="allmende-writer", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        while True:
            try:
                jobs = [self._waiting.get(timeout=_IDLE_SECONDS)]
            except queue.Empty:
                with self._lock:
                    if self._waiting.empty():
                        self._thread = None
                        return
                continue
            with contextlib.suppress(queue.Empty):
                while len(jobs) < self._most:
                    jobs.append(self._waiting.get_nowait())
            self._commit(jobs)

    def _commit(self, jobs: list[_Job]) -> None:
        done: list[tuple[Future[Any], Any]] = []
        try:
            with translated(), self._connections.writing() as connection:
                for work, future in jobs:
                    try:
                        done.append((future, run_savepoint(connection, work)))
                    except Exception as error:
                        if not connection.in_transaction:
                            raise  # SQLite gave up the whole transaction: full disk, broken file
                        future.set_exception(_translate(error))
        except BaseException as error:
            for _, future in jobs:
                if not future.done():
                    future.set_exception(_translate(error))
            return
        for future, result in done:
            future.set_result(result)


def run_savepoint(connection: Connection, work: Callable[[Connection], T]) -> T:
    """Run ``work`` so that its failure takes back its own writing alone."""
    connection.execute("SAVEPOINT piece")
    try:
        result = work(connection)
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK TO piece")
            connection.execute("RELEASE piece")
        raise
    connection.execute("RELEASE piece")
    return result


@contextlib.contextmanager
def translated() -> Any:
    """Turn the driver's errors into the house's."""
    try:
        yield
    except sqlite3.Error as error:
        raise _translate(error) from error


def _translate(error: BaseException) -> BaseException:
    """A clear word for what the driver says."""
    cause = error if isinstance(error, sqlite3.Error) else error.__cause__
    if not isinstance(cause, sqlite3.Error):
        return error
    if any(words in str(cause) for words in _TOO_DEEP):
        return InvalidQuery(f"this question is too large or too deep ({cause}); ask it in pieces")
    code = (getattr(cause, "sqlite_errorcode", 0) or 0) & 0xFF
    if code == sqlite3.SQLITE_FULL:
        return StorageFull("the disk is full; nothing of this was stored. Make room, then send it again")
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return StorageBusy("the database was busy for too long; nothing of this was stored. Send it again")
    if code == sqlite3.SQLITE_IOERR:
        return StorageError(f"the disk did not take or give data ({cause}); nothing of this was stored")
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return StorageError(f"the database file is damaged ({cause}); restore a backup")
    return error

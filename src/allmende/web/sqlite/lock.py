"""The turn to write: one holder among all threads and processes that use the same lock file.

Within a process a plain lock queues the threads, so that a single one of them asks the kernel. Between processes it is
``flock``, which dies with its process. The kernel's own wait has no time limit, so the one thread asks again in steps.
"""

import fcntl
import os
import sqlite3
import threading
import time
import weakref
from contextlib import suppress

_FIRST_STEP, _LONGEST_STEP = 0.000_05, 0.002

_queues: dict[str, threading.Lock] = {}
_all: "weakref.WeakSet[WriteLock]" = weakref.WeakSet()


class WriteLock:
    """The turn of one connection; re-entrant by being idempotent: taking it twice is taking it once.

    Not for use by two threads at once, like the connection that it belongs to.
    """

    def __init__(self, path: str, wait: float) -> None:
        self.path = path
        self.wait = wait
        self.held = False
        self._file = -1
        self._queue = _queues.setdefault(os.path.abspath(path), threading.Lock())
        _all.add(self)

    def take(self) -> None:
        """Wait for the turn. Raises sqlite3.OperationalError after ``wait`` seconds, or where no file can be opened."""
        if self.held:
            return
        deadline = time.monotonic() + self.wait
        if not self._queue.acquire(timeout=self.wait):
            raise self._too_long("another thread of this process")
        try:
            self._take_file(deadline)
        except BaseException:
            self._queue.release()
            raise
        self.held = True

    def _take_file(self, deadline: float) -> None:
        if self._file < 0:
            try:
                self._file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            except OSError as error:
                raise sqlite3.OperationalError(
                    f"unable to open the write lock {self.path}: {error.strerror}"
                ) from error
        step = _FIRST_STEP
        while True:
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise self._too_long("another process") from None
            time.sleep(step)
            step = min(step * 2, _LONGEST_STEP)

    def _too_long(self, holder: str) -> sqlite3.OperationalError:
        return sqlite3.OperationalError(
            f"no turn to write within {self.wait:g} s: {holder} holds {self.path} (limit: ALLMENDE_WRITE_WAIT)"
        )

    def give_back(self) -> None:
        """Let the next one write. Does nothing where the turn is not held."""
        if self.held:
            self.held = False
            fcntl.flock(self._file, fcntl.LOCK_UN)
            self._queue.release()

    def close(self) -> None:
        """Give back, and close the file."""
        self.give_back()
        if self._file >= 0:
            with suppress(OSError):
                os.close(self._file)
            self._file = -1

    def __del__(self) -> None:
        # A thread that ends without closing its connection must not keep the turn.
        self.close()


class NoLock(WriteLock):
    """For databases in memory: nobody else can see them."""

    def __init__(self) -> None:
        super().__init__(os.devnull, 0)

    def take(self) -> None:
        """Do nothing."""


def _forget_after_fork() -> None:
    """A child shares the parent's open files: it must neither hold nor release the parent's turn."""
    _queues.clear()
    for lock in list(_all):
        if lock._file >= 0:
            os.close(lock._file)
        lock._file, lock.held = -1, False
        lock._queue = _queues.setdefault(os.path.abspath(lock.path), threading.Lock())


os.register_at_fork(after_in_child=_forget_after_fork)

"""Turns: so many questions at a time on this machine, whichever process asks them."""

import fcntl
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.utils.translation import gettext as _

from allmende.domain.errors import StorageBusy

_LOOK = 0.05
_waiting = threading.BoundedSemaphore(max(1, settings.ALLMENDE.web_threads // 2))
"""Of this process: at least half of its threads answer other requests."""


@contextmanager
def turn(folder: Path, number: int, seconds: float) -> Iterator[None]:
    """One of ``number`` turns, whose locks lie in ``folder``. Raises StorageBusy where none comes within ``seconds``,
    or where too many wait here already."""
    if not _waiting.acquire(blocking=False):
        raise StorageBusy(_busy())
    try:
        lock = _lock(folder, number, time.monotonic() + seconds)
        try:
            yield
        finally:
            os.close(lock)
    finally:
        _waiting.release()


def _lock(folder: Path, number: int, end: float) -> int:
    """An open file that is locked; the kernel lets go of it with the process."""
    while True:
        for place in range(number):
            file = os.open(folder / f"turn-{place}", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(file)
            else:
                return file
        if time.monotonic() >= end:
            raise StorageBusy(_busy())
        time.sleep(_LOOK)


def _busy() -> str:
    return _("Too many questions are being worked out now: ask again in a moment.")

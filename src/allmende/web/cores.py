"""A core of its own for each process of the web server.

Python runs one thread of a process at a time. Where its threads may run on any core, each hand-over from one to the
next wakes another core, which takes longer than many a piece of work: on one core the same processes answered between
5 % and 50 % more requests (figures: docs/performance.md, "A core for each process").
"""

import fcntl
import os
import zlib
from contextlib import suppress
from pathlib import Path

_held: list[int] = []
"""Open files whose locks say which core is taken; they end with the process."""


def take_core(folder: Path, workers: int) -> int | None:
    """Keep this process, one of so many, on a core that no other of the house has; gives its number.

    Call it before there are other threads. None where there are fewer cores than processes, or where the system does
    not know how; the process may then run anywhere, as before.
    """
    if not hasattr(os, "sched_setaffinity"):
        return None
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < max(workers, 2):
        return None
    folder.mkdir(parents=True, exist_ok=True)
    # Houses on one machine begin at different cores.
    first = zlib.crc32(str(folder).encode()) % len(cores)
    for core in [*cores[first:], *cores[:first]]:
        file = os.open(folder / f"core-{core}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(file)
            continue
        with suppress(OSError):
            os.sched_setaffinity(0, {core})
            _held.append(file)
            return core
        os.close(file)
    return None

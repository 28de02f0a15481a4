"""Counts of who asks how often, for all processes of the web server together (decision 63).

They lie in memory that the processes share and that no disk ever sees; it goes with the process that made it. Where it
cannot be shared (a process by itself, another system than Linux), each process has its own.
"""

import fcntl
import mmap
import os
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from hashlib import blake2b
from typing import Any

import msgspec
import structlog
from django.core.cache.backends.base import DEFAULT_TIMEOUT, BaseCache

VARIABLE = "ALLMENDE_COUNTS"
"""Where a child finds the shared memory, in its environment."""
_SIZES = {"requests": (2**14, 16), "attempts": (2**13, 1024)}
"""Records of each table, and bytes of each. Whoever wanted to push their own count out had to come with thousands of
addresses at once."""
_GROUP = 8
_HEAD = struct.Struct("16sdI")
log = structlog.get_logger("allmende.limits")
_NOBODY = b"\0" * 16


class Record:
    """A client's record, held until the end of the ``with``."""

    def __init__(self, table: "Table", place: int, data: bytes | None) -> None:
        self._table = table
        self._place = place
        self._key = b""
        self.data = data
        """What was kept; None where there is nothing, or it is over."""

    def keep(self, data: bytes, until: float) -> None:
        """Keep it; it may be forgotten from ``until`` on. Raises ValueError where it is too large."""
        self._table.write(self._place, self._key, data, until)

    def drop(self) -> None:
        """Forget it."""
        self._table.write(self._place, _NOBODY, b"", 0.0)


class Table:
    """Small records by key, of which the one that ends first is forgotten where there is no room. Safe to use from
    several threads, and from several processes over the same file."""

    def __init__(self, records: int, size: int, file: int = -1) -> None:
        self._size = size
        self._step = _HEAD.size + size
        self._groups = records // _GROUP
        self._file = file
        self._memory = mmap.mmap(file, records * self._step)
        self._lock = threading.Lock()

    @contextmanager
    def record(self, key: str, now: float) -> Iterator[Record]:
        """The record of a key, as of ``now``; all that use one table go by the same clock."""
        digest = blake2b(key.encode("utf-8", "surrogatepass"), digest_size=16).digest()
        group = int.from_bytes(digest[:4]) % self._groups
        with self._lock:
            if self._file >= 0:
                fcntl.lockf(self._file, fcntl.LOCK_EX, 1, group)
            try:
                found = self._find(digest, group, now)
                found._key = digest
                yield found
            finally:
                if self._file >= 0:
                    fcntl.lockf(self._file, fcntl.LOCK_UN, 1, group)

    def _find(self, digest: bytes, group: int, now: float) -> Record:
        free, first = 0, float("inf")
        start = group * _GROUP * self._step
        for place in range(start, start + _GROUP * self._step, self._step):
            owner, until, length = _HEAD.unpack_from(self._memory, place)
            if owner == digest:
                body = place + _HEAD.size
                return Record(self, place, self._memory[body : body + length] if until > now else None)
            ends = until if owner != _NOBODY and until > now else float("-inf")
            if ends < first:
                free, first = place, ends
        return Record(self, free, None)

    def write(self, place: int, key: bytes, data: bytes, until: float) -> None:
        """For :class:`Record`, which holds the lock."""
        if len(data) > self._size:
            raise ValueError(f"{len(data)} bytes, where {self._size} are kept")
        _HEAD.pack_into(self._memory, place, key, until, len(data))
        body = place + _HEAD.size
        self._memory[body : body + len(data)] = data

    def clear(self) -> None:
        """Forget all."""
        with self._lock:
            self._memory[:] = bytes(len(self._memory))


def share_counts() -> None:
    """Make the memory that this process's children count in; it lives as long as this process."""
    if not hasattr(os, "memfd_create"):
        return
    places = {}
    for name, (records, size) in _SIZES.items():
        file = os.memfd_create(f"allmende-{name}", os.MFD_CLOEXEC)
        os.ftruncate(file, records * (_HEAD.size + size))
        places[name] = f"/proc/{os.getpid()}/fd/{file}"
    os.environ[VARIABLE] = msgspec.json.encode(places).decode()


@cache
def shared_table(name: str) -> Table | None:
    """The table that the processes share; None where they share none."""
    said = os.environ.get(VARIABLE)
    if not said:
        return None
    path = msgspec.json.decode(said, type=dict[str, str])[name]
    try:
        file = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except OSError as error:  # the process that made it is gone, or hidden from us
        log.warning("requests are counted in each process for itself", error=error.strerror)
        return None
    return Table(*_SIZES[name], file)


def make_table(name: str) -> Table:
    """The shared one, else one of its own."""
    return shared_table(name) or Table(*_SIZES[name])


class Bucket:
    """Tokens: each client has ``rate`` a minute, and may use them in one go.

    Forgotten after a minute of quiet; addresses are kept no longer than that. ``name`` keeps several apart.
    """

    _fill = struct.Struct("dd")

    def __init__(self, rate: int, name: str = "", clock: Callable[[], float] = time.monotonic) -> None:
        self.rate = rate
        self._name = name
        self._clock = clock  # Linux's is the same for all processes
        self._table = make_table("requests")

    def take(self, client: str) -> float:
        """Take a token. Gives 0, or the seconds until there is one again."""
        return self.spend(client)[0]

    def spend(self, client: str) -> tuple[float, float]:
        """Take a token. Gives 0, or the seconds until there is one again; and how many are left."""
        now, full = self._clock(), float(self.rate)
        with self._table.record(f"{self._name} {client}", now) as record:
            left, at = self._fill.unpack(record.data) if record.data is not None else (full, now)
            left = min(full, left + (now - at) * self.rate / 60)
            taken = 1 if left >= 1 else 0
            record.keep(self._fill.pack(left - taken, now), now + 60)
        return (0.0, left - 1) if taken else ((1 - left) * 60 / self.rate, left)


class AttemptsCache(BaseCache):
    """Django's cache, as django-allauth counts attempts in it: numbers, truths and short lists of numbers."""

    def __init__(self, _location: str, params: dict[str, Any]) -> None:
        super().__init__(params)
        self._table = _attempts()

    def add(self, key: str, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: Any = None) -> bool:
        """Keep it where there is nothing yet; whether it was kept."""
        with self._table.record(self.make_and_validate_key(key, version), time.time()) as record:
            if record.data is not None:
                return False
            record.keep(msgspec.msgpack.encode(value), self._until(timeout))
            return True

    def get(self, key: str, default: Any = None, version: Any = None) -> Any:
        """What is kept."""
        with self._table.record(self.make_and_validate_key(key, version), time.time()) as record:
            return default if record.data is None else msgspec.msgpack.decode(record.data)

    def set(self, key: str, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: Any = None) -> None:
        """Keep it."""
        with self._table.record(self.make_and_validate_key(key, version), time.time()) as record:
            record.keep(msgspec.msgpack.encode(value), self._until(timeout))

    def touch(self, key: str, timeout: Any = DEFAULT_TIMEOUT, version: Any = None) -> bool:
        """Keep it longer; whether there is something."""
        with self._table.record(self.make_and_validate_key(key, version), time.time()) as record:
            if record.data is not None:
                record.keep(record.data, self._until(timeout))
            return record.data is not None

    def delete(self, key: str, version: Any = None) -> bool:
        """Forget it; whether there was something."""
        with self._table.record(self.make_and_validate_key(key, version), time.time()) as record:
            record.drop()
            return record.data is not None

    def clear(self) -> None:
        """Forget all."""
        self._table.clear()

    def _until(self, timeout: Any) -> float:
        end = self.get_backend_timeout(timeout)
        return float("inf") if end is None else float(end)


@cache
def _attempts() -> Table:
    """One for all threads, each of which has a cache of its own."""
    return make_table("attempts")

"""Slows down who guesses passwords."""

import threading
import time
from collections.abc import Callable

WINDOW_SECONDS = 15 * 60
MOST_BY_NAME = 8
MOST_BY_ADDRESS = 40
_MOST_KEPT = 20_000
_SWEEP_SECONDS = 60


class Attempts:
    """Failed log-ins of the last quarter of an hour, by name and by address.

    In the memory of one process (with several, each counts for itself), so that no address is ever written down.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failed: dict[tuple[str, str], list[float]] = {}
        self._swept = clock()
        self._lock = threading.Lock()

    def blocked(self, name: str, address: str) -> bool:
        """Whether no further attempt is taken now, right password or not."""
        with self._lock:
            self._sweep()
            return (
                len(self._recent(("name", name.casefold()))) >= MOST_BY_NAME
                or len(self._recent(("address", address))) >= MOST_BY_ADDRESS
            )

    def fail(self, name: str, address: str) -> None:
        """Remember a failure."""
        with self._lock:
            self._sweep()
            if len(self._failed) >= _MOST_KEPT:
                self._failed.clear()
            for key in (("name", name.casefold()), ("address", address)):
                self._failed[key] = [*self._recent(key), self._clock()]

    def forget(self, name: str) -> None:
        """The person has come in."""
        with self._lock:
            self._failed.pop(("name", name.casefold()), None)

    def _sweep(self) -> None:
        """Forget what is over, also of those who never came again."""
        if self._clock() - self._swept >= _SWEEP_SECONDS:
            self._swept = self._clock()
            for key in list(self._failed):
                self._recent(key)

    def _recent(self, key: tuple[str, str]) -> list[float]:
        since = self._clock() - WINDOW_SECONDS
        kept = [at for at in self._failed.get(key, ()) if at > since]
        if kept:
            self._failed[key] = kept
        else:
            self._failed.pop(key, None)
        return kept

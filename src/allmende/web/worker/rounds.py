"""What the worker does again and again, each thing in a thread of its own."""

import threading
from contextlib import suppress

import structlog
from django.db import DatabaseError, close_old_connections

from allmende.domain.errors import AllmendeError

log = structlog.get_logger("allmende.worker")


class Rounds(threading.Thread):
    """Takes turns until ``stop`` is set. Nothing that goes wrong in one ends it: what is committed is whole, and the
    next turn begins with the database as it is then."""

    trouble_seconds = 5.0
    """After a turn that failed: neither database nor log is there for a thread that spins."""

    def __init__(self, name: str, stop: threading.Event, *, first: float = 0.0) -> None:
        """``first``: seconds until the first turn."""
        super().__init__(name=name, daemon=True)
        self._stop_event = stop
        self._first = first

    def turn(self) -> float:
        """Do what is due; gives the seconds until the next turn."""
        raise NotImplementedError

    def end(self) -> None:
        """Called when the last turn is over."""

    def run(self) -> None:
        """Turn after turn."""
        wait = self._first
        while not self._stop_event.wait(wait):
            wait = self._take_turn()
        self.end()

    def _take_turn(self) -> float:
        try:
            close_old_connections()
            return self.turn()
        except (AllmendeError, OSError) as error:
            log.warning("a turn could not be taken", work=self.name, error=f"{type(error).__name__}: {error}")
        except Exception:  # a mistake of ours, or the database is away: the thread is needed when it is back
            log.exception("a turn stumbled", work=self.name)
        finally:
            with suppress(DatabaseError):
                close_old_connections()
        return self.trouble_seconds

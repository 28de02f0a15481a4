"""The worker's rounds go on, whatever happens in one."""

import threading

import pytest

from allmende.domain.errors import StorageBusy
from allmende.web.worker.rounds import Rounds


class Clumsy(Rounds):
    """Fails as it is told, then stops itself."""

    trouble_seconds = 0.001

    def __init__(self, faults: list[Exception]) -> None:
        self.stop = threading.Event()
        super().__init__("clumsy", self.stop)
        self.faults = faults
        self.turns = 0
        self.ended = 0

    def turn(self) -> float:
        self.turns += 1
        if self.faults:
            raise self.faults.pop(0)
        self.stop.set()
        return 60.0

    def end(self) -> None:
        self.ended += 1


@pytest.mark.django_db
def test_no_fault_ends_it_and_it_ends_when_it_is_told() -> None:
    clumsy = Clumsy([RuntimeError("a mistake"), StorageBusy("busy"), OSError("no disk")])
    clumsy.run()
    assert (clumsy.turns, clumsy.ended) == (4, 1)


@pytest.mark.django_db
def test_a_turn_that_failed_is_followed_by_a_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    """A database that is away must not make it spin."""
    waited: list[float] = []
    clumsy = Clumsy([RuntimeError("away")])
    clumsy.trouble_seconds = 5.0
    monkeypatch.setattr(clumsy.stop, "wait", lambda seconds: waited.append(seconds) or clumsy.stop.is_set())
    clumsy.run()
    assert waited == [0.0, 5.0, 60.0]

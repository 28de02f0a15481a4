"""How long the statements of one question may take, all of them together."""

import time

from allmende.domain.errors import LimitExceeded


def too_long() -> LimitExceeded:
    """What is told of a question that was stopped."""
    return LimitExceeded("this took too long and was stopped; ask for less", setting="ALLMENDE_QUERY_SECONDS")


class Allowance:
    """The time of one question; it begins with it."""

    __slots__ = ("_until", "seconds")

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._until = time.monotonic() + seconds

    def left(self) -> float:
        """Seconds that are left for its next statement; raises LimitExceeded where there are none."""
        left = self._until - time.monotonic()
        if left <= 0:
            raise too_long()
        return left

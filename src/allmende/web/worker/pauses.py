"""How long to wait before a source is asked again."""

import random

FIRST_PAUSE = 30.0
"""Seconds after a first failure; doubled with each further one."""
LONGEST_PAUSE = 3600.0


def pause_after(failures: int, seconds: float, *, longest: float = LONGEST_PAUSE) -> float:
    """Seconds to wait: the interval after a success, else longer with each failure, never all at once."""
    if not failures:
        return seconds
    pause = min(FIRST_PAUSE, seconds) * 2.0 ** min(failures - 1, 20)
    return min(pause, max(seconds, longest)) * random.uniform(0.8, 1.2)  # noqa: S311  no secret

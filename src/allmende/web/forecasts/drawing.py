"""The chart of a forecast, which needs no script: what was measured, what is expected, and the interval around it."""

import math
from collections.abc import Sequence
from typing import NamedTuple

from allmende.knowledge.forecasts.keeping import Shown

WIDTH, HEIGHT = 640, 220


class Drawing(NamedTuple):
    """``points`` of polylines and of one polygon, in a box of :data:`WIDTH` by :data:`HEIGHT`."""

    past: tuple[str, ...]
    """What was measured, broken where nothing is known."""
    middle: str
    band: str
    now: float
    """Where the past ends."""
    low: float
    high: float
    start: int
    end: int


def draw(times: Sequence[int], values: Sequence[float], shown: Shown) -> Drawing | None:
    """None where there is nothing to draw. ``times`` (microseconds) and ``values`` were measured; NaN is not known."""
    if not shown.times:
        return None
    known = [value for value in values if not math.isnan(value)]
    ends = [value for value in (*shown.lower, *shown.upper) if value is not None]
    everything = [*known, *shown.middle, *ends]
    low, high = min(everything), max(everything)
    start, end = min([*times[:1], shown.times[0]]), shown.times[-1]
    room, span = (high - low) or 1.0, max(end - start, 1)

    def place(at: int, value: float) -> str:
        return f"{WIDTH * (at - start) / span:.1f},{HEIGHT - HEIGHT * (value - low) / room:.1f}"

    parts: list[list[str]] = [[]]
    for at, value in zip(times, values, strict=True):
        if math.isnan(value):
            parts.append([])
        else:
            parts[-1].append(place(at, value))
    past = tuple(" ".join(part if len(part) > 1 else part * 2) for part in parts if part)
    above = [place(at, value) for at, value in zip(shown.times, shown.upper, strict=True) if value is not None]
    below = [place(at, value) for at, value in zip(shown.times, shown.lower, strict=True) if value is not None]
    middle = " ".join(place(at, value) for at, value in zip(shown.times, shown.middle, strict=True))
    now = WIDTH * (min(max(shown.issued, start), end) - start) / span
    return Drawing(past, middle, " ".join([*above, *reversed(below)]), round(now, 1), low, high, start, end)

"""A chart that needs no script: readings of one stream as lines of an SVG."""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from allmende.domain.store import Points

WIDTH, HEIGHT = 640, 200
_MOST = 320
_GAP = 3.5
"""Where the pause is this many times the usual one, the line is broken: nobody knows what was between."""


class Chart(NamedTuple):
    """Lines as ``points`` of polylines, with the lowest and highest value and the first and last time (µs)."""

    lines: tuple[str, ...]
    low: float
    high: float
    start: int
    end: int


def draw(points: Points) -> Chart | None:
    """None where there are no numbers. Readings that are flagged as implausible are left out."""
    pairs = [
        (at, float(value))
        for at, value, flag in zip(points.times, points.results, points.flags, strict=True)
        if not flag and isinstance(value, int | float) and not isinstance(value, bool)
    ]
    if not pairs:
        return None
    pairs = _thin(pairs)
    start, end = pairs[0][0], pairs[-1][0]
    low, high = min(value for _, value in pairs), max(value for _, value in pairs)
    span, room = max(end - start, 1), (high - low) or 1.0

    def place(at: int, value: float) -> str:
        x = WIDTH * (at - start) / span if end > start else WIDTH / 2
        y = HEIGHT - HEIGHT * (value - low) / room if high > low else HEIGHT / 2
        return f"{x:.1f},{y:.1f}"

    lines = tuple(" ".join(place(at, value) for at, value in part) for part in _unbroken(pairs))
    return Chart(lines, low, high, start, end)


def _thin(pairs: list[tuple[int, float]]) -> list[tuple[int, float]]:
    """The mean of neighbours where there are more than can be seen."""
    step = -(-len(pairs) // _MOST)
    if step <= 1:
        return pairs
    parts = [pairs[place : place + step] for place in range(0, len(pairs), step)]
    return [(part[len(part) // 2][0], sum(value for _, value in part) / len(part)) for part in parts]


def _unbroken(pairs: Sequence[tuple[int, float]]) -> list[list[tuple[int, float]]]:
    pauses = sorted(after[0] - before[0] for before, after in pairwise(pairs))
    usual = pauses[len(pauses) // 2] if pauses else 0
    parts = [[pairs[0]]]
    for before, after in pairwise(pairs):
        if after[0] - before[0] > _GAP * usual:
            parts.append([])
        parts[-1].append(after)
    # a point alone would not be drawn
    return [part if len(part) > 1 else part * 2 for part in parts]

"""Charts as SVG that needs no script, no style and no width: places are shares of the drawing, texts keep their size.

A place of the drawing is a share of 0 to 100 from left and top. Paths lie in a box of 1,000 by 1,000 that is stretched.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

FOOT = 12.0
"""Share of the height below the plot, for the words of the time axis."""
Number = float | None


class Tick(NamedTuple):
    """A place on an axis and what stands there."""

    at: str
    text: str


class Line(NamedTuple):
    """A path with the name of its style."""

    style: str
    path: str


class Plot(NamedTuple):
    """A chart of lines and areas. ``up`` are ticks from the top, ``along`` from the left."""

    lines: list[Line]
    up: list[Tick]
    along: list[Tick]
    foot: str
    """Where the plot ends and the words of the time axis begin."""


class Axis:
    """A scale with round numbers at its ends."""

    def __init__(self, values: Sequence[Number], *, zero: bool = False) -> None:
        known = [value for value in values if value is not None]
        low, high = (min(known), max(known)) if known else (0.0, 1.0)
        if (
            zero and low > 0 and low < high * 0.6
        ):  # amounts begin at nothing, unless that leaves no room for what differs
            low = 0.0
        if high <= low:
            low, high = low - 1, high + 1
        step = _round_step((high - low) / 4)
        self.low, self.high, self.step = math.floor(low / step) * step, math.ceil(high / step) * step, step

    def share(self, value: float) -> float:
        """0 at the low end, 1 at the high one."""
        return (value - self.low) / (self.high - self.low)

    def ticks(self) -> list[float]:
        """Round numbers from low to high."""
        return [self.low + n * self.step for n in range(round((self.high - self.low) / self.step) + 1)]


def _round_step(rough: float) -> float:
    power: float = 10.0 ** math.floor(math.log10(rough))
    return next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= rough * 0.999)


def percent(share: float) -> str:
    """A place of the drawing."""
    return f"{100 * share:.2f}%"


def height(share: float) -> str:
    """A place above the foot, from a share of the axis."""
    return f"{(1 - share) * (100 - FOOT):.2f}%"


def path(values: Sequence[Number], axis: Axis) -> str:
    """A line through the middles of columns of equal width, broken where there is no value."""
    parts: list[str] = []
    drawing = False
    for place, value in enumerate(values):
        if value is None:
            drawing = False
            continue
        x, y = (place + 0.5) / len(values) * 1000, (1 - axis.share(value)) * 1000
        # a point alone is a short stroke
        alone = not drawing and (place + 1 >= len(values) or values[place + 1] is None)
        parts.append(f"{'L' if drawing else 'M'}{x:.1f} {y:.1f}" + ("h1" if alone else ""))
        drawing = True
    return "".join(parts)


def area(low: Sequence[Number], high: Sequence[Number], axis: Axis) -> str:
    """The space between two lines, in pieces where one of them is missing."""
    pieces: list[list[tuple[float, float, float]]] = [[]]
    for place, (below, above) in enumerate(zip(low, high, strict=True)):
        if below is None or above is None:
            pieces.append([])
            continue
        x = (place + 0.5) / len(low) * 1000
        pieces[-1].append((x, (1 - axis.share(below)) * 1000, (1 - axis.share(above)) * 1000))
    drawn = []
    for piece in pieces:
        if len(piece) > 1:
            there = "L".join(f"{x:.1f} {top:.1f}" for x, _, top in piece)
            back = "L".join(f"{x:.1f} {bottom:.1f}" for x, bottom, _ in reversed(piece))
            drawn.append(f"M{there}L{back}Z")
    return "".join(drawn)

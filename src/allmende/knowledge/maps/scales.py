"""Classes into which values fall on a map: a few, with round ends that can be read out."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence
from math import floor, isfinite, log10
from typing import Any, NamedTuple

MOST = 5
_ROUND = (1.0, 2.0, 2.5, 5.0, 10.0)


class Scale(NamedTuple):
    """``breaks`` divide numbers: a class holds its lower break and not its upper one. ``names`` are texts and booleans
    that have a class each; all others share the one behind them. One of both is empty."""

    breaks: tuple[float, ...] = ()
    names: tuple[str, ...] = ()
    numbers: bool = True

    def place(self, value: Any) -> int | None:
        """The class of a value, counted from 0; None for none."""
        if value is None or isinstance(value, list | dict):
            return None
        if self.numbers:
            if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
                return None
            return bisect_right(self.breaks, value)
        text = as_text(value)
        return self.names.index(text) if text in self.names else len(self.names)


def make_scale(values: Iterable[Any]) -> Scale:
    """A scale for what is known now: of numbers where most are numbers, else of texts."""
    known = [value for value in values if value is not None and not isinstance(value, list | dict)]
    numbers = [float(v) for v in known if isinstance(v, int | float) and not isinstance(v, bool) and isfinite(v)]
    if known and len(numbers) * 2 <= len(known):
        counted = Counter(as_text(value) for value in known)
        names = sorted(counted, key=lambda name: (-counted[name], name))[:MOST]
        return Scale(names=tuple(sorted(names)), numbers=False)
    return Scale(breaks=_breaks(sorted(numbers)))


def as_text(value: Any) -> str:
    """A text or boolean as a class has it."""
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value)


def _breaks(numbers: Sequence[float]) -> tuple[float, ...]:
    """Round numbers between most of the values: few far away must not put all others into one class."""
    if len(numbers) < 2:
        return ()
    low, high = numbers[floor(0.02 * (len(numbers) - 1))], numbers[-1 - floor(0.02 * (len(numbers) - 1))]
    if not high > low:
        low, high = numbers[0], numbers[-1]
    if not high > low or not isfinite(high - low):
        return ()
    rough = (high - low) / MOST
    scale = 10.0 ** floor(log10(rough))
    width = next(step * scale for step in _ROUND if step * scale >= rough * 0.999)
    first = floor(low / width + 1e-9) + 1
    digits = max(0, 2 - floor(log10(width)))
    found = dict.fromkeys(round((first + number) * width, digits) for number in range(MOST))
    return tuple(edge for edge in found if low < edge <= high)[: MOST - 1]

"""What the functions and operators of rules do with values. Whatever has no answer (the logarithm of 0) is missing."""

import math
from collections.abc import Callable, Sequence
from statistics import fmean, median, pstdev
from typing import Any, NamedTuple

from allmende.knowledge.language import Scalar


class Sample(NamedTuple):
    """Several values with their times, in the order of time."""

    times: Sequence[int]
    values: Sequence[Scalar]

    def known(self) -> list[Any]:
        """The values that are not missing."""
        return [value for value in self.values if value is not None]


def finite(value: Any) -> Scalar:
    """A number that can be kept; missing for what is none (infinite, complex, too large)."""
    if isinstance(value, int):
        return value if -(2**63) <= value < 2**63 else None
    return value if isinstance(value, float) and math.isfinite(value) else None


def guarded(work: Callable[..., Any]) -> Callable[..., Scalar]:
    """Arithmetic on numbers that are all there; without an answer it is missing."""

    def run(*values: Any) -> Scalar:
        for value in values:
            if value is None:
                return None
        try:
            return finite(work(*values))
        except (ArithmeticError, ValueError):
            return None

    return run


def compared(work: Callable[[Any, Any], bool]) -> Callable[..., Scalar]:
    """A comparison of two values of one type; missing where one is."""

    def run(left: Any, right: Any) -> Scalar:
        return None if left is None or right is None else work(left, right)

    return run


def every(*values: Scalar) -> Scalar:
    """``and`` with three values: false wins over missing."""
    if False in values:
        return False
    return None if None in values else True


def either(*values: Scalar) -> Scalar:
    """``or`` with three values: true wins over missing."""
    if True in values:
        return True
    return None if None in values else False


def contrary(value: Scalar) -> Scalar:
    """``not``."""
    return None if value is None else not value


def choose(*values: Scalar) -> Scalar:
    """``case(condition, value, …, else)``: the first whose condition holds. A missing condition leaves it missing."""
    pairs, rest = values[: len(values) // 2 * 2], values[len(values) // 2 * 2 :]
    for condition, value in zip(pairs[::2], pairs[1::2], strict=True):
        if condition is None:
            return None
        if condition:
            return value
    return rest[0] if rest else None


def coalesce(*values: Scalar) -> Scalar:
    """The first that is not missing."""
    return next((value for value in values if value is not None), None)


def one_of(value: Scalar, *choices: Scalar) -> Scalar:
    """Whether a value is one of several."""
    return None if value is None else value in choices


def round_half_up(value: float, digits: int = 0) -> float:
    """Halves away from zero, as people round: Python's own rounds them to even."""
    if not -15 <= digits <= 15:
        raise ValueError("so many digits no number has")
    scale = 10.0 ** int(digits)
    scaled = math.floor(abs(value) * scale + 0.5)
    result = math.copysign(scaled, value) / scale if digits else math.copysign(scaled, value)
    return int(result) if digits <= 0 else result


def divide(left: float, right: float) -> float:
    """Always with decimals."""
    return left / right


def percentile(values: Sequence[float], share: float) -> Scalar:
    """Between the two nearest in rank, as the API's percentile is; ``share`` from 0 to 100."""
    ordered = sorted(values)
    if not 0 <= share <= 100:
        return None
    place = (len(ordered) - 1) * share / 100
    low = math.floor(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def total(values: Sequence[Any]) -> Scalar:
    """Exact for whole numbers, rounded once for others."""
    return sum(values) if all(isinstance(value, int) for value in values) else math.fsum(values)


def _summed(work: Callable[[list[Any]], Any]) -> Callable[..., Scalar]:
    """A sum-up of the known values; of none it is missing, never zero."""

    def run(sample: Sample) -> Scalar:
        known = sample.known()
        if not known:
            return None
        try:
            return finite(work(known))
        except (ArithmeticError, ValueError):
            return None

    return run


def _mean(values: list[Any]) -> float:
    return fmean(values)


def _percentile_of(sample: Sample, share: Scalar) -> Scalar:
    known = sample.known()
    return finite(percentile(known, float(share))) if known and share is not None else None


def _count(sample: Sample) -> Scalar:
    return len(sample.known())


def _count_if(sample: Sample) -> Scalar:
    return sum(value is True for value in sample.values)


def _share(sample: Sample) -> Scalar:
    known = sample.known()
    return sum(known) / len(known) if known else None


def _first(sample: Sample) -> Scalar:
    return next(iter(sample.known()), None)


def _last(sample: Sample) -> Scalar:
    return next(reversed(sample.known()), None)


def _any(sample: Sample) -> Scalar:
    return either(*sample.values)


def _all(sample: Sample) -> Scalar:
    return every(*sample.values) if sample.values else None


AGGREGATES: dict[str, Callable[..., Scalar]] = {
    "mean": _summed(_mean),
    "min": _summed(min),
    "max": _summed(max),
    "sum": _summed(total),
    "median": _summed(median),
    "stddev": _summed(pstdev),
    "percentile": _percentile_of,
    "count": _count,
    "fresh": _count,
    "countif": _count_if,
    "share": _share,
    "first": _first,
    "last": _last,
    "any": _any,
    "all": _all,
}

SCALARS: dict[str, Callable[..., Scalar]] = {
    "+": guarded(lambda a, b: a + b),
    "-": guarded(lambda a, b: a - b),
    "*": guarded(lambda a, b: a * b),
    "/": guarded(divide),
    "%": guarded(lambda a, b: a % b),
    "^": guarded(lambda a, b: a**b if abs(b) <= 100 else math.pow(a, b)),
    "negate": guarded(lambda a: -a),
    "identity": guarded(lambda a: a),
    "abs": guarded(abs),
    "round": guarded(round_half_up),
    "floor": guarded(math.floor),
    "ceil": guarded(math.ceil),
    "sqrt": guarded(math.sqrt),
    "exp": guarded(math.exp),
    "ln": guarded(math.log),
    "log10": guarded(math.log10),
    "least": guarded(min),
    "greatest": guarded(max),
    "=": compared(lambda a, b: a == b),
    "!=": compared(lambda a, b: a != b),
    "<": compared(lambda a, b: a < b),
    "<=": compared(lambda a, b: a <= b),
    ">": compared(lambda a, b: a > b),
    ">=": compared(lambda a, b: a >= b),
    "and": every,
    "or": either,
    "not": contrary,
    "case": choose,
    "coalesce": coalesce,
    "in": one_of,
    "known": lambda value: value is not None,
}

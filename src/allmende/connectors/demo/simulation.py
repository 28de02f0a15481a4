"""The simulated value of any place at any time, from the seed alone.

Nothing is remembered between two questions, so a restart, a second process and the back-fill give the same values.
Where the walk stands at midnight (UTC) is drawn by itself; each day is a path from there to the next midnight's, so
that a day can be worked out without those before it.
"""

import math
from datetime import datetime, tzinfo
from functools import lru_cache
from random import Random

import msgspec

from allmende.connectors.demo.places import QUARTERS, SLOTS, Place
from allmende.domain.times import DAY, MINUTE, SECOND

GRID = 5 * MINUTE
_STEPS = DAY // GRID


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """How it is played; times in microseconds."""

    seed: str
    reach: float
    back: int
    """The walk forgets where it was in about this time."""
    outage_every: int
    outage_least: int
    outage_most: int


class Slot(msgspec.Struct, frozen=True):
    """A moment of the local week: the quarter of an hour, and how much of it has gone."""

    quarter: int
    gone: float


def local_slot(time: int, zone: tzinfo) -> Slot:
    """Where in the week a moment lies; right on the days with 23 and 25 hours, since the clock is asked."""
    local = datetime.fromtimestamp(time // SECOND, zone)
    minutes = local.hour * 60 + local.minute
    return Slot(local.weekday() * QUARTERS + minutes // 15, (minutes % 15 * 60 + local.second) / 900)


def free_spaces(rules: Rules, place: Place, time: int, slot: Slot) -> int:
    """Whole free spaces, 0 to the capacity."""
    mean = _between(place.week.mean, slot)
    spread = _between(place.week.spread, slot)
    stray = max(-rules.reach, min(rules.reach, _walk(rules, place.thing.id, time)))
    occupied = max(0.0, min(1.0, mean + spread * stray))
    return round(place.capacity * (1 - occupied))


def is_out(rules: Rules, place: Place, time: int) -> bool:
    """Whether the place's counting has failed at this time."""
    today = time // DAY
    reach = rules.outage_most // DAY + 1
    outages = (_outage(rules, place.thing.id, day) for day in range(today - reach, today + 1))
    return any(begin <= time < end for begin, end in outages)


def _between(values: tuple[float, ...], slot: Slot) -> float:
    first, second = values[slot.quarter], values[(slot.quarter + 1) % SLOTS]
    return first + (second - first) * slot.gone


def _walk(rules: Rules, place: str, time: int) -> float:
    """The standardised deviation from the mean, between two points of the grid on a straight line."""
    day, within = divmod(time, DAY)
    step, rest = divmod(within, GRID)
    path = _path(rules.seed, place, day, rules.back)
    return path[step] + (path[step + 1] - path[step]) * rest / GRID


@lru_cache(maxsize=2048)
def _path(seed: str, place: str, day: int, back: int) -> tuple[float, ...]:
    """One day of a mean-reverting walk with mean 0 and variance 1, from its midnight to the next one's.

    First a free walk, then what is missing at its end is made up along the way, as its correlation asks for.
    """
    kept = math.exp(-GRID / back)
    push = math.sqrt(1 - kept * kept)
    draw = Random(f"{seed}/{place}/{day}/steps").random  # noqa: S311  a play, no secret
    path = [_midnight(seed, place, day)]
    for _ in range(_STEPS):
        # three even draws come near enough to a normal one
        path.append(path[-1] * kept + push * 2 * (draw() + draw() + draw() - 1.5))
    missing = _midnight(seed, place, day + 1) - path[-1]
    whole = 1 - kept ** (2 * _STEPS)
    return tuple(
        value + missing * kept ** (_STEPS - step) * (1 - kept ** (2 * step)) / whole for step, value in enumerate(path)
    )


def _midnight(seed: str, place: str, day: int) -> float:
    draw = Random(f"{seed}/{place}/{day}/midnight").random  # noqa: S311  a play, too
    return 2 * (draw() + draw() + draw() - 1.5)


@lru_cache(maxsize=4096)
def _outage(rules: Rules, place: str, day: int) -> tuple[int, int]:
    """Begin and end of the outage that begins on this day; an empty span where none does."""
    draw = Random(f"{rules.seed}/{place}/{day}/outage").random  # noqa: S311  a play, too
    if draw() >= DAY / rules.outage_every:
        return 0, 0
    begin = day * DAY + int(draw() * DAY)
    return begin, begin + rules.outage_least + int(draw() * (rules.outage_most - rules.outage_least))

"""How often forecasts hit: each run is judged when its times have come, and what is summed up stands beside the next.

A day's tally of a stream is a few sums, so that weeks of runs are a few rows. Skill is the share by which the error is
smaller than that of the reference, which was forecast at the same moments.
"""

from collections.abc import Iterable, Sequence

import msgspec

from allmende.knowledge.forecasts.spread import part_of

ENOUGH = 40
"""Values that have to be judged before a hit rate rules whether a forecast is shown."""
PARTS = 3
"""Near, middle, far."""
_PACE, _WIDEST, _NARROWER = 0.02, 0.98, 0.1


class Tally(msgspec.Struct, frozen=True, kw_only=True):
    """What became of some values of one stream."""

    count: int = 0
    error: float = 0.0
    """Sum of absolute errors, in the unit of the stream."""
    reference: float = 0.0
    """The same of the reference."""
    held: int = 0
    """How many lay in the interval."""

    def plus(self, other: "Tally") -> "Tally":
        """Both together."""
        return Tally(
            count=self.count + other.count,
            error=self.error + other.error,
            reference=self.reference + other.reference,
            held=self.held + other.held,
        )


class HitRate(msgspec.Struct, frozen=True, kw_only=True):
    """How a forecast did lately. None where nothing was judged yet."""

    count: int = 0
    error: float | None = None
    """Mean absolute, in the unit of the stream."""
    reference: float | None = None
    skill: float | None = None
    """None also where the reference never erred."""
    held: float | None = None
    """Share of the outcomes in the interval."""

    @property
    def enough(self) -> bool:
        """Whether it is worth a judgement."""
        return self.count >= ENOUGH

    @property
    def shown(self) -> bool:
        """Whether the forecast may be shown: unless it was found to say no more than its reference."""
        return not self.enough or (self.skill is not None and self.skill > 0)


def judge(
    actual: Sequence[float | None],
    middle: Sequence[float],
    lower: Sequence[float],
    upper: Sequence[float],
    naive: Sequence[float | None],
    steps: int,
) -> list[Tally]:
    """One run of one stream, by near, middle and far. Times of which nobody knows what came count nothing; nor do
    those of which the reference said nothing."""
    found = [Tally() for _ in range(PARTS)]
    first = steps - len(middle) + 1
    for place, (came, said, low, high, plain) in enumerate(zip(actual, middle, lower, upper, naive, strict=True)):
        if came is None or plain is None:
            continue
        part = int(part_of([first + place], steps)[0])
        one = Tally(count=1, error=abs(came - said), reference=abs(came - plain), held=int(low <= came <= high))
        found[part] = found[part].plus(one)
    return found


def followed(share: float, wanted: float, tallies: Iterable[Tally], *, all_day: bool = True) -> float:
    """The share that the interval is made to hold from now on, after some of its values have come.

    Days change, and an interval that was right in the back-test becomes too narrow. It follows its own hits in small
    steps, by which it holds what was wanted in the long run whatever comes (adaptive conformal inference, Gibbs and
    Candès 2021). Where tallies are of ``all_day`` it never becomes narrower than the back-test made it: quiet nights
    are no reason for that by day. Where they are of the hours that count alone it does, by a tenth at most: the
    back-test is of quicker lessons, which err more.
    """
    count = held = 0
    for one in tallies:
        count, held = count + one.count, held + one.held
    if not count:
        return share
    least = wanted if all_day else wanted - _NARROWER
    return min(_WIDEST, max(least, share + _PACE * (wanted - held / count)))


def rate(tallies: Iterable[Tally]) -> HitRate:
    """All together."""
    total = Tally()
    for one in tallies:
        total = total.plus(one)
    if not total.count:
        return HitRate()
    return HitRate(
        count=total.count,
        error=total.error / total.count,
        reference=total.reference / total.count,
        skill=1 - total.error / total.reference if total.reference > 0 else None,
        held=total.held / total.count,
    )

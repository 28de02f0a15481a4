"""Merging the readings of a bucket to one, so that what was merged can be merged again.

A thinned reading is an observation as any other: its phenomenonTime is the bucket, its result what was taken, and its
parameters say so (``{"thinned": {…}}``, see :func:`merge`). What is flagged as implausible is not counted in, unless
there is nothing else; then the merged reading is flagged, too.
"""

from collections.abc import Sequence
from math import fsum
from typing import Any, NamedTuple

import msgspec

from allmende.domain.creation import encode
from allmende.domain.query import ResultKind
from allmende.domain.retention import Take

MARK = "thinned"
NUMBERS = (ResultKind.INTEGER, ResultKind.DECIMAL)
_BOUND = 2**63
_LARGE = 1e150
"""Numbers above are no measurements; sums of them may not be written at all."""


class Reading(NamedTuple):
    """An observation as it is kept; ``value`` is in kept form (see :func:`allmende.domain.creation.keep_result`)."""

    start: int
    disc: int
    number: int
    end: int | None
    result_time: int | None
    received_at: int
    kind: int
    value: Any
    quality: str | None
    flag: str
    parameters: str | None
    feature: int | None
    origin: int

    @property
    def until(self) -> int:
        """Where it ends; an instant does so at once."""
        return self.start if self.end is None else self.end


class Merged(NamedTuple):
    """What stands in the place of several readings."""

    start: int
    end: int
    received_at: int
    kind: int
    value: Any
    quality: str | None
    parameters: str
    origin: int


class Thinned(msgspec.Struct, frozen=True, kw_only=True):
    """What a thinned reading says of those that it stands for."""

    rule: str
    bucket: str
    take: str
    readings: int
    """So many are in the result."""
    implausible: int = 0
    """So many were left out."""
    missing: int = 0
    """So many said that there is no value."""
    minimum: float | None = None
    maximum: float | None = None


class Verdict(NamedTuple):
    """What becomes of the readings of a bucket: these go, and that comes."""

    gone: Sequence[Reading]
    made: Merged | None


NOTHING = Verdict((), None)


def judge_bucket(
    readings: Sequence[Reading], start: int, end: int, rule: str, bucket: str, take: Take, *, whole: bool = True
) -> Verdict:
    """What becomes of a bucket with these readings, which are in the order of time and begin in it.

    A single one stays as it is. A bucket that was merged stays as it is, too: what comes for it later goes, since
    nobody can say whether it is in there already. Where the bucket has more readings than these (``whole`` is false),
    what is made is one that will be merged again with the rest. For numbers a bucket without any is left alone.
    """
    mine = []
    closed = False
    for reading in readings:
        if reading.until > end:
            continue
        known = thinned_of(reading.parameters)
        if known is not None and known.take != take:
            continue
        if known is not None and (reading.start, reading.until) == (start, end):
            closed = True
            continue
        mine.append((reading, known))
    if closed:
        return Verdict([reading for reading, _ in mine], None)
    if take == "sum" and any(reading.kind in NUMBERS and abs(reading.value) >= _LARGE for reading, _ in mine):
        return NOTHING
    if len(mine) < 2 or (take not in ("first", "last") and all(reading.kind not in NUMBERS for reading, _ in mine)):
        return NOTHING
    return Verdict([reading for reading, _ in mine], _merge(mine, (start, end, whole), rule, bucket, take))


def thinned_of(parameters: str | None) -> Thinned | None:
    """What parameters say of thinning; None where it is nothing, or not the house's."""
    if not parameters or f'"{MARK}"' not in parameters:
        return None
    try:
        said = msgspec.json.decode(parameters)
        known = msgspec.convert(said.get(MARK) if isinstance(said, dict) else None, Thinned)
    except (msgspec.DecodeError, msgspec.ValidationError):
        return None
    return known if known.readings > 0 else None


def _merge(
    mine: Sequence[tuple[Reading, Thinned | None]], span: tuple[int, int, bool], rule: str, bucket: str, take: Take
) -> Merged:
    start, end, whole = span
    missing = sum(known.missing if known else 0 for _, known in mine)
    missing += sum(1 for reading, known in mine if known is None and reading.kind == ResultKind.NULL)
    spoken = [pair for pair in mine if pair[0].kind != ResultKind.NULL]
    used = [pair for pair in spoken if not pair[0].flag] or spoken
    implausible = sum(known.implausible if known else 0 for _, known in mine)
    implausible += sum(_weight(known) for reading, known in spoken if reading.flag) if used is not spoken else 0
    flagged = bool(used) and bool(used[0][0].flag)
    last = mine[-1][0]
    kind, value = _take(used, take) if used else (ResultKind.NULL, None)
    numeric = [pair for pair in used if pair[0].kind in NUMBERS]
    said: dict[str, Any] = {"rule": rule, "bucket": bucket, "take": take}
    # Where all say that there is no value, they are what it stands for.
    said["readings"] = sum(_weight(known) for _, known in used) or missing
    if implausible:
        said["implausible"] = implausible
    if missing:
        said["missing"] = missing
    if numeric:
        said["minimum"] = min(_low(pair) for pair in numeric)
        said["maximum"] = max(_high(pair) for pair in numeric)
    until = end if whole else min(max(reading.until for reading, _ in mine), end - 1)
    return Merged(
        start=start,
        end=until,
        received_at=max(reading.received_at for reading, _ in mine),
        kind=kind,
        value=value,
        quality=used[-1][0].quality if flagged else None,
        parameters=encode({MARK: said}),
        origin=last.origin,
    )


def _weight(known: Thinned | None) -> int:
    return known.readings if known else 1


def _low(pair: tuple[Reading, Thinned | None]) -> Any:
    reading, known = pair
    return reading.value if known is None or known.minimum is None else known.minimum


def _high(pair: tuple[Reading, Thinned | None]) -> Any:
    reading, known = pair
    return reading.value if known is None or known.maximum is None else known.maximum


def _take(used: Sequence[tuple[Reading, Thinned | None]], take: Take) -> tuple[int, Any]:
    """(kind, value) of the merged result."""
    if take in ("first", "last"):
        reading = used[0 if take == "first" else -1][0]
        return reading.kind, reading.value
    pairs = [(reading, _weight(known)) for reading, known in used if reading.kind in NUMBERS]
    if not pairs:
        return ResultKind.NULL, None
    if take == "mean":
        total = sum(weight for _, weight in pairs)
        # Divided first where a sum would leave the numbers that there are.
        sane = all(abs(reading.value) < _LARGE for reading, _ in pairs)
        if sane:
            return ResultKind.DECIMAL, fsum(reading.value * weight for reading, weight in pairs) / total
        return ResultKind.DECIMAL, fsum(reading.value / total * weight for reading, weight in pairs)
    if take == "sum":
        whole = sum(reading.value for reading, _ in pairs)
        if isinstance(whole, int) and -_BOUND <= whole < _BOUND:
            return ResultKind.INTEGER, whole
        return ResultKind.DECIMAL, fsum(reading.value for reading, _ in pairs)
    chosen = (min if take == "minimum" else max)((reading for reading, _ in pairs), key=lambda r: r.value)
    return chosen.kind, chosen.value

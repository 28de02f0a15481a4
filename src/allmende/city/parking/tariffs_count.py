"""Counts what a stay costs by one plan: cuts it where something changes, and charges piece after piece."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple
from zoneinfo import ZoneInfo

from allmende.city.parking.tariffs_model import (
    DAY,
    HOLIDAY,
    WEEKDAYS,
    Cost,
    Line,
    LineKind,
    Plan,
    Rate,
    Tariffs,
    Version,
)

_MINUTE = timedelta(minutes=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class _Piece(NamedTuple):
    """Minutes since 1970 in which nothing changes."""

    start: int
    end: int
    version: Version
    rate: Rate | None
    free_days: bool


class _Charge(NamedTuple):
    """A line before it is rounded; ``block`` is what a maximum is counted over."""

    kind: LineKind
    start: int
    end: int
    amount: Fraction
    version: Version
    rate: Rate | None
    units: int
    block: object


def count(tariffs: Tariffs, plan: Plan, start: datetime, end: datetime) -> Cost:
    """The cost of a stay (aware times, a started minute is a whole one); unknown where no version holds."""
    begin, stop = (start - _EPOCH) // _MINUTE, -((_EPOCH - end) // _MINUTE)
    pieces = list(_cut(tariffs, plan, begin, stop))
    if any(piece.version is None for piece in pieces):
        return Cost(status="unknown", reason="no-version", currency=tariffs.currency, plan=plan.id)
    versions = list({id(piece.version): piece.version for piece in pieces}.values())
    until = _longest(pieces, begin)
    if until is not None:
        moment = _EPOCH + until * _MINUTE
        return Cost(status="not-allowed", reason="longest", currency=tariffs.currency, plan=plan.id, until=moment)
    charges = _charged(tariffs, pieces, begin)
    lines = tuple(_rounded(plan, charges, ZoneInfo(tariffs.zone)))
    cents = sum(line.cents for line in lines)
    return Cost(
        status="known",
        cents=cents,
        low=cents,
        high=cents,
        currency=tariffs.currency,
        plan=plan.id,
        lines=lines,
        not_said=tuple(dict.fromkeys(each for version in versions for each in version.not_said)),
    )


# --- where something changes ---


def _cut(tariffs: Tariffs, plan: Plan, begin: int, stop: int) -> Iterator[_Piece]:
    zone = ZoneInfo(tariffs.zone)
    edges = {begin, stop}
    for version in plan.versions:
        edges.update(begin + rate.after for rate in version.rates)
    day = _local(begin, zone).date() - timedelta(days=1)
    last = _local(stop, zone).date()
    clocks = {0, *(clock for version in plan.versions for rate in version.rates for clock in (rate.begin, rate.end))}
    while day <= last:
        edges.update(_moments(day, clocks, zone))
        day += timedelta(days=1)
    inside = sorted(edge for edge in edges if begin <= edge <= stop)
    for at, following in pairwise(inside):
        shown = _local(at, zone)
        version = plan.on(shown.date())
        free_days = plan.free_on(shown.date()) is not None
        rate = None
        if version is not None and not free_days:
            rate = _rate_at(tariffs, version, shown, at - begin)
        yield _Piece(at, following, version, rate, free_days)  # type: ignore[arg-type]  # None is refused by count


def _local(minute: int, zone: ZoneInfo) -> datetime:
    return (_EPOCH + minute * _MINUTE).astimezone(zone)


def _moments(day: date, clocks: Iterable[int], zone: ZoneInfo) -> set[int]:
    """When the clock shows these minutes of a day, twice where it is put back, and when it is put forward or back."""
    found = set()
    for clock in clocks:
        for fold in (0, 1):
            shown = datetime.combine(day, time(clock // 60 % 24, clock % 60), zone).replace(fold=fold)
            found.add((shown - _EPOCH) // _MINUTE)
    first, behind = (
        (datetime.combine(each, time(), zone) - _EPOCH) // _MINUTE for each in (day, day + timedelta(days=1))
    )
    offset = _local(first, zone).utcoffset()
    if offset != _local(behind, zone).utcoffset():
        steps = range(first, behind)
        found.add(steps[bisect_left(steps, True, key=lambda at: _local(at, zone).utcoffset() != offset)])
    return found


def _rate_at(tariffs: Tariffs, version: Version, shown: datetime, stayed: int) -> Rate | None:
    """The first rate that fits what the clock shows, so many minutes after the stay began."""
    clock = shown.hour * 60 + shown.minute
    today = shown.date()
    for rate in version.rates:
        if stayed < rate.after:
            continue
        if rate.begin < rate.end:
            fits = rate.begin <= clock < rate.end and _kind(tariffs, version, today) in rate.days
        else:  # its hours pass midnight, or are the whole day
            fits = clock >= rate.begin and _kind(tariffs, version, today) in rate.days
            fits = fits or (clock < rate.end and _kind(tariffs, version, today - timedelta(days=1)) in rate.days)
        if fits:
            return rate
    return None


def _kind(tariffs: Tariffs, version: Version, day: date) -> str:
    """What a day counts as; "" is a holiday without any charge."""
    if version.holidays != "weekday" and tariffs.holidays(day):
        return {"sunday": "su", "own": HOLIDAY, "free": ""}[version.holidays]
    return WEEKDAYS[day.weekday()]


# --- how long one may stay ---


def _longest(pieces: Sequence[_Piece], begin: int) -> int | None:
    """When one has to have left, where the stay is longer than that; else None."""
    charged = 0
    found: list[int] = []
    for piece in pieces:
        limit = piece.version.longest
        if limit is not None and piece.version.longest_counts == "all" and piece.end - begin > limit:
            found.append(max(begin + limit, piece.start))
        if piece.rate is not None:
            if (
                limit is not None
                and piece.version.longest_counts == "charged"
                and charged + piece.end - piece.start > limit
            ):
                found.append(piece.start + max(limit - charged, 0))
            charged += piece.end - piece.start
    return min(found, default=None)


# --- what is charged ---


def _charged(tariffs: Tariffs, pieces: Sequence[_Piece], begin: int) -> list[_Charge]:
    if not pieces:
        return []
    first = pieces[0].version
    free = first.free
    asked = sum(piece.end - piece.start for piece in pieces if piece.rate is not None)
    if first.free_short and asked > free:
        free = 0
    found: list[_Charge] = []
    for run in _runs(pieces, ZoneInfo(tariffs.zone)):
        if run.rate is None:
            kind: LineKind = "free-days" if run.free_days else "no-charge"
            found.append(_Charge(kind, run.start, run.end, Fraction(0), run.version, None, 0, None))
            continue
        given = min(free, run.end - run.start)
        if given:
            kind = "free-short" if first.free_short else "free-minutes"
            found.append(_Charge(kind, run.start, run.start + given, Fraction(0), first, run.rate, given, None))
            free -= given
        if run.start + given < run.end:
            found += _units(run._replace(start=run.start + given), run.rate, begin, tariffs)
    found = _capped(found)
    total = sum((each.amount for each in found), Fraction(0))
    if 0 < total < first.minimum:
        last = pieces[-1].end
        found.append(_Charge("minimum", last, last, first.minimum - total, first, None, 0, None))
    return found


def _runs(pieces: Sequence[_Piece], zone: ZoneInfo) -> Iterator[_Piece]:
    """Neighbours of one rate as one piece; the hours of a flat rate end where they begin anew."""
    held: _Piece | None = None
    for piece in pieces:
        same = held is not None and held.version is piece.version and held.rate is piece.rate
        if same and held is not None and held.free_days == piece.free_days and not _begins(piece, zone):
            held = held._replace(end=piece.end)
            continue
        if held is not None:
            yield held
        held = piece
    if held is not None:
        yield held


def _begins(piece: _Piece, zone: ZoneInfo) -> bool:
    if piece.rate is None or piece.rate.flat is None:
        return False
    shown = _local(piece.start, zone)
    return shown.hour * 60 + shown.minute == piece.rate.begin and shown.fold == 0


def _units(run: _Piece, rate: Rate, begin: int, tariffs: Tariffs) -> Iterator[_Charge]:
    """What a run costs, apart by what a maximum is counted over: a unit belongs to where it begins."""
    length = run.end - run.start
    if rate.flat is not None:
        block = _block(run.version, run.start, begin, tariffs)
        yield _Charge("flat", run.start, run.end, Fraction(rate.flat), run.version, rate, 1, block)
        return
    price = rate.price or 0
    size = rate.step or 1
    of_one = Fraction(price * size, 60)
    if run.version.maximum is None:
        units = -(-length // size)
        yield _Charge("time", run.start, run.end, of_one * units, run.version, rate, units, None)
        return
    starts = range(run.start, run.end, size)
    place = 0
    while place < len(starts):
        block = _block(run.version, starts[place], begin, tariffs)

        def other(at: int, block: object = block) -> bool:
            return _block(run.version, at, begin, tariffs) != block

        most = min(place + (2 * DAY) // size + 1, len(starts))
        following = bisect_left(starts, True, lo=place, hi=most, key=other)
        stop = starts[following] if following < len(starts) else run.end
        units = following - place
        yield _Charge("time", starts[place], stop, of_one * units, run.version, rate, units, block)
        place = following


def _block(version: Version, at: int, begin: int, tariffs: Tariffs) -> object:
    if version.maximum is None:
        return None
    if version.maximum_per == "24h":
        return (id(version), (at - begin) // DAY)
    return (id(version), _local(at, ZoneInfo(tariffs.zone)).date())


def _capped(charges: Sequence[_Charge]) -> list[_Charge]:
    """With a line behind each block that takes away what is above its maximum."""
    sums: dict[object, Fraction] = {}
    ends: dict[object, int] = {}
    for place, each in enumerate(charges):
        if each.block is not None:
            sums[each.block] = sums.get(each.block, Fraction(0)) + each.amount
            ends[each.block] = place
    found: list[_Charge] = []
    for place, each in enumerate(charges):
        found.append(each)
        most = each.version.maximum
        if each.block is not None and most is not None and ends[each.block] == place and sums[each.block] > most:
            taken = most - sums[each.block]
            found.append(_Charge("maximum", each.end, each.end, taken, each.version, None, 0, None))
    return found


def _rounded(plan: Plan, charges: Sequence[_Charge], zone: ZoneInfo) -> Iterator[Line]:
    """Whole cents that add up to the rounded sum: each line is what it adds to what is rounded so far."""
    total, told = Fraction(0), 0
    for each in charges:
        total += each.amount
        cents = (2 * total.numerator + total.denominator) // (2 * total.denominator)
        free = plan.free_on(_local(each.start, zone).date()) if each.kind == "free-days" else None
        yield Line(
            kind=each.kind,
            start=_EPOCH + each.start * _MINUTE,
            end=_EPOCH + each.end * _MINUTE,
            cents=cents - told,
            version=each.version,
            rate=each.rate,
            units=each.units,
            name=free.name if free else {},
        )
        told = cents

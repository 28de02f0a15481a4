"""Buckets of a chart: of a width that people think in, on the clock and calendar of the city's zone.

The widths are seconds, minutes, hours, days, weeks (from Monday), months, quarters, years. A day has 23, 24 or 25
hours; an hour that comes twice is two buckets. They begin where ``bucket(…)`` of the query language has them begin. All
times are microseconds, UTC.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from allmende.domain import times
from allmende.domain.spans import Span

MONTH = -1
"""A width counted in months is negative: -3 is a quarter."""
_MONDAY = 4 * times.DAY  # 1970-01-05T00:00, on the clock
_MILLI = times.SECOND // 1000
WIDTHS = (
    *(n * _MILLI for n in (1, 2, 5, 10, 20, 50, 100, 200, 500)),
    *(n * times.SECOND for n in (1, 2, 5, 10, 15, 30)),
    *(n * times.MINUTE for n in (1, 2, 5, 10, 15, 30)),
    *(n * times.HOUR for n in (1, 2, 3, 6, 12)),
    times.DAY,
    7 * times.DAY,
    *(n * MONTH for n in (1, 3, 12, 60, 120, 1_200, 12_000)),
)
_ABOUT_A_MONTH = 30 * times.DAY  # buckets are counted generously
EARLIEST, LATEST = times.EARLIEST + 400 * times.DAY, times.LATEST - 400 * times.DAY
"""Between them a bucket of fixed width lies within the calendar; others end where it does."""


class Grid(NamedTuple):
    """Buckets next to each other."""

    width: int
    """Microseconds, or months where it is negative; see :func:`seconds`."""
    spans: list[Span]
    starts: list[int]
    """Of all buckets."""
    end: int
    """Of the last."""


def choose_width(length: int, most: int, *, least: int = 0) -> int:
    """The smallest width, and no smaller one than ``least``, of which ``most`` buckets cover a span of time."""
    for width in WIDTHS:
        if size(width) >= least and length <= (most - 1) * size(width):
            return width
    return WIDTHS[-1]


def size(width: int) -> int:
    """About how long a bucket is, in microseconds."""
    return width if width > 0 else -width * _ABOUT_A_MONTH


def make_grid(start: int, end: int, width: int, zone: str) -> Grid:
    """The buckets that ``start <= time < end`` lies in, whole."""
    start = min(max(start, EARLIEST), LATEST - 1)
    end = min(max(end, start + 1), LATEST)
    clock = ZoneInfo(zone)
    if width < 0:
        return _calendar(start, end, -width, clock, width)
    start, end = _floor(start, width, clock), _floor(end - 1 + width, width, clock)
    spans: list[Span] = []
    starts: list[int] = []
    shown: int | None = None  # what the clock showed at the beginning of the last bucket
    for piece, stop, ahead in _offsets(start, end, width, clock):
        begin = piece
        face = begin + ahead - (begin + ahead - _MONDAY) % width
        goes_on = face == shown and width > times.HOUR
        if shown is not None and (goes_on or face - ahead != begin):
            # The clock was put forward or back within a bucket. It goes on, or it is another one that begins here.
            first = starts[-1] if goes_on else begin
            over = min(face - ahead + width, stop)
            spans.append(Span(begin, over, first, over - first))
            starts += [first] if first == begin else []
            begin, shown = over, face
        if begin < stop:
            spans.append(Span(begin, stop, begin, width))
            starts += range(begin, stop, width)
            shown = starts[-1] + ahead
    return Grid(width, spans, starts, end)


def _floor(moment: int, width: int, zone: ZoneInfo) -> int:
    """When the bucket that a moment lies in begins."""
    ahead = _ahead(moment, zone)
    straight = moment - (moment + ahead - _MONDAY) % width
    if width <= times.HOUR or _ahead(straight, zone) == ahead:
        return straight
    local = times.to_datetime(straight + ahead).replace(tzinfo=zone)
    return times.from_datetime(local.astimezone(UTC))


def _offsets(start: int, end: int, width: int, zone: ZoneInfo) -> Iterator[tuple[int, int, int]]:
    """Pieces (begin, end, how far ahead of UTC the clock is) of a span, in which that stays as it is or changes by
    whole buckets."""
    begin, offset = start, _ahead(start, zone)
    while begin < end:
        look, following = begin, offset
        while look < end and (following - offset) % width == 0:
            # No zone changes its clock twice within some days; between two looks it changes at most once.
            look = min(look + 20 * times.DAY, end)
            following = _ahead(look, zone)
        if (following - offset) % width == 0:
            yield begin, end, offset
            return
        change = _change(max(begin, look - 20 * times.DAY), look, zone)
        yield begin, change, offset
        begin, offset = change, _ahead(change, zone)


def _change(low: int, high: int, zone: ZoneInfo) -> int:
    """The first moment in (low, high] at which the clock is as far ahead as at ``high``."""
    wanted = _ahead(high, zone)
    while high - low > times.SECOND:
        middle = (low + high) // 2 // times.SECOND * times.SECOND
        if middle <= low:
            break
        if _ahead(middle, zone) == wanted:
            high = middle
        else:
            low = middle
    return high


def _ahead(moment: int, zone: ZoneInfo) -> int:
    ahead = times.to_datetime(moment).astimezone(zone).utcoffset() or timedelta()
    return ahead // timedelta(microseconds=1)


def _calendar(start: int, end: int, months: int, zone: ZoneInfo, width: int) -> Grid:
    shown = times.to_datetime(start).astimezone(zone)
    index = (shown.year * 12 + shown.month - 1) // months * months
    starts = [_month(index, zone)]
    while starts[-1] < end:
        index += months
        starts.append(_month(index, zone))
    last = starts.pop()
    ends = [*starts[1:], last]
    return Grid(width, [Span(a, z, a, z - a) for a, z in zip(starts, ends, strict=True)], starts, last)


def _month(index: int, zone: ZoneInfo) -> int:
    if not 12 <= index < 12 * 9_999:
        return times.EARLIEST if index < 12 else times.LATEST
    local = datetime(index // 12, index % 12 + 1, 1, tzinfo=zone)
    return times.from_datetime(local.astimezone(UTC))

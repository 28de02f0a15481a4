"""Charts from the store: buckets for any span of time, or the readings themselves where they are few.

What a reader may not see is as absent as what is not there. All times are microseconds, UTC.
"""

from bisect import bisect_left
from collections.abc import Sequence
from itertools import pairwise

from allmende.domain import steps
from allmende.domain.errors import InvalidInput
from allmende.domain.policy import Reader
from allmende.domain.query import ResultKind
from allmende.domain.records import Json
from allmende.domain.spans import Head, Sum, Taken, Word
from allmende.domain.store import Points, Store
from allmende.knowledge.series.grid import Grid, choose_width, make_grid
from allmende.knowledge.series.lines import Chart, Kind, Line

STREAMS = 12
"""In one chart."""
POINTS = 2_000
"""Of one line at most."""
ROWS = 5_400
"""Of all lines together: about 45 bytes each, so that no answer is over 300 kB."""
HELD = 10_000
"""Changes that are read for one line of a stream that tells of changes alone."""
CATEGORIES = 24
"""Different texts up to which they are categories."""
_KINDS: dict[int, Kind] = {
    ResultKind.INTEGER: "number", ResultKind.DECIMAL: "number", ResultKind.BOOLEAN: "boolean",
    ResultKind.STRING: "category", ResultKind.JSON: "other", ResultKind.ROW: "other",
}  # fmt: skip
_LOOKS = 1.2
"""So many times as many readings as may be shown, by what is known of a stream, may turn out to be few enough."""
_GAP = 2.5
"""So many times as far apart as readings mostly are: there is one missing in between."""
_REGULAR = 3
"""Times as far apart as the median are four of five readings of a stream that speaks regularly, at most."""


def read_series(
    store: Store,
    reader: Reader,
    ids: Sequence[str],
    start: int,
    end: int,
    points: int,
    zone: str,
    *,
    now: int | None = None,
) -> Chart:
    """The streams of ``ids``, in that order, over ``start <= time < end``; those that are not there are left out.

    No line has more than about ``points`` buckets or readings. Buckets are whole, so that the first may begin before
    ``start``. ``now``: nothing is held beyond. Raises InvalidInput for more than STREAMS, or a span that has no length.
    """
    wanted = list(dict.fromkeys(ids))
    if len(wanted) > STREAMS:
        raise InvalidInput(f"a chart holds at most {STREAMS} streams", where="stream")
    if not start < end:
        raise InvalidInput("the span ends before it begins", where="from")
    known = {head.id: head for head in store.heads(reader, wanted)}
    heads = [known[each] for each in wanted if each in known]
    most = max(2, min(points, POINTS, ROWS // max(1, len(heads))))
    width = choose_width(end - start, most)
    made = _Maker(store, reader, start, end, most, zone, now)
    lines = [made.line(head) for head in heads]
    return Chart(start=start, end=end, width=width, zone=zone, lines=lines)


class _Maker:
    """Makes the lines of one chart."""

    def __init__(
        self, store: Store, reader: Reader, start: int, end: int, most: int, zone: str, now: int | None
    ) -> None:
        self._store, self._reader, self._zone = store, reader, zone
        self._start, self._end, self._most = start, end, most
        self._now = now
        self._grids: dict[int, Grid] = {}
        self._reports: dict[str, list[int]] = {}

    def line(self, head: Head) -> Line:
        """One line."""
        kind = kind_of(head)
        if kind == "other" or head.first is None or head.last is None:
            return Line(head=head, kind=kind)
        held = "silence" in head.properties and kind in ("number", "boolean")
        if head.first >= self._end or (head.last < self._start and not held):
            return Line(head=head, kind=kind)
        if held:
            return self._held(head, kind)
        return self._few(head, kind) or (self._words(head) if kind == "category" else self._buckets(head, kind))

    def _few(self, head: Head, kind: Kind) -> Line | None:
        """The readings themselves where they are few enough; None where they are not. That is asked only where it looks
        so by what is known of the stream: a bucket costs less than its readings."""
        if head.merged or head.forecast or head.first is None or head.last is None:
            return None  # a merged reading says its lowest and highest beside it, which buckets alone show
        if self._expected(head) > _LOOKS * self._most:
            return None
        points = self._store.points(self._reader, head.id, self._start, self._end, most=self._most + 1)
        return self._values(head, kind, points) if len(points.times) <= self._most else None

    def _expected(self, head: Head) -> float:
        """About how many readings there are in the span, if they are spread evenly."""
        if head.first is None or head.last is None:
            return 0
        share = (min(self._end, head.last) - max(self._start, head.first)) / max(1, head.last - head.first)
        return head.count * max(0.0, min(1.0, share))

    def _grid(self, least: int = 0) -> Grid:
        width = choose_width(self._end - self._start, self._most, least=least)
        if width not in self._grids:
            self._grids[width] = make_grid(self._start, self._end, width, self._zone)
        return self._grids[width]

    # --- readings themselves ---

    def _values(self, head: Head, kind: Kind, points: Points) -> Line:
        line = Line(head=head, kind=kind, method="values")
        if kind == "category":
            told = [word_of(result) for result in points.results]
            line.times, line.words = points.times, told
            line.mean = [None] * len(told)
            line.count = [0 if word is None else 1 for word in told]
            line.shares = [None if word is None else 1.0 for word in told]
            line.flagged = [1 if flag else 0 for flag in points.flags]
            return _sorted_out(line, [Word(0, word, 1) for word in told if word is not None])
        apart = gap_of(points.times)
        last: int | None = None
        for time, result, flag in zip(points.times, points.results, points.flags, strict=True):
            if apart and last is not None and time - last > _GAP * apart:
                _add(line, last + apart, None, 0, 0)
            value = number_of(result)
            _add(line, time, value, 0 if value is None else 1, 1 if flag else 0)
            last = time
        line.low = line.high = line.mean
        return line

    def _points(self, head: Head, *, before: bool = False) -> Points:
        return self._store.points(
            self._reader, head.id, self._start, self._end, before=before, newest_run=head.forecast
        )

    # --- buckets ---

    def _buckets(self, head: Head, kind: Kind, least: int = 0) -> Line:
        grid = self._grid(least)
        sums = self._sums(head, kind, grid)
        plain = all(one.values + one.flagged <= one.rows for one in sums)
        if sum(one.rows for one in sums) <= self._most and plain and not least:
            return self._values(head, kind, self._points(head))
        return _summed(head, kind, grid, sums)

    def _sums(self, head: Head, kind: Kind, grid: Grid) -> list[Sum]:
        taken: Taken = "boolean" if kind == "boolean" else "number"
        return self._store.sums(self._reader, head.id, grid.spans, taken=taken, newest_run=head.forecast)

    def _words(self, head: Head) -> Line:
        grid = self._grid()
        told = self._store.words(self._reader, head.id, grid.spans, self._most * CATEGORIES, newest_run=head.forecast)
        if told is not None and sum(word.rows for word in told) <= self._most:
            return self._values(head, "category", self._points(head))
        if told is None or len({word.text for word in told}) > CATEGORIES:
            sums = [one._replace(values=one.rows) for one in self._sums(head, "text", grid)]
            return _summed(head, "text", grid, sums)
        by_start: dict[int, list[Word]] = {}
        for word in told:
            by_start.setdefault(word.start, []).append(word)
        line = Line(head=head, kind="category", width=grid.width, times=grid.starts)
        for start in grid.starts:
            here = by_start.get(start, [])
            rows = sum(word.rows for word in here)
            line.count.append(rows)
            line.words.append(here[0].text if here else None)
            line.shares.append(here[0].rows / rows if here else None)
        line.mean = line.low = line.high = [None] * len(grid.starts)
        line.flagged = [0] * len(grid.starts)
        return _sorted_out(line, told)

    # --- what holds until it changes ---

    def _held(self, head: Head, kind: Kind) -> Line:
        silence = steps.Silence.read(head.properties["silence"], self._zone)
        grid = self._grid()
        start, end = (
            grid.starts[0],
            grid.end if self._now is None else min(grid.end, max(self._now, grid.starts[0] + 1)),
        )
        points = None
        if self._expected(head) <= _LOOKS * HELD:
            points = self._store.points(self._reader, head.id, start, end, before=True, most=HELD + 1)
        if points is None or len(points.times) > HELD:
            # A stream that lives says its value again once a `rewrite`: a bucket about as long as that is only empty
            # where it said nothing.
            return self._buckets(head, kind, least=silence.rewrite * 9 // 10)
        segments = steps.read_steps(
            points.times,
            [number_of(result) for result in points.results],
            points.flags,
            reports=self._heard(head.source, start - silence.rewrite - silence.night - silence.slack, end),
            silence=silence,
            start=start,
            end=end,
        )
        seen = [piece for piece in segments if piece.end > self._start and piece.start < self._end]
        if len(seen) < self._most:
            return self._stepped(Line(head=head, kind=kind, method="held"), seen, set(points.times))
        line = Line(head=head, kind=kind, method="held", width=grid.width, times=grid.starts)
        edges = [*grid.starts, grid.end]
        for bucket, following in zip(steps.between(segments, edges), edges[1:], strict=True):
            line.mean.append(bucket.mean)
            line.low.append(bucket.low)
            line.high.append(bucket.high)
            line.count.append(bisect_left(points.times, following) - bisect_left(points.times, bucket.start))
            line.flagged.append(1 if bucket.implausible else 0)
        return line

    def _heard(self, source: str, start: int, end: int) -> list[int]:
        """When any stream of a source reported; asked once for all of its streams."""
        if source not in self._reports:
            self._reports[source] = self._store.reports(self._reader, source, start, end)
        return self._reports[source]

    def _stepped(self, line: Line, segments: Sequence[steps.Segment], moments: set[int]) -> Line:
        """Each change itself, and where the last one ends."""
        for piece in segments:
            begin = max(piece.start, self._start)
            _add(line, begin, piece.value, int(piece.start in moments), 1 if piece.flag else 0)
        if segments:
            last = segments[-1]
            _add(line, min(last.end, self._end), last.value, 0, 1 if last.flag else 0)
        line.low = line.high = line.mean
        return line


def _summed(head: Head, kind: Kind, grid: Grid, sums: Sequence[Sum]) -> Line:
    by_start = {one.start: one for one in sums}
    nothing = Sum(0, 0, 0, None, None, None, 0)
    found = [by_start.get(start, nothing) for start in grid.starts]
    line = Line(head=head, kind=kind, width=grid.width, times=grid.starts)
    _starts, _rows, *columns = map(list, zip(*found, strict=True))
    line.count, line.mean, line.low, line.high, line.flagged = columns
    return line


def _add(line: Line, time: int, value: float | None, count: int, flagged: int) -> None:
    line.times.append(time)
    line.mean.append(value)
    line.count.append(count)
    line.flagged.append(flagged)


def _sorted_out(line: Line, told: Sequence[Word]) -> Line:
    """The line of texts with its categories; of too many different ones they are told, but not drawn."""
    rows: dict[str, int] = {}
    for word in told:
        rows[word.text] = rows.get(word.text, 0) + word.rows
    line.categories = sorted(rows, key=lambda text: (-rows[text], text))
    line.low = line.high = line.mean
    if len(line.categories) > CATEGORIES:
        line.kind, line.categories = "text", []
    return line


def kind_of(head: Head) -> Kind:
    """What a stream's results are, by its newest one; without any by what it was declared to be."""
    if head.wide:
        return "other"
    if head.kind in _KINDS:
        return _KINDS[head.kind]
    if head.observation_type.endswith("TruthObservation"):
        return "boolean"
    return "category" if head.observation_type.endswith("CategoryObservation") else "number"


def number_of(result: Json) -> float | None:
    """A result as a number: a truth value is 0 or 1, and what is neither is none."""
    return float(result) if isinstance(result, int | float) else None


def word_of(result: Json) -> str | None:
    """A result as a category."""
    if isinstance(result, bool):
        return "true" if result else "false"
    return None if result is None else result if isinstance(result, str) else str(result)


def gap_of(moments: Sequence[int]) -> int:
    """How far readings are apart, in microseconds, where a stream speaks regularly; else 0, and also for too few."""
    apart = sorted(b - a for a, b in pairwise(moments))
    if len(apart) < 3:
        return 0
    middle = apart[len(apart) // 2]
    return middle if apart[len(apart) * 4 // 5] <= _REGULAR * middle else 0

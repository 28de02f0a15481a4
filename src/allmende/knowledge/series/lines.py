"""What a chart of streams holds: one line each, as columns. All times are microseconds, UTC."""

from typing import Any, Literal

import msgspec

from allmende.domain import times
from allmende.domain.spans import Head
from allmende.knowledge.series.grid import size

Kind = Literal["number", "boolean", "category", "text", "other"]
"""What the results are. ``category``: few different texts; ``text``: many, which are counted alone; ``other``: lists
and objects, of which nothing is drawn."""
Method = Literal["values", "readings", "held"]
"""``values``: each reading stands there itself. ``readings``: a mean is that of the readings in a bucket. ``held``: the
stream tells of changes alone; a value holds until the next one, a mean is weighted with time, and a gap is silence."""


class Line(msgspec.Struct, kw_only=True):
    """One stream. The columns are of equal length, in the order of time; None in ``mean`` is a gap."""

    head: Head
    kind: Kind
    method: Method = "readings"
    width: int = 0
    """Of a bucket, in microseconds, or negative in months; 0 where each time has its own value."""
    times: list[int] = []
    """Where each bucket begins, or the times of the readings."""
    mean: list[float | None] = []
    """Of truth values the share of those that are true, from 0 to 1. Of categories always None."""
    low: list[float | None] = []
    high: list[float | None] = []
    count: list[int] = []
    """Readings that are in it."""
    flagged: list[int] = []
    """Implausible ones: left out of mean, low and high, but where each reading stands there itself."""
    words: list[str | None] = []
    """Of categories: the most frequent."""
    shares: list[float | None] = []
    """How much of the bucket that is, from 0 to 1."""
    categories: list[str] = []
    """All that are in it, the most frequent first."""


class Chart(msgspec.Struct, kw_only=True):
    """Some streams over one span of time."""

    start: int
    end: int
    width: int
    """Of the buckets that lines have, if they have any."""
    zone: str
    lines: list[Line]


def as_document(chart: Chart) -> dict[str, Any]:
    """What ``/explorer/series.json`` answers: times and widths in seconds (since 1970)."""
    return {
        "from": _seconds(chart.start),
        "to": _seconds(chart.end),
        "width": _seconds(size(chart.width)),
        "zone": chart.zone,
        "streams": [_line(line) for line in chart.lines],
    }


def _line(line: Line) -> dict[str, Any]:
    head = line.head
    said: dict[str, Any] = {
        "id": head.id, "name": head.name, "unit": head.unit, "thing": head.thing, "property": head.property,
        "kind": line.kind, "method": line.method, "width": _seconds(size(line.width)) if line.width else 0,
        "simulated": head.simulated, "forecast": head.forecast, "t": _all_seconds(line),
        "mean": [_short(value) for value in line.mean], "count": line.count,
    }  # fmt: skip
    single = line.method == "values" or (line.method == "held" and not line.width)
    said["low"], said["high"] = (said["mean"], said["mean"]) if single else (line.low, line.high)
    if any(line.flagged):
        said["flagged"] = line.flagged
    if line.kind == "category":
        said |= {"words": line.words, "shares": [_short(share) for share in line.shares], "categories": line.categories}
    return said


def _all_seconds(line: Line) -> list[int | float]:
    if line.width < 0 or (line.width and line.width % times.SECOND == 0):  # then all of them are whole
        return [time // times.SECOND for time in line.times]
    return list(map(_seconds, line.times))


def _seconds(micros: int) -> int | float:
    whole, rest = divmod(micros, times.SECOND)
    return whole + rest / times.SECOND if rest else whole


def _short(value: float | None) -> float | int | None:
    """Eight digits: no instrument has more, and a mean has seventeen."""
    if value is None:
        return None
    short = float(f"{value:.8g}")
    return int(short) if short.is_integer() and abs(short) < 1e15 else short

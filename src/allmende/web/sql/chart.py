"""A chart of an answer, drawn by the server: lines over time or numbers, bars over words. The table beside it has the
same values."""

import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from django.utils.formats import number_format

from allmende.domain.times import to_datetime
from allmende.knowledge.sql.job import Column
from allmende.web.sql.asking import Found

KINDS = ("table", "line", "bar")
NUMBERS = ("integer", "number", "big")
WIDTH, HEIGHT = 720, 320
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 12, 12, 44
MOST_BARS, MOST_POINTS, MOST_LINES = 40, 5_000, 4
_TICKS = 5
_LETTERS = 14


class Mark(NamedTuple):
    """A word beside an axis."""

    at: float
    words: str


class Bar(NamedTuple):
    x: float
    y: float
    width: float
    height: float
    words: str


class Series(NamedTuple):
    """One line, as a path."""

    name: str
    path: str
    number: int


class Chart(NamedTuple):
    """A drawing in units of its view box."""

    kind: str
    x: str
    y: str
    lines: list[Series]
    bars: list[Bar]
    across: list[Mark]
    up: list[Mark]
    base: float | None
    """Where zero is, if it is in the drawing."""
    left_out: int
    """Rows that are not drawn: too many, or without a value."""


def choices(columns: Sequence[Column]) -> dict[str, list[str]]:
    """Which columns go on which axis."""
    return {"x": [each.name for each in columns], "y": [each.name for each in columns if each.kind in NUMBERS]}


def wanted(said: Mapping[str, Any], columns: Sequence[Column]) -> dict[str, str]:
    """How it is to be drawn, as far as the columns allow; empty: as a table. Several columns of ``y`` come with commas
    between them."""
    kind = str(said.get("kind", ""))
    names = choices(columns)
    ups = [name for name in str(said.get("y", "")).split(",") if name in names["y"]][:MOST_LINES]
    x = str(said.get("x", ""))
    if kind not in ("line", "bar") or not names["y"]:
        return {}
    if x not in names["x"]:
        x = names["x"][0]
    ups = ups or [name for name in names["y"] if name != x][:1] or names["y"][:1]
    return {"kind": kind, "x": x, "y": ",".join(ups)}


def draw(found: Found, said: Mapping[str, str], zone: str) -> Chart | None:
    """The drawing of an answer; None where there is nothing to draw."""
    names = [column.name for column in found.columns]
    place = names.index(said["x"])
    ups = said["y"].split(",")
    places = [names.index(name) for name in ups]
    column = found.columns[place]
    rows = found.table()
    if said["kind"] == "bar" or column.kind not in (*NUMBERS, "instant"):
        return _bars(rows, place, places[0], column, said, zone)
    return _lines(rows, place, places, column, said, zone)


def _bars(
    rows: list[list[Any]], place: int, up: int, column: Column, said: Mapping[str, str], zone: str
) -> Chart | None:
    known = [(row[place], float(row[up])) for row in rows if row[up] is not None]
    shown = known[:MOST_BARS]
    if not shown:
        return None
    low, high, marks = _scale(min(0.0, *(value for _, value in shown)), max(0.0, *(value for _, value in shown)))
    step = (WIDTH - _LEFT - _RIGHT) / len(shown)
    base = _y(0.0, low, high)
    bars, across = [], []
    every = math.ceil(len(shown) / 8)
    for number, (name, value) in enumerate(shown):
        x, y = _LEFT + number * step, _y(value, low, high)
        words = _say(name, column.kind, zone, 0.0)
        bars.append(
            Bar(
                round(x + step * 0.12, 1), round(min(y, base), 1), round(step * 0.76, 1), round(abs(base - y), 1),
                f"{words}: {_number(value)}",
            )
        )  # fmt: skip
        if number % every == 0:
            across.append(
                Mark(round(x + step / 2, 1), words if len(words) <= _LETTERS else words[: _LETTERS - 1] + "…")
            )
    left = len(rows) - len(shown)
    up_name = said["y"].split(",")[0]
    return Chart("bar", said["x"], up_name, [], bars, across, _up(marks, low, high), round(base, 1), left)


def _lines(
    rows: list[list[Any]], place: int, places: list[int], column: Column, said: Mapping[str, str], zone: str
) -> Chart | None:
    points = sorted((float(row[place]), row) for row in rows if row[place] is not None)[:MOST_POINTS]
    values = [float(row[up]) for _, row in points for up in places if row[up] is not None]
    if not values:
        return None
    low, high, marks = _scale(min(values), max(values))
    first, last = points[0][0], points[-1][0]
    span = last - first or 1.0
    series = []
    for number, (up, name) in enumerate(zip(places, said["y"].split(","), strict=True)):
        path, pen = [], "M"
        for x, row in points:
            if row[up] is None:
                pen = "M"
                continue
            at = _LEFT + (x - first) / span * (WIDTH - _LEFT - _RIGHT)
            path.append(f"{pen}{at:.1f} {_y(float(row[up]), low, high):.1f}")
            pen = "L"
        # a single point is seen, too
        series.append(Series(name, " ".join(path) + ("h0.1" if len(path) == 1 else ""), number))
    steps = [first + share * span for share in (0.0, 0.25, 0.5, 0.75, 1.0)]
    if column.kind != "instant":
        steps = [step for step in _scale(first, last)[2] if first <= step <= last]
    across = [
        Mark(round(_LEFT + (step - first) / span * (WIDTH - _LEFT - _RIGHT), 1), _say(step, column.kind, zone, span))
        for step in steps
    ]
    left = len(rows) - len(points)
    base = round(_y(0.0, low, high), 1) if low <= 0 <= high else None
    return Chart("line", said["x"], said["y"], series, [], across, _up(marks, low, high), base, left)


def _scale(low: float, high: float) -> tuple[float, float, list[float]]:
    """A range that is round, and the marks in it."""
    span = high - low or abs(high) or 1.0
    raw = span / _TICKS
    size = 10 ** math.floor(math.log10(raw))
    step = next(size * each for each in (1, 2, 2.5, 5, 10) if size * each >= raw * 0.999)
    begin, end = math.floor(low / step + 1e-9) * step, math.ceil(high / step - 1e-9) * step
    if begin == end:
        end = begin + step
    return begin, end, [begin + number * step for number in range(round((end - begin) / step) + 1)]


def _y(value: float, low: float, high: float) -> float:
    return HEIGHT - _BOTTOM - (value - low) / (high - low) * (HEIGHT - _TOP - _BOTTOM)


def _up(marks: list[float], low: float, high: float) -> list[Mark]:
    return [Mark(round(_y(value, low, high), 1), _number(value)) for value in marks]


def _number(value: float) -> str:
    return str(
        number_format(f"{value:.6g}" if abs(value) < 1e6 else f"{value:.0f}", use_l10n=True, force_grouping=True)
    )


def _say(value: Any, kind: str, zone: str, span: float) -> str:
    """A place on the axis across. ``span`` of the axis tells how exactly a time is said."""
    if value is None:
        return "–"
    if kind == "instant":
        moment: datetime = to_datetime(int(value)).astimezone(ZoneInfo(zone))
        days = span / 86_400e6
        return f"{moment:%d.%m.%Y}" if days > 3 or not span else f"{moment:%d.%m. %H:%M}"
    return _number(float(value)) if kind in NUMBERS else str(value)

"""What a chart shows as CSV: a line for each stream and time."""

import csv
import io
from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

from allmende.domain.times import DAY, SECOND, format_instant, to_datetime
from allmende.faces.tables import harmless
from allmende.knowledge.series import Chart, Line
from allmende.web.explorer import words

COLUMNS = (
    "stream", "name", "unit", "time", "time_local", "value", "lowest", "highest", "share", "readings", "implausible",
    "bucket", "method", "simulated",
)  # fmt: skip
_BOM = "\ufeff"


def to_csv(charts: Sequence[Chart], *, german: bool) -> bytes:
    """RFC 4180 in UTF-8. ``german``: semicolons, decimal commas, and a mark by which Excel knows UTF-8 (decision 11).

    Gaps are lines without a value.
    """
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=";" if german else ",", lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for chart in charts:
        for line in chart.lines:
            writer.writerows(_rows(line, ZoneInfo(chart.zone), german=german))
    return (_BOM * german + out.getvalue()).encode()


def _rows(line: Line, zone: ZoneInfo, *, german: bool) -> list[list[Any]]:
    head = line.head
    said = [harmless(text) for text in (head.id, words.name_of(head), head.unit)]
    rest = [_iso(line.width), line.method, "true" if head.simulated else "false"]

    def number(value: float | None) -> str:
        if value is None:
            return ""
        text = str(int(value)) if float(value).is_integer() and abs(value) < 1e15 else f"{value:.10g}"
        return text.replace(".", ",") if german else text

    rows = []
    for place, time in enumerate(line.times):
        local = to_datetime(time).astimezone(zone).strftime("%Y-%m-%d %H:%M:%S")
        if line.kind == "category":
            share = line.shares[place]
            values = [harmless(line.words[place] or ""), "", "", number(share)]
        elif line.kind == "text":
            values = ["", "", "", ""]
        else:
            values = [*map(number, (line.mean[place], line.low[place], line.high[place])), ""]
        rows.append([*said, format_instant(time), local, *values, line.count[place], line.flagged[place], *rest])
    return rows


def _iso(width: int) -> str:
    """The length of a bucket as ISO 8601; "" where each time has its own value."""
    if width <= 0:
        return f"P{-width}M" if width else ""
    return f"P{width // DAY}D" if width % DAY == 0 else f"PT{width / SECOND:g}S"

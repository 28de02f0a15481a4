"""What a panel with a chart shows: the chart's address, a sentence, a line for each stream, and a table."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from allmende.domain.times import SECOND, from_datetime
from allmende.knowledge.series import Chart, Line, read_series
from allmende.web.explorer import asking, words

ROWS = 60
"""Of a panel's table."""
_MINUTE = 60 * SECOND


class Legend(NamedTuple):
    """A stream of a chart."""

    place: int
    """Which colour it has, from 1."""
    before: bool
    """Whether it is of the earlier span that another one is compared with."""
    id: str
    name: str
    unit: str
    sentence: str
    method: str
    simulated: bool
    forecast: bool


class Cell(NamedTuple):
    """A value of the table."""

    value: str
    between: str
    """Lowest and highest, where the value is a mean."""
    flagged: int
    empty: bool


class Row(NamedTuple):
    """A time with a cell for each stream."""

    time: datetime
    words: str
    cells: list[Cell]


def address_of(ids: Sequence[str], span: asking.Span, **more: str) -> str:
    """What stands behind the question mark for the same chart."""
    asked = [*(("stream", each) for each in ids), ("from", span.start_words), ("to", span.end_words), *more.items()]
    return urlencode(asked)


def legends(chart: Chart, *, before: bool = False) -> list[Legend]:
    """The streams of a chart in words."""
    return [
        Legend(
            place=place, before=before, id=line.head.id, name=name_of(line, before=before), unit=words.unit_of(line),
            sentence=words.say_line(line, chart.zone), method=words.say_method(line), simulated=line.head.simulated,
            forecast=line.head.forecast,
        )
        for place, line in enumerate(chart.lines, start=1)
    ]  # fmt: skip


def name_of(line: Line, *, before: bool) -> str:
    """What a line is called."""
    name = words.name_of(line.head)
    return _("%(name)s, before") % {"name": name} if before else name


def table(chart: Chart, earlier: Chart | None = None) -> list[Row]:
    """The values by time, the newest first; readings of several streams stand in one row where their times are one.
    Those of an earlier span stand where they are drawn: as much later as it began earlier."""
    back = chart.start - earlier.start if earlier else 0
    lines = [*((line, 0) for line in chart.lines), *((line, back) for line in (earlier.lines if earlier else ()))]
    columns = [{time + later: place for place, time in enumerate(line.times)} for line, later in lines]
    moments = sorted({time for column in columns for time in column}, reverse=True)
    seconds = any(time % _MINUTE for time in moments)
    return [
        Row(
            time=words.day_of(time, chart.zone),
            words=words.moment(time, chart.zone, seconds=seconds),
            cells=[_cell(line, column.get(time)) for (line, _later), column in zip(lines, columns, strict=True)],
        )
        for time in moments
    ]


def _cell(line: Line, place: int | None) -> Cell:
    if place is None:
        return Cell("", "", 0, True)
    flagged = line.flagged[place] if line.flagged else 0
    if line.kind == "category":
        word, share = line.words[place], line.shares[place]
        if word is None:
            return Cell(_("no data"), "", flagged, False)
        return Cell(word, f"{words.number(100 * share)}\u202f%" if share and share < 1 else "", flagged, False)
    if line.kind == "text":
        return Cell(words.number(line.count[place]), "", flagged, False)
    value = line.mean[place]
    between = ""
    if line.width and value is not None:
        low, high = (words.figure(each, line, exact=True) for each in (line.low[place], line.high[place]))
        between = f"{low} – {high}" if low != high else ""
    return Cell(words.figure(value, line, exact=not line.width), between, flagged, False)


def texts() -> dict[str, str]:
    """What the script of a panel says; ``%s`` stands for a value."""
    return {
        "failed": _("The chart could not be loaded. The table has the values."),
        "none": _("no data"),
        "nothing": _("There are no data in this time."),
        "implausible": _("implausible"),
        "simulated": _("simulated"),
        "forecast": _("forecast"),
        "time": _("Time"),
        "values": _("every reading"),
        "held": _("every change, held until the next one"),
        "readings": _("means of the readings of each %s"),
        "weighted": _("means over %s, weighted with time"),
        "frequent": _("the most frequent value of each %s"),
        "before": _("%s, before"),
        "shown": _("Shown: %s"),
        "more": _("Only the newest %s rows are shown here. A download has all of them."),
    }  # fmt: skip


def make_panel(
    request: HttpRequest, ids: Sequence[str], span: asking.Span, *, title: str = "", level: int = 2
) -> dict[str, Any]:
    """The context of ``explorer/_panel.html`` for streams as whoever asks may see them."""
    house = request.house  # type: ignore[attr-defined]  # set by HouseMiddleware
    zone, now = house.profile.time_zone, from_datetime(house.now())
    chart = read_series(house.store, house.reader, ids, span.start, span.end, ROWS, zone, now=now)
    return told(request, chart, ids, span, title=title, level=level)


def told(
    request: HttpRequest,
    chart: Chart,
    ids: Sequence[str],
    span: asking.Span,
    *,
    title: str = "",
    level: int = 2,
    earlier: Chart | None = None,
    limit: int | None = ROWS,
) -> dict[str, Any]:
    """The same of a chart that was read, and of an earlier span that it is compared with. ``limit``: rows of the
    table."""
    number = getattr(request, "series_panels", 0) + 1  # each panel of a page has a name of its own
    request.series_panels = number  # type: ignore[attr-defined]
    asked = address_of([line.head.id for line in chart.lines] or ids, span)
    rows = table(chart, earlier)
    return {
        "panel": f"series-{number}",
        "title": title or ", ".join(words.name_of(line.head) for line in chart.lines) or _("Chart"),
        "heading": f"h{level}",
        "data": f"{reverse('explorer:series')}?{asked}",
        "explore": f"{reverse('explorer:start')}?{asked}",
        "legend": "explorer/_legend.html",
        "legends": [*legends(chart), *(legends(earlier, before=True) if earlier else ())],
        "sentence": words.say_span(chart),
        "rows": rows[:limit],
        "more_rows": limit is not None and len(rows) > limit,
        "texts": texts(),
    }

"""``/explorer/typical-week/``: what is usual at each hour of the week, in one span of time or two."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from django.http import HttpRequest, HttpResponse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from allmende.city import drawing
from allmende.domain.spans import Head
from allmende.knowledge.analyses import week as analysis
from allmende.knowledge.analyses.values import Span
from allmende.knowledge.analyses.week import LEAST_WEEKS, Week, WeekSlot
from allmende.web.analyses import answering, words
from allmende.web.analyses.asking import Asked
from allmende.web.analyses.reading import no_values, read

USUAL_DAYS = 56
MOST_DAYS = 3_700
_STYLES = ("a", "b")


class Told(NamedTuple):
    """A span's week in words."""

    style: str
    span: str
    sentence: str
    few: str
    basis: dict[str, object]
    left_out: list[str]


class Row(NamedTuple):
    """An hour of the week in the table: for each span mean, median, a tenth, nine tenths, weeks."""

    name: str
    cells: list[list[str]]


class Answer(NamedTuple):
    """What was asked for, as far as it can be answered."""

    stream: Head | None
    weeks: list[Week]


@require_safe
def typical_week(request: HttpRequest) -> HttpResponse:
    """The page, or the same as a file."""
    asked = Asked(request)
    form = answering.wants_file(asked)
    stream, weeks = answer(asked)
    if form:
        return answering.as_file(asked, form, "typical-week", _table(weeks), _body(stream, weeks))
    values: dict[str, Any] = {"stream": stream, "width": asked.text("width")}
    if stream is not None and asked.ready:
        values |= shown(asked, stream, weeks) if weeks else {"nothing": no_values(stream)}
    streams = [stream] if stream else []
    fixed = answering.fixed_days(streams, weeks[0].basis) if weeks else {}
    return answering.page(request, "analyses/week.html", asked, streams, fixed, **values)


def answer(asked: Asked) -> Answer:
    """The weeks of a question; what is wrong with it is noted there."""
    stream = next(iter(asked.streams("stream")), None)
    width = asked.choice("width", ("hour", "quarter"))
    asked.choice("take", ("mean", "sum"))
    if stream is None:
        return Answer(None, [])
    spans = [asked.span(asked.newest_days([stream], asked.number("days", USUAL_DAYS, 7, MOST_DAYS)))]
    if asked.text("from2") or asked.text("to2"):
        spans.append(asked.span(None, first="from2", last="to2"))
        if spans[1] is None and not asked.faults:
            asked.faults["from2"] = _("The second span needs both days.")
    found = [_week(asked, stream, span, width) for span in spans if span is not None]
    return Answer(stream, [each for each in found if each is not None])


def _week(asked: Asked, stream: Head, span: Span, width: str) -> Week | None:
    found = read(asked, stream, span, width)
    return None if found is None else analysis.typical_week(found, asked.holidays(*span))


def shown(asked: Asked, stream: Head, weeks: Sequence[Week]) -> dict[str, Any]:
    """The answer in words and lines."""
    first, last = weeks[0].basis.span, weeks[0].basis.span
    unit = words.unit_of(stream)
    told = []
    for style, each in zip(_STYLES, weeks, strict=False):
        names = asked.holidays(*each.basis.span, (get_language() or "")[:2])
        told.append(
            Told(
                style=style,
                span=words.span_words(each.basis.span),
                sentence=_sentence(each, unit),
                few=_few(each),
                basis=words.told_basis(each.basis, asked.zone),
                left_out=words.listed_days(each.left_out, names),
            )
        )
    return {
        "title": words.name_of(stream),
        "unit": unit,
        "from": first.first,
        "to": last.last,
        "second": weeks[1].basis.span if len(weeks) > 1 else None,
        "told": told,
        "difference": _difference(weeks, unit),
        "plot": _plot(weeks),
        "rows": _rows(weeks),
    }


def _sentence(week: Week, unit: str) -> str:
    known = [slot for slot in week.slots if slot.median is not None]
    if not known:
        return _("There are no values in this span.")
    high, low = max(known, key=lambda slot: slot.median or 0), min(known, key=lambda slot: slot.median or 0)
    return _(
        "It is usually highest on %(high_day)s at %(high_time)s (%(high)s), and lowest on %(low_day)s at %(low_time)s"
        " (%(low)s). At the highest hour, eight of ten weeks lie between %(tenth)s and %(ninth)s."
    ) % {
        "high_day": words.weekday(high.weekday),
        "high_time": words.clock(high.clock),
        "high": words.figure(high.median, unit),
        "low_day": words.weekday(low.weekday),
        "low_time": words.clock(low.clock),
        "low": words.figure(low.median, unit),
        "tenth": words.figure(high.low, unit),
        "ninth": words.figure(high.high, unit),
    }


def _few(week: Week) -> str:
    if not week.thin:
        return ""
    if week.thin == len(week.slots):
        return _("Too few values: no hour has %(least)s weeks. What is usual cannot be told yet.") % {
            "least": LEAST_WEEKS
        }
    return _("Too few values for %(thin)s of %(all)s hours of the week: they rest on fewer than %(least)s weeks.") % {
        "thin": week.thin,
        "all": len(week.slots),
        "least": LEAST_WEEKS,
    }


def _difference(weeks: Sequence[Week], unit: str) -> str:
    """The two spans in one sentence, over the hours of the week that both have."""
    if len(weeks) < 2:
        return ""
    pairs = [
        (a.mean, b.mean)
        for a, b in zip(weeks[0].slots, weeks[1].slots, strict=True)
        if a.mean is not None and b.mean is not None
    ]
    if not pairs:
        return _("The two spans have no hour of the week in common.")
    before, after = (sum(each) / len(pairs) for each in zip(*pairs, strict=True))
    change = after - before
    told = _("In the second span the mean over the week is %(change)s than in the first: %(after)s, after %(before)s.")
    return told % {
        "change": _higher(change, before, unit),
        "after": words.figure(after, unit),
        "before": words.figure(before, unit),
    }


def _higher(change: float, before: float, unit: str) -> str:
    size = words.figure(abs(change), unit)
    if before > 0:
        size += f" ({words.number(round(100 * abs(change) / before, 1))}\u202f%)"
    return (_("%(size)s higher") if change >= 0 else _("%(size)s lower")) % {"size": size}


def _plot(weeks: Sequence[Week]) -> drawing.Plot:
    axis = drawing.Axis([value for week in weeks for slot in week.slots for value in (slot.low, slot.high)], zero=True)
    lines = []
    for style, week in zip(_STYLES, weeks, strict=False):
        low, high = [slot.low for slot in week.slots], [slot.high for slot in week.slots]
        lines.append(drawing.Line(f"plot__band plot__band--{style}", drawing.area(low, high, axis)))
    for style, week in zip(_STYLES, weeks, strict=False):
        median = [slot.median for slot in week.slots]
        lines.append(drawing.Line(f"plot__line plot__line--{style}", drawing.path(median, axis)))
        if len(weeks) == 1:
            mean = [slot.mean for slot in week.slots]
            lines.append(drawing.Line("plot__line plot__line--thin", drawing.path(mean, axis)))
    return drawing.Plot(
        lines=lines,
        up=[drawing.Tick(drawing.height(axis.share(value)), words.number(value)) for value in axis.ticks()],
        along=[drawing.Tick(drawing.percent(n / 7), words.weekday_short(n)) for n in range(7)],
        foot=f"{100 - drawing.FOOT:.0f}%",
    )


def _rows(weeks: Sequence[Week]) -> list[Row]:
    found = []
    for slots in zip(*(week.slots for week in weeks), strict=True):
        name = f"{words.weekday_short(slots[0].weekday)} {words.clock(slots[0].clock)}"
        found.append(Row(name, [_cells(slot) for slot in slots]))
    return found


def _cells(slot: WeekSlot) -> list[str]:
    return [*(words.number(value) for value in (slot.mean, slot.median, slot.low, slot.high)), str(slot.weeks)]


def _table(weeks: Sequence[Week]) -> list[list[Any]]:
    table: list[list[Any]] = [["from", "to", "weekday", "time", "mean", "median", "p10", "p90", "weeks"]]
    for week in weeks:
        for slot in week.slots:
            figures = [slot.mean, slot.median, slot.low, slot.high, slot.weeks]
            table.append([*week.basis.span, slot.weekday + 1, words.clock(slot.clock), *figures])
    return table


def _body(stream: Head | None, weeks: Sequence[Week]) -> dict[str, Any]:
    return {
        "stream": answering.stream_body(stream) if stream else None,
        "weeks": [
            {
                "basis": answering.basis_body(week.basis),
                "left_out": answering.days_body(week.left_out),
                "slots": [
                    {
                        "weekday": slot.weekday + 1,
                        "time": words.clock(slot.clock),
                        "mean": slot.mean,
                        "median": slot.median,
                        "p10": slot.low,
                        "p90": slot.high,
                        "weeks": slot.weeks,
                    }
                    for slot in week.slots
                ],
            }
            for week in weeks
        ],
    }

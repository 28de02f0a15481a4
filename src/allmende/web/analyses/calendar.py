"""``/explorer/calendar/``: hours of days, or days of months, as a map of colours."""

from datetime import date
from typing import Any, NamedTuple

from django.http import HttpRequest, HttpResponse
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from allmende.city.drawing import percent
from allmende.domain.spans import Head
from allmende.knowledge.analyses.heat import SHADES, Cell, Heat, days_by_month, hours_by_day
from allmende.web.analyses import answering, words
from allmende.web.analyses.asking import Asked
from allmende.web.analyses.reading import no_values, read

MOST_DAYS = 100
MOST_YEARS_DAYS = 3_700
_USUAL_DAYS = {"hour": 42, "day": 365}
_LEFT, _TOP = 0.11, 0.09
"""Shares of the drawing for the words of the rows and of the columns."""


class Rect(NamedTuple):
    """A cell of the map."""

    x: str
    y: str
    wide: str
    high: str
    style: str
    words: str


class Label(NamedTuple):
    """Words at an edge of the map."""

    x: str
    y: str
    text: str


class Answer(NamedTuple):
    """What was asked for, as far as it can be answered."""

    stream: Head | None
    heat: Heat | None
    by: str


@require_safe
def heat_map(request: HttpRequest) -> HttpResponse:
    """The page, or the same as a file."""
    asked = Asked(request)
    form = answering.wants_file(asked)
    stream, heat, by = answer(asked)
    if form:
        return answering.as_file(asked, form, "calendar", _table(heat, by), _body(stream, heat, by))
    values: dict[str, Any] = {"stream": stream, "by": by}
    if stream is not None and heat is not None:
        values |= shown(asked, stream, heat, by)
    elif stream is not None:
        values["nothing"] = no_values(stream)
    streams = [stream] if stream else []
    fixed = answering.fixed_days(streams, heat.basis) if heat else {}
    return answering.page(request, "analyses/calendar.html", asked, streams, fixed, **values)


def answer(asked: Asked) -> Answer:
    """The map of a question; what is wrong with it is noted there."""
    stream = next(iter(asked.streams("stream")), None)
    by = asked.choice("by", ("hour", "day"))
    asked.choice("take", ("mean", "sum"))
    if stream is None:
        return Answer(None, None, by)
    most = MOST_DAYS if by == "hour" else MOST_YEARS_DAYS
    days = asked.number("days", _USUAL_DAYS[by], 1, most)
    span = asked.span(asked.newest_days([stream], days), most=most)
    found = read(asked, stream, span, by) if span is not None and asked.ready else None
    if found is None:
        return Answer(stream, None, by)
    return Answer(stream, hours_by_day(found) if by == "hour" else days_by_month(found), by)


def shown(asked: Asked, stream: Head, heat: Heat, by: str) -> dict[str, Any]:
    """The answer in words and cells."""
    unit = words.unit_of(stream)
    return {
        "title": words.name_of(stream),
        "unit": unit,
        "from": heat.basis.span.first,
        "to": heat.basis.span.last,
        "sentence": _sentence(heat, by, unit),
        "basis": words.told_basis(heat.basis, asked.zone),
        "rects": _rects(heat, by, unit),
        "labels": [*_row_labels(heat, by), *_column_labels(heat, by)],
        "legend": [f"heat-{n}" for n in range(SHADES)],
        "low": words.figure(heat.low, unit),
        "high": words.figure(heat.high, unit),
        "skipped": any(not cell.exists for row in heat.rows for cell in row) and by == "hour",
        "twice": any(len(cell.values) > 1 for row in heat.rows for cell in row),
        "head": _head(heat, by),
        "rows": _rows(heat, by),
    }


def _sentence(heat: Heat, by: str, unit: str) -> str:
    known = [
        (cell.mean, row, column)
        for row, cells in enumerate(heat.rows)
        for column, cell in enumerate(cells)
        if cell.mean is not None
    ]
    if not known:
        return _("There are no values in this span.")
    high, low = max(known), min(known)
    return _("The highest value is %(high)s (%(high_when)s), the lowest %(low)s (%(low_when)s).") % {
        "high": words.figure(high[0], unit),
        "high_when": _when(heat, by, high[1], high[2]),
        "low": words.figure(low[0], unit),
        "low_when": _when(heat, by, low[1], low[2]),
    }


def _when(heat: Heat, by: str, row: int, column: int) -> str:
    if by == "hour":
        day = date.fromisoformat(heat.columns[column])
        return f"{words.weekday_short(day.weekday())} {words.day(day)}, {row}:00"
    year, month = heat.labels[row].split("-")
    day = date(int(year), int(month), column + 1)
    return f"{words.weekday_short(day.weekday())} {words.day(day)}"


def _rects(heat: Heat, by: str, unit: str) -> list[Rect]:
    high = (1 - _TOP) / len(heat.rows)
    wide = (1 - _LEFT) / len(heat.columns)
    found = []
    for row, cells in enumerate(heat.rows):
        for column, cell in enumerate(cells):
            if not cell.exists:
                continue
            shares = cell.values or (None,)
            part = wide / len(shares)  # the hour that comes twice: one half for each
            for place, value in enumerate(shares):
                x = _LEFT + column * wide + place * part
                style = "heat-none" if value is None else f"heat-{heat.shade(value)}"
                said = _("no data") if value is None else words.figure(value, unit)
                when = _when(heat, by, row, column)
                y = percent(_TOP + row * high)
                found.append(Rect(percent(x), y, percent(part), percent(high), style, f"{when}: {said}"))
    return found


def _row_labels(heat: Heat, by: str) -> list[Label]:
    high = (1 - _TOP) / len(heat.rows)
    step = 3 if by == "hour" else -(-len(heat.rows) // 18)
    return [
        Label("0", percent(_TOP + (row + 0.5) * high), f"{row}:00" if by == "hour" else _month(label))
        for row, label in enumerate(heat.labels)
        if row % step == 0
    ]


def _month(label: str) -> str:
    year, month = label.split("-")
    return f"{date_format(date(2024, int(month), 1), 'M')} {year[2:]}"


def _column_labels(heat: Heat, by: str) -> list[Label]:
    wide = (1 - _LEFT) / len(heat.columns)
    found = []
    step = 7 * -(-len(heat.columns) // 28) if by == "hour" else 5
    for column, label in enumerate(heat.columns):
        text = ""
        if by == "day":
            text = label if (column + 1) % step == 0 or column == 0 else ""
        elif column % step == 0:
            text = date_format(date.fromisoformat(label), "MONTH_DAY_FORMAT")
        if text:
            found.append(Label(percent(_LEFT + column * wide), "4%", text))
    return found


def _head(heat: Heat, by: str) -> list[str]:
    """Of the table: hours across for days, days across for months."""
    return [str(hour) for hour in range(24)] if by == "hour" else list(heat.columns)


def _rows(heat: Heat, by: str) -> list[tuple[str, list[str]]]:
    if by == "day":
        return [
            (_month(label), [_cell(cell) for cell in cells])
            for label, cells in zip(heat.labels, heat.rows, strict=True)
        ]
    found = []
    for column, label in enumerate(heat.columns):
        day = date.fromisoformat(label)
        name = f"{words.weekday_short(day.weekday())} {words.day(day)}"
        found.append((name, [_cell(heat.rows[hour][column]) for hour in range(24)]))
    return found


def _cell(cell: Cell) -> str:
    if not cell.exists:
        return ""
    return " / ".join(words.number(value) for value in cell.values) if cell.values else "–"


def _table(heat: Heat | None, by: str) -> list[list[Any]]:
    head = ["day", "hour", "value"] if by == "hour" else ["day", "value"]
    table: list[list[Any]] = [head]
    for day, hour, cell in _cells(heat, by):
        at = [day, hour] if by == "hour" else [day]
        table += [[*at, value] for value in cell.values or (None,)]
    return table


def _body(stream: Head | None, heat: Heat | None, by: str) -> dict[str, Any]:
    cells: list[dict[str, Any]] = []
    for day, hour, cell in _cells(heat, by):
        cells.append({"day": day, **({"hour": hour} if by == "hour" else {}), "values": list(cell.values)})
    return {
        "stream": answering.stream_body(stream) if stream else None,
        "basis": answering.basis_body(heat.basis) if heat else None,
        "cells": cells,
    }


def _cells(heat: Heat | None, by: str) -> list[tuple[str, int, Cell]]:
    """In the order of time; an hour or a day that there never was is left out, as is what lies outside of the span."""
    if heat is None:
        return []
    if by == "hour":
        found = [(day, hour, heat.rows[hour][column]) for column, day in enumerate(heat.columns) for hour in range(24)]
    else:
        found = [
            (f"{label}-{column + 1:02}", 0, cell)
            for label, cells in zip(heat.labels, heat.rows, strict=True)
            for column, cell in enumerate(cells)
        ]
    first, last = (each.isoformat() for each in heat.basis.span)
    return [(day, hour, cell) for day, hour, cell in found if cell.exists and first <= day <= last]

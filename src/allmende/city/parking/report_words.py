"""The monthly report as a table in the active language: what the page, the PDF and the spreadsheet show alike."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from zoneinfo import ZoneInfo

from django.utils.formats import date_format, number_format
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from allmende.city.parking.figures import Figures
from allmende.city.parking.report import Line, Month, Report
from allmende.domain import times

Kind = Literal["text", "count", "percent", "hours", "rate", "time"]
Cell = str | float | int | datetime | None


@dataclass(frozen=True)
class Column:
    """A column, and what its cells are: percent as shares of 1, hours as numbers, times aware."""

    title: str
    kind: Kind


@dataclass(frozen=True)
class Sheet:
    """The report as it is shown. Rows hold values; :func:`show` gives their words."""

    title: str
    lead: str
    city: str
    zone: str
    language: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    notes: tuple[str, ...]


def month_words(month: Month) -> str:
    """ "November 2026"."""
    return date_format(month.first, "F Y")


def lay_out(report: Report, city: str, zone: str) -> Sheet:
    """The table of a report with what has to be known to read it."""
    notes = [
        _("Occupancy is the share of the spaces that were taken, weighted with time. Where nothing was known, no value "
          "was assumed."),
        _("A car park that reports no free space counts as full. Where the number fell to zero at one stroke, it may "
          "as well have closed: these hours count as closed and take part in nothing else."),
        _("Arrivals are the sum of all drops of the free spaces. It is a lower bound: who comes while another leaves "
          "is not in it, and a fall by more than a tenth of the spaces at one stroke is none."),
        _("Shares are of the spaces that were public and open at each time, by the capacity that counted then."),
        _("What the operator closed, or what reported nothing free outside of its hours, was closed. Counts that were "
          "not to be believed, and spans in which the operator had set a number by hand, take part in nothing."),
        _("What the car parks earned is not known here."),
    ]  # fmt: skip
    if any(line.simulated for line in report.lines):
        notes.insert(0, _("Simulated values are marked. They are no measurements."))
    if report.running:
        notes.insert(0, _("The month is not over yet."))
    if report.left_out:
        words = ngettext(
            "%(n)d car park is left out: the report has reached its limit.",
            "%(n)d car parks are left out: the report has reached its limit.",
            report.left_out,
        )
        notes.insert(0, words % {"n": report.left_out})
    if report.hidden:
        words = ngettext(
            "%(n)d car park of this report is not shown: it is gone, or not open to you.",
            "%(n)d car parks of this report are not shown: they are gone, or not open to you.",
            report.hidden,
        )
        notes.insert(0, words % {"n": report.hidden})
    lead = _("Made on %(time)s from the counts of the car parks.")
    if report.edition:
        lead = _("Closed on %(time)s (edition %(edition)s). What came in or was decided later is not in it.")
    made = date_format(report.made.astimezone(ZoneInfo(zone)), "SHORT_DATETIME_FORMAT")
    return Sheet(
        title=_("Parking in %(city)s: %(month)s") % {"city": city, "month": month_words(report.month)},
        lead=lead % {"time": made, "edition": report.edition},
        city=city,
        zone=zone,
        language=(get_language() or "de").split("-")[0],
        columns=_columns(),
        rows=tuple(_row(line, zone) for line in report.lines),
        notes=tuple(notes),
    )


def _columns() -> tuple[Column, ...]:
    return (
        Column(_("Car park"), "text"),
        Column(_("Spaces"), "count"),
        Column(_("Mean occupancy"), "percent"),
        Column(_("Mean, month before"), "percent"),
        Column(_("Mean, year before"), "percent"),
        Column(_("Highest occupancy"), "percent"),
        Column(_("first on"), "time"),
        Column(_("Hours full"), "hours"),
        Column(_("Hours closed"), "hours"),
        Column(_("Hours without data"), "hours"),
        Column(_("Hours in doubt"), "hours"),
        Column(_("Arrivals, at least"), "count"),
        Column(_("Arrivals, month before"), "count"),
        Column(_("Arrivals, year before"), "count"),
        Column(_("Arrivals for each space and day"), "rate"),
        Column(_("Remarks"), "text"),
    )


def _row(line: Line, zone: str) -> tuple[Cell, ...]:
    now = line.now
    return (
        line.site.name,
        now.capacity if now else None,
        _of(now, "occupancy"),
        _of(line.before, "occupancy"),
        _of(line.year_ago, "occupancy"),
        _of(now, "peak"),
        times.to_datetime(now.lowest_at) if now and now.lowest_at is not None else None,
        now.full / times.HOUR if now else None,
        now.shut / times.HOUR if now else None,
        now.missing / times.HOUR if now else None,
        now.implausible / times.HOUR if now else None,
        _of(now, "arrivals"),
        _of(line.before, "arrivals"),
        _of(line.year_ago, "arrivals"),
        _of(now, "turnover"),
        _remarks(line, zone),
    )


def _of(figures: Figures | None, name: str) -> Any:
    return None if figures is None else getattr(figures, name)


def _remarks(line: Line, zone: str) -> str:
    found = []
    if line.simulated:
        found.append(_("simulated"))
    if line.estimated:
        found.append(_("estimated, not counted"))
    if line.now is None:
        found.append(_("no counts in this month"))
    elif line.begun is not None:
        day = date_format(times.to_datetime(line.begun).astimezone(ZoneInfo(zone)), "SHORT_DATE_FORMAT")
        found.append(_("counts since %(day)s") % {"day": day})
    if line.now is not None and line.now.capacity is None:
        found.append(_("capacity not known"))
    return ", ".join(found)


def show(cell: Cell, kind: Kind, zone: str) -> str:
    """A cell in the active language; a dash for what is not known."""
    if cell is None:
        return "–"
    if isinstance(cell, datetime):
        return date_format(cell.astimezone(ZoneInfo(zone)), "SHORT_DATETIME_FORMAT")
    if isinstance(cell, str):
        return cell
    if kind == "percent":
        return f"{number_format(round(100 * cell, 1), decimal_pos=1)}\u202f%"
    places = {"hours": 1, "rate": 2}.get(kind, 0)
    # Django cuts places off: rounded first
    return number_format(round(cell, places), decimal_pos=places, force_grouping=True)

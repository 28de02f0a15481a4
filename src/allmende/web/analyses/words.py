"""Figures, times and bases as people read them. All texts are translated at the call."""

from collections.abc import Sequence
from datetime import date, timedelta

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from allmende.domain import times
from allmende.domain.spans import Head
from allmende.domain.units import show_unit
from allmende.knowledge.analyses.resampling import Estimate
from allmende.knowledge.analyses.values import Basis, Span
from allmende.web.explorer import words as explorer

MANY_MISSING = 0.2
"""The share of buckets without a value from which it is said that they are many."""


def number(value: float | None, *, sign: bool = False) -> str:
    """With the language's marks and no more figures than a mean can bear; a dash for none."""
    if value is None:
        return "–"
    told = explorer.number(abs(value))
    mark = "−" if value < 0 else "+" if sign and value > 0 else ""
    return told if told == "0" else mark + told


def figure(value: float | None, unit: str, *, sign: bool = False) -> str:
    """A number with its unit."""
    told = number(value, sign=sign)
    return told if value is None or not unit else f"{told}\u202f{unit}"


def change(value: float, unit: str) -> str:
    """A difference with its sign; percent with one place."""
    return figure(round(value, 1) if unit == "%" else value, unit, sign=True)


def between(found: Estimate, unit: str) -> str:
    """Where a difference lies; empty where that is not known."""
    if found.low is None or found.high is None:
        return ""
    return _("%(low)s to %(high)s") % {"low": change(found.low, unit), "high": change(found.high, unit)}


def name_of(stream: Head) -> str:
    """Thing and stream, without saying the same twice."""
    return explorer.name_of(stream)


def unit_of(stream: Head) -> str:
    """As it stands behind a figure; empty for bare numbers."""
    return show_unit(stream.unit)


def day(value: date) -> str:
    """In the language's short form."""
    return date_format(value, "SHORT_DATE_FORMAT")


def span_words(span: Span) -> str:
    """From when to when."""
    return f"{day(span.first)} – {day(span.last)}"


def clock(micros: int) -> str:
    """Microseconds since midnight as a time."""
    return f"{micros // times.HOUR}:{micros % times.HOUR // times.MINUTE:02}"


def weekday(index: int) -> str:
    """0 is Monday."""
    return date_format(date(2024, 1, 1) + timedelta(days=index), "l")


def weekday_short(index: int) -> str:
    """0 is Monday."""
    return date_format(date(2024, 1, 1) + timedelta(days=index), "D")


def width_words(width: int) -> str:
    """How long a bucket is."""
    if width >= times.DAY:
        return pgettext("in steps of", "days")
    if width == times.HOUR:
        return _("hours")
    return ngettext("%(n)d minute", "%(n)d minutes", width // times.MINUTE) % {"n": width // times.MINUTE}


def told_basis(basis: Basis, zone: str) -> dict[str, object]:
    """What an answer rests on, in words."""
    return {
        "span": span_words(basis.span),
        "values": number(basis.values),
        "width": width_words(basis.width),
        "buckets": number(basis.buckets),
        "filled": number(basis.filled),
        "missing": number(basis.missing) if basis.missing else "",
        "missing_percent": number(round(100 * (1 - basis.share), 1)),
        "flagged": number(basis.flagged) if basis.flagged else "",
        "gaps": [f"{explorer.moment(gap.start, zone)} – {explorer.moment(gap.end, zone)}" for gap in basis.gaps],
        "many_missing": basis.buckets > 0 and 1 - basis.share > MANY_MISSING,
    }


def listed_days(days: Sequence[date], names: dict[date, str]) -> list[str]:
    """Days with the names of their holidays."""
    return [f"{day(each)} ({names[each]})" if each in names else day(each) for each in days]

"""Names, figures and times of charts as people read them. All texts are translated at the call."""

from datetime import datetime
from zoneinfo import ZoneInfo

from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from allmende.domain import times
from allmende.domain.errors import InvalidInput
from allmende.domain.policy import COMMONS
from allmende.domain.profile import Profile
from allmende.domain.spans import Head
from allmende.domain.units import show_unit
from allmende.knowledge.series.lines import Chart, Line
from allmende.web.portal.sources import spoken

_DIGITS = 4
"""Figures of a mean that are told; of values themselves all."""


def name_of(head: Head) -> str:
    """Thing and stream, without saying the same twice."""
    return head.name if not head.thing or head.thing in head.name else f"{head.thing}: {head.name}"


def property_of(profile: Profile, identifier: str, name: str) -> str:
    """What is measured, as the city calls it; else as the source does."""
    known = profile.properties.get(identifier)
    return (spoken(known.name) if known else "") or name


def title_of(profile: Profile, dataset: str) -> str:
    """What a dataset is called; the commons is none of the profile's."""
    known = profile.datasets.get(dataset)
    if known is None and dataset == COMMONS:
        return _("Given by clients, of nobody alone (commons)")
    return spoken(known.title) if known else dataset


def unit_of(line: Line) -> str:
    """The unit as people write it; of truth values the share is told in percent."""
    return "%" if line.kind == "boolean" else show_unit(line.head.unit)


def figure(value: float | None, line: Line, *, exact: bool = False) -> str:
    """A value with its unit."""
    if value is None:
        return _("no data")
    if line.kind == "boolean":
        value = 100 * value
    unit = unit_of(line)
    return f"{number(value, exact=exact)}\u202f{unit}" if unit else number(value, exact=exact)


def number(value: float, *, exact: bool = False) -> str:
    """A number with the language's marks; a mean with no more figures than it can bear."""
    if not exact and value and not float(value).is_integer():
        whole = len(str(int(abs(value)))) if abs(value) >= 1 else 0
        value = round(value, max(0, _DIGITS - whole) if abs(value) >= 0.001 else 6)
    if float(value).is_integer():
        return number_format(int(value), 0, use_l10n=True, force_grouping=True)
    places = len(f"{value:.10f}".rstrip("0").partition(".")[2])
    return number_format(value, places, use_l10n=True, force_grouping=True)


def moment(micros: int, zone: str, *, seconds: bool = False) -> str:
    """Day and time by the city's clock."""
    local = times.to_datetime(micros).astimezone(ZoneInfo(zone))
    return f"{date_format(local, 'SHORT_DATE_FORMAT')}, {local:{'%H:%M:%S' if seconds else '%H:%M'}}"


def day_of(micros: int, zone: str) -> datetime:
    """Aware, by the city's clock."""
    return times.to_datetime(micros).astimezone(ZoneInfo(zone))


def say_width(width: int) -> str:
    """How long a bucket is: "1 hour"."""
    if width < 0:
        months = -width
        if months % 12 == 0:
            return ngettext("%(n)d year", "%(n)d years", months // 12) % {"n": months // 12}
        return ngettext("%(n)d month", "%(n)d months", months) % {"n": months}
    if width % (7 * times.DAY) == 0:
        return _("1 week")
    if width % times.DAY == 0:
        return _("1 day")
    if width % times.HOUR == 0:
        return ngettext("%(n)d hour", "%(n)d hours", width // times.HOUR) % {"n": width // times.HOUR}
    if width % times.MINUTE == 0:
        return ngettext("%(n)d minute", "%(n)d minutes", width // times.MINUTE) % {"n": width // times.MINUTE}
    if width % times.SECOND == 0:
        return ngettext("%(n)d second", "%(n)d seconds", width // times.SECOND) % {"n": width // times.SECOND}
    return _("%(n)d milliseconds") % {"n": width // 1000}


def say_method(line: Line) -> str:
    """How the values of a line came about, as one half sentence."""
    if line.kind == "other":
        return _("values that are lists or objects: they are not drawn")
    if line.kind == "text":
        return _("texts, too many to be drawn: how many there are is counted")
    if not line.width:
        return _("every change, held until the next one") if line.method == "held" else _("every reading")
    width = say_width(line.width)
    if line.kind == "category":
        return _("the most frequent value of each %(width)s") % {"width": width}
    if line.method == "held":
        return _("means over %(width)s, weighted with time") % {"width": width}
    return _("means of the readings of each %(width)s") % {"width": width}


def say_line(line: Line, zone: str) -> str:
    """The line in one sentence."""
    if line.head.last is None:
        return _("No reading has ever come.")
    if line.kind in ("category", "text", "other"):
        if line.kind == "category" and line.categories:
            return _("Most often “%(word)s”.") % {"word": line.categories[0]}
        total = sum(line.count)
        return ngettext("%(n)d reading.", "%(n)d readings.", total) % {"n": total}
    doubtful = line.flagged if not line.width else [0] * len(line.times)  # else they are in none of the means
    known = [place for place, value in enumerate(line.mean) if value is not None and not doubtful[place]]
    if not known:
        return _("No data in this time. The newest value is from %(time)s.") % {"time": moment(line.head.last, zone)}
    low, high = min(line.low[place] or 0.0 for place in known), max(line.high[place] or 0.0 for place in known)
    last = known[-1]
    exact = not line.width
    return _("Between %(low)s and %(high)s; at last %(value)s (%(time)s).") % {
        "low": figure(low, line, exact=exact),
        "high": figure(high, line, exact=exact),
        "value": figure(line.mean[last], line, exact=exact),
        "time": moment(line.times[last], zone),
    }


def say_span(chart: Chart) -> str:
    """From when to when."""
    return _("From %(start)s to %(end)s") % {
        "start": moment(chart.start, chart.zone),
        "end": moment(chart.end, chart.zone),
    }


def say_long(micros: int) -> str:
    """A span of time in its largest unit: "3 minutes"."""
    for unit in (times.DAY, times.HOUR, times.MINUTE):
        if micros >= unit:
            count = micros // unit
            return {
                times.DAY: ngettext("%(n)d day", "%(n)d days", count),
                times.HOUR: ngettext("%(n)d hour", "%(n)d hours", count),
                times.MINUTE: ngettext("%(n)d minute", "%(n)d minutes", count),
            }[unit] % {"n": count}
    count = micros // times.SECOND
    return ngettext("%(n)d second", "%(n)d seconds", count) % {"n": count}


def say_flag(flag: str) -> str:
    """What is objected to in a reading; a word that is not known here is shown as it is rather than hidden."""
    return {
        "above-maximum": _("higher than this stream's source says is possible"),
        "below-minimum": _("lower than this stream's source says is possible"),
        "above-capacity": _("more free than there is"),
        "implausible": _("implausible"),
    }.get(flag, flag)


def words_of(error: InvalidInput) -> str:
    """A mistake in the language of who made it."""
    return {
        "stream": _("No more than 12 streams can be looked at together, each with a name of at most 300 characters."),
        "from": _("The beginning is no time, or not before the end. Write for example 2026-11-01T12:00 or -P7D."),
        "to": _("The end is no time. Write for example 2026-11-08T12:00 or now."),
        "time": _("There is no reading at or before this time. Write for example 2026-05-01T12:00:00+02:00."),
        "points": _("The number of points lies between 2 and 2,000."),
    }.get(error.where, str(error))

"""Answers for planners in words of the active language, and as rows of a file."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from allmende.city import drawing
from allmende.city.parking.drivers.choosing import walk
from allmende.city.parking.plan_known import Known
from allmende.city.parking.planning import Answer, Turnover
from allmende.knowledge.analyses.effect import Change, Effect, Part
from allmende.knowledge.analyses.resampling import Estimate
from allmende.knowledge.analyses.values import Span
from allmende.knowledge.analyses.week import LEAST_WEEKS, Week

WHAT = ("tariff", "event", "closure", "garage")
"""What may have changed something."""


@dataclass(frozen=True)
class Told:
    """What changed at one car park, in one window."""

    name: str
    far: str
    window: str
    sentence: str
    days: int
    expected: str
    mean: str
    difference: str
    interval: str
    net: str
    turnover: tuple[str, str]
    simulated: bool


def say_what(what: str) -> str:
    """What happened, as a choice."""
    return {
        "tariff": _("a tariff"),
        "event": _("an event"),
        "closure": _("a closure"),
        "garage": _("a new car park"),
    }[what]


def say_kind(what: str) -> str:
    """What several of them are called."""
    return {
        "tariff": _("Tariffs that changed"),
        "event": _("Events"),
        "closure": _("Closures"),
        "garage": _("Car parks that were new"),
    }[what]


def say_known(known: Known, names: dict[str, str]) -> str:
    """In one line: from when to when, where, what. ``names`` are those of car parks."""
    when = day_words(known.first) if known.last in (None, known.first) else span_words(Span(known.first, known.last))
    several = list(dict.fromkeys(names.get(each, each) for each in known.sites))
    place = ", ".join(several[:3]) + (" …" if len(several) > 3 else "")
    what = known.words or say_what(known.what)
    return ", ".join(part for part in (when, place, what) if part)


def say_near(metres: float) -> str:
    """How far another car park is."""
    minutes = walk(metres)
    return ngettext("about %(n)d minute on foot", "about %(n)d minutes on foot", minutes) % {"n": minutes}


def say_part(part: Part) -> str:
    """A window."""
    return {"before": _("before"), "during": _("during"), "after": _("after")}[part]


def number(value: float | None, places: int = 1) -> str:
    """With the language's marks; a dash for none."""
    if value is None:
        return "–"
    # Django cuts places off: rounded first
    told = number_format(round(abs(value), places), decimal_pos=places, force_grouping=True)
    return f"−{told}" if value < 0 and told.strip("0.,") else told


def signed(value: float) -> str:
    """With its sign."""
    told = number(value)
    return told if told.startswith("−") or not told.strip("0.,") else f"+{told}"


def tell(answers: list[Answer]) -> list[Told]:
    """All windows of all car parks, the one that was asked for first. One of which no day is known anywhere is left out
    beside others."""
    known = {change.part for answer in answers for change in answer.effect.changes if change.days}
    return [
        _told(answer, change)
        for answer in answers
        for change in answer.effect.changes
        if not known or change.part in known
    ]


def _told(answer: Answer, change: Change) -> Told:
    found = change.difference
    rates = {each.part: each for each in answer.turnover}
    return Told(
        name=answer.counted.site.name,
        far="" if answer.metres is None else say_near(answer.metres),
        window=say_part(change.part) if answer.effect.event.last is not None else _("since then"),
        sentence=_sentence(change, answer.effect),
        days=change.days,
        expected=number(change.expected),
        mean=number(change.mean),
        difference=signed(found.value) if found else "–",
        interval=_interval(found) if found else "",
        net=signed(change.net.value) if change.net else "",
        turnover=(say_turnover(rates.get("before")), say_turnover(rates.get(change.part))),
        simulated=answer.counted.state.simulated,
    )


def say_turnover(found: Turnover | None) -> str:
    """Arrivals for each day of known time, at least."""
    if found is None or found.figures is None or not found.figures.known:
        return "–"
    return number(found.figures.arrivals * 86_400_000_000 / found.figures.known, 0)


def _interval(found: Estimate) -> str:
    if found.low is None or found.high is None:
        return ""
    return _("%(low)s to %(high)s") % {"low": signed(found.low), "high": signed(found.high)}


def _sentence(change: Change, effect: Effect) -> str:
    found = change.difference
    if found is None or change.mean is None or change.expected is None:
        return _("Nothing can be said: there are no days with counts both before and in this window.")
    size = abs(change.mean - change.expected)
    if round(size, 1) == 0:
        words = _("On average as many spaces were free as at the same hours of the same weekdays before: %(mean)s.")
    elif change.mean > change.expected:
        words = _("On average %(size)s more spaces were free than at the same hours of the same weekdays before: "
                  "%(mean)s, after %(expected)s.")  # fmt: skip
    else:
        words = _("On average %(size)s fewer spaces were free than at the same hours of the same weekdays before: "
                  "%(mean)s, after %(expected)s.")  # fmt: skip
    told = words % {"size": number(size), "mean": number(change.mean), "expected": number(change.expected)}
    parts = [told, _certainty(found)]
    if change.net is not None:
        left = _("Without what changed at the car parks for comparison as well, %(net)s is left.")
        parts += [left % {"net": signed(change.net.value)}, _certainty(change.net)]
    return " ".join(parts)


def _certainty(found: Estimate) -> str:
    if found.low is None:
        return _("There are too few days to say how sure this is.")
    if found.clear:
        return _("That is more than chance alone lets expect (95 %%: %(interval)s).") % {"interval": _interval(found)}
    return _("It may be chance (95 %%: %(interval)s).") % {"interval": _interval(found)}


def plot_days(effect: Effect) -> drawing.Plot:
    """Each day's mean, and as a thin line what was to be expected."""
    span = effect.event.span()
    known = {day.day: day for day in effect.days}
    days = [known.get(span.first + timedelta(days=n)) for n in range(span.days)]
    means, usual = [day.mean if day else None for day in days], [day.expected if day else None for day in days]
    axis = drawing.Axis([*means, *usual], zero=True)
    begin = (effect.event.first - span.first).days
    length = (effect.event.last - effect.event.first).days + 1 if effect.event.last else span.days - begin
    left, right = begin / span.days * 1000, (begin + length) / span.days * 1000
    return drawing.Plot(
        lines=[
            drawing.Line("plot__window", f"M{left:.1f} 0H{right:.1f}V1000H{left:.1f}Z"),
            drawing.Line("plot__line plot__line--thin", drawing.path(usual, axis)),
            drawing.Line("plot__line plot__line--a", drawing.path(means, axis)),
        ],
        up=_up(axis),
        along=[drawing.Tick(drawing.percent(n / span.days), day_words(span.first + timedelta(days=n)))
               for n in (0, begin)],
        foot=f"{100 - drawing.FOOT:.0f}%",
    )  # fmt: skip


def plot_week(week: Week) -> drawing.Plot:
    """The median of each hour, and around it where four fifths of the values lie."""
    low, high = [slot.low for slot in week.slots], [slot.high for slot in week.slots]
    axis = drawing.Axis([*low, *high], zero=True)
    return drawing.Plot(
        lines=[
            drawing.Line("plot__band plot__band--a", drawing.area(low, high, axis)),
            drawing.Line("plot__line plot__line--a", drawing.path([slot.median for slot in week.slots], axis)),
        ],
        up=_up(axis),
        along=[drawing.Tick(drawing.percent(n / 7), weekday(n)) for n in range(7)],
        foot=f"{100 - drawing.FOOT:.0f}%",
    )


def _up(axis: drawing.Axis) -> list[drawing.Tick]:
    return [drawing.Tick(drawing.height(axis.share(value)), number(value, 0)) for value in axis.ticks()]


def say_week(week: Week) -> str:
    """The fullest and the emptiest hour in one sentence, and whether there are enough weeks."""
    known = [slot for slot in week.slots if slot.median is not None]
    if not known:
        return _("Nothing can be said: there are no counts in this time.")
    low = min(known, key=lambda slot: (slot.median or 0.0, slot.weekday, slot.clock))
    high = max(known, key=lambda slot: (slot.median or 0.0, -slot.weekday, -slot.clock))
    told = _("Usually the fewest spaces are free on %(low_day)s at %(low_time)s (%(low)s), and the most on "
             "%(high_day)s at %(high_time)s (%(high)s).") % {
        "low_day": weekday(low.weekday, "l"),
        "low_time": _hour(low.clock),
        "low": number(low.median, 0),
        "high_day": weekday(high.weekday, "l"),
        "high_time": _hour(high.clock),
        "high": number(high.median, 0),
    }  # fmt: skip
    if week.thin == len(week.slots):
        least = ngettext("There are fewer than %(n)d week of counts.", "There are fewer than %(n)d weeks of counts.",
                         LEAST_WEEKS)  # fmt: skip
        told = f"{told} {least % {'n': LEAST_WEEKS}}"
    return told


def week_rows(week: Week) -> list[tuple[str, list[str]]]:
    """Hours down, weekdays across: the median, and from where to where it usually lies."""
    by_hour: dict[int, list[str]] = {}
    for slot in week.slots:
        cell = number(slot.median, 0)
        if slot.low is not None and slot.high is not None:
            cell += f" ({number(slot.low, 0)}–{number(slot.high, 0)})"
        by_hour.setdefault(slot.clock, []).append(cell)
    return [(_hour(clock), cells) for clock, cells in sorted(by_hour.items())]


def _hour(clock: int) -> str:
    return f"{clock // 3_600_000_000}:{clock % 3_600_000_000 // 60_000_000:02}"


def weekday(number: int, form: str = "D") -> str:
    """0 is Monday."""
    return date_format(date(2024, 1, 1) + timedelta(days=number), form)


def day_words(day: date) -> str:
    """In the language's short form."""
    return date_format(day, "SHORT_DATE_FORMAT")


def span_words(span: Span) -> str:
    """From its first to its last day."""
    return f"{day_words(span.first)} – {day_words(span.last)}"


def as_rows(answers: list[Answer]) -> list[list[Any]]:
    """For a file: one row for each car park and window, figures with a point."""
    head = ["site", "name", "simulated", "metres", "window", "first", "last", "days", "expected_free", "mean_free",
            "difference", "low95", "high95", "net_difference", "net_low95", "net_high95", "arrivals_per_day_at_least",
            "arrivals_per_day_at_least_before"]  # fmt: skip
    return [head, *(row for answer in answers for row in _rows(answer))]


def _rows(answer: Answer) -> list[list[Any]]:
    windows = answer.effect.event.windows()
    rates = {each.part: _rate(each) for each in answer.turnover}
    site = answer.counted.site
    metres = None if answer.metres is None else round(answer.metres)
    return [
        [site.id, site.name, answer.counted.state.simulated, metres, change.part, *windows[change.part], change.days,
         change.expected, change.mean, *_figures(change.difference), *_figures(change.net), rates.get(change.part),
         rates.get("before")]
        for change in answer.effect.changes
    ]  # fmt: skip


def _rate(found: Turnover) -> float | None:
    figures = found.figures
    return None if figures is None or not figures.known else figures.arrivals * 86_400_000_000 / figures.known


def _figures(found: Estimate | None) -> tuple[float | None, float | None, float | None]:
    return (None, None, None) if found is None else (found.value, found.low, found.high)

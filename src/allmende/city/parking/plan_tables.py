"""What planners are shown beside the answer itself: turnover day by day, each chart as a table and as rows of a file,
and what stands in the way of a plain conclusion."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from allmende.city import drawing
from allmende.city.parking.plan_words import day_words, number, say_part, span_words, weekday
from allmende.city.parking.planning import Answer, Daily
from allmende.domain import times
from allmende.knowledge.analyses.effect import Effect, Part
from allmende.knowledge.analyses.values import Span
from allmende.knowledge.analyses.week import Week

_FEW = 0.5
"""A window of which fewer days than this share have counts is said to be thin; a day of which less is known is not
drawn."""


# --- what stands in the way ---


def say_doubts(effect: Effect, today: date, *, new: bool, begun: date | None) -> list[str]:
    """What is lacking for a plain answer. ``new``: the car park itself is what changed; ``begun`` is the day of its
    first count."""
    windows = effect.event.windows()
    found = []
    if new and not effect.usual_days:
        found.append(_("There are no counts of this car park from before, as is to be expected of a new one: what it "
                       "changed shows at the car parks around alone."))  # fmt: skip
    elif begun is not None and begun > windows["before"].first:
        found.append(_("This car park counts since %(day)s only.") % {"day": day_words(begun)})
    days: dict[Part, int] = {"before": effect.usual_days} | {each.part: each.days for each in effect.changes}
    for part, span in windows.items():
        values: dict[str, Any] = {"window": say_part(part), "days": days[part], "all": span.days}
        if span.last >= today:
            left = _("The window “%(window)s” is not over yet: of %(all)s days, %(days)s have counts.")
            found.append(left % values)
        elif days[part] < span.days * _FEW and not (new and part == "before"):
            few = _("In the window “%(window)s” only %(days)s of %(all)s days have counts: it may mislead.")
            found.append(few % values)
    return found


def say_school(found: tuple[Part, str, date, date]) -> str:
    """A school holiday within a window."""
    part, name, first, last = found
    when = day_words(first) if first == last else span_words(Span(first, last))
    return f"{say_part(part)}: {name + ', ' if name else ''}{when}"


# --- the days of an effect ---


def day_rows(effect: Effect) -> list[tuple[str, str, str, str]]:
    """Day, window, mean, what was to be expected."""
    days = sorted(effect.days, key=lambda each: each.day)
    return [
        (f"{weekday(each.day.weekday())} {day_words(each.day)}", say_part(each.part), number(each.mean),
         number(each.expected))
        for each in days
    ]  # fmt: skip


def day_file(answers: Sequence[Answer]) -> list[list[Any]]:
    """The same of all car parks."""
    head = ["site", "name", "simulated", "date", "window", "mean_free", "expected_free"]
    rows = [
        [answer.counted.site.id, answer.counted.site.name, answer.counted.state.simulated, each.day, each.part,
         each.mean, each.expected]
        for answer in answers
        for each in sorted(answer.effect.days, key=lambda day: day.day)
    ]  # fmt: skip
    return [head, *rows]


def week_file(week: Week) -> list[list[Any]]:
    """The usual week: 1 is Monday, hours as the clock shows them."""
    rows = [
        [slot.weekday + 1, f"{slot.clock // times.HOUR:02}:00", slot.median, slot.low, slot.high] for slot in week.slots
    ]
    return [["weekday", "hour", "median_free", "low80", "high80"], *rows]


# --- turnover ---


def say_turnover(daily: Sequence[Daily]) -> str:
    """Arrivals a day, and for each space, in a sentence or two."""
    known = [each.figures for each in daily if each.figures is not None and each.figures.known]
    time = sum(each.known for each in known)
    if not time:
        return _("Nothing can be said: there are no counts in this time.")
    arrivals = sum(each.arrivals for each in known)
    told = _("At least %(n)s cars arrived a day.") % {"n": number(arrivals * times.DAY / time, 0)}
    spaces = {each.capacity for each in known}
    if len(spaces) == 1 and (size := spaces.pop()):
        rate = number(arrivals * times.DAY / time / size, 2)
        each_space = _("Each space was taken anew %(rate)s times a day at least.") % {"rate": rate}
        told = f"{told} {each_space}"
    busiest = max(daily, key=lambda each: each.figures.arrivals if each.figures else -1)
    if busiest.figures is not None and busiest.figures.arrivals:
        day = f"{weekday(busiest.day.weekday(), 'l')}, {day_words(busiest.day)}"
        most = _("Most of them on %(day)s: %(n)s.") % {"day": day, "n": number(busiest.figures.arrivals, 0)}
        told = f"{told} {most}"
    missing = sum(1 for each in daily if each.figures is None or not each.figures.known)
    if missing:
        without = ngettext("%(n)d day has no counts.", "%(n)d days have no counts.", missing) % {"n": missing}
        told = f"{told} {without}"
    return told


def plot_turnover(daily: Sequence[Daily]) -> drawing.Plot:
    """Arrivals day by day, of days of which the most is known: a part of one would look like few arrivals."""
    arrivals = [
        _arrivals(each) if each.figures is not None and each.figures.known >= each.figures.length * _FEW else None
        for each in daily
    ]
    axis = drawing.Axis([*arrivals, 0.0])
    step = 7
    return drawing.Plot(
        lines=[drawing.Line("plot__line plot__line--a", drawing.path(arrivals, axis))],
        up=[drawing.Tick(drawing.height(axis.share(value)), number(value, 0)) for value in axis.ticks()],
        along=[
            drawing.Tick(drawing.percent(n / len(daily)), day_words(daily[n].day)) for n in range(0, len(daily), step)
        ][:: 2 if len(daily) > 2 * step else 1],
        foot=f"{100 - drawing.FOOT:.0f}%",
    )


def turnover_rows(daily: Sequence[Daily]) -> list[tuple[str, str, str, str, str]]:
    """Day, arrivals, arrivals for each space, mean occupancy, hours without data."""
    return [
        (
            f"{weekday(each.day.weekday())} {day_words(each.day)}",
            number(_arrivals(each), 0),
            number(each.figures.turnover if each.figures else None, 2),
            _percent(each.figures.occupancy if each.figures else None),
            number(each.figures.missing / times.HOUR if each.figures else 24.0),
        )
        for each in daily
    ]


def turnover_file(daily: Sequence[Daily]) -> list[list[Any]]:
    """The same for programs."""
    head = ["date", "arrivals_at_least", "arrivals_per_space_at_least", "mean_occupancy", "hours_known", "hours_closed"]
    rows: list[list[Any]] = []
    for each in daily:
        found = each.figures
        if found is None:
            rows.append([each.day, None, None, None, 0, 0])
            continue
        rows.append([each.day, found.arrivals, found.turnover, found.occupancy, found.known / times.HOUR,
                     found.shut / times.HOUR])  # fmt: skip
    return [head, *rows]


def _arrivals(each: Daily) -> float | None:
    return float(each.figures.arrivals) if each.figures is not None and each.figures.known else None


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{number(100 * share, 0)}\u202f%"

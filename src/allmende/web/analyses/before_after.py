"""``/explorer/before-after/``: what an event changed, compared with the weeks before, other streams and other years."""

from collections.abc import Sequence
from datetime import date
from typing import Any, NamedTuple

from django.http import HttpRequest, HttpResponse
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from allmende.city.drawing import FOOT, Axis, Line, Plot, Tick, height, path, percent
from allmende.domain.errors import InvalidInput
from allmende.domain.spans import Head
from allmende.knowledge.analyses.effect import Change, Compared, Control, Effect, Event, Part, before_and_after, check
from allmende.knowledge.analyses.resampling import LEAST_USUAL, Estimate
from allmende.web.analyses import answering, words
from allmende.web.analyses.asking import Asked, wrong
from allmende.web.analyses.reading import no_values, take_of

MOST_CONTROLS = 5
MOST_YEARS = 3


class Told(NamedTuple):
    """A window in words."""

    title: str
    sentence: str
    days: int
    expected: str
    mean: str
    difference: str
    interval: str
    compared: list[tuple[str, str, str]]
    net: str
    net_interval: str
    net_sentence: str


@require_safe
def before_after(request: HttpRequest) -> HttpResponse:
    """The page, or the same as a file."""
    asked = Asked(request)
    form = answering.wants_file(asked)
    stream = next(iter(asked.streams("stream")), None)
    others = asked.streams("control", MOST_CONTROLS)
    years = asked.number("years", 0, 0, MOST_YEARS)
    asked.choice("take", ("mean", "sum"))
    event = _event(asked)
    effect: Effect | None = None
    if stream is not None and event is not None and asked.ready:
        controls = [Control(each) for each in others if each.id != stream.id]
        controls += [Control(stream, event.year_ago(number)) for number in range(1, years + 1)]
        effect = _effect(asked, stream, event, controls)
    if form:
        if asked.ready and event is None:
            asked.faults["date"] = _("The day of the event is needed.")
        return answering.as_file(asked, form, "before-after", _table(effect), _body(effect))
    values: dict[str, Any] = {
        "stream": stream,
        "controls": [
            (f"control-{number}", number, identifier)
            for number, identifier in enumerate([*(each.id for each in others), ""][:MOST_CONTROLS], 1)
        ],
        "years": years,
        "day": asked.day("date"),
        "until": asked.day("until"),
        "weeks": asked.number("weeks", 4, 2, 26),
        "weekdays": _weekdays_offered(asked),
        "hours": (asked.number("hour_from", 0, 0, 23), asked.number("hour_to", 24, 1, 24)),
        "name": words.name_of(stream) if stream else "",
        "nothing": no_values(stream) if stream else "",
    }
    if effect is not None:
        values |= _shown(asked, effect)
    streams = [stream, *others] if stream else others
    return answering.page(request, "analyses/before_after.html", asked, streams, _fixed(streams, event), **values)


def _fixed(streams: Sequence[Head], event: Event | None) -> dict[str, Sequence[str]]:
    if event is None or not streams:
        return {}
    until = (event.last.isoformat(),) if event.last else ()
    ids = [each.id for each in streams]
    return {"stream": ids[:1], "control": ids[1:], "date": (event.first.isoformat(),), "until": until}


def _event(asked: Asked) -> Event | None:
    """None where no day is said."""
    first, last = asked.day("date"), asked.day("until")
    weekdays = _weekdays(asked)
    event_hours = (asked.number("hour_from", 0, 0, 23), asked.number("hour_to", 24, 1, 24))
    weeks = asked.number("weeks", 4, 2, 26)
    if first is None:
        return None
    event = Event(
        first=first,
        last=last,
        weeks=weeks,
        weekdays=frozenset(weekdays),
        hours=event_hours,
        percent=asked.choice("scale", ("units", "percent")) == "percent",
    )
    try:
        check(event)
    except InvalidInput as error:
        wrong(asked, error)
    return event


def _weekdays(asked: Asked) -> list[int]:
    """0 for Monday; in the address 1 to 7, all without any."""
    texts = asked.data.getlist("weekday")
    if any(text not in "1234567" or len(text) != 1 for text in texts):
        asked.faults["weekday"] = _("Days of the week are numbers from 1 for Monday to 7.")
        return list(range(7))
    return sorted({int(text) - 1 for text in texts}) or list(range(7))


def _weekdays_offered(asked: Asked) -> list[tuple[int, str, bool]]:
    chosen = _weekdays(asked)
    return [(day + 1, words.weekday(day), day in chosen) for day in range(7)]


def _effect(asked: Asked, stream: Head, event: Event, controls: Sequence[Control]) -> Effect | None:
    house = asked.house
    left_out: set[date] = set()
    for shift in {0, *(each.shift for each in controls)}:
        left_out |= asked.holidays(*event.span().moved(shift)).keys()
    try:
        return before_and_after(
            house.store,
            house.reader,
            stream,
            event,
            zone=asked.zone,
            controls=controls,
            leave_out=left_out,
            take=take_of(asked),
            limits=asked.limits,
        )
    except InvalidInput as error:
        wrong(asked, error)
        return None


def _shown(asked: Asked, effect: Effect) -> dict[str, Any]:
    unit = words.unit_of(effect.stream)
    windows = effect.event.windows()
    names = asked.holidays(*effect.event.span(), (get_language() or "")[:2])
    return {
        "effect": effect,
        "unit": unit,
        "told": [_told(each, effect, unit) for each in effect.changes],
        "few": effect.usual_days < LEAST_USUAL,
        "usual_days": effect.usual_days,
        "least": LEAST_USUAL,
        "windows": [(_part(part), words.span_words(span)) for part, span in windows.items()],
        "plot": _daily(effect),
        "profile": _profile(effect),
        "parts": [(part, _part(part)) for part in windows],
        "basis": words.told_basis(effect.basis, asked.zone),
        "bases": [
            (_control_name(each.control, effect), words.told_basis(each.basis, asked.zone))
            for each in effect.changes[0].compared
        ],
        "left_out": words.listed_days(effect.left_out, names),
        "rows": [
            (words.day(day.day), _part(day.part), words.number(day.mean), words.number(day.expected))
            for day in effect.days
        ],
        "hour_rows": [
            (f"{hour}:00", [words.number(effect.profile[part][hour]) for part in windows]) for hour in range(24)
        ],
    }


def _part(part: Part) -> str:
    return {"before": _("before"), "during": _("during"), "after": _("after")}[part]


def _told(change: Change, effect: Effect, unit: str) -> Told:
    scale = "%" if effect.event.percent else unit
    title = _("During the event") if change.part == "during" else _("After the event")
    if effect.event.last is None:
        title = _("Since then")
    net = change.net
    return Told(
        title=title,
        sentence=_sentence(change, effect, unit),
        days=change.days,
        expected=words.figure(change.expected, unit),
        mean=words.figure(change.mean, unit),
        difference=words.change(change.difference.value, scale) if change.difference else "–",
        interval=words.between(change.difference, scale) if change.difference else "",
        compared=[_compared(each, effect, scale) for each in change.compared],
        net=words.change(net.value, scale) if net else "–",
        net_interval=words.between(net, scale) if net else "",
        net_sentence=_net_sentence(change, scale),
    )


def _sentence(change: Change, effect: Effect, unit: str) -> str:
    found = change.difference
    if found is None or change.mean is None or change.expected is None:
        return _("Too few values: there are no days with values before and in this window. Nothing can be said.")
    size = words.figure(abs(change.mean - change.expected), unit)
    if change.expected > 0:
        size += f" ({words.number(round(100 * abs(change.mean - change.expected) / change.expected, 1))}\u202f%)"
    more = change.mean >= change.expected
    told = (
        _("It was %(size)s more than in the same hours of the same weekdays before: %(mean)s, after %(expected)s.")
        if more
        else _("It was %(size)s less than in the same hours of the same weekdays before: %(mean)s, after %(expected)s.")
    ) % {
        "size": size,
        "mean": words.figure(change.mean, unit),
        "expected": words.figure(change.expected, unit),
    }
    return f"{told} {_certainty(found, '%' if effect.event.percent else unit)}"


def _certainty(found: Estimate, scale: str) -> str:
    if found.low is None:
        return _("Too few days to say how sure this is.")
    interval = words.between(found, scale)
    if found.clear:
        return _("The difference is larger than chance alone lets expect (95 %%: %(interval)s).") % {
            "interval": interval
        }
    return _("It may be chance: no difference at all is possible, too (95 %%: %(interval)s).") % {"interval": interval}


def _net_sentence(change: Change, scale: str) -> str:
    if not change.compared:
        return ""
    if change.net is None:
        return _("Too few values: the streams have no days in common.")
    told = _("Without what changed in the comparisons as well, %(net)s is left.") % {
        "net": words.change(change.net.value, scale)
    }
    return f"{told} {_certainty(change.net, scale)}"


def _compared(each: Compared, effect: Effect, scale: str) -> tuple[str, str, str]:
    found = each.difference
    return (
        _control_name(each.control, effect),
        words.change(found.value, scale) if found else "–",
        words.between(found, scale) if found else "",
    )


def _control_name(control: Control, effect: Effect) -> str:
    if not control.shift:
        return words.name_of(control.stream)
    years = round(-control.shift / 365.2425)
    moved = effect.event.span().moved(control.shift)
    told = ngettext("%(n)d year earlier", "%(n)d years earlier", years) % {"n": years}
    return f"{told} ({words.span_words(moved)})"


def _daily(effect: Effect) -> Plot:
    """Each day's mean, and as a thin line what was to be expected."""
    span = effect.event.span()
    known = {day.day: day for day in effect.days}
    days = [known.get(date.fromordinal(span.first.toordinal() + n)) for n in range(span.days)]
    means, usual = [day.mean if day else None for day in days], [day.expected if day else None for day in days]
    axis = Axis([*means, *usual], zero=True)
    begin = (effect.event.first - span.first).days
    length = (effect.event.last - effect.event.first).days + 1 if effect.event.last else span.days - begin
    left, right = begin / span.days * 1000, (begin + length) / span.days * 1000
    return Plot(
        lines=[
            Line("plot__window", f"M{left:.1f} 0H{right:.1f}V1000H{left:.1f}Z"),
            Line("plot__line plot__line--thin", path(usual, axis)),
            Line("plot__line plot__line--a", path(means, axis)),
        ],
        up=[Tick(height(axis.share(value)), words.number(value)) for value in axis.ticks()],
        along=[
            Tick(percent(n / span.days), words.day(date.fromordinal(span.first.toordinal() + n))) for n in (0, begin)
        ],
        foot=f"{100 - FOOT:.0f}%",
    )


def _profile(effect: Effect) -> Plot:
    """The mean of each hour on the wall, a line for each window."""
    styles = {"before": "plot__line--b", "during": "plot__line--c", "after": "plot__line--a"}
    axis = Axis([value for part in effect.profile.values() for value in part], zero=True)
    return Plot(
        lines=[Line(f"plot__line {styles[part]}", path(values, axis)) for part, values in effect.profile.items()],
        up=[Tick(height(axis.share(value)), words.number(value)) for value in axis.ticks()],
        along=[Tick(percent(hour / 24), f"{hour}:00") for hour in (0, 6, 12, 18)],
        foot=f"{100 - FOOT:.0f}%",
    )


def _table(effect: Effect | None) -> list[list[Any]]:
    table: list[list[Any]] = [["day", "window", "mean", "expected"]]
    if effect is not None:
        table += [[day.day, day.part, day.mean, day.expected] for day in effect.days]
    return table


def _body(effect: Effect | None) -> dict[str, Any]:
    if effect is None:
        return {}
    return {
        "stream": answering.stream_body(effect.stream),
        "windows": {part: list(span) for part, span in effect.event.windows().items()},
        "scale": "percent" if effect.event.percent else "units",
        "usual_days": effect.usual_days,
        "changes": [_change_body(each) for each in effect.changes],
        "days": effect.days,
        "profile": effect.profile,
        "basis": answering.basis_body(effect.basis),
        "left_out": answering.days_body(effect.left_out),
    }


def _change_body(change: Change) -> dict[str, Any]:
    return {
        "window": change.part,
        "days": change.days,
        "expected": change.expected,
        "mean": change.mean,
        "difference": change.difference,
        "net": change.net,
        "net_days": change.net_days,
        "compared": [
            {
                "stream": each.control.stream.id,
                "shift_days": each.control.shift,
                "difference": each.difference,
                "basis": answering.basis_body(each.basis),
            }
            for each in change.compared
        ],
    }

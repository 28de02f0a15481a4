"""``/parking/plan/``: for planners. The whole question stands in the address."""

import csv
import io
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_safe

from allmende.city.house import House, house_of
from allmende.city.parking import plan_tables as tables
from allmende.city.parking import plan_words as words
from allmende.city.parking.plan_asking import USUAL_WEEKS, Asked
from allmende.city.parking.plan_known import Known, also_then, fitting, known_changes, school_holidays
from allmende.city.parking.planning import Answer, Daily, holidays_of, read_effects, read_turnover, read_week
from allmende.city.parking.pricing.keeping import tariffs_in_force
from allmende.domain import times
from allmende.domain.errors import InvalidInput
from allmende.knowledge.analyses.calendar import local_day
from allmende.knowledge.analyses.values import Span
from allmende.knowledge.analyses.week import Week

FILES = {"effect": "parking-plan", "days": "parking-days", "week": "parking-week", "turnover": "parking-turnover"}
"""Tables that are given as files, and what the file is called."""


@require_safe
@gzip_page
def show_plan(request: HttpRequest) -> HttpResponse:
    """The page. With ``known``, the key of something that the house knows of: the question about that."""
    house = house_of(request)
    asked = Asked(request, house)
    known = known_changes(house.profile, tariffs_in_force(house.profile), asked.counted, house.now())
    chosen = next((each for each in known if each.key == request.GET.get("known")), None)
    if chosen is not None:
        return HttpResponseRedirect(f"{reverse('parking:plan')}?{urlencode(asked.filled_with(chosen))}")
    answers = _answers(asked, house)
    span = _usual_span(asked, house)
    week, daily = _week(asked, house, span), _turnover(asked, house, span)
    names = {each.site.id: each.site.name for each in asked.counted}
    values: dict[str, Any] = {
        "asked": asked,
        "places": [(each.site.id, each.site.name, each.state.simulated) for each in asked.counted],
        "whats": [(what, words.say_what(what)) for what in words.WHAT],
        "known": _grouped(known, names),
        "nearby": [(each.counted.site.id, each.counted.site.name, words.say_near(each.metres), picked)
                   for each, picked in asked.nearby()],
        "link": f"{reverse('parking:plan-csv')}?{request.GET.urlencode()}",
        **_of_effect(asked, house, answers, known, names),
    }  # fmt: skip
    if week is not None and span is not None:
        values |= {
            "week_words": words.say_week(week),
            "week_plot": words.plot_week(week),
            "week_rows": words.week_rows(week),
            "week_span": words.span_words(span),
            "weekdays": [words.weekday(n) for n in range(7)],
        }
    if daily:
        values |= {
            "turnover_words": tables.say_turnover(daily),
            "turnover_plot": tables.plot_turnover(daily),
            "turnover_rows": tables.turnover_rows(daily),
            "turnover_span": words.span_words(Span(daily[0].day, daily[-1].day)),
        }
    return render(request, "parking/plan.html", values, status=400 if asked.faults else 200)


@require_safe
def send_plan(request: HttpRequest) -> HttpResponse:
    """A table of the same question as CSV: ``table`` is one of FILES, the effects where nothing is said."""
    house = house_of(request)
    asked = Asked(request, house)
    table = request.GET.get("table") or "effect"
    rows: list[list[Any]] | None = None
    if table not in FILES:
        asked.faults["table"] = _("Choose one of these: %(choices)s.") % {"choices": ", ".join(FILES)}
    elif table in ("effect", "days"):
        answers = _answers(asked, house)
        if answers:
            rows = words.as_rows(answers) if table == "effect" else tables.day_file(answers)
        elif not asked.faults:
            asked.faults["date"] = _("A car park and the day of the change are needed.")
    else:
        span = _usual_span(asked, house)
        if table == "week" and (week := _week(asked, house, span)) is not None:
            rows = tables.week_file(week)
        elif table == "turnover" and (daily := _turnover(asked, house, span)):
            rows = tables.turnover_file(daily)
        elif not asked.faults:
            asked.faults["site"] = _("Choose a car park.")
    if rows is None or asked.faults:
        return HttpResponse("\n".join(asked.faults.values()), status=400, content_type="text/plain; charset=utf-8")
    target = io.StringIO()
    csv.writer(target, lineterminator="\r\n").writerows(rows)
    response = HttpResponse(target.getvalue(), content_type="text/csv; charset=utf-8; header=present")
    response["Content-Disposition"] = f'attachment; filename="{FILES[table]}.csv"'
    return response


def _grouped(known: Sequence[Known], names: dict[str, str]) -> list[tuple[str, list[tuple[str, str]]]]:
    groups = ((words.say_kind(what), [each for each in known if each.what == what]) for what in words.WHAT)
    return [(title, [(each.key, words.say_known(each, names)) for each in found]) for title, found in groups if found]


def _of_effect(
    asked: Asked, house: House, answers: Sequence[Answer], known: Sequence[Known], names: dict[str, str]
) -> dict[str, Any]:
    """What the page tells of the answers."""
    if not answers:
        return {}
    effect, own = answers[0].effect, answers[0].counted.site.id
    windows = effect.event.windows()
    itself = fitting(known, asked.what, own, effect.event.first, effect.event.last)
    beside = also_then(itself, effect.event.span(), {each.counted.site.id for each in answers}, known)
    zone, first = house.profile.time_zone, answers[0].counted.head.first
    today = local_day(times.from_datetime(house.now()), zone)
    begun = None if first is None else local_day(first, zone)
    return {
        "told": words.tell(list(answers)),
        "plot": words.plot_days(effect),
        "day_rows": tables.day_rows(effect),
        "doubts": tables.say_doubts(effect, today, new=asked.what == "garage", begun=begun),
        "beside": [words.say_known(each, names) for each in beside],
        "school": [tables.say_school(each) for each in school_holidays(house.profile, windows)],
        "windows": [(words.say_part(part), words.span_words(span)) for part, span in windows.items()],
        "left_out": [words.day_words(day) for day in effect.left_out],
        "alone": len(answers) == 1,
    }


def _answers(asked: Asked, house: House) -> list[Answer]:
    event = asked.event()
    if asked.site is None or event is None or asked.faults:
        return []
    out = frozenset() if asked.holidays else holidays_of(house.profile, event.span())
    try:
        return read_effects(
            house.store,
            house.reader,
            house.profile,
            asked.site,
            [each for each, picked in asked.nearby() if picked],
            event,
            controls=asked.controls,
            leave_out=out,
            limits=asked.limits,
            now=house.now(),
        )
    except InvalidInput as error:
        asked.wrong(error)
        return []


def _usual_span(asked: Asked, house: House) -> Span | None:
    """The weeks before the day, or the newest ones with counts."""
    if asked.site is None or asked.faults or asked.site.head.last is None:
        return None
    if asked.first is not None:
        last = asked.first - timedelta(days=1)
    else:
        last = local_day(asked.site.head.last, house.profile.time_zone)
    return Span(last - timedelta(weeks=max(asked.weeks, USUAL_WEEKS)) + timedelta(days=1), last)


def _week(asked: Asked, house: House, span: Span | None) -> Week | None:
    if asked.site is None or span is None:
        return None
    out = frozenset() if asked.holidays else holidays_of(house.profile, span)
    try:
        return read_week(house.store, house.reader, house.profile, asked.site, span, leave_out=out, limits=asked.limits)
    except InvalidInput as error:
        asked.wrong(error)
        return None


def _turnover(asked: Asked, house: House, span: Span | None) -> list[Daily]:
    """Of the last weeks of the same span."""
    if asked.site is None or span is None or asked.faults:
        return []
    first = max(span.first, span.last - timedelta(weeks=USUAL_WEEKS) + timedelta(days=1))
    return read_turnover(house.store, house.reader, house.profile, asked.site, Span(first, span.last), house.now())

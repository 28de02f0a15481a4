"""``/parking/plan/``: for planners. The whole question stands in the address."""

import csv
import io
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_safe

from allmende.city.house import House, house_of
from allmende.city.parking import plan_words as words
from allmende.city.parking.counted import Counted
from allmende.city.parking.now import counted_at
from allmende.city.parking.planning import (
    AROUND,
    Answer,
    find,
    holidays_of,
    neighbours,
    read_effects,
    read_week,
)
from allmende.city.parking.tariffs_file import tariffs_of
from allmende.domain import times
from allmende.domain.errors import InvalidInput, NotFound
from allmende.knowledge.analyses.effect import Event, check
from allmende.knowledge.analyses.values import Limits, Span
from allmende.knowledge.analyses.week import Week

MOST_METRES = 5_000
MOST_CONTROLS = 3
_USUAL_WEEKS = 4
_SAID = (
    gettext_noop("this span has too many buckets of this width"),
    gettext_noop("this span has too many readings"),
    gettext_noop("the hours go from an earlier to a later one, from 0 to 24"),
    gettext_noop("the event ends before it begins"),
    gettext_noop("there is no car park %(id)s with counts"),
)
"""What the analyses themselves say of a question."""


class _Asked:
    """The question in an address. What is wrong with it is noted in ``faults`` by its field."""

    def __init__(self, request: HttpRequest, house: House) -> None:
        self.data = request.GET
        self.house = house
        self.faults: dict[str, str] = {}
        found = counted_at(house, house.now())
        self.counted = [each for each in found if each.head.last is not None]
        what = self._text("what") or words.WHAT[0]
        if what not in words.WHAT:
            self.faults["what"] = _("Choose one of these: %(choices)s.") % {"choices": ", ".join(words.WHAT)}
            what = words.WHAT[0]
        self.what = what
        self.first, self.last = self._day("date"), self._day("until")
        self.weeks = self._number("weeks", _USUAL_WEEKS, 2, 26)
        self.hours = (self._number("hour_from", 7, 0, 23), self._number("hour_to", 20, 1, 24))
        self.metres = self._number("metres", AROUND, 0, MOST_METRES)
        self.holidays = self._text("holidays") == "in"
        self.site = self._site("site", self._text("site"))
        chosen = [self._site("control", text) for text in self.data.getlist("control")[:MOST_CONTROLS] if text.strip()]
        self.controls = [each for each in chosen if each is not None]

    @property
    def limits(self) -> Limits:
        """Of one analysis, as they are set for the house."""
        config = settings.ALLMENDE
        return Limits(buckets=config.analysis_buckets, readings=config.analysis_readings)

    def event(self) -> Event | None:
        """None without a day, or where it makes no sense."""
        if self.first is None or self.faults:
            return None
        event = Event(first=self.first, last=self.last, weeks=self.weeks, hours=self.hours)
        try:
            check(event)
        except InvalidInput as error:
            self.wrong(error)
            return None
        return event

    def wrong(self, error: InvalidInput | NotFound) -> None:
        """Note what is said of the question."""
        self.faults[error.where or "site"] = (
            _(error.template) % error.arguments if error.arguments else _(error.template)
        )

    def _text(self, field: str) -> str:
        return self.data.get(field, "").strip()[:300]

    def _day(self, field: str) -> date | None:
        text = self._text(field)
        if not text:
            return None
        try:
            found = date.fromisoformat(text)
            if not 1990 <= found.year <= 2200:
                raise ValueError
        except ValueError:
            self.faults[field] = _("This is no day. Write e.g. 2026-11-01.")
            return None
        return found

    def _number(self, field: str, usual: int, low: int, high: int) -> int:
        text = self._text(field)
        if not text:
            return usual
        if text.isascii() and text.isdigit() and len(text) < 7 and low <= int(text) <= high:
            return int(text)
        self.faults[field] = _("Write a whole number from %(low)s to %(high)s.") % {"low": low, "high": high}
        return usual

    def _site(self, field: str, text: str) -> Counted | None:
        if not text:
            return None
        try:
            return find(self.counted, text)
        except NotFound as error:
            self.faults[field] = _(error.template) % error.arguments
            return None


@require_safe
@gzip_page
def show_plan(request: HttpRequest) -> HttpResponse:
    """The page."""
    house = house_of(request)
    asked = _Asked(request, house)
    answers = _answers(asked, house)
    week, span = _week(asked, house)
    values: dict[str, Any] = {
        "asked": asked,
        "places": [(each.site.id, each.site.name, each.state.simulated) for each in asked.counted],
        "whats": [(what, words.say_what(what)) for what in words.WHAT],
        "changes": _known_changes(house),
        "told": words.tell(answers),
        "plot": words.plot_days(answers[0].effect) if answers else None,
        "effect": answers[0].effect if answers else None,
        "windows": [(words.say_part(part), f"{words.day_words(each.first)} – {words.day_words(each.last)}")
                    for part, each in answers[0].effect.event.windows().items()] if answers else [],
        "left_out": [words.day_words(day) for day in answers[0].effect.left_out] if answers else [],
        "alone": bool(answers) and len(answers) == 1,
        "link": f"{reverse('parking:plan-csv')}?{request.GET.urlencode()}",
        "week_words": words.say_week(week) if week else "",
        "week_plot": words.plot_week(week) if week else None,
        "week_rows": words.week_rows(week) if week else [],
        "week_span": f"{words.day_words(span.first)} – {words.day_words(span.last)}" if span else "",
        "weekdays": [words.weekday(n) for n in range(7)],
    }  # fmt: skip
    return render(request, "parking/plan.html", values, status=400 if asked.faults else 200)


@require_safe
def send_plan(request: HttpRequest) -> HttpResponse:
    """The effects of the same question as CSV."""
    house = house_of(request)
    asked = _Asked(request, house)
    answers = _answers(asked, house)
    if not asked.faults and not answers:
        asked.faults["date"] = _("A car park and the day of the change are needed.")
    if asked.faults:
        return HttpResponse("\n".join(asked.faults.values()), status=400, content_type="text/plain; charset=utf-8")
    target = io.StringIO()
    csv.writer(target, lineterminator="\r\n").writerows(words.as_rows(answers))
    response = HttpResponse(target.getvalue(), content_type="text/csv; charset=utf-8; header=present")
    response["Content-Disposition"] = 'attachment; filename="parking-plan.csv"'
    return response


def _answers(asked: _Asked, house: House) -> list[Answer]:
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
            neighbours(asked.site, asked.counted, asked.metres),
            event,
            controls=asked.controls,
            leave_out=out,
            limits=asked.limits,
            now=house.now(),
        )
    except InvalidInput as error:
        asked.wrong(error)
        return []


def _week(asked: _Asked, house: House) -> tuple[Week | None, Span | None]:
    """Of the weeks before the day, or of the newest ones."""
    if asked.site is None or asked.faults or asked.site.head.last is None:
        return None, None
    zone = ZoneInfo(house.profile.time_zone)
    if asked.first is not None:
        last = asked.first - timedelta(days=1)
    else:
        last = times.to_datetime(asked.site.head.last).astimezone(zone).date()
    span = Span(last - timedelta(weeks=max(asked.weeks, _USUAL_WEEKS)) + timedelta(days=1), last)
    out = frozenset() if asked.holidays else holidays_of(house.profile, span)
    try:
        week = read_week(house.store, house.reader, house.profile, asked.site, span, leave_out=out, limits=asked.limits)
    except InvalidInput as error:
        asked.wrong(error)
        return None, None
    return week, span


def _known_changes(house: House) -> list[tuple[str, str]]:
    """Days on which a tariff changed, as the city's table has them."""
    tariffs = tariffs_of(house.profile)
    days = {version.valid_from for plan in tariffs.plans.values() for version in plan.versions if version.valid_from}
    return [(day.isoformat(), words.day_words(day)) for day in sorted(days, reverse=True)]

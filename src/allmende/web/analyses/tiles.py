"""Kinds of tiles: a typical week and a calendar, as the pages show them, of the newest days."""

import threading
import time
from collections.abc import Mapping
from typing import Any, ClassVar
from urllib.parse import urlencode

from django import forms
from django.http import HttpRequest, QueryDict
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from allmende.domain.boards import Tile
from allmende.web.analyses import calendar, week
from allmende.web.analyses.asking import Asked
from allmende.web.boards.fields import StreamsField
from allmende.web.boards.kinds import Kind, TileForm, listed
from allmende.web.house import open_store

KEPT_SECONDS = 600.0
"""How long a tile of open data is shown again: a board asks every minute, and weeks change slowly."""
_MOST = 200
_lock = threading.Lock()
_kept: dict[tuple[object, ...], tuple[float, str]] = {}
"""By store, kind, tile, question and language: when it was drawn, and what."""


def forget() -> None:
    """Know nothing, as a process that has just started."""
    _kept.clear()


class WeekForm(TileForm):
    """Of a typical week."""

    streams = StreamsField(label=_("What is measured"), most=1)
    days = forms.IntegerField(label=_("Of so many days"), min_value=28, max_value=week.MOST_DAYS, initial=56)
    take = forms.ChoiceField(
        label=_("Values of a bucket"),
        choices=(("mean", _("mean (levels, temperatures, free spaces)")), ("sum", _("sum (counts, amounts)"))),
    )
    holidays = forms.BooleanField(label=_("Leave out public holidays"), required=False)


class CalendarForm(TileForm):
    """Of a calendar."""

    streams = StreamsField(label=_("What is measured"), most=1)
    by = forms.ChoiceField(
        label=_("Show"),
        choices=(
            ("hour", _("hours of days (up to 100 days)")),
            ("day", _("days of months (up to ten years)")),
        ),
    )
    days = forms.IntegerField(label=_("Of so many days"), min_value=1, max_value=calendar.MOST_YEARS_DAYS, initial=42)
    take = WeekForm.base_fields["take"]

    def clean(self) -> dict[str, Any]:
        """Hours are shown of fewer days."""
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("by") == "hour" and (cleaned.get("days") or 0) > calendar.MOST_DAYS:
            self.add_error("days", _("Hours are shown of 100 days at most."))
        return dict(cleaned)


class _Analysis(Kind):
    """A tile that asks what a page asks."""

    page: ClassVar[str]
    fields: ClassVar[tuple[str, ...]]

    def check(self, settings: Mapping[str, Any]) -> str:
        """See Kind."""
        return "" if len(listed(settings, "streams")) == 1 else "names one stream"

    def render(self, request: HttpRequest, tile: Tile) -> str:
        """See Kind. Who names a simulated stream has asked for it."""
        said = {"stream": next(iter(listed(tile.settings, "streams")), ""), "simulated": "1"}
        said |= {name: str(tile.settings[name]) for name in self.fields if tile.settings.get(name) not in (None, "")}
        if tile.settings.get("holidays"):
            said["holidays"] = "out"
        query = urlencode(said)
        if request.house.reader.datasets:  # type: ignore[attr-defined]  # set by HouseMiddleware
            return self._draw(request, tile, query)  # what is not open is read, and noted, each time
        key = (open_store(), self.name, tile.id, query, get_language() or "")
        now = time.monotonic()
        known = _kept.get(key)
        if known is None or now - known[0] > KEPT_SECONDS:
            known = (now, self._draw(request, tile, query))
            with _lock:
                _kept[key] = known
                while len(_kept) > _MOST:
                    _kept.pop(next(iter(_kept)))
        return known[1]

    def _draw(self, request: HttpRequest, tile: Tile, query: str) -> str:
        asked = Asked(request, QueryDict(query))
        values = self.answer(asked)
        values |= {"tile": tile, "faults": asked.faults, "address": f"{reverse(self.page)}?{query}"}
        return render_to_string(f"analyses/tiles/{self.name}.html", values)

    def answer(self, asked: Asked) -> dict[str, Any]:
        """What the template shows."""
        raise NotImplementedError


class TypicalWeek(_Analysis):
    """The usual week of one stream."""

    name = "typical-week"
    title: str | Promise = _("Typical week")
    summary: str | Promise = _("What is usual at each hour of the week.")
    form = WeekForm
    order = 60
    page = "analyses:week"
    fields = ("days", "take")

    def answer(self, asked: Asked) -> dict[str, Any]:
        """See above."""
        found = week.answer(asked)
        if found.stream is None or not found.weeks:
            return {}
        return {"stream": found.stream, **week.shown(asked, found.stream, found.weeks)}


class Calendar(_Analysis):
    """Hours of days, or days of months, of one stream in colours."""

    name = "calendar"
    title: str | Promise = _("Calendar in colours")
    summary: str | Promise = _("Every hour of the last weeks, or every day of the year.")
    form = CalendarForm
    order = 61
    page = "analyses:calendar"
    fields = ("days", "by", "take")

    def answer(self, asked: Asked) -> dict[str, Any]:
        """See above."""
        found = calendar.answer(asked)
        if found.stream is None or found.heat is None:
            return {}
        shown = calendar.shown(asked, found.stream, found.heat, found.by)
        return {"stream": found.stream, "by": found.by, **shown}

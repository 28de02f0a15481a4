"""The tile with a chart over time: the explorer's panel."""

import re
from collections.abc import Mapping
from typing import Any

from django import forms
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.translation import gettext_lazy as _

from allmende.domain.boards import Tile
from allmende.domain.errors import InvalidInput
from allmende.domain.times import from_datetime
from allmende.web.boards.fields import StreamsField
from allmende.web.boards.kinds import Kind, TileForm, listed
from allmende.web.boards.words import say
from allmende.web.explorer.asking import Span, read_span
from allmende.web.explorer.panel import make_panel

MOST = 6
SPANS = {
    "P1D": _("the last day"),
    "P7D": _("the last week"),
    "P31D": _("the last month"),
    "P1Y": _("the last year"),
}
_USUAL = "P7D"
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d(?:T\d\d:\d\d)?\Z", re.ASCII)


class SeriesForm(TileForm):
    """Of a chart."""

    streams = StreamsField(label=_("What is measured"), most=MOST)
    span = forms.ChoiceField(label=_("How far back"), choices=list(SPANS.items()), initial=_USUAL)


class Series(Kind):
    """Streams over time: a sentence, a chart that can be looked at closer, a table, the way to the explorer.

    Settings: ``streams``; ``span``, an ISO 8601 duration back from now, or ``from`` and ``to``, two moments by the
    city's clock, for a chart that stays as it is.
    """

    name = "series"
    title = _("Chart over time")
    summary = _("One or several streams as lines, of the last day, week, month or year.")
    form = SeriesForm
    order = 25
    headed = True
    reloads = True

    def check(self, settings: Mapping[str, Any]) -> str:
        """See Kind."""
        if not 1 <= len(listed(settings, "streams")) <= MOST:
            return f"names 1 to {MOST} streams"
        if any(name in settings and not _MOMENT.match(str(settings[name])) for name in ("from", "to")):
            return "from and to are days or times, e.g. 2026-05-01 or 2026-05-01T12:00"
        return ""

    def render(self, request: HttpRequest, tile: Tile) -> str:
        """See Kind."""
        panel = make_panel(
            request, listed(tile.settings, "streams"), _span(request, tile.settings), title=say(tile.title)
        )
        return render_to_string("explorer/_panel.html", panel, request)


def _span(request: HttpRequest, settings: Mapping[str, Any]) -> Span:
    house = request.house  # type: ignore[attr-defined]
    now, zone = from_datetime(house.now()), house.profile.time_zone
    said = {"from": str(settings.get("from") or f"-{settings.get('span', _USUAL)}"), "to": str(settings.get("to", ""))}
    try:
        return read_span(said, now, zone)
    except InvalidInput:  # what somebody wrote by hand must not take the page along
        return read_span({"from": f"-{_USUAL}"}, now, zone)

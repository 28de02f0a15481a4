"""Public alerts as a tile of dashboards and a block of stories: what lasts now, and how it was lately."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.translation import gettext_lazy as _

from allmende.domain.boards import Tile
from allmende.domain.catalogue import may_read
from allmende.domain.policy import ANONYMOUS
from allmende.web.alerts.events import seen_by
from allmende.web.alerts.models import RAISED
from allmende.web.alerts.show import by_severity, row_of
from allmende.web.alerts.words import text_of
from allmende.web.boards.kinds import Kind, TileForm
from allmende.web.boards.words import say

_MOST = 12


class AlertsForm(TileForm):
    """Of alerts."""

    alert = forms.ChoiceField(label=_("Only this alert"), required=False)

    def __init__(self, *args: Any, request: HttpRequest, **kwargs: Any) -> None:
        super().__init__(*args, request=request, **kwargs)
        profile = request.house.profile  # type: ignore[attr-defined]  # set by HouseMiddleware
        public = [
            (each.id, text_of(each.title))
            for each in profile.alerts.values()
            if each.public and may_read(profile.datasets[each.dataset], ANONYMOUS)
        ]
        self.fields["alert"].choices = [("", _("all that are public")), *public]  # type: ignore[attr-defined]


class Alerts(Kind):
    """What everybody is told of, and nothing else, so that everybody who sees the board may see it."""

    name = "alerts"
    title = _("Alerts")
    summary = _("What is out of the ordinary now, for everybody to see.")
    form = AlertsForm
    order = 60

    def check(self, settings: Mapping[str, Any]) -> str:
        """See Kind."""
        return "" if isinstance(settings.get("alert", ""), str) else "names one alert, or none for all"

    def render(self, request: HttpRequest, tile: Tile) -> str:
        """See Kind."""
        profile = request.house.profile  # type: ignore[attr-defined]
        known = seen_by(profile, ANONYMOUS, public=True)
        if tile.settings.get("alert"):
            known = known.filter(alert=str(tile.settings["alert"]))
        lasting = sorted(known.filter(state=RAISED)[:100], key=by_severity)
        last = known.exclude(state=RAISED).order_by("-over").first() if not lasting else None
        said = {
            "rows": [row_of(event) for event in lasting[:_MOST]],
            "count": len(lasting),
            "more": len(lasting) - _MOST,
            "last": row_of(last) if last else None,
            "title": say(tile.title),
        }
        return render_to_string("alerts/tile.html", said, request)

"""The tile of a forecast, for boards and stories."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings as house_settings
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.translation import gettext_lazy as _

from allmende.domain.boards import Tile
from allmende.web.boards.fields import StreamsField
from allmende.web.boards.kinds import Kind, TileForm, listed, register
from allmende.web.forecasts import show


class ForecastForm(TileForm):
    """Of a forecast."""

    streams = StreamsField(label=_("What is forecast"), most=1)


class Forecast(Kind):
    """The newest run of one stream's forecast, with its interval and its hits so far."""

    name = "forecast"
    title = _("Forecast")
    summary = _("What comes next, how sure it is, and how often it was right.")
    form = ForecastForm
    order = 45

    def check(self, settings: Mapping[str, Any]) -> str:
        """See Kind."""
        return "" if settings.get("streams") else "names no stream"

    def render(self, request: HttpRequest, tile: Tile) -> str:
        """See Kind."""
        house = request.house  # type: ignore[attr-defined]  # set by HouseMiddleware
        for wanted in listed(tile.settings, "streams")[:1]:
            for forecast in show.readable(house):
                streams = show.streams_of(house, forecast, show.state_of(house, forecast))
                chosen = next((each for each in streams if each.id == wanted), None)
                if chosen is not None:
                    said = show.view(house, forecast, chosen, house_settings.ALLMENDE)
                    return render_to_string("forecasts/tile.html", said, request)
        return render_to_string("forecasts/tile.html", {}, request)


def register_all() -> None:
    """Those of this app."""
    register(Forecast())

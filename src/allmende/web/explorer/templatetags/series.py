"""``{% series_panel ids span="P7D" title="…" %}``: a chart of streams, on any page."""

from collections.abc import Iterable
from typing import Any

from django import template
from django.http import HttpRequest

from allmende.domain.errors import InvalidInput
from allmende.domain.times import from_datetime
from allmende.web.explorer import asking
from allmende.web.explorer.panel import make_panel

register = template.Library()


@register.inclusion_tag("explorer/_panel.html", takes_context=True)
def series_panel(
    context: dict[str, Any],
    ids: str | Iterable[str],
    span: str = "P7D",
    title: str = "",
    start: str = "",
    end: str = "now",
    level: int = 2,
) -> dict[str, Any]:
    """A figure with a sentence, a chart, a table and the way to the explorer.

    ``ids``: one id or several. ``span``: how far it looks back from ``end``, an ISO 8601 duration; or ``start``. Both
    are what :func:`allmende.web.explorer.asking.read_span` takes. ``level``: of the heading. What whoever looks may not
    see is left out, as what is not there. The page's context has its ``request``.
    """
    request: HttpRequest = context["request"]
    house = request.house  # type: ignore[attr-defined]  # set by HouseMiddleware
    wanted = [ids] if isinstance(ids, str) else list(ids)
    said = {"from": start or f"-{span.removeprefix('-')}", "to": end}
    now, zone = from_datetime(house.now()), house.profile.time_zone
    try:
        read = asking.read_span(said, now, zone)
    except InvalidInput:  # a page that others wrote is not to fail as a whole
        read = asking.read_span({}, now, zone)
    return make_panel(request, wanted, read, title=title, level=level)

"""Pages and data of the explorer. All that is read is read as whoever asks."""

from typing import Any

import msgspec
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_cache_control
from django.views.decorators.http import require_safe

from allmende.domain.errors import InvalidInput
from allmende.domain.times import from_datetime
from allmende.knowledge.series import as_document, read_series
from allmende.web.explorer import asking
from allmende.web.explorer.panel import make_panel
from allmende.web.explorer.words import name_of, unit_of

FRESH = 10
"""Seconds for which a browser may show the same chart again."""


@require_safe
def series(request: HttpRequest) -> HttpResponse:
    """``series.json?stream=ID[&stream=ID…]&from=…&to=…&points=N``: see docs/how-to/explorer.md.

    400 for what cannot be understood, 404 where nothing that was asked for is there (or may be seen).
    """
    house = request.house  # type: ignore[attr-defined]  # set by HouseMiddleware
    zone, now = house.profile.time_zone, from_datetime(house.now())
    try:
        ids = asking.read_streams(request.GET)
        points = asking.read_points(request.GET)
        first = first_of(request, ids) if request.GET.get("from") == asking.ALL else None
        span = asking.read_span(request.GET, now, zone, first=first)
        chart = read_series(house.store, house.reader, ids, span.start, span.end, points, zone, now=now)
    except InvalidInput as error:
        return _json({"error": str(error)}, 400)
    if not chart.lines:
        return _json({"error": "there is no such stream"}, 404)
    said = as_document(chart)
    for told, line in zip(said["streams"], chart.lines, strict=True):
        told |= {"label": name_of(line.head), "unitText": unit_of(line)}
    return _json(said)


@require_safe
def start(request: HttpRequest) -> HttpResponse:
    """The explorer's page: what is shown stands in its address."""
    house = request.house  # type: ignore[attr-defined]
    zone, now = house.profile.time_zone, from_datetime(house.now())
    values: dict[str, Any] = {}
    try:
        ids = asking.read_streams(request.GET)
        span = asking.read_span(request.GET, now, zone, first=first_of(request, ids))
        values = make_panel(request, ids, span)
    except InvalidInput as error:
        values["fault"] = str(error)
    return render(request, "explorer/start.html", values, status=400 if values.get("fault") else 200)


def first_of(request: HttpRequest, ids: list[str]) -> int | None:
    """The time of the oldest reading of some streams."""
    house = request.house  # type: ignore[attr-defined]
    known = [head.first for head in house.store.heads(house.reader, ids) if head.first is not None]
    return min(known, default=None)


def _json(said: dict[str, Any], status: int = 200) -> HttpResponse:
    response = HttpResponse(msgspec.json.encode(said), status=status, content_type="application/json")
    patch_cache_control(response, private=True, max_age=FRESH if status == 200 else 0)
    return response

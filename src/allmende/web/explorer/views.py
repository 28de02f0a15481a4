"""Pages and data of the explorer. All that is read is read as whoever asks."""

from typing import Any

import msgspec
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_cache_control
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_safe

from allmende.domain.errors import InvalidInput
from allmende.domain.times import from_datetime
from allmende.knowledge.series import as_document, read_series
from allmende.web.explorer import asking, words
from allmende.web.explorer.offering import offer, places_document
from allmende.web.explorer.origin import describe_stream
from allmende.web.explorer.page import make_page, read_asked, read_charts
from allmende.web.explorer.values import to_csv
from allmende.web.explorer.words import words_of

FRESH = 10
"""Seconds for which a browser may show the same chart again."""


@require_safe
@gzip_page
def start(request: HttpRequest) -> HttpResponse:
    """The explorer's page; 400 with what is wrong where its address cannot be understood."""
    try:
        asked = read_asked(request)
        values = make_page(request, asked) | offer(request, asked)
    except InvalidInput as error:
        return render(request, "explorer/mistake.html", {"error": words_of(error)}, status=400)
    return render(request, "explorer/start.html", values)


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
        first = asking.first_of(house, ids) if request.GET.get("from") == asking.ALL else None
        span = asking.read_span(request.GET, now, zone, first=first)
        chart = read_series(house.store, house.reader, ids, span.start, span.end, points, zone, now=now)
    except InvalidInput as error:
        return _json({"error": str(error)}, 400)
    if not chart.lines:
        return _json({"error": "there is no such stream"}, 404)
    return _json(_labelled(as_document(chart), chart.lines))


@require_safe
def places(request: HttpRequest) -> HttpResponse:
    """``places.json``: the places that the page offers, as GeoJSON; it takes the page's options."""
    try:
        asked = read_asked(request)
    except InvalidInput as error:
        return _json({"error": str(error)}, 400)
    return _json(places_document(request, asked))


@require_safe
def values(request: HttpRequest, suffix: str) -> HttpResponse:
    """``values.csv`` and ``values.json``: what a chart shows, as a file; ``form=de`` for German spreadsheets."""
    house = request.house  # type: ignore[attr-defined]
    try:
        asked, points = read_asked(request), asking.read_points(request.GET)
        chart, earlier = read_charts(request, asked, points)
    except InvalidInput as error:
        return _json({"error": str(error)}, 400)
    if not chart.lines:
        return _json({"error": "there is no such stream"}, 404)
    name = f"{house.profile.id}-{words.day_of(chart.start, chart.zone):%Y-%m-%d}"
    if suffix == "json":
        said = _labelled(as_document(chart), chart.lines)
        if earlier is not None:
            said["before"] = _labelled(as_document(earlier), earlier.lines)
        response = _json(said)
    else:
        german = request.GET.get("form") == "de"
        body = to_csv([chart] if earlier is None else [chart, earlier], german=german)
        response = HttpResponse(body, content_type="text/csv; charset=utf-8; header=present")
        patch_cache_control(response, private=True, max_age=FRESH)
    response["Content-Disposition"] = f'attachment; filename="{name}.{suffix}"'
    return response


@require_safe
def origin(request: HttpRequest) -> HttpResponse:
    """How a number was made: ``?stream=ID&time=…`` of one reading, ``&from=…&to=…`` of those in a span."""
    try:
        found = describe_stream(request)
    except InvalidInput as error:
        return render(request, "explorer/mistake.html", {"error": words_of(error)}, status=400)
    if found is None:
        raise Http404("no such stream")
    return render(request, "explorer/origin.html", found)


def _labelled(said: dict[str, Any], lines: list[Any]) -> dict[str, Any]:
    """With what people call a stream and its unit."""
    for told, line in zip(said["streams"], lines, strict=True):
        told |= {"label": words.name_of(line.head), "unitText": words.unit_of(line)}
    return said


def _json(said: dict[str, Any], status: int = 200) -> HttpResponse:
    response = HttpResponse(msgspec.json.encode(said), status=status, content_type="application/json")
    patch_cache_control(response, private=True, max_age=FRESH if status == 200 else 0)
    return response

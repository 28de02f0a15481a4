"""The addresses of the feeds. They tell what everybody may know, whoever asks, and may be cached for a moment."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Any

import msgspec
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import get_conditional_response, patch_cache_control
from django.utils.http import http_date
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_safe
from lxml import etree

from allmende.city.house import House, house_of
from allmende.city.keeping import kept_for_all
from allmende.city.parking import read
from allmende.city.parking.feeds import datex, datex_v2, parkapi, parkapi_history, tables
from allmende.city.parking.feeds.versions import changed_at, number_of
from allmende.city.parking.now import states_at
from allmende.city.parking.operating.paperwork import stamp_of_papers
from allmende.city.parking.operating.pasts import pasts
from allmende.city.parking.state import SiteState
from allmende.city.parking.told import told_of
from allmende.domain.errors import InvalidInput
from allmende.domain.times import from_datetime, parse_instant, to_datetime

FRESH = 10
"""Seconds for which a cache in between may repeat an answer."""
LONGEST = timedelta(days=400)
MOST_PIECES = 20_000
"""Of a history in one answer; for more there are SensorThings and the datasets' files."""
_OF_304 = ("ETag", "Last-Modified", "Cache-Control")
WIDTHS = (300, 900, 3600, 86400)


def states_of(request: HttpRequest) -> tuple[House, tuple[SiteState, ...]]:
    """What everybody may know now: real sites alone, or with ``?simulated=true`` simulated ones alone."""
    house = house_of(request).for_anybody()
    played = is_asked(request, "simulated")
    simulated: Any = "beside" if played else "left-out"
    now = house.now()
    states = states_at(house, now, simulated=simulated)
    return house, tuple(state for state in states if state.simulated is played)


def is_asked(request: HttpRequest, name: str) -> bool:
    """Whether a parameter says yes."""
    return request.GET.get(name, "").lower() in ("true", "1", "yes")


def send(request: HttpRequest, body: bytes, media_type: str, changed: datetime, *, file: str = "") -> HttpResponse:
    """An answer that can be asked for on condition (ETag, Last-Modified) and cached for a moment."""
    response = HttpResponse(body, content_type=media_type)
    tag = f'"{blake2b(body, digest_size=12).hexdigest()}"'
    response.headers["ETag"] = tag
    response.headers["Last-Modified"] = http_date(changed.timestamp())
    if file:
        response.headers["Content-Disposition"] = f'attachment; filename="{file}"'
    patch_cache_control(response, public=True, max_age=FRESH)
    if "If-None-Match" in request.headers:
        return get_conditional_response(request, etag=tag, response=response) or response
    # A feed that falls silent, or a closure that ends, changes an answer and leaves it as old as it was: so the date
    # that somebody has must be this one, not a later one.
    if request.headers.get("If-Modified-Since") == response.headers["Last-Modified"]:
        return HttpResponse(status=304, headers={name: response.headers[name] for name in _OF_304})
    return response


def feed(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """A view of a feed: GET and HEAD, compressed as asked for, and 400 for what cannot be asked."""

    def shown(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return view(request, *args, **kwargs)
        except InvalidInput as error:
            body = msgspec.json.encode({"error": {"code": "invalid_parameter", "message": str(error)}})
            return HttpResponse(body, status=400, content_type="application/json")

    return require_safe(kept_for_all(papers=stamp_of_papers)(gzip_page(shown)))


def _as_json(request: HttpRequest, value: Any, states: tuple[SiteState, ...], kind: str = "json") -> HttpResponse:
    return send(request, msgspec.json.encode(value), f"application/{kind}", changed_at(states))


def _sources(states: tuple[SiteState, ...]) -> dict[str, list[SiteState]]:
    found: dict[str, list[SiteState]] = {}
    for state in states:
        found.setdefault(state.site.source or "profile", []).append(state)
    return found


def _page(request: HttpRequest, items: list[dict[str, Any]], states: tuple[SiteState, ...]) -> HttpResponse:
    asked: Mapping[str, str] = request.GET.dict()  # type: ignore[assignment]  # texts, of each name the last
    found = parkapi.search(items, asked, {number_of(source): source for source in _sources(states)})
    if request.path.endswith(".geojson"):
        return _as_json(request, parkapi.as_geojson(found.items), states, "geo+json")
    return _as_json(request, parkapi.as_page(found, request.path, asked), states)


def _sites(states: tuple[SiteState, ...]) -> list[dict[str, Any]]:
    zones = parkapi.zones_of(states)
    return [parkapi.as_site(state, zones) for state in parkapi.listed(states, bays=False)]


@feed
def send_sites(request: HttpRequest) -> HttpResponse:
    """ParkAPI: the sites, as a list or as GeoJSON."""
    _, states = states_of(request)
    return _page(request, _sites(states), states)


@feed
def send_site(request: HttpRequest, number: int) -> HttpResponse:
    """ParkAPI: one site."""
    _, states = states_of(request)
    asked = tuple(state for state in states if number_of(state.site.id) == number)
    items = [parkapi.as_site(state, parkapi.zones_of(states)) for state in parkapi.listed(asked, bays=False)]
    return _one(request, items, number, asked)


@feed
def send_site_history(request: HttpRequest, number: int) -> HttpResponse:
    """ParkAPI: the changes of one site from ``?from=`` to ``?to=`` (a week, where nothing is said), in pages."""
    house, states = states_of(request)
    state = next((each for each in parkapi.listed(states, bays=False) if number_of(each.site.id) == number), None)
    if state is None:
        return _one(request, [], number, states)
    start, end = _span(request, house.now())
    stream = next((each for each in state.site.streams if each.id == state.stream), None)
    items = []
    if stream is not None:
        told = told_of(house.profile, state.site, stream, pasts())
        segments, rooms = told.read(
            house.store, house.reader, from_datetime(start), from_datetime(min(end, house.now()))
        )
        items = parkapi_history.as_items(number, segments, rooms)
    asked: dict[str, str] = request.GET.dict()  # type: ignore[assignment]  # texts, of each name the last
    pages = {name: asked[name] for name in ("limit", "start") if name in asked}
    found = parkapi.search(items, {"limit": str(parkapi.MOST), **pages}, {})
    return _as_json(request, parkapi.as_page(found, request.path, {"limit": str(parkapi.MOST), **asked}), states)


@feed
def send_spots(request: HttpRequest) -> HttpResponse:
    """ParkAPI: single bays."""
    _, states = states_of(request)
    return _page(request, [parkapi.as_spot(state) for state in parkapi.listed(states, bays=True)], states)


@feed
def send_spot(request: HttpRequest, number: int) -> HttpResponse:
    """ParkAPI: one bay."""
    _, states = states_of(request)
    return _one(request, [parkapi.as_spot(state) for state in parkapi.listed(states, bays=True)], number, states)


@feed
def send_sources(request: HttpRequest) -> HttpResponse:
    """ParkAPI: where the sites come from."""
    house, states = states_of(request)
    items = [parkapi.as_source(house.profile, source, told) for source, told in sorted(_sources(states).items())]
    return _as_json(request, {"items": items, "total_count": len(items)}, states)


@feed
def send_source(request: HttpRequest, number: int) -> HttpResponse:
    """ParkAPI: one source."""
    house, states = states_of(request)
    items = [parkapi.as_source(house.profile, source, told) for source, told in _sources(states).items()]
    return _one(request, items, number, states)


def _one(request: HttpRequest, items: list[dict[str, Any]], number: int, states: tuple[SiteState, ...]) -> HttpResponse:
    found = next((item for item in items if item["id"] == number), None)
    if found is None:
        body = msgspec.json.encode({"error": {"code": "not_found", "message": f"there is no {number}"}})
        return HttpResponse(body, status=404, content_type="application/json")
    return _as_json(request, found, states)


@feed
def send_datex(request: HttpRequest, publication: str) -> HttpResponse:
    """DATEX II version 3: ``table`` or ``status``; ``?container=true`` in a message container."""
    house, states = states_of(request)
    if not any(state.site.kind != "parking-zone" for state in states):
        raise Http404("there is no parking site to publish")
    make = datex.table if publication == "table" else datex.status
    publisher = publisher_of(house)
    payload = make(states, publisher, test=is_asked(request, "simulated"))
    root = datex.contained(payload, publisher) if is_asked(request, "container") else payload
    return send(request, datex.written(root), "application/xml", changed_at(states))


@feed
def send_datex_v2(request: HttpRequest) -> HttpResponse:
    """DATEX II version 2, as the city's former feed."""
    house, states = states_of(request)
    root: etree._Element = datex_v2.status(states, publisher_of(house))
    return send(request, datex.written(root), "application/xml", changed_at(states))


def publisher_of(house: House) -> datex.Publisher:
    """Whose name stands on what the city gives out."""
    profile = house.profile
    name = profile.catalogue.publisher or profile.name
    language = profile.languages[0] if profile.languages else "de"
    said = profile.services.get("parking", {}).get("datex", {})
    return datex.Publisher(
        profile.country.lower(),
        name,
        language,
        str(said.get("national_identifier", "")),
        str(said.get("feed_type", "")),
    )


@feed
def send_table(request: HttpRequest) -> HttpResponse:
    """CSV: a row for each site."""
    _, states = states_of(request)
    body = tables.sites(states).encode()
    return send(request, body, "text/csv; charset=utf-8", changed_at(states), file="parking-sites.csv")


@feed
def send_history_table(request: HttpRequest, thing_id: str) -> HttpResponse:
    """CSV: free spaces of one site by pieces of ``?width=`` seconds, ``?from=`` and ``?to=`` in ISO 8601."""
    house = house_of(request).for_anybody()
    now = house.now()
    width = request.GET.get("width", "3600")
    if width not in map(str, WIDTHS):
        raise InvalidInput("width is %(given)s, not one of 300, 900, 3600, 86400", given=repr(width[:20]))
    start, end = _span(request, now)
    if (end - start).total_seconds() / int(width) > MOST_PIECES:
        raise InvalidInput("from %(start)s to %(end)s are more than %(most)s pieces",
                           start=start.isoformat(), end=end.isoformat(), most=MOST_PIECES)  # fmt: skip
    found = read.read_history(
        house.store, house.profile, house.reader, thing_id, start, end, int(width), now, pasts=pasts()
    )
    if found is None:
        raise Http404(thing_id)
    body = tables.history([found]).encode()
    return send(request, body, "text/csv; charset=utf-8", min(end, now), file="parking-history.csv")


def _span(request: HttpRequest, now: datetime) -> tuple[datetime, datetime]:
    """What is asked of the past; raises InvalidInput for a span that is none or too long."""
    end = _moment(request, "to") or now
    start = _moment(request, "from") or end - timedelta(days=7)
    if not timedelta() < end - start <= LONGEST:
        raise InvalidInput("from %(start)s to %(end)s are more than %(days)s days, or none",
                           start=start.isoformat(), end=end.isoformat(), days=LONGEST.days)  # fmt: skip
    return start, end


def _moment(request: HttpRequest, name: str) -> datetime | None:
    text = request.GET.get(name)
    return to_datetime(parse_instant(text.replace(" ", "+"))) if text else None


@require_safe
@gzip_page
def show_developers(request: HttpRequest) -> HttpResponse:
    """What there is for programs, and how to ask for it."""
    return render(request, "parking/developers.html", {"kinds": parkapi.KINDS, "most": parkapi.MOST, "fresh": FRESH})

"""Pages and data of the parking service. Values come from the store of ``request.house``, set by the web layer."""

import json
from datetime import datetime, timedelta
from functools import lru_cache
from hashlib import blake2b
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.cache import get_conditional_response, patch_cache_control
from django.utils.translation import gettext as _
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_safe

from allmende.city.house import house_of
from allmende.city.keeping import kept_for_all
from allmende.city.parking import opening_words, read
from allmende.city.parking.board import Board, CarPark, History
from allmende.city.parking.drivers import ahead, desk, words
from allmende.city.parking.facts import gather, simulation_of
from allmende.city.parking.inside import tell
from allmende.city.parking.now import states_at
from allmende.city.parking.opening import calendar_of
from allmende.city.parking.operating import paperwork
from allmende.city.parking.operating.paperwork import stamp_of_papers
from allmende.city.parking.operating.pasts import pasts
from allmende.city.parking.present import Row, as_columns, as_geojson, as_json, present, sum_up
from allmende.city.parking.state import SiteState
from allmende.city.parking.texts import texts_of_board, texts_of_car_park

RANGES: dict[str, tuple[timedelta, int]] = {"day": (timedelta(days=1), 900), "week": (timedelta(days=7), 3600)}
"""How far a chart looks back, and the seconds of one of its pieces."""

FRESH = 10
"""Seconds for which a cache in between may repeat what is known now."""


def board_now(request: HttpRequest) -> Board:
    """The board at this moment."""
    house = house_of(request)
    now = house.now()
    return read.board_of(states_at(house, now, kinds=[read.shown_kind(house.profile)]), now)


def states_now(request: HttpRequest) -> tuple[SiteState, ...]:
    """All sites at this moment, real ones and simulated ones, with what operators decided."""
    house = house_of(request)
    return states_at(house, house.now(), simulated="beside")


def history_of(request: HttpRequest, thing_id: str, span: str) -> History | None:
    """The history of one car park over one of RANGES, ending with the piece that contains this moment."""
    house = house_of(request)
    length, width = RANGES[span]
    now = house.now()
    end, decisions = ceil_time(now, width), paperwork.current(now, house.profile)
    return read.read_history(
        house.store,
        house.profile,
        house.reader,
        thing_id,
        end - length,
        end,
        width,
        now,
        decisions=decisions,
        pasts=pasts(),
    )


def ceil_time(moment: datetime, width: int) -> datetime:
    """The end of the piece of ``width`` seconds (counted from 1970, UTC) in which ``moment`` lies."""
    seconds = int(moment.timestamp())
    return datetime.fromtimestamp(seconds - seconds % width + width, tz=moment.tzinfo)


def board_context(request: HttpRequest) -> dict[str, Any]:
    """What the board's templates need."""
    house = house_of(request)
    shown = desk.look(request)
    return {
        "operates": house.may("parking.operate"),
        "board": shown.board,
        "rows": shown.rows,
        "groups": shown.groups,
        "below": shown.below,
        "silent": shown.silent,
        "more": shown.more,
        "also": [(what, words.say_what(what), count) for what, count in shown.also.items() if what != shown.asked.what],
        "disabled": shown.disabled,
        "asked": shown.asked,
        "total": sum_up(shown.board),
        "simulation": simulation_of(house.profile),
    }


@require_safe
@kept_for_all(papers=stamp_of_papers)
@gzip_page
def show_board(request: HttpRequest) -> HttpResponse:
    """The list and the map, with the driver's question."""
    values = board_context(request)
    asked = values["asked"]
    values["texts"] = texts_of_board()
    fields = asked.fields
    values["form"] = words.choices_of_form(asked.what, fields["needs"], fields["in"], fields["stay"])
    return render(request, "parking/board.html", values, status=400 if asked.faults else 200)


@require_safe
@kept_for_all(papers=stamp_of_papers)
@gzip_page
def show_fragment(request: HttpRequest) -> HttpResponse:
    """The list alone, for replacing it in the open page."""
    response = render(request, "parking/_board.html", board_context(request))
    patch_cache_control(response, private=True, max_age=0)  # the language comes from a cookie
    return response


@require_safe
@kept_for_all(papers=stamp_of_papers)
@gzip_page
def send_board(request: HttpRequest) -> HttpResponse:
    """The list as JSON; with a question also what it means for it."""
    shown = desk.look(request)
    if shown.asked.faults:
        return JsonResponse({"error": " ".join(shown.asked.faults.values()), "faults": shown.asked.faults}, status=400)
    parks = []
    for row in shown.rows:
        told = as_json(row, address_of(row.park))
        if found := shown.found.get(row.park.id):
            told["choice"] = words.as_json(found, shown.asked.wish)
        parks.append(told)
    others = [as_json(row, address_of(row.park)) for row in (*shown.below, *shown.silent)]
    body = {"simulated": shown.board.simulated, "carParks": parks, "others": others, "more": shown.more,
            "also": shown.also}  # fmt: skip
    tag = f'W/"{blake2b(json.dumps(body, sort_keys=True).encode(), digest_size=12).hexdigest()}"'
    response = for_a_moment(JsonResponse({"now": shown.board.now.isoformat(), **body}))
    response.headers["ETag"] = tag
    return get_conditional_response(request, etag=tag, response=response) or response  # type: ignore[return-value]


@require_safe
@kept_for_all(papers=stamp_of_papers)
@gzip_page
def send_map(request: HttpRequest) -> HttpResponse:
    """The car parks as GeoJSON; with a question those alone that suit or may suit."""
    shown = desk.look(request)
    rows = [
        (row, address_of(row.park))
        for row in (*shown.rows, *shown.below, *shown.silent)
        if not shown.found or shown.found[row.park.id].choice.verdict != "unsuitable"
    ]
    response = JsonResponse(as_geojson(rows), content_type="application/geo+json")
    return for_a_moment(response)


@require_safe
@kept_for_all(papers=stamp_of_papers)
@gzip_page
def show_car_park(request: HttpRequest, thing_id: str) -> HttpResponse:
    """One car park with its last day and week."""
    day = history_of(request, thing_id, "day")
    week = history_of(request, thing_id, "week")
    if day is None or week is None:
        raise Http404(thing_id)
    board = board_now(request)
    charts = [
        {
            "span": "day",
            "title": _("Last 24 hours"),
            "history": day,
            "caption": _("Free spaces, one row for each quarter of an hour, the newest first"),
        },
        {
            "span": "week",
            "title": _("Last 7 days"),
            "history": week,
            "caption": _("Free spaces, one row for each hour, the newest first"),
        },
    ]
    known = states_now(request)
    state = next((state for state in known if state.site.id == thing_id), None)
    # one that stepped aside for a measured one, or an area or a bay, is not on the board
    own = day.car_park if state is None else read.car_park(state)
    park = next((park for park in board.car_parks if park.id == thing_id), own)
    row: Row = present(park, board.now)
    profile = house_of(request).profile
    hours = day.site.fact("opening_hours")
    values = {
        "row": row,
        "park": park,
        "charts": charts if day.site.streams and not (state is not None and state.summed) else [],
        "inside": tell(known, state) if state is not None else None,
        "facts": gather(profile, day.site),
        "real_id": day.site.stands_for,
        "opening": opening_words.tell(hours, board.now, calendar_of(profile)) if isinstance(hours, str) else None,
        "simulation": simulation_of(profile),
        "texts": texts_of_car_park(),
        "board": board,
        "events": [each for each in paperwork.events_at(board.now) if day.site.stands_for in each.sites],
        "operates": house_of(request).may("parking.operate"),
        "real": day.site.stands_for,
        "ahead": ahead.look_ahead(house_of(request), day.site, board.now),
    }
    return render(request, "parking/car_park.html", values)


@require_safe
@kept_for_all(papers=stamp_of_papers)
@gzip_page
def show_now(request: HttpRequest, thing_id: str) -> HttpResponse:
    """The current value of one car park alone, for replacing it in the open page."""
    house, now = house_of(request), house_of(request).now()
    board = read.board_of(states_at(house, now, kinds=[read.shown_kind(house.profile)], only=thing_id), now)
    park = next((park for park in board.car_parks if park.id == thing_id), None)
    if park is None:  # it has a page all the same: it stepped aside for a measured one, or the other way round
        state = next((state for state in states_now(request) if state.site.id == thing_id), None)
        if state is None:
            raise Http404(thing_id)
        park = read.car_park(state)
    simulation = simulation_of(house_of(request).profile)
    values = {"board": board, "park": park, "row": present(park, board.now), "simulation": simulation}
    response = render(request, "parking/_now.html", values)
    patch_cache_control(response, private=True, max_age=0)  # the language comes from a cookie
    return response


@require_safe
@kept_for_all(papers=stamp_of_papers)
@gzip_page
def send_history(request: HttpRequest, thing_id: str) -> HttpResponse:
    """The values of a chart: ``?range=day`` or ``?range=week``."""
    span = request.GET.get("range", "day")
    if span not in RANGES:
        words = _("The range “%(given)s” is not known. Please use “day” or “week”.") % {"given": span}
        return JsonResponse({"error": words}, status=400)
    history = history_of(request, thing_id, span)
    if history is None:
        raise Http404(thing_id)
    return for_a_moment(JsonResponse(as_columns(history)))


def address_of(park: CarPark) -> str:
    """The address of the car park's page."""
    return _address(park.id)


@lru_cache(maxsize=2_000)  # a list of hundreds asks for the same again and again, and addresses do not change
def _address(park: str) -> str:
    return reverse("parking:car-park", args=[park])


def for_a_moment(response: HttpResponse) -> HttpResponse:
    """Let caches repeat the response for FRESH seconds."""
    patch_cache_control(response, public=True, max_age=FRESH)
    return response

"""``/parking/signs/``: every sign, one sign with what it shows and why, and its feed for the device that drives it."""

from datetime import timedelta
from typing import Any, NamedTuple

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotModified, JsonResponse
from django.shortcuts import render
from django.utils.cache import patch_cache_control
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_POST, require_safe

from allmende.city.house import House, house_of
from allmende.city.parking.feeds.datex import written
from allmende.city.parking.feeds.views import publisher_of
from allmende.city.parking.signs import controllers, feed, keeping, reports, vms, words
from allmende.city.parking.signs.drawing import Face, faces
from allmende.city.parking.signs.file import signs_of
from allmende.city.parking.signs.model import Display, Page, Shown, Signs, State
from allmende.city.parking.signs.models import SignToken
from allmende.city.parking.signs.rules import as_of, fall_back
from allmende.domain import times
from allmende.domain.errors import InvalidInput
from allmende.domain.profile import Profile

_CHANGES = timedelta(days=1)
_MOST_CHANGES = 20
_REPORT_BYTES = 20_000
_MOST_NAMES = 3
_STATES: tuple[State, ...] = ("free", "full", "closed", "unknown", "text", "blank")


class Row(NamedTuple):
    """One sign as the pages show it, in the active language."""

    display: Display
    shown: Shown
    state: str
    direction: str
    arrow: str
    faces: list[Face]
    sites: list[str]
    told: str
    """The same in few words."""
    differs: bool
    faults: list[str]
    report: reports.Reported | None


class Change(NamedTuple):
    """What a sign showed from a moment on."""

    at: Any
    state: str
    text: str


@require_safe
@gzip_page
def show_signs(request: HttpRequest) -> HttpResponse:
    """All signs by street; ``street``, ``direction`` and ``state`` choose some of them."""
    house = house_of(request)
    signs = signs_of(house.profile)
    chosen = {name: request.GET.get(name, "") for name in ("street", "direction", "state")}
    rows = [
        row
        for row in rows_of(house, signs)
        if chosen["street"] in ("", row.display.street)
        and chosen["direction"] in ("", row.display.direction)
        and chosen["state"] in ("", row.shown.state)
    ]
    values = {
        "streets": [(street, [row for row in rows if row.display.street == street]) for street in signs.streets],
        "count": len(rows),
        "all": len(signs.displays),
        "masts": len({display.mast for display in signs.displays.values()}),
        "chosen": chosen,
        "street_choices": signs.streets,
        "direction_choices": [(key, words.say_direction(key)) for key in ("forward", "backward")],
        "state_choices": [(key, words.say_state(key)) for key in _STATES],
        "facts": [_fact(fact) for fact in signs.facts],
        "simulated": any(display.simulated for display in signs.displays.values()),
        "may_operate": house.may("parking.operate"),
    }
    return render(request, "parking/signs.html", values)


@require_safe
@gzip_page
def show_sign(request: HttpRequest, sign: str) -> HttpResponse:
    """One sign: its simulated view, why it shows what it shows, what it showed before."""
    house = house_of(request)
    signs, display = find(house, sign)
    row = next(row for row in rows_of(house, signs) if row.display.id == display.id)
    operates = house.may("parking.operate")
    values: dict[str, Any] = {
        "row": row,
        "display": display,
        "shown": row.shown,
        "why": words.say_all(row.shown),
        "fall_back": " / ".join(_text(page) for page in fall_back(display)),
        "changes": _changes(house, display),
        "report": row.report,
        "may_operate": operates,
        "token": SignToken.objects.filter(display=display.id).first() if operates else None,
        "stream": keeping.stream_of(display.id),
        "open_feeds": signs.open_feeds,
    }
    return render(request, "parking/sign.html", values)


@require_safe
def send_feed(request: HttpRequest, sign: str) -> HttpResponse:
    """What the sign is to show now, as JSON."""
    return _send(request, sign, text=False)


@require_safe
def send_text(request: HttpRequest, sign: str) -> HttpResponse:
    """The same as lines of text."""
    return _send(request, sign, text=True)


@require_safe
@gzip_page
def send_datex(request: HttpRequest, publication: str) -> HttpResponse:
    """All signs as DATEX II: what there is, or what they show."""
    house = house_of(request)
    signs = signs_of(house.profile)
    if not signs.displays:
        raise Http404("this city has no signs")
    publisher, now = publisher_of(house), house.now()
    if publication == "table":
        root = vms.table(signs, publisher, now)
    else:
        root = vms.status(signs, keeping.kept(signs.displays), publisher, now)
    return _answer(request, written(root), "application/xml", signs_open=True)


@csrf_exempt  # a device shows its token in a header, which no page of others can make a browser send
@require_POST
def take_report(request: HttpRequest, sign: str) -> HttpResponse:
    """What a controller says of its sign; its token opens this sign alone."""
    house = house_of(request)
    signs, display = find(house, sign)
    if not controllers.opens(display.id, request.headers.get(controllers.HEADER, "")):
        return _refuse(_("The token does not open this sign. Send it in the header %s.") % controllers.HEADER, 403)
    if len(request.body) > _REPORT_BYTES:
        return _refuse(_("The report is too long; %s bytes are the most.") % _REPORT_BYTES, 413)
    shown = keeping.kept([display.id]).get(display.id)
    try:
        row = reports.take_report(house, display, request.body, shown, signs)
    except InvalidInput as error:
        return _refuse(error.message, 400)
    return JsonResponse({"differs": row.differs_since is not None})


def _send(request: HttpRequest, sign: str, *, text: bool) -> HttpResponse:
    house = house_of(request)
    signs, display = find(house, sign)
    if not signs.open_feeds and not controllers.opens(display.id, request.headers.get(controllers.HEADER, "")):
        return _refuse(_("The token does not open this sign. Send it in the header %s.") % controllers.HEADER, 403)
    shown = keeping.kept([display.id]).get(display.id)
    now = house.now()
    if text:
        body, kind = feed.as_text(display, shown, now).encode(), "text/plain; charset=utf-8"
    else:
        body, kind = feed.as_bytes(display, shown, now, signs.poll), "application/json"
    return _answer(request, body, kind, signs_open=signs.open_feeds)


def _answer(request: HttpRequest, body: bytes, kind: str, *, signs_open: bool) -> HttpResponse:
    """The bytes, or 304 for who has them."""
    tag = feed.tag(body)
    same = tag in [each.strip() for each in request.headers.get("If-None-Match", "").split(",")]
    response = HttpResponseNotModified() if same else HttpResponse(body, content_type=kind)
    response["ETag"] = tag
    # a cache in between asks again each time: what it kept may have run out
    if signs_open:
        patch_cache_control(response, public=True, no_cache=True)
    else:
        patch_cache_control(response, private=True, no_store=True)
    return response


def find(house: House, sign: str) -> tuple[Signs, Display]:
    """The city's signs and the one of this id. Raises Http404."""
    signs = signs_of(house.profile)
    if sign not in signs.displays:
        raise Http404(sign)
    return signs, signs.displays[sign]


def rows_of(house: House, signs: Signs) -> list[Row]:
    """All signs with what they show now."""
    known = keeping.kept(signs.displays)
    now = house.now()
    told = reports.read_reports(house.store, signs.displays, now)
    rows = []
    for display in signs.displays.values():
        shown = as_of(display, known.get(display.id), now)
        report = told.get(display.id)
        names = [_name_of(house.profile, site) for site in display.shows]
        rows.append(
            Row(
                display=display,
                shown=shown,
                state=words.say_state(shown.state),
                direction=words.say_direction(display.direction),
                arrow=words.say_arrow(display.arrow),
                faces=faces(display, shown),
                sites=names,
                told=_few(names),
                differs=bool(report and report.differs_since),
                faults=list(report.faults) if report else [],
                report=report,
            )
        )
    return rows


def _name_of(profile: Profile, site: str) -> str:
    thing = profile.thing(site)
    return thing.name if thing is not None else site


def _few(names: list[str]) -> str:
    if len(names) <= _MOST_NAMES:
        return " + ".join(names)
    return _("%(names)s and %(count)s more") % {"names": " + ".join(names[:2]), "count": len(names) - 2}


def _changes(house: House, display: Display) -> list[Change]:
    """The last changes, the newest first; a telling that changed nothing to be seen is none."""
    now = house.now()
    anybody = house.for_anybody()
    points = anybody.store.points(
        anybody.reader,
        keeping.stream_of(display.id),
        times.from_datetime(now - _CHANGES),
        times.from_datetime(now) + 1,
    )
    found: list[Change] = []
    last: Any = None
    for at, result in zip(points.times, points.results, strict=True):
        if not isinstance(result, dict) or (result.get("state"), result.get("pages")) == last:
            continue
        last = (result.get("state"), result.get("pages"))
        pages = result.get("pages") or []
        text = " | ".join(" / ".join(row.strip() for row in page if row.strip()) for page in pages)
        found.append(Change(times.to_datetime(at), words.say_state(result["state"]), text))
    return found[::-1][:_MOST_CHANGES]


def _text(page: Page) -> str:
    return " / ".join(row.strip() for row in page.rows if row.strip())


def _fact(fact: Any) -> dict[str, str]:
    language = (get_language() or "").split("-")[0]
    return {**fact, "words": fact.get(language) or fact.get("de", "")}


def _refuse(message: str, status: int) -> HttpResponse:
    response = JsonResponse({"error": message}, status=status)
    response["Cache-Control"] = "no-store"
    return response

"""``/parking/tariffs/``: what parking costs, and what a stay would cost; the same as JSON."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.cache import patch_cache_control
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_safe

from allmende.city.house import House, house_of
from allmende.city.parking import tariffs_words as words
from allmende.city.parking.facts import Statement
from allmende.city.parking.pricing.keeping import PRICE, tariffs_in_force
from allmende.city.parking.read import shown_kind
from allmende.city.parking.sites import Site, read_sites
from allmende.city.parking.tariffs import cost, cost_of
from allmende.city.parking.tariffs_model import Cost, Tariffs
from allmende.domain.errors import InvalidInput

PLAN = "plan:"
"""Before the id of a plan, where somebody knows the zone and not the car park."""
_USUAL = timedelta(hours=2)
_HOUR = 3600
_SAID = (
    gettext_noop("the stay ends before it begins"),
    gettext_noop("costs are told of stays of %(days)s days at most"),
)
"""What the counting itself says of a question."""


class _Asked(NamedTuple):
    where: str
    start: datetime
    end: datetime
    faults: dict[str, str]

    @property
    def given(self) -> bool:
        return bool(self.where)


@require_safe
@gzip_page
def show_tariffs(request: HttpRequest) -> HttpResponse:
    """The page: tariffs now, to come and before, and the calculator."""
    house = house_of(request)
    tariffs = tariffs_in_force(house.profile)
    places = _places(house, tariffs)
    asked = _ask(request, house, tariffs, places)
    found = _answer(tariffs, asked, places)
    zone = ZoneInfo(tariffs.zone)
    today = house.now().astimezone(zone).date()
    values: dict[str, Any] = {
        "rows": words.rows_of(tariffs, today),
        "permits": words.permits_of(tariffs, today),
        "open": words.say_open(tuple({code: None for plan in tariffs.plans.values() for version in plan.versions
                                      if version.covers(today) for code in version.not_said})),
        "places": [(key, place.name) for key, place in places.items()],
        "plans": [(f"{PLAN}{key}", words.name_of(plan.name)) for key, plan in tariffs.plans.items()],
        "limits": [(place.name, words.length(place.longest), place.says) for place in places.values()
                   if place.longest is not None and place.says is not None],
        "asked": asked,
        "from": f"{asked.start.astimezone(zone):%Y-%m-%dT%H:%M}",
        "until": f"{asked.end.astimezone(zone):%Y-%m-%dT%H:%M}",
        "told": words.tell(found, tariffs) if found is not None else None,
        "cost": found,
        "enters": house.may(PRICE),
    }  # fmt: skip
    if asked.given:
        values["link"] = f"{reverse('parking:cost-json')}?{request.GET.urlencode()}"
    return render(request, "parking/tariffs.html", values, status=400 if asked.faults else 200)


@require_safe
@gzip_page
def send_tariffs(request: HttpRequest) -> HttpResponse:
    """All tariffs as JSON."""
    house = house_of(request)
    response = JsonResponse(words.tariffs_as_json(tariffs_in_force(house.profile)))
    patch_cache_control(response, public=True, max_age=_HOUR)
    return response


@require_safe
def send_cost(request: HttpRequest) -> HttpResponse:
    """``?where=ID&from=2026-11-23T10:00&until=2026-11-23T12:00``: a cost as JSON; times on the city's clock, or with an
    offset."""
    house = house_of(request)
    tariffs = tariffs_in_force(house.profile)
    places = _places(house, tariffs)
    asked = _ask(request, house, tariffs, places)
    if not asked.given and not asked.faults:
        asked.faults["where"] = _("Choose where you want to park.")
    found = _answer(tariffs, asked, places)
    if found is None:
        return JsonResponse({"error": " ".join(asked.faults.values())}, status=400)
    return JsonResponse(words.cost_as_json(found))


class _Place(NamedTuple):
    name: str
    longest: int | None
    """Minutes that one may stay, whatever the tariff."""
    says: Statement | None
    """Who says so."""


def _places(house: House, tariffs: Tariffs) -> dict[str, _Place]:
    """All car parks that the reader may see, and sites that the tariffs alone tell of, by the ids of the real ones."""
    sites = read_sites(house.store, house.profile, house.reader, kinds=[shown_kind(house.profile)])
    found = {site.stands_for: _place(site) for site in sites}
    for key, each in tariffs.sites.items():
        if key not in found or (found[key].longest is None and each.longest is not None):
            name = found[key].name if key in found else words.name_of(each.name) if each.name else key
            found[key] = _Place(name, each.longest, words.state("", each.source, each.date))
    return dict(sorted(found.items(), key=lambda each: each[1].name.casefold()))


def _place(site: Site) -> _Place:
    said = next(iter(site.said("max_stay")), None)
    if said is None or not isinstance(said.value, int | float):
        return _Place(site.name, None, None)
    return _Place(site.name, int(said.value) // 60, words.state("", said.source, said.date))


def _ask(request: HttpRequest, house: House, tariffs: Tariffs, places: Mapping[str, _Place]) -> _Asked:
    """The question in the address; without one the next two hours."""
    zone = ZoneInfo(tariffs.zone)
    faults: dict[str, str] = {}
    where = request.GET.get("where", "").strip()[:300]
    if where and where not in places and where not in {f"{PLAN}{key}" for key in tariffs.plans}:
        faults["where"] = _("This car park or zone is not known here.")
    now = house.now().astimezone(zone).replace(second=0, microsecond=0)
    start = _moment(request.GET.get("from", ""), zone, now, "from", faults)
    end = _moment(request.GET.get("until", ""), zone, start + _USUAL, "until", faults)
    return _Asked(where, start, end, faults)


def _moment(text: str, zone: ZoneInfo, usual: datetime, field: str, faults: dict[str, str]) -> datetime:
    text = text.strip().replace(" ", "T")[:40]
    if not text:
        return usual
    try:
        found = datetime.fromisoformat(text)
        if not 1990 <= found.year <= 2200:
            raise ValueError
    except ValueError:
        faults[field] = _("This is no time. Write e.g. 2026-11-23T10:00.")
        return usual
    return found if found.tzinfo else found.replace(tzinfo=zone)


def _answer(tariffs: Tariffs, asked: _Asked, places: Mapping[str, _Place]) -> Cost | None:
    if not asked.given or asked.faults:
        return None
    try:
        if asked.where.startswith(PLAN):
            return cost_of(tariffs, tariffs.plans[asked.where.removeprefix(PLAN)], asked.start, asked.end)
        return cost(tariffs, asked.where, asked.start, asked.end, longest=places[asked.where].longest)
    except InvalidInput as error:
        asked.faults[error.where] = _(error.template) % error.arguments if error.arguments else _(error.template)
        return None

"""The pages of operators: the live board, a site, events. Who may is said by the deeds of SERVICE."""

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.cache import patch_cache_control
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from allmende.city.house import House, asks_for, house_of
from allmende.city.parking.operating import forms, paperwork, showing
from allmende.city.parking.operating.models import Calibration, Doubt, Event
from allmende.city.parking.signs import previewing
from allmende.city.parking.state import SiteState
from allmende.city.parking.texts import texts_of_live
from allmende.domain.errors import AllmendeError, Conflict

OPERATE, ARRANGE = "parking.operate", "parking.arrange"
FORMS: dict[str, type[forms.Paper]] = {
    "override": forms.OverrideForm,
    "closure": forms.ClosureForm,
    "lease": forms.LeaseForm,
    "choice": forms.ChoiceForm,
}
DEEDS = {"lease": ARRANGE, "choice": ARRANGE, "calibration": ARRANGE}
"""What lasts takes more than what is done at a desk each day."""


@require_safe
@asks_for(OPERATE)
def show_board(request: HttpRequest) -> HttpResponse:
    """The live board."""
    return _private(render(request, "parking/operate/board.html", {**_board(request), "texts": texts_of_live()}))


@require_safe
@asks_for(OPERATE)
def show_fragment(request: HttpRequest) -> HttpResponse:
    """The list alone, for replacing it in the open page."""
    return _private(render(request, "parking/operate/_board.html", _board(request)))


def _board(request: HttpRequest) -> dict[str, Any]:
    house = house_of(request)
    now = house.now()
    lines = showing.lines(showing.read(house, now), now)
    wanting = [line for line in lines if line.wants]
    every = request.GET.get("show") == "all" or not wanting
    return {
        "board": {"now": now},
        "lines": lines if every else wanting,
        "every": every,
        "wanting": len(wanting),
        "all": len(lines),
        "proposals": Calibration.objects.filter(state=Calibration.PROPOSED, ended__isnull=True).count(),
    }


@require_safe
@asks_for(OPERATE)
def show_site(request: HttpRequest, site: str) -> HttpResponse:
    """All that is known and decided of a site."""
    house = house_of(request)
    return _page(request, house, _find(house, site, house.now()), {})


@require_POST
@asks_for(OPERATE)
def decide(request: HttpRequest, site: str, kind: str) -> HttpResponse:
    """Write down a decision on a site."""
    house = house_of(request)
    now = house.now()
    if kind not in FORMS:
        raise Http404(kind)
    if (instead := _turned_away(house, kind)) is not None:
        return instead
    state = _find(house, site, now)
    form = FORMS[kind](request.POST, now=now, capacity=_whole_capacity(state), prefix=kind)
    if not form.is_valid():
        return _page(request, house, state, {kind: form}, status=422)
    try:
        said = _said(form, kind, state)
        paperwork.decide(house, kind, site, form.cleaned_data["seen"], now, **said)
    except Conflict:
        form.add_error(
            None, _("Somebody else has changed this car park's papers meanwhile. Look at them as they are now.")
        )
        fresh = form.data.copy()
        fresh[f"{kind}-seen"] = str(paperwork.version_of(site))
        form.data = fresh
        return _page(request, house, _find(house, site, now), {kind: form}, status=409)
    messages.success(request, _("It is written down, and holds from its start on."))
    return HttpResponseRedirect(reverse("parking:operate-site", args=[site]))


def _said(form: forms.Paper, kind: str, state: SiteState) -> dict[str, Any]:
    said = form.values()
    if kind != "choice":
        return said
    statements = showing.listed(state.site.said(said["fact"]))
    place = said.pop("statement")
    if place >= len(statements) or statements[place].value is None:
        raise Conflict("there is no such statement any more")
    chosen = statements[place]
    return {**said, "value": chosen.value, "source": chosen.source[:500], "date": chosen.date[:50]}


@require_POST
@asks_for(OPERATE)
def end(request: HttpRequest, site: str, kind: str, pk: int) -> HttpResponse:
    """End a decision before its time."""
    house = house_of(request)
    if kind not in paperwork.KINDS or kind == "event":
        raise Http404(kind)
    if (instead := _turned_away(house, kind)) is not None:
        return instead
    _find(house, site, house.now())
    _try(
        request, lambda: paperwork.end(house, kind, site, pk, _seen(request), house.now()), _("The decision has ended.")
    )
    return HttpResponseRedirect(reverse("parking:operate-site", args=[site]))


@require_POST
@asks_for(ARRANGE)
def settle(request: HttpRequest, site: str, pk: int) -> HttpResponse:
    """Apply a proposed calibration or decline it."""
    house, apply = house_of(request), request.POST.get("how") == "apply"
    _find(house, site, house.now())
    _try(
        request,
        lambda: paperwork.settle(house, site, pk, _seen(request), house.now(), apply=apply),
        _("The count is put right from now on.") if apply else _("The proposal is declined."),
    )
    return HttpResponseRedirect(reverse("parking:operate-site", args=[site]))


@require_http_methods(["GET", "HEAD", "POST"])
@asks_for(OPERATE)
def events(request: HttpRequest) -> HttpResponse:
    """What fills or empties car parks, and the form for one more."""
    house = house_of(request)
    now = house.now()
    sites = [(state.site.stands_for, state.site.name) for state in showing.read(house, now)]
    version = paperwork.version_of("events")
    form = forms.EventForm(request.POST or None, now=now, sites=sites, prefix="event", initial={"seen": version})
    status, preview = 200, None
    if request.method == "POST":
        status = 422
        if form.is_valid() and "preview" in request.POST:
            status, preview = 200, previewing.of_event(house, Event(**form.values()), now)
        elif form.is_valid():
            try:
                paperwork.decide(house, "event", "events", form.cleaned_data["seen"], now, **form.values())
            except Conflict:
                form.add_error(None, _("Somebody else has changed the events meanwhile. Look at them as they are now."))
                status = 409
            else:
                messages.success(request, _("The event is written down."))
                return HttpResponseRedirect(reverse("parking:operate-events"))
    names = dict(sites)
    listed = [
        {"it": each, "sites": ", ".join(names.get(site, site) for site in each.sites), "over": each.over(now)}
        for each in Event.objects.select_related("made_by", "ended_by")[: showing.MOST]
    ]
    values = {"form": form, "events": listed, "version": version, "preview": preview}
    return _private(render(request, "parking/operate/events.html", values, status=status))


@require_POST
@asks_for(OPERATE)
def end_event(request: HttpRequest, pk: int) -> HttpResponse:
    """End an event before its time."""
    house = house_of(request)
    _try(
        request,
        lambda: paperwork.end(house, "event", "events", pk, _seen(request), house.now()),
        _("The decision has ended."),
    )
    return HttpResponseRedirect(reverse("parking:operate-events"))


def _page(
    request: HttpRequest, house: House, state: SiteState, bound: dict[str, forms.Paper], *, status: int = 200
) -> HttpResponse:
    now, site = house.now(), state.site.stands_for
    version = paperwork.version_of(site)
    ends = {"until": showing.next_hour(now)}
    fresh = {
        kind: form(now=now, prefix=kind, initial={"seen": version, **(ends if kind == "override" else {})})
        for kind, form in FORMS.items()
    }
    holding, over = showing.papers_of(site, now)
    doubts = list(Doubt.objects.filter(site=site)[: showing.MOST])
    values = {
        "line": showing.line(state, [each for each in doubts if each.until is None], now),
        "state": state,
        "site": state.site,
        "real": site,
        "facts": showing.facts(state, now),
        "holding": holding,
        "over": over,
        "past": [showing.finding(each, now) for each in doubts if each.until is not None],
        "proposals": Calibration.objects.filter(site=site, state=Calibration.PROPOSED, ended__isnull=True),
        "forms": {**fresh, **bound},
        "arranges": house.may(ARRANGE),
        "version": version,
    }
    return _private(render(request, "parking/operate/site.html", values, status=status))


def _find(house: House, site: str, now: datetime) -> SiteState:
    for state in showing.read(house, now):
        if state.site.stands_for == site:
            return state
    raise Http404(site)


def _whole_capacity(state: SiteState) -> int | None:
    """With those that are not public or closed."""
    if state.capacity is None:
        return None
    closed = state.closure.spaces or 0 if state.closure is not None else 0
    return state.capacity + state.leased + closed


def _turned_away(house: House, kind: str) -> HttpResponse | None:
    return house.turned_away(DEEDS[kind]) if kind in DEEDS else None


def _seen(request: HttpRequest) -> int:
    said = request.POST.get("seen", "")
    return int(said) if said.isdecimal() and len(said) < 10 else -1


def _try(request: HttpRequest, work: Any, done: str) -> None:
    try:
        work()
    except Conflict:
        messages.error(request, _("Somebody else was faster. Look at it as it is now."))
    except AllmendeError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, done)


def _ended() -> str:
    return _("The decision has ended.")


def _private(response: HttpResponse) -> HttpResponse:
    patch_cache_control(response, private=True, no_store=True)
    return response

"""``/parking/operate/tariffs/``: tariffs that are entered here. Editors write and propose, stewards release."""

import re
from datetime import date
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.cache import patch_cache_control
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from allmende.city.house import House, asks_for, house_of
from allmende.city.parking.pricing import forms, keeping
from allmende.city.parking.pricing.models import EnteredTariff
from allmende.city.parking.pricing.preview import compare
from allmende.city.parking.read import shown_kind
from allmende.city.parking.sites import read_sites
from allmende.city.parking.tariffs_model import Plan, Tariffs
from allmende.city.parking.tariffs_words import name_of, row_of, say_when
from allmende.domain.errors import AllmendeError, Conflict, NotFound

MOST = 200
"""Of a list, the newest."""
_SAID = (gettext_noop("somebody else has changed this in the meantime; look at it as it is now"),)


@require_safe
@asks_for(keeping.PRICE)
def list_entered(request: HttpRequest) -> HttpResponse:
    """What is being written, what waits, what holds or will, what was given up."""
    house = house_of(request)
    rows = list(EnteredTariff.objects.select_related("made_by", "settled_by")[:MOST])
    groups = [
        (_("Waiting for a second person"), [each for each in rows if each.state == EnteredTariff.PROPOSED]),
        (_("Drafts"), [each for each in rows if each.state == EnteredTariff.DRAFT]),
        (_("Released"), [each for each in rows if each.state == EnteredTariff.RELEASED]),
        (_("Given up"), [each for each in rows if each.state == EnteredTariff.WITHDRAWN]),
    ]
    values = {"groups": [(title, [_line(house, each) for each in found]) for title, found in groups if found]}
    return _private(render(request, "parking/operate/tariffs.html", values))


@require_http_methods(["GET", "HEAD", "POST"])
@asks_for(keeping.PRICE)
def write(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    """A new one, or one as it is: its form while it is a draft, what it would change, and the next step."""
    house = house_of(request)
    row = _find(pk) if pk is not None else None
    if request.method != "POST":
        form, rates = _fresh(request, house, row)
        return _page(request, house, row, form, rates)
    form = forms.TariffForm(request.POST, tariffs=_tariffs(house, row), places=_places(house))
    rates = forms.Rates(request.POST, prefix="rate")
    said = forms.read(form, rates, handle=_handle(request.POST.get("name_en", "")))
    if said is None:
        return _page(request, house, row, form, rates, status=422)
    try:
        made = keeping.write(house, row, form.cleaned_data["seen"], said)
    except Conflict as error:
        form.add_error(None, _(error.template))
        return _page(request, house, row, form, rates, status=409)
    messages.success(request, _("The draft is kept. Look at what it would change, then propose it."))
    return HttpResponseRedirect(reverse("parking:operate-tariff", args=[made.pk]))


@require_POST
@asks_for(keeping.PRICE)
def step(request: HttpRequest, pk: int, step: str) -> HttpResponse:
    """Propose it, give it back, release it, give it up."""
    house, row = house_of(request), _find(pk)
    if step == "withdraw":
        waits = row.state in (EnteredTariff.DRAFT, EnteredTariff.PROPOSED)
        work, deed = keeping.withdraw, keeping.PRICE if waits else keeping.RELEASE
    elif step in keeping.STEPS:
        work, deed = keeping.STEPS[step]
    else:
        raise Http404(step)
    if (instead := house.turned_away(deed)) is not None:
        return instead
    seen = request.POST.get("seen", "")
    try:
        work(house, row, int(seen) if seen.isdecimal() and len(seen) < 10 else -1, request.POST.get("answer", ""))
    except AllmendeError as error:
        messages.error(request, _(error.template))
    else:
        messages.success(request, _done(step))
    return HttpResponseRedirect(reverse("parking:operate-tariff", args=[pk]))


def _done(step: str) -> str:
    return {
        "propose": _("It is proposed. Somebody else releases it."),
        "decline": _("It is given back."),
        "release": _("It is released, and holds from its first day on."),
        "withdraw": _("It is given up."),
    }[step]


def _fresh(request: HttpRequest, house: House, row: EnteredTariff | None) -> tuple[forms.TariffForm, Any]:
    """Filled with what is kept, or with what holds today of the plan that was asked for."""
    tariffs = _tariffs(house, row)
    if row is not None:
        said, rates = forms.initial_of(row.body)
        said |= {"plan": row.plan, "sites": row.sites, "seen": row.version}
        if row.plan not in tariffs.plans:
            said |= {"plan": forms.NEW, "name_de": row.name_de, "name_en": row.name_en}
    else:
        said, rates = {"seen": 0, "plan": request.GET.get("plan", "")[:100]}, []
    form = forms.TariffForm(initial=said, tariffs=tariffs, places=_places(house))
    return form, forms.Rates(initial=rates, prefix="rate")


def _page(
    request: HttpRequest, house: House, row: EnteredTariff | None, form: Any, rates: Any, *, status: int = 200
) -> HttpResponse:
    values: dict[str, Any] = {
        "row": row, "form": form, "rates": rates, "day_names": list(forms.day_names().items()),
        "draft": row is None or row.state == EnteredTariff.DRAFT,
        "releases": house.may(keeping.RELEASE), "version": row.version if row is not None else 0,
    }  # fmt: skip
    if row is not None:
        entered = keeping.entered_of(row)
        values |= _line(house, row)
        if entered is not None:
            values["compared"] = compare(keeping.without(house.profile, row), entered)
    return _private(render(request, "parking/operate/tariff.html", values, status=status))


def _line(house: House, row: EnteredTariff) -> dict[str, Any]:
    """One of them in words."""
    tariffs = keeping.tariffs_in_force(house.profile)
    entered, today = keeping.entered_of(row), keeping.today(house)
    names = dict(_places(house))
    begun = row.state == EnteredTariff.RELEASED and row.valid_from <= today
    told = None
    if entered is not None:
        told = row_of(Plan(id=row.plan, name=entered.name, versions=()), entered.version, tariffs.currency)
    return {
        "it": row,
        "name": name_of({"de": row.name_de, "en": row.name_en}),
        "when": say_when(row.valid_from, row.valid_until),
        "told": told,
        "state_words": _state(row, today),
        "sites": ", ".join(names.get(each, each) for each in row.sites),
        "may_withdraw": row.state != EnteredTariff.WITHDRAWN and not begun,
        "late": row.state in (EnteredTariff.DRAFT, EnteredTariff.PROPOSED) and row.valid_from <= today,
    }


def _state(row: EnteredTariff, today: date) -> str:
    if row.state != EnteredTariff.RELEASED:
        return {
            EnteredTariff.DRAFT: _("draft"),
            EnteredTariff.PROPOSED: _("waits for a second person"),
            EnteredTariff.WITHDRAWN: _("given up"),
        }[row.state]
    if row.valid_from > today:
        return _("released, to come")
    return _("over") if row.valid_until is not None and row.valid_until < today else _("in force")


def _tariffs(house: House, row: EnteredTariff | None) -> Tariffs:
    """All but this one."""
    return keeping.without(house.profile, row) if row is not None else keeping.tariffs_in_force(house.profile)


def _places(house: House) -> list[tuple[str, str]]:
    sites = read_sites(house.store, house.profile, house.reader, kinds=[shown_kind(house.profile)])
    real = {site.stands_for: site.name for site in sites}
    return sorted(real.items(), key=lambda each: each[1].casefold())


def _handle(name: str) -> str:
    """An id of a new plan, of its English name."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:60]


def _find(pk: int) -> EnteredTariff:
    try:
        return keeping.find(pk)
    except NotFound:
        raise Http404(pk) from None


def _private(response: HttpResponse) -> HttpResponse:
    patch_cache_control(response, private=True, no_store=True)
    return response

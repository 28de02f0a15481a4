"""The pages of the portal."""

from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, HttpResponseServerError
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import get_language
from django.views.decorators.http import require_safe

from allmende.city.glance import Glance
from allmende.domain.profile import Profile
from allmende.web.accounts.roles import may
from allmende.web.live import Derived, problems
from allmende.web.portal.context import describe
from allmende.web.portal.sources import list_sources
from allmende.web.retention import room, volumes
from allmende.web.sources import prepare_sources
from allmende.web.worker.models import Trouble

YEAR = 365 * 24 * 3600


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """What this is, and how things stand now in each service."""
    glances: list[dict[str, Any]] = []
    for service in settings.SERVICES:
        shown = describe(service, request.path)
        glance = getattr(shown["app"], "glance", None)
        if isinstance(glance, Glance):
            shown["summary"] = glance.summary
            shown["now"] = render_to_string(glance.template, glance.values(request), request)
        glances.append(shown)
    return render(request, "portal/home.html", {"glances": glances})


@require_safe
def sources(request: HttpRequest) -> HttpResponse:
    """State of every source, in words."""
    house = request.house  # type: ignore[attr-defined]
    now = house.now()
    kept, per_day = volumes(), _expected()
    listed = list_sources(
        house.profile,
        house.store.sources(),
        now,
        troubles=Trouble.objects.filter(over__isnull=True).order_by("since"),
        per_day=per_day,
        volumes=kept,
    )
    listed = [each for each in listed if house.knows(each.dataset)]
    wrong = list(problems()) if may(request.user, "sources.edit") else []
    told: dict[str, Any] = {"sources": listed, "now": now, "problems": wrong}
    if may(request.user, "retention.edit"):
        on = sum(per_day.get(source.id, 0) for source in house.profile.sources.values() if source.enabled)
        told["room"] = room(settings.ALLMENDE, sum(volume.readings for volume in kept.values()), on)
    return render(request, "portal/sources.html", told)


@Derived
def _expected(profile: Profile) -> dict[str, int]:
    """Readings that are expected a day, by source."""
    return {id_: found.source.contract.per_day or 0 for id_, found in prepare_sources(profile).items()}


@require_safe
def page(request: HttpRequest, name: str) -> HttpResponse:
    """A page of text: one template a language, since a law's text is not put together from sentences."""
    said = get_language() or settings.LANGUAGE_CODE
    return render(request, [f"portal/{code}/{name}.html" for code in (said, said.split("-")[0], "de")])


@require_safe
def set_language(request: HttpRequest, code: str) -> HttpResponse:
    """Remember the language in a cookie and go back to ``?next=``; a link, so that it works without script.

    Raises Http404 for a language that the house does not speak.
    """
    if code not in dict(settings.LANGUAGES):
        raise Http404(code)
    target = request.GET.get("next", "/")
    if not url_has_allowed_host_and_scheme(target, allowed_hosts={request.get_host()}, require_https=False):
        target = "/"
    response = HttpResponseRedirect(target)
    response.set_cookie(
        settings.LANGUAGE_COOKIE_NAME,
        code,
        max_age=YEAR,
        secure=request.is_secure(),
        httponly=True,
        samesite="Lax",
    )
    response["Cache-Control"] = "no-store"
    return response


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """404 in the house's design."""
    return render(request, "404.html", status=404)


def not_allowed(request: HttpRequest, exception: Exception) -> HttpResponse:
    """403 in the house's design."""
    return render(request, "403.html", status=403)


def server_error(request: HttpRequest) -> HttpResponse:
    """500 in the house's design; a bare page where not even that can be rendered."""
    try:
        return render(request, "500.html", status=500)
    except Exception:  # whatever broke the house may break its templates, too
        return HttpResponseServerError(render_to_string("500-bare.html"))

"""``/policies/``: what one may do with data, as a page or as ODRL."""

import time
from datetime import date
from typing import NamedTuple

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from allmende.domain.face import Request
from allmende.domain.licensing import Duty, Permission, UsagePolicy
from allmende.faces.dcat.formats import SUFFIXES, Format, accepted, by_suffix
from allmende.faces.dcat.policies import answer_policies
from allmende.web.catalogue.gather import root_of
from allmende.web.grants.forms import ROLE_TITLES
from allmende.web.policies.known import find, general, special
from allmende.web.portal.sources import spoken

VARY = "Accept, Accept-Language, Authorization, Cookie"


class Said(NamedTuple):
    """A permission in words."""

    actions: list[str]
    who: str
    purpose: str
    until: date | None
    duties: list[tuple[str, str, str, str]]
    """What, on which terms, for which purpose, and where one learns more."""


@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    """All policies."""
    house = request.house  # type: ignore[attr-defined]  # set by HouseMiddleware
    format_ = accepted(request.headers.get("accept", ""), html=True)
    if format_ is not None:
        return _rdf(request, [*general(house), *special(house)], format_)
    listed = [[(each, spoken(each.title)) for each in found] for found in (general(house), special(house))]
    answer = render(request, "policies/overview.html", {"general": listed[0], "special": listed[1]})
    answer["Vary"] = VARY
    return answer


@require_safe
def policy(request: HttpRequest, name: str, suffix: str = "") -> HttpResponse:
    """One of them. One that the reader may not know of is like one that there is not."""
    house = request.house  # type: ignore[attr-defined]
    found = find(house, name)
    if found is None:
        raise Http404(name)
    format_ = by_suffix(suffix) if suffix else accepted(request.headers.get("accept", ""), html=True)
    if format_ is not None:
        return _rdf(request, [found], format_)
    values = {
        "policy": found,
        "title": spoken(found.title),
        "permissions": [_said(each) for each in found.permissions],
        "prohibitions": [_actions()[each] for each in found.prohibitions],
        "suffixes": SUFFIXES,
    }
    answer = render(request, "policies/policy.html", values)
    answer["Vary"] = VARY
    return answer


def _rdf(request: HttpRequest, policies: list[UsagePolicy], format_: Format) -> HttpResponse:
    asked = Request(
        method=request.method or "GET",
        path=request.path_info,
        query="",
        root=root_of(request),
        reader=request.house.reader,  # type: ignore[attr-defined]
        now=time.time_ns() // 1000,
        if_none_match=request.headers.get("if-none-match", ""),
    )
    found = answer_policies(asked, policies, root_of(request), format_)
    answer = HttpResponse(found.body, status=found.status, content_type=found.content_type, headers=dict(found.headers))
    if asked.reader.name != "anonymous":
        answer["Cache-Control"] = "private, no-cache"
    return answer


def _said(permission: Permission) -> Said:
    role = str(dict(ROLE_TITLES).get(permission.name, permission.name))
    parties = {"": _("everybody"), "person": _("a person"), "organisation": permission.name, "role": role}
    until = date.fromisoformat(permission.until) if permission.until else None
    duties = [_duty(each) for each in permission.duties]
    actions = [_actions()[each] for each in permission.actions]
    return Said(actions, parties[permission.party], spoken(permission.purpose), until, duties)


def _duty(duty: Duty) -> tuple[str, str, str, str]:
    return _actions()[duty.action], spoken(duty.said), spoken(duty.purpose), duty.page


def _actions() -> dict[str, str]:
    return {
        "odrl:use": _("use"),
        "odrl:reproduce": _("copy"),
        "odrl:distribute": _("hand on"),
        "odrl:derive": _("change and build upon"),
        "odrl:attribute": _("name the source"),
        "odrl:compensate": _("pay"),
        "odrl:reviewPolicy": _("read the terms first"),
        "cc:Notice": _("name the licence, and say what was changed"),
        "cc:ShareAlike": _("hand on under the same terms"),
    }

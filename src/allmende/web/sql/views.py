"""The page on which one asks, and answers for programs."""

from hashlib import sha256
from typing import Any

import msgspec
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from allmende.domain.errors import AllmendeError
from allmende.domain.profile import Profile
from allmende.domain.times import format_instant
from allmende.knowledge.sql.run import is_there
from allmende.web.accounts.roles import may
from allmende.web.catalogue.gather import root_of
from allmende.web.sql.asking import HOUSE, Found, ask, may_ask, who_asks
from allmende.web.sql.data import Shelf, shelf
from allmende.web.sql.examples import examples
from allmende.web.sql.giving import MEDIA, give
from allmende.web.sql.models import SavedQuery
from allmende.web.sql.rights import PUBLISH, may_change
from allmende.web.sql.showing import downloads, limits_told, link, shown, status_of, tables


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """``/sql/?q=…``: the question and, where there is one, its answer; ``page``, and ``kind``, ``x``, ``y`` of a
    chart."""
    query = request.GET.get("q", "")
    return answer_page(request, query, {name: request.GET.get(name, "") for name in ("kind", "x", "y")})


def answer_page(
    request: HttpRequest, query: str, drawn: dict[str, str], saved: SavedQuery | None = None
) -> HttpResponse:  # fmt: skip
    """The page with a question, which may be one that was kept."""
    profile = profile_of(request)
    who = HOUSE if saved is not None and saved.published else who_asks(request)
    values: dict[str, Any] = {
        "query": query,
        "saved": saved,
        "there": is_there(),
        "may": may_ask(who),
        "known": request.user.is_authenticated,
        "may_publish": may(request.user, PUBLISH),
        "may_change": saved is not None and may_change(request.user, saved),
        "limits": limits_told(),
        "published": SavedQuery.objects.filter(published=True)[:20],
        "hour": settings.ALLMENDE.dump_hour,
        "said": drawn,
    }
    status, stock = 200, shelf(profile)
    values["shelf"] = stock
    if is_there():
        values |= _lists(stock, profile)
    if query.strip():
        try:
            found = ask(query, who, profile)
            values |= shown(found, drawn, _number(request), profile)
            values["link"] = link(found.query, values["drawn"])
            values["rest"] = downloads(found.query)
            values["pager"] = _pager(values)
        except AllmendeError as error:
            status, values["error"] = status_of(error), str(error)
    response = render(request, "sql/ask.html", values, status=status)
    response["Cache-Control"] = "private, no-store"
    response["X-Robots-Tag"] = "noindex"
    return _patient(response)


@csrf_exempt  # a question changes nothing, and is answered alike for everybody
@require_http_methods(["GET", "HEAD", "POST"])
def result(request: HttpRequest, form: str) -> HttpResponse:
    """``/sql/result.json?q=…``: the answer for programs; a long question comes by POST, as ``q`` of a form or as the
    body."""
    query = request.GET.get("q", "")
    if request.method == "POST":
        if request.content_type in ("application/x-www-form-urlencoded", "multipart/form-data"):
            query = request.POST.get("q", "")
        else:
            query = request.body.decode("utf-8", "surrogateescape")
    try:
        found = ask(query, who_asks(request), profile_of(request))
    except AllmendeError as error:
        return refusal(error)
    response = answer(request, found, form, "answer")
    response["Cache-Control"] = "private, no-store"
    return response


@require_safe
def schema(request: HttpRequest) -> HttpResponse:
    """The tables and their columns, for programs."""
    profile = profile_of(request)
    stock = shelf(profile)
    try:
        listed = tables(stock, profile)
    except AllmendeError as error:
        return refusal(error)
    said = {"asOf": None if stock.as_of is None else format_instant(stock.as_of), "tables": listed}
    return HttpResponse(
        msgspec.json.encode(said), content_type="application/json", headers={"Cache-Control": "no-cache"}
    )


def answer(request: HttpRequest, found: Found, form: str, name: str) -> HttpResponse:
    """An answer in one of the forms, with an entity tag; its licences beside it."""
    tag = sha256(f"{form} {found.state} {found.count} {found.query}".encode()).hexdigest()[:32]
    response = HttpResponse(give(found, form, root_of(request)), content_type=MEDIA[form])
    response["ETag"] = f'"{tag}"'
    if form != "json":
        response["Content-Disposition"] = f'attachment; filename="{name}.{form}"'
    licences = sorted({each.licence_url for each in found.datasets if each.licence_url.isascii()})
    if licences:
        response["Link"] = ", ".join(f'<{each}>; rel="license"' for each in licences)
    return response


def refusal(error: AllmendeError) -> HttpResponse:
    """A mistake for programs."""
    status = status_of(error)
    body = msgspec.json.encode({"code": status, "type": "error", "message": str(error)})
    response = HttpResponse(body, status=status, content_type="application/json")
    response["Cache-Control"] = "no-store"
    return _patient(response)


def profile_of(request: HttpRequest) -> Profile:
    """The city's, as it is now."""
    profile: Profile = request.house.profile  # type: ignore[attr-defined]  # set by HouseMiddleware
    return profile


def _lists(stock: Shelf, profile: Profile) -> dict[str, Any]:
    """Tables and examples; none where they cannot be told just now."""
    try:
        listed = tables(stock, profile)
    except AllmendeError:
        return {}
    begun = [
        {"title": each.title, "query": each.query, "address": link(each.query, each.chart)}
        for each in examples(each["name"] for each in listed)
    ]
    return {"tables": listed, "examples": begun}


def _pager(values: dict[str, Any]) -> dict[str, str]:
    base = values["link"]
    if not base or values["pages"] < 2:
        return {}
    page = values["page"]
    return {
        "before": f"{base}&page={page - 1}" if page > 1 else "",
        "after": f"{base}&page={page + 1}" if page < values["pages"] else "",
    }


def _number(request: HttpRequest) -> int:
    text = request.GET.get("page", "1")
    return int(text) if text.isdecimal() and len(text) < 7 else 1


def _patient(response: HttpResponse) -> HttpResponse:
    if response.status_code in (429, 503):
        response["Retry-After"] = "60" if response.status_code == 429 else "5"
    return response

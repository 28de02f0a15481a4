"""To order a file, to see how far it is, to fetch it and to let go of it: pages for people, JSON for programs."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import msgspec
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import get_language
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from allmende.domain.errors import AllmendeError, Forbidden, InvalidInput, LimitExceeded, NotFound
from allmende.domain.profile import Profile
from allmende.domain.selection import NAMES, restore
from allmende.faces.files.formats import FORMATS
from allmende.web.catalogue.gather import root_of
from allmende.web.downloads.folder import path_of
from allmende.web.downloads.models import FAILED, READY, WAITING, Order
from allmende.web.downloads.orders import forget, place_order
from allmende.web.downloads.rights import Asker, offered
from allmende.web.downloads.serving import send_file
from allmende.web.downloads.words import states, titles, words_of
from allmende.web.reads.noting import note

_STATUS = ((LimitExceeded, 429), (InvalidInput, 400), (NotFound, 404), (Forbidden, 403))


# Without a token in the form: it stands in pages that are the same for everybody, and kept by them. A browser says
# where a request comes from (Sec-Fetch-Site, Origin), and never sends our cookie along with a stranger's POST (Lax).
@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def orders(request: HttpRequest) -> HttpResponse:
    """``/downloads/``: one's own orders; by POST a new one, from a form or as JSON: 202 with Location."""
    if request.method != "POST":
        return _list(request)
    plain = request.content_type == "application/json"
    try:
        _refuse_strangers(request)
        order = place_order(_said(request), Asker(request), _profile(request), _language())
    except AllmendeError as error:
        return _mistake(request, error, plain=plain)
    if not plain:
        return _private(HttpResponseRedirect(reverse("downloads:order", args=[order.key]), status=303))
    found = _json(state_of(order, root_of(request)), 202)
    found["Location"] = reverse("downloads:state", args=[order.key])
    return found


@require_safe
def order(request: HttpRequest, key: str) -> HttpResponse:
    """How far an order is, for people."""
    return _page(request, _find(request, key))


@require_safe
def state(request: HttpRequest, key: str) -> HttpResponse:
    """The same as JSON: ``state`` is waiting, making, ready or failed."""
    return _json(state_of(_find(request, key), root_of(request)))


@require_safe
def file(request: HttpRequest, key: str, name: str) -> HttpResponseBase:
    """The file, whole or a range of it. 404 for whoever may not have it now, be there one or not."""
    found = _find(request, key)
    if found.state != READY or name != name_of(found):
        raise Http404(key)
    dataset = offered(_profile(request), found.dataset, request.house.reader)  # type: ignore[attr-defined]
    if dataset is None:
        raise Http404(key)
    if dataset.access != "open":
        note(request.house.reader, frozenset({dataset.id}))  # type: ignore[attr-defined]
    try:
        return send_file(
            request,
            path_of(found),
            media=FORMATS[found.format].media,
            name=name,
            digest=found.digest,
            modified=found.over or found.asked,
            shared=False,
        )
    except FileNotFoundError:
        raise Http404(key) from None


@csrf_exempt  # as above; and nobody knows the key but who ordered
@require_POST
def drop(request: HttpRequest, key: str) -> HttpResponse:
    """Delete an order and its file: whoever knows its address may, if it is not somebody else's."""
    found = _find(request, key)
    _refuse_strangers(request)
    if (found.user_id is not None or found.token) and not Asker(request).owns(found):
        raise Http404(key)
    forget(found)
    return _private(HttpResponseRedirect(reverse("downloads:orders"), status=303))


def name_of(order: Order) -> str:
    """What the file is called where it is saved."""
    return f"{order.dataset}-{order.asked:%Y-%m-%d}.{FORMATS[order.format].suffix}"


def state_of(order: Order, root: str) -> dict[str, Any]:
    """An order for programs; addresses are absolute."""
    said: dict[str, Any] = {
        "key": order.key,
        "state": order.state,
        "address": root + reverse("downloads:state", args=[order.key]),
        "format": order.format,
        "selection": restore(order.selection).told(),
        "ordered": order.asked.isoformat(timespec="seconds"),
        "deleted": (order.asked + timedelta(hours=settings.ALLMENDE.download_hours)).isoformat(timespec="seconds"),
        "rows": order.rows,
    }
    if order.state == READY:
        said |= {
            "file": root + reverse("downloads:file", args=[order.key, name_of(order)]),
            "bytes": order.size,
            "sha256": order.digest,
        }
    if order.state == FAILED:
        said["error"] = order.error
    return said


def _find(request: HttpRequest, key: str) -> Order:
    """The order of a key; whose file one may not have now is like one that is not there."""
    found = Order.objects.filter(pk=key).first()
    if found is None or not Asker(request).may_have(found, _profile(request)):
        raise Http404(key)
    return found


def _page(request: HttpRequest, found: Order) -> HttpResponse:
    dataset = offered(_profile(request), found.dataset, request.house.reader)  # type: ignore[attr-defined]
    waiting = Order.objects.filter(state=WAITING, asked__lt=found.asked).count() if found.state == WAITING else 0
    values = {
        "order": found,
        "dataset": dataset,  # it was found, and so may be had
        "name": name_of(found),
        "format": titles()[found.format][0],
        "state": states()[found.state],
        "before": waiting,
        "selection": restore(found.selection).told(),
        "until": found.asked + timedelta(hours=settings.ALLMENDE.download_hours),
        "address": root_of(request) + reverse("downloads:file", args=[found.key, name_of(found)]),
    }
    return _private(render(request, "downloads/order.html", values))


def _list(request: HttpRequest) -> HttpResponse:
    asker = Asker(request)
    profile = _profile(request)
    own = Order.objects.filter(user=asker.user)[:200] if asker.user is not None else []
    listed = [
        (each, offered(profile, each.dataset, asker.reader), states()[each.state], titles()[each.format][0])
        for each in own
        if asker.may_have(each, profile)
    ]
    values = {"listed": listed, "known": asker.user is not None, "formats": titles().values()}
    return _private(render(request, "downloads/orders.html", values))


def _said(request: HttpRequest) -> Mapping[str, Any]:
    if request.content_type == "application/json":
        try:
            said = msgspec.json.decode(request.body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise InvalidInput("the body is no JSON") from None
        if not isinstance(said, dict):
            raise InvalidInput("the body is a JSON object")
        return said
    return {name: request.POST[name] for name in (*NAMES, "format") if request.POST.get(name)}


def _mistake(request: HttpRequest, error: AllmendeError, *, plain: bool) -> HttpResponse:
    status = next((status for kind, status in _STATUS if isinstance(error, kind)), 500)
    if plain:
        return _json({"code": status, "type": "error", "message": str(error)}, status)
    dataset = request.POST.get("dataset", "")
    known = offered(_profile(request), dataset, request.house.reader)  # type: ignore[attr-defined]
    values = {"error": words_of(error), "dataset": known}
    return _private(render(request, "downloads/mistake.html", values, status=status))


def _refuse_strangers(request: HttpRequest) -> None:
    """Raise Forbidden for a POST that another site's page sends. Programs say nothing of where they are."""
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        raise Forbidden("a page of another site may not order here")
    origin = request.headers.get("Origin", "")
    if origin and origin not in (f"http://{request.get_host()}", f"https://{request.get_host()}"):
        raise Forbidden("a page of another site may not order here")


def _json(said: Mapping[str, Any], status: int = 200) -> HttpResponse:
    return _private(HttpResponse(msgspec.json.encode(said), status=status, content_type="application/json"))


def _private(response: HttpResponse) -> HttpResponse:
    response["Cache-Control"] = "private, no-store"
    return response


def _profile(request: HttpRequest) -> Profile:
    profile: Profile = request.house.profile  # type: ignore[attr-defined]
    return profile


def _language() -> str:
    return (get_language() or "de").split("-")[0]

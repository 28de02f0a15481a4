"""What a page's script asks for: to tell this browser, and where its list is. And the service worker."""

from functools import cache
from pathlib import Path

import msgspec
from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import get_language
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_POST, require_safe

from allmende.domain.errors import InvalidInput
from allmende.web.accounts.clients import address_of, prefix_of
from allmende.web.house import open_profile, open_store
from allmende.web.subscriptions import own_views
from allmende.web.subscriptions.asking import Wishes, move_browser, subscribe_browser
from allmende.web.subscriptions.links import path
from allmende.web.subscriptions.models import PUSH, Subscriber
from allmende.web.subscriptions.push import read_browser
from allmende.web.subscriptions.sealing import mark_of
from allmende.web.subscriptions.selection import read_selection
from allmende.web.subscriptions.wording import say_selection


@sensitive_variables()
@require_POST
def subscribe(request: HttpRequest) -> HttpResponse:
    """Tell this browser of a selection, which stands in the address; ``endpoint``, ``p256dh`` and ``auth`` are what its
    push service gave it. Answers with the address of its list."""
    config, said = settings.ALLMENDE, request.POST
    try:
        selection = read_selection(request.GET)
        if not config.push_hosts or say_selection(selection, open_profile(), open_store()) is None:
            raise InvalidInput("is not to be had", where="selection")
        browser = read_browser(said.get("endpoint", ""), said.get("p256dh", ""), said.get("auth", ""), config)
    except InvalidInput as wrong:
        return _private(JsonResponse({"error": str(wrong)}, status=422))
    if wait := own_views.BUCKET.take(prefix_of(address_of(request))):
        return _too_many(wait)
    sealed = msgspec.json.encode(browser).decode()
    wishes = Wishes(language=get_language() or "de")
    subscriber = subscribe_browser(browser.endpoint, sealed, selection, wishes, config)
    return _private(JsonResponse({"mine": path("mine", subscriber.pk, subscriber.key)}))


@csrf_exempt  # a service worker has no form's token; it says the endpoint, which no other page knows
@sensitive_variables()
@require_POST
def move(request: HttpRequest) -> HttpResponse:
    """A browser's push service gave it another endpoint: what was ``before``, and what ``subscribe`` takes."""
    config, said = settings.ALLMENDE, request.POST
    if wait := own_views.BUCKET.take(prefix_of(address_of(request))):
        return _too_many(wait)
    try:
        browser = read_browser(said.get("endpoint", ""), said.get("p256dh", ""), said.get("auth", ""), config)
    except InvalidInput as wrong:
        return _private(JsonResponse({"error": str(wrong)}, status=422))
    sealed = msgspec.json.encode(browser).decode()
    if move_browser(said.get("before", "")[:2000], browser.endpoint, sealed) is None:
        return _private(JsonResponse({"error": "no such browser is known"}, status=404))
    return _private(HttpResponse(status=204))


@sensitive_variables()
@require_POST
def mine(request: HttpRequest) -> HttpResponse:
    """The address of a browser's list, for who knows its endpoint: its own pages alone do."""
    endpoint = request.POST.get("endpoint", "")[:2000]
    found = Subscriber.objects.filter(way=PUSH, mark=mark_of(PUSH, endpoint)).first()
    address = path("mine", found.pk, found.key) if found else ""
    return _private(JsonResponse({"mine": address}))


@require_safe
def worker(request: HttpRequest) -> HttpResponse:
    """The service worker; by its address it may look after ``/subscriptions/`` alone, and it takes no requests."""
    response = HttpResponse(_script(), content_type="text/javascript; charset=utf-8")
    response["Cache-Control"] = "no-cache"
    return response


@cache
def _script() -> bytes:
    return (Path(__file__).parent / "worker.js").read_bytes()


def _too_many(wait: float) -> HttpResponse:
    response = _private(JsonResponse({"error": "too many"}, status=429))
    response["Retry-After"] = str(int(wait) + 1)
    return response


def _private(response: HttpResponse) -> HttpResponse:
    response["Cache-Control"] = "private, no-store"
    return response

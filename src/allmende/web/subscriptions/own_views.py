"""What the links of letters lead to: confirm, see and change one's subscriptions, end them, stay another year.

A GET shows a page with a button and changes nothing: mail filters open every link that they see.
"""

from typing import Any

import msgspec
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from allmende.web.accounts.clients import address_of, prefix_of
from allmende.web.house import open_profile, open_store
from allmende.web.subscriptions import links
from allmende.web.subscriptions.asking import ask_for_link, confirm, leave, renew, wish
from allmende.web.subscriptions.forms import AddressForm, WishesForm, initial_of
from allmende.web.subscriptions.models import MAIL, Subscriber, Subscription
from allmende.web.subscriptions.sealing import unseal
from allmende.web.subscriptions.selection import Selection
from allmende.web.subscriptions.views import BUCKET
from allmende.web.subscriptions.wording import say_selection, title_of


def _answer(request: HttpRequest, template: str, values: dict[str, Any], status: int = 200) -> HttpResponse:
    """A page behind a link is nobody else's: kept by no cache, told to no other page."""
    response = render(request, f"subscriptions/{template}.html", values, status=status)
    response["Cache-Control"] = "private, no-store"
    # not "no-referrer": a browser then says of a form that it comes from nowhere, and it is refused
    response["Referrer-Policy"] = "same-origin"
    response["X-Robots-Tag"] = "noindex"
    return response


def _gone(request: HttpRequest) -> HttpResponse:
    return _answer(request, "gone", {}, status=404)


@require_http_methods(["GET", "HEAD", "POST"])
def confirm_it(request: HttpRequest, token: str) -> HttpResponse:
    """The second step of subscribing by mail."""
    values = links.read_token("confirm", token, hours=settings.ALLMENDE.subscription_hours)
    found = Subscription.objects.select_related("subscriber").filter(pk=values[0]).first() if values else None
    if found is None or found.subscriber.key != values[1]:
        return _gone(request)
    if request.method == "POST":
        confirm(found, timezone.now())
        return HttpResponseRedirect(f"{links.path('mine', found.subscriber_id, found.subscriber.key)}?confirmed=1")
    return _answer(request, "confirm", {"what": _words(found), "done": found.confirmed is not None})


@require_http_methods(["GET", "HEAD", "POST"])
def renew_it(request: HttpRequest, token: str) -> HttpResponse:
    """Another year."""
    subscriber, _ = links.read_subscriber("renew", token)
    if subscriber is None:
        return _gone(request)
    if request.method == "POST":
        renew(subscriber, timezone.now())
        return HttpResponseRedirect(f"{links.path('mine', subscriber.pk, subscriber.key)}?renewed=1")
    return _answer(request, "renew", {"listed": _listed(subscriber)})


@require_http_methods(["GET", "HEAD", "POST"])
def mine(request: HttpRequest, token: str) -> HttpResponse:
    """One's own list; by POST how and when are changed."""
    subscriber, _ = links.read_subscriber("mine", token)
    if subscriber is None:
        return _gone(request)
    form = WishesForm(initial=initial_of(subscriber))
    if request.method == "POST":
        form = WishesForm(request.POST)
        if form.is_valid():
            wish(subscriber, form.wishes())
            return HttpResponseRedirect(f"{request.path}?changed=1")
    said = next((name for name in ("confirmed", "renewed", "changed", "ended") if name in request.GET), "")
    values = {
        "who": _veil(unseal(subscriber.sealed)) if subscriber.way == MAIL else "",
        "subscriber": subscriber,
        "listed": _listed(subscriber),
        "form": form,
        "token": token,
        "said": said,
    }
    return _answer(request, "mine", values, status=422 if form.errors else 200)


@require_POST
def drop(request: HttpRequest, token: str, number: int) -> HttpResponse:
    """End one of them, or all (0), from the list."""
    subscriber, _ = links.read_subscriber("mine", token)
    if subscriber is None:
        return _gone(request)
    leave(subscriber, number)
    if Subscriber.objects.filter(pk=subscriber.pk).exists():
        return HttpResponseRedirect(f"{reverse('subscriptions:mine', args=[token])}?ended=1")
    return HttpResponseRedirect(reverse("subscriptions:ended"))


@csrf_exempt  # RFC 8058: mail programs press the button themselves, and have no cookie; the link is the proof
@require_http_methods(["GET", "HEAD", "POST"])
def off(request: HttpRequest, token: str) -> HttpResponse:
    """End what a mail came for, by one click in the mail program or on the page."""
    subscriber, number = links.read_subscriber("off", token)
    if request.method == "POST":
        if subscriber is not None:
            leave(subscriber, number)
        return _answer(request, "ended", {})
    if subscriber is None:
        return _answer(request, "ended", {})
    listed = _listed(subscriber)
    return _answer(request, "off", {"listed": [each for each in listed if number in (0, each["number"])]})


@require_safe
def ended(request: HttpRequest) -> HttpResponse:
    """It is over."""
    return _answer(request, "ended", {})


@sensitive_variables("form")
@require_http_methods(["GET", "HEAD", "POST"])
def ask_link(request: HttpRequest) -> HttpResponse:
    """Ask for the link to one's list. The answer is the same for every address."""
    if request.method != "POST":
        return _answer(request, "ask_link", {"form": AddressForm()})
    form = AddressForm(request.POST)
    if not form.is_valid():
        return _answer(request, "ask_link", {"form": form}, status=422)
    wait = BUCKET.take(prefix_of(address_of(request)))
    if wait:
        response = _answer(request, "ask_link", {"form": form, "blocked": True}, status=429)
        response["Retry-After"] = str(int(wait) + 1)
        return response
    if not form.cleaned_data["website"]:
        ask_for_link(form.cleaned_data["email"], settings.ALLMENDE)
    return HttpResponseRedirect(f"{reverse('subscriptions:sent')}?link=1")


def _words(subscription: Subscription) -> str:
    """What it is for; what it names may have been closed meanwhile, and then is not named."""
    selection = msgspec.convert(subscription.selection, Selection)
    said = say_selection(selection, open_profile(), open_store())
    return title_of(said) if said else ""


def _listed(subscriber: Subscriber) -> list[dict[str, Any]]:
    return [
        {"number": each.pk, "what": _words(each), "confirmed": each.confirmed, "query": _query(each)}
        for each in subscriber.subscriptions.all()
    ]


def _query(subscription: Subscription) -> str:
    return msgspec.convert(subscription.selection, Selection).query()


def _veil(address: str) -> str:
    """``a…@mail.example``: whoever got hold of a link learns no address by it."""
    name, _, host = address.rpartition("@")
    return f"{name[:1]}…@{host}"

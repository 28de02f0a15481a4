"""Choosing what to be told of, and how. All pages show what everybody may know, whoever is logged in."""

import copy
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.cache import get_conditional_response, patch_cache_control
from django.utils.http import http_date
from django.utils.translation import get_language, override
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from allmende.domain.catalogue import may_know
from allmende.domain.errors import InvalidQuery
from allmende.domain.policy import ANONYMOUS
from allmende.knowledge.maps.finding import Hit
from allmende.web.accounts.clients import address_of, prefix_of
from allmende.web.catalogue.extent import districts_of
from allmende.web.citizens.texts import texts_of_map
from allmende.web.counts import Bucket
from allmende.web.finding.shelves import everything
from allmende.web.house import House, open_profile, open_store
from allmende.web.maps.register import find_places
from allmende.web.subscriptions.asking import ask_by_mail
from allmende.web.subscriptions.feeds import make_feed
from allmende.web.subscriptions.forms import MailForm
from allmende.web.subscriptions.happening import say
from allmende.web.subscriptions.ledger import days_ago, recent
from allmende.web.subscriptions.push import public_key
from allmende.web.subscriptions.selection import Selection, read_selection
from allmende.web.subscriptions.wording import (
    KIND_HINTS,
    KIND_TITLES,
    SEVERITY_TITLES,
    Condition,
    say_happening,
    say_selection,
    title_of,
)

BUCKET = Bucket(settings.ALLMENDE.subscription_rate, "subscriptions")
PREVIEW_DAYS = 30
_PREVIEWED = 25
_FOUND = 20
_AROUND = 500
"""Metres around an address."""
RADII = (100, 250, 500, 1000, 2000, 5000)
FEEDS = {"atom": "Atom", "rss": "RSS", "ics": "iCal"}


@dataclass(frozen=True)
class Result:
    """Something to subscribe to that was found by its name."""

    title: str
    summary: str
    address: str


@require_safe
def start(request: HttpRequest) -> HttpResponse:
    """``/subscriptions/``: search by a name (``?q=``), or choose a place."""
    return _start(request, None)


def _start(request: HttpRequest, wrong: InvalidQuery | None) -> HttpResponse:
    text = request.GET.get("q", "")[:200].strip()
    kinds = request.GET.getlist("kind")
    values = {
        "text": text,
        "found": _search(request, text) if text else [],
        "districts": list(districts_of(open_profile().geography)),
        "kinds": [(kind, title, KIND_HINTS[kind], kind in kinds) for kind, title in KIND_TITLES.items()],
        "severities": SEVERITY_TITLES.items(),
        "radii": RADII,
        "wrong": wrong,
        "asked": request.GET,
        "texts": texts_of_map(),
        "feeds": _feeds(Selection()),
        "with_mail": bool(settings.ALLMENDE.mail_url),
    }
    return render(request, "subscriptions/start.html", values, status=422 if wrong else 200)


def _search(request: HttpRequest, text: str) -> list[Result]:
    """Things, districts and datasets that everybody may know of."""
    asking, house = copy.copy(request), House(store=open_store(), profile=open_profile(), reader=ANONYMOUS)
    asking.house = house  # type: ignore[attr-defined]
    known, small = everything(asking), text.casefold()
    found = [
        Result(say(dataset.title), say(dataset.description), _address(dataset=dataset.id))
        for dataset in open_profile().datasets.values()
        if may_know(dataset, ANONYMOUS)
        and not dataset.simulated
        and any(small in say(texts).casefold() for texts in (dataset.title, dataset.description))
    ]
    found += [result for hit in find_places(house, text) if (result := _placed(hit)) is not None]
    hits = known.index.search(text)
    for key in sorted(hits.scores, key=lambda key: (-hits.scores[key], key)):
        kind, one = known.found[key]
        name = {"things": "thing", "places": "district"}.get(kind.name)
        if name is not None and len(found) < _FOUND:
            found.append(Result(one.title, one.summary, _address(**{name: one.key})))
    return found[:_FOUND]


def _placed(hit: Hit) -> Result | None:
    """A house of the register of addresses, or a street; what else is found there is found by its own name."""
    if hit.kind == "address":
        near = f"{hit.lon:.6f},{hit.lat:.6f},{_AROUND}"
        return Result(hit.name, _("What happens up to %(metres)s metres from here") % {"metres": _AROUND},
                      _address(near=near))  # fmt: skip
    if hit.kind == "street":
        return Result(hit.name, _("What is announced for this street"), _address(street=hit.name))
    return None


def _address(**said: str) -> str:
    return f"{reverse('subscriptions:new')}?{urlencode(said)}"


@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """A selection in words, what would have come, and the ways; by POST it is asked for by mail."""
    try:
        selection, said = _read(request)
    except InvalidQuery as wrong:
        return _start(request, wrong)
    form = MailForm(initial={"language": get_language()})
    if request.method != "POST":
        return _show(request, selection, said, form)
    form = MailForm(request.POST)
    if not form.is_valid():
        return _show(request, selection, said, form, status=422)
    wait = BUCKET.take(prefix_of(address_of(request)))
    if wait:
        response = _show(request, selection, said, form, status=429)
        response["Retry-After"] = str(int(wait) + 1)
        return response
    if not form.cleaned_data["website"] and settings.ALLMENDE.mail_url:
        ask_by_mail(form.cleaned_data["email"], selection, form.wishes(), settings.ALLMENDE)
    return HttpResponseRedirect(reverse("subscriptions:sent"))


def _read(request: HttpRequest) -> tuple[Selection, list[Condition]]:
    """Raises InvalidQuery, or Http404 for what is not there or not for everybody."""
    selection = read_selection(request.GET)
    said = say_selection(selection, open_profile(), open_store())
    if said is None:
        raise Http404("nothing that everybody may know of")
    return selection, said


def _show(
    request: HttpRequest, selection: Selection, said: list[Condition], form: MailForm, status: int = 200
) -> HttpResponse:
    profile, config = open_profile(), settings.ALLMENDE
    found = recent(profile, selection, since=days_ago(PREVIEW_DAYS), most=_PREVIEWED + 1)
    values: dict[str, Any] = {
        "said": said,
        "title": title_of(said),
        "query": selection.query(),
        "preview": [say_happening(happening, profile.time_zone) for _kept, happening in found[:_PREVIEWED]],
        "more": len(found) > _PREVIEWED,
        "days": PREVIEW_DAYS,
        "form": form,
        "blocked": status == 429,
        "hours": round(config.subscription_hours),
        "with_mail": bool(config.mail_url),
        "feeds": _feeds(selection),
        "push_key": public_key(config) if config.push_hosts else "",
    }
    return render(request, "subscriptions/new.html", values, status=status)


def _feeds(selection: Selection) -> list[tuple[str, str]]:
    """Name and address of each kind, in the page's language."""
    query = "&".join(part for part in (selection.query(), urlencode({"lang": get_language() or "de"})) if part)
    return [(name, f"{reverse('subscriptions:feed', args=[kind])}?{query}") for kind, name in FEEDS.items()]


@require_safe
def sent(request: HttpRequest) -> HttpResponse:
    """The same for everybody, whatever was asked for."""
    return render(request, "subscriptions/sent.html", {"hours": round(settings.ALLMENDE.subscription_hours)})


@require_safe
def feed(request: HttpRequest, kind: str) -> HttpResponse:
    """A feed or a calendar; ``lang`` is its language. 400 where the address cannot be understood."""
    profile, config = open_profile(), settings.ALLMENDE
    codes = [code for code, _name in settings.LANGUAGES]
    language = request.GET.get("lang", "")
    with override(language if language in codes else profile.languages[0]):
        try:
            selection, said = _read(request)
        except InvalidQuery as wrong:
            return HttpResponse(f"{wrong}\n", status=400, content_type="text/plain; charset=utf-8")
        query = "&".join(part for part in (selection.query(), urlencode({"lang": get_language()})) if part)
        found = recent(profile, selection, since=days_ago(config.subscription_days), most=config.subscription_entries)
        made = make_feed(
            kind,
            found,
            profile,
            title=title_of(said),
            address=f"{reverse('subscriptions:feed', args=[kind])}?{query}",
            page=f"{reverse('subscriptions:new')}?{query}",
        )
    return _answer(request, made.body, made.type, made.tag, made.changed)


def _answer(request: HttpRequest, body: bytes, type_: str, tag: str, changed: datetime | None) -> HttpResponse:
    response = HttpResponse(body, content_type=type_)
    response["ETag"] = f'"{tag}"'
    if changed is not None:
        response["Last-Modified"] = http_date(changed.timestamp())
    # no cache may show for long what everybody may not know of any more
    patch_cache_control(response, public=True, max_age=60)
    response["X-Content-Type-Options"] = "nosniff"
    stamp = None if changed is None else int(changed.timestamp())
    answer = get_conditional_response(request, etag=f'"{tag}"', last_modified=stamp, response=response)
    assert answer is not None
    return answer

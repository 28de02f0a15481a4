"""What could not be taken of a source: seen, searched and taken again by those who look after the house."""

from functools import cache
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods

from allmende.domain.errors import NotFound
from allmende.web.accounts.audit import record
from allmende.web.accounts.roles import asks_for
from allmende.web.house import open_profile, open_sources, open_store
from allmende.web.intake import Intake
from allmende.web.portal.sources import as_moment, spoken
from allmende.web.reads.notes import notes
from allmende.web.replay import can_replay, replay

SHOWN = 100
MOST = 500
"""Rejections that one request takes again; the rest by a further one, or `allmende rejections replay`."""
_BYTES = 600


@require_http_methods(["GET", "HEAD", "POST"])
@asks_for("rejections.see")
def rejections(request: HttpRequest, source: str) -> HttpResponse:
    """The rejections of one source; by POST, those that are named or all that were found are taken again."""
    profile = open_profile()
    if source not in profile.sources:
        raise Http404(source)
    if request.method == "POST":
        return _replay(request, source)
    house = request.house  # type: ignore[attr-defined]
    text, code = request.GET.get("text", "")[:200], request.GET.get("code", "")[:100]
    found = house.store.rejections(source=source, code=code, text=text, limit=SHOWN)
    dataset = profile.datasets.get(profile.sources[source].dataset)
    if found and dataset is not None and dataset.access != "open":
        notes.note(house.reader.name, {dataset.id})
    values: dict[str, Any] = {
        "source": profile.sources[source],
        "title": spoken(profile.sources[source].title),
        "listed": [_shown(house.store.rejection(each.number)) for each in found],
        "text": text,
        "code": code,
        "most": SHOWN,
        "done": {key: request.GET.get(key, "") for key in ("chosen", "settled")} if "chosen" in request.GET else None,
        "now": house.now(),
    }
    return render(request, "portal/rejections.html", values)


def _shown(kept: Any) -> dict[str, Any]:
    return {
        "kept": kept,
        "at": as_moment(kept.received_at),
        "waits": can_replay(kept),
        "body": kept.body[:_BYTES].decode(errors="replace"),
    }


def _replay(request: HttpRequest, source: str) -> HttpResponse:
    text, code = request.POST.get("text", "")[:200], request.POST.get("code", "")[:100]
    intake = _intake()
    number = request.POST.get("number", "")
    if number.isascii() and number.isdigit() and len(number) < 19:
        try:
            chosen = [intake.store.rejection(int(number))]
        except NotFound:
            raise Http404(number) from None
        if chosen[0].source != source:
            raise Http404(number)
    elif number:
        raise Http404(number)
    else:
        chosen = intake.store.rejections(source=source, code=code, text=text, limit=10 * MOST)
    # the oldest first: the order in which they came
    waiting = sorted((each for each in chosen if can_replay(each)), key=lambda each: each.number)[:MOST]
    done = replay(intake, waiting)
    record(f"user:{request.user.get_username()}", "rejections.replay", f"source:{source}", settled=done.settled)
    told = urlencode({"text": text, "code": code, "chosen": done.chosen, "settled": done.settled})
    return HttpResponseRedirect(f"{reverse('portal:rejections', args=[source])}?{told}")


@cache
def _intake() -> Intake:
    return Intake(open_store(), open_profile(), settings.ALLMENDE, follow=open_sources)

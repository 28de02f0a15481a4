"""The book of rules, for anybody: what is derived, from what, and how a number was made."""

from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from allmende.domain.errors import InvalidInput
from allmende.domain.times import parse_instant
from allmende.knowledge.prepare import Prepared, Rule, prepare_rules
from allmende.web.accounts.roles import may
from allmende.web.office.models import OPEN, Revision
from allmende.web.rulebook import words
from allmende.web.rulebook.book import SHOWN_STREAMS, Made, ShownStream, derived_streams, describe, how_made, list_rules
from allmende.web.rulebook.desk import office_of
from allmende.web.rulebook.drafts import KIND
from allmende.web.rules import limits_of


@require_safe
def rules(request: HttpRequest) -> HttpResponse:
    """All rules of the city."""
    house = request.house  # type: ignore[attr-defined]
    edits = may(request.user, "rules.edit")
    listed = [
        one
        for one in list_rules(house.profile, house.store.sources())
        if edits or house.knows(house.profile.datasets[one.rule.dataset])
    ]
    drafts = Revision.objects.filter(kind=KIND, state__in=OPEN).select_related("author", "releaser") if edits else ()
    told = {"rules": listed, "now": house.now(), "edits": edits, "drafts": drafts}
    return render(request, "rulebook/rules.html", told)


@require_safe
def rule(request: HttpRequest, rule: str) -> HttpResponse:
    """One rule: in words, with its versions, its streams, and how its newest value was made.

    One that is but a draft is seen by those who may edit.
    """
    if rule not in request.house.profile.rules and may(request.user, "rules.edit"):  # type: ignore[attr-defined]
        office = office_of(request, rule)
        if office["history"]:
            return render(request, "rulebook/drafted.html", {"key": rule, "office": office})
    house, prepared, told = _opened(request, rule)
    if told["edits"]:
        told["office"] = office_of(request, rule)
    streams = derived_streams(house.store, house.reader, rule)
    ready = _ready(prepared, rule)
    newest = max((one for one in streams if one.stamp is not None), key=lambda one: one.stamp or 0, default=None)
    made = _made(request, ready, newest, newest.stamp) if ready and newest and newest.stamp is not None else None
    return render(
        request,
        "rulebook/rule.html",
        {**told, "key": rule, "streams": streams, "all_shown": len(streams) < SHOWN_STREAMS, "made": made},
    )


@require_safe
def value(request: HttpRequest, rule: str) -> HttpResponse:
    """How one value was made: ``?stream=…&time=…``; without a time, the newest of the stream. Raises Http404."""
    house, prepared, told = _opened(request, rule)
    streams = derived_streams(house.store, house.reader, rule, stream=request.GET.get("stream", "")[:256])
    stream = next((one for one in streams if one.id == request.GET.get("stream")), None)
    ready = _ready(prepared, rule)
    if stream is None or ready is None:
        raise Http404("no such stream of this rule")
    text, fault = request.GET.get("time", "").strip(), ""
    stamp = stream.stamp
    if text:
        try:
            stamp = parse_instant(text)
        except InvalidInput as error:
            fault = str(error)
    made = _made(request, ready, stream, stamp) if stamp is not None and not fault else None
    told |= {"stream": stream, "made": made, "time": text, "fault": fault}
    return render(request, "rulebook/value.html", told, status=422 if fault else 200)


def _opened(request: HttpRequest, rule: str) -> tuple[Any, Prepared, dict[str, Any]]:
    """The house, the city's rules, and what every page on a rule shows of it. Raises Http404."""
    house = request.house  # type: ignore[attr-defined]
    profile = house.profile
    said = profile.rules.get(rule)
    if said is None or not (house.knows(profile.datasets[said.dataset]) or may(request.user, "rules.edit")):
        raise Http404(rule)
    prepared = prepare_rules(profile)
    return house, prepared, {
        "rule": said,
        "listed": describe(said, profile, prepared, house.store.sources()),
        "inputs": words.say_inputs(said),
        "outputs": words.say_outputs(said),
        "whom": words.say_for(said, profile.groups),
        "window": words.say_window(said),
        "now": house.now(),
        "edits": may(request.user, "rules.edit"),
        "dataset": profile.datasets[said.dataset],
        "past": Revision.objects.filter(kind=KIND, key=rule, released__isnull=False).order_by("-number"),
    }  # fmt: skip


def _ready(prepared: Prepared, rule: str) -> Rule | None:
    return next((one for one in prepared.rules if one.id == rule), None)


def _made(request: HttpRequest, rule: Rule, stream: ShownStream, stamp: int | None) -> Made | None:
    house = request.house  # type: ignore[attr-defined]
    if stamp is None:
        return None
    return how_made(house.store, house.reader, rule, stream, stamp, limits_of(settings.ALLMENDE))

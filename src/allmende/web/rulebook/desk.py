"""Where a department changes its rules: look at the past, edit, propose, release, undo, work the past out anew.

Who may is said by the deeds ``rules.edit`` and ``release``; what is saved are revisions of the office.
"""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from allmende.domain.errors import AllmendeError, InvalidInput, StorageError
from allmende.domain.policy import ANONYMOUS
from allmende.domain.profile import Profile
from allmende.domain.profile_checks import ProfileError, check_id
from allmende.domain.times import from_datetime
from allmende.knowledge.prepare import Rule
from allmende.knowledge.program import FUNCTIONS
from allmende.web.accounts.models import User
from allmende.web.accounts.roles import asks_for, may
from allmende.web.office import revisions
from allmende.web.office.consequences import consequences
from allmende.web.office.models import Revision
from allmende.web.office.refusals import refusal, say_error, warnings_of
from allmende.web.portal.sources import spoken
from allmende.web.rulebook import drafts, runs
from allmende.web.rulebook.drafts import KIND, Fault
from allmende.web.rulebook.form import ROWS, to_body, to_fields, to_put
from allmende.web.rulebook.history import HEIGHT, WIDTH, Past, hidden_streams, look_back
from allmende.web.rulebook.models import RuleRun
from allmende.web.rules import limits_of

RESERVED = ("new", "count")
"""Addresses of their own."""
_DAYS = 7
_EMPTY: dict[str, Any] = {"version": 1, "inputs": {"": {}}, "outputs": {"": {}}}


def office_of(request: HttpRequest, key: str) -> dict[str, Any]:
    """What somebody who may edit sees of a rule's revisions and runs."""
    draft, stood = revisions.open_revision(KIND, key), revisions.released(KIND, key)
    user = request.user
    return {
        "draft": draft,
        "changes": revisions.changes_of(draft) if draft else [],
        "consequences": consequences(draft) if draft else None,
        "warnings": warnings_of(draft),
        "may_release": may(user, "release"),
        "needs_other": draft is not None and isinstance(user, User) and revisions.needs_other(draft, user),
        "released": stood,
        "history": revisions.history(KIND, key),
        "hidden": _hidden(request, key, draft),
        "runs": RuleRun.objects.filter(rule=key).select_related("asker").order_by("-asked")[:10],
        "today": _today(request),
    }


def _hidden(request: HttpRequest, key: str, draft: Revision | None) -> int:
    """How many streams that are not open to everybody a draft reads whose own values are."""
    house = request.house  # type: ignore[attr-defined]
    try:
        rule = drafts.of_revision(key, draft) if draft else None
    except AllmendeError:
        return 0
    dataset = house.profile.datasets.get(rule.profile.dataset) if rule else None
    return hidden_streams(house.store, ANONYMOUS, rule) if rule and dataset and dataset.access == "open" else 0


# --- the past ---


@require_safe
@asks_for("rules.edit")
def history(request: HttpRequest, rule: str) -> HttpResponse:
    """What a rule, or its draft, gives over a past, against what is kept."""
    house = request.house  # type: ignore[attr-defined]
    draft = revisions.open_revision(KIND, rule)
    if rule not in house.profile.rules and draft is None:
        raise Http404(rule)
    of_draft = draft is not None and request.GET.get("which", "draft") == "draft"
    told: dict[str, Any] = {
        "key": rule, "draft": draft, "of_draft": of_draft, "width": WIDTH, "height": HEIGHT,
        "chosen": request.GET.get("group", ""), **_span_fields(request),
    }  # fmt: skip
    try:
        ready = drafts.of_revision(rule, draft if of_draft else None)
        if ready is None:
            raise InvalidInput(_("the rule has a mistake, or is switched off"))
        told["title"] = spoken(ready.profile.title) or rule
        if "from" in request.GET:
            told["past"] = _look(request, ready, told["chosen"][:256])
    except StorageError:
        raise
    except AllmendeError as error:
        told["fault"] = say_error(error)
    return render(request, "rulebook/history.html", told, status=422 if "fault" in told else 200)


def _look(request: HttpRequest, rule: Rule, group: str) -> Past:
    house, config = request.house, settings.ALLMENDE  # type: ignore[attr-defined]
    return look_back(
        house.store,
        house.reader,
        rule,
        _span(request, request.GET),
        limits_of(config),
        group=group,
        most=config.rule_preview_values,
        seconds=config.rule_preview_seconds,
    )


def _span_fields(request: HttpRequest) -> dict[str, str]:
    today = _today(request)
    return {
        "start": request.GET.get("from", (today - timedelta(days=_DAYS)).isoformat()),
        "end": request.GET.get("to", today.isoformat()),
    }


def _today(request: HttpRequest) -> date:
    house = request.house  # type: ignore[attr-defined]
    found: date = house.now().astimezone(ZoneInfo(house.profile.time_zone)).date()
    return found


def _span(request: HttpRequest, said: Mapping[str, str]) -> tuple[int, int]:
    """From the start of a day to the end of another, in the city's time. Raises InvalidInput."""
    first, last = (_day(request, said.get(name, "")) for name in ("from", "to"))
    return from_datetime(first), from_datetime(last + timedelta(days=1))


def _day(request: HttpRequest, text: str) -> datetime:
    house = request.house  # type: ignore[attr-defined]
    try:
        return datetime.combine(date.fromisoformat(text), time(0), ZoneInfo(house.profile.time_zone))
    except ValueError:
        raise InvalidInput(_("%(text)s is no day such as 2026-05-01") % {"text": repr(text[:40])}) from None


# --- the form ---


@require_http_methods(["GET", "HEAD", "POST"])
@asks_for("rules.edit")
def edit(request: HttpRequest, rule: str = "") -> HttpResponse:
    """The form of a rule, or of a new one; by POST it is checked, looked at, saved or proposed."""
    draft = revisions.open_revision(KIND, rule) if rule else None
    stood = revisions.current(KIND, rule) if rule else None
    if rule and draft is None and stood is None:
        raise Http404(rule)
    before: Mapping[str, Any] = (draft.body if draft and not draft.removes else stood) or _EMPTY
    if request.method != "POST":
        told: dict[str, Any] = {"seen": draft.turn if draft else 0, "reason": draft.reason if draft else ""}
        return _form(request, rule, to_fields(before), told)
    return _take(request, rule, before, stood)


def _take(request: HttpRequest, rule: str, before: Mapping[str, Any], stood: dict[str, Any] | None) -> HttpResponse:
    fields = {name: value for name, value in request.POST.items() if isinstance(value, str)}
    key = rule or fields.get("key", "").strip()
    seen = fields.get("seen", "")
    told: dict[str, Any] = {"seen": int(seen) if seen.isdigit() else 0, "reason": fields.get("reason", ""), "key": key}
    body, misread = to_body(fields, before)
    body["version"] = _version(stood, body)
    faults = drafts.as_faults(misread) or _key_faults(request, rule, key)
    if not faults:
        told["warnings"], faults = drafts.check(key, body)
    deed = fields.get("do", "check")
    if faults or deed not in ("save", "propose"):
        told |= {"faults": faults, "checked": not faults}
        return _form(request, rule, fields, told, status=422 if faults else 200)
    try:
        draft = revisions.save_draft(KIND, key, body, request.user, seen=told["seen"], reason=told["reason"])
        if deed == "propose":
            revisions.propose(draft, request.user, seen=draft.turn)
    except StorageError:
        raise
    except AllmendeError as error:
        told["faults"] = [Fault("", refusal(error))]
        return _form(request, rule, fields, told, status=409)
    messages.success(request, _("The draft is saved.") if deed == "save" else _("The change is proposed."))
    return HttpResponseRedirect(reverse("rulebook:rule", args=[key]))


def _version(stood: Mapping[str, Any] | None, body: Mapping[str, Any]) -> int:
    """One more than what is in force, where anything else is said than there."""
    if stood is None:
        return 1
    known = int(stood.get("version", 1))
    return known if {**body, "version": known} == stood else known + 1


def _key_faults(request: HttpRequest, rule: str, key: str) -> list[Fault]:
    if rule:
        return []
    try:
        check_id(key, "key")
    except ProfileError as error:
        return [Fault("key", say_error(error))]
    if key in RESERVED or revisions.current(KIND, key) is not None or revisions.open_revision(KIND, key) is not None:
        return [Fault("key", _("there is a rule of this name already"))]
    return []


def _form(
    request: HttpRequest, rule: str, fields: Mapping[str, str], told: dict[str, Any], status: int = 200
) -> HttpResponse:
    house = request.house  # type: ignore[attr-defined]
    faults: list[Fault] = told.get("faults", [])
    by_field = {fault.field: fault for fault in faults if fault.field}
    inputs = _rows("input", fields)
    for row in inputs:
        row["count"] = drafts.count_streams(house.store, house.reader, _put_of(fields, row["n"]))
    told |= {
        "rule": rule,
        "key": rule or told.get("key", ""),
        "fields": fields,
        "inputs": inputs,
        "outputs": _rows("output", fields),
        "opened": _rows("open", fields),
        "actions": _rows("action", fields),
        "capabilities": drafts.capabilities(house.store, house.reader),
        "closed": [("", "–"), *_closed(house.profile)],
        "faults": by_field,
        "general": [fault for fault in faults if not fault.field],
        "wrong": bool(faults),
        "datasets": [(name, spoken(each.title)) for name, each in house.profile.datasets.items()],
        "bys": [
            ("stream", _("each series")), ("thing", _("each thing")), ("all", _("all together")),
            *((name, spoken(each.title) or name) for name, each in house.profile.groups.items()),
        ],
        "functions": FUNCTIONS,
        **_choices(),
    }  # fmt: skip
    return render(request, "rulebook/edit.html", told, status=status)


def _closed(profile: Profile) -> list[tuple[str, str]]:
    """Datasets that not everybody may read: whoever writes rules may name each of them, and says why."""
    return [(name, spoken(each.title)) for name, each in profile.datasets.items() if each.access != "open"]


def _choices() -> dict[str, list[tuple[str, str]]]:
    """What can be chosen, by the name that the template calls it."""
    return {
        "stamps": [("start", _("the start of its window")), ("end", _("the end of its window"))],
        "ways": [("property", _("all of a property")), ("rule", _("what a rule gives")), ("streams", _("these ids"))],
        "types": [("number", _("numbers")), ("text", _("words")), ("truth", _("true or false"))],
        "takes": [("latest", _("the latest of each series")), ("readings", _("all readings of the window"))],
        "kinds": [
            ("measurement", _("measurements")), ("count", _("counts")), ("category", _("words")),
            ("truth", _("true or false")),
        ],
        "missing": [("nothing", _("say nothing")), ("null", _("say that there is none"))],
    }  # fmt: skip


def _rows(what: str, fields: Mapping[str, str]) -> list[dict[str, Any]]:
    """The inputs or outputs of a form, and an empty one behind them."""
    taken = [n for n in range(ROWS) if fields.get(f"{what}-{n}-name", "").strip()]
    shown = [*taken, max(taken, default=-1) + 1][:ROWS]
    rows = []
    for n in shown:
        head = f"{what}-{n}-"
        own = {name.removeprefix(head): text for name, text in fields.items() if name.startswith(head)}
        if not own.get("name"):
            own = {"trigger": "on", **own}
        rows.append({"n": n, "head": head, "own": own, "fresh": not own.get("name")})
    return rows


def _put_of(fields: Mapping[str, str], number: int) -> dict[str, Any]:
    head = f"input-{number}-"
    return to_put({name.removeprefix(head): text for name, text in fields.items() if name.startswith(head)})


@require_safe
@asks_for("rules.edit")
def count(request: HttpRequest) -> HttpResponse:
    """How many streams the selector of one input finds, as a line of the form."""
    house = request.house  # type: ignore[attr-defined]
    text = request.GET.get("n", "0")
    number = int(text) if text.isdigit() and int(text) < ROWS else 0
    fields = {name: value for name, value in request.GET.items() if isinstance(value, str)}
    found = drafts.count_streams(house.store, house.reader, _put_of(fields, number))
    return render(request, "rulebook/_count.html", {"count": found})


# --- what becomes of it ---


@require_POST
@asks_for("rules.edit")
def decide(request: HttpRequest, rule: str) -> HttpResponse:
    """Propose, release, decline, withdraw or undo; what cannot be done is told on the rule's page."""
    said = request.POST
    seen = int(said["seen"]) if said.get("seen", "").isdigit() else 0
    try:
        done = _decide(rule, said.get("do", ""), request.user, seen, said.get("answer", ""), knowing="knowing" in said)
        messages.success(request, done)
    except StorageError:
        raise
    except AllmendeError as error:
        messages.error(request, refusal(error))
    known = revisions.current(KIND, rule) is not None or revisions.open_revision(KIND, rule) is not None
    return HttpResponseRedirect(reverse("rulebook:rule", args=[rule]) if known else reverse("rulebook:rules"))


def _decide(rule: str, deed: str, user: Any, seen: int, answer: str, *, knowing: bool) -> str:
    if deed == "undo":
        stood = revisions.released(KIND, rule)
        if stood is None:
            raise InvalidInput(_("nothing that was released is in force"))
        made = revisions.undo(stood, user, reason=answer)
        if made[0].is_open:
            return _("It would make something more open: it is proposed, and a second person has to release it.")
        return _("It is as it was before.")
    draft = revisions.open_revision(KIND, rule)
    if draft is None:
        raise InvalidInput(_("there is no draft"))
    if deed == "propose":
        revisions.propose(draft, user, seen=seen)
        return _("The change is proposed.")
    if deed == "release":
        revisions.release(draft, user, seen=seen, answer=answer, knowing=knowing)
        return _("The change is in force. The worker follows it within seconds.")
    if deed == "decline":
        revisions.decline(draft, user, seen=seen, answer=answer)
        return _("The proposal was given back.")
    if deed == "withdraw":
        revisions.withdraw(draft, user, seen=seen, answer=answer)
        return _("The draft is withdrawn.")
    raise InvalidInput(_("this is nothing that can be done"))


@require_POST
@asks_for("release")
def run(request: HttpRequest, rule: str) -> HttpResponse:
    """Ask the worker to work the past of a rule out anew."""
    house = request.house  # type: ignore[attr-defined]
    if rule not in house.profile.rules:
        raise Http404(rule)
    try:
        low, high = _day(request, request.POST.get("from", "")), _day(request, request.POST.get("to", ""))
        if high < low:
            raise InvalidInput(_("the last day comes before the first"))
        assert isinstance(request.user, User)
        runs.ask(rule, low, high + timedelta(days=1), request.user)
        messages.success(request, _("The worker works the past out anew; what came of it will stand here."))
    except InvalidInput as error:
        messages.error(request, error.message)
    return HttpResponseRedirect(reverse("rulebook:rule", args=[rule]))

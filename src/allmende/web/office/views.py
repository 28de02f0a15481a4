"""The office's pages: what waits, one table with its history, its form, and the deeds."""

from collections.abc import Callable
from typing import Any

import msgspec
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from allmende.domain.errors import AllmendeError, ChangedMeanwhile, Forbidden, LimitExceeded
from allmende.domain.plain import KINDS, check_change, differences
from allmende.domain.profile import Profile
from allmende.domain.profile_checks import ProfileError
from allmende.domain.rule_files import FOLDER
from allmende.web.accounts.roles import asks_for, may
from allmende.web.house import open_profile
from allmende.web.live import live, problems
from allmende.web.office import revisions
from allmende.web.office.consequences import consequences
from allmende.web.office.deeds import number
from allmende.web.office.files import read
from allmende.web.office.forms import TableForm
from allmende.web.office.group_table import preview_groups, table_of
from allmende.web.office.kinds import EDITORS, NEW, ONE, TITLES, address_of
from allmende.web.office.models import OPEN, PROPOSED, RELEASED, REPLACED, WITHDRAWN, Revision
from allmende.web.office.preview import preview
from allmende.web.office.refusals import refusal, say_error, warnings_of
from allmende.web.office.rights import ENTER, OF_ORGANISATIONS, in_house, may_edit, may_look, may_make, may_release
from allmende.web.office.tables import FORMS, form_of
from allmende.web.office.usage import undescribed, uses_of
from allmende.web.office.words import name_of, say_differences

LATELY = 20
MOST_HISTORY = 50
BESIDE = (
    ("grants:overview", gettext_lazy("Access to data that are not open"), "policy.edit"),
    ("persons:overview", gettext_lazy("Requests of persons"), "persons.answer"),
    ("audit", gettext_lazy("Audit log"), "audit.see"),
    ("citizens:waiting", gettext_lazy("Sensors of citizens that wait"), "sensors.review"),
    ("feedback:messages", gettext_lazy("Messages to the operator"), "feedback.see"),
)
"""Pages of the office that change no table of the profile, and the deed that each asks for."""
MOST_LOOKED_AT = 200
"""Of past revisions, among which those of one organisation are looked for."""


@require_safe
@asks_for(ENTER, somewhere=True)
def overview(request: HttpRequest) -> HttpResponse:
    """What waits for release, what is being drafted, what changed lately."""
    open_ = Revision.objects.filter(state__in=OPEN).select_related("author").order_by("changed")
    waiting = [each for each in open_ if may_look(request.user, each.kind, each.key, each.said)]
    past = Revision.objects.filter(state__in=(RELEASED, REPLACED, WITHDRAWN)).select_related("author", "releaser")
    lately = past.order_by("-changed")[: LATELY if in_house(request.user) else MOST_LOOKED_AT]
    values = {
        "waiting": [_shown(each) for each in waiting if each.state == PROPOSED],
        "drafts": [_shown(each) for each in waiting if each.state != PROPOSED],
        "lately": [_shown(each) for each in lately if may_look(request.user, each.kind, each.key, each.said)][:LATELY],
        "kinds": [
            {"kind": kind, "title": TITLES[kind], "count": len(_looked_at(request, kind))} for kind in _kinds(request)
        ],
        "problems": list(problems()) if in_house(request.user) else [],
        "beside": [
            {"address": reverse(name), "title": title} for name, title, deed in BESIDE if may(request.user, deed)
        ],
    }
    return render(request, "office/overview.html", values)


@require_safe
@asks_for(ENTER, somewhere=True)
def listing(request: HttpRequest, kind: str) -> HttpResponse:
    """All tables of a kind, with what is released or open over the folder."""
    if kind not in _kinds(request):
        raise Http404(kind)
    plain, folder = _looked_at(request, kind), live().folder().bodies(kind)
    open_ = {
        each.key: each
        for each in Revision.objects.filter(kind=kind, state__in=OPEN)
        if may_look(request.user, kind, each.key, each.said)
    }
    listed = [
        {
            "key": key,
            "title": name_of(kind, key, plain.get(key), open_[key].body if key in open_ else None),
            "open": open_.get(key),
            "changed": plain.get(key) != folder.get(key),
            "new": key not in plain,
        }
        for key in dict.fromkeys((*plain, *open_))
    ]
    values = {
        "kind": kind,
        "title": TITLES[kind],
        "listed": listed,
        "new": address_of(NEW, kind) if may_make(request.user, kind) else "",
        "undescribed": undescribed(open_profile()) if kind == "property" else [],
    }
    return render(request, "office/listing.html", values)


@require_safe
@asks_for(ENTER, somewhere=True)
def table(request: HttpRequest, kind: str, key: str) -> HttpResponse:
    """One table: what waits, what is in force, what was before; and what may be done with it."""
    if kind not in KINDS:
        raise Http404(kind)
    profile = open_profile()
    body, in_folder = revisions.current(kind, key), revisions.in_folder(kind, key)
    waiting, known = revisions.open_revision(kind, key), revisions.history(kind, key)
    drafted = waiting.said if waiting else None
    if (body is None and not known) or not may_look(request.user, kind, key, drafted if body is None else None):
        raise Http404(key)
    in_force = next((each for each in known if each.state == RELEASED), None)
    values: dict[str, Any] = {
        "kind": kind,
        "key": key,
        "one": ONE[kind],
        "kind_title": TITLES[kind],
        "title": name_of(kind, key, body, waiting.body if waiting else None, *(each.body for each in known)),
        "waiting": _shown(waiting) if waiting else None,
        "together": _together(request, waiting),
        "consequences": consequences(waiting) if waiting else None,
        "warnings": warnings_of(waiting),
        "body": say_differences(kind, differences(None, body), profile),
        "in_force": _shown(in_force) if in_force else None,
        "whole": len(revisions.companions(in_force)) > 1 if in_force else False,
        "in_folder": in_folder is not None,
        "uses": uses_of(kind, key, profile),
        "gone": body is None,
        "history": [_shown(each) for each in known[:MOST_HISTORY] if not each.is_open],
        "edit": address_of(EDITORS, kind, key),
        "may_edit": may_edit(request.user, kind, key, drafted),
        "may_release": may_release(request.user, kind, key, drafted),
        "needs_other": bool(waiting and revisions.needs_other(waiting, request.user)),  # type: ignore[arg-type]
    }
    if kind == "retention" and waiting is not None:
        try:
            values["preview"] = preview(key, waiting.said)
        except AllmendeError as error:
            values["preview_error"] = say_error(error)
    if kind == "groups" and waiting is not None and not waiting.removes:
        try:
            values["groups_preview"] = preview_groups(key, waiting)
        except AllmendeError as error:
            values["preview_error"] = say_error(error)
    return render(request, "office/table.html", values)


@require_http_methods(["GET", "HEAD", "POST"])
@asks_for(ENTER, somewhere=True)
def edit(request: HttpRequest, kind: str, key: str) -> HttpResponse:
    """The form of a table; by POST it is saved as the draft."""
    if not form_of(kind, key):
        raise Http404(kind)
    waiting = revisions.open_revision(kind, key)
    body = waiting.body if waiting and not waiting.removes else revisions.current(kind, key)
    if body is None or not may_look(request.user, kind, key, body):
        raise Http404(key)
    if not may_edit(request.user, kind, key, body):
        raise PermissionDenied(kind)
    if request.method == "POST":
        return _save(request, kind, key, body, waiting)
    form = TableForm(kind, key, body, _profile_for(request))
    return _render_form(request, kind, key, form, seen=waiting.turn if waiting else 0, waiting=waiting)


@require_http_methods(["GET", "HEAD", "POST"])
@asks_for(ENTER, somewhere=True)
def new(request: HttpRequest, kind: str) -> HttpResponse:
    """The form of a table that there is not yet."""
    if kind not in FORMS or NEW.get(kind) != "office:new":
        raise Http404(kind)
    if not may_make(request.user, kind):
        raise PermissionDenied(kind)
    sent = request.POST if request.method == "POST" else None
    key = request.POST.get("new.id", request.GET.get("id", "")).strip()
    form = TableForm(kind, key, {}, _profile_for(request), sent, request.FILES)
    if request.method != "POST":
        return _render_form(request, kind, key, form, is_new=True)
    wrong = _wrong_key(kind, key)
    if wrong:
        form.body()
        return _render_form(request, kind, key, form, status=422, key_error=wrong)
    return _save(request, kind, key, {}, None, form)


def _wrong_key(kind: str, key: str) -> str:
    if revisions.current(kind, key) is not None or revisions.open_revision(kind, key) is not None:
        return _("There is one with this id already.")
    try:
        check_change(kind, key)
    except ProfileError:
        return _("An id has small letters a to z, digits, and hyphens between.")
    return ""


def _save(
    request: HttpRequest, kind: str, key: str, body: Any, waiting: Revision | None, form: TableForm | None = None
) -> HttpResponse:
    """Save what was sent as the draft; or show it again with what is wrong."""
    is_new = form is not None
    form = form or TableForm(kind, key, body, _profile_for(request), request.POST, request.FILES)
    made = form.body()
    table = table_of(key, waiting) if kind == "groups" else None
    files = table.take(request, key) if table is not None else _with_others(kind, key, waiting, form.files)
    if made is not None and files and kind == "groups":
        made["table"] = next(iter(files)).removeprefix(FOLDER)
    seen = number(request.POST.get("seen", "0"))
    telling: dict[str, Any] = {"seen": seen, "waiting": waiting, "is_new": is_new, "status": 422, "table": table}
    if made is None or (table is not None and table.errors):
        return _render_form(request, kind, key, form, **telling)
    reason = request.POST.get("reason", "")[:1000]
    try:
        draft = revisions.save_draft(kind, key, made, request.user, seen=seen, files=files, reason=reason)  # type: ignore[arg-type]
        if "propose" in request.POST:
            revisions.propose(draft, request.user, seen=draft.turn)  # type: ignore[arg-type]
    except ProfileError as error:
        inside = revisions.place_in(kind, key, error.place)
        form.blame(inside, say_error(error) if inside else refusal(error))
        return _render_form(request, kind, key, form, **telling)
    except (LimitExceeded, Forbidden) as error:
        form.errors.append(say_error(error))
        return _render_form(request, kind, key, form, **telling)
    except ChangedMeanwhile:
        # Nothing is lost: what was typed stays in the form, beside what somebody else saved; saved again, it holds.
        fresh = revisions.open_revision(kind, key)
        other = revisions.said_by(fresh, kind, key) if fresh else revisions.current(kind, key)
        telling |= {"seen": fresh.turn if fresh else 0, "waiting": fresh, "status": 409, "overtaken": True}
        telling["others"] = say_differences(kind, differences(other, made), open_profile())
        return _render_form(request, kind, key, form, **telling)
    messages.success(request, _("Proposed for release.") if "propose" in request.POST else _("Saved as a draft."))
    return HttpResponseRedirect(reverse("office:table", args=[kind, key]))


def _with_others(kind: str, key: str, waiting: Revision | None, brought: dict[str, bytes]) -> dict[str, bytes] | None:
    """The files that were brought, with those that the revision before has; None where nothing was brought."""
    known = waiting or revisions.released(kind, key)
    return {**(read(known.files) if known else {}), **brought} if brought else None


def _render_form(request: HttpRequest, kind: str, key: str, form: TableForm, **telling: Any) -> HttpResponse:
    status = telling.pop("status", 200)
    waiting = telling.get("waiting")
    body = revisions.current(kind, key) if key else None
    if kind == "groups" and "table" not in telling:
        telling["table"] = table_of(key, waiting)
    reason = request.POST.get("reason") or (waiting.reason if waiting else "")
    values = {
        "kind": kind,
        "key": key,
        "one": ONE[kind],
        "kind_title": TITLES[kind],
        "title": name_of(kind, key, waiting.body if waiting else None, body) if key else "",
        "form": form,
        "reason": reason,
        "is_new": telling.pop("is_new", not key) or "key_error" in telling,
        **telling,
    }
    return render(request, "office/edit.html", values, status=status)


def _kinds(request: HttpRequest) -> list[str]:
    """The kinds of tables that somebody is shown."""
    return list(TITLES) if in_house(request.user) else [kind for kind in TITLES if kind in OF_ORGANISATIONS]


def _looked_at(request: HttpRequest, kind: str) -> dict[str, dict[str, Any]]:
    """The tables of a kind in force that somebody is shown."""
    bodies = live().plain().bodies(kind)
    return {key: body for key, body in bodies.items() if may_look(request.user, kind, key)}


def _together(request: HttpRequest, waiting: Revision | None) -> list[dict[str, Any]]:
    """What goes together with an open revision, as far as whoever looks may see it."""
    several = revisions.bundled(waiting) if waiting else []
    return [
        _shown(each)
        for each in several
        if waiting is not None and each.pk != waiting.pk and may_look(request.user, each.kind, each.key, each.said)
    ]


def _profile_for(request: HttpRequest) -> Profile:
    """The profile, with the datasets that somebody may choose: those of a role in one organisation choose among what
    they may know of."""
    profile = open_profile()
    if in_house(request.user):
        return profile
    house = request.house  # type: ignore[attr-defined]
    known = {
        key: each
        for key, each in profile.datasets.items()
        if house.knows(each) or may_look(request.user, "dataset", key)
    }
    return msgspec.structs.replace(profile, datasets=known, sources={}, rules={})


def _shown(revision: Revision) -> dict[str, Any]:
    """A revision for a page."""
    profile = open_profile()
    old = revisions.in_folder(revision.kind, revision.key)
    return {
        "it": revision,
        "title": name_of(
            revision.kind, revision.key, revision.said, revisions.current(revision.kind, revision.key), old
        ),
        "one": ONE.get(revision.kind, revision.kind),
        "state": _STATES[revision.state](),
        "badge": {"proposed": "warning", "released": "success", "draft": "info"}.get(revision.state, "info"),
        "author": revision.author.get_username() if revision.author else "",
        "releaser": revision.releaser.get_username() if revision.releaser else "",
        "changes": say_differences(revision.kind, revisions.changes_of(revision), profile),
        "four_eyes": settings.ALLMENDE.four_eyes,
    }


_STATES: dict[str, Callable[[], str]] = {
    "draft": lambda: _("Draft"),
    "proposed": lambda: _("Waits for release"),
    "released": lambda: _("In force"),
    "replaced": lambda: _("Was in force"),
    "withdrawn": lambda: _("Withdrawn"),
}

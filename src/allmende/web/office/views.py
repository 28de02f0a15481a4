"""The office's pages: what waits, one table with its history, its form, and the deeds."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from allmende.domain.errors import AllmendeError, ChangedMeanwhile, Conflict, Forbidden, LimitExceeded, NotFound
from allmende.domain.plain import KINDS, differences
from allmende.domain.profile import ProfileError
from allmende.domain.profile_checks import check_id
from allmende.web.accounts.roles import asks_for, may
from allmende.web.house import open_profile
from allmende.web.live import live, problems
from allmende.web.office import revisions
from allmende.web.office.fields import EDITORS, FORMS, NEW, ONE, TITLES, address_of
from allmende.web.office.forms import TableForm
from allmende.web.office.models import OPEN, PROPOSED, RELEASED, REPLACED, WITHDRAWN, Revision
from allmende.web.office.preview import preview
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
ENTER = "datasets.edit"
"""The deed that opens the office's door; each table asks for its own."""


@require_safe
@asks_for(ENTER)
def overview(request: HttpRequest) -> HttpResponse:
    """What waits for release, what is being drafted, what changed lately."""
    waiting = Revision.objects.filter(state__in=OPEN).select_related("author").order_by("changed")
    lately = Revision.objects.filter(state__in=(RELEASED, REPLACED, WITHDRAWN)).select_related("author", "releaser")
    values = {
        "waiting": [_shown(each) for each in waiting if each.state == PROPOSED],
        "drafts": [_shown(each) for each in waiting if each.state != PROPOSED],
        "lately": [_shown(each) for each in lately.order_by("-changed")[:LATELY]],
        "kinds": [
            {"kind": kind, "title": title, "count": len(live().plain().bodies(kind))} for kind, title in TITLES.items()
        ],
        "problems": list(problems()),
        "beside": [
            {"address": reverse(name), "title": title} for name, title, deed in BESIDE if may(request.user, deed)
        ],
    }
    return render(request, "office/overview.html", values)


@require_safe
@asks_for(ENTER)
def listing(request: HttpRequest, kind: str) -> HttpResponse:
    """All tables of a kind, with what is released or open over the folder."""
    _demand_kind(kind)
    plain, folder = live().plain().bodies(kind), live().folder().bodies(kind)
    open_ = {each.key: each for each in Revision.objects.filter(kind=kind, state__in=OPEN)}
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
        "new": address_of(NEW, kind) if may(request.user, revisions.EDIT[kind]) else "",
    }
    return render(request, "office/listing.html", values)


@require_safe
@asks_for(ENTER)
def table(request: HttpRequest, kind: str, key: str) -> HttpResponse:
    """One table: what waits, what is in force, what was before; and what may be done with it."""
    _demand_kind(kind)
    profile = open_profile()
    body, in_folder = revisions.current(kind, key), revisions.in_folder(kind, key)
    waiting, known = revisions.open_revision(kind, key), revisions.history(kind, key)
    if body is None and not known:
        raise Http404(key)
    in_force = next((each for each in known if each.state == RELEASED), None)
    values: dict[str, Any] = {
        "kind": kind,
        "key": key,
        "one": ONE[kind],
        "kind_title": TITLES[kind],
        "title": name_of(kind, key, body, waiting.body if waiting else None, *(each.body for each in known)),
        "waiting": _shown(waiting) if waiting else None,
        "together": [_shown(each) for each in revisions.bundled(waiting) if each.pk != waiting.pk] if waiting else [],
        "warnings": _warnings(waiting),
        "body": say_differences(kind, differences(None, body), profile),
        "in_force": _shown(in_force) if in_force else None,
        "whole": len(revisions.companions(in_force)) > 1 if in_force else False,
        "in_folder": in_folder is not None,
        "gone": body is None,
        "history": [_shown(each) for each in known[:MOST_HISTORY] if not each.is_open],
        "edit": address_of(EDITORS, kind, key),
        "may_edit": may(request.user, revisions.EDIT[kind]),
        "may_release": may(request.user, revisions.RELEASE),
        "needs_other": bool(waiting and revisions.needs_other(waiting, request.user)),  # type: ignore[arg-type]
    }
    if kind == "retention" and waiting is not None:
        try:
            values["preview"] = preview(key, waiting.said)
        except AllmendeError as error:
            values["preview_error"] = str(error)
    return render(request, "office/table.html", values)


@require_http_methods(["GET", "HEAD", "POST"])
@asks_for(ENTER)
def edit(request: HttpRequest, kind: str, key: str) -> HttpResponse:
    """The form of a table; by POST it is saved as the draft."""
    if kind not in FORMS:
        raise Http404(kind)
    _demand(request, revisions.EDIT[kind])
    waiting = revisions.open_revision(kind, key)
    body = waiting.body if waiting and not waiting.removes else revisions.current(kind, key)
    if body is None:
        raise Http404(key)
    if request.method == "POST":
        return _save(request, kind, key, body, waiting)
    form = TableForm(kind, body, open_profile())
    return _render_form(request, kind, key, form, seen=waiting.turn if waiting else 0, waiting=waiting)


@require_http_methods(["GET", "HEAD", "POST"])
@asks_for(ENTER)
def new(request: HttpRequest, kind: str) -> HttpResponse:
    """The form of a table that there is not yet."""
    if kind not in FORMS or NEW.get(kind) != "office:new":
        raise Http404(kind)
    _demand(request, revisions.EDIT[kind])
    form = TableForm(kind, {}, open_profile(), request.POST if request.method == "POST" else None)
    if request.method != "POST":
        return _render_form(request, kind, "", form)
    key = request.POST.get("key", "").strip()
    wrong = _wrong_key(kind, key)
    if wrong:
        form.body()
        return _render_form(request, kind, key, form, status=422, key_error=wrong)
    return _save(request, kind, key, {}, None, form)


def _wrong_key(kind: str, key: str) -> str:
    if revisions.current(kind, key) is not None or revisions.open_revision(kind, key) is not None:
        return _("There is one with this id already.")
    try:
        check_id(key, "key")
    except ProfileError:
        return _("An id has small letters a to z, digits, and hyphens between.")
    return ""


def _save(
    request: HttpRequest, kind: str, key: str, body: Any, waiting: Revision | None, form: TableForm | None = None
) -> HttpResponse:
    """Save what was sent as the draft; or show it again with what is wrong."""
    is_new = form is not None
    form = form or TableForm(kind, body, open_profile(), request.POST)
    made = form.body()
    seen = _number(request.POST.get("seen", "0"))
    telling: dict[str, Any] = {"seen": seen, "waiting": waiting, "is_new": is_new, "status": 422}
    if made is None:
        return _render_form(request, kind, key, form, **telling)
    reason = request.POST.get("reason", "")[:1000]
    try:
        draft = revisions.save_draft(kind, key, made, request.user, seen=seen, reason=reason)  # type: ignore[arg-type]
        if "propose" in request.POST:
            revisions.propose(draft, request.user, seen=draft.turn)  # type: ignore[arg-type]
    except ProfileError as error:
        form.blame(revisions.place_in(kind, key, error.place), error.message if error.place else str(error))
        if not revisions.place_in(kind, key, error.place):
            form.errors[-1] = str(error)
        return _render_form(request, kind, key, form, **telling)
    except LimitExceeded as error:
        form.errors.append(str(error))
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


def _render_form(request: HttpRequest, kind: str, key: str, form: TableForm, **telling: Any) -> HttpResponse:
    status = telling.pop("status", 200)
    waiting = telling.get("waiting")
    body = revisions.current(kind, key) if key else None
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


@require_POST
@asks_for(ENTER)
def act(request: HttpRequest, kind: str, key: str) -> HttpResponse:
    """One of the deeds, named by the button; then back to the table."""
    _demand_kind(kind)
    deed = request.POST.get("deed", "")
    if deed not in _DEEDS:
        raise Http404(deed)
    try:
        told = _DEEDS[deed](request, kind, key)
    except (Forbidden, ChangedMeanwhile, NotFound, Conflict, ProfileError, LimitExceeded) as error:
        messages.error(request, _refusal(error))
    else:
        messages.success(request, told)
    return HttpResponseRedirect(reverse("office:table", args=[kind, key]))


def _propose(request: HttpRequest, kind: str, key: str) -> str:
    revisions.propose(_open(kind, key), _who(request), seen=_seen(request), reason=request.POST.get("reason"))
    return _("Proposed for release.")


def _release(request: HttpRequest, kind: str, key: str) -> str:
    revisions.release(_open(kind, key), _who(request), seen=_seen(request), answer=request.POST.get("answer", ""))
    return _("Released. The house follows within seconds.")


def _decline(request: HttpRequest, kind: str, key: str) -> str:
    revisions.decline(_open(kind, key), _who(request), seen=_seen(request), answer=request.POST.get("answer", ""))
    return _("Given back as a draft, with your reason.")


def _withdraw(request: HttpRequest, kind: str, key: str) -> str:
    revisions.withdraw(_open(kind, key), _who(request), seen=_seen(request))
    return _("Withdrawn. What is in force has not changed.")


def _remove(request: HttpRequest, kind: str, key: str) -> str:
    draft = revisions.save_draft(kind, key, None, _who(request), seen=_seen(request))
    revisions.propose(draft, _who(request), seen=draft.turn, reason=request.POST.get("reason"))
    return _("Its removal is proposed for release.")


def _undo(request: HttpRequest, kind: str, key: str) -> str:
    known = revisions.released(kind, key)
    if known is None or str(known.number) != request.POST.get("number"):
        raise ChangedMeanwhile("")
    to = request.POST.get("to", "")
    revisions.undo(
        known,
        _who(request),
        to=_number(to) if to else None,
        reason=request.POST.get("reason", ""),
        whole="whole" in request.POST,
    )
    return _("Undone. The house follows within seconds.")


_DEEDS: dict[str, Callable[[HttpRequest, str, str], str]] = {
    "propose": _propose,
    "release": _release,
    "decline": _decline,
    "withdraw": _withdraw,
    "remove": _remove,
    "undo": _undo,
}


def _refusal(error: AllmendeError) -> str:
    """Why not, in the page's language where the reason is the office's own."""
    if isinstance(error, Forbidden):
        return _("You may not do this. What you wrote or proposed has to be released by somebody else.")
    if isinstance(error, ChangedMeanwhile):
        return _("Somebody was faster: this has changed since you opened the page. Please look again.")
    if isinstance(error, ProfileError):
        return _("This does not go together with the rest: %(reason)s") % {"reason": error}
    if isinstance(error, Conflict):
        return _("Please say why: who proposed it wants to know.")
    return str(error)


def _open(kind: str, key: str) -> Revision:
    found = revisions.open_revision(kind, key)
    if found is None:
        raise ChangedMeanwhile("")
    return found


def _who(request: HttpRequest) -> Any:
    return request.user


def _seen(request: HttpRequest) -> int:
    return _number(request.POST.get("seen", "0"))


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


def _demand_kind(kind: str) -> None:
    if kind not in KINDS:
        raise Http404(kind)


def _demand(request: HttpRequest, deed: str) -> None:
    if not may(request.user, deed):
        raise PermissionDenied(deed)


def _warnings(waiting: Revision | None) -> list[str]:
    """What whoever releases should know; and, where it no longer goes together with the rest, why."""
    if waiting is None:
        return []
    from allmende.web.office.files import read

    try:
        return revisions.check(waiting.kind, waiting.key, waiting.said, read(waiting.files), bundle=waiting.bundle)
    except AllmendeError as error:
        return [str(error)]


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

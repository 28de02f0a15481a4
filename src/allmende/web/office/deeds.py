"""What is done with a table by a button: propose, release, give back, withdraw, remove, undo."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as _n
from django.views.decorators.http import require_POST

from allmende.domain.errors import ChangedMeanwhile, Conflict, Forbidden, LimitExceeded, NotFound
from allmende.domain.plain import KINDS
from allmende.domain.profile_checks import ProfileError
from allmende.web.accounts.roles import asks_for
from allmende.web.office import revisions
from allmende.web.office.models import Revision
from allmende.web.office.refusals import refusal
from allmende.web.office.rights import ENTER

_OVERTAKEN = _n("Somebody was faster: this has changed since you opened the page. Please look again.")


@require_POST
@asks_for(ENTER, somewhere=True)
def act(request: HttpRequest, kind: str, key: str) -> HttpResponse:
    """One of the deeds, named by the button; then back to the table."""
    if kind not in KINDS:
        raise Http404(kind)
    deed = request.POST.get("deed", "")
    if deed not in _DEEDS:
        raise Http404(deed)
    try:
        told = _DEEDS[deed](request, kind, key)
    except (Forbidden, ChangedMeanwhile, NotFound, Conflict, ProfileError, LimitExceeded) as error:
        messages.error(request, refusal(error))
    else:
        messages.success(request, told)
    return HttpResponseRedirect(reverse("office:table", args=[kind, key]))


def _propose(request: HttpRequest, kind: str, key: str) -> str:
    revisions.propose(_open(kind, key), _who(request), seen=_seen(request), reason=request.POST.get("reason"))
    return _("Proposed for release.")


def _release(request: HttpRequest, kind: str, key: str) -> str:
    revisions.release(
        _open(kind, key),
        _who(request),
        seen=_seen(request),
        answer=request.POST.get("answer", ""),
        knowing="knowing" in request.POST,
    )
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
    made = revisions.undo(
        _in_force(request, kind, key), _who(request), reason=_reason(request), whole="whole" in request.POST
    )
    return _gone_back(made)


def _again(request: HttpRequest, kind: str, key: str) -> str:
    which = number(request.POST.get("which", ""))
    return _gone_back(revisions.undo(_in_force(request, kind, key), _who(request), to=which, reason=_reason(request)))


def _take_back(request: HttpRequest, kind: str, key: str) -> str:
    _in_force(request, kind, key)
    which = number(request.POST.get("which", ""))
    found = next((each for each in revisions.history(kind, key) if each.number == which), None)
    if found is None:
        raise ChangedMeanwhile(_OVERTAKEN)
    return _gone_back(revisions.take_back(found, _who(request), reason=_reason(request)))


def _in_force(request: HttpRequest, kind: str, key: str) -> Revision:
    """The revision in force, which is the one that the page showed. Raises ChangedMeanwhile."""
    known = revisions.released(kind, key)
    if known is None or known.number != number(request.POST.get("in_force", "")):
        raise ChangedMeanwhile(_OVERTAKEN)
    return known


def _gone_back(made: list[Revision]) -> str:
    if any(each.is_open for each in made):
        return _("It would make something more open: it is proposed, and a second person has to release it.")
    return _("Undone. The house follows within seconds.")


def _reason(request: HttpRequest) -> str:
    reason = request.POST.get("reason", "").strip()
    if not reason:
        raise Conflict(_n("Please say why it is undone."))
    return reason


_DEEDS: dict[str, Callable[[HttpRequest, str, str], str]] = {
    "propose": _propose,
    "release": _release,
    "decline": _decline,
    "withdraw": _withdraw,
    "remove": _remove,
    "undo": _undo,
    "again": _again,
    "take_back": _take_back,
}


def _open(kind: str, key: str) -> Revision:
    found = revisions.open_revision(kind, key)
    if found is None:
        raise ChangedMeanwhile(_OVERTAKEN)
    return found


def _who(request: HttpRequest) -> Any:
    return request.user


def _seen(request: HttpRequest) -> int:
    return number(request.POST.get("seen", "0"))


def number(text: str) -> int:
    """A whole number of a form; 0 for anything else."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0

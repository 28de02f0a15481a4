"""Who has an account and what they may: for the administrator."""

from typing import Any

from allauth.account.decorators import reauthentication_required
from django.conf import settings
from django.contrib import messages
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from allmende.domain.errors import AllmendeError, Conflict
from allmende.web.accounts import people as changes
from allmende.web.accounts.enrolment import invite
from allmende.web.accounts.mail import at_public_address
from allmende.web.accounts.models import Organisation, User
from allmende.web.accounts.roles import ROLES, asks_for, given_role, lacks_factor

SHOWN = 200
INVITED_DAYS = 14
WORDS = {
    "reader": gettext_lazy("reads"),
    "contributor": gettext_lazy("gives data of their own"),
    "editor": gettext_lazy("describes data, sources and rules"),
    "steward": gettext_lazy("releases, and decides on access"),
    "administrator": gettext_lazy("looks after people and the house"),
}
"""What the roles are called."""


@never_cache
@asks_for("people.edit")
@reauthentication_required(allow_get=True)
@require_http_methods(["GET", "HEAD", "POST"])
def people(request: HttpRequest) -> HttpResponse:
    """All accounts, those that wait first; by POST, a link for somebody who is to have one."""
    text = request.GET.get("text", "").strip()[:200]
    found = User.objects.order_by("-waits", "username").prefetch_related("memberships__organisation")
    if text:
        named = Q(username__icontains=text) | Q(email__icontains=text)
        found = found.filter(named | Q(first_name__icontains=text) | Q(last_name__icontains=text))
    values: dict[str, Any] = {
        "listed": [_row(user) for user in found[:SHOWN]],
        "text": text,
        "shown": SHOWN,
        "roles": [(role, WORDS[role]) for role in ROLES],
        "organisations": Organisation.objects.all(),
        "registration": settings.ALLMENDE.registration,
        "days": INVITED_DAYS,
    }
    if request.method == "POST" and settings.ALLMENDE.registration != "closed":
        try:
            organisation = _organisation(request)
            secret = invite(
                request.POST.get("role", ""), actor=_actor(request), days=INVITED_DAYS, organisation=organisation
            )
        except AllmendeError:
            values["trouble"] = _("This role cannot be given so.")
        else:
            address = reverse("accounts:invitation", args=[secret])
            values["link"] = at_public_address(request.build_absolute_uri(address))
    return render(request, "accounts/people.html", values, status=400 if "trouble" in values else 200)


@never_cache
@asks_for("people.edit")
@reauthentication_required(allow_get=True)
@require_http_methods(["GET", "HEAD", "POST"])
def person(request: HttpRequest, number: int) -> HttpResponse:
    """One account: its roles; open or close it."""
    user = User.objects.filter(pk=number).first()
    if user is None:
        raise Http404(number)
    if request.method == "POST":
        try:
            _do(request, user)
        except Conflict:
            messages.error(request, _("Nobody would look after the house any more. Make another administrator first."))
        except AllmendeError:
            messages.error(request, _("This role cannot be given so."))
        else:
            messages.success(request, _("Your changes are saved."))
        return HttpResponseRedirect(reverse("accounts:person", args=[number]))
    values = {
        **_row(user),
        "roles": [(role, WORDS[role]) for role in ROLES],
        "organisations": Organisation.objects.all(),
    }
    return render(request, "accounts/person.html", values)


def _do(request: HttpRequest, user: User) -> None:
    do, actor = request.POST.get("do", ""), _actor(request)
    if do == "role":
        role, organisation = request.POST.get("role", ""), _organisation(request)
        if role == "none" and organisation is not None:
            changes.take_role(user, organisation, actor=actor)
        else:
            changes.give_role(user, role, actor=actor, organisation=organisation)
    elif do == "open":
        changes.open_user(user, actor=actor)
    elif do == "close":
        changes.close_user(user, actor=actor)
    else:
        raise Http404(do)


def _organisation(request: HttpRequest) -> Organisation | None:
    id_ = request.POST.get("organisation", "")
    return changes.find_organisation(id_) if id_ else None


def _actor(request: HttpRequest) -> str:
    return f"user:{request.user.get_username()}"


def _row(user: User) -> dict[str, Any]:
    role = given_role(user)
    return {
        "person": user,
        "role": role,
        "word": WORDS[role],
        "memberships": [(m.organisation, WORDS.get(m.role, m.role)) for m in user.memberships.all() if m.organisation],
        "lacks_factor": lacks_factor(user),
    }

"""Who may do what: five roles, each with all that those before it have, and what each deed asks for."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse

from allmende.web.accounts.models import User

ROLES = ("reader", "contributor", "editor", "steward", "administrator")
"""Looks; gives data of their own; describes datasets, sources and rules; releases them and decides on access; looks
after people and the house."""
DEEDS = {
    "sensors.give": "contributor",
    "sensors.review": "editor",
    "datasets.edit": "editor",
    "sources.edit": "editor",
    "rules.edit": "editor",
    "retention.edit": "editor",
    "release": "steward",
    "policy.edit": "steward",
    "rejections.see": "steward",
    "feedback.see": "editor",
    "audit.see": "steward",
    "people.edit": "administrator",
}
"""The least role for each deed."""
View = Callable[..., HttpResponse]


def role_of(user: User | AnonymousUser) -> str:
    """The role of somebody; whoever has no account is a reader."""
    if not user.is_authenticated or not user.is_active:
        return "reader"
    return "administrator" if user.is_superuser else "contributor"


def may(user: User | AnonymousUser, deed: str) -> bool:
    """Whether somebody may do one of the DEEDS. Raises KeyError for another word."""
    return ROLES.index(role_of(user)) >= ROLES.index(DEEDS[deed])


def asks_for(deed: str) -> Callable[[View], View]:
    """Guard a view: nobody known is led to the log-in, somebody who may not gets 403."""
    least = DEEDS[deed]

    def guard(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if not request.user.is_authenticated:
                return redirect_to_login(request.get_full_path())
            if not may(request.user, deed):
                raise PermissionDenied(least)
            return view(request, *args, **kwargs)

        return guarded

    return guard

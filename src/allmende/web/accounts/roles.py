"""Who may do what: five roles, each with all that those before it have, and what each deed asks for."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse

from allmende.web.accounts.models import Membership, User

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
Person = User | AnonymousUser


def role_of(user: Person, organisation: str | None = None) -> str:
    """The role of somebody in the house; in an organisation, if it is named there, the higher of the two.

    Whoever has no account, or one that is closed, is a reader. A role in one organisation is none in the house: what
    belongs to nobody's organisation, or to another one's, is not theirs to change.
    """
    if not user.is_authenticated or not user.is_active:
        return "reader"
    if user.is_superuser:
        return "administrator"
    held = _roles(user)
    return max((held.get(None, "reader"), held.get(organisation, "reader")), key=ROLES.index)


def may(user: Person, deed: str, organisation: str | None = None) -> bool:
    """Whether somebody may do one of the DEEDS: in the house, or for what belongs to an organisation.

    Raises KeyError for another word.
    """
    return _reaches(role_of(user, organisation), deed)


def may_somewhere(user: Person, deed: str) -> bool:
    """Whether somebody may do it in the house or for one organisation at least."""
    return may(user, deed) or bool(organisations_where(user, deed))


def organisations_where(user: Person, deed: str) -> frozenset[str]:
    """The organisations for which somebody may do one of the DEEDS, by a role that they have there."""
    if not user.is_authenticated or not user.is_active:
        return frozenset()
    return frozenset(id_ for id_, role in _roles(user).items() if id_ is not None and _reaches(role, deed))


def organisations_of(user: Person) -> frozenset[str]:
    """The organisations that somebody belongs to."""
    if not user.is_authenticated or not user.is_active:
        return frozenset()
    return frozenset(id_ for id_ in _roles(user) if id_ is not None)


def asks_for(deed: str, *, somewhere: bool = False) -> Callable[[View], View]:
    """Guard a view: nobody known is led to the log-in, somebody who may not gets 403.

    With ``somewhere`` a role in one organisation is enough, and the view asks ``may`` again with the organisation that
    the thing belongs to.
    """
    least = DEEDS[deed]
    allowed = may_somewhere if somewhere else may

    def guard(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if not request.user.is_authenticated:
                return redirect_to_login(request.get_full_path())
            if not allowed(request.user, deed):
                raise PermissionDenied(least)
            return view(request, *args, **kwargs)

        return guarded

    return guard


def _reaches(role: str, deed: str) -> bool:
    return ROLES.index(role) >= ROLES.index(DEEDS[deed])


def _roles(user: User) -> dict[str | None, str]:
    """Roles by organisation, None for the house; asked for once with each request, since each has a user of its own."""
    if user.pk is None:
        return {}
    held: dict[str | None, str] | None = user.__dict__.get("_held")
    if held is None:
        rows = Membership.objects.filter(user=user).values_list("organisation_id", "role")
        # A word that this version does not know is no role.
        held = user.__dict__["_held"] = {id_: role for id_, role in rows if role in ROLES}
    return held


def forget_roles(user: User) -> None:
    """After a change: ask again."""
    user.__dict__.pop("_held", None)

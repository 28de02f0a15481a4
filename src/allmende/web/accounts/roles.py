"""Who may do what: five roles, each with all that those before it have, and what each deed asks for."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from allmende.web.account_settings import ROLES
from allmende.web.accounts.models import Membership, User

DEEDS = {
    "sensors.give": "contributor",
    "boards.make": "contributor",
    "boards.open": "editor",
    "stories.write": "editor",
    "stories.release": "steward",
    "sensors.review": "editor",
    "data.write": "editor",
    "datasets.edit": "editor",
    "sources.edit": "editor",
    "rules.edit": "editor",
    "retention.edit": "editor",
    "alerts.edit": "editor",
    "alerts.see": "editor",
    "release": "steward",
    "policy.edit": "steward",
    "rejections.see": "steward",
    "feedback.see": "editor",
    "queries.publish": "editor",
    "audit.see": "steward",
    "persons.answer": "steward",
    "people.edit": "administrator",
}
"""The least role for each deed of the house; services add theirs (``Service.deeds``)."""
View = Callable[..., HttpResponse]
Person = User | AnonymousUser


def least_role(deed: str) -> str:
    """The least role for one of the deeds of the house or of a service that is switched on. Raises KeyError for another
    word."""
    for deeds in (DEEDS, *(service.deeds for service in settings.SERVICES)):
        if deed in deeds:
            return deeds[deed]
    raise KeyError(deed)


def role_of(user: Person, organisation: str | None = None) -> str:
    """The role of somebody in the house; in an organisation, if it is named there, the higher of the two.

    Whoever has no account, or one that is closed, is a reader. A role in one organisation is none in the house: what
    belongs to nobody's organisation, or to another one's, is not theirs to change.
    """
    if not user.is_authenticated or not user.is_active:
        return "reader"
    return _capped(user, given_role(user, organisation))


def given_role(user: User, organisation: str | None = None) -> str:
    """The role that was given, also where a second factor is lacking for it."""
    if user.is_superuser:
        return "administrator"
    held = _roles(user)
    return max((held.get(None, "reader"), held.get(organisation, "reader")), key=ROLES.index)


def lacks_factor(user: Person) -> bool:
    """Whether somebody was given a role, anywhere, that they have only with a second factor, and has none."""
    if not user.is_authenticated or not user.is_active:
        return False
    given = {given_role(user), *_roles(user).values()}
    return any(_capped(user, role) != role for role in given)


def may(user: Person, deed: str, organisation: str | None = None) -> bool:
    """Whether somebody may do one of the deeds: in the house, or for what belongs to an organisation.

    Raises KeyError for another word.
    """
    return _reaches(role_of(user, organisation), deed)


def may_somewhere(user: Person, deed: str) -> bool:
    """Whether somebody may do it in the house or for one organisation at least."""
    return may(user, deed) or bool(organisations_where(user, deed))


def organisations_where(user: Person, deed: str) -> frozenset[str]:
    """The organisations for which somebody may do one of the deeds, by a role that they have there."""
    if not user.is_authenticated or not user.is_active:
        return frozenset()
    held = {id_: _capped(user, role) for id_, role in _roles(user).items() if id_ is not None}
    return frozenset(id_ for id_, role in held.items() if _reaches(role, deed))


def organisations_of(user: Person) -> frozenset[str]:
    """The organisations that somebody belongs to."""
    if not user.is_authenticated or not user.is_active:
        return frozenset()
    return frozenset(id_ for id_ in _roles(user) if id_ is not None)


def asks_for(deed: str, *, somewhere: bool = False) -> Callable[[View], View]:
    """Guard a view: nobody known is led to the log-in, somebody who may not gets 403, and whom a second factor is
    lacking for it is led to their account, which says so.

    With ``somewhere`` a role in one organisation is enough, and the view asks ``may`` again with the organisation that
    the thing belongs to.
    """
    least_role(deed)  # a word that means nothing is found when the house starts

    def guard(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            return turned_away(request, deed, somewhere=somewhere) or view(request, *args, **kwargs)

        return guarded

    return guard


def turned_away(request: HttpRequest, deed: str, *, somewhere: bool = False) -> HttpResponse | None:
    """What somebody who may not is answered: see :func:`asks_for`; None for one who may. Raises PermissionDenied."""
    if not request.user.is_authenticated:
        return redirect_to_login(request.get_full_path())
    if (may_somewhere if somewhere else may)(request.user, deed):
        return None
    if lacks_factor(request.user):
        return HttpResponseRedirect(reverse("accounts:home"))
    raise PermissionDenied(least_role(deed))


def _reaches(role: str, deed: str) -> bool:
    return ROLES.index(role) >= ROLES.index(least_role(deed))


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
    user.__dict__.pop("_factor", None)


def _capped(user: User, role: str) -> str:
    """The role as far as it goes without a second factor."""
    least = settings.ALLMENDE.asks_second_factor(settings.ALLMENDE.https)
    if not least or ROLES.index(role) < ROLES.index(least) or _has_factor(user):
        return role
    return ROLES[ROLES.index(least) - 1]


def _has_factor(user: User) -> bool:
    """Whether each log-in of the account asks for more than a password: here, or at a provider that says it does."""
    kept: bool | None = user.__dict__.get("_factor")
    if kept is None:
        from allauth.mfa.models import Authenticator
        from allauth.socialaccount.models import SocialAccount

        own = Authenticator.objects.filter(user=user).exclude(type=Authenticator.Type.RECOVERY_CODES)
        trusted = [provider.id for provider in settings.OIDC_PROVIDERS if provider.second_factor]
        kept = own.exists() or (
            bool(trusted)
            and not user.has_usable_password()
            and SocialAccount.objects.filter(user=user).exists()
            and not SocialAccount.objects.filter(user=user).exclude(provider__in=trusted).exists()
        )
        user.__dict__["_factor"] = kept
    return kept

"""How people come to an account: by registration, by an invitation, by an OpenID Connect provider."""

import secrets
from datetime import timedelta
from typing import Any

from allauth.account.models import EmailAddress
from django.conf import settings
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone

from allmende.domain.errors import InvalidInput
from allmende.web.accounts import people
from allmende.web.accounts.audit import record
from allmende.web.accounts.models import Invitation, Membership, Organisation, User
from allmende.web.accounts.roles import ROLES
from allmende.web.accounts.tokens import digest_of
from allmende.web.oidc import Provider

_SESSION = "invitation"
REGISTERED = "contributor"
"""What somebody is who registers without an invitation: they give data of their own."""
UNCONFIRMED_DAYS = 7
WAITING_DAYS = 90


def invite(role: str, *, actor: str, days: int, organisation: Organisation | None = None) -> str:
    """The secret of a new invitation, which opens one account. Raises InvalidInput for a role that there is not."""
    if role not in ROLES:
        raise InvalidInput(f'"{role}" is no role; there are {", ".join(ROLES)}')
    if organisation is not None and role == "administrator":
        raise InvalidInput("an administrator looks after the whole house; leave the organisation out")
    secret = secrets.token_urlsafe(24)
    expires = timezone.now() + timedelta(days=days)
    with transaction.atomic():
        Invitation.objects.create(digest=digest_of(secret), role=role, organisation=organisation, expires=expires)
        where = {"organisation": organisation.pk} if organisation else {}
        record(actor, "user.invite", "", role=role, expires=expires.isoformat(timespec="seconds"), **where)
    return secret


def find_invitation(secret: str) -> Invitation | None:
    """The invitation of a secret, while it is valid."""
    if not secret or len(secret) > 100:
        return None
    found = Invitation.objects.filter(digest=digest_of(secret), used=None, expires__gt=timezone.now())
    return found.select_related("organisation").first()


def remember_invitation(request: HttpRequest, secret: str) -> bool:
    """Keep a valid invitation for the form that follows."""
    if settings.ALLMENDE.registration == "closed" or find_invitation(secret) is None:
        return False
    request.session[_SESSION] = secret
    return True


def is_open(request: HttpRequest) -> bool:
    """Whether this visitor may register."""
    if settings.ALLMENDE.registration == "open":
        return True
    if settings.ALLMENDE.registration == "closed":
        return False
    return find_invitation(request.session.get(_SESSION, "")) is not None


@transaction.atomic
def enrol(request: HttpRequest, user: User) -> User:
    """Save somebody who registers. An invitation is the administrator's word; else they wait where there is no mail."""
    invitation = find_invitation(request.session.pop(_SESSION, ""))
    # Whoever is first has used it: two forms sent at once make one account by it.
    if invitation and not Invitation.objects.filter(pk=invitation.pk, used=None).update(used=timezone.now()):
        invitation = None
    if invitation is None and settings.ALLMENDE.registration != "open":
        raise InvalidInput("the invitation was used already")
    user.waits = invitation is None and not settings.ALLMENDE.mail_url
    user.is_active = not user.waits
    user.save()
    actor = f"user:{user.username}"
    record(actor, "user.register", actor, invited=invitation is not None, waits=user.waits)
    if invitation is not None and invitation.organisation is None:
        people.give_role(user, invitation.role, actor=actor)
        return user
    people.give_role(user, REGISTERED, actor=actor)
    if invitation is not None:
        people.give_role(user, invitation.role, actor=actor, organisation=invitation.organisation)
    return user


def prune() -> int:
    """Delete the accounts of those who registered and never came: whose address nobody confirmed in a week, and who
    waited for an administrator for a quarter of a year. Gives how many."""
    now, gone = timezone.now(), 0
    never = User.objects.filter(last_login=None, date_joined__lt=now - timedelta(days=UNCONFIRMED_DAYS))
    addresses = EmailAddress.objects.values("user")
    unconfirmed = never.filter(pk__in=addresses.filter(verified=False)).exclude(pk__in=addresses.filter(verified=True))
    waiting = never.filter(waits=True, date_joined__lt=now - timedelta(days=WAITING_DAYS))
    for user in (*unconfirmed, *waiting):
        people.remove_user(user, actor="house:worker")
        gone += 1
    Invitation.objects.filter(expires__lt=now - timedelta(days=WAITING_DAYS)).delete()
    return gone


def is_taken(email: str) -> bool:
    """Whether somebody here has this address, confirmed or not."""
    return (
        User.objects.filter(email__iexact=email).exists() or EmailAddress.objects.filter(email__iexact=email).exists()
    )


def provider_of(id_: str) -> Provider | None:
    """The provider of the operator's file."""
    found: Provider | None = next((each for each in settings.OIDC_PROVIDERS if each.id == id_), None)
    return found


@transaction.atomic
def follow_groups(user: User, provider: Provider, claims: Any) -> None:
    """Give the roles that the provider's groups stand for, and take away those that they stood for at the last log-in.

    A role that was given by hand, or by another provider, stays as it is. An organisation that there is not is left
    out.
    """
    wanted = provider.roles_of(claims)
    others = Membership.objects.filter(user=user).exclude(provider=provider.id)
    kept: set[str | None] = set(others.values_list("organisation_id", flat=True))
    had = {m.organisation_id or "": m.role for m in Membership.objects.filter(user=user, provider=provider.id)}
    if user.is_superuser and had.get("") != "administrator":
        kept.add(None)
    known = set(Organisation.objects.filter(pk__in=wanted).values_list("pk", flat=True))
    want = {
        place: role for place, role in wanted.items() if (place or None) not in kept and (not place or place in known)
    }
    if had == want:
        return
    Membership.objects.filter(user=user, provider=provider.id).delete()
    for place, role in want.items():
        Membership.objects.create(user=user, organisation_id=place or None, role=role, provider=provider.id)
    if None not in kept:
        user.is_superuser = user.is_staff = want.get("") == "administrator"
        user.save(update_fields=["is_superuser", "is_staff"])
    people.forget(user)
    record(f"user:{user.username}", "user.role", f"user:{user.username}", was=had, roles=want, provider=provider.id)

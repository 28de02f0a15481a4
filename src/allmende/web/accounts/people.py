"""Changes of accounts, roles and organisations, each in the audit log; for the command line and the pages alike."""

from allauth.mfa.models import Authenticator
from django.contrib.auth.password_validation import validate_password
from django.contrib.sessions.models import Session
from django.core.exceptions import ValidationError
from django.core.validators import validate_slug
from django.db import transaction
from django.utils import translation

from allmende.domain.errors import Conflict, InvalidInput, NotFound
from allmende.web.accounts.audit import record
from allmende.web.accounts.models import LoggedIn, Membership, Organisation, User
from allmende.web.accounts.roles import ROLES, forget_roles
from allmende.web.accounts.tokens import forget_known


def find_user(name: str) -> User:
    """The account of this name. Raises NotFound."""
    user = User.objects.filter(username=name).first()
    if user is None:
        raise NotFound(f'there is no user "{name}"; `allmende user list` names them')
    return user


def find_organisation(id_: str) -> Organisation:
    """The organisation of this id. Raises NotFound."""
    found = Organisation.objects.filter(pk=id_).first()
    if found is None:
        raise NotFound(f'there is no organisation "{id_}"; `allmende organisation list` names them')
    return found


@transaction.atomic
def give_role(user: User, role: str, *, actor: str, organisation: Organisation | None = None) -> None:
    """Make somebody one of the ROLES in the house, or in an organisation, instead of what they were there.

    Raises InvalidInput for another word, and for an administrator of an organisation alone: who looks after people
    looks after the house. Raises Conflict where nobody would be left to do that.
    """
    if role not in ROLES:
        raise InvalidInput(f'"{role}" is no role; there are {", ".join(ROLES)}')
    if organisation is not None and role == "administrator":
        raise InvalidInput("an administrator looks after the whole house; leave the organisation out")
    if organisation is None:
        keep_an_administrator(user, role)
        user.is_superuser = user.is_staff = role == "administrator"
        user.save(update_fields=["is_superuser", "is_staff"])
    was = Membership.objects.filter(user=user, organisation=organisation).values_list("role", flat=True).first()
    # Given by hand from now on: the groups of a provider neither take it away nor bring back what was there before.
    given = {"role": role, "provider": ""}
    Membership.objects.update_or_create(user=user, organisation=organisation, defaults=given)
    forget(user)
    where = {"organisation": organisation.pk} if organisation else {}
    record(actor, "user.role", f"user:{user.get_username()}", role=role, was=was, **where)


@transaction.atomic
def take_role(user: User, organisation: Organisation, *, actor: str) -> None:
    """End what somebody is in an organisation. Raises NotFound where they are nothing there."""
    gone, _ = Membership.objects.filter(user=user, organisation=organisation).delete()
    if not gone:
        raise NotFound(f'"{user.get_username()}" does not belong to "{organisation.pk}"')
    forget(user)
    record(actor, "user.role", f"user:{user.get_username()}", role=None, organisation=organisation.pk)


@transaction.atomic
def remove_user(user: User, *, actor: str) -> None:
    """Delete an account and all that leads to the person. Raises Conflict for the last administrator."""
    from allmende.web.persons.erasing import erase_account

    erase_account(user, actor=actor)


@transaction.atomic
def open_user(user: User, *, actor: str) -> None:
    """Open an account that waits for it, or that was closed."""
    user.is_active, user.waits = True, False
    user.save(update_fields=["is_active", "waits"])
    forget(user)
    record(actor, "user.open", f"user:{user.get_username()}")


@transaction.atomic
def close_user(user: User, *, actor: str) -> None:
    """Close an account and all that hangs on it, its tokens among them, until it is opened again.

    Raises Conflict for the last administrator.
    """
    keep_an_administrator(user, "")
    user.is_active, user.waits = False, False
    user.save(update_fields=["is_active", "waits"])
    end_all(user)
    forget(user)
    record(actor, "user.close", f"user:{user.get_username()}")


def set_password(user: User, password: str, *, actor: str) -> None:
    """Give somebody a new password and log them out everywhere. Raises InvalidInput for one that is too weak."""
    try:
        with translation.override("en"):
            validate_password(password, user)
    except ValidationError as error:
        raise InvalidInput(" ".join(error.messages)) from None
    with transaction.atomic():
        user.set_password(password)
        user.save(update_fields=["password"])
        end_all(user)
        record(actor, "user.password", f"user:{user.get_username()}")


@transaction.atomic
def forget_factors(user: User, *, actor: str) -> int:
    """Delete somebody's second factors and log them out everywhere; gives how many there were."""
    gone, _each = Authenticator.objects.filter(user=user).delete()
    end_all(user)
    forget(user)
    record(actor, "user.factors", f"user:{user.get_username()}", deleted=gone)
    return gone


@transaction.atomic
def add_organisation(id_: str, title: str, *, actor: str) -> Organisation:
    """A new organisation. Raises Conflict for an id that is taken, InvalidInput for one that is none."""
    try:
        validate_slug(id_)
        organisation = Organisation(id=id_, title=title)
        organisation.clean_fields()
    except ValidationError:
        raise InvalidInput(
            f'"{id_}" cannot be an id with the title "{title}": letters, digits, - and _, at most 100; the title 200'
        ) from None
    if Organisation.objects.filter(pk=id_).exists():
        raise Conflict(f'there is an organisation "{id_}" already')
    organisation.save(force_insert=True)
    record(actor, "organisation.add", f"organisation:{id_}", title=title)
    return organisation


@transaction.atomic
def remove_organisation(organisation: Organisation, *, actor: str) -> None:
    """Delete an organisation with the roles in it; its people keep their accounts."""
    id_ = organisation.pk
    organisation.delete()
    record(actor, "organisation.remove", f"organisation:{id_}")


def end_all(user: User) -> None:
    """Log somebody out everywhere."""
    entries = LoggedIn.objects.filter(user=user)
    Session.objects.filter(session_key__in=list(entries.values_list("session", flat=True))).delete()
    entries.delete()


def forget(user: User) -> None:
    """What somebody may is asked for again, here at once and in other processes within a second."""
    forget_roles(user)
    forget_known()
    transaction.on_commit(forget_known)


def keep_an_administrator(user: User, role: str = "") -> None:
    """Raise Conflict where nobody would look after the house once somebody had this role instead."""
    if role == "administrator" or not user.is_superuser or not user.is_active:
        return
    # Locked, so that two who go at once see each other.
    if not User.objects.select_for_update().filter(is_superuser=True, is_active=True).exclude(pk=user.pk).first():
        raise Conflict(
            f'"{user.get_username()}" is the last administrator; make another one first: '
            "`allmende user add NAME --role administrator`"
        )

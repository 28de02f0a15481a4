"""Give access to data that are not open, take it back, and tell who has it.

What is *restricted* may be granted to organisations, to all of a role, and to persons; what is *protected* to persons
alone, by name. Both have a purpose and an end. Nobody grants anything to themselves.
"""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import NamedTuple

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from allmende.domain.errors import Conflict, Forbidden, InvalidInput, NotFound
from allmende.domain.profile import Profile
from allmende.web.accounts.audit import record
from allmende.web.accounts.models import Organisation, User
from allmende.web.accounts.roles import ROLES, Person, may, organisations_of, role_of
from allmende.web.grants.models import Grant
from allmende.web.house import open_profile

SHORTEST_PURPOSE = 10


def granted(user: Person) -> frozenset[str]:
    """Ids of the datasets that somebody may read by a grant that holds now.

    What somebody granted to many opens nothing to themselves; and what has become protected meanwhile is open to those
    alone who were granted it by name.
    """
    if not user.is_authenticated or not user.is_active:
        return frozenset()
    house = ROLES[: ROLES.index(role_of(user)) + 1]
    shared = Q(user=None, organisation=None, role__in=house)
    for id_ in organisations_of(user):
        there = ROLES[: ROLES.index(role_of(user, id_)) + 1]
        shared |= Q(organisation=id_, role__in=("", *there))
    by_name = holding().filter(user=user).values_list("dataset", flat=True)
    with_others = holding().filter(shared).exclude(granted_by=user).values_list("dataset", flat=True)
    return frozenset(by_name) | (frozenset(with_others) - _protected())


def _protected() -> frozenset[str]:
    return frozenset(each.id for each in open_profile().datasets.values() if each.access == "protected")


def holding() -> QuerySet[Grant]:
    """Grants that hold now."""
    return Grant.objects.filter(withdrawn__isnull=True, until__gte=timezone.localdate())


def grant(
    profile: Profile,
    dataset: str,
    *,
    by: User | str,
    purpose: str,
    until: date,
    user: User | None = None,
    organisation: Organisation | None = None,
    role: str = "",
) -> Grant:
    """Let somebody read a dataset. Raises NotFound, Forbidden and InvalidInput, whose ``where`` is the field."""
    found = profile.datasets.get(dataset)
    if found is None:
        raise NotFound(f'there is no dataset "{dataset}"; there are {", ".join(profile.datasets) or "none"}')
    if isinstance(by, User):
        if not may(by, "policy.edit"):
            raise Forbidden(_("To grant access takes the role of a steward."))
        if user == by:
            raise Forbidden(_("Nobody grants access to themselves: ask another steward."))
    if found.access == "open":
        raise InvalidInput(_("It is open: everybody may read it."), where="dataset")
    if (user is None) == (organisation is None and not role):
        raise InvalidInput(_("Name a person, or an organisation, a role or both."), where="user")
    if role and role not in ROLES[1:]:
        raise InvalidInput(_("There is no such role."), where="role")
    if found.access == "protected" and user is None:
        raise InvalidInput(_("What is protected is granted to persons alone, by name."), where="user")
    if len(purpose.strip()) < SHORTEST_PURPOSE:
        raise InvalidInput(_("Say what the data are for."), where="purpose")
    latest = timezone.localdate() + timedelta(days=settings.ALLMENDE.grant_days)
    if not timezone.localdate() <= until <= latest:
        raise InvalidInput(
            _("The end lies between today and %(latest)s (limit: ALLMENDE_GRANT_DAYS).")
            % {"latest": date_format(latest, "SHORT_DATE_FORMAT")},
            where="until",
        )
    with transaction.atomic():
        made = Grant.objects.create(
            dataset=dataset,
            user=user,
            organisation=organisation,
            role=role,
            purpose=purpose.strip(),
            until=until,
            granted_by=by if isinstance(by, User) else None,
        )
        record(_actor(by), "grant.give", f"dataset:{dataset}", grant=made.pk, to=whom(made), until=until.isoformat())
    return made


def withdraw(number: int, *, by: User | str) -> Grant:
    """End a grant now. Raises NotFound, Forbidden, and Conflict where it has ended already."""
    if isinstance(by, User) and not may(by, "policy.edit"):
        raise Forbidden(_("To withdraw access takes the role of a steward."))
    with transaction.atomic():
        found = Grant.objects.select_for_update().filter(pk=number).first()
        if found is None:
            raise NotFound(f"there is no grant {number}")
        if found.withdrawn is not None:
            raise Conflict(_("It was withdrawn already."))
        found.withdrawn = timezone.now()
        found.withdrawn_by = by if isinstance(by, User) else None
        found.save(update_fields=["withdrawn", "withdrawn_by"])
        record(_actor(by), "grant.withdraw", f"dataset:{found.dataset}", grant=found.pk, to=whom(found))
    return found


def whom(it: Grant) -> str:
    """Who a grant is for, as the audit log says it."""
    if it.user_id is not None:
        return f"user:{it.user.get_username()}" if it.user else ""
    return " ".join(
        part for part in (f"organisation:{it.organisation_id}" if it.organisation_id else "", it.role) if part
    )


def recipients(datasets: Iterable[str]) -> dict[str, list[tuple[str, str, date]]]:
    """For the public: by dataset who may read it, for what, until when. Organisations and roles by their name; of
    persons that they are persons, since their names concern nobody else."""
    found: dict[str, list[tuple[str, str, date]]] = {}
    asked = holding().filter(dataset__in=list(datasets)).select_related("organisation")
    asked = asked.exclude(user=None, dataset__in=_protected())
    for each in asked.order_by("dataset", "until", "pk"):
        name = (
            "" if each.user_id else " ".join(filter(None, (each.organisation and each.organisation.title, each.role)))
        )
        found.setdefault(each.dataset, []).append((str(name), each.purpose, each.until))
    return found


class Received(NamedTuple):
    """Somebody who might read a dataset. ``name`` is empty for a person."""

    name: str
    purpose: str
    since: date
    until: date
    """The last day: the end of the grant, or the day on which it was taken back."""


def recipients_before(datasets: Iterable[str]) -> dict[str, list[Received]]:
    """For the public: by dataset who might read it, the last first, as long as grants are kept."""
    found: dict[str, list[Received]] = {}
    today = timezone.localdate()
    # What was granted to many opens nothing since the dataset is protected; the day of that stands in the office.
    ended = Q(withdrawn__isnull=False) | Q(until__lt=today) | Q(user=None, dataset__in=_protected())
    asked = Grant.objects.filter(ended, dataset__in=list(datasets)).select_related("organisation")
    for each in asked.order_by("dataset", "-until", "-pk"):
        words = () if each.user_id else (each.organisation and each.organisation.title, each.role)
        end = min(each.until, today if each.withdrawn is None else timezone.localdate(each.withdrawn))
        one = Received(" ".join(str(word) for word in words if word), each.purpose, timezone.localdate(each.at), end)
        found.setdefault(each.dataset, []).append(one)
    return found


def _actor(by: User | str) -> str:
    return by if isinstance(by, str) else f"user:{by.get_username()}"

"""Who may draft and release which table: by a role in the house, or by one in the organisation whose table it is.

A dataset belongs to its publisher, a source to the publisher of its dataset. A role in an organisation reaches a table
only where it is that organisation's as it is in force and as it would be: nothing is taken from others or slipped to
them. All other kinds are the house's.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from django.conf import settings
from django.db.models import Q
from django.utils.translation import gettext_noop as _n

from allmende.domain.errors import Forbidden
from allmende.domain.profile import Profile
from allmende.web.accounts.models import Organisation, User
from allmende.web.accounts.roles import Person, may, organisations_where
from allmende.web.house import open_profile
from allmende.web.office.looking import bundled, current, open_revision
from allmende.web.office.models import Revision

EDIT = {
    "dataset": "datasets.edit",
    "source": "sources.edit",
    "thing": "sources.edit",
    "retention": "retention.edit",
    "rule": "rules.edit",
    "groups": "rules.edit",
    "property": "datasets.edit",
    "synonym": "datasets.edit",
    "organisation": "datasets.edit",
    "policy": "datasets.edit",
    "harvest": "sources.edit",
    "forecast": "rules.edit",
    "alert": "alerts.edit",
    "channel": "alerts.edit",
    "city": "datasets.edit",
}
"""The deed that drafting each kind is."""
RELEASE = "release"
ENTER = EDIT["dataset"]
"""The deed that opens the office's door, in the house or for one organisation; each table asks for its own."""
OF_ORGANISATIONS = ("dataset", "source")
"""Kinds whose tables belong to organisations; all others are the house's."""
By = User | str
Body = Mapping[str, Any] | None


def may_edit(user: Person, kind: str, key: str, *bodies: Body) -> bool:
    """Whether somebody may draft a table: as it is in force, and as each body says it."""
    return _may(user, EDIT[kind], kind, key, bodies)


def may_release(user: Person, kind: str, key: str, *bodies: Body) -> bool:
    """Whether somebody may release a table, or undo it."""
    return _may(user, RELEASE, kind, key, bodies)


def in_house(user: Person) -> bool:
    """Whether the office shows somebody everything, by a role in the house."""
    return may(user, ENTER)


def may_look(user: Person, kind: str, key: str, *bodies: Body) -> bool:
    """Whether the office shows somebody a table: all of them by a role in the house, or else what they may edit."""
    return in_house(user) or may_edit(user, kind, key, *bodies)


def may_make(user: Person, kind: str) -> bool:
    """Whether somebody may draft a table of a kind that there is not yet; of what, is asked when it is saved."""
    return may(user, EDIT[kind]) or (kind == "dataset" and bool(organisations_where(user, EDIT[kind])))


def demand_edit(by: By, kind: str, key: str, *bodies: Body) -> str:
    """The actor's name for the audit log. Raises Forbidden."""
    return _demand(by, EDIT[kind], kind, key, bodies)


def demand_release(by: By, kind: str, key: str, *bodies: Body) -> str:
    """The actor's name for the audit log. Raises Forbidden."""
    return _demand(by, RELEASE, kind, key, bodies)


def needs_other(revision: Revision, user: User) -> bool:
    """Whether four eyes keep somebody from releasing an open revision and its bundle."""
    several = bundled(revision)
    if not settings.ALLMENDE.four_eyes or not any(each.author_id == user.pk for each in several):
        return False
    return not is_alone(user, several)


def is_alone(user: User, several: Iterable[Revision]) -> bool:
    """Whether nobody else may release all of these."""
    somebody = Q(is_superuser=True) | Q(memberships__isnull=False)
    others: Iterable[User] = User.objects.filter(somebody, is_active=True).exclude(pk=user.pk).distinct()
    listed = list(several)
    return not any(all(may_release(other, each.kind, each.key, each.said) for each in listed) for other in others)


def organisation_of(publisher: str, profile: Profile) -> str:
    """The id of the organisation of a publisher's name: as the profile says, or as it is called among the accounts;
    "" where there is none, or more than one of that name."""
    for key, each in profile.organisations.items():
        if each.name == publisher:
            return key
    found = list(Organisation.objects.filter(title=publisher).values_list("pk", flat=True)[:2])
    return str(found[0]) if len(found) == 1 else ""


def _may(user: Person, deed: str, kind: str, key: str, bodies: Iterable[Body]) -> bool:
    if may(user, deed):
        return True
    if not organisations_where(user, deed):
        return False
    return all(owner and may(user, deed, owner) for owner in _owners(kind, [current(kind, key), *bodies]))


def _owners(kind: str, bodies: Iterable[Body]) -> set[str]:
    """The organisations whose table it is by each body; "" is the house."""
    if kind not in OF_ORGANISATIONS:
        return {""}
    said = [body for body in bodies if body is not None]
    if kind == "source":
        names = {str(body.get("dataset", "")) for body in said}
        said = [table for name in names for table in _datasets(name)]
        if len(names) > len(said):
            return {""}
    profile = open_profile()
    return {organisation_of(str(body.get("publisher", "")), profile) for body in said} or {""}


def _datasets(name: str) -> list[Mapping[str, Any]]:
    """A dataset as it is in force, or else as it is drafted."""
    known = current("dataset", name)
    draft = open_revision("dataset", name) if known is None else None
    found = known if known is not None else draft.body if draft else None
    return [] if found is None else [found]


def _demand(by: By, deed: str, kind: str, key: str, bodies: Iterable[Body]) -> str:
    if isinstance(by, str):
        return by
    if not _may(by, deed, kind, key, bodies):
        raise Forbidden(_n("You may not do this: it asks for the right to %(deed)s."), deed=deed)
    return f"user:{by.get_username()}"

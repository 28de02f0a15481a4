"""What somebody may see and change of the data, by who they are now."""

from collections.abc import Iterable

from django.contrib.auth.models import AnonymousUser

from allmende.domain.policy import COMMONS
from allmende.web.accounts.models import User
from allmende.web.accounts.roles import may

Person = User | AnonymousUser


def datasets_of(user: Person) -> frozenset[str]:
    """Ids of the datasets that are not open and that somebody may read: those that were granted, those of the sensors
    that they give, and for an administrator all of the city's that are restricted. What is protected is granted to
    persons by name, to nobody by a role."""
    from allmende.web.grants.grants import granted

    return granted(user) | (_restricted() if may(user, "people.edit") else frozenset()) | _given(user)


def writes_of(user: Person) -> frozenset[str]:
    """Ids of the datasets that somebody may write to through the APIs, the commons among them."""
    return frozenset(_datasets()) | {COMMONS} if may(user, "data.write") else frozenset()


def may_feed(user: Person) -> bool:
    """Whether somebody's devices may send to the house's broker what a source reads."""
    return may(user, "data.write")


def _datasets() -> Iterable[str]:
    from allmende.web.house import open_profile

    return open_profile().datasets


def _given(user: Person) -> frozenset[str]:
    from allmende.web.citizens.models import PREFIX

    if user.pk is None or not user.is_active:
        return frozenset()
    return frozenset(f"{PREFIX}{number}" for number in user.own_sensors.values_list("pk", flat=True))


def _restricted() -> frozenset[str]:
    from allmende.web.house import open_profile

    return frozenset(d.id for d in open_profile().datasets.values() if d.access == "restricted")

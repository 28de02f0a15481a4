"""How revisions come in force: a whole bundle in one transaction, one release after the other, each written down."""

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from allmende.domain.plain import Change
from allmende.domain.profile_checks import ProfileError
from allmende.web.accounts.audit import record
from allmende.web.accounts.models import User
from allmende.web.live import live
from allmende.web.office import checks
from allmende.web.office import files as stored
from allmende.web.office.looking import changes_of
from allmende.web.office.models import RELEASED, REPLACED, Revision, Stand
from allmende.web.office.rights import By

_MOST_TEXT = 1000
_MOST_NAMES = 30


def put_in_force(several: Sequence[Revision], by: By, answer: str, *, mending: bool = False) -> None:
    """Check all together over what else is in force, and let it be so; ``mending``: also where that is still wrong by
    something else."""
    try:
        profile = checks.checked_profile([change_of(each) for each in several])
    except ProfileError:
        if not mending or not checks.is_wrong():
            raise
        profile = None  # one step of several
    now = _later(timezone.now())
    for each in several:
        Revision.objects.filter(kind=each.kind, key=each.key, state=RELEASED).update(state=REPLACED, changed=now)
        each.state, each.released, each.changed = RELEASED, now, now
        each.releaser = by if isinstance(by, User) else None
        each.answer = answer[:_MOST_TEXT]
        each.save()
    Stand.objects.filter(pk=1).update(word=secrets.token_hex(16))
    if profile is not None:
        checks.furnish_with(profile)
    live().expire()


def _later(now: datetime) -> datetime:
    """A time after that of every release before: their order is that of what was in force."""
    newest = Revision.objects.filter(released__isnull=False).order_by("-released").first()
    if newest is None or newest.released is None or newest.released < now:
        return now
    return newest.released + timedelta(microseconds=1)


def change_of(revision: Revision) -> Change:
    """What a revision says over the folder."""
    return Change(revision.kind, revision.key, revision.said, stored.read(revision.files))


def hold() -> None:
    """Whoever changes revisions does so one after the other, and sees what the one before did."""
    Stand.objects.get_or_create(pk=1, defaults={"word": ""})
    Stand.objects.select_for_update().get(pk=1)
    live().expire()


def note(actor: str, deed: str, revision: Revision, **detail: Any) -> None:
    """Write a deed into the audit log, with the names of what the revision changes."""
    names = [difference.place for difference in changes_of(revision)]
    if len(names) > _MOST_NAMES:
        names = [*names[:_MOST_NAMES], "…"]
    record(actor, f"office.{deed}", f"{revision.kind}:{revision.key}", number=revision.number, changed=names, **detail)

"""Erasure: one way for the person, the office, the command line, the worker and a restored backup."""

import secrets
from datetime import timedelta
from typing import Any

import msgspec
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from allmende.domain.holdings import Choice, Kept, Subject, Wishes, holdings
from allmende.web.accounts.audit import record
from allmende.web.accounts.models import User
from allmende.web.accounts.people import keep_an_administrator
from allmende.web.feedback.models import Message
from allmende.web.house import open_store
from allmende.web.persons.marks import finder, note_erased
from allmende.web.persons.models import DONE, PersonRequest
from allmende.web.persons.reach import subject_of

HOUSE = "house:persons"


class Erased(msgspec.Struct, frozen=True, kw_only=True):
    """What was done."""

    found: dict[str, int]
    """Records by place, where there were any."""
    kept: list[Kept]
    pseudonym: str


def erase(
    subject: Subject,
    *,
    actor: str,
    given: Choice = "",
    request: PersonRequest | None = None,
) -> Erased:
    """Erase all that leads to somebody, in one transaction. Raises Conflict for the last administrator.

    ``actor`` is who decided; where that is the person themselves, their pseudonym stands in the log.
    """

    def work() -> Erased:
        user = User.objects.select_for_update().filter(pk=subject.user).first() if subject.user else None
        if user is not None:
            keep_an_administrator(user)
            note_erased(User, user.pk, user.date_joined)
        _mark_messages(subject)
        wishes = Wishes(given=given, pseudonym=f"person:{secrets.token_hex(5)}")
        found: dict[str, int] = {}
        kept: list[Kept] = []
        for holding in holdings():
            place = holding.named.place
            found[place] = holding.count(subject)
            kept += holding.erase(subject, wishes)
        found = {place: number for place, number in found.items() if number}
        done = Erased(found=found, kept=kept, pseudonym=wishes.pseudonym)
        who = wishes.pseudonym if actor in subject.actors else actor
        detail: dict[str, Any] = {"found": found, "kept": sorted({each.place for each in kept})}
        record(who, "user.remove", f"request:{request.pk}" if request else "", **detail)
        if request is not None:
            _answer(request, done)
        return done

    with transaction.atomic():
        return open_store().together(work)


def erase_account(user: User, *, actor: str, given: Choice = "") -> Erased:
    """The same for an account, as it is now."""
    return erase(subject_of(user), actor=actor, given=given)


def _mark_messages(subject: Subject) -> None:
    messages = next((each for each in holdings() if each.named.place == "messages"), None)
    if messages is not None and subject.emails:
        for message in messages.rows(subject):  # type: ignore[attr-defined]  a table's
            note_erased(Message, message.pk, message.at)


def _answer(request: PersonRequest, done: Erased) -> None:
    now = timezone.now()
    PersonRequest.objects.filter(pk=request.pk).update(
        state=DONE,
        found=done.found,
        kept=[msgspec.to_builtins(each) for each in done.kept],
        pseudonym=done.pseudonym,
        answered=now,
        backups_until=backups_until(),
        account=None,
        about="",
        note="",
    )


def backups_until() -> Any:
    """The day on which the last backup goes that may hold what is there today."""
    return timezone.localdate() + timedelta(days=settings.ALLMENDE.backup_kept_days)


def erase_again(marks: list[dict[str, str]]) -> int:
    """A backup was restored, in the transaction that is open: what was erased after it was taken is erased again. Gives
    how many records."""
    from allmende.web.citizens.keeping import end
    from allmende.web.citizens.models import OwnSensor

    find = finder(marks)
    count = 0
    if not marks:
        return 0
    for sensor in OwnSensor.objects.select_for_update().filter(user__isnull=False).order_by("pk"):
        how = find(OwnSensor, sensor.pk, sensor.created)
        if how is not None:
            end(sensor, how)
            count += 1
    for user in User.objects.order_by("pk"):
        if find(User, user.pk, user.date_joined) is not None:
            erase(subject_of(user), actor=HOUSE)
            count += 1
    for message in Message.objects.order_by("pk"):
        if find(Message, message.pk, message.at) is not None:
            message.delete()
            count += 1
    return count

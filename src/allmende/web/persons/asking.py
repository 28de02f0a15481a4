"""Requests: written down, released by a second person, declined, worked off."""

from datetime import date

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from allmende.domain.errors import Conflict, Forbidden, InvalidInput
from allmende.domain.holdings import Choice, Subject
from allmende.web.accounts.audit import record
from allmende.web.accounts.models import User
from allmende.web.accounts.roles import may
from allmende.web.persons.erasing import Erased, erase
from allmende.web.persons.models import (
    ACCESS,
    DECLINED,
    DONE,
    ERASURE,
    FAILED,
    PROPOSED,
    READY,
    WAITING,
    PersonRequest,
    month_after,
)
from allmende.web.persons.parcels import drop, pack
from allmende.web.persons.reach import find_subject, subject_of

ANSWER = "persons.answer"
"""The deed that answering requests asks for."""


def ask_access(user: User) -> PersonRequest:
    """Somebody asks for all that is held of them. The same again, while it waits, is the one that waits."""
    with transaction.atomic():
        User.objects.select_for_update().get(pk=user.pk)
        waiting = PersonRequest.objects.filter(account=user, kind=ACCESS, state=WAITING).first()
        if waiting is not None:
            return waiting
        today = timezone.localdate()
        made = PersonRequest.objects.create(
            kind=ACCESS, account=user, asker=user, received=today, due=month_after(today)
        )
        record(_name(user), "person.ask", f"request:{made.pk}", kind=ACCESS)
    return made


def erase_self(user: User, given: str = "") -> Erased:
    """Somebody erases all that is held of them, at once. Raises Conflict for the last administrator."""
    today = timezone.localdate()
    with transaction.atomic():
        made = PersonRequest.objects.create(
            kind=ERASURE, account=user, asker=user, received=today, due=month_after(today), given=_choice(given)
        )
        return erase(subject_of(user), actor=_name(user), given=_choice(given), request=made)


def _choice(given: str) -> Choice:
    return "delete" if given == "delete" else "leave" if given == "leave" else ""


def write_down(by: User, *, kind: str, about: str, received: date, note: str, given: str = "") -> PersonRequest:
    """What came on paper. Raises Forbidden, and InvalidInput whose ``where`` is the field; NotFound for nobody."""
    if not may(by, ANSWER):
        raise Forbidden(_("To answer requests takes the role of a steward."))
    if kind not in (ACCESS, ERASURE):
        raise InvalidInput(_("Choose what is asked for."), where="kind")
    if received > timezone.localdate():
        raise InvalidInput(_("This day is yet to come."), where="received")
    if len(note.strip()) < 10:
        raise InvalidInput(_("Say how it came, and how you know that it is this person."), where="note")
    user, _subject = find_subject(about)
    with transaction.atomic():
        made = PersonRequest.objects.create(
            kind=kind,
            state=WAITING if kind == ACCESS else PROPOSED,
            account=user,
            about=about.strip(),
            paper=True,
            note=note.strip()[:1000],
            given=_choice(given),
            received=received,
            due=month_after(received),
            asker=by,
        )
        record(_name(by), "person.ask", f"request:{made.pk}", kind=kind, paper=True)
    return made


def needs_other(request: PersonRequest, user: User) -> bool:
    """Whether four eyes keep somebody from releasing an erasure: they wrote it down, and are not alone."""
    if not settings.ALLMENDE.four_eyes or request.asker_id != user.pk:
        return False
    others = User.objects.filter(is_active=True).exclude(pk=user.pk)
    return any(may(other, ANSWER) for other in others)


def subject_of_request(request: PersonRequest) -> Subject:
    """Whom it is about, as they are known now. Raises NotFound where nobody is any more."""
    if request.account is not None:
        return subject_of(request.account)
    return find_subject(request.about)[1]


def release(request: PersonRequest, by: User) -> Erased:
    """Do an erasure that somebody else wrote down. Raises Forbidden, Conflict, NotFound."""
    if not may(by, ANSWER):
        raise Forbidden(_("To answer requests takes the role of a steward."))
    with transaction.atomic():
        held = PersonRequest.objects.select_for_update().get(pk=request.pk)
        if held.kind != ERASURE or held.state != PROPOSED:
            raise Conflict(_("This request was answered already."))
        if needs_other(held, by):
            raise Forbidden(_("Somebody else has to release what you wrote down."))
        done = erase(subject_of_request(held), actor=_name(by), given=_choice(held.given), request=held)
        # who released their own erasure goes with it
        PersonRequest.objects.filter(pk=held.pk).update(releaser=User.objects.filter(pk=by.pk).first())
    return done


def decline(request: PersonRequest, by: User, why: str) -> None:
    """Answer with no, and why. Raises Forbidden, InvalidInput, Conflict."""
    if not may(by, ANSWER):
        raise Forbidden(_("To answer requests takes the role of a steward."))
    if len(why.strip()) < 10:
        raise InvalidInput(_("Say why: the person has to be told, within the month."), where="why")
    with transaction.atomic():
        held = PersonRequest.objects.select_for_update().get(pk=request.pk)
        if not held.is_open:
            raise Conflict(_("This request was answered already."))
        note = f"{held.note}\n{why.strip()}"[:1000]
        PersonRequest.objects.filter(pk=held.pk).update(state=DECLINED, note=note, releaser=by, answered=timezone.now())
        drop(held)
        record(_name(by), "person.decline", f"request:{held.pk}")


def hand_over(request: PersonRequest, by: User) -> None:
    """The file is fetched: the request is answered. Each time is in the audit log."""
    if request.state == READY:
        PersonRequest.objects.filter(pk=request.pk, state=READY).update(state=DONE, answered=timezone.now())
    record(_name(by), "person.fetch", f"request:{request.pk}")


def put_together(request: PersonRequest, language: str, house: str) -> None:
    """The worker's part of an access: write the file. What goes wrong is kept with the request and raised."""
    try:
        with transaction.atomic():
            counts = pack(request, subject_of_request(request), language, house)
            found = {place: number for place, number in counts.items() if number}
            PersonRequest.objects.filter(pk=request.pk).update(state=READY, found=found, fault="")
            record("house:persons", "person.ready", f"request:{request.pk}", found=found)
    except Exception as error:
        # whatever it is, somebody has to see it before the month is over
        PersonRequest.objects.filter(pk=request.pk).update(state=FAILED, fault=str(error)[:500])
        raise


def _name(user: User) -> str:
    return f"user:{user.get_username()}"

"""Users, what they are in the house, tokens and the audit log.

Beside each field of personal data stand its purpose and when it is deleted; docs/reference/personal-data.md says the
same to the public, and a test holds the two together.
"""

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, NoReturn

from django.contrib.auth.models import AbstractUser
from django.db import models, transaction
from django.db.models.functions import Cast
from django.utils import timezone

from allmende.web.accounts.chain import PRUNED, START, Payload, entry_digest, new_salt, payload_digest

AUDIT_DAYS = 365
"""Entries of the audit log are deleted by the worker when they are older, in whole days."""


class User(AbstractUser):
    """Somebody with an account: those who run the city's house; nobody needs one to read.

    Personal data, all of it deleted with the account:

    - ``username``: to log in, and to tell in the audit log who did something.
    - ``email``: to reach the person about their account; may be left empty.
    - ``first_name``, ``last_name``: how the house calls the person; empty unless they enter them, or their OpenID
      Connect provider tells them.
    - ``password``: kept as an Argon2 hash, to check the log-in.
    - ``last_login``, ``date_joined``: to find accounts that are no longer used.
    """

    waits = models.BooleanField(default=False)
    """Made by the person themselves, and not opened by an administrator yet."""


class Organisation(models.Model):
    """An office, a company or an association that people act for; no personal data."""

    id = models.SlugField(max_length=100, primary_key=True)
    """As it is named on the command line, in grants and in addresses, e.g. ``umweltamt``."""
    title = models.CharField(max_length=200)

    class Meta:
        ordering = ("id",)

    def __str__(self) -> str:
        return self.title


class Membership(models.Model):
    """What somebody is: in one organisation, or, without one, in the whole house.

    Personal data, deleted with the account, or when the role is taken away:

    - ``user``, ``organisation``, ``role``: what the person may do, and for whom.
    - ``since``: so that the person who gives roles sees those that are old.
    """

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    organisation = models.ForeignKey(
        Organisation, on_delete=models.CASCADE, null=True, blank=True, related_name="memberships"
    )
    role = models.CharField(max_length=20)
    """One of ``roles.ROLES``."""
    since = models.DateTimeField(default=timezone.now)
    provider = models.CharField(max_length=50, blank=True)
    """The OpenID Connect provider whose groups gave it, and take it away again; empty: given by hand."""

    class Meta:
        ordering = ("user_id", "organisation_id")
        constraints = (
            models.UniqueConstraint(fields=("user", "organisation"), name="one_role_in_an_organisation"),
            models.UniqueConstraint(
                fields=("user",), condition=models.Q(organisation=None), name="one_role_in_the_house"
            ),
        )

    def __str__(self) -> str:
        return f"{self.user_id} {self.organisation_id or ''} {self.role}"


class Invitation(models.Model):
    """A link with which somebody may make an account, once. No personal data: whom it was sent to is not kept."""

    digest = models.CharField(max_length=64, unique=True, editable=False)
    """SHA-256 of the secret in the link, in hex."""
    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, null=True, blank=True)
    role = models.CharField(max_length=20)
    created = models.DateTimeField(default=timezone.now)
    expires = models.DateTimeField()
    used = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-id",)

    def __str__(self) -> str:
        return f"{self.role} until {self.expires:%Y-%m-%d}"


class LoggedIn(models.Model):
    """A browser in which somebody is logged in, so that they can see and end it elsewhere.

    Personal data, deleted with the log-out, and by the worker when the session is over:

    - ``user``, ``session``: whose it is, and which session ends with it.
    - ``browser``: kind of browser and system in two words, so that the person knows it again; never an address.
    - ``since``, ``seen``: when it began, and the day of its last use.
    """

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="logged_in")
    session = models.CharField(max_length=40, unique=True)
    browser = models.CharField(max_length=60)
    since = models.DateTimeField(default=timezone.now)
    seen = models.DateField()

    class Meta:
        ordering = ("-since",)

    def __str__(self) -> str:
        return f"{self.user_id} {self.browser}"


class Token(models.Model):
    """A key for a program. The secret itself is shown once and never kept.

    Personal data, deleted with the account or when the token is deleted:

    - ``user``: who answers for the token.
    - ``last_used``: the hour of the last use, to find tokens that are no longer needed; never an address.
    """

    name = models.CharField(max_length=100, unique=True)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    """SHA-256 of the secret, in hex: the secret has 256 random bits, so that no slow hash is needed."""
    user = models.ForeignKey(User, on_delete=models.CASCADE, null=True, blank=True, related_name="tokens")
    datasets = models.JSONField(default=list, blank=True)
    """Ids of datasets that are not open and that the token may read."""
    may_write = models.BooleanField(default=False)
    """Whether it may write at all: to what belongs to nobody alone, and to the datasets in ``writes``."""
    writes = models.JSONField(default=list, blank=True)
    """Ids of datasets that it may write to."""
    publishes = models.BooleanField(default=False)
    """Whether devices may send to the house's broker with it."""
    broker_hash = models.CharField(max_length=200, blank=True, editable=False)
    """The secret as Mosquitto keeps passwords, made while the secret was there; empty where it does not publish."""
    created = models.DateTimeField(default=timezone.now)
    expires = models.DateTimeField(null=True, blank=True)
    last_used = models.DateTimeField(null=True, blank=True)
    revoked = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name

    def is_valid(self, now: datetime) -> bool:
        """Whether it opens the door at ``now`` (aware)."""
        if self.revoked is not None or (self.expires is not None and self.expires <= now):
            return False
        return self.user is None or self.user.is_active


class AuditEntries(models.QuerySet["AuditEntry"]):
    """Append-only: what is written is not changed. It goes by its age, and its payload where a person asks for it."""

    def update(self, **kwargs: Any) -> NoReturn:
        """Refused."""
        raise TypeError("the audit log is not changed")

    def delete(self) -> NoReturn:
        """Refused."""
        raise TypeError("the audit log is not deleted from, but by age: prune")

    def bulk_update(self, objs: Iterable[Any], fields: Iterable[str], batch_size: int | None = None) -> NoReturn:
        """Refused."""
        raise TypeError("the audit log is not changed")

    def bulk_create(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Refused."""
        raise TypeError("the audit log is written one by one: each entry follows the one before")

    def prune(self, before: datetime) -> int:
        """Delete the days that are older, from the oldest entry on; gives how many. What is left says, in an entry of
        its own, which digest stood before it."""
        day = before.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        if not self.filter(at__lt=day).exists():
            return 0
        with transaction.atomic():
            AuditHead.locked()
            first = self.filter(at__gte=day).order_by("id").values_list("id", flat=True).first()
            old = self if first is None else self.filter(id__lt=first)
            last = old.order_by("-id").first()
            if last is None:
                return 0
            gone, _ = models.QuerySet.delete(self.filter(id__lte=last.pk))
            self.create(actor="house:worker", action=PRUNED, detail={"gone": gone, "before": last.digest})
        return gone

    @staticmethod
    def tells_of(subject: str) -> models.Q:
        """The condition for entries by somebody or about them, where ``detail`` is annotated as ``text``."""
        told = models.Q(actor=subject) | models.Q(object=subject)
        # the engines write letters outside of ASCII in either way
        for word in {json.dumps(subject), json.dumps(subject, ensure_ascii=False)}:
            told |= models.Q(text__contains=word)
        return told

    def erase(self, subject: str) -> int:
        """Delete what entries say that were made by, or tell of, ``subject`` (``user:anna``): who, what, the details
        and their salt. When and which action stay, and the chain holds. Gives how many."""
        told = self.tells_of(subject)
        with transaction.atomic():
            AuditHead.locked()
            found = self.exclude(salt="").annotate(text=Cast("detail", models.TextField())).filter(told)
            numbers = list(found.values_list("id", flat=True))
            for place in range(0, len(numbers), 500):
                part = self.filter(id__in=numbers[place : place + 500])
                models.QuerySet.update(part, actor="", object="", detail={}, request_id="", salt="")
        return len(numbers)


class AuditHead(models.Model):
    """One row: the digest of the newest entry. Whoever writes an entry holds it until the commit, so that entries form
    one sequence; and what was cut off at the end is noticed. No personal data."""

    newest = models.BigIntegerField(default=0)
    """The number of the newest entry, 0 where there was none yet."""
    digest = models.CharField(max_length=64, default=START, blank=True)

    def __str__(self) -> str:
        return f"{self.newest} {self.digest}"

    @classmethod
    def locked(cls) -> "AuditHead":
        """The row, held until the end of the transaction that is open. On SQLite a transaction is alone anyway."""
        found = cls.objects.select_for_update().filter(pk=1).first()
        if found is None:
            cls.objects.get_or_create(pk=1)
            found = cls.objects.select_for_update().get(pk=1)
        return found


class AuditEntry(models.Model):
    """Who did what to what, and when; each follows the one before by its digest (:mod:`allmende.web.accounts.chain`).

    Personal data, deleted after AUDIT_DAYS, and before where they are erased on request:

    - ``actor``: ``user:<name>``, ``token:<name>``, ``cli:<account of the operating system>`` or ``house:<part>``, so
      that a change can be explained and a misuse found.
    - ``object``, ``detail``: what was changed; hold no passwords, no secrets and no addresses.
    """

    at = models.DateTimeField(default=timezone.now, db_index=True)
    actor = models.CharField(max_length=200, blank=True)
    action = models.CharField(max_length=100)
    object = models.CharField(max_length=300, blank=True)
    detail = models.JSONField(default=dict, blank=True)
    request_id = models.CharField(max_length=64, blank=True)
    salt = models.CharField(max_length=32, blank=True, editable=False)
    """Empty where the payload was erased."""
    payload_digest = models.CharField(max_length=64, blank=True, editable=False)
    digest = models.CharField(max_length=64, blank=True, editable=False)

    objects = AuditEntries.as_manager()

    class Meta:
        ordering = ("-id",)
        verbose_name_plural = "audit entries"

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.actor} {self.action} {self.object}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Write once, behind the newest, in the transaction that is open or in one of its own."""
        if self.pk is not None:
            raise TypeError("the audit log is not changed")
        with transaction.atomic():
            head = AuditHead.locked()
            self.salt = new_salt()
            self.payload_digest = payload_digest(self.salt, self.payload)
            self.digest = entry_digest(head.digest, self.at, self.action, self.payload_digest)
            super().save(*args, **kwargs)
            AuditHead.objects.filter(pk=head.pk).update(newest=self.pk, digest=self.digest)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Refused."""
        raise TypeError("the audit log is not deleted from, but by age: prune")

    @property
    def payload(self) -> Payload:
        """What can be erased."""
        return Payload(actor=self.actor, object=self.object, detail=self.detail, request_id=self.request_id)

"""Requests, and marks of what was erased. docs/reference/personal-data.md says the same of their personal data to the
public."""

import secrets
from datetime import date, timedelta

from django.conf import settings
from django.db import models
from django.utils import timezone

ACCESS, ERASURE = "access", "erasure"
WAITING, READY, PROPOSED, DONE, DECLINED, FAILED = "waiting", "ready", "proposed", "done", "declined", "failed"
OPEN = (WAITING, PROPOSED, FAILED)
KEPT_DAYS = 3 * 365
"""So long after the answer a request is kept, to show that it was answered; then it is time-barred (§ 31 OWiG)."""


def _key() -> str:
    return secrets.token_hex(16)


def month_after(day: date) -> date:
    """The same day of the next month, or its last: until then a request is answered (GDPR, Art. 12(3))."""
    first = (day.replace(day=1) + timedelta(days=32)).replace(day=1)
    last = (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    return min(first + timedelta(days=day.day - 1), last)


class PersonRequest(models.Model):
    """Somebody wants to know what is held of them, or wants it erased.

    Personal data, deleted KEPT_DAYS after the answer; all that names the person goes with an erasure:

    - ``account``: whose request it is, where they have an account.
    - ``about``: the name or the e-mail address that a request on paper is about.
    - ``asker``, ``releaser``: who wrote it down and who released or declined it, so that these are two.
    - ``note``: how it came, and why it was declined.
    """

    key = models.CharField(max_length=32, unique=True, default=_key, editable=False)
    """The file's name."""
    kind = models.CharField(max_length=10)
    state = models.CharField(max_length=10, default=WAITING, db_index=True)
    account = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    about = models.CharField(max_length=254, blank=True)
    paper = models.BooleanField(default=False)
    """It came to the office, and not from the person's account."""
    note = models.CharField(max_length=1000, blank=True)
    given = models.CharField(max_length=10, blank=True)
    """What becomes of own sensors: see :class:`allmende.domain.holdings.Wishes`."""
    received = models.DateField()
    due = models.DateField()
    asker = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    releaser = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    found = models.JSONField(default=dict)
    """Records by place when it was done."""
    kept = models.JSONField(default=list)
    """What an erasure left: :class:`allmende.domain.holdings.Kept`; names nobody."""
    pseudonym = models.CharField(max_length=40, blank=True)
    fault = models.CharField(max_length=500, blank=True)
    answered = models.DateTimeField(null=True, blank=True)
    backups_until = models.DateField(null=True, blank=True)
    """Until then backups hold what was erased."""

    class Meta:
        ordering = ("-received", "-pk")

    def __str__(self) -> str:
        return f"{self.kind} of {self.received} ({self.state})"

    @property
    def is_open(self) -> bool:
        """Whether it is to be answered yet."""
        return self.state in OPEN

    @property
    def late(self) -> bool:
        """Whether its month is over."""
        return self.is_open and self.due < timezone.localdate()

    @property
    def deleted_on(self) -> date | None:
        """When the request itself goes."""
        return None if self.answered is None else (self.answered + timedelta(days=KEPT_DAYS)).date()

    @classmethod
    def prune(cls) -> int:
        """Delete what was answered long ago; gives how many."""
        gone, _ = cls.objects.filter(answered__lt=timezone.now() - timedelta(days=KEPT_DAYS)).delete()
        return gone


class ErasedMark(models.Model):
    """A record that was erased, so that a restored backup forgets it again. No personal data: a salted digest of the
    table, the number and the microsecond in which the record was made, which only somebody who has the record can
    compare. Deleted when no backup can hold the record any more."""

    at = models.DateTimeField(default=timezone.now, db_index=True)
    salt = models.CharField(max_length=32)
    digest = models.CharField(max_length=64, unique=True)
    how = models.CharField(max_length=10, blank=True)
    """What became of an own sensor: ``delete``, ``leave``."""

    def __str__(self) -> str:
        return f"{self.digest[:12]} {self.how}"

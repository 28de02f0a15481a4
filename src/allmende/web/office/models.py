"""What was said over the profile's folder: each table's revisions, and the files that they name.

How they are made, released and undone is :mod:`allmende.web.office.revisions`' to say; nobody else writes them.
"""

from typing import Any

from django.conf import settings
from django.db import models
from django.utils import timezone

from allmende.web.ordered import OrderedJSONField

DRAFT, PROPOSED, RELEASED, REPLACED, WITHDRAWN = "draft", "proposed", "released", "replaced", "withdrawn"
STATES = (DRAFT, PROPOSED, RELEASED, REPLACED, WITHDRAWN)
OPEN = (DRAFT, PROPOSED)


class Revision(models.Model):
    """One state of one table of the profile.

    Personal data, kept as long as the revision; with the account the names go, and the revision stays:

    - ``author``: who wrote it last, so that nobody releases what they proposed.
    - ``releaser``: who released or withdrew it.
    """

    kind = models.CharField(max_length=20)
    key = models.CharField(max_length=100)
    number = models.PositiveIntegerField()
    """Counts the revisions of one table, from 1."""
    body = OrderedJSONField(default=dict)
    removes = models.BooleanField(default=False)
    """It says nothing over the folder: as in the profile's file, and gone where there is none. ``body`` is empty."""
    files = models.JSONField(default=dict)
    """Name -> digest of what ``body`` names and the folder does not hold."""
    state = models.CharField(max_length=10, default=DRAFT)
    bundle = models.CharField(max_length=150)
    """Open revisions with the same are checked, proposed, released and withdrawn together."""
    turn = models.PositiveIntegerField(default=1)
    """Counts how often the draft was saved."""
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    releaser = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    reason = models.CharField(max_length=1000, blank=True)
    """The author's: why it is so."""
    answer = models.CharField(max_length=1000, blank=True)
    """The releaser's, e.g. why it was declined."""
    created = models.DateTimeField(default=timezone.now)
    changed = models.DateTimeField(default=timezone.now)
    """When it was last saved or changed its state."""
    released = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["kind", "key", "number"], name="office_revision_number"),
            models.UniqueConstraint(
                fields=["kind", "key"], condition=models.Q(state__in=OPEN), name="office_one_open_revision"
            ),
            models.UniqueConstraint(
                fields=["kind", "key"], condition=models.Q(state=RELEASED), name="office_one_released_revision"
            ),
        )
        indexes = (models.Index(fields=["state", "changed"], name="office_state_changed"),)

    def __str__(self) -> str:
        return f"{self.kind} {self.key}, revision {self.number} ({self.state})"

    @property
    def said(self) -> dict[str, Any] | None:
        """The table that it says; None where it removes one."""
        return None if self.removes else self.body

    @property
    def is_open(self) -> bool:
        """Whether it can still be changed, released or withdrawn."""
        return self.state in OPEN


class StoredFile(models.Model):
    """A file that came with a draft. It goes once no revision names it."""

    digest = models.CharField(max_length=64, primary_key=True)
    """SHA-256, in hex."""
    body = models.BinaryField()
    size = models.PositiveBigIntegerField()
    created = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return self.digest


class Stand(models.Model):
    """One row: a word that is another one after each release, so that processes see cheaply that something changed.

    Whoever releases holds its row until the end of the transaction: releases are one after the other.
    """

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    word = models.CharField(max_length=32)

    def __str__(self) -> str:
        return self.word

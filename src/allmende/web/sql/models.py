"""Questions that somebody keeps. docs/reference/personal-data.md says the same of their personal data to the public."""

import secrets
from datetime import timedelta

from django.conf import settings
from django.db import models
from django.utils import timezone


def new_key() -> str:
    """A word that nobody guesses: the address of a question that is not published."""
    return secrets.token_hex(8)


class SavedQuery(models.Model):
    """A question under a name, as its newest version says it.

    Personal data:

    - ``user``: whose it is. Of a question that was published the name goes with the account, and the question stays.
    - ``title``, ``description``, ``text``: what the person wants to know.

    One that is not published is deleted with the account, or ALLMENDE_SQL_SAVED_DAYS after it was opened last.
    """

    key = models.CharField(max_length=16, primary_key=True, default=new_key)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    title = models.CharField(max_length=200)
    description = models.TextField(max_length=2000, blank=True)
    text = models.TextField()
    chart = models.JSONField(default=dict, blank=True)
    """How it is drawn: ``kind``, ``x``, ``y``; empty: as a table."""
    slug = models.SlugField(max_length=80, unique=True, null=True, blank=True)
    """The word in its stable address, once it was published; it is kept, and given to no other one."""
    published = models.BooleanField(default=False, db_index=True)
    version = models.PositiveIntegerField(default=1)
    created = models.DateTimeField(default=timezone.now)
    changed = models.DateTimeField(default=timezone.now)
    opened = models.DateTimeField(default=timezone.now, db_index=True)

    class Meta:
        ordering = ("title", "key")

    def __str__(self) -> str:
        return f"{self.title} (v{self.version})"

    @classmethod
    def prune(cls) -> int:
        """Delete what nobody opened for long and that is not published; gives how many."""
        limit = timezone.now() - timedelta(days=settings.ALLMENDE.sql_saved_days)
        return cls.objects.filter(published=False, slug=None, opened__lt=limit).delete()[0]


class QueryVersion(models.Model):
    """What a question was, version by version."""

    query = models.ForeignKey(SavedQuery, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    title = models.CharField(max_length=200)
    description = models.TextField(max_length=2000, blank=True)
    text = models.TextField()
    chart = models.JSONField(default=dict, blank=True)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("-number",)
        constraints = (models.UniqueConstraint(fields=["query", "number"], name="one_version_of_a_number"),)

    def __str__(self) -> str:
        return f"{self.query_id} v{self.number}"

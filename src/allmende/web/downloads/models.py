"""Orders of files, and dumps. docs/reference/personal-data.md says the same of their personal data to the public."""

import secrets

from django.conf import settings
from django.db import models
from django.utils import timezone

WAITING, MAKING, READY, FAILED = "waiting", "making", "ready", "failed"


def new_key() -> str:
    """A word that nobody guesses: the address of an order, and the name of its file."""
    return secrets.token_hex(16)


class Order(models.Model):
    """A file that somebody wants. ALLMENDE_DOWNLOAD_HOURS after it was ordered it is deleted with all that stands here.

    Personal data:

    - ``user``, ``token``: who ordered, so that nobody else fetches what is not open, and one finds one's own again.
    - ``client``: a keyed digest of the account or, without one, of address and day, so that nobody orders too much; it
      cannot be turned back into an address.
    - ``selection``: what the person wants to have.
    """

    key = models.CharField(max_length=32, primary_key=True, default=new_key)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, related_name="+")
    token = models.CharField(max_length=100, blank=True)
    """Name of the token that ordered."""
    client = models.CharField(max_length=64, db_index=True)
    dataset = models.CharField(max_length=200)
    selection = models.JSONField()
    format = models.CharField(max_length=20)
    language = models.CharField(max_length=5)
    state = models.CharField(max_length=10, default=WAITING, db_index=True)
    asked = models.DateTimeField(default=timezone.now, db_index=True)
    over = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    rows = models.PositiveBigIntegerField(default=0)
    size = models.PositiveBigIntegerField(default=0)
    digest = models.CharField(max_length=64, blank=True)
    """SHA-256 of the file."""
    error = models.CharField(max_length=1000, blank=True)

    class Meta:
        ordering = ("-asked",)

    def __str__(self) -> str:
        return f"{self.dataset} {self.format} ({self.state})"


class Dump(models.Model):
    """A file that everybody may fetch: a month of an open dataset's readings, its streams, or a collection of it."""

    dataset = models.CharField(max_length=200)
    name = models.CharField(max_length=200)
    """``2024-05``, ``streams``, or ``objects-`` and the id of a collection; the file is called so."""
    rows = models.PositiveBigIntegerField(default=0)
    size = models.PositiveBigIntegerField(default=0)
    """0 where there is nothing to give, and no file."""
    digest = models.CharField(max_length=64, blank=True)
    said = models.CharField(max_length=64, blank=True)
    """Digest of what the file says of its dataset: under another licence it is another file."""
    made = models.DateTimeField(null=True)
    stale = models.BooleanField(default=False)
    """Something changed since; it is made anew at night."""
    withdrawn = models.BooleanField(default=False)
    """It holds what was deleted since: nobody gets it until it is made anew."""
    turn = models.PositiveBigIntegerField(default=0)
    """Grows with each mark, so that who makes it sees whether another one came meanwhile."""

    class Meta:
        ordering = ("dataset", "name")
        constraints = (models.UniqueConstraint(fields=["dataset", "name"], name="one_dump_of_a_name"),)

    def __str__(self) -> str:
        return f"{self.dataset}/{self.name}"

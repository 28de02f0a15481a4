"""Messages. Beside each field of personal data stand its purpose and when it is deleted;
docs/reference/personal-data.md says the same to the public."""

from datetime import timedelta

from django.db import models
from django.utils import timezone

DAYS = 180
"""Kept so long after it was answered, or after it came where nobody answers."""


class Message(models.Model):
    """What somebody told the operator.

    Personal data, deleted DAYS after the message was settled (or came):

    - ``text``: what hinders the person, so that it can be mended; may tell of the person what they chose to tell.
    - ``email``: to answer; may be left empty.
    """

    KINDS = (("barrier", "barrier"), ("fault", "fault"), ("other", "other"))

    at = models.DateTimeField(default=timezone.now, db_index=True)
    kind = models.CharField(max_length=20, choices=KINDS)
    page = models.CharField(max_length=500, blank=True)
    """The address that it is about, as the person gave it."""
    text = models.TextField(max_length=5000)
    email = models.EmailField(max_length=254, blank=True)
    told = models.DateTimeField(null=True, blank=True)
    """When the operator's mail was handed over."""
    settled = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-at",)

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.kind}"

    @classmethod
    def prune(cls) -> int:
        """Delete what is over; gives how many."""
        limit = timezone.now() - timedelta(days=DAYS)
        over = models.Q(settled__lt=limit) | models.Q(settled__isnull=True, at__lt=limit - timedelta(days=DAYS))
        gone, _ = cls.objects.filter(over).delete()
        return gone

"""Paperwork of the signs. Who did something stands in the audit log alone: nothing here names a person."""

from typing import Any

from django.db import models


class SignKept(models.Model):
    """What a display showed last: what it shows next depends on it, also after a restart."""

    display = models.CharField(max_length=200, primary_key=True)
    shown = models.TextField()
    """:class:`allmende.city.parking.signs.model.Shown` as JSON."""

    class Meta:
        app_label = "parking"

    def __str__(self) -> str:
        return self.display


class SignMessage(models.Model):
    """A text that an operator has put on displays, or that they are dark, for a while."""

    displays = models.JSONField()
    pages = models.JSONField(default=dict)
    """By language the rows; empty: dark."""
    rank = models.CharField(max_length=10)
    beside = models.BooleanField(default=False)
    reason = models.CharField(max_length=200)
    start = models.DateTimeField()
    until = models.DateTimeField(db_index=True)
    """Moved forward when somebody ends it before its time."""

    class Meta:
        app_label = "parking"

    def __str__(self) -> str:
        return self.reason


class SignToken(models.Model):
    """What opens one display to its controller, and nothing else."""

    display = models.CharField(max_length=200, primary_key=True)
    digest = models.CharField(max_length=64)
    """SHA-256 of the token, which has 256 random bits: it needs no salt."""
    made = models.DateTimeField()

    class Meta:
        app_label = "parking"

    def __str__(self) -> str:
        return self.display


def as_dict(message: SignMessage) -> dict[str, Any]:
    """What the audit log keeps of a message."""
    return {
        "displays": message.displays,
        "pages": message.pages,
        "rank": message.rank,
        "beside": message.beside,
        "reason": message.reason,
        "start": message.start.isoformat(),
        "until": message.until.isoformat(),
    }

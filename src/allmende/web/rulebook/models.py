"""Runs over the past of a rule that were asked for in the browser."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone

WAITING, RUNNING, DONE, FAILED = "waiting", "running", "done", "failed"
STATES = (WAITING, RUNNING, DONE, FAILED)


class RuleRun(models.Model):
    """The past of a rule, to be worked out anew by the worker.

    Personal data: ``asker``, who asked for it; with the account the name goes, and the run stays.
    """

    rule = models.CharField(max_length=100)
    start = models.DateTimeField()
    end = models.DateTimeField()
    """Not included."""
    state = models.CharField(max_length=10, default=WAITING)
    asker = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    asked = models.DateTimeField(default=timezone.now)
    over = models.DateTimeField(null=True, blank=True)
    version = models.CharField(max_length=40, blank=True)
    """Of the rule that it was worked out by."""
    given = models.PositiveBigIntegerField(default=0)
    corrected = models.PositiveBigIntegerField(default=0)
    gone = models.PositiveBigIntegerField(default=0)
    unchanged = models.PositiveBigIntegerField(default=0)
    fault = models.CharField(max_length=1000, blank=True)
    """Why nothing came of it."""

    class Meta:
        indexes: ClassVar = [models.Index(fields=["rule", "asked"], name="rulebook_run_rule")]

    def __str__(self) -> str:
        return f"{self.rule} from {self.start} to {self.end}: {self.state}"

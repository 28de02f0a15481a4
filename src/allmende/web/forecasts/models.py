"""What the worker remembers of forecasts: how it stands with each, what waits to be judged, and how often each hit.

Nothing here is of people. The forecasts themselves are streams.
"""

from django.db import models


class State(models.Model):
    """How it stands with a forecast of the profile."""

    forecast = models.CharField(max_length=100, primary_key=True)
    digest = models.CharField(max_length=64, blank=True)
    """Of the definition that all of this is of; another one begins anew."""
    tried = models.DateTimeField(null=True)
    """When it was last begun to learn."""
    failures = models.PositiveSmallIntegerField(default=0)
    """Since it last learned something."""
    reason = models.CharField(max_length=20, blank=True)
    """Why it last failed to: ``little``, ``memory``, ``time``, ``broken``."""
    error = models.CharField(max_length=1000, blank=True)
    issued = models.DateTimeField(null=True)
    trouble = models.CharField(max_length=1000, blank=True)
    """Why the last run was not issued."""
    lines = models.JSONField(default=dict)
    """By stream what was said of it in the last run that it was part of (:mod:`.standing`)."""

    def __str__(self) -> str:
        return self.forecast


class Pending(models.Model):
    """A run of one stream that waits for its times to come, whether it is shown or not."""

    forecast = models.CharField(max_length=100)
    stream = models.CharField(max_length=1000)
    run = models.BigIntegerField()
    """When it was issued; microseconds, as is ``until``."""
    until = models.BigIntegerField(db_index=True)
    """When the last of it can be judged."""
    said = models.JSONField()
    """``times``, ``middle``, ``lower``, ``upper``, ``naive`` and ``steps``."""

    class Meta:
        constraints = (models.UniqueConstraint(fields=["forecast", "stream", "run"], name="one_pending_of_a_run"),)

    def __str__(self) -> str:
        return f"{self.stream} {self.run}"


class Score(models.Model):
    """What became of the runs of a day (of their issue, in the city's zone), by near, middle and far: sums."""

    forecast = models.CharField(max_length=100)
    stream = models.CharField(max_length=1000)
    day = models.DateField()
    part = models.PositiveSmallIntegerField()
    count = models.PositiveIntegerField(default=0)
    error = models.FloatField(default=0.0)
    reference = models.FloatField(default=0.0)
    held = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["forecast", "stream", "day", "part"], name="one_score_of_a_day"),
        )

    def __str__(self) -> str:
        return f"{self.stream} {self.day}"

"""Leases: who does a work that only one process may do. What the watch knows of sources, and their troubles. How the
jobs of services fare."""

from django.db import models


class Lease(models.Model):
    """A right for a time. ``holder`` is made anew by each process; host and process id tell an operator who it is."""

    name = models.CharField(max_length=50, primary_key=True)
    holder = models.CharField(max_length=64)
    host = models.CharField(max_length=255)
    process = models.PositiveBigIntegerField()
    expires = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.name}: {self.host}/{self.process} until {self.expires:%H:%M:%S}"


class Watched(models.Model):
    """What the watch remembers of a source between rounds. Times in microseconds, like the sources' own."""

    source = models.CharField(max_length=100, primary_key=True)
    since = models.BigIntegerField()
    counts = models.JSONField(default=list)
    """Snapshots of the source's counts: ``[at, read, repeated, rejected]``, the oldest first."""

    def __str__(self) -> str:
        return self.source


class Look(models.Model):
    """The names that payloads of a source held: name -> [first seen, last seen]. Written where payloads come in."""

    source = models.CharField(max_length=100, primary_key=True)
    names = models.JSONField(default=dict)
    first = models.BigIntegerField()
    last = models.BigIntegerField()

    def __str__(self) -> str:
        return self.source


class Trouble(models.Model):
    """Something that a source's contract does not allow: from when on, what, and who was told. Kept when it is over."""

    source = models.CharField(max_length=100)
    kind = models.CharField(max_length=20)
    since = models.BigIntegerField()
    found = models.BigIntegerField()
    over = models.BigIntegerField(null=True)
    finding = models.JSONField(default=dict)
    told = models.BigIntegerField(null=True)
    told_over = models.BigIntegerField(null=True)

    class Meta:
        indexes = (models.Index(fields=["source", "kind"], name="trouble_source"),)
        constraints = (
            models.UniqueConstraint(
                fields=["source", "kind"], condition=models.Q(over__isnull=True), name="one_trouble_of_a_kind"
            ),
        )

    def __str__(self) -> str:
        return f"{self.source}: {self.kind}"


class ServiceRun(models.Model):
    """How a service's job fared when it ran last. Written once it is over."""

    job = models.CharField(max_length=150, primary_key=True)
    """``SERVICE/JOB``"""
    began = models.DateTimeField()
    seconds = models.FloatField()
    failures = models.PositiveIntegerField(default=0)
    """One after the other, up to now."""
    error = models.TextField(default="")

    def __str__(self) -> str:
        return f"{self.job}: {self.began:%H:%M:%S}"

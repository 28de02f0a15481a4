"""What operators of parking sites have decided, and what was found doubtful. Nothing is deleted: it ends.

``site`` is the id of the real site everywhere. ``reason`` and ``note`` are for operators alone unless it is said
otherwise. Personal data, without the person's name once their account is deleted; docs/reference/personal-data.md says
the same to the public:

- ``made_by``, ``ended_by``: who decided it, so that others can ask back; a year after its end they are emptied.
"""

from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q


class Decided(models.Model):
    """What all decisions have: when they hold, who made them, who ended them before their time."""

    start = models.DateTimeField()
    until = models.DateTimeField(null=True, blank=True)
    """None: until it is ended."""
    reason = models.CharField(max_length=500)
    made = models.DateTimeField()
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    ended = models.DateTimeField(null=True, blank=True)
    """When somebody ended it before its time."""
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )

    class Meta:
        abstract = True

    @classmethod
    def holding(cls, now: datetime) -> models.QuerySet[Any]:
        """Those that hold at ``now`` or will."""
        return cls._default_manager.filter(Q(until__isnull=True) | Q(until__gt=now), ended__isnull=True)

    def over(self, now: datetime) -> bool:
        """Whether it holds no more."""
        return self.ended is not None or (self.until is not None and self.until <= now)


class Override(Decided):
    """What is shown instead of the counting. It has an end always; ``reason`` is public."""

    LIVE, CLOSED, UNKNOWN = "live", "closed", "no-data"
    site = models.CharField(max_length=200)
    status = models.CharField(max_length=10)
    """``live`` with a number, ``closed``, or ``no-data``: no number is shown."""
    free = models.PositiveIntegerField(null=True, blank=True)
    note = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering = ("-made", "-pk")
        constraints = (
            models.CheckConstraint(name="parking_override_has_an_end", condition=Q(until__isnull=False)),
            models.CheckConstraint(
                name="parking_override_says_a_number",
                condition=Q(status="live", free__isnull=False) | ~Q(status="live"),
            ),
        )

    def __str__(self) -> str:
        return f"{self.site}: {self.status} {self.free if self.free is not None else ''} until {self.until}"


class Closure(Decided):
    """A site, or ``spaces`` of it, is closed. ``text`` is what the public reads."""

    site = models.CharField(max_length=200)
    spaces = models.PositiveIntegerField(null=True, blank=True)
    text = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ("-made", "-pk")

    def __str__(self) -> str:
        return f"{self.site}: closed {self.spaces or ''} until {self.until}"


class Event(Decided):
    """Something that fills or empties sites. ``name`` and ``effect`` are public."""

    name = models.CharField(max_length=200)
    sites = models.JSONField(default=list)
    effect = models.CharField(max_length=500, blank=True)
    on_signs = models.BooleanField(default=True)
    sign_text = models.JSONField(default=dict, blank=True)
    """By language what signs of its sites say; empty: its name."""

    class Meta:
        ordering = ("-start", "-pk")

    def __str__(self) -> str:
        return self.name


class ChosenFact(Decided):
    """Which of several statements on one fact of a site counts: the one with this value and source."""

    site = models.CharField(max_length=200)
    fact = models.CharField(max_length=100)
    value = models.JSONField()
    source = models.CharField(max_length=500)
    date = models.CharField(max_length=50)

    class Meta:
        ordering = ("-made", "-pk")

    def __str__(self) -> str:
        return f"{self.site}.{self.fact} = {self.value}"


class Lease(Decided):
    """So many spaces of a site are not public: leased, or for holders of permits."""

    LEASED, PERMIT = "leased", "permit"
    site = models.CharField(max_length=200)
    spaces = models.PositiveIntegerField()
    kind = models.CharField(max_length=10)

    class Meta:
        ordering = ("-made", "-pk")

    def __str__(self) -> str:
        return f"{self.site}: {self.spaces} {self.kind}"


class Calibration(Decided):
    """By how much a counter is off, as the nights say: proposed, and where it is ``applied`` added to what is counted.

    What was measured stays as it is. ``reason`` is what the rule says; ``made_by`` is nobody for a proposal, until
    somebody applies or declines it.
    """

    PROPOSED, APPLIED, DECLINED = "proposed", "applied", "declined"
    site = models.CharField(max_length=200)
    stream = models.CharField(max_length=300)
    state = models.CharField(max_length=10, default=PROPOSED)
    offset = models.IntegerField()
    """Spaces that are added to the count of free ones."""
    usual = models.FloatField()
    lately = models.FloatField()
    nights = models.PositiveIntegerField()

    class Meta:
        ordering = ("-made", "-pk")

    def __str__(self) -> str:
        return f"{self.stream}: {self.offset:+d} {self.state}"


class Doubt(models.Model):
    """That a site's count was implausible for a while, and by which figures. Names nobody."""

    site = models.CharField(max_length=200)
    flag = models.CharField(max_length=30)
    severity = models.CharField(max_length=10)
    effect = models.CharField(max_length=10)
    since = models.DateTimeField()
    until = models.DateTimeField(null=True, blank=True)
    figures = models.JSONField(default=dict)

    class Meta:
        ordering = ("-since", "-pk")
        constraints = (
            models.UniqueConstraint(name="parking_one_doubt", fields=("site", "flag"), condition=Q(until__isnull=True)),
        )

    def __str__(self) -> str:
        return f"{self.site}: {self.flag} since {self.since}"


class Desk(models.Model):
    """The version of a site's paperwork, so that of two operators the second sees what the first has done. The one
    named ``*`` has another ``stamp`` after each change of anything."""

    site = models.CharField(max_length=200, primary_key=True)
    version = models.PositiveIntegerField(default=0)
    stamp = models.CharField(max_length=32, default="")

    def __str__(self) -> str:
        return f"{self.site}: {self.version}"

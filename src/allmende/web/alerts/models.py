"""What is kept of alerts. Times that come from readings are microseconds since 1970, UTC.

Beside each field of personal data stand its purpose and when it is deleted; docs/reference/personal-data.md says the
same to the public.
"""

from django.db import models
from django.utils import timezone

from allmende.web.accounts.models import User
from allmende.web.ordered import OrderedJSONField

RAISED, OVER = "raised", "over"
MQTT = "mqtt"
"""The channel of what everybody may hear: it is there without being declared."""


class AlertState(models.Model):
    """Where an alert stands with one stream, thing or group (:class:`allmende.knowledge.alerts.state.State`)."""

    alert = models.CharField(max_length=100)
    key = models.CharField(max_length=300)
    phase = models.CharField(max_length=10)
    since = models.BigIntegerField(default=0)
    turning = models.BigIntegerField(default=0)
    unknown = models.BigIntegerField(default=0)
    looked = models.BigIntegerField()
    turn = models.IntegerField(default=0)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("alert", "key"), name="alerts_one_state"),)

    def __str__(self) -> str:
        return f"{self.alert}/{self.key}: {self.phase}"


class Event(models.Model):
    """An alert that was raised. What it said then is kept with it, whatever becomes of its table.

    Personal data, gone with the event or the account:

    - ``acknowledged_by``: who has seen to it, so that others need not.
    """

    id = models.CharField(max_length=140, primary_key=True)
    alert = models.CharField(max_length=100)
    key = models.CharField(max_length=300)
    dataset = models.CharField(max_length=100)
    severity = models.CharField(max_length=10)
    category = models.CharField(max_length=10)
    public = models.BooleanField()
    """What its table said; who may see it is decided by the dataset as it is when somebody asks."""
    simulated = models.BooleanField(default=False)
    silenced = models.CharField(max_length=500, blank=True)
    """Why nobody was told; then it is not shown to the public either."""
    state = models.CharField(max_length=10, default=RAISED)
    ending = models.CharField(max_length=10, blank=True)
    """``cleared``, ``lapsed`` or ``withdrawn``."""
    since = models.BigIntegerField()
    """When that which raised it began."""
    raised = models.BigIntegerField()
    over = models.BigIntegerField(null=True)
    noted = models.BigIntegerField()
    """When the house raised it, by its own clock."""
    changed = models.BigIntegerField()
    """When it was raised or over by the house's own clock: those who follow ask by it."""
    edition = models.CharField(max_length=20)
    title = OrderedJSONField(default=dict)
    description = OrderedJSONField(default=dict)
    advice = OrderedJSONField(default=dict)
    """Texts by language, and under ``plain`` in plain German."""
    thing = models.CharField(max_length=300, blank=True)
    thing_name = models.CharField(max_length=500, blank=True)
    place = OrderedJSONField(null=True)
    """A GeoJSON geometry."""
    streams = OrderedJSONField(default=list)
    reason = OrderedJSONField(default=dict)
    """Why it was raised: condition, parameters and values."""
    end_reason = OrderedJSONField(default=dict)
    acknowledged_at = models.DateTimeField(null=True)
    acknowledged_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    acknowledged_how = models.CharField(max_length=200, blank=True)
    """``page``, or the channel whose link was used."""
    escalated = models.IntegerField(default=0)
    """How many of the alert's steps were taken."""

    class Meta:
        ordering = ("-raised", "id")
        indexes = (
            models.Index(fields=("state", "-raised"), name="alerts_by_state"),
            models.Index(fields=("changed",), name="alerts_by_change"),
            models.Index(fields=("alert", "key", "state"), name="alerts_by_alert"),
        )

    def __str__(self) -> str:
        return self.id

    @property
    def lasts(self) -> bool:
        """Whether it is not over."""
        return self.state == RAISED


class Message(models.Model):
    """What is to be told of an event on a channel, and what became of that. It goes with one id, however often."""

    id = models.CharField(max_length=300, primary_key=True)
    event = models.ForeignKey(Event, on_delete=models.CASCADE, related_name="messages")
    channel = models.CharField(max_length=100)
    kind = models.CharField(max_length=12)
    """``raised``, ``escalated``, ``cleared``, ``lapsed`` or ``withdrawn``."""
    made = models.BigIntegerField()
    due = models.BigIntegerField()
    """When it is tried next."""
    quiet = models.BooleanField(default=False)
    """It waits for the end of the channel's quiet hours, to be told with others."""
    parcel = models.CharField(max_length=300, blank=True)
    """The id of the message with which it was put together."""
    attempts = models.IntegerField(default=0)
    error = models.CharField(max_length=300, blank=True)
    sent = models.BigIntegerField(null=True)
    given_up = models.BigIntegerField(null=True)

    class Meta:
        ordering = ("made", "id")
        indexes = (
            models.Index(
                fields=("due",), name="alerts_waiting", condition=models.Q(sent__isnull=True, given_up__isnull=True)
            ),
        )

    def __str__(self) -> str:
        return self.id


class Silence(models.Model):
    """Nobody is told of an alert until a time, though it is noted.

    Personal data, deleted a year after it is over:

    - ``user``: who silenced it; gone with the account.
    - ``reason``: why, in their words.
    """

    alert = models.CharField(max_length=100)
    key = models.CharField(max_length=300, blank=True)
    """Empty: of all streams, things or groups."""
    begun = models.DateTimeField(default=timezone.now)
    until = models.DateTimeField()
    reason = models.CharField(max_length=500)
    user = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")

    class Meta:
        ordering = ("-until",)

    def __str__(self) -> str:
        return f"{self.alert}/{self.key} until {self.until:%Y-%m-%d %H:%M}"

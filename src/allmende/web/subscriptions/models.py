"""What is kept of subscriptions. Beside each field of personal data stand its purpose and when it is deleted;
docs/reference/personal-data.md says the same to the public."""

from django.db import models
from django.utils import timezone

from allmende.web.ordered import OrderedJSONField

MAIL, PUSH = "mail", "push"
AT_ONCE, DAILY = "once", "daily"
DAYS = 365
"""A subscriber who does not renew is deleted then."""


class Happened(models.Model):
    """Something that everybody could know when it was noted. Who may know of it now is asked each time it is told."""

    id = models.CharField(max_length=500, primary_key=True)
    kind = models.CharField(max_length=20)
    dataset = models.CharField(max_length=100, blank=True)
    stage = models.PositiveIntegerField(default=1)
    """Counts how often it became another so that it was told."""
    mark = models.CharField(max_length=120)
    changed = models.BigIntegerField()
    """When it was first noted, or became another; microseconds by the house's clock."""
    body = OrderedJSONField()
    """A :class:`allmende.web.subscriptions.happening.Happening`."""

    class Meta:
        ordering = ("-changed", "id")
        indexes = (models.Index(fields=("-changed", "id"), name="subscriptions_changed"),)

    def __str__(self) -> str:
        return self.id


class Subscriber(models.Model):
    """A mail address, or a browser, that asked to be told.

    Personal data, deleted when the person ends their last subscription, when they did not confirm in
    ``ALLMENDE_SUBSCRIPTION_HOURS``, and DAYS days after the last time they confirmed:

    - ``sealed``: the mail address, or the browser's address at its push service with its keys; to tell the person.
      Encrypted by the house's secret.
    - ``mark``: a check number of it, made with the house's secret: to know the address again.
    - ``language``, ``rhythm``, ``quiet_from``, ``quiet_to``, ``urgent``: how the person wants to be told.
    - ``created``, ``confirmed``, ``until``: when they asked, when they confirmed, when it is deleted.
    """

    way = models.CharField(max_length=10, default=MAIL)
    sealed = models.TextField()
    mark = models.CharField(max_length=64, unique=True)
    key = models.CharField(max_length=40)
    """A part of every link to it: links of one who was deleted and came again open nothing."""
    language = models.CharField(max_length=20, default="de")
    rhythm = models.CharField(max_length=10, default=AT_ONCE)
    quiet_from = models.TimeField(null=True)
    quiet_to = models.TimeField(null=True)
    urgent = models.BooleanField(default=True)
    created = models.DateTimeField(default=timezone.now)
    confirmed = models.DateTimeField(null=True)
    until = models.DateTimeField(null=True)
    reminded = models.DateTimeField(null=True)
    refusals = models.PositiveIntegerField(default=0)
    """How often its mail server or push service said for good that it takes nothing."""

    def __str__(self) -> str:
        return f"{self.way} {self.pk}"


class Subscription(models.Model):
    """What one subscriber wants to be told.

    Personal data, deleted with the subscriber, when the person ends it, or where it was not confirmed:

    - ``selection``: what the person wants to know of; may hold a place.
    - ``created``, ``confirmed``: when they asked and confirmed; nothing from before is told.
    """

    subscriber = models.ForeignKey(Subscriber, on_delete=models.CASCADE, related_name="subscriptions")
    selection = OrderedJSONField()
    """A :class:`allmende.web.subscriptions.selection.Selection`."""
    created = models.DateTimeField(default=timezone.now)
    confirmed = models.DateTimeField(null=True)

    class Meta:
        ordering = ("created",)

    def __str__(self) -> str:
        return f"subscription {self.pk}"


class Letter(models.Model):
    """What is to be told to a subscriber, and what became of that. It is kept for some days after it was sent.

    Personal data, deleted with the subscriber:

    - ``subscriber``, ``happened``: what they were told.
    """

    CONFIRM, LINK, RENEW, NEWS = "confirm", "link", "renew", "news"

    kind = models.CharField(max_length=10)
    subscriber = models.ForeignKey(Subscriber, on_delete=models.CASCADE, related_name="letters")
    subscription = models.ForeignKey(Subscription, on_delete=models.CASCADE, null=True, related_name="letters")
    happened = models.ForeignKey(Happened, on_delete=models.CASCADE, null=True, related_name="letters")
    stage = models.PositiveIntegerField(default=0)
    made = models.DateTimeField(default=timezone.now)
    due = models.DateTimeField(default=timezone.now)
    parcel = models.CharField(max_length=40, blank=True)
    """Of those that go together: written down before they go for the first time, so that they go again as one."""
    attempts = models.PositiveIntegerField(default=0)
    sent = models.DateTimeField(null=True)
    given_up = models.DateTimeField(null=True)
    error = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ("made", "id")
        constraints = (
            models.UniqueConstraint(fields=("subscriber", "happened", "stage"), name="subscriptions_told_once"),
        )
        indexes = (
            models.Index(
                fields=("due",),
                name="subscriptions_waiting",
                condition=models.Q(sent__isnull=True, given_up__isnull=True),
            ),
        )

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"


class Cursor(models.Model):
    """How far a source was read; microseconds."""

    source = models.CharField(max_length=20, primary_key=True)
    read = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.source} {self.read}"

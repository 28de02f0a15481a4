"""Hands over what is to be told, channel by channel, each in a thread of its own: one that is away keeps no other
waiting.

At least once: a message is marked as sent when somebody took it. What was taken just before the machine died goes
again, with the same id. What cannot be handed over is tried again with longer and longer pauses, and is given up after
``ALLMENDE_ALERT_HOURS``.
"""

import threading
from collections.abc import Callable, Sequence

import structlog
from django.db import transaction
from django.db.models import Exists, OuterRef

from allmende.domain.alerts import ChannelProfile
from allmende.domain.errors import AllmendeError
from allmende.domain.profile import Profile
from allmende.domain.times import HOUR, SECOND
from allmende.web.accounts.audit import record
from allmende.web.alerts.channels import Refused, Sender, make_sender
from allmende.web.alerts.models import Message
from allmende.web.alerts.watching import READER
from allmende.web.config import Config
from allmende.web.intake import now_micros
from allmende.web.observability.metrics import ALERT_MESSAGES
from allmende.web.worker.pauses import pause_after
from allmende.web.worker.rounds import Rounds

POLL_SECONDS = 0.2
_FIRST_PAUSE, _LONGEST_PAUSE = 10.0, 900.0
_MOST = 50

log = structlog.get_logger("allmende.alerts")


class ChannelThread(Rounds):
    """Tells on one channel."""

    def __init__(self, channel: ChannelProfile, profile: Profile, config: Config, stop: threading.Event) -> None:
        super().__init__(f"alert-channel-{channel.id}", stop)
        self._sender = make_sender(channel, profile, config)
        self._post = Post(channel.id, self._sender, config, now_micros)
        self._ready = False

    def turn(self) -> float:
        """Hand over what is due."""
        if not self._ready:
            self._sender.get_ready()
            self._ready = True
        self._post.hand_over()
        return POLL_SECONDS


class Post:
    """Hands over the messages of one channel. Used by one thread."""

    def __init__(self, channel: str, sender: Sender, config: Config, clock: Callable[[], int]) -> None:
        self._channel = channel
        self._sender = sender
        self._config = config
        self._clock = clock
        self._failures = 0
        self._not_before = 0

    def hand_over(self) -> int:
        """Hand over what is due; gives how many messages were taken. A channel that is away is left alone for a
        while."""
        now = self._clock()
        if now < self._not_before:
            return 0
        done = 0
        for several in self._due(now):
            try:
                self._sender.send(several)
            except (OSError, Refused, AllmendeError) as error:  # httpx's and smtplib's are turned to these
                self._fail(several, error)
                if not isinstance(error, Refused):
                    break
            else:
                self._settle(several)
                done += len(several)
        return done

    def _due(self, now: int) -> list[list[Message]]:
        """What is to go out together, in the order in which it is to go."""
        waiting = Message.objects.filter(channel=self._channel, sent__isnull=True, given_up__isnull=True)
        before = waiting.filter(event=OuterRef("event"), made__lt=OuterRef("made"), quiet=False)
        # Those that were tried in vain come last, so that one that nobody takes keeps none of the others.
        single = waiting.filter(due__lte=now, quiet=False).exclude(Exists(before)).order_by("attempts", "made", "id")
        found = [[message] for message in single.select_related("event")[:_MOST]]
        quiet = list(waiting.filter(due__lte=now, quiet=True).order_by("made", "id").select_related("event")[:_MOST])
        return [*found, *_parcels(quiet)]

    def _settle(self, several: Sequence[Message]) -> None:
        self._failures = 0
        Message.objects.filter(pk__in=[each.pk for each in several]).update(sent=self._clock(), error="")
        ALERT_MESSAGES.labels(self._channel, "sent").inc(len(several))

    def _fail(self, several: Sequence[Message], error: Exception) -> None:
        self._failures += 1
        now = self._clock()
        pause = round(pause_after(self._failures, _FIRST_PAUSE, longest=_LONGEST_PAUSE) * SECOND)
        if not isinstance(error, Refused):
            self._not_before = now + pause
        words = (str(error) or type(error).__name__)[:300]
        ALERT_MESSAGES.labels(self._channel, "failed").inc(len(several))
        log.warning("an alert could not be told", channel=self._channel, error=words, failures=self._failures)
        for message in several:
            message.attempts += 1
            message.error, message.due = words, now + pause
            if now - message.made > self._config.alert_hours * HOUR:
                self._give_up(message, now)
            message.save(update_fields=["attempts", "error", "due", "given_up"])

    def _give_up(self, message: Message, now: int) -> None:
        message.given_up = now
        record(READER.name, "alert.message.given-up", f"alert:{message.event_id}", message=message.id)
        ALERT_MESSAGES.labels(self._channel, "given_up").inc()
        log.error("a message of an alert was given up", message=message.id, channel=self._channel, error=message.error)


def _parcels(quiet: list[Message]) -> list[list[Message]]:
    """What waited through quiet hours, put together once: when it goes again it is the same."""
    parcels: dict[str, list[Message]] = {}
    for message in quiet:
        if message.parcel:
            parcels.setdefault(message.parcel, []).append(message)
    new = [message for message in quiet if not message.parcel]
    if new:
        name = f"digest.{new[0].id}"
        with transaction.atomic():
            Message.objects.filter(pk__in=[message.pk for message in new]).update(parcel=name)
        for message in new:
            message.parcel = name
        parcels[name] = new
    return list(parcels.values())


def given_up() -> int:
    """How many messages were given up and belong to alerts that nobody acknowledged."""
    lost = Message.objects.filter(given_up__isnull=False, attempts__gt=0)
    return lost.filter(event__acknowledged_at__isnull=True).count()

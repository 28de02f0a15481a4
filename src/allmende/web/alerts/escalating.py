"""Tells the next ones of alerts that nobody acknowledged, and gives up what nobody hands over any more."""

import threading

from django.db import transaction

from allmende.domain.profile import Profile
from allmende.domain.rules import micros
from allmende.domain.store import Store
from allmende.domain.times import HOUR
from allmende.web.alerts.ledger import DjangoLedger
from allmende.web.alerts.models import MQTT, RAISED, Event, Message
from allmende.web.alerts.watching import READER
from allmende.web.config import Config
from allmende.web.intake import now_micros
from allmende.web.worker.rounds import Rounds

_SECONDS = 5.0


class EscalationThread(Rounds):
    """Looks for them again and again."""

    def __init__(self, store: Store, profile: Profile, config: Config, stop: threading.Event) -> None:
        super().__init__("alert-escalations", stop)
        self._store, self._profile, self._config = store, profile, config

    def turn(self) -> float:
        """One look."""
        now = now_micros()
        escalate(self._store, self._profile, now)
        forsake(self._profile, now - round(self._config.alert_hours * HOUR), now)
        return _SECONDS


def forsake(profile: Profile, before: int, now: int) -> int:
    """Give up what was made before a time for channels that are gone or switched off; gives how many."""
    there = [channel.id for channel in profile.channels.values() if channel.enabled]
    waiting = Message.objects.filter(sent__isnull=True, given_up__isnull=True, made__lt=before)
    return waiting.exclude(channel__in=[*there, MQTT]).update(given_up=now, error="the channel is gone")


def escalate(store: Store, profile: Profile, now: int) -> int:
    """Take the steps that are due by then; gives how many. Each is taken once, however often this is called."""
    taken = 0
    steps = {alert.id: alert.escalate for alert in profile.alerts.values() if alert.escalate}
    open_ = Event.objects.filter(alert__in=steps, state=RAISED, acknowledged_at__isnull=True, silenced="")
    for pk in list(open_.values_list("pk", flat=True)):
        with transaction.atomic():
            event = open_.select_for_update().filter(pk=pk).first()
            if event is None or event.escalated >= len(steps[event.alert]):
                continue
            step = steps[event.alert][event.escalated]
            if now - event.noted >= micros(step.after):
                DjangoLedger(store, READER, profile, lambda: now).escalate(event, event.escalated, step.tell)
                taken += 1
    return taken

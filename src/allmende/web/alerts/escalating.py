"""Tells the next ones of alerts that nobody acknowledged."""

import threading

from django.db import transaction

from allmende.domain.profile import Profile
from allmende.domain.rules import micros
from allmende.domain.store import Store
from allmende.web.alerts.ledger import DjangoLedger
from allmende.web.alerts.models import RAISED, Event
from allmende.web.alerts.watching import READER
from allmende.web.intake import now_micros
from allmende.web.worker.rounds import Rounds

_SECONDS = 5.0


class EscalationThread(Rounds):
    """Looks for them again and again."""

    def __init__(self, store: Store, profile: Profile, stop: threading.Event) -> None:
        super().__init__("alert-escalations", stop)
        self._store, self._profile = store, profile

    def turn(self) -> float:
        """One look."""
        escalate(self._store, self._profile, now_micros())
        return _SECONDS


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

"""Somebody sees to an alert: nobody else is woken for it."""

from django.utils import timezone

from allmende.web.accounts.models import User
from allmende.web.alerts.models import Event


def acknowledge(event: str, *, by: User | None, how: str) -> bool:
    """Note it; whether it was the first time. ``how``: ``page``, or the channel whose link was used."""
    open_ = Event.objects.filter(pk=event, acknowledged_at__isnull=True)
    return bool(open_.update(acknowledged_at=timezone.now(), acknowledged_by=by, acknowledged_how=how[:200]))

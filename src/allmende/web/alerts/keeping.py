"""What is deleted of alerts when its time is over."""

from datetime import datetime, timedelta

from allmende.domain.times import from_datetime
from allmende.web.alerts.models import OVER, AlertState, Event, Silence

_SILENCE_DAYS = 365


def prune(today: datetime, days: float) -> int:
    """Alerts that were over so many days ago, silences that were over a year ago; gives how many went."""
    limit = from_datetime(today - timedelta(days=days))
    gone, _ = Event.objects.filter(state=OVER, over__lt=limit, changed__lt=limit).delete()
    silences, _ = Silence.objects.filter(until__lt=today - timedelta(days=_SILENCE_DAYS)).delete()
    # of what is quiet nothing is known that a look would not find; its count of turns makes ids, which are long gone
    AlertState.objects.filter(phase="quiet", looked__lt=limit).delete()
    return gone + silences

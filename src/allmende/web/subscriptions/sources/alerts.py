"""Alerts that are meant for everybody."""

from collections.abc import Iterable

from django.urls import reverse

from allmende.domain.policy import ANONYMOUS
from allmende.domain.profile import Profile
from allmende.domain.store import Store
from allmende.web.alerts import events as alerts
from allmende.web.subscriptions.happening import Happening
from allmende.web.subscriptions.models import Happened


class Alerts:
    """Reads what the house noted of them."""

    name = "alerts"

    def read(self, profile: Profile, store: Store, after: int, now: int) -> Iterable[Happening]:
        """See Reading."""
        for event in alerts.events(profile, ANONYMOUS, since=after):
            yield _happening(event)

    def settle(self) -> None:
        """See Reading: nothing is remembered."""

    def is_public(self, profile: Profile, happened: Happened) -> bool:
        """See Reading."""
        number = happened.id.partition(":")[2]
        return alerts.seen_by(profile, ANONYMOUS, public=True).filter(pk=number).exists()


def _happening(event: alerts.Happening) -> Happening:
    named = event.thing_name
    return Happening(
        id=f"alerts:{event.id}",
        title={language: f"{text}: {named}" if named else text for language, text in event.title.items()},
        text={
            language: " ".join(part for part in (event.description.get(language), event.advice.get(language)) if part)
            for language in {**event.description, **event.advice}
        },
        changed=event.changed,
        since=event.since,
        until=event.until,
        state="on" if event.state == "raised" else "over",
        dataset=event.dataset,
        alert=event.alert,
        thing=event.thing,
        streams=event.streams,
        severity=event.severity,
        place=event.place,
        address=named,
        page=reverse("alerts:alert", args=[event.id]),
    )

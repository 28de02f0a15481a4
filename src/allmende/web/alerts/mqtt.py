"""What everybody hears by MQTT: topics ``alerts/ALERT/KEY``, of public alerts alone."""

from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

import msgspec

from allmende.domain.policy import ANONYMOUS
from allmende.domain.profile import Profile
from allmende.domain.times import format_instant
from allmende.web.alerts.events import Happening, events, happening, seen_by
from allmende.web.alerts.links import page_of
from allmende.web.alerts.models import MQTT, Event, Message
from allmende.web.config import Config

_MOST = 100


def topic_of(event: Event | Happening) -> str:
    """Its topic; a key's signs that mean something to MQTT are escaped as in addresses."""
    return f"alerts/{event.alert}/{quote(event.key, safe='~-._')}"


def as_json(config: Config, event: Happening) -> dict[str, Any]:
    """An alert as MQTT and webhooks tell it."""
    reason = event.reason
    return {
        "event": event.id,
        "alert": event.alert,
        "key": event.key,
        "state": event.state,
        "ending": event.ending or None,
        "severity": event.severity,
        "category": event.category,
        "title": event.title,
        "description": event.description,
        "advice": event.advice,
        "since": format_instant(event.since),
        "raised": format_instant(event.raised),
        "until": None if event.until is None else format_instant(event.until),
        "thing": event.thing or None,
        "name": event.thing_name or None,
        "place": event.place,
        "streams": list(event.streams),
        "dataset": event.dataset,
        "reason": {name: reason[name] for name in ("condition", "parameters", "values", "computed", "edition")
                   if name in reason},
        "address": page_of(config, event.id),
    }  # fmt: skip


def payload_of(config: Config, event: Happening, message: str) -> bytes:
    """What is published; ``id`` is the same however often it goes."""
    return msgspec.json.encode({"id": message, **as_json(config, event)})


def waiting(profile: Profile, config: Config, now: int) -> Iterable[tuple[Message, str, bytes]]:
    """What is to be published: message, topic, payload. What is not for everybody any more is withdrawn instead."""
    rows = Message.objects.filter(channel=MQTT, sent__isnull=True, given_up__isnull=True, due__lte=now)
    open_ = seen_by(profile, ANONYMOUS, public=True)
    for message in rows.select_related("event").order_by("made", "id")[:_MOST]:
        if not open_.filter(pk=message.event_id).exists():
            Message.objects.filter(pk=message.pk).update(given_up=now, error="it is not public any more")
            continue
        yield message, topic_of(message.event), payload_of(config, happening(message.event), message.id)


def lasting(profile: Profile, config: Config) -> Iterable[tuple[str, bytes]]:
    """Topics and payloads of what is public and not over, for those who begin to listen."""
    for event in events(profile, ANONYMOUS, lasting=True):
        yield topic_of(event), payload_of(config, event, f"{event.id}.raised.{MQTT}")

"""Rows of the pages about alerts."""

from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from django.utils.translation import gettext as _

from allmende.domain.alerts import SEVERITIES
from allmende.domain.profile import Profile
from allmende.domain.times import DAY, HOUR, format_instant, to_datetime
from allmende.web.alerts import words
from allmende.web.alerts.models import Event
from allmende.web.portal.sources import spoken

BADGES = {"minor": "info", "moderate": "warning", "severe": "danger", "extreme": "danger"}


def row_of(event: Event) -> dict[str, Any]:
    """What a list shows of one."""
    return {
        "it": event,
        "title": words.text_of(event.title),
        "description": words.text_of(event.description),
        "advice": words.text_of(event.advice),
        "severity": words.say_severity(event.severity),
        "badge": BADGES.get(event.severity, "info") if event.lasts else "success",
        "state": _("lasts") if event.lasts else words.KINDS.get(event.ending, event.ending),
        "since": to_datetime(event.since),
        "raised": to_datetime(event.raised),
        "over": None if event.over is None else to_datetime(event.over),
    }


def by_severity(event: Event) -> tuple[int, int]:
    """A key for lists: the most severe first, the newest of these first."""
    order = SEVERITIES[::-1]
    return order.index(event.severity) if event.severity in order else len(order), -event.raised


def why(event: Event, profile: Profile) -> dict[str, Any]:
    """Its reasons in words, and where they come from."""
    zone = ZoneInfo(profile.time_zone)
    dataset = profile.datasets.get(event.dataset)
    table = profile.alerts.get(event.alert)
    return {
        "values": words.say_values(event.reason, zone),
        "condition": words.say_condition(event.reason),
        "written": event.reason.get("condition", ""),
        "lasting": words.say_length(str(event.reason.get("for", ""))),
        "ending": str(words.ENDINGS.get(event.ending, "")),
        "end_values": words.say_values(event.end_reason, zone) if event.end_reason else [],
        "end_condition": words.say_condition(event.end_reason) if event.end_reason else "",
        "edition": event.edition,
        "changed": table is None or table.edition(profile.groups) != event.edition,
        "dataset": spoken(dataset.title) if dataset else event.dataset,
        "streams": event.streams[:_MOST_STREAMS],
        "position": _position(event),
        "start": format_instant(event.since - DAY),
        "end": "now" if event.over is None else format_instant(event.over + _AFTER),
    }


_MOST_STREAMS = 6
_AFTER = 6 * HOUR
"""How much of what came behind it the chart shows."""


def _position(event: Event) -> tuple[float, float] | None:
    """Longitude and latitude of a point."""
    place = event.place
    if not isinstance(place, dict) or place.get("type") != "Point":
        return None
    try:
        lon, lat = msgspec.convert(place.get("coordinates"), list[float])[:2]
    except (msgspec.ValidationError, ValueError):
        return None
    return lon, lat

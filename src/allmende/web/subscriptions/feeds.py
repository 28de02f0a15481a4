"""Feeds and calendars of a selection, by an address and without any registration."""

import hashlib
import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

import icalendar
import shapely
from django.template.defaultfilters import linebreaksbr
from django.utils.feedgenerator import Atom1Feed, Enclosure, Rss201rev2Feed, SyndicationFeed
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from allmende.domain.profile import Profile
from allmende.domain.times import to_datetime
from allmende.web.subscriptions.happening import Happening, say
from allmende.web.subscriptions.links import root
from allmende.web.subscriptions.models import Happened
from allmende.web.subscriptions.selection import shape_of
from allmende.web.subscriptions.wording import Line, say_happening

TYPES = {
    "atom": Atom1Feed.content_type,
    "rss": Rss201rev2Feed.content_type,
    "ics": "text/calendar; charset=utf-8",
}
_REFRESH = timedelta(minutes=15)
_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 cannot say."""
Found = Sequence[tuple[Happened, Happening]]


class Made(NamedTuple):
    """A feed; the same content has the same tag."""

    body: bytes
    type: str
    tag: str
    changed: datetime | None


def make_feed(kind: str, found: Found, profile: Profile, *, title: str, address: str, page: str) -> Made:
    """``kind`` is a key of TYPES; ``address`` is the feed's own, ``page`` where people choose."""
    make = _calendar if kind == "ics" else _feed
    body = make(kind, found, profile, title, address, page)
    changed = max((to_datetime(kept.changed) for kept, _happening in found), default=None)
    return Made(body, TYPES[kind], hashlib.sha256(body).hexdigest()[:32], changed)


def _feed(kind: str, found: Found, profile: Profile, title: str, address: str, page: str) -> bytes:
    changed = max((to_datetime(kept.changed) for kept, _happening in found), default=to_datetime(0))
    made: SyndicationFeed = (_Atom if kind == "atom" else _Rss)(
        changed,
        title=_clean(f"{profile.name}: {title}"),
        link=f"{root()}{page}",
        description=_("What happens in the city, as its data say it."),
        language=get_language() or "de",
        feed_url=f"{root()}{address}",
        feed_guid=f"{root()}{address}",
        ttl=str(int(_REFRESH.total_seconds() // 60)),
        stylesheets=None,
    )
    for kept, happening in found:
        line = say_happening(happening, profile.time_zone)
        parts = [part for part in (line.text, line.when, line.where if line.where not in line.title else "") if part]
        made.add_item(
            title=_clean(f"{line.mark}: {line.title}" if line.mark else line.title),
            link=f"{root()}{line.page}",
            description=linebreaksbr(_clean("\n".join(parts)), autoescape=True),  # readers take it for HTML
            unique_id=uid_of(profile, happening),
            unique_id_is_permalink=False,
            pubdate=to_datetime(kept.changed),
            updateddate=to_datetime(kept.changed),
            categories=[happening.kind, *([happening.severity] if happening.severity else [])],
            enclosures=list[Enclosure](),
        )
    text: str = made.writeString("utf-8")
    return text.encode()


class _Dated:
    """A feed is as new as its newest entry: not as the moment in which it is asked for."""

    def __init__(self, changed: datetime, **said: object) -> None:
        super().__init__(**said)
        self._changed = changed

    def latest_post_date(self) -> datetime:
        """When anything in it last changed."""
        return self._changed


class _Atom(_Dated, Atom1Feed):
    pass


class _Rss(_Dated, Rss201rev2Feed):
    pass


def uid_of(profile: Profile, happening: Happening) -> str:
    """What it is called outside, however it changes: a tag URI (RFC 4151)."""
    digest = hashlib.sha256(happening.id.encode()).hexdigest()[:32]
    return f"tag:{profile.id}.allmende.invalid,2026:{happening.kind}/{digest}"


def _calendar(kind: str, found: Found, profile: Profile, title: str, address: str, page: str) -> bytes:
    """RFC 5545; times in UTC, so that no rules of a zone are needed. REFRESH-INTERVAL and the like: RFC 7986."""
    made = icalendar.Calendar()
    made.add("prodid", f"-//Allmende//{profile.id}//{(get_language() or 'de').upper()}")
    made.add("version", "2.0")
    made.add("method", "PUBLISH")
    name = f"{profile.name}: {title}"
    made.add("name", name)
    made.add("x-wr-calname", name)
    made.add("url", f"{root()}{page}")
    made.add("source", f"{root()}{address}", parameters={"VALUE": "URI"})
    made.add("refresh-interval", _REFRESH, parameters={"VALUE": "DURATION"})
    made.add("x-published-ttl", "PT15M")
    for kept, happening in found:
        if happening.since is not None:
            made.add_component(_event(kept, happening, say_happening(happening, profile.time_zone), profile))
    body: bytes = made.to_ical()
    return body


def _event(kept: Happened, happening: Happening, line: Line, profile: Profile) -> icalendar.Event:
    event = icalendar.Event()
    digest = uid_of(profile, happening).partition(":")[2].rpartition("/")[2]
    event.add("uid", f"{happening.kind}-{digest}@{profile.id}.allmende.invalid")
    event.add("sequence", kept.stage - 1)
    changed = to_datetime(kept.changed).replace(microsecond=0)
    event.add("dtstamp", changed)
    event.add("last-modified", changed)
    start = to_datetime(happening.since or 0).replace(microsecond=0)
    event.add("dtstart", start)
    if happening.until is not None and happening.until > (happening.since or 0):
        event.add("dtend", to_datetime(happening.until).replace(microsecond=0))
    event.add("summary", f"{line.mark}: {line.title}" if line.mark else line.title)
    # what ended early stays in the calendar, struck out
    event.add("status", "CANCELLED" if happening.state == "cancelled" else "CONFIRMED")
    event.add("transp", "TRANSPARENT")
    text = "\n".join(part for part in (say(happening.text), line.when) if part)
    if text:
        event.add("description", text)
    if line.where:
        event.add("location", line.where)
    if line.page:
        event.add("url", f"{root()}{line.page}")
    event.add("categories", [happening.kind])
    point = _point(happening)
    if point is not None:
        event.add("geo", (round(point[1], 6), round(point[0], 6)))
    return event


def _point(happening: Happening) -> tuple[float, float] | None:
    shape = shape_of(happening.place)
    if shape is None:
        return None
    point = shapely.point_on_surface(shape)
    return float(point.x), float(point.y)


def _clean(text: str) -> str:
    return _XML.sub("\ufffd", text)

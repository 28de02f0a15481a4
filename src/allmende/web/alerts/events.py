"""What happened, for those who show it or tell others: the page of alerts, feeds, subscriptions, boards."""

from collections.abc import Mapping
from typing import Any

import msgspec
from django.db.models import QuerySet

from allmende.domain.catalogue import may_read
from allmende.domain.policy import ANONYMOUS, Reader
from allmende.domain.profile import Profile
from allmende.web.alerts.models import RAISED, Event

MOST = 500


class Happening(msgspec.Struct, frozen=True, kw_only=True):
    """An alert that was raised, as others see it. Times are microseconds, UTC."""

    id: str
    """Stays the same as long as it is known."""
    alert: str
    key: str
    state: str
    """``raised`` or ``over``."""
    ending: str
    """``cleared``, ``lapsed``, ``withdrawn``, or nothing where it lasts."""
    severity: str
    """Of CAP 1.2, in small letters: ``minor`` to ``extreme``."""
    category: str
    since: int
    raised: int
    until: int | None
    """When it was over."""
    noted: int
    """When the house raised it."""
    changed: int
    """When the house noted its beginning or end; ``since`` of :func:`events` is compared with it."""
    title: Mapping[str, str]
    description: Mapping[str, str]
    advice: Mapping[str, str]
    """Texts by language; under ``plain`` in plain German, where somebody wrote it."""
    thing: str
    thing_name: str
    place: Mapping[str, Any] | None
    """A GeoJSON geometry."""
    streams: tuple[str, ...]
    dataset: str
    simulated: bool
    reason: Mapping[str, Any]
    """Why it was raised: ``condition``, ``values``, ``computed``, ``parameters``, ``edition``."""

    def text(self, texts: Mapping[str, str], language: str) -> str:
        """The text in a language (or ``plain``), else in the first there is."""
        fallback = "de" if language in ("plain", "de-simple") else language
        wanted = "plain" if language == "de-simple" else language
        return texts.get(wanted) or texts.get(fallback) or next(iter(texts.values()), "")


def events(
    profile: Profile,
    reader: Reader,
    *,
    since: int | None = None,
    public: bool = True,
    lasting: bool | None = None,
    simulated: bool = False,
    most: int = MOST,
) -> list[Happening]:
    """What the reader may know of, the newest change first; with ``since`` what changed later than that, the oldest
    change first, so that who follows goes on behind the last one.

    With ``public`` it is what everybody is told, and the reader does not matter. Without, it is all of the datasets
    that the reader may see, also what is for the house alone: ask the right to ``alerts.see`` first. ``lasting``
    chooses what is not over, or what is. What comes of simulated values is left out of what is public unless it is
    asked for.
    """
    rows = seen_by(profile, reader, public=public, simulated=simulated)
    if since is not None:
        rows = rows.filter(changed__gt=since)
    if lasting is not None:
        rows = rows.filter(state=RAISED) if lasting else rows.exclude(state=RAISED)
    order = "-changed" if since is None else "changed"
    return [happening(row) for row in rows.order_by(order, "id")[: min(most, MOST)]]


def seen_by(profile: Profile, reader: Reader, *, public: bool, simulated: bool = False) -> QuerySet[Event]:
    """The rows of which the reader may know; see :func:`events`."""
    asking = ANONYMOUS if public else reader
    known = [dataset.id for dataset in profile.datasets.values() if may_read(dataset, asking)]
    rows = Event.objects.filter(dataset__in=known)
    if not public:
        return rows
    rows = rows.filter(public=True, silenced="")
    return rows if simulated else rows.filter(simulated=False)


def happening(row: Event) -> Happening:
    """A row as others see it."""
    return Happening(
        id=row.id,
        alert=row.alert,
        key=row.key,
        state=row.state,
        ending=row.ending,
        severity=row.severity,
        category=row.category,
        since=row.since,
        raised=row.raised,
        until=row.over,
        noted=row.noted,
        changed=row.changed,
        title=row.title,
        description=row.description,
        advice=row.advice,
        thing=row.thing,
        thing_name=row.thing_name,
        place=row.place,
        streams=tuple(row.streams),
        dataset=row.dataset,
        simulated=row.simulated,
        reason=row.reason,
    )

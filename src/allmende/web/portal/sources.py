"""The sources of the city's data as the page shows them: the profile's entries with how each has fared."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Literal

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from allmende.domain.dataset import DatasetProfile
from allmende.domain.profile import Profile, SourceProfile
from allmende.domain.store import SourceState
from allmende.storage.retention_sql import Volume
from allmende.web.troubles import say_kind, say_trouble
from allmende.web.worker.models import Trouble

LATE = 3
"""A source is late when it has been silent for this many of its intervals."""
LATE_UNSCHEDULED = timedelta(days=1)
"""The same where a source has no interval."""

State = Literal["off", "waiting", "failing", "late", "troubled", "working"]


@dataclass(frozen=True)
class ShownTrouble:
    """What of its contract a source does not keep."""

    title: str
    words: str
    since: datetime | None


@dataclass(frozen=True)
class Listed:
    """One source in words of the active language; moments are aware."""

    source: SourceProfile
    dataset: DatasetProfile
    title: str
    dataset_title: str
    state: State
    words: str
    error: str
    error_at: datetime | None
    newest: datetime | None
    last_received: datetime | None
    counts: SourceState
    troubles: tuple[ShownTrouble, ...] = ()
    per_day: int = 0
    """Readings that are expected a day, 0 where nobody can say."""
    kept: int = 0
    """Readings that are in the database now: what was thinned or deleted is not."""
    kept_streams: int = 0
    kept_since: datetime | None = None

    @property
    def unused(self) -> bool:
        """Whether it is switched off and never gave anything: there is nothing to count then."""
        return self.state == "off" and self.last_received is None and not self.kept

    @property
    def badge(self) -> str:
        """KERN's name for the colour; the words stand beside it."""
        return {"off": "info", "waiting": "info", "failing": "danger", "working": "success"}.get(self.state, "warning")


def list_sources(
    profile: Profile,
    states: Mapping[str, SourceState],
    now: datetime,
    *,
    troubles: Iterable[Trouble] = (),
    per_day: Mapping[str, int] = MappingProxyType({}),
    volumes: Mapping[str, Volume] = MappingProxyType({}),
) -> list[Listed]:
    """Every source of the profile with what is wrong with it now: in its order, those that are switched off last."""
    by_source: dict[str, list[ShownTrouble]] = {}
    for trouble in troubles:
        shown = ShownTrouble(
            title=say_kind(trouble.kind),
            words=say_trouble(trouble.kind, trouble.finding),
            since=as_moment(trouble.since),
        )
        by_source.setdefault(trouble.source, []).append(shown)
    listed = []
    for source in profile.sources.values():
        found = describe(source, profile, states.get(source.id), now)
        own = tuple(by_source.get(source.id, ())) if found.state != "off" else ()
        state: State = "troubled" if own and found.state == "working" else found.state
        kept = volumes.get(source.id, Volume(0, 0, None, None))
        listed.append(
            replace(
                found,
                troubles=own,
                per_day=per_day.get(source.id, 0),
                state=state,
                words=say_state(state),
                kept=kept.readings,
                kept_streams=kept.streams,
                kept_since=as_moment(kept.first),
            )
        )
    return sorted(listed, key=lambda shown: shown.state == "off")


def describe(source: SourceProfile, profile: Profile, known: SourceState | None, now: datetime) -> Listed:
    """One source at ``now``."""
    counts = known or SourceState(id=source.id)
    state = judge(source, counts, now)
    dataset = profile.datasets[source.dataset]
    return Listed(
        source=source,
        dataset=dataset,
        title=spoken(source.title),
        dataset_title=spoken(dataset.title),
        state=state,
        words=say_state(state),
        error=counts.last_error if state == "failing" else "",
        error_at=as_moment(counts.last_error_at),
        newest=as_moment(counts.newest),
        last_received=as_moment(counts.last_received),
        counts=counts,
    )


def judge(source: SourceProfile, counts: SourceState, now: datetime) -> State:
    """The state: an error counts until the next success.

    A source that is asked succeeds by answering: a file that was imported for it says nothing about its feed.
    """
    if not source.enabled:
        return "off"
    moments = (counts.last_success,) if source.interval_seconds else (counts.last_success, counts.last_received)
    success = max((at for at in moments if at is not None), default=None)
    if counts.last_error_at is not None and counts.last_error and (success is None or counts.last_error_at > success):
        return "failing"
    moment = as_moment(success)
    if moment is None:
        return "waiting"
    seconds = source.interval_seconds
    patience = timedelta(seconds=LATE * seconds) if seconds else LATE_UNSCHEDULED
    return "late" if now - moment > patience else "working"


def say_state(state: State) -> str:
    """The state in a few words."""
    return {
        "off": _("Switched off"),
        "waiting": _("No data yet"),
        "failing": _("Does not answer"),
        "late": _("Silent for longer than usual"),
        "troubled": _("Working, with troubles"),
        "working": _("Working"),
    }[state]


def spoken(texts: Mapping[str, str]) -> str:
    """The text in the active language, else the first there is."""
    return texts.get((get_language() or "").split("-")[0]) or next(iter(texts.values()), "")


def as_moment(microseconds: int | None) -> datetime | None:
    """Aware, in UTC."""
    return None if microseconds is None else datetime.fromtimestamp(microseconds / 1_000_000, UTC)

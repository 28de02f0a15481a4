"""Watches the sources: every minute each is held to its contract, and what is wrong is kept, shown and told.

What is known lies in the database, so that a restart tells nobody twice. Since when a stream has had its value is kept
in memory alone: it stands in the readings, and is looked up there where it is not known.
"""

import threading
from collections.abc import Mapping
from typing import Any

import msgspec
import structlog
from django.db import transaction

from allmende.domain import watch
from allmende.domain.contract import Contract
from allmende.domain.policy import house_reader
from allmende.domain.query import Expand, Query
from allmende.domain.store import Latest, SourceState, Store
from allmende.domain.times import HOUR
from allmende.domain.watch import Counted, Seen, StreamFacts
from allmende.web.house import open_profile
from allmende.web.intake import Intake
from allmende.web.worker.models import Look, Trouble, Watched
from allmende.web.worker.rounds import Rounds

SECONDS = 60.0
LOOK_UPS = 200
"""Streams of a source whose past is looked up in one round; the others' turn comes."""
WINDOW = HOUR
"""Shares are of what came in this time, or in four of the source's intervals."""
HARVEST = "harvest:"
"""Before the id of a harvest, where it is in trouble: those find their troubles themselves."""
_READER = house_reader("watch")
_PAGE = 1000

log = structlog.get_logger("allmende.watch")


class Watch(Rounds):
    """Round after round."""

    def __init__(self, intake: Intake, stop: threading.Event, tell: "Teller") -> None:
        super().__init__("watch", stop, first=SECONDS)
        self._intake = intake
        self._tell = tell
        self._pasts: dict[str, Pasts] = {}

    def turn(self) -> float:
        """One round."""
        self.round()
        return SECONDS

    def round(self) -> None:
        """Judge every source that is switched on, then tell what was not told yet."""
        now = self._intake.clock()
        states = self._intake.store.sources()
        watched = [p.source for p in self._intake.sources.values() if p.profile.enabled and p.connector]
        for source in watched:
            if self._stop_event.is_set():
                return
            pasts = self._pasts.get(source.id)
            if pasts is None or pasts.contract != source.contract:
                pasts = self._pasts[source.id] = Pasts(self._intake.store, source.contract)
            state = states.get(source.id, SourceState(id=source.id))
            findings = self._judge(source.id, source.contract, state, pasts, now)
            keep(source.id, findings, now)
        # a source that was switched off or removed is nobody's trouble
        harvests = [f"{HARVEST}{each.id}" for each in open_profile().harvests.values() if each.enabled]
        known = [*(source.id for source in watched), *harvests]
        Trouble.objects.filter(over__isnull=True).exclude(source__in=known).update(over=now)
        self._tell.tell(now)

    def _judge(
        self, source: str, contract: Contract, state: SourceState, pasts: "Pasts", now: int
    ) -> list[watch.Finding]:
        seen = gather(source, contract, state, now)
        streams = pasts.facts(self._intake.store.latest(_READER, origin=source))
        return watch.judge(contract, seen, streams, now)


class Teller:
    """Whoever tells people; see :class:`allmende.web.worker.notices.Notices`."""

    def tell(self, now: int) -> None:
        """Tell what was not told yet."""


class Pasts:
    """Since when the streams of one source have had their values, and how much of their readings is flagged."""

    def __init__(self, store: Store, contract: Contract) -> None:
        self._store = store
        self.contract = contract
        self._same: dict[str, tuple[Any, int | None, int, bool]] = {}
        """Stream -> its value, since when, its newest time, whether the readings say so (and not rounds alone)."""
        self._properties: Mapping[str, str] = {}

    def facts(self, latest: list[Latest]) -> list[StreamFacts]:
        """The facts of all streams."""
        frozen_after = self.contract.micros("frozen_after")
        resting = self._resting(latest) if frozen_after is not None else frozenset()
        left = LOOK_UPS
        found: list[StreamFacts] = []
        for each in latest:
            may_rest = each.stream in resting
            since = None
            if frozen_after is not None and not may_rest:
                since, asked = self._since(each, frozen_after, left > 0)
                left -= asked
            implausible = 0.0
            if each.quality is not None and left > 0:
                implausible, left = self._implausible(each), left - 1
            found.append(
                StreamFacts(
                    id=each.stream, newest=each.start, same_since=since, implausible=implausible, may_rest=may_rest
                )
            )
        return found

    def _since(self, each: Latest, after: int, may_ask: bool) -> tuple[int | None, bool]:
        """Since when, and whether the readings were asked. Rounds miss what comes and goes between them, so that a
        value that seems frozen is looked up before it is said to be."""
        value, since, _, sure = self._same.get(each.stream, (None, None, 0, False))
        asked = False
        if since is not None and value != each.result:
            since, sure = each.start, False
        if may_ask and (since is None or (not sure and each.start - since >= after)):
            since, asked = self._look_up(each, after), True
            sure = each.start - since >= after
        self._same[each.stream] = (each.result, since, each.start, sure)
        return since, asked

    def _look_up(self, each: Latest, after: int) -> int:
        points = self._store.points(_READER, each.stream, each.start - after, each.start + 1, before=True)
        since = each.start
        for time, result in zip(reversed(points.times), reversed(points.results), strict=True):
            if result != each.result:
                break
            since = time
        return since

    def _implausible(self, each: Latest) -> float:
        """The share of flagged readings lately; of a stream whose newest one is."""
        window = max(WINDOW, 4 * (self.contract.micros("interval") or 0))
        flags = self._store.points(_READER, each.stream, each.start - window, each.start + 1).flags
        return sum(1 for flag in flags if flag) / max(len(flags), 1)

    def _resting(self, latest: list[Latest]) -> frozenset[str]:
        """The streams whose property may rest."""
        if not self.contract.resting:
            return frozenset()
        if any(each.stream not in self._properties for each in latest):
            self._properties = read_properties(self._store)
        return frozenset(s for s, property in self._properties.items() if property in self.contract.resting)


def read_properties(store: Store) -> dict[str, str]:
    """The id of each Datastream's property."""
    found: dict[str, str] = {}
    property_ = Expand(
        relation="ObservedProperty", query=Query(entity="ObservedProperty", reader=_READER, select=("id",))
    )
    query = Query(entity="Datastream", reader=_READER, select=("id",), expand=(property_,), top=_PAGE)
    while True:
        page = store.find(query)
        related = page.expanded["ObservedProperty"]
        for row in page.rows:
            rows = related[row[0]].rows if row[0] in related else []
            found[row[1]] = rows[0][1] if rows else ""
        if page.next is None:
            return found
        query = msgspec.structs.replace(query, after=page.next)


def gather(source: str, contract: Contract, state: SourceState, now: int) -> Seen:
    """What is known of a source; notes how its counts stand."""
    read = state.accepted + state.repeated + state.corrected + state.rejected
    watched, _ = Watched.objects.get_or_create(source=source, defaults={"since": now})
    window = max(WINDOW, 4 * (contract.micros("interval") or 0))
    counts = [entry for entry in watched.counts if entry[0] <= now]
    # one before the window is kept, so that the difference is of all of it
    while len(counts) > 1 and counts[1][0] <= now - window:
        counts.pop(0)
    first = counts[0] if counts else [now, read, state.repeated, state.rejected]
    if not counts or now - counts[-1][0] >= window // 8:
        counts.append([now, read, state.repeated, state.rejected])
        Watched.objects.filter(source=source).update(counts=counts)
    look = Look.objects.filter(source=source).first()
    failed = (state.last_error_at or 0) > (state.last_success or 0)
    return Seen(
        watched_since=watched.since,
        received=state.last_received,
        newest=state.newest,
        error=state.last_error if failed else "",
        counted=Counted(read=read - first[1], repeated=state.repeated - first[2], rejected=state.rejected - first[3]),
        columns=look.names if look else {},
        looked_first=look.first if look else None,
        looked_last=look.last if look else None,
    )


def keep(source: str, findings: list[watch.Finding], now: int) -> None:
    """Troubles as the findings leave them."""
    with transaction.atomic():
        open_ = {trouble.kind: trouble for trouble in Trouble.objects.filter(source=source, over__isnull=True)}
        known = [watch.Trouble(kind=t.kind, since=t.since, found=t.found) for t in open_.values()]
        turn = watch.settle(known, findings, now)
        for finding in turn.begin:
            body = msgspec.to_builtins(finding)
            Trouble.objects.create(source=source, kind=finding.kind, since=now, found=now, finding=body)
            log.warning("a source is in trouble", source=source, kind=finding.kind, **finding.facts)
        for finding in turn.go_on:
            trouble = open_[finding.kind]
            trouble.found, trouble.finding = now, msgspec.to_builtins(finding)
            trouble.save(update_fields=["found", "finding"])
        for kind in turn.over:
            trouble = open_[kind]
            trouble.over = now
            if kind == "late" and any(finding.kind == "missing" for finding in findings):
                trouble.told_over = now  # it did not end well: that it is missing is told instead
            trouble.save(update_fields=["over", "told_over"])
            log.info("a source's trouble is over", source=source, kind=kind)

"""Holds what came of a source to its contract. Pure: states, facts and the time are given.

What is found is a Finding; :func:`settle` makes troubles of findings, which begin once, go on and are over once, so
that whoever is responsible is told twice and not each minute.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

import msgspec

from allmende.domain.contract import Contract
from allmende.domain.times import DAY, HOUR, MINUTE

Kind = Literal["missing", "late", "frozen", "range", "columns", "clock", "duplicated", "rejected"]
KINDS: tuple[Kind, ...] = ("missing", "late", "frozen", "range", "columns", "clock", "duplicated", "rejected")
GONE = 30 * DAY
"""A stream that was silent for so long was taken down; it is missed no more."""
LEAST_READINGS = 10
"""Below it a share says nothing."""
REJECTED = 0.1
"""The share of what cannot be read that is no trouble yet."""
NEW_FOR = 7 * DAY
"""How long a name counts as new."""
LEARNED = DAY
"""Names that come within the first day are those that the source has."""
CALM = 15 * MINUTE
"""A trouble is over when it was not found for so long: what comes and goes is one trouble."""
MOST_NAMED = 10


class StreamFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of one stream. Times in microseconds."""

    id: str
    newest: int
    """Phenomenon time of its newest reading."""
    same_since: int | None = None
    """Since when every reading had the value of the newest; None where nobody looked."""
    implausible: float = 0.0
    """The share of its recent readings that are flagged."""
    may_rest: bool = False


class Counted(msgspec.Struct, frozen=True, kw_only=True):
    """How many readings came in a time, and what became of them."""

    read: int = 0
    repeated: int = 0
    rejected: int = 0


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of one source."""

    watched_since: int
    received: int | None = None
    """When something came of it last."""
    newest: int | None = None
    error: str = ""
    """Why it could not be asked, where the last attempt failed."""
    counted: Counted = Counted()
    columns: Mapping[str, Sequence[int]] = {}
    """Names -> when each was seen first and last in what was looked at."""
    looked_first: int | None = None
    looked_last: int | None = None


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """Something that the contract does not allow."""

    kind: Kind
    count: int = 0
    """How many streams; 0 where it is the source as a whole."""
    of: int = 0
    streams: tuple[str, ...] = ()
    """Some of them."""
    facts: dict[str, Any] = {}
    """Plain JSON: what the words are made of."""


class Trouble(msgspec.Struct, frozen=True, kw_only=True):
    """A finding that lasts."""

    kind: str
    since: int
    found: int
    """When it was found last."""


class Turn(msgspec.Struct, frozen=True, kw_only=True):
    """What a round changes: findings that begin, those that go on, kinds that are over."""

    begin: tuple[Finding, ...] = ()
    go_on: tuple[Finding, ...] = ()
    over: tuple[str, ...] = ()


def judge(contract: Contract, seen: Seen, streams: Sequence[StreamFacts], now: int) -> list[Finding]:
    """What of the contract does not hold at ``now``, at most one finding of a kind."""
    missing = contract.micros("missing_after")
    # what is silent, or was taken down, cannot be frozen or implausible now
    speaking = [stream for stream in streams if now - stream.newest <= (GONE if missing is None else missing)]
    found: list[Finding | None] = [
        _silence(contract, seen, streams, now),
        _frozen(contract, speaking),
        _range(contract, speaking),
        _columns(contract, seen),
        _clock(contract, seen, streams, now),
        _duplicated(contract, seen.counted),
        _rejected(seen.counted),
    ]
    return [finding for finding in found if finding is not None]


def settle(known: Iterable[Trouble], findings: Iterable[Finding], now: int) -> Turn:
    """What becomes of the troubles that there are. A source that is missing is no longer late."""
    by_kind = {finding.kind: finding for finding in findings}
    open_ = {trouble.kind: trouble for trouble in known}
    over = [
        kind
        for kind, trouble in open_.items()
        if kind not in by_kind and (now - trouble.found >= CALM or (kind == "late" and "missing" in by_kind))
    ]
    return Turn(
        begin=tuple(finding for kind, finding in by_kind.items() if kind not in open_),
        go_on=tuple(finding for kind, finding in by_kind.items() if kind in open_),
        over=tuple(over),
    )


def _silence(contract: Contract, seen: Seen, streams: Sequence[StreamFacts], now: int) -> Finding | None:
    """Late or missing, as a whole; or streams that are missing while others speak.

    What waits to be sent something and never was is neither: its devices are not connected yet, and its page says that
    there are no data.
    """
    if seen.received is None and not seen.error:
        return None
    silent = now - max(seen.watched_since, seen.received or 0)
    facts: dict[str, Any] = {"last": seen.received, "error": seen.error}
    late, missing = contract.micros("late_after"), contract.micros("missing_after")
    if missing is not None and silent > missing:
        return Finding(kind="missing", facts=facts)
    if late is not None and silent > late:
        return Finding(kind="late", facts=facts)
    if missing is None:
        return None
    counted = [stream for stream in streams if now - stream.newest <= max(GONE, missing)]
    lost = [stream for stream in counted if now - stream.newest > missing and seen.watched_since < now - missing]
    return _of("missing", lost, len(counted), oldest=min((stream.newest for stream in lost), default=None))


def _frozen(contract: Contract, streams: Sequence[StreamFacts]) -> Finding | None:
    after = contract.micros("frozen_after")
    if after is None:
        return None
    able = [stream for stream in streams if not stream.may_rest]
    stuck = [s for s in able if s.same_since is not None and s.newest - s.same_since >= after]
    return _of("frozen", stuck, len(able), since=min((s.same_since or 0 for s in stuck), default=None))


def _range(contract: Contract, streams: Sequence[StreamFacts]) -> Finding | None:
    if not streams:
        return None
    share = sum(stream.implausible for stream in streams) / len(streams)
    if share <= contract.implausible:
        return None
    worst = sorted((s for s in streams if s.implausible), key=lambda s: (-s.implausible, s.id))
    return _of("range", worst, len(streams), share=round(share, 3))


def _columns(contract: Contract, seen: Seen) -> Finding | None:
    """Names that ``parse`` relies on and that what came lately does not hold; with them, what is new since."""
    if seen.looked_first is None or seen.looked_last is None:
        return None
    # one source may send documents of several kinds, some of them rarely
    window = contract.micros("late_after") or HOUR
    lost = [
        name
        for name in contract.columns or ()
        if seen.looked_last - (seen.columns.get(name) or (0, seen.looked_first))[1] > window
    ]
    new = [
        name
        for name, (first, _) in seen.columns.items()
        if first - seen.looked_first > LEARNED and seen.looked_last - first < NEW_FOR
    ]
    if not lost and not (contract.new_columns and new):
        return None
    return Finding(kind="columns", facts={"lost": sorted(lost)[:MOST_NAMED], "new": sorted(new)[:MOST_NAMED]})


def _clock(contract: Contract, seen: Seen, streams: Sequence[StreamFacts], now: int) -> Finding | None:
    ahead, behind = contract.micros("ahead"), contract.micros("behind")
    if ahead is not None:
        early = [stream for stream in streams if stream.newest - now > ahead]
        if early:
            return _of("clock", early, len(streams), ahead=max(stream.newest for stream in early) - now)
    if behind is None or seen.newest is None or seen.received is None:
        return None
    lag = seen.received - seen.newest
    return Finding(kind="clock", facts={"behind": lag}) if lag > behind else None


def _duplicated(contract: Contract, counted: Counted) -> Finding | None:
    if counted.read < LEAST_READINGS or counted.repeated / counted.read <= contract.repeats:
        return None
    return Finding(kind="duplicated", facts={"share": round(counted.repeated / counted.read, 3)})


def _rejected(counted: Counted) -> Finding | None:
    if counted.read < LEAST_READINGS or counted.rejected / counted.read <= REJECTED:
        return None
    return Finding(kind="rejected", facts={"share": round(counted.rejected / counted.read, 3)})


def _of(kind: Kind, streams: Sequence[StreamFacts], of: int, **facts: Any) -> Finding | None:
    if not streams:
        return None
    named = tuple(stream.id for stream in streams[:MOST_NAMED])
    return Finding(kind=kind, count=len(streams), of=of, streams=named, facts=facts)

"""What a site's own streams say of it at a moment, and the statements that read them for all sites at once."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import msgspec

from allmende.city.parking.sites import OBSERVED, Quantity, Site, SiteStream, forget
from allmende.city.parking.standing import Reason, SiteState, Spaces, Trend
from allmende.city.parking.standing import closed as standing_closed
from allmende.city.parking.statements import SPACES_FOR
from allmende.domain import times
from allmende.domain.logs import Stamp
from allmende.domain.policy import Reader
from allmende.domain.query import In, Path, Query, ResultKind, Value
from allmende.domain.steps import Silence
from allmende.domain.store import Store

AHEAD = 2 * times.MINUTE
"""How far a source's clock may be ahead of ours."""
MOST = 1_000_000
"""Spaces: what is beyond counts nothing that there is."""
TREND = 30 * times.MINUTE
_PAGE = 10_000
_TAKEN = {"true": True, "occupied": True, "taken": True, "false": False, "free": False, "available": False}


class Reading(msgspec.Struct, frozen=True):
    """The newest reading of a stream."""

    start: int
    value: int | None
    flags: tuple[str, ...]
    remarks: tuple[str, ...] = ()
    """What its source says of its quality without doubting it."""


def read_newest(store: Store, reader: Reader) -> dict[str, Reading]:
    """The newest reading of every stream of parking, in one statement for each 10,000 streams."""
    after: tuple[Any, ...] | None = None
    found: dict[str, Reading] = {}
    while True:
        query = Query(
            entity="Datastream",
            reader=reader,
            filter=In(Path(("ObservedProperty", "id")), tuple(Value(name, "string") for name in OBSERVED)),
            top=_PAGE,
            after=after,
        )
        table = store.newest(query)
        for stream, _thing, start, (kind, value), quality in table.rows:
            found[str(stream)] = Reading(int(start), _number(kind, value), *_flags(quality))
        if table.next is None:
            return found
        after = table.next


def read_earlier(store: Store, reader: Reader, sites: Iterable[Site], moment: int) -> dict[str, Reading]:
    """What each stream of free spaces said at a moment."""
    streams = [stream.id for site in sites for stream in site.streams if _tells_trend(stream)]
    return {
        held.stream: Reading(held.start, _plain(held.result), (held.flag,) if held.flag else ())
        for held in store.held(reader, streams, moment)
    }


class _Kept(NamedTuple):
    stamp: Stamp
    newest: dict[str, Reading]
    minute: int
    earlier: dict[str, Reading]


_kept: WeakKeyDictionary[Store, _Kept] = WeakKeyDictionary()


def read_count(store: Store, reader: Reader, stamp: Stamp | None) -> dict[str, Reading]:
    """The newest readings; with a ``stamp``, for somebody who sees what everybody sees, read once for each."""
    if stamp is None:
        return read_newest(store, reader)
    known = _kept.get(store)
    if known is None or known.stamp != stamp:
        newest = read_newest(store, reader)
        if known is not None and known.newest.keys() - newest.keys():
            forget(store)
        known = _kept[store] = _Kept(stamp, newest, -1, {})
    return known.newest


def read_trend(
    store: Store, reader: Reader, sites: Iterable[Site], moment: int, stamp: Stamp | None, *, some: bool = False
) -> dict[str, Reading]:
    """What each stream of free spaces said half an hour before ``moment``, to the minute. ``some``: these are not all
    sites."""
    minute = (moment - TREND) // times.MINUTE
    known = _kept.get(store)
    is_kept = stamp is not None and known is not None and known.stamp == stamp
    if known is None or not is_kept or (some and known.minute != minute):
        return read_earlier(store, reader, sites, minute * times.MINUTE)
    if known.minute != minute:
        earlier = read_earlier(store, reader, sites, minute * times.MINUTE)
        known = _kept[store] = known._replace(minute=minute, earlier=earlier)
    return known.earlier


def _tells_trend(stream: SiteStream) -> bool:
    return stream.quantity in ("free", "occupied") and not stream.spaces_for


def _number(kind: int, value: Any) -> int | None:
    """A whole number; of a bay 1 for taken and 0 for free, however its sensor writes that."""
    if kind in (ResultKind.INTEGER, ResultKind.DECIMAL, ResultKind.BOOLEAN) and value is not None:
        found = int(float(value))
        return found if abs(found) <= MOST else None
    return _plain(value) if kind == ResultKind.STRING else None


def _plain(value: Any) -> int | None:
    if isinstance(value, str):
        taken = _TAKEN.get(value.strip().lower())
        return None if taken is None else int(taken)
    return int(value) if isinstance(value, int | float) else None


def _flags(quality: str | None) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What makes it implausible, and what is a remark alone."""
    said = msgspec.json.decode(quality) if quality else None
    if not isinstance(said, dict):
        return (), ()
    flags = said.get("flags")
    named = tuple(str(flag) for flag in flags) if isinstance(flags, list) else ()
    # a client may say that it is implausible without saying why
    return (named or ("implausible",), ()) if said.get("plausible") is False else ((), named)


@lru_cache(maxsize=64)
def _silent(silence: Silence, last: int, moment: int) -> bool:
    """All sites of a feed ask the same."""
    return silence.silent_from(last, moment) is not None


class Counting:
    """One site's own streams, at a moment."""

    def __init__(
        self,
        site: Site,
        newest: Mapping[str, Reading],
        last: Mapping[str, int],
        moment: int,
        earlier: Mapping[str, Reading],
    ) -> None:
        self._site = site
        self._newest = newest
        self._last = last
        self._moment = moment
        self._earlier = earlier
        self._streams = {(stream.quantity, stream.spaces_for): stream for stream in site.streams}
        told = {stream.spaces_for for stream in site.streams}
        self._kinds = [kind for kind in SPACES_FOR if kind in told or f"capacity_{kind}" in site.statements]

    def state(self, now: datetime) -> SiteState:
        """What they say."""
        main = next((s for q in ("free", "occupied", "bay") if (s := self._streams.get((q, "")))), None)
        reading = self._newest.get(main.id) if main else None
        reason = self._reason(main, reading)
        flags = reading.flags if reading else ()
        spaces = {kind: self._spaces(kind, known=not reason) for kind in ("", *self._kinds)}
        whole = spaces[""]
        state = SiteState(
            site=self._site,
            simulated=self._site.simulated,
            now=now,
            status="no-data" if reason or whole.free is None else "live",
            reason=reason if reason or whole.free is not None else "says-nothing",
            free=whole.free,
            occupied=whole.occupied,
            capacity=whole.capacity,
            spaces={kind: each for kind, each in spaces.items() if not kind or each != Spaces()},
            flags=flags if not reason else (),
            remarks=reading.remarks if reading and not reason else (),
            observed_at=times.to_datetime(reading.start) if reading else None,
            confirmed_at=times.to_datetime(self._confirmed(main, reading)) if main and reading else None,
            trend=self._trend(main, whole) if main and not reason else "unknown",
            estimated=bool(main and main.estimated),
            error=main.error if main else None,
        )
        if not reason and "closed" in flags:
            closed = standing_closed(state, "says-closed")
            return msgspec.structs.replace(closed, flags=tuple(flag for flag in flags if flag != "closed"))
        return state

    def _confirmed(self, stream: SiteStream, reading: Reading) -> int:
        return max(self._last.get(stream.source, reading.start), reading.start)

    def _reason(self, stream: SiteStream | None, reading: Reading | None) -> Reason:
        if stream is None or reading is None:
            return "never"
        if reading.start > self._moment + AHEAD:
            return "ahead"
        last = self._confirmed(stream, reading)
        if last < self._moment and _silent(stream.silence, last, self._moment):
            return "feed-silent"
        if reading.start + stream.silence.rewrite + stream.silence.slack < self._moment:
            return "silent"
        return ""

    def _value(self, quantity: Quantity, kind: str) -> int | None:
        """The newest value of a stream that is not silent itself."""
        stream = self._streams.get((quantity, kind))
        reading = self._newest.get(stream.id) if stream else None
        return reading.value if reading and not self._reason(stream, reading) else None

    def _spaces(self, kind: str, *, known: bool) -> Spaces:
        """Free and occupied spaces complete each other where the capacity is known and neither denies it."""
        capacity = self._capacity(kind)
        free = self._value("free", kind) if known else None
        occupied = self._value("occupied", kind) if known else None
        if not kind and known and (bay := self._value("bay", "")) is not None:
            capacity = capacity or 1
            free, occupied = capacity * (1 - min(bay, 1)), capacity * min(bay, 1)
        elif kind and ("bay", "") in self._streams and capacity and known:
            # a bay for disabled people is free where the bay is
            free, occupied = (None, None) if (taken := self._value("bay", "")) is None else (1 - taken, taken)
        if capacity is not None and free is None and occupied is not None:
            free = max(capacity - occupied, 0)
        elif capacity is not None and occupied is None and free is not None and free <= capacity:
            occupied = capacity - free
        stream = self._streams.get(("free", kind)) or (self._streams.get(("bay", "")) if not kind else None)
        return Spaces(free=free, occupied=occupied, capacity=capacity, stream=stream.id if stream else "")

    def _capacity(self, kind: str) -> int | None:
        """A feed that tells the capacity of the moment tells the one that belongs to its own count; what the operator
        has decided counts more than that."""
        name = f"capacity_{kind}" if kind else "capacity"
        said = self._site.said(name)
        if said and said[0].by == "operator" and said[0].value is not None:
            return int(said[0].value)
        stream = self._streams.get(("capacity", kind))
        reading = self._newest.get(stream.id) if stream else None
        count = self._streams.get(("free", kind)) or self._streams.get(("occupied", kind))
        stated: int | None = self._site.fact(name)
        return (reading.value if reading else None) or (count.capacity if count else None) or stated

    def _trend(self, main: SiteStream, spaces: Spaces) -> Trend:
        """Against the value of half an hour ago; a change of less than 2 % of the capacity (at least 2) is none."""
        then = self._earlier.get(main.id)
        now = spaces.free if main.quantity == "free" else spaces.occupied
        stale = main.silence.rewrite + main.silence.slack
        if then is None or then.value is None or now is None or self._moment - TREND - then.start > stale:
            return "unknown"
        change = now - then.value if main.quantity == "free" else then.value - now
        if abs(change) < max(2, (spaces.capacity or 0) // 50):
            return "steady"
        return "rising" if change > 0 else "falling"

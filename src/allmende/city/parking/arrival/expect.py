"""What is expected at the time of arrival: of one car park, from the newest forecast of its free spaces."""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from weakref import WeakKeyDictionary

import msgspec

from allmende.city.keeping import is_anybody
from allmende.city.parking.sites import Site
from allmende.domain.forecasts import SUFFIX
from allmende.domain.policy import Reader
from allmende.domain.store import Store
from allmende.domain.times import HOUR, from_datetime, to_datetime
from allmende.knowledge.forecasts import Shown, latest

LEAST = (1, 5)
OLDEST = HOUR
"""A forecast that was issued longer ago is no longer told: newer values would have changed it."""


class Expectation(msgspec.Struct, frozen=True, kw_only=True):
    """Of one car park at one moment. Times are aware, in UTC."""

    site: str
    at: datetime
    free: int
    low: int | None
    high: int | None
    """Between them the free spaces lie in eight of ten cases."""
    chance_of_one: float | None
    """Probability of at least one free space; None where the method tells none."""
    chance_of_five: float | None
    issued: datetime
    model: str
    """By which method: ``boosted`` is the learned one."""
    learned: str
    """When it was learned, ISO 8601."""
    error: float | None
    """By how many spaces it was off on average lately; of the back-test where too few were judged."""
    skill: float | None
    """By which share that is less than a simple guess."""
    held: float | None
    """Share of what came that lay between ``low`` and ``high``."""
    judged: int
    """How many values these are of; 0: the back-test's."""
    changed_since: str = ""
    """Since which day it errs more than it used to, because something has changed; "" as a rule."""
    fallback: str = ""
    """Why a simpler method speaks than as a rule; "" as a rule."""
    simulated: bool = False


def expect(store: Store, reader: Reader, site: Site, at: datetime, now: datetime) -> Expectation | None:
    """The newest forecast of the site at a moment, straight between two that it tells of. None where there is none that
    the reader may see, where it is older than an hour, or where it does not reach so far."""
    return next(iter(expect_all(store, reader, site, [at], now)), None)


def expect_all(
    store: Store, reader: Reader, site: Site, moments: Sequence[datetime], now: datetime
) -> list[Expectation]:
    """The same of several moments at once, of those that the forecast reaches."""
    return expect_many(store, reader, [site], moments, now).get(site.id, [])


def expect_many(
    store: Store, reader: Reader, sites: Iterable[Site], moments: Sequence[datetime], now: datetime
) -> dict[str, list[Expectation]]:
    """The same of several sites, by their ids, of those that have a forecast. One statement, and some for each forecast
    that has a new run."""
    streams = {
        site.id: each.id for site in sites for each in site.streams if each.quantity == "free" and not each.spaces_for
    }
    found: dict[str, list[Expectation]] = {}
    for site, shown in _shown(store, reader, streams).items():
        if shown.times and 0 <= from_datetime(now) - shown.issued <= OLDEST:
            told = [_at(site, shown, from_datetime(at)) for at in moments]
            found[site] = [one for one in told if one is not None]
    return found


def _shown(store: Store, reader: Reader, streams: Mapping[str, str]) -> dict[str, Shown]:
    """The newest runs, by whatever the streams are under. A run stays as it was issued: what everybody may see of it is
    read once."""
    if not streams:
        return {}
    heads = {head.id: head for head in store.heads(reader, [f"{stream}{SUFFIX}" for stream in streams.values()])}
    kept = _kept.setdefault(store, {}) if is_anybody(reader) else {}
    found: dict[str, Shown] = {}
    for key, stream in streams.items():
        head = heads.get(f"{stream}{SUFFIX}")
        if head is None:
            kept.pop(stream, None)
            continue
        version = (head.count, head.last, head.properties)
        if stream not in kept or kept[stream][0] != version:
            kept[stream] = version, latest(store, reader, stream, LEAST)
        if (shown := kept[stream][1]) is not None:
            found[key] = shown
    return found


_kept: WeakKeyDictionary[Store, dict[str, tuple[Any, Shown | None]]] = WeakKeyDictionary()
"""By store and stream: what a forecast was when it was read, and what it told."""


def _at(site: str, shown: Shown, moment: int) -> Expectation | None:
    if not min(shown.issued, shown.times[0]) <= moment <= shown.times[-1]:
        return None
    after = bisect_left(shown.times, moment)
    before = max(0, after - 1) if shown.times[after] != moment else after
    span = shown.times[after] - shown.times[before]
    share = (moment - shown.times[before]) / span if span and moment > shown.times[before] else 0.0

    def between(values: Sequence[float | None]) -> float | None:
        first, second = values[before], values[after]
        return None if first is None or second is None else first + (second - first) * share

    free = between(shown.middle)
    if free is None:
        return None
    said = shown.properties
    known = _known(said)
    change = said.get("changed")
    return Expectation(
        site=site,
        at=to_datetime(moment),
        free=round(free),
        low=_whole(between(shown.lower)),
        high=_whole(between(shown.upper)),
        chance_of_one=between(shown.chances.get(1, [None] * len(shown.times))),
        chance_of_five=between(shown.chances.get(5, [None] * len(shown.times))),
        issued=to_datetime(shown.issued),
        model=str(said.get("method", "")),
        learned=str(said.get("trained", "")),
        error=known.get("mean_absolute_error"),
        skill=known.get("skill"),
        held=known.get("interval_held"),
        judged=int(said["hit_rate"].get("values", 0)) if isinstance(said.get("hit_rate"), Mapping) else 0,
        changed_since=str(change.get("since", "")) if isinstance(change, Mapping) else "",
        fallback=str(said.get("fallback", "")),
        simulated=bool(said.get("simulated")),
    )


def _known(said: Mapping[str, Any]) -> Mapping[str, Any]:
    for name in ("hit_rate", "backtest"):
        found = said.get(name)
        if isinstance(found, Mapping):
            return found
    return {}


def _whole(value: float | None) -> int | None:
    return None if value is None else round(value)

"""What living feeds send: a reading or two behind all that is kept, of many streams at once. Each statement is made
once for all of them, and not once for each stream."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from allmende.domain.creation import keep_result
from allmende.domain.query import ResultKind
from allmende.domain.records import Series
from allmende.storage.connections import Connection
from allmende.storage.entities import ensure_feature
from allmende.storage.readings import DOCUMENT_FROM, log_appends, quality_of
from allmende.storage.state import Stream, grow_state


class _Fresh(NamedTuple):
    series: Series
    stream: Stream
    kept: list[tuple[int, Any]]
    """Results in kept form."""


def append_fresh(
    connection: Connection, pairs: Sequence[tuple[Series, Stream]], *, origin: int, received_at: int
) -> tuple[int, list[tuple[Series, Stream]]]:
    """Append those series whose readings are all new, in order and behind what is kept; how many readings these were,
    and the other series, which may hold repetitions or corrections. Every stream's feature is known."""
    fresh, left, seen = [], [], set()
    for series, stream in pairs:
        found = _fresh(series, stream) if stream.pk not in seen else None
        seen.add(stream.pk)
        if found is None:
            left.append((series, stream))
        else:
            fresh.append(found)
    if len(fresh) < 2:
        return 0, list(pairs)
    count = sum(len(one.kept) for one in fresh)
    given = connection.dialect.ask_numbers(connection, count)()
    numbers, changes = iter(given.observations), iter(given.changes)
    lines, rows = [], []
    for (series, stream, kept), change in zip(fresh, changes, strict=False):
        moments, flags = series.times, series.flags or [""] * len(kept)
        lines.append((change, stream.pk, moments[0], moments[-1], len(kept), origin, received_at))
        for time, (kind, value), flag in zip(moments, kept, flags, strict=True):
            rows.append((
                stream.pk, time, 0, next(numbers), None, None, received_at, kind, value, quality_of(flag),
                None, None, None, stream.feature, origin, change,
            ))  # fmt: skip
        newest = (moments[-1], 0, *kept[-1], quality_of(flags[-1]))
        grow_state(stream, moments[0], moments[-1], len(kept), latest=newest)
    log_appends(connection, lines)
    connection.dialect.insert_observations(connection, rows)
    return count, left


def _fresh(series: Series, stream: Stream) -> _Fresh | None:
    moments = series.times
    if series.run is not None or (stream.count and moments[0] <= stream.latest_start):
        return None
    if not all(a < b for a, b in pairwise(moments)):
        return None
    kept = [keep_result(result) for result in series.results]
    if any(kind == ResultKind.JSON and len(value) >= DOCUMENT_FROM for kind, value in kept):
        return None
    return _Fresh(series, stream, kept)


def ensure_features(connection: Connection, streams: Sequence[Stream]) -> None:
    """The features of streams that are about to be observed: made from their things' locations, where these have one
    (18-088, 10.3.3). Things without a place are told by one question for all of them."""
    lacking = [stream for stream in streams if stream.feature is None]
    if not lacking:
        return
    if len(lacking) > 1:
        rule, values = connection.dialect.one_of("l.thing", sorted({stream.thing for stream in lacking}))
        rows = connection.execute(f"SELECT DISTINCT l.thing FROM thing_location l WHERE {rule}", values)
        placed = {thing for (thing,) in rows}
        lacking = [stream for stream in lacking if stream.thing in placed]
    for stream in lacking:
        ensure_feature(connection, stream)

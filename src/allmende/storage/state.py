"""What is known of each stream at a glance: latest value, count, extents. Written once per stream and commit."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import msgspec
from shapely import from_geojson
from shapely.errors import ShapelyError

from allmende.domain.creation import encode
from allmende.storage.connections import ColumnType, Connection

_COLUMNS = (
    "count, first_start, last_end, result_time_first, result_time_last, latest_start, latest_disc, latest_kind,"
    " latest_result, latest_quality, west, south, east, north"
)

_OTHER: Mapping[str, ColumnType] = {
    "latest_result": "text",
    "latest_quality": "text",
    "observed_area": "text",
    **dict.fromkeys(("west", "south", "east", "north"), "double precision"),
}
_NAMES = [name.strip() for name in f"{_COLUMNS}, observed_area".split(",")]
_STATE: Mapping[str, ColumnType] = {name: _OTHER.get(name, "bigint") for name in ("datastream", *_NAMES)}
_PUT = f"ON CONFLICT (datastream) DO UPDATE SET {', '.join(f'{n} = excluded.{n}' for n in _NAMES)}"
_OBSERVED: Mapping[str, ColumnType] = {"feature": "bigint", "datastream": "bigint"}


class Stream(msgspec.Struct, kw_only=True):
    """A stream while a batch is written: its keys and its state, which :func:`write_states` puts back."""

    pk: int
    id: str
    feature: int | None
    dataset: int = 0
    thing: int = 0
    observation_type: str = ""
    low: float | None = None
    high: float | None = None
    """The range in which its results are plausible, where a source declared one."""
    width: int = 0
    """How many properties a MultiDatastream observes; 0 for a Datastream."""
    owner: str = ""
    """The id of its dataset."""
    access: str = ""
    """Who may see its dataset."""
    seen: int | None = None
    """A feature that it is known to have observed before this batch."""
    placed: bool = False
    """Whether its thing has a location."""
    count: int = 0
    first_start: int = 0
    last_end: int = 0
    result_time_first: int | None = None
    result_time_last: int | None = None
    latest_start: int = 0
    latest_disc: int = 0
    latest_kind: int = 0
    latest_result: Any = None
    latest_quality: str | None = None
    box: tuple[float, float, float, float] | None = None
    """West, south, east, north of all observed features."""
    features: set[int] = msgspec.field(default_factory=set)
    """Features that this batch observed."""
    dirty: bool = False


def read_streams(connection: Connection, names: Iterable[str]) -> dict[str, Stream]:
    """The streams of these ids with their states, kept from other writers to the end of the transaction."""
    return ask_streams(connection, names)()


def ask_streams(connection: Connection, names: Iterable[str]) -> Callable[[], dict[str, Stream]]:
    """The same in two steps: the question is sent, and what is given reads the answer."""
    read = _lock(connection, "id", sorted(set(names)))
    return lambda: {stream.id: stream for stream in read()}


def lock_streams(connection: Connection, keys: Iterable[int]) -> dict[int, Stream]:
    """The same by the engine's keys; what is gone by now is missing."""
    return {stream.pk: stream for stream in _lock(connection, "pk", sorted(set(keys)))()}


def _lock(connection: Connection, column: str, listed: Sequence[str] | Sequence[int]) -> Callable[[], list[Stream]]:
    dialect = connection.dialect
    asked = []
    for place in range(0, len(listed), 500):
        rule, values = dialect.one_of(f"d.{column}", listed[place : place + 500])
        # A statement of its own: one that waits for another writer reads the states as they were before it waited.
        locked = dialect.locking and connection.execute(
            f"SELECT d.pk FROM datastream d WHERE {rule} ORDER BY d.pk {dialect.locking}", values
        )
        rows = connection.execute(
            "SELECT d.pk, d.id, d.feature, d.dataset, d.thing, d.observation_type, d.low, d.high, d.width, x.id,"
            " x.access,"
            " EXISTS (SELECT 1 FROM feature_datastream f WHERE f.feature = d.feature AND f.datastream = d.pk),"
            " EXISTS (SELECT 1 FROM thing_location l WHERE l.thing = d.thing),"
            f" {_COLUMNS} FROM datastream d JOIN dataset x ON x.pk = d.dataset"
            f" LEFT JOIN stream_state s ON s.datastream = d.pk WHERE {rule} ORDER BY d.pk",
            values,
        )
        asked.append((locked, rows))
    return lambda: [stream for locked, rows in asked for stream in _locked(locked, rows)]


def _locked(locked: Any, rows: Any) -> list[Stream]:
    """The streams of rows, without one that was made between the locking and the reading."""
    keys = {key for (key,) in locked} if locked else None
    return [_stream(row) for row in rows if keys is None or row[0] in keys]


def _stream(row: tuple[Any, ...]) -> Stream:
    pk, name, feature, dataset, thing, kind, low, high, width, owner, access, seen, placed, *state = row
    stream = Stream(
        pk=pk,
        id=name,
        feature=feature,
        dataset=dataset,
        thing=thing,
        observation_type=kind,
        low=low,
        high=high,
        width=width,
        owner=owner,
        access=access,
        seen=feature if seen else None,
        placed=bool(placed),
    )
    if state[0] is not None:
        (
            stream.count, stream.first_start, stream.last_end, stream.result_time_first, stream.result_time_last,
            stream.latest_start, stream.latest_disc, stream.latest_kind, stream.latest_result, stream.latest_quality,
        ) = state[:10]  # fmt: skip
        if state[10] is not None:
            stream.box = (state[10], state[11], state[12], state[13])
    return stream


def grow_state(
    stream: Stream,
    start: int,
    end: int,
    count: int,
    *,
    latest: tuple[int, int, int, Any, str | None],
    result_times: Iterable[int] = (),
    feature: int | None = None,
) -> None:
    """Take readings between ``start`` and ``end`` into the state; ``latest`` is the newest of them:
    (start, disc, kind, value, quality)."""
    if stream.count == 0 and count:
        stream.first_start, stream.last_end = start, end
    else:
        stream.first_start, stream.last_end = min(stream.first_start, start), max(stream.last_end, end)
    if stream.count == 0 or latest[:2] >= (stream.latest_start, stream.latest_disc):
        stream.latest_start, stream.latest_disc, stream.latest_kind, stream.latest_result, stream.latest_quality = (
            latest
        )
    stream.count += count
    for moment in result_times:
        first, last = stream.result_time_first, stream.result_time_last
        stream.result_time_first = moment if first is None else min(moment, first)
        stream.result_time_last = moment if last is None else max(moment, last)
    observed = feature if feature is not None else stream.feature
    if observed is not None:
        stream.features.add(observed)
    stream.dirty = True


def write_states(connection: Connection, streams: Iterable[Stream]) -> None:
    """Put the changed states back, in the order of their keys (so that two writers never wait for each other)."""
    dirty = sorted((s for s in streams if s.dirty), key=lambda s: s.pk)
    kept = [stream for stream in dirty if stream.count]
    for stream in dirty:
        if not stream.count:
            # Nothing is known of a stream without observations.
            connection.execute("DELETE FROM stream_state WHERE datastream = ?", (stream.pk,))
    if not kept:
        return
    _observe_features(connection, kept)
    rows = [
        (
            stream.pk, stream.count, stream.first_start, stream.last_end, stream.result_time_first,
            stream.result_time_last, stream.latest_start, stream.latest_disc, stream.latest_kind,
            connection.dialect.keep_text(stream.latest_result), stream.latest_quality,
            *(stream.box or (None, None, None, None)), area_of(stream.box),
        )
        for stream in kept
    ]  # fmt: skip
    connection.dialect.insert_many(connection, "stream_state", _STATE, rows, _PUT)


def _observe_features(connection: Connection, streams: Sequence[Stream]) -> None:
    """Note which features the streams observed, and widen their areas by those that they had not seen before."""
    by_key = {stream.pk: stream for stream in streams}
    pairs = sorted((feature, stream.pk) for stream in streams for feature in stream.features if feature != stream.seen)
    if not pairs:
        return
    then = "ON CONFLICT DO NOTHING RETURNING feature, datastream"
    fresh = connection.dialect.insert_many(connection, "feature_datastream", _OBSERVED, pairs, then)
    boxes: dict[int, tuple[float, float, float, float] | None] = {}
    wanted = sorted({feature for feature, _ in fresh})
    for place in range(0, len(wanted), 500):
        rule, values = connection.dialect.one_of("pk", wanted[place : place + 500])
        found = connection.execute(f"SELECT pk, feature FROM feature WHERE {rule}", values)
        boxes.update((feature, bounds_of(geojson)) for feature, geojson in found)
    for feature, key in fresh:
        _widen(by_key[key], boxes.get(feature))


def recount_state(connection: Connection, stream: Stream, count: int, features: Iterable[int], *, walk: bool) -> None:
    """Work out the state anew from what is kept: ``count`` observations came (or, below zero, went) or were changed.

    Times and the latest value are read at the ends of the stream's index. What no index orders, the ends of spans and
    the result times, is walked for, where ``walk`` says so (see :func:`at_the_end`). ``features`` were observed by what
    went or changed, and may be observed by nothing else now.
    """
    stream.count += count
    stream.dirty = True
    key = (stream.pk,)
    for feature in features:
        connection.execute(
            "DELETE FROM feature_datastream WHERE feature = ? AND datastream = ? AND NOT EXISTS"
            " (SELECT 1 FROM observation o WHERE o.datastream = ? AND o.feature = ?)",
            (feature, stream.pk, stream.pk, feature),
        )
    recount_area(connection, stream)
    columns = f"o.phenomenon_start, o.disc, o.result_kind, {connection.dialect.result('o')}, o.quality"
    newest = connection.execute(
        f"SELECT {columns} FROM observation o WHERE o.datastream = ? ORDER BY o.phenomenon_start DESC, o.disc DESC"
        " LIMIT 1",
        key,
    ).fetchone()
    if newest is None:
        stream.count = 0
        return
    (
        stream.latest_start, stream.latest_disc, stream.latest_kind, stream.latest_result, stream.latest_quality,
    ) = newest  # fmt: skip
    stream.first_start = connection.execute(
        "SELECT min(phenomenon_start) FROM observation WHERE datastream = ?", key
    ).fetchone()[0]
    if not walk:
        return
    last_end, first, last = connection.execute(
        "SELECT max(phenomenon_end), min(result_time), max(result_time) FROM observation WHERE datastream = ?", key
    ).fetchone()
    stream.last_end = max(stream.latest_start, last_end if last_end is not None else stream.latest_start)
    stream.result_time_first, stream.result_time_last = first, last


def at_the_end(stream: Stream, end: int, result_time: int | None) -> bool:
    """Whether an observation, as it was or is now, may be the one that holds an extent of its stream."""
    if end >= stream.last_end:
        return True
    first, last = stream.result_time_first, stream.result_time_last
    return result_time is not None and (first is None or last is None or not first < result_time < last)


def recount_area(connection: Connection, stream: Stream) -> None:
    """The box around all features that the stream still observes."""
    stream.box = None
    stream.dirty = True
    for (geojson,) in connection.execute(
        "SELECT f.feature FROM feature_datastream x JOIN feature f ON f.pk = x.feature WHERE x.datastream = ?",
        (stream.pk,),
    ).fetchall():
        _widen(stream, bounds_of(geojson))


def _widen(stream: Stream, box: tuple[float, float, float, float] | None) -> None:
    if box is not None:
        known = stream.box or box
        stream.box = min(known[0], box[0]), min(known[1], box[1]), max(known[2], box[2]), max(known[3], box[3])


def bounds_of(geojson: str) -> tuple[float, float, float, float] | None:
    """West, south, east, north; None for an empty geometry or another encoding."""
    try:
        bounds = from_geojson(geojson).bounds
    except ShapelyError:
        return None
    return None if bounds[0] != bounds[0] else bounds


def area_of(box: tuple[float, float, float, float] | None) -> str | None:
    """The observed area as GeoJSON: a Point where the box is one, else a Polygon."""
    if box is None:
        return None
    west, south, east, north = box
    if west == east and south == north:
        return encode({"type": "Point", "coordinates": [west, south]})
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return encode({"type": "Polygon", "coordinates": [ring]})

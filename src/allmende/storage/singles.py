"""Many clients' single observations in one go: what waits together needs each statement once, not once for each.

Only what is plain is done here; whatever is wrong or unusual about one of them is left to :mod:`creation`, which tells
its client. What is written is the same.
"""

from typing import NamedTuple

from allmende.domain.batch import Batch, NewEntity, Receipt
from allmende.domain.bounds import fits_all
from allmende.domain.policy import Reader
from allmende.domain.query import ResultKind
from allmende.storage.connections import Connection, Numbers
from allmende.storage.entities import ask_origins
from allmende.storage.fresh import ensure_features
from allmende.storage.readings import judged_quality, log_appends
from allmende.storage.state import Stream, ask_streams, grow_state, write_states

_PLAIN = "Datastream"
_ABOUT = ("origin", "dataset", "reader", "received_at", "version", "name", "whole")
_MORE = tuple(name for name in Batch.__struct_fields__ if name not in ("entities", *_ABOUT))
"""What a batch may bring beside entities."""


class _Single(NamedTuple):
    """One observation and where it goes."""

    place: int
    """Of its batch."""
    new: NewEntity
    stream: Stream
    origin: int
    received_at: int
    quality: str | None


def is_single(batch: Batch) -> bool:
    """Whether a batch is one observation for a stream that exists, and nothing more."""
    if len(batch.entities) != 1 or any(getattr(batch, name) for name in _MORE):
        return False
    new = batch.entities[0]
    refs = new.links.get(_PLAIN, ())
    return (
        new.entity == "Observation" and new.id is None and len(refs) == len(new.links) == 1 and refs[0].id is not None
    )


def create_singles(connection: Connection, batches: list[Batch]) -> list[Receipt | None]:
    """Write the observations of batches that are single; None for each that is to be written alone."""
    receipts: list[Receipt | None] = [None] * len(batches)
    names = [batch.entities[0].links[_PLAIN][0].id or "" for batch in batches]
    with connection.at_once():
        streams = ask_streams(connection, names)
        origins = ask_origins(connection, dict.fromkeys((batch.origin, batch.version) for batch in batches))
        numbers = connection.dialect.ask_numbers(connection, len(batches))
    singles = _judge(batches, names, streams(), origins())
    if not singles:
        return receipts
    given = numbers()
    _write(connection, singles, given)
    for single, number in zip(singles, given.observations, strict=False):
        receipts[single.place] = Receipt(accepted=1, created=[("Observation", str(number))])
    return receipts


def _judge(
    batches: list[Batch], names: list[str], streams: dict[str, Stream], origins: dict[tuple[str, str], int]
) -> list[_Single]:
    """Those that may be written."""
    singles = []
    for place, (name, batch) in enumerate(zip(names, batches, strict=True)):
        stream, new = streams.get(name), batch.entities[0]
        if stream is None or stream.width or not _may_write(batch.reader, stream):
            continue
        result = new.values["result"]
        if result[0] >= ResultKind.JSON or not fits_all(stream.observation_type, {result[0]}):
            continue
        origin = origins[batch.origin, batch.version]
        quality = judged_quality(stream, result, new.values.get("resultQuality"))
        singles.append(_Single(place, new, stream, origin, batch.received_at, quality))
    return singles


def _may_write(reader: Reader, stream: Stream) -> bool:
    """Whether the reader may see and write, as :func:`allmende.storage.sql.visible` and ``check_writable`` say it."""
    may_see = reader.sees_all or stream.access == "open" or stream.owner in reader.datasets
    return may_see and (reader.sees_all or reader.may_write_to(stream.owner))


def _write(connection: Connection, singles: list[_Single], numbers: Numbers) -> None:
    """Insert them, log them, and grow their streams' states. There are numbers enough, some may be left over."""
    ensure_features(connection, {single.stream.pk: single.stream for single in singles}.values())
    placed = list(zip(singles, numbers.observations, strict=False))
    for single, number in placed:
        _grow(single, number)
    changes = dict(zip(dict.fromkeys((s.stream.pk, s.origin) for s in singles), numbers.changes, strict=False))
    rows = []
    for single, number in placed:
        stream, values = single.stream, single.new.values
        start, end = values["phenomenonTime"]
        kind, value = values["result"]
        result_time = values.get("resultTime")
        valid = values.get("validTime") or (None, None)
        rows.append((
            stream.pk, start, number, number, end, result_time, single.received_at, kind, value, single.quality,
            *valid, values.get("parameters"), stream.feature, single.origin, changes[stream.pk, single.origin],
        ))  # fmt: skip
    with connection.and_commit():
        write_states(connection, {single.stream.pk: single.stream for single in singles}.values())
        log_appends(connection, _logged(singles, changes))
        connection.dialect.insert_observations(connection, rows)


def _grow(single: _Single, number: int) -> None:
    values = single.new.values
    start, end = values["phenomenonTime"]
    result_time = values.get("resultTime")
    grow_state(
        single.stream,
        start,
        end if end is not None else start,
        1,
        latest=(start, number, *values["result"], single.quality),
        result_times=() if result_time is None else (result_time,),
        feature=single.stream.feature,
    )


def _logged(singles: list[_Single], changes: dict[tuple[int, int], int]) -> list[tuple[int, ...]]:
    """One line of the change log for each stream and origin, under these numbers."""
    spans: dict[tuple[int, int], tuple[int, int, int, int]] = {}
    for single in singles:
        start, key = single.new.values["phenomenonTime"][0], (single.stream.pk, single.origin)
        first, last, count, at = spans.get(key, (start, start, 0, single.received_at))
        spans[key] = min(first, start), max(last, start), count + 1, max(at, single.received_at)
    return [
        (changes[stream, origin], stream, first, last, count, origin, at)
        for (stream, origin), (first, last, count, at) in spans.items()
    ]

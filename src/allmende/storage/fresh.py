"""What living feeds send: a reading or two behind all that is kept, of many streams at once. Each statement is made
once for all of them, and not once for each stream."""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from allmende.domain.batch import Receipt
from allmende.domain.creation import keep_result
from allmende.domain.query import ResultKind
from allmende.domain.records import Series
from allmende.storage.connections import Connection
from allmende.storage.entities import feature_of_thing
from allmende.storage.readings import DOCUMENT_FROM, log_appends, quality_of
from allmende.storage.state import Stream, grow_state


class Piece(NamedTuple):
    """A series of a batch, and where it goes."""

    place: int
    """Of its batch."""
    series: Series
    stream: Stream
    origin: int
    received_at: int


def append_fresh(connection: Connection, pieces: Sequence[Piece], receipts: Sequence[Receipt]) -> list[Piece]:
    """Append those pieces whose readings are all new, in order and behind what is kept, and count them in the receipts
    of their batches; gives the others, which may hold repetitions or corrections. Every stream's feature is known."""
    fresh: list[tuple[Piece, list[tuple[int, Any]]]] = []
    left: list[Piece] = []
    seen: set[int] = set()
    for piece in pieces:
        kept = _kept_form(piece) if piece.stream.pk not in seen else None
        seen.add(piece.stream.pk)
        if kept is None:
            left.append(piece)
        else:
            fresh.append((piece, kept))
    if len(fresh) < 2:
        return list(pieces)
    given = connection.dialect.ask_numbers(connection, sum(len(kept) for _, kept in fresh))()
    numbers, changes = iter(given.observations), iter(given.changes)
    lines, rows = [], []
    for (piece, kept), change in zip(fresh, changes, strict=False):
        _, series, stream, origin, received_at = piece
        moments, flags = series.times, series.flags or [""] * len(kept)
        lines.append((change, stream.pk, moments[0], moments[-1], len(kept), origin, received_at))
        for time, (kind, value), flag in zip(moments, kept, flags, strict=True):
            rows.append((
                stream.pk, time, 0, next(numbers), None, None, received_at, kind, value, quality_of(flag),
                None, None, None, stream.feature, origin, change,
            ))  # fmt: skip
        newest = (moments[-1], 0, *kept[-1], quality_of(flags[-1]))
        grow_state(stream, moments[0], moments[-1], len(kept), latest=newest)
        receipts[piece.place].accepted += len(kept)
    log_appends(connection, lines)
    connection.dialect.insert_observations(connection, rows)
    return left


def _kept_form(piece: Piece) -> list[tuple[int, Any]] | None:
    """The results as they are kept; None where something of the piece may not be new."""
    series, stream = piece.series, piece.stream
    moments = series.times
    if series.run is not None or (stream.count and moments[0] <= stream.latest_start):
        return None
    if not all(a < b for a, b in pairwise(moments)):
        return None
    kept = [keep_result(result) for result in series.results]
    if any(kind == ResultKind.JSON and len(value) >= DOCUMENT_FROM for kind, value in kept):
        return None
    return kept


def ensure_features(connection: Connection, streams: Iterable[Stream]) -> None:
    """The features of streams that are about to be observed: made from their things' locations, where these have one
    (18-088, 10.3.3). What other streams of their things observe already is asked for all of them together."""
    lacking = [stream for stream in streams if stream.feature is None and stream.placed]
    if not lacking:
        return
    known = _features_beside(connection, sorted({stream.thing for stream in lacking}))
    made: dict[tuple[int, int], int | None] = {}
    for stream in lacking:
        whose = stream.thing, stream.dataset
        if whose not in made:
            made[whose] = known.get(stream.thing) or feature_of_thing(connection, *whose)
        stream.feature = made[whose]
    for feature in dict.fromkeys(stream.feature for stream in lacking):
        keys = sorted({stream.pk for stream in lacking if stream.feature == feature})
        for place in range(0, len(keys), 500):
            rule, values = connection.dialect.one_of("pk", keys[place : place + 500])
            connection.execute(f"UPDATE datastream SET feature = ? WHERE {rule}", (feature, *values))


def _features_beside(connection: Connection, things: Sequence[int]) -> dict[int, int]:
    """By thing, the feature of a stream of it that lies where its one location says."""
    found: dict[int, int] = {}
    for place in range(0, len(things), 500):
        rule, values = connection.dialect.one_of("t.thing", things[place : place + 500])
        found.update(
            connection.execute(
                "SELECT t.thing, min(f.pk) FROM thing_location t JOIN location l ON l.pk = t.location"
                " JOIN datastream d ON d.thing = t.thing JOIN feature f ON f.pk = d.feature AND f.feature = l.location"
                f" WHERE {rule} AND (SELECT count(*) FROM thing_location o WHERE o.thing = t.thing) = 1"
                " GROUP BY t.thing",
                values,
            )
        )
    return found

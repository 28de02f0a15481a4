"""Writing many observations that clients create: columns to rows, one line of the change log and one state a stream.

Each row is judged alone. Nothing that may fail for one row is left to the engine, so that the good ones go in together.
"""

from collections.abc import Callable, Sequence
from itertools import repeat
from typing import Any

import msgspec

from allmende.domain.batch import Batch, Rows
from allmende.domain.bounds import check_fit, fits_all
from allmende.domain.creation import keep_row
from allmende.domain.errors import AllmendeError, Conflict, InvalidInput
from allmende.domain.model import ENTITIES
from allmende.domain.query import ResultKind
from allmende.storage.connections import Connection
from allmende.storage.creation import hold_ids, observation_id
from allmende.storage.entities import check_writable, ensure_feature, find_keys
from allmende.storage.readings import DOCUMENT_FROM, judged_quality, keep_document, log_change
from allmende.storage.state import Stream, grow_state, lock_streams, write_states

Outcome = list[str | AllmendeError]


def create_rows(connection: Connection, batch: Batch, origin: int) -> list[Outcome]:
    """Write what can be written of ``batch.rows``; for each of them, what became of each of its rows."""
    bulk = _Bulk(connection, batch, origin)
    outcomes = [bulk.write(rows) for rows in batch.rows]
    write_states(connection, bulk.streams.values())
    return outcomes


class _Bulk:
    def __init__(self, connection: Connection, batch: Batch, origin: int) -> None:
        self.connection = connection
        self.batch = batch
        self.origin = origin
        self.keys: dict[tuple[str, str], int] = {}
        for relation in {rows.relation for rows in batch.rows}:
            wanted = {rows.stream for rows in batch.rows if rows.relation == relation}
            found = find_keys(connection, _target(relation), wanted, batch.reader)
            self.keys |= {(relation, name): key for name, key in found.items()}
        self.streams: dict[int, Stream] = lock_streams(connection, self.keys.values())
        wanted = {name for rows in batch.rows for name in rows.features or () if name is not None}
        self.features = find_keys(connection, "FeatureOfInterest", wanted, batch.reader)
        hold_ids(connection, (name for rows in batch.rows for name in rows.ids or ()))
        self.taken: dict[str, int] = {}
        """Inner numbers of ids that clients chose."""

    def write(self, rows: Rows) -> Outcome:
        """One group; those that follow see what it did."""
        outcome: Outcome = [""] * len(rows.starts)
        try:
            stream = self.stream(rows)
            check_writable(self.connection, stream.dataset, self.batch.reader, rows.relation)
        except AllmendeError as error:
            return [error for _ in outcome]
        judged = self.judge(rows, stream, outcome)
        if len(judged) < len(outcome):
            rows = rows.only(judged)
        if judged:
            rows = msgspec.structs.replace(rows, qualities=_qualities(rows, stream))
            for place, name in zip(judged, self.insert(rows, stream), strict=True):
                outcome[place] = name
        return outcome

    def stream(self, rows: Rows) -> Stream:
        """The locked stream of a group."""
        stream = self.streams.get(self.keys.get((rows.relation, rows.stream), 0))
        if stream is None:
            raise InvalidInput(f"there is no {_target(rows.relation)} {rows.stream!r}", where=rows.relation)
        return stream

    def judge(self, rows: Rows, stream: Stream, outcome: Outcome) -> Sequence[int]:
        """The rows that go in; the others have their reason in ``outcome``."""
        checks: list[Callable[[int], None]] = []
        if stream.width:
            checks.append(lambda i: self.keep_row(rows, stream.width, i))
        if not fits_all(stream.observation_type, set(rows.kinds)):
            checks.append(lambda i: check_fit(stream.observation_type, rows.kinds[i], rows.results[i], "result"))
        if rows.features is not None:
            checks.append(lambda i: self.check_feature(rows, i))
        if not checks and rows.ids is None:
            return range(len(outcome))
        good: list[int] = []
        for i in range(len(outcome)):
            try:
                for check in checks:
                    check(i)
                if rows.ids is not None:
                    self.take_id(rows.ids[i])
                good.append(i)
            except AllmendeError as error:
                outcome[i] = error
        return good

    def keep_row(self, rows: Rows, width: int, i: int) -> None:
        """A result as a MultiDatastream keeps it; raises InvalidInput."""
        rows.kinds[i], rows.results[i] = keep_row((rows.kinds[i], rows.results[i]), width, "result")

    def check_feature(self, rows: Rows, i: int) -> None:
        """Raise InvalidInput for a feature that is not there."""
        name = rows.features[i] if rows.features is not None else None
        if name is not None and name not in self.features:
            raise InvalidInput(f"there is no FeatureOfInterest {name!r}", where="FeatureOfInterest")

    def take_id(self, name: str | None) -> None:
        """Keep an id that the client chose for a row; raises Conflict."""
        if name is None:
            return
        if name in self.taken:
            raise Conflict(f"there is an Observation {name!r} already", where="@iot.id")
        number, _ = observation_id(self.connection, name, "@iot.id")
        self.taken[name] = number

    def insert(self, rows: Rows, stream: Stream) -> list[str]:
        """Write rows that are all good; gives their ids."""
        connection, count, at = self.connection, len(rows.starts), self.batch.received_at
        starts, ends = rows.starts, rows.ends
        first, newest = min(starts), max(starts)
        change = log_change(connection, stream, "append", first, newest, count, self.origin, at)
        numbers, names = self.numbers(rows, count)
        features = self.features_of(rows, stream, count)
        kept: Sequence[Any] = rows.results
        if max(rows.kinds) >= ResultKind.JSON:
            kept = [
                keep_document(connection, number, value)
                if kind >= ResultKind.JSON and len(value) >= DOCUMENT_FROM
                else value
                for number, kind, value in zip(numbers, rows.kinds, kept, strict=True)
            ]
        valid = rows.valid or ()
        nothing = repeat(None)
        connection.dialect.insert_observations(
            connection,
            list(
                zip(
                    repeat(stream.pk), starts, numbers, numbers, ends or nothing, rows.result_times or nothing,
                    repeat(at), rows.kinds, kept, rows.qualities or nothing,
                    [span and span[0] for span in valid] or nothing, [span and span[1] for span in valid] or nothing,
                    rows.parameters or nothing, features, repeat(self.origin), repeat(change),
                )
            ),
        )  # fmt: skip
        self.grow(rows, stream, numbers, first, newest, features)
        return names

    def numbers(self, rows: Rows, count: int) -> tuple[Sequence[int], list[str]]:
        """The inner numbers and the public ids."""
        ids = rows.ids
        if ids is None:
            numbers = self.connection.dialect.reserve_numbers(self.connection, count)
            return numbers, list(map(str, numbers))
        drawn: Sequence[int] = ()
        missing = ids.count(None)
        if missing:
            # What rows of this very group chose is not in the table yet.
            drawn = self.connection.dialect.reserve_numbers(self.connection, missing + count)
        chosen = set(self.taken.values())
        free = iter([number for number in drawn if number not in chosen])
        pairs = [(self.taken[name], name) if name is not None else (number := next(free), str(number)) for name in ids]
        return [number for number, _ in pairs], [name for _, name in pairs]

    def features_of(self, rows: Rows, stream: Stream, count: int) -> list[int | None]:
        """The feature of each row: the one it names, else the one at the thing's place."""
        if rows.features is None:
            return [ensure_feature(self.connection, stream)] * count
        own = ensure_feature(self.connection, stream) if None in rows.features else None
        return [own if name is None else self.features[name] for name in rows.features]

    def grow(
        self,
        rows: Rows,
        stream: Stream,
        numbers: Sequence[int],
        first: int,
        newest: int,
        features: Sequence[int | None],
    ) -> None:
        """Take the rows into the stream's state."""
        last = newest
        if rows.ends is not None:
            last = max(start if end is None else end for start, end in zip(rows.starts, rows.ends, strict=True))
        at = max((i for i, start in enumerate(rows.starts) if start == newest), key=lambda i: numbers[i])
        quality = rows.qualities[at] if rows.qualities is not None else None
        moments = [moment for moment in rows.result_times or () if moment is not None]
        stream.features.update(feature for feature in features if feature is not None)
        grow_state(
            stream,
            first,
            last,
            len(rows.starts),
            latest=(newest, numbers[at], rows.kinds[at], rows.results[at], quality),
            result_times=(min(moments), max(moments)) if moments else (),
            feature=features[at],
        )


def _qualities(rows: Rows, stream: Stream) -> Sequence[str | None] | None:
    """What the rows say of their quality, else whether their results are plausible."""
    if stream.low is None and stream.high is None:
        return rows.qualities
    said = rows.qualities or repeat(None)
    return [judged_quality(stream, *row) for row in zip(zip(rows.kinds, rows.results, strict=True), said, strict=False)]


def _target(relation: str) -> str:
    found = ENTITIES["Observation"].relation(relation)
    if found is None:
        raise InvalidInput(f"an Observation has no {relation}")
    return found.target

"""What tests of connectors need, ours and those of others. Nothing of it runs in service."""

import io
import os
import time
import tracemalloc
from collections import Counter
from collections.abc import Collection
from importlib import resources
from pathlib import Path
from typing import NamedTuple

from allmende.connectors import checks
from allmende.connectors.mutations import Mutation, mutations
from allmende.domain import records
from allmende.domain.bounds import Bounds
from allmende.domain.connector import Parse, Payload, Source
from allmende.domain.errors import InvalidInput
from allmende.domain.feature_checks import check_collection, check_features
from allmende.domain.features import FeatureRow
from allmende.domain.framing import Framing, frames
from allmende.domain.ids import normalise
from allmende.domain.ingest import IngestLimits, ingest
from allmende.domain.records import Declaration, Feature, Features, Parsed, Series

RECEIVED_AT = 1_750_000_000_000_000
MUTATION_SECONDS = 10.0
"""Of the processor for one mutation, on any machine: what is quadratic needs far more."""
MUTATION_BYTES = 64 * 1024 * 1024
"""Memory for one mutation, beside sixty times its own size (objects of Python are that much larger than JSON)."""
_LARGE = 50_000


def payload(body: bytes, name: str = "test", line: int = 1) -> Payload:
    """A payload that came in at a fixed time."""
    return Payload(body=body, name=name, received_at=RECEIVED_AT, line=line)


def sample(package: str, name: str) -> bytes:
    """A file of the connector's ``samples`` folder."""
    return resources.files(package).joinpath("samples", name).read_bytes()


def manifest_settings(package: str) -> dict[str, object]:
    """The manifest's own settings, as a source has them that overrides none."""
    return checks.read_manifest(resources.files(package), where=package).settings


def captured(path: str) -> bytes:
    """A file of captured data outside of the project; skips the test, with a word, where it is not at hand."""
    import pytest

    folder = Path(os.environ.get("ALLMENDE_SHARED_DATA", Path.cwd().parent / "shared" / "data"))
    file = folder / path
    if not file.is_file():
        pytest.skip(f"captured data is not at hand: {file}")
    return file.read_bytes()


def readings(parsed: Parsed) -> int:
    """How many readings there are in all series."""
    return sum(len(record.times) for record in parsed.records if isinstance(record, Series))


def values(parsed: Parsed) -> dict[str, list[object]]:
    """Results by stream, in their order."""
    found: dict[str, list[object]] = {}
    for record in parsed.records:
        if isinstance(record, Series):
            found.setdefault(record.stream, []).extend(record.results)
    return found


def features(parsed: Parsed) -> dict[str, Feature]:
    """Features of all collections by id."""
    return {item.id: item for record in parsed.records if isinstance(record, Features) for item in record.items}


def kept_features(parsed: Parsed) -> dict[str, FeatureRow]:
    """Features by id as the house would keep them; none may be refused."""
    found: dict[str, FeatureRow] = {}
    for record in parsed.records:
        if isinstance(record, Features):
            kept, faults = check_features(record, Bounds())
            assert not faults, faults
            found.update((row.id, row) for row in kept.rows)
    return found


def assert_sound(parse: Parse, given: Payload, source: Source) -> Parsed:
    """Parses and holds the outcome to the contract of every connector; gives it back.

    Columns are of one length, every series and collection was declared before, ids can be kept, and each rejection,
    parsed again by itself, comes to the same word and to no reading that was not there before. So does the body that
    is given for each feature.
    """
    parsed = parse(given, source)
    declared: set[str] = set()
    for record in parsed.records:
        if isinstance(record, Declaration):
            declared.add(record.stream)
            for id_ in (record.stream, record.thing.id, record.sensor.id, record.observed_property.id):
                assert normalise(id_) == id_
        elif isinstance(record, records.Collection):
            assert check_collection(record) == ""
            declared.add(record.id)
        elif isinstance(record, Features):
            assert record.collection in declared, f"{record.collection} has features before its declaration"
            _assert_bodies(parse, given, source, record)
        else:
            assert record.stream in declared, f"{record.stream} has readings before its declaration"
            assert len(record.times) == len(record.results) == len(record.flags or record.times)
            assert all(type(time) is int for time in record.times)
    points = _points(parsed)
    for rejection in parsed.rejections:
        assert rejection.reason
        again = parse(Payload(body=rejection.body, name=given.name, received_at=given.received_at), source)
        assert Counter(other.code for other in again.rejections) == {rejection.code: 1}, rejection
        assert _points(again) <= points, rejection
    return parsed


def _assert_bodies(parse: Parse, given: Payload, source: Source, record: Features) -> None:
    assert len(record.unread) <= len(parse(given, source).rejections)
    if record.body_of is None:
        return
    for place, item in enumerate(record.items[:20]):
        body = record.body_of(place)
        again = parse(Payload(body=body, name=given.name, received_at=given.received_at), source)
        assert not again.rejections
        assert list(features(again)) == [item.id]


def _points(parsed: Parsed) -> set[tuple[str, int, str]]:
    said = {
        (record.collection, 0, repr(item))
        for record in parsed.records
        if isinstance(record, Features)
        for item in record.items
    }
    return said | {
        (record.stream, time, repr(result))
        for record in parsed.records
        if isinstance(record, Series)
        for time, result in zip(record.times, record.results, strict=True)
    }


def assert_withstands(
    parse: Parse,
    body: bytes,
    source: Source,
    *,
    framing: Framing = "whole",
    name: str = "test",
    received_at: int = RECEIVED_AT,
    unless: Collection[str] = (),
) -> int:
    """Damages a sample in every way of :mod:`allmende.connectors.mutations` and holds ``parse`` to its contract.

    Each mutation takes the way of any payload: framing, ``parse``, ``domain.ingest``. It must end in rejections or in
    the same values: never in an exception, never in a reading that the whole sample does not give (stream, time and
    result; of a feature its id, geometry and times) unless it is flagged, and within bounds of time and memory. Where
    what was damaged is a value that can be seen to be none, or the document, a lost reading must be told by a
    rejection.

    ``framing`` is the manifest's. ``unless`` names mutations that this source cannot tell from a true message, by a
    part of their name; say why beside it. Gives how many mutations there were.
    """
    whole = _outcome(parse, body, source, framing, name, received_at)
    assert whole.told or whole.points or whole.records, "the sample gives nothing; it would withstand everything"
    count = 0
    for mutation in mutations(body):
        if not any(part in mutation.name for part in unless):
            _withstand(parse, mutation, source, framing, name, received_at, whole)
            count += 1
    return count


class _Outcome(NamedTuple):
    points: set[tuple[str, int, str]]
    """What is kept and not flagged."""
    flagged: set[tuple[str, int, str]]
    told: int
    """Rejections, and payloads that were refused before they were parsed."""
    records: int


def _outcome(parse: Parse, body: bytes, source: Source, framing: Framing, name: str, received_at: int) -> _Outcome:
    found = _Outcome(set(), set(), 0, 0)
    told = records = 0
    try:
        for given in frames(io.BytesIO(body), framing=framing, name=name, received_at=received_at):
            parsed = parse(given, source)
            records += len(parsed.records)
            batch = ingest(parsed, payload=given, source=source, version="test", limits=IngestLimits())
            told += len(batch.rejections)
            assert not any("\0" in f"{each.reason}{each.where}{each.code}" for each in batch.rejections)
            for series in batch.series:
                flags = series.flags or [""] * len(series.times)
                for at, result, flag in zip(series.times, series.results, flags, strict=True):
                    (found.flagged if flag else found.points).add((series.stream, at, _canonical(result)))
            for kept in batch.features:
                found.points.update(point for row in kept.rows for point in _said(kept.collection, row))
    except InvalidInput:
        told += 1
    return found._replace(told=told, records=records)


def _said(collection: str, row: FeatureRow) -> list[tuple[str, int, str]]:
    """What must not be wrong of a feature: that there is one, where and when. Its properties are its source's words."""
    name = f"{collection}/{row.id}"
    values = ("is there", row.geometry, row.valid_from, row.valid_to)
    # No place and no time say nothing.
    return [(name, number, str(value)) for number, value in enumerate(values) if value is not None]


def _canonical(result: object) -> str:
    """5 and 5.0 are one number; True is none."""
    if isinstance(result, int | float) and not isinstance(result, bool):
        return repr(float(result)) if abs(result) < 2**53 else repr(result)
    return repr(result)


def _withstand(
    parse: Parse, mutation: Mutation, source: Source, framing: Framing, name: str, received_at: int, whole: _Outcome
) -> None:
    shown = f"mutation {mutation.name!r}: {mutation.body[:300]!r}"
    # to be watched costs most of a parser's time: only where there is something to see
    if watched := len(mutation.body) > _LARGE:
        tracemalloc.start()
    began = time.process_time()
    try:
        found = _outcome(parse, mutation.body, source, framing, name, received_at)
    except Exception as error:
        raise AssertionError(f"{shown}\nraised {type(error).__name__}: {error}") from error
    finally:
        spent = time.process_time() - began
        peak = tracemalloc.get_traced_memory()[1] if watched else 0
        if watched:
            tracemalloc.stop()
    known = whole.points | whole.flagged
    invented = found.points - known
    assert not invented, f"{shown}\ngave what the whole sample does not say: {sorted(invented)[:5]}"
    lost = whole.points - found.points - found.flagged
    assert not (mutation.told and lost and not found.told), f"{shown}\nlost without a word: {sorted(lost)[:5]}"
    assert spent < MUTATION_SECONDS, f"{shown}\ntook {spent:.1f} s"
    assert peak < MUTATION_BYTES + 60 * len(mutation.body), f"{shown}\nneeded {peak / 2**20:.0f} MiB"

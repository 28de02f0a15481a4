"""What tests of connectors need, ours and those of others. Nothing of it runs in service."""

import os
from collections import Counter
from importlib import resources
from pathlib import Path

from allmende.connectors import checks
from allmende.domain.bounds import Bounds
from allmende.domain.connector import Parse, Payload, Source
from allmende.domain.feature_checks import check_collection, check_features
from allmende.domain.features import FeatureRow
from allmende.domain.ids import normalise
from allmende.domain.records import Collection, Declaration, Feature, Features, Parsed, Series

RECEIVED_AT = 1_750_000_000_000_000


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
        elif isinstance(record, Collection):
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

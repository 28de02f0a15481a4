"""What would become of it: the connector's own ``parse`` on the very bytes, with the settings of the plan."""

import itertools
import time
from collections import Counter
from collections.abc import Iterable
from typing import Any, NamedTuple

import msgspec
from django.conf import settings

from allmende.connectors import registry
from allmende.domain.batch import Batch
from allmende.domain.connector import Connector, Payload, Source
from allmende.domain.errors import InvalidInput
from allmende.domain.features import FeatureRow
from allmende.domain.framing import MAX_BYTES, frames, framing_of
from allmende.domain.ingest import ingest
from allmende.domain.recognition.plan import settings_of
from allmende.domain.records import Declaration
from allmende.web.house import open_profile
from allmende.web.intake import now_micros, reading_bounds
from allmende.web.making.models import Making
from allmende.web.making.uploads import network_settings, path_of
from allmende.web.sources import merge_settings
from allmende.web.worker.trouble import in_words

BLOCKS = 5
"""Of a file that is cut: the first 10,000 rows, where rows are short."""
SECONDS = 10.0
FIRST = 3
REJECTIONS = 20
ON_MAP = 2000


class Stream(msgspec.Struct):
    """One stream, as far as it was read."""

    id: str
    property: str
    unit: str
    count: int = 0
    flagged: int = 0
    first: int = 0
    last: int = 0
    values: list[tuple[int, Any]] = []


class Thing(msgspec.Struct):
    """One thing and its streams."""

    id: str
    name: str
    place: tuple[float, float] | None
    streams: dict[str, Stream] = {}


class Preview(NamedTuple):
    """What was seen."""

    things: list[Thing]
    features: list[dict[str, Any]]
    """As GeoJSON, ``ON_MAP`` at most."""
    objects: int
    readings: int
    flagged: int
    rejected: int
    reasons: list[tuple[str, int]]
    """Codes, and how often."""
    rejections: list[dict[str, str]]
    whole: bool
    """Whether all of the file was read."""


def source_of(making: Making) -> tuple[Source, Connector]:
    """The source as it would be. Raises InvalidInput for a plan that cannot be."""
    plan = making.plan
    if plan is None or not plan.connector:
        raise InvalidInput("No connector reads it.")
    profile = open_profile()
    connector = registry.load(plan.connector)
    said = {**settings_of(plan), **(network_settings() if making.address else {})}
    name = making.about["id"]
    source = Source(
        id=name,
        connector=plan.connector,
        dataset=making.about.get("dataset") or name,
        address=making.recognition.address or making.address,
        time_zone=profile.time_zone,
        language=profile.languages[0],
        settings=merge_settings(connector.manifest.settings, said),
    )
    return source, connector


def preview(making: Making) -> Preview:
    """Read the beginning. Raises InvalidInput for a plan that cannot be, and where nothing can be read."""
    source, connector = source_of(making)
    until = time.monotonic() + SECONDS
    batches: list[Batch] = []
    whole = True
    for payload in _payloads(making, source, connector):
        if len(batches) >= BLOCKS or time.monotonic() > until:
            whole = False
            break
        parsed = connector.parse(payload, source)
        limits = reading_bounds(settings.ALLMENDE)
        batches.append(ingest(parsed, payload=payload, source=source, version="preview", limits=limits))
    return _seen(batches, whole)


def _payloads(making: Making, source: Source, connector: Connector) -> Iterable[Payload]:
    """The file that is kept; of a service that a connector asks by itself, what it gives."""
    if asks_itself(making, connector):
        assert connector.fetch is not None
        try:
            yield from connector.fetch(source, now=now_micros(), since=None)
        except InvalidInput:
            raise
        except Exception as error:  # whatever a host or a connector does, it is to be said in words
            raise InvalidInput(in_words(error, source.address)) from None
        return
    if not path_of(making).exists():
        raise InvalidInput("The file is not here any more: bring it again.")
    framing = framing_of(connector.manifest.framing, source.settings)
    with path_of(making).open("rb") as file:
        yield from frames(file, framing=framing, name=making.name, received_at=now_micros(), max_bytes=MAX_BYTES)


def asks_itself(making: Making, connector: Connector) -> bool:
    """Whether the source is asked by its connector's ``fetch``: then the file alone is not what it reads."""
    return bool(making.address and connector.fetch is not None)


def _seen(batches: list[Batch], whole: bool) -> Preview:
    things = _things(batches)
    features = list(itertools.chain.from_iterable(each.rows for batch in batches for each in batch.features))
    rejections = [rejection for batch in batches for rejection in batch.rejections]
    shown = [
        {"code": r.code, "where": r.where, "reason": r.reason, "body": r.body[:300].decode(errors="replace")}
        for r in rejections[:REJECTIONS]
    ]
    streams = [stream for thing in things for stream in thing.streams.values()]
    return Preview(
        things=things,
        features=[_as_geojson(row) for row in features[:ON_MAP]],
        objects=len(features),
        readings=sum(stream.count for stream in streams),
        flagged=sum(stream.flagged for stream in streams),
        rejected=len(rejections),
        reasons=Counter(r.code for r in rejections).most_common(),
        rejections=shown,
        whole=whole,
    )


def _things(batches: list[Batch]) -> list[Thing]:
    found: dict[str, Thing] = {}
    streams: dict[str, Stream] = {}
    for batch in batches:
        for declared in batch.declarations:
            _declare(declared, found, streams)
        for series in batch.series:
            stream = streams.get(series.stream)
            if stream is None or not series.times:
                continue
            stream.values += list(zip(series.times, series.results, strict=True))[: FIRST - len(stream.values)]
            low, high = min(series.times), max(series.times)
            stream.first = min(stream.first, low) if stream.count else low
            stream.last = max(stream.last, high) if stream.count else high
            stream.count += len(series.times)
            stream.flagged += sum(1 for flag in series.flags or () if flag)
    return list(found.values())


def _declare(declared: Declaration, found: dict[str, Thing], streams: dict[str, Stream]) -> None:
    place = declared.thing.position
    thing = found.setdefault(declared.thing.id, Thing(declared.thing.id, declared.thing.name, None))
    thing.place = thing.place or ((place.lon, place.lat) if place else None)
    if declared.stream not in streams:
        made = Stream(declared.stream, declared.observed_property.name, declared.unit.symbol)
        streams[declared.stream] = thing.streams[declared.stream] = made


def _as_geojson(row: FeatureRow) -> dict[str, Any]:
    return {
        "type": "Feature",
        "id": row.id,
        "geometry": msgspec.json.decode(row.geometry) if row.geometry else None,
        "properties": msgspec.json.decode(row.properties),
    }


def on_map(seen: Preview) -> dict[str, Any]:
    """Things and objects that have a place, as GeoJSON."""
    points = [
        {
            "type": "Feature",
            "geometry": {"type": "Point", "coordinates": list(thing.place)},
            "properties": {"name": thing.name},
        }
        for thing in seen.things[:ON_MAP]
        if thing.place
    ]
    shapes = [
        {"type": "Feature", "geometry": each["geometry"], "properties": {"name": each["id"]}}
        for each in seen.features
        if each["geometry"]
    ]
    return {"type": "FeatureCollection", "features": [*points, *shapes]}

"""A connector as small as can be, with a city that uses it: lines of ``stream,seconds,value``."""

from pathlib import Path
from typing import Any

from tests.support import PlainConnections

from allmende.domain.connector import Connector, Manifest, Payload, Source
from allmende.domain.profile import Profile
from allmende.domain.profile_files import parse_profile
from allmende.domain.records import (
    Declaration,
    Parsed,
    Property,
    Rejection,
    SensorDeclaration,
    Series,
    ThingDeclaration,
    Unit,
)
from allmende.domain.times import SECOND
from allmende.storage.sqlite import SqliteStore
from allmende.web.config import Config
from allmende.web.intake import Intake
from allmende.web.sources import prepare_sources

EPOCH = 1_700_000_000
_OUTLINE = {
    "type": "FeatureCollection",
    "features": [
        {
            "type": "Feature",
            "properties": {"name": "all"},
            "geometry": {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]]]},
        }
    ],
}


def parse(payload: Payload, source: Source) -> Parsed:
    """``boom`` breaks the word that parse never raises."""
    series: dict[str, Series] = {}
    rejections = []
    for line in payload.body.decode().splitlines()[1:]:
        if line == "boom":
            raise RuntimeError("this connector is broken")
        try:
            stream, seconds, value = line.split(",")
            found = series.setdefault(stream, Series(stream=stream, times=[], results=[]))
            time, result = (EPOCH + int(seconds)) * SECOND, int(value)
        except ValueError:
            rejections.append(Rejection(reason="not three fields", body=b"header\n" + line.encode(), code="bad-line"))
            continue
        found.times.append(time)
        found.results.append(result)
    records: list[Any] = [declare(stream) for stream in series]
    return Parsed([*records, *(s for s in series.values() if s.times)], rejections)


def declare(stream: str) -> Declaration:
    return Declaration(
        stream=stream,
        name=stream,
        thing=ThingDeclaration(id=f"thing-{stream}", name=stream),
        sensor=SensorDeclaration(id="simple", name="Simple"),
        observed_property=Property(id="count", name="Count", definition="https://example.org/count"),
        unit=Unit("1", "1"),
        observation_type="count",
    )


def connector(**changes: Any) -> Connector:
    texts = {"de": "Einfach", "en": "Simple"}
    fetch = changes.pop("fetch", None)
    manifest = Manifest(
        name="simple",
        title=texts,
        description=texts,
        maturity="tested",
        gives=["count"],
        framing="lines",
        settings={"limits": {"low": 0, "high": 10}, "word": "manifest"},
        **changes,
    )
    return Connector(manifest=manifest, parse=parse, fetch=fetch)


def city(**sources: dict[str, Any]) -> Profile:
    """A town whose sources all use the simple connector, unless they say otherwise."""
    texts = {"en": "Text"}
    return parse_profile(
        {
            "id": "town",
            "name": "Town",
            "country": "DE",
            "time_zone": "Europe/Berlin",
            "languages": ["en"],
            "geography": {
                "center": [0.5, 0.5],
                "zoom": 10,
                "boundary": _OUTLINE,
                "districts": _OUTLINE,
                "waters": {"type": "FeatureCollection", "features": []},
                "attribution": "nobody",
            },
            "datasets": {
                name: {
                    "title": texts,
                    "description": texts,
                    "publisher": "Town",
                    "licence": "CC0-1.0",
                    "attribution": "Town",
                    "access": "restricted" if name == "closed" else "open",
                }
                for name in ("counts", "closed")
            },
            "sources": {
                name: {"connector": "simple", "title": texts, "enabled": True, "dataset": "counts", **body}
                for name, body in (sources or {"feed": {}}).items()
            },
        }
    )


def make_intake(path: Path, *, profile: Profile | None = None, connectors: Any = None, **settings: Any) -> Intake:
    """An intake over a store of its own in ``path``, without Django."""
    from allmende.web.house import furnish

    profile = profile or city()
    path.mkdir(exist_ok=True)
    config = Config(home=path, **{"disk_floor": 0, **settings})
    store = SqliteStore(PlainConnections(config.database_path))
    furnish(store, profile)
    found = prepare_sources(profile, connectors or {"simple": connector()})
    return Intake(store, profile, config, sources=found)


def lines(*rows: str) -> bytes:
    return "\n".join(("header", *rows, "")).encode()


def payload(body: bytes, name: str = "test") -> Payload:
    return Payload(body=body, name=name, received_at=(EPOCH + 10**6) * SECOND)

"""A town with rules, for tests: a profile, streams of sensors, and the follower."""

import tomllib
from collections.abc import Iterable, Mapping
from typing import Any

from allmende.domain.batch import Batch
from allmende.domain.profile import Profile
from allmende.domain.profile_files import parse_profile
from allmende.domain.records import (
    Declaration,
    Position,
    Property,
    SensorDeclaration,
    Series,
    ThingDeclaration,
    Unit,
)
from allmende.domain.store import Store
from allmende.domain.times import HOUR, parse_instant
from allmende.knowledge.follow import Follower
from allmende.knowledge.prepare import Rule, prepare_rules
from tests.support import HOUSE

NOW = parse_instant("2026-06-01T00:00:00Z")


def profile(rules: str, *, alerts: str = "", **files: bytes) -> Profile:
    """A profile with one file of rules; other files lie beside it. ``alerts`` is TOML of ``city.toml``."""
    texts = {"de": "Messwerte", "en": "Readings"}
    outline: Any = {"type": "FeatureCollection", "features": []}
    data = {
        "id": "town",
        "name": "Town",
        "country": "DE",
        "time_zone": "Europe/Berlin",
        "languages": ["de", "en"],
        "geography": {
            "center": [11.58, 50.92], "zoom": 12, "boundary": outline, "districts": outline, "waters": outline,
            "attribution": "constructed",
        },
        "datasets": {
            "parking": {
                "title": texts, "description": texts, "publisher": "Town", "licence": "dl-de/by-2-0",
                "attribution": "Town",
            },
            "hidden": {
                "title": texts, "description": texts, "publisher": "Town", "licence": "dl-de/by-2-0",
                "attribution": "Town", "access": "restricted",
            },
            "footfall": {
                "title": texts, "description": texts, "publisher": "Town", "licence": "dl-de/by-2-0",
                "attribution": "Town", "access": "restricted", "counts_of_people": 5,
            },
        },
    }  # fmt: skip
    data |= tomllib.loads(alerts)
    beside = {f"rules/{name.replace('__', '.')}": body for name, body in files.items()}
    return parse_profile(data, {"rules/town.toml": rules.encode(), **beside})


def ready(rules: str, **files: bytes) -> list[Rule]:
    """The rules of a file, all of which have to be in order."""
    prepared = prepare_rules(profile(rules, **files))
    assert not prepared.problems
    return list(prepared.rules)


def send(
    store: Store,
    stream: str,
    readings: Mapping[int, Any] | Iterable[tuple[int, Any]],
    *,
    observed: str = "level",
    unit: str = "1",
    kind: Any = "any",
    place: tuple[float, float] | None = None,
    properties: Mapping[str, Any] | None = None,
    dataset: str = "parking",
    at: int = NOW,
    run: int | None = None,
    said: Mapping[str, Any] | None = None,
    flags: list[str] | None = None,
) -> None:
    """Readings of a sensor, as a source sends them. The thing is what stands before the first ``~``."""
    pairs = list(readings.items() if isinstance(readings, Mapping) else readings)
    thing = stream.split("~", maxsplit=1)[0]
    declared = Declaration(
        stream=stream,
        name=stream,
        thing=ThingDeclaration(
            id=thing, name=thing, properties=properties or {}, position=Position(*place) if place else None
        ),
        sensor=SensorDeclaration(id=f"probe-{dataset}", name="Probe"),
        observed_property=Property(id=observed, name=observed, definition=f"https://example.org/{observed}"),
        unit=Unit(unit, unit),
        observation_type=kind,
        properties=said or {},
    )
    series = Series(
        stream=stream, times=[time for time, _ in pairs], results=[value for _, value in pairs], flags=flags, run=run
    )
    store.append(
        Batch(origin="feed", dataset=dataset, reader=HOUSE, received_at=at, declarations=[declared], series=[series])
    )


class Clock:
    """A clock that is set by hand."""

    def __init__(self, now: int = NOW) -> None:
        self.now = now

    def __call__(self) -> int:
        return self.now


def follow(store: Store, rules: Iterable[Rule], clock: Clock | None = None) -> Follower:
    """A follower that begins where the last one stopped."""
    follower = Follower(store, list(rules), HOUSE, clock or Clock())
    follower.begin()
    return follower


def settle(follower: Follower) -> int:
    """Step until there is nothing left to do; gives how many values were worked out."""
    evaluated = quiet = 0
    for _ in range(100):
        progress = follower.step()
        assert not progress.failed, progress.failed
        evaluated += progress.evaluated
        quiet = 0 if progress.changes or progress.evaluated else quiet + 1
        if quiet == 2:  # windows of rules that read rules wait for a step in which no other one is due
            return evaluated
    raise AssertionError("the rules do not come to rest")


def readings(store: Store, stream: str) -> dict[int, Any]:
    """What a stream holds."""
    points = store.points(HOUSE, stream, 0, NOW + 10_000 * HOUR)
    return dict(zip(points.times, points.results, strict=True))


def doubled(dataset: str, name: str, *, of: str = "", expression: str = "", more: str = "") -> str:
    """A rule that gives twice what each stream of a property gives; ``more`` are further lines of its output."""
    return f"""
[rules.doubled]
version = 1
title = {{ de = "Doppelt", en = "Doubled" }}
dataset = "{dataset}"
by = "stream"
[rules.doubled.inputs.{name}]
property = "{of or name}"
[rules.doubled.outputs.twice]
property = {{ id = "twice", name = {{ de = "Doppelt", en = "Twice" }} }}
expression = "{expression or f"{name} * 2"}"
{more}
"""


COUNTED = 'type = "count"\nstream = "{stream}~twice"'
"""More of it: the stream of a count beside its own."""

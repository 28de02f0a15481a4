"""Retention over Django's connections: what the worker does once an hour and an operator sees and does by hand."""

import time
from collections.abc import Callable, Mapping
from threading import Event

import msgspec
import structlog
from django.db import connection

from allmende.domain.profile import Profile
from allmende.domain.retention import Retention, RetentionProfile
from allmende.storage.committer import translated
from allmende.storage.postgres import PostgresEngine
from allmende.storage.retention import Found, RetentionWork, Weighed
from allmende.storage.retention_features import FoundCollection
from allmende.storage.retention_sql import Volume, read_volumes
from allmende.storage.sqlite import SqliteEngine
from allmende.web.config import Config
from allmende.web.data.connections import DjangoConnections
from allmende.web.disk import database_bytes, free_bytes

SECONDS = 3600.0
"""Between two rounds of the worker."""
_EDGE_SECONDS = 600.0
_PATIENCE = 24 * 3600.0
_MOST_BYTES = 1_000
"""Of a reading: where few are kept, most of a database is not theirs."""

log = structlog.get_logger("allmende.worker")


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """What becomes, or became, of a stream."""

    stream: str
    source: str
    rule: str
    gone: int
    made: int


def retention_work(profile: Profile) -> RetentionWork:
    """What applies the city's rules to the house's database."""
    retention = Retention(profile.retention, profile.time_zone)
    patient = DjangoConnections(seconds=_PATIENCE)
    if connection.vendor == "postgresql":
        # Inside of a transaction it has no time limit, and to read keeps nobody waiting.
        return RetentionWork(patient, PostgresEngine(), retention, looking=patient.writing)
    return RetentionWork(patient, SqliteEngine(), retention)


class Edges:
    """By stream, before when its readings may be gone or merged; the streams are looked up now and then."""

    def __init__(self, profile: Profile) -> None:
        self._retention = Retention(profile.retention, profile.time_zone)
        self._work = retention_work(profile)
        self._rules: dict[str, RetentionProfile] = {}
        self._looked = float("-inf")

    def __call__(self, now: int) -> dict[str, int]:
        """At ``now``. A stream that came since the last look has nothing that could be gone."""
        if not self._retention:
            return {}
        if time.monotonic() - self._looked > _EDGE_SECONDS:
            self._rules = {found.facts.id: found.rule for found in self._work.streams() if found.rule is not None}
            self._looked = time.monotonic()
        edges = {stream: self._retention.edge(rule, now) for stream, rule in self._rules.items()}
        return {stream: edge for stream, edge in edges.items() if edge is not None}


def preview(work: RetentionWork, now: int) -> list[Judged]:
    """What :func:`apply` would do at ``now``; nothing is changed."""
    return _each(work, lambda found: work.weigh(found, now)) + _each_collection(
        work, lambda found: work.features.weigh(found, now)
    )


def apply(work: RetentionWork, now: int, stop: Event | None = None) -> list[Judged]:
    """Delete and thin, in small transactions, until ``stop`` is set; gives what was done."""
    work.rewind()
    return _each(work, lambda found: work.apply(found, now, stop), stop) + _each_collection(
        work, lambda found: work.features.apply(found, now, stop), stop
    )


def _each(work: RetentionWork, judge: Callable[[Found], Weighed], stop: Event | None = None) -> list[Judged]:
    judged = []
    for found in work.streams():
        if stop is not None and stop.is_set():
            break
        if found.rule is None:
            continue
        gone, made = judge(found)
        if gone:
            facts = found.facts
            judged.append(Judged(stream=facts.id, source=facts.source, rule=found.rule.id, gone=gone, made=made))
    return judged


def _each_collection(
    work: RetentionWork, judge: Callable[[FoundCollection], int], stop: Event | None = None
) -> list[Judged]:
    """Features that went, and what was said of features before."""
    judged = []
    for found in work.features.collections():
        if stop is not None and stop.is_set():
            break
        gone = judge(found) if found.rule is not None else 0
        if gone and found.rule is not None:
            facts = found.facts
            judged.append(
                Judged(stream=f"collection {facts.id}", source=facts.source, rule=found.rule.id, gone=gone, made=0)
            )
    return judged


def volumes() -> Mapping[str, Volume]:
    """What is kept, by source (of a derived stream ``rule/NAME``; of what clients made "")."""
    engine = PostgresEngine() if connection.vendor == "postgresql" else SqliteEngine()
    with translated(engine), DjangoConnections().reading() as raw:
        return read_volumes(engine.wrap(raw))


def bytes_of_reading(readings: int) -> int:
    """About how many bytes of the database a reading takes, indexes and all that belongs to it included."""
    if connection.vendor == "postgresql":
        size = database_bytes()
    else:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT (p.page_count - f.freelist_count) * s.page_size FROM pragma_page_count p,"
                " pragma_freelist_count f, pragma_page_size s"
            )
            size = int(cursor.fetchone()[0])
    return min(_MOST_BYTES, size // max(readings, 1))


class Room(msgspec.Struct, frozen=True, kw_only=True):
    """How much room there is, and how fast it is taken. In bytes; 0 where nothing is known or set."""

    free: int
    """On the disk of the home."""
    floor: int
    size: int
    """Of a PostgreSQL database."""
    limit: int
    expected: int
    """What the sources that are switched on are expected to bring a day, about."""
    near: bool
    """Whether the floor or the limit is near."""


def room(config: Config, readings: int, per_day: int) -> Room:
    """The room that there is, with so many readings kept and so many expected a day."""
    return Room(
        free=free_bytes(config),
        floor=config.disk_floor,
        size=database_bytes() if config.postgres else 0,
        limit=config.database_bytes if config.postgres else 0,
        expected=bytes_of_reading(readings) * per_day if readings else 0,
        near=bool(warn_of_disk(config)),
    )


def warn_of_disk(config: Config) -> str:
    """What to say where the disk's floor, or a PostgreSQL database's largest size, is near; "" where both are far. The
    disk of a server of one's own is not seen from here."""
    free, floor = free_bytes(config), config.disk_floor
    if floor and free < floor + config.disk_warning:
        return (
            f"{free // 2**20:,} MiB are free on the disk; below the floor of {floor // 2**20:,} MiB nothing new is"
            " taken (`allmende retention preview` shows what retention would free)"
        )
    if not config.postgres or not config.database_bytes:
        return ""
    size = database_bytes()
    if not nears_limit(config, size):
        return ""
    return (
        f"the database has {size // 2**20:,} MiB; from {config.database_bytes // 2**20:,} MiB on nothing new is taken"
        " (`allmende retention preview` shows what retention would free)"
    )


def nears_limit(config: Config, size: int) -> bool:
    """Whether a PostgreSQL database is so large that somebody should know: the warning below its limit, or in the last
    tenth, where the warning is larger than that."""
    limit = config.database_bytes
    return size >= limit - min(config.disk_warning, limit // 10)

"""What a rule of retention would take now, before it is released."""

import time
from collections.abc import Mapping
from typing import Any, NamedTuple

from django.db import connection

from allmende.domain.plain import Change
from allmende.domain.retention import Retention
from allmende.storage.postgres import PostgresEngine
from allmende.storage.retention import RetentionWork
from allmende.storage.sqlite import SqliteEngine
from allmende.web.data.connections import DjangoConnections
from allmende.web.intake import now_micros
from allmende.web.office.checks import checked_profile

SECONDS = 8.0
"""After so long the page says what was found by then."""
SHOWN = 20


class Taken(NamedTuple):
    """What becomes of one stream."""

    stream: str
    gone: int
    made: int


class Preview(NamedTuple):
    """What a rule would take; ``whole`` is False where time was up before all streams were looked at."""

    streams: int
    """How many the rule holds for, of those that were looked at."""
    gone: int
    made: int
    largest: list[Taken]
    whole: bool


def preview(key: str, body: Mapping[str, Any] | None) -> Preview:
    """What the rule would take if it were in force with this body. Nothing is changed. Raises ProfileError, and
    StorageBusy where the database takes too long."""
    profile = checked_profile([Change("retention", key, body)])
    engine = PostgresEngine() if connection.vendor == "postgresql" else SqliteEngine()
    work = RetentionWork(DjangoConnections(), engine, Retention(profile.retention, profile.time_zone))
    until, now = time.monotonic() + SECONDS, now_micros()
    streams, taken, whole = 0, [], True
    for found in work.streams():
        if time.monotonic() > until:
            whole = False
            break
        if found.rule is None or found.rule.id != key:
            continue
        streams += 1
        gone, made = work.weigh(found, now)
        if gone:
            taken.append(Taken(found.facts.id, gone, made))
    taken.sort(key=lambda one: one.made - one.gone)
    return Preview(streams, sum(one.gone for one in taken), sum(one.made for one in taken), taken[:SHOWN], whole)

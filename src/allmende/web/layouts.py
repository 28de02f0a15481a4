"""What is done to the whole database over Django's connections: PostgreSQL's layouts, the years to come, recounts."""

import structlog
from django.db import connection

from allmende.domain import times
from allmende.domain.errors import StorageBusy
from allmende.storage.committer import translated
from allmende.storage.layout import Relayout, extend
from allmende.storage.postgres import PostgresEngine
from allmende.storage.recount import Recount
from allmende.storage.sqlite import SqliteEngine
from allmende.web.data.connections import DjangoConnections

_PATIENCE = 24 * 3600.0
"""Seconds for counting a few streams on SQLite: with a year of readings each it takes some, at the most."""
YEARS_AHEAD = 2
"""Years that have a part of their own before they begin: forecasts and the turn of the year find it."""

log = structlog.get_logger("allmende.worker")


def relayout() -> Relayout:
    """What changes the layout of the house's database."""
    return Relayout(DjangoConnections())


def recount() -> Recount:
    """What sets right what is known of each stream."""
    patient = DjangoConnections(seconds=_PATIENCE)
    if connection.vendor == "postgresql":
        # Inside of a transaction it has no time limit, and to read keeps nobody waiting.
        return Recount(patient, PostgresEngine(), looking=patient.writing)
    return Recount(patient, SqliteEngine())


def prepare_years(now: int) -> None:
    """Make parts for the years to come where they are missing. ``now`` in microseconds."""
    engine = PostgresEngine()
    try:
        with translated(engine), DjangoConnections().writing() as raw:
            made = extend(engine.wrap(raw), times.to_datetime(now).year + YEARS_AHEAD)
    except StorageBusy as error:
        log.info("parts for the years to come have to wait", error=str(error))
        return
    if made:
        log.info("made parts for the years to come", years=made)

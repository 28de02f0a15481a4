"""PostgreSQL's layouts over Django's connections, and the years to come."""

import structlog

from allmende.domain import times
from allmende.domain.errors import StorageBusy
from allmende.storage.committer import translated
from allmende.storage.layout import Relayout, extend
from allmende.storage.postgres import PostgresEngine
from allmende.web.data.connections import DjangoConnections

YEARS_AHEAD = 2
"""Years that have a part of their own before they begin: forecasts and the turn of the year find it."""

log = structlog.get_logger("allmende.worker")


def relayout() -> Relayout:
    """What changes the layout of the house's database."""
    return Relayout(DjangoConnections())


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

"""Tidies up: what was kept for a time goes when the time is over."""

from collections.abc import Callable
from datetime import timedelta

import structlog
from django.contrib.sessions.backends.db import SessionStore
from django.utils import timezone

from allmende.domain.store import Store
from allmende.domain.times import DAY, HOUR
from allmende.web.accounts.enrolment import prune as prune_accounts
from allmende.web.accounts.models import AUDIT_DAYS, AuditEntry
from allmende.web.accounts.sessions import prune as prune_sessions
from allmende.web.alerts.keeping import prune as prune_alerts
from allmende.web.boards.models import Board
from allmende.web.config import Config
from allmende.web.downloads.orders import prune as prune_downloads
from allmende.web.feedback.models import Message
from allmende.web.grants.models import Grant
from allmende.web.layouts import prepare_years
from allmende.web.making.uploads import prune as prune_makings
from allmende.web.office.files import prune as prune_files
from allmende.web.persons.marks import prune_marks
from allmende.web.persons.models import PersonRequest
from allmende.web.persons.parcels import prune as prune_parcels
from allmende.web.reads.notes import write_entries
from allmende.web.sql.models import SavedQuery
from allmende.web.sql.stale import prune as prune_answers

SECONDS = 300.0
"""Between two rounds; what is rejected meanwhile may pass the limit of bytes for so long."""

log = structlog.get_logger("allmende.worker")


def tidy_up(store: Store, config: Config, now: int) -> None:
    """Notes of reads into the audit log; rejections by age and size, audit log and changes by age, sessions and
    unfinished sources that are over, files of drafts that are gone. ``now`` in microseconds.

    Each by itself: what cannot be done now is done at the next round, and keeps nothing else.
    """
    done = {}
    for what, tidy in _work(store, config, now).items():
        try:
            done[what] = tidy() or 0
        except Exception:  # whatever it is: a fault of one must not let all that comes behind it pile up
            log.exception("could not tidy up", what=what)
    gone, entries, lines = (done.get(what, 0) for what in ("rejections", "audit log", "change log"))
    if gone or entries or lines:
        log.info("tidied up", rejections=gone, audit_entries=entries, changes=lines)


def _work(store: Store, config: Config, now: int) -> dict[str, Callable[[], int | None]]:
    """What is to be done, in this order; some tell how many went.

    Who deleted an observation stands in the change log alone, and is kept as long as the audit log.
    """
    today = timezone.now()
    return {
        "rejections": lambda: store.prune_rejections(
            older_than=now - round(config.rejection_days * DAY),
            keep_bytes=config.rejection_bytes,
            source_bytes=config.rejection_source_bytes,
            source_count=config.rejection_source_count,
        ),
        "notes of reads": lambda: write_entries(today),
        "audit log": lambda: AuditEntry.objects.prune(today - timedelta(days=AUDIT_DAYS)),
        "sessions": SessionStore.clear_expired,
        "places of sessions": prune_sessions,
        "accounts": prune_accounts,
        "messages": Message.prune,
        "unfinished sources": prune_makings,
        "grants": Grant.prune,
        "alerts": lambda: prune_alerts(today, config.alert_days),
        "dashboards": Board.prune,
        "requests of persons": PersonRequest.prune,
        "files for persons": prune_parcels,
        "marks of erasures": prune_marks,
        "ordered files": prune_downloads,
        "kept questions": SavedQuery.prune,
        "kept answers": prune_answers,
        "files of drafts": lambda: prune_files(today - timedelta(days=1)),
        "years to come": lambda: prepare_years(now) if config.postgres else None,
        "change log": lambda: store.prune_logs(
            read_before=now - HOUR,
            before=now - round(config.follow_days * DAY),
            deletions_before=now - AUDIT_DAYS * DAY,
        ),
    }

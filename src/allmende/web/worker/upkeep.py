"""Tidies up: what was kept for a time goes when the time is over."""

from datetime import timedelta

import structlog
from django.contrib.sessions.backends.db import SessionStore
from django.utils import timezone

from allmende.domain.store import Store
from allmende.domain.times import DAY, HOUR
from allmende.web.accounts.enrolment import prune as prune_accounts
from allmende.web.accounts.models import AUDIT_DAYS, AuditEntry
from allmende.web.accounts.sessions import prune as prune_sessions
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

SECONDS = 300.0
"""Between two rounds; what is rejected meanwhile may pass the limit of bytes for so long."""

log = structlog.get_logger("allmende.worker")


def tidy_up(store: Store, config: Config, now: int) -> None:
    """Notes of reads into the audit log; rejections by age and size, audit log and changes by age, sessions and
    unfinished sources that are over, files of drafts that are gone. ``now`` in microseconds.

    Who deleted an observation stands in the change log alone, and is kept as long as the audit log.
    """
    gone = store.prune_rejections(
        older_than=now - round(config.rejection_days * DAY),
        keep_bytes=config.rejection_bytes,
        source_bytes=config.rejection_source_bytes,
        source_count=config.rejection_source_count,
    )
    write_entries(timezone.now())
    entries = AuditEntry.objects.prune(timezone.now() - timedelta(days=AUDIT_DAYS))
    SessionStore.clear_expired()
    prune_sessions()
    prune_accounts()
    Message.prune()
    prune_makings()
    Grant.prune()
    PersonRequest.prune()
    prune_parcels()
    prune_marks()
    prune_downloads()
    prune_files(timezone.now() - timedelta(days=1))
    if config.postgres:
        prepare_years(now)
    lines = store.prune_logs(
        read_before=now - HOUR,
        before=now - round(config.follow_days * DAY),
        deletions_before=now - AUDIT_DAYS * DAY,
    )
    if gone or entries or lines:
        log.info("tidied up", rejections=gone, audit_entries=entries, changes=lines)

"""Keeps notes of reads: that somebody read a dataset in an hour is durable before they get the answer; how often they
did is counted in memory, and written down once a minute and when the process ends."""

import threading
from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime, timedelta
from multiprocessing.util import Finalize

import structlog
from django.db import DatabaseError, close_old_connections, connection, transaction
from django.db.models import F
from django.utils import timezone

from allmende.domain.errors import StorageBusy
from allmende.web.accounts.audit import record
from allmende.web.reads.models import ReadNote

SECONDS = 60.0
"""Between two times at which counts are written down: so many of them a kill takes with it."""
GRACE = timedelta(minutes=10)
"""So long after its end an hour is written into the audit log: by then every process has written its counts."""
_PART = 500

Key = tuple[str, str, datetime]
log = structlog.get_logger("allmende.reads")


class Notes:
    """Of one process. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: dict[Key, list[int]] = {}
        self._noted: set[Key] = set()
        self._thread: threading.Thread | None = None

    def note(self, reader: str, datasets: Iterable[str], *, conditions: Iterable[str] = ()) -> None:
        """Somebody gets an answer that holds something of ``datasets``, and that hangs on what may lie in others.

        Raises StorageBusy where it cannot be written down: then nobody may get the answer.
        """
        hour = timezone.now().replace(minute=0, second=0, microsecond=0)
        held = set(datasets)
        told = {(reader, dataset, hour): (1, 0) for dataset in held}
        told |= {(reader, dataset, hour): (0, 1) for dataset in conditions if dataset not in held}
        if not told:
            return
        fresh = [key for key in told if key not in self._noted]
        if fresh:
            self._write(fresh)
        with self._lock:
            for key, (answers, hanging) in told.items():
                count = self._counts.setdefault(key, [0, 0])
                count[0] += answers
                count[1] += hanging

    def _write(self, keys: list[Key]) -> None:
        rows = [ReadNote(reader=reader, dataset=dataset, hour=hour) for reader, dataset, hour in keys]
        try:
            with transaction.atomic():
                ReadNote.objects.bulk_create(rows, ignore_conflicts=True)
        except DatabaseError as error:
            raise StorageBusy("who reads what is not open has to be written down, and cannot be now") from error
        # Inside of a transaction that is taken back the note goes with it, and so does what was read.
        transaction.on_commit(lambda: self._remember(keys))

    def _remember(self, keys: list[Key]) -> None:
        with self._lock:
            self._noted = {key for key in self._noted if key[2] >= keys[0][2] - timedelta(hours=1)} | set(keys)

    def flush(self) -> None:
        """Write down what was counted. What cannot be written is kept for the next time."""
        with self._lock:
            counts, self._counts = self._counts, {}
        if not counts:
            return
        try:
            with transaction.atomic():
                for (reader, dataset, hour), (answers, hanging) in counts.items():
                    one = ReadNote.objects.filter(reader=reader, dataset=dataset, hour=hour)
                    if not one.update(answers=F("answers") + answers, conditions=F("conditions") + hanging):
                        ReadNote.objects.create(
                            reader=reader, dataset=dataset, hour=hour, answers=answers, conditions=hanging
                        )
        except DatabaseError as error:
            log.warning("counts of reads could not be written down", error=str(error))
            with self._lock:
                for key, (answers, hanging) in counts.items():
                    count = self._counts.setdefault(key, [0, 0])
                    count[0] += answers
                    count[1] += hanging

    def keep(self) -> None:
        """Write counts down each minute from now on, and when this process ends. Once a process."""
        if self._thread is not None:
            return
        self._thread = threading.Thread(target=self._run, name="reads", daemon=True)
        self._thread.start()
        # Not atexit: the web server's processes are multiprocessing's, which end without it.
        Finalize(None, self._last, exitpriority=10)

    def _run(self) -> None:
        wait = threading.Event()
        while not wait.wait(SECONDS):
            try:
                close_old_connections()
                self.flush()
            except Exception:  # whatever it was: a thread that has died would count nothing until the next start
                log.exception("counts of reads were not written down")

    def _last(self) -> None:
        with suppress(Exception):  # the process ends; the database may be gone before it
            self.flush()
            connection.close()


notes = Notes()
"""This process's."""


def write_entries(now: datetime) -> int:
    """One ``data.read`` in the audit log for each reader, dataset and hour that is over, in place of its note; gives
    how many."""
    before = now.replace(minute=0, second=0, microsecond=0) - timedelta(hours=1)
    if now - before - timedelta(hours=1) < GRACE:
        before -= timedelta(hours=1)
    total = 0
    while True:
        with transaction.atomic():
            due = list(
                ReadNote.objects.select_for_update().filter(hour__lte=before).order_by("hour", "reader", "pk")[:_PART]
            )
            ReadNote.objects.filter(pk__in=[each.pk for each in due]).delete()
            for each in due:
                counted = {"answers": each.answers, "conditions": each.conditions}
                record(each.reader, "data.read", f"dataset:{each.dataset}", hour=each.hour.isoformat(), **counted)
        total += len(due)
        if len(due) < _PART:
            return total

"""One thread for each thing to be asked for, so that a slow or failing source does not slow another."""

import threading
import time
from collections.abc import Iterator

import msgspec
import structlog
from django.db import close_old_connections

from allmende.connectors.fetching import without_secrets
from allmende.domain.addresses import hide_secrets
from allmende.domain.batch import Receipt
from allmende.domain.connector import Payload
from allmende.domain.errors import AllmendeError
from allmende.domain.framing import frames, framing_of
from allmende.domain.times import SECOND, parse_duration
from allmende.web.intake import Intake
from allmende.web.sources import PreparedSource
from allmende.web.worker.pauses import pause_after
from allmende.web.worker.pull import Puller
from allmende.web.worker.trouble import in_words

_DESCRIPTION_SECONDS = 24 * 3600.0

log = structlog.get_logger("allmende.worker")


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """Something to be asked for again and again. An empty address: the connector fetches by itself."""

    source: PreparedSource
    address: str
    seconds: float
    main: bool = True
    """Whether it tells how the source fares; a description beside the data does not."""


def tasks(intake: Intake) -> list[Task]:
    """What the city's sources want: those that are switched on and that have an interval."""
    found = []
    for prepared in intake.sources.values():
        connector = prepared.connector
        if not prepared.profile.enabled or connector is None or not prepared.pulls:
            continue
        seconds = parse_duration(prepared.profile.interval) / SECOND
        address = "" if connector.fetch else prepared.source.address
        found.append(Task(source=prepared, address=address, seconds=seconds))
        description = prepared.source.settings.get("description_address")
        if isinstance(description, str) and description:
            found.append(Task(source=prepared, address=description, seconds=_DESCRIPTION_SECONDS, main=False))
    return found


class Job(threading.Thread):
    """Asks for one task until ``stop`` is set."""

    def __init__(self, task: Task, intake: Intake, stop: threading.Event, puller: Puller | None = None) -> None:
        super().__init__(name=f"job-{task.source.source.id}", daemon=True)
        self.task = task
        self._intake = intake
        self._stop_event = stop
        self._puller = puller
        self._error = ""
        self._failures = 0

    def run(self) -> None:
        """Ask, wait, ask again. Nothing that goes wrong ends it."""
        while not self._stop_event.is_set():
            began = time.monotonic()
            try:
                error = self.ask()
            except Exception:  # the database may be away, too; the thread is needed when it is back
                log.exception("a source could not be asked", source=self.task.source.source.id)
                error = "it could not be asked"
            self._failures = self._failures + 1 if error else 0
            spent = 0.0 if error else time.monotonic() - began
            self._stop_event.wait(max(0.05, pause_after(self._failures, self.task.seconds) - spent))
        if self._puller is not None:
            self._puller.close()

    def ask(self) -> str:
        """Ask once, and note how it went. Gives the error in words, or ""."""
        task = self.task
        close_old_connections()
        try:
            error = _judge(self._take())
        except Exception as trouble:  # a connector's code and a stranger's server: whatever it is, it is asked again
            if self._stop_event.is_set():
                return ""
            error = without_secrets(task.source.source, in_words(trouble, task.address))
            if not isinstance(trouble, AllmendeError | OSError) and "connector failed" in error:
                log.exception("a connector raised", source=task.source.source.id)
        self._tell(error)
        try:
            if task.main:
                self._intake.store.note_attempt(task.source.source.id, self._intake.clock(), error)
        except AllmendeError as trouble:
            log.warning("the state of a source could not be noted", source=task.source.source.id, error=str(trouble))
        finally:
            close_old_connections()
        return error

    def _take(self) -> Receipt:
        task, connector = self.task, self.task.source.usable()
        source = task.source.source
        if not task.address and connector.fetch is not None:
            known = self._intake.store.sources().get(source.id)
            payloads = connector.fetch(source, now=self._intake.clock(), since=known.newest if known else None)
            return self._intake.take_all(source.id, self._until_stop(iter(payloads)))
        if self._puller is None:  # here, since a variable that is missing is the source's trouble, told like others
            config = self._intake.config
            told = {"total_seconds": config.pull_seconds, "max_bytes": config.pull_bytes, "folder": config.home}
            self._puller = Puller(source, **told)
        body = self._puller.get(task.address)
        if body is None:
            return Receipt()
        framing = framing_of(connector.manifest.framing, source.settings)
        with body:
            cut = frames(body, framing=framing, name=task.address, received_at=self._intake.clock())
            receipt = self._intake.take_all(source.id, cut)
        self._puller.done(task.address)
        return receipt

    def _until_stop(self, payloads: Iterator[Payload]) -> Iterator[Payload]:
        for payload in payloads:
            if self._stop_event.is_set():
                # Not the end: what comes no more must not be taken for gone.
                raise InterruptedError("the worker is to stop")
            yield payload

    def _tell(self, error: str) -> None:
        """Log a change of state, not each attempt."""
        source, address = self.task.source.source.id, hide_secrets(self.task.address)
        if error and error != self._error:
            log.warning("a source fails", source=source, address=address, error=error)
        elif self._error and not error:
            log.info("a source works again", source=source, address=address)
        self._error = error


def _judge(receipt: Receipt) -> str:
    """What came, but could not be read at all, is an error too."""
    if receipt.rejected and receipt.rejected == receipt.read:
        return (
            f"Nothing of what came could be read ({receipt.rejected} rejected); `allmende rejections list` shows why."
        )
    return ""

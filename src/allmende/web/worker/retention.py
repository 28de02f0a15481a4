"""The thread that applies the city's rules of retention once an hour, and at once where the disk's floor comes near."""

import threading
import time

import structlog
from django.utils import timezone

from allmende.domain.profile import Profile
from allmende.domain.retention import listed
from allmende.web.accounts.audit import record
from allmende.web.config import Config
from allmende.web.intake import now_micros
from allmende.web.retention import SECONDS, apply, retention_work, warn_of_disk
from allmende.web.worker.rounds import Rounds

_LOOK_SECONDS = 60.0
"""Between two looks at the disk."""

log = structlog.get_logger("allmende.retention")


def _rules_of_people(profile: Profile) -> dict[str, str]:
    """Rules by which data about people are deleted, each with its dataset (of several: the first)."""
    of_people = [name for name, dataset in profile.datasets.items() if dataset.personal is not None]
    found = {}
    for rule in profile.retention.values():
        named = [name for name in listed(rule.dataset) if name in of_people]
        if named:
            found[rule.id] = named[0]
    return found


class RetentionThread(Rounds):
    """Round after round. It writes a little at a time: whoever takes readings in does not wait for it."""

    def __init__(self, profile: Profile, config: Config, stop: threading.Event, *, due: float = float("-inf")) -> None:
        """``due``: when to begin, by the monotonic clock."""
        super().__init__("retention", stop)
        self._work = retention_work(profile)
        self._config = config
        self.due = due
        self._warned = False
        self._personal = _rules_of_people(profile)
        self._forgotten: dict[str, int] = {}
        self._day = timezone.localdate()

    def turn(self) -> float:
        """One round; each piece is committed or taken back whole."""
        self.round()
        return _LOOK_SECONDS

    def end(self) -> None:
        """Say what was deleted since it was last said."""
        self._tell_of_people()

    def _tell_of_people(self) -> None:
        """That data about people were deleted in time stands in the audit log: once a day for each rule, and at the
        end of this thread."""
        told, self._forgotten, self._day = self._forgotten, {}, timezone.localdate()
        for rule, gone in told.items():
            record("house:worker", "retention.personal", f"dataset:{self._personal[rule]}", rule=rule, gone=gone)

    def round(self) -> None:
        """Look at the disk, and do what is due."""
        warning = warn_of_disk(self._config)
        if warning and not self._warned:
            log.warning("the disk is nearly full", words=warning)
            self.due = float("-inf")
        self._warned = bool(warning)
        if time.monotonic() < self.due:
            return
        # Also where it fails: what it stumbles over is there a minute later, too.
        self.due = time.monotonic() + SECONDS
        done = apply(self._work, now_micros(), self._stop_event)
        for one in done:
            if one.rule in self._personal:
                self._forgotten[one.rule] = self._forgotten.get(one.rule, 0) + one.gone
        if timezone.localdate() != self._day:
            self._tell_of_people()
        if done:
            gone, made = sum(one.gone for one in done), sum(one.made for one in done)
            log.info("retention was applied", streams=len(done), gone=gone, made=made)

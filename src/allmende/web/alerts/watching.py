"""The thread that watches: readings that are committed and the clock move alerts."""

import threading

import structlog

from allmende.domain.policy import house_reader
from allmende.domain.profile import Profile
from allmende.domain.store import Store
from allmende.knowledge.alerts.prepare import prepare_alerts
from allmende.knowledge.alerts.watch import FOLLOWER, Overtaken, Progress, Watcher
from allmende.web.alerts.ledger import DjangoLedger
from allmende.web.config import Config
from allmende.web.intake import now_micros
from allmende.web.observability.metrics import ALERT_FAILURES, ALERTS
from allmende.web.rules import limits_of
from allmende.web.worker.rounds import Rounds

READER = house_reader("alerts")

log = structlog.get_logger("allmende.alerts")


class AlertsThread(Rounds):
    """Follows the change log."""

    def __init__(self, store: Store, profile: Profile, config: Config, stop: threading.Event) -> None:
        super().__init__("alerts", stop)
        prepared = prepare_alerts(profile)
        for alert, problem in prepared.errors.items():
            log.warning("an alert is not in order", alert=alert, problem=str(problem))
        ledger = DjangoLedger(
            store, READER, profile, now_micros, mqtt=config.embedded_broker or bool(config.broker_url)
        )
        self._watcher = Watcher(
            store, prepared.alerts, READER, now_micros, ledger,
            zone=profile.time_zone, limits=limits_of(config), stop=stop,
        )  # fmt: skip
        self._begun = False
        self._told: dict[str, str] = {}

    def turn(self) -> float:
        """One step. Where it fails nothing was committed, and it begins again with what was kept."""
        try:
            if not self._begun:
                self._watcher.begin()
                self._begun = True
            progress = self._watcher.step()
        except Overtaken:
            self._begun = False
            return 0.0
        except Exception:
            self._begun = False  # what is remembered may not be what is kept
            raise
        self._note(progress)
        return 0.0 if progress.changes else min(_PAUSE, self._watcher.pause())

    def _note(self, progress: Progress) -> None:
        for event in progress.events:
            ALERTS.labels(event.pair[0], event.move.kind).inc()
            log.info("an alert moved", alert=event.pair[0], key=event.pair[1], kind=event.move.kind)
        for alert, problem in progress.failed.items():
            ALERT_FAILURES.labels(alert).inc()
            self._tell_once(alert, problem, "an alert could not be judged")
        for problem in self._watcher.surroundings.problems:
            self._tell_once(problem, problem, "a stream is not watched by an alert")

    def _tell_once(self, name: str, problem: str, words: str) -> None:
        if self._told.get(name) != problem:
            self._told[name] = problem
            log.warning(words, problem=problem)


_PAUSE = 0.15


def is_watched(profile: Profile, store: Store) -> bool:
    """Whether there are alerts, or were: what lasts has to end, and the log is kept for whoever followed it."""
    return any(alert.enabled for alert in profile.alerts.values()) or store.cursor(FOLLOWER) is not None

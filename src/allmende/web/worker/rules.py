"""The thread that keeps derived streams true. It reads what was committed and writes a little at a time: whoever takes
readings in does not wait for it."""

import threading

import structlog

from allmende.domain.profile import Profile
from allmende.domain.store import Store
from allmende.knowledge.follow import Follower, Overtaken, Progress
from allmende.knowledge.prepare import prepare_rules
from allmende.web.config import Config
from allmende.web.intake import now_micros
from allmende.web.observability.metrics import RULE_ACTIONS, RULE_FAILURES, RULE_VALUES
from allmende.web.retention import Edges
from allmende.web.rules import RULES, AuditJournal, limits_of
from allmende.web.worker.rounds import Rounds

_PAUSE = 0.5

log = structlog.get_logger("allmende.rules")


class RulesThread(Rounds):
    """Follows the change log."""

    trouble_seconds = 10.0

    def __init__(self, store: Store, profile: Profile, config: Config, stop: threading.Event) -> None:
        super().__init__("rules", stop)
        prepared = prepare_rules(profile)
        for rule, problem in prepared.problems.items():
            log.warning("a rule is not in order", rule=rule, problem=problem)
        self.rules = prepared.rules
        self._follower = Follower(
            store,
            prepared.rules,
            RULES,
            now_micros,
            limits=limits_of(config),
            stop=stop,
            journal=AuditJournal(),
            edges=Edges(profile),
        )
        self._begun = False
        self._told: dict[str, str] = {}

    def turn(self) -> float:
        """One step. Where it fails nothing was committed, and it is tried again."""
        try:
            if not self._begun:
                self._follower.begin()
                self._begun = True
            progress = self._follower.step()
        except Overtaken:
            return 0.0
        self._note(progress)
        return 0.0 if progress.changes else _PAUSE

    def _note(self, progress: Progress) -> None:
        """Count, and log what is new: not the same trouble with each reading."""
        if progress.evaluated:
            RULE_VALUES.inc(progress.evaluated)
        for deed in progress.deeds:
            RULE_ACTIONS.labels(deed.rule, deed.action, deed.fate).inc()
            if deed.fate in ("limited", "refused"):
                key, told = f"{deed.rule}/{deed.action}", f"{deed.fate}: {deed.reason}"
                if self._told.get(key) != told:
                    self._told[key] = told
                    log.warning("an action of a rule was not done", action=key, problem=told)
        for rule, problem in progress.failed.items():
            RULE_FAILURES.labels(rule).inc()
            if self._told.get(rule) != problem:
                self._told[rule] = problem
                log.warning("a rule could not be evaluated", rule=rule, problem=problem)
        for problem in self._follower.problems:
            if problem not in self._told:
                self._told[problem] = problem
                log.warning("a stream is not read by a rule", problem=problem)

"""The thread of the worker that works the past of rules out anew, one run after the other, as was asked in the browser.

It works in the worker since the worker's rules are those in force. A run whose worker was ended is begun again by the
next one: what was not swapped in has left no trace.
"""

import threading
from datetime import datetime

import structlog
from django.utils import timezone

from allmende.domain.batch import Receipt
from allmende.domain.errors import AllmendeError, InvalidInput
from allmende.domain.profile import Profile
from allmende.domain.store import Store
from allmende.domain.times import from_datetime
from allmende.knowledge.prepare import Rule, prepare_rules
from allmende.knowledge.rerun import run_again
from allmende.web.accounts.audit import record
from allmende.web.accounts.models import User
from allmende.web.config import Config
from allmende.web.intake import now_micros
from allmende.web.rulebook.models import DONE, FAILED, RUNNING, WAITING, RuleRun
from allmende.web.rules import RULES, limits_of
from allmende.web.worker.rounds import Rounds

_PAUSE = 2.0

log = structlog.get_logger("allmende.rules")


def ask(rule: str, start: datetime, end: datetime, by: User) -> RuleRun:
    """Ask the worker for a run. The same again, while it waits, is the one that waits."""
    waiting = RuleRun.objects.filter(rule=rule, start=start, end=end, state=WAITING).first()
    if waiting is not None:
        return waiting
    run = RuleRun.objects.create(rule=rule, start=start, end=end, asker=by)
    record(_name(by), "rule.run.ask", f"rule:{rule}", start=start.isoformat(), end=end.isoformat())
    return run


class RunsThread(Rounds):
    """One run after the other; one that stumbled is tried again."""

    def __init__(self, store: Store, profile: Profile, config: Config, stop: threading.Event) -> None:
        super().__init__("rule-runs", stop)
        self._store = store
        self._config = config
        self._prepared = prepare_rules(profile)

    def turn(self) -> float:
        """The next one."""
        return 0.0 if self.step() else _PAUSE

    def step(self) -> bool:
        """Do the next run that waits; whether there was one."""
        # What another worker had begun was not swapped in: it would be done.
        found = RuleRun.objects.filter(state__in=(WAITING, RUNNING)).select_related("asker").order_by("asked").first()
        if found is None:
            return False
        RuleRun.objects.filter(pk=found.pk).update(state=RUNNING)
        try:
            self._work(found)
        except AllmendeError as error:
            RuleRun.objects.filter(pk=found.pk).update(state=FAILED, over=timezone.now(), fault=str(error)[:1000])
            log.warning("a run of a rule failed", rule=found.rule, problem=str(error))
        return True

    def _work(self, run: RuleRun) -> None:
        rule = self._rule(run.rule)

        def note(receipt: Receipt) -> None:
            """In the transaction of the swap: a run is done, or it has left no trace."""
            told = {
                "given": receipt.accepted,
                "corrected": receipt.corrected,
                "gone": receipt.gone,
                "unchanged": receipt.repeated,
            }
            RuleRun.objects.filter(pk=run.pk).update(state=DONE, over=timezone.now(), version=rule.edition, **told)
            span = {"start": run.start.isoformat(), "end": run.end.isoformat()}
            record(_name(run.asker), "rule.run", f"rule:{rule.id}", version=rule.edition, **span, **told)

        run_again(
            self._store,
            RULES,
            rule,
            from_datetime(run.start),
            from_datetime(run.end),
            now_micros,
            limits_of(self._config),
            most=self._config.rule_run_values,
            tell=self._go_on,
            beside=note,
        )

    def _go_on(self, _: int) -> None:
        if self._stop_event.is_set():
            raise _Stopped

    def _rule(self, name: str) -> Rule:
        if name in self._prepared.problems:
            raise InvalidInput(self._prepared.problems[name])
        for rule in self._prepared.rules:
            if rule.id == name:
                return rule
        raise InvalidInput(f'there is no rule "{name}" that is switched on')


class _Stopped(Exception):
    """The worker ends: the run stays to be done."""


def _name(user: User | None) -> str:
    return f"user:{user.get_username()}" if user else "user:gone"

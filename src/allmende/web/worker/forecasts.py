"""The thread that looks after the city's forecasts: judges what has come, issues what is due, and lets one at a time
learn anew, in a process of its own."""

import threading
from collections.abc import Callable
from datetime import timedelta

import structlog

from allmende.domain.errors import AllmendeError
from allmende.domain.profile import Profile
from allmende.domain.store import Store
from allmende.domain.times import to_datetime
from allmende.web.config import Config
from allmende.web.forecasts.desk import Desk, forget
from allmende.web.forecasts.folder import drop
from allmende.web.forecasts.lesson import Lesson
from allmende.web.intake import now_micros
from allmende.web.worker.rounds import Rounds

_PAUSE = 5.0
_REMEMBERED = timedelta(days=400)

log = structlog.get_logger("allmende.forecasts")


class ForecastsThread(Rounds):
    """Turn after turn."""

    trouble_seconds = 30.0

    def __init__(
        self, store: Store, profile: Profile, config: Config, stop: threading.Event,
        *, clock: Callable[[], int] = now_micros,
    ) -> None:  # fmt: skip
        super().__init__("forecasts", stop)
        self._store, self._profile, self._config, self._clock = store, profile, config, clock
        self._desks: list[Desk] | None = None
        self._lesson: tuple[Desk, Lesson] | None = None

    def turn(self) -> float:
        """What is due now."""
        if self._desks is None:
            wanted = [forecast for forecast in self._profile.forecasts.values() if forecast.enabled]
            forget(set(self._profile.forecasts), self._config, to_datetime(self._clock()) - _REMEMBERED)
            self._desks = [Desk(self._store, self._profile, forecast, self._config) for forecast in wanted]
        self._look_at_lesson()
        for desk in self._desks:
            if self._stop_event.is_set():
                break
            self._serve(desk)
        return _PAUSE

    def end(self) -> None:
        """Nobody takes what would still be learned."""
        if self._lesson is not None:
            self._lesson[1].end()
            drop(self._lesson[1].folder)

    def _look_at_lesson(self) -> None:
        if self._lesson is None:
            return
        desk, lesson = self._lesson
        outcome = lesson.look()
        if outcome is not None:
            self._lesson = None
            desk.end_lesson(lesson, outcome, self._clock())

    def _serve(self, desk: Desk) -> None:
        now = self._clock()
        desk.judge_runs(now)
        if desk.run_is_due(now):
            try:
                desk.issue_run(now)
            except AllmendeError as error:
                desk.note_trouble(now, str(error))
        if self._lesson is None and desk.lesson_is_due(now):
            lesson = desk.begin_lesson(now)
            if lesson is not None:
                self._lesson = desk, lesson

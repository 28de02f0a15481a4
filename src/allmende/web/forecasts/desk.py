"""One forecast's work: begin to learn, take what was learned, issue runs, judge them. Each step is short, but for what
it reads; learning is :mod:`.lesson`'s. The clock is given by whoever calls."""

from collections.abc import Mapping
from datetime import datetime
from hashlib import blake2b
from zoneinfo import ZoneInfo

import msgspec
import structlog
from django.db import transaction
from django.db.models import F

from allmende.domain.errors import AllmendeError, InvalidInput
from allmende.domain.forecasts import ForecastProfile
from allmende.domain.policy import house_reader
from allmende.domain.profile import Profile
from allmende.domain.store import Store
from allmende.domain.times import HOUR, MINUTE, from_datetime, parse_duration, to_datetime
from allmende.knowledge.forecasts.drift import Change
from allmende.knowledge.forecasts.hits import HitRate, Tally, followed, judge
from allmende.knowledge.forecasts.keeping import write_run
from allmende.knowledge.forecasts.learning import Task, history_start
from allmende.knowledge.forecasts.model import FORM, Model
from allmende.knowledge.forecasts.reading import Setting, Target, calendar_days, find_targets, read_panel
from allmende.knowledge.forecasts.run import LOOKBACK, Line, issue
from allmende.web.config import Config
from allmende.web.forecasts import folder
from allmende.web.forecasts.leaving import without_left_out
from allmende.web.forecasts.lesson import BROKEN, LITTLE, Lesson, Outcome
from allmende.web.forecasts.models import Pending, Score, State
from allmende.web.forecasts.standing import changes_of, hit_rates, plain, standing_of, standings

WRITER = house_reader("forecasts")
STALE_TIMES = 7
"""A model that is older than so many times the span after which it should have learned anew is not used."""
_FIRST_PAUSE = 10 * MINUTE
_LATE = 10 * MINUTE
"""How long readings may be on their way before a run is judged without them."""
_JUDGED_AT_ONCE = 2_000

log = structlog.get_logger("allmende.forecasts")


def digest_of(forecast: ForecastProfile, profile: Profile) -> str:
    """Another one where what was learned is of no use any more."""
    said = msgspec.to_builtins(forecast)
    for name in ("title", "description", "enabled", "every", "train"):
        del said[name]
    body = msgspec.json.encode(
        [FORM, said, profile.time_zone, profile.country, profile.calendar], order="deterministic"
    )
    return blake2b(body, digest_size=12).hexdigest()


def setting_of(profile: Profile, config: Config) -> Setting:
    """What the city and the operator say of all forecasts."""
    return Setting(
        zone=profile.time_zone,
        country=profile.country,
        calendar=profile.calendar,
        most_streams=config.forecast_streams,
    )


class Desk:
    """Used by one thread."""

    def __init__(self, store: Store, profile: Profile, forecast: ForecastProfile, config: Config) -> None:
        self.forecast = forecast
        self._store, self._profile, self._config = store, profile, config
        self._setting = setting_of(profile, config)
        self._digest = digest_of(forecast, profile)
        self._zone = ZoneInfo(profile.time_zone)
        self._model = folder.newest(config, forecast.id, self._digest, threads=1)
        self._told = ""

    @property
    def model(self) -> Model | None:
        """What was last learned."""
        return self._model

    def state(self) -> State:
        """How it stands; begun anew where the definition is another one."""
        state, _ = State.objects.get_or_create(forecast=self.forecast.id, defaults={"digest": self._digest})
        if state.digest != self._digest:
            with transaction.atomic():
                Pending.objects.filter(forecast=self.forecast.id).delete()
                Score.objects.filter(forecast=self.forecast.id).delete()
                state.delete()
                state = State.objects.create(forecast=self.forecast.id, digest=self._digest)
        return state

    # --- learning ---

    def lesson_is_due(self, now: int) -> bool:
        """Whether it is time to learn (anew); after a failure it is waited longer and longer."""
        state = self.state()
        tried = from_datetime(state.tried) if state.tried else None
        if tried is not None and state.failures:
            pause = min(_FIRST_PAUSE * 2 ** min(state.failures - 1, 12), parse_duration(self.forecast.train))
            return now >= tried + max(pause, HOUR if state.reason == LITTLE else 0)
        return self._model is None or now >= self._model.said.trained + parse_duration(self.forecast.train)

    def begin_lesson(self, now: int) -> Lesson | None:
        """Lay down what there is to learn from, and begin; None where that is nothing. Raises AllmendeError."""
        state = self.state()
        state.tried = to_datetime(now)
        state.save(update_fields=["tried"])
        forecast = self.forecast
        try:
            targets = find_targets(self._store, forecast, self._setting)
            if not targets:
                raise InvalidInput("there is no such stream in the dataset, or none that gives numbers")
            known = [target.first for target in targets if target.first is not None]
            start = max(history_start(now, parse_duration(forecast.history)), min(known, default=now))
            panel = without_left_out(read_panel(self._store, forecast, targets, self._setting, start, now))
        except AllmendeError as error:
            self.end_lesson(None, Outcome(LITTLE if isinstance(error, InvalidInput) else BROKEN, error.message), now)
            return None
        task = Task(
            forecast=forecast.id,
            digest=self._digest,
            steps=forecast.steps,
            interval=forecast.interval,
            now=now,
            # Where the whole was too much and there is nothing else, the simple candidates are judged alone.
            without="limits" if state.failures and state.reason != LITTLE and self._is_stale(now) else "",
            rows=self._config.forecast_rows,
            threads=self._config.forecast_threads,
            apart=forecast.apart,
            drifts=forecast.drifts,
            hours=forecast.counting_hours,
            least=tuple(forecast.least),
        )
        end = panel.start + len(panel.calendar.slot) * panel.step
        days = {"zone": self._profile.time_zone, **calendar_days(self._setting, panel.start, end)}
        return Lesson(folder.workshop(self._config, forecast.id), panel, task, days, self._config)

    def end_lesson(self, lesson: Lesson | None, outcome: Outcome, now: int) -> None:
        """Take what was learned, or remember why nothing was."""
        state = self.state()
        if lesson is not None and not outcome.reason:
            try:
                folder.settle(self._config, self.forecast.id, lesson.folder)
                self._model = folder.newest(self._config, self.forecast.id, self._digest, threads=1)
                limited = self._model is not None and self._model.said.note == "limits"
                # What was learned under limits is a stopgap: the whole is tried again after the pause.
                state.failures, state.reason, state.error = (
                    (state.failures, state.reason, state.error) if limited else (0, "", "")
                )
                state.save()
                log.info(
                    "a forecast was learned",
                    forecast=self.forecast.id,
                    seconds=self._model and self._model.said.seconds,
                )
                return
            except InvalidInput as error:
                outcome = Outcome(BROKEN, error.message)
        if lesson is not None:
            folder.drop(lesson.folder)
        state.failures += 1
        state.reason, state.error = outcome.reason, outcome.words[:1000]
        state.save()
        log.warning(
            "a forecast was not learned", forecast=self.forecast.id, reason=outcome.reason, words=outcome.words[-300:]
        )

    def _is_stale(self, now: int) -> bool:
        age = parse_duration(self.forecast.train) * STALE_TIMES
        return self._model is None or now > self._model.said.trained + age

    # --- runs ---

    def run_is_due(self, now: int) -> bool:
        """Whether a run's time has come, counted in whole spans of ``every``."""
        every = parse_duration(self.forecast.every)
        issued = self.state().issued
        return self._model is not None and (issued is None or from_datetime(issued) // every < now // every)

    def issue_run(self, now: int) -> int:
        """Say what comes; gives of how many streams that is shown. What is not shown is judged all the same, so that
        it is shown again once it beats its reference."""
        if self._model is None or folder.newest_time(self._config, self.forecast.id) != self._model.said.trained:
            self._model = folder.newest(self._config, self.forecast.id, self._digest, threads=1)  # a command learned
        model, forecast = self._model, self.forecast
        if model is None:
            return 0
        targets = find_targets(self._store, forecast, self._setting)
        panel = without_left_out(read_panel(self._store, forecast, targets, self._setting, now - LOOKBACK, now))
        shares = {stream: one.share for stream, one in standings(self.state()).items() if one.share}
        stale = self._is_stale(now)
        lines = issue(model, panel, now, stale=stale, shares=shares, least=forecast.least) if targets else []
        rates = hit_rates(forecast.id, to_datetime(now).astimezone(self._zone).date())
        changes = changes_of(forecast.id, model, to_datetime(now).astimezone(self._zone).date())
        found = {
            line.stream: standing_of(
                model,
                line,
                rates.get(line.stream, HitRate()),
                now,
                shares.get(line.stream, forecast.interval),
                changes.get(line.stream),
            )
            for line in lines
        }
        shown = [line for line in lines if found[line.stream].shown]
        by_name = {target.stream: target for target in targets}

        def work() -> None:
            self._keep(shown, by_name, model, rates, changes, now)
            _await(forecast, lines, model, now)
            state = self.state()
            known = {stream: one for stream, one in standings(state).items() if stream in by_name}
            state.issued, state.trouble, state.lines = to_datetime(now), "", plain(known | found)
            state.save()

        self._store.together(work)
        return len(shown)

    def _keep(
        self,
        shown: list[Line],
        targets: Mapping[str, Target],
        model: Model,
        rates: Mapping[str, HitRate],
        changes: Mapping[str, Change],
        now: int,
    ) -> None:
        if shown:
            known = {stream: rate for stream, rate in rates.items() if rate.enough}
            language = self._profile.languages[0]
            write_run(
                self._store, WRITER, self.forecast, shown, targets, model, known, changes, now=now, language=language
            )

    def note_trouble(self, now: int, words: str) -> None:
        """Remember why a run was not issued; it is tried again at the next one's time."""
        State.objects.filter(forecast=self.forecast.id).update(issued=to_datetime(now), trouble=words[:1000])
        if words != self._told:
            self._told = words
            log.warning("a forecast was not issued", forecast=self.forecast.id, problem=words)

    # --- judging ---

    def judge_runs(self, now: int) -> int:
        """Judge the runs whose times have come; gives how many."""
        due = list(
            Pending.objects.filter(forecast=self.forecast.id, until__lte=now - _LATE).order_by("until")[
                :_JUDGED_AT_ONCE
            ]
        )
        if not due:
            return 0
        targets = {each.stream: each for each in find_targets(self._store, self.forecast, self._setting)}
        wanted = [targets[stream] for stream in sorted({one.stream for one in due}) if stream in targets]
        first = min(min(one.said["times"]) for one in due)
        end = max(one.until for one in due)
        panel = read_panel(self._store, self.forecast, wanted, self._setting, first, end) if wanted else None
        panel = without_left_out(panel) if panel is not None else None
        rows = {target.stream: number for number, target in enumerate(wanted)}
        wish = self.forecast.interval
        state = self.state()
        known = standings(state)
        with transaction.atomic():
            for one in due:
                row = rows.get(one.stream)
                if panel is None or row is None:
                    continue
                columns = [(time - panel.start) // panel.step for time in one.said["times"]]
                actual = [
                    _known(panel.values[row, column]) if 0 <= column < panel.columns else None for column in columns
                ]
                tallies = self._score(one, actual)
                if one.stream in known:
                    before, hours = known[one.stream].share or wish, self.forecast.counting_hours
                    if hours is None:
                        share = followed(before, wish, tallies)
                    else:
                        share = followed(before, wish, _tallies(one, self._within(one, actual, hours)), all_day=False)
                    known[one.stream] = msgspec.structs.replace(known[one.stream], share=share)
            state.lines = plain(known)
            state.save(update_fields=["lines"])
            Pending.objects.filter(pk__in=[one.pk for one in due]).delete()
        return len(due)

    def _within(self, one: Pending, actual: list[float | None], hours: tuple[float, float]) -> list[float | None]:
        """What came in the part of the local day that counts."""
        local = [to_datetime(time).astimezone(self._zone) for time in one.said["times"]]
        counts = [hours[0] <= at.hour + at.minute / 60 < hours[1] for at in local]
        return [value if counted else None for value, counted in zip(actual, counts, strict=True)]

    def _score(self, one: Pending, actual: list[float | None]) -> list[Tally]:
        day = to_datetime(one.run).astimezone(self._zone).date()
        tallies = _tallies(one, actual)
        for part, tally in enumerate(tallies):
            if not tally.count:
                continue
            score, _ = Score.objects.get_or_create(forecast=self.forecast.id, stream=one.stream, day=day, part=part)
            Score.objects.filter(pk=score.pk).update(
                count=F("count") + tally.count,
                error=F("error") + tally.error,
                reference=F("reference") + tally.reference,
                held=F("held") + tally.held,
            )
        return tallies


def _tallies(one: Pending, actual: list[float | None]) -> list[Tally]:
    said = one.said
    return judge(actual, said["middle"], said["lower"], said["upper"], said["naive"], said["steps"])


def _await(forecast: ForecastProfile, lines: list[Line], model: Model, now: int) -> None:
    Pending.objects.bulk_create(
        [
            Pending(
                forecast=forecast.id,
                stream=line.stream,
                run=now,
                until=line.times[-1] + forecast.step_micros,
                said={
                    "times": line.times,
                    "middle": line.middle,
                    "lower": line.lower,
                    "upper": line.upper,
                    "naive": line.naive,
                    "steps": model.said.steps,
                },
            )
            for line in lines
        ],
        ignore_conflicts=True,
    )


def _known(value: float) -> float | None:
    return None if value != value else float(value)


def forget(kept: set[str], config: Config, before: datetime) -> None:
    """Delete all that is remembered of forecasts that the profile has no more, and sums of long ago."""
    for kind in (State, Pending, Score):
        kind.objects.exclude(forecast__in=kept).delete()
    Score.objects.filter(day__lt=before.date()).delete()
    folder.forget_others(config, kept)

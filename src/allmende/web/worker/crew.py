"""The worker's threads, as the city's profile asks for them: when it changes, what is gone ends, what is new begins,
and what is asked for otherwise begins anew once its predecessor has come to its end.

Nothing is lost by that: a thread ends between two commits, cursors and what was acknowledged lie in the database, and
the session at the operator's broker stays as it is; only its topics change.
"""

import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import structlog

from allmende.domain.harvest import HarvestProfile
from allmende.domain.marks import Mark
from allmende.domain.profile import Profile
from allmende.domain.store import Store
from allmende.web.alerts.delivery import ChannelThread
from allmende.web.alerts.escalating import EscalationThread
from allmende.web.alerts.telling import BrokerTeller
from allmende.web.alerts.watching import AlertsThread, is_watched
from allmende.web.citizens import intake as own
from allmende.web.citizens.silence import SilenceThread
from allmende.web.config import Config
from allmende.web.downloads.making import OrdersThread
from allmende.web.downloads.nightly import DumpsThread
from allmende.web.intake import Intake
from allmende.web.making.importing import ImportsThread
from allmende.web.messages import create_from_broker
from allmende.web.persons.work import PersonsThread
from allmende.web.publisher import Publisher
from allmende.web.rulebook.runs import RunsThread
from allmende.web.sources import PreparedSource
from allmende.web.subscriptions.post import MailWay
from allmende.web.subscriptions.push import PushWay
from allmende.web.subscriptions.work import CollectThread, PostThread
from allmende.web.worker.brokers import door
from allmende.web.worker.catalogue import CatalogueThread
from allmende.web.worker.forecasts import ForecastsThread
from allmende.web.worker.harvests import HarvestThread
from allmende.web.worker.jobs import Job, tasks
from allmende.web.worker.listener import Listener
from allmende.web.worker.looks import Looks
from allmende.web.worker.notices import Notices
from allmende.web.worker.retention import RetentionThread
from allmende.web.worker.rules import RulesThread
from allmende.web.worker.services import ServiceThread, service_jobs
from allmende.web.worker.subscriber import Subscriber, TakeSingle
from allmende.web.worker.taken import Taken
from allmende.web.worker.watch import Watch

Make = Callable[[threading.Event], threading.Thread]

log = structlog.get_logger("allmende.worker")


class _Wanted(NamedTuple):
    """A thread that there should be. Another ``sign`` is another thread."""

    sign: Any
    make: Make


class _Running(NamedTuple):
    name: str
    sign: Any
    thread: threading.Thread
    stop: threading.Event


class Crew:
    """Used by the worker's own thread."""

    def __init__(
        self,
        store: Store,
        config: Config,
        profile: Callable[[], Profile],
        sources: Callable[[], dict[str, PreparedSource]],
    ) -> None:
        """``profile`` and ``sources`` give what is in force now; the same objects for as long as nothing changed."""
        self._store = store
        self._config = config
        self._profile = profile
        self._intake = Intake(store, profile(), config, look=Looks().take, follow=sources)
        self._running: dict[str, _Running] = {}
        self._leaving: list[_Running] = []
        self._seen: Profile | None = None
        self._told: set[tuple[str, str]] = set()
        self._retention_due = float("-inf")

    @property
    def names(self) -> list[str]:
        """Of the threads that are at work."""
        return [running.thread.name for running in self._running.values()]

    def settle(self) -> bool:
        """Let what is at work be what the profile asks for; whether anything was begun or ended.

        Cheap where nothing changed. What has to wait for its predecessor is begun at one of the next calls, and so is
        a thread that could not be begun or that ended without having been asked to.
        """
        profile = self._profile()
        lost = [name for name, running in self._running.items() if not running.thread.is_alive()]
        if profile is self._seen and not self._leaving and not lost:
            return False
        for name in lost:
            log.error("a thread ended without having been asked to, and is begun anew", work=name)
            self._keep_due(self._running.pop(name).thread)
        self._leaving = [running for running in self._leaving if running.thread.is_alive()]
        wanted = self._wanted(profile)
        changed = False
        for name, running in list(self._running.items()):
            if name not in wanted or wanted[name].sign != running.sign:
                running.stop.set()
                self._keep_due(running.thread)
                self._leaving.append(self._running.pop(name))
                changed = True
        leaving = {running.name for running in self._leaving}
        seen, self._seen = self._seen, None  # until all of it stands
        for name, want in wanted.items():
            if name not in self._running and name not in leaving:
                stop = threading.Event()
                thread = want.make(stop)
                thread.start()  # RuntimeError where there are too many: then this call failed, and the next tries again
                self._running[name] = _Running(name, want.sign, thread, stop)
                changed = True
        if profile is not seen:
            self._tell_problems()
        self._seen = profile
        return changed

    def stop(self, seconds: float) -> None:
        """Ask all to end, and wait so long for them."""
        everybody = [*self._running.values(), *self._leaving]
        for running in everybody:
            running.stop.set()
        until = time.monotonic() + seconds
        for running in everybody:
            running.thread.join(max(0.0, until - time.monotonic()))

    def _keep_due(self, thread: threading.Thread) -> None:
        if isinstance(thread, RetentionThread):
            self._retention_due = thread.due  # a rule that was released now is applied at the next hour, not at once

    def _tell_problems(self) -> None:
        for prepared in self._intake.sources.values():
            # A source that is switched off may wait for what it lacks; `check` says what that is.
            for problem in prepared.problems if prepared.profile.enabled else ():
                if (prepared.source.id, problem) not in self._told:
                    self._told.add((prepared.source.id, problem))
                    log.warning("a source is not in order", source=prepared.source.id, problem=problem)

    def _wanted(self, profile: Profile) -> dict[str, _Wanted]:
        intake, config = self._intake, self._config
        sources = intake.sources
        wanted: dict[str, _Wanted] = {}
        for task in tasks(intake):
            wanted[f"job-{task.source.source.id}{'' if task.main else '-description'}"] = _Wanted(
                (_sign(task.source), task.address, task.seconds), partial(Job, task, intake)
            )
        for source in sources.values():
            if source.listening:
                wanted[f"listener-{source.source.id}"] = _Wanted(_sign(source), partial(Listener, source, intake))
        wanted["watch"] = _Wanted(None, lambda stop: Watch(intake, stop, Notices(self._profile, config)))
        wanted["persons"] = _Wanted(None, lambda stop: PersonsThread(self._profile, stop))
        wanted["imports"] = _Wanted(None, partial(ImportsThread, intake))
        wanted["retention"] = _Wanted(
            (profile.retention, profile.time_zone),
            lambda stop: RetentionThread(profile, config, stop, due=self._retention_due),
        )
        wanted["catalogue"] = _Wanted(None, lambda stop: CatalogueThread(self._store, self._profile, config, stop))
        for harvest in profile.harvests.values():
            if harvest.enabled:
                wanted[f"harvest-{harvest.id}"] = _Wanted(harvest, partial(self._harvest, harvest))
        wanted["downloads"] = _Wanted(None, lambda stop: OrdersThread(self._store, self._profile, config, stop))
        wanted["dumps"] = _Wanted(None, lambda stop: DumpsThread(self._store, self._profile, config, stop))
        wanted["own-sensors"] = _Wanted(
            (profile.id, profile.name, profile.languages), lambda stop: SilenceThread(profile, config, stop)
        )
        if any(rule.enabled for rule in profile.rules.values()):
            wanted["rules"] = _Wanted(
                _rules_sign(profile), lambda stop: RulesThread(self._store, profile, config, stop)
            )
            wanted["rule-runs"] = _Wanted(
                _rules_sign(profile), lambda stop: RunsThread(self._store, profile, config, stop)
            )
        self._want_alerts(profile, wanted)
        if config.forecasts and any(forecast.enabled for forecast in profile.forecasts.values()):
            wanted["forecasts"] = _Wanted(
                (profile.forecasts, profile.calendar, profile.country, profile.time_zone, profile.languages),
                lambda stop: ForecastsThread(self._store, profile, config, stop),
            )
        self._want_subscriptions(wanted)
        for service, service_job in service_jobs():
            name = f"service-{service.name}-{service_job.name}"
            wanted[name] = _Wanted(None, partial(ServiceThread, service, service_job))
        self._want_broker(profile, wanted)
        return wanted

    def _want_subscriptions(self, wanted: dict[str, _Wanted]) -> None:
        config = self._config
        wanted["subscriptions"] = _Wanted(None, partial(CollectThread, self._store, self._profile, config))
        for way in (MailWay(config), PushWay(config)):
            wanted[f"subscriptions-{way.name}"] = _Wanted(None, partial(PostThread, way, self._profile, config))

    def _want_alerts(self, profile: Profile, wanted: dict[str, _Wanted]) -> None:
        """Once begun it stays, also without an alert: what lasts has to end, and the log waits for its followers."""
        if "alerts" not in self._running and not is_watched(profile, self._store):
            return
        sign = _alerts_sign(profile)
        wanted["alerts"] = _Wanted(sign, lambda stop: AlertsThread(self._store, profile, self._config, stop))
        wanted["alert-escalations"] = _Wanted(sign, partial(EscalationThread, self._store, profile, self._config))
        for channel in profile.channels.values():
            if channel.enabled:
                wanted[f"alert-channel-{channel.id}"] = _Wanted(
                    (channel, profile.name, profile.languages, profile.time_zone),
                    partial(ChannelThread, channel, profile, self._config),
                )
        broker = door(self._config)
        if broker is not None:
            wanted["alerts-mqtt"] = _Wanted(None, partial(BrokerTeller, self._config, broker))

    def _harvest(self, harvest: HarvestProfile, stop: threading.Event) -> threading.Thread:
        return HarvestThread(harvest, self._profile, self._config, stop)

    def _want_broker(self, profile: Profile, wanted: dict[str, _Wanted]) -> None:
        broker = door(self._config)
        if broker is None:
            return
        wanted["publisher"] = _Wanted(None, lambda stop: Publisher(self._store, self._config, broker, stop))
        creating = partial(create_from_broker, store=self._store, root=self._config.api_root)
        single: dict[str, TakeSingle] = dict.fromkeys(self._config.mqtt_create_topics, creating)
        if self._config.own_broker:
            single.update(dict.fromkeys(own.TOPICS, self._take_own))
        # Once begun it stays, also without a topic: the broker would go on to keep messages of a session left alone.
        if self._intake.topics() or single or "subscriber" in self._running:
            name = f"allmende-{profile.id}-worker"
            readings = (self._intake.topics, self._intake.take_messages)
            taken = Taken(self._store, name)
            wanted["subscriber"] = _Wanted(
                name, lambda stop: Subscriber(broker, taken, stop, readings=readings, single=single)
            )

    def _take_own(self, topic: str, body: bytes, mark: Mark) -> None:
        """A message of an own sensor, with the mark by which it is known when it comes again."""

        def work() -> None:
            self._store.put_mark(mark)
            own.take_broker_messages([(topic, body)])

        self._store.together(work)


def _sign(prepared: PreparedSource) -> Any:
    """What a thread that takes from a source was begun with. (A connector's code does not change while we run.)"""
    return prepared.profile, prepared.source


def _alerts_sign(profile: Profile) -> Any:
    return _rules_sign(profile), profile.alerts, profile.channels, profile.datasets


def _rules_sign(profile: Profile) -> Any:
    simulated = {name: dataset.simulated for name, dataset in profile.datasets.items()}
    return profile.rules, profile.groups, simulated, profile.time_zone, profile.languages

"""Figures for Prometheus. All processes of one house share a directory of counters (PROMETHEUS_MULTIPROC_DIR)."""

import os
import threading
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector, generate_latest, multiprocess
from prometheus_client.core import REGISTRY, CounterMetricFamily, GaugeMetricFamily, Metric

from allmende.storage.statements import count_lookups
from allmende.web.observability.shared import VARIABLE

if TYPE_CHECKING:
    from allmende.domain.store import SourceState

REQUESTS = Histogram(
    "allmende_http_request_seconds",
    "Time until the response was ready, by route.",
    ("method", "route", "status"),
    buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
MQTT_MESSAGES = Counter("allmende_mqtt_messages", "Messages at the embedded broker, by what became of them.", ("fate",))
RULE_VALUES = Counter("allmende_rule_values", "Values that the rules worked out.")
RULE_FAILURES = Counter("allmende_rule_failures", "Evaluations that failed, by rule.", ("rule",))
RULE_ACTIONS = Counter(
    "allmende_rule_actions",
    "What came of the actions of rules: fired, dry, limited or refused.",
    ("rule", "action", "fate"),
)
ALERTS = Counter("allmende_alerts", "Alerts that moved: raised, cleared, lapsed or withdrawn.", ("alert", "kind"))
ALERT_FAILURES = Counter("allmende_alert_failures", "Looks at alerts that failed, by alert.", ("alert",))
ALERT_MESSAGES = Counter(
    "allmende_alert_messages",
    "Messages of alerts by channel: sent, failed (and tried again) or given_up.",
    ("channel", "fate"),
)
SUBSCRIPTION_LETTERS = Counter(
    "allmende_subscription_letters",
    "Letters of subscriptions by way: sent, failed (and tried again), given_up, or unreachable with its subscriber.",
    ("way", "fate"),
)
SERVICE_RUNS = Counter("allmende_service_runs", "Runs of services' jobs: done or failed.", ("service", "job", "fate"))
SERVICE_SECONDS = Counter("allmende_service_seconds", "Time that services' jobs took.", ("service", "job"))
MQTT_CONNECTIONS = Counter("allmende_mqtt_connections", "Clients that came to the embedded broker.", ("fate",))
STATEMENTS = Counter(
    "allmende_statements", "Statements of questions, by whether they were kept (hit) or had to be compiled.", ("fate",)
)
_NOTE_SECONDS = 1.0


class LookupCounter:
    """Takes over what storage counts for itself, once a second at most: a question takes less time than a counter that
    all processes share."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._due = 0.0
        self._known = (0, 0)

    def note(self) -> None:
        """To be called now and then, by any thread."""
        if self._clock() < self._due or not self._lock.acquire(blocking=False):
            return
        try:
            self._due = self._clock() + _NOTE_SECONDS
            found = count_lookups()
            for fate, now, before in zip(("hit", "miss"), found, self._known, strict=True):
                STATEMENTS.labels(fate).inc(max(0, now - before))
            self._known = found
        finally:
            self._lock.release()


LOOKUPS = LookupCounter()
"""Of this process."""


class SourceCollector:
    """How each source fares, asked of the store at the scrape. ``now`` is in microseconds, like the states' times.

    ``troubles`` are sources and kinds of what is wrong with them now.
    """

    def __init__(self, states: "Iterable[SourceState]", now: int, troubles: Iterable[tuple[str, str]] = ()) -> None:
        self.states = tuple(states)
        self.now = now
        self.troubles = tuple(troubles)

    def collect(self) -> Iterable[Metric]:
        readings = CounterMetricFamily(
            "allmende_readings", "Readings by source and what became of them.", labels=("source", "fate")
        )
        age = GaugeMetricFamily(
            "allmende_source_age_seconds", "Time since the source was last heard of.", labels=("source",)
        )
        failing = GaugeMetricFamily(
            "allmende_source_failing", "1 where the last attempt to read the source failed.", labels=("source",)
        )
        for state in self.states:
            for fate in ("accepted", "repeated", "corrected", "rejected"):
                readings.add_metric((state.id, fate), getattr(state, fate))
            if state.last_received is not None:
                age.add_metric((state.id,), max(0, self.now - state.last_received) / 1e6)
            failing.add_metric((state.id,), float((state.last_error_at or 0) > (state.last_success or 0)))
        trouble = GaugeMetricFamily(
            "allmende_source_trouble", "1 where a source does not keep its contract.", labels=("source", "kind")
        )
        for source, kind in self.troubles:
            trouble.add_metric((source, kind), 1.0)
        return (readings, age, failing, trouble)


class _Lag:
    """How far rules and alerts are behind the readings."""

    def __init__(self, lines: int, seconds: float, alerts: float) -> None:
        self.lines = lines
        self.seconds = seconds
        self.alerts = alerts

    def collect(self) -> Iterable[Metric]:
        waiting = GaugeMetricFamily(
            "allmende_rule_changes_waiting", "Changes that wait for the rules, up to 500.", value=self.lines
        )
        behind = GaugeMetricFamily(
            "allmende_rule_lag_seconds", "Time since the oldest change came that the rules have not dealt with.",
            value=self.seconds,
        )  # fmt: skip
        unwatched = GaugeMetricFamily(
            "allmende_alert_lag_seconds", "Time since the oldest change came that was not looked at for alerts.",
            value=self.alerts,
        )  # fmt: skip
        return (waiting, behind, unwatched)


def render(
    states: "Iterable[SourceState]",
    now: int,
    disk_free: int,
    lag: tuple[int, float],
    troubles: Iterable[tuple[str, str]] = (),
    *,
    alert_lag: float = 0.0,
) -> bytes:
    """The page for Prometheus, in its text format."""
    own = CollectorRegistry()
    if os.environ.get(VARIABLE):
        multiprocess.MultiProcessCollector(own)
        ProcessCollector(registry=own)
    own.register(SourceCollector(states, now, troubles))
    own.register(_Free(disk_free))
    own.register(_Lag(*lag, alert_lag))
    text = generate_latest(own)
    return text if os.environ.get(VARIABLE) else generate_latest(REGISTRY) + text


class _Free:
    def __init__(self, free: int) -> None:
        self.free = free

    def collect(self) -> Iterable[Metric]:
        return (GaugeMetricFamily("allmende_disk_free_bytes", "Free space on the home's disk.", value=self.free),)

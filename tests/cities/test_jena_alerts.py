"""Jena's own alerts: each is raised by the figure that its source names, and not below. Readings are constructed."""

from pathlib import Path

import pytest
from tests.knowledge.test_alerts import Memory
from tests.knowledge.town import NOW, Clock, send
from tests.support import ENGINES, HOUSE

from allmende.domain.profile import Profile
from allmende.domain.store import DatasetRecord, Store
from allmende.domain.times import HOUR, MINUTE
from allmende.knowledge.alerts.prepare import prepare_alerts
from allmende.knowledge.alerts.watch import Watcher
from allmende.web.profiles import load_profile


@pytest.fixture(scope="module")
def jena() -> Profile:
    return load_profile("jena")


@pytest.fixture
def store(tmp_path: Path, jena: Profile) -> Store:
    made: Store = ENGINES["sqlite"](tmp_path)
    made.put_datasets(
        DatasetRecord(id=dataset.id, access=dataset.access, simulated=dataset.simulated)
        for dataset in jena.datasets.values()
    )
    return made


def watch(store: Store, jena: Profile, clock: Clock) -> tuple[Watcher, Memory]:
    prepared = prepare_alerts(jena)
    assert not prepared.errors
    memory = Memory()
    watcher = Watcher(store, prepared.alerts, HOUSE, clock, memory, zone=jena.time_zone)
    watcher.begin()
    return watcher, memory


def raised(memory: Memory) -> set[tuple[str, str]]:
    return {event.pair for event in memory.events if event.move.kind == "raised"}


def test_every_public_alert_says_what_to_do_also_in_plain_german(jena: Profile) -> None:
    public = [alert for alert in jena.alerts.values() if alert.public and not jena.datasets[alert.dataset].simulated]
    assert len(public) >= 7
    for alert in public:
        assert {"de", "en", "plain"} <= alert.title.keys() & alert.description.keys() & alert.advice.keys()


def test_gauges_by_the_levels_that_were_published(store: Store, jena: Profile) -> None:
    clock = Clock()
    watcher, memory = watch(store, jena, clock)
    levels = {
        "rudolstadt": 179,
        "saalfeld-remschuetz": 199,
        "camburg-stoeben": 280,
        "katzhuette": 260,
        "rothenstein": 999,
    }
    for name, level in levels.items():
        send(
            store, f"hnz-{name}~water-level", {NOW: level}, observed="water-level", unit="cm",
            properties={"kind": "gauge", "gauge": name}, dataset="water-levels",
        )  # fmt: skip
    watcher.step()
    assert raised(memory) == {
        ("high-water-start", "rudolstadt"), ("high-water-start", "camburg-stoeben"), ("high-water-start", "katzhuette"),
        ("high-water-1", "katzhuette"), ("high-water-2", "katzhuette"),
    }  # fmt: skip


def test_a_car_park_that_filled_up_is_full_and_one_that_closes_is_not(store: Store, jena: Profile) -> None:
    clock = Clock()
    watcher, memory = watch(store, jena, clock)
    for name, spaces in (("holzmarkt", (12, 3, 0)), ("city-carree", (31, 30, 0)), ("windberg", (9, 3, 1))):
        values = {NOW - 10 * MINUTE: spaces[0], NOW - 5 * MINUTE: spaces[1], NOW: spaces[2]}
        send(store, f"parking-{name}~free", values, observed="free-parking-spaces", properties={"kind": "car-park"})
    watcher.step()
    clock.now += 10 * MINUTE
    watcher.step()
    assert raised(memory) == {("parking-full", "parking-holzmarkt")}


def test_doubts_and_signs_that_show_something_else_or_fall_silent_are_told(store: Store, jena: Profile) -> None:
    clock = Clock()
    watcher, memory = watch(store, jena, clock)
    for stream, observed, value in (
        ("holzmarkt~doubt-frozen", "parking-doubt", True),
        ("windberg~doubt-jump", "parking-doubt", False),
        ("krautgasse~doubt-drift", "parking-hint", True),
        ("sign-1~differs", "sign-differs", True),
        ("sign-2~differs", "sign-differs", False),
        ("sign-1~faults", "sign-faults", 0),
        ("sign-2~faults", "sign-faults", 2),
    ):
        send(store, stream, {NOW: value}, observed=observed, unit="1", dataset="parking-guidance")
    watcher.step()
    assert raised(memory) == set()
    clock.now += 10 * MINUTE
    watcher.step()
    soon = {("parking-implausible", "holzmarkt~doubt-frozen"), ("parking-sign-differs", "sign-1"),
            ("parking-sign-faulty", "sign-2")}  # fmt: skip
    assert raised(memory) == soon
    for _ in range(25):  # a house that was away for longer does not know who was silent meanwhile
        clock.now += 2 * MINUTE
        watcher.step()
    send(store, "sign-2~faults", {clock.now: 0}, observed="sign-faults", unit="1", dataset="parking-guidance")
    watcher.step()
    silent = {("parking-sign-silent", "sign-1"), ("parking-sign-silent", "sign-2")}
    assert raised(memory) - soon == {("parking-drift", "krautgasse~doubt-drift"), *silent}
    cleared = {event.pair for event in memory.events if event.move.kind == "cleared"}
    assert cleared == {("parking-sign-faulty", "sign-2"), ("parking-sign-silent", "sign-2")}


def test_frost_heat_and_gusts_that_are_forecast_in_the_units_of_the_source(store: Store, jena: Profile) -> None:
    clock = Clock()
    watcher, memory = watch(store, jena, clock)
    for stream, observed, unit, values in (
        ("cold~t", "air-temperature", "K", {NOW: 280.0, NOW + 20 * HOUR: 273.1, NOW + 26 * HOUR: 250.0}),
        ("mild~t", "air-temperature", "K", {NOW: 280.0, NOW + 20 * HOUR: 273.2, NOW + 26 * HOUR: 250.0}),
        ("hot~t", "air-temperature", "K", {NOW: 290.0, NOW + 12 * HOUR: 303.15}),
        ("stormy~g", "wind-gust", "m/s", {NOW: 5.0, NOW + 11 * HOUR: 18.0}),
        ("windy~g", "wind-gust", "m/s", {NOW: 5.0, NOW + 11 * HOUR: 17.9, NOW + 13 * HOUR: 30.0}),
    ):
        send(store, stream, values, observed=observed, unit=unit, dataset="weather-forecast", run=NOW)
    watcher.step()
    assert raised(memory) == {("frost", "cold~t"), ("hot-day", "hot~t"), ("storm-gusts", "stormy~g")}

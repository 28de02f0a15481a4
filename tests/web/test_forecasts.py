"""Forecasts in the running house: learning in a process of its own, runs, fallbacks, hits, and the pages."""

import json
import threading
import time
from datetime import date

import msgspec
import numpy as np
import pytest
from django.conf import settings
from django.test import Client
from tests.knowledge import town
from tests.knowledge.forecasts.plains import panel
from tests.knowledge.town import send

from allmende.domain.boards import Tile
from allmende.domain.errors import InvalidInput
from allmende.domain.forecasts import CalendarProfile, ForecastProfile
from allmende.domain.policy import ANONYMOUS
from allmende.domain.times import DAY, HOUR, MINUTE, parse_instant, to_datetime
from allmende.knowledge.forecasts import latest
from allmende.knowledge.forecasts.keeping import Shown
from allmende.web.boards.kinds import find
from allmende.web.cli import forecasting
from allmende.web.cli.opened import Opened
from allmende.web.forecasts import folder, leaving
from allmende.web.forecasts.desk import Desk, forget
from allmende.web.forecasts.models import Pending, Score, State
from allmende.web.forecasts.standing import hit_rates
from allmende.web.house import House, furnish, open_store
from allmende.web.worker.forecasts import ForecastsThread

pytestmark = pytest.mark.django_db
NOW = parse_instant("2026-04-20T06:00:00Z")
TODAY = date(2026, 4, 20)
WEIR = ForecastProfile(
    id="weir",
    title={"de": "Pegel morgen", "en": "Level tomorrow"},
    description={"de": "Wie hoch das Wasser steht.", "en": "How high the water stands."},
    dataset="parking",
    property="level",
    history="P20D",
    every="PT1H",
)


def readings(start: int, end: int, add: float = 0.0) -> dict[int, float]:
    """A course of the day, on a level that rises and falls within weeks, with some chance."""
    found = {}
    for at in range(start, end, HOUR):
        hour, level = at // HOUR % 24, 12 * np.sin(at / DAY / 1.9)
        chance = np.random.default_rng(at // HOUR).normal(0, 1)
        found[at] = round(float(40 + level + 9 * np.sin(hour / 24 * 6.283) + chance + add), 2)
    return found


@pytest.fixture
def config(tmp_path):
    return msgspec.structs.replace(
        settings.ALLMENDE, home=tmp_path, forecast_rows=2_000, forecast_threads=1, forecast_train_seconds=60.0
    )


@pytest.fixture
def house(monkeypatch):
    made = msgspec.structs.replace(town.profile(""), forecasts={"weir": WEIR}, calendar=CalendarProfile(state="TH"))
    monkeypatch.setattr("allmende.web.house.open_profile", lambda: made)
    furnish(open_store(), made)
    send(open_store(), "weir~level", readings(NOW - 42 * DAY, NOW), unit="m", kind="measurement")
    return made


@pytest.fixture
def client(monkeypatch) -> Client:
    monkeypatch.setattr("allmende.web.house.House.now", lambda _: to_datetime(NOW + 41 * HOUR))
    return Client(headers={"accept-language": "de"})


def desk_of(house, config, **more) -> Desk:
    forecast = msgspec.structs.replace(WEIR, **more)
    return Desk(open_store(), house, forecast, config)


def taught(desk: Desk, now: int) -> Desk:
    """A desk that has learned, in its process."""
    lesson = desk.begin_lesson(now)
    assert lesson is not None, desk.state().error
    until = time.monotonic() + 60
    while (outcome := lesson.look()) is None and time.monotonic() < until:
        time.sleep(0.02)
    assert outcome is not None
    desk.end_lesson(lesson, outcome, now)
    return desk


def test_from_learning_to_the_hit_rate(house, config, client) -> None:
    store = open_store()
    desk = desk_of(house, config)
    assert desk.lesson_is_due(NOW)
    assert not desk.run_is_due(NOW)
    taught(desk, NOW)
    assert (desk.state().reason, desk.state().error) == ("", "")
    assert not desk.lesson_is_due(NOW + 23 * HOUR)
    assert desk.lesson_is_due(NOW + 24 * HOUR)
    choice = desk.model.said.choices["weir~level"]
    assert {"last", "day", "week", "typical", "climate", "boosted"} == set(choice.scores)
    assert choice.skill(choice.chosen) > 0
    assert [path.suffix for path in folder.place_of(config, "weir").rglob("*.*")].count(".json") == 1
    # A second process finds what was learned.
    assert desk_of(house, config).model.said.version == desk.model.said.version

    for hour in range(4):
        at = NOW + hour * HOUR
        assert desk.run_is_due(at)
        assert desk.issue_run(at) == 1
        assert not desk.run_is_due(at + 59 * MINUTE)
        send(store, "weir~level", readings(at, at + HOUR), unit="m", kind="measurement")
    shown = latest(store, ANONYMOUS, "weir~level")
    assert isinstance(shown, Shown)
    assert shown.issued == NOW + 3 * HOUR
    assert shown.times[0] == NOW + 4 * HOUR
    assert Pending.objects.count() == 4

    assert desk.judge_runs(NOW + 20 * HOUR) == 0  # their last hours have not come
    send(store, "weir~level", readings(NOW + 4 * HOUR, NOW + 30 * HOUR), unit="m", kind="measurement")
    assert desk.judge_runs(NOW + 40 * HOUR) == 4
    assert not Pending.objects.exists()
    assert {score.part for score in Score.objects.all()} == {0, 1, 2}
    hits = hit_rates("weir", TODAY)["weir~level"]
    assert hits.count == sum(score.count for score in Score.objects.all()) == 4 * 24 - 4
    assert 0.3 < hits.held <= 1
    share = desk.state().lines["weir~level"]["share"]
    assert share == pytest.approx(max(0.8, 0.8 + 4 * 0.02 * (0.8 - hits.held)), abs=0.01)
    send(store, "weir~level", readings(NOW + 30 * HOUR, NOW + 41 * HOUR), unit="m", kind="measurement")
    desk.issue_run(NOW + 41 * HOUR)
    said = latest(store, ANONYMOUS, "weir~level").properties
    assert said["hit_rate"]["values"] == hits.count

    page = client.get("/forecasts/weir/?stream=weir~level").content.decode()
    assert "Bisher lag sie im Mittel um" in page
    assert "veraltet" not in page
    assert "polygon" in page
    assert page.count("<tr") > 20
    assert "weir~level~forecast-upper" in page
    page = client.get("/forecasts/").content.decode()
    assert "Pegel morgen" in page
    assert client.get("/forecasts/weir/?stream=other").status_code == 404
    assert client.get("/forecasts/other/").status_code == 404


def test_what_hits_less_than_its_reference_is_not_shown_but_still_judged(house, config, client) -> None:
    desk = taught(desk_of(house, config), NOW)
    for part in range(3):
        Score.objects.create(
            forecast="weir", stream="weir~level", day=TODAY, part=part, count=50, error=60.0, reference=50.0, held=40
        )
    assert desk.issue_run(NOW) == 0
    assert latest(open_store(), ANONYMOUS, "weir~level") is None
    assert Pending.objects.count() == 1
    assert desk.state().lines["weir~level"]["shown"] is False
    page = client.get("/forecasts/weir/").content.decode()
    assert "Es wird keine Vorhersage gezeigt" in page
    assert "polygon" not in page
    Score.objects.update(error=40.0)
    assert desk.issue_run(NOW + HOUR) == 1


@pytest.mark.parametrize(
    ("limit", "reason"), [({"forecast_train_seconds": 0.05}, "time"), ({"forecast_bytes": 100 * 2**20}, "memory")]
)
def test_who_oversteps_is_ended_and_simple_methods_serve(house, config, limit, reason) -> None:
    desk = taught(desk_of(house, msgspec.structs.replace(config, **limit)), NOW)
    assert desk.model is None
    assert (desk.state().failures, desk.state().reason) == (1, reason)
    assert not desk.lesson_is_due(NOW + 9 * MINUTE)
    assert desk.lesson_is_due(NOW + 10 * MINUTE)
    again = taught(desk_of(house, config), NOW + 10 * MINUTE)
    assert again.model.said.note == "limits"
    assert again.issue_run(NOW + 10 * MINUTE) == 1
    assert latest(open_store(), ANONYMOUS, "weir~level").properties["learned_without"] == "limits"
    # The whole is tried again later, and then all is well.
    assert again.lesson_is_due(NOW + 2 * HOUR)
    assert again.state().reason == reason


def test_a_model_that_grows_old_falls_back_and_says_so(house, config, monkeypatch) -> None:
    desk = taught(desk_of(house, config), NOW)
    choice = desk.model.said.choices["weir~level"]
    choices = {"weir~level": msgspec.structs.replace(choice, chosen="boosted")}
    desk.model.said = msgspec.structs.replace(desk.model.said, choices=choices)
    desk.issue_run(NOW)
    assert desk.state().lines["weir~level"]["reason"] == ""
    late = NOW + 8 * DAY
    send(open_store(), "weir~level", readings(NOW, late), unit="m", kind="measurement")
    desk.issue_run(late)
    assert desk.state().lines["weir~level"]["candidate"] == choice.fallback
    said = latest(open_store(), ANONYMOUS, "weir~level").properties
    assert (said["fallback"], said["method"]) == ("stale", choice.fallback)


def test_what_a_service_leaves_out_is_not_known(house, monkeypatch) -> None:
    def ask(_, streams, start, end):
        return {streams[0]: [(start + HOUR, start + 3 * HOUR)], "gone": [(start, end)]}

    def broken(*_):
        raise KeyError("of the service")

    known = panel(days=2, streams=2)
    monkeypatch.setattr(leaving, "_services", lambda: [("broken", broken), ("parking", ask)])
    found = leaving.without_left_out(known)
    assert np.isnan(found.values[0]).nonzero()[0].tolist() == [1, 2]
    assert not np.isnan(found.values[1]).any()
    assert not np.isnan(known.values).any()


def test_too_little_is_told_and_tried_again_in_an_hour(house, config) -> None:
    short = desk_of(house, config, property="humidity")
    assert short.begin_lesson(NOW) is None
    state = short.state()
    assert (state.reason, state.failures) == ("little", 1)
    assert "no such stream" in state.error
    assert not short.lesson_is_due(NOW + 59 * MINUTE)
    assert short.lesson_is_due(NOW + HOUR)


def test_another_definition_begins_anew_and_what_is_gone_is_forgotten(house, config) -> None:
    taught(desk_of(house, config), NOW).issue_run(NOW)
    other = desk_of(house, config, horizon="PT12H")
    assert other.model is None
    other.state()
    assert not Pending.objects.exists()
    desk_of(house, config).state()
    renamed = desk_of(house, config, title={"de": "Anders", "en": "Otherwise"})
    assert renamed.model is not None
    forget(set(), config, to_datetime(NOW))
    assert not State.objects.exists()
    assert not list((config.home / "forecasts").iterdir())


def test_the_thread_learns_issues_and_ends_its_process(house, config, monkeypatch) -> None:
    clock = [NOW]
    thread = ForecastsThread(open_store(), house, config, threading.Event(), clock=lambda: clock[0])
    thread.turn()
    until = time.monotonic() + 60
    while latest(open_store(), ANONYMOUS, "weir~level") is None and time.monotonic() < until:
        time.sleep(0.05)
        thread.turn()
    assert latest(open_store(), ANONYMOUS, "weir~level").issued == NOW
    clock[0] += 25 * HOUR
    thread.turn()
    _, lesson = thread._lesson
    thread.end()
    assert lesson.look() is not None


def test_what_is_closed_is_not_told_of(monkeypatch, house, config, client) -> None:
    taught(desk_of(house, config), NOW).issue_run(NOW)
    closed = msgspec.structs.replace(house.datasets["parking"], access="restricted")
    hidden = msgspec.structs.replace(house, datasets={**house.datasets, "parking": closed})
    monkeypatch.setattr("allmende.web.house.open_profile", lambda: hidden)
    furnish(open_store(), hidden)
    assert client.get("/forecasts/weir/").status_code == 404
    assert "Pegel" not in client.get("/forecasts/").content.decode()
    assert latest(open_store(), ANONYMOUS, "weir~level") is None


def test_before_anything_was_learned_the_page_says_so(house, config, client) -> None:
    assert "Sie wird gerade gelernt" in client.get("/forecasts/weir/").content.decode()
    short = desk_of(house, config)
    state = short.state()
    state.reason, state.failures = "little", 1
    state.save()
    page = client.get("/forecasts/weir/").content.decode()
    assert "Zum Lernen ist noch zu wenig bekannt" in page


def test_a_tile_shows_the_newest_run(house, config, client, rf) -> None:
    taught(desk_of(house, config), NOW).issue_run(NOW)
    request = rf.get("/")
    request.house = House(store=open_store(), profile=house, reader=ANONYMOUS)
    tile = Tile(id="a", kind="forecast", settings={"streams": ["weir~level"]})
    assert not find("forecast").check(tile.settings)
    assert "polygon" in find("forecast").render(request, tile)
    other = msgspec.structs.replace(tile, settings={"streams": ["other~level"]})
    assert "polygon" not in find("forecast").render(request, other)


def test_the_command_learns_and_tells(house, config, monkeypatch, capsys) -> None:
    opened = Opened(config=config, profile=house, store=open_store())
    monkeypatch.setattr("allmende.web.cli.forecasting.open_house", lambda: opened)
    monkeypatch.setattr("allmende.web.cli.forecasting.now_micros", lambda: NOW)
    assert forecasting.forecast("weir", learn=True, as_json=True) == 0
    (told,) = json.loads(capsys.readouterr().out.splitlines()[-1])  # the log of a test stands before it
    assert (told["streams"], told["shown"], told["problem"]) == (1, 1, "")
    assert forecasting.forecast("", learn=False, as_json=False) == 0
    assert "weir" in capsys.readouterr().out
    with pytest.raises(InvalidInput, match="no such forecast"):
        forecasting.forecast("other", learn=False, as_json=False)

"""From readings to streams of forecasts, in both engines: what is read, what is kept, who may see it."""

from datetime import date

import msgspec
import numpy as np
import pytest

from allmende.domain.errors import Conflict, LimitExceeded
from allmende.domain.forecasts import ForecastInput, ForecastProfile
from allmende.domain.policy import ANONYMOUS, Reader
from allmende.domain.store import DatasetRecord, Store
from allmende.domain.times import DAY, HOUR, MINUTE, parse_instant
from allmende.knowledge.forecasts import latest
from allmende.knowledge.forecasts.drift import Change
from allmende.knowledge.forecasts.hits import HitRate
from allmende.knowledge.forecasts.keeping import write_run
from allmende.knowledge.forecasts.learning import history_start, learn
from allmende.knowledge.forecasts.reading import Setting, find_targets, read_panel
from allmende.knowledge.forecasts.run import issue
from tests.knowledge.forecasts.plains import ZONE, task
from tests.knowledge.town import send
from tests.storage.conftest import store as store
from tests.support import HOUSE

NOW = parse_instant("2026-04-20T06:30:00Z")
PLAIN = ForecastProfile(
    id="plain", title={"de": "Pegel", "en": "Level"}, dataset="parking", property="level", history="P20D"
)
SETTING = Setting(zone=ZONE, country="DE")


def course(days: int = 40, noise: float = 1.0) -> dict[int, float]:
    chance = np.random.default_rng(1)
    begin = NOW // HOUR * HOUR - days * DAY
    return {
        begin + hour * HOUR: round(float(20 + 9 * np.sin(hour / 24 * 2 * np.pi) + chance.normal(0, noise)), 2)
        for hour in range(days * 24)
    }


def learned(store: Store, forecast: ForecastProfile = PLAIN, now: int = NOW):
    targets = find_targets(store, forecast, SETTING)
    panel = read_panel(store, forecast, targets, SETTING, history_start(now, 20 * DAY), now)
    return targets, panel, learn(panel, task(without="limits", now=now))


def run(store: Store, now: int = NOW, rates=None, forecast: ForecastProfile = PLAIN):
    targets, panel, model = learned(store, forecast, now)
    lines = issue(model, panel, now)
    by_name = {target.stream: target for target in targets}
    return write_run(store, HOUSE, forecast, lines, by_name, model, rates or {}, now=now, language="de"), lines


def test_a_run_is_three_streams_that_say_what_they_are(store: Store) -> None:
    send(store, "weir~level", course(), unit="m", kind="measurement")
    receipt, (line,) = run(store)
    assert receipt.accepted == 3 * 23  # the hour that is not over yet is neither known nor forecast
    shown = latest(store, ANONYMOUS, "weir~level")
    assert shown.issued == NOW
    assert shown.times == line.times == [NOW // HOUR * HOUR + ahead * HOUR for ahead in range(1, 24)]
    assert shown.middle == pytest.approx(line.middle)
    assert all(low <= middle <= high for low, middle, high in zip(shown.lower, shown.middle, shown.upper, strict=True))
    said = shown.properties
    assert (said["forecast"], said["forecast_of"], said["learned_without"]) == (True, "weir~level", "limits")
    assert said["backtest"]["values"] > 1_000
    assert "hit_rate" not in said
    (summary,) = [each for each in store.streams(ANONYMOUS, "parking") if each.id == "weir~level~forecast"]
    assert (summary.unit, summary.property_id, summary.source) == ("m", "level-forecast", "forecast/plain")
    assert summary.name == "weir~level – Vorhersage"
    # A second run takes nothing away from the first, and forecasts are not forecast.
    send(store, "weir~level", {NOW // HOUR * HOUR: 20.0}, unit="m", kind="measurement")
    rates = {"weir~level": HitRate(count=50, error=1.0, reference=2.0, skill=0.5, held=0.8)}
    again, lines = run(store, NOW + HOUR, rates)
    assert (again.accepted, again.corrected, len(lines)) == (69, 0, 1)
    shown = latest(store, ANONYMOUS, "weir~level")
    assert shown.issued == NOW + HOUR
    assert shown.properties["hit_rate"]["skill"] == 0.5
    assert len(store.points(ANONYMOUS, "weir~level~forecast", NOW, NOW + 2 * DAY).times) == 46


def test_probabilities_and_a_change_are_told_by_streams_of_their_own(store: Store) -> None:
    send(store, "weir~level", course(), unit="m", kind="measurement")
    forecast = msgspec.structs.replace(PLAIN, least=[20, 0.5])
    targets, panel, model = learned(store, forecast)
    lines = issue(model, panel, NOW, least=forecast.least)
    changes = {"weir~level": Change(date(2026, 4, 12), 2.25)}
    by_name = {target.stream: target for target in targets}
    write_run(store, HOUSE, forecast, lines, by_name, model, {}, changes, now=NOW, language="en")
    shown = latest(store, ANONYMOUS, "weir~level", forecast.least)
    assert shown.properties["changed"] == {"since": "2026-04-12", "error_times": 2.25}
    assert [shown.chances[20][place] for place in range(23)] == [tail[0] for tail in lines[0].tails]
    assert all(half >= many for half, many in zip(shown.chances[0.5], shown.chances[20], strict=True))
    (summary,) = [each for each in store.streams(ANONYMOUS, "parking") if each.id == "weir~level~forecast-at-least-20"]
    assert (summary.unit, summary.low, summary.high) == ("1", 0.0, 1.0)
    assert summary.property_id == "level-forecast-at-least-20"
    assert [target.stream for target in find_targets(store, forecast, SETTING)] == ["weir~level"]


def test_a_forecast_of_what_is_closed_is_closed_and_sees_no_other_closed_dataset(store: Store) -> None:
    store.put_datasets(
        [DatasetRecord(id="parking", access="restricted"), DatasetRecord(id="hidden", access="restricted")]
    )
    send(store, "weir~level", course(), kind="measurement")
    send(store, "vault~sun", course(), kind="measurement", dataset="hidden")
    nosy = msgspec.structs.replace(PLAIN, inputs={"sun": ForecastInput(observed="vault~sun")})
    _, panel, _ = learned(store, nosy)
    assert np.isnan(panel.seen["sun"]).all()
    run(store, forecast=nosy)
    assert latest(store, ANONYMOUS, "weir~level") is None
    assert latest(store, Reader(name="clerk", datasets=frozenset({"parking"})), "weir~level").issued == NOW


def test_somebody_elses_stream_is_left_alone(store: Store) -> None:
    send(store, "weir~level", course(), kind="measurement")
    send(store, "weir~level~forecast", {NOW: 1.0}, observed="other", kind="measurement")
    with pytest.raises(Conflict, match="not of this forecast"):
        run(store)
    assert latest(store, ANONYMOUS, "weir~level") is None


def test_streams_that_report_changes_are_read_as_what_holds(store: Store) -> None:
    silence = {"reading": "step", "silence": {"day": "PT45M", "night": "PT6H", "rewrite": "P1D"}}
    begin = parse_instant("2026-04-19T08:00:00Z")
    changes = {begin: 5, begin + 12 * MINUTE: 7, begin + 40 * MINUTE: 9}
    send(store, "lot~level", changes, kind="count", said=silence)
    send(store, "mean~level", {begin: 1.0, begin + 2 * MINUTE: 2.0, begin + 11 * MINUTE: 9.0}, kind="measurement")
    fine = msgspec.structs.replace(PLAIN, step="PT5M", horizon="PT1H")
    targets = find_targets(store, fine, SETTING)
    assert [(target.stream, target.count, target.low) for target in targets] == [
        ("lot~level", True, 0.0),
        ("mean~level", False, None),
    ]
    panel = read_panel(store, fine, targets, SETTING, begin, begin + 3 * HOUR)
    # 45 minutes of silence after the last report nobody knows what holds.
    assert panel.values[0, :10].tolist() == [5, 5, 5, 7, 7, 7, 7, 7, 9, 9]
    assert panel.values[0, 8:17].tolist() == [9] * 9
    assert np.isnan(panel.values[0, 17:]).all()
    assert panel.values[1, :3].tolist()[::2] == [1.5, 9.0]
    # what somebody doubts of the thing is not known, from the beginning of the doubt to its end
    doubts = {begin - HOUR: False, begin + 5 * MINUTE: True, begin + 15 * MINUTE: False, begin + 30 * MINUTE: True}
    send(store, "lot~doubt-frozen", doubts, observed="doubt", kind="truth")
    wary = msgspec.structs.replace(fine, doubts="doubt")
    doubted = read_panel(store, wary, targets, SETTING, begin, begin + 3 * HOUR).values
    assert np.isnan(doubted[0]).tolist() == [False, True, True, False, False, False, *[True] * 31]
    assert doubted[1, 0] == 1.5
    assert np.isnan(panel.values[1, 1])


def test_what_others_forecast_is_read_by_runs(store: Store) -> None:
    send(store, "weir~level", course(), kind="measurement")
    first = NOW // DAY * DAY
    for hours in (0, 6, 48):
        run_at = first + hours * HOUR
        send(
            store, "sky~sun", {run_at + ahead * HOUR: 100.0 * hours + ahead for ahead in range(1, 40)},
            observed="sun", kind="measurement", run=run_at, at=NOW + 60 * DAY,
        )  # fmt: skip
    sunny = msgspec.structs.replace(PLAIN, inputs={"sun": ForecastInput(forecast="sky~sun")})
    panel = read_panel(store, sunny, find_targets(store, sunny, SETTING), SETTING, first, first + 7 * HOUR)
    origins, targets = np.array([0, 5, 6, 6]), np.array([8, 8, 8, 50])
    np.testing.assert_allclose(panel.foretold["sun"].at(origins, targets), [8, 8, 602, np.nan])


def test_too_many_streams_are_refused(store: Store) -> None:
    for number in range(3):
        send(store, f"weir{number}~level", {NOW: 1.0}, kind="measurement")
    with pytest.raises(LimitExceeded, match="ALLMENDE_FORECAST_STREAMS"):
        find_targets(store, PLAIN, msgspec.structs.replace(SETTING, most_streams=2))

"""The judgement on a recording: what is read of it, what is learned from, and what is told."""

import sys
import tomllib
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import numpy as np
import pytest

from allmende.city.parking.arrival import command
from allmende.city.parking.arrival.backtest import judge
from allmende.city.parking.arrival.kept import Kept, as_table, kept_of
from allmende.city.parking.arrival.recording import City, as_panel, read_city, read_rows
from allmende.city.parking.arrival.tell import as_markdown
from allmende.domain.errors import InvalidInput
from allmende.domain.forecasts import CalendarProfile, ForecastProfile
from allmende.domain.profile_checks import ProfileError
from allmende.domain.times import DAY, from_datetime
from tests.city.parking.test_state import TOWN

START = datetime(2024, 2, 1, tzinfo=UTC)
CITY = City(
    zone="Europe/Berlin",
    country="DE",
    calendar=CalendarProfile(state="TH"),
    forecast=ForecastProfile(
        id="parking",
        title={},
        dataset="parking",
        property="free-parking-spaces",
        horizon="PT2H",
        step="PT15M",
        apart=True,
        drifts=True,
        hours=("06:00", "21:00"),
        least=[1, 5],
    ),
)


def recording(path: Path, days: int = 50) -> Path:
    """Constructed: two car parks, changes alone, each written again at the first sample of a day."""
    chance, lines = np.random.default_rng(4), ["timestamp,place_id,free"]
    noise = {"north": 0.0, "south": 0.0}
    last: dict[str, int] = {}
    for step in range(days * 96):
        moment = START + timedelta(minutes=15 * step)
        busy = np.sin(((moment.hour + moment.minute / 60) / 24 - 0.25) * 2 * np.pi)
        for place, size in (("north", 60), ("south", 14)):
            noise[place] = 0.9 * noise[place] + chance.normal(0, size / 30)
            much = 0.9 if moment.weekday() < 5 else 0.3
            free = int(np.clip(round(size * (0.5 - much * busy * 0.6) + noise[place]), 0, size))
            if last.get(place) != free or step % 96 == 0:
                lines.append(f"{moment.isoformat()},{place},{free}")
            last[place] = free
    path.write_text("\n".join(lines), "utf-8")
    return path


@pytest.fixture(scope="module")
def panel(tmp_path_factory):
    return as_panel(read_rows(recording(tmp_path_factory.mktemp("recording") / "constructed.csv")), CITY)


@pytest.fixture(scope="module")
def report(panel):
    split = from_datetime(START) + 38 * DAY
    return judge(panel, CITY, split, relearn=6 * DAY, rows=3_000)


def test_a_forecast_is_judged_beside_two_simple_ones(report) -> None:
    assert [place.name for place in report.places] == ["north", "south"]
    assert (report.ahead, report.lessons) == ([30, 60, 120], 2)
    north = report.places[0]
    assert all(
        0 < mine < min(pair)
        for mine, pair in zip(north.error, zip(north.last, north.typical, strict=True), strict=True)
    )
    assert report.below[2] > 0.03
    assert north.below[0] == pytest.approx(1 - north.error[0] / min(north.last[0], north.typical[0]), abs=0.002)
    assert all(0.65 < held < 0.95 for held in report.held)
    for place in report.places:
        assert 0 <= place.full.missed <= place.full.full <= place.full.judged
    for bins in report.reliability.values():
        assert sum(one.cases for one in bins) > 1_000
        assert all(0 <= one.told <= 1 and 0 <= one.came <= 1 for one in bins)


def test_what_lies_behind_the_end_changes_nothing(panel) -> None:
    split, until = from_datetime(START) + 38 * DAY, from_datetime(START) + 40 * DAY
    values = panel.values.copy()
    values[:, (until - panel.start) // panel.step :] = 999
    other = msgspec.structs.replace(panel, values=values)
    first, second = (judge(each, CITY, split, until=until, rows=1_500) for each in (panel, other))
    assert first.places == second.places


def test_the_table_is_told_and_kept(report) -> None:
    told = as_markdown(report, ZoneInfo(CITY.zone), "constructed.csv")
    assert "judged from 2024-03-10" in told
    assert "**mean of the car parks**" in told
    assert "missed" in told
    places = [msgspec.structs.replace(report.places[0], below=[None, 0.1, 0.2])]
    kept = Kept(recording="constructed.csv", made="2026-11-22", report=msgspec.structs.replace(report, places=places))
    profile = msgspec.structs.replace(
        TOWN, services={"parking": {"tables": {"arrival": tomllib.loads(as_table(kept))}}}
    )
    assert kept_of(profile) == kept
    assert kept_of(TOWN) is None
    broken = msgspec.structs.replace(TOWN, services={"parking": {"tables": {"arrival": {"recording": 3}}}})
    with pytest.raises(ProfileError, match="no report"):
        kept_of(broken)


def test_a_recording_is_read_as_what_holds_until_the_next_row(tmp_path) -> None:
    path = tmp_path / "constructed.csv"
    path.write_text(
        "timestamp,place_id,free\n2024-03-01T08:00:01+00:00,a,5\n2024-03-01T08:31:00+00:00,a,700\n"
        "2024-03-01T09:00:00+00:00,a,7\n2024-03-01T12:00:00+00:00,a,-1\n2024-03-01T12:30:00+00:00,a,8\n"
    )
    one = as_panel(read_rows(path), CITY, {"a": 40})
    # From the first step after it; what is above the capacity is left out; silence of three quarters of an hour by day.
    np.testing.assert_array_equal(one.values[0, :9], [np.nan, 5, 5, np.nan, 7, 7, 7, np.nan, np.nan])
    assert np.isnan(one.values[0, -3:-1]).all()  # below zero is no count


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("when,place_id,free\n", "lacks the columns timestamp"),
        ("timestamp,place_id,free\nsoon,a,1\n", "line 2"),
        ("timestamp,place_id,free\n2024-03-01T08:00:00Z,a,many\n", "line 2"),
        ("timestamp,place_id,free\n", "is empty"),
    ],
)
def test_a_recording_that_is_none_is_told_with_its_place(tmp_path, text, words) -> None:
    path = tmp_path / "constructed.csv"
    path.write_text(text)
    with pytest.raises(InvalidInput) as told:
        as_panel(read_rows(path), CITY)
    assert words in f"{told.value} {told.value.where}"


def test_the_command_needs_days_on_both_sides_of_the_split(tmp_path, monkeypatch, capsys) -> None:
    path = recording(tmp_path / "constructed.csv", days=2)
    profile = Path(__file__).parents[4] / "cities" / "jena"
    monkeypatch.setattr(sys, "argv", ["arrival", str(path), "--split", "2024-03-01", "--city", str(profile)])
    assert command.main() == 2
    assert "nothing to judge" in capsys.readouterr().err
    city = read_city(profile, "parking")
    assert (city.forecast.least, city.forecast.counting_hours) == ([1, 5], (6.0, 21.0))
    assert date(2024, 2, 12) in city.calendar.school_days()

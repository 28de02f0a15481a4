"""Plausibility on the recorded half-year of Jena's car parks: what stands in docs/how-to/parking-operator.md."""

import csv
import gzip
from collections import defaultdict
from collections.abc import Mapping
from datetime import UTC, date, datetime
from functools import cache

import pytest

from allmende.city.parking.plausibility import RULES, Habit, Situation, Trace, judge, learn
from allmende.domain import times
from allmende.knowledge.analyses.calendar import public_holidays
from tests.support import captured

ZONE = "Europe/Berlin"
CAPACITIES = {"Eichplatz": 290, "Goethe-Galerie": 740, "Holzmarkt": 250, "Steinkreuz": 100}


@cache
def traces() -> Mapping[str, Trace]:
    found: dict[str, tuple[list[int], list[int | None]]] = defaultdict(lambda: ([], []))
    with gzip.open(captured("parking", "jena_free_2023-11-07_2024-04-30.csv.gz"), "rt") as file:
        for row in csv.DictReader(file):
            name = row["place_id"].removeprefix("mobilitaet-jena-")
            if name in CAPACITIES:
                found[name][0].append(times.from_datetime(datetime.fromisoformat(row["timestamp"])))
                found[name][1].append(int(row["free"]))
    return {name: Trace(*rows) for name, rows in found.items()}


def at(text: str) -> int:
    return times.from_datetime(datetime.fromisoformat(text).replace(tzinfo=UTC))


def doubts(name: str, moment: str, learnt: str = "") -> dict[str, int]:
    """The flags of a moment with their beginnings; the habits are those of before ``learnt``."""
    trace, now = traces()[name], at(moment)
    end = at(learnt) if learnt else now
    habit: Habit = learn(trace.until(end), end, ZONE)
    holidays = public_holidays("DE", "TH", date(2023, 1, 1), date(2024, 12, 31))
    situation = Situation(
        now=now, zone=ZONE, trace=trace.until(now), capacity=CAPACITIES[name], holiday=holidays.__contains__
    )
    return {each.flag: each.since for each in judge(situation, habit)}


@pytest.mark.parametrize("name", CAPACITIES)
def test_the_feed_that_stood_still_over_a_night_and_a_day_is_seen_everywhere(name):
    found = doubts(name, "2023-12-28T12:00", "2023-12-27T18:00")
    if name == "Eichplatz":  # which had not counted for weeks
        assert "full-but-empty" in doubts(name, "2023-12-28T12:00", "2023-11-16T06:00")
    else:
        assert at("2023-12-27T18:30") < found["frozen"] < at("2023-12-27T19:10")


def test_weeks_of_full_are_seen_where_there_is_room_by_night():
    assert doubts("Eichplatz", "2023-12-01T12:00", "2023-11-16T06:00")["full-but-empty"] < at("2023-11-16T06:31")
    assert "full-but-empty" in doubts("Steinkreuz", "2024-03-10T12:00", "2024-02-26T06:00")


def test_what_is_shut_by_night_and_on_sundays_is_not_doubted():
    for moment in ("2024-01-14T13:00", "2024-01-15T02:00", "2024-02-11T20:00", "2024-04-01T03:00"):
        assert RULES.keys() & doubts("Goethe-Galerie", moment) == set()


def test_a_car_park_without_faults_is_hardly_ever_doubted():
    trace, odd, looked = traces()["Holzmarkt"], 0, 0
    for month in ("2023-12-15", "2024-01-15", "2024-02-15", "2024-04-15"):
        start = at(f"{month}T00:00")
        habit = learn(trace.until(start), start, ZONE)
        for now in range(start, start + 10 * times.DAY, 2 * times.HOUR):
            situation = Situation(now=now, zone=ZONE, trace=trace.until(now), capacity=250)
            found = {each.flag for each in judge(situation, habit)}
            looked, odd = looked + 1, odd + bool(found)
    assert odd <= looked // 100

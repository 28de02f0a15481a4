"""When a job of a service is due."""

from datetime import UTC, datetime, time, timedelta

import pytest

from allmende.city.jobs import Job

ZONE = "Europe/Berlin"


def job(every: timedelta | time) -> Job:
    return Job("count", every, lambda house: None)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_a_rhythm_counts_from_the_last_beginning():
    now = at("2026-11-22T10:00")
    assert job(timedelta(minutes=5)).due(None, now, ZONE) == now
    assert job(timedelta(minutes=5)).due(at("2026-11-22T09:58"), now, ZONE) == at("2026-11-22T10:03")
    assert job(timedelta(minutes=5)).due(at("2026-11-20T09:58"), now, ZONE) < now


@pytest.mark.parametrize(
    ("last", "due"),
    [
        ("2026-11-21T12:00", "2026-11-22T02:30"),
        ("2026-11-22T02:30", "2026-11-23T02:30"),
        ("2026-11-22T02:29:59", "2026-11-22T02:30"),
        # 3:30 in Berlin is one hour earlier in summer, and there once on either day of change
        ("2026-03-28T12:00", "2026-03-29T01:30"),
        ("2026-10-24T12:00", "2026-10-25T02:30"),
    ],
)
def test_a_time_of_day_is_the_city_s(last, due):
    assert job(time(3, 30)).due(at(last), at("2026-11-22T10:00"), ZONE) == at(due)


def test_no_rhythm_is_refused():
    with pytest.raises(ValueError, match="count"):
        job(timedelta(0))

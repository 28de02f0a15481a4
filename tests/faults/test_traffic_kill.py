"""Two minutes of a city's traffic, ten times as fast, while the worker is killed: nothing lost, nothing doubled."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from benchmarks.traffic import SOURCES, City, expect, make_traffic, send, wait_taken

from tests.cluster import cluster

pytestmark = [pytest.mark.faults, pytest.mark.xdist_group("serve"), pytest.mark.timeout(300)]


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest) -> dict[str, str]:
    """Settings of a house on each engine."""
    return {} if request.param == "sqlite" else {"ALLMENDE_DATABASE_URL": cluster().create_empty()}


def test_a_city_s_traffic_is_taken_whole_though_the_worker_is_killed(database: dict[str, str]) -> None:
    begin = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)
    # PostgreSQL takes fewer messages a second, as the benchmark tells: less of them, so that the test has an end
    messages = list(make_traffic(20 if database else 120, 1, begin))
    assert len(messages) > (3_000 if database else 20_000)
    wanted = expect(messages)
    city = City(database.get("ALLMENDE_DATABASE_URL", ""))
    try:
        city.start_worker()

        def kill() -> None:
            city.kill_worker()
            city.start_worker()

        send(city, messages, 10, halfway=kill)
        _, found = wait_taken(city, Counter(), wanted, 150)
        # what was committed and not acknowledged yet when the worker died comes again, and is no event
        assert {source: found[source] for source in SOURCES} == dict(wanted)
        assert all(city.taken()[source]["corrected"] == 0 for source in SOURCES)
        assert all(city.taken()[source]["rejected"] == 0 for source in SOURCES)
    finally:
        city.close()


def test_the_same_seed_makes_the_same_traffic() -> None:
    def made(seed: int) -> Any:
        return list(make_traffic(10, seed, datetime(2026, 1, 1, tzinfo=UTC)))

    assert made(1) == made(1)
    assert made(1) != made(2)

"""Observations posted one by one while the web server's processes, or the database's connections, are killed: what was
acknowledged is there once, and nothing is there twice."""

import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from tests.faults.houses import House
from tests.faults.poster import Poster
from tests.faults.test_crowd import Client, thing
from tests.homes import migrated_database

pytestmark = [pytest.mark.faults, pytest.mark.xdist_group("serve")]
CLIENTS, STRIKES = 8, 3
STREAM = "Datastreams('struck~s')/Observations"


def post_under(house: House, strike: Callable[[], None]) -> tuple[list[Poster], list[int]]:
    """The posters, and the results that are kept, sorted."""
    house.start().wait_for("Allmende is ready")
    reader = Client(house.environ["PORT"])
    reader.ask("POST", "Things", thing("struck"))
    assert reader.refused == []
    over = threading.Event()
    posters = [
        Poster(house, f"/sta/v1.1/{STREAM}", lambda number: {"result": number}, number * 1_000_000, over)
        for number in range(1, CLIENTS + 1)
    ]
    for poster in posters:
        poster.start()
    for _ in range(STRIKES):
        before = sum(len(poster.acknowledged) for poster in posters)
        end = time.monotonic() + 30
        while sum(len(poster.acknowledged) for poster in posters) < before + 100 and time.monotonic() < end:
            time.sleep(0.01)
        strike()
    over.set()
    for poster in posters:
        poster.join(60)
    end = time.monotonic() + 60
    while not house.answers() and time.monotonic() < end:
        time.sleep(0.1)
    kept: list[int] = []
    link: str | None = f"{STREAM}?$top=1000&$select=result"
    while link:
        page = Client(house.environ["PORT"]).ask("GET", link)
        kept += [row["result"] for row in page["value"]]
        link = page.get("@iot.nextLink", "").partition("/sta/v1.1/")[2]
    return posters, sorted(kept)


def judge(posters: list[Poster], kept: list[int]) -> None:
    acknowledged = [number for poster in posters for number in poster.acknowledged]
    assert len(acknowledged) > CLIENTS * STRIKES
    assert [number for number, times in Counter(kept).items() if times > 1] == []
    assert set(acknowledged) - set(kept) == set()


def house_of(make: Any, engine: str) -> House:
    more = {"ALLMENDE_DATABASE_URL": migrated_database()} if engine == "postgres" else {}
    house: House = make(ALLMENDE_ANONYMOUS_WRITES="yes", ALLMENDE_RATE_LIMIT="0", **more)
    return house


@pytest.mark.parametrize("engine", ["sqlite", "postgres"])
def test_web_processes_that_are_killed_lose_and_double_nothing(make: Any, engine: str) -> None:
    house = house_of(make, engine)

    def strike() -> None:
        for child in house.processes()["web"].children():
            child.kill()

    posters, kept = post_under(house, strike)
    judge(posters, kept)
    house.stop()


def test_connections_that_are_cut_lose_and_double_nothing(make: Any) -> None:
    house = house_of(make, "postgres")

    def strike() -> None:
        with psycopg.connect(house.environ["ALLMENDE_DATABASE_URL"], autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid() AND query <> ''"
            )

    posters, kept = post_under(house, strike)
    judge(posters, kept)
    assert set().union(*(poster.refused for poster in posters)) <= {503}
    house.stop()

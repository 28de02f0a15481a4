"""Two minutes of a city's traffic, ten times as fast, while the worker is killed: nothing lost, nothing doubled."""

import time
from collections import Counter
from collections.abc import Iterator, Sequence

import pytest
from benchmarks.served.city import SOURCES, City
from benchmarks.served.traffic import Message, traffic

from allmende.domain.connector import Payload
from allmende.domain.records import Series
from allmende.domain.times import SECOND
from allmende.web.broker.topics import covers
from allmende.web.profiles import load_profile
from allmende.web.sources import prepare_sources
from tests.homes import POSTGRES_FIRST, migrated_database

pytestmark = [pytest.mark.faults, pytest.mark.xdist_group("serve"), pytest.mark.timeout(300)]

SECONDS, SPEED = 120, 10


@pytest.fixture(params=POSTGRES_FIRST)
def city(request: pytest.FixtureRequest) -> Iterator[City]:
    """A house on each engine, with its broker."""
    made = City() if request.param == "sqlite" else City(migrated_database())
    yield made
    made.close()


def expected(messages: Sequence[Message]) -> Counter[str]:
    """How many readings of each stream the connectors find. What is counted by the second of its receipt is left out:
    ten of the city's seconds are one here."""
    prepared = [p for p in prepare_sources(load_profile("jena")).values() if p.source.topic and p.connector]
    found: Counter[str] = Counter()
    for message in messages:
        payload = Payload(body=message.body, name=message.topic, received_at=message.at)
        (source,) = (p for p in prepared if covers(p.source.topic, message.topic))
        parsed = source.usable().parse(payload, source.source)
        counts = {r.stream: len(r.times) for r in parsed.records if isinstance(r, Series)}
        assert sum(counts.values()) == message.readings, message
        assert not parsed.rejections
        if not message.topic.endswith("/efd"):
            found.update(counts)
    return found


def wait_until_read(city: City, readings: int) -> None:
    until = time.monotonic() + 150
    while city.count().read < readings:
        assert time.monotonic() < until, f"{city.count()} of {readings}: {city.log[-3000:]}"
        time.sleep(0.1)


def test_a_city_s_traffic_is_taken_once_though_the_worker_is_killed(city: City) -> None:
    messages = list(traffic(time.time_ns() // 1000 - 2 * SECONDS * SECOND, SECONDS))
    assert len(messages) > 20_000
    city.start_worker()
    sending = city.send(messages, SPEED)
    for part in (3, 2):
        wait_until_read(city, sending.sums[-1] // part)
        city.kill_worker()
        city.start_worker()
    sending.wait()
    wait_until_read(city, sending.sums[-1])
    time.sleep(1)  # what came twice would show now
    counts = city.count()
    # What was committed and not yet acknowledged when the worker died came again, and was known: bare numbers too,
    # which would be readings of another time.
    assert counts.read == sending.sums[-1]
    assert counts.rejected == 0
    kept = dict(city.ask("SELECT d.id, s.count FROM stream_state s JOIN datastream d ON d.pk = s.datastream"))
    wanted = expected(messages)
    assert {stream: kept.get(stream, 0) for stream in wanted} == dict(wanted)
    per_source = "SELECT id, repeated, corrected FROM source_state WHERE id <> 'miv'"
    assert {name: (again, other) for name, again, other in city.ask(per_source) if name in SOURCES} == {
        name: (0, 0) for name in SOURCES if name != "miv"
    }


def test_the_same_seed_makes_the_same_traffic() -> None:
    assert list(traffic(10**15, 10, 1)) == list(traffic(10**15, 10, 1))
    assert list(traffic(10**15, 10, 1)) != list(traffic(10**15, 10, 2))

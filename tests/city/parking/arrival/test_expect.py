"""What is expected on arrival, from the forecast that the house keeps."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import msgspec
import pytest

from allmende.city.parking.arrival import expect as module
from allmende.city.parking.arrival.expect import expect
from allmende.city.parking.sites import Site, SiteStream
from allmende.domain.policy import ANONYMOUS, Reader
from allmende.domain.steps import Silence
from allmende.domain.times import MINUTE, from_datetime
from allmende.knowledge.forecasts import Shown

NOW = datetime(2026, 4, 20, 8, tzinfo=UTC)
ISSUED = from_datetime(NOW) - 5 * MINUTE
SITE = Site(
    id="north",
    name="North",
    kind="car-park",
    stands_for="north",
    streams=(
        SiteStream(id="north~free", quantity="free", spaces_for="", source="s", dataset="parking", silence=Silence()),
    ),
)
SHOWN = Shown(
    stream="north~free",
    issued=ISSUED,
    times=[ISSUED + minutes * MINUTE for minutes in (5, 35, 65)],
    middle=[10.0, 4.0, 0.0],
    lower=[8.0, 1.0, 0.0],
    upper=[12.0, 9.0, None],
    chances={1: [0.99, 0.9, 0.3], 5: [0.9, 0.4, None]},
    properties={
        "method": "boosted",
        "trained": "2026-04-19T00:00:00Z",
        "backtest": {"mean_absolute_error": 3.0, "skill": 0.3, "interval_held": 0.8},
    },
)


class Heads:
    """As much of a store as says that there is a forecast."""

    count = 3

    def heads(self, reader, streams):
        assert streams == ["north~free~forecast"]
        return [SimpleNamespace(id=streams[0], count=self.count, last=ISSUED, properties={})]


@pytest.fixture
def told(monkeypatch):
    def told(shown, minutes: int = 30, now: datetime = NOW):
        def latest(store, reader, stream, least):
            assert (stream, tuple(least)) == ("north~free", (1, 5))
            return shown

        monkeypatch.setattr(module, "latest", latest)
        return expect(Heads(), ANONYMOUS, SITE, NOW + timedelta(minutes=minutes), now)

    return told


def test_between_two_times_it_is_straight(told) -> None:
    said = told(SHOWN, 15)
    assert (said.free, said.low, said.high) == (7, 4, 10)
    assert said.chance_of_one == pytest.approx(0.945)
    assert said.chance_of_five == pytest.approx(0.65)
    assert (said.error, said.judged, said.changed_since) == (3.0, 0, "")
    late = told(SHOWN, 45)
    assert (late.high, late.chance_of_five) == (None, None)
    assert told(SHOWN, 60).free == 0


def test_what_is_old_or_too_far_is_not_told(told) -> None:
    assert told(SHOWN, 61) is None
    assert told(None) is None
    assert told(SHOWN, 30, NOW + timedelta(hours=1)) is None
    assert told(SHOWN, 30, NOW - timedelta(hours=1)) is None


def test_what_came_counts_more_than_the_test_and_a_change_is_told(told) -> None:
    more = {
        "hit_rate": {"values": 80, "mean_absolute_error": 6.0, "skill": 0.1, "interval_held": 0.6},
        "changed": {"since": "2026-04-12", "error_times": 2.1},
        "fallback": "stale",
    }
    said = told(msgspec.structs.replace(SHOWN, properties={**SHOWN.properties, **more}))
    assert (said.error, said.judged, said.changed_since, said.fallback) == (6.0, 80, "2026-04-12", "stale")


def test_a_run_is_read_once_and_the_next_one_at_once(monkeypatch) -> None:
    heads, read = Heads(), []

    def latest(store, reader, stream, least):
        read.append(stream)
        return SHOWN

    monkeypatch.setattr(module, "latest", latest)
    for _ in range(2):
        assert expect(heads, ANONYMOUS, SITE, NOW, NOW) is not None
    assert len(read) == 1
    monkeypatch.setattr(Heads, "count", 6)
    assert expect(heads, ANONYMOUS, SITE, NOW, NOW) is not None
    assert len(read) == 2
    expect(heads, Reader(name="user:anna", datasets=frozenset({"hidden"})), SITE, NOW, NOW)
    assert len(read) == 3

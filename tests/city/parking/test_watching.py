"""The jobs of plausibility over a real store: doubts that are kept, calibration that is proposed."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from allmende.city.parking.models import Calibration, Doubt
from allmende.city.parking.operating import paperwork, watching
from allmende.city.parking.operating.pasts import pasts
from allmende.city.parking.read import read_history
from allmende.city.parking.state import read_states
from allmende.domain import times
from allmende.domain.batch import Batch
from allmende.domain.errors import ConfigurationError
from allmende.domain.records import Declaration, Property, SensorDeclaration, Series, ThingDeclaration, Unit
from allmende.storage.sqlite import SqliteStore
from tests.city.parking.test_plausibility import usual_value
from tests.city.parking.test_state import TOWN
from tests.support import DATASETS, HOUSE, PlainConnections

pytestmark = pytest.mark.django_db
NOW = datetime(2024, 3, 12, 12, tzinfo=UTC)


class TownHouse:
    """A house for jobs, of a town whose clock is set."""

    def __init__(self, store: Any) -> None:
        self.store, self.profile, self.reader, self.person = store, TOWN, HOUSE, None
        self.clock = NOW
        self.said: dict[str, Any] = {}
        self.notes: list[tuple[str, dict[str, Any]]] = []
        self.given: list[Any] = []

    def now(self) -> datetime:
        return self.clock

    def settings(self, service: str) -> dict[str, Any]:
        return {"plausibility": self.said}

    def note(self, action: str, subject: str = "", /, **detail: Any) -> None:
        self.notes.append((action, detail))

    def give(self, service: str, dataset: str, records: Any) -> None:
        self.given += [
            (record.stream, record.results[0]) for record in records if isinstance(record, Series)
        ]  # fmt: skip

    def count(self, start: datetime, end: datetime, off: int = 0, stuck: int | None = None) -> None:
        """Readings of every half hour."""
        moments = range(times.from_datetime(start), times.from_datetime(end), 30 * times.MINUTE)
        values = [usual_value(at) + off for at in moments]
        if stuck is not None:
            values = [stuck] * len(values)
        series = Series(stream="north~free", times=list(moments), results=values, flags=[""] * len(values))
        declared = Declaration(
            stream="north~free",
            name="north",
            thing=ThingDeclaration(id="north", name="North", properties={"kind": "car-park"}),
            sensor=SensorDeclaration(id="counter", name="counter"),
            observed_property=Property(id="free-parking-spaces", name="free", definition="https://example.org"),
            unit=Unit("spaces", "{space}"),
            observation_type="any",
            properties={"source": "feed", "dataset": "parking"},
        )
        self.store.append(
            Batch(
                origin="feed", dataset="parking", reader=HOUSE, declarations=[declared], series=[series],
                received_at=times.from_datetime(end),
            )
        )  # fmt: skip


@pytest.fixture
def house(tmp_path: Any) -> TownHouse:
    watching._habits.clear()
    made = SqliteStore(PlainConnections(tmp_path / "town.sqlite3"))
    made.put_datasets(DATASETS)
    return TownHouse(made)


def kept() -> dict[str, Any]:
    return {each.flag: each for each in Doubt.objects.filter(until__isnull=True)}


def test_a_doubt_is_kept_with_its_beginning_over_a_restart_and_ends(house):
    house.count(NOW - timedelta(days=50), NOW - timedelta(hours=13))
    still = NOW - timedelta(hours=13)
    house.count(still, NOW, stuck=40)
    watching.watch(house)
    found = kept()["frozen"]
    assert found.since == still
    watching._habits.clear()  # another process
    house.count(NOW, NOW + timedelta(hours=1), stuck=40)
    house.clock = NOW + timedelta(hours=1)
    watching.watch(house)
    assert kept()["frozen"].pk == found.pk
    decisions = paperwork.current(house.clock)
    assert decisions.hidden == {"north": ("frozen",)}
    shown = {each.site.id: each for each in read_states(house.store, TOWN, HOUSE, house.clock, decisions=decisions)}
    assert (shown["north"].free, shown["north"].reason) == (None, "implausible")
    house.count(NOW + timedelta(hours=1), NOW + timedelta(hours=4))
    house.clock = NOW + timedelta(hours=4)
    watching.watch(house)
    assert "frozen" not in kept()
    assert Doubt.objects.get(flag="frozen").until == house.clock
    assert [each for each in house.given if "frozen" in each[0]] == [
        ("north~doubt-frozen", True), ("north~doubt-frozen", False)
    ]  # fmt: skip
    # what was doubted stays out of all that is told of that time
    asked = read_history(
        house.store, TOWN, HOUSE, "north", still - timedelta(hours=1), NOW, 3600, house.clock, pasts=pasts()
    )
    assert asked is not None
    assert [(each.mean is None, each.implausible) for each in asked.buckets[:2]] == [(False, False), (True, True)]


def test_nobody_is_told_of_doubts_on_what_is_not_open(house):
    house.count(NOW - timedelta(days=50), NOW - timedelta(hours=13))
    house.count(NOW - timedelta(hours=13), NOW, stuck=40)
    house.store.put_datasets([msgspec.structs.replace(each, access="restricted") for each in DATASETS])
    watching.watch(house)
    assert "frozen" in kept()
    assert house.given == []


def test_a_counter_that_is_off_is_proposed_and_what_was_measured_stays(house):
    house.count(NOW - timedelta(days=50), NOW - timedelta(days=8))
    house.count(NOW - timedelta(days=8), NOW, off=-14)
    watching.calibrate(house)
    watching.calibrate(house)  # the next morning: the same is not proposed again
    proposed = Calibration.objects.get()
    assert (proposed.state, proposed.offset) == ("proposed", 14)
    assert paperwork.current(NOW).offsets == {}
    paperwork.settle(house, "north", proposed.pk, 0, NOW, apply=True)
    state = read_states(house.store, TOWN, HOUSE, NOW, decisions=paperwork.current(NOW))[0]
    assert (state.free, state.counted, state.offset) == (state.counted + 14, state.counted, 14)
    watching.calibrate(house)
    assert Calibration.objects.count() == 1
    assert [action for action, _ in house.notes] == ["parking.propose-calibration", "parking.calibrate"]


@pytest.mark.parametrize(("limit", "state"), [(20, "applied"), (10, "proposed")])
def test_a_city_may_have_it_applied_up_to_a_limit(house, limit, state):
    house.said = {"recalibrate": "apply", "recalibrate_limit": limit}
    house.count(NOW - timedelta(days=50), NOW - timedelta(days=8))
    house.count(NOW - timedelta(days=8), NOW, off=-14)
    watching.calibrate(house)
    assert Calibration.objects.get().state == state


def test_a_setting_that_is_none_is_told():
    with pytest.raises(ConfigurationError, match="jumps is unknown"):
        watching.limits_of({"plausibility": {"jumps": 3}}, "north")
    with pytest.raises(ConfigurationError, match="recalibrate"):
        watching.limits_of({"plausibility": {"recalibrate": "always"}}, "north")
    said = {"plausibility": {"jump": 9, "sites": {"north": {"jump": 4}}}}
    assert (watching.limits_of(said, "north").jump, watching.limits_of(said, "south").jump) == (4, 9)

"""What clients create: ids, links, places, features, extents."""

from typing import Any

import msgspec
import pytest

from allmende.domain import times
from allmende.domain.errors import Conflict, InvalidInput
from allmende.domain.query import Step
from allmende.domain.records import Series
from allmende.domain.store import Store
from tests.support import HOUSE, ask, batch, create

THING = {"name": "T", "description": "t"}
SENSOR = {"name": "S", "description": "s", "encodingType": "text/plain", "metadata": "m"}
PROPERTY = {"name": "P", "description": "p", "definition": "https://example.org/p"}


def location(lon: float, **more: Any) -> dict[str, Any]:
    point = {"type": "Point", "coordinates": [lon, 50.0]}
    return {"name": "L", "description": "l", "encodingType": "application/geo+json", "location": point, **more}


def stream(**more: Any) -> dict[str, Any]:
    return {
        "name": "D", "description": "d", "observationType": "https://example.org/m",
        "unitOfMeasurement": {"name": "u", "symbol": "1", "definition": ""},
        "Thing": THING, "Sensor": SENSOR, "ObservedProperty": PROPERTY, **more,
    }  # fmt: skip


def made_id(store: Store, entity: str, body: Any, **more: Any) -> str:
    """The id of what the body itself became."""
    receipt = create(store, entity, body, **more)
    return next(name for kind, name in reversed(receipt.created) if kind == entity)


def ids(store: Store, entity: str, *path: Step) -> list[str]:
    return [str(r[1]) for r in ask(store, entity, path=path, top=1000).rows]


def test_seven_is_one_id_whichever_way_it_is_written(store: Store) -> None:
    assert made_id(store, "Thing", {**THING, "@iot.id": 7}) == "7"
    with pytest.raises(Conflict):
        create(store, "Thing", {**THING, "@iot.id": "7"})
    create(store, "Thing", {**THING, "@iot.id": "07"})
    assert ids(store, "Thing") == ["7", "07"]


def test_generated_numbers_skip_taken_ones(store: Store) -> None:
    create(store, "Thing", {**THING, "@iot.id": 2})
    create(store, "Thing", {**THING, "@iot.id": "3"})
    assert [made_id(store, "Thing", THING) for _ in range(3)] == ["1", "4", "5"]


def test_generated_numbers_of_observations_skip_taken_ones(store: Store) -> None:
    create(store, "Datastream", stream(**{"@iot.id": "d"}))
    link = {"Datastream": "d"}
    for taken in (2, "3", 6):
        create(store, "Observation", {"result": 1, "@iot.id": taken}, links=link)
    assert [made_id(store, "Observation", {"result": 1}, links=link) for _ in range(4)] == ["1", "4", "5", "7"]
    store.append(batch(Series(stream="x~y", times=[1, 2, 3], results=[1, 2, 3])))
    assert len(set(ids(store, "Observation"))) == 10


@pytest.mark.parametrize("name", ["mine", "007", "٣", "0", "-5", "+5", "5.0", "a'b/c", str(2**63), 0, -5])
def test_observations_may_be_named(store: Store, name: Any) -> None:
    create(store, "Datastream", stream(**{"@iot.id": "d"}))
    create(store, "Observation", {"result": 1, "@iot.id": 7}, links={"Datastream": "d"})
    create(store, "Observation", {"result": 1, "@iot.id": 3}, links={"Datastream": "d"})
    assert made_id(store, "Observation", {"result": 2, "@iot.id": name}, links={"Datastream": "d"}) == str(name)
    (row,) = ask(store, "Observation", id=str(name), select=("result",)).rows
    assert (str(row[1]), row[-1]) == (str(name), 2)
    with pytest.raises(Conflict):
        create(store, "Observation", {"result": 2, "@iot.id": name}, links={"Datastream": "d"})
    assert ask(store, "Observation", id="7", select=("result",)).rows[0][-1] == 1
    there = ask(store, "Datastream", path=(Step("Observation", str(name), "Datastream"),)).rows
    assert [r[1] for r in there] == ["d"]


def test_one_time_holds_many_observations_of_clients(store: Store) -> None:
    store.append(batch(Series(stream="garage~free", times=[times.parse_instant("2024-01-01T00:00:00Z")], results=[1])))
    for result in (2, 3):
        body = {"result": result, "phenomenonTime": "2024-01-01T00:00:00Z"}
        create(store, "Observation", body, links={"Datastream": "garage~free"})
    assert store.points(HOUSE, "garage~free", 0, 2**60).results == [1, 2, 3]
    assert store.latest(HOUSE)[0].count == 3


def test_links_to_what_is_not_there(store: Store) -> None:
    with pytest.raises(InvalidInput, match="Thing 'nobody'") as caught:
        create(store, "Datastream", stream(Thing={"@iot.id": "nobody"}))
    assert caught.value.where == "Thing"
    assert ids(store, "Sensor") == []
    with pytest.raises(InvalidInput):
        create(store, "Observation", {"result": 1}, links={"Datastream": "nobody"})


def test_a_deep_mistake_takes_all_back(store: Store) -> None:
    streams = [{k: v for k, v in stream().items() if k != "Thing"} for _ in range(2)]
    streams[1]["Observations"] = [{"result": 1, "FeatureOfInterest": {"@iot.id": "nobody"}}]
    with pytest.raises(InvalidInput) as caught:
        create(store, "Thing", {**THING, "Locations": [location(1)], "Datastreams": streams})
    assert caught.value.where == "Datastreams[1].Observations[0].FeatureOfInterest"
    for entity in (
        "Thing",
        "Location",
        "HistoricalLocation",
        "Datastream",
        "Sensor",
        "ObservedProperty",
        "Observation",
    ):
        assert ids(store, entity) == []


def test_where_a_thing_stands_and_stood(store: Store) -> None:
    create(store, "Thing", {**THING, "@iot.id": "t", "Locations": [location(1, **{"@iot.id": "a"})]}, now=100)
    create(store, "Location", location(2, **{"@iot.id": "b"}), links={"Things": "t"}, now=200)
    create(store, "Location", location(3, **{"@iot.id": "c", "Things": [{"@iot.id": "t"}]}), now=300)
    assert ids(store, "Location", Step("Thing", "t", "Locations")) == ["c"]
    history = ids(store, "HistoricalLocation", Step("Thing", "t", "HistoricalLocations"))
    assert [ids(store, "Location", Step("HistoricalLocation", h, "Locations")) for h in history] == [
        ["a"],
        ["b"],
        ["c"],
    ]
    assert ids(store, "Thing", Step("Location", "c", "Things")) == ["t"]
    assert ids(store, "Thing", Step("Location", "a", "Things")) == []


@pytest.mark.parametrize(("time", "stands"), [("1970-01-01T00:00:00.000050Z", ["a"]), ("2024-01-01T00:00:00Z", ["b"])])
def test_an_earlier_historical_location_is_history_alone(store: Store, time: str, stands: list[str]) -> None:
    create(store, "Thing", {**THING, "@iot.id": "t", "Locations": [location(1, **{"@iot.id": "a"})]}, now=100)
    create(store, "Location", location(2, **{"@iot.id": "b"}))
    create(store, "HistoricalLocation", {"time": time, "Thing": {"@iot.id": "t"}, "Locations": [{"@iot.id": "b"}]})
    assert ids(store, "Location", Step("Thing", "t", "Locations")) == stands


def _feature_of(store: Store, observation: str) -> list[Any]:
    path = (Step("Observation", observation, "FeatureOfInterest"),)
    return [msgspec.json.decode(r[-1]) for r in ask(store, "FeatureOfInterest", path=path, select=("feature",)).rows]


def test_the_feature_comes_from_the_things_location(store: Store) -> None:
    other = {"name": "L", "description": "l", "encodingType": "text/plain", "location": "behind the house"}
    create(store, "Thing", {**THING, "@iot.id": "t", "Locations": [other, location(1)]})
    for name in ("d", "e"):
        create(store, "Datastream", stream(**{"@iot.id": name, "Thing": {"@iot.id": "t"}}))
    first = made_id(store, "Observation", {"result": 1}, links={"Datastream": "d"})
    second = made_id(store, "Observation", {"result": 1}, links={"Datastream": "e"})
    assert _feature_of(store, first) == _feature_of(store, second) == [{"type": "Point", "coordinates": [1.0, 50.0]}]
    assert len(ids(store, "FeatureOfInterest")) == 1
    create(store, "Location", location(2), links={"Things": "t"})
    third = made_id(store, "Observation", {"result": 1}, links={"Datastream": "d"})
    assert [f["coordinates"][0] for f in _feature_of(store, third)] == [2.0]
    create(store, "Location", location(1), links={"Things": "t"})
    fourth = made_id(store, "Observation", {"result": 1}, links={"Datastream": "d"})
    assert _feature_of(store, fourth) == _feature_of(store, first)
    assert len(ids(store, "FeatureOfInterest")) == 2


def test_without_a_location_there_is_no_feature(store: Store) -> None:
    create(store, "Datastream", stream(**{"@iot.id": "d"}))
    number = made_id(store, "Observation", {"result": 1}, links={"Datastream": "d"})
    assert _feature_of(store, number) == []


def test_extents_are_kept_true(store: Store) -> None:
    create(store, "Datastream", stream(**{"@iot.id": "d"}))

    def extents() -> tuple[Any, ...]:
        wanted = ("observedArea", "phenomenonTime", "resultTime")
        return ask(store, "Datastream", select=wanted).rows[0][2:]

    assert extents() == (None,) * 5
    feature = {"name": "F", "description": "f", "encodingType": "application/geo+json"}
    bodies: list[dict[str, Any]] = [
        {"phenomenonTime": times.format_interval(5, 9), "resultTime": times.format_instant(0)},
        {"phenomenonTime": times.format_instant(7), "resultTime": times.format_instant(20)},
        {"phenomenonTime": times.format_instant(-1)},
    ]
    for lon, body in enumerate(bodies):
        place = {**feature, "feature": {"type": "Point", "coordinates": [lon, -lon]}}
        create(store, "Observation", {"result": 1, "FeatureOfInterest": place, **body}, links={"Datastream": "d"})
    area, *moments = extents()
    assert moments == [-1, 9, 0, 20]
    ring = msgspec.json.decode(area)["coordinates"][0]
    assert (min(ring), max(ring)) == ([0.0, -2.0], [2.0, 0.0])


def test_the_latest_by_time_not_by_arrival(store: Store) -> None:
    create(store, "Datastream", stream(**{"@iot.id": "d"}))
    for second, result in ((5, "b"), (9, "c"), (1, "a")):
        body = {"result": result, "phenomenonTime": f"2024-01-01T00:00:0{second}Z"}
        create(store, "Observation", body, links={"Datastream": "d"})
    (latest,) = store.latest(HOUSE)
    assert (latest.result, latest.count) == ("c", 3)

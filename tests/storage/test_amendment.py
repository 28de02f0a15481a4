"""Changing entities: values, links, and what is kept true behind them."""

from typing import Any

import msgspec
import pytest

from allmende.domain import times
from allmende.domain.batch import Amendment
from allmende.domain.changing import plan_change
from allmende.domain.errors import ChangedMeanwhile, Conflict, Forbidden, InvalidInput, NotFound
from allmende.domain.policy import Reader
from allmende.domain.query import Query, Step
from allmende.domain.records import Series
from allmende.domain.store import Store
from tests.storage.test_creation import THING, ids, location, made_id, stream
from tests.support import AHEAD, HOUSE, ask, batch, create

AT = 1_700_000_100_000_000
EXTENTS = ("observedArea", "phenomenonTime", "resultTime")
DAY = "2024-01-01T00:00:0"


def change(store: Store, entity: str, identifier: str, body: Any, *, reader: Reader = HOUSE, seen: Any = None) -> None:
    values, links = plan_change(entity, identifier, body, current={}, now=AT, bounds=AHEAD)
    target = Query(entity=entity, reader=reader, id=identifier, top=1)
    store.change(Amendment(target=target, origin="user:eve", received_at=AT, values=values, links=links, seen=seen))


def row(store: Store, entity: str, identifier: str, *select: str) -> tuple[Any, ...]:
    return ask(store, entity, id=identifier, select=select or None).rows[0][2:]


def readings(store: Store, *seconds: int, name: str = "d", **more: Any) -> list[str]:
    """A stream with an observation a second; the result is the second."""
    create(store, "Datastream", stream(**{"@iot.id": name, **more}))
    return [observe(store, name, second) for second in seconds]


def observe(store: Store, name: str, second: int, **more: Any) -> str:
    body = {"result": second, "phenomenonTime": f"{DAY}{second}Z", **more}
    return made_id(store, "Observation", body, links={"Datastream": name})


def place(lon: int) -> dict[str, Any]:
    point = {"type": "Point", "coordinates": [lon, 0]}
    return {"name": "F", "description": "f", "encodingType": "application/geo+json", "feature": point}


def at(second: int) -> int:
    return times.parse_instant(f"{DAY}{second}Z")


@pytest.mark.parametrize(
    ("entity", "body"),
    [
        ("Thing", {"name": "new", "properties": {"a": [1]}}),
        ("Location", {"description": "new", "properties": None}),
        ("Datastream", {"name": "new", "unitOfMeasurement": {"symbol": "m"}}),
        ("Sensor", {"metadata": {"any": "thing"}}),
        ("ObservedProperty", {"definition": "https://example.org/new"}),
        ("FeatureOfInterest", {"name": "new"}),
        ("HistoricalLocation", {"time": "2030-01-01T00:00:00Z"}),
    ],
)
def test_what_is_named_changes_and_the_rest_stays(store: Store, entity: str, body: dict[str, Any]) -> None:
    create(store, "Thing", {**THING, "@iot.id": "t", "Locations": [location(1)]})
    create(store, "Datastream", stream(**{"@iot.id": "d", "Thing": {"@iot.id": "t"}}))
    create(store, "Observation", {"result": 1}, links={"Datastream": "d"})
    (name,) = ids(store, entity)
    page = ask(store, entity, id=name)
    before = dict(zip(page.columns, page.rows[0], strict=True))
    change(store, entity, name, body)
    after = dict(zip(page.columns, ask(store, entity, id=name).rows[0], strict=True))
    assert {key for key in before if before[key] != after[key]} == {key for key in body if body[key] is not None}


def test_a_stream_moves_to_another_thing_and_observes_there(store: Store) -> None:
    for number, name in ((1, "a"), (2, "b")):
        create(store, "Thing", {**THING, "@iot.id": name, "Locations": [location(number)]})
    create(store, "Datastream", stream(**{"@iot.id": "d", "Thing": {"@iot.id": "a"}}))
    observe(store, "d", 1)
    change(store, "Datastream", "d", {"Thing": {"@iot.id": "b"}})
    assert ids(store, "Datastream", Step("Thing", "b", "Datastreams")) == ["d"]
    assert ids(store, "Datastream", Step("Thing", "a", "Datastreams")) == []
    observe(store, "d", 2)
    area = msgspec.json.decode(row(store, "Datastream", "d", "observedArea")[0])
    assert {tuple(point) for point in area["coordinates"][0]} == {(1.0, 50.0), (2.0, 50.0)}
    with pytest.raises(InvalidInput, match="nobody") as caught:
        change(store, "Datastream", "d", {"Thing": {"@iot.id": "nobody"}})
    assert caught.value.where == "Thing"


def test_a_stream_stays_in_its_dataset(store: Store) -> None:
    store.append(batch(Series(stream="garage~free", times=[1], results=[1]), dataset="hidden"))
    create(store, "Thing", {**THING, "@iot.id": "open"})
    with pytest.raises(Conflict, match="dataset"):
        change(store, "Datastream", "garage~free", {"Thing": {"@iot.id": "open"}})


def test_the_next_declaration_wins(store: Store) -> None:
    sent = batch(Series(stream="garage~free", times=[1], results=[1]))
    store.append(sent)
    for entity, name in (("Datastream", "garage~free"), ("Thing", "garage"), ("Sensor", "barriers")):
        before = row(store, entity, name, "name")
        change(store, entity, name, {"name": "mine"})
        assert row(store, entity, name, "name") == ("mine",)
        store.append(sent)
        assert row(store, entity, name, "name") == before


def test_an_observation_is_corrected(store: Store) -> None:
    first, last = readings(store, 1, 5)
    change(store, "Observation", last, {"result": "worse", "resultQuality": {"plausible": False, "flags": ["x"]}})
    (latest,) = store.latest(HOUSE)
    assert (latest.result, latest.quality) == ("worse", {"plausible": False, "flags": ["x"]})
    line = store.changes(0, 100)[-1]
    assert (line.kind, line.start, line.end, line.count, line.origin) == ("correction", at(5), at(5), 1, "user:eve")
    assert [str(r[1]) for r in store.change_page(line, Query(entity="Observation", reader=HOUSE)).rows] == [last]
    assert row(store, "Observation", first, "result")[-1] == 1


def test_an_observation_moves_in_time(store: Store) -> None:
    first, middle, last = readings(store, 1, 3, 5)
    change(store, "Observation", last, {"phenomenonTime": f"{DAY}2Z"})
    assert row(store, "Datastream", "d", *EXTENTS)[1:3] == (at(1), at(3))
    assert store.latest(HOUSE)[0].result == 3
    change(store, "Observation", first, {"phenomenonTime": f"{DAY}0Z/{DAY}9Z"})
    assert row(store, "Datastream", "d", *EXTENTS)[1:3] == (at(0), at(9))
    change(store, "Observation", first, {"phenomenonTime": f"{DAY}3Z", "resultTime": f"{DAY}7Z"})
    assert row(store, "Datastream", "d", *EXTENTS)[1:] == (at(2), at(3), at(7), at(7))
    assert store.points(HOUSE, "d", 0, 2**60).times == [at(2), at(3), at(3)]
    assert str(ask(store, "Observation", id=middle).rows[0][1]) == middle
    change(store, "Observation", first, {"resultTime": None})
    assert row(store, "Datastream", "d", *EXTENTS)[3:] == (None, None)


def test_a_declared_reading_that_moved_leaves_room_for_its_sources_next(store: Store) -> None:
    sent = batch(Series(stream="garage~free", times=[at(1), at(2)], results=[1, 2]))
    store.append(sent)
    change(store, "Observation", ids(store, "Observation")[0], {"phenomenonTime": f"{DAY}2Z"})
    assert store.points(HOUSE, "garage~free", 0, 2**60).results == [2, 1]
    assert store.append(sent).accepted == 1
    assert store.points(HOUSE, "garage~free", 0, 2**60).results == [1, 2, 1]


def test_an_observation_moves_to_another_stream(store: Store) -> None:
    readings(store, 1, 2)
    (other,) = readings(store, 5, name="e")
    change(store, "Observation", other, {"Datastream": {"@iot.id": "d"}})
    assert row(store, "Datastream", "e", *EXTENTS) == (None,) * 5
    assert row(store, "Datastream", "d", *EXTENTS)[1:3] == (at(1), at(5))
    assert [(c.stream, c.kind) for c in store.changes(0, 100)][-2:] == [("e", "deletion"), ("d", "append")]
    assert [(latest.stream, latest.count) for latest in store.latest(HOUSE)] == [("d", 3)]


@pytest.mark.parametrize("value", [[1], ["x" * 3000], {"k": None}, None, "text", 1.5, True, 2**53 + 1])
def test_a_result_of_any_kind_takes_the_place_of_any(store: Store, value: Any) -> None:
    (name,) = readings(store, 1)
    for new in (value, ["y" * 2500], value, 7):
        change(store, "Observation", name, {"result": new})
        assert store.points(HOUSE, "d", 0, 2**60).results == [new]
        assert store.latest(HOUSE)[0].result == new


def test_the_area_follows_the_features(store: Store) -> None:
    readings(store)
    numbers = [observe(store, "d", second, FeatureOfInterest=place(second)) for second in (1, 5)]
    features = ids(store, "FeatureOfInterest")
    change(store, "FeatureOfInterest", features[1], {"feature": {"type": "Point", "coordinates": [3, 0]}})
    area = msgspec.json.decode(row(store, "Datastream", "d", "observedArea")[0])
    assert max(area["coordinates"][0]) == [3.0, 0.0]
    change(store, "Observation", numbers[1], {"FeatureOfInterest": {"@iot.id": features[0]}})
    area = msgspec.json.decode(row(store, "Datastream", "d", "observedArea")[0])
    assert area == {"type": "Point", "coordinates": [1.0, 0.0]}
    assert ids(store, "Observation", Step("FeatureOfInterest", features[1], "Observations")) == []
    assert ids(store, "Observation", Step("FeatureOfInterest", features[0], "Observations")) == numbers


def test_a_thing_is_placed_and_its_history_says_so(store: Store) -> None:
    for number in (1, 2):
        create(store, "Location", location(number, **{"@iot.id": f"l{number}"}))
    create(store, "Thing", {**THING, "@iot.id": "t", "Locations": [{"@iot.id": "l1"}]})
    change(store, "Thing", "t", {"Locations": [{"@iot.id": "l2"}]})
    assert ids(store, "Location", Step("Thing", "t", "Locations")) == ["l2"]
    old, new = ids(store, "HistoricalLocation", Step("Thing", "t", "HistoricalLocations"))
    change(store, "HistoricalLocation", old, {"time": "2040-01-01T00:00:00Z"})
    assert ids(store, "Location", Step("Thing", "t", "Locations")) == ["l1"]
    change(store, "HistoricalLocation", new, {"Locations": [{"@iot.id": "l1"}]})
    assert ids(store, "Location", Step("HistoricalLocation", new, "Locations")) == ["l1"]


def test_a_moved_location_gives_a_new_feature(store: Store) -> None:
    create(store, "Thing", {**THING, "@iot.id": "t", "Locations": [location(1, **{"@iot.id": "l"})]})
    create(store, "Datastream", stream(**{"@iot.id": "d", "Thing": {"@iot.id": "t"}}))
    observe(store, "d", 1)
    change(
        store,
        "Location",
        "l",
        {"location": {"type": "Point", "coordinates": [9, 50]}, "encodingType": "application/geo+json"},
    )
    number = observe(store, "d", 2)
    (feature,) = ask(store, "FeatureOfInterest", path=(Step("Observation", number, "FeatureOfInterest"),)).rows
    assert "[9" in str(feature)


def test_what_was_changed_meanwhile_is_not_changed(store: Store) -> None:
    create(store, "Thing", {**THING, "@iot.id": "t"})
    seen = ask(store, "Thing", id="t").rows[0]
    change(store, "Thing", "t", {"name": "mine"}, seen=seen)
    with pytest.raises(ChangedMeanwhile):
        change(store, "Thing", "t", {"name": "yours"}, seen=seen)
    assert row(store, "Thing", "t", "name") == ("mine",)


def test_what_cannot_be_seen_is_not_there(store: Store) -> None:
    store.append(batch(Series(stream="garage~free", times=[1], results=[1]), dataset="hidden"))
    create(store, "Datastream", stream(**{"@iot.id": "d"}))
    eve = Reader(name="user:eve", may_write=True)
    for entity in ("Thing", "Datastream", "Sensor", "Observation"):
        name = "1" if entity == "Observation" else {"Thing": "garage", "Sensor": "barriers"}.get(entity, "garage~free")
        with pytest.raises(NotFound):
            change(store, entity, name, {}, reader=eve)
    with pytest.raises(InvalidInput, match="garage"):
        change(store, "Datastream", "d", {"Thing": {"@iot.id": "garage"}}, reader=eve)


@pytest.mark.parametrize("entity", ["ObservedProperty", "Sensor"])
def test_what_streams_of_others_stand_on_stays(store: Store, entity: str) -> None:
    store.append(batch(Series(stream="garage~free", times=[1], results=[1])))
    own = Reader(name="token:own", may_write=True)
    name = {"ObservedProperty": "free-parking-spaces", "Sensor": "barriers"}[entity]
    with pytest.raises(Forbidden):
        change(store, entity, name, {"name": "Mine"}, reader=own)
    both = Reader(name="token:both", may_write=True, writes=frozenset({"commons", "parking"}))
    change(store, entity, name, {"name": "Ours"}, reader=both)
    create(store, "ObservedProperty", {**PLAIN, "definition": "https://example.org/p", "@iot.id": "unused"})
    change(store, "ObservedProperty", "unused", {"name": "Mine"}, reader=own)


def test_a_place_a_feature_and_a_party_of_others_stay(store: Store) -> None:
    """All three belong to the commons; what hangs on them does not."""
    own = Reader(name="token:own", may_write=True)
    both = Reader(name="token:both", may_write=True, writes=frozenset({"commons", "parking"}))
    at = {"description": "d", "encodingType": "text/plain"}
    bodies = {
        "Location": {**at, "name": "L", "location": "here"},
        "FeatureOfInterest": {**at, "name": "F", "feature": "here"},
        "Party": {"role": "individual", "displayName": "P"},
    }
    for entity, body in bodies.items():
        create(store, entity, {**body, "@iot.id": "theirs"}, reader=own)
        create(store, entity, {**body, "@iot.id": "unused"}, reader=own)
    hung = {"Locations": [{"@iot.id": "theirs"}], "Party": {"@iot.id": "theirs"}}
    create(store, "Thing", {**THING, "@iot.id": "t", **hung}, dataset="parking", reader=both)
    create(store, "Datastream", stream(**{"@iot.id": "d", "Thing": {"@iot.id": "t"}}), dataset="parking", reader=both)
    create(store, "Observation", {"result": 1, "FeatureOfInterest": {"@iot.id": "theirs"}}, links={"Datastream": "d"})
    for entity in bodies:
        new = {"description": "new"}
        with pytest.raises(Forbidden, match=f"that you may not write to stand on this {entity}"):
            change(store, entity, "theirs", new, reader=own)
        change(store, entity, "unused", new, reader=own)
        change(store, entity, "theirs", new, reader=both)


def test_a_licence_of_others_stays(store: Store) -> None:
    store.append(batch(Series(stream="garage~free", times=[1], results=[1])))
    terms = {"name": "by", "definition": "https://example.org/by", "@iot.id": "by"}
    create(store, "License", terms)
    change(store, "Datastream", "garage~free", {"License": {"@iot.id": "by"}})
    own = Reader(name="token:own", may_write=True)
    with pytest.raises(Forbidden, match="Datastreams that you may not write to stand on this License"):
        change(store, "License", "by", {"definition": "https://example.org/mine"}, reader=own)
    create(store, "License", {**terms, "@iot.id": "unused"})
    change(store, "License", "unused", {"definition": "https://example.org/mine"}, reader=own)


PLAIN = {"name": "P", "description": "p"}

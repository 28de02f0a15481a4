"""Deleting: what goes with it, what is kept true, and what the change log says of it."""

from typing import Any

import msgspec
import pytest

from allmende.domain.batch import Removal
from allmende.domain.errors import ChangedMeanwhile, Conflict, Forbidden, NotFound
from allmende.domain.policy import Reader
from allmende.domain.query import Compare, Path, Query, Step, Value
from allmende.domain.records import Series
from allmende.domain.store import Store
from tests.storage.test_amendment import AT, DAY, EXTENTS, at, change, observe, place, readings, row
from tests.storage.test_creation import THING, ids, location, stream
from tests.support import HOUSE, ask, batch, create

SETS = ("Thing", "Location", "HistoricalLocation", "Datastream", "MultiDatastream", "Sensor", "ObservedProperty",
        "Observation", "FeatureOfInterest")  # fmt: skip


def remove(store: Store, entity: str, identifier: str | None = None, *, reader: Reader = HOUSE, **more: Any) -> int:
    seen = more.pop("seen", None)
    target = Query(entity=entity, reader=reader, id=identifier, **more)
    return store.remove(Removal(target=target, origin="user:eve", received_at=AT, seen=seen))


def census(store: Store) -> dict[str, int]:
    return {entity: int(ask(store, entity, top=0, count=True).count or 0) for entity in SETS}


def town(store: Store) -> dict[str, int]:
    """One of each, with two observations; and a second thing with a stream of its own."""
    for number in (1, 2):
        create(
            store,
            "Thing",
            {**THING, "@iot.id": f"t{number}", "Locations": [location(number, **{"@iot.id": f"l{number}"})]},
        )
        related = {"Sensor": "sensor", "ObservedProperty": "property"}
        for relation, name in related.items():
            body = {**stream()[relation], "@iot.id": f"{name}{number}"}
            create(store, relation, body)
        links = {relation: {"@iot.id": f"{name}{number}"} for relation, name in related.items()}
        readings(store, 1, 2, name=f"d{number}", Thing={"@iot.id": f"t{number}"}, **links)
    return census(store)


@pytest.mark.parametrize(
    ("entity", "name", "gone"),
    [
        ("Thing", "t1", {"Thing": 1, "HistoricalLocation": 1, "Datastream": 1, "Observation": 2}),
        ("Datastream", "d1", {"Datastream": 1, "Observation": 2}),
        ("Sensor", "sensor1", {"Sensor": 1, "Datastream": 1, "Observation": 2}),
        ("ObservedProperty", "property1", {"ObservedProperty": 1, "Datastream": 1, "Observation": 2}),
        ("FeatureOfInterest", "1", {"FeatureOfInterest": 1, "Observation": 2}),
        ("Location", "l1", {"Location": 1, "HistoricalLocation": 1}),
        ("HistoricalLocation", "1", {"HistoricalLocation": 1}),
        ("Observation", "1", {"Observation": 1}),
    ],
)
def test_what_goes_with_it(store: Store, entity: str, name: str, gone: dict[str, int]) -> None:
    before = town(store)
    assert remove(store, entity, name) == 1
    assert {k: before[k] - n for k, n in census(store).items() if before[k] != n} == gone
    with pytest.raises(NotFound):
        remove(store, entity, name)
    assert store.points(HOUSE, "d2", 0, 2**60).results == [1, 2]
    assert [latest.stream for latest in store.latest(HOUSE)][-1] == "d2"


def test_extents_are_true_after_each_deletion(store: Store) -> None:
    readings(store)
    spans = [(1, "1Z"), (2, "2Z/" + DAY + "9Z"), (3, "3Z"), (5, "5Z")]
    names = [
        observe(store, "d", n, phenomenonTime=f"{DAY}{span}", resultTime=f"{DAY}{n}Z", FeatureOfInterest=place(n))
        for n, span in spans
    ]

    def extents() -> tuple[Any, ...]:
        area, *moments = row(store, "Datastream", "d", *EXTENTS)
        ring = msgspec.json.decode(area)["coordinates"] if area else None
        lons = {p[0] for p in ring[0]} if ring and isinstance(ring[0], list) else {ring[0]} if ring else set()
        return (lons and (min(lons), max(lons)), *moments)

    assert extents() == ((1.0, 5.0), at(1), at(9), at(1), at(5))
    remove(store, "Observation", names[0])
    assert extents() == ((2.0, 5.0), at(2), at(9), at(2), at(5))
    remove(store, "Observation", names[3])
    assert extents() == ((2.0, 3.0), at(2), at(9), at(2), at(3))
    remove(store, "Observation", names[1])
    assert extents() == ((3.0, 3.0), at(3), at(3), at(3), at(3))
    assert (store.latest(HOUSE)[0].count, store.latest(HOUSE)[0].result) == (1, 3)
    remove(store, "Observation", names[2])
    assert extents() == (set(), None, None, None, None)
    assert store.latest(HOUSE) == []
    observe(store, "d", 4)
    assert extents() == (set(), at(4), at(4), None, None)


def test_the_change_log_says_what_went(store: Store) -> None:
    town(store)
    remove(store, "Observation", "1")
    remove(store, "Datastream", "d2")
    lines = [(c.stream, c.kind, c.start, c.end, c.count, c.origin) for c in store.changes(0, 100)][-2:]
    assert lines == [
        ("d1", "deletion", at(1), at(1), 1, "user:eve"),
        ("d2", "deletion", at(1), at(2), 2, "user:eve"),
    ]
    everything = Query(entity="Observation", reader=HOUSE)
    assert [store.change_page(c, everything).rows for c in store.changes(0, 100) if c.stream == "d2"] == [[], [], []]


def test_a_new_stream_is_not_the_deleted_one(store: Store) -> None:
    """An engine may give a row's key again: the log must not tell the old stream's story of the new one."""
    for _ in range(3):
        readings(store, 1, 2)
        remove(store, "Datastream", "d")
    readings(store, 5, name="e")
    assert [c.stream for c in store.changes(0, 100)] == ["d"] * 9 + ["e"]
    remove(store, "Datastream", "e")
    assert [c.stream for c in store.changes(0, 100)] == ["d"] * 9 + ["e"] * 2


def test_side_tables_are_clean(store: Store) -> None:
    readings(store)
    large = {"result": ["x" * 3000], "phenomenonTime": f"{DAY}1Z", "FeatureOfInterest": place(1)}
    for name in ("mine", "yours"):
        create(store, "Observation", {**large, "@iot.id": name}, links={"Datastream": "d"})
        change(store, "Observation", name, {"phenomenonTime": f"{DAY}3Z"})
    remove(store, "Observation", "mine")
    assert _rows(store) == {"document": 1, "name": 1, "history": 1}
    remove(store, "Datastream", "d")
    assert _rows(store) == {"document": 0, "name": 0, "history": 0}


def _rows(store: Any) -> dict[str, int]:
    sides = ("document", "name", "history")
    return {s: store._read(lambda c: c.execute(f"SELECT count(*) FROM observation_{s}").fetchone()[0]) for s in sides}  # noqa: B023


def test_a_filter_picks_what_goes(store: Store) -> None:
    town(store)
    picked = Compare("ge", Path(("result",)), Value(2, "number"))
    assert remove(store, "Observation", filter=picked) == 2
    assert store.points(HOUSE, "d1", 0, 2**60).results == [1]
    assert [(c.stream, c.kind, c.count) for c in store.changes(0, 100)][-2:] == [
        ("d1", "deletion", 1), ("d2", "deletion", 1),
    ]  # fmt: skip
    assert remove(store, "Observation", filter=picked) == 0
    path = (Step("Datastream", "d2", "Observations"),)
    assert remove(store, "Observation", path=path, filter=Compare("eq", Path(("result",)), Value(1, "number"))) == 1
    assert remove(store, "Thing", filter=Compare("eq", Path(("name",)), Value("T", "string"))) == 2
    assert census(store)["Datastream"] == 0


def test_many_readings_go_at_once(store: Store) -> None:
    store.append(batch(Series(stream="garage~free", times=list(range(3000)), results=list(range(3000)))))
    picked = Compare("lt", Path(("result",)), Value(2990, "number"))
    assert remove(store, "Observation", filter=picked) == 2990
    (latest,) = store.latest(HOUSE)
    assert (latest.count, latest.first, latest.start) == (10, 2990, 2999)


def test_the_feature_is_made_again(store: Store) -> None:
    town(store)
    remove(store, "FeatureOfInterest", "1")
    assert row(store, "Datastream", "d1", "observedArea") == (None,)
    number = observe(store, "d1", 3)
    assert len(ids(store, "FeatureOfInterest", Step("Observation", number, "FeatureOfInterest"))) == 1
    assert row(store, "Datastream", "d1", "observedArea") != (None,)


def test_a_source_declares_again_what_was_deleted(store: Store) -> None:
    for entity, name in (("Thing", "garage"), ("Sensor", "barriers"), ("Datastream", "garage~free")):
        store.append(batch(Series(stream="garage~free", times=[1, 2], results=[1, 2])))
        remove(store, entity, name)
        assert store.append(batch(Series(stream="garage~free", times=[3], results=[3]))).accepted == 1
        assert store.points(HOUSE, "garage~free", 0, 10).results == [3]
    remove(store, "Location", "garage~location")
    assert ids(store, "Location", Step("Thing", "garage", "Locations")) == []
    store.append(batch(Series(stream="garage~free", times=[4], results=[4])))
    assert ids(store, "Location", Step("Thing", "garage", "Locations")) == ["garage~location"]


def test_nothing_goes_that_one_cannot_see(store: Store) -> None:
    store.append(batch(Series(stream="garage~free", times=[1], results=[1]), dataset="hidden"))
    eve = Reader(name="user:eve", may_write=True)
    before = census(store)
    for entity, name in (("Thing", "garage"), ("Datastream", "garage~free"), ("Observation", "1")):
        with pytest.raises(NotFound):
            remove(store, entity, name, reader=eve)
    with pytest.raises(Conflict, match="may not delete"):
        remove(store, "ObservedProperty", "free-parking-spaces", reader=eve)
    assert remove(store, "Observation", reader=eve) == 0
    assert census(store) == before


def test_what_was_changed_meanwhile_stays(store: Store) -> None:
    town(store)
    for entity, name, body in (("Observation", "1", {"result": 9}), ("Thing", "t1", {"name": "new"})):
        seen = ask(store, entity, id=name).rows[0]
        change(store, entity, name, body)
        with pytest.raises(ChangedMeanwhile):
            remove(store, entity, name, seen=seen)
        assert remove(store, entity, name, seen=ask(store, entity, id=name).rows[0]) == 1


def test_nothing_goes_or_changes_where_one_may_not_write(store: Store) -> None:
    store.append(batch(Series(stream="garage~free", times=[1], results=[1])))
    eve = Reader(name="user:eve", may_write=True)
    readings(store, 1)
    before = census(store)
    kinds = {"Thing": "garage", "Datastream": "garage~free", "Observation": "1", "Location": "garage~location",
             "Sensor": "barriers", "FeatureOfInterest": "garage~feature", "HistoricalLocation": "1"}  # fmt: skip
    for entity, name in (*kinds.items(), ("ObservedProperty", "free-parking-spaces")):
        with pytest.raises(Forbidden, match="parking"):
            remove(store, entity, name, reader=eve)
    for entity, name in kinds.items():
        with pytest.raises(Forbidden, match="parking"):
            change(store, entity, name, {}, reader=eve)
    with pytest.raises(Forbidden, match="parking"):
        change(store, "Observation", "2", {"Datastream": {"@iot.id": "garage~free"}}, reader=eve)
    with pytest.raises(Forbidden, match="parking"):
        remove(store, "Observation", reader=eve)
    assert census(store) == before
    granted = Reader(name="user:eve", may_write=True, writes=frozenset({"parking"}))
    change(store, "Observation", "1", {"result": 2}, reader=granted)
    assert remove(store, "Thing", "garage", reader=granted) == 1

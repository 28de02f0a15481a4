"""What somebody gave and takes back leaves nothing behind."""

import msgspec
import pytest

from allmende.domain.errors import NotFound
from allmende.domain.model import ENTITIES
from allmende.domain.policy import ANONYMOUS, Reader
from allmende.domain.query import Expand, Query
from allmende.domain.records import Position, Rejection, Series
from allmende.domain.store import Store
from tests.support import HOUSE, batch, declaration

AT = 1_700_000_000_000_000
HERE = Position(11.58, 50.92)
PLACE = Position(11.6, 51.0)
GIVER = Reader(name="user:giver", datasets=frozenset({"hidden"}))


def own(stream: str = "own-1~free", place: Position | None = HERE):
    """The declaration of a sensor that shares nothing with others."""
    declared = declaration(stream)
    thing = msgspec.structs.replace(declared.thing, position=place)
    sensor = msgspec.structs.replace(declared.sensor, id="own-1")
    return msgspec.structs.replace(declared, thing=thing, sensor=sensor)


def give(store: Store, *series: Series, declared: object = None, rejections: tuple[Rejection, ...] = ()) -> None:
    """What came of it, in the held dataset."""
    told = batch(*series, dataset="hidden", origin="own-1", rejections=rejections)
    told.declarations = [declared or own()] if series else []
    store.append(told)


def fill(store: Store, *, declared: object = None, start: int = 0) -> None:
    """A stream with readings, of which one was corrected, and a rejection."""
    for results in ([1, 2, 3], [1, 2, 4]):
        times = [AT + start + n for n in range(3)]
        give(store, Series(stream="own-1~free", times=times, results=results), declared=declared)
    give(store, rejections=(Rejection(reason="no", body=b"secret"),))


def everything(store: Store, entity: str) -> list[str]:
    return [row[1] for row in store.find(Query(entity=entity, reader=HOUSE, top=100)).rows]


def text_of(store: Store) -> str:
    """All that can be asked for, as text."""
    return "".join(repr(store.find(Query(entity=entity, reader=HOUSE, top=100)).rows) for entity in ENTITIES)


def test_a_place_is_told_otherwise_as_if_it_had_never_been_told(store):
    fill(store)
    assert "11.58" in text_of(store)
    store.rewrite_place("own-1", PLACE, reader=HOUSE, origin="house", at=AT)
    assert "11.58" not in text_of(store)
    assert text_of(store).count("11.6,51") >= 2
    kept = len(everything(store, "Location"))
    # Its next declaration finds the place as it is told now.
    give(store, Series(stream="own-1~free", times=[AT + 9], results=[9]), declared=own(place=PLACE))
    assert len(everything(store, "Location")) == kept
    assert len(everything(store, "FeatureOfInterest")) == 1
    assert len(everything(store, "HistoricalLocation")) == 1


def test_a_place_is_taken_back(store):
    fill(store)
    store.rewrite_place("own-1", None, reader=HOUSE, origin="house", at=AT)
    assert "11.58" not in text_of(store)
    for entity in ("Location", "HistoricalLocation", "FeatureOfInterest"):
        assert everything(store, entity) == []
    assert len(everything(store, "Observation")) == 3
    feature = Expand(
        relation="FeatureOfInterest", query=Query(entity="FeatureOfInterest", reader=HOUSE, select=("id",))
    )
    found = store.find(Query(entity="Observation", reader=HOUSE, top=10, expand=(feature,)))
    assert not any(page.rows for page in found.expanded["FeatureOfInterest"].values())
    fill(store, declared=own(place=None), start=10)
    assert len(everything(store, "Observation")) == 6
    with pytest.raises(NotFound):
        store.rewrite_place("nobody", None, reader=HOUSE, origin="house", at=AT)


def test_a_source_is_forgotten_and_no_other(store):
    fill(store)
    other = Series(stream="garage~free", times=[AT], results=[5])
    store.append(batch(other))
    store.append(batch(rejections=(Rejection(reason="no", body=b"other"),)))
    before = store.newest_change()
    store.forget_source("own-1", "hidden", reader=HOUSE, origin="house", at=AT)
    assert "own-1" not in text_of(store)
    assert everything(store, "Thing") == ["garage"]
    assert len(everything(store, "Observation")) == 1
    assert "own-1" not in store.sources()
    assert [rejection.source for rejection in store.rejections()] == ["feed"]
    told = store.changes(before, 10)
    assert [(change.stream, change.kind, change.count) for change in told] == [("own-1~free", "deletion", 3)]
    store.forget_source("own-1", "hidden", reader=HOUSE, origin="house", at=AT)
    store.forget_source("own-2", "never-there", reader=HOUSE, origin="house", at=AT)


def test_held_data_are_seen_by_the_giver_alone(store):
    fill(store)
    for entity in ENTITIES:
        if entity != "ObservedProperty":
            assert store.find(Query(entity=entity, reader=ANONYMOUS, top=10)).rows == [], entity
    assert len(store.find(Query(entity="Observation", reader=GIVER, top=10)).rows) == 3

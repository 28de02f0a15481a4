"""Figures of datasets: what is counted, where it lies, and that nobody counts what they may not see."""

from typing import Any

import msgspec

from allmende.domain.batch import Batch
from allmende.domain.policy import ANONYMOUS, Reader
from allmende.domain.records import Series, ThingDeclaration
from allmende.domain.store import Store
from tests.support import HOUSE, batch

NOON = 1_700_000_000_000_000
MINUTE = 60_000_000
GUEST = Reader(name="guest", datasets=frozenset({"hidden"}))


def told(series: Series, *, dataset: str = "parking", **more: Any) -> Batch:
    """A batch whose sensor is the dataset's own."""
    made = batch(series, dataset=dataset, **more)
    declared = made.declarations[0]
    sensor = msgspec.structs.replace(declared.sensor, id=f"barriers-{dataset}")
    made.declarations = [msgspec.structs.replace(declared, sensor=sensor)]
    return made


def fill(store: Store) -> None:
    garage = Series(
        stream="garage~free",
        times=[NOON, NOON + MINUTE, NOON + 2 * MINUTE],
        results=[5, 400, 7],
        flags=["", "above", ""],
    )
    store.append(told(garage, at=NOON + 3 * MINUTE))
    store.append(told(Series(stream="depot~free", times=[NOON], results=[1]), dataset="hidden", origin="other"))
    store.append(told(Series(stream="empty~free", times=[], results=[])))


def test_figures_are_of_what_the_reader_may_see(store: Store) -> None:
    fill(store)
    found = store.figures(ANONYMOUS)
    assert set(found) == {"parking"}
    parking = found["parking"]
    assert (parking.streams, parking.readings) == (2, 3)
    assert (parking.first, parking.newest) == (NOON, NOON + 2 * MINUTE)
    assert parking.bbox == (11.58, 50.92, 11.58, 50.92)
    assert set(store.figures(GUEST)) == {"parking", "hidden"}


def test_a_dataset_without_readings_lies_where_its_things_stand(store: Store) -> None:
    store.append(told(Series(stream="empty~free", times=[], results=[])))
    figures = store.figures(ANONYMOUS)["parking"]
    assert (figures.readings, figures.first, figures.bbox) == (0, None, (11.58, 50.92, 11.58, 50.92))


def test_streams_come_in_pages_with_their_newest_reading(store: Store) -> None:
    fill(store)
    [empty] = store.streams(ANONYMOUS, "parking", top=1)
    assert (empty.id, empty.start, empty.result, empty.count) == ("empty~free", None, None, 0)
    [garage] = store.streams(ANONYMOUS, "parking", after=empty.id)
    assert (garage.lon, garage.lat) == (empty.lon, empty.lat) == (11.58, 50.92)
    assert (garage.thing, garage.unit, garage.property) == ("Garage", "{space}", "Free spaces")
    assert (garage.start, garage.result, garage.count, garage.flagged) == (NOON + 2 * MINUTE, 7, 3, False)


def test_streams_of_a_hidden_dataset_are_like_none(store: Store) -> None:
    fill(store)
    assert store.streams(ANONYMOUS, "hidden") == store.streams(ANONYMOUS, "nothing") == []
    assert [stream.id for stream in store.streams(GUEST, "hidden")] == ["depot~free"]


def test_a_thing_of_another_dataset_is_named_to_those_who_may_see_it(store: Store) -> None:
    store.append(told(Series(stream="depot~free", times=[NOON], results=[1]), dataset="hidden"))
    derived = told(Series(stream="depot~mean", times=[NOON], results=[1]), origin="rule/mean")
    declared = derived.declarations[0]
    thing = ThingDeclaration(id="depot", name="", kept=True)
    derived.declarations = [msgspec.structs.replace(declared, thing=thing)]
    store.append(derived)
    assert [(s.id, s.thing, s.thing_id) for s in store.streams(ANONYMOUS, "parking")] == [("depot~mean", "", "")]
    assert [s.thing for s in store.streams(HOUSE, "parking")] == ["Depot"]


def test_tallies_count_within_the_span_alone(store: Store) -> None:
    fill(store)
    tallies = {tally.stream: tally for tally in store.tallies(NOON, NOON + 2 * MINUTE)}
    garage = tallies["garage~free"]
    assert (garage.dataset, garage.source, garage.count, garage.flagged) == ("parking", "feed", 2, 1)
    assert (garage.first, garage.newest, garage.delay) == (NOON, NOON + 2 * MINUTE, MINUTE)
    assert "empty~free" not in tallies


def test_names_are_of_streams_that_the_reader_may_see(store: Store) -> None:
    fill(store)
    found = store.names(ANONYMOUS, 10)
    assert found == {"parking": ["Free spaces", "Empty", "Garage"]}
    assert store.names(ANONYMOUS, 1) == {"parking": ["Free spaces", "Empty"]}
    assert store.names(GUEST, 10)["hidden"] == ["Free spaces", "Depot"]
    assert store.names(ANONYMOUS, 0) == {}


def test_a_thing_that_is_hidden_is_not_named_by_an_open_stream(store: Store) -> None:
    store.append(told(Series(stream="depot~free", times=[NOON], results=[1]), dataset="hidden"))
    derived = told(Series(stream="depot~mean", times=[NOON], results=[1]), origin="rule/mean")
    thing = ThingDeclaration(id="depot", name="", kept=True)
    derived.declarations = [msgspec.structs.replace(derived.declarations[0], thing=thing)]
    store.append(derived)
    assert "Depot" not in store.names(ANONYMOUS, 10)["parking"]
    assert "Depot" in store.names(HOUSE, 10)["parking"]

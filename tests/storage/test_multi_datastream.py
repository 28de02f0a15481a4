"""MultiDatastreams in storage: one table with Datastreams, a set of their own everywhere else."""

from typing import Any

import pytest

from allmende.domain.errors import Conflict
from allmende.domain.model import OBSERVATION_TYPES
from allmende.domain.records import Series
from allmende.domain.store import Store
from tests.storage.test_amendment import change
from tests.storage.test_bookkeeping import rows_of
from tests.storage.test_creation import THING, stream
from tests.storage.test_removal import census, remove
from tests.support import HOUSE, ask, batch, create


def wind(**more: Any) -> dict[str, Any]:
    body = {k: v for k, v in stream().items() if k not in ("unitOfMeasurement", "ObservedProperty")}
    unit = {"name": "u", "symbol": "1", "definition": ""}
    properties = [{**stream()["ObservedProperty"], "@iot.id": f"p{number}"} for number in (2, 1)]
    return {
        **body,
        "@iot.id": "wind",
        "observationType": OBSERVATION_TYPES["complex"],
        "multiObservationDataTypes": ["a", "b"],
        "unitOfMeasurements": [unit, unit],
        "ObservedProperties": properties,
        "Thing": {**THING, "@iot.id": "mast"},
        "Observations": [{"result": [1, 2.5], "phenomenonTime": "2024-01-01T00:00:00Z"}],
        **more,
    }


def test_the_change_log_knows_them(store: Store) -> None:
    create(store, "MultiDatastream", wind())
    (appended,) = store.changes(0, 100)
    assert (appended.entity, appended.stream, appended.count) == ("MultiDatastream", "wind", 1)
    (row,) = rows_of(store, appended)
    assert row[6] == "[1,2.5]"
    assert [(latest.stream, latest.result) for latest in store.latest(HOUSE)] == [("wind", [1, 2.5])]
    change(store, "Observation", "1", {"result": [3, 4]})
    remove(store, "MultiDatastream", "wind")
    lines = [(c.entity, c.stream, c.kind) for c in store.changes(0, 100)]
    assert lines == [("MultiDatastream", "wind", kind) for kind in ("append", "correction", "deletion")]
    assert [rows_of(store, c) for c in store.changes(0, 100)] == [[], [], []]


def test_a_large_row_lies_beside(store: Store) -> None:
    create(store, "MultiDatastream", wind(Observations=[]))
    create(store, "Observation", {"result": ["x" * 100_000, 1]}, links={"MultiDatastream": "wind"})
    (row,) = ask(store, "Observation").rows
    assert len(row[6]) > 100_000
    change(store, "Observation", "1", {"result": ["y", 1]})
    (row,) = ask(store, "Observation").rows
    assert row[6] == '["y",1]'


@pytest.mark.parametrize(
    ("entity", "name", "gone"),
    [
        ("Thing", "mast", {"Thing": 1, "MultiDatastream": 1, "Observation": 1}),
        ("MultiDatastream", "wind", {"MultiDatastream": 1, "Observation": 1}),
        ("Sensor", "1", {"Sensor": 1, "MultiDatastream": 1, "Observation": 1}),
        ("ObservedProperty", "p1", {"ObservedProperty": 1, "MultiDatastream": 1, "Observation": 1}),
        ("ObservedProperty", "p2", {"ObservedProperty": 1, "MultiDatastream": 1, "Observation": 1}),
    ],
)
def test_what_goes_with_it(store: Store, entity: str, name: str, gone: dict[str, int]) -> None:
    create(store, "MultiDatastream", wind())
    before = census(store)
    remove(store, entity, name)
    assert {k: before[k] - n for k, n in census(store).items() if before[k] != n} == gone


def test_a_source_declares_no_stream_of_that_name(store: Store) -> None:
    create(store, "MultiDatastream", wind())
    with pytest.raises(Conflict):
        store.append(batch(Series(stream="wind", times=[1], results=[1])))
    assert ask(store, "Datastream").rows == []

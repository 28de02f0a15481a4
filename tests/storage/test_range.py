"""The range that a source declares for a stream: whoever brings a result outside of it, it is kept and flagged."""

from typing import Any

import msgspec
import pytest

from allmende.domain.arrays import plan_rows
from allmende.domain.batch import Batch, NewEntity, Ref
from allmende.domain.creation import plan_creation
from allmende.domain.records import Series
from allmende.domain.store import Store
from tests.storage.test_amendment import change
from tests.support import AHEAD, HOUSE, ask, batch, create, declaration

NOW = 1_700_000_000_000_000
STREAM = "garage~free"
TIMES = [f"2023-11-14T22:0{minute}:00Z" for minute in range(10)]
RESULTS: list[Any] = [0, -1, 100, 100.5, True, "101", None, {"free": 500}]
FLAGS = ["", "below-minimum", "", "above-maximum", "", "", "", ""]
"""Of the results above, in a stream whose range is 0 to 100."""


def declare(store: Store, *, high: float | None = 100) -> None:
    """A stream of any results, and no reading yet."""
    store.append(msgspec.structs.replace(batch(), declarations=[declaration(STREAM, high=high)]))


def planned(body: dict[str, Any]) -> list[NewEntity]:
    return plan_creation("Observation", body, now=NOW, links={"Datastream": Ref(id=STREAM)}, bounds=AHEAD)


def flags(store: Store) -> list[str]:
    """Of all observations in the order of time."""
    rows = ask(store, "Observation", select=("phenomenonTime", "resultQuality")).rows
    said = [row[4] and msgspec.json.decode(row[4]) for row in sorted(rows, key=lambda row: row[2])]
    assert all(quality is None or quality["plausible"] is False for quality in said)
    return ["" if quality is None else " ".join(quality["flags"]) for quality in said]


def in_one_body(store: Store, bodies: list[dict[str, Any]]) -> None:
    """Each with an id of its own, so that none is a plain single one."""
    for number, body in enumerate(bodies):
        create(store, "Observation", {**body, "@iot.id": f"o{number}"}, links={"Datastream": STREAM})


def one_by_one(store: Store, bodies: list[dict[str, Any]]) -> None:
    for body in bodies:
        create(store, "Observation", body, links={"Datastream": STREAM})


def as_rows(store: Store, bodies: list[dict[str, Any]], stream: str = STREAM) -> None:
    array = [[body["phenomenonTime"], body["result"]] for body in bodies]
    group = {
        "Datastream": {"@iot.id": stream},
        "components": ["phenomenonTime", "result"],
        "dataArray": array,
    }
    rows, refused, _ = plan_rows(group, now=NOW, bounds=AHEAD, where="")
    assert not refused
    made = store.append(Batch(origin="c", dataset="commons", reader=HOUSE, received_at=NOW, rows=[rows]))
    assert all(isinstance(name, str) for name in made.rows[0])


def together(store: Store, bodies: list[dict[str, Any]]) -> None:
    """As a batch of many requests does."""
    store.together(lambda: one_by_one(store, bodies))


@pytest.mark.parametrize("way", [one_by_one, in_one_body, as_rows, together])
def test_a_clients_result_out_of_range_is_flagged_as_a_sources_is(store: Store, way: Any) -> None:
    declare(store)
    way(store, [{"phenomenonTime": at, "result": result} for at, result in zip(TIMES, RESULTS, strict=False)])
    assert flags(store) == FLAGS
    declare(store, high=None)
    way_again = {"phenomenonTime": TIMES[9], "result": 1000}
    one_by_one(store, [way_again])
    assert flags(store)[-1] == ""


def test_the_newest_reading_says_so_at_a_glance(store: Store) -> None:
    declare(store)
    one_by_one(store, [{"phenomenonTime": TIMES[0], "result": 101}])
    assert [latest.quality for latest in store.latest(HOUSE)] == [{"plausible": False, "flags": ["above-maximum"]}]


def test_what_a_client_says_of_its_quality_stands(store: Store) -> None:
    declare(store)
    said = {"phenomenonTime": TIMES[0], "result": 101, "resultQuality": {"checked": "by hand"}}
    one_by_one(store, [said])
    as_one = {**said, "phenomenonTime": TIMES[1], "@iot.id": "o"}
    create(store, "Observation", as_one, links={"Datastream": STREAM})
    rows = ask(store, "Observation", select=("resultQuality",)).rows
    assert [msgspec.json.decode(row[2]) for row in rows] == [said["resultQuality"]] * 2


def test_a_corrected_result_is_judged_anew(store: Store) -> None:
    declare(store)
    one_by_one(store, [{"phenomenonTime": TIMES[0], "result": 101}])
    (name,) = (str(row[1]) for row in ask(store, "Observation").rows)
    change(store, "Observation", name, {"result": 99})
    assert flags(store) == [""]
    change(store, "Observation", name, {"result": -5})
    assert flags(store) == ["below-minimum"]
    change(store, "Observation", name, {"resultQuality": None})
    assert flags(store) == [""]
    change(store, "Observation", name, {"result": 101, "resultQuality": {"plausible": False, "flags": ["mine"]}})
    change(store, "Observation", name, {"result": 5})
    assert flags(store) == ["mine"]


def test_a_move_to_another_stream_is_judged_by_its_range(store: Store) -> None:
    declare(store)
    store.append(batch(Series(stream="yard~free", times=[1], results=[1])))
    store.append(msgspec.structs.replace(batch(), declarations=[declaration("yard~free", high=1000)]))
    one_by_one(store, [{"phenomenonTime": TIMES[0], "result": 101}])
    name = str(ask(store, "Observation").rows[-1][1])
    change(store, "Observation", name, {"Datastream": {"@iot.id": "yard~free"}})
    assert flags(store) == ["", ""]
    change(store, "Observation", name, {"Datastream": {"@iot.id": STREAM}})
    assert flags(store) == ["", "above-maximum"]


def test_a_stream_of_an_older_house_learns_its_range_with_its_next_declaration(store: Store) -> None:
    """Its digest was made before ranges were kept."""
    declare(store)
    with store._connections.writing() as raw:  # type: ignore[attr-defined]
        connection = store._engine.wrap(raw)  # type: ignore[attr-defined]
        connection.execute("UPDATE datastream SET low = NULL, high = NULL, declared = ?", (b"as it was written then",))
    one_by_one(store, [{"phenomenonTime": TIMES[0], "result": 101}])
    declare(store)
    one_by_one(store, [{"phenomenonTime": TIMES[1], "result": 101}])
    assert flags(store) == ["", "above-maximum"]

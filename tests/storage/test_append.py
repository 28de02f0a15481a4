"""Appending readings: what is new, what repeats, what corrects; all of a batch or nothing."""

from typing import Any

import msgspec
import pytest

from allmende.domain.batch import Batch, Receipt
from allmende.domain.errors import Conflict, InvalidInput
from allmende.domain.query import Order, Path, ResultKind, Step
from allmende.domain.records import Position, Rejection, Series
from allmende.domain.store import Store
from tests.support import HOUSE, ask, batch, create, declaration

STREAM = "garage~free"
OBSERVATIONS = (Step("Datastream", STREAM, "Observations"),)


def series(*pairs: tuple[int, Any], stream: str = STREAM, flags: list[str] | None = None) -> Series:
    """Readings as (time, result)."""
    return Series(stream=stream, times=[t for t, _ in pairs], results=[r for _, r in pairs], flags=flags)


def counts(receipt: Receipt) -> tuple[int, int, int, int]:
    return receipt.accepted, receipt.repeated, receipt.corrected, receipt.rejected


def kept(store: Store, stream: str = STREAM) -> dict[int, Any]:
    points = store.points(HOUSE, stream, -(2**62), 2**62)
    assert points.times == sorted(points.times)
    return dict(zip(points.times, points.results, strict=True))


def test_new_repeated_and_corrected(store: Store) -> None:
    assert counts(store.append(batch(series((1, 5), (2, 6))))) == (2, 0, 0, 0)
    assert counts(store.append(batch(series((1, 5), (2, 6))))) == (0, 2, 0, 0)
    assert counts(store.append(batch(series((1, 5), (2, 7), (3, 8))))) == (1, 1, 1, 0)
    assert kept(store) == {1: 5, 2: 7, 3: 8}


def test_the_order_within_a_series_does_not_matter(store: Store) -> None:
    assert counts(store.append(batch(series((3, 8), (1, 5), (2, 6))))) == (3, 0, 0, 0)
    assert counts(store.append(batch(series((0, 1), (2, 6), (4, 9))))) == (2, 1, 0, 0)
    assert kept(store) == {0: 1, 1: 5, 2: 6, 3: 8, 4: 9}
    (latest,) = store.latest(HOUSE)
    assert (latest.start, latest.result, latest.first, latest.count) == (4, 9, 0, 5)


def test_one_time_twice_in_a_series(store: Store) -> None:
    receipt = store.append(batch(series((1, 5), (1, 5), (1, 6), (2, 7))))
    assert counts(receipt) == (2, 1, 1, 0)
    assert receipt.read == 4
    assert kept(store) == {1: 6, 2: 7}


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        (5, 5.0, True),
        (5.0, 5, True),
        (2**53, float(2**53), True),
        (2**53 + 1, float(2**53), False),
        (5, 5.5, False),
        (1, True, False),
        (0, False, False),
        (5, "5", False),
        (5, [5], False),
        (None, 0, False),
        (None, None, True),
        ("a", "a", True),
        ("a", "A", False),
        ({"a": 1}, {"a": 1}, True),
        ({"a": 1}, {"a": 2}, False),
        ([1] * 2000, [1] * 2000, True),
        ([1] * 2000, [2] * 2000, False),
        ([1] * 2000, 5, False),
        (5, [1] * 2000, False),
    ],
)
def test_whether_a_value_is_the_same_again(store: Store, first: Any, second: Any, same: bool) -> None:
    store.append(batch(series((1, first))))
    assert counts(store.append(batch(series((1, second))))) == (0, int(same), int(not same), 0)
    expected = first if same else second
    assert kept(store) == {1: expected}
    assert type(kept(store)[1]) is type(expected)
    (latest,) = store.latest(HOUSE)
    assert (latest.result, latest.count) == (expected, 1)
    page = ask(store, "Observation", path=OBSERVATIONS)
    assert len(page.rows) == 1


def test_all_types_in_one_stream(store: Store) -> None:
    results = [
        5,
        5.0,
        1e300,
        -(2**63),
        2**63 - 1,
        True,
        False,
        None,
        "",
        "5",
        "ü\u2028\x01",
        [],
        {},
        {"a": [1, 2.5]},
        ["x" * 3000],
    ]
    store.append(batch(series(*enumerate(results))))
    assert kept(store) == dict(enumerate(results))
    assert [type(r) for r in kept(store).values()] == [type(r) for r in results]


def test_large_json_goes_through_find_and_latest(store: Store) -> None:
    large = {"text": "ü" * 5000}
    store.append(batch(series((1, large))))
    page = ask(store, "Observation", path=OBSERVATIONS)
    assert page.columns[-1] == "parameters"
    row = dict(zip(page.columns, page.rows[0], strict=True))
    assert row["result.kind"] == ResultKind.JSON
    assert msgspec.json.decode(row["result"]) == large
    assert store.latest(HOUSE)[0].result == large
    create(
        store, "Observation", {"result": large, "phenomenonTime": "2024-01-01T00:00:00Z"}, links={"Datastream": STREAM}
    )
    assert store.latest(HOUSE)[0].result == large


def test_flags_become_quality_and_come_back(store: Store) -> None:
    store.append(batch(series((1, 5), (2, 500), flags=["", "above-maximum odd"])))
    assert store.points(HOUSE, STREAM, 0, 9).flags == ["", "above-maximum odd"]
    page = ask(store, "Observation", path=OBSERVATIONS, select=("resultQuality",))
    assert [r[-1] and msgspec.json.decode(r[-1]) for r in page.rows] == [
        None,
        {"plausible": False, "flags": ["above-maximum", "odd"]},
    ]
    assert store.latest(HOUSE)[0].quality == {"plausible": False, "flags": ["above-maximum", "odd"]}
    store.append(batch(series((2, 50))))
    assert store.points(HOUSE, STREAM, 0, 9).flags == ["", ""]
    assert store.latest(HOUSE)[0].quality is None


def test_a_correction_keeps_its_id_and_is_logged(store: Store) -> None:
    store.append(batch(series((1, 5), (2, 6))))
    before = ask(store, "Observation", path=OBSERVATIONS, select=("result",)).rows
    store.append(batch(series((1, 50))))
    after = ask(store, "Observation", path=OBSERVATIONS, select=("result",)).rows
    assert [r[0] for r in before] == [r[0] for r in after]
    kinds = [(c.kind, c.start, c.end, c.count) for c in store.changes(0, 10)]
    assert kinds == [("append", 1, 2, 2), ("correction", 1, 1, 1)]


def test_points_with_the_one_before(store: Store) -> None:
    store.append(batch(series((10, 1), (20, 2), (30, 3))))
    assert store.points(HOUSE, STREAM, 20, 30).times == [20]
    assert store.points(HOUSE, STREAM, 20, 30, before=True).times == [10, 20]
    assert store.points(HOUSE, STREAM, 5, 10, before=True).times == []
    assert store.points(HOUSE, STREAM, 40, 50, before=True).times == [30]
    assert store.points(HOUSE, "nothing", 0, 50, before=True).times == []


def test_held_is_the_last_reading_of_each_stream_up_to_a_moment(store: Store) -> None:
    store.append(batch(series((10, 1), (20, 2), flags=["", "odd"]), series((15, 7), (40, 8), stream="other~free")))
    streams = [STREAM, "other~free", "nothing"]

    def held(moment: int) -> list[tuple[Any, ...]]:
        return sorted(tuple(each) for each in store.held(HOUSE, streams, moment))

    assert held(9) == []
    assert held(10) == [(STREAM, 10, 1, "")]
    assert held(39) == [(STREAM, 20, 2, "odd"), ("other~free", 15, 7, "")]
    assert store.held(HOUSE, [], 39) == []


def test_reports_are_of_one_source(store: Store) -> None:
    store.append(batch(series((10, 1), (20, 2)), series((20, 1), (25, 2), stream="other~free")))
    store.append(batch(series((15, 1), stream="third~free"), origin="another"))
    assert store.reports(HOUSE, "feed", 0, 99) == [10, 20, 25]
    assert store.reports(HOUSE, "feed", 11, 25) == [20]
    assert store.reports(HOUSE, "another", 0, 99) == [15]
    assert [v.stream for v in store.latest(HOUSE, origin="feed")] == [STREAM, "other~free"]


def test_empty_and_undeclared_series(store: Store) -> None:
    assert counts(store.append(batch(series()))) == (0, 0, 0, 0)
    assert store.latest(HOUSE) == []
    one = batch(series((1, 5)))
    one.declarations = []
    with pytest.raises(InvalidInput, match=STREAM):
        store.append(one)


def test_a_bad_part_takes_all_back(store: Store) -> None:
    good, bad = (
        batch(series((1, 5))),
        batch(series((1, 5), stream="other~free"), rejections=(Rejection(reason="r", body=b"b"),)),
    )
    both = Batch(
        origin="feed", dataset="parking", reader=HOUSE, received_at=1,
        declarations=good.declarations, series=[*good.series, *bad.series], rejections=bad.rejections,
    )  # fmt: skip
    with pytest.raises(InvalidInput, match="other~free"):
        store.append(both)
    for entity in (
        "Thing",
        "Datastream",
        "Observation",
        "Location",
        "FeatureOfInterest",
        "HistoricalLocation",
        "Sensor",
    ):
        assert ask(store, entity).rows == []
    assert (store.changes(0, 10), store.rejections(), store.sources()) == ([], [], {})


def test_an_unknown_dataset(store: Store) -> None:
    with pytest.raises(InvalidInput, match="nowhere"):
        store.append(batch(series((1, 5)), dataset="nowhere"))


def test_one_source_cannot_take_over_anothers_things(store: Store) -> None:
    store.append(batch(series((1, 5))))
    with pytest.raises(Conflict) as caught:
        store.append(batch(series((2, 6)), dataset="hidden"))
    assert "parking" not in str(caught.value)
    assert kept(store) == {1: 5}


def test_declaring_again_changes_what_is_said(store: Store) -> None:
    store.append(batch(series((1, 5))))
    renamed = batch(series((2, 6)))
    renamed.declarations = [msgspec.structs.replace(declaration(STREAM), name="Frei")]
    store.append(renamed)
    page = ask(store, "Datastream", select=("name",))
    assert [r[1:] for r in page.rows] == [(STREAM, "Frei")]
    assert len(ask(store, "HistoricalLocation").rows) == 1


def test_two_documents_of_a_source_each_tell_a_part_of_a_thing(store: Store) -> None:
    def tell(time: int, **properties: Any) -> None:
        told = batch(series((time, 1)))
        thing = msgspec.structs.replace(told.declarations[0].thing, properties=properties)
        told.declarations = [msgspec.structs.replace(told.declarations[0], thing=thing)]
        store.append(told)

    tell(1, zone="1", capacity=40)
    tell(2, opening="24/7", capacity=50)
    (row,) = ask(store, "Thing", select=("properties",)).rows
    assert msgspec.json.decode(row[2]) == {"zone": "1", "capacity": 50, "opening": "24/7"}


def test_a_document_that_has_no_name_for_a_thing_takes_none_back(store: Store) -> None:
    one = declaration("a").thing.id

    def tell(stream: str, name: str) -> None:
        told = batch(series((1, 1), stream=stream))
        thing = msgspec.structs.replace(told.declarations[0].thing, id=one, name=name, description="")
        told.declarations = [msgspec.structs.replace(told.declarations[0], thing=thing)]
        store.append(told)

    for stream, name in (("a", one), ("b", "Felsenkeller"), ("c", one)):
        tell(stream, name)
    (row,) = ask(store, "Thing", select=("name", "description")).rows
    assert list(row[2:4]) == ["Felsenkeller", "Felsenkeller"]


def _moved(at: int, lon: float, *pairs: tuple[int, Any], stream: str = STREAM) -> Batch:
    made = batch(series(*pairs, stream=stream), at=at)
    declared = declaration(stream)
    thing = msgspec.structs.replace(declared.thing, position=Position(lon, 50.92))
    made.declarations = [msgspec.structs.replace(declared, thing=thing)]
    return made


def _features(store: Store) -> dict[int, str]:
    page = ask(store, "Observation", path=OBSERVATIONS, select=("phenomenonTime",))
    moments = {row[0]: row[2] for row in page.rows}
    found = {}
    for number, moment in moments.items():
        there = (Step("Observation", str(number), "FeatureOfInterest"),)
        found[moment] = ask(store, "FeatureOfInterest", path=there, select=("feature",)).rows[0][-1]
    return found


def test_a_declared_move_is_history_and_old_readings_keep_their_place(store: Store) -> None:
    for at, lon in ((100, 11.0), (200, 12.0), (300, 12.0), (400, 11.0)):
        store.append(_moved(at, lon, (at, 1)))
    places = {r[1]: r[-1] for r in ask(store, "Location", select=("location",)).rows}
    assert len(places) == 2
    history = ask(store, "HistoricalLocation", select=("time",)).rows
    assert [r[-1] for r in history] == [100, 200, 400]
    where = [
        ask(store, "Location", path=(Step("HistoricalLocation", r[1], "Locations"),), select=("location",)).rows[0][-1]
        for r in history
    ]
    assert ["11.0" in w for w in where] == [True, False, True]
    now = ask(store, "Location", path=(Step("Thing", "garage", "Locations"),), select=("location",)).rows
    assert [("11.0" in r[-1]) for r in now] == [True]
    assert {at: "11.0" in f for at, f in _features(store).items()} == {100: True, 200: False, 300: False, 400: True}
    assert len(ask(store, "FeatureOfInterest").rows) == 2
    area = ask(store, "Datastream", select=("observedArea",)).rows[0][-1]
    assert msgspec.json.decode(area)["type"] == "Polygon"


def test_a_thing_that_a_client_moved_gets_a_feature_at_its_new_place(store: Store) -> None:
    store.append(batch(series((1, 5))))
    body = {
        "name": "New", "description": "new", "encodingType": "application/geo+json",
        "location": {"type": "Point", "coordinates": [7.5, 50.0]},
    }  # fmt: skip
    create(store, "Location", body, links={"Things": "garage"})
    store.append(batch(series((2, 6))))
    assert {at: "7.5" in f for at, f in _features(store).items()} == {1: False, 2: True}


def test_sources_sum_their_counts(store: Store) -> None:
    rejection = Rejection(reason="odd", body=b"x")
    store.append(batch(series((1, 5), (2, 6)), rejections=(rejection,), at=10))
    store.append(batch(series((1, 5), (2, 7)), at=20))
    state = store.sources()["feed"]
    assert (state.accepted, state.repeated, state.corrected, state.rejected) == (2, 1, 1, 1)
    assert (state.newest, state.last_received) == (2, 20)


@pytest.mark.parametrize("path", [("result",), ("phenomenonTime",), ("id",)])
def test_what_is_appended_is_found(store: Store, path: tuple[str, ...]) -> None:
    store.append(batch(series(*((t, t * 2) for t in range(50)))))
    page = ask(store, "Observation", order=(Order(Path(path), True),), select=("result",), top=5)
    assert [r[-1] for r in page.rows] == [98, 96, 94, 92, 90]


# --- forecasts: one value per time and run ---


def forecast(run: int, *pairs: tuple[int, Any]) -> Series:
    return msgspec.structs.replace(series(*pairs), run=run)


def runs(store: Store) -> list[tuple[int, int | None, Any]]:
    """(time, result time, result) of all that is kept."""
    page = ask(store, "Observation", path=OBSERVATIONS, select=("phenomenonTime", "resultTime", "result"))
    rows = [dict(zip(page.columns, row, strict=False)) for row in page.rows]
    found = [(row["phenomenonTime.start"], row["resultTime"], row["result"]) for row in rows]
    return sorted(found, key=lambda row: (row[0], row[1] or 0))


def test_a_forecast_has_one_value_per_time_and_run(store: Store) -> None:
    assert counts(store.append(batch(forecast(100, (110, 5), (120, 6))))) == (2, 0, 0, 0)
    assert counts(store.append(batch(forecast(100, (110, 5), (120, 6))))) == (0, 2, 0, 0)
    assert counts(store.append(batch(forecast(105, (110, 50), (120, 6), (130, 7))))) == (3, 0, 0, 0)
    assert counts(store.append(batch(forecast(100, (110, 5), (120, 60))))) == (0, 1, 1, 0)
    assert runs(store) == [(110, 100, 5), (110, 105, 50), (120, 100, 60), (120, 105, 6), (130, 105, 7)]
    assert store.points(HOUSE, STREAM, 0, 999).results == [5, 50, 60, 6, 7]


def test_the_newest_of_a_forecast_is_of_its_last_run(store: Store) -> None:
    store.append(batch(forecast(105, (110, 50), (130, 7))))
    store.append(batch(forecast(100, (110, 5), (130, 70))))
    (latest,) = store.latest(HOUSE)
    assert (latest.start, latest.result, latest.count) == (130, 7, 4)
    store.append(batch(forecast(100, (130, 71))))
    assert store.latest(HOUSE)[0].result == 7
    store.append(batch(forecast(105, (130, 8))))
    assert store.latest(HOUSE)[0].result == 8
    page = ask(store, "Datastream", select=("resultTime",))
    assert page.rows[0][2:4] == (100, 105)
    # a source is as new as its last run, not as the day that it forecasts
    assert store.sources()["feed"].newest == 105


def test_a_measured_value_stands_beside_forecasts(store: Store) -> None:
    store.append(batch(forecast(100, (110, 5))))
    assert counts(store.append(batch(series((110, 9))))) == (1, 0, 0, 0)
    assert counts(store.append(batch(series((110, 9))))) == (0, 1, 0, 0)
    assert set(runs(store)) == {(110, 100, 5), (110, None, 9)}


def test_what_a_run_corrects_of_itself_is_kept(store: Store) -> None:
    store.append(batch(forecast(100, (110, [1] * 2000))))
    store.append(batch(forecast(100, (110, [2] * 2000))))
    assert store.points(HOUSE, STREAM, 0, 999).results == [[2] * 2000]
    assert [(change.kind, change.count) for change in store.changes(0, 9)] == [("append", 1), ("correction", 1)]

"""What becomes of kept readings by their age: how many, which, and what is kept true behind them."""

import json
import random
from typing import Any

import msgspec
import pytest

from allmende.domain import times
from allmende.domain.errors import NotFound
from allmende.domain.profile_checks import ProfileError
from allmende.domain.records import Series
from allmende.domain.retention import Retention, parse_retention
from allmende.domain.store import Store
from allmende.storage.recount import Recount
from allmende.storage.retention import RetentionWork, Weighed
from allmende.storage.retention_sql import read_volumes
from tests.storage.test_amendment import row
from tests.storage.test_creation import stream
from tests.storage.test_features import deliver, tree
from tests.support import HOUSE, ask, batch, create

NOW = times.parse_instant("2024-06-01T00:00:00Z")
START = times.parse_instant("2024-01-01T00:00:00Z")
QUARTER = 15 * times.MINUTE
THIN = [{"after": "P30D", "bucket": "PT15M"}]


def work(store: Any, rows: int = 1000, zone: str = "UTC", **rule: Any) -> RetentionWork:
    rules = parse_retention({"r": {"stream": "*", **rule}}) if rule else {}
    return RetentionWork(store._connections, store._engine, Retention(rules, zone), rows=rows)


def run(doing: RetentionWork, now: int = NOW) -> Weighed:
    doing.rewind()
    done = [doing.apply(found, now) for found in doing.streams()]
    return Weighed(sum(d.gone for d in done), sum(d.made for d in done))


def preview(doing: RetentionWork, now: int = NOW) -> Weighed:
    found = [doing.weigh(found, now) for found in doing.streams()]
    return Weighed(sum(d.gone for d in found), sum(d.made for d in found))


def feed(store: Store, moments: list[int], results: list[Any], name: str = "garage~free", **more: Any) -> None:
    store.append(batch(Series(stream=name, times=moments, results=results, **more)))


def told(store: Any) -> list[Any]:
    """What is known at a glance; it is what counting anew gives."""
    known = [msgspec.structs.astuple(latest) for latest in store.latest(HOUSE)]
    assert Recount(store._connections, store._engine).run().mended == []
    return known


def test_what_is_old_is_merged_and_says_so(store: Store) -> None:
    moments = [START + minute * times.MINUTE for minute in range(40)]
    feed(store, moments, list(range(40)))
    doing = work(store, thin=THIN)
    assert preview(doing) == (40, 3)
    assert told(store)[0][5] == 40
    assert run(doing) == (40, 3)
    points = store.points(HOUSE, "garage~free", 0, 2**60)
    assert points.times == [START, START + QUARTER, START + 2 * QUARTER]
    assert points.results == [7.0, 22.0, 34.5]
    (latest,) = told(store)
    assert latest[2:4] == (START + 2 * QUARTER, 34.5)
    assert latest[5:] == (3, START)
    assert row(store, "Datastream", "garage~free", "phenomenonTime")[:2] == (START, START + 3 * QUARTER)
    observed = row(store, "Observation", str(ask(store, "Observation").rows[0][1]), "phenomenonTime", "parameters")
    documents = [json.loads(observed[-1])]
    assert observed[:2] == (START, START + QUARTER)
    assert documents[0] == {
        "thinned": {
            "rule": "r", "bucket": "PT15M", "take": "mean", "readings": 15, "minimum": 0, "maximum": 14,
        }
    }  # fmt: skip
    assert run(doing) == (0, 0) == preview(doing)
    assert store.changes(0, 10)[-1].kind == "retention"


def test_more_readings_than_a_transaction_holds_are_merged_in_pieces(store: Store) -> None:
    """However small the chunks: the same means, and nothing is lost between them."""
    moments = [START + second * times.SECOND for second in range(0, 1800, 5)]
    feed(store, moments, [m // times.SECOND % 97 for m in moments])
    expected = [sum(m // times.SECOND % 97 for m in moments[at : at + 180]) / 180 for at in (0, 180)]
    doing = work(store, 25, thin=THIN)
    assert preview(doing) == (360, 2)
    done = run(doing)
    assert done.gone - done.made == 358
    points = store.points(HOUSE, "garage~free", 0, 2**60)
    assert points.times == [START, START + QUARTER]
    assert points.results == pytest.approx(expected)
    assert told(store)[0][5] == 2
    assert run(doing) == (0, 0)


def test_what_goes_after_its_time_goes_in_chunks(store: Store) -> None:
    feed(store, [START + day * times.DAY for day in range(150)], list(range(150)))
    doing = work(store, 40, keep="P10D")
    assert preview(doing) == (142, 0)
    assert run(doing) == (142, 0)
    (latest,) = told(store)
    assert latest[5:] == (8, NOW - 10 * times.DAY)
    assert run(doing) == (0, 0)


def test_everything_may_go(store: Store) -> None:
    feed(store, [START, START + 1], [1, 2])
    assert run(work(store, keep="P1D")) == (2, 0)
    assert told(store) == []


def test_of_volatile_things_the_latest_stays(store: Store) -> None:
    feed(store, [NOW - second * times.SECOND for second in range(100, 0, -1)], list(range(100)))
    doing = work(store, 30, keep="latest")
    assert preview(doing) == (99, 0)
    assert run(doing) == (99, 0)
    (latest,) = told(store)
    assert (latest[3], latest[5], latest[6]) == (99, 1, NOW - times.SECOND)


def test_flagged_readings_are_not_averaged_and_missing_ones_are_counted(store: Store) -> None:
    flags = ["", "above-maximum", "", ""]
    feed(store, [START + n * times.MINUTE for n in range(4)], [10, 5000, None, 20], flags=flags)
    feed(store, [START + QUARTER + n for n in range(2)], [900, 1000], flags=["above-maximum"] * 2)
    assert run(work(store, thin=THIN)) == (6, 2)
    points = store.points(HOUSE, "garage~free", 0, 2**60)
    assert (points.results, points.flags) == ([15.0, 950.0], ["", "above-maximum"])


def test_texts_and_single_readings_stay_as_they_are(store: Store) -> None:
    feed(store, [START, START + 1], ["red", "green"])
    feed(store, [START + QUARTER], [5])
    doing = work(store, thin=THIN)
    assert run(doing) == (0, 0)
    assert store.points(HOUSE, "garage~free", 0, 2**60).results == ["red", "green", 5]
    assert run(work(store, thin=[{**THIN[0], "take": "last"}])) == (2, 1)
    assert store.points(HOUSE, "garage~free", 0, 2**60).results == ["green", 5]


def test_forecasts_are_not_mixed(store: Store) -> None:
    for run_ in (START - times.HOUR, START - 2 * times.HOUR):
        feed(store, [START, START + times.MINUTE], [run_ % 7, 3], run=run_)
    assert run(work(store, thin=THIN)) == (0, 0)


@pytest.mark.parametrize("take", ["mean", "minimum", "maximum", "sum", "first", "last"])
def test_step_after_step_gives_what_one_step_would_give(store: Store, take: str) -> None:
    chance = random.Random(3)
    moments = [START + second * times.SECOND for second in sorted(chance.sample(range(7200), 300))]
    results = [chance.randrange(1000) for _ in moments]
    feed(store, moments, results)
    feed(store, moments, results, name="other~free")
    steps = [{"after": "P30D", "bucket": "PT15M", "take": take}, {"after": "P60D", "bucket": "PT1H", "take": take}]
    run(work(store, 70, thin=steps), START + 31 * times.DAY)
    between = len(store.points(HOUSE, "garage~free", 0, 2**60).times)
    assert 2 < between <= 8
    run(work(store, 70, thin=steps))
    direct = store.points(HOUSE, "garage~free", 0, 2**60)
    halves = [[r for m, r in zip(moments, results, strict=True) if (m - START) // times.HOUR == n] for n in (0, 1)]
    worked = {
        "mean": lambda h: sum(h) / len(h), "minimum": min, "maximum": max, "sum": sum, "first": lambda h: h[0],
        "last": lambda h: h[-1],
    }[take]  # fmt: skip
    assert direct.times == [START, START + times.HOUR]
    assert direct.results == pytest.approx([worked(half) for half in halves])
    assert [known[5] for known in told(store)] == [2, 2]


def test_days_are_the_citys(store: Store) -> None:
    """The day on which the clock is put forward has 23 hours."""
    begin = times.parse_instant("2024-03-30T23:00:00Z")
    feed(store, [begin + hour * times.HOUR for hour in range(30)], [1] * 30)
    assert run(work(store, zone="Europe/Berlin", thin=[{"after": "P30D", "bucket": "P1D", "take": "sum"}])) == (30, 2)
    points = store.points(HOUSE, "garage~free", 0, 2**60)
    assert (points.times, points.results) == ([begin, begin + 23 * times.HOUR], [23, 7])


def test_what_comes_late_is_merged_once_and_a_merged_bucket_stays(store: Store) -> None:
    moments = [START + minute * times.MINUTE for minute in range(30)]
    feed(store, moments, [1] * 30)
    doing = work(store, thin=THIN)
    run(doing)
    # The same file again, and what was missing in it.
    late = [*moments, START + 2 * QUARTER, START + 2 * QUARTER + 1]
    store.append(batch(Series(stream="garage~free", times=late, results=[9] * 32), at=NOW))
    assert run(doing, NOW + times.HOUR) == (0, 0)  # more of it may come
    assert run(doing, NOW + 2 * times.DAY) == (32, 1)
    points = store.points(HOUSE, "garage~free", 0, 2**60)
    assert points.results == [1.0, 1.0, 9.0]
    assert run(doing, NOW + 2 * times.DAY) == (0, 0)


def test_a_run_that_ends_in_the_middle_is_gone_on_with(store: Store) -> None:
    feed(store, [START + second * times.SECOND for second in range(0, 7200, 10)], [5] * 720)

    class Once:
        """Set after the first look at it."""

        def is_set(self) -> bool:
            return True

    doing = work(store, 100, thin=THIN)
    pieces = 0
    while any(doing.apply(found, NOW, Once()).gone for found in doing.streams()):  # type: ignore[arg-type]
        told(store)
        pieces += 1
    assert pieces == 8
    assert store.points(HOUSE, "garage~free", 0, 2**60).results == [5.0] * 8


def test_the_first_rule_that_fits_holds_and_what_none_names_is_kept(store: Store) -> None:
    for name in ("a~free", "b~free", "c~free"):
        feed(store, [START, START + 1], [1, 2], name=name)
    rules = parse_retention({"keep": {"stream": ["a*", "x"]}, "go": {"stream": ["a*", "b*"], "keep": "latest"}})
    doing = RetentionWork(store._connections, store._engine, Retention(rules, "UTC"))  # type: ignore[attr-defined]
    run(doing)
    assert {known[0]: known[5] for known in told(store)} == {"a~free": 2, "b~free": 1, "c~free": 2}


def test_what_clients_created_goes_with_what_hangs_on_it(store: Store) -> None:
    create(store, "Datastream", stream(**{"@iot.id": "d"}))
    for minute in range(3):
        body = {
            "result": minute,
            "phenomenonTime": f"2024-01-01T00:0{minute}:00Z",
            "resultTime": "2024-01-01T01:00:00Z",
        }
        create(store, "Observation", {**body, "@iot.id": f"mine-{minute}"}, links={"Datastream": "d"})
    assert run(work(store, thin=THIN)) == (3, 1)
    (latest,) = told(store)
    assert (latest[3], latest[5]) == (1.0, 1)
    assert row(store, "Datastream", "d", "resultTime")[0] is None
    with store._connections.reading() as raw:  # type: ignore[attr-defined]
        assert store._engine.wrap(raw).execute("SELECT count(*) FROM observation_name").fetchone()[0] == 0  # type: ignore[attr-defined]


def test_without_rules_nothing_is_remembered(store: Any) -> None:
    feed(store, [START, START + 1], [1, 2])
    run(work(store, thin=THIN))
    assert store.cursor("retention") is not None
    run(work(store))
    assert store.cursor("retention") is None


def test_volumes_are_told_by_source(store: Any) -> None:
    feed(store, [START, START + 1], [1, 2])
    with store._connections.reading() as raw:
        assert read_volumes(store._engine.wrap(raw)) == {"feed": (1, 2, START, START + 1)}


# --- features ---


def forget(store: Any, now: int, **rule: Any) -> int:
    """What goes of features by a rule; a preview said the same."""
    rules = parse_retention({"r": {"collection": "*", **rule}})
    doing = RetentionWork(store._connections, store._engine, Retention(rules, "UTC"), rows=2)
    weighed = sum(doing.features.weigh(found, now) for found in doing.features.collections())
    done = sum(doing.features.apply(found, now) for found in doing.features.collections())
    assert weighed == done
    return done


def test_what_was_said_of_features_goes_by_its_age_and_what_they_are_stays(store: Store) -> None:
    first, second, third = (NOW + days * times.DAY for days in (0, 10, 20))
    deliver(store, [tree("1"), tree("2"), tree("3")], at=first)
    deliver(store, [tree("1", height=4), tree("2", height=4)], at=second)
    deliver(store, [tree("1", height=5), tree("2", height=4)], at=third)
    assert forget(store, third + times.DAY) == 0, "for ever, until something else is said"
    assert forget(store, third + times.DAY, keep="P30D") == 0
    assert forget(store, second + 5 * times.DAY, keep="P5D") == 3, "two versions, and the feature that went then"
    assert [version.since for version in store.feature_versions(HOUSE, "trees", "1")][-1:] == [second]
    with pytest.raises(NotFound):
        store.feature(HOUSE, "trees", "3")
    assert forget(store, third, keep="latest") == 1
    assert len(store.feature_versions(HOUSE, "trees", "1")) == 1
    assert store.collections(HOUSE)[0].count == 2
    assert forget(store, third, keep="latest") == 0, "done once"


def test_a_collection_with_nothing_left_goes_and_comes_again(store: Store) -> None:
    deliver(store, [tree("1")], at=NOW)
    deliver(store, [], at=NOW + times.DAY)
    assert forget(store, NOW + 3 * times.DAY, keep="P7D") == 0
    assert forget(store, NOW + 9 * times.DAY, keep="P7D") == 1
    assert store.collections(HOUSE) == []
    deliver(store, [tree("1")], at=NOW + 10 * times.DAY)
    assert store.collections(HOUSE)[0].count == 1


def test_rules_for_collections_and_for_streams_are_apart(store: Store) -> None:
    feed(store, [START], [1])
    deliver(store, [tree("1")], at=START)
    assert forget(store, NOW, keep="latest") == 0
    assert told(store)[0][5] == 1, "a rule for collections touches no reading"
    assert run(work(store, keep="P1D")) == (1, 0)
    assert store.collections(HOUSE)[0].count == 1


def test_a_rule_for_collections_thins_nothing() -> None:
    with pytest.raises(ProfileError, match=r"retention\.r\.thin"):
        parse_retention({"r": {"collection": "trees", "thin": THIN}})

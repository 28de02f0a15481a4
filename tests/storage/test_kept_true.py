"""Whatever is created, changed and deleted: what is kept at a glance is what counting anew gives."""

import random
from typing import Any

import msgspec
import pytest

from allmende.domain import times
from allmende.domain.query import Step
from allmende.domain.store import Store
from tests.storage.test_amendment import EXTENTS, change, place, row
from tests.storage.test_creation import ids, made_id, stream
from tests.storage.test_removal import remove
from tests.support import HOUSE, ask, create

BASE = times.parse_instant("2024-01-01T00:00:00Z")


def _body(dice: random.Random) -> dict[str, Any]:
    start = BASE + dice.randrange(20) * times.MINUTE
    end = start + dice.randrange(9) * times.MINUTE if dice.random() < 0.3 else None
    body: dict[str, Any] = {"result": dice.choice([1, 2.5, "x", True, None, [1], {"k": "v" * 2500}])}
    body["phenomenonTime"] = times.format_interval(start, end)
    if dice.random() < 0.4:
        body["resultTime"] = times.format_instant(BASE + dice.randrange(50) * times.MINUTE)
    return body


def _check(store: Store) -> None:
    for name in ("d", "e"):
        rows = [
            (start, start if end is None else end, result_time)
            for _, number, start, end, result_time in ask(
                store, "Observation", select=("phenomenonTime", "resultTime"), top=1000
            ).rows
            if any(str(number) == i for i in _of(store, name))
        ]
        area, *moments = row(store, "Datastream", name, *EXTENTS)
        results = [r for *_, r in rows if r is not None]
        assert moments == [
            min((s for s, _, _ in rows), default=None),
            max((e for _, e, _ in rows), default=None),
            min(results, default=None),
            max(results, default=None),
        ]
        points = store.points(HOUSE, name, 0, 2**60)
        latest = [found for found in store.latest(HOUSE) if found.stream == name]
        assert [(x.count, x.start, x.first, x.result) for x in latest] == (
            [(len(rows), points.times[-1], points.times[0], points.results[-1])] if rows else []
        )
        lons = {_lon(store, number) for number in _of(store, name)} - {None}
        assert (area is None) == (not lons)
        if area is not None:
            assert _lons(area) == (min(lons), max(lons))


def _of(store: Store, name: str) -> list[str]:
    return ids(store, "Observation", Step("Datastream", name, "Observations"))


def _lon(store: Store, number: str) -> Any:
    path = (Step("Observation", number, "FeatureOfInterest"),)
    found = ask(store, "FeatureOfInterest", path=path, select=("feature",)).rows
    return msgspec.json.decode(found[0][-1])["coordinates"][0] if found else None


def _lons(area: str) -> tuple[float, float]:
    shape = msgspec.json.decode(area)
    points = [shape["coordinates"]] if shape["type"] == "Point" else shape["coordinates"][0]
    return min(p[0] for p in points), max(p[0] for p in points)


@pytest.mark.parametrize("seed", range(3))
def test_counting_anew_gives_the_same(store: Store, seed: int) -> None:
    dice = random.Random(seed)
    for name in ("d", "e"):
        create(store, "Datastream", stream(**{"@iot.id": name}))
    features = [made_id(store, "FeatureOfInterest", place(lon)) for lon in range(4)]
    for _ in range(40):
        known = ids(store, "Observation")
        act = dice.random()
        if act < 0.4 or not known:
            body = _body(dice)
            if dice.random() < 0.6 and features:
                body["FeatureOfInterest"] = {"@iot.id": dice.choice(features)}
            create(store, "Observation", body, links={"Datastream": dice.choice(["d", "e"])})
        elif act < 0.6:
            remove(store, "Observation", dice.choice(known))
        elif act < 0.92:
            body = _body(dice)
            body = {k: v for k, v in body.items() if dice.random() < 0.6}
            if dice.random() < 0.3:
                body["Datastream"] = {"@iot.id": dice.choice(["d", "e"])}
            if dice.random() < 0.3 and features:
                body["FeatureOfInterest"] = {"@iot.id": dice.choice(features)}
            change(store, "Observation", dice.choice(known), body)
        elif act < 0.97 and features:
            point = {"type": "Point", "coordinates": [dice.randrange(10), 0]}
            change(store, "FeatureOfInterest", dice.choice(features), {"feature": point})
        elif len(features) > 2:
            remove(store, "FeatureOfInterest", features.pop())
        _check(store)

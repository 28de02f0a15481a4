"""Collections and their features: what deliveries say, what becomes of what they say no more, and who may see it."""

import json
from collections.abc import Iterable, Sequence
from typing import Any

import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from allmende.domain.batch import Batch, Receipt
from allmende.domain.bounds import Bounds
from allmende.domain.errors import Conflict, InvalidInput, NotFound
from allmende.domain.feature_checks import check_collection, check_features
from allmende.domain.features import FeatureQuery
from allmende.domain.policy import ANONYMOUS, Reader
from allmende.domain.records import Collection, Feature, Features
from allmende.domain.store import Store
from tests.support import HOUSE

TREES = Collection(id="trees", title="Trees", snapshot=True)
GUEST = Reader(name="guest", datasets=frozenset({"hidden"}))


def point(lon: float, lat: float) -> dict[str, Any]:
    return {"type": "Point", "coordinates": [lon, lat]}


def tree(name: str, lon: float = 11.5, lat: float = 50.9, **more: Any) -> Feature:
    span = {key: more.pop(key) for key in ("valid_from", "valid_to") if key in more}
    return Feature(id=name, geometry=point(lon, lat), properties={"species": "Acer", **more}, **span)


def deliver(
    store: Store,
    items: Iterable[Feature],
    *,
    at: int,
    collection: Collection = TREES,
    whole: bool | None = None,
    dataset: str = "parking",
    origin: str = "register",
    unread: Sequence[str] = (),
) -> Receipt:
    kept, faults = check_features(Features(collection=collection.id, items=list(items), unread=unread), Bounds())
    assert not faults
    return store.append(
        Batch(
            origin=origin,
            dataset=dataset,
            reader=HOUSE,
            received_at=at,
            version="test 1",
            collections=[collection],
            features=[kept],
            delivered=[collection.id] if (collection.snapshot if whole is None else whole) else [],
        )
    )


def counts(receipt: Receipt) -> tuple[int, int, int, int]:
    return receipt.accepted, receipt.repeated, receipt.corrected, receipt.gone


def page(store: Store, **asked: Any) -> list[str]:
    asked = {"collection": "trees", "reader": HOUSE, "top": 1000, **asked}
    found = store.features(FeatureQuery(**asked))
    assert found.next is None
    if "after" not in asked:
        assert store.count_features(FeatureQuery(**asked)) == len(found.items)
    return [item.id for item in found.items]


def logged(store: Store, after: int = 0) -> list[tuple[str, str, tuple[str, ...]]]:
    lines = store.entity_changes(after, 1000)
    return [(line.id, line.kind, line.fields) for line in lines if line.entity in ("Feature", "Collection")]


def test_a_delivery_is_compared_with_the_one_before(store: Store) -> None:
    assert counts(deliver(store, [tree("1"), tree("2"), tree("3")], at=100)) == (3, 0, 0, 0)
    begun = store.newest_entity_change()
    assert counts(deliver(store, [tree("1"), tree("2"), tree("3")], at=200)) == (0, 3, 0, 0)
    assert store.newest_entity_change() == begun, "the same again is no event"
    moved = tree("1", 11.6, valid_from=5, height=3)
    assert counts(deliver(store, [moved, tree("3")], at=300)) == (0, 1, 1, 1)
    assert logged(store, begun) == [
        ("trees/1", "update", ("geometry", "properties", "validTime")),
        ("trees/2", "update", ("gone",)),
    ]
    assert page(store) == ["1", "3"]
    assert page(store, gone=True) == ["1", "2", "3"]
    gone = store.feature(HOUSE, "trees", "2")
    assert (gone.first_seen, gone.since, gone.seen, gone.gone_at) == (100, 100, 200, 300)
    now = store.feature(HOUSE, "trees", "1")
    assert (now.first_seen, now.since, now.seen, now.gone_at, now.valid_from) == (100, 300, 300, None, 5)
    assert json.loads(now.properties) == {"species": "Acer", "height": 3}
    assert json.loads(now.geometry or "") == point(11.6, 50.9)
    versions = store.feature_versions(HOUSE, "trees", "1")
    assert [(v.since, v.until, json.loads(v.properties).get("height")) for v in versions] == [
        (300, None, 3),
        (100, 300, None),
    ]
    state = store.sources()["register"]
    assert (state.accepted, state.repeated, state.corrected, state.last_received) == (3, 4, 1, 300)


def test_what_comes_back_has_both_of_its_times(store: Store) -> None:
    deliver(store, [tree("1"), tree("2")], at=100)
    deliver(store, [tree("1")], at=200)
    deliver(store, [tree("1")], at=300)
    begun = store.newest_entity_change()
    assert counts(deliver(store, [tree("1"), tree("2")], at=400)) == (0, 1, 1, 0)
    assert logged(store, begun) == [("trees/2", "update", ("gone",))]
    spans = [(v.since, v.until, v.origin) for v in store.feature_versions(HOUSE, "trees", "2")]
    assert spans == [(400, None, "register"), (100, 200, "register")]
    assert store.collections(HOUSE)[0].count == 2


def test_only_a_complete_delivery_ends_anything(store: Store) -> None:
    deliver(store, [tree("1"), tree("2")], at=100)
    assert deliver(store, [tree("3")], at=200, whole=False).gone == 0
    assert page(store) == ["1", "2", "3"]
    # One that is there, but could not be read, is as it was.
    assert deliver(store, [tree("3")], at=300, unread=["1", "unknown"]).gone == 1
    assert page(store) == ["1", "3"]
    # An empty delivery is one too.
    assert deliver(store, [], at=400).gone == 2
    assert page(store) == []


def test_an_older_delivery_changes_nothing(store: Store) -> None:
    deliver(store, [tree("1", height=9)], at=300)
    assert counts(deliver(store, [tree("1", height=1), tree("2")], at=200)) == (1, 1, 0, 0)
    assert json.loads(store.feature(HOUSE, "trees", "1").properties)["height"] == 9


def test_a_collection_belongs_to_its_source_and_dataset(store: Store) -> None:
    deliver(store, [tree("1")], at=100)
    with pytest.raises(Conflict, match="belongs to the source 'register'"):
        deliver(store, [tree("2")], at=200, origin="other")
    with pytest.raises(Conflict, match="another dataset"):
        deliver(store, [tree("2")], at=200, dataset="hidden")
    kept, _ = check_features(Features(collection="none", items=[tree("1")]), Bounds())
    said = {"origin": "register", "dataset": "parking", "reader": HOUSE, "received_at": 1}
    astray = Batch(**said, collections=[TREES], features=[kept])
    with pytest.raises(InvalidInput, match="not declared"):
        store.append(astray)
    assert page(store) == ["1"]
    renamed = Collection(id="trees", title="City trees", description="All", fields={"species": {"type": "string"}})
    begun = store.newest_entity_change()
    deliver(store, [tree("1")], at=300, collection=renamed)
    assert logged(store, begun) == [("trees", "update", ())]
    (known,) = store.collections(HOUSE)
    assert (known.title, known.snapshot, known.fields) == ("City trees", False, {"species": {"type": "string"}})


def test_the_figures_of_a_collection(store: Store) -> None:
    deliver(store, [Feature(id="nowhere", geometry=None)], at=50)
    (first,) = store.collections(HOUSE)
    assert (first.bbox, first.first, first.count, first.changed_at) == (None, None, 1, 50)
    span = {"valid_from": 10, "valid_to": 20}
    deliver(store, [tree("1", 11, 50, **span), tree("2", 12, 51), tree("3", 13, 49, valid_from=5)], at=100)
    (known,) = store.collections(HOUSE)
    assert (known.dataset, known.source, known.count) == ("parking", "register", 3)
    assert known.bbox == (11, 49, 13, 51)
    # some came at 100, and then one went: two changes
    assert (known.first, known.last, known.changed_at) == (5, 20, 101)
    deliver(store, [tree("1", 11, 50, **span), tree("2", 12, 51)], at=200)
    (known,) = store.collections(HOUSE)
    assert (known.bbox, known.first, known.count, known.changed_at) == ((11, 50, 12, 51), 10, 2, 200)


def test_who_may_not_see_a_dataset_sees_nothing_of_it(store: Store) -> None:
    hidden, made_up = Collection(id="secret", title="Secret"), Collection(id="model", title="Model")
    deliver(store, [tree("1")], at=100)
    deliver(store, [tree("1")], at=100, collection=hidden, dataset="hidden", origin="s")
    deliver(store, [tree("1")], at=100, collection=made_up, dataset="simulated", origin="m")
    assert [c.id for c in store.collections(ANONYMOUS)] == ["trees"]
    assert [c.id for c in store.collections(ANONYMOUS, simulated=True)] == ["model", "trees"]
    assert [c.id for c in store.collections(GUEST)] == ["secret", "trees"]
    assert page(store, collection="secret", reader=GUEST) == ["1"]
    assert store.feature(GUEST, "secret", "1").id == "1"
    for ask in (
        lambda: store.features(FeatureQuery(collection="secret", reader=ANONYMOUS)),
        lambda: store.count_features(FeatureQuery(collection="secret", reader=ANONYMOUS)),
        lambda: store.feature(ANONYMOUS, "secret", "1"),
        lambda: store.feature_versions(ANONYMOUS, "secret", "1"),
        lambda: store.features(FeatureQuery(collection="model", reader=HOUSE)),
    ):
        with pytest.raises(NotFound):
            ask()
    with pytest.raises(NotFound) as absent:
        store.feature(ANONYMOUS, "no", "1")
    with pytest.raises(NotFound) as unseen:
        store.feature(ANONYMOUS, "secret", "1")
    assert str(absent.value).replace("'no'", "'secret'") == str(unseen.value)


def test_pages_follow_each_other_in_the_order_of_ids(store: Store) -> None:
    names = ["10", "9", "a", "A", "ä", "z", "Z~1", "é", "１"]
    deliver(store, [tree(name, 11 + place / 10) for place, name in enumerate(names)], at=100)
    ordered = sorted(names, key=lambda name: name.encode())
    for box in (None, (11.0, 50.0, 11.95, 51.0)):
        found: list[str] = []
        after: str | None = None
        while True:
            part = store.features(FeatureQuery(collection="trees", reader=HOUSE, top=2, after=after, bbox=box))
            assert len(part.items) <= 2
            found += [item.id for item in part.items]
            after = part.next
            if after is None:
                break
        assert found == ordered


def test_times_are_closed_spans_with_open_ends(store: Store) -> None:
    spans = {
        "always": {},
        "from": {"valid_from": 100},
        "to": {"valid_to": 50},
        "in": {"valid_from": 60, "valid_to": 70},
    }
    deliver(store, [tree(name, **span) for name, span in spans.items()], at=100)
    assert page(store, start=65, end=65) == ["always", "in"]
    assert page(store, start=70, end=100) == ["always", "from", "in"]
    assert page(store, start=50) == ["always", "from", "in", "to"]
    assert page(store, end=50) == ["always", "to"]


def test_properties_are_compared_as_what_they_are(store: Store) -> None:
    bodies: dict[str, Any] = {
        "text": {"v": "12"}, "number": {"v": 12}, "decimal": {"v": 12.0}, "true": {"v": True}, "one": {"v": 1},
        "null": {"v": None}, "none": {}, "list": {"v": [12]}, "odd": {"b.c$": "x", "ü": "x"},
    }  # fmt: skip
    deliver(store, [Feature(id=k, geometry=None, properties=v) for k, v in bodies.items()], at=1)
    assert page(store, equals=[("v", "12")]) == ["decimal", "number", "text"]
    assert page(store, equals=[("v", "true")]) == ["true"]
    assert page(store, equals=[("v", "1")]) == ["one"]
    assert page(store, equals=[("v", "")]) == []
    assert page(store, equals=[("v", "12"), ("ü", "x")]) == []
    assert page(store, equals=[("b.c$", "x"), ("ü", "x")]) == ["odd"]
    assert page(store, equals=[("v') OR 1=1 --", "x")]) == []


COORDINATES = st.tuples(st.integers(-20, 20), st.integers(-20, 20)).map(list)
GEOMETRIES = st.one_of(
    COORDINATES.map(lambda c: {"type": "Point", "coordinates": [*c, 100.0]}),
    st.lists(COORDINATES, min_size=2, max_size=4, unique_by=tuple).map(
        lambda cs: {"type": "LineString", "coordinates": cs}
    ),
    COORDINATES.map(lambda c: {"type": "Polygon", "coordinates": [[c, [c[0] + 9, c[1]], [c[0], c[1] + 9], c]]}),
    COORDINATES.map(
        lambda c: {
            "type": "GeometryCollection",
            "geometries": [point(*c), {"type": "LineString", "coordinates": [c, [c[0] + 5, c[1] - 5]]}],
        }
    ),
    st.none(),
)
BOXES = st.tuples(st.integers(-20, 20), st.integers(-20, 20), st.integers(0, 9), st.integers(0, 9)).map(
    lambda b: (float(b[0]), float(b[1]), float(b[0] + b[2]), float(b[1] + b[3]))
)


@settings(max_examples=30, deadline=None)
@given(steps=st.lists(st.lists(GEOMETRIES, max_size=6), min_size=1, max_size=3), box=BOXES)
def test_a_box_finds_what_is_there(shared: Store, steps: list[list[Any]], box: Any) -> None:
    """Whatever was delivered before: the index follows."""
    at = shared.collections(HOUSE)[0].changed_at or 0 if shared.collections(HOUSE) else 0
    for geometries in steps:
        at += 1
        deliver(shared, [Feature(id=str(n), geometry=g) for n, g in enumerate(geometries)], at=at)
    asked = shapely.box(*box)
    hit = {
        str(n): g is not None and bool(shapely.intersects(shapely.from_geojson(json.dumps(g)), asked))
        for n, g in enumerate(steps[-1])
    }
    assert page(shared, bbox=box) == sorted(n for n, meets in hit.items() if meets)


def test_a_box_may_go_over_the_antimeridian(store: Store) -> None:
    deliver(store, [tree("east", 179.5, 0), tree("west", -179.5, 0), tree("here", 11, 0)], at=1)
    assert page(store, bbox=(179.0, -1.0, -179.0, 1.0)) == ["east", "west"]


def test_the_index_is_asked(store: Any) -> None:
    spread = [tree(str(n), (n % 50) / 10, n // 50 / 10) for n in range(2000)]
    deliver(store, spread, at=1)
    with store._connections.reading() as raw:
        connection = store._engine.wrap(raw)
        raw.execute("ANALYZE")
        from allmende.storage.collections import _condition

        asked = FeatureQuery(collection="trees", reader=ANONYMOUS, bbox=(1.0, 1.0, 1.05, 1.05))
        sql = "SELECT i.pk FROM item i WHERE " + _condition(asked, connection.dialect)
        plan = "EXPLAIN " if connection.dialect.name == "postgres" else "EXPLAIN QUERY PLAN "
        lines = [str(row) for row in connection.execute(plan + sql.text, sql.params).fetchall()]
    assert any("item_box" in line or "x VIRTUAL TABLE INDEX" in line for line in lines), lines
    assert len(page(store, bbox=(1.0, 1.0, 1.05, 1.05))) == 1


def faults(*items: Feature, bounds: Bounds = Bounds()) -> list[tuple[int, str]]:  # noqa: B008  frozen
    kept, found = check_features(Features(collection="c", items=items), bounds)
    assert len(kept.rows) + len(found) == len(items)
    return [(fault.place, fault.code) for fault in found]


def test_what_cannot_be_kept_is_told_by_its_place() -> None:
    fine = tree("fine")
    deep: Any = []
    for _ in range(100):
        deep = [deep]
    bad: list[tuple[Any, str]] = [
        ({"type": "Point", "coordinates": [679542.6, 5646041.5]}, "bad-geometry"),
        ({"type": "Point", "coordinates": [50.9]}, "bad-geometry"),
        ({"type": "Point", "coordinates": ["11", "50"]}, "bad-geometry"),
        ({"type": "Point", "coordinates": [float("nan"), 50]}, "bad-geometry"),
        ({"type": "Point", "coordinates": []}, "bad-geometry"),
        ({"type": "Polygon", "coordinates": [[[0, 0], [1, 1]]]}, "bad-geometry"),
        ({"type": "Feature", "geometry": point(1, 1)}, "bad-geometry"),
        ({"type": "Circle"}, "bad-geometry"),
        ({"type": "LineString", "coordinates": deep}, "bad-geometry"),
        ("POINT (1 2)", "bad-geometry"),
        ({**point(1, 1), "crs": {"type": "name", "properties": {"name": "EPSG:25832"}}}, "bad-geometry"),
        ({"type": "LineString", "coordinates": [[1, 1]] * 2000}, "too-long"),
    ]
    items = [Feature(id=str(n), geometry=geometry) for n, (geometry, _) in enumerate(bad)]
    found = faults(fine, *items, bounds=Bounds(geometry=4000))
    assert found == [(n + 1, code) for n, (_, code) in enumerate(bad)]
    assert faults(
        tree(""),
        tree("x" * 256),
        tree("a", note="\0"),
        tree("b", note=deep),
        tree("c", note=object()),
        tree("d", valid_from=2, valid_to=1),
        tree("e", valid_from=10**18 * 500),
        tree("f", note="x" * 262_144),
        fine,
    ) == [
        (0, "bad-id"), (1, "bad-id"), (2, "nul"), (3, "too-deep"), (4, "unreadable"), (5, "bad-time"),
        (6, "bad-time"), (7, "too-long"),
    ]  # fmt: skip


def test_one_id_is_one_feature() -> None:
    kept, found = check_features(
        Features(collection="c", items=[tree("1", a=1, b=2), tree("1", b=2, a=1), tree("1", a=2)]), Bounds()
    )
    assert [row.id for row in kept.rows] == ["1"]
    assert [(fault.place, fault.code) for fault in found] == [(2, "duplicate-id")]
    assert kept.unread == ["1"]


def test_a_crs_that_is_ours_is_left_out() -> None:
    said = {**point(1, 2), "crs": {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::4326"}}, "bbox": []}
    kept, _ = check_features(Features(collection="c", items=[Feature(id="1", geometry=said)]), Bounds())
    assert kept.rows[0].geometry == '{"type":"Point","coordinates":[1,2]}'


@pytest.mark.parametrize("name", ["", "a b", "a/b", "ä", "x" * 101, "-a"])
def test_an_id_of_a_collection_is_part_of_addresses(name: str) -> None:
    assert "id of a collection" in check_collection(Collection(id=name, title="t"))
    assert check_collection(Collection(id="ok-1_~.", title="t")) == ""
    assert check_collection(Collection(id="ok", title=" ")) == "it has no title"

"""Spatial filters ask an index first, and find what they would find without it, whatever was written before."""

from pathlib import Path as File
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from allmende.domain.policy import ANONYMOUS, Reader
from allmende.domain.query import Query
from allmende.faces.sensorthings.expressions import parse_filter
from allmende.storage.compile import compile_page
from allmende.storage.geometry import RELATIONS
from allmende.storage.store import SqlStore
from tests.storage.test_amendment import change
from tests.storage.test_geometry import COORDINATE, LITERALS
from tests.storage.test_removal import remove
from tests.support import DATASETS, ENGINES, HOUSE, ask, create

GEOJSON = "application/geo+json"
Position = tuple[float, float]
POINTS = st.tuples(st.integers(-3, 9), st.integers(-3, 9))
PLACES = st.one_of(
    POINTS.map(lambda p: {"type": "Point", "coordinates": list(p)}),
    POINTS.map(lambda p: {"type": "Point", "coordinates": [p[0] + 0.1, p[1] - 1e-9, 300.5]}),
    st.lists(POINTS, min_size=2, max_size=4, unique=True).map(
        lambda ps: {"type": "LineString", "coordinates": [list(p) for p in ps]}
    ),
    POINTS.map(
        lambda p: {
            "type": "Feature",
            "properties": {"numbers": [1, 2]},
            "geometry": {"type": "Point", "coordinates": list(p)},
        }
    ),
    POINTS.map(
        lambda p: {
            "type": "Polygon",
            "coordinates": [[[p[0], p[1]], [p[0] + 2, p[1]], [p[0] + 2, p[1] + 2], [p[0], p[1]]]],
        }
    ),
    st.just({"type": "GeometryCollection", "geometries": [{"type": "Point", "coordinates": [1, 1]}]}),
)
PATTERNS = ("T********", "FF*FF****", "*T*******", "***T*****", "****T****", "FF*FF*0**", "T*F**F***")
FILTERS = st.one_of(
    st.builds(lambda name, wkt: f"st_{name}({{}},geometry'{wkt}')", st.sampled_from(RELATIONS), LITERALS),
    st.builds(lambda name, wkt: f"st_{name}(geometry'{wkt}',{{}})", st.sampled_from(RELATIONS), LITERALS),
    st.builds(lambda p, wkt: f"st_relate({{}},geometry'{wkt}','{p}')", st.sampled_from(PATTERNS), LITERALS),
    st.builds(
        lambda op, n, wkt: f"geo.distance({{}},geometry'{wkt}') {op} {n}",
        st.sampled_from(["lt", "le", "eq", "gt", "ge", "ne"]),
        st.sampled_from([0, 1, 1.5, 2, 3, -1]),
        LITERALS,
    ),
    st.builds(
        lambda op, n, c: f"{n} {op} geo.distance({{}},geometry'POINT ({c})')",
        st.sampled_from(["gt", "ge", "eq", "lt"]),
        st.sampled_from([0, 1, 2]),
        COORDINATE,
    ),
)


@pytest.fixture(scope="module", params=sorted(ENGINES))
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> SqlStore:
    made: Any = ENGINES[request.param](tmp_path_factory.mktemp("world"))
    made.put_datasets(DATASETS)
    skip_without_postgis(made)
    return made  # type: ignore[no-any-return]


def skip_without_postgis(store: SqlStore) -> None:
    with store._connections.reading() as raw:
        connection = store._engine.wrap(raw)
        if (
            connection.dialect.name == "postgres"
            and not connection.execute("SELECT 1 FROM pg_extension WHERE extname = 'postgis'").fetchone()
        ):
            pytest.skip("PostGIS is not installed: spatial functions of PostgreSQL are left out")


def found(store: Any, entity: str, text: str) -> list[str]:
    rows = ask(store, entity, filter=parse_filter(text, max_length=4000), top=1000).rows
    return sorted(str(row[1]) for row in rows)


@settings(max_examples=40)
@given(
    first=st.lists(PLACES, min_size=1, max_size=6),
    second=st.lists(PLACES, min_size=1, max_size=3),
    asked=st.lists(FILTERS, min_size=1, max_size=4),
)
def test_what_is_found_is_what_is_there(world: Any, first: list[Any], second: list[Any], asked: list[str]) -> None:
    """Under two ``not`` no index is asked."""
    for row in ask(world, "Location", top=1000).rows:
        remove(world, "Location", str(row[1]))
    names = []
    for place in first:
        body = {"name": "l", "description": "l", "encodingType": GEOJSON, "location": place}
        (kind,) = create(world, "Location", body).created
        names.append(kind[1])
    for name, place in zip(names, second, strict=False):
        change(world, "Location", name, {"location": place})
    if len(names) > 3:
        remove(world, "Location", names[-1])
    conditions = [text.format("location") for text in asked]
    for text in [*conditions, " or ".join(conditions), " and ".join(conditions), f"not {conditions[0]}"]:
        assert found(world, "Location", text) == found(world, "Location", f"not (not ({text}))")


STREAM = {
    "name": "d",
    "description": "d",
    "observationType": "http://www.opengis.net/def/observationType/OGC-OM/2.0/OM_Measurement",
    "unitOfMeasurement": {"name": "n", "symbol": "s", "definition": "https://example.org/u"},
    "Thing": {"name": "t", "description": "t"},
    "Sensor": {"name": "s", "description": "s", "encodingType": "text/plain", "metadata": "m"},
    "ObservedProperty": {"name": "o", "definition": "https://example.org/o", "description": "o"},
}


def feature(lon: float, lat: float) -> dict[str, Any]:
    point = {"type": "Point", "coordinates": [lon, lat]}
    return {"name": "f", "description": "f", "encodingType": GEOJSON, "feature": point}


def test_the_area_of_a_stream_follows_what_it_observes(world: Any) -> None:
    ((_, stream),) = [c for c in create(world, "Datastream", STREAM).created if c[0] == "Datastream"]
    near = "st_intersects(observedArea,geometry'POLYGON ((4 4, 6 4, 6 6, 4 6, 4 4))')"
    links = {"Datastream": stream}

    def observe(lon: float, lat: float) -> dict[str, str]:
        body = {"result": 1, "FeatureOfInterest": feature(lon, lat)}
        return dict(create(world, "Observation", body, links=links).created)

    assert stream not in found(world, "Datastream", near)
    far = observe(0, 0)
    assert stream not in found(world, "Datastream", near)
    here = observe(5, 5)
    assert stream in found(world, "Datastream", near)
    remove(world, "Observation", here["Observation"])
    assert stream not in found(world, "Datastream", near)
    change(world, "FeatureOfInterest", far["FeatureOfInterest"], {"feature": {"type": "Point", "coordinates": [5, 4]}})
    assert stream in found(world, "Datastream", near)
    at = "geo.distance(feature,geometry'POINT (5 4)') le 0.001"
    assert found(world, "FeatureOfInterest", at) == [far["FeatureOfInterest"]]
    remove(world, "FeatureOfInterest", far["FeatureOfInterest"])
    assert stream not in found(world, "Datastream", near)
    assert found(world, "FeatureOfInterest", at) == []


def test_a_collection_that_is_many_is_asked_as_one(world: Any) -> None:
    """Two properties of one condition over a to-many relation mean the same entity, beside the index too."""
    place = {"name": "l", "description": "l", "encodingType": GEOJSON}
    thing = {"name": "t", "description": "t"}
    point = {"type": "Point", "coordinates": [21, 21]}
    create(world, "Thing", {**thing, "@iot.id": "spatial", "Locations": [{**place, "location": point}]})
    box = "POLYGON ((20 20, 22 20, 22 22, 20 22, 20 20))"
    for text in (
        f"st_within(Locations/location,geometry'{box}')",
        f"Locations/any(l: st_within(l/location,geometry'{box}'))",
        "geo.distance(Locations/location,geometry'POINT (21 21)') lt 0.5",
    ):
        assert found(world, "Thing", text) == ["spatial"]
    assert "spatial" not in found(world, "Thing", f"not st_within(Locations/location,geometry'{box}')")


MANY = 2_000
INSIDE = "st_within(location,geometry'POLYGON ((10 10, 10.5 10, 10.5 10.5, 10 10.5, 10 10))')"
NEAR = "geo.distance(location,geometry'POINT (10 10)') lt 0.2"


@pytest.fixture(scope="module", params=sorted(ENGINES))
def crowded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> SqlStore:
    """Thousands of places on a grid, with the planner's figures."""
    made: Any = ENGINES[request.param](tmp_path_factory.mktemp("crowded"))
    made.put_datasets(DATASETS)
    skip_without_postgis(made)

    def fill(connection: Any) -> None:
        rows = [
            (f"l{n}", 1, "l", "l", GEOJSON, f'{{"type":"Point","coordinates":[{n % 45},{n // 45}]}}')
            for n in range(MANY)
        ]
        columns = "id, dataset, name, description, encoding_type, location"
        connection.executemany(f"INSERT INTO location ({columns}) VALUES (?, ?, ?, ?, ?, ?)", rows)

    made._commit(fill)
    with made._connections.reading() as raw:
        raw.execute("ANALYZE")
    return made  # type: ignore[no-any-return]


@pytest.mark.parametrize("reader", [HOUSE, ANONYMOUS], ids=["house", "anonymous"])
@pytest.mark.parametrize("text", [INSIDE, NEAR])
def test_the_index_is_asked(crowded: Any, reader: Reader, text: str) -> None:
    query = Query(entity="Location", reader=reader, filter=parse_filter(text, max_length=2000), top=100)
    with crowded._connections.reading() as raw:
        connection = crowded._engine.wrap(raw)
        sql, _ = compile_page(query, connection.dialect)
        if connection.dialect.name == "postgres":
            lines = [row[0] for row in connection.execute(f"EXPLAIN {sql.text}", sql.params).fetchall()]
            assert any("location_geometry" in line for line in lines), lines
        else:
            lines = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {sql.text}", sql.params)]
            assert any("x VIRTUAL TABLE INDEX" in line for line in lines), lines
            assert any(line.startswith("SEARCH t1 USING INTEGER PRIMARY KEY") for line in lines), lines
    assert len(found(crowded, "Location", text)) == (0 if text is INSIDE else 1)


def test_what_was_there_before_the_index_is_in_it(tmp_path: File) -> None:
    """The migration fills it."""
    import sqlite3

    from allmende.storage.schema import SQLITE

    raw = sqlite3.connect(tmp_path / "old.sqlite3")
    for version in (1, 2, 3):
        for statement in SQLITE[version]:
            raw.execute(statement)
    raw.execute("INSERT INTO dataset (pk, id) VALUES (1, 'commons')")
    for pk, body in enumerate(('{"type":"Point","coordinates":[1,2]}', '"nowhere"', "no JSON", '{"coordinates":[]}')):
        raw.execute("INSERT INTO location VALUES (?, ?, 1, 'l', 'l', 'x', ?, NULL)", (pk, str(pk), body))
    raw.execute("INSERT INTO stream_state VALUES (7,1,0,0,NULL,NULL,0,0,0,NULL,NULL,1.5,2,3,4,NULL)")
    for statement in SQLITE[4]:
        raw.execute(statement)
    assert raw.execute("SELECT * FROM location_box").fetchall() == [(0, 1.0, 1.0, 2.0, 2.0)]
    assert raw.execute("SELECT * FROM stream_box").fetchall() == [(7, 1.5, 3.0, 2.0, 4.0)]
    raw.execute("UPDATE stream_state SET west = 0")
    raw.execute("UPDATE location SET location = '[5, 6]' WHERE pk = 1")
    raw.execute("DELETE FROM location WHERE pk = 0")
    assert raw.execute("SELECT * FROM location_box").fetchall() == [(1, 5.0, 5.0, 6.0, 6.0)]
    assert raw.execute("SELECT west FROM stream_box").fetchall() == [(0.0,)]
    raw.close()

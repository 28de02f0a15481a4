"""Spatial functions of filters, on SQLite and on PostgreSQL with PostGIS; and without it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psycopg
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from allmende.domain.errors import InvalidQuery, NotSupported
from allmende.domain.store import Store
from allmende.faces.sensorthings.expressions import parse_filter
from allmende.storage.geometry import RELATIONS
from tests.support import DATASETS, ENGINES, PostgresConnections, ask, create
from tests.support import postgres_store as plain_postgres

GEOJSON = "application/geo+json"
SQUARE = [[[0, 0], [4, 0], [4, 4], [0, 4], [0, 0]]]
PLACES: Mapping[str, Any] = {
    "corner": {"type": "Point", "coordinates": [0, 0]},
    "inside": {"type": "Point", "coordinates": [1, 1, 200]},
    "far": {"type": "Feature", "properties": {}, "geometry": {"type": "Point", "coordinates": [10, 0]}},
    "line": {"type": "LineString", "coordinates": [[-1, 2], [5, 2]]},
    "lines": {"type": "MultiLineString", "coordinates": [[[0, 5], [3, 9]], [[0, 0], [1, 0]]]},
    "square": {"type": "Polygon", "coordinates": SQUARE},
    "shifted": {"type": "Polygon", "coordinates": [[[2, 2], [6, 2], [6, 6], [2, 6], [2, 2]]]},
    "bow": {"type": "Polygon", "coordinates": [[[0, 0], [2, 2], [2, 0], [0, 2], [0, 0]]]},
    "several": {"type": "GeometryCollection", "geometries": [{"type": "Point", "coordinates": [1, 1]}]},
}


def fill(store: Store) -> Store:
    store.put_datasets(DATASETS)
    for name, place in PLACES.items():
        body = {"@iot.id": name, "name": name, "description": "d", "encodingType": GEOJSON, "location": place}
        create(store, "Location", body)
    other = {"@iot.id": "text", "name": "text", "description": "d", "encodingType": "text/plain"}
    create(store, "Location", {**other, "location": {"type": "Point", "coordinates": ["x"]}})
    return store


@pytest.fixture(scope="module", params=sorted(ENGINES))
def map_store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Store:
    store = ENGINES[request.param](tmp_path_factory.mktemp("map"))
    connections = store._connections  # type: ignore[attr-defined]
    if isinstance(connections, PostgresConnections):
        try:
            connections.raw().execute("CREATE EXTENSION IF NOT EXISTS postgis")
        except psycopg.errors.FeatureNotSupported:
            pytest.skip("PostGIS is not installed: spatial functions of PostgreSQL are left out")
    return fill(store)


def found(store: Store, text: str) -> set[str]:
    node = parse_filter(text, max_length=2000)
    return {str(row[1]) for row in ask(store, "Location", filter=node, top=1000).rows}


COMPARED = {"corner", "inside", "far", "line", "lines", "square", "shifted"}
AREA = "geography'POLYGON ((0 0, 4 0, 4 4, 0 4, 0 0))'"


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (
            "geo.distance(location,geography'POINT (0 0)') lt 2",
            {"corner", "inside", "line", "lines", "square"} - {"line"},
        ),
        ("geo.distance(location,geography'POINT (10 3)') eq 3", {"far"}),
        ("geo.length(location) eq 6", {"lines", "line"}),
        ("geo.length(location) eq 0", {"corner", "inside", "far", "square", "shifted"}),
        (f"geo.intersects(location,{AREA})", COMPARED - {"far"}),
        (f"not geo.intersects(location,{AREA})", {"far"}),
        (f"st_intersects(location,{AREA})", COMPARED - {"far"}),
        (f"st_disjoint(location,{AREA})", {"far"}),
        (f"st_within(location,{AREA})", {"inside", "square"}),
        (f"st_equals(location,{AREA})", {"square"}),
        (f"st_touches(location,{AREA})", {"corner", "lines"}),
        (f"st_overlaps(location,{AREA})", {"shifted"}),
        (f"st_crosses(location,{AREA})", {"line"}),
        ("st_contains(location,geometry'POINT (3 3)')", {"square", "shifted"}),
        ("st_contains(geometry'POLYGON ((9 -1, 11 -1, 11 1, 9 1, 9 -1))',location)", {"far"}),
        (f"st_relate(location,{AREA},'T*F**F***')", {"inside", "square"}),
        (f"st_relate(location,{AREA},'*********')", COMPARED),
        ("geo.distance(location,location) eq 0", COMPARED),
        ("location ne null", set(PLACES) | {"text"}),
        (f"st_within(location,{AREA}) and geo.distance(location,geometry'POINT (1 1)') eq 0", {"inside", "square"}),
    ],
)
def test_by_example(map_store: Store, text: str, names: set[str]) -> None:
    assert found(map_store, text) == names


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("geo.distance(location,geography'POINT (1') lt 1", "character 23: no geometry in WKT"),
        ("geo.distance(location,geography'POINT EMPTY') lt 1", "character 23: .*empty"),
        ("geo.distance(location,geography'POINT (nan 1)') lt 1", "character 23"),
        ("st_within(location,geometry'POLYGON ((0 0, 2 2, 2 0, 0 2, 0 0))')", "character 20: no valid geometry"),
        ("st_within(location,geometry'GEOMETRYCOLLECTION (POINT (1 1))')", "character 20: a collection"),
        ("st_relate(location,location,'x')", "character 29: a pattern"),
        ("st_relate(location,location,name)", "character 29: st_relate"),
        ("st_relate(location,location)", "takes 3 arguments"),
        ("st_within(name,location)", "character 11: .*takes a geometry"),
        ("geo.length(location)", "character 1: a condition"),
        ("location eq geometry'POINT (1 1)'", "as a whole"),
        ("geometry'POINT (1 1)' eq geometry'POINT (1 1)'", "not compared"),
    ],
)
def test_mistakes_say_what_and_where(map_store: Store, text: str, message: str) -> None:
    with pytest.raises(InvalidQuery, match=message):
        found(map_store, text)


def test_without_postgis_it_is_named(tmp_path: Path) -> None:
    store = plain_postgres(tmp_path)
    store._connections.raw().execute("DROP EXTENSION IF EXISTS postgis CASCADE")  # type: ignore[attr-defined]
    with pytest.raises(NotSupported, match="PostGIS"):
        found(store, "geo.distance(location,geography'POINT (1 1)') lt 1")
    assert found(store, "id eq 'x'") == set()


COORDINATE = st.tuples(st.integers(-2, 8), st.integers(-2, 8)).map(lambda c: f"{c[0]} {c[1]}")
LITERALS = st.one_of(
    COORDINATE.map(lambda c: f"POINT ({c})"),
    st.lists(COORDINATE, min_size=2, max_size=4, unique=True).map(lambda c: f"LINESTRING ({', '.join(c)})"),
    st.lists(COORDINATE, min_size=3, max_size=4, unique=True).map(lambda c: f"POLYGON (({', '.join([*c, c[0]])}))"),
).filter(lambda text: bool(shapely.from_wkt(text).is_valid))


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[Store, Store]:
    """Both engines, the second with PostGIS."""
    stores = [ENGINES[name](tmp_path_factory.mktemp(name)) for name in ("sqlite", "postgres")]
    try:
        stores[1]._connections.raw().execute("CREATE EXTENSION IF NOT EXISTS postgis")  # type: ignore[attr-defined]
    except psycopg.errors.FeatureNotSupported:
        pytest.skip("PostGIS is not installed: there is nothing to compare with")
    return fill(stores[0]), fill(stores[1])


@settings(max_examples=60)
@given(name=st.sampled_from(RELATIONS), literal=LITERALS)
def test_both_engines_answer_the_same(pair: tuple[Store, Store], name: str, literal: str) -> None:
    text = f"st_{name}(location,geometry'{literal}')"
    near = f"geo.distance(location,geometry'{literal}') le 3"
    assert found(pair[0], text) == found(pair[1], text)
    assert found(pair[0], near) == found(pair[1], near)

"""OGC API - Features by clients of others: OWSLib, and GDAL."""

from functools import cached_property
from typing import Any

import pytest

from tests.clients.conftest import Served

pyogrio = pytest.importorskip("pyogrio")
shapely = pytest.importorskip("shapely")
pytestmark = [pytest.mark.timeout(240)]


class Town:
    """The interface of a house and its collection with values."""

    def __init__(self, site: str) -> None:
        self.root = f"{site}/ogc/v1"

    @cached_property
    def client(self) -> Any:
        features = pytest.importorskip("owslib.ogcapi.features")
        return features.Features(self.root)

    @cached_property
    def cars(self) -> str:
        return str(next(name for name in self.client.feature_collections() if name.startswith("things:")))

    def gdal(self, layer: str, **asked: Any) -> tuple[dict[str, Any], list[Any], dict[str, Any]]:
        meta, _, shapes, values = pyogrio.raw.read(f"OAPIF:{self.root}", layer=layer, **asked)
        columns = dict(zip(meta["fields"], values, strict=True))
        return meta, [shapely.from_wkb(shape) for shape in shapes], columns


@pytest.fixture
def town(served: Served) -> Town:
    return Town(served.site)


def test_owslib_finds_asks_and_reads(town: Town) -> None:
    client = town.client
    assert any(each.endswith("/conf/crs") for each in client.conformance()["conformsTo"])
    assert client.api()["openapi"].startswith("3.0")
    assert town.cars in {each["id"] for each in client.collections()["collections"]}
    assert "name" in client.collection_queryables(town.cars)["properties"]
    whole = client.collection_items(town.cars, limit=100)
    features = whole["features"]
    assert len(features) == whole["numberMatched"] > 1
    first = features[0]
    assert client.collection_item(town.cars, first["id"])["properties"]["name"] == first["properties"]["name"]
    x, y = first["geometry"]["coordinates"][:2]
    near = client.collection_items(town.cars, bbox=[x - 1e-6, y - 1e-6, x + 1e-6, y + 1e-6])
    assert first["id"] in [each["id"] for each in near["features"]]
    named = client.collection_items(town.cars, filter=f"name = '{first['properties']['name']}'")
    assert [each["id"] for each in named["features"]] == [first["id"]]


def test_gdal_reads_pages_boxes_and_other_systems(town: Town) -> None:
    import pyproj

    wanted = {each["id"]: each for each in town.client.collection_items(town.cars, limit=100)["features"]}
    assert town.cars in {str(name) for name, _ in pyogrio.list_layers(f"OAPIF:{town.root}")}
    meta, shapes, columns = town.gdal(town.cars, PAGE_SIZE=1)
    assert set(columns["id"]) == set(wanted)
    assert len(columns["id"]) == len(wanted)
    assert meta["geometry_type"] == "Point"
    assert columns["time"].dtype.kind == "M", "by the schema"
    place = wanted[columns["id"][0]]["geometry"]["coordinates"]
    assert shapely.equals_exact(shapes[0], shapely.Point(*place[:2]), 1e-7)
    _, _, near = town.gdal(town.cars, bbox=(place[0] - 1e-6, place[1] - 1e-6, place[0] + 1e-6, place[1] + 1e-6))
    assert columns["id"][0] in near["id"]
    meta, shapes, _ = town.gdal(town.cars, CRS="EPSG:25832", where=f"name = '{columns['name'][0]}'")
    assert meta["crs"] == "EPSG:25832"
    x, y = pyproj.Transformer.from_crs(4326, 25832, always_xy=True).transform(*place[:2])
    assert shapely.equals_exact(shapes[0], shapely.Point(x, y), 0.01)


def test_gdal_reads_tiles_by_their_description(town: Town) -> None:
    source = f"OGCAPI:{town.root}/collections/{town.cars}"
    assert len(pyogrio.list_layers(source)) == 23
    meta, _, _, values = pyogrio.raw.read(source, layer="Zoom level 0")
    columns = dict(zip(meta["fields"], values, strict=True))
    assert meta["crs"] == "EPSG:3857"
    wanted = town.client.collection_items(town.cars, limit=100)["features"]
    assert sorted(columns["id"]) == sorted(each["id"] for each in wanted if each["geometry"])

"""17-069r4 Core and GeoJSON: landing page, collections, pages of features, one feature, and what is refused."""

from pathlib import Path
from typing import Any
from urllib.parse import quote

import jsonschema_rs
import msgspec
import pytest
import shapely

from allmende.domain.face import FaceLimits, Request
from allmende.domain.features import FeatureQuery
from allmende.domain.policy import ANONYMOUS, Reader
from allmende.domain.records import Collection
from allmende.domain.store import Store
from allmende.faces.ogc.drawn import Drawn
from allmende.faces.ogc.face import answer
from allmende.storage.sqlite import SqliteStore
from tests.conformance.ogc.conftest import ABOUT, AT, ROOT, Ask, deliver, furnish, tree
from tests.support import DATASETS, HOUSE, create, postgres_store, sqlite_store

GUEST = Reader(name="guest", datasets=frozenset({"hidden"}))


def hrefs(value: Any, rel: str) -> list[str]:
    return [link["href"] for link in value["links"] if link["rel"] == rel]


def ids(page: Any) -> list[str]:
    assert page["type"] == "FeatureCollection"
    assert page["numberReturned"] == len(page["features"])
    return [feature["id"] for feature in page["features"]]


def test_from_the_landing_page_everything_is_found_by_links(ask: Ask, read: Any) -> None:
    landing = read("")
    assert landing["title"] == "Town"
    for rel in ("self", "conformance", "data", "service-desc"):
        for href in hrefs(landing, rel):
            assert ask(href).status == 200, href
    listed = read(hrefs(landing, "data")[0])["collections"]
    assert [each["id"] for each in listed] == ["things:parking", "things:simulated", "trees", "works"]
    for each in listed:
        assert read(hrefs(each, "self")[0])["id"] == each["id"]
        items = [link["href"] for link in each["links"] if link["type"] == "application/geo+json"]
        assert read(items[0])["features"]
    assert any(one.endswith("ogcapi-features-1/1.0/conf/core") for one in read("/conformance")["conformsTo"])


def test_a_collection_says_where_and_when_and_under_which_licence(read: Any) -> None:
    trees = read("/collections/trees")
    assert trees["extent"]["spatial"]["bbox"] == [[11.5, 50.9, 11.59, 50.93]]
    assert hrefs(trees, "license") == ["https://licence.example"]
    assert "https://city.example/dataset/parking" in hrefs(trees, "describedby")
    works = read("/collections/works")
    assert works["extent"]["temporal"]["interval"] == [["2026-03-01T12:00:00.000Z", "2026-03-31T12:00:00.000Z"]]
    things = read("/collections/things:parking")
    assert things["extent"]["spatial"]["bbox"] == [[11.58, 50.92, 11.6, 50.94]]
    assert read("/collections/things:simulated")["keywords"] == ["simulated"]


def test_pages_are_walked_by_their_links_without_gap_or_repetition(read: Any) -> None:
    found: list[str] = []
    address = "/collections/trees/items?limit=7"
    while address:
        page = read(address)
        assert page["numberMatched"] == 40
        found += ids(page)
        following = hrefs(page, "next")
        address = following[0] if following else ""
    assert found == [f"{n:03}" for n in range(40)]


def test_a_feature_is_geojson_as_its_source_gave_it(read: Any, ask: Ask) -> None:
    feature = read("/collections/trees/items/021")
    assert feature["geometry"] == {"type": "Point", "coordinates": [11.51, 50.92]}
    assert feature["properties"] == {"species": "Acer", "height": 10.5, "street": "Straße 2", "old": True}
    assert ask("/collections/trees/items/021").content_type == "application/geo+json"
    assert ask(hrefs(feature, "self")[0]).status == 200
    assert ask(hrefs(feature, "collection")[0]).status == 200
    lasting = read("/collections/works/items/until april")
    assert lasting["geometry"]["coordinates"] == [11.59, 50.93, 140.5]
    assert lasting["time"] == {"interval": ["..", "2026-03-31T12:00:00.000Z"]}
    assert read("/collections/works/items/for/ever")["id"] == "for/ever"
    assert read("/collections/works/items/nowhere")["geometry"] is None


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("bbox=11.5,50.9,11.525,50.915", ["000", "001", "002", "010", "011", "012"]),
        ("bbox=11.5,50.9,0,11.525,50.905,900", ["000", "001", "002"]),
        ("bbox=11.58,50.93,11.7,51", ["038", "039"]),
        ("species=Tilia&bbox=11.5,50.9,11.6,50.905", ["001", "004", "007"]),
        ("height=10.5", ["021"]),
        ("height=10.50", ["021"]),
        ("old=true&limit=2", ["021", "022"]),
        ("species=None", []),
        ("bbox=-10,-10,-9,-9", []),
        ("after=037", ["038", "039"]),
    ],
)
def test_what_narrows_down(read: Any, asked: str, found: list[str]) -> None:
    assert ids(read(f"/collections/trees/items?{asked}")) == found


def test_a_box_meets_lines_and_areas_where_they_are_and_not_where_their_boxes_are(read: Any) -> None:
    assert ids(read("/collections/works/items?bbox=11.58,50.905,11.59,50.915")) == []
    assert ids(read("/collections/works/items?bbox=11.505,50.905,11.51,50.91")) == ["for/ever", "march"]


@pytest.mark.parametrize(
    ("datetime", "found"),
    [
        ("2026-03-05T00:00:00Z", ["for/ever", "march", "until april"]),
        ("2026-03-01", ["for/ever", "march", "until april"]),
        ("2026-02-28", ["for/ever", "until april"]),
        ("2026-04-30T00:00:00Z/..", ["for/ever", "nowhere"]),
        ("../2026-02-01T00:00:00Z", ["for/ever", "until april"]),
        ("2026-03-20T00:00:00+01:00/2026-03-21T00:00:00+01:00", ["for/ever", "until april"]),
    ],
)
def test_time_narrows_down_and_what_has_none_always_holds(read: Any, datetime: str, found: list[str]) -> None:
    assert ids(read(f"/collections/works/items?datetime={quote(datetime)}")) == found


def test_things_carry_their_newest_values_with_unit_and_time(read: Any) -> None:
    garage = read("/collections/things:parking/items/garage")
    assert garage["geometry"] == {"type": "Point", "coordinates": [11.58, 50.92]}
    assert garage["properties"] == {
        "name": "Garage", "description": "Garage", "zone": 1, "time": "2026-03-01T12:00:00.000Z",
        "free": 17, "free.unit": "{space}", "free.time": "2026-03-01T12:00:00.000Z",
        "occupied": 3, "occupied.unit": "{space}", "occupied.time": "2026-03-01T12:00:00.000Z",
    }  # fmt: skip
    things = "/collections/things:parking/items"
    assert ids(read(things)) == ["garage", "lost", "square"]
    assert ids(read(f"{things}?bbox=11.59,50.93,11.7,51")) == ["square"]
    assert ids(read(f"{things}?free=9")) == ["lost"]
    assert ids(read(f"{things}?datetime=2026-03-02")) == []
    first = read(f"{things}?limit=2")
    assert ids(read(hrefs(first, "next")[0])) == ["square"]


def test_a_schema_says_what_all_features_have(read: Any, ask: Ask) -> None:
    """23-058r1; and as GDAL wants it."""
    told = read("/collections/trees")
    schema = read(hrefs(told, "http://www.opengis.net/def/rel/ogc/1.0/schema")[0])
    assert schema["properties"]["species"] == {"type": "string", "title": "Species", "x-ogc-propertySeq": 1}
    assert {name: said.get("type") for name, said in schema["properties"].items()} == {
        "species": "string", "height": "number", "street": "string", "old": "boolean", "geometry": None,
    }  # fmt: skip
    assert schema["properties"]["geometry"] == {"x-ogc-role": "primary-geometry", "format": "geometry-point"}
    works = read("/collections/works/schema")["properties"]
    assert works["geometry"]["format"] == "geometry-any"
    things = read("/collections/things:parking/schema")["properties"]
    assert (things["free.time"]["format"], things["free"]["type"]) == ("date-time", "number")
    feature = read("/collections/trees/schema/feature")
    validator = jsonschema_rs.validator_for({**feature, "properties": {**feature["properties"], "geometry": {}}})
    for each in read("/collections/trees/items")["features"]:
        validator.validate(each)
    tag = ask("/collections/trees/schema").headers["ETag"]
    assert ask("/collections/trees/schema", if_none_match=tag).status == 304


def test_a_schema_names_every_type_that_a_property_has(tmp_path: Path) -> None:
    store = sqlite_store(tmp_path)
    store.put_datasets(DATASETS)
    items = [tree(number) for number in range(150)]
    items[140].properties["height"] = "1,5"
    items[141].properties.update({"old": None, "late": None})
    several = {"type": "MultiPoint", "coordinates": [[11.5, 50.9]]}
    for number, geometry in ((142, None), (143, several)):
        items[number] = msgspec.structs.replace(items[number], geometry=geometry)
    items[144].properties["species"] = 7
    deliver(store, Collection(id="trees", title="Trees", fields={"species": {"type": "string"}}), items)
    request = Request(method="GET", path="collections/trees/schema", root=ROOT, reader=ANONYMOUS, now=AT)
    answered = answer(request, store, FaceLimits(), ABOUT, Drawn(0))
    said = msgspec.json.decode(answered.body)["properties"]  # type: ignore[union-attr]  # no page
    assert said["height"]["type"] == ["number", "string"]
    assert said["species"]["type"] == "string", "what the source says stands"
    assert (said["old"]["type"], said["late"]["type"]) == ("boolean", "null")
    assert said["geometry"]["format"] == "geometry-point-or-multipoint"


def test_things_lie_in_a_box_without_postgis_too(tmp_path: Path) -> None:
    store = postgres_store(tmp_path)
    store._connections.raw().execute("DROP EXTENSION IF EXISTS postgis CASCADE")  # type: ignore[attr-defined]
    furnish(store)
    path, query = "collections/things:parking/items", "bbox=11.59,50.93,11.7,51"
    asked = Request(method="GET", path=path, query=query, root=ROOT, reader=ANONYMOUS, now=AT)
    answered = answer(asked, store, FaceLimits(), ABOUT, Drawn(0))
    assert ids(msgspec.json.decode(answered.body)) == ["square"]  # type: ignore[union-attr]  # no page


def test_a_thing_whose_place_is_several_shapes_lies_in_a_box(tmp_path: Path, town: Store) -> None:
    several = {
        "type": "GeometryCollection",
        "geometries": [{"type": "Point", "coordinates": [7, 7]}, {"type": "Point", "coordinates": [8, 8]}],
    }
    location = {"name": "n", "description": "d", "encodingType": "application/geo+json", "location": several}
    links = {"Things": "square"}
    store = furnish(sqlite_store(tmp_path) if isinstance(town, SqliteStore) else postgres_store(tmp_path))
    create(store, "Location", location, links=links)
    query = FeatureQuery(collection="parking", reader=ANONYMOUS, things=True, bbox=(6.9, 6.9, 7.1, 7.1))
    assert [item.id for item in store.features(query).items] == ["square"]


def test_all_that_match_are_counted_where_it_is_cheap_or_asked_for(read: Any) -> None:
    assert read("/collections/trees/items?limit=1")["numberMatched"] == 40
    narrow = "/collections/trees/items?limit=2&species=Tilia"
    assert "numberMatched" not in read(narrow)
    assert read(f"{narrow}&count=true")["numberMatched"] == 13
    assert read(f"{narrow}&bbox=11.5,50.9,11.6,50.905&limit=10".replace("limit=2&", ""))["numberMatched"] == 3
    assert read("/collections/things:parking/items?limit=1&count=true")["numberMatched"] == 3
    assert read("/collections/things:parking/items?limit=1&bbox=11,50,12,51&count=true")["numberMatched"] == 2


@pytest.mark.parametrize(
    "asked",
    [
        "limit=0", "limit=-1", "limit=x", "limit=", "limit=1&limit=2", "bbox=1,2,3", "bbox=a,b,c,d", "bbox=nan,0,1,1",
        "bbox=0,10,1,9", "bbox=0,0,1,91", "bbox=181,0,182,1", "datetime=yesterday", "datetime=/", "datetime=",
        "datetime=2026-03-02T00:00:00Z/2026-03-01T00:00:00Z", "datetime=2026-03-01T00:00:00", "colour=red", "f=xml",
        "count=1", "crs=EPSG:25832", "bbox-crs=http://www.opengis.net/def/crs/EPSG/0/31468", "species=%00",
    ],
)  # fmt: skip
def test_mistakes_are_told_with_their_place(ask: Ask, asked: str) -> None:
    response = ask(f"/collections/trees/items?{asked}")
    assert response.status == 400, response.body
    said = msgspec.json.decode(response.body)
    assert said["code"] == "InvalidParameterValue"
    assert said["description"].startswith(asked.partition("=")[0])


def test_a_limit_above_the_greatest_is_cut(ask: Ask) -> None:
    response = ask("/collections/trees/items?limit=99999", limits=FaceLimits(page_size_max=3))
    assert msgspec.json.decode(response.body)["numberReturned"] == 3


def test_hidden_and_absent_are_answered_alike(ask: Ask, read: Any) -> None:
    for hidden, absent in (
        ("collections/secret-trees", "collections/absent-trees"),
        ("collections/secret-trees/items", "collections/absent-trees/items"),
        ("collections/secret-trees/items/001", "collections/absent-trees/items/001"),
        ("collections/things:hidden/items", "collections/things:absent/items"),
        ("collections/things:hidden", "collections/things:absent"),
        ("collections/things:parking/items/bunker", "collections/things:parking/items/absent"),
    ):
        one, other = ask(hidden), ask(absent)
        assert one.status == other.status == 404
        for name in ("secret-trees", "things:hidden", "hidden", "bunker"):
            one = msgspec.structs.replace(one, body=one.body.replace(name.encode(), b"?"))
        for name in ("absent-trees", "things:absent", "absent"):
            other = msgspec.structs.replace(other, body=other.body.replace(name.encode(), b"?"))
        assert one.body == other.body
    assert len(ids(read("collections/secret-trees/items", reader=GUEST))) == 5
    assert ids(read("collections/things:hidden/items", reader=GUEST)) == ["bunker"]


def test_what_has_gone_is_no_feature_any_more(tmp_path: Path) -> None:
    store = sqlite_store(tmp_path)
    store.put_datasets(DATASETS)
    trees = Collection(id="trees", title="Trees", snapshot=True)
    deliver(store, trees, [tree(1), tree(2)])
    deliver(store, trees, [tree(2)], at=AT + 1)
    asked = Request(method="GET", path="collections/trees/items/001", root=ROOT, reader=HOUSE, now=AT)
    assert answer(asked, store, FaceLimits(), ABOUT, Drawn(0)).status == 404


def test_an_unchanged_answer_is_not_sent_again(ask: Ask) -> None:
    first = ask("/collections/trees/items")
    again = ask("/collections/trees/items", if_none_match=first.headers["ETag"])
    assert (again.status, again.body) == (304, b"")


def test_nothing_is_written_here(ask: Ask) -> None:
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        assert ask("/collections/trees/items", method=method).status == 405


def test_the_openapi_document_is_one(read: Any) -> None:
    described = read("/api")
    assert described["openapi"].startswith("3.0")
    for item in described["paths"].values():
        for parameter in item["get"]["parameters"]:
            if "$ref" in parameter:
                assert parameter["$ref"].rpartition("/")[2] in described["components"]["parameters"]
            else:
                jsonschema_rs.validator_for(parameter["schema"])


def test_queryables_are_what_can_be_asked_for(ask: Ask, read: Any) -> None:
    known = read("/collections/trees/queryables")["properties"]
    assert known["species"] == {"type": "string", "title": "Species"}
    assert {name: known[name]["type"] for name in ("height", "old")} == {"height": "number", "old": "boolean"}
    assert "free" in read("/collections/things:parking/queryables")["properties"]


def test_a_box_over_the_antimeridian(read: Any) -> None:
    assert len(ids(read("/collections/trees/items?bbox=11.585,50,-170,51"))) == 4


@pytest.mark.parametrize(
    ("code", "x", "y"),
    [("EPSG/0/4326", 50.92, 11.51), ("EPSG/0/25832", 676_000, 5_644_000), ("EPSG/0/3857", 1_281_287, 6_605_000)],
)
def test_another_reference_system_has_its_own_axes(ask: Ask, code: str, x: float, y: float) -> None:
    uri = f"http://www.opengis.net/def/crs/{code}"
    response = ask(f"/collections/trees/items/021?crs={uri}")
    assert response.headers["Content-Crs"] == f"<{uri}>"
    there = msgspec.json.decode(response.body)["geometry"]["coordinates"]
    assert there == pytest.approx([x, y], rel=2e-3)
    # and back: the box around it, in its own axes, holds it
    step = 1e-4 if "4326" in code else 10
    box = ",".join(str(side) for side in (there[0] - step, there[1] - step, there[0] + step, there[1] + step))
    found = ask(f"/collections/trees/items?crs={uri}&bbox={box}&bbox-crs={uri}")
    assert ids(msgspec.json.decode(found.body)) == ["021"]


def test_heights_and_nothing_survive_another_system(read: Any) -> None:
    uri = "http://www.opengis.net/def/crs/EPSG/0/25832"
    found = {f["id"]: f["geometry"] for f in read(f"/collections/works/items?crs={uri}")["features"]}
    assert found["nowhere"] is None
    assert found["until april"]["coordinates"][2] == 140.5
    assert shapely.from_geojson(msgspec.json.encode(found["march"])).length == pytest.approx(13_200, rel=0.01)

"""20-057: vector tiles that another's decoder reads, and what describes them."""

from math import floor, log, pi, radians, tan
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
import shapely
from shapely import box

from allmende.domain.face import FaceLimits, Request, Response
from allmende.domain.features import FeatureQuery
from allmende.domain.policy import ANONYMOUS, Reader
from allmende.domain.records import Collection
from allmende.domain.store import Store
from allmende.faces.ogc.drawn import Drawn
from allmende.faces.ogc.face import answer
from tests.conformance.ogc.conftest import ABOUT, Ask, deliver, tree
from tests.support import DATASETS, sqlite_store

TILES = "/collections/{}/tiles/WebMercatorQuad"


def place(zoom: int, lon: float, lat: float) -> str:
    side = 2**zoom
    y = (1 - log(tan(pi / 4 + radians(lat) / 2)) / pi) / 2
    return f"{zoom}/{floor(y * side)}/{floor((lon + 180) / 360 * side)}"


def decoded(body: bytes, tmp_path: Path, where: str) -> dict[str, Any]:
    """By GDAL, in EPSG:3857: properties and shape of each feature by its id."""
    pyogrio = pytest.importorskip("pyogrio")
    zoom, row, column = where.split("/")
    file = tmp_path / zoom / column / f"{row}.mvt"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(body)
    meta, _, shapes, fields = pyogrio.raw.read(f"MVT:{file}")
    names = list(meta["fields"])
    found = {}
    for at, shape in enumerate(shapes):
        said = {name: field[at] for name, field in zip(names, fields, strict=True)}
        found[str(said["id"])] = (said, shape)
    return found


def test_a_tile_holds_what_lies_in_it(ask: Ask, tmp_path: Path) -> None:
    from pyproj import Transformer

    where = place(10, 11.52, 50.905)
    response = ask(f"{TILES.format('trees')}/{where}")
    assert (response.status, response.content_type) == (200, "application/vnd.mapbox-vector-tile")
    found = decoded(response.body, tmp_path, where)
    assert {"002", "012"} <= set(found)
    said, shape = found["012"]
    assert (said["species"], said["height"], bool(said["old"])) == ("Acer", 6.0, False)
    x, y = Transformer.from_crs(4326, 3857, always_xy=True).transform(11.52, 50.91)
    assert shapely.distance(shapely.from_wkb(shape), shapely.Point(x, y)) < 40_075_017 / 2**10 / 4096 * 2


def test_lines_and_areas_are_cut_and_stay_what_they_are(ask: Ask, tmp_path: Path) -> None:
    where = place(13, 11.51, 50.91)
    found = decoded(ask(f"{TILES.format('works')}/{where}").body, tmp_path, where)
    kinds = {name: shapely.from_wkb(shape).geom_type.removeprefix("Multi") for name, (_, shape) in found.items()}
    assert kinds == {"march": "LineString", "for/ever": "Polygon"}
    assert all(shapely.is_valid(shapely.from_wkb(shape)) for _, shape in found.values())


def test_an_empty_tile_has_no_content_and_one_that_is_not_there_is_not_found(ask: Ask) -> None:
    assert ask(f"{TILES.format('trees')}/12/0/0").status == 204
    for where in ("12/0/4096", "12/4096/0", "23/0/0", "x/0/0", "1/0", "1/0/0/0", "-1/0/0"):
        assert ask(f"{TILES.format('trees')}/{where}").status == 404, where
    assert ask(f"{TILES.format('trees')}/1/0/1?f=png").status == 400


def test_a_tile_is_capped_and_says_so(ask: Ask, tmp_path: Path) -> None:
    response = ask(f"{TILES.format('trees')}/0/0/0", limits=FaceLimits(tile_features=5))
    assert "ALLMENDE_TILE_FEATURES" in response.headers["Warning"]
    found = decoded(response.body, tmp_path, "0/0/0")
    assert [bool(said["tile.capped"]) for said, _ in found.values()] == [True] * 5
    whole = ask(f"{TILES.format('trees')}/0/0/0")
    assert "Warning" not in whole.headers
    assert b"tile.capped" not in whole.body


def test_a_tile_that_is_known_is_not_sent_again(ask: Ask) -> None:
    first = ask(f"{TILES.format('trees')}/0/0/0")
    assert ask(f"{TILES.format('trees')}/0/0/0", if_none_match=first.headers["ETag"]).status == 304


class Asked:
    """A store that counts how often its features are read."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.reads = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.store, name)

    def features(self, query: FeatureQuery) -> Any:
        self.reads += 1
        return self.store.features(query)


def test_a_tile_is_drawn_once_for_all_and_anew_when_something_changed(tmp_path: Path) -> None:
    store: Any = Asked(sqlite_store(tmp_path))
    store.put_datasets(DATASETS)
    trees, drawn = Collection(id="trees", title="Trees"), Drawn(100_000)

    def ask(tag: str = "", reader: Reader = ANONYMOUS, drawn: Drawn = drawn) -> Response:
        path = f"{TILES.format('trees')}/0/0/0"
        request = Request(method="GET", path=path, root="https://city.example", reader=reader, now=0, if_none_match=tag)
        return answer(request, store, FaceLimits(), ABOUT, drawn)  # type: ignore[return-value]  # no page

    deliver(store, trees, [tree(1)])
    first = ask()
    assert (ask().body, ask(first.headers["ETag"]).status, store.reads) == (first.body, 304, 1)
    # a batch more of one delivery, with the same time and as many features
    other = tree(1)
    other.properties["species"] = "Fagus"
    deliver(store, trees, [other])
    second = ask(first.headers["ETag"])
    assert (second.status, b"Fagus" in second.body, store.reads) == (200, True, 2)
    assert second.headers["ETag"] != first.headers["ETag"]
    # who may see more draws for themselves, and a cache without room keeps nothing
    assert ask(reader=Reader(name="guest", datasets=frozenset({"hidden"}))).body == second.body
    small = Drawn(10)
    assert [ask(drawn=small).body, ask(drawn=small).body] == [second.body] * 2
    assert store.reads == 5
    # what was open is closed: the drawn tile and its tag are closed with it
    store.put_datasets([msgspec.structs.replace(each, access="restricted") for each in DATASETS])
    closed = [ask(), ask(second.headers["ETag"])]
    assert {(each.status, b"Fagus" in each.body, "ETag" in each.headers) for each in closed} == {(404, False, False)}


def test_shapes_of_many_parts_come_out_as_they_went_in(tmp_path: Path) -> None:
    from allmende.faces.ogc.mvt import encode_tile

    hole = [(20, 20), (20, 40), (40, 40), (40, 20)]
    shapes = [
        shapely.Point(5, 6),
        shapely.MultiPoint([(1, 2), (4000, 300), (60, 4090)]),
        shapely.MultiLineString([[(0, 0), (10, 0), (10, 10)], [(4090, 0), (0, 4090)]]),
        shapely.MultiPolygon([(box(0, 0, 100, 100).exterior, [hole]), box(200, 200, 4000, 4000)]),
        shapely.GeometryCollection([shapely.Point(7, 7), shapely.LineString([(0, 1), (2, 3)])]),
        None,
        shapely.Polygon(),
    ]
    said = [{"id": str(number), "n": number, "nested": [1], "none": None} for number in range(len(shapes))]
    body = encode_tile("all", np.array(shapes, dtype=object), said, {"also": True})
    meta, _, found, fields = pytest.importorskip("pyogrio").raw.read(_kept(tmp_path, body))
    ids = fields[list(meta["fields"]).index("id")]
    assert set(meta["fields"]) == {"mvt_id", "id", "n", "also"}
    by_id = {
        name: [shapely.from_wkb(each) for each, own in zip(found, ids, strict=True) if own == name] for name in ids
    }
    assert set(by_id) == {"0", "1", "2", "3", "4"}
    for number, shape in enumerate(shapes[:5]):
        made = [part for each in by_id[str(number)] for part in shapely.get_parts(each)]
        wanted = [shapely.transform(part, _to_metres) for part in shapely.get_parts(shape)]
        assert len(made) == len(wanted)
        for part in wanted:
            assert any(shapely.equals_exact(shapely.normalize(part), shapely.normalize(one), 1e-6) for one in made)


def _kept(folder: Path, body: bytes) -> str:
    """A tile of which there is but one, so that its place is known: units of the whole world."""
    file = folder / "0" / "0" / "0.mvt"
    file.parent.mkdir(parents=True)
    file.write_bytes(body)
    return f"MVT:{file}"


def _to_metres(units: Any) -> Any:
    half = 20_037_508.342789244
    return np.column_stack([units[:, 0] / 4096 * 2 * half - half, half - units[:, 1] / 4096 * 2 * half])


def test_tiles_of_things_have_their_values_and_hide_what_is_hidden(ask: Ask) -> None:
    everywhere = ask(f"{TILES.format('things:parking')}/0/0/0").body
    assert b"garage" in everywhere
    assert b"bunker" not in everywhere
    assert ask(f"{TILES.format('things:hidden')}/0/0/0").status == 404
    assert ask(f"{TILES.format('secret-trees')}/0/0/0").status == 404
    guest = Reader(name="guest", datasets=frozenset({"hidden"}))
    assert b"bunker" in ask(f"{TILES.format('things:hidden')}/0/0/0", reader=guest).body


def test_the_tileset_is_described_as_the_standard_and_as_tilejson(ask: Ask, read: Any) -> None:
    listed = read("/collections/trees/tiles")["tilesets"]
    told = read(next(link["href"] for link in listed[0]["links"] if link["rel"] == "self"))
    assert told["tileMatrixSetURI"].endswith("WebMercatorQuad")
    template = next(link["href"] for link in told["links"] if link["rel"] == "item")
    address = template.format(tileMatrix=0, tileRow=0, tileCol=0)
    assert ask(address).status == 200
    assert told["tilejson"] == "3.0.0"
    assert ask(told["tiles"][0].format(z=0, y=0, x=0)).body == ask(address).body
    assert msgspec.json.encode(told["bounds"]) == b"[11.5,50.9,11.59,50.93]"

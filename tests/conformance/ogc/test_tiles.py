"""20-057: vector tiles that another's decoder reads, and what describes them."""

from math import floor, log, pi, radians, tan
from pathlib import Path
from typing import Any

import msgspec
import pytest

from allmende.domain.face import FaceLimits
from allmende.domain.policy import Reader
from tests.conformance.ogc.conftest import Ask

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
    import shapely
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
    import shapely

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
    assert len(decoded(response.body, tmp_path, "0/0/0")) == 5
    assert "Warning" not in ask(f"{TILES.format('trees')}/0/0/0").headers


def test_a_tile_that_is_known_is_not_sent_again(ask: Ask) -> None:
    first = ask(f"{TILES.format('trees')}/0/0/0")
    assert ask(f"{TILES.format('trees')}/0/0/0", if_none_match=first.headers["ETag"]).status == 304


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

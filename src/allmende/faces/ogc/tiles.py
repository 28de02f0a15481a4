"""Vector tiles of a collection (OGC API - Tiles, 20-057) in WebMercatorQuad, and what describes them.

A tile is made of the same question as a page of features, and so holds what its reader may see and nothing else.
"""

from math import atan, degrees, pi, sinh
from typing import Any
from urllib.parse import quote

import msgspec
import numpy as np
import shapely

from allmende.domain.errors import InvalidQuery, NotFound
from allmende.domain.face import FaceLimits, Request, Response
from allmende.domain.features import Box, FeatureQuery, KeptFeature
from allmende.domain.store import Store
from allmende.faces.ogc.answers import JSON, link, own_links, tagged
from allmende.faces.ogc.drawn import Drawn
from allmende.faces.ogc.layers import Layer
from allmende.faces.ogc.mvt import EXTENT, encode_tile
from allmende.faces.ogc.options import read_texts

MVT = "application/vnd.mapbox-vector-tile"
MATRIX = "WebMercatorQuad"
DEEPEST = 22
_BUFFER = 64
"""Units around a tile that are drawn too, so that symbols and lines are not cut at its edge."""
_DETAIL = 1.0
"""Units that a simplified line may lie off."""
CAPPED = "tile.capped"
"""The property that the features of a tile have where others were left out."""
_POINT = '{"type":"Point",'
_PROPERTIES = msgspec.json.Decoder(dict[str, Any])
_TILING = f"http://www.opengis.net/def/tilematrixset/OGC/1.0/{MATRIX}"
_TITLE = "Google Maps Compatible for the World"
TILING_SCHEME = "http://www.opengis.net/def/rel/ogc/1.0/tiling-scheme"
_LIMIT = degrees(atan(sinh(pi)))
"""Latitude at which the Mercator square ends."""


def read_tile(
    request: Request, layer: Layer, place: list[str], store: Store, limits: FaceLimits, drawn: Drawn
) -> Response:
    """``{z}/{y}/{x}``: 204 where there is nothing in it. A tile holds so many features at most, by their ids.

    A collection's tile is the same until the collection changes: its tag is known before it is drawn, and one that is
    open to all is kept as it was drawn.
    """
    texts = read_texts(request.query, ("f",))
    if texts.get("f", "mvt") != "mvt":
        raise InvalidQuery("a tile is mvt", where="f")
    here = _place(place)
    if layer.version is None:
        return tagged(request, _draw(request, layer, here, store, limits))
    key = (layer.id, layer.version, here, limits.tile_features)
    return drawn.answer(request, key, lambda: _draw(request, layer, here, store, limits))


def _draw(request: Request, layer: Layer, here: tuple[int, int, int], store: Store, limits: FaceLimits) -> Response:
    near = _box(*here, _BUFFER)
    query = FeatureQuery(
        collection=layer.source, reader=request.reader, things=layer.things, simulated=True, bbox=near,
        top=limits.tile_features,
    )  # fmt: skip
    page = store.features(query)
    said = [{"id": item.id, **_PROPERTIES.decode(item.properties)} for item in page.items]
    also = {} if page.next is None else {CAPPED: True}
    body = encode_tile(layer.id, _units(page.items, *here), said, also) if page.items else b""
    headers = {"Content-Crs": "<http://www.opengis.net/def/crs/EPSG/0/3857>"}
    if page.next is not None:
        headers["Warning"] = f'199 - "only the first {limits.tile_features} features (ALLMENDE_TILE_FEATURES)"'
    if not body:
        return Response(status=204, content_type="", headers=headers)
    return Response(status=200, body=body, content_type=MVT, headers=headers)


def _place(parts: list[str]) -> tuple[int, int, int]:
    if len(parts) != 3 or not all(part.isascii() and part.isdecimal() and len(part) < 9 for part in parts):
        raise NotFound("there is no such tile")
    zoom, row, column = map(int, parts)
    if zoom > DEEPEST or max(row, column) >= 2**zoom:
        raise NotFound("there is no such tile")
    return zoom, row, column


def _box(zoom: int, row: int, column: int, buffer: int) -> Box:
    """The tile in degrees, with so many units around it."""
    side, more = float(2**zoom), buffer / EXTENT

    def lon(x: float) -> float:
        found: float = x / side * 360 - 180
        return min(180.0, max(-180.0, found))

    def lat(y: float) -> float:
        found: float = degrees(atan(sinh(pi * (1 - 2 * y / side))))
        return min(_LIMIT, max(-_LIMIT, found))

    return lon(column - more), lat(row + 1 + more), lon(column + 1 + more), lat(row - more)


def _units(items: list[KeptFeature], zoom: int, row: int, column: int) -> Any:
    """The geometries in units of the tile: moved, simplified and cut, all at once; None where there is none."""
    shapes = _shapes(items)
    side = 2**zoom

    def to_units(positions: Any) -> Any:
        x = (positions[:, 0] + 180) / 360 * side - column
        sine = np.sin(np.radians(np.clip(positions[:, 1], -_LIMIT, _LIMIT)))
        y = (0.5 - np.log((1 + sine) / (1 - sine)) / (4 * pi)) * side - row
        return np.column_stack([x, y]) * EXTENT

    shapes = shapely.transform(shapes, to_units)
    bent = shapely.get_type_id(shapes) > 0  # points stay as they are
    if bent.any():
        shapes[bent] = _simplified(shapes[bent], zoom)
    return shapes


def _shapes(items: list[KeptFeature]) -> Any:
    """The geometries in degrees. A point is its box: there are many, and to read them costs more than to draw them."""
    shapes = np.empty(len(items), dtype=object)
    single = np.array([item.geometry is not None and item.geometry.startswith(_POINT) for item in items], dtype=bool)
    places = np.array([(item.west, item.south) for item in items], dtype=float)
    shapes[single] = shapely.points(places[single])
    others = [item.geometry for item, one in zip(items, single, strict=True) if not one]
    shapes[~single] = shapely.force_2d(shapely.from_geojson(others, on_invalid="ignore"))
    return shapes


def _simplified(shapes: Any, zoom: int) -> Any:
    if zoom < DEEPEST:
        shapes = shapely.simplify(shapes, _DETAIL)
    wrong = ~shapely.is_valid(shapes)
    shapes[wrong] = shapely.make_valid(shapes[wrong])
    frame = (-_BUFFER, -_BUFFER, EXTENT + _BUFFER, EXTENT + _BUFFER)
    # on whole units an area stays one
    return shapely.set_precision(shapely.clip_by_rect(shapes, *frame), 1.0)


def tilesets(request: Request, layer: Layer) -> dict[str, Any]:
    """The tilesets of a collection: there is one."""
    here = f"{request.root}/collections/{quote(layer.id, safe=':~')}/tiles"
    one = _tileset(layer)
    one["links"] = [link("self", f"{here}/{MATRIX}", JSON)]
    return {"links": own_links(request, JSON), "tilesets": [one]}


def tileset(request: Request, layer: Layer) -> dict[str, Any]:
    """What describes the tileset: both as 20-057 and as TileJSON 3.0, whose members do not get in each other's way."""
    here = f"{request.root}/collections/{quote(layer.id, safe=':~')}/tiles/{MATRIX}"
    template = f"{here}/{{tileMatrix}}/{{tileRow}}/{{tileCol}}"
    short = template.replace("tileMatrix", "z").replace("tileRow", "y").replace("tileCol", "x")
    told = _tileset(layer)
    told["links"] = [
        *own_links(request, JSON),
        {"rel": "item", "type": MVT, "href": template, "templated": True},
        link(TILING_SCHEME, f"{request.root}/tileMatrixSets/{MATRIX}", JSON),
    ]
    fields = {name: str(schema.get("type", "String")).title() for name, schema in layer.fields.items()}
    told |= {
        "tilejson": "3.0.0",
        "tiles": [short],
        "name": layer.title,
        "attribution": layer.words.attribution,
        "minzoom": 0,
        "maxzoom": DEEPEST,
        "vector_layers": [{"id": layer.id, "fields": fields}],
    }
    if layer.bbox is not None:
        told["bounds"] = list(layer.bbox)
    return told


def matrix_sets(request: Request) -> dict[str, Any]:
    """The tile matrix sets: there is one (17-083r4)."""
    here = f"{request.root}/tileMatrixSets/{MATRIX}"
    one = {"id": MATRIX, "title": _TITLE, "uri": _TILING, "links": [link("self", here, JSON)]}
    return {"tileMatrixSets": [one], "links": own_links(request, JSON)}


def matrix_set(request: Request) -> dict[str, Any]:
    """WebMercatorQuad as 17-083r4, annex D writes it."""
    half = pi * 6_378_137
    return {
        "id": MATRIX,
        "title": _TITLE,
        "uri": _TILING,
        "crs": "http://www.opengis.net/def/crs/EPSG/0/3857",
        "orderedAxes": ["X", "Y"],
        "wellKnownScaleSet": "http://www.opengis.net/def/wkss/OGC/1.0/GoogleMapsCompatible",
        "tileMatrices": [
            {
                "id": str(zoom),
                "scaleDenominator": 2 * half / 256 / 2**zoom / 0.00028,
                "cellSize": 2 * half / 256 / 2**zoom,
                "cornerOfOrigin": "topLeft",
                "pointOfOrigin": [-half, half],
                "tileWidth": 256,
                "tileHeight": 256,
                "matrixWidth": 2**zoom,
                "matrixHeight": 2**zoom,
            }
            for zoom in range(DEEPEST + 1)
        ],
        "links": own_links(request, JSON),
    }


def _tileset(layer: Layer) -> dict[str, Any]:
    return {
        "title": layer.title,
        "dataType": "vector",
        "crs": "http://www.opengis.net/def/crs/EPSG/0/3857",
        "tileMatrixSetURI": _TILING,
        "layers": [{"id": layer.id, "dataType": "vector"}],
    }

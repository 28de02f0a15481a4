"""The OpenAPI 3.0 document of the face, from the table of its options and that of its addresses."""

from functools import lru_cache
from typing import Any

from allmende import __version__
from allmende.domain.creation import encode
from allmende.domain.face import FaceLimits
from allmende.faces.ogc.answers import GEOJSON, HTML, JSON, OPENAPI, SCHEMA
from allmende.faces.ogc.crs import SYSTEMS
from allmende.faces.ogc.options import ITEM, ITEMS, OPTIONS, PAGE, RECORD_OPTIONS, RECORDS
from allmende.faces.ogc.records import COLLECTION
from allmende.faces.ogc.tiles import DEEPEST, MATRIX, MVT

_ABOUT = """\
Objects of the city and its things with their newest values, by OGC API - Features. Reading is open; what is not open
to all needs a token, as `Authorization: Bearer …`.

Long answers come in pages: follow the link `next` as it is given.
"""
_COLLECTION = {"name": "collectionId", "in": "path", "required": True, "schema": {"type": "string"}}
_FEATURE = {"name": "featureId", "in": "path", "required": True, "schema": {"type": "string"}}
_TILE = tuple(
    {"name": name, "in": "path", "required": True, "schema": {"type": "integer", "minimum": 0, "maximum": most}}
    for name, most in (("tileMatrix", DEEPEST), ("tileRow", 2**DEEPEST - 1), ("tileCol", 2**DEEPEST - 1))
)
_SYSTEMS = ("crs", "bbox-crs", "filter-crs")


def _option(name: str, limits: FaceLimits) -> dict[str, Any]:
    option = OPTIONS.get(name) or RECORD_OPTIONS[name]
    schema = dict(option.schema)
    if name == "limit":
        schema |= {"maximum": limits.page_size_max, "default": limits.page_size}
    if name in _SYSTEMS:
        schema |= {"enum": list(SYSTEMS), "default": next(iter(SYSTEMS))}
    told = {"name": name, "in": "query", "required": False, "description": option.words, "schema": schema}
    return {**told, "style": "form", "explode": False}


def _operation(name: str, words: str, kinds: tuple[str, ...], *parameters: Any) -> dict[str, Any]:
    refusal = {
        "description": "What is wrong.",
        "content": {JSON: {"schema": {"$ref": "#/components/schemas/exception"}}, HTML: {"schema": {"type": "string"}}},
    }
    content: dict[str, Any] = {kind: {"schema": {"type": "object"}} for kind in kinds}
    content[HTML] = {"schema": {"type": "string"}}
    empty: dict[str, Any] = {}
    if kinds == (MVT,):
        content = {MVT: {"schema": {"type": "string", "format": "binary"}}}
        empty = {"204": {"description": "There is nothing in it."}}
    return {
        "get": {
            "operationId": name,
            "summary": words,
            "parameters": list(parameters),
            "responses": {"200": {"description": words, "content": content}, **empty, "default": refusal},
        }
    }


def _paths() -> dict[str, Any]:
    def named(options: tuple[str, ...]) -> list[Any]:
        return [{"$ref": f"#/components/parameters/{name}"} for name in options]

    collection = "/collections/{collectionId}"
    page = named(PAGE)
    return {
        "/": _operation("landing", "What there is.", (JSON,), *page),
        "/conformance": _operation("conformance", "Requirement classes that hold.", (JSON,), *page),
        "/api": _operation("api", "This document.", (OPENAPI,), *page),
        "/tileMatrixSets": _operation("matrixSets", "Grids of tiles.", (JSON,), *page),
        f"/tileMatrixSets/{MATRIX}": _operation("matrixSet", "The grid of all tiles.", (JSON,), *page),
        "/collections": _operation("collections", "All collections.", (JSON,), *page),
        collection: _operation("collection", "One collection.", (JSON,), _COLLECTION, *page),
        f"{collection}/queryables": _operation(
            "queryables", "Properties that can be asked for.", (SCHEMA,), _COLLECTION, *page
        ),
        f"{collection}/schema": _operation("schema", "Its properties with their types.", (SCHEMA,), _COLLECTION, *page),
        f"{collection}/schema/feature": _operation(
            "featureSchema", "The same of a feature in GeoJSON.", (SCHEMA,), _COLLECTION, *page
        ),
        f"{collection}/items": _operation(
            "items", "A page of features.", (GEOJSON,), _COLLECTION, *named(ITEMS),
            {
                "name": "properties",
                "in": "query",
                "description": "Any property of the queryables by its name, with the value that it has to have.",
                "schema": {"type": "object", "additionalProperties": {"type": "string"}},
                "style": "form",
                "explode": True,
            },
        ),
        f"/collections/{COLLECTION}/items": _operation(
            "records", "Datasets of the catalogue.", (GEOJSON,), *named(RECORDS)
        ),
        f"/collections/{COLLECTION}/items/{{featureId}}": _operation(
            "record", "One of them.", (GEOJSON,), _FEATURE, *page
        ),
        f"{collection}/items/{{featureId}}": _operation(
            "item", "One feature.", (GEOJSON,), _COLLECTION, _FEATURE, *named(ITEM)
        ),
        f"{collection}/tiles": _operation("tilesets", "Its tilesets.", (JSON,), _COLLECTION, *page),
        f"{collection}/tiles/{MATRIX}": _operation(
            "tileset", "The tileset, also as TileJSON.", (JSON,), _COLLECTION, *page
        ),
        f"{collection}/tiles/{MATRIX}/{{tileMatrix}}/{{tileRow}}/{{tileCol}}": _operation(
            "tile", "A vector tile; 204 where it is empty.", (MVT,), _COLLECTION, *_TILE
        ),
    }  # fmt: skip


@lru_cache(maxsize=8)
def described(root: str, limits: FaceLimits) -> bytes:
    """The document for a house at an address."""
    exception = {
        "type": "object",
        "required": ["code"],
        "properties": {"code": {"type": "string"}, "description": {"type": "string"}},
    }
    told = {
        "openapi": "3.0.3",
        "info": {"title": "OGC API - Features", "version": __version__, "description": _ABOUT},
        "servers": [{"url": root}],
        "paths": _paths(),
        "components": {
            "parameters": {name: _option(name, limits) for name in (*OPTIONS, *RECORD_OPTIONS)},
            "schemas": {"exception": exception},
        },
    }
    return encode(told).encode()

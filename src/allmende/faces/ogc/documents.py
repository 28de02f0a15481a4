"""What the face says of itself: landing page, conformance, collections (17-069r4, 7.2 to 7.14), queryables."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote, urljoin

from allmende.domain.face import Request
from allmende.domain.times import format_instant
from allmende.faces.ogc.answers import GEOJSON, HTML, JSON, OPENAPI, SCHEMA, link, own_links
from allmende.faces.ogc.crs import CRS84, SYSTEMS
from allmende.faces.ogc.layers import About, Layer

_FEATURES = "http://www.opengis.net/spec/ogcapi-features"
_TILES = "http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf"
CONFORMANCE = (
    "http://www.opengis.net/spec/ogcapi-common-1/1.0/conf/core",
    "http://www.opengis.net/spec/ogcapi-common-2/1.0/conf/collections",
    *(f"{_FEATURES}-1/1.0/conf/{name}" for name in ("core", "oas30", "geojson", "html")),
    f"{_FEATURES}-2/1.0/conf/crs",
    *(
        f"{_FEATURES}-3/1.0/conf/{name}"
        for name in ("queryables", "queryables-query-parameters", "filter", "features-filter")
    ),
    *(f"{_FEATURES}-5/1.0/conf/{name}" for name in ("schemas", "core-roles-features")),
    *(
        f"{_TILES}/{name}"
        for name in ("core", "tileset", "tilesets-list", "geodata-tilesets", "mvt")
    ),
    *(
        f"http://www.opengis.net/spec/cql2/1.0/conf/{name}"
        for name in (
            "cql2-text", "basic-cql2", "advanced-comparison-operators", "case-insensitive-comparison",
            "accent-insensitive-comparison", "basic-spatial-functions", "basic-spatial-functions-plus",
            "spatial-functions", "temporal-functions", "property-property", "arithmetic",
        )
    ),
    *(
        f"http://www.opengis.net/spec/ogcapi-records-1/1.0/conf/{name}"
        for name in (
            "record-core", "record-collection", "record-core-query-parameters", "record-api", "json", "html",
        )
    ),
    # a draft's name for basic-spatial-functions: QGIS looks for it before it leaves a place to us
    "http://www.opengis.net/spec/cql2/0.0/conf/basic-spatial-operators",
)  # fmt: skip
QUERYABLES = "http://www.opengis.net/def/rel/ogc/1.0/queryables"
SCHEMAS = "http://www.opengis.net/def/rel/ogc/1.0/schema"


def landing(request: Request, about: About) -> dict[str, Any]:
    """The root."""
    root = request.root
    return {
        "title": about.title,
        "description": about.description,
        "links": [
            *own_links(request, JSON),
            link("service-desc", f"{root}/api?f=json", OPENAPI, "OpenAPI 3.0"),
            link("service-doc", f"{root}/api?f=html", HTML, "OpenAPI 3.0"),
            link("conformance", f"{root}/conformance", JSON),
            link("http://www.opengis.net/def/rel/ogc/1.0/conformance", f"{root}/conformance", JSON),
            link("data", f"{root}/collections", JSON),
            link("http://www.opengis.net/def/rel/ogc/1.0/data", f"{root}/collections", JSON),
            link("http://www.opengis.net/def/rel/ogc/1.0/tiling-schemes", f"{root}/tileMatrixSets", JSON),
        ],
    }


def conformance(request: Request) -> dict[str, Any]:
    """Which requirement classes hold."""
    return {"conformsTo": list(CONFORMANCE), "links": own_links(request, JSON)}


def collections(request: Request, layers: Sequence[Layer], others: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """All that the reader may see, those of features and others. Reference systems are listed once (18-058r1, 6.2)."""
    return {
        "links": own_links(request, JSON),
        "crs": list(SYSTEMS),
        "collections": [
            *({**collection(request, layer), "crs": ["#/crs"], "links": _listed(request, layer)} for layer in layers),
            *others,
        ],
    }


def collection(request: Request, layer: Layer) -> dict[str, Any]:
    """One of them."""
    words = layer.words
    extent: dict[str, Any] = {}
    if layer.bbox is not None:
        extent["spatial"] = {"bbox": [layer.bbox], "crs": CRS84.uri}
    if layer.first is not None or layer.last is not None:
        ends = [None if end is None else format_instant(end) for end in (layer.first, layer.last)]
        extent["temporal"] = {"interval": [ends], "trs": "http://www.opengis.net/def/uom/ISO-8601/0/Gregorian"}
    told = {
        "id": layer.id,
        "title": layer.title,
        "description": layer.description,
        "attribution": words.attribution,
        "extent": extent,
        "itemType": "feature",
        "crs": list(SYSTEMS),
        "storageCrs": CRS84.uri,
        "links": [*own_links(request, JSON), *_links(request, layer)],
    }
    if words.simulated:
        told["keywords"] = ["simulated"]
    return {name: value for name, value in told.items() if value not in ("", {})}


def _links(request: Request, layer: Layer) -> list[dict[str, str]]:
    here = f"{request.root}/collections/{quote(layer.id, safe=':~')}"
    found = [
        link("items", f"{here}/items", GEOJSON, layer.title),  # GDAL puts "/" and an id behind it
        link("items", f"{here}/items?f=html", HTML, layer.title),
        link(QUERYABLES, f"{here}/queryables", SCHEMA),
        link(SCHEMAS, f"{here}/schema", SCHEMA),
        link("describedby", f"{here}/schema/feature", SCHEMA),
        link("http://www.opengis.net/def/rel/ogc/1.0/tilesets-vector", f"{here}/tiles", JSON),
    ]
    if layer.words.licence:
        found.append(link("license", layer.words.licence, HTML, layer.words.licence_title))
    if layer.words.address:
        found.append(link("describedby", urljoin(request.root, layer.words.address), HTML, layer.words.title))
    return found


def _listed(request: Request, layer: Layer) -> list[dict[str, str]]:
    here = f"{request.root}/collections/{quote(layer.id, safe=':~')}"
    return [link("self", here, JSON), link("alternate", f"{here}?f=html", HTML), *_links(request, layer)]

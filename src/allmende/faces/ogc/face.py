"""The face itself: an address becomes a question, an answer becomes GeoJSON, an error a status.

It reads and nothing else.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import msgspec

from allmende.domain import errors
from allmende.domain.creation import encode
from allmende.domain.face import FaceLimits, Request, Response
from allmende.domain.store import Store
from allmende.faces.ogc import documents, records, schemas, tiles
from allmende.faces.ogc.answers import (
    OPENAPI,
    SCHEMA,
    Answer,
    Page,
    document,
    error_response,
    own_links,
    refuse,
    tagged,
)
from allmende.faces.ogc.drawn import Drawn
from allmende.faces.ogc.items import read_item, read_items
from allmende.faces.ogc.layers import About, Layer, find_layer, list_layers
from allmende.faces.ogc.openapi import described
from allmende.faces.ogc.options import PAGE, check_form, read_texts, wants_page

METHODS = ("GET", "HEAD")
_Schema = Callable[[Request, Layer, Store], dict[str, Any]]
__all__ = ["METHODS", "answer"]


class _Here(NamedTuple):
    """Where a question is answered."""

    request: Request
    store: Store
    limits: FaceLimits
    about: About
    drawn: Drawn
    records: Callable[[], records.Records] | None


def answer(
    request: Request,
    store: Store,
    limits: FaceLimits,
    about: About,
    drawn: Drawn,
    catalogue: Callable[[], records.Records] | None = None,
) -> Answer:
    """Answer one request as JSON, or with a page to be drawn. Known errors become their status; others are the
    caller's. ``drawn`` belongs to the store; ``catalogue`` is the reader's, without one there are no records."""
    if request.method not in METHODS:
        return refuse(
            request, 405, "MethodNotAllowed", f"{request.method} is not among GET, HEAD", {"Allow": "GET, HEAD"}
        )
    try:
        if len(request.path) + len(request.query) > limits.address_length:
            raise errors.LimitExceeded("this address is too long", setting="ALLMENDE_ADDRESS_LENGTH")
        return _route(_Here(request, store, limits, about, drawn, catalogue))
    except errors.AllmendeError as error:
        return error_response(request, error)


def _route(here: _Here) -> Answer:
    parts = here.request.path.strip("/").split("/")
    if parts[0] == "collections" and parts[2:4] == ["tiles", tiles.MATRIX] and len(parts) > 4:
        layer = find_layer(here.store, here.request.reader, here.about, parts[1])
        return tiles.read_tile(here.request, layer, parts[4:], here.store, here.limits, here.drawn)
    check_form(here.request)  # a form that is not known is a mistake wherever it stands
    if parts[0] != "collections" or len(parts) == 1:
        read_texts(here.request.query, PAGE)
        page = _PAGES.get("/".join(parts))
        if page is None:
            raise errors.NotFound("there is nothing here")
        return page(here)
    if parts[1] == records.COLLECTION and here.records is not None:
        return records.answer_records(here.request, parts[2:], here.about, here.records(), here.limits)
    return _collection(here, parts[1], parts[2:])


def _collection(here: _Here, name: str, rest: list[str]) -> Answer:
    request, store = here.request, here.store
    layer = find_layer(store, request.reader, here.about, name, figures=not rest or rest[0] == "tiles")
    if rest == ["items"]:
        return read_items(request, layer, store, here.limits)
    if rest and rest[0] == "items":
        return read_item(request, layer, "/".join(rest[1:]), store)  # an id may hold a slash
    if not rest:
        read_texts(request.query, PAGE)
        return document(request, "collection", documents.collection(request, layer), layer=layer)
    if rest == ["queryables"]:
        read_texts(request.query, PAGE)
        known = schemas.queryables(store, request.reader, layer)
        return document(request, "queryables", schemas.queryables_document(request, layer, known), SCHEMA, layer)
    described = _SCHEMAS.get("/".join(rest))
    if described is not None:
        read_texts(request.query, PAGE)
        return _described(here, layer, rest, described)
    made = _TILES.get("/".join(rest))
    if made is not None:
        read_texts(request.query, PAGE)
        return document(request, "tilesets" if rest == ["tiles"] else "tileset", made(request, layer), layer=layer)
    raise errors.NotFound("there is nothing here")


def _described(here: _Here, layer: Layer, rest: list[str], make: _Schema) -> Answer:
    """A schema, for which many features are looked at: kept as tiles are."""
    request = here.request
    if layer.version is None or wants_page(request):
        return document(request, "schema", make(request, layer, here.store), SCHEMA, layer)

    def fresh() -> Response:
        body = encode(make(request, layer, here.store)).encode()
        return Response(status=200, body=body, content_type=SCHEMA)

    return here.drawn.answer(request, (layer.id, layer.version, *rest, request.root, layer.title), fresh)


def _landing(here: _Here) -> Answer:
    return document(here.request, "landing", documents.landing(here.request, here.about))


def _collections(here: _Here) -> Answer:
    layers = list_layers(here.store, here.request.reader, here.about)
    others = [] if here.records is None else [records.described(here.request, records.layer_of(here.about))]
    return document(here.request, "collections", documents.collections(here.request, layers, others))


def _api(here: _Here) -> Answer:
    body = described(here.request.root, here.limits)
    if wants_page(here.request):
        told = {**msgspec.json.decode(body), "links": own_links(here.request, OPENAPI)}
        return Page(name="api", value=told)
    return tagged(here.request, Response(status=200, body=body, content_type=OPENAPI))


_PAGES: Mapping[str, Callable[[_Here], Answer]] = MappingProxyType(
    {
        "": _landing,
        "conformance": lambda here: document(here.request, "conformance", documents.conformance(here.request)),
        "api": _api,
        "collections": _collections,
        "tileMatrixSets": lambda here: document(here.request, "matrices", tiles.matrix_sets(here.request)),
        f"tileMatrixSets/{tiles.MATRIX}": lambda here: document(here.request, "matrix", tiles.matrix_set(here.request)),
    }
)
_SCHEMAS: Mapping[str, _Schema] = MappingProxyType(
    {"schema": schemas.schema_document, "schema/feature": schemas.feature_document}
)
_TILES: Mapping[str, Callable[[Request, Layer], dict[str, Any]]] = MappingProxyType(
    {"tiles": tiles.tilesets, f"tiles/{tiles.MATRIX}": tiles.tileset}
)

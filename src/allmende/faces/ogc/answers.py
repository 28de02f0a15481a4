"""Answers and refusals of the face, and the links that they carry."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import msgspec

from allmende.domain import errors
from allmende.domain.creation import encode
from allmende.domain.face import Request, Response
from allmende.faces.ogc.layers import Layer
from allmende.faces.ogc.options import wants_page
from allmende.faces.tags import etag_of, names_tag

JSON = "application/json"
GEOJSON = "application/geo+json"
HTML = "text/html"
SCHEMA = "application/schema+json"
OPENAPI = "application/vnd.oai.openapi+json;version=3.0"
_STATUS: tuple[tuple[type[errors.AllmendeError], int, str], ...] = (
    (errors.InvalidInput, 400, "InvalidParameterValue"),
    (errors.NotFound, 404, "NotFound"),
    (errors.NotSupported, 501, "NotImplemented"),
    (errors.Forbidden, 403, "Forbidden"),
    (errors.StorageBusy, 503, "Busy"),
)
Links = list[dict[str, str]]


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """An answer for people: what JSON would say, to be drawn by whoever serves the face."""

    name: str
    """Which page it is: landing, conformance, api, collections, collection, queryables, items, item, tilesets,
    tileset, error."""
    value: Mapping[str, Any]
    layer: Layer | None = None
    """The collection that it is about."""
    status: int = 200
    headers: Mapping[str, str] = {}


Answer = Response | Page


def refuse(request: Request, status: int, code: str, words: str, headers: dict[str, str] | None = None) -> Answer:
    """An exception as 17-069r4, 7.5.2 writes it."""
    value = {"code": code, "description": words}
    if wants_page(request):
        return Page(name="error", value=value, status=status, headers=headers or {})
    return Response(status=status, body=encode(value).encode(), headers=headers or {})


def error_response(request: Request, error: errors.AllmendeError) -> Answer:
    """The one place where errors get their status."""
    for kind, status, code in _STATUS:
        if isinstance(error, kind):
            return refuse(request, status, code, str(error), {"Retry-After": "5"} if status == 503 else {})
    return refuse(request, 500, "InternalError", str(error))


def link(rel: str, href: str, kind: str, title: str = "", **more: str) -> dict[str, str]:
    """A link object."""
    made = {"rel": rel, "type": kind, "href": href, **more}
    return {**made, "title": title} if title else made


def own_links(request: Request, kind: str) -> Links:
    """``self``, and ``alternate`` for the other form; ``kind`` is that of the form for programs."""
    here = f"{request.root}/{quote(request.path.strip('/'), safe='/:@~,')}".rstrip("/")
    rest = [piece for piece in request.query.split("&") if piece and not piece.startswith("f=")]
    forms = [("json", kind, "JSON"), ("html", HTML, "HTML")]
    if wants_page(request):
        forms.reverse()
    return [
        link(rel, "?".join([here, "&".join([*rest, f"f={form}"])]), media, title)
        for rel, (form, media, title) in zip(("self", "alternate"), forms, strict=True)
    ]


def document(
    request: Request, name: str, value: Mapping[str, Any], kind: str = JSON, layer: Layer | None = None
) -> Answer:
    """A value as JSON with its tag, or as the page of that name."""
    if wants_page(request):
        # a JSON Schema has no links, its page does
        return Page(name=name, value={"links": own_links(request, kind), **value}, layer=layer)
    return tagged(request, Response(status=200, body=encode(value).encode(), content_type=kind))


def tagged(request: Request, response: Response) -> Response:
    """The answer with the tag of its bytes, or that it is as the client has it."""
    tag = etag_of(response.body)
    if request.if_none_match and names_tag(request.if_none_match, tag):
        return Response(status=304, headers={"ETag": tag})
    return msgspec.structs.replace(response, headers={**response.headers, "ETag": tag})

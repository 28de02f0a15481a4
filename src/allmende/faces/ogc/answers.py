"""Answers and refusals of the face, and the links that they carry."""

from typing import Any
from urllib.parse import quote

import msgspec

from allmende.domain import errors
from allmende.domain.creation import encode
from allmende.domain.face import Request, Response
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


def refuse(status: int, code: str, words: str, headers: dict[str, str] | None = None) -> Response:
    """An exception as 17-069r4, 7.5.2 writes it."""
    body = encode({"code": code, "description": words}).encode()
    return Response(status=status, body=body, headers=headers or {})


def error_response(error: errors.AllmendeError) -> Response:
    """The one place where errors get their status."""
    for kind, status, code in _STATUS:
        if isinstance(error, kind):
            return refuse(status, code, str(error), {"Retry-After": "5"} if status == 503 else {})
    return refuse(500, "InternalError", str(error))


def link(rel: str, href: str, kind: str, title: str = "", **more: str) -> dict[str, str]:
    """A link object."""
    made = {"rel": rel, "type": kind, "href": href, **more}
    return {**made, "title": title} if title else made


def own_links(request: Request, kind: str) -> Links:
    """``self``."""
    here = f"{request.root}/{quote(request.path.strip('/'), safe='/:@~,')}".rstrip("/")
    rest = [piece for piece in request.query.split("&") if piece and not piece.startswith("f=")]
    return [link("self", "?".join([here, "&".join([*rest, "f=json"])]), kind)]


def document(request: Request, value: Any, kind: str = JSON, headers: dict[str, str] | None = None) -> Response:
    """A value as JSON, with its tag."""
    return tagged(request, Response(status=200, body=encode(value).encode(), content_type=kind, headers=headers or {}))


def tagged(request: Request, response: Response) -> Response:
    """The answer with the tag of its bytes, or that it is as the client has it."""
    tag = etag_of(response.body)
    if request.if_none_match and names_tag(request.if_none_match, tag):
        return Response(status=304, headers={"ETag": tag})
    return msgspec.structs.replace(response, headers={**response.headers, "ETag": tag})

"""The OpenAPI 3.1 document of what the house answers to programs beside its standards' interfaces, which have documents
of their own: the catalogue, files, orders, own sensors."""

from collections.abc import Mapping
from functools import cache
from typing import Any

import msgspec
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from allmende import __version__
from allmende.domain.selection import NAMES
from allmende.faces.ckan import openapi as ckan
from allmende.faces.dcat.formats import FORMATS as RDF
from allmende.faces.dcat.names import Profile
from allmende.faces.files.formats import FORMATS
from allmende.web.catalogue.files import MEDIA

MEDIA_TYPE = "application/vnd.oai.openapi+json;version=3.1"
_ABOUT = """\
The catalogue (RDF by DCAT-AP.de, CKAN's action API), streams of a dataset as a file, orders of large files, answers to
questions in SQL (one's own: `/sql/result.json?q=SELECT …`), and the address to which sensors of citizens send. Readings
and objects have interfaces of their own: SensorThings 1.1 at `/sta/v1.1` (its document: `/sta/v1.1/api`), OGC API -
Features and - Tiles at `/ogc/v1` (`/ogc/v1/api`).
"""
_ERROR = {
    "type": "object",
    "required": ["code", "type", "message"],
    "properties": {"code": {"type": "integer"}, "type": {"const": "error"}, "message": {"type": "string"}},
}
_NAME = {"type": "string", "pattern": "^[a-z0-9]+([-_][a-z0-9]+)*$"}
_KEY = {"type": "string", "pattern": "^[0-9a-f]{32}$"}
_PAGED = {"type": "integer", "minimum": 1}


@require_safe
def document(request: HttpRequest) -> HttpResponse:
    """``/openapi.json``; the same for everybody."""
    return HttpResponse(_written(), content_type=MEDIA_TYPE, headers={"Cache-Control": "public, max-age=300"})


@cache
def _written() -> bytes:
    return msgspec.json.encode(described())


def described() -> dict[str, Any]:
    """The document as plain data."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "Catalogue, files and sensors of one's own", "version": __version__, "description": _ABOUT},
        "servers": [{"url": "/"}],
        "security": [{}, {"token": []}],
        "paths": {
            **ckan.paths(_REFUSALS),
            **_rdf(),
            "/dataset/{name}/streams.{suffix}": _get(
                "streams", "The streams of a dataset with their newest values.", MEDIA.values(),
                _in_path("name", _NAME), _in_path("suffix", {"enum": list(MEDIA)}),
            ),
            "/downloads/": {"post": _order()},
            "/downloads/{key}/state.json": _get(
                "orderState", "How far an order is.", ["application/json"], _in_path("key", _KEY)
            ),
            "/sql/schema.json": _get("sqlTables", "The tables that can be asked in SQL.", ["application/json"]),
            "/sql/published/{slug}.{form}": _get(
                "publishedAnswer", "The answer to a question in SQL that was published.",
                ["application/json", "text/csv", "application/zip", "application/vnd.apache.parquet"],
                _in_path("slug", {"type": "string", "pattern": "^[a-z0-9-]{1,80}$"}),
                _in_path("form", {"enum": ["json", "csv", "zip", "parquet"]}),
            ),
            "/own/map.json": _get("ownSensors", "Sensors of citizens that are open.", ["application/geo+json"]),
            "/own/{number}": {"post": _send()},
        },
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "schemas": {"Error": _ERROR},
        },
    }  # fmt: skip


def _refusal(words: str, kind: str = "application/json") -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/Error"} if kind == "application/json" else {"type": "string"}
    return {"description": words, "content": {kind: {"schema": schema}}}


def _either(words: str) -> dict[str, Any]:
    """Of an address that is there for some, and that the router does not know for others."""
    kinds = (_refusal(words), _refusal(words, "text/html"))
    return {
        "description": words,
        "content": {kind: schema for each in kinds for kind, schema in each["content"].items()},
    }


_REFUSALS = {"401": _refusal("The token opens nothing."), "429": _refusal("Too many requests.")}
_NOT_HERE = {name: _refusal(words, "text/html") for name, words in (("404", "Not here."), ("410", "Withdrawn."))}


def _in_path(name: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": schema}


def _in_query(name: str, words: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": "query", "description": words, "schema": schema}


def _get(name: str, words: str, kinds: Any, *parameters: Any) -> dict[str, Any]:
    content = {kind.partition(";")[0]: {"schema": {}} for kind in kinds}
    lost = _NOT_HERE if any(each["in"] == "path" for each in parameters) else {}
    wrong = {"400": _refusal("What is wrong.")} if any(each["in"] == "query" for each in parameters) else {}
    return {
        "get": {
            "operationId": name,
            "summary": words,
            "parameters": list(parameters),
            "responses": {"200": {"description": words, "content": content}, **lost, **wrong, **_REFUSALS},
        }
    }


def _rdf() -> dict[str, Any]:
    kinds = [form.media[0] for form in RDF]
    suffix = _in_path("suffix", {"enum": [form.suffix for form in RDF]})
    profile = _in_query("profile", "A profile of DCAT-AP.de.", {"enum": [each.value for each in Profile]})
    page = _in_query("page", "A page of the catalogue.", _PAGED)
    simulated = _in_query("simulated", "Whether simulated datasets are listed.", {"enum": ["0", "1"]})
    return {
        "/catalog.{suffix}": _get("catalogue", "The catalogue as RDF.", kinds, suffix, profile, page, simulated),
        "/dataset/{name}.{suffix}": _get(
            "dataset", "A dataset as RDF.", kinds, _in_path("name", _NAME), suffix, profile
        ),
    }


def _order() -> dict[str, Any]:
    texts = {name: {"type": "string"} for name in NAMES}
    lists = {name: {"type": "array", "items": {"type": "string"}} for name in ("streams", "properties", "columns")}
    box = {"bbox": {"type": "string", "description": "West, south, east, north in degrees."}}
    wanted = {**texts, **lists, **box, "format": {"enum": list(FORMATS)}}
    body = {"type": "object", "required": ["dataset"], "additionalProperties": False, "properties": wanted}
    state = {"type": "object", "required": ["key", "state", "address"]}
    return {
        "operationId": "order",
        "summary": "Order a file; it is made in the background.",
        "requestBody": {"required": True, "content": {"application/json": {"schema": body}}},
        "responses": {
            "202": {"description": "How far it is.", "content": {"application/json": {"schema": state}}},
            **{
                status: _refusal(words)
                for status, words in (
                    ("400", "What is wrong."),
                    ("403", "This may not be had."),
                    ("404", "There is no such dataset."),
                    ("413", "The body is too long."),
                )
            },
            **_REFUSALS,
        },
    }


def _send() -> dict[str, Any]:
    counts = {name: {"type": "integer"} for name in ("accepted", "repeated", "corrected", "rejected")}
    taken = {"type": "object", "required": list(counts), "properties": counts}
    said = {"application/json": {"schema": taken}}
    return {
        "operationId": "send",
        "summary": "Readings of a sensor of one's own, in any of the forms that its page names.",
        "security": [{"token": []}],
        "parameters": [_in_path("number", {"type": "integer", "minimum": 0})],
        "requestBody": {"required": True, "content": {"application/json": {"schema": {"type": ["object", "array"]}}}},
        "responses": {
            "200": {"description": "It is kept.", "content": said},
            "422": {"description": "Nothing of it could be read.", "content": said},
            "404": _either("There is no such sensor."),
            **{
                status: _refusal(words)
                for status, words in (
                    ("400", "What is wrong."),
                    ("403", "This is not this sensor's token."),
                    ("409", "The giver wants nothing to be taken now."),
                    ("413", "The body is too long."),
                    ("503", "The database is busy."),
                    ("507", "The disk is full."),
                )
            },
            **_REFUSALS,
        },
    }

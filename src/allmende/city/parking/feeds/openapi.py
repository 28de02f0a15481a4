"""The OpenAPI 3.1 document of parking's feeds: ParkAPI 3, DATEX II, CSV, and the driver's list."""

from collections.abc import Mapping
from functools import cache
from typing import Any

import msgspec
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_safe

from allmende import __version__
from allmende.city.parking.drivers.choosing import NEEDS
from allmende.city.parking.drivers.places import WHATS
from allmende.city.parking.feeds.parkapi import KINDS, MOST
from allmende.city.parking.feeds.views import WIDTHS
from allmende.city.parking.sites import KINDS as PLACES

MEDIA_TYPE = "application/vnd.oai.openapi+json;version=3.1"
_ABOUT = """\
What the city's parking guidance gives to programs: ParkAPI version 3 (sites, bays, sources, and what was), DATEX II
versions 3 and 2, CSV, and the driver's list as JSON and GeoJSON. It needs no account. Where nothing is known there is
no number. Answers have ETag and Last-Modified and may be cached for ten seconds.
"""
_TEXT: Mapping[str, Any] = {"type": "string"}
_NUMBER: Mapping[str, Any] = {"type": "number"}
_FLAG: Mapping[str, Any] = {"type": "boolean"}
_COUNT: Mapping[str, Any] = {"type": "integer", "minimum": 0}
_ID: Mapping[str, Any] = {"type": "integer", "minimum": 1, "maximum": 2**53}
_TIME: Mapping[str, Any] = {"type": "string", "format": "date-time"}
_LIST: Mapping[str, Any] = {"type": "array", "items": {}}
_THING: Mapping[str, Any] = {"type": "object"}
_MAYBE_COUNT: Mapping[str, Any] = {"type": ["integer", "null"]}
_COMMON: Mapping[str, Any] = {
    "id": _ID, "source_id": _ID, "original_uid": _TEXT, "name": _TEXT, "purpose": _TEXT, "lat": _NUMBER, "lon": _NUMBER,
    "has_realtime_data": _FLAG, "created_at": _TIME, "modified_at": _TIME, "static_data_updated_at": _TIME,
    "realtime_data_updated_at": _TIME, "description": _TEXT, "address": _TEXT, "type": _TEXT, "geojson": _THING,
    "tags": _LIST, "restrictions": _LIST, "restricted_to": _LIST, "external_identifiers": _LIST,
}  # fmt: skip
_ALWAYS = (
    "id", "source_id", "original_uid", "name", "purpose", "lat", "lon", "has_realtime_data", "static_data_updated_at",
)  # fmt: skip
_SITE: Mapping[str, Any] = {
    **_COMMON,
    **{f"{name}{kind}": _COUNT for name in ("capacity", "realtime_capacity", "realtime_free_capacity")
       for kind in ("", *(f"_{kind}" for kind in KINDS))},
    "capacity_min": _COUNT, "capacity_max": _COUNT, "operator_name": _TEXT, "public_url": _TEXT, "photo_url": _TEXT,
    "max_stay": _COUNT, "max_height": _COUNT, "max_width": _COUNT, "has_lighting": _FLAG, "is_covered": _FLAG,
    "has_fee": _FLAG, "fee_description": _TEXT, "park_and_ride_type": _LIST, "supervision_type": _TEXT,
    "is_supervised": _FLAG, "related_location": _TEXT, "orientation": _TEXT, "side": _TEXT, "parking_type": _TEXT,
    "linear_parking_position": _TEXT, "opening_hours": _TEXT, "group": _THING,
    "realtime_opening_status": {"enum": ["CLOSED"]},
}  # fmt: skip
_SCHEMAS: Mapping[str, Any] = {
    "Site": {"type": "object", "required": list(_ALWAYS), "properties": _SITE, "additionalProperties": False},
    "Spot": {
        "type": "object",
        "required": list(_ALWAYS),
        "additionalProperties": False,
        "properties": {
            **_COMMON,
            "parking_site_id": _ID,
            "realtime_status": {"enum": ["AVAILABLE", "TAKEN", "UNKNOWN"]},
        },
    },
    "Source": {
        "type": "object",
        "required": ["id", "uid", "name"],
        "properties": {
            "id": _ID,
            "uid": _TEXT,
            "name": _TEXT,
            "attribution_license": _TEXT,
            "attribution_contributor": _TEXT,
            "public_url": _TEXT,
            "realtime_data_updated_at": _TIME,
            "realtime_status": {"enum": ["ACTIVE", "PROVISIONED"]},
            "static_status": {"const": "ACTIVE"},
        },
    },
    "Change": {
        "type": "object",
        "required": ["id", "parking_site_id", "realtime_data_updated_at"],
        "properties": {
            "id": {"type": "integer"},
            "parking_site_id": _ID,
            "created_at": _TIME,
            "modified_at": _TIME,
            "realtime_data_updated_at": _TIME,
            "realtime_capacity": _COUNT,
            "realtime_free_capacity": _COUNT,
            "realtime_opening_status": {"enum": ["CLOSED", "UNKNOWN"]},
        },
    },
    "Place": {
        "type": "object",
        "required": ["id", "name", "url", "kind", "free", "capacity", "status", "simulated"],
        "properties": {
            "id": _TEXT,
            "name": _TEXT,
            "url": _TEXT,
            "kind": {"enum": list(PLACES)},
            "only": _TEXT,
            "free": _MAYBE_COUNT,
            "capacity": _MAYBE_COUNT,
            "spaces": _THING,
            "estimated": _FLAG,
            "error": {"type": ["number", "null"]},
            "status": {"enum": ["live", "closed", "no-data"]},
            "reason": _TEXT,
            "flags": _LIST,
            "simulated": _FLAG,
            "observedAt": {"type": ["string", "null"]},
            "confirmedAt": {"type": ["string", "null"]},
            "choice": _THING,
        },
    },
    "Board": {
        "type": "object",
        "required": ["now", "simulated", "carParks", "others", "more", "also"],
        "properties": {
            "now": _TIME,
            "simulated": _FLAG,
            "carParks": {"type": "array", "items": {"$ref": "#/components/schemas/Place"}},
            "others": {"type": "array", "items": {"$ref": "#/components/schemas/Place"}},
            "more": _COUNT,
            "also": _THING,
        },
    },
    "Features": {
        "type": "object",
        "required": ["type", "features"],
        "properties": {"type": {"const": "FeatureCollection"}, "features": _LIST},
    },
}
_SEARCH: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "name": ("A part of the name.", _TEXT),
    "purpose": ("CAR, BIKE, MOTORCYCLE or ITEM.", _TEXT),
    "type": ("ParkAPI's word, e.g. CAR_PARK.", _TEXT),
    "not_type": ("All but this one.", _TEXT),
    "source_uid": ("A source.", _TEXT),
    "source_uids": ("Several, with commas.", _TEXT),
    "source_id": ("A source.", _COUNT),
    "lat": ("With lon and radius.", _NUMBER),
    "lon": ("With lat and radius.", _NUMBER),
    "radius": ("Metres.", _NUMBER),
    "lat_min": ("A box.", _NUMBER),
    "lat_max": ("A box.", _NUMBER),
    "lon_min": ("A box.", _NUMBER),
    "lon_max": ("A box.", _NUMBER),
}
_PAGE: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "limit": ("How many on a page.", {"type": "integer", "minimum": 1, "maximum": MOST}),
    "start": ("What next_id said.", _COUNT),
}
_PLAYED: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "simulated": ("Simulated sites alone.", {"enum": ["true", "false"]})
}
_SPAN: Mapping[str, tuple[str, Mapping[str, Any]]] = {"from": ("ISO 8601.", _TIME), "to": ("ISO 8601.", _TIME)}
_ASK: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "what": ("What is looked for; nothing: a space for a car.", {"enum": list(WHATS)}),
    "to": ("An address or a place.", {**_TEXT, "maxLength": 200}),
    "near": ("Longitude, latitude.", _TEXT), "in": ("Minutes until arrival.", {**_COUNT, "maximum": 10_080}),
    "at": ("HH:MM of the arrival.", {**_TEXT, "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$"}),
    "stay": ("Minutes.", {"type": "integer", "minimum": 1, "maximum": 10_080}),
    "height": ("Metres.", _TEXT),
    "need": ("Again for each.", {"type": "array", "items": {"enum": list(NEEDS)}}),
}  # fmt: skip


@require_safe
def document(_request: HttpRequest) -> HttpResponse:
    """``api/openapi.json``, the same for everybody."""
    headers = {"Cache-Control": "public, max-age=300"}
    return HttpResponse(msgspec.json.encode(described()), content_type=MEDIA_TYPE, headers=headers)


@cache
def described() -> dict[str, Any]:
    """The document as plain data."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "Parking", "version": __version__, "description": _ABOUT},
        "servers": [{"url": reverse("parking:board").rstrip("/")}],
        "paths": {**_parkapi(), **_others()},
        "components": {"schemas": dict(_SCHEMAS)},
    }


def _parkapi() -> dict[str, Any]:
    number = {"number": _ID}
    return {
        "/api/public/v3/parking-sites": _get(
            "sites", "Car parks, areas and zones.", _page("Site"), {**_SEARCH, **_PAGE, **_PLAYED}
        ),
        "/api/public/v3/parking-sites.geojson": _get(
            "siteFeatures", "The same as features.", _features(), {**_SEARCH, **_PAGE, **_PLAYED}
        ),
        "/api/public/v3/parking-sites/{number}": _get("site", "One of them.", _json("Site"), _PLAYED, number),
        "/api/public/v3/parking-sites/{number}/history": _get(
            "changes", "What was free there, by changes.", _page("Change"), {**_SPAN, **_PAGE, **_PLAYED}, number
        ),
        "/api/public/v3/parking-spots": _get(
            "spots",
            "Bays.",
            _page("Spot"),
            {**_SEARCH, "parking_site_id": ("The site that it is a part of.", _COUNT), **_PAGE, **_PLAYED},
        ),
        "/api/public/v3/parking-spots.geojson": _get(
            "spotFeatures", "The same as features.", _features(), {**_SEARCH, **_PAGE, **_PLAYED}
        ),
        "/api/public/v3/parking-spots/{number}": _get("spot", "One of them.", _json("Spot"), _PLAYED, number),
        "/api/public/v3/sources": _get("sources", "Where the sites come from.", _page("Source"), _PLAYED),
        "/api/public/v3/sources/{number}": _get("source", "One of them.", _json("Source"), _PLAYED, number),
    }


def _others() -> dict[str, Any]:
    site = {"thing_id": {**_TEXT, "minLength": 1}}
    return {
        "/api/datex2/v3/table.xml": _get(
            "table", "DATEX II 3, ParkingTablePublication.", _XML, {**_CONTAINED, **_PLAYED}, {}, lost=True
        ),
        "/api/datex2/v3/status.xml": _get(
            "status", "DATEX II 3, ParkingStatusPublication.", _XML, {**_CONTAINED, **_PLAYED}, {}, lost=True
        ),
        "/api/datex2/v2/status.xml": _get("formerStatus", "DATEX II 2, as the city's former feed.", _XML, _PLAYED),
        "/api/sites.csv": _get("sitesTable", "A row for each site.", _CSV, _PLAYED),
        "/api/sites/{thing_id}/history.csv": _get(
            "historyTable",
            "Free spaces by pieces of time.",
            _CSV,
            {**_SPAN, "width": ("Seconds of a piece.", {"enum": [str(width) for width in WIDTHS]})},
            site,
        ),
        "/board.json": _get("list", "The driver's list; with a question what it means for it.", _json("Board"), _ASK),
        "/map.json": _get("map", "The same as features, without what does not suit.", _features(), _ASK),
    }


_CONTAINED: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "container": ("In a message container.", {"enum": ["true", "false"]})
}
_XML: Mapping[str, Any] = {"application/xml": {"schema": {}}}
_CSV: Mapping[str, Any] = {"text/csv": {"schema": {}}}


def _json(name: str) -> Mapping[str, Any]:
    return {"application/json": {"schema": {"$ref": f"#/components/schemas/{name}"}}}


def _features() -> Mapping[str, Any]:
    return {"application/geo+json": {"schema": {"$ref": "#/components/schemas/Features"}}}


def _page(name: str) -> Mapping[str, Any]:
    items = {"type": "array", "items": {"$ref": f"#/components/schemas/{name}"}}
    page = {"items": items, "total_count": _COUNT, "next_id": _COUNT, "next_path": _TEXT}
    return {
        "application/json": {"schema": {"type": "object", "required": ["items", "total_count"], "properties": page}}
    }


def _get(
    name: str, words: str, content: Mapping[str, Any], query: Mapping[str, tuple[str, Mapping[str, Any]]],
    path: Mapping[str, Mapping[str, Any]] = {}, *, lost: bool = False,
) -> dict[str, Any]:  # fmt: skip
    parameters = [{"name": each, "in": "path", "required": True, "schema": schema} for each, schema in path.items()]
    parameters += [{"name": each, "in": "query", "description": said, "schema": schema}
                   for each, (said, schema) in query.items()]  # fmt: skip
    missing = {"404": {"description": "There is none."}} if path or lost else {}
    wrong = {"description": "What is wrong.", "content": {"application/json": {"schema": _THING}}}
    return {"get": {
        "operationId": name, "summary": words, "parameters": parameters,
        "responses": {"200": {"description": words, "content": content}, "400": wrong, **missing,
                      "429": {"description": "Too many requests."}},
    }}  # fmt: skip

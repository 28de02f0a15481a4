"""What the OpenAPI document says of many at once: data arrays and batches."""

from collections.abc import Mapping
from typing import Any

from allmende.faces.sensorthings.schemas import ID, Schema

_TEXT: Schema = {"type": "string"}
_GROUP: Schema = {
    "type": "object",
    "description": "Observations of one stream.",
    "properties": {
        "Datastream": {"$ref": "#/components/schemas/Reference"},
        "MultiDatastream": {"$ref": "#/components/schemas/Reference"},
        "components": {"type": "array", "items": _TEXT, "description": "Names of properties; `FeatureOfInterest/id`."},
        "dataArray": {"type": "array", "items": {"type": "array"}, "description": "A value for each component."},
    },
    "required": ["components", "dataArray"],
}
_REQUEST: Schema = {
    "type": "object",
    "properties": {
        "id": {**ID, "description": "What the others call it by: `$id` in an address or in the place of an `@iot.id`."},
        "method": _TEXT,
        "url": {**_TEXT, "description": "Relative to the root, or absolute."},
        "headers": {"type": "object", "additionalProperties": _TEXT},
        "body": {},
        "atomicityGroup": {**_TEXT, "description": "What has the same one takes effect together or not at all."},
        "dependsOn": {"type": "array", "items": _TEXT},
    },
    "required": ["id", "method", "url"],
}
_ANSWER: Schema = {
    "type": "object",
    "properties": {"id": _TEXT, "status": {"type": "integer"}, "headers": {"type": "object"}, "body": {}},
    "required": ["id", "status"],
}
_MULTIPART = {"multipart/mixed": {"schema": _TEXT}}


def describe_many(arrays: Mapping[str, Any], batch: Mapping[str, Any]) -> dict[str, Any]:
    """The paths, from what every operation that writes says of itself."""
    example = [
        {
            "Datastream": {"@iot.id": 1},
            "components": ["phenomenonTime", "result"],
            "dataArray": [["2024-04-30T10:00:00Z", 20.5], ["2024-04-30T10:01:00Z", 20.7]],
        }
    ]
    lines = {"type": "array", "items": {**_TEXT, "description": "A link, or `error …`, for each row."}}
    requests = {"type": "object", "properties": {"requests": {"type": "array", "items": _REQUEST}}}
    answers = {"type": "object", "properties": {"responses": {"type": "array", "items": _ANSWER}}}
    kept = {status: answer for status, answer in arrays["responses"].items() if status != "200"}
    return {
        "/CreateObservations": {
            "post": {
                **arrays,
                "requestBody": _body({"application/json": {"schema": _many(_GROUP), "example": example}}),
                "responses": kept | {"201": _said({"application/json": {"schema": lines}})},
            }
        },
        "/$batch": {
            "post": {
                **batch,
                "requestBody": _body({"application/json": {"schema": requests}, **_MULTIPART}),
                "responses": batch["responses"]
                | {"200": _said({"application/json": {"schema": answers}, **_MULTIPART})},
                "security": [{}, *batch["security"]],
            }
        },
    }


def _many(schema: Schema) -> Schema:
    return {"type": "array", "items": schema}


def _body(content: Mapping[str, Any]) -> dict[str, Any]:
    return {"required": True, "content": content}


def _said(content: Mapping[str, Any]) -> dict[str, Any]:
    return {"description": "An answer for each, in the order of the request.", "content": content}

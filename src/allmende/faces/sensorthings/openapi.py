"""The OpenAPI 3.1 document of this face, made from the tables that the face itself reads.

An entity, a property, a relation or a query option that is new in them is in the document at once; nothing is written
down twice.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, get_args

import msgspec

from allmende import __version__
from allmende.domain.face import FaceLimits
from allmende.domain.model import ENTITIES, SETS, STREAMS, EntityType, Relation
from allmende.faces.sensorthings.applying import LATEST_OPTIONS, OPTIONS
from allmende.faces.sensorthings.formats.choice import FORMATS
from allmende.faces.sensorthings.openapi_many import describe_many
from allmende.faces.sensorthings.options import KNOWN, Metadata
from allmende.faces.sensorthings.schemas import ID, Schema, attribute_schema, example, schemas

PATH = "api"
"""Where the document is, below the face's root."""
MEDIA_TYPE = "application/vnd.oai.openapi+json;version=3.1"
_JSON = "application/json"
_SINGLE = ("$select", "$expand", "$resultFormat", "$resultMetadata")
"""Options that go with one entity; all go with a set."""
ALL_OPTIONS = (*KNOWN, *(option for option in OPTIONS if option not in KNOWN))
_SETTINGS = {"entities": "ALLMENDE_DEEP_INSERT_MAX"}
"""Settings of bounds whose name is not the bound's own in capitals."""
_ABOUT = """\
The city's measured world by the OGC SensorThings API 1.1 (18-088). Reading is open; writing needs a token, as
`Authorization: Bearer …` or as the password of HTTP Basic with any name.

An id stands in the address bare or in quotes: `Things(7)`, `Things('bench')`; what is special in an address is
percent-encoded. Long answers come in pages: follow `@iot.nextLink` as it is given.
"""
_OPTIONS: dict[str, tuple[str, Schema]] = {
    "$filter": ("Which entities, e.g. `result gt 20 and Datastream/name eq 'x'`.", {"type": "string"}),
    "$orderby": ("In which order, e.g. `phenomenonTime desc`.", {"type": "string"}),
    "$top": ("Entities a page.", {"type": "integer", "minimum": 0}),
    "$skip": ("Entities to pass over; `@iot.nextLink` is faster.", {"type": "integer", "minimum": 0}),
    "$count": ("Whether to count all that match.", {"type": "boolean"}),
    "$select": ("Which properties, separated by commas.", {"type": "string"}),
    "$expand": ("Related entities inside of each, e.g. `Datastreams($top=1)`.", {"type": "string"}),
    "$skiptoken": ("The place to go on from; stands in `@iot.nextLink`.", {"type": "string"}),
    "$resultFormat": ("The form of the answer.", {"enum": [format.name for format in FORMATS]}),
    "$resultMetadata": ("How many links and notes an entity carries.", {"enum": list(get_args(Metadata))}),
    "$apply": ("Aggregates on the server, as OData writes them.", {"type": "string"}),
}
"""What is known of an option beside its name; an option that is not here takes any text."""
_ANSWERS = {
    "400": "The question or the body is wrong; the message says where and what would be right.",
    "401": "This needs a token that may write, or the token is unknown, expired or revoked.",
    "403": "This token may not write, or not there.",
    "404": "There is nothing here.",
    "409": "It exists already, or does not go together with what there is.",
    "412": "It was changed since you read it (If-Match).",
    "413": "The body is too large (limit: ALLMENDE_BODY_BYTES).",
    "415": "This media type is not taken.",
    "429": "Too many calls (limit: ALLMENDE_RATE_LIMIT); Retry-After says when to go on.",
    "501": "Right by the standard, but this release does not have it.",
    "503": "No turn to write within the time limit; try again.",
    "507": "No room on the disk (limit: ALLMENDE_DISK_FLOOR).",
}
_NEWEST = ("Thing", "phenomenonTime", "result", "resultQuality")
_ALWAYS = ("400", "401", "404", "429", "501", "503")
_WRITING = (*_ALWAYS, "403", "409", "413", "415", "507")


@lru_cache(maxsize=16)
def document(limits: FaceLimits, root: str) -> bytes:
    """The document as JSON. ``root`` is the absolute address of the face."""
    return msgspec.json.encode({**describe(limits), "servers": [{"url": root}]})


@lru_cache(maxsize=4)
def describe(limits: FaceLimits) -> Mapping[str, Any]:
    """The document without its address. Read it, change nothing of it."""
    paths: dict[str, Any] = {
        "/": {"get": _operation("Service", "getRoot", "The sets, and which requirement classes hold", _landing())}
    }
    for entity in SETS.values():
        paths |= _entity_paths(entity)
    paths |= describe_many(
        _written("Observations", "createObservations", "Create many Observations by data arrays"),
        _written("Service", "batch", "Several requests in one"),
    )
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "SensorThings API 1.1",
            "version": __version__,
            "description": f"{_ABOUT}\n{_limits_text(limits)}",
            "license": {"name": "EUPL-1.2", "identifier": "EUPL-1.2"},
        },
        "tags": [{"name": "Service"}, *({"name": name} for name in SETS)],
        "paths": paths,
        "components": {
            "schemas": {**_shared(), **schemas()},
            "parameters": _parameters(limits),
            "responses": _responses(),
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer", "description": "A token of the house."},
                "basic": {"type": "http", "scheme": "basic", "description": "Any name; the token as the password."},
            },
        },
    }


def _entity_paths(entity: EntityType) -> dict[str, Any]:
    """Every address that begins with one set (18-088, 9.2)."""
    name, tag = entity.name, entity.set_name
    one = f"/{tag}({{id}})"
    found: dict[str, Any] = {
        f"/{tag}": {
            "get": _reading(tag, f"list{tag}", f"List {tag}", ALL_OPTIONS, tag),
            "post": _writing(tag, f"create{name}", f"Create one {name}, alone or with others inside of it", name),
            "delete": _deleting(tag, f"delete{tag}", f"Delete those {tag} that a filter picks", many=True),
        },
        f"/{tag}/$ref": {"get": _reading(tag, f"list{tag}Ref", f"List the addresses of {tag}", KNOWN, "References")},
        one: {
            "parameters": [_parameter("id")],
            "get": _reading(tag, f"get{name}", f"Read one {name}", _SINGLE, name),
            "patch": _changing(tag, f"patch{name}", f"Change what the body says of one {name}", entity, "patch"),
            "put": _changing(
                tag, f"put{name}", f"Change one {name}, and reset what the body leaves out", entity, "put"
            ),
            "delete": _deleting(tag, f"delete{name}", f"Delete one {name}", many=False),
        },
        f"{one}/$ref": {
            "parameters": [_parameter("id")],
            "get": _reading(tag, f"get{name}Ref", f"Read the address of one {name}", (), "Link"),
        },
    }
    if name in STREAMS:
        words = f"List the newest reading of each of the {tag}; options speak of the {tag}"
        found[f"/{tag}/latest"] = {"get": _reading(tag, f"list{tag}Latest", words, LATEST_OPTIONS, "Latest")}
    for attribute in entity.attributes:
        label = attribute.name[0].upper() + attribute.name[1:]
        body = {"type": "object", "properties": {attribute.name: attribute_schema(attribute)}}
        get = _operation(tag, f"get{name}{label}", f"Read {attribute.name} of one {name}", _json(body))
        get["responses"]["204"] = {"description": "It has no value."}
        raw = _operation(tag, f"get{name}{label}Value", f"Read the bare {attribute.name} of one {name}", _plain())
        raw["responses"]["204"] = {"description": "It has no value."}
        found[f"{one}/{attribute.name}"] = {"parameters": [_parameter("id")], "get": get}
        found[f"{one}/{attribute.name}/$value"] = {"parameters": [_parameter("id")], "get": raw}
    for relation in entity.relations:
        found[f"{one}/{relation.name}"] = _relation_path(entity, relation)
    return found


def _relation_path(entity: EntityType, relation: Relation) -> dict[str, Any]:
    """What hangs on one entity, one level deep; addresses go on from there in the same way."""
    label = f"{entity.name}{relation.name}"
    target, tag = ENTITIES[relation.target], entity.set_name
    path: dict[str, Any] = {"parameters": [_parameter("id")]}
    if not relation.many:
        words = f"Read the {relation.name} of one {entity.name}"
        path["get"] = _reading(tag, f"get{label}", words, _SINGLE, target.name)
        return path
    path["get"] = _reading(
        tag, f"list{label}", f"List the {relation.name} of one {entity.name}", ALL_OPTIONS, target.set_name
    )
    words = f"Create one {target.name} at one {entity.name}"
    path["post"] = _writing(tag, f"create{label}", words, target.name)
    return path


def _operation(tag: str, identity: str, words: str, answer: Schema) -> dict[str, Any]:
    return {
        "tags": [tag],
        "operationId": identity,
        "summary": words,
        "responses": {"200": answer, **_refusals(_ALWAYS)},
        "security": [{}, {"token": []}, {"basic": []}],
    }


def _reading(tag: str, identity: str, words: str, options: tuple[str, ...], schema: str) -> dict[str, Any]:
    answer = _json({"$ref": f"#/components/schemas/{schema}"})
    operation = _operation(tag, identity, words, answer)
    operation["parameters"] = [_parameter(option) for option in options]
    if schema in ENTITIES or schema in SETS or schema == "Latest":
        if schema == "Observations":
            both = [{"$ref": f"#/components/schemas/{name}"} for name in (schema, "DataArrays")]
            answer["content"][_JSON] = {"schema": {"anyOf": both}}
        answer["content"] |= {media: {} for format in FORMATS for media in format.media[:1] if media != _JSON}
        answer["headers"] = {"ETag": {"schema": {"type": "string"}, "description": "For If-Match and If-None-Match."}}
        operation["parameters"].append(_parameter("If-None-Match"))
        operation["responses"]["304"] = {"description": "It is as you have it."}
    return operation


def _written(tag: str, identity: str, words: str) -> dict[str, Any]:
    operation = _operation(tag, identity, words, {"description": "Done."})
    operation["responses"] |= _refusals(_WRITING)
    operation["security"] = [{"token": []}, {"basic": []}]
    return operation


def _writing(tag: str, identity: str, words: str, target: str) -> dict[str, Any]:
    operation = _written(tag, identity, words)
    operation["requestBody"] = {
        "required": True,
        "content": {
            _JSON: {"schema": {"$ref": f"#/components/schemas/New{target}"}, "example": example(ENTITIES[target])}
        },
    }
    del operation["responses"]["200"]
    operation["responses"]["201"] = {
        "description": "Created.",
        "headers": {"Location": {"schema": {"type": "string", "format": "uri"}, "description": "The new entity."}},
        "content": {_JSON: {"schema": {"$ref": "#/components/schemas/Link"}}},
    }
    return operation


def _changing(tag: str, identity: str, words: str, entity: EntityType, method: str) -> dict[str, Any]:
    operation = _written(tag, identity, words)
    schema = f"{entity.name}Change" if method == "patch" else f"New{entity.name}"
    content: dict[str, Any] = {_JSON: {"schema": {"$ref": f"#/components/schemas/{schema}"}}}
    if method == "patch":
        content["application/json-patch+json"] = {"schema": {"$ref": "#/components/schemas/JsonPatch"}}
    operation["parameters"] = [_parameter("If-Match")]
    operation["requestBody"] = {"required": True, "content": content}
    operation["responses"]["200"] = _json({"$ref": f"#/components/schemas/{entity.name}"})
    operation["responses"]["204"] = {"description": "Done, and nothing sent back (Prefer: return=minimal)."}
    operation["responses"] |= _refusals(("412",))
    return operation


def _deleting(tag: str, identity: str, words: str, *, many: bool) -> dict[str, Any]:
    operation = _written(tag, identity, words)
    if many:
        operation["parameters"] = [{**_filter(), "required": True}]
        operation["responses"]["200"] = _json({"type": "object", "properties": {"@iot.count": {"type": "integer"}}})
    else:
        operation["parameters"] = [_parameter("If-Match")]
        operation["responses"] |= _refusals(("412",))
    return operation


def _filter() -> dict[str, Any]:
    words, schema = _OPTIONS["$filter"]
    return {"name": "$filter", "in": "query", "description": words, "schema": schema}


def _parameter(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/parameters/{name.lstrip('$')}"}


def _parameters(limits: FaceLimits) -> dict[str, Any]:
    """Options by their name without the ``$``, which no name of a component may hold."""
    found: dict[str, Any] = {
        "id": {"name": "id", "in": "path", "required": True, "schema": ID, "example": 1},
        "If-Match": {"name": "If-Match", "in": "header", "schema": {"type": "string"}},
        "If-None-Match": {"name": "If-None-Match", "in": "header", "schema": {"type": "string"}},
    }
    bounds: dict[str, Schema] = {
        "$filter": {"maxLength": limits.filter_length},
        "$orderby": {"maxLength": limits.filter_length},
        "$apply": {"maxLength": limits.filter_length},
        "$skip": {"maximum": limits.skip_max},
    }
    for option in ALL_OPTIONS:
        words, schema = _OPTIONS.get(option, ("", {"type": "string"}))
        if option == "$top":
            words = f"{words} Without it {limits.page_size}; never more than {limits.page_size_max}."
        found[option.lstrip("$")] = {
            "name": option,
            "in": "query",
            "description": words,
            "schema": schema | bounds.get(option, {}),
        }
    return found


def _limits_text(limits: FaceLimits) -> str:
    """The bounds of this house, by the names of their settings."""
    rows = [
        f"| `{_SETTINGS.get(name, f'ALLMENDE_{name.upper()}')}` | {value} |"
        for name, value in msgspec.structs.asdict(limits).items()
        if isinstance(value, int | float)
    ]
    return "\n".join(["| Limit | Value |", "| --- | --- |", *rows])


def _responses() -> dict[str, Any]:
    content = {_JSON: {"schema": {"$ref": "#/components/schemas/Error"}}}
    return {f"E{status}": {"description": words, "content": content} for status, words in _ANSWERS.items()}


def _refusals(statuses: tuple[str, ...]) -> dict[str, Any]:
    return {status: {"$ref": f"#/components/responses/E{status}"} for status in statuses}


def _json(schema: Schema) -> dict[str, Any]:
    return {"description": "The answer.", "content": {_JSON: {"schema": schema}}}


def _plain() -> dict[str, Any]:
    return {"description": "The bare value.", "content": {"text/plain": {"schema": {"type": "string"}}}}


def _landing() -> dict[str, Any]:
    one = {"type": "object", "properties": {"name": {"type": "string"}, "url": {"type": "string", "format": "uri"}}}
    settings = {"type": "object", "properties": {"conformance": {"type": "array", "items": {"type": "string"}}}}
    both = {"value": {"type": "array", "items": one}, "serverSettings": settings}
    return _json({"type": "object", "required": list(both), "properties": both})


def _shared() -> dict[str, Schema]:
    link = {"@iot.selfLink": {"type": "string", "format": "uri"}}
    return {
        "Error": {
            "type": "object",
            "required": ["code", "type", "message"],
            "properties": {
                "code": {"type": "integer", "description": "The status."},
                "type": {"type": "string", "const": "error"},
                "message": {"type": "string", "description": "What was wrong, where, and what would be right."},
            },
        },
        "Reference": {
            "type": "object",
            "description": "An entity that exists.",
            "properties": {"@iot.id": ID},
            "required": ["@iot.id"],
            "additionalProperties": False,
        },
        "Link": {"type": "object", "properties": {**link, "@iot.id": ID}, "required": ["@iot.selfLink"]},
        "References": {
            "type": "object",
            "properties": {"value": {"type": "array", "items": {"type": "object", "properties": link}}},
            "required": ["value"],
        },
        "Latest": {
            "type": "object",
            "description": "One object for each stream that has a reading.",
            "properties": {"value": {"type": "array", "items": {"type": "object", "required": list(_NEWEST)}}},
            "required": ["value"],
        },
        "DataArrays": {
            "type": "object",
            "description": "Observations as rows of values (`$resultFormat=dataArray`), one object for each stream.",
            "properties": {"value": {"type": "array", "items": {"type": "object", "required": ["dataArray"]}}},
            "required": ["value"],
        },
        "JsonPatch": {
            "type": "array",
            "description": "RFC 6902.",
            "items": {
                "type": "object",
                "required": ["op", "path"],
                "properties": {
                    "op": {"enum": ["add", "remove", "replace", "move", "copy", "test"]},
                    "path": {"type": "string"},
                    "from": {"type": "string"},
                    "value": {},
                },
            },
            "examples": [[{"op": "replace", "path": "/name", "value": "Bench in the park"}]],
        },
    }

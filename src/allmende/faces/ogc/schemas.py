"""What the features of a collection have: their properties as JSON Schema.

Sources say some of it, the features themselves the rest. What a source says of a type stands, also where one of its
values is no such thing: a height of "1,5" among 40,000 numbers makes no text of them. A number that is whole today may
have a fraction tomorrow: all numbers that only features tell of are ``number``.
"""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

import msgspec

from allmende.domain.face import Request
from allmende.domain.features import FeatureQuery, KeptFeature
from allmende.domain.policy import Reader
from allmende.domain.store import Store
from allmende.faces.ogc.layers import Layer

_SAMPLE = 100
"""Features that are looked at for the names of properties."""
_LOOKED = 50_000
"""Features that are looked at for the types of properties."""
_PORTION = 5_000
_TYPES: Mapping[type, str] = {
    bool: "boolean", int: "number", float: "number", str: "string", list: "array", dict: "object", type(None): "null",
}  # fmt: skip
_SCHEMA_2020 = "https://json-schema.org/draft/2020-12/schema"
_ANY_GEOMETRY = "https://geojson.org/schema/Geometry.json"
_DECODER = msgspec.json.Decoder(dict[str, Any])
Fields = dict[str, dict[str, Any]]


def queryables(store: Store, reader: Reader, layer: Layer) -> Fields:
    """The properties of a collection as JSON Schema: what its source says, and what the first features have."""
    found = {name: dict(schema) for name, schema in layer.fields.items()}
    query = FeatureQuery(collection=layer.source, reader=reader, things=layer.things, simulated=True, top=_SAMPLE)
    for item in store.features(query).items:
        for name, value in _DECODER.decode(item.properties).items():
            kind = _TYPES[type(value)]
            if kind in ("boolean", "number", "string") and "type" not in found.setdefault(name, {}):
                found[name]["type"] = kind
    return found


def queryables_document(request: Request, layer: Layer, known: Fields) -> dict[str, Any]:
    """The queryables (19-079r2, 6.2)."""
    # the role is the standard's, the reference is what QGIS knows a geometry by
    geometry = {"x-ogc-role": "primary-geometry", "format": "geometry-any", "$ref": _ANY_GEOMETRY}
    return {
        "$schema": _SCHEMA_2020,
        "$id": f"{_address(request, layer)}/queryables",
        "type": "object",
        "title": layer.title,
        "properties": {**known, "geometry": geometry},
        "additionalProperties": not layer.strict,
    }


def schema_document(request: Request, layer: Layer, store: Store) -> dict[str, Any]:
    """The schema of a collection's features (OGC API - Features - Part 5, 23-058r1)."""
    fields, geometry = _looked_at(store, request.reader, layer)
    numbered = {name: {**schema, "x-ogc-propertySeq": place} for place, (name, schema) in enumerate(fields.items(), 1)}
    return {
        "$schema": _SCHEMA_2020,
        "$id": f"{_address(request, layer)}/schema",
        "type": "object",
        "title": layer.title,
        "description": layer.description,
        "properties": {**numbered, "geometry": {"x-ogc-role": "primary-geometry", "format": geometry}},
    }


def feature_document(request: Request, layer: Layer, store: Store) -> dict[str, Any]:
    """The same of a feature as GeoJSON writes it: what GDAL reads. Without it, it guesses types from a few features."""
    fields, _ = _looked_at(store, request.reader, layer)
    return {
        "$schema": _SCHEMA_2020,
        "$id": f"{_address(request, layer)}/schema/feature",
        "type": "object",
        "title": layer.title,
        "required": ["type", "id", "geometry", "properties"],
        "properties": {
            "type": {"const": "Feature"},
            "id": {"type": "string"},
            "geometry": {"oneOf": [{"type": "null"}, {"$ref": _ANY_GEOMETRY}]},
            "properties": {"type": "object", "properties": fields},
        },
    }


def _address(request: Request, layer: Layer) -> str:
    return f"{request.root}/collections/{quote(layer.id, safe=':~')}"


def _looked_at(store: Store, reader: Reader, layer: Layer) -> tuple[Fields, str]:
    """The properties with all types that they have, and the format of the geometries."""
    types: dict[str, set[str]] = {}
    shapes: set[str] = set()
    for item in _items(store, reader, layer):
        if item.geometry is not None:
            shapes.add(item.geometry[:24])  # the type stands first
        for name, value in _DECODER.decode(item.properties).items():
            types.setdefault(name, set()).add(_TYPES[value.__class__])
    fields: Fields = {}
    for name in [*layer.fields, *(name for name in types if name not in layer.fields)]:
        said = dict(layer.fields.get(name, {}))
        if "type" not in said:
            kinds = sorted(types.get(name, set()) - {"null"}) or ["null"]
            said["type"] = kinds[0] if len(kinds) == 1 else kinds
        if layer.things and (name == "time" or name.endswith(".time")) and said["type"] == "string":
            said["format"] = "date-time"
        fields[name] = said
    return fields, _format(shapes)


def _items(store: Store, reader: Reader, layer: Layer) -> Iterator[KeptFeature]:
    query = FeatureQuery(collection=layer.source, reader=reader, things=layer.things, simulated=True, top=_PORTION)
    for _ in range(_LOOKED // _PORTION):
        page = store.features(query)
        yield from page.items
        if page.next is None:
            return
        query = msgspec.structs.replace(query, after=page.next)


def _format(beginnings: set[str]) -> str:
    """``geometry-point`` and its kin, by how the geometries' texts begin."""
    found = set()
    for text in beginnings:
        name = text.removeprefix('{"type":"').partition('"')[0].lower()
        if not text.startswith('{"type":"') or not name.isalpha():
            return "geometry-any"
        found.add(name)
    single = {name.removeprefix("multi") for name in found}
    if len(found) == 1:
        return f"geometry-{found.pop()}"
    if len(single) == 1:
        name = single.pop()
        return f"geometry-{name}-or-multi{name}"
    return "geometry-any"

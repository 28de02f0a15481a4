"""JSON schemas of the entities (JSON Schema 2020-12, as OpenAPI 3.1 has it), from the table in ``domain/model.py``.

Three for each entity: as it is read (``Thing``), as it is posted (``NewThing``) and as it is changed (``ThingChange``).
"""

from typing import Any

from allmende.domain.model import ENTITIES, OBSERVATION_TYPES, Attribute, EntityType, Kind, Relation

Schema = dict[str, Any]
_MOMENT = "2024-04-30T12:00:00.000Z"
_POINT = {"type": "Point", "coordinates": [11.5892, 50.9271]}
_KINDS: dict[str, Schema] = {
    Kind.STRING: {"type": "string"},
    Kind.OBJECT: {"type": "object"},
    Kind.LIST: {"type": "array"},
    Kind.INSTANT: {"type": "string", "format": "date-time", "examples": [_MOMENT]},
    Kind.INTERVAL: {
        "type": "string",
        "description": "An instant (ISO 8601), or two with a slash between them.",
        "examples": ["2024-04-30T12:00:00Z", "2024-04-30T12:00:00Z/2024-04-30T13:00:00Z"],
    },
    Kind.RESULT: {
        "type": ["number", "string", "boolean", "object", "array", "null"],
        "description": "Whole numbers and decimals are kept apart.",
        "examples": [42],
    },
    Kind.GEOMETRY: {
        "description": "GeoJSON (longitude, latitude; EPSG:4326) where the encodingType is `application/geo+json`.",
        "examples": [_POINT],
    },
}
"""What a kind of attribute takes. A kind that is not here takes any JSON."""
_EXAMPLES: dict[str, Any] = {
    "name": "Bench in the park",
    "description": "A bench with a sensor under it",
    "definition": "https://qudt.org/vocab/quantitykind/Temperature",
    "encodingType": "application/geo+json",
    "observationType": OBSERVATION_TYPES["measurement"],
    "unitOfMeasurement": {"name": "degree Celsius", "symbol": "Cel", "definition": "https://ucum.org/ucum#para-30"},
    "multiObservationDataTypes": [OBSERVATION_TYPES["measurement"]],
    "unitOfMeasurements": [{"name": "metre", "symbol": "m", "definition": "https://ucum.org/ucum#para-28"}],
    "taskingParameters": {"status": "on"},
    "role": "derived from",
    "termsOfUse": "Free to use for everybody",
    "metadata": "https://example.org/datasheet.pdf",
    "properties": {"district": "centre"},
    "parameters": {"batch": 7},
    "resultQuality": {"plausible": True},
    "time": _MOMENT,
    "location": _POINT,
    "feature": _POINT,
    "result": 21.5,
    "phenomenonTime": "2024-04-30T12:00:00Z",
}
"""Examples by the attribute's name; those without one have their kind's."""
_DESCRIPTION = {
    "type": "DataRecord",
    "field": [
        {"name": "status", "type": "Category", "constraint": {"type": "AllowedTokens", "value": ["on", "off"]}},
    ],
}
"""What describes the task of the examples."""
ID: Schema = {
    "type": ["integer", "string"],
    "maxLength": 255,
    "description": "A number that the house gave, or a name that a source or a client gave. 7 and '7' are one id.",
    "examples": [7],
}


def schemas() -> dict[str, Schema]:
    """All of them, by name."""
    found: dict[str, Schema] = {}
    for entity in ENTITIES.values():
        found[entity.name] = _as_read(entity)
        found[f"New{entity.name}"] = _as_posted(entity)
        found[f"{entity.name}Change"] = _as_changed(entity)
        found[entity.set_name] = _page(entity)
    return found


def attribute_schema(attribute: Attribute) -> Schema:
    """What an attribute takes, with an example."""
    schema = dict(_KINDS.get(attribute.kind, {}))
    if attribute.choices:
        schema |= {"enum": list(attribute.choices), "examples": [attribute.choices[0]]}
    elif attribute.swe:
        schema["examples"] = [_DESCRIPTION]
    elif attribute.name in _EXAMPLES:
        schema["examples"] = [_EXAMPLES[attribute.name]]
    return schema


def example(entity: EntityType) -> dict[str, Any]:
    """A body that creates an entity, where what it hangs on has the id 1."""
    body: dict[str, Any] = {}
    for attribute in entity.attributes:
        shown = attribute_schema(attribute).get("examples")
        if shown and not attribute.computed and (attribute.required or attribute.name == "phenomenonTime"):
            body[attribute.name] = shown[0]
    if entity.name == "Sensor":
        body["encodingType"] = "application/pdf"
    for relation in entity.relations:
        if relation.required or relation.name in entity.one_of[:1]:
            body[relation.name] = [{"@iot.id": 1}] if relation.many else {"@iot.id": 1}
    return body


def _as_read(entity: EntityType) -> Schema:
    """No attribute is promised: null ones and what $select leaves out are not there."""
    properties: Schema = {"@iot.selfLink": {"type": "string", "format": "uri"}, "@iot.id": ID}
    for attribute in entity.attributes:
        shown = attribute_schema(attribute)
        if attribute.name == "resultTime":
            shown["type"] = ["string", "null"]
        properties[attribute.name] = shown | ({"readOnly": True} if attribute.computed else {})
    for relation in entity.relations:
        properties[f"{relation.name}@iot.navigationLink"] = {"type": "string", "format": "uri"}
        inner = {"$ref": f"#/components/schemas/{relation.target}"}
        if relation.many:
            properties[f"{relation.name}@iot.count"] = {"type": "integer"}
            properties[f"{relation.name}@iot.nextLink"] = {"type": "string", "format": "uri"}
            properties[relation.name] = {"type": "array", "items": inner, "description": "With `$expand`."}
        else:
            properties[relation.name] = {"anyOf": [inner, {"type": "null"}], "description": "With `$expand`."}
    return {"type": "object", "properties": properties}


def _as_posted(entity: EntityType) -> Schema:
    properties: Schema = {"@iot.id": ID}
    required = []
    for attribute in entity.attributes:
        if attribute.computed:
            continue
        properties[attribute.name] = attribute_schema(attribute)
        if attribute.required:
            required.append(attribute.name)
    for relation in entity.relations:
        properties[relation.name] = _given(relation)
        if relation.required:
            required.append(relation.name)
    schema: Schema = {"type": "object", "properties": properties, "examples": [example(entity)]}
    # A relation to what the address names, or to what lies around it in a deep insert, is left out.
    needed = [name for name in required if entity.relation(name) is None]
    return schema | ({"required": needed} if needed else {})


def _given(relation: Relation) -> Schema:
    """An entity that exists, or one to be made with it (18-088, 10.2.1.1)."""
    one = {
        "anyOf": [{"$ref": "#/components/schemas/Reference"}, {"$ref": f"#/components/schemas/New{relation.target}"}]
    }
    return {"type": "array", "items": one} if relation.many else one


def _as_changed(entity: EntityType) -> Schema:
    properties: Schema = {a.name: attribute_schema(a) for a in entity.attributes if not a.computed}
    for relation in entity.relations:
        if not relation.many:
            properties[relation.name] = {"$ref": "#/components/schemas/Reference"}
    first = next((a for a in entity.attributes if not a.computed), None)
    shown = {first.name: example(entity).get(first.name)} if first else {}
    return {"type": "object", "properties": properties, "examples": [shown]}


def _page(entity: EntityType) -> Schema:
    return {
        "type": "object",
        "required": ["value"],
        "properties": {
            "@iot.count": {"type": "integer", "description": "With `$count=true`: how many there are on all pages."},
            "@iot.nextLink": {"type": "string", "format": "uri", "description": "Where there is a next page."},
            "value": {"type": "array", "items": {"$ref": f"#/components/schemas/{entity.name}"}},
        },
    }
